"""Past bars: frames, bars and slices an algorithm asks for.

Minute bars come from the same feed as the run, started at the first requested minute, so that what is repeated and what
is missing is the same. Sources: LEAN `Algorithm/QCAlgorithm.History.cs`, `Common/Time.cs` (`GetStartTimeForTradeBars`),
`Common/Python/PandasConverter.cs`.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.bars import BaseData, QuoteBar, TradeBar
from workbench.engine.enums import DataNormalizationMode, Resolution, SecurityType, TickType
from workbench.engine.exceptions import ArgumentException, unsupported
from workbench.engine.feed import paths
from workbench.engine.feed.caches import to_local, to_microseconds, to_utc
from workbench.engine.feed.groups import open_minutes
from workbench.engine.feed.subscriptions import Feed
from workbench.engine.feed_contract import SubscriptionDataConfig
from workbench.engine.hours import SecurityExchangeHours
from workbench.engine.slices import Slice
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine

DAY: Final = timedelta(days=1)
_OPTIONS: Final = (SecurityType.OPTION, SecurityType.INDEX_OPTION)
_KINDS: Final = {SecurityType.EQUITY: (TickType.TRADE, TickType.QUOTE), SecurityType.INDEX: (TickType.TRADE,),
                 SecurityType.OPTION: (TickType.TRADE, TickType.QUOTE),
                 SecurityType.INDEX_OPTION: (TickType.TRADE, TickType.QUOTE)}
_OF_TYPE: Final[dict[type, TickType]] = {TradeBar: TickType.TRADE, QuoteBar: TickType.QUOTE}
_SEED_MINUTES: Final = 24 * 60


class _Wanted:
    """A subscription of a history request."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.subscriptions: list[SubscriptionDataConfig] = []
        self.cache: Any = None


class Request:
    """What a history call asks for, with the call's forms resolved."""

    def __init__(self, engine: Engine, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        rest = list(args)
        self.data_type: type | None = kwargs.pop("type", None)
        if rest and isinstance(rest[0], type):
            self.data_type = rest.pop(0)
        if self.data_type is not None and self.data_type not in _OF_TYPE:
            raise unsupported(f"history({self.data_type.__name__}, ...)")
        symbols = next((kwargs.pop(n) for n in ("symbol", "symbols", "tickers", "ticker") if n in kwargs), None)
        if symbols is None and rest and not isinstance(rest[0], (int, timedelta, datetime)):
            symbols = rest.pop(0)
        self.as_slices = symbols is None
        self.symbols = ([s.symbol for s in engine.securities.values if not s.symbol.is_canonical()]
                        if symbols is None else _symbols(engine, symbols))
        self.periods: int | None = kwargs.pop("periods", None)
        self.span: timedelta | None = kwargs.pop("span", None)
        self.start: datetime | None = kwargs.pop("start", None)
        self.end: datetime | None = kwargs.pop("end", None)
        self.resolution: Resolution | None = kwargs.pop("resolution", None)
        self.fill_forward: bool = bool(kwargs.pop("fill_forward", None) in (None, True))
        self.extended: bool | None = kwargs.pop("extended_market_hours", None)
        self.mode: DataNormalizationMode | None = kwargs.pop("data_normalization_mode", None)
        if kwargs.pop("flatten", False):
            raise unsupported("history(flatten=True)")
        for value in rest:
            if isinstance(value, Resolution):
                self.resolution = value
            elif isinstance(value, bool):
                self.fill_forward = value
            elif isinstance(value, int):
                self.periods = value
            elif isinstance(value, timedelta):
                self.span = value
            elif isinstance(value, datetime):
                if self.start is None:
                    self.start = value
                else:
                    self.end = value
            else:
                raise TypeError(f"No method matches given arguments for History: {value!r}")
        if kwargs:
            raise unsupported(f"history({', '.join(f'{name}=...' for name in kwargs)})")
        if self.periods is None and self.span is None and self.start is None:
            raise TypeError(
                "No method matches given arguments for History: give periods, a timedelta, or start and end")
        if self.periods is not None and self.periods < 0:
            raise ArgumentException("The number of bars must not be negative")


def _symbols(engine: Engine, given: Any) -> list[Symbol]:
    listed = list(given) if isinstance(given, (list, tuple, set)) else [given]
    return [engine.symbol_of(item) for item in listed]


class HistoryProvider:
    """Answers history calls of one run; nothing after the algorithm's present time is read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def history(self, *args: Any, **kwargs: Any) -> Any:
        """Answer a history call.

        Forms: `history([type,] symbols, periods | timedelta | start, end, resolution)` gives a frame;
        `history(periods | timedelta, resolution)` gives the slices of all securities.
        """
        request = Request(self._engine, args, kwargs)
        now = self._engine.clock.utc
        resolution = request.resolution if request.resolution is not None else Resolution.MINUTE
        if resolution == Resolution.MINUTE:
            slices = self._minutes(request, now)
        elif resolution in (Resolution.HOUR, Resolution.DAILY):
            slices = self._long_bars(request, now, resolution)
        else:
            raise unsupported(f"history(..., Resolution.{resolution})")
        return slices if request.as_slices else to_frame(slices, request.symbols, request.data_type)

    # -- minute -----------------------------------------------------------------------------------------------

    def _minutes(self, request: Request, now: datetime) -> list[Slice]:
        if not request.symbols:
            return []
        end = self._moment(request.end) if request.end is not None else now
        stop = min(to_microseconds(end), to_microseconds(now))
        feed = self._feed()
        begins: list[int] = []
        for symbol in request.symbols:
            hours = feed.hours.entry_of(symbol).exchange_hours
            extended = self._extended(symbol, request)
            if request.periods is not None:
                begin = minutes_back(hours, stop, request.periods, extended)
            elif request.span is not None:
                begin = to_microseconds(end - request.span)
            else:
                assert request.start is not None
                begin = to_microseconds(self._moment(request.start))
            begins.append(begin)
        for symbol in request.symbols:
            kinds = (_KINDS[symbol.security_type] if request.data_type is None else (_OF_TYPE[request.data_type],))
            feed.add(_Wanted(symbol), [  # type: ignore[arg-type]
                SubscriptionDataConfig(symbol, Resolution.MINUTE, kind, fill_forward=request.fill_forward,
                                       extended_market_hours=self._extended(symbol, request),
                                       data_normalization_mode=self._mode(symbol, request))
                for kind in kinds if kind in _KINDS[symbol.security_type]])
        for tracks in feed.tracks.values():
            for symbol, begin in zip(request.symbols, begins, strict=True):
                if symbol in tracks:
                    tracks[symbol].start = begin + 1
        slices = []
        for step in feed.steps(to_utc(min(begins)), to_utc(stop)):
            if step.moment > stop:
                break
            feed.move_to(step.moment)
            piece = step.slice
            if piece.bars.count or piece.quote_bars.count:
                slices.append(piece)
        feed.zips.close()
        return slices

    def _feed(self) -> Feed:
        engine = self._engine
        return Feed(engine.data, engine.hours, engine.map_files, None, engine.feed.zone)

    def _moment(self, time: datetime) -> datetime:
        """Aware time of an algorithm's time."""
        return time if time.tzinfo is not None else time.replace(tzinfo=self._engine.feed.zone)

    def _extended(self, symbol: Symbol, request: Request) -> bool:
        if request.extended is not None:
            return request.extended
        security = self._engine.securities.find(symbol)
        return security is not None and security.is_extended_market_hours

    def _mode(self, symbol: Symbol, request: Request) -> DataNormalizationMode:
        if symbol.security_type != SecurityType.EQUITY:
            return DataNormalizationMode.RAW
        if request.mode is not None:
            return request.mode
        security = self._engine.securities.find(symbol)
        if security is not None and security.subscriptions:
            return DataNormalizationMode(security.subscriptions[0].data_normalization_mode)
        return self._engine.universe_settings.data_normalization_mode

    # -- hour and day -----------------------------------------------------------------------------------------

    def _long_bars(self, request: Request, now: datetime, resolution: Resolution) -> list[Slice]:
        """Hour or daily trade bars of stocks and indices; a daily bar lasts from open to close."""
        engine = self._engine
        per_symbol: dict[Symbol, list[TradeBar]] = {}
        for symbol in request.symbols:
            if symbol.security_type in _OPTIONS:
                raise unsupported(f"history of options with Resolution.{resolution}")
            if request.data_type is QuoteBar:
                raise unsupported(f"history(QuoteBar, ..., Resolution.{resolution})")
            hours = engine.hours.entry_of(symbol).exchange_hours
            bars = self._read_long(symbol, resolution, hours, self._mode(symbol, request))
            local = now.astimezone(hours.time_zone).replace(tzinfo=None)
            if request.end is not None:
                last = self._moment(request.end).astimezone(hours.time_zone).replace(tzinfo=None)
                local = min(local, last)
            bars = [bar for bar in bars if bar.end_time <= local]
            if request.periods is not None:
                bars = bars[len(bars) - request.periods:] if request.periods <= len(bars) else bars
            else:
                first = (local - request.span if request.span is not None else
                         self._moment(request.start or local).astimezone(hours.time_zone).replace(tzinfo=None))
                bars = [bar for bar in bars if bar.end_time > first]
            per_symbol[symbol] = bars
        return _slices_of(per_symbol)

    def _read_long(self, symbol: Symbol, resolution: Resolution, hours: SecurityExchangeHours,
                   mode: DataNormalizationMode) -> list[TradeBar]:
        feed = self._engine.feed
        scale = paths.price_scale(symbol.security_type)
        factors = feed.factor_file(symbol) if symbol.security_type == SecurityType.EQUITY else None
        mapped = feed.map_file(symbol)
        tickers = list(dict.fromkeys(ticker.lower() for _, ticker in mapped.rows)) or [symbol.value.lower()]
        bars = []
        for ticker in tickers:
            path = paths.zip_path(feed.data, symbol, ticker, date.min, resolution, TickType.TRADE)
            name = paths.entry_name(symbol, ticker, date.min, resolution, TickType.TRADE)
            for time, row in feed.zips.read_dated(path, name):
                day = time.date()
                if mapped.rows and mapped.ticker_at(day, ticker).lower() != ticker:
                    continue
                start, end = time, time + timedelta(hours=1)
                if resolution == Resolution.DAILY:
                    segments = hours.get_market_hours(day).usable(False)
                    if not segments:
                        continue
                    start, end = time + segments[0].start, time + segments[-1].end
                elif not hours.is_open(start, end, False):
                    continue
                factor = 1.0 if factors is None else factors.price_scale(day, mode)[0]
                o, h, low, c = (value / scale * factor for value in row[:4])
                volume = row[4] if factor == 1.0 else float(round(row[4] / factor))
                bars.append(TradeBar(start, symbol, o, h, low, c, volume, end_time=end))
        feed._tell_missing()
        return sorted(bars, key=lambda bar: bar.end_time)


def minutes_back(hours: SecurityExchangeHours, end: int, count: int, extended: bool) -> int:
    """Start of the minute that is `count` open minutes before a moment, microseconds of UTC."""
    left = count
    day = to_local(end, hours.time_zone).date()
    for _ in range(3660):
        minutes = open_minutes(hours, day, extended)
        minutes = minutes[minutes <= end]
        if minutes.size >= left > 0:
            return int(minutes[minutes.size - left]) - 60_000_000
        left -= int(minutes.size)
        day -= DAY
    return end


def _slices_of(per_symbol: dict[Symbol, list[TradeBar]]) -> list[Slice]:
    from workbench.engine.slices import TradeBars
    by_time: dict[datetime, dict[Symbol, TradeBar]] = {}
    for symbol, bars in per_symbol.items():
        for bar in bars:
            by_time.setdefault(bar.end_time, {})[symbol] = bar
    return [Slice(time, time, bars=TradeBars(found, time)) for time, found in sorted(by_time.items())]


def seed(engine: Engine, symbol: Symbol, stop: datetime) -> tuple[TradeBar | None, QuoteBar | None]:
    """Last trade and quote of the last day's worth of open minutes (LEAN `GetLastKnownPrices`)."""
    provider = HistoryProvider(engine)
    trade: TradeBar | None = None
    quote: QuoteBar | None = None
    request = Request(engine, (symbol, _SEED_MINUTES), {"fill_forward": False})
    for piece in provider._minutes(request, stop):
        trade = piece.bars.get(symbol) or trade
        quote = piece.quote_bars.get(symbol) or quote
    return trade, quote


# -- frames ---------------------------------------------------------------------------------------------------------

def _trade_cells(bar: TradeBar) -> dict[str, float]:
    return {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "volume": bar.volume}


def _quote_cells(bar: QuoteBar) -> dict[str, float]:
    cells = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close}
    for side, name, size in ((bar.bid, "bid", bar.last_bid_size), (bar.ask, "ask", bar.last_ask_size)):
        if side is not None:
            cells |= {f"{name}open": side.open, f"{name}high": side.high, f"{name}low": side.low,
                      f"{name}close": side.close}
        cells[f"{name}size"] = size
    return cells


def _index_of(symbol: Symbol, end: datetime) -> tuple[Any, ...]:
    if symbol.security_type in _OPTIONS:
        right = "Put" if symbol.id.option_right else "Call"
        return symbol.id.date, symbol.id.strike_price, right, symbol, end
    return symbol, end


def to_frame(slices: Iterable[Slice], symbols: Sequence[Symbol], data_type: type | None) -> Any:
    """Bars as a frame indexed by symbol and end time; a contract also by expiry, strike and type.

    Where a symbol has trades and quotes, open, high, low and close are the trades'.
    """
    import pandas as pd
    rows: dict[Symbol, dict[datetime, dict[str, float]]] = {symbol: {} for symbol in symbols}
    for piece in slices:
        for symbol in rows:
            found: list[tuple[BaseData, dict[str, float]]] = []
            quote = piece.quote_bars.get(symbol) if data_type is not TradeBar else None
            trade = piece.bars.get(symbol) if data_type is not QuoteBar else None
            if quote is not None:
                found.append((quote, _quote_cells(quote)))
            if trade is not None:
                found.append((trade, _trade_cells(trade)))
            for bar, cells in found:
                rows[symbol].setdefault(bar.end_time, {}).update(cells)
    filled = [(symbol, end, cells) for symbol, times in rows.items() for end, cells in times.items()]
    if not filled:
        return pd.DataFrame()
    options = {symbol.security_type in _OPTIONS for symbol, _, _ in filled}
    if len(options) > 1:
        raise unsupported("history of options together with other securities")
    names = ["expiry", "strike", "type", "symbol", "time"] if options.pop() else ["symbol", "time"]
    index = pd.MultiIndex.from_tuples([_index_of(symbol, end) for symbol, end, _ in filled], names=names)
    frame = pd.DataFrame([cells for _, _, cells in filled], index=index)
    return frame[sorted(frame.columns)]
