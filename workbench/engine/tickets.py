"""The algorithm's handle on an order it sent (Common/Orders/OrderTicket.cs)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.enums import (
    OrderField,
    OrderRequestStatus,
    OrderResponseErrorCode,
    OrderStatus,
    OrderType,
    SecurityType,
)
from workbench.engine.exceptions import ArgumentException
from workbench.engine.members import lean_class
from workbench.engine.orders import INVALID, NEW, is_closed
from workbench.engine.requests import (
    CancelOrderRequest,
    OrderRequest,
    OrderResponse,
    SubmitOrderRequest,
    UpdateOrderFields,
    UpdateOrderRequest,
    csharp_name,
)

if TYPE_CHECKING:
    from workbench.engine.orders import Order, OrderEvent
    from workbench.engine.symbols import Symbol
    from workbench.engine.transactions import SecurityTransactionManager

_EXERCISE: Final = OrderType.OPTION_EXERCISE
_REQUEST_ERROR: Final = OrderRequestStatus.ERROR
_FIELDS: Final[dict[OrderField, tuple[str, frozenset[int]]]] = {
    OrderField.LIMIT_PRICE: ("limit_price", frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.COMBO_LIMIT,
                                                       OrderType.LIMIT_IF_TOUCHED, OrderType.COMBO_LEG_LIMIT})),
    OrderField.STOP_PRICE: ("stop_price", frozenset({OrderType.STOP_LIMIT, OrderType.STOP_MARKET,
                                                     OrderType.TRAILING_STOP})),
    OrderField.TRIGGER_PRICE: ("trigger_price", frozenset({OrderType.LIMIT_IF_TOUCHED})),
    OrderField.TRAILING_AMOUNT: ("trailing_amount", frozenset({OrderType.TRAILING_STOP})),
    OrderField.TRAILING_AS_PERCENTAGE: ("trailing_as_percentage", frozenset({OrderType.TRAILING_STOP})),
}


class _Handle:
    """Stands in for a .NET wait handle: nothing ever waits in a single-threaded run."""

    __slots__ = ("_is_set",)

    def __init__(self, is_set: bool) -> None:
        self._is_set = is_set

    def wait_one(self, timeout: object = None) -> bool:
        """Whether the handle is set."""
        return self._is_set


@lean_class("OrderTicket")
class OrderTicket:
    """Live view on one order: status, fills, changes and cancellation."""

    __slots__ = ("_average", "_cancel_request", "_events", "_filled", "_manager", "_override", "_updates", "_weighted",
                 "order", "submit_request")

    def __init__(self, manager: SecurityTransactionManager, request: SubmitOrderRequest,
                 override: OrderStatus | None = None) -> None:
        self._manager = manager
        self.submit_request = request
        self.order: Order | None = None
        self._override = override
        self._filled = 0.0
        self._average = 0.0
        self._weighted = 0.0
        self._events: list[OrderEvent] = []
        self._updates: list[UpdateOrderRequest] = []
        self._cancel_request: CancelOrderRequest | None = None

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def order_id(self) -> int:
        """LEAN's number of the order; -10 when it was refused before it was numbered."""
        return self.submit_request.order_id

    @property
    def status(self) -> OrderStatus:
        """Status of the order; NEW until the handler has taken it."""
        if self._override is not None:
            return self._override
        order = self.order
        return NEW if order is None else order.status

    @property
    def symbol(self) -> Symbol:
        return self.submit_request.symbol

    @property
    def security_type(self) -> SecurityType:
        return self.submit_request.security_type

    @property
    def order_type(self) -> OrderType:
        return self.submit_request.order_type

    @property
    def quantity(self) -> float:
        order = self.order
        return self.submit_request.quantity if order is None else order.quantity

    @property
    def quantity_filled(self) -> float:
        return self._filled

    @property
    def quantity_remaining(self) -> float:
        return self.quantity - self._filled

    @property
    def average_fill_price(self) -> float:
        return self._average

    @property
    def time(self) -> datetime:
        return self.get_most_recent_order_request().time

    @property
    def tag(self) -> str:
        order = self.order
        return (self.submit_request.tag or "") if order is None else order.tag

    @property
    def has_order(self) -> bool:
        return self.order is not None

    @property
    def order_events(self) -> list[OrderEvent]:
        return list(self._events)

    @property
    def update_requests(self) -> list[UpdateOrderRequest]:
        return list(self._updates)

    @property
    def cancel_request(self) -> CancelOrderRequest | None:
        return self._cancel_request

    @property
    def order_closed(self) -> _Handle:
        return _Handle(is_closed(self.status))

    @property
    def order_set(self) -> _Handle:
        return _Handle(self.order is not None)

    def get(self, field: OrderField) -> float:
        """A price field of the order; raises ArgumentException for one that the order type lacks."""
        name, kinds = _FIELDS[field]
        if self.order_type not in kinds:
            raise ArgumentException(f"Unable to get field {csharp_name(field.name)} on order of type "
                             f"{csharp_name(self.order_type.name)}")
        if self.order_type is OrderType.COMBO_LIMIT:
            manager = self.submit_request.group_order_manager
            return 0.0 if manager is None else manager.limit_price
        value: float = getattr(self.submit_request if self.order is None else self.order, name)
        return value

    def update(self, fields: UpdateOrderFields) -> OrderResponse:
        """Ask for a change; queued, done within the next processing of requests."""
        ticket = self._manager.update_order(UpdateOrderRequest(self._manager.utc_time, self.order_id, fields))
        return ticket._updates[-1].response

    def _update_one(self, name: str, value: float | None, tag: str | None) -> OrderResponse:
        fields = UpdateOrderFields()
        fields.tag = tag
        if value is not None:
            setattr(fields, name, value)
        return self.update(fields)

    def update_tag(self, tag: str) -> OrderResponse:
        """Change the tag; allowed on closed orders too."""
        return self._update_one("tag", None, tag)

    def update_quantity(self, quantity: float, tag: str | None = None) -> OrderResponse:
        """Change the size (of the whole group, for a combo)."""
        return self._update_one("quantity", quantity, tag)

    def update_limit_price(self, limit_price: float, tag: str | None = None) -> OrderResponse:
        """Change the limit."""
        return self._update_one("limit_price", limit_price, tag)

    def update_stop_price(self, stop_price: float, tag: str | None = None) -> OrderResponse:
        """Change the stop."""
        return self._update_one("stop_price", stop_price, tag)

    def update_trigger_price(self, trigger_price: float, tag: str | None = None) -> OrderResponse:
        """Change the trigger."""
        return self._update_one("trigger_price", trigger_price, tag)

    def update_stop_trailing_amount(self, trailing_amount: float, tag: str | None = None) -> OrderResponse:
        """Change the trailing distance."""
        return self._update_one("trailing_amount", trailing_amount, tag)

    def cancel(self, tag: str | None = None) -> OrderResponse:
        """Ask for cancellation: CANCEL_PENDING at once, the end when the request is processed (OrderTicket.Cancel)."""
        request = CancelOrderRequest(self._manager.utc_time, self.order_id, tag)
        if self._cancel_request is not None and self._cancel_request.status is not _REQUEST_ERROR:
            return OrderResponse.error(request, OrderResponseErrorCode.REQUEST_CANCELED,
                                       f"Order {self.order_id} has already received a cancellation request.")
        ticket = self._manager.process_request(request)
        answered = ticket._cancel_request
        return request.response if answered is None else answered.response

    def get_most_recent_order_response(self) -> OrderResponse:
        """The answer to the last request."""
        return self.get_most_recent_order_request().response

    def get_most_recent_order_request(self) -> OrderRequest:
        """The last request: cancel, else update, else submit."""
        if self._cancel_request is not None:
            return self._cancel_request
        return self._updates[-1] if self._updates else self.submit_request

    # -- for the handler ------------------------------------------------------------------------------------------

    def set_order(self, order: Order) -> None:
        """Bind the order."""
        self.order = order

    def add_update_request(self, request: UpdateOrderRequest) -> None:
        """Remember an update."""
        self._updates.append(request)

    def try_set_cancel_request(self, request: CancelOrderRequest) -> bool:
        """Remember a cancellation; False while an earlier one has not failed."""
        if self._cancel_request is not None and self._cancel_request.status is not _REQUEST_ERROR:
            return False
        self._cancel_request = request
        return True

    def add_order_event(self, event: OrderEvent) -> None:
        """Fold one event into the fill totals (OrderTicket.AddOrderEvent)."""
        self._events.append(event)
        order = self.order
        if not event.fill_quantity or order is None:
            return
        if order.type is not _EXERCISE:
            self._filled += event.fill_quantity
            self._weighted += abs(event.fill_quantity) * event.fill_price
            if self._filled:
                self._average = order.price = self._weighted / abs(self._filled)
        elif event.is_in_the_money:
            order.price = self.symbol.id.strike_price
            if event.fill_price != 0:
                self._filled += event.fill_quantity
                self._average = order.price

    def __str__(self) -> str:
        return f"{self.order_id}: {self.order if self.order is not None else ''}"

    def __int__(self) -> int:
        response = self.get_most_recent_order_response()
        return int(response.error_code) if response.is_error else self.order_id


def invalid_submit_ticket(manager: SecurityTransactionManager, request: SubmitOrderRequest,
                          response: OrderResponse) -> OrderTicket:
    """The ticket of an order that was refused before it was numbered."""
    request.set_response(response)
    return OrderTicket(manager, request, INVALID)


