"""Order properties and time in force (Common/Orders/TimeInForce.cs, TimeInForces/*.cs, OrderProperties.cs)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from workbench.engine.orders import Order, OrderEvent
    from workbench.engine.securities import Security


class TimeInForce:
    """How long an order works."""

    __slots__ = ()
    GOOD_TIL_CANCELED: ClassVar[TimeInForce]
    DAY: ClassVar[TimeInForce]

    @staticmethod
    def good_til_date(expiry: datetime) -> GoodTilDateTimeInForce:
        """Works until the end of the given exchange date."""
        return GoodTilDateTimeInForce(expiry)

    GOOD_TIL_DATE = good_til_date

    def is_order_expired(self, security: Security, order: Order) -> bool:
        """Whether the order's time is over at the security's local time."""
        return False

    def is_fill_valid(self, security: Security, order: Order, fill: OrderEvent) -> bool:
        """Whether a fill may still be taken."""
        return True


class GoodTilCanceledTimeInForce(TimeInForce):
    """Works until it is cancelled."""

    __slots__ = ()


class DayTimeInForce(TimeInForce):
    """Works until the end of the trading day of its submission (DayTimeInForce.cs)."""

    __slots__ = ()

    def is_order_expired(self, security: Security, order: Order) -> bool:
        """Expired at the last close of the day on which (or before which) the order was sent."""
        close = security.exchange.hours.get_last_daily_market_close(security.exchange.to_local(order.time), False)
        return bool(security.local_time >= close)


class GoodTilDateTimeInForce(TimeInForce):
    """Works until the close of a date (GoodTilDateTimeInForce.cs)."""

    __slots__ = ("expiry",)

    def __init__(self, expiry: datetime) -> None:
        self.expiry = expiry

    def is_order_expired(self, security: Security, order: Order) -> bool:
        """Expired at the close of the expiry date."""
        date = datetime(self.expiry.year, self.expiry.month, self.expiry.day)
        return bool(security.local_time >= security.exchange.hours.get_last_daily_market_close(date, False))


TimeInForce.GOOD_TIL_CANCELED = GoodTilCanceledTimeInForce()
TimeInForce.DAY = DayTimeInForce()


class OrderProperties:
    """What an algorithm may ask beyond price and size."""

    __slots__ = ("exchange", "time_in_force")

    def __init__(self) -> None:
        self.time_in_force: TimeInForce = TimeInForce.GOOD_TIL_CANCELED
        self.exchange: object | None = None

    def clone(self) -> OrderProperties:
        """A copy."""
        copy = self.__class__()
        if self.__class__ is OrderProperties:
            copy.time_in_force = self.time_in_force
            copy.exchange = self.exchange
            return copy
        for name in _slots(self.__class__):
            setattr(copy, name, getattr(self, name))
        return copy


class InteractiveBrokersOrderProperties(OrderProperties):
    """Interactive Brokers' extras; kept, without effect in a simulation."""

    __slots__ = ("account", "fa_group", "fa_method", "fa_percentage", "fa_profile", "outside_regular_trading_hours")

    def __init__(self) -> None:
        super().__init__()
        self.account = ""
        self.fa_group = ""
        self.fa_profile = ""
        self.fa_method = ""
        self.fa_percentage = 0
        self.outside_regular_trading_hours = False


def _slots(kind: type) -> list[str]:
    return [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
