"""The end of option contracts: expiry, exercise, assignment, cash settlement.

Source: LEAN Brokerages/Backtesting/BacktestingBrokerage.cs (ProcessDelistings, ProcessAssignmentOrders),
Engine/TransactionHandlers/BrokerageTransactionHandler.cs (HandleOptionNotification, EmitOptionNotificationEvents),
Common/Orders/OptionExercise/DefaultExerciseModel.cs, Common/Securities/Option/ (DefaultOptionAssignmentModel,
OptionPortfolioModel, OptionSymbol).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from workbench.engine.enums import (
    DelistingType,
    OptionRight,
    OptionStyle,
    OrderDirection,
    OrderType,
    SecurityType,
    SettlementType,
)
from workbench.engine.exceptions import unsupported
from workbench.engine.fees import OrderFeeParameters
from workbench.engine.net_decimal import NetDecimal
from workbench.engine.order_types import MarketOrder, OptionExerciseOrder
from workbench.engine.orders import FILLED, Order, OrderEvent, OrderSubmissionData

if TYPE_CHECKING:
    from workbench.engine.bars import Delisting
    from workbench.engine.clock import Clock
    from workbench.engine.handler import BrokerageTransactionHandler
    from workbench.engine.options import Option
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security
    from workbench.engine.security_manager import SecurityManager
    from workbench.engine.symbols import Symbol
    from workbench.engine.transactions import SecurityTransactionManager

_OPTIONS = frozenset({SecurityType.OPTION, SecurityType.INDEX_OPTION})
_ONE_DAY = timedelta(days=1)


class ExpiryHost(Protocol):
    """What the end of contracts needs from the running engine."""

    clock: Clock
    securities: SecurityManager
    transactions: SecurityTransactionManager
    handler: BrokerageTransactionHandler

    @property
    def is_warming_up(self) -> bool:
        """Whether the run is still before its start."""

    def assignment(self, event: OrderEvent) -> None:
        """Tell the algorithm of an assignment (`on_assignment_order_event`)."""


# -- models -----------------------------------------------------------------------------------------------------------


class DefaultExerciseModel:
    """Ends a contract: the option goes at price 0; in the money shares are delivered at the strike."""

    def option_exercise(self, option: Option, order: Order) -> Iterator[OrderEvent]:
        """Yield the event of the option and, with physical delivery in the money, that of the shares."""
        under = option.underlying
        utc = option.clock.utc
        in_the_money = option.is_auto_exercised(under.close)
        assigned = in_the_money and option.holdings.is_short
        action = "Assigned" if assigned else "Automatic Exercise"
        event = OrderEvent(order, utc)
        event.status = FILLED
        event.fill_quantity = order.quantity
        event.is_assignment = assigned
        event.is_in_the_money = in_the_money
        event.message = f"{action if in_the_money else 'OTM'}. Underlying: {price_of(under)}"
        yield event
        if in_the_money and option.exercise_settlement == SettlementType.PHYSICAL_DELIVERY:
            quantity = option.get_exercise_quantity(order.quantity)
            delivery = OrderEvent(order, utc)
            delivery.symbol = under.symbol
            delivery.status = FILLED
            delivery.direction = OrderDirection.BUY if quantity > 0 else OrderDirection.SELL
            delivery.fill_quantity = quantity
            delivery.fill_price = option.strike_price
            delivery.is_in_the_money = True
            delivery.message = "Option Assignment" if assigned else "Option Exercise"
            yield delivery


class OptionAssignmentParameters:
    """The short option of which an assignment model is asked."""

    __slots__ = ("option",)

    def __init__(self, option: Option) -> None:
        self.option = option


class OptionAssignmentResult:
    """How many contracts are assigned, and the tag of the order."""

    __slots__ = ("quantity", "tag")
    NULL: ClassVar[OptionAssignmentResult]

    def __init__(self, quantity: float, tag: str) -> None:
        self.quantity = quantity
        self.tag = tag


OptionAssignmentResult.NULL = OptionAssignmentResult(0.0, "")


class NullOptionAssignmentModel:
    """No assignment before expiry."""

    def get_assignment(self, parameters: OptionAssignmentParameters) -> OptionAssignmentResult:
        """Nothing is assigned."""
        return OptionAssignmentResult.NULL


class DefaultOptionAssignmentModel:
    """Assigns shorts deep in the money near their expiry when exercising pays the other side."""

    def __init__(self, required_in_the_money_percent: float = 0.05, prior_expiration: timedelta | None = None) -> None:
        self._depth = required_in_the_money_percent
        self._prior = timedelta(days=4) if prior_expiration is None else prior_expiration

    def get_assignment(self, parameters: OptionAssignmentParameters) -> OptionAssignmentResult:
        """All contracts, or none."""
        option = parameters.option
        if not (self._near(option) and self._deep(option)) or _advantage(option) <= 0:
            return OptionAssignmentResult.NULL
        return OptionAssignmentResult(
            option.holdings.absolute_quantity, "Simulated option assignment before expiration"
        )

    def _near(self, option: Option) -> bool:
        date, now = option.symbol.id.date, option.local_time
        if option.style == OptionStyle.AMERICAN:
            return date - now <= self._prior
        return date.date() == now.date()

    def _deep(self, option: Option) -> bool:
        price = option.underlying.close
        if price == 0:
            return False
        depth = (price - option.strike_price) / price
        return round(depth if option.right == OptionRight.CALL else -depth, 12) > self._depth


def _advantage(option: Option) -> float:
    """Dollars by which exercising beats selling for the holder of what we are short (EstimateArbitragePnL).

    As in LEAN the delivered shares are multiplied by the contract's unit twice.
    """
    holding, under, utc = option.holdings, option.underlying, option.clock.utc
    quantity = holding.quantity

    def fee(security: Security, order: Order) -> float:
        return float(security.fee_model.get_order_fee(OrderFeeParameters(security, order)).value.amount)

    sold = (option.bid_price - holding.average_price) * -quantity * option.multiplier
    sold -= fee(option, MarketOrder(option.symbol, -quantity, utc))
    price = under.bid_price if option.right == OptionRight.CALL else under.ask_price
    shares = option.get_exercise_quantity(quantity)
    exercised = (price - option.strike_price) * shares * option.contract_unit_of_trade
    exercised -= holding.average_price * abs(quantity) * option.multiplier
    exercised -= fee(option, OptionExerciseOrder(option.symbol, float(int(abs(quantity))), utc))
    if option.exercise_settlement == SettlementType.PHYSICAL_DELIVERY:
        exercised -= fee(under, MarketOrder(under.symbol, -shares, utc))
    return round(exercised - sold, 8)


class OptionPortfolioModel:
    """Books the fills of one contract; the event of an exercise says what the contract earned."""

    __slots__ = ("_fills",)

    def __init__(self) -> None:
        self._fills: list[tuple[float, float]] = []  # quantity and price of each fill since the position was opened

    def process_fill(self, portfolio: SecurityPortfolioManager, security: Security, fill: OrderEvent) -> None:
        """Book one fill."""
        if security.holdings.quantity == 0:
            self._fills.clear()
        if fill.ticket is None or fill.ticket.order_type != OrderType.OPTION_EXERCISE:
            self._fills.append((fill.fill_quantity, fill.fill_price))
            portfolio.process_fill(security, fill)
            return
        profit = self._settled_profit(cast("Option", security), fill)
        self._fills.append((fill.fill_quantity, fill.fill_price))
        portfolio.process_fill(security, fill)
        fill.message += f". Profit: +{profit}" if profit >= 0 else f". Loss: {profit}"

    def _settled_profit(self, option: Option, fill: OrderEvent) -> NetDecimal:
        """Profit of the contracts an exercise closes, with the decimals LEAN would show."""
        holding = option.holdings
        held, filled = holding.quantity, fill.fill_quantity
        if held == 0 or held * filled > 0:
            return NetDecimal(holding.last_trade_profit)
        closed = min(abs(held), abs(filled)) * (1 if held > 0 else -1)
        profit = NetDecimal(fill.fill_price) * closed * option.multiplier
        profit = profit - self._average(held, holding.average_price) * closed * option.multiplier
        if option.exercise_settlement == SettlementType.CASH:
            under = NetDecimal(option.underlying.close)
            gap = under - option.strike_price if option.right == OptionRight.CALL else option.strike_price - under
            cash = -gap * option.contract_unit_of_trade * fill.ticket.quantity if gap > 0 else NetDecimal(0)
            if cash:
                profit = cash + profit
        return profit

    def _average(self, held: float, average: float) -> NetDecimal:
        """The average price as LEAN's decimals made it, fill by fill; places of the quotients included."""
        quantity, price = 0.0, NetDecimal(0)
        for filled, at in self._fills:
            if quantity * filled > 0:
                price = (price * quantity + NetDecimal(filled) * at) / (quantity + filled)
            elif abs(filled) > abs(quantity):
                price = NetDecimal(at)
            quantity += filled
        known = quantity == held and abs(float(price) - average) < 1e-9
        return price if known else _average(average)


def _average(price: float) -> NetDecimal:
    """The decimal an average price stands for: a quotient where it is one."""
    exact = Fraction(price).limit_denominator(1_000_000)
    if abs(float(exact) - price) > 1e-12:
        return NetDecimal(price)
    return NetDecimal(exact.numerator) / exact.denominator


def price_of(security: Security) -> str:
    """A security's price as LEAN prints it: stock prices keep the decimals of their data."""
    price = security.price
    if security.type != SecurityType.EQUITY:
        return str(NetDecimal(price))
    places = next((config.price_decimals for config in security.subscriptions), 4)
    return f"{price:.{places}f}"


# -- the process ------------------------------------------------------------------------------------------------------


class Expiry:
    """Assigns shorts early, and ends contracts when their delisting arrives."""

    def __init__(self, host: ExpiryHost) -> None:
        self._host = host

    def process_assignments(self) -> None:
        """Ask the assignment model of each short option (once an hour)."""
        shorts = [s for s in self._host.securities.values if s.type in _OPTIONS and s.holdings.is_short]
        for option in sorted(shorts, key=lambda s: str(s.symbol.id.symbol)):
            result = option.option_assignment_model.get_assignment(OptionAssignmentParameters(option))
            if result is not None and result.quantity != 0:
                self.notify(option.symbol, result.tag)

    def process_delistings(self, delistings: Iterable[Delisting]) -> None:
        """End what is delisted, options first: exercise or let lapse, then cancel its open orders."""
        ended = [d for d in delistings if d.type == DelistingType.DELISTED]
        for delisting in sorted(ended, key=lambda d: d.symbol.security_type not in _OPTIONS):
            security = self._host.securities.find(delisting.symbol)
            if security is None:
                continue
            if security.type in _OPTIONS:
                self.notify(delisting.symbol, None)
            elif security.holdings.quantity:
                raise unsupported(f"the delisting of {delisting.symbol.value} while it is held")
            if not self._host.is_warming_up:
                self._host.transactions.cancel_open_orders(delisting.symbol)

    def notify(self, symbol: Symbol, tag: str | None) -> None:
        """The brokerage says that the position in an option is gone (HandleOptionNotification, position 0)."""
        host = self._host
        security = host.securities.find(symbol)
        if security is None or not security.holdings.quantity:
            return
        option = cast("Option", security)
        utc = host.clock.utc
        if option.holdings.is_long and not is_expired(option, utc):
            return  # an early exercise is an order of the algorithm's own
        order = OptionExerciseOrder(symbol, -option.holdings.quantity, utc, cast(Any, tag))
        order.order_submission_data = OrderSubmissionData(option.bid_price, option.ask_price, option.close)
        host.handler.add_open_order(order)
        for event in option.option_exercise_model.option_exercise(option, order):
            host.handler.handle_event(event)
            if event.is_assignment:
                if order.tag:
                    event.message = f"{event.message}. {order.tag}" if event.message else order.tag
                host.assignment(event)

    def position_assigned(self, event: OrderEvent) -> None:
        """Tell the algorithm of an assignment that came through an order."""
        self._host.assignment(event)


def is_expired(option: Option, utc: datetime) -> bool:
    """Whether the last close of a contract's last trading day has passed (OptionSymbol.IsOptionContractExpired)."""
    hours = option.exchange.hours
    date = option.symbol.id.date
    last = date if hours.is_date_open(date) else hours.get_previous_trading_day(date)
    end = min(hours.get_last_daily_market_close(last, False), date + _ONE_DAY)
    return bool(option.exchange.to_local(utc) >= end)
