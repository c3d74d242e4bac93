"""Requests to the order handler and its answers (Common/Orders/OrderRequest.cs, OrderResponse.cs and others)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from workbench.engine.enums import (
    OrderRequestStatus,
    OrderRequestType,
    OrderResponseErrorCode,
    OrderType,
    SecurityType,
)

if TYPE_CHECKING:
    from workbench.engine.orders import GroupOrderManager, Order
    from workbench.engine.symbols import Symbol
    from workbench.engine.time_in_force import OrderProperties

_ERROR: Final = OrderRequestStatus.ERROR
_PROCESSED: Final = OrderRequestStatus.PROCESSED
_CODE: Final = OrderResponseErrorCode


def csharp_name(name: str) -> str:
    """`MARKET_ON_OPEN` as LEAN's messages print it: `MarketOnOpen`."""
    return name.title().replace("_", "")


class OrderResponse:
    """Whether a request was taken, and why not."""

    __slots__ = ("error_code", "error_message", "order_id")
    UNPROCESSED: ClassVar[OrderResponse]

    def __init__(self, order_id: int, error_code: OrderResponseErrorCode = _CODE.NONE, error_message: str = "") -> None:
        self.order_id = order_id
        self.error_code = error_code
        self.error_message = error_message

    @property
    def is_success(self) -> bool:
        """Processed without error."""
        return self is not OrderResponse.UNPROCESSED and self.error_code is _CODE.NONE

    @property
    def is_error(self) -> bool:
        """Processed, and refused."""
        return self is not OrderResponse.UNPROCESSED and self.error_code is not _CODE.NONE

    @property
    def is_processed(self) -> bool:
        return self is not OrderResponse.UNPROCESSED

    def __str__(self) -> str:
        if self is OrderResponse.UNPROCESSED:
            return "Unprocessed"
        if self.is_error:
            return f"Error: {csharp_name(self.error_code.name)} - {self.error_message}"
        return "Success"

    @staticmethod
    def success(request: OrderRequest) -> OrderResponse:
        """The request was taken."""
        return OrderResponse(request.order_id)

    @staticmethod
    def error(request: OrderRequest, code: OrderResponseErrorCode, message: str) -> OrderResponse:
        """The request was refused."""
        return OrderResponse(request.order_id, code, message)

    @staticmethod
    def invalid_status(request: OrderRequest, order: Order) -> OrderResponse:
        """The order is closed."""
        return OrderResponse(request.order_id, _CODE.INVALID_ORDER_STATUS,
                             f"Unable to update order with id {request.order_id} because it already has "
                             f"{csharp_name(order.status.name)} status.")

    @staticmethod
    def invalid_new_status(request: OrderRequest, order: Order) -> OrderResponse:
        """The order's submission has not been confirmed."""
        return OrderResponse(request.order_id, _CODE.INVALID_NEW_ORDER_STATUS,
                             f"Unable to update or cancel order with id {request.order_id} and status "
                             f"{csharp_name(order.status.name)} because the submit confirmation has not been "
                             "received yet.")

    @staticmethod
    def unable_to_find_order(request: OrderRequest) -> OrderResponse:
        """No such order."""
        return OrderResponse(request.order_id, _CODE.UNABLE_TO_FIND_ORDER,
                             f"Unable to locate order with id {request.order_id}.")

    @staticmethod
    def zero_quantity(request: OrderRequest) -> OrderResponse:
        """An order for nothing."""
        return OrderResponse(request.order_id, _CODE.ORDER_QUANTITY_ZERO,
                             f"Unable to {request.order_request_type.name.lower()} order with id {request.order_id} "
                             "that has zero quantity.")

    @staticmethod
    def missing_security(request: SubmitOrderRequest) -> OrderResponse:
        """The symbol is not subscribed."""
        return OrderResponse(request.order_id, _CODE.MISSING_SECURITY,
                             f"You haven't requested {request.symbol} data. Add this with add_security() in the "
                             "initialize() method.")

    @staticmethod
    def warming_up(request: OrderRequest) -> OrderResponse:
        """Nothing may be sent before the warm-up ends."""
        return OrderResponse(request.order_id, _CODE.ALGORITHM_WARMING_UP,
                             "This operation is not allowed in initialize or during warm up: OrderRequest."
                             f"{request.order_request_type.name.lower()}. Please move this code to the "
                             "on_warmup_finished() method.")


OrderResponse.UNPROCESSED = OrderResponse(0, _CODE.NONE, "The request has not yet been processed.")


class OrderRequest:
    """A request about an order; `time` is UTC."""

    __slots__ = ("order_id", "response", "status", "tag", "time")
    order_request_type: ClassVar[OrderRequestType]

    def __init__(self, time: datetime, order_id: int, tag: str | None) -> None:
        self.time = time
        self.order_id = order_id
        self.tag = tag
        self.response = OrderResponse.UNPROCESSED
        self.status: OrderRequestStatus = OrderRequestStatus.UNPROCESSED

    def set_response(self, response: OrderResponse, status: OrderRequestStatus = _ERROR) -> None:
        """Keep the answer; an error wins over the given status."""
        self.status = _ERROR if response.error_code is not _CODE.NONE else status
        self.response = response


class SubmitOrderRequest(OrderRequest):
    """A new order."""

    __slots__ = ("asynchronous", "group_order_manager", "limit_price", "order_properties", "order_type", "quantity",
                 "security_type", "stop_price", "symbol", "trailing_amount", "trailing_as_percentage", "trigger_price")
    order_request_type: ClassVar[OrderRequestType] = OrderRequestType.SUBMIT

    def __init__(self, order_type: OrderType, security_type: SecurityType, symbol: Symbol, quantity: float,
                 time: datetime, tag: str = "", properties: OrderProperties | None = None, *, stop_price: float = 0.0,
                 limit_price: float = 0.0, trigger_price: float = 0.0, trailing_amount: float = 0.0,
                 trailing_as_percentage: bool = False, group_order_manager: GroupOrderManager | None = None,
                 asynchronous: bool = False) -> None:
        super().__init__(time, _CODE.UNABLE_TO_FIND_ORDER.value, tag)
        self.order_type = order_type
        self.security_type = security_type
        self.symbol = symbol
        self.quantity = quantity
        self.order_properties = properties
        self.stop_price = stop_price
        self.limit_price = limit_price
        self.trigger_price = trigger_price
        self.trailing_amount = trailing_amount
        self.trailing_as_percentage = trailing_as_percentage
        self.group_order_manager = group_order_manager
        self.asynchronous = asynchronous


class UpdateOrderFields:
    """What to change of a working order; what stays None stays."""

    def __init__(self) -> None:
        self.quantity: float | None = None
        self.limit_price: float | None = None
        self.stop_price: float | None = None
        self.trigger_price: float | None = None
        self.trailing_amount: float | None = None
        self.tag: str | None = None


class UpdateOrderRequest(OrderRequest):
    """A change of a working order."""

    __slots__ = ("limit_price", "quantity", "stop_price", "trailing_amount", "trigger_price")
    order_request_type: ClassVar[OrderRequestType] = OrderRequestType.UPDATE

    def __init__(self, time: datetime, order_id: int, fields: UpdateOrderFields) -> None:
        super().__init__(time, order_id, fields.tag)
        self.quantity = None if fields.quantity is None else float(fields.quantity)
        self.limit_price = None if fields.limit_price is None else float(fields.limit_price)
        self.stop_price = None if fields.stop_price is None else float(fields.stop_price)
        self.trigger_price = None if fields.trigger_price is None else float(fields.trigger_price)
        self.trailing_amount = None if fields.trailing_amount is None else float(fields.trailing_amount)

    @property
    def allowed_for_closed_order(self) -> bool:
        """Only the tag of a closed order may change."""
        return (self.quantity is None and self.limit_price is None and self.stop_price is None
                and self.trigger_price is None and self.trailing_amount is None)


class CancelOrderRequest(OrderRequest):
    """A cancellation; its tag, when given, replaces the order's."""

    __slots__ = ()
    order_request_type: ClassVar[OrderRequestType] = OrderRequestType.CANCEL
