"""Cash, holdings and margin of the account (Common/Securities/SecurityPortfolioManager.cs, ...PortfolioModel.cs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from workbench.engine.enums import OrderDirection, OrderType, SettlementType
from workbench.engine.holdings import SecurityHolding
from workbench.engine.members import lean_class
from workbench.engine.options import Option
from workbench.engine.positions import Positions
from workbench.engine.securities import Security
from workbench.engine.security_manager import KeyValuePair, SecurityManager

if TYPE_CHECKING:
    from workbench.engine.orders import Order, OrderEvent
    from workbench.engine.symbols import Symbol


class MarginRules(Protocol):
    """What the portfolio asks about buying power; see buying_power.py."""

    def has_sufficient_buying_power(self, orders: list[Order]) -> tuple[bool, str]:
        """Whether the account can carry the orders, and the reason when it cannot."""

    def total_margin_used(self) -> float:
        """Dollars reserved for all holdings."""

    def freed_by(self, security: Security, direction: OrderDirection) -> float:
        """Dollars that an order in a direction may use of what the holding reserves."""

    def holdings_changed(self, security: Security | None = None) -> None:
        """A holding changed."""


class Cash:
    """An amount in one currency."""

    __slots__ = ("amount", "conversion_rate", "symbol")

    def __init__(self, symbol: str, amount: float, conversion_rate: float = 1.0) -> None:
        self.symbol = symbol
        self.amount = float(amount)
        self.conversion_rate = conversion_rate

    def add_amount(self, amount: float) -> float:
        """Add to the amount."""
        self.amount += amount
        return self.amount

    def set_amount(self, amount: float) -> None:
        """Replace the amount."""
        self.amount = float(amount)

    @property
    def value_in_account_currency(self) -> float:
        return self.amount * self.conversion_rate


class CashBook:
    """Cash by currency; this engine trades in dollars only."""

    account_currency = "USD"

    def __init__(self) -> None:
        self._cash = {"USD": Cash("USD", 0.0)}

    def __getitem__(self, currency: str) -> Cash:
        return self._cash[currency]

    def contains_key(self, currency: str) -> bool:
        """Whether the currency is in the book."""
        return currency in self._cash

    def __contains__(self, currency: object) -> bool:
        return currency in self._cash

    def __iter__(self) -> Iterator[Any]:
        for currency, cash in self._cash.items():
            yield KeyValuePair(currency, cash)  # type: ignore[arg-type]

    @property
    def total_value_in_account_currency(self) -> float:
        return sum(cash.value_in_account_currency for cash in self._cash.values())


@lean_class("SecurityPortfolioManager")
class SecurityPortfolioManager:
    """The account. Money is in dollars."""

    def __init__(self, securities: SecurityManager) -> None:
        self.securities = securities
        self.cash_book = CashBook()
        self.unsettled_cash_book = CashBook()
        self._usd = self.cash_book["USD"]
        self._usd.set_amount(100_000)
        self.margin: MarginRules | None = None
        self.margin_call_model: Any = None
        self.transactions: Any = None
        self.positions_enabled = True
        self.version = 0
        self.option_count = 0
        self._held: dict[Symbol, Security] = {}
        self._transaction_record: list[tuple[Any, float]] = []

    # -- holdings -------------------------------------------------------------------------------------------------

    def watch(self, security: Security) -> None:
        """Keep track of a security's holdings."""
        security.holdings.listener = self._changed

    def _changed(self, security: Security) -> None:
        self.version += 1
        was_held = security.symbol in self._held
        if security.holdings.quantity:
            self._held[security.symbol] = security
        else:
            self._held.pop(security.symbol, None)
        if security.is_option and was_held != (security.symbol in self._held):
            self.option_count += -1 if was_held else 1
        if self.margin is not None:
            self.margin.holdings_changed(security)

    @property
    def held(self) -> dict[Symbol, Security]:
        """Securities with a quantity other than zero."""
        return self._held

    def forget(self, symbol: Symbol) -> None:
        """A removed security no longer counts."""
        gone = self._held.pop(symbol, None)
        if gone is not None:
            self.version += 1
            self.option_count -= gone.is_option
            if self.margin is not None:
                self.margin.holdings_changed(gone)

    # -- money ----------------------------------------------------------------------------------------------------

    @property
    def positions(self) -> Positions:
        """What is held, grouped into strategies."""
        return Positions(self.margin)

    def set_positions(self, model: Any) -> None:
        """`SecurityPositionGroupModel.NULL` turns position groups off: every holding is margined alone."""
        from workbench.engine.markets import SecurityPositionGroupModel
        self.positions_enabled = model is not SecurityPositionGroupModel.NULL
        self.version += 1
        if self.margin is not None:
            self.margin.holdings_changed(None)

    def set_margin_call_model(self, model: Any) -> None:
        """Use a margin call model; `MarginCallModel.NULL` turns margin calls off."""
        self.margin_call_model = model

    @property
    def total_unlevered_absolute_holdings_cost(self) -> float:
        return sum(abs(s.holdings.unlevered_holdings_cost) for s in self._held.values())

    @property
    def cash(self) -> float:
        return self._usd.amount

    @property
    def unsettled_cash(self) -> float:
        return 0.0

    @property
    def total_holdings_value(self) -> float:
        return sum(abs(s.holdings.holdings_value) for s in self._held.values())

    @property
    def total_absolute_holdings_cost(self) -> float:
        return sum(s.holdings.absolute_holdings_cost for s in self._held.values())

    @property
    def total_portfolio_value(self) -> float:
        """Cash plus the value of all holdings."""
        total = self._usd.amount
        for security in self._held.values():
            holding = security.holdings
            if holding.invested:
                total += holding.holdings_value
        return total

    @property
    def total_unrealized_profit(self) -> float:
        return sum(s.holdings.unrealized_profit for s in self._held.values())

    @property
    def total_unrealised_profit(self) -> float:
        return self.total_unrealized_profit

    @property
    def total_fees(self) -> float:
        return sum(s.holdings.total_fees for s in self.securities.total.values())

    @property
    def total_profit(self) -> float:
        return sum(s.holdings.profit for s in self.securities.total.values())

    @property
    def total_net_profit(self) -> float:
        return sum(s.holdings.net_profit for s in self.securities.total.values())

    @property
    def total_sale_volume(self) -> float:
        return sum(s.holdings.total_sale_volume for s in self.securities.total.values())

    @property
    def total_margin_used(self) -> float:
        return 0.0 if self.margin is None else self.margin.total_margin_used()

    @property
    def margin_remaining(self) -> float:
        return self.get_margin_remaining(self.total_portfolio_value)

    def get_margin_remaining(self, what: Any, direction: OrderDirection = OrderDirection.BUY) -> float:
        """Dollars free at a portfolio value; or, of a symbol, for an order in a direction."""
        if isinstance(what, (int, float)):
            return what - self.total_margin_used
        return self.get_buying_power(what, direction)

    def get_buying_power(self, symbol: Symbol | str, direction: OrderDirection = OrderDirection.BUY) -> float:
        """Dollars free for an order; one against a holding may use what that reserves, twice over."""
        free = self.margin_remaining
        return free if self.margin is None else free + self.margin.freed_by(self.securities[symbol], direction)

    def has_sufficient_buying_power_for_order(self, orders: list[Order]) -> Any:
        """Whether the account can carry the orders, as LEAN answers it."""
        from workbench.engine.margin_models import HasSufficientBuyingPowerForOrderResult
        return HasSufficientBuyingPowerForOrderResult(*self.has_sufficient_buying_power_for_orders(orders))

    @property
    def invested(self) -> bool:
        return any(s.holdings.invested for s in self._held.values())

    @property
    def hold_stock(self) -> bool:
        return self.invested

    def has_sufficient_buying_power_for_orders(self, orders: list[Order]) -> tuple[bool, str]:
        """Whether the account can carry the orders, and the reason when it cannot."""
        if not self.option_count and len(orders) == 1 and self._clearly_enough(orders[0]):
            return True, ""
        return (True, "") if self.margin is None else self.margin.has_sufficient_buying_power(orders)

    def _clearly_enough(self, order: Order) -> bool:
        """Whether a stock order passes without looking closer: it reduces a holding (BuyingPowerModel.cs:126), or what
        is free in a book of stocks exceeds its whole value."""
        security = self.securities.find(order.symbol)
        if security is None or not security.plain_margin:
            return False
        held = security.holdings.quantity
        quantity = order.quantity
        if held * quantity < 0:
            return abs(held) >= abs(quantity)
        worst = abs(quantity) * max(security.price, order.limit_price, order.stop_price) * 1.01 + 1_000.0
        tied = 0.0
        for other in self._held.values():
            if not other.plain_margin:
                return False
            tied += abs(other.holdings.holdings_value)
        return worst + tied < self.total_portfolio_value

    # -- fills ----------------------------------------------------------------------------------------------------

    def process_fills(self, fills: list[OrderEvent]) -> None:
        """Book fills in their order."""
        for fill in fills:
            security = self.securities[fill.symbol]
            if security.portfolio_model is not None:
                security.portfolio_model.process_fill(self, security, fill)
            else:
                self.process_fill(security, fill)

    def process_fill(self, security: Security, fill: OrderEvent) -> None:
        """Book one fill: fee, funds, profit of what it closes, average price (SecurityPortfolioModel.ProcessFill)."""
        holding = security.holdings
        held = holding.quantity
        filled = fill.fill_quantity
        average = holding.average_price
        price = fill.fill_price
        value = filled * price * security.multiplier
        holding.total_sale_volume += abs(value)
        fee = fill.order_fee.value.amount
        if fee:
            holding.total_fees += fee
            self._usd.amount -= fee
        self._usd.amount -= value
        if held and (held > 0) != (filled > 0) and filled:
            closed = min(abs(filled), abs(held)) * (1 if held > 0 else -1)
            profit = (price - average) * closed * security.multiplier
            profit += self._cash_settlement(security, fill)
            holding.profit_closed += profit
            holding.last_trade_profit = profit
            self._transaction_record.append((security.clock.utc, profit - 2 * fee))
            left = held + filled
            if left and (left > 0) != (held > 0):
                average = price
            elif left == 0:
                average = 0.0
        elif held == 0:
            average = price
            left = filled
        else:
            left = held + filled
            average = (average * held + filled * price) / left if left else 0.0
        holding.set_holdings(average, left)

    def _cash_settlement(self, security: Security, fill: OrderEvent) -> float:
        """Dollars that a cash-settled exercise brings (OptionPortfolioModel.ProcessCloseTradeProfit)."""
        if (not isinstance(security, Option) or fill.ticket is None
                or fill.ticket.order_type != OrderType.OPTION_EXERCISE
                or security.exercise_settlement != SettlementType.CASH):
            return 0.0
        amount = (-security.get_intrinsic_value(security.underlying.close) * security.contract_unit_of_trade
                  * fill.ticket.quantity)
        self._usd.amount += amount
        return amount

    # -- the dictionary of holdings -------------------------------------------------------------------------------

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    def __getitem__(self, symbol: Symbol | str) -> SecurityHolding:
        return self.securities[symbol].holdings

    def contains_key(self, symbol: Symbol | str) -> bool:
        """Whether the symbol is subscribed."""
        return self.securities.contains_key(symbol)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.securities

    def __len__(self) -> int:
        return len(self.securities)

    @property
    def count(self) -> int:
        return len(self.securities)

    @property
    def keys(self) -> Any:
        return self.securities.keys

    @property
    def values(self) -> Any:
        return self.securities.values.__class__(s.holdings for s in self.securities.values)

    def items(self) -> list[tuple[Symbol, SecurityHolding]]:
        """Pairs of symbol and holding."""
        return [(symbol, security.holdings) for symbol, security in self.securities.items()]

    def get(self, symbol: Symbol | str, default: SecurityHolding | None = None) -> SecurityHolding | None:
        """The holding of a symbol, or the default."""
        found = self.securities.get(symbol)
        return default if found is None else found.holdings

    def __iter__(self) -> Iterator[KeyValuePair[SecurityHolding]]:
        for symbol, security in self.securities.items():
            yield KeyValuePair(symbol, security.holdings)

    def set_cash(self, amount: float) -> None:
        """Replace the cash."""
        self.version += 1
        self._usd.set_amount(amount)
