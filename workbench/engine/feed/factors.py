"""Map files (tickers over time) and factor files (splits and dividends) of US stocks.

Sources: LEAN `Common/Data/Auxiliary/MapFile.cs`, `MapFileResolver.cs`, `CorporateFactorProvider.cs`,
`Engine/DataFeeds/Enumerators/SplitEventProvider.cs`, `DividendEventProvider.cs`.
"""
from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from workbench.engine.bars import Dividend, Split
from workbench.engine.enums import DataNormalizationMode, SplitType
from workbench.engine.exceptions import DataError
from workbench.engine.identifiers import SecurityIdentifier
from workbench.engine.symbols import Symbol

END_OF_TIME = date(2050, 12, 31)


def _rows(path: Path, columns: int) -> list[tuple[int, date, list[str]]]:
    """Cells of a csv that starts with a yyyyMMdd date, in order of date."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        cells = line.split(",")
        if not line.strip():
            continue
        try:
            day = datetime.strptime(cells[0], "%Y%m%d").date()
        except ValueError:
            if "inf" in line:  # LEAN: a factor too small for its numbers marks the first usable date
                continue
            raise DataError(path, f"does not start with a yyyyMMdd date: {line}", number) from None
        if len(cells) < columns:
            raise DataError(path, f"has {len(cells)} of {columns} columns: {line}", number)
        rows.append((number, day, cells[1:]))
    return sorted(rows, key=lambda row: row[1])


@dataclass(frozen=True, slots=True)
class MapFile:
    """Tickers of one stock, each valid up to and including its date."""

    rows: tuple[tuple[date, str], ...]

    @property
    def first_date(self) -> date:
        return self.rows[0][0] if self.rows else date.min

    @property
    def first_ticker(self) -> str:
        return self.rows[0][1] if self.rows else ""

    @property
    def delisting_date(self) -> date:
        return self.rows[-1][0] if self.rows else END_OF_TIME

    def ticker_at(self, day: date, default: str) -> str:
        """Ticker under which the files of a date are stored."""
        return next((ticker for until, ticker in self.rows if until >= day), default)

    def has_data(self, day: date) -> bool:
        return not self.rows or self.first_date <= day <= self.delisting_date


EMPTY_MAP = MapFile(())


class MapFiles:
    """The map files of a data folder; also the ticker list of `security-database.csv` where a map file is missing."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._files: dict[tuple[str, str], MapFile] = {}
        self._all: dict[str, dict[str, list[tuple[date, str]]]] = {}
        self._listed: dict[str, SecurityIdentifier] | None = None

    def _read(self, market: str, permtick: str) -> MapFile:
        key = (market, permtick.upper())
        if key not in self._files:
            path = self._data / "equity" / market / "map_files" / f"{permtick.lower()}.csv"
            rows = _rows(path, 2) if path.exists() else []
            self._files[key] = MapFile(tuple((day, cells[0].upper()) for _, day, cells in rows))
        return self._files[key]

    def _permtick(self, ticker: str, market: str, day: date) -> str:
        """File that holds a ticker's history on a date (the ticker may have belonged to another company before)."""
        own = self._read(market, ticker)
        if own.rows and own.ticker_at(day, "") == ticker and own.first_date <= day:
            return ticker
        if market not in self._all:
            folder = self._data / "equity" / market / "map_files"
            index: dict[str, list[tuple[date, str]]] = {}
            for path in sorted(folder.glob("*.csv")) if folder.is_dir() else ():
                for until, name in self._read(market, path.stem).rows:
                    index.setdefault(name, []).append((until, path.stem.upper()))
            self._all[market] = {name: sorted(entries) for name, entries in index.items()}
        entries = self._all[market].get(ticker)
        if not entries:
            return ticker
        at = bisect_left(entries, (day, ""))
        return entries[min(at, len(entries) - 1)][1]

    def resolve(self, ticker: str, market: str, day: date) -> MapFile:
        """Map file of the company that had a ticker on a date; empty when there is none."""
        found = self._read(market, self._permtick(ticker.upper(), market, day))
        return found if found.rows and (found.first_date <= day) else EMPTY_MAP

    def of(self, symbol: Symbol) -> MapFile:
        """Map file of a stock."""
        sid = symbol.id
        return self.resolve(sid.symbol, sid.market, sid.date.date())

    def permtick_of(self, symbol: Symbol) -> str:
        """Name of a stock's factor file."""
        sid = symbol.id
        return self._permtick(sid.symbol, sid.market, sid.date.date())

    def first_ticker(self, ticker: str, market: str) -> tuple[str, datetime] | None:
        """First ticker and date of what trades under a ticker today, for the identifier.

        Without a map file the identifier listed in `symbol-properties/security-database.csv` is used, if there is one.
        """
        found = self.resolve(ticker, market, date.today())
        if found.rows:
            return found.first_ticker, datetime.combine(found.first_date, datetime.min.time())
        listed = self._listed_identifiers().get(ticker.upper())
        if listed is not None and listed.market == market:
            return listed.symbol, listed.date
        return None

    def _listed_identifiers(self) -> dict[str, SecurityIdentifier]:
        if self._listed is None:
            self._listed = {}
            path = self._data / "symbol-properties" / "security-database.csv"
            for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
                sid = None if line.startswith("#") else SecurityIdentifier.try_parse(line.partition(",")[0])
                if sid is not None and sid.symbol:
                    self._listed[sid.symbol] = sid
        return self._listed


@dataclass(frozen=True, slots=True)
class FactorRow:
    """Factors of prices up to and including a date."""

    date: date
    price_factor: Decimal
    split_factor: Decimal
    reference_price: Decimal


class FactorFile:
    """Splits and dividends of one stock."""

    def __init__(self, rows: list[FactorRow]) -> None:
        self.rows = rows
        self._dates = [row.date for row in rows]

    @staticmethod
    def read(data: Path, market: str, permtick: str) -> FactorFile:
        """Read a stock's factor file; without one nothing is adjusted."""
        path = data / "equity" / market / "factor_files" / f"{permtick.lower()}.csv"
        rows = []
        for number, day, cells in _rows(path, 3) if path.exists() else []:
            try:
                rows.append(FactorRow(day, Decimal(cells[0]), Decimal(cells[1]),
                                      Decimal(cells[2]) if len(cells) > 2 and cells[2] else Decimal(0)))
            except ArithmeticError:
                raise DataError(path, f"not numbers: {','.join(cells)}", number) from None
        return FactorFile(rows)

    def price_scale(self, day: date, mode: DataNormalizationMode) -> tuple[float, int]:
        """Factor for prices of a date and its number of decimals.

        It is that of the first row at or after the date; 1 for raw prices and after the last row.
        """
        at = bisect_left(self._dates, day)
        if mode == DataNormalizationMode.RAW or at == len(self.rows):
            return 1.0, 0
        row = self.rows[at]
        factor = row.split_factor
        if mode == DataNormalizationMode.ADJUSTED:
            factor = row.price_factor * row.split_factor
        exponent = factor.as_tuple().exponent
        return float(factor), max(0, -exponent) if isinstance(exponent, int) and factor != 1 else 0

    def _pair(self, day: date) -> tuple[FactorRow, FactorRow] | None:
        at = bisect_left(self._dates, day)
        if at >= len(self.rows) - 1 or self._dates[at] != day:
            return None
        return self.rows[at], self.rows[at + 1]

    def events(self, symbol: Symbol, day: date, previous: date | None, last_price: float) -> list[Split | Dividend]:
        """Splits and dividends due at a trading day's first moment.

        A row dated on the previous trading day takes effect today; a split on the next trading day is warned of today.
        """
        midnight = datetime.combine(day, datetime.min.time())
        found: list[Split | Dividend] = []
        due = self._pair(previous) if previous is not None else None
        if due is not None and due[0].split_factor != due[1].split_factor:
            found.append(Split(symbol, midnight, float(due[0].reference_price),
                               float(due[0].split_factor / due[1].split_factor), SplitType.SPLIT_OCCURRED))
        ahead = self._pair(day)
        if ahead is not None and ahead[0].split_factor != ahead[1].split_factor:
            found.append(Split(symbol, midnight, last_price, float(ahead[0].split_factor / ahead[1].split_factor),
                               SplitType.WARNING))
        if due is not None and due[0].price_factor != due[1].price_factor:
            close = due[0].reference_price
            paid = close - close * (due[0].price_factor / due[1].price_factor)
            found.append(Dividend(symbol, midnight, float(round(paid, 2)), float(close)))
        return found

