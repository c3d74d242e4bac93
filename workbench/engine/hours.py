"""Market hours: when an exchange is open.

Wall-clock times are naive and in the exchange's zone. Sources: LEAN `Common/Securities/SecurityExchangeHours.cs`,
`LocalMarketHours.cs`.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from workbench.engine.enums import MarketHoursState
from workbench.engine.exceptions import ArgumentException, InvalidOperationException

ONE_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class MarketHoursSegment:
    """A stretch of one day in one state; start and end count from midnight."""

    state: MarketHoursState
    start: timedelta
    end: timedelta


class LocalMarketHours:
    """Hours of one day."""

    __slots__ = ("is_closed_all_day", "is_open_all_day", "market_duration", "segments")

    def __init__(self, segments: list[MarketHoursSegment]) -> None:
        self.segments = [s for s in segments if s.state != MarketHoursState.CLOSED]
        self.is_closed_all_day = not self.segments
        self.is_open_all_day = len(self.segments) == 1 and self.segments[0] == MarketHoursSegment(
            MarketHoursState.MARKET, timedelta(0), ONE_DAY)
        self.market_duration = sum(
            (s.end - s.start for s in self.segments if s.state == MarketHoursState.MARKET), timedelta(0))

    def usable(self, extended: bool) -> list[MarketHoursSegment]:
        """Segments that count as open, with or without pre- and post-market."""
        return [s for s in self.segments if extended or s.state == MarketHoursState.MARKET]

    def is_open(self, at: timedelta, extended: bool) -> bool:
        for segment in self.segments:
            if segment.start <= at < segment.end:
                return extended or segment.state == MarketHoursState.MARKET
        return False

    def overlaps(self, start: timedelta, end: timedelta, extended: bool) -> bool:
        return any(s.start < end and s.end > start for s in self.usable(extended))

    def get_market_open(self, at: timedelta, extended: bool, last_segment_end: timedelta | None) -> timedelta | None:
        """First opening after a time of day; a segment that continues another one does not open."""
        previous, from_previous_day = last_segment_end, True
        for segment in self.segments:
            counts = extended or segment.state == MarketHoursState.MARKET
            if counts and segment.end > at and not _continuous(previous, segment.start, from_previous_day):
                return segment.start
            if counts:
                previous, from_previous_day = segment.end, False
        return None

    def get_market_close(self, at: timedelta, extended: bool, last: bool,
                         next_day_start: timedelta | None) -> timedelta | None:
        """Next close after a time of day, or the day's last one."""
        found = None
        for index, segment in enumerate(self.segments):
            if segment.end <= at or not (extended or segment.state == MarketHoursState.MARKET):
                continue
            following: timedelta | None
            if index + 1 < len(self.segments):
                after = self.segments[index + 1]
                following = after.start if extended or after.state == MarketHoursState.MARKET else None
            else:
                following = next_day_start
            if last:
                found = segment.end
            elif not _continuous(segment.end, following, index + 1 == len(self.segments)):
                return segment.end
        return found


def _continuous(previous_end: timedelta | None, next_start: timedelta | None, over_midnight: bool) -> bool:
    if previous_end is None or next_start is None:
        return False
    if over_midnight:
        return previous_end == ONE_DAY and next_start == timedelta(0)
    return previous_end == next_start


def _of_day(moment: datetime) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


class SecurityExchangeHours:
    """Opening hours of one exchange, with holidays, early closes and late opens."""

    def __init__(self, time_zone: ZoneInfo, holidays: set[date], week: list[LocalMarketHours],
                 early_closes: Mapping[date, timedelta], late_opens: Mapping[date, timedelta]) -> None:
        self.time_zone = time_zone
        self.holidays = holidays
        self.early_closes = early_closes
        self.late_opens = late_opens
        self._week = week
        self._days: dict[date, LocalMarketHours] = {}

    @cached_property
    def regular_market_duration(self) -> timedelta:
        durations = [day.market_duration for day in self._week]
        return max(durations, key=lambda d: (durations.count(d), d))

    @cached_property
    def is_market_always_open(self) -> bool:
        return all(day.is_open_all_day for day in self._week)

    def get_market_hours(self, local: datetime | date) -> LocalMarketHours:
        """Hours of the day, after holidays, early close and late open."""
        day = local.date() if isinstance(local, datetime) else local
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._make(day)
        return found

    def _make(self, day: date) -> LocalMarketHours:
        if day in self.holidays:
            return LocalMarketHours([])
        regular = self._week[day.weekday()]
        close, open_ = self.early_closes.get(day), self.late_opens.get(day)
        if close is None and open_ is None:
            return regular
        segments = regular.segments
        early: list[MarketHoursSegment] | None = None
        if close is not None:
            early = []
            for segment in segments:
                if segment.start <= close <= segment.end:
                    early.append(MarketHoursSegment(segment.state, segment.start, close))
                    break
                if close < segment.start:
                    early = early[:-1]
                    break
                early.append(segment)
            if open_ is None or close >= open_:
                segments = early
        if open_ is not None:
            late: list[MarketHoursSegment] = []
            for index, segment in enumerate(segments):
                if segment.start <= open_ <= segment.end:
                    late = [MarketHoursSegment(segment.state, open_, segment.end), *segments[index + 1:]]
                    break
                if open_ < segment.start:
                    late = list(segments[index:])
                    break
            segments = early + late if early is not None and close is not None and close <= open_ else late
        return LocalMarketHours(segments)

    # -- questions --------------------------------------------------------------------------------------------

    def is_open(self, local: datetime, end_or_extended: datetime | bool = False,
                extended_market_hours: bool | None = None) -> bool:
        """Whether the exchange is open at a time, `is_open(time, extended)`, or at any time of a bar,
        `is_open(start, end, extended)`.
        """
        if isinstance(end_or_extended, datetime):
            return self._is_open_during(local, end_or_extended, bool(extended_market_hours))
        return self.get_market_hours(local).is_open(
            _of_day(local), bool(end_or_extended if extended_market_hours is None else extended_market_hours))

    def _is_open_during(self, start: datetime, end: datetime, extended: bool) -> bool:
        if start == end:
            return self.get_market_hours(start).is_open(_of_day(start), extended)
        while start < end:
            midnight = _midnight(start)
            last = min(end, midnight + ONE_DAY - _TICK)
            hours = self.get_market_hours(start)
            begin, until = _of_day(start), last - midnight
            if hours.is_open(begin, extended) if begin == until else hours.overlaps(begin, until, extended):
                return True
            start = midnight + ONE_DAY
        return False

    def is_date_open(self, local: datetime | date, extended_market_hours: bool = False) -> bool:
        """Whether the exchange trades at all on a date."""
        hours = self.get_market_hours(local)
        if hours.is_closed_all_day:
            return False
        return extended_market_hours or hours.market_duration > timedelta(0)

    def get_next_market_open(self, local: datetime, extended_market_hours: bool = False) -> datetime:
        """First opening after a time.

        Raises:
            ArgumentException: there is none within two weeks.
        """
        moment = local
        limit = _midnight(local) + timedelta(days=15)
        before = self.get_market_hours(_midnight(local) - ONE_DAY).segments
        last_end = before[-1].end if before else None
        while moment < limit:
            hours = self.get_market_hours(moment)
            midnight = _midnight(moment)
            if hours.is_closed_all_day:
                last_end = None
            else:
                opening = hours.get_market_open(_of_day(moment), extended_market_hours, last_end)
                if opening is not None and local < midnight + opening:
                    return midnight + opening
                last_end = None if midnight.date() in self.early_closes else hours.segments[-1].end
            moment = midnight + ONE_DAY
        raise ArgumentException("Unable to locate next market open within two weeks.")

    def get_next_market_close(self, local: datetime, extended_market_hours: bool = False,
                              last_close: bool = False) -> datetime:
        """First close after a time.

        Raises:
            ArgumentException: there is none within two weeks.
        """
        moment = local
        limit = _midnight(local) + timedelta(days=15)
        while moment < limit:
            hours = self.get_market_hours(moment)
            midnight = _midnight(moment)
            if not hours.is_closed_all_day:
                tomorrow = midnight + ONE_DAY
                after = [] if tomorrow.date() in self.early_closes else self.get_market_hours(tomorrow).segments
                closing = hours.get_market_close(_of_day(moment), extended_market_hours, last_close,
                                                 after[0].start if after else None)
                if closing is not None and local < midnight + closing:
                    return midnight + closing
            moment = midnight + ONE_DAY
        raise ArgumentException("Unable to locate next market close within two weeks.")

    def get_last_daily_market_close(self, local: datetime, extended_market_hours: bool = False) -> datetime:
        return self.get_next_market_close(local, extended_market_hours, last_close=True)

    def get_previous_market_open(self, local: datetime, extended_market_hours: bool = False,
                                 first_open: bool = False) -> datetime:
        """Last opening at or before a time.

        Raises:
            InvalidOperationException: there is none within nine days.
        """
        if self.get_next_market_open(local, extended_market_hours) == local:
            return local
        for back in range(9):
            midnight = _midnight(local) - back * ONE_DAY
            found = None
            for segment in reversed(self.get_market_hours(midnight).usable(extended_market_hours)):
                start = midnight + segment.start
                if start <= local:
                    if first_open:
                        found = start
                    elif self.get_next_market_open(start - _TICK, extended_market_hours) == start:
                        return start
            if found is not None:
                return found
        raise InvalidOperationException(f"Did not find last market open for {local}. IsMarketAlwaysOpen: "
                                        f"{self.is_market_always_open}")

    def get_first_daily_market_open(self, local: datetime, extended_market_hours: bool = False) -> datetime:
        return self.get_previous_market_open(local, extended_market_hours, first_open=True)

    def get_previous_trading_day(self, local: datetime) -> datetime:
        local = local - ONE_DAY
        while not self.is_date_open(local):
            local = local - ONE_DAY
        return local

    def get_next_trading_day(self, local: datetime) -> datetime:
        local = local + ONE_DAY
        while not self.is_date_open(local):
            local = local + ONE_DAY
        return local
