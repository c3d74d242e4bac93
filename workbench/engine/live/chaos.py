"""What goes wrong on a bad day: drawn from a seed, so that a day can be repeated.

Chaos acts where a real day does: between LEAN and the broker. The paper account always tells the truth; what the
algorithm hears of it may be late, lost or doubled.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """Probabilities per occasion.

    Attributes:
        seed: of the random numbers.
        latency: longest delay of a request, in seconds of wall time.
        partial: a fill comes in parts.
        lose_event: an order event does not reach the algorithm (its ticket shows the truth).
        repeat_event: an order event reaches the algorithm twice.
        refuse: the broker refuses a new order.
        refuse_cancel: the broker refuses a cancel.
        drop: at a tick the connection drops; requests wait until it is back.
        drop_seconds: how long, in seconds of data time.
        outside: at a tick somebody trades one contract of a held symbol from outside.
        reissue: at a start the broker numbers its open orders anew.
        kill: name of a point (`POINTS`) at which the process kills itself with SIGKILL; empty for never.
        kill_at: the n-th passage of that point, from 1.
        kill_from: passages before this data time (seconds UTC) do not count.
    """

    seed: int = 0
    latency: float = 0.0
    partial: float = 0.0
    lose_event: float = 0.0
    repeat_event: float = 0.0
    refuse: float = 0.0
    refuse_cancel: float = 0.0
    drop: float = 0.0
    drop_seconds: float = 20.0
    outside: float = 0.0
    reissue: bool = False
    kill: str = ""
    kill_at: int = 1
    kill_from: float = 0.0

    @classmethod
    def storm(cls, seed: int) -> ChaosPlan:
        """Everything at once, moderately."""
        return cls(seed, latency=0.02, partial=0.4, lose_event=0.05, repeat_event=0.1, refuse=0.05, refuse_cancel=0.1,
                   drop=0.002, outside=0.0005, reissue=True)  # fmt: skip


#: where a process can be killed: between the journal and the broker, and between the broker and the news of it
POINTS = ("before-send", "unacknowledged", "filled", "partial", "before-cancel", "cancelling", "replacing")


class Chaos:
    """Draws from a plan; safe to use from several threads."""

    def __init__(self, plan: ChaosPlan) -> None:
        self.plan = plan
        self._random = random.Random(plan.seed)
        self._lock = threading.Lock()
        #: data time (seconds UTC) until which the connection is down
        self.down_until = 0.0
        self._passed: dict[str, int] = {}

    def happens(self, probability: float) -> bool:
        """One draw."""
        if not probability:
            return False
        with self._lock:
            return self._random.random() < probability

    def point(self, name: str, now: float) -> None:
        """The process passes a point at a data time; this may be where it dies."""
        if self.plan.kill != name or now < self.plan.kill_from:
            return
        with self._lock:
            self._passed[name] = passed = self._passed.get(name, 0) + 1
        if passed == self.plan.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def delay(self) -> float:
        """Seconds of wall time a request takes."""
        if not self.plan.latency:
            return 0.0
        with self._lock:
            return self._random.uniform(0.0, self.plan.latency)

    def part(self, quantity: float) -> float:
        """A part of a fill: whole contracts, at least one, less than all; all of a single contract."""
        whole = int(abs(quantity))
        if whole < 2 or not self.happens(self.plan.partial):
            return quantity
        with self._lock:
            part = self._random.randint(1, whole - 1)
        return float(part if quantity > 0 else -part)

    def pick(self, count: int) -> int:
        """Index of one of `count` things."""
        with self._lock:
            return self._random.randrange(count)
