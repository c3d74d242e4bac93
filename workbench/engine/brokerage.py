"""The simulated brokerage (Brokerages/Backtesting/BacktestingBrokerage.cs).

LEAN asks margin and fill model for every pending order at every scan, several times a time step. With LEAN's own models
the answer cannot change while clock, account and order stay as they are: such an order is skipped (`Pending.key`), and
so are stocks' limit and stop orders that the last bar does not reach and that only reduce a position (resting.py).
Orders with a Python fill model are asked every time, as on LEAN.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.engine.enums import OrderType
from workbench.engine.fees import OrderFeeParameters
from workbench.engine.fills.question import FillModelParameters, OrderSecurityPairs
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
    is_closed,
)
from workbench.engine.resting import Pending, RestingBook
from workbench.engine.time_in_force import TimeInForce

if TYPE_CHECKING:
    from workbench.engine.clock import Clock
    from workbench.engine.handler import BrokerageTransactionHandler
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security
    from workbench.engine.security_manager import SecurityManager

_AT_ONCE: Final = frozenset({OrderType.MARKET, OrderType.COMBO_MARKET, OrderType.OPTION_EXERCISE})
_GTC: Final = TimeInForce.GOOD_TIL_CANCELED
_EXPIRED: Final = "The order has expired."


class Brokerage(Protocol):
    """Who works the orders."""

    def place_order(self, order: Order) -> bool:
        """Take a new order."""

    def update_order(self, order: Order) -> bool:
        """Take an order's changed fields."""

    def cancel_order(self, order: Order) -> bool:
        """Cancel an order and what belongs to it."""

    def scan(self) -> None:
        """Fill what can be filled."""


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


class BacktestingBrokerage:
    """Keeps pending orders and fills them from the last bars."""

    def __init__(self, host: BrokerageHost) -> None:
        self._host = host
        self._clock = host.clock
        self._pending: dict[int, Pending] = {}
        self._orders: dict[int, Order] = {}
        self._needs_scan = False
        self._revision = 0
        self._quiet: tuple[int, int, int] | None = None
        self._next_assignment = datetime.min.replace(tzinfo=UTC)
        self._books: dict[Security, RestingBook] = {}
        self._outside: dict[int, Pending] = {}
        self._fresh: list[Pending] = []

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
        self._forget(order.id)
        self._needs_scan = True
        if order.time != self._clock.utc or order.type in _AT_ONCE:
            self._revision += 1  # an order that cannot fill at this moment does not ask for another look
        host = self._host
        entry = Pending(order, host.securities.find(order.symbol), host.brokerage_model)
        self._pending[order.id] = entry
        self._outside[order.id] = entry
        self._orders[order.id] = order
        if entry.plain:
            self._fresh.append(entry)

    def _forget(self, order_id: int) -> bool:
        self._orders.pop(order_id, None)
        entry = self._pending.pop(order_id, None)
        if entry is None:
            return False
        if self._outside.pop(order_id, None) is None and entry.security is not None:
            self._books[entry.security].remove(order_id)
        return True

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
        self._settle_fresh(utc)
        pending = self._pending
        ids = self._to_scan()
        version = portfolio.version
        own = True
        for position, order_id in enumerate(ids):
            entry = pending.get(order_id)
            if entry is None:
                # Ended meanwhile, by a call from inside an event. LEAN iterates a snapshot and skips closed orders.
                continue
            order = entry.order
            if is_closed(order.status):
                self._forget(order_id)
                continue
            if order.time == utc and order.type not in _AT_ONCE:
                continue
            if entry.steady:
                state = (clock.version, portfolio.version, self._revision)
                if entry.key == state:
                    continue
                self._try(entry)
                if state == (clock.version, portfolio.version, self._revision):
                    entry.key = state
            else:
                own = False
                self._try(entry)
            if portfolio.version != version:
                # The account has changed: orders that were left out may need margin now.
                version = portfolio.version
                ids[position + 1:] = self._after_change(ids, position)
        self._needs_scan = bool(pending)
        now = (clock.version, portfolio.version, self._revision)
        if own and (state == now or self._nothing_left(utc)):
            self._quiet = now

    def _settle_fresh(self, utc: datetime) -> None:
        """Orders sent before this moment join the resting books."""
        if not self._fresh:
            return
        stay = []
        for entry in self._fresh:
            order_id = entry.order.id
            security = entry.security
            if self._pending.get(order_id) is not entry or security is None:
                continue
            if entry.order.time == utc:
                stay.append(entry)
                continue
            book = self._books.get(security)
            if book is None:
                book = self._books[security] = RestingBook(security)
            book.add(entry)
            del self._outside[order_id]
        self._fresh = stay

    def _to_scan(self) -> list[int]:
        """Ids to look at: orders outside the resting books, and those of the books that are due."""
        ids = list(self._outside)
        options = self._host.portfolio.option_count
        for book in self._books.values():
            if book.entries:
                ids += book.entries if options else book.due()
        ids.sort()
        return ids

    def _after_change(self, ids: list[int], position: int) -> list[int]:
        """What is left to scan once the account has changed in mid-scan."""
        rest = ids[position + 1:]
        options = self._host.portfolio.option_count
        for book in self._books.values():
            if book.entries and (options or not book.only_reduces()):
                rest = sorted({*rest, *(i for i in book.entries if i > ids[position])})
        return rest

    def _nothing_left(self, utc: datetime) -> bool:
        """Whether another scan at this moment would find nothing to do."""
        if self._host.portfolio.option_count:
            return not self._pending
        return (all(e.order.time == utc and e.order.type not in _AT_ONCE for e in self._outside.values())
                and all(not book.entries or (book.only_reduces() and book.is_out_of_reach())
                        for book in self._books.values()))

    def _try(self, entry: Pending) -> None:
        """Fill an order if its time has come."""
        host = self._host
        order = entry.order
        orders = self._group(order)
        if orders is None:
            return
        pairs: list[tuple[Order, Security]] = []
        for one in orders:
            security = entry.security if one is order else host.securities.find(one.symbol)
            if security is None:
                self._remove(orders, INVALID)
                return
            pairs.append((one, security))
        if not self._may_execute(pairs, orders):
            return
        portfolio = host.portfolio
        try:
            if host.handler.affordable == (orders[0].id, portfolio.version, self._clock.version):
                enough, reason = True, ""
            else:
                enough, reason = portfolio.has_sufficient_buying_power_for_orders(orders)
        except Exception as error:
            self._remove(orders, INVALID, str(error))
            ids = ",".join(str(o.id) for o in orders)
            host.error(f"Order Error: ids: [{ids}], Error executing margin models: {error}")
            return
        if not enough:
            if order.status is not CANCEL_PENDING:
                message = host.handler.buying_power_message(orders, reason)
                self._remove(orders, INVALID, message)
                host.error(message)
            return
        fills = self._fills(order, pairs)
        if not fills:
            return
        self._emit(orders, fills)
        if all(is_closed(fill.status) for fill in fills):
            for one in orders:
                self._forget(one.id)

    def _fills(self, order: Order, pairs: list[tuple[Order, Security]]) -> list[OrderEvent]:
        """Ask the fill model of the group's first order, then the fee models; an exception leaves the order pending."""
        host = self._host
        security = _pair_of(pairs, order.id)[1]
        fills: list[OrderEvent] = []
        try:
            if order.type is OrderType.OPTION_EXERCISE:
                fills.extend(security.option_exercise_model.option_exercise(security, order))
            else:
                parameters = FillModelParameters(security, order, host.stale_price_time_span,
                                                 OrderSecurityPairs(pairs), _unchanged)
                found = list(security.fill_model.fill(parameters))
                valid = order.properties.time_in_force.is_fill_valid
                if order.properties.time_in_force is _GTC or all(valid(security, order, e) for e in found):
                    fills.extend(found)
            for event in fills:
                if event.status is FILLED and event.order_fee.value.amount == 0:
                    leg, its_security = _pair_of(pairs, event.order_id)
                    event.order_fee = its_security.fee_model.get_order_fee(OrderFeeParameters(its_security, leg))
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
            time_in_force = order.properties.time_in_force
            if time_in_force is not _GTC and time_in_force.is_order_expired(security, order):
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


def _pair_of(pairs: list[tuple[Order, Security]], order_id: int) -> tuple[Order, Security]:
    for pair in pairs:
        if pair[0].id == order_id:
            return pair
    raise KeyError(f"an event names order {order_id}, which is not among {[o.id for o, _ in pairs]}")
