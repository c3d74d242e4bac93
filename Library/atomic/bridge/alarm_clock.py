"""One wake-up for the whole executor, on LEAN's schedule.

A one-shot event costs 0.2 ms on LEAN (facts: LEAN 8.6), so in a backtest a wake-up that is not needed any more is left
to fire, and one that is due earlier than asked is kept: waking early is harmless. Live timers tick once a second
whatever was asked (LiveTradingRealTimeHandler.cs:93-116), so there one recurring event serves all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NEVER = float("inf")


class AlarmClock:
    """Calls `ring` at (or, live, up to two seconds after) the time asked for.

    Args:
        algorithm: the QCAlgorithm with the schedule.
        live: live trading.
        now: seconds UTC.
        ring: what to call.
    """

    def __init__(self, algorithm: Any, live: bool, now: Callable[[], float], ring: Callable[[], None]) -> None:
        self._algorithm = algorithm
        self._live = live
        self._now = now
        self._ring = ring
        self._due = _NEVER
        self._event: Any = None

    def set(self, at: float) -> None:
        """Ring at this time, or earlier."""
        if self._due <= at + 0.0005:
            return
        self._due = at
        if self._live:
            if self._event is None:
                self._event = self._algorithm.schedule.on(
                    "atomic",
                    self._algorithm.date_rules.every_day(),
                    self._algorithm.time_rules.every(timedelta(seconds=1)),
                    self._tick,
                )
            return
        self._drop()
        algorithm = self._algorithm
        due = algorithm.time + timedelta(seconds=max(0.001, at - self._now()))
        since_midnight = due - due.replace(hour=0, minute=0, second=0, microsecond=0)
        self._event = algorithm.schedule.on(
            f"atomic {due:%Y%m%d %H%M%S.%f}",
            algorithm.date_rules.on(due.year, due.month, due.day),
            algorithm.time_rules.at(since_midnight),
            self._fired,
        )

    def _drop(self) -> None:
        """LEAN keeps events, also fired ones, until they are removed."""
        if self._event is not None:
            self._algorithm.schedule.remove(self._event)
            self._event = None

    def _fired(self) -> None:
        self._drop()
        self._due = _NEVER
        self._ring()

    def _tick(self) -> None:
        if self._now() >= self._due:
            self._due = _NEVER
            self._ring()
