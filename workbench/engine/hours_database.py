"""Market hours by market, ticker and type, from LEAN's database file or a small built-in table of US exchanges.

Sources: LEAN `Common/Securities/MarketHoursDatabase.cs`, `Common/Util/MarketHoursDatabaseJsonConverter.cs`.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from workbench.engine.enums import MarketHoursState, SecurityType
from workbench.engine.exceptions import ArgumentException, DataError
from workbench.engine.hours import LocalMarketHours, MarketHoursSegment, SecurityExchangeHours
from workbench.engine.identifiers import OPTION_TYPES
from workbench.engine.symbols import Symbol, map_to_underlying
from workbench.us_holidays import early_closes, holidays

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_STATES: Final = {"closed": MarketHoursState.CLOSED, "premarket": MarketHoursState.PRE_MARKET,
                  "market": MarketHoursState.MARKET, "postmarket": MarketHoursState.POST_MARKET}


@dataclass(frozen=True, slots=True)
class MarketHoursEntry:
    """Hours of an exchange and the zone its data files count in."""

    data_time_zone: ZoneInfo
    exchange_hours: SecurityExchangeHours


def _time_of_day(text: str) -> timedelta:
    """Read `09:30:00`, `1.00:00:00` or `1:00:00:00` (.NET accepts both for a full day)."""
    parts = [int(part) for part in text.replace(".", ":").split(":")]
    return timedelta(**dict(zip(("seconds", "minutes", "hours", "days"), reversed(parts), strict=False)))


def _date(text: str) -> date:
    month, day, year = (int(part) for part in text.split("/"))
    return date(year, month, day)


class MarketHoursDatabase:
    """Hours by market, ticker and security type; `[*]` where a ticker has no entry of its own."""

    def __init__(self, entries: Mapping[str, Any], source: Path | None = None, text: str = "") -> None:
        self._json = entries
        self._source = source
        self._text = text
        self._entries: dict[str, MarketHoursEntry | None] = {}

    @staticmethod
    def from_data_folder(data: Path | None) -> MarketHoursDatabase:
        """Read LEAN's file of a data folder; without one, the built-in US table.

        Raises:
            DataError: the file is there but cannot be read.
        """
        path = data / "market-hours" / "market-hours-database.json" if data is not None else None
        if path is None or not path.exists():
            return MarketHoursDatabase(_built_in())
        text = path.read_text(encoding="utf-8")
        if '"entries"' not in text:
            raise DataError(path, "not a market hours database (no entries)")
        return MarketHoursDatabase({}, path, text)

    def get_entry(self, market: str, symbol: Symbol | str | None, security_type: SecurityType) -> MarketHoursEntry:
        """Entry of a ticker, or the market's common one.

        Raises:
            ArgumentException: the database knows neither.
        """
        kind = _KINDS[security_type]
        ticker = symbol if symbol is None or isinstance(symbol, str) else database_ticker(symbol)
        found = (self._find(f"{kind}-{market}-{ticker}") if ticker else None) or self._find(f"{kind}-{market}-[*]")
        if found is None:
            raise ArgumentException(f"Unable to locate exchange hours for {kind}-{market}-{ticker}. Add it to "
                                    f"{self._source or 'market-hours/market-hours-database.json of the data folder'}.")
        return found

    def get_exchange_hours(self, market: str, symbol: Symbol | str | None,
                           security_type: SecurityType) -> SecurityExchangeHours:
        return self.get_entry(market, symbol, security_type).exchange_hours

    def entry_of(self, symbol: Symbol) -> MarketHoursEntry:
        """Entry of a symbol."""
        return self.get_entry(symbol.id.market, symbol, symbol.security_type)

    def _find(self, key: str) -> MarketHoursEntry | None:
        if key not in self._entries:
            try:
                raw = self._json.get(key) if self._source is None else self._read(key)
                self._entries[key] = None if raw is None else self._convert(key, raw)
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise DataError(self._source or Path(), f"entry {key} is not one of market hours ({error})") from error
        return self._entries[key]

    def _read(self, key: str) -> Mapping[str, Any] | None:
        """One entry of the file: three megabytes are not parsed for the few a run needs."""
        name = json.dumps(key)
        at = self._text.find(name)
        while at >= 0:
            begin = self._text.find(":", at + len(name))
            if begin >= 0 and not self._text[at + len(name):begin].strip():
                text = self._text[begin + 1:begin + 9].lstrip()
                if text.startswith("{"):
                    raw, _ = json.JSONDecoder().raw_decode(self._text, self._text.index("{", begin))
                    return raw if isinstance(raw, dict) else None
            at = self._text.find(name, at + 1)
        return None

    def _convert(self, key: str, raw: Mapping[str, Any]) -> MarketHoursEntry:
        kind, market, ticker = key.split("-", 2)
        week = [LocalMarketHours([MarketHoursSegment(_STATES[s["state"].lower()], _time_of_day(s["start"]),
                                                     _time_of_day(s["end"])) for s in raw.get(day) or []])
                for day in _DAYS]
        closed = {_date(text) for text in raw.get("holidays") or []}
        early = {_date(text): _time_of_day(value) for text, value in (raw.get("earlyCloses") or {}).items()}
        late = {_date(text): _time_of_day(value) for text, value in (raw.get("lateOpens") or {}).items()}
        if kind in _UNDERLYING_KINDS:  # an option without its own holidays has its underlying's
            below = _UNDERLYING_KINDS[kind]
            underlying = (self._find(f"{below}-{market}-{map_to_underlying(ticker)}")
                          or self._find(f"{below}-{market}-[*]"))
            if underlying is not None:
                hours = underlying.exchange_hours
                closed = closed or set(hours.holidays)
                early = early or dict(hours.early_closes)
                late = late or dict(hours.late_opens)
        if ticker != "[*]":
            common = self._find(f"{kind}-{market}-[*]")
            if common is not None:
                hours = common.exchange_hours
                closed |= hours.holidays
                early = {**hours.early_closes, **early}
                late = {**hours.late_opens, **late}
        exchange = SecurityExchangeHours(ZoneInfo(raw["exchangeTimeZone"]), closed, week, early, late)
        return MarketHoursEntry(ZoneInfo(raw["dataTimeZone"]), exchange)


_KINDS: Final = {SecurityType.BASE: "Base", SecurityType.EQUITY: "Equity", SecurityType.OPTION: "Option",
                 SecurityType.COMMODITY: "Commodity", SecurityType.FOREX: "Forex", SecurityType.FUTURE: "Future",
                 SecurityType.CFD: "Cfd", SecurityType.CRYPTO: "Crypto", SecurityType.FUTURE_OPTION: "FutureOption",
                 SecurityType.INDEX: "Index", SecurityType.INDEX_OPTION: "IndexOption",
                 SecurityType.CRYPTO_FUTURE: "CryptoFuture"}
_UNDERLYING_KINDS: Final = {"Option": "Equity", "IndexOption": "Index", "FutureOption": "Future"}


def database_ticker(symbol: Symbol) -> str:
    """Ticker under which LEAN's databases list a symbol: a stock's for its options, an index option's own."""
    if symbol.security_type == SecurityType.OPTION and symbol.underlying is not None:
        return symbol.underlying.value
    return symbol.id.symbol if symbol.security_type in OPTION_TYPES else symbol.value


def _built_in() -> dict[str, Any]:
    """US hours for data folders without a database: stocks, their options, indices and their options."""
    years = range(1998, datetime.now().year + 3)
    closed = [f"{d.month}/{d.day}/{d.year}" for year in years for d in sorted(holidays(year))]
    half = {f"{d.month}/{d.day}/{d.year}": "13:00:00" for year in years for d in sorted(early_closes(year))}

    def entry(zone: str, data_zone: str, segments: list[tuple[str, str, str]], hour_shift: int = 0) -> dict[str, Any]:
        day = [{"state": state, "start": start, "end": end} for state, start, end in segments]
        shifted = {key: f"{time.fromisoformat(value).hour - hour_shift:02d}:00:00" for key, value in half.items()}
        return {"dataTimeZone": data_zone, "exchangeTimeZone": zone, **dict.fromkeys(_DAYS[:5], day), "saturday": [],
                "sunday": [], "holidays": closed, "earlyCloses": shifted}

    new_york, chicago = "America/New_York", "America/Chicago"
    return {
        "Equity-usa-[*]": entry(new_york, new_york, [("premarket", "04:00:00", "09:30:00"),
                                                     ("market", "09:30:00", "16:00:00"),
                                                     ("postmarket", "16:00:00", "20:00:00")]),
        "Option-usa-[*]": entry(new_york, new_york, [("market", "09:30:00", "16:00:00")]),
        "Index-usa-[*]": entry(chicago, chicago, [("market", "08:30:00", "15:15:00")], 1),
        "IndexOption-usa-[*]": entry(chicago, new_york, [("market", "08:30:00", "15:15:00")], 1),
    }
