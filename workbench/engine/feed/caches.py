"""What a security knows of its market: computed from the block when somebody looks.

Rules of LEAN's `SecurityCache`: fill-forward bars are not kept; a zero never overwrites a price; a stock's price comes
from trades and its bid and ask from quotes; an option's price comes from the later of both, quotes first.
"""
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from workbench.engine.bars import QuoteBar, TradeBar
from workbench.engine.enums import SecurityType, TickType
from workbench.engine.feed.blocks import Track
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.feed.subscriptions import Feed

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)


def to_utc(microseconds: int) -> datetime:
    """Aware UTC time of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def to_local(microseconds: int, zone: ZoneInfo) -> datetime:
    """Naive wall-clock time in a zone."""
    return to_utc(microseconds).astimezone(zone).replace(tzinfo=None)


class FeedCache:
    """Last observations of one security at the feed's present step; every price is 0 before the first bar."""

    __slots__ = ("_ask", "_ask_size", "_bid", "_bid_size", "_feed", "_moment", "_ohlc", "_open_interest", "_quote",
                 "_quote_end", "_seeds", "_trade", "_trade_end", "_version", "_volume", "interest", "quotes", "symbol",
                 "trades", "zone")

    def __init__(self, feed: Feed, symbol: Symbol, zone: ZoneInfo) -> None:
        self._feed = feed
        self.symbol = symbol
        self.zone = zone
        self.trades: Track | None = None
        self.quotes: Track | None = None
        self.interest: Track | None = None
        self._moment = self._version = -1
        self._ohlc = (0.0, 0.0, 0.0, 0.0)
        self._volume = self._bid = self._ask = self._bid_size = self._ask_size = self._open_interest = 0.0
        self._trade_end = self._quote_end = -1
        self._trade: TradeBar | None = None
        self._quote: QuoteBar | None = None
        self._seeds: dict[TickType, tuple[list[float], int]] = {}

    def seed(self, tick_type: TickType, row: list[float], end: int) -> None:
        """Know a bar from before the subscription until a first one comes."""
        self._seeds[tick_type] = (row, end)
        self._version = -1

    def bind(self, track: Track) -> None:
        """Read a track from now on."""
        if track.tick_type == TickType.TRADE:
            self.trades = track
        elif track.tick_type == TickType.QUOTE:
            self.quotes = track
        else:
            self.interest = track
        self._version = -1

    def _row(self, track: Track | None) -> tuple[list[float] | None, int]:
        """Last real row of a track and its end."""
        if track is None:
            return None, -1
        block = track.block
        row = -1 if block is None else block.known_row(track.column, self._moment)
        if block is None or row < 0:
            return self._seeds.get(track.tick_type, (None, -1))
        return block.rows[row].tolist(), int(block.ends[row])

    def _refresh(self) -> None:
        feed = self._feed
        self._version = feed.version
        self._moment = feed.now
        trade, trade_end = self._row(self.trades)
        quote, quote_end = self._row(self.quotes)
        if trade_end != self._trade_end:
            self._trade_end = trade_end
            self._trade = None
            if trade is not None and trade[4]:
                self._volume = trade[4]
        if quote is not None and quote_end != self._quote_end:
            self._quote = None
            self._bid = quote[3] or self._bid
            self._ask = quote[8] or self._ask
            self._bid_size = quote[4] or self._bid_size
            self._ask_size = quote[9] or self._ask_size
        self._quote_end = quote_end
        if self.symbol.security_type == SecurityType.EQUITY or quote_end < trade_end:
            new = None if trade is None else (trade[0], trade[1], trade[2], trade[3])
        else:
            new = None if quote is None else _mids(quote)
        if new is not None:
            old = self._ohlc
            self._ohlc = (new[0] or old[0], new[1] or old[1], new[2] or old[2], new[3] or old[3])
        interest = self.interest
        if interest is not None:
            self._open_interest = feed.open_interest(interest)

    # -- prices -----------------------------------------------------------------------------------------------

    @property
    def price(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._ohlc[3]

    @property
    def open(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._ohlc[0]

    @property
    def high(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._ohlc[1]

    @property
    def low(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._ohlc[2]

    @property
    def close(self) -> float:
        return self.price

    @property
    def volume(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._volume

    @property
    def bid_price(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._bid

    @property
    def ask_price(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._ask

    @property
    def bid_size(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._bid_size

    @property
    def ask_size(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._ask_size

    @property
    def open_interest(self) -> float:
        if self._version != self._feed.version:
            self._refresh()
        return self._open_interest

    # -- bars -------------------------------------------------------------------------------------------------

    def quote_bar(self) -> QuoteBar | None:
        """The last real QuoteBar."""
        if self._version != self._feed.version:
            self._refresh()
        if self._quote is None and self._quote_end >= 0:
            row, end = self._row(self.quotes)
            assert row is not None
            local = to_local(end, self.zone)
            self._quote = QuoteBar.of_row(self.symbol, row, local - MINUTE, local)
        return self._quote

    def trade_bar(self) -> TradeBar | None:
        """The last real TradeBar."""
        if self._version != self._feed.version:
            self._refresh()
        if self._trade is None and self._trade_end >= 0:
            row, end = self._row(self.trades)
            assert row is not None
            local = to_local(end, self.zone)
            self._trade = TradeBar(local - MINUTE, self.symbol, row[0], row[1], row[2], row[3], row[4], end_time=local)
        return self._trade

    def get_data(self) -> QuoteBar | TradeBar | None:
        """The bar that set the price last."""
        if self._version != self._feed.version:
            self._refresh()
        if self.symbol.security_type == SecurityType.EQUITY or self._quote_end < self._trade_end:
            return self.trade_bar()
        return self.quote_bar()

    def has_data(self) -> bool:
        if self._version != self._feed.version:
            self._refresh()
        return self._trade_end >= 0 or (self._quote_end >= 0 and self.symbol.security_type != SecurityType.EQUITY)


def _mids(row: list[float]) -> tuple[float, float, float, float]:
    def mid(bid: float, ask: float) -> float:
        return round((bid + ask) / 2, 10) if bid and ask else bid or ask
    return mid(row[0], row[5]), mid(row[1], row[6]), mid(row[2], row[7]), mid(row[3], row[8])
