"""Time steps and chain universes of the feed."""
from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.engine.bars import BaseData, Delisting, Dividend, Split, SymbolChangedEvent
from workbench.engine.enums import TickType
from workbench.engine.feed import paths
from workbench.engine.feed.blocks import NEVER
from workbench.engine.feed.caches import to_local, to_utc
from workbench.engine.feed.containers import LazyQuoteBars, LazyTradeBars, StepBars
from workbench.engine.feed.groups import DAY, utc_midnight
from workbench.engine.feed.universes import UniverseData, read_universe
from workbench.engine.hours_database import MarketHoursEntry
from workbench.engine.slices import Delistings, Dividends, OptionChains, Slice, Splits, SymbolChangedEvents
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.feed.subscriptions import Feed
    from workbench.engine.feed_contract import SecurityChanges
    from workbench.engine.options import Option


class Step:
    """One turn of the time loop; its slice is made when somebody asks for it."""

    __slots__ = ("_feed", "_slice", "changes", "events", "first_block", "is_time_pulse", "moment", "utc")

    def __init__(self, feed: Feed, moment: int, *, is_time_pulse: bool = False, events: list[BaseData] | None = None,
                 changes: SecurityChanges | None = None, first_block: int = 0) -> None:
        self._feed = feed
        self._slice: Slice | None = None
        self.moment = moment
        self.utc: datetime = to_utc(moment)
        self.is_time_pulse = is_time_pulse
        self.events = events or []
        self.changes = changes
        self.first_block = first_block

    def apply(self) -> None:
        """Move the price caches of all securities to this step."""
        if not self.is_time_pulse:
            self._feed.move_to(self.moment)

    @property
    def delistings(self) -> list[Delisting]:
        return [] if not self.events else [event for event in self.events if isinstance(event, Delisting)]

    @property
    def splits(self) -> list[Split]:
        return [event for event in self.events if isinstance(event, Split)]

    @property
    def dividends(self) -> list[Dividend]:
        return [event for event in self.events if isinstance(event, Dividend)]

    def bars(self, tick_type: TickType) -> StepBars:
        """Bars of one kind that this step shows."""
        found = [(group, block) for group in self._feed.ordered[tick_type]
                 for block in group.blocks if block.sequence > self.first_block]
        return StepBars(self.moment, found)

    @property
    def has_data(self) -> bool:
        """Whether the algorithm's `on_data` is called: anything but open interest."""
        return bool(self.events) or any(self.bars(kind).count() for kind in (TickType.TRADE, TickType.QUOTE))

    @property
    def slice(self) -> Slice:
        """The step's data; valid from `apply` on."""
        if self._slice is None:
            self._slice = self._make_slice()
        return self._slice

    def _make_slice(self) -> Slice:
        feed = self._feed
        time = feed.local(self.moment)
        if self.is_time_pulse:
            return Slice(time, self.utc, has_data=False)
        moment = self.moment  # the slice must not refer to its step: steps are freed without the garbage collector
        trades, quotes = self.bars(TickType.TRADE), self.bars(TickType.QUOTE)
        trade_bars, quote_bars = LazyTradeBars(trades, time), LazyQuoteBars(quotes, time)

        def chains() -> dict[Symbol, Any]:
            from workbench.engine.chains import build_chains
            found: dict[Symbol, Any] = dict(build_chains(feed, moment, trade_bars, quote_bars))
            return found

        has_data = bool(self.events) or trades.count() > 0 or quotes.count() > 0
        option_chains = OptionChains(None, time, chains)
        if not self.events:
            return Slice(time, self.utc, bars=trade_bars, quote_bars=quote_bars, option_chains=option_chains,
                         has_data=has_data)

        def of(kind: type) -> dict[Symbol, Any]:
            return {event.symbol: event for event in self.events if isinstance(event, kind)}

        return Slice(
            time, self.utc, bars=trade_bars, quote_bars=quote_bars, option_chains=option_chains,
            splits=Splits(of(Split), time), dividends=Dividends(of(Dividend), time),
            delistings=Delistings(of(Delisting), time),
            symbol_changed_events=SymbolChangedEvents(of(SymbolChangedEvent), time), has_data=has_data)


class Universe:
    """The daily selection of a chain: files of the days before, and the contracts chosen from them."""

    def __init__(self, feed: Feed, option: Option, entry: MarketHoursEntry) -> None:
        self._feed = feed
        self.option = option
        self.zone = entry.exchange_hours.time_zone
        self._data_zone = entry.data_time_zone
        self._hours = entry.exchange_hours
        self.selected: set[Symbol] = set()
        self.found = False
        self.first_path: Path | None = None
        self.next_time = NEVER
        self._next_day = date.max
        self._last_day = date.max

    def begin(self, start: int, end: int) -> None:
        """Select first from the file of the trading day before a moment."""
        self._last_day = to_local(end, self.zone).date()
        day = to_local(start, self.zone).date() - DAY
        while not self._hours.is_date_open(day):
            day -= DAY
        self._seek(day)

    def _seek(self, day: date) -> None:
        """Find the first file from a day on."""
        while day <= self._last_day:
            if self._hours.is_date_open(day):
                path = self._path(day)
                self.first_path = self.first_path or path
                if path.exists():
                    self.found = True
                    self._next_day = day
                    self.next_time = utc_midnight(day + DAY, self._data_zone)
                    return
                if path not in self._feed.zips.missing:
                    self._feed.zips.missing.append(path)
            day += DAY
        self.next_time = NEVER

    def _path(self, day: date) -> Path:
        feed = self._feed
        return paths.universe_path(feed.data, self.option.symbol, feed.ticker_at(self.option.symbol, day), day)

    def take(self, moment: int) -> UniverseData | None:
        """Read what is due at a moment; of several files the last."""
        found = None
        while self.next_time <= moment:
            day = self._next_day
            found = read_universe(self._path(day), self.option.symbol, datetime(day.year, day.month, day.day))
            self._seek(day + DAY)
        return found

    def apply_filter(self, data: UniverseData, local_time: datetime) -> list[Symbol]:
        """Contracts the option's filter keeps."""
        from workbench.engine.chains import OptionFilterUniverse, default_filter
        chosen = self.option.contract_filter or default_filter()
        universe = OptionFilterUniverse(self.option, data, local_time)
        return list(chosen.filter(universe))
