"""Scheduled events of a backtest (Engine/RealTime/BacktestingRealTimeHandler.cs, Common/Scheduling/ScheduledEvent.cs).

Two moments of a time step fire events: `scan_past` those before the step's time, each at its own time and on the old
prices; `set_time` those at the step's time. Events that a callback adds become visible at the next such moment, and
events that it removes still fire within the current one, as on LEAN.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.members import lean_class
from workbench.engine.schedule_rules import DateRules, TimeRules

if TYPE_CHECKING:
    from workbench.engine.clock import Clock

END_OF_TIME: Final = datetime(2050, 12, 31)
NEVER: Final = datetime.max.replace(tzinfo=UTC)


class ScheduledEvent:
    """A callback and its times (UTC, ascending, made on demand)."""

    __slots__ = ("_callback", "_current", "_done", "_needs_next", "_times", "enabled", "name")

    def __init__(self, name: str, times: Iterator[datetime], callback: Callable[[str, datetime], Any] | None) -> None:
        self.name = name
        self.enabled = True
        self._times = times
        self._callback = callback
        self._needs_next = True
        self._current = NEVER
        self._done = False

    @property
    def next_event_utc_time(self) -> datetime:
        """When it fires next; the end of time when it does not."""
        if self._done:
            return NEVER
        if self._needs_next:
            self._needs_next = False
            self._advance()
        return self._current

    def _advance(self) -> bool:
        found = next(self._times, None)
        if found is None:
            self._done = True
            self._current = NEVER
            return False
        self._current = found
        return True

    def scan(self, utc: datetime) -> None:
        """Fire every time up to `utc`."""
        while not self._done:
            if self._needs_next and not self._advance():
                return
            self._needs_next = False
            if utc < self._current:
                return
            if self.enabled and self._callback is not None:
                self._callback(self.name, self._current)
            self._needs_next = True

    def skip_until(self, utc: datetime) -> None:
        """Drop times before `utc`."""
        while utc > self.next_event_utc_time:
            if not self._advance():
                return

    def __str__(self) -> str:
        return self.name


class EventSchedule:
    """All scheduled events of a run."""

    def __init__(self, clock: Clock, on_error: Callable[[Exception, str], None]) -> None:
        self._clock = clock
        self._on_error = on_error
        self._ids: dict[int, tuple[ScheduledEvent, int]] = {}
        self._next_id = 0
        self._sorted: list[ScheduledEvent] = []
        self._dirty = False
        self.running = False

    def add(self, event: ScheduledEvent) -> None:
        """Register an event; past times are skipped once the run has begun."""
        if self.running:
            event.skip_until(self._clock.utc)
        self._next_id += 1
        self._ids[id(event)] = (event, self._next_id)
        self._dirty = True

    def remove(self, event: ScheduledEvent) -> None:
        """Forget an event."""
        self._ids.pop(id(event), None)
        self._dirty = True

    def start(self) -> None:
        """Begin the run at the clock's time."""
        self.running = True
        for event, _ in self._ids.values():
            event.skip_until(self._clock.utc)
        self._dirty = True

    def _events(self) -> list[ScheduledEvent]:
        if self._dirty:
            self._dirty = False
            # Fired one-shot events would be sorted again and again: they never fire and can go.
            self._ids = {key: pair for key, pair in self._ids.items() if pair[0].next_event_utc_time is not NEVER}
            self._sorted = [event for event, _ in sorted(self._ids.values(), key=_time_then_id)]
        return self._sorted

    def next_time(self) -> datetime:
        """The earliest time at which anything fires."""
        events = self._events()
        return events[0].next_event_utc_time if events else NEVER

    def set_time(self, utc: datetime) -> None:
        """Fire what is due up to and at `utc`."""
        events = self._events()
        while events and events[0].next_event_utc_time <= utc:
            event = events[0]
            try:
                event.scan(utc)
            except Exception as error:
                self._on_error(error, f"Scheduled event: '{event.name}' at {utc:%m/%d/%Y %H:%M:%S}")
                break
            _resort_first(events)

    def scan_past(self, utc: datetime) -> None:
        """Fire what is due before `utc`, each event at its own time."""
        events = self._events()
        while events and events[0].next_event_utc_time < utc:
            event = events[0]
            due = event.next_event_utc_time
            self._clock.set(due)
            try:
                event.scan(due)
            except Exception as error:
                self._on_error(error, f"Scheduled event: '{event.name}' at {due:%m/%d/%Y %H:%M:%S}")
                break
            _resort_first(events)


def _time_then_id(pair: tuple[ScheduledEvent, int]) -> tuple[datetime, int]:
    return pair[0].next_event_utc_time, pair[1]


def _resort_first(events: list[ScheduledEvent]) -> None:
    """Move the first event to its place; among equal times after the one that LEAN's binary search hits."""
    time = events[0].next_event_utc_time
    if len(events) < 2 or time <= events[1].next_event_utc_time:
        return
    event = events.pop(0)
    low, high = 0, len(events) - 1
    while low <= high:
        middle = low + (high - low) // 2
        other = events[middle].next_event_utc_time
        if time < other:
            high = middle - 1
        elif time > other:
            low = middle + 1
        else:
            events.insert(middle + 1, event)
            return
    events.insert(low, event)


@lean_class("ScheduleManager")
class ScheduleManager:
    """`self.schedule` of an algorithm."""

    def __init__(self, events: EventSchedule, clock: Clock, date_rules: DateRules, time_rules: TimeRules) -> None:
        self._events = events
        self._clock = clock
        self.date_rules = date_rules
        self.time_rules = time_rules

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    def on(self, *args: Any, **kwargs: Any) -> ScheduledEvent:
        """`on(date_rule, time_rule, callback)` or `on(name, date_rule, time_rule, callback)`."""
        values = dict(zip(("name", "date_rule", "time_rule", "callback")[4 - len(args) - len(kwargs):], args,
                          strict=False)) | kwargs
        try:
            date_rule, time_rule, callback = values["date_rule"], values["time_rule"], values["callback"]
        except KeyError as missing:
            raise TypeError(f"No method matches given arguments for On: {missing} is missing") from None
        name = values.get("name") or f"{date_rule.name}: {time_rule.name}"
        event = ScheduledEvent(str(name), time_rule.times(self._dates(date_rule)), _adapt(callback))
        self._events.add(event)
        return event

    def _dates(self, rule: Any) -> Iterator[date]:
        """Dates of a rule from the day before now on, looked up when first needed (GetDatesDeferred)."""
        start = datetime.combine(self._clock.utc.date(), datetime.min.time()) - timedelta(days=1)
        yield from rule.dates(start, END_OF_TIME)

    def add(self, event: ScheduledEvent) -> None:
        """Register an event."""
        self._events.add(event)

    def remove(self, event: ScheduledEvent) -> None:
        """Forget an event."""
        self._events.remove(event)


def _adapt(callback: Callable[..., Any]) -> Callable[[str, datetime], Any]:
    """LEAN calls Python callbacks without arguments."""
    if not callable(callback):
        raise TypeError(f"schedule.on: {callback!r} is not callable; pass a function without arguments")
    try:
        required = [p for p in inspect.signature(callback).parameters.values()
                    if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        required = []
    if len(required) == 2:
        return callback
    return lambda _name, _time: callback()
