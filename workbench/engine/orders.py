"""Orders and order events, with LEAN's names and numbers (Common/Orders/*.cs)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from workbench.engine.enums import OrderDirection, OrderStatus, OrderType, SecurityType
from workbench.engine.members import lean_class
from workbench.engine.time_in_force import OrderProperties, TimeInForce

if TYPE_CHECKING:
    from workbench.engine.symbols import Symbol
    from workbench.engine.tickets import OrderTicket

BUY: Final = OrderDirection.BUY
SELL: Final = OrderDirection.SELL
HOLD: Final = OrderDirection.HOLD
NEW: Final = OrderStatus.NEW
SUBMITTED: Final = OrderStatus.SUBMITTED
PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
FILLED: Final = OrderStatus.FILLED
CANCELED: Final = OrderStatus.CANCELED
NO_STATUS: Final = OrderStatus.NONE
INVALID: Final = OrderStatus.INVALID
CANCEL_PENDING: Final = OrderStatus.CANCEL_PENDING
UPDATE_SUBMITTED: Final = OrderStatus.UPDATE_SUBMITTED

# Indexed by the number of an OrderStatus (OrderExtensions.cs: closed = filled, canceled, invalid).
_CLOSED: Final = (False, False, False, True, False, True, False, True, False, False)
_FILL: Final = (False, False, True, True, False, False, False, False, False, False)


def is_closed(status: int) -> bool:
    """Whether an order of this status can no longer change (filled, canceled or invalid)."""
    return _CLOSED[status]


def is_fill(status: int) -> bool:
    """Whether an event of this status carries a fill (partially filled or filled)."""
    return _FILL[status]


class CashAmount:
    """An amount of money in one currency."""

    __slots__ = ("amount", "currency")

    def __init__(self, amount: float, currency: str = "USD") -> None:
        self.amount = float(amount)
        self.currency = currency

    def __str__(self) -> str:
        return f"{self.amount:.8f}".rstrip("0").rstrip(".") + f" {self.currency}"


class OrderFee:
    """The fee of one fill; `OrderFee.ZERO` where none is due."""

    __slots__ = ("value",)
    ZERO: ClassVar[OrderFee]

    def __init__(self, value: CashAmount) -> None:
        self.value = value

    def __str__(self) -> str:
        return str(self.value)


OrderFee.ZERO = OrderFee(CashAmount(0.0, "USD"))
ZERO_FEE: Final = OrderFee.ZERO


class GroupOrderManager:
    """What the orders of one combo share (Common/Orders/GroupOrderManager.cs)."""

    __slots__ = ("count", "id", "limit_price", "order_ids", "quantity")

    def __init__(self, id: int, count: int, quantity: float, limit_price: float = 0.0) -> None:
        self.id = id
        self.count = count
        self.quantity = quantity
        self.limit_price = limit_price
        self.order_ids: list[int] = []

    @property
    def direction(self) -> OrderDirection:
        """Buy when the group quantity is positive, sell when negative."""
        return BUY if self.quantity > 0 else SELL if self.quantity < 0 else HOLD


class OrderSubmissionData:
    """Quotes at the moment of the submission."""

    __slots__ = ("ask_price", "bid_price", "last_price")

    def __init__(self, bid_price: float, ask_price: float, last_price: float) -> None:
        self.bid_price = bid_price
        self.ask_price = ask_price
        self.last_price = last_price


@lean_class("Order")
class Order:
    """One order. `time` is UTC; `quantity` is signed (contracts or shares)."""

    __slots__ = (
        "broker_id", "canceled_time", "group_order_manager", "id", "last_fill_time", "last_update_time", "limit_price",
        "next_event_id", "order_submission_data", "price", "price_currency", "properties", "quantity", "status",
        "stop_price", "stop_triggered", "symbol", "tag", "time", "trailing_amount", "trailing_as_percentage",
        "trigger_price", "trigger_touched",
    )
    type: ClassVar[OrderType] = OrderType.MARKET
    contingent_id: ClassVar[int] = 0

    def __init__(self, symbol: Symbol, quantity: float, time: datetime, tag: str = "",
                 properties: OrderProperties | None = None) -> None:
        self.id = 0
        self.symbol = symbol
        self.quantity = quantity
        self.time = time
        self.tag = tag
        self.properties = OrderProperties() if properties is None else properties
        self.status: OrderStatus = NEW
        self.price = 0.0
        self.price_currency = "USD"
        self.broker_id: list[str] = []
        self.group_order_manager: GroupOrderManager | None = None
        self.order_submission_data: OrderSubmissionData | None = None
        self.last_fill_time: datetime | None = None
        self.last_update_time: datetime | None = None
        self.canceled_time: datetime | None = None
        self.limit_price = 0.0
        self.stop_price = 0.0
        self.trigger_price = 0.0
        self.trailing_amount = 0.0
        self.trailing_as_percentage = False
        self.stop_triggered = False
        self.trigger_touched = False
        self.next_event_id = 0

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def direction(self) -> OrderDirection:
        """Buy, sell or hold, by the sign of the quantity."""
        return BUY if self.quantity > 0 else SELL if self.quantity < 0 else HOLD

    @property
    def absolute_quantity(self) -> float:
        return abs(self.quantity)

    @property
    def created_time(self) -> datetime:
        return self.time

    @property
    def security_type(self) -> SecurityType:
        return self.symbol.security_type

    @property
    def time_in_force(self) -> TimeInForce:
        return self.properties.time_in_force

    @property
    def is_marketable(self) -> bool:
        return self.type in (OrderType.MARKET, OrderType.COMBO_MARKET)

    @property
    def value(self) -> float:
        """Quantity times price, in the quote currency."""
        return self.quantity * self.price

    def clone(self) -> Order:
        """A copy that shares the combo's manager, as LEAN hands out."""
        copy = object.__new__(self.__class__)
        for name in Order.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.broker_id = list(self.broker_id)
        return copy

    def get_value(self, price: float) -> float:
        """The order's value in the quote currency at the security's price (GetValueImpl of each order type)."""
        return self.quantity * price

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        """Take over the changed fields (ApplyUpdateOrderRequest); fields that the type lacks are ignored."""
        if quantity is not None:
            self.quantity = quantity
        if tag is not None:
            self.tag = tag

    def default_tag(self) -> str:
        """The tag that LEAN gives to an order without one."""
        return ""

    def __str__(self) -> str:
        unit = "unit" if self.quantity == 1 else "units"
        tail = f": {self.tag}" if self.tag else ""
        return (f"OrderId: {self.id} (BrokerId: {','.join(self.broker_id)}) "
                f"{self.status.name.title().replace('_', '')} "
                f"{self.type.name.title().replace('_', '')} order for {self.quantity:g} {unit} of {self.symbol}{tail}")


@lean_class("OrderEvent")
class OrderEvent:
    """Something that happened to an order; `fill_quantity` is the signed change, not a total."""

    __slots__ = (
        "direction", "fill_price", "fill_price_currency", "fill_quantity", "id", "is_assignment", "is_in_the_money",
        "limit_price", "message", "order_fee", "order_id", "quantity", "status", "stop_price", "symbol", "ticket",
        "trailing_amount", "trigger_price", "utc_time",
    )

    def __init__(self, order: Order, utc_time: datetime, order_fee: OrderFee = ZERO_FEE, message: str = "") -> None:
        self.order_id = order.id
        self.symbol = order.symbol
        self.status: OrderStatus = order.status
        self.direction = order.direction
        self.quantity = order.quantity
        self.fill_quantity = 0.0
        self.fill_price = 0.0
        self.fill_price_currency = "USD"
        self.utc_time = utc_time
        self.order_fee = order_fee
        self.message = message
        self.is_assignment = False
        self.is_in_the_money = False
        self.id = 0
        self.ticket: OrderTicket = None  # type: ignore[assignment]  # set before any algorithm sees the event
        self.limit_price: float | None = None
        self.stop_price: float | None = None
        self.trigger_price: float | None = None
        self.trailing_amount: float | None = None

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def absolute_fill_quantity(self) -> float:
        return abs(self.fill_quantity)

    @property
    def trailing_as_percentage(self) -> bool | None:
        order = None if self.ticket is None else self.ticket.order
        return None if order is None or order.type != OrderType.TRAILING_STOP else order.trailing_as_percentage

    def clone(self) -> OrderEvent:
        """A copy of the event."""
        copy = object.__new__(OrderEvent)
        for name in OrderEvent.__slots__:
            setattr(copy, name, getattr(self, name))
        return copy

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a result file."""
        return {"time": self.utc_time.strftime("%Y-%m-%d %H:%M:%S.%f"), "order_id": self.order_id, "id": self.id,
                "symbol": self.symbol.value, "symbol_id": str(self.symbol.id), "status": self.status.name,
                "quantity": self.quantity, "fill_quantity": self.fill_quantity, "fill_price": self.fill_price,
                "fee": self.order_fee.value.amount, "message": self.message, "is_assignment": self.is_assignment,
                "tag": None if self.ticket is None else self.ticket.tag}

    def __str__(self) -> str:
        text = (f"Time: {self.utc_time:%m/%d/%Y %H:%M:%S} OrderID: {self.order_id} EventID: {self.id} "
                f"Symbol: {self.symbol.value} Status: {self.status.name} Quantity: {self.quantity:g}")
        if self.fill_quantity:
            text += f" FillQuantity: {self.fill_quantity:g} FillPrice: ${self.fill_price:g}"
        if self.order_fee.value.amount:
            text += f" OrderFee: {self.order_fee}"
        return f"{text} Message: {self.message}" if self.message else text
