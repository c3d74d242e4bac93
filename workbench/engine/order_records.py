"""Orders and tickets of a run, and how an event changes them (BrokerageTransactionHandler.HandleOrderEvents)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from workbench.engine.enums import OrderStatus, OrderType
from workbench.engine.orders import (
    CANCEL_PENDING,
    CANCELED,
    FILLED,
    INVALID,
    NO_STATUS,
    PARTIALLY_FILLED,
    SUBMITTED,
    UPDATE_SUBMITTED,
    Order,
    OrderEvent,
    is_closed,
)
from workbench.engine.tickets import OrderTicket

if TYPE_CHECKING:
    from workbench.engine.clock import Clock
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security
    from workbench.engine.security_manager import SecurityManager
    from workbench.engine.transactions import SecurityTransactionManager


class HandlerHost(Protocol):
    """What the handler needs from the running engine."""

    clock: Clock
    securities: SecurityManager
    portfolio: SecurityPortfolioManager
    transactions: SecurityTransactionManager
    brokerage_model: Any
    execution_model: Any

    @property
    def is_warming_up(self) -> bool:
        """Whether orders are refused."""

    def error(self, message: str) -> None:
        """Log an error for the algorithm."""

    def order_event(self, event: OrderEvent) -> bool | None:
        """Record an event and deliver it to the algorithm; False drops the rest of the batch."""


class OpenOrder:
    """An order that can still change, with its ticket and security."""

    __slots__ = ("order", "security", "ticket")

    def __init__(self, order: Order, ticket: OrderTicket, security: Security) -> None:
        self.order = order
        self.ticket = ticket
        self.security = security


class OrderRecords:
    """Open and ended orders with their tickets."""

    def __init__(self, host: HandlerHost) -> None:
        self._host = host
        self._clock = host.clock
        self._open: dict[int, OpenOrder] = {}
        self._orders: dict[int, Order] = {}
        self._tickets: dict[int, OrderTicket] = {}
        self._before_cancel: dict[int, OrderStatus] = {}
        self.orders_count = 0

    # -- questions ------------------------------------------------------------------------------------------------

    def open_tickets(self) -> list[OrderTicket]:
        """Tickets of open orders, by id."""
        return [entry.ticket for entry in self._open.values()]

    def all_tickets(self) -> list[OrderTicket]:
        """Tickets of all orders, by id."""
        return list(self._tickets.values())

    def ticket(self, order_id: int) -> OrderTicket | None:
        """The ticket of an order."""
        return self._tickets.get(order_id)

    def open_orders(self) -> list[Order]:
        """Open orders, by id."""
        return [entry.order for entry in self._open.values()]

    def all_orders(self) -> list[Order]:
        """All orders that were processed, by id."""
        return list(self._orders.values())

    def order(self, order_id: int) -> Order | None:
        """A processed order."""
        return self._orders.get(order_id)

    def _find(self, order_id: int) -> OpenOrder | None:
        entry = self._open.get(order_id)
        if entry is None:
            order, ticket = self._orders.get(order_id), self._tickets.get(order_id)
            if order is not None and ticket is not None:
                security = self._host.securities.find(order.symbol)
                return OpenOrder(order, ticket, security)  # type: ignore[arg-type]  # may be gone with its contract
        return entry

    # -- events ---------------------------------------------------------------------------------------------------

    def handle_event(self, event: OrderEvent) -> None:
        """Apply one event and deliver it."""
        self.handle_events([event])

    def handle_events(self, events: list[OrderEvent]) -> None:
        """Apply a batch: fills of all first, then tickets, then the algorithm, event by event (BTH:1167-1380)."""
        host = self._host
        utc = self._clock.utc
        fills = []
        for event in events:
            status = event.status
            entry = self._open.pop(event.order_id, None) if is_closed(status) else None
            if entry is None:
                entry = self._find(event.order_id)
                if entry is None:
                    return
            order = entry.order
            self._orders[order.id] = order
            event.ticket = entry.ticket
            if self._before_cancel:
                self._track_cancel(order.id, status)
            if status is not INVALID or (order.status is not FILLED and order.status is not CANCELED):
                order.status = status
            order.next_event_id += 1
            event.id = order.next_event_id
            if status is FILLED or status is PARTIALLY_FILLED:
                order.last_fill_time = utc
                fills.append(event)
            elif status is CANCELED:
                order.canceled_time = utc
            elif (status is UPDATE_SUBMITTED or status is SUBMITTED) and entry.ticket._updates:
                order.last_update_time = utc
            event.quantity = order.quantity
            _copy_prices(event, order)
        if fills:
            host.portfolio.process_fills(fills)
        for event in events:
            event.ticket.add_order_event(event)
        for event in events:
            if event.status is not NO_STATUS and host.order_event(event) is False:
                return

    def _track_cancel(self, order_id: int, status: OrderStatus) -> None:
        if order_id in self._before_cancel:
            if is_closed(status):
                del self._before_cancel[order_id]
            elif status is not CANCEL_PENDING:
                self._before_cancel[order_id] = status


def _copy_prices(event: OrderEvent, order: Order) -> None:
    """The order's current prices, so that an event shows them."""
    kind = order.type
    if kind is OrderType.MARKET:
        return
    if kind is OrderType.LIMIT or kind is OrderType.COMBO_LEG_LIMIT:
        event.limit_price = order.limit_price
    elif kind is OrderType.STOP_MARKET:
        event.stop_price = order.stop_price
    elif kind is OrderType.STOP_LIMIT:
        event.limit_price, event.stop_price = order.limit_price, order.stop_price
    elif kind is OrderType.TRAILING_STOP:
        event.stop_price, event.trailing_amount = order.stop_price, order.trailing_amount
    elif kind is OrderType.LIMIT_IF_TOUCHED:
        event.limit_price, event.trigger_price = order.limit_price, order.trigger_price
