"""Trading days of the US exchanges, from the exchanges' published rules (NYSE Rule 7.2 and its closing notices).

Used for the market-hours file that goes with generated data and by the engine where a data folder has none.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import cache

#: regular session, New York time
OPEN = time(9, 30)
CLOSE = time(16, 0)
EARLY_CLOSE = time(13, 0)

#: closings that follow no rule: terror attacks, state funerals, a hurricane
_SPECIAL = frozenset(
    {
        *(date(2001, 9, day) for day in (11, 12, 13, 14)),
        date(2004, 6, 11),
        date(2007, 1, 2),
        date(2012, 10, 29),
        date(2012, 10, 30),
        date(2018, 12, 5),
        date(2025, 1, 9),
    }
)

MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th given weekday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _easter(year: int) -> date:
    """Easter Sunday (anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * week) // 451
    month, day = divmod(h + week - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _observed(day: date) -> date:
    """Move a holiday from Saturday to Friday and from Sunday to Monday."""
    return day + timedelta(days={SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


@cache
def holidays(year: int) -> frozenset[date]:
    """Return the weekdays of a year on which the exchanges stay closed."""
    new_year = date(year, 1, 1)
    days = {
        _nth(year, 1, MONDAY, 3),
        _nth(year, 2, MONDAY, 3),
        _easter(year) - timedelta(days=2),
        _nth(year, 6, MONDAY, 1) - timedelta(days=7),
        _observed(date(year, 7, 4)),
        _nth(year, 9, MONDAY, 1),
        _nth(year, 11, THURSDAY, 4),
        _observed(date(year, 12, 25)),
    }
    if new_year.weekday() != SATURDAY:  # a Saturday New Year is not moved into the old year
        days.add(_observed(new_year))
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days | {day for day in _SPECIAL if day.year == year})


@cache
def early_closes(year: int) -> frozenset[date]:
    """Return the days of a year that end at 13:00 New York time."""
    days = {_nth(year, 11, THURSDAY, 4) + timedelta(days=1)}
    days |= {day for day in (date(year, 7, 3), date(year, 12, 24)) if day.weekday() <= THURSDAY}
    if year == 2002:  # until 2013 the Friday after a Thursday Fourth was the short day
        days = days - {date(2002, 7, 3)} | {date(2002, 7, 5)}
    if year == 2003:  # the Friday after a Thursday Christmas, once
        days.add(date(2003, 12, 26))
    return frozenset(days - holidays(year))


def is_trading_day(day: date) -> bool:
    """Say whether the US exchanges trade on a day."""
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def previous_trading_day(day: date) -> date:
    """Return the last trading day before a day."""
    day -= timedelta(days=1)
    while not is_trading_day(day):
        day -= timedelta(days=1)
    return day


def close_of(day: date) -> time:
    """Return the end of the regular session of a trading day, New York time."""
    return EARLY_CLOSE if day in early_closes(day.year) else CLOSE
