"""The small databases that LEAN needs beside the bars: market hours, symbol properties, interest rate.

They hold what generated data needs and nothing else: US equities and their options. The texts do not depend on
the day that is generated, so several days can live in one folder.
"""

from __future__ import annotations

import json

from ..us_holidays import early_closes, holidays

_YEARS = range(1999, 2041)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")

MARKET_HOURS = "market-hours/market-hours-database.json"
SYMBOL_PROPERTIES = "symbol-properties/symbol-properties-database.csv"
INTEREST_RATE = "alternative/interest-rate/usa/interest-rate.csv"


def _week(*segments: tuple[str, str, str]) -> dict[str, object]:
    day = [{"start": start, "end": end, "state": state} for start, end, state in segments]
    return {"sunday": [], **dict.fromkeys(_WEEKDAYS, day), "saturday": []}


def _market_hours() -> str:
    zone = {"dataTimeZone": "America/New_York", "exchangeTimeZone": "America/New_York"}
    closed = [f"{day.month}/{day.day}/{day.year}" for year in _YEARS for day in sorted(holidays(year))]
    early = {f"{d.month}/{d.day}/{d.year}": "13:00:00" for year in _YEARS for d in sorted(early_closes(year))}
    equity = _week(
        ("04:00:00", "09:30:00", "premarket"),
        ("09:30:00", "16:00:00", "market"),
        ("16:00:00", "20:00:00", "postmarket"),
    )
    # an option entry without days of its own takes its underlying's (MarketHoursDatabaseJsonConverter.cs)
    option = _week(("09:30:00", "16:00:00", "market"))
    entries = {
        "Equity-usa-[*]": {**zone, **equity, "holidays": closed, "earlyCloses": early},
        "Option-usa-[*]": {**zone, **option, "holidays": []},
    }
    return json.dumps({"entries": entries}, indent=2) + "\n"


def databases() -> dict[str, str]:
    """Return {path below the data folder: text} of the three databases."""
    header = (
        "market,symbol,type,description,quote_currency,contract_multiplier,minimum_price_variation,lot_size,"
        "market_ticker,minimum_order_size,price_magnifier,strike_multiplier"
    )
    rows = ("usa,[*],option,,USD,100,0.01,1", "usa,[*],equity,,USD,1,0.01,1")
    return {
        MARKET_HOURS: _market_hours(),
        SYMBOL_PROPERTIES: "\n".join((header, "", *rows)) + "\n",
        INTEREST_RATE: "DATE,PCREDIT8\n1998-01-01,1.00\n",
    }
