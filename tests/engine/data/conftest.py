"""A small LEAN data folder that tests write themselves, and a feed over it without the rest of the engine."""
from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.engine import identifiers
from workbench.engine.enums import (
    DataNormalizationMode,
    OptionRight,
    OptionStyle,
    Resolution,
    SecurityType,
    TickType,
)
from workbench.engine.feed.factors import MapFiles
from workbench.engine.feed.subscriptions import Feed
from workbench.engine.feed_contract import SubscriptionDataConfig
from workbench.engine.hours_database import MarketHoursDatabase
from workbench.engine.symbols import Symbol, SymbolCache

OPEN = 34_200_000  # 09:30 in milliseconds of the day


class LeanFolder:
    """Writes files in LEAN's layout; rows are csv cells, prices in file units."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def zip(self, path: str, entries: dict[str, Iterable[Iterable[Any]]]) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w") as archive:
            for name, rows in entries.items():
                archive.writestr(name, "".join(",".join(map(str, row)) + "\n" for row in rows))
        return target

    def text(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def trades(self, ticker: str, day: date, rows: Iterable[Iterable[Any]]) -> Path:
        return self.zip(f"equity/usa/minute/{ticker}/{day:%Y%m%d}_trade.zip",
                        {f"{day:%Y%m%d}_{ticker}_minute_trade.csv": rows})

    def quotes(self, ticker: str, day: date, rows: Iterable[Iterable[Any]]) -> Path:
        return self.zip(f"equity/usa/minute/{ticker}/{day:%Y%m%d}_quote.zip",
                        {f"{day:%Y%m%d}_{ticker}_minute_quote.csv": rows})

    def options(self, ticker: str, day: date, kind: str, contracts: dict[Symbol, Iterable[Iterable[Any]]]) -> Path:
        names = {}
        for symbol, rows in contracts.items():
            right = "put" if symbol.id.option_right else "call"
            strike = round(symbol.id.strike_price * 10_000)
            names[f"{day:%Y%m%d}_{ticker}_minute_{kind}_american_{right}_{strike}_{symbol.id.date:%Y%m%d}.csv"] = rows
        return self.zip(f"option/usa/minute/{ticker}/{day:%Y%m%d}_{kind}_american.zip", names)

    def map_file(self, ticker: str, *rows: tuple[str, str]) -> Path:
        return self.text(f"equity/usa/map_files/{ticker}.csv", "".join(f"{day},{name},Q\n" for day, name in rows))


class Holder:
    """As much of a security as the feed asks for."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.subscriptions: list[SubscriptionDataConfig] = []
        self.cache: Any = None


class FeedRun:
    """A feed over a folder, subscriptions by symbol."""

    def __init__(self, folder: LeanFolder) -> None:
        self.map_files = MapFiles(folder.root)
        identifiers.use_map_files(self.map_files.first_ticker)
        self.notes: list[str] = []
        self.feed = Feed(folder.root, MarketHoursDatabase.from_data_folder(folder.root), self.map_files,
                         warn=self.notes.append)

    def add(self, symbol: Symbol, *kinds: TickType, fill_forward: bool = True, extended: bool = False,
            mode: DataNormalizationMode = DataNormalizationMode.RAW) -> Holder:
        holder = Holder(symbol)
        self.feed.add(holder, [SubscriptionDataConfig(  # type: ignore[arg-type]
            symbol, Resolution.MINUTE, kind, fill_forward=fill_forward, extended_market_hours=extended,
            data_normalization_mode=mode) for kind in kinds or (TickType.TRADE, TickType.QUOTE)])
        return holder

    def steps(self, first: date, last: date) -> Iterator[Any]:
        """Applied steps from the first to the last day, New York time."""
        start = datetime(first.year, first.month, first.day, tzinfo=self.feed.zone).astimezone(UTC)
        end = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=self.feed.zone).astimezone(UTC)
        for step in self.feed.steps(start, end):
            step.apply()
            yield step


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[LeanFolder]:
    SymbolCache.clear()
    yield LeanFolder(tmp_path)
    identifiers.use_map_files(None)


@pytest.fixture
def run(folder: LeanFolder) -> FeedRun:
    return FeedRun(folder)


@pytest.fixture
def stock() -> Symbol:
    return Symbol.create("ABC", SecurityType.EQUITY, "usa")


@pytest.fixture
def call(stock: Symbol) -> Symbol:
    return Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.CALL, 100, datetime(2024, 3, 15))
