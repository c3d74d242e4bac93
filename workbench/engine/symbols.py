"""Symbols: an identifier with the ticker it is shown under.

Two symbols are equal when their identifiers are, whatever ticker they show (LEAN `Common/Symbol.cs`).
"""
from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from workbench.engine.enums import OptionRight, OptionStyle, SecurityType
from workbench.engine.exceptions import ArgumentException, FormatException, InvalidOperationException
from workbench.engine.identifiers import DEFAULT_DATE, EMPTY, NONE, OPTION_TYPES, SecurityIdentifier, option_type_of

_INDEX_OF_OPTION = {"RUTW": "RUT", "SPXW": "SPX", "VIXW": "VIX", "NDXP": "NDX", "NQX": "NDX"}


def map_to_underlying(option_ticker: str) -> str:
    """Index behind an index option's own ticker: SPXW -> SPX (LEAN `IndexOptionSymbol.MapToUnderlying`)."""
    return _INDEX_OF_OPTION.get(option_ticker.upper(), option_ticker)


def default_option_style(security_type: SecurityType) -> OptionStyle:
    """Style of a canonical option of this type: European for index options, American for the others."""
    return OptionStyle.EUROPEAN if security_type == SecurityType.INDEX_OPTION else OptionStyle.AMERICAN


def osi_ticker(underlying: str, right: OptionRight, strike: float, expiry: datetime) -> str:
    """OSI text of a contract: `GOOG  151224C00750000` (LEAN `SymbolRepresentation.GenerateOptionTickerOSI`)."""
    if len(underlying) > 5:
        underlying += " "
    thousandths = round(Decimal(str(strike)) * 1000)
    return f"{underlying:<6}{expiry:%y%m%d}{'CP'[right]}{thousandths:08d}"


def parse_osi(ticker: str) -> tuple[str, datetime, OptionRight, float] | None:
    """Split an OSI text into ticker, expiry, right and strike; None when it is not one."""
    tail = ticker[-15:]
    root = ticker[:-15].strip()
    if len(tail) != 15 or not root or tail[6] not in "CP" or not (tail[:6] + tail[7:]).isdigit():
        return None
    try:
        expiry = datetime.strptime(tail[:6], "%y%m%d")
    except ValueError:
        return None
    return root, expiry, OptionRight(tail[6] == "P"), float(Decimal(tail[7:]).scaleb(-3))


class Symbol:
    """A security identifier and the ticker it is shown under.

    Args:
        sid: the identifier.
        value: ticker to show; of a contract the OSI text is made from the identifier instead.
    """

    __slots__ = ("_canonical", "_hash", "id", "security_type", "underlying", "value")

    id: SecurityIdentifier
    value: str
    underlying: Symbol | None
    security_type: SecurityType
    EMPTY: Symbol
    NONE: Symbol

    def __init__(self, sid: SecurityIdentifier, value: str) -> None:
        underlying = Symbol(sid.underlying, sid.underlying.symbol) if sid.has_underlying else None
        self._set(sid, _alias(sid, underlying) or value.upper(), underlying)

    def _set(self, sid: SecurityIdentifier, value: str, underlying: Symbol | None) -> None:
        self.id = sid
        self.value = value
        self.underlying = underlying
        self.security_type = sid.security_type
        self._hash = sid._hash
        self._canonical: Symbol | None = None

    @classmethod
    def _of(cls, sid: SecurityIdentifier, value: str, underlying: Symbol | None) -> Symbol:
        symbol = cls.__new__(cls)
        symbol._set(sid, value.upper(), underlying)
        return symbol

    # -- creation ---------------------------------------------------------------------------------------------

    @staticmethod
    def create(ticker: str, security_type: SecurityType, market: str, alias: str | None = None) -> Symbol:
        """Make the symbol of a stock, an index, or the canonical symbol of their options.

        Raises:
            NotImplementedError: any other type; the embedded engine has no data for it.
        """
        if security_type == SecurityType.EQUITY:
            sid = SecurityIdentifier.generate_equity(ticker, market)
        elif security_type == SecurityType.INDEX:
            sid = SecurityIdentifier.generate_index(ticker, market)
        elif security_type == SecurityType.OPTION:
            return Symbol.create_canonical_option(Symbol.create(ticker, SecurityType.EQUITY, market), market)
        elif security_type == SecurityType.INDEX_OPTION:
            index = Symbol.create(ticker, SecurityType.INDEX, market)
            return Symbol.create_option(index, market, OptionStyle.EUROPEAN, OptionRight.CALL, 0, DEFAULT_DATE)
        else:
            raise NotImplementedError(f"Symbol.create(SecurityType.{security_type}) is not supported by the embedded "
                                      "engine; run it on LEAN: lean backtest <project>")
        return Symbol(sid, alias or ticker)

    @staticmethod
    def create_option(underlying: Symbol | str | SecurityIdentifier, *args: Any, **kwargs: Any) -> Symbol:
        """Make the symbol of a contract.

        `create_option(underlying, market, style, right, strike, expiry, alias=None)`,
        `create_option(underlying, target_option, market, style, right, strike, expiry, alias=None)` where
        `target_option` is the option's own ticker (SPXW), or `create_option(sid, value, underlying=None)`.
        """
        if isinstance(underlying, SecurityIdentifier):
            return _option_from_sid(underlying, *args, **kwargs)
        names = ["market", "style", "right", "strike", "expiry", "alias"]
        if "target_option" in kwargs or (len(args) > 1 and isinstance(args[1], str)):
            names.insert(0, "target_option")
        if len(args) > len(names):
            raise TypeError("No method matches given arguments for CreateOption")
        given = dict(zip(names, args, strict=False)) | kwargs
        if isinstance(underlying, str):
            underlying = Symbol.create(underlying, SecurityType.EQUITY, given["market"])
        missing = [name for name in ("market", "style", "right", "strike", "expiry") if name not in given]
        if missing or set(given) - {*names, "target_option"}:
            raise TypeError("No method matches given arguments for CreateOption: "
                            f"missing or unknown {', '.join(missing) or sorted(set(given) - set(names))}")
        expiry = given["expiry"]
        if not isinstance(expiry, datetime):
            expiry = datetime(expiry.year, expiry.month, expiry.day)
        sid = SecurityIdentifier.generate_option(expiry, underlying.id, given["market"], given["strike"],
                                                 OptionRight(given["right"]), OptionStyle(given["style"]),
                                                 given.get("target_option"))
        return Symbol._of(sid, given.get("alias") or _alias(sid, underlying) or "", underlying)

    @staticmethod
    def create_canonical_option(underlying: Symbol, target_option: str | None = None, market: str | None = None,
                                alias: str | None = None) -> Symbol:
        """Make the symbol that stands for a whole chain (`?GOOG`).

        As in LEAN a second positional text is the market; the option's own ticker comes first only when a market
        follows it.
        """
        if target_option is not None and market is None and target_option.islower():
            target_option, market = None, target_option
        style = default_option_style(option_type_of(underlying.security_type))
        sid = SecurityIdentifier.generate_option(DEFAULT_DATE, underlying.id, market or underlying.id.market, 0,
                                                 OptionRight.CALL, style, target_option)
        return Symbol._of(sid, alias or _alias(sid, underlying) or "", underlying)

    # -- properties -------------------------------------------------------------------------------------------

    @property
    def ID(self) -> SecurityIdentifier:
        return self.id

    @property
    def has_underlying(self) -> bool:
        return self.underlying is not None

    def is_canonical(self) -> bool:
        """Whether the symbol stands for a whole chain."""
        return self.security_type in OPTION_TYPES and self.id.has_underlying and self.id.date == DEFAULT_DATE

    def has_canonical(self) -> bool:
        return self.security_type in OPTION_TYPES and not self.is_canonical()

    @property
    def canonical(self) -> Symbol:
        """Symbol of the chain a contract belongs to.

        Raises:
            InvalidOperationException: the symbol is not an option.
        """
        if self._canonical is None:
            if self.is_canonical():
                self._canonical = self
            elif self.security_type in OPTION_TYPES and self.underlying is not None:
                self._canonical = Symbol.create_canonical_option(self.underlying, self.id.symbol, self.id.market)
            else:
                raise InvalidOperationException(
                    "Canonical is only defined for SecurityType.Option, SecurityType.Future, SecurityType.FutureOption")
        return self._canonical

    def has_underlying_symbol(self, symbol: Symbol) -> bool:
        return self.underlying is not None and (self.underlying == symbol
                                                or self.underlying.has_underlying_symbol(symbol))

    def __str__(self) -> str:
        return SymbolCache.get_ticker(self)

    def __repr__(self) -> str:
        return SymbolCache.get_ticker(self)

    def to_string(self) -> str:
        return SymbolCache.get_ticker(self)

    # -- comparison -------------------------------------------------------------------------------------------

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Symbol):
            return self.id == other.id
        if isinstance(other, SecurityIdentifier):
            return self.id == other
        if isinstance(other, str):
            found = SymbolCache.try_get_symbol(other)
            return found is not None and found.id == self.id
        return other is None and self.id == EMPTY

    def _key(self, other: object) -> str:
        if isinstance(other, Symbol):
            return other.value.casefold()
        if isinstance(other, str):
            return other.casefold()
        raise ArgumentException("Object must be of type Symbol or string.")

    def __lt__(self, other: object) -> bool:
        return self.value.casefold() < self._key(other)

    def __gt__(self, other: object) -> bool:
        return self.value.casefold() > self._key(other)

    def __le__(self, other: object) -> bool:
        return self.value.casefold() <= self._key(other)

    def __ge__(self, other: object) -> bool:
        return self.value.casefold() >= self._key(other)

    def compare_to(self, other: object) -> int:
        mine, theirs = self.value.casefold(), self._key(other)
        return (mine > theirs) - (mine < theirs)

    def __deepcopy__(self, memo: object) -> Symbol:
        return self

    def __copy__(self) -> Symbol:
        return self


def _alias(sid: SecurityIdentifier, underlying: Symbol | None) -> str | None:
    """Ticker made from the identifier: OSI text of a contract, `?TICKER` of a chain, None for the rest."""
    if sid.security_type not in OPTION_TYPES or underlying is None:
        return None
    ticker = underlying.value if sid.symbol == underlying.id.symbol else sid.symbol
    if sid.date == DEFAULT_DATE:
        return f"?{ticker.upper()}"
    return osi_ticker(ticker, sid.option_right, sid.strike_price, sid.date)


def _option_from_sid(sid: SecurityIdentifier, value: str, underlying: Symbol | None = None) -> Symbol:
    if sid.security_type not in OPTION_TYPES:
        raise ArgumentException(f"The provided SecurityIdentifier is not for an option: {sid} (Parameter 'value')")
    if sid.has_underlying and sid.date == DEFAULT_DATE:
        return Symbol(sid, value)
    if underlying is None:
        parts = parse_osi(value)
        if parts is None:
            raise FormatException(f"Invalid ticker format {value}")
        underlying = Symbol(sid.underlying, parts[0])
    elif underlying.id != sid.underlying:
        raise ArgumentException("The provided SecurityIdentifier does not match the underlying symbol: "
                                f"{sid} != {underlying.id} (Parameter 'underlying')")
    return Symbol._of(sid, value, underlying)


class SymbolCache:
    """Tickers an algorithm has subscribed, by which `str(symbol)` and `symbol == "SPY"` work (LEAN `SymbolCache`).

    One per process, as LEAN's; `clear` it before a run.
    """

    _symbols: dict[str, Symbol] = {}  # noqa: RUF012
    _tickers: dict[Symbol, str] = {}  # noqa: RUF012

    @classmethod
    def set(cls, ticker: str, symbol: Symbol) -> None:
        cls._symbols[ticker.upper()] = symbol
        cls._tickers[symbol] = ticker

    @classmethod
    def get_ticker(cls, symbol: Symbol) -> str:
        return cls._tickers.get(symbol) or str(symbol.id)

    @classmethod
    def try_get_symbol(cls, ticker: str) -> Symbol | None:
        """Symbol of a cached ticker or of an identifier's text; None when it is neither."""
        found = cls._symbols.get(ticker.upper())
        if found is not None:
            return found
        sid = SecurityIdentifier.try_parse(ticker)
        return None if sid is None else Symbol(sid, sid.symbol)

    @classmethod
    def get_symbol(cls, ticker: str) -> Symbol:
        """Symbol of a cached ticker or of an identifier's text.

        Raises:
            InvalidOperationException: it is neither.
        """
        found = cls.try_get_symbol(ticker)
        if found is None:
            raise InvalidOperationException(f"We were unable to locate the ticker '{ticker}'.")
        return found

    @classmethod
    def clear(cls) -> None:
        cls._symbols.clear()
        cls._tickers.clear()


Symbol.EMPTY = Symbol(EMPTY, "")
Symbol.NONE = Symbol(NONE, "NONE")
