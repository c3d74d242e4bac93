"""What the core and the feed agree on: subscriptions in, time steps out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from workbench.engine.enums import DataNormalizationMode, Resolution, TickType

if TYPE_CHECKING:
    from workbench.engine.bars import Delisting
    from workbench.engine.exchange import PriceCache
    from workbench.engine.options import Option
    from workbench.engine.securities import Security
    from workbench.engine.slices import Slice
    from workbench.engine.symbols import Symbol


class SubscriptionDataConfig:
    """One stream of one symbol (Common/Data/SubscriptionDataConfig.cs).

    `price_decimals` is the number of decimals LEAN's prices of this stream carry in texts: 4 for stocks, more when an
    adjustment factor multiplies them (4 plus the decimals of the factor).
    """

    __slots__ = ("data_normalization_mode", "extended_market_hours", "fill_forward", "is_internal_feed",
                 "price_decimals", "resolution", "symbol", "tick_type")

    def __init__(self, symbol: Symbol, resolution: Resolution, tick_type: TickType, *, fill_forward: bool = True,
                 extended_market_hours: bool = False,
                 data_normalization_mode: DataNormalizationMode = DataNormalizationMode.RAW,
                 is_internal_feed: bool = False, price_decimals: int = 4) -> None:
        self.symbol = symbol
        self.resolution = resolution
        self.tick_type = tick_type
        self.fill_forward = fill_forward
        self.extended_market_hours = extended_market_hours
        self.data_normalization_mode = data_normalization_mode
        self.is_internal_feed = is_internal_feed
        self.price_decimals = price_decimals


class SecurityChanges:
    """Securities that came and went with a time step; what `on_securities_changed` receives."""

    __slots__ = ("added_securities", "removed_securities")

    def __init__(self, added: list[Security], removed: list[Security]) -> None:
        self.added_securities = added
        self.removed_securities = removed

    @property
    def count(self) -> int:
        return len(self.added_securities) + len(self.removed_securities)


class TimeStep(Protocol):
    """One turn of the time loop. Nothing of it is visible to anybody before `apply`."""

    @property
    def utc(self) -> datetime:
        """End time of the step's data, aware."""

    @property
    def is_time_pulse(self) -> bool:
        """Only moves the clock (warm-up end, ...)."""

    @property
    def slice(self) -> Slice:
        """The step's data."""

    changes: SecurityChanges | None  # securities added to or removed from the algorithm with this step

    @property
    def delistings(self) -> list[Delisting]:
        """Warnings and delistings of this step (empty for nearly all)."""

    def apply(self) -> None:
        """Move the price caches of all securities to this step."""


class FeedHost(Protocol):
    """What the feed asks of the core while universes select contracts."""

    def add_universe_security(self, option: Option, contract: Symbol) -> Security:
        """Make (or return) the security of a contract that the chain's filter chose, with its subscriptions."""

    def remove_universe_security(self, option: Option, contract: Symbol) -> Security | None:
        """Take a contract out that the filter dropped; None when it stays (held, or with open orders)."""

    @property
    def is_warming_up(self) -> bool:
        """Whether the run is still before its start date."""


class DataFeed(Protocol):
    """Files of a data folder as one time line."""

    def add(self, security: Security, configs: list[SubscriptionDataConfig]) -> None:
        """Subscribe from the present step on; sets the security's cache and subscriptions.

        Before the first step the security comes with the first step's changes, later with the next step's.
        """

    def add_chain(self, option: Option) -> None:
        """Subscribe the universe of a canonical option whose `contract_filter` selects from it every day."""

    def remove(self, symbol: Symbol) -> None:
        """End the subscriptions of a symbol."""

    def steps(self, start: datetime, end: datetime) -> Iterator[TimeStep]:
        """Time steps between two UTC times, ascending."""

    def cache_of(self, symbol: Symbol) -> PriceCache:
        """The price cache of a subscribed symbol."""
