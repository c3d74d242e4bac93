"""The simulated brokerage (Brokerages/Backtesting/BacktestingBrokerage.cs).

LEAN asks margin and fill model for every pending order at every scan, several times a time step. With LEAN's own models
the answer cannot change while clock, account and order stay as they are: such an order is skipped (`_Pending.key`), and
so is a plain limit or stop order whose price the last bar does not reach and that only reduces a position.
Orders with a Python fill model are asked every time, as on LEAN.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.engine.brokerages.default import DefaultBrokerageModel
from workbench.engine.enums import OrderType, SecurityType
from workbench.engine.fills import EquityFillModel, FillModel, ImmediateFillModel
from workbench.engine.fills.model import FillModelParameters, OrderSecurityPairs
from workbench.engine.orders import (
    CANCEL_PENDING,
    CANCELED,
    FILLED,
    INVALID,
    NEW,
    SUBMITTED,
    UPDATE_SUBMITTED,
    Order,
    OrderEvent,
    OrderFee,
    is_closed,
)

from workbench.engine.time_in_force import TimeInForce

if TYPE_CHECKING:
    from workbench.engine.clock import Clock
    from workbench.engine.handler import BrokerageTransactionHandler
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security, SecurityManager

_AT_ONCE: Final = frozenset({OrderType.MARKET, OrderType.COMBO_MARKET, OrderType.OPTION_EXERCISE})
_OWN_MODELS: Final = frozenset({FillModel, ImmediateFillModel, EquityFillModel})
# Types whose evaluation changes nothing unless it fills (a trailing stop, say, moves when it is looked at).
_STEADY: Final = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.MARKET_ON_OPEN,
                            OrderType.MARKET_ON_CLOSE})
_PLAIN: Final = frozenset({OrderType.LIMIT, OrderType.STOP_MARKET})
_EXPIRED: Final = "The order has expired."


class BrokerageHost(Protocol):
    """What the brokerage needs from the running engine."""

    clock: Clock
    securities: SecurityManager
    portfolio: SecurityPortfolioManager
    brokerage_model: Any
    handler: BrokerageTransactionHandler
    expiry: Any

    @property
    def stale_price_time_span(self) -> timedelta:
        """Age at which a price counts as stale."""

    def error(self, message: str) -> None:
        """Log an error for the algorithm."""


class _Pending:
    """A pending order, what is known of it, and the state of the world at which it was last found unfillable."""

    __slots__ = ("key", "order", "plain", "security", "steady")

    def __init__(self, order: Order, security: Security | None, brokerage_model: Any) -> None:
        self.order = order
        self.security = security
        self.key: tuple[int, int, int] | None = None
        own_model = security is not None and type(security.fill_model) in _OWN_MODELS
        own_rules = type(brokerage_model).can_execute_order is DefaultBrokerageModel.can_execute_order
        self.steady = own_model and own_rules and order.type in _STEADY
        self.plain = (self.steady and order.type in _PLAIN and order.group_order_manager is None
                      and security is not None and security.type is SecurityType.EQUITY
                      and type(security.fill_model) is EquityFillModel
                      and order.properties.time_in_force is TimeInForce.GOOD_TIL_CANCELED)


class BacktestingBrokerage:
    """Keeps pending orders and fills them from the last bars."""

    def __init__(self, host: BrokerageHost) -> None:
        self._host = host
        self._clock = host.clock
        self._pending: dict[int, _Pending] = {}
        self._orders: dict[int, Order] = {}
        self._needs_scan = False
        self._revision = 0
        self._quiet: tuple[int, int, int] | None = None
        self._next_assignment = datetime.min.replace(tzinfo=UTC)
        self._range = (0.0, inf)
        self._range_version = -1
        self._range_security: Security | None = None

    def place_order(self, order: Order) -> bool:
        """Take a new order and say so."""
        if order.status is not NEW:
            return False
        self._keep(order)
        order.broker_id.append(str(order.id))
        event = OrderEvent(order, self._clock.utc)
        event.status = SUBMITTED
        self._host.handler.handle_events([event])
        return True

    def _keep(self, order: Order) -> None:
        self._needs_scan = True
        self._revision += 1
        host = self._host
        self._pending[order.id] = _Pending(order, host.securities.find(order.symbol), host.brokerage_model)
        self._orders[order.id] = order

    def _forget(self, order_id: int) -> bool:
        self._orders.pop(order_id, None)
        return self._pending.pop(order_id, None) is not None

    def update_order(self, order: Order) -> bool:
        """Take changed fields; False for an order that is not pending."""
        if order.id not in self._pending:
            return False
        self._keep(order)
        event = OrderEvent(order, self._clock.utc)
        event.status = UPDATE_SUBMITTED
        self._host.handler.handle_events([event])
        return True

    def cancel_order(self, order: Order) -> bool:
        """Cancel an order and, of a combo, every order of the group; False when one is not pending."""
        orders = self._group(order)
        if orders is None:
            return False
        done = True
        for one in orders:
            if not self._forget(one.id):
                done = False
            event = OrderEvent(one, self._clock.utc)
            event.status = CANCELED
            self._host.handler.handle_events([event])
        return done

    def _group(self, order: Order) -> list[Order] | None:
        """All pending orders of the order's group; None when one is missing."""
        if order.group_order_manager is None:
            return [order]
        known = self._orders
        if order.id not in known:
            known = {**known, order.id: order}
        return self._host.handler.group_of(order, known)

    def scan(self) -> None:
        """Try every pending order once, by id (BacktestingBrokerage.Scan)."""
        clock = self._clock
        utc = clock.utc
        if utc >= self._next_assignment:
            self._next_assignment = utc.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            if self._host.expiry is not None:
                self._host.expiry.process_assignments()
        if not self._needs_scan:
            return
        portfolio = self._host.portfolio
        state = (clock.version, portfolio.version, self._revision)
        if state == self._quiet:
            return
        pending = self._pending
        still = False
        quiet = True
        for order_id in sorted(pending) if len(pending) > 1 else tuple(pending):
            entry = pending.get(order_id)
            if entry is None:
                # Ended meanwhile, by a call from inside an event. LEAN iterates a snapshot and skips closed orders.
                continue
            order = entry.order
            if is_closed(order.status):
                self._forget(order_id)
                continue
            if order.time == utc and order.type not in _AT_ONCE:
                still = True
                continue
            if entry.steady:
                state = (clock.version, portfolio.version, self._revision)
                if entry.key == state or (entry.plain and self._unreachable(entry)):
                    still = True
                    continue
                still = self._try(entry) or still
                if state == (clock.version, portfolio.version, self._revision):
                    entry.key = state
            else:
                quiet = False
                still = self._try(entry) or still
        self._needs_scan = still or bool(pending)
        if quiet and state == (clock.version, portfolio.version, self._revision):
            self._quiet = state

    def _unreachable(self, entry: _Pending) -> bool:
        """Whether a resting stock order neither fills on the last bar nor needs margin."""
        security = entry.security
        assert security is not None
        portfolio = self._host.portfolio
        order = entry.order
        quantity = order.quantity
        held = security.holdings.quantity
        if portfolio.option_count or held * quantity >= 0 or abs(held) < abs(quantity):
            return False
        low, high = self._range_of(security)
        if order.type is OrderType.LIMIT:
            return low >= order.limit_price if quantity > 0 else high <= order.limit_price
        return high < order.stop_price if quantity > 0 else low > order.stop_price

    def _range_of(self, security: Security) -> tuple[float, float]:
        """Low and high of the last trade bar; everything, when there is none."""
        if self._range_version != self._clock.version or self._range_security is not security:
            bar = security.cache.trade_bar()
            self._range = (0.0, inf) if bar is None else (bar.low, bar.high)
            self._range_version = self._clock.version
            self._range_security = security
        return self._range

    def _try(self, entry: _Pending) -> bool:
        """Fill an order if its time has come; True when it must be looked at again."""
        host = self._host
        order = entry.order
        orders = self._group(order)
        if orders is None:
            return True
        pairs: list[tuple[Order, Security]] = []
        for one in orders:
            security = host.securities.find(one.symbol)
            if security is None:
                self._remove(orders, INVALID)
                return False
            pairs.append((one, security))
        if not self._may_execute(pairs, orders):
            return True
        try:
            enough, reason = host.portfolio.has_sufficient_buying_power_for_orders(orders)
        except Exception as error:
            self._remove(orders, INVALID, str(error))
            ids = ",".join(str(o.id) for o in orders)
            host.error(f"Order Error: ids: [{ids}], Error executing margin models: {error}")
            return False
        if not enough:
            if order.status is not CANCEL_PENDING:
                message = host.handler.buying_power_message(orders, reason)
                self._remove(orders, INVALID, message)
                host.error(message)
            return False
        fills = self._fills(order, pairs)
        if not fills:
            return False
        self._emit(orders, fills)
        if all(is_closed(fill.status) for fill in fills):
            for one in orders:
                self._forget(one.id)
            return False
        return True

    def _fills(self, order: Order, pairs: list[tuple[Order, Security]]) -> list[OrderEvent]:
        """Ask the fill model of the group's first order, then the fee models; an exception leaves the order pending."""
        host = self._host
        security = next(s for o, s in pairs if o is order)
        fills: list[OrderEvent] = []
        try:
            if order.type is OrderType.OPTION_EXERCISE:
                fills.extend(security.option_exercise_model.option_exercise(security, order))
            else:
                parameters = FillModelParameters(security, order, host.stale_price_time_span,
                                                 OrderSecurityPairs(pairs), _unchanged)
                found = list(security.fill_model.fill(parameters))
                valid = order.properties.time_in_force.is_fill_valid
                if all(valid(security, order, event) for event in found):
                    fills.extend(found)
            for event in fills:
                if event.status is FILLED and event.order_fee.value.amount == 0:
                    leg, its_security = next(pair for pair in pairs if pair[0].id == event.order_id)
                    event.order_fee = order_fee(its_security, leg)
        except Exception as error:
            host.error(f"Order Error: id: {order.id}, Transaction model failed to fill for order type: "
                       f"{order.type.name.title().replace('_', '')} with error: {error}")
        return fills

    def _emit(self, orders: list[Order], fills: list[OrderEvent]) -> None:
        """Hand on the events that change something, all of the group in one batch."""
        events: list[OrderEvent] = []
        assigned: list[tuple[Order, OrderEvent]] = []
        for order in orders:
            for event in fills:
                if event.order_id != order.id:
                    continue
                if order.status is not event.status or event.fill_quantity != 0:
                    order.status = event.status
                    events.append(event)
                if event.is_assignment:
                    assigned.append((order, event))
        if events:
            self._host.handler.handle_events(events)
        for order, event in assigned:
            event.message = order.tag
            self._host.expiry.position_assigned(event)

    def _may_execute(self, pairs: list[tuple[Order, Security]], orders: list[Order]) -> bool:
        """Cheap checks before margin is looked at (TryOrderPreChecks)."""
        host = self._host
        for order, security in pairs:
            if order.type is OrderType.MARKET_ON_OPEN:
                bar = security.get_last_data()
                if bar is None or security.exchange.to_local(order.time) >= bar.end_time:
                    return False
            if order.properties.time_in_force.is_order_expired(security, order):
                self._remove(orders, CANCELED, _EXPIRED)
                return False
            if not host.brokerage_model.can_execute_order(security, order):
                return False
        return True

    def _remove(self, orders: list[Order], status: Any, message: str = "") -> None:
        """End all orders of a group with one batch of events."""
        events = []
        for order in orders:
            event = OrderEvent(order, self._clock.utc, message=message)
            event.status = status
            events.append(event)
            self._forget(order.id)
        self._host.handler.handle_events(events)


def _unchanged(order: Order) -> None:
    """The pending order is the order itself: what a fill model changes needs no further step."""


def order_fee(security: Security, order: Order) -> OrderFee:
    """The fee of a complete fill by the security's fee model."""
    from workbench.engine.fees import OrderFeeParameters
    fee: OrderFee = security.fee_model.get_order_fee(OrderFeeParameters(security, order))
    return fee
