"""Fees of an order, by brokerage (Common/Orders/Fees/*.cs). Amounts are dollars for the whole order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.engine.brokerage_rules import is_opening
from workbench.engine.enums import OrderType, SecurityType
from workbench.engine.exceptions import ArgumentException
from workbench.engine.order_types import MarketOrder
from workbench.engine.orders import ZERO_FEE, CashAmount, OrderFee

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.securities import Security

_OPTION_TYPES = frozenset({SecurityType.OPTION, SecurityType.INDEX_OPTION})
_AT_STOP = frozenset({OrderType.STOP_MARKET, OrderType.TRAILING_STOP})
_AT_LIMIT = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.COMBO_LEG_LIMIT}
)
_COMBOS = frozenset({OrderType.COMBO_MARKET, OrderType.COMBO_LIMIT, OrderType.COMBO_LEG_LIMIT})


class OrderFeeParameters:
    """The security and the order of which a fee model is asked."""

    __slots__ = ("order", "security")

    def __init__(self, security: Security, order: Order) -> None:
        self.security = security
        self.order = order


class FeeModel:
    """Base of fee models, Python subclasses included: no fee."""

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        """The fee of the order when it is filled in one piece."""
        return OrderFee(CashAmount(0.0, "USD"))


def _dollars(amount: float) -> OrderFee:
    return OrderFee(CashAmount(round(amount, 10), "USD"))


class ConstantFeeModel(FeeModel):
    """The same fee for every order."""

    def __init__(self, fee: float, currency: str = "USD") -> None:
        self._fee = OrderFee(CashAmount(abs(fee), currency))

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        return OrderFee(self._fee.value)


class InteractiveBrokersFeeModel(FeeModel):
    """Stocks: 0.5 cent a share, 1 dollar at least, half a percent at most; options: by premium and monthly volume."""

    def __init__(
        self, monthly_forex_trade_amount_in_us_dollars: float = 0, monthly_options_trade_amount_in_contracts: float = 0
    ) -> None:
        self._month = monthly_options_trade_amount_in_contracts

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        security, order = parameters.security, parameters.order
        kind = security.type
        if kind in _OPTION_TYPES:
            if order.type == OrderType.OPTION_EXERCISE and order.symbol.security_type == SecurityType.OPTION:
                return ZERO_FEE
            rate = self._option_rate(_expected_price(order, security))
            return _dollars(max(order.absolute_quantity * rate, 1.0))
        if kind == SecurityType.EQUITY:
            fee = 0.005 * order.absolute_quantity
            value = abs(order.get_value(security.price) * security.multiplier)
            return _dollars(1.0 if fee < 1.0 else min(fee, 0.005 * value))
        raise ArgumentException(f"Unsupported security type: {_pascal(kind)}")

    def _option_rate(self, premium: float) -> float:
        if self._month > 100_000:
            return 0.15
        if self._month > 50_000:
            return 0.25
        premium = round(premium, 8)
        if self._month > 10_000:
            return 0.5 if premium >= 0.05 else 0.25
        return 0.65 if premium >= 0.1 else 0.5 if premium >= 0.05 else 0.25


def _expected_price(order: Order, security: Security) -> float:
    """The price IB's tier is chosen by: the limit or stop; for market orders LEAN takes the near side of the quote."""
    kind = order.type
    if kind in _AT_LIMIT:
        return order.limit_price
    if kind in _AT_STOP:
        return order.stop_price
    if kind == OrderType.COMBO_LIMIT:
        return 0.0 if order.group_order_manager is None else order.group_order_manager.limit_price
    if kind == OrderType.OPTION_EXERCISE:
        return 0.0
    return security.bid_price if order.quantity > 0 else security.ask_price


class TastytradeFeeModel(FeeModel):
    """A dollar a contract to open, nothing to close; shares are free."""

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        security, order = parameters.security, parameters.order
        if security.type in _OPTION_TYPES and is_opening(order.quantity, security.holdings.quantity):
            return _dollars(order.absolute_quantity)
        return _dollars(0.0)


class CharlesSchwabFeeModel(FeeModel):
    """65 cents a contract, a dollar for index options; shares are free."""

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        kind = parameters.security.type
        if kind not in _OPTION_TYPES:
            return ZERO_FEE
        return _dollars(parameters.order.absolute_quantity * (1.0 if kind == SecurityType.INDEX_OPTION else 0.65))


class TradeStationFeeModel(FeeModel):
    """60 cents a contract, a dollar for index options; shares are free for US residents, else 5 dollars a trade."""

    def __init__(self, us_resident: bool = True) -> None:
        self.us_resident = us_resident

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        trade = 0.0 if self.us_resident else 5.0
        kind = parameters.security.type
        if kind in _OPTION_TYPES:
            trade += parameters.order.absolute_quantity * (1.0 if kind == SecurityType.INDEX_OPTION else 0.6)
        return _dollars(trade)


class AlpacaFeeModel(FeeModel):
    """Free for shares and options."""


class PublicFeeModel(FeeModel):
    """Options on shares are free, index options 50 cents; shares cost 2.99 outside regular hours."""

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        security, order = parameters.security, parameters.order
        if security.type == SecurityType.EQUITY:
            sent = security.exchange.to_local(order.time)
            return _dollars(0.0 if security.exchange.date_time_is_open(sent) else 2.99)
        if security.type == SecurityType.INDEX_OPTION:
            return _dollars(order.absolute_quantity * 0.5)
        return ZERO_FEE


class WebullFeeModel(FeeModel):
    """Free but for index options: 50 cents and the exchange's fee."""

    _TIERS: ClassVar[dict[str, tuple[float, float]]] = {"SPX": (0.57, 0.66), "SPXW": (0.50, 0.59)}

    def get_order_fee(self, parameters: OrderFeeParameters) -> OrderFee:
        security, order = parameters.security, parameters.order
        if security.type != SecurityType.INDEX_OPTION:
            return ZERO_FEE
        under = security.symbol.underlying
        name = "" if under is None else under.value.upper()
        exchange = self._exchange_fee(name, security.price, order.absolute_quantity, order.type in _COMBOS)
        return _dollars(order.absolute_quantity * (exchange + 0.5))

    def _exchange_fee(self, underlying: str, price: float, quantity: float, combo: bool) -> float:
        price = round(price, 8)
        if underlying in self._TIERS:
            return self._TIERS[underlying][price >= 1]
        if underlying in ("VIX", "VIXW"):
            return 0.10 if price <= 0.10 else 0.25 if price <= 0.99 else 0.40 if price <= 1.99 else 0.45
        if underlying == "XSP":
            return 0.0 if quantity < 10 else 0.07
        if underlying == "DJX":
            return 0.18
        if underlying in ("NDX", "NDXP"):
            below, above = (0.65, 0.90) if combo else (0.50, 0.75)
            return below if price < 25 else above
        return 0.0


def order_fee(security: Security, order: Order) -> OrderFee:
    """The fee of an order by the security's model."""
    fee: OrderFee = security.fee_model.get_order_fee(OrderFeeParameters(security, order))
    return fee


def market_order_fee(security: Security, quantity: float) -> float:
    """Dollars that a market order of this size would cost now (Extensions.GetMarketOrderFees)."""
    order = MarketOrder(security.symbol, quantity, security.clock.utc)
    return order_fee(security, order).value.amount


def _pascal(value: Any) -> str:
    return str(value.name).title().replace("_", "")
