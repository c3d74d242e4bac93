"""Where LEAN keeps the data of a symbol (LEAN `Common/Util/LeanData.cs`)."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from workbench.engine.enums import OptionRight, OptionStyle, Resolution, SecurityType, TickType
from workbench.engine.symbols import Symbol

_FOLDERS: Final = {SecurityType.EQUITY: "equity", SecurityType.OPTION: "option", SecurityType.INDEX: "index",
                   SecurityType.INDEX_OPTION: "indexoption"}
_TICKS: Final = {TickType.TRADE: "trade", TickType.QUOTE: "quote", TickType.OPEN_INTEREST: "openinterest"}
_OPTIONS: Final = (SecurityType.OPTION, SecurityType.INDEX_OPTION)


def price_scale(security_type: SecurityType) -> float:
    """How many file units make a dollar: 10,000, or 1 for an index."""
    return 1.0 if security_type == SecurityType.INDEX else 10_000.0


def _style(symbol: Symbol) -> str:
    return "american" if symbol.id.option_style == OptionStyle.AMERICAN else "european"


def zip_path(data: Path, symbol: Symbol, ticker: str, day: date, resolution: Resolution, tick: TickType) -> Path:
    """Zip with a symbol's bars; `ticker` is the one of the day, of the underlying for a stock's options."""
    kind = symbol.security_type
    folder = data / _FOLDERS[kind] / symbol.id.market / str(resolution).lower()
    suffix = f"_{_TICKS[tick]}" + (f"_{_style(symbol)}" if kind in _OPTIONS else "")
    if resolution in (Resolution.HOUR, Resolution.DAILY):
        return folder / (f"{ticker}_{day.year}{suffix}.zip" if kind in _OPTIONS else f"{ticker}.zip")
    return folder / ticker / f"{day:%Y%m%d}{suffix}.zip"


def entry_name(symbol: Symbol, ticker: str, day: date, resolution: Resolution, tick: TickType) -> str:
    """Name of the csv inside the zip."""
    kind = symbol.security_type
    name = str(resolution).lower()
    intraday = resolution not in (Resolution.HOUR, Resolution.DAILY)
    if kind not in _OPTIONS:
        return f"{day:%Y%m%d}_{ticker}_{name}_{_TICKS[tick]}.csv" if intraday else f"{ticker}.csv"
    right = "call" if symbol.id.option_right == OptionRight.CALL else "put"
    strike = round(symbol.id.strike_price * 10_000)
    stem = f"{ticker}_{name}_{_TICKS[tick]}" if intraday else f"{ticker}_{_TICKS[tick]}"
    tail = f"{_style(symbol)}_{right}_{strike}_{symbol.id.date:%Y%m%d}.csv"
    return f"{day:%Y%m%d}_{stem}_{tail}" if intraday else f"{stem}_{tail}"


def universe_path(data: Path, canonical: Symbol, ticker: str, day: date) -> Path:
    """Csv with a chain's contracts as of the end of a day."""
    folder = data / _FOLDERS[canonical.security_type] / canonical.id.market
    return folder / "universes" / ticker / f"{day:%Y%m%d}.csv"
