"""Data points an algorithm sees: bars of trades and quotes, open interest, splits, dividends, delistings.

Prices are dollars per share, sizes are shares or contracts, times are naive and in the exchange's time zone, as in
LEAN (`Common/Data/Market/*.cs`). Points are read-only by convention: the feed hands the same object to everybody.
"""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from workbench.engine.enums import DelistingType, MarketDataType, SplitType, TickType

if TYPE_CHECKING:
    from workbench.engine.symbols import Symbol

ONE_MINUTE: Final = timedelta(minutes=1)


class Bar:
    """Open, high, low and close of one side of the market."""

    __slots__ = ("close", "high", "low", "open")

    def __init__(self, open: float = 0.0, high: float = 0.0, low: float = 0.0, close: float = 0.0) -> None:
        self.open = open
        self.high = high
        self.low = low
        self.close = close

    def __repr__(self) -> str:
        return f"Bar({self.open}, {self.high}, {self.low}, {self.close})"


class BaseData:
    """One data point of one symbol."""

    __slots__ = ("end_time", "is_fill_forward", "symbol", "time", "value")

    data_type: ClassVar[MarketDataType] = MarketDataType.BASE
    symbol: Symbol
    time: datetime
    end_time: datetime
    value: float

    def __init__(self, symbol: Symbol, time: datetime, end_time: datetime | None = None, value: float = 0.0,
                 is_fill_forward: bool = False) -> None:
        self.symbol = symbol
        self.time = time
        self.end_time = time if end_time is None else end_time
        self.value = value
        self.is_fill_forward = is_fill_forward

    @property
    def price(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.symbol.value} {self.end_time} {self.value})"


class TradeBar(BaseData):
    """Open, high, low, close and volume of the trades of one period."""

    __slots__ = ("close", "high", "low", "open", "volume")

    data_type = MarketDataType.TRADE_BAR

    def __init__(self, time: datetime, symbol: Symbol, open: float, high: float, low: float, close: float,
                 volume: float, period: timedelta = ONE_MINUTE, *, end_time: datetime | None = None,
                 is_fill_forward: bool = False) -> None:
        self.symbol = symbol
        self.time = time
        self.end_time = time + period if end_time is None else end_time
        self.open = open
        self.high = high
        self.low = low
        self.close = self.value = close
        self.volume = volume
        self.is_fill_forward = is_fill_forward

    @property
    def period(self) -> timedelta:
        return self.end_time - self.time

    def __str__(self) -> str:
        return (f"{self.symbol}: O: {self.open:g} H: {self.high:g} L: {self.low:g} C: {self.close:g} "
                f"V: {self.volume:g}")


def _mid(bid: float, ask: float) -> float:
    """Middle of two prices, or the one that is there; 0 when neither is."""
    if bid and ask:
        return round((bid + ask) / 2, 10)
    return bid or ask


class QuoteBar(BaseData):
    """Bid and ask of one period; a side without quotes is None.

    `open`, `high`, `low`, `close` are the middle of both sides, or the side that exists.
    """

    __slots__ = ("_ask", "_bid", "_row")

    data_type = MarketDataType.QUOTE_BAR

    def __init__(self, time: datetime, symbol: Symbol, bid: Bar | None, last_bid_size: float, ask: Bar | None,
                 last_ask_size: float, period: timedelta = ONE_MINUTE, *, end_time: datetime | None = None,
                 is_fill_forward: bool = False) -> None:
        b = (bid.open, bid.high, bid.low, bid.close, last_bid_size) if bid else (0.0, 0.0, 0.0, 0.0, 0.0)
        a = (ask.open, ask.high, ask.low, ask.close, last_ask_size) if ask else (0.0, 0.0, 0.0, 0.0, 0.0)
        self.symbol = symbol
        self.time = time
        self.end_time = time + period if end_time is None else end_time
        self._row: Sequence[float] = (*b, *a)
        self._bid: Bar | None = bid
        self._ask: Bar | None = ask
        self.is_fill_forward = is_fill_forward

    @classmethod
    def of_row(cls, symbol: Symbol, row: Sequence[float], time: datetime, end_time: datetime,
               is_fill_forward: bool = False) -> QuoteBar:
        """Make a bar from `bid open, high, low, close, size, ask open, high, low, close, size`; 0 = no quote."""
        bar = cls.__new__(cls)
        bar.symbol = symbol
        bar.time = time
        bar.end_time = end_time
        bar._row = row
        bar._bid = bar._ask = None
        bar.is_fill_forward = is_fill_forward
        return bar

    @property
    def bid(self) -> Bar | None:
        if self._bid is None:
            row = self._row
            if row[0] or row[1] or row[2] or row[3]:
                self._bid = Bar(row[0], row[1], row[2], row[3])
        return self._bid

    @property
    def ask(self) -> Bar | None:
        if self._ask is None:
            row = self._row
            if row[5] or row[6] or row[7] or row[8]:
                self._ask = Bar(row[5], row[6], row[7], row[8])
        return self._ask

    @property
    def last_bid_size(self) -> float:
        return self._row[4]

    @property
    def last_ask_size(self) -> float:
        return self._row[9]

    @property
    def open(self) -> float:
        return _mid(self._row[0], self._row[5])

    @property
    def high(self) -> float:
        return _mid(self._row[1], self._row[6])

    @property
    def low(self) -> float:
        return _mid(self._row[2], self._row[7])

    @property
    def close(self) -> float:
        return _mid(self._row[3], self._row[8])

    @property
    def value(self) -> float:  # type: ignore[override]
        return _mid(self._row[3], self._row[8])

    @property
    def price(self) -> float:
        return _mid(self._row[3], self._row[8])

    @property
    def period(self) -> timedelta:
        return self.end_time - self.time

    def __str__(self) -> str:
        b, a = self.bid or Bar(), self.ask or Bar()
        return (f"{self.symbol}: Bid: O: {b.open:g} Bid: H: {b.high:g} Bid: L: {b.low:g} Bid: C: {b.close:g} "
                f"Ask: O: {a.open:g} Ask: H: {a.high:g} Ask: L: {a.low:g} Ask: C: {a.close:g} ")


class Tick(BaseData):
    """A single trade or quote; the embedded engine hands ticks out for open interest only."""

    __slots__ = ("ask_price", "ask_size", "bid_price", "bid_size", "quantity")

    data_type = MarketDataType.TICK
    tick_type: ClassVar[TickType] = TickType.TRADE


class OpenInterest(Tick):
    """Number of open contracts as of a time."""

    __slots__ = ()

    tick_type = TickType.OPEN_INTEREST


class Split(BaseData):
    """A stock split: old price x `split_factor` = new price."""

    __slots__ = ("reference_price", "split_factor", "type")

    data_type = MarketDataType.AUXILIARY

    def __init__(self, symbol: Symbol, date: datetime, price: float, split_factor: float, type: SplitType) -> None:
        super().__init__(symbol, date, date, price)
        self.reference_price = price
        self.split_factor = split_factor
        self.type = type


class Dividend(BaseData):
    """A cash dividend in dollars per share."""

    __slots__ = ("distribution", "reference_price")

    data_type = MarketDataType.AUXILIARY

    def __init__(self, symbol: Symbol, date: datetime, distribution: float, reference_price: float) -> None:
        super().__init__(symbol, date, date, distribution)
        self.distribution = distribution
        self.reference_price = reference_price


class Delisting(BaseData):
    """Last trading day reached (WARNING, at its first minute) or passed (DELISTED, the midnight after)."""

    __slots__ = ("ticket", "type")

    data_type = MarketDataType.AUXILIARY

    def __init__(self, symbol: Symbol, date: datetime, price: float, type: DelistingType) -> None:
        super().__init__(symbol, date, date, price)
        self.type = type
        self.ticket: object = None


class SymbolChangedEvent(BaseData):
    """A new ticker for the same security."""

    __slots__ = ("new_symbol", "old_symbol")

    data_type = MarketDataType.AUXILIARY

    def __init__(self, symbol: Symbol, date: datetime, old_symbol: str, new_symbol: str) -> None:
        super().__init__(symbol, date)
        self.old_symbol = old_symbol
        self.new_symbol = new_symbol
