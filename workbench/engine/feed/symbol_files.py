"""What a data folder says of a symbol: its tickers over time, its splits and dividends, its last day."""
from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

from workbench.engine.enums import SecurityType
from workbench.engine.feed.factors import EMPTY_MAP, FactorFile, MapFile, MapFiles
from workbench.engine.hours import SecurityExchangeHours
from workbench.engine.hours_database import MarketHoursDatabase
from workbench.engine.symbols import Symbol

DAY: Final = timedelta(days=1)


class SymbolFiles:
    """Auxiliary files of a data folder, by symbol."""

    def __init__(self, data: Path, hours: MarketHoursDatabase, map_files: MapFiles) -> None:
        self.data = data
        self.hours = hours
        self.map_files = map_files

    def map_file(self, symbol: Symbol) -> MapFile:
        """Tickers of a stock, or of the stock behind an option; empty for an index."""
        root = symbol.underlying if symbol.underlying is not None else symbol
        return self.map_files.of(root) if root.security_type == SecurityType.EQUITY else EMPTY_MAP

    def ticker_at(self, symbol: Symbol, day: date) -> str:
        """Ticker in the names of a day's files, lower case."""
        if symbol.security_type == SecurityType.INDEX_OPTION:
            return symbol.id.symbol.lower()
        root = symbol.underlying if symbol.underlying is not None else symbol
        return self.map_file(symbol).ticker_at(day, root.value).lower()

    def factor_file(self, symbol: Symbol) -> FactorFile:
        """Splits and dividends of a stock."""
        return FactorFile.read(self.data, symbol.id.market, self.map_files.permtick_of(symbol))

    def delisting_date(self, symbol: Symbol, hours: SecurityExchangeHours) -> date:
        """Last day of trading (LEAN `OptionSymbol.GetLastDayOfTrading`, `Extensions.GetDelistingDate`)."""
        if symbol.security_type == SecurityType.INDEX_OPTION:
            return symbol.id.date.date()
        if symbol.security_type == SecurityType.OPTION:
            day = symbol.id.date.date()
            if day.weekday() == 5 and day < date(2015, 2, 1):
                day -= DAY
            while not hours.is_date_open(day):
                day -= DAY
            return day
        return self.map_file(symbol).delisting_date
