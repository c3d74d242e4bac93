"""Holidays and half days of US stock exchanges by rule, for data folders without a market hours database."""
from __future__ import annotations

from datetime import date, timedelta


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """N-th weekday (Monday 0) of a month; -1 is the last."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _easter(year: int) -> date:
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def _observed(day: date) -> date:
    """Day on which a fixed holiday is kept: Friday for a Saturday, Monday for a Sunday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def holidays(year: int) -> set[date]:
    """Days on which US stock exchanges are closed."""
    days = {
        _nth(year, 1, 0, 3), _nth(year, 2, 0, 3), _easter(year) - timedelta(days=2), _nth(year, 5, 0, -1),
        _observed(date(year, 7, 4)), _nth(year, 9, 0, 1), _nth(year, 11, 3, 4), _observed(date(year, 12, 25)),
    }
    if date(year, 1, 1).weekday() != 5:  # a Saturday New Year is not moved into the old year
        days.add(_observed(date(year, 1, 1)))
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))
    return days


def early_closes(year: int) -> set[date]:
    """Days that end at 13:00 New York: before Independence Day, after Thanksgiving, before Christmas."""
    candidates = {date(year, 7, 3), _nth(year, 11, 3, 4) + timedelta(days=1), date(year, 12, 24)}
    return {day for day in candidates if day.weekday() < 5 and day not in holidays(year)}
