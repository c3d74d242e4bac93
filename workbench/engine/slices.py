"""What `on_data` receives: one time step's data in read-only dictionaries.

LEAN's dictionaries iterate as key-value pairs, answer Python's dictionary methods, and raise with their own text when
a symbol has no data (`Common/Data/Slice.cs`, `Common/Data/Market/DataDictionary.cs`).
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar

from workbench.engine.bars import (
    BaseData,
    Delisting,
    Dividend,
    OpenInterest,
    QuoteBar,
    Split,
    SymbolChangedEvent,
    TradeBar,
)
from workbench.engine.enums import SecurityType
from workbench.engine.exceptions import InvalidOperationException, KeyNotFoundException
from workbench.engine.symbols import Symbol, SymbolCache

T = TypeVar("T")


class KeyValuePair(Generic[T]):
    """A dictionary entry, as .NET hands it out."""

    __slots__ = ("key", "value")

    def __init__(self, key: Symbol, value: T) -> None:
        self.key = key
        self.value = value


def symbol_of(key: object) -> Symbol | None:
    """Symbol named by a symbol, an object that has one, or a subscribed ticker; None when nothing is."""
    if isinstance(key, Symbol):
        return key
    if isinstance(key, str):
        return SymbolCache.try_get_symbol(key)
    found = getattr(key, "symbol", None)
    return found if isinstance(found, Symbol) else None


class DataDictionary(Generic[T]):
    """Data of one kind in one time step, by symbol.

    `load` fills the dictionary when it is first needed, so that a step costs nothing where nobody looks.
    """

    __slots__ = ("_data", "_load", "time")

    lean_name: ClassVar[str] = "DataDictionary"

    def __init__(self, data: dict[Symbol, T] | None = None, time: datetime | None = None,
                 load: Callable[[], dict[Symbol, T]] | None = None) -> None:
        self._data = data
        self._load = load
        self.time = time

    def _dict(self) -> dict[Symbol, T]:
        if self._data is None:
            self._data = self._load() if self._load is not None else {}
        return self._data

    def _find(self, symbol: Symbol) -> T | None:
        return self._dict().get(symbol)

    @property
    def count(self) -> int:
        return len(self._dict())

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        symbol = symbol_of(key)
        return symbol is not None and self._find(symbol) is not None

    def contains_key(self, key: object) -> bool:
        return key in self

    def get(self, key: object, default: Any = None) -> Any:
        symbol = key if type(key) is Symbol else symbol_of(key)
        if symbol is None:
            return default
        found = self._find(symbol)
        return default if found is None else found

    def get_value(self, key: object) -> T | None:
        return self.get(key)  # type: ignore[no-any-return]

    def __getitem__(self, key: object) -> T:
        symbol = symbol_of(key)
        if symbol is None:
            raise KeyNotFoundException(
                f"The ticker {key} was not found in the SymbolCache. Use the Symbol object as key instead. Accessing "
                "the securities collection/slice object by string ticker is only available for securities added with "
                "the `add_security`-family methods. For more details, please check out the documentation.")
        found = self._find(symbol)
        if found is None:
            raise KeyNotFoundException(
                f"'{symbol}' wasn't found in the {self.lean_name} object, likely because there was no-data at this "
                "moment in time and it wasn't possible to fillforward historical data. Please check the data exists "
                "before accessing it with data.contains_key(\"" + f"{symbol}" + "\")")
        return found

    def __setitem__(self, key: object, value: object) -> None:
        raise InvalidOperationException(f"{self.lean_name} is a read-only collection")

    def __iter__(self) -> Iterator[KeyValuePair[T]]:
        return (KeyValuePair(key, value) for key, value in self._dict().items())

    def keys(self) -> list[Symbol]:
        return list(self._dict())

    def values(self) -> list[T]:
        return list(self._dict().values())

    def items(self) -> list[tuple[Symbol, T]]:
        return list(self._dict().items())


class TradeBars(DataDictionary[TradeBar]):
    """Trade bars of a time step."""

    __slots__ = ()
    lean_name = "TradeBars"


class QuoteBars(DataDictionary[QuoteBar]):
    """Quote bars of a time step."""

    __slots__ = ()
    lean_name = "QuoteBars"


class Ticks(DataDictionary[list[Any]]):
    """Ticks of a time step: only open interest here."""

    __slots__ = ()
    lean_name = "Ticks"


class OptionChains(DataDictionary[Any]):
    """Option chains of a time step, by canonical symbol."""

    __slots__ = ()
    lean_name = "OptionChains"


class FuturesChains(DataDictionary[Any]):
    """Always empty: futures are not supported by the embedded engine."""

    __slots__ = ()
    lean_name = "FuturesChains"


class Splits(DataDictionary[Split]):
    """Splits of a time step."""

    __slots__ = ()
    lean_name = "Splits"


class Dividends(DataDictionary[Dividend]):
    """Dividends of a time step."""

    __slots__ = ()
    lean_name = "Dividends"


class Delistings(DataDictionary[Delisting]):
    """Delisting warnings and delistings of a time step."""

    __slots__ = ()
    lean_name = "Delistings"


class SymbolChangedEvents(DataDictionary[SymbolChangedEvent]):
    """Ticker changes of a time step."""

    __slots__ = ()
    lean_name = "SymbolChangedEvents"


_NO_BARS: Final = TradeBars({})
_NO_QUOTE_BARS: Final = QuoteBars({})
_NO_TICKS: Final = Ticks({})
_NO_OPTION_CHAINS: Final = OptionChains({})
_NO_FUTURES_CHAINS: Final = FuturesChains({})
_NO_SPLITS: Final = Splits({})
_NO_DIVIDENDS: Final = Dividends({})
_NO_DELISTINGS: Final = Delistings({})
_NO_SYMBOL_CHANGES: Final = SymbolChangedEvents({})


class Slice(DataDictionary[Any]):
    """All data of one time step.

    Indexing by symbol gives what LEAN calls the default data: of a stock its trade bar only, of everything else the
    quote bar, or the trade bar where there is none (`SubscriptionManager.IsDefaultDataType`).
    """

    __slots__ = ("bars", "delistings", "dividends", "futures_chains", "has_data", "option_chains", "quote_bars",
                 "splits", "symbol_changed_events", "ticks", "utc_time")
    lean_name = "Slice"
    time: datetime

    def __init__(self, time: datetime, utc_time: datetime, *, bars: TradeBars | None = None,
                 quote_bars: QuoteBars | None = None, ticks: Ticks | None = None,
                 option_chains: OptionChains | None = None, splits: Splits | None = None,
                 dividends: Dividends | None = None, delistings: Delistings | None = None,
                 symbol_changed_events: SymbolChangedEvents | None = None, has_data: bool = True) -> None:
        super().__init__(None, time)
        self.utc_time = utc_time
        self.bars = bars or _NO_BARS
        self.quote_bars = quote_bars or _NO_QUOTE_BARS
        self.ticks = ticks or _NO_TICKS
        self.option_chains = option_chains or _NO_OPTION_CHAINS
        self.futures_chains = _NO_FUTURES_CHAINS
        self.splits = splits or _NO_SPLITS
        self.dividends = dividends or _NO_DIVIDENDS
        self.delistings = delistings or _NO_DELISTINGS
        self.symbol_changed_events = symbol_changed_events or _NO_SYMBOL_CHANGES
        self.has_data = has_data

    @property
    def future_chains(self) -> FuturesChains:
        return self.futures_chains

    def _dict(self) -> dict[Symbol, Any]:
        if self._data is None:
            merged: dict[Symbol, Any] = dict(self.bars.items())
            merged.update(pair for pair in self.quote_bars.items() if pair[0].security_type != SecurityType.EQUITY)
            self._data = merged
        return self._data

    def _find(self, symbol: Symbol) -> Any:
        found: Any = None
        if symbol.security_type != SecurityType.EQUITY:
            found = self.quote_bars._find(symbol)
        return self.bars._find(symbol) if found is None else found

    @property
    def all_data(self) -> list[BaseData]:
        return [point for kind in (self.bars, self.quote_bars, self.splits, self.dividends, self.delistings)
                for point in kind.values()]

    def get(self, key: object, default: Any = None) -> Any:
        """Data of a symbol, or the dictionary of a data class: `slice.get(TradeBar)`."""
        if isinstance(key, type):
            kinds: dict[type, DataDictionary[Any]] = {
                TradeBar: self.bars, QuoteBar: self.quote_bars, Split: self.splits, Dividend: self.dividends,
                Delisting: self.delistings, SymbolChangedEvent: self.symbol_changed_events}
            if key is OpenInterest:
                return DataDictionary({symbol: ticks[-1] for symbol, ticks in self.ticks.items()}, self.time)
            if key not in kinds:
                raise NotImplementedError(f"slice.get({key.__name__}) is not supported by the embedded engine; run it "
                                          "on LEAN: lean backtest <project>")
            return kinds[key] if default is None else kinds[key].get(default)
        return super().get(key, default)
