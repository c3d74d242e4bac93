"""The order types (Common/Orders/*Order.cs): what each is worth, what an update changes, how a stop trails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from workbench.engine.enums import OrderDirection, OrderType
from workbench.engine.orders import BUY, SELL, GroupOrderManager, Order

if TYPE_CHECKING:
    from workbench.engine.requests import SubmitOrderRequest
    from workbench.engine.symbols import Symbol
    from workbench.engine.time_in_force import OrderProperties


class MarketOrder(Order):
    """Fills at the current price."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.MARKET


class MarketOnOpenOrder(Order):
    """Fills at the next open."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.MARKET_ON_OPEN


class MarketOnCloseOrder(Order):
    """Fills at the close; it must be sent `submission_time_buffer` before."""

    __slots__ = ()
    DEFAULT_SUBMISSION_TIME_BUFFER: ClassVar[timedelta] = timedelta(minutes=15, seconds=30)
    submission_time_buffer: ClassVar[timedelta] = DEFAULT_SUBMISSION_TIME_BUFFER
    type: ClassVar[OrderType] = OrderType.MARKET_ON_CLOSE


class LimitOrder(Order):
    """Fills at the limit or better."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.LIMIT

    def get_value(self, price: float) -> float:
        """LimitOrder.GetValueImpl: a buy counts at the lower, a sell at the higher of limit and price."""
        quantity = self.quantity
        return quantity * (min(self.limit_price, price) if quantity > 0 else max(self.limit_price, price))

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if limit_price is not None:
            self.limit_price = limit_price


class StopMarketOrder(Order):
    """Becomes a market order at the stop."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.STOP_MARKET

    def get_value(self, price: float) -> float:
        """StopMarketOrder.GetValueImpl: a buy counts at the lower, a sell at the higher of stop and price."""
        quantity = self.quantity
        return quantity * (min(self.stop_price, price) if quantity > 0 else max(self.stop_price, price))

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if stop_price is not None:
            self.stop_price = stop_price


class TrailingStopOrder(StopMarketOrder):
    """A stop that follows the price at `trailing_amount` (dollars per share, or a fraction)."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.TRAILING_STOP

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if trailing_amount is not None:
            self.trailing_amount = trailing_amount

    def default_tag(self) -> str:
        amount = f"{self.trailing_amount * 100:g}%" if self.trailing_as_percentage else f"${self.trailing_amount:g}"
        return f"Trailing Amount: {amount}"

    @staticmethod
    def calculate_stop_price(price: float, amount: float, as_percentage: bool, direction: OrderDirection) -> float:
        """The stop at distance `amount` of `price` (TrailingStopOrder.CalculateStopPrice)."""
        if as_percentage:
            return price * (1 + amount) if direction == BUY else price * (1 - amount)
        return price + amount if direction == BUY else price - amount

    @staticmethod
    def updated_stop_price(price: float, stop_price: float, amount: float, as_percentage: bool,
                           direction: OrderDirection) -> float | None:
        """The new stop when the market moved away by more than the distance, else None (TryUpdateStopPrice)."""
        distance = price * amount if as_percentage else amount
        if direction == SELL:
            if price - stop_price <= distance:
                return None
        elif stop_price - price <= distance:
            return None
        return TrailingStopOrder.calculate_stop_price(price, amount, as_percentage, direction)


class StopLimitOrder(LimitOrder):
    """Becomes a limit order at the stop."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.STOP_LIMIT

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if stop_price is not None:
            self.stop_price = stop_price


class LimitIfTouchedOrder(LimitOrder):
    """Becomes a limit order when the trigger is touched."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.LIMIT_IF_TOUCHED

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if trigger_price is not None:
            self.trigger_price = trigger_price


class OptionExerciseOrder(Order):
    """Exercise (negative quantity of a long) or assignment (positive quantity of a short)."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.OPTION_EXERCISE

    def get_value(self, price: float) -> float:
        """OptionExerciseOrder.GetValueImpl: the exercised quantity (a call turns a sale into a purchase) at price."""
        sign = -1.0 if self.symbol.id.option_right == 0 else 1.0
        return sign * self.quantity * self.price


class ComboOrder(Order):
    """A leg of a combo: quantity is ratio times the group's quantity, so an update moves all legs (ComboOrder.cs)."""

    __slots__ = ("ratio",)

    def __init__(self, symbol: Symbol, quantity: float, time: datetime, tag: str = "",
                 properties: OrderProperties | None = None,
                 group_order_manager: GroupOrderManager | None = None) -> None:
        self.group_order_manager = group_order_manager
        self.ratio = 0.0
        super().__init__(symbol, quantity, time, tag, properties)
        self.group_order_manager = group_order_manager
        self.quantity = quantity

    @property
    def quantity(self) -> float:
        """Signed size of the leg."""
        manager = self.group_order_manager
        return self.ratio if manager is None else self.ratio * manager.quantity

    @quantity.setter
    def quantity(self, value: float) -> None:
        manager = self.group_order_manager
        self.ratio = value if manager is None else value / manager.quantity

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        if tag is not None:
            self.tag = tag
        if quantity is not None and self.group_order_manager is not None:
            self.group_order_manager.quantity = quantity

    def clone(self) -> Order:
        copy = super().clone()
        copy.ratio = self.ratio  # type: ignore[attr-defined]
        return copy


class ComboMarketOrder(ComboOrder):
    """A leg of a combo that fills at the current prices of all legs."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.COMBO_MARKET


class ComboLimitOrder(ComboOrder):
    """A leg of a combo with one net limit, kept by the group's manager."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.COMBO_LIMIT

    def get_value(self, price: float) -> float:
        """ComboLimitOrder.GetValueImpl: like a limit order at the group's limit."""
        limit = 0.0 if self.group_order_manager is None else self.group_order_manager.limit_price
        return self.quantity * (min(limit, price) if self.quantity > 0 else max(limit, price))

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if limit_price is not None and self.group_order_manager is not None:
            self.group_order_manager.limit_price = limit_price


class ComboLegLimitOrder(ComboOrder):
    """A leg of a combo with a limit of its own."""

    __slots__ = ()
    type: ClassVar[OrderType] = OrderType.COMBO_LEG_LIMIT

    def get_value(self, price: float) -> float:
        """ComboLegLimitOrder.GetValueImpl: a buy counts at the lower, a sell at the higher of limit and price."""
        quantity = self.quantity
        return quantity * (min(self.limit_price, price) if quantity > 0 else max(self.limit_price, price))

    def apply_update(self, quantity: float | None, limit_price: float | None, stop_price: float | None,
                     trigger_price: float | None, trailing_amount: float | None, tag: str | None) -> None:
        super().apply_update(quantity, limit_price, stop_price, trigger_price, trailing_amount, tag)
        if limit_price is not None:
            self.limit_price = limit_price


ORDER_CLASSES: Final[dict[int, type[Order]]] = {
    int(kind.type): kind for kind in (
        MarketOrder, LimitOrder, StopMarketOrder, StopLimitOrder, MarketOnOpenOrder, MarketOnCloseOrder,
        OptionExerciseOrder, LimitIfTouchedOrder, ComboMarketOrder, ComboLimitOrder, ComboLegLimitOrder,
        TrailingStopOrder)
}


def create_order(request: SubmitOrderRequest) -> Order:
    """The order of a request (Order.CreateOrder)."""
    kind = ORDER_CLASSES[request.order_type]
    if issubclass(kind, ComboOrder):
        order: Order = kind(request.symbol, request.quantity, request.time, request.tag or "",
                            request.order_properties, request.group_order_manager)
    else:
        order = kind(request.symbol, request.quantity, request.time, request.tag or "", request.order_properties)
    order.id = request.order_id
    order.limit_price = request.limit_price
    order.stop_price = request.stop_price
    order.trigger_price = request.trigger_price
    order.trailing_amount = request.trailing_amount
    order.trailing_as_percentage = request.trailing_as_percentage
    return order
