"""The gate between a strategy and its groups: checks before a group opens, limits while the book lives.

`Gate` is what `AtomicOrderExecutor(..., risk=Gate(...))` asks (`atomic.ports.RiskGuard`); it knows the executor only by
the shape of what it is handed, so either package can be used without the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from .checks import Refusal
from .limits import Directive, LimitBook
from .proposal import held_legs, loss_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .limits import ReadingLike


class Check(Protocol):
    """One pre-trade check: None, or the refusal with rule, value and limit."""

    def __call__(self, proposal: Any) -> Refusal | None:
        """Look at an `atomic.ports.Proposal`."""


def utc_day(at: float) -> str:
    """ISO date that changes at 05:00 UTC: between the US sessions, whatever daylight saving says."""
    return (datetime.fromtimestamp(at, UTC) - timedelta(hours=5)).date().isoformat()


def _ask(check: Check, proposal: Any) -> Refusal | None:
    """A check's answer; an error is a refusal, because nothing was found to be right."""
    try:
        return check(proposal)
    except Exception as error:
        name = getattr(check, "__name__", type(check).__name__)
        return Refusal("check-failed", "unknown", "an answer", f"{name} failed: {type(error).__name__}: {error}")


class Gate:
    """Pre-trade checks and acting limits as one object.

    Args:
        checks: run in order before a group may open; all refusals are reported, not only the first.
        limits: the limits, with what is remembered of them.
        day_of: ISO date of the trading day at a time in seconds UTC.
    """

    def __init__(
        self,
        checks: Sequence[Check] = (),
        limits: LimitBook | None = None,
        day_of: Callable[[float], str] = utc_day,
    ) -> None:
        self.checks = tuple(checks)
        self.limits = limits if limits is not None else LimitBook([])
        self._day_of = day_of

    def approve(self, proposal: Any) -> list[Refusal]:
        """Empty when the group may open."""
        refusals = [refusal for check in self.checks if (refusal := _ask(check, proposal)) is not None]
        tripped = self.limits.may_open(proposal.now)
        if tripped is not None:
            refusals.append(tripped)
        return refusals

    def may_open(self, now: float) -> Refusal | None:
        """None while groups that were let through may go on opening."""
        return self.limits.may_open(now, new_group=False)

    def on_event(self, event: Any) -> None:
        """Count what the limits need: openings, ends, rejections, fills."""
        kind = event.kind
        if kind == "opening":
            self.limits.opened(event.at)
        elif kind in ("open", "closed"):
            self.limits.ended(str(event.group.outcome), event.at)
        elif kind == "rejected":
            self.limits.rejected()
        elif kind == "fill":
            self.limits.accepted()

    def directives(self, reading: ReadingLike) -> list[Directive]:
        """Limits that tripped with this reading."""
        return self.limits.read(reading, self._day_of(reading.at))

    def by_risk(self, groups: Sequence[Any]) -> list[Any]:
        """Groups in the order in which they are closed: the one that can lose most first, as it stands now."""
        return sorted(groups, key=lambda group: loss_of(held_legs(group)), reverse=True)

    def state(self) -> Mapping[str, Any]:
        """What must survive a restart."""
        return self.limits.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.limits.restore(state)

    def reset(self, limit: str, by: str, now: float) -> str:
        """An operator resets a limit; raises ValueError for an unknown name."""
        return self.limits.reset(limit)
