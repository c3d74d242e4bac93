"""What brokerage models share: crossing zero, market-on-open windows, names as LEAN writes them.

Source: LEAN Common/Brokerages/BrokerageExtensions.cs, Common/Messages/Messages.Brokerages.cs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from workbench.engine.enums import BrokerageMessageType, MarketHoursState, OrderType

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.securities import Security

Window = Callable[[timedelta, timedelta], tuple[timedelta, timedelta]]
"""From open and close of the regular session (time of day) to the window in which orders for the open are taken."""

_DAY = timedelta(days=1)


class BrokerageMessageEvent:
    """Something a brokerage says: a kind, a code and a text."""

    __slots__ = ("code", "message", "type")

    def __init__(self, type: BrokerageMessageType, code: str | int, message: str) -> None:
        self.type = type
        self.code = str(code)
        self.message = message

    @staticmethod
    def disconnected(message: str) -> BrokerageMessageEvent:
        """The connection is lost."""
        return BrokerageMessageEvent(BrokerageMessageType.DISCONNECT, "Disconnect", message)

    @staticmethod
    def reconnected(message: str) -> BrokerageMessageEvent:
        """The connection is back."""
        return BrokerageMessageEvent(BrokerageMessageType.RECONNECT, "Reconnect", message)

    def __str__(self) -> str:
        return f"{pascal(self.type)} - Code: {self.code} - {self.message}"


Verdict = tuple[bool, BrokerageMessageEvent | None]
ALLOWED: Verdict = (True, None)


def pascal(value: Enum) -> str:
    """An enumeration's name as C# writes it: `ComboLegLimit`."""
    return value.name.title().replace("_", "")


def refused(message: str, code: str = "NotSupported") -> Verdict:
    """A refusal with LEAN's usual code."""
    return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, code, message)


def is_opening(order_quantity: float, held: float) -> bool:
    """Whether an order opens (or adds to) a position rather than closing one."""
    return held >= 0 if order_quantity > 0 else held <= 0


def is_outside_hours(order: Order) -> bool:
    """Whether the order asks to be worked outside regular trading hours."""
    return bool(getattr(order.properties, "outside_regular_trading_hours", False))


def crosses_zero(held: float, order_quantity: float) -> bool:
    """Whether an order would turn a long position short or a short one long."""
    if held > 0 and order_quantity < 0:
        return held + order_quantity < 0
    return held < 0 and order_quantity > 0 and held + order_quantity > 0


def unsupported_order_type(model: object, order: Order, supported: Collection[OrderType]) -> Verdict:
    """The model's list does not hold the order's type."""
    known = ",".join(pascal(kind) for kind in supported)
    return refused(
        f"The {type(model).__name__} does not support {pascal(order.type)} order type. Only supports [{known}]"
    )


def unsupported_security_type(model: object, security: Security) -> Verdict:
    """The model does not trade this kind of security."""
    return refused(f"The {type(model).__name__} does not support {pascal(security.type)} security type.")


def check_cross_zero(model: object, security: Security, order: Order, barred: Collection[OrderType]) -> Verdict:
    """Refuse types that may not cross zero when they would."""
    if order.type in barred and crosses_zero(security.holdings.quantity, order.quantity):
        return refused(
            f"Order type '{pascal(order.type)}' is not supported for orders that cross the zero holdings threshold in "
            f"the {type(model).__name__}. This means you cannot change a position from positive to negative or vice "
            "versa using this order type. Please close the existing position first."
        )
    return ALLOWED


def check_market_on_open(security: Security, order: Order, window: Window, supported: Collection[Any]) -> Verdict:
    """Refuse orders for the open outside the brokerage's window, and for securities it does not take them for."""
    if order.type != OrderType.MARKET_ON_OPEN:
        return ALLOWED
    if security.type not in supported:
        return refused(
            f"The broker does not support Market-on-Open orders for security type {pascal(security.type)}",
            "UnsupportedSecurityType",
        )
    local = security.local_time
    now = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    hours = security.exchange.hours.get_market_hours(local)
    regular = next((s for s in hours.segments if s.state == MarketHoursState.MARKET), None)
    if regular is None:
        return ALLOWED
    start, end = (moment % _DAY for moment in window(regular.start, regular.end))
    inside = start <= now < end if start <= end else now >= start or now < end
    if inside:
        return ALLOWED
    return refused(
        f"MarketOnOpen submission time is invalid. Valid local times are {_clock(start)}–{_clock(end)}. Consider "
        "setting daily_precise_end_time = false or using self.schedule.on."
    )


def _clock(moment: timedelta) -> str:
    """Twelve hours with a leading space, as LEAN's format ` hh:mm` writes it."""
    seconds = int(moment.total_seconds())
    return f" {time(seconds // 3600, seconds // 60 % 60):%I:%M}"
