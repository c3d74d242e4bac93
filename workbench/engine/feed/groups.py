"""Groups: the symbols whose bars lie in one file a day and follow the same hours."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.engine.enums import DataNormalizationMode, SecurityType, TickType
from workbench.engine.exceptions import unsupported
from workbench.engine.feed import paths
from workbench.engine.feed.blocks import NEVER, Block, Track
from workbench.engine.feed.caches import to_microseconds
from workbench.engine.feed.factors import FactorFile
from workbench.engine.feed.readers import OPEN_INTEREST_COLUMNS, QUOTE_COLUMNS, TRADE_COLUMNS, Floats, Ints
from workbench.engine.hours import SecurityExchangeHours
from workbench.engine.hours_database import MarketHoursEntry
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.feed.subscriptions import Feed
    from workbench.engine.feed_contract import SubscriptionDataConfig

DAY: Final = timedelta(days=1)
MINUTE_US: Final = 60_000_000
_COLUMNS: Final = {TickType.TRADE: TRADE_COLUMNS, TickType.QUOTE: QUOTE_COLUMNS,
                   TickType.OPEN_INTEREST: OPEN_INTEREST_COLUMNS}
_PRICES: Final = {TickType.TRADE: [0, 1, 2, 3], TickType.QUOTE: [0, 1, 2, 3, 5, 6, 7, 8], TickType.OPEN_INTEREST: []}
_SIZES: Final = {TickType.TRADE: [4], TickType.QUOTE: [4, 9], TickType.OPEN_INTEREST: []}


def utc_midnight(day: date, zone: ZoneInfo) -> int:
    """First moment of a day in a zone, microseconds of UTC."""
    return to_microseconds(datetime(day.year, day.month, day.day, tzinfo=zone))


def open_minutes(hours: SecurityExchangeHours, day: date, extended: bool) -> Ints:
    """End of every minute of a day that touches open hours, microseconds of UTC."""
    midnight = utc_midnight(day, hours.time_zone)
    pieces = [np.empty(0, dtype=np.int64)]
    done = 0
    for segment in hours.get_market_hours(day).usable(extended):
        first = max(done, int(segment.start.total_seconds() // 60))
        done = max(done, -int(-segment.end.total_seconds() // 60))
        pieces.append(np.arange(first + 1, done + 1, dtype=np.int64))
    return midnight + np.concatenate(pieces) * MINUTE_US


class Group:
    """Tracks of one kind of one file: a stock's trades, a chain's quotes."""

    def __init__(self, feed: Feed, root: Symbol, config: SubscriptionDataConfig, entry: MarketHoursEntry,
                 order: tuple[int, int]) -> None:
        self.feed = feed
        self.root = root
        self.tick_type = config.tick_type
        self.resolution = config.resolution
        self.fill_forward = config.fill_forward
        self.extended = config.extended_market_hours
        self.internal = config.is_internal_feed
        self.hours = entry.exchange_hours
        self.zone = entry.exchange_hours.time_zone
        self.data_zone = entry.data_time_zone
        self.order = order
        self.waiting: list[Track] = []
        self.blocks: list[Block] = []
        self.loaded = date.min
        self.next_midnight = NEVER
        self._configs: dict[Track, SubscriptionDataConfig] = {}
        self._ends: dict[Track, int] = {}
        self._factors: dict[Symbol, FactorFile] = {}

    def begin(self, day: date) -> None:
        """Note the last day that needs no reading; from `next_midnight` on the following one is needed."""
        self.loaded = day
        self.next_midnight = utc_midnight(day + DAY, self.zone)

    def add(self, track: Track, config: SubscriptionDataConfig) -> None:
        """Take a track in; its files are read with the next day or by `load_for`."""
        self._configs[track] = config
        self.waiting.append(track)

    def remove(self, track: Track, now: int) -> None:
        """Show a track no more."""
        if track not in self._configs:
            return
        if track.block is not None and now >= 0:
            track.block.drop(track.column, now)
        if track in self.waiting:
            self.waiting.remove(track)

    def load(self, day: date) -> Block | None:
        """Read a day of all tracks."""
        self.begin(day)
        midnight = utc_midnight(day, self.zone)
        for track in self.waiting:
            self._announce(track)
        self.waiting = [t for t in self.waiting if not t.removed and self._ends[t] > midnight]
        self.waiting.sort(key=lambda track: track.symbol.value)
        self._corporate_events(day, midnight)
        self.blocks = []
        return self._read(self.waiting, day)

    def load_for(self, tracks: Sequence[Track], day: date) -> Block | None:
        """Read a day of tracks that have just begun."""
        for track in tracks:
            self._announce(track)
        midnight = utc_midnight(day, self.zone)
        live = sorted((t for t in tracks if self._ends[t] > midnight), key=lambda track: track.symbol.value)
        return self._read(live, day)

    def _announce(self, track: Track) -> None:
        if track in self._ends:
            return
        feed = self.feed
        if self.tick_type == TickType.TRADE:
            self._ends[track] = feed.announce_end(track, self.hours, self.zone)
        else:
            last = feed.delisting_date(track.symbol, self.hours)
            self._ends[track] = NEVER if last.year >= 2050 else utc_midnight(last + DAY, self.zone)

    def _corporate_events(self, day: date, midnight: int) -> None:
        """Splits and dividends of a trading day, at its first moment."""
        if self.tick_type != TickType.TRADE or self.root.security_type != SecurityType.EQUITY:
            return
        if not self.hours.is_date_open(day):
            return
        previous = day - DAY
        while not self.hours.is_date_open(previous):
            previous -= DAY
        for track in self.waiting:
            if midnight < track.start - 86_400_000_000 or not self.feed.map_file(track.symbol).has_data(day):
                continue
            begun = utc_midnight(previous, self.zone) >= track.start
            last = track.carry_shown.row[3] if track.carry_shown is not None else 0.0
            for event in self._factor_file(track.symbol).events(track.symbol, day, previous if begun else None, last):
                self.feed.auxiliary(midnight, event, self.order[0])

    def _factor_file(self, symbol: Symbol) -> FactorFile:
        if symbol not in self._factors:
            self._factors[symbol] = self.feed.factor_file(symbol)
        return self._factors[symbol]

    # -- reading ----------------------------------------------------------------------------------------------

    def _read(self, tracks: Sequence[Track], day: date) -> Block | None:
        grid = open_minutes(self.hours, day, self.extended)
        if not tracks or not grid.size:
            return None
        feed = self.feed
        ticker = feed.ticker_at(self.root, day)
        sample = tracks[0].symbol
        path = paths.zip_path(feed.data, sample, ticker, day, self.resolution, self.tick_type)
        names = [paths.entry_name(t.symbol, ticker, day, self.resolution, self.tick_type) for t in tracks]
        raw, counts = feed.zips.read(path, names, _COLUMNS[self.tick_type])
        period = 0 if self.tick_type == TickType.OPEN_INTEREST else MINUTE_US
        ends = utc_midnight(day, self.data_zone) + raw[:, 0].astype(np.int64) * 1000 + period
        rows = raw[:, 1:]
        self._scale(rows, tracks, day)
        block = Block(tracks, rows, ends, counts, grid, self.fill_forward)
        self.blocks.append(block)
        return block

    def _scale(self, rows: Floats, tracks: Sequence[Track], day: date) -> None:
        """File units to dollars, then for splits and dividends."""
        prices: Any = _PRICES[self.tick_type]
        if not prices:
            return
        scale = paths.price_scale(self.root.security_type)
        if scale != 1.0:
            rows[:, prices] /= scale
        if self.root.security_type != SecurityType.EQUITY:
            return
        config = self._configs[tracks[0]]
        mode = DataNormalizationMode(config.data_normalization_mode)
        if mode not in (DataNormalizationMode.RAW, DataNormalizationMode.ADJUSTED,
                        DataNormalizationMode.SPLIT_ADJUSTED):
            raise unsupported(f"DataNormalizationMode.{mode}")
        factor, decimals = self._factor_file(self.root).price_scale(day, mode)
        config.price_decimals = 4 + decimals
        if factor != 1.0:
            sizes: Any = _SIZES[self.tick_type]
            rows[:, prices] *= factor
            rows[:, sizes] = np.round(rows[:, sizes] / factor)
