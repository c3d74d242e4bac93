"""What a security sees of its market: last prices, opening hours (SecurityCache.cs, SecurityExchange.cs)."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

from workbench.engine.clock import Clock, to_local, to_utc
from workbench.engine.members import lean_class

if TYPE_CHECKING:
    from workbench.engine.bars import QuoteBar, TradeBar


class PriceCache(Protocol):
    """Last observations of a security, fill-forward bars left out (Common/Securities/SecurityCache.cs).

    The feed supplies it and may compute on demand; every price is 0.0 before the first bar.
    """

    @property
    def price(self) -> float: ...

    @property
    def open(self) -> float: ...

    @property
    def high(self) -> float: ...

    @property
    def low(self) -> float: ...

    @property
    def close(self) -> float: ...

    @property
    def volume(self) -> float: ...

    @property
    def bid_price(self) -> float: ...

    @property
    def ask_price(self) -> float: ...

    @property
    def bid_size(self) -> float: ...

    @property
    def ask_size(self) -> float: ...

    @property
    def open_interest(self) -> float: ...

    def get_data(self) -> Any | None:
        """The last bar that set the price (a QuoteBar wins over a TradeBar of the same end time)."""

    def quote_bar(self) -> QuoteBar | None:
        """The last real QuoteBar."""

    def trade_bar(self) -> TradeBar | None:
        """The last real TradeBar."""


class EmptyCache:
    """The cache of a security that has no data yet."""

    price = open = high = low = close = volume = bid_price = ask_price = bid_size = ask_size = open_interest = 0.0

    def get_data(self) -> Any | None:
        """Nothing yet."""
        return None

    def quote_bar(self) -> QuoteBar | None:
        """Nothing yet."""
        return None

    def trade_bar(self) -> TradeBar | None:
        """Nothing yet."""
        return None


@lean_class("SecurityExchange")
class SecurityExchange:
    """Opening hours of a security, at the engine's clock."""

    __slots__ = ("_clock", "_open", "_version", "hours", "time_zone")

    def __init__(self, hours: Any, clock: Clock) -> None:
        self.hours = hours
        self.time_zone: tzinfo = hours.time_zone
        self._clock = clock
        self._version = -1
        self._open = False

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def local_time(self) -> datetime:
        """Now at the exchange, naive."""
        return self._clock.local(self.time_zone)

    @property
    def exchange_open(self) -> bool:
        """Whether regular hours are on now."""
        if self._version != self._clock.version:
            self._open = bool(self.hours.is_open(self.local_time, False))
            self._version = self._clock.version
        return self._open

    @property
    def closing_soon(self) -> bool:
        return not self.hours.is_open(self.local_time + timedelta(minutes=10), False)

    def to_local(self, utc: datetime) -> datetime:
        """Wall-clock time at the exchange."""
        return to_local(utc, self.time_zone)

    def to_utc(self, local: datetime) -> datetime:
        """UTC of a wall-clock time at the exchange."""
        return to_utc(local, self.time_zone)

    def date_time_is_open(self, local: datetime) -> bool:
        """Whether regular hours are on at a wall-clock time."""
        return bool(self.hours.is_open(local, False))

    def is_open_during_bar(self, start: datetime, end: datetime, extended: bool) -> bool:
        """Whether the exchange is open at any time within a bar."""
        return bool(self.hours.is_open(start, end, extended))
