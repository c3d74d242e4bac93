"""Date and time rules (Common/Scheduling/DateRules.cs, TimeRules.cs)."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.clock import to_utc
from workbench.engine.enums import LeanEnum, SecurityType
from workbench.engine.exceptions import ArgumentException, ArgumentOutOfRangeException
from workbench.engine.members import lean_class
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.clock import Clock

ONE_DAY: Final = timedelta(days=1)


class DayOfWeek(LeanEnum):
    """System.DayOfWeek."""

    SUNDAY = 0
    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6


class DateRule:
    """Which days."""

    __slots__ = ("_dates", "name")

    def __init__(self, name: str, dates: Callable[[datetime, datetime], Iterable[datetime]]) -> None:
        self.name = name
        self._dates = dates

    def dates(self, start: datetime, end: datetime) -> Iterable[datetime]:
        """Midnights between two days, both included."""
        return self._dates(start, end)


class TimeRule:
    """Which times of the days."""

    __slots__ = ("_times", "name")

    def __init__(self, name: str, times: Callable[[Iterable[datetime]], Iterator[datetime]]) -> None:
        self.name = name
        self._times = times

    def times(self, dates: Iterable[datetime]) -> Iterator[datetime]:
        """UTC times on the given days."""
        return self._times(dates)


def each_day(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every midnight from start to end."""
    day = datetime(start.year, start.month, start.day)
    while day <= end:
        yield day
        day += ONE_DAY


def _weekday(day: datetime) -> int:
    return (day.weekday() + 1) % 7


class _Rules:
    def __init__(self, clock: Clock, hours_of: Callable[[Symbol], Any], securities: Any) -> None:
        self._clock = clock
        self._hours_of = hours_of
        self._securities = securities

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def _zone(self) -> tzinfo:
        return self._clock.zone

    def _symbol(self, symbol: Any) -> Symbol:
        if isinstance(symbol, str):
            from workbench.engine.symbols import SymbolCache
            return SymbolCache.try_get_symbol(symbol) or Symbol.create(symbol, SecurityType.EQUITY, "usa")
        found = getattr(symbol, "symbol", symbol)
        if not isinstance(found, Symbol):
            raise TypeError(f"{symbol!r} is not a symbol")
        return found


@lean_class("DateRules")
class DateRules(_Rules):
    """`self.date_rules` of an algorithm."""

    def on(self, *args: Any) -> DateRule:
        """`on(year, month, day)`, one or more dates, or a list of dates."""
        if len(args) == 3 and all(isinstance(a, int) for a in args):
            given = [datetime(*args)]
        else:
            flat = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
            given = [datetime(d.year, d.month, d.day) for d in flat]
        name = ",".join(f"{d:%m/%d/%Y}" for d in given)
        return DateRule(name, lambda start, end: [d for d in given if start <= d <= end])

    @property
    def today(self) -> DateRule:
        return DateRule("TodayOnly", lambda _start, _end: [self._midnight()])

    @property
    def tomorrow(self) -> DateRule:
        return DateRule("TomorrowOnly", lambda _start, _end: [self._midnight() + ONE_DAY])

    def _midnight(self) -> datetime:
        now = self._clock.time
        return datetime(now.year, now.month, now.day)

    def every(self, *days: Any) -> DateRule:
        """Given days of the week."""
        wanted = {int(d) for d in (days[0] if len(days) == 1 and isinstance(days[0], (list, tuple)) else days)}
        name = ",".join(DayOfWeek(d).name.title() for d in sorted(wanted))
        return DateRule(name, lambda start, end: (d for d in each_day(start, end) if _weekday(d) in wanted))

    def every_day(self, symbol: Any = None, extended_market_hours: bool = False) -> DateRule:
        """Every day, or every trading day of a symbol."""
        if symbol is None:
            return DateRule("EveryDay", each_day)
        of = self._symbol(symbol)
        hours = self._hours_of(of)
        return DateRule(f"{of.value}: EveryDay", lambda start, end: (
            d for d in each_day(start, end) if hours.is_date_open(d, extended_market_hours)))

    def _period(self, name: str, symbol: Any, offset: int, extended: bool, limit: int, forward: bool,
                bounds: Callable[[datetime], tuple[datetime, datetime]]) -> DateRule:
        """One day of each period: its first (or last) trading day, `offset` trading days in."""
        if isinstance(symbol, int):
            symbol, offset = None, symbol
        if not 0 <= offset <= limit:
            raise ArgumentOutOfRangeException(f"DateRules.{name}() : Offset must be between 0 and {limit}")
        of = None if symbol is None else self._symbol(symbol)
        hours = None if of is None else self._hours_of(of)
        step = ONE_DAY if forward else -ONE_DAY

        def is_open(day: datetime) -> bool:
            return hours is None or hours.is_date_open(day, extended)

        def scheduled(first: datetime, last: datetime) -> datetime:
            base, boundary = (first, last) if forward else (last, first)
            day = base
            while not is_open(day):
                day += step
            for _ in range(offset):
                day += step
                while not is_open(day):
                    day += step
            if day > boundary if forward else day < boundary:
                day = boundary
                while not is_open(day):
                    day -= step
            return day

        def dates(start: datetime, end: datetime) -> Iterator[datetime]:
            first, last = bounds(start)
            while first <= end:
                day = scheduled(first, last)
                if start <= day <= end:
                    yield day
                first, last = bounds(last + ONE_DAY)

        sign = "" if not offset else f"{offset if forward else -offset:+d}"
        return DateRule(f"{name}{sign}" if of is None else f"{of.value}: {name}{sign}", dates)

    def month_start(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """First (trading) day of each month."""
        return self._period("MonthStart", symbol, days_offset, extended_market_hours, 30, True, _month)

    def month_end(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """Last (trading) day of each month."""
        return self._period("MonthEnd", symbol, days_offset, extended_market_hours, 30, False, _month)

    def quarter_start(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """First (trading) day of each quarter."""
        return self._period("QuarterStart", symbol, days_offset, extended_market_hours, 92, True, _quarter)

    def quarter_end(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """Last (trading) day of each quarter."""
        return self._period("QuarterEnd", symbol, days_offset, extended_market_hours, 92, False, _quarter)

    def year_start(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """First (trading) day of each year."""
        return self._period("YearStart", symbol, days_offset, extended_market_hours, 365, True, _year)

    def year_end(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """Last (trading) day of each year."""
        return self._period("YearEnd", symbol, days_offset, extended_market_hours, 365, False, _year)

    def week_start(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """First trading day of each week (Monday without a symbol)."""
        return self._period("WeekStart", symbol, days_offset, extended_market_hours, 6, True, _week)

    def week_end(self, symbol: Any = None, days_offset: int = 0, extended_market_hours: bool = True) -> DateRule:
        """Last trading day of each week (Friday without a symbol)."""
        return self._period("WeekEnd", symbol, days_offset, extended_market_hours, 6, False, _work_week)


def _month(day: datetime) -> tuple[datetime, datetime]:
    return (datetime(day.year, day.month, 1),
            datetime(day.year, day.month, calendar.monthrange(day.year, day.month)[1]))


def _quarter(day: datetime) -> tuple[datetime, datetime]:
    first = (day.month - 1) // 3 * 3 + 1
    return (datetime(day.year, first, 1),
            datetime(day.year, first + 2, calendar.monthrange(day.year, first + 2)[1]))


def _year(day: datetime) -> tuple[datetime, datetime]:
    return datetime(day.year, 1, 1), datetime(day.year, 12, 31)


def _week(day: datetime) -> tuple[datetime, datetime]:
    monday = datetime(day.year, day.month, day.day) - day.weekday() * ONE_DAY
    return monday, monday + 6 * ONE_DAY


def _work_week(day: datetime) -> tuple[datetime, datetime]:
    """Monday to Friday; asked for a weekend day it is the week that follows."""
    day = datetime(day.year, day.month, day.day)
    if day.weekday() > 4:
        day += (7 - day.weekday()) * ONE_DAY
    monday = day - day.weekday() * ONE_DAY
    return monday, monday + 4 * ONE_DAY


@lean_class("TimeRules")
class TimeRules(_Rules):
    """`self.time_rules` of an algorithm."""

    def set_default_time_zone(self, zone: tzinfo) -> None:
        """Rules count in this zone from now on."""
        self._clock.zone = zone

    @property
    def now(self) -> TimeRule:
        return TimeRule("Now", lambda dates: (self._clock.utc for _ in dates))

    @property
    def midnight(self) -> TimeRule:
        return TimeRule("Midnight", lambda dates: (to_utc(d, self._zone) for d in dates))

    @property
    def noon(self) -> TimeRule:
        return TimeRule("Noon", lambda dates: (to_utc(d, self._zone) + timedelta(hours=12) for d in dates))

    def at(self, *args: Any, time_zone: tzinfo | None = None, **kwargs: Any) -> TimeRule:
        """`at(hour, minute, second=0)`, `at(timedelta)`, optionally in another zone."""
        values = list(args)
        if values and isinstance(values[-1], tzinfo):
            time_zone = values.pop()
        if "time_of_day" in kwargs:
            values = [kwargs.pop("time_of_day")]
        if len(values) == 1 and isinstance(values[0], timedelta):
            of_day = values[0]
        else:
            parts = dict(zip(("hour", "minute", "second"), values, strict=False)) | kwargs
            of_day = timedelta(hours=parts["hour"], minutes=parts.get("minute", 0), seconds=parts.get("second", 0))
        zone = self._zone if time_zone is None else time_zone
        name = f"{of_day / timedelta(hours=1):.2f}".rstrip("0").rstrip(".")
        return TimeRule(name, lambda dates: (to_utc(d + of_day, zone) for d in dates))

    def every(self, interval: timedelta) -> TimeRule:
        """Every interval from midnight on."""
        if interval <= timedelta(0):
            raise ArgumentException("TimeRules.Every(): time span interval can not be zero or less")
        zone = self._zone
        minutes = f"{interval / timedelta(minutes=1):.2f}".rstrip("0").rstrip(".")
        return TimeRule(f"Every {minutes} min", lambda dates: _every(dates, interval, zone))

    def _market(self, symbol: Any, minutes: float, extended: bool, opening: bool) -> TimeRule:
        if symbol is not None and not isinstance(symbol, (int, float)):
            of: Symbol | None = self._symbol(symbol)
        else:
            minutes = minutes if symbol is None else float(symbol)
            of = None
        offset = timedelta(minutes=minutes)
        kind = ("Extended" if extended else "") + ("MarketOpen" if opening else "MarketClose")
        side = ("after" if minutes > 0 else "before") if opening else ("before" if minutes > 0 else "after")
        name = f"{abs(minutes):g} min {side} {kind}"

        def one(hours: Any, day: datetime) -> datetime | None:
            if not hours.is_date_open(day, extended):
                return None
            if opening:
                moment = hours.get_first_daily_market_open(day + ONE_DAY - timedelta(microseconds=1), extended)
                if moment.date() != day.date():
                    return None
                return to_utc(moment + offset, hours.time_zone)
            return to_utc(hours.get_last_daily_market_close(day, extended) - offset, hours.time_zone)

        def times(dates: Iterable[datetime]) -> Iterator[datetime]:
            sources = self._all_hours() if of is None else [self._hours_of(of)]
            for day in dates:
                found = [t for t in (one(hours, day) for hours in sources) if t is not None]
                if found:
                    yield min(found) if opening else max(found)

        return TimeRule(name if of is None else f"{of.value}: {name}", times)

    def _all_hours(self) -> list[Any]:
        """Hours of SPY and of everything subscribed that is not always open (GetMarketOpenCloseExchangeHours)."""
        found = [self._hours_of(Symbol.create("SPY", SecurityType.EQUITY, "usa"))]
        for security in self._securities.values:
            hours = security.exchange.hours
            if security.type != SecurityType.EQUITY and not hours.is_market_always_open and hours not in found:
                found.append(hours)
        return found

    def after_market_open(self, symbol: Any = None, minutes_after_open: float = 0,
                          extended_market_open: bool = False) -> TimeRule:
        """Minutes after the open."""
        return self._market(symbol, minutes_after_open, extended_market_open, True)

    def before_market_open(self, symbol: Any = None, minutes_before_open: float = 0,
                           extended_market_open: bool = False) -> TimeRule:
        """Minutes before the open."""
        if isinstance(symbol, (int, float)):
            symbol, minutes_before_open = None, symbol
        return self._market(symbol, -minutes_before_open, extended_market_open, True)

    def before_market_close(self, symbol: Any = None, minutes_before_close: float = 0,
                            extended_market_close: bool = False) -> TimeRule:
        """Minutes before the close."""
        return self._market(symbol, minutes_before_close, extended_market_close, False)

    def after_market_close(self, symbol: Any = None, minutes_after_close: float = 0,
                           extended_market_close: bool = False) -> TimeRule:
        """Minutes after the close."""
        if isinstance(symbol, (int, float)):
            symbol, minutes_after_close = None, symbol
        return self._market(symbol, -minutes_after_close, extended_market_close, False)


def _every(dates: Iterable[datetime], interval: timedelta, zone: tzinfo) -> Iterator[datetime]:
    for day in dates:
        begin, end = to_utc(day, zone), to_utc(day + ONE_DAY, zone)
        steady = end - begin == ONE_DAY
        moment = timedelta(0)
        while moment < ONE_DAY:
            yield begin + moment if steady else (day + moment).replace(tzinfo=zone).astimezone(UTC)
            moment += interval
