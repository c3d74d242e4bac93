"""Limits that act: daily loss, drawdown, failures in a row, rejections in a row, naked seconds, margin usage.

A limit that trips stays tripped until an operator resets it (`LimitBook.reset`), also over a restart: `state` is
journaled by the executor and `restore`d at its start. Only `BreakerLimit` closes by itself, after a pause and one
successful trial. No limit ever stops an order that reduces naked quantity or protects: the executor asks `may_open`
for opening orders only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .checks import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: what a tripped limit does, from mild to hard; every stage includes the ones before it
ACTIONS = ("warn", "no_new", "close_by_risk", "flatten", "kill")


class ReadingLike(Protocol):
    """The account as limits see it (`atomic.ports.Reading`)."""

    @property
    def at(self) -> float: ...  # noqa: D102
    @property
    def equity(self) -> float: ...  # noqa: D102
    @property
    def margin_used(self) -> float: ...  # noqa: D102
    @property
    def margin_remaining(self) -> float: ...  # noqa: D102
    @property
    def naked_seconds(self) -> float: ...  # noqa: D102


class Directive(NamedTuple):
    """What a tripped limit wants done (shape of `atomic.ports.Directive`)."""

    action: str
    limit: str
    reason: str


@dataclass(slots=True)
class Tripped:
    """A limit that tripped: when, with what value, and what it does."""

    at: float
    value: str
    limit: str
    action: str


@dataclass(slots=True)
class Counters:
    """What limits remember between readings; JSON-able."""

    #: ISO date (New York) of the running day and the equity at its start
    day: str = ""
    day_equity: float = 0.0
    peak_equity: float = 0.0
    failures: int = 0
    rejections: int = 0
    #: most in a row since the newest reading: a fill between two readings does not hide them
    failures_peak: int = 0
    rejections_peak: int = 0
    #: breaker: open since (0 = closed), trial under way
    breaker_at: float = 0.0
    trial: bool = False


class Limit(Protocol):
    """One limit; `breach` is None, or (value, limit) as a person reads them."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def action(self) -> str: ...  # noqa: D102

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Compare."""


def _action(action: str) -> None:
    if action not in ACTIONS:
        raise ValueError(f"action={action!r}: use one of {', '.join(ACTIONS)}")


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}={value!r}: give a positive number")


@dataclass(frozen=True, slots=True)
class DailyLoss:
    """Equity fell by this many dollars since the first reading of the day."""

    dollars: float
    action: str = "flatten"
    name: str = "daily-loss"

    def __post_init__(self) -> None:
        _positive("DailyLoss.dollars", self.dollars)
        _action(self.action)

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Loss against the limit."""
        loss = counters.day_equity - reading.equity
        return (f"{loss:.2f}", f"{self.dollars:.2f}") if loss >= self.dollars else None


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Equity fell by this fraction (0.1 = 10 %) from its highest reading."""

    fraction: float
    action: str = "flatten"
    name: str = "drawdown"

    def __post_init__(self) -> None:
        _positive("Drawdown.fraction", self.fraction)
        _action(self.action)

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Drawdown against the limit."""
        if counters.peak_equity <= 0:
            return None
        down = 1 - reading.equity / counters.peak_equity
        return (f"{down:.4f}", f"{self.fraction:g}") if down >= self.fraction - 1e-12 else None


@dataclass(frozen=True, slots=True)
class NakedSeconds:
    """A group was naked beyond its structure for this long without a break."""

    seconds: float
    action: str = "close_by_risk"
    name: str = "naked-seconds"

    def __post_init__(self) -> None:
        _positive("NakedSeconds.seconds", self.seconds)
        _action(self.action)

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Naked time against the limit."""
        if reading.naked_seconds < self.seconds:
            return None
        return f"{reading.naked_seconds:.1f}", f"{self.seconds:g}"


@dataclass(frozen=True, slots=True)
class MarginUsage:
    """Used margin reached this fraction of used plus remaining."""

    fraction: float
    action: str = "no_new"
    name: str = "margin-usage"

    def __post_init__(self) -> None:
        _positive("MarginUsage.fraction", self.fraction)
        _action(self.action)

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Usage against the limit."""
        total = reading.margin_used + max(0.0, reading.margin_remaining)
        if not total > 0:
            return None
        usage = reading.margin_used / total
        return (f"{usage:.3f}", f"{self.fraction:g}") if usage >= self.fraction else None


@dataclass(frozen=True, slots=True)
class Rejections:
    """This many orders in a row were rejected."""

    count: int
    action: str = "no_new"
    name: str = "rejections"

    def __post_init__(self) -> None:
        _positive("Rejections.count", self.count)
        _action(self.action)

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Rejections against the limit."""
        row = max(counters.rejections, counters.rejections_peak)
        return (str(row), str(self.count)) if row >= self.count else None


@dataclass(frozen=True, slots=True)
class BreakerLimit:
    """Circuit breaker: groups that failed in a row; after `reset` seconds one trial group decides.

    A group fails when it ends rolled back, refused by the broker or given up. Defaults: REQUIREMENTS E2.
    """

    failures: int = 10
    reset: float = 300.0
    action: str = "no_new"
    name: str = "failures"

    def __post_init__(self) -> None:
        _positive("BreakerLimit.failures", self.failures)
        _positive("BreakerLimit.reset", self.reset)
        _action(self.action)

    def breach(self, reading: ReadingLike, counters: Counters) -> tuple[str, str] | None:
        """Failures against the limit."""
        row = max(counters.failures, counters.failures_peak)
        return (str(row), str(self.failures)) if row >= self.failures else None


#: outcomes of a group that count as a failure, and those that count as a success
FAILED_OUTCOMES = frozenset({"rolled_back", "failed", "partial_units"})
GOOD_OUTCOMES = frozenset({"complete", "closed"})


@dataclass(slots=True)
class LimitBook:
    """All limits of an account, their counters and what tripped."""

    limits: Sequence[Limit]
    counters: Counters = field(default_factory=Counters)
    tripped: dict[str, Tripped] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [limit.name for limit in self.limits]
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ValueError(f"limits named twice: {', '.join(sorted(double))}; give each its own name")

    def read(self, reading: ReadingLike, day: str) -> list[Directive]:
        """Compare every limit with a reading; answers the ones that tripped now.

        Args:
            reading: the account.
            day: ISO date of the trading day, by which daily limits start again.
        """
        c = self.counters
        if reading.equity == reading.equity:  # not NaN
            if c.day != day:
                c.day, c.day_equity = day, reading.equity
            c.peak_equity = max(c.peak_equity, reading.equity)
        found = []
        for limit in self.limits:
            if limit.name in self.tripped:
                continue
            breach = limit.breach(reading, c)
            if breach is None:
                continue
            value, bound = breach
            self.tripped[limit.name] = Tripped(reading.at, value, bound, limit.action)
            if isinstance(limit, BreakerLimit):
                c.breaker_at, c.trial = reading.at, False
            found.append(Directive(limit.action, limit.name, f"{limit.name} is {value}, limit {bound}"))
        c.failures_peak, c.rejections_peak = c.failures, c.rejections
        return found

    def may_open(self, now: float, *, new_group: bool = True) -> Refusal | None:
        """None, or the tripped limit that forbids new groups.

        While the breaker's trial is under way no other group may start, but the trial itself must be able to go on:
        with `new_group` False an order of a group that was let through is asked about.
        """
        for limit in self.limits:
            trip = self.tripped.get(limit.name)
            if trip is None or trip.action == "warn":
                continue
            if isinstance(limit, BreakerLimit) and now >= self.counters.breaker_at + limit.reset:
                if not (self.counters.trial and new_group):
                    continue  # half open: this group is the trial, or an order of it
                return Refusal(limit.name, "trial under way", "one group", "the breaker is half open")
            return Refusal(limit.name, trip.value, trip.limit, "the limit tripped; an operator must reset it")
        return None

    def opened(self, now: float) -> None:
        """A group was let through; while the breaker is half open it is the trial."""
        if self.counters.breaker_at and any(
            isinstance(limit, BreakerLimit) and limit.name in self.tripped for limit in self.limits
        ):
            self.counters.trial = True

    def ended(self, outcome: str, now: float) -> None:
        """A group reached an outcome: failures in a row, the breaker's trial."""
        c = self.counters
        breaker = next((limit for limit in self.limits if isinstance(limit, BreakerLimit)), None)
        if outcome in FAILED_OUTCOMES:
            c.failures += 1
            c.failures_peak = max(c.failures_peak, c.failures)
            if breaker is not None and c.trial:
                c.breaker_at, c.trial = now, False
        elif outcome in GOOD_OUTCOMES:
            c.failures = 0
            if breaker is not None and c.trial:
                self.tripped.pop(breaker.name, None)
                c.failures_peak, c.breaker_at, c.trial = 0, 0.0, False

    def rejected(self) -> None:
        """An order was rejected."""
        c = self.counters
        c.rejections += 1
        c.rejections_peak = max(c.rejections_peak, c.rejections)

    def accepted(self) -> None:
        """An order was accepted or filled."""
        self.counters.rejections = 0

    def reset(self, name: str) -> str:
        """An operator resets a tripped limit.

        Raises:
            ValueError: no limit has this name.
        """
        limit = next((limit for limit in self.limits if limit.name == name), None)
        if limit is None:
            names = ", ".join(known.name for known in self.limits) or "none"
            raise ValueError(f"no limit {name!r}; there are: {names}")
        trip = self.tripped.pop(name, None)
        if trip is None:
            return f"{name} was not tripped"
        c = self.counters
        if isinstance(limit, BreakerLimit):
            c.failures, c.failures_peak, c.breaker_at, c.trial = 0, 0, 0.0, False
        elif isinstance(limit, Rejections):
            c.rejections = c.rejections_peak = 0
        elif isinstance(limit, DailyLoss):
            c.day = ""
        elif isinstance(limit, Drawdown):
            c.peak_equity = 0.0
        return f"{name} reset (was {trip.value}, limit {trip.limit})"

    def state(self) -> dict[str, Any]:
        """What must survive a restart."""
        c = self.counters
        counters = {
            "day": c.day,
            "day_equity": c.day_equity,
            "peak_equity": c.peak_equity,
            "failures": c.failures,
            "rejections": c.rejections,
            "failures_peak": c.failures_peak,
            "rejections_peak": c.rejections_peak,
            "breaker_at": c.breaker_at,
            "trial": c.trial,
        }
        return {
            "counters": counters,
            "tripped": {name: [t.at, t.value, t.limit, t.action] for name, t in self.tripped.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`; a limit that no longer exists stays tripped under its name only while it is listed."""  # noqa: E501
        for name, value in state.get("counters", {}).items():
            if hasattr(self.counters, name):
                setattr(self.counters, name, value)
        known = {limit.name for limit in self.limits}
        self.tripped = {name: Tripped(*row) for name, row in state.get("tripped", {}).items() if name in known}
