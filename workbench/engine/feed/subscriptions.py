"""The feed: subscriptions of a data folder as one time line of steps.

A step is every moment at which something is due: a bar or its repetition (fill-forward), open interest, a split, a
dividend, a delisting, a chain's daily selection, a subscription that has just begun. Rules of LEAN
`Engine/DataFeeds/SubscriptionSynchronizer.cs`, `FileSystemDataFeed.cs`, `Enumerators/FillForwardEnumerator.cs`,
`Enumerators/DelistingEventProvider.cs`; times are microseconds of UTC inside and aware datetimes outside.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from workbench.engine.bars import BaseData, Delisting
from workbench.engine.enums import DelistingType, Resolution, SecurityType, TickType
from workbench.engine.exceptions import unsupported
from workbench.engine.feed.absent import never_seen
from workbench.engine.feed.blocks import NEVER, Block, Track
from workbench.engine.feed.caches import FeedCache, to_local, to_microseconds, to_utc
from workbench.engine.feed.factors import END_OF_TIME, MapFiles
from workbench.engine.feed.groups import DAY, Group, utc_midnight
from workbench.engine.feed.pricer import Pricer
from workbench.engine.feed.readers import ZipFiles
from workbench.engine.feed.steps import Step, Universe
from workbench.engine.feed.symbol_files import SymbolFiles
from workbench.engine.feed_contract import SecurityChanges, SubscriptionDataConfig
from workbench.engine.hours import SecurityExchangeHours
from workbench.engine.hours_database import MarketHoursDatabase
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.chains import OptionContract
    from workbench.engine.feed_contract import FeedHost
    from workbench.engine.options import Option
    from workbench.engine.pricing import PriceModelResult
    from workbench.engine.securities import Security

NEW_YORK: Final = ZoneInfo("America/New_York")
_SORT: Final = {SecurityType.EQUITY: 1, SecurityType.OPTION: 2, SecurityType.INDEX: 9, SecurityType.INDEX_OPTION: 10}


class Feed(SymbolFiles):
    """Files of a data folder as one time line.

    Args:
        data: the data folder.
        hours: market hours.
        map_files: tickers over time.
        host: the core, which makes and removes the securities a chain's filter selects.
        zone: the algorithm's time zone, for the time of slices.
        warn: called with one line about a file that is not there.
        utc: the algorithm's present time; between two steps it is earlier than the step that has been handed out.
    """

    def __init__(self, data: Path, hours: MarketHoursDatabase, map_files: MapFiles, host: FeedHost | None = None,
                 zone: ZoneInfo = NEW_YORK, warn: Callable[[str], None] | None = None,
                 utc: Callable[[], datetime] | None = None) -> None:
        super().__init__(data, hours, map_files)
        self.host = host
        self.zone = zone
        self.zips = ZipFiles()
        self.now = -1
        self.version = 0
        self.tracks: dict[TickType, dict[Symbol, Track]] = {kind: {} for kind in TickType}
        self.groups: dict[Any, Group] = {}
        self.ordered: dict[TickType, list[Group]] = {kind: [] for kind in TickType}
        self._local: tuple[int, ZoneInfo, datetime] | None = None
        self.pricer = Pricer(self)
        self._warn = warn or (lambda _: None)
        self._utc = utc
        self._warned = 0
        self._caches: dict[Symbol, FeedCache] = {}
        self._universes: dict[Symbol, Universe] = {}
        self.asked: dict[Symbol, list[Track]] = {}
        self.chains: list[Universe] = []
        self._times: set[int] = set()
        self._queue: list[int] = []
        self._auxiliary: list[tuple[int, int, str, int, BaseData]] = []
        self._sequence = 0
        self._added: list[Security] = []
        self._removed: list[Security] = []
        self._present = -1
        self._start = self._end = 0
        self.first_day = self.last_day = date.min
        self._selecting = False
        self._blocks = 0
        self._seen_blocks = 0

    # -- subscriptions ----------------------------------------------------------------------------------------

    def add(self, security: Security, configs: list[SubscriptionDataConfig]) -> None:
        """Subscribe from the present step on; sets the security's cache and subscriptions.

        Raises:
            NotImplementedError: a resolution other than minute.
        """
        symbol = security.symbol
        known = {(c.resolution, c.tick_type) for c in security.subscriptions}
        security.subscriptions = [*security.subscriptions,
                                  *(c for c in configs if (c.resolution, c.tick_type) not in known)]
        security.cache = self.cache_of(symbol)
        if symbol.is_canonical():
            return
        fresh = []
        for config in configs:
            if config.resolution != Resolution.MINUTE:
                raise unsupported(f"A subscription with Resolution.{config.resolution}")
            if symbol in self.tracks[config.tick_type]:
                continue
            fresh.append(self._track(symbol, config))
        if not fresh:
            return
        if self._present < 0:
            self.asked.setdefault(symbol, []).extend(track for _, track in fresh)
        if security not in self._added:
            self._added.append(security)
        if self._present >= 0:
            self._due(self._present)
            for group, track in fresh:
                self._join(group, [track])

    def _track(self, symbol: Symbol, config: SubscriptionDataConfig) -> tuple[Group, Track]:
        start = -1
        if self._present >= 0:
            start = self._present
            if not self._selecting:
                start = self._algorithm_time() + 1
        track = Track(symbol, config.tick_type, start, int(config.data_normalization_mode), config.is_internal_feed)
        group = self._group_of(symbol, config)
        group.add(track, config)
        self.tracks[config.tick_type][symbol] = track
        self.cache_of(symbol).bind(track)
        return group, track

    def _group_of(self, symbol: Symbol, config: SubscriptionDataConfig) -> Group:
        root = symbol.canonical if symbol.has_canonical() else symbol
        key = (root, symbol.id.option_style if symbol.has_canonical() else None, config.tick_type,
               config.fill_forward, config.extended_market_hours)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(self, root, config, self.hours.entry_of(symbol),
                                             (_SORT[symbol.security_type], int(config.tick_type)))
            self.ordered = {kind: sorted((g for g in self.groups.values() if g.tick_type == kind),
                                         key=lambda g: g.order) for kind in TickType}
        return group

    def add_chain(self, option: Option) -> None:
        """Subscribe the universe of a canonical option whose `contract_filter` selects from it every day."""
        if option.symbol in self._universes:
            return
        universe = Universe(self, option, self.hours.entry_of(option.symbol))
        self._universes[option.symbol] = universe
        self.chains.append(universe)
        option.cache = self.cache_of(option.symbol)
        if self._present >= 0:
            universe.begin(self._present, self._end)
            self._due(self._present)

    def remove(self, symbol: Symbol) -> None:
        """End the subscriptions of a symbol, or of a chain and the contracts that only it wanted."""
        universe = self._universes.pop(symbol, None)
        if universe is not None and self.host is not None:
            for contract in list(universe.selected):
                self._deselect(universe, contract)
        for tracks in self.tracks.values():
            track = tracks.pop(symbol, None)
            if track is not None:
                track.removed = True
                for group in self.groups.values():
                    group.remove(track, self._present)

    def cache_of(self, symbol: Symbol) -> FeedCache:
        """The price cache of a symbol, which follows the feed's steps."""
        cache = self._caches.get(symbol)
        if cache is None:
            zone = self.hours.entry_of(symbol).exchange_hours.time_zone
            cache = self._caches[symbol] = FeedCache(self, symbol, zone)
        return cache

    def seed(self, security: Security) -> None:
        """Give a security without a price its last bars before now (LEAN `AlgorithmUtils.SeedSecurities`)."""
        symbol = security.symbol
        cache = self.cache_of(symbol)
        if self.host is None or cache.price:
            return
        from workbench.engine.history import seed
        trade, quote = seed(self.host, symbol, to_utc(self._algorithm_time()))  # type: ignore[arg-type]
        if trade is not None:
            end = to_microseconds(trade.end_time.replace(tzinfo=cache.zone))
            cache.seed(TickType.TRADE, [trade.open, trade.high, trade.low, trade.close, trade.volume], end)
        if quote is not None:
            cache.seed(TickType.QUOTE, list(quote._row), to_microseconds(quote.end_time.replace(tzinfo=cache.zone)))

    def _algorithm_time(self) -> int:
        """The algorithm's present: in an event between two steps it is earlier than the step handed out last."""
        if self._utc is not None:
            return to_microseconds(self._utc())
        clock = getattr(self.host, "clock", None)
        return self._present if clock is None else to_microseconds(clock.utc)

    def open_interest(self, track: Track) -> float:
        """Number of open contracts known now."""
        block = track.block
        if block is None:
            return 0.0
        row = block.known_row(track.column, self.now)
        return float(block.rows[row, 0]) if row >= 0 else 0.0

    # -- time line --------------------------------------------------------------------------------------------

    def steps(self, start: datetime, end: datetime) -> Iterator[Step]:
        """Time steps between two UTC times, ascending; a chain's selection comes after a time pulse."""
        self._start, self._end = to_microseconds(start), to_microseconds(end)
        self.last_day = to_local(self._end, self.zone).date()
        self._present = self._start
        day = self.first_day = to_local(self._start, self.zone).date()
        for group in self.groups.values():
            for track in group.waiting:
                track.start = max(track.start, self._start)
        for universe in self._universes.values():
            universe.begin(self._start, self._end)
        self._due(self._start)
        for group in self.groups.values():
            group.begin(day - DAY)
        last = -1
        while True:
            moment = self._next()
            if moment is None:
                break
            again = moment == last
            last = self._present = moment
            universes = [u for u in self._universes.values() if u.next_time <= moment]
            if universes:
                yield Step(self, moment, is_time_pulse=True)
                self._selecting = True
                for universe in universes:
                    self._select(universe, moment)
                self._selecting = False
            first_block = self._seen_blocks if again else 0
            self._seen_blocks = self._blocks
            yield self._step(moment, first_block)
        self.zips.close()

    def _next(self) -> int | None:
        """Next moment at which something is due, after reading the days it may lie in."""
        while True:
            moment = min(self._queue[0] if self._queue else NEVER,
                         min((u.next_time for u in self._universes.values()), default=NEVER),
                         self._auxiliary[0][0] if self._auxiliary else NEVER)
            behind = [group for group in self.groups.values()
                      if group.loaded < self.last_day and group.next_midnight <= moment]
            if not behind:
                break
            for group in behind:
                self._publish(group.load(group.loaded + DAY))
            self._tell_missing()
        if moment == NEVER:
            return None
        while self._queue and self._queue[0] <= moment:
            self._times.discard(heappop(self._queue))
        return max(moment, self._present)

    def _due(self, moment: int) -> None:
        if moment not in self._times:
            self._times.add(moment)
            heappush(self._queue, moment)

    def _join(self, group: Group, tracks: list[Track]) -> None:
        """Read the present day for tracks that begin in mid-run."""
        if group.loaded == date.min:
            group.begin(to_local(self._present, group.zone).date())
        self._publish(group.load_for(tracks, group.loaded))
        self._tell_missing()

    def _publish(self, block: Block | None) -> None:
        if block is None:
            return
        self._blocks += 1
        block.sequence = self._blocks
        for moment in block.emission_times().tolist():
            if moment > self._present:
                self._due(moment)

    def auxiliary(self, moment: int, event: BaseData, order: int) -> None:
        """Emit an event at a moment."""
        self._sequence += 1
        heappush(self._auxiliary, (moment, order, event.symbol.value, self._sequence, event))

    def _tell_missing(self) -> None:
        missing = self.zips.missing
        while self._warned < len(missing):
            self._warn(f"No data: {missing[self._warned]} does not exist")
            self._warned += 1

    # -- steps ------------------------------------------------------------------------------------------------

    def _step(self, moment: int, first_block: int) -> Step:
        events = []
        while self._auxiliary and self._auxiliary[0][0] <= moment:
            event = heappop(self._auxiliary)[-1]
            kind = self.tracks[TickType.TRADE].get(event.symbol)
            if kind is not None and not kind.removed:
                events.append(event)
        changes = None
        if self._added or self._removed:
            changes = SecurityChanges(self._added, self._removed)
            self._added, self._removed = [], []
        return Step(self, moment, events=events, changes=changes, first_block=first_block)

    def local(self, moment: int) -> datetime:
        """A moment in the algorithm's time zone."""
        known = self._local
        if known is None or known[0] != moment or known[1] is not self.zone:
            known = self._local = (moment, self.zone, to_local(moment, self.zone))
        return known[2]

    def move_to(self, moment: int) -> None:
        """Make a moment the present of all caches."""
        self.now = moment
        self.version += 1

    # -- chains -----------------------------------------------------------------------------------------------

    def _select(self, universe: Universe, moment: int) -> None:
        data = universe.take(moment)
        if data is None or self.host is None or moment > self._end:  # nothing is chosen after the last day
            return
        chosen = universe.apply_filter(data, to_local(moment, universe.zone))
        wanted = set(chosen)
        for contract in [c for c in universe.selected if c not in wanted]:
            self._deselect(universe, contract)
        fresh: dict[Group, list[Track]] = {}
        for contract in chosen:
            if contract in universe.selected:
                continue
            security = self.host.add_universe_security(universe.option, contract)
            universe.selected.add(contract)
            if contract not in self.tracks[TickType.QUOTE]:
                self._subscribe(security, fresh)
        for group, tracks in fresh.items():
            self._join(group, tracks)

    def _subscribe(self, security: Security, fresh: dict[Group, list[Track]]) -> None:
        security.cache = self.cache_of(security.symbol)
        for config in security.subscriptions:
            group, track = self._track(security.symbol, config)
            fresh.setdefault(group, []).append(track)
        if security not in self._added:
            self._added.append(security)

    def _deselect(self, universe: Universe, contract: Symbol) -> None:
        assert self.host is not None
        removed = self.host.remove_universe_security(universe.option, contract)
        universe.selected.discard(contract)
        if removed is not None:
            self.remove(contract)
            self._caches.pop(contract, None)  # chosen again it starts without a price, as in LEAN
            self._removed.append(removed)

    def price_contract(self, contract: OptionContract) -> PriceModelResult:
        """Volatility, greeks and theoretical price of a contract at its security's present price."""
        return self.pricer.price(contract)

    def never_seen(self) -> list[str]:
        """One line for each subscription of `initialize` of which the run's files hold nothing."""
        return never_seen(self)

    def missing(self, path: Path) -> None:
        """Note a file that is not there."""
        if path not in self.zips.missing:
            self.zips.missing.append(path)
            self._tell_missing()

    # -- the end of a symbol ----------------------------------------------------------------------------------

    def last_trading_day_after(self, day: date, hours: SecurityExchangeHours) -> bool:
        """Whether the run still has a trading day after a date."""
        following = day + DAY
        while following <= self.last_day:
            if hours.is_date_open(following):
                return True
            following += DAY
        return False

    def announce_end(self, track: Track, hours: SecurityExchangeHours, zone: ZoneInfo) -> int:
        """Emit a symbol's delisting warning and delisting; returns the moment its data ends."""
        day = self.delisting_date(track.symbol, hours)
        if day > self.last_day or day >= END_OF_TIME:
            return NEVER
        order = _SORT[track.symbol.security_type]
        midnight = datetime(day.year, day.month, day.day)
        self.auxiliary(utc_midnight(day, zone), Delisting(track.symbol, midnight, 0.0, DelistingType.WARNING), order)
        ends = utc_midnight(day + DAY, zone)
        if self.last_trading_day_after(day, hours):
            self.auxiliary(ends, Delisting(track.symbol, midnight + DAY, 0.0, DelistingType.DELISTED), order)
        return ends

