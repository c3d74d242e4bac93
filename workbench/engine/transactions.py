"""The algorithm's door to the order handler (Common/Securities/SecurityTransactionManager.cs)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from workbench.engine.clock import Clock
from workbench.engine.exceptions import InvalidOperationException
from workbench.engine.members import lean_class
from workbench.engine.requests import (
    CancelOrderRequest,
    OrderRequest,
    OrderResponse,
    SubmitOrderRequest,
    UpdateOrderRequest,
)
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.tickets import OrderTicket


class OrderProcessor(Protocol):
    """Who handles requests: the backtest's handler, or a live one."""

    @property
    def orders_count(self) -> int:
        """Orders taken so far."""

    def process(self, request: OrderRequest) -> OrderTicket:
        """Take a request."""

    def open_tickets(self) -> list[OrderTicket]:
        """Tickets of open orders, by id."""

    def all_tickets(self) -> list[OrderTicket]:
        """Tickets of all orders, by id."""

    def ticket(self, order_id: int) -> OrderTicket | None:
        """The ticket of an order."""

    def open_orders(self) -> list[Order]:
        """Open orders, by id."""

    def all_orders(self) -> list[Order]:
        """All processed orders, by id."""

    def order(self, order_id: int) -> Order | None:
        """A processed order."""


class ProjectedHoldings:
    """Holdings if every open order filled."""

    def __init__(self, holdings_quantity: float, open_orders_quantity: float) -> None:
        self.holdings_quantity = holdings_quantity
        self.open_orders_quantity = open_orders_quantity
        self.projected_quantity = holdings_quantity + open_orders_quantity


def _ticket_filter(chosen: Any) -> Callable[[OrderTicket], bool]:
    if chosen is None:
        return lambda _: True
    if isinstance(chosen, Symbol):
        return lambda ticket: ticket.symbol == chosen
    if callable(chosen):
        return lambda ticket: bool(chosen(ticket))
    return lambda ticket: ticket.symbol == chosen


@lean_class("SecurityTransactionManager")
class SecurityTransactionManager:
    """Numbers requests, passes them on, and answers questions about orders."""

    def __init__(self, clock: Clock, is_warming_up: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_warming_up = is_warming_up
        self._order_id = 0
        self._group_id = 0
        self.processor: OrderProcessor | None = None
        self.market_order_fill_timeout = timedelta(0)

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def utc_time(self) -> datetime:
        return self._clock.utc

    @property
    def last_order_id(self) -> int:
        return self._order_id

    @property
    def orders_count(self) -> int:
        return 0 if self.processor is None else self.processor.orders_count

    def get_increment_order_id(self) -> int:
        """The next order number."""
        self._order_id += 1
        return self._order_id

    def get_increment_group_order_manager_id(self) -> int:
        """The next combo number."""
        self._group_id += 1
        return self._group_id

    # -- requests -------------------------------------------------------------------------------------------------

    def process_request(self, request: OrderRequest) -> OrderTicket:
        """Hand a request to the handler; raises while the algorithm warms up (SecurityTransactionManager.cs:190)."""
        if self._is_warming_up() or self.processor is None:
            raise Exception(str(OrderResponse.warming_up(request)))  # LEAN raises System.Exception
        if isinstance(request, SubmitOrderRequest) and request.order_id < 1:
            request.order_id = self.get_increment_order_id()
            if request.group_order_manager is not None:
                request.group_order_manager.order_ids.append(request.order_id)
        return self.processor.process(request)

    def add_order(self, request: SubmitOrderRequest) -> OrderTicket:
        """Send a new order."""
        return self.process_request(request)

    def update_order(self, request: UpdateOrderRequest) -> OrderTicket:
        """Send a change."""
        return self.process_request(request)

    def cancel_order(self, order_id: int, order_tag: str | None = None) -> OrderTicket:
        """Cancel by number; without a tag the order's tag is erased, as on LEAN."""
        return self.process_request(CancelOrderRequest(self.utc_time, order_id, order_tag or ""))

    def remove_order(self, order_id: int, tag: str | None = None) -> OrderTicket:
        """Another name of `cancel_order`."""
        return self.cancel_order(order_id, tag)

    def cancel_open_orders(self, symbol: Symbol | None = None, tag: str | None = None) -> list[OrderTicket]:
        """Cancel every open order, or those of one symbol."""
        if self._is_warming_up():
            raise InvalidOperationException(
                "This operation is not allowed in initialize or during warm up: CancelOpenOrders. Please move this "
                "code to the on_warmup_finished() method.")
        text = f"Canceled by CancelOpenOrders() at {self.utc_time:%Y-%m-%dT%H:%M:%S.%f}0Z" if symbol is None else tag
        chosen = self.get_open_order_tickets(symbol)
        for ticket in chosen:
            ticket.cancel(text)
        return chosen

    # -- questions ------------------------------------------------------------------------------------------------

    def get_open_orders(self, filter: Any = None) -> list[Order]:
        """Copies of the open orders; `filter` is a symbol or a function."""
        orders: Iterable[Order] = () if self.processor is None else self.processor.open_orders()
        if filter is None:
            return [order.clone() for order in orders]
        if callable(filter) and not isinstance(filter, Symbol):
            return [copy for copy in (order.clone() for order in orders) if filter(copy)]
        return [order.clone() for order in orders if order.symbol == filter]

    def get_orders(self, filter: Any = None) -> list[Order]:
        """Copies of all orders; `filter` is a function."""
        orders: Iterable[Order] = () if self.processor is None else self.processor.all_orders()
        return [copy for copy in (order.clone() for order in orders) if filter is None or filter(copy)]

    def get_order_by_id(self, order_id: int) -> Order | None:
        """A copy of one order."""
        order = None if self.processor is None else self.processor.order(int(order_id))
        return None if order is None else order.clone()

    def get_orders_by_brokerage_id(self, brokerage_id: str) -> list[Order]:
        """Copies of the orders that carry a broker's id."""
        return self.get_orders(lambda order: brokerage_id in order.broker_id)

    def get_open_order_tickets(self, filter: Any = None) -> list[OrderTicket]:
        """Tickets of open orders; `filter` is a symbol or a function."""
        tickets = [] if self.processor is None else self.processor.open_tickets()
        if filter is None:
            return tickets
        wanted = _ticket_filter(filter)
        return [ticket for ticket in tickets if wanted(ticket)]

    def get_order_tickets(self, filter: Any = None) -> list[OrderTicket]:
        """Tickets of all orders; `filter` is a symbol or a function."""
        tickets = [] if self.processor is None else self.processor.all_tickets()
        if filter is None:
            return tickets
        wanted = _ticket_filter(filter)
        return [ticket for ticket in tickets if wanted(ticket)]

    def get_order_ticket(self, order_id: int) -> OrderTicket | None:
        """The ticket of one order."""
        return None if self.processor is None else self.processor.ticket(int(order_id))

    def get_open_orders_remaining_quantity(self, filter: Any = None) -> float:
        """Signed sum of what open orders may still fill."""
        return sum(ticket.quantity_remaining for ticket in self.get_open_order_tickets(filter))

    def get_projected_holdings(self, security: Any) -> ProjectedHoldings:
        """Holdings if every open order of the security filled."""
        return ProjectedHoldings(security.holdings.quantity,
                                 self.get_open_orders_remaining_quantity(security.symbol))

    def wait_for_order(self, order_id: int) -> bool:
        """Whether the order has ended; a backtest never waits."""
        ticket = self.get_order_ticket(order_id)
        return ticket is not None and ticket.status.is_closed()
