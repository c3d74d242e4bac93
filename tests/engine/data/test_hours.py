from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.enums import SecurityType
from workbench.engine.exceptions import ArgumentException, DataError
from workbench.engine.hours import SecurityExchangeHours
from workbench.engine.hours_database import MarketHoursDatabase

BUILT_IN = MarketHoursDatabase.from_data_folder(None)
STOCKS = BUILT_IN.get_exchange_hours("usa", "ABC", SecurityType.EQUITY)
moments = st.datetimes(datetime(2014, 1, 2), datetime(2026, 6, 1)).map(lambda t: t.replace(second=0, microsecond=0))


@given(moments, st.booleans())
def test_the_next_opening_is_the_first_open_minute(now: datetime, extended: bool) -> None:
    """Closed before it, open at it, and no opening between now and then."""
    opening = STOCKS.get_next_market_open(now, extended)
    assert now < opening
    assert STOCKS.is_open(opening, extended)
    assert not STOCKS.is_open(opening - timedelta(minutes=1), extended)


@given(moments, st.booleans())
def test_the_next_close_ends_an_open_time(now: datetime, extended: bool) -> None:
    """Open just before it, closed at it."""
    close = STOCKS.get_next_market_close(now, extended)
    assert now < close
    assert STOCKS.is_open(close - timedelta(minutes=1), extended)
    assert not STOCKS.is_open(close, extended)
    if STOCKS.is_open(now, extended):
        assert close.date() == now.date()


@given(moments, st.booleans())
def test_the_previous_opening_leads_to_the_next(now: datetime, extended: bool) -> None:
    """What opened last is what would have opened next just before it."""
    opened = STOCKS.get_previous_market_open(now, extended)
    assert opened <= now
    assert STOCKS.get_next_market_open(opened - timedelta(minutes=1), extended) == opened


@given(moments)
def test_a_minute_is_open_when_its_start_is(now: datetime) -> None:
    """A bar of a minute touches open hours exactly when they contain its first moment."""
    assert STOCKS.is_open(now, now + timedelta(minutes=1), False) == STOCKS.is_open(now, False)


def test_half_days_and_holidays() -> None:
    """Christmas Eve ends at 13:00, Christmas and weekends are closed."""
    assert STOCKS.get_next_market_close(datetime(2015, 12, 24, 10)) == datetime(2015, 12, 24, 13)
    assert not STOCKS.is_open(datetime(2015, 12, 24, 13), False)
    assert not STOCKS.is_date_open(date(2015, 12, 25))
    assert STOCKS.get_next_market_open(datetime(2015, 12, 24, 14)) == datetime(2015, 12, 28, 9, 30)
    assert STOCKS.get_previous_trading_day(datetime(2015, 12, 28)) == datetime(2015, 12, 24)
    assert STOCKS.regular_market_duration == timedelta(hours=6.5)


def lean_hours(lean_data: Path, ticker: str, kind: SecurityType) -> SecurityExchangeHours:
    return MarketHoursDatabase.from_data_folder(lean_data).get_exchange_hours("usa", ticker, kind)


def test_built_in_days_equal_leans(lean_data: Path) -> None:
    """From 2005 to 2026 the rules give LEAN's trading days and half days."""
    lean = lean_hours(lean_data, "SPY", SecurityType.EQUITY)
    day, different = date(2005, 1, 1), set()
    while day < date(2027, 1, 1):
        if lean.get_market_hours(day).market_duration != STOCKS.get_market_hours(day).market_duration:
            different.add(day)
        day += timedelta(days=1)
    assert not different


def test_leans_file_is_read_with_its_inheritance(lean_data: Path) -> None:
    """Options have their underlying's holidays; SPXW has four segments a day in Chicago."""
    options = lean_hours(lean_data, "GOOG", SecurityType.OPTION)
    assert not options.is_date_open(date(2015, 12, 25))
    assert options.get_next_market_close(datetime(2015, 12, 24, 10)) == datetime(2015, 12, 24, 13)
    weekly = lean_hours(lean_data, "SPXW", SecurityType.INDEX_OPTION)
    assert str(weekly.time_zone) == "America/Chicago"
    assert weekly.get_next_market_open(datetime(2021, 1, 5, 16), False) == datetime(2021, 1, 6, 8, 30)
    assert weekly.get_next_market_open(datetime(2021, 1, 5, 16), True) == datetime(2021, 1, 5, 19, 15)
    assert weekly.get_last_daily_market_close(datetime(2021, 1, 6)) == datetime(2021, 1, 6, 15, 15)


def test_what_the_database_does_not_know_is_refused() -> None:
    """A market without entry raises and names the key."""
    with pytest.raises(ArgumentException, match=r"Equity-mars-ABC"):
        BUILT_IN.get_entry("mars", "ABC", SecurityType.EQUITY)


def test_a_broken_database_is_named(tmp_path: Path) -> None:
    """A file that is not the database raises with its path."""
    (tmp_path / "market-hours").mkdir()
    (tmp_path / "market-hours" / "market-hours-database.json").write_text("{}")
    with pytest.raises(DataError, match=r"market-hours-database\.json: not a market hours database"):
        MarketHoursDatabase.from_data_folder(tmp_path)
