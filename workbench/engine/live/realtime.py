"""Scheduled events of a live session: they have a thread of their own, so several threads touch the schedule."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from workbench.engine.schedule import EventSchedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class LockedSchedule(EventSchedule):
    """Scheduled events that several threads may add, remove and fire."""

    def __init__(self, clock: Any, on_error: Callable[[Exception, str], None]) -> None:
        super().__init__(clock, on_error)
        self._lock = threading.RLock()

    def add(self, event: Any) -> None:
        """Register an event."""
        with self._lock:
            super().add(event)

    def remove(self, event: Any) -> None:
        """Forget an event."""
        with self._lock:
            super().remove(event)

    def set_time(self, utc: datetime) -> None:
        """Fire what is due."""
        with self._lock:
            super().set_time(utc)


class RealTime:
    """The thread on which scheduled events fire, once a second of data time at most (LiveTradingRealTimeHandler)."""

    def __init__(self, events: EventSchedule) -> None:
        self._events = events
        self._now: datetime | None = None
        self._wake = threading.Condition()
        self._idle = threading.Event()
        self._idle.set()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="RealTime Thread", daemon=True)
        self._thread.start()

    def tell(self, utc: datetime, *, wait: float) -> None:
        """A second has passed; wait for the events at most so long."""
        with self._wake:
            self._now = utc
            self._idle.clear()
            self._wake.notify()
        if wait:
            self._idle.wait(wait)

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._now is None and self._running:
                    self._wake.wait(0.2)
                now, self._now = self._now, None
            if now is None:
                return
            self._events.set_time(now)
            if self._now is None:
                self._idle.set()

    def close(self) -> None:
        """Let the thread end."""
        with self._wake:
            self._running = False
            self._wake.notify()
        self._thread.join(timeout=2.0)
