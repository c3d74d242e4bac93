"""The algorithm's securities as the core sees them: identifiers as text, quotes, holdings, settlement values.

Everything LEAN hands out is kept once it was looked up (security, exchange, holding), because a property costs half
a microsecond and a lookup three (facts: LEAN 8.6). Only duck typing here: nothing is imported from LEAN.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .. import given
from ..model import LegSpec, Quote
from ..vocabulary import Right

if TYPE_CHECKING:
    from collections.abc import Iterable

_EPOCH = datetime(1970, 1, 1)
_UNKNOWN = Quote(0.0, 0.0, 0.0, 0.0, open=False)


#: the moment that was asked for last, and its seconds: a step's calls all ask for the same
_newest: tuple[datetime, float] = (_EPOCH, 0.0)


def seconds(moment: datetime) -> float:
    """Seconds since 1970-01-01 UTC of a UTC moment, aware or naive (LEAN gives both, facts: LEAN 8.1)."""
    global _newest
    known, at = _newest
    if moment is not known:
        at = moment.timestamp() if moment.tzinfo is UTC else _on_the_clock(moment)
        _newest = moment, at
    return at


def _on_the_clock(moment: datetime) -> float:
    """Seconds since 1970-01-01 00:00 by the moment's own clock, whatever its zone."""
    return ((moment if moment.tzinfo is None else moment.replace(tzinfo=None)) - _EPOCH).total_seconds()


class Contracts:
    """Securities of one algorithm by security identifier text.

    Args:
        algorithm: a QCAlgorithm.
    """

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm
        #: text -> Symbol
        self._symbols: dict[str, Any] = {}
        #: Symbol -> text (Symbols hash by identifier)
        self._texts: dict[Any, str] = {}
        self._securities: dict[str, tuple[Any, Any]] = {}
        self._holdings: dict[str, Any] = {}
        self._legs: dict[tuple[str, int], LegSpec] = {}
        #: the same by Symbol
        self._asked: dict[tuple[Any, int], LegSpec] = {}
        #: age beyond which a price fills nothing; live brokers fill at their own quotes
        self.stale_after = float("inf") if algorithm.live_mode else _span(algorithm)
        #: backtest: seconds of a bar, of the legs whose bars are longer than a minute
        self.long_bars: dict[str, float] = {}
        #: legs whose data was looked at
        self._subscribed: set[str] = set()
        #: exchange time minus UTC in seconds, and the hour it was looked up in
        self._offsets: dict[str, tuple[float, float]] = {}

    def text(self, symbol: Any) -> str:
        """The identifier text of a Symbol: what the journal keeps."""
        text = self._texts.get(symbol)
        if text is None:
            text = self._texts[symbol] = str(symbol.id)
            self._symbols[text] = symbol
        return text

    def symbol(self, text: str) -> Any:
        """The Symbol of an identifier text; LEAN parses texts it has not seen (SymbolCache.cs:198-210)."""
        symbol = self._symbols.get(text)
        if symbol is None:
            symbol = self._symbols[text] = self._algorithm.symbol(text)
            self._texts[symbol] = text
        return symbol

    def security(self, text: str) -> Any | None:
        """The security, or None when the algorithm does not have it."""
        known = self._securities.get(text)
        return known[0] if known is not None else (self._look_up(text) or (None, None))[0]

    def _look_up(self, text: str) -> tuple[Any, Any] | None:
        try:
            symbol = self.symbol(text)
            if not self._algorithm.securities.contains_key(symbol):
                return None
            security = self._algorithm.securities[symbol]
        except Exception:  # .NET's own for an identifier that LEAN cannot read: the contract has no data here either
            return None
        found = self._securities[text] = (security, security.exchange)
        return found

    def forget(self, text: str) -> None:
        """Drop what is kept of a contract that ended; it is looked up again when asked for."""
        self._securities.pop(text, None)
        self._holdings.pop(text, None)
        self._subscribed.discard(text)

    def trades(self, symbol: str) -> bool:
        """True for a contract whose data was made sure of."""
        return symbol in self._subscribed

    def subscribe(self, leg: LegSpec) -> bool:
        """Make sure the algorithm has data of this leg that a backtest can trade on; True the first time.

        Raises:
            ValueError: it has daily bars only.
            Exception: what LEAN raises.
        """
        text = leg.symbol
        if text in self._subscribed:
            return False
        if self.security(text) is None:
            self._add(self.symbol(text))
        self._look_at_bars(leg)
        self._subscribed.add(text)
        return True

    def _add(self, symbol: Any) -> None:
        """Ask LEAN for data of a contract. Raises what LEAN raises."""
        if not symbol.id.has_underlying:
            # by its identifier: a symbol made from the text alone shows the first ticker the company ever had
            self._algorithm.add_security(symbol)
        elif int(symbol.id.security_type) == _INDEX_OPTION:
            self._algorithm.add_index_option_contract(symbol)
        else:
            self._algorithm.add_option_contract(symbol)

    def _look_at_bars(self, leg: LegSpec) -> None:
        """Learn how long a leg's bars are: a backtest shows what rests only with the next one. Raises ValueError."""
        security = self.security(leg.symbol)
        if security is None or self._algorithm.live_mode or not list(getattr(security, "subscriptions", ())):
            return  # without subscriptions LEAN calls a security daily (Security.cs: Resolution)
        length = _BARS.get(int(security.resolution), 0.0)
        if length >= _DAY:
            # QCAlgorithm.Trading.cs: MarketOrder becomes MarketOnOpen or MarketOnClose on daily data
            raise ValueError(
                "daily bars only: LEAN would fill market orders at another time, nothing could be watched in between; "
                "subscribe to Resolution.MINUTE (or HOUR)"
            )
        if length > _MINUTE:
            self.long_bars[leg.symbol] = length

    def leg(self, contract: Any, ratio: int) -> LegSpec:
        """A leg from a Symbol, from anything that has one (OptionContract, Security), or from another leg.

        Raises:
            ValueError: it is neither, no share and no option on shares or an index, or the ratio is not a whole number
                other than 0.
        """
        try:
            known = self._asked.get((contract, ratio)) if type(ratio) is int else None
        except TypeError:  # what cannot be hashed is no Symbol
            known = None
        if known is not None:
            return known
        symbol = self.symbol(contract.symbol) if type(contract) is LegSpec else getattr(contract, "symbol", contract)
        if not hasattr(getattr(symbol, "id", None), "has_underlying"):
            raise ValueError(f"{contract!r} is no contract: give a Symbol, an OptionContract or a Security")
        if int(symbol.id.security_type) not in _TRADED:
            raise ValueError(
                f"{symbol.value} is of type {symbol.id.security_type}: groups are of shares and of options on shares "
                "or indexes; order it with LEAN's own methods"
            )
        if type(ratio) is not int:
            ratio = given.whole(ratio, f"ratio of {symbol}:")
        if ratio == 0:
            raise ValueError(f"ratio {ratio!r} of {symbol}: give a whole number other than 0")
        text = self.text(symbol)
        known = self._legs.get((text, ratio))
        if known is None:
            if self.security(text) is None:
                with contextlib.suppress(Exception):  # `subscribe` says why when the leg is traded
                    self._add(symbol)
            known = replace(self._spec(symbol, text), ratio=ratio)
            if self.security(text) is None:
                return known  # its tick and multiplier are not known yet
            self._legs[(text, ratio)] = known
        if symbol is contract:
            self._asked[(symbol, ratio)] = known
        return known

    def _spec(self, symbol: Any, text: str) -> LegSpec:
        sid = symbol.id
        security = self.security(text)
        properties = getattr(security, "symbol_properties", None)
        tick = float(getattr(properties, "minimum_price_variation", 0.0) or 0.01)
        if not sid.has_underlying:
            return LegSpec(text, 1, Right.SHARE, 0.0, "", text, 1.0, tick, str(symbol.value))
        multiplier = float(getattr(properties, "contract_multiplier", 0.0) or 100.0)
        return LegSpec(
            text,
            1,
            Right.CALL if int(sid.option_right) == 0 else Right.PUT,
            float(sid.strike_price),
            sid.date.strftime("%Y-%m-%d"),
            str(sid.underlying),
            multiplier,
            tick,
            str(symbol.value),
        )

    def quote(self, text: str, now: float) -> Quote:
        """Newest quote; a missing side is 0. `now` is seconds UTC.

        LEAN's `bid_price` keeps the last bid there ever was when a new bar has none (SecurityCache.cs:
        `if (quoteBar.Bid != null ...)`), so the sides are taken from the newest quote bar where there is one. In a
        backtest LEAN does not fill a market order at a price older than `stale_price_time_span` (FillModel.cs:304),
        the order would rest: such a quote has no sides here.
        """
        found = self._securities.get(text) or self._look_up(text)
        if found is None:
            return _UNKNOWN
        security, exchange = found
        data = security.get_last_data()
        if data is None:
            return _UNKNOWN._replace(open=bool(exchange.exchange_open))
        offset, since = self._offsets.get(text, _NO_OFFSET)
        if not 0 <= now - since < _HOUR:
            offset = self._offset(text, security, now)
        at = _on_the_clock(data.end_time) - offset
        last = float(security.price)
        bid_bar = getattr(data, "bid", _ABSENT)  # an exception costs as much as the rest of the quote
        ask_bar = _ABSENT if bid_bar is _ABSENT else getattr(data, "ask", _ABSENT)
        if ask_bar is _ABSENT:  # a trade bar or tick: the security keeps both sides
            bid, ask = float(security.bid_price), float(security.ask_price)
        else:
            bid = float(bid_bar.close) if bid_bar is not None else 0.0
            ask = float(ask_bar.close) if ask_bar is not None else 0.0
        if now - at > (max(self.stale_after, self.long_bars.get(text, 0.0)) if self.long_bars else self.stale_after):
            bid = ask = 0.0
        return Quote(bid, ask, last, at, bool(exchange.exchange_open))

    def sizes(self, text: str) -> tuple[float, float]:
        """Contracts at the bid and at the ask; 0 where unknown. Apart from `quote`, which is asked far more often."""
        found = self._securities.get(text) or self._look_up(text)
        return (float(found[0].bid_size), float(found[0].ask_size)) if found is not None else (0.0, 0.0)

    def _offset(self, text: str, security: Any, now: float) -> float:
        """Exchange time minus UTC (bars carry exchange time), looked up once an hour."""
        offset = round((seconds(security.local_time) - seconds(self._algorithm.utc_time)) / 900.0) * 900.0
        self._offsets[text] = offset, now - now % _HOUR
        return offset

    def holding(self, text: str) -> int:
        """Signed net of the whole account in this symbol."""
        holding = self._holdings.get(text) or self._holding(text)
        net: int = round(holding.quantity) if holding is not None else 0
        return net

    def average_price(self, text: str) -> float:
        """Average price of what the whole account holds in this symbol, dollars per share; 0 for nothing."""
        holding = self._holdings.get(text) or self._holding(text)
        return float(holding.average_price) if holding is not None else 0.0

    def _holding(self, text: str) -> Any | None:
        if self.security(text) is None:
            return None
        found = self._holdings[text] = self._algorithm.portfolio[self.symbol(text)]
        return found

    def is_open(self, text: str) -> bool:
        """True while the contract's market is open."""
        found = self._securities.get(text) or self._look_up(text)
        return found is not None and bool(found[1].exchange_open)

    def intrinsic(self, text: str) -> float:
        """What the contract is worth by exercise at the underlying's present price, dollars per share."""
        symbol = self.symbol(text)
        if not symbol.id.has_underlying:
            security = self.security(text)
            return float(security.price) if security is not None else 0.0
        underlying = self.security(str(symbol.id.underlying))
        price = float(underlying.price) if underlying is not None else 0.0
        if price <= 0:
            return 0.0
        strike = float(symbol.id.strike_price)
        call = int(symbol.id.option_right) == 0
        return max(0.0, price - strike) if call else max(0.0, strike - price)

    def expiry_day(self, text: str) -> str:
        """ISO date of the contract's expiry; empty for shares."""
        sid = self.symbol(text).id
        return str(sid.date.strftime("%Y-%m-%d")) if sid.has_underlying else ""

    def today(self, text: str) -> str:
        """ISO date at the contract's exchange."""
        security = self.security(text)
        moment = security.local_time if security is not None else self._algorithm.time
        return str(moment.strftime("%Y-%m-%d"))

    def known(self) -> Iterable[str]:
        """Identifier texts that were looked up so far."""
        return tuple(self._securities)


_HOUR = 3600.0
_NO_OFFSET = (0.0, -1e18)
_ABSENT: Any = object()
_MINUTE, _DAY = 60.0, 86_400.0
#: seconds of a bar by LEAN's Resolution (Common/Global.cs)
_BARS = {0: 0.0, 1: 1.0, 2: 60.0, 3: _HOUR, 4: _DAY}
#: SecurityType.INDEX_OPTION (Common/Global.cs), and what is traded besides: EQUITY, OPTION
_INDEX_OPTION = 10
_TRADED = frozenset({1, 2, _INDEX_OPTION})


def _span(algorithm: Any) -> float:
    span = getattr(algorithm.settings, "stale_price_time_span", None)
    return float(span.total_seconds()) if span is not None else _HOUR
