"""Symbol properties: contract multiplier, tick and lot by market, ticker and type.

Source: LEAN `Common/Securities/SymbolPropertiesDatabase.cs` and its csv file in the data folder; a small built-in table
where the folder has none.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.engine.enums import SecurityType
from workbench.engine.exceptions import DataError
from workbench.engine.hours_database import database_ticker
from workbench.engine.symbols import Symbol


@dataclass(frozen=True, slots=True)
class SymbolProperties:
    """What one unit of a symbol is.

    `contract_multiplier` is dollars per point and contract, `minimum_price_variation` the tick in dollars,
    `lot_size` the smallest quantity.
    """

    description: str = ""
    quote_currency: str = "USD"
    contract_multiplier: float = 1.0
    minimum_price_variation: float = 0.01
    lot_size: float = 1.0
    market_ticker: str = ""
    minimum_order_size: float | None = None
    price_magnifier: float = 1.0
    strike_multiplier: float = 1.0


_NAMES: Final = {"equity": SecurityType.EQUITY, "option": SecurityType.OPTION, "index": SecurityType.INDEX,
                 "indexoption": SecurityType.INDEX_OPTION}
_BUILT_IN: Final = {
    ("usa", "[*]", SecurityType.EQUITY): SymbolProperties(),
    ("usa", "[*]", SecurityType.OPTION): SymbolProperties(contract_multiplier=100.0),
    ("usa", "[*]", SecurityType.INDEX): SymbolProperties(),
    ("usa", "[*]", SecurityType.INDEX_OPTION): SymbolProperties(contract_multiplier=100.0,
                                                                minimum_price_variation=0.05),
}


def _number(cells: list[str], index: int) -> float | None:
    return float(cells[index]) if len(cells) > index and cells[index] else None


class SymbolPropertiesDatabase:
    """Properties by market, ticker and security type; `[*]` where a ticker has no entry of its own."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lines: dict[tuple[str, str, SecurityType], tuple[int, str]] | None = None
        self._known: dict[tuple[str, str, SecurityType], SymbolProperties | None] = {}

    @staticmethod
    def from_data_folder(data: Path | None) -> SymbolPropertiesDatabase:
        path = data / "symbol-properties" / "symbol-properties-database.csv" if data is not None else None
        return SymbolPropertiesDatabase(path if path is not None and path.exists() else None)

    def get_symbol_properties(self, market: str, symbol: Symbol | str | None, security_type: SecurityType,
                              default_quote_currency: str = "USD") -> SymbolProperties:
        """Properties of a ticker, or the market's common ones; LEAN's defaults when the file knows neither."""
        ticker = symbol if symbol is None or isinstance(symbol, str) else database_ticker(symbol)
        for key in ((market, ticker or "", security_type), (market, "[*]", security_type)):
            found = self._find(key)
            if found is not None:
                return found
        multiplier = 100.0 if security_type in (SecurityType.OPTION, SecurityType.INDEX_OPTION) else 1.0
        return SymbolProperties(quote_currency=default_quote_currency, contract_multiplier=multiplier)

    def properties_of(self, symbol: Symbol) -> SymbolProperties:
        """Properties of a symbol."""
        return self.get_symbol_properties(symbol.id.market, symbol, symbol.security_type)

    def _find(self, key: tuple[str, str, SecurityType]) -> SymbolProperties | None:
        if self._path is None:
            return _BUILT_IN.get(key)
        if key not in self._known:
            if self._lines is None:
                self._lines = self._index(self._path)
            found = self._lines.get(key)
            self._known[key] = None if found is None else self._read(self._path, *found)
        return self._known[key]

    @staticmethod
    def _index(path: Path) -> dict[tuple[str, str, SecurityType], tuple[int, str]]:
        """Lines of the types this engine trades; the file has ten thousand others."""
        lines = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            market, _, rest = line.partition(",")
            ticker, _, rest = rest.partition(",")
            kind = _NAMES.get(rest.partition(",")[0])
            if kind is not None and not market.startswith("#"):
                lines[market, ticker, kind] = (number, line)
        return lines

    @staticmethod
    def _read(path: Path, number: int, line: str) -> SymbolProperties:
        cells = line.split(",")
        try:
            return SymbolProperties(
                description=cells[3], quote_currency=cells[4], contract_multiplier=float(cells[5]),
                minimum_price_variation=float(cells[6]), lot_size=float(cells[7]),
                market_ticker=cells[8] if len(cells) > 8 else "", minimum_order_size=_number(cells, 9),
                price_magnifier=_number(cells, 10) or 1.0, strike_multiplier=_number(cells, 11) or 1.0)
        except (IndexError, ValueError) as error:
            raise DataError(path, f"not a line of symbol properties ({error}): {line}", number) from error


def index_option_tick(ticker: str, price: float | None) -> float:
    """Tick of an index option in dollars at a price (LEAN `IndexOptionSymbolProperties`).

    0.10 from 3 dollars on and 0.05 below, VIX 0.05 and 0.01, VIXW always 0.01; 0.05 while there is no price.
    """
    if price is None:
        return 0.05
    below, above = {"VIXW": (0.01, 0.01), "VIX": (0.01, 0.05)}.get(ticker, (0.05, 0.10))
    return above if price >= 3 else below
