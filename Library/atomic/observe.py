"""What people and other programs are told: group events, counters, alerts. Nothing here trades.

Hooks never disturb trading: an exception in one is logged and counted, and the others still run.
"""

from __future__ import annotations

import traceback
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from .facts.kinds import Filled
from .plan.cover import shape_of
from .ports import Alert, GroupEvent, Severity
from .protect.gap import gap_seconds
from .vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .model import GroupState
    from .plan.cover import Line

#: seconds within which an alert of the same code and group is counted but not repeated (P0 is repeated each time)
QUIET_SECONDS = 300.0
#: alerts a minute that go out over all codes, P0 aside
ALERTS_PER_MINUTE = 20
# asked for with every group; see `facts.settle`
_ROLLED_BACK = Outcome.ROLLED_BACK
#: alerts and latencies kept in memory
KEPT = 256


class Alerts:
    """Raises alerts: repeats and floods are held back and counted, P0 never.

    Args:
        log: writes one line.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._hooks: list[Callable[[Alert], Any]] = []
        self._last: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._minute: deque[float] = deque()
        self.recent: deque[Alert] = deque(maxlen=KEPT)
        self.raised: dict[str, int] = {}
        self.held_back = 0
        self.failing_hooks = 0

    def hook(self, call: Callable[[Alert], Any]) -> None:
        """Call this with every alert that goes out."""
        self._hooks.append(call)

    def raise_(self, at: float, severity: Severity, code: str, group_id: str, text: str,
               facts: Mapping[str, Any] | None = None) -> bool:  # fmt: skip
        """Raise an alert; False when it was held back as a repeat or in a flood."""
        self.raised[code] = self.raised.get(code, 0) + 1
        if severity > Severity.P0 and not self._may(at, code, group_id):
            self.held_back += 1
            return False
        alert = Alert(at, severity, code, group_id, text, facts if facts is not None else {})
        self.recent.append(alert)
        where = f" {group_id}" if group_id else ""
        self._log(f"ALERT P{int(severity)} {code}{where}: {text}")
        for call in self._hooks:
            try:
                call(alert)
            except Exception:
                self.failing_hooks += 1
                self._log(f"an alert hook failed:\n{traceback.format_exc()}")
        return True

    def _may(self, at: float, code: str, group_id: str) -> bool:
        key = (code, group_id)
        last = self._last.get(key)
        if last is not None and at - last[0] < QUIET_SECONDS:
            self._last[key] = (last[0], last[1] + 1)
            return False
        while self._minute and at - self._minute[0] >= 60.0:
            self._minute.popleft()
        if len(self._minute) >= ALERTS_PER_MINUTE:
            return False
        self._minute.append(at)
        self._last[key] = (at, 0)
        self._last.move_to_end(key)
        if len(self._last) > KEPT:
            self._last.popitem(last=False)
        return True


class Observer:
    """Counts what happens to groups and passes events on.

    Args:
        log: writes one line.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._hooks: list[Callable[[GroupEvent], Any]] = []
        #: since when groups that have not ended are naked
        self._naked_since: dict[str, float] = {}
        self.counts: dict[str, float] = dict.fromkeys(
            ("groups", "orders", "fills", "rejected", "canceled", "rolled_back", "held", "late_reopened", "adjusted",
             "settled", "orphans", "ambiguous", "breaks", "naked_seconds", "legging_seconds", "gap_seconds",
             "rollback_cost", "fees"),
            0,
        )  # fmt: skip
        self.outcomes: dict[str, int] = {}
        self.held_by_cause: dict[str, int] = {}
        self.seconds_to_open: deque[float] = deque(maxlen=KEPT)
        self.failing_hooks = 0

    def hook(self, call: Callable[[GroupEvent], Any]) -> None:
        """Call this with every group event."""
        self._hooks.append(call)

    def filled(self, group: GroupState, fact: Any) -> None:
        """Keep the counters and the group's times after a fill was folded."""
        self.counts["fills"] += 1
        if self._naked_since and group.spec.group_id in self._naked_since:
            self._naked(group, fact.at)
            return
        legs = group.legs
        if len(legs) == 1 and legs[0].spec.ratio > 0:
            return  # it has no short
        order = group.orders[fact.order]
        if order.quantity < 0:  # buying uncovers only short shares
            shape = shape_of(group)
            lowered = shape.sale_lines[order.leg]
            if lowered and _is_naked(group, [shape.lines[n] for n in lowered]):
                self._naked_since[group.spec.group_id] = fact.at

    def folded(self, group: GroupState, fact: Any) -> None:
        """Keep the counters and the group's times after another fact of OBSERVED was folded."""
        kind = fact.kind
        counts = self.counts
        if kind == "rejected" or kind == "canceled":
            counts[kind] += 1
        elif kind in ("adjusted", "settled"):
            counts[kind] += 1
            self._naked(group, fact.at)
        elif kind == "held":
            self.held_by_cause[fact.cause] = self.held_by_cause.get(fact.cause, 0) + 1
            counts["held"] += 1
            if fact.cause in ("ambiguous", "break"):
                counts["ambiguous" if fact.cause == "ambiguous" else "breaks"] += 1

    def tell(self, event: GroupEvent) -> None:
        """Tell the hooks of an event."""
        for call in self._hooks:
            try:
                call(event)
            except Exception:
                self.failing_hooks += 1
                self._log(f"an event hook failed:\n{traceback.format_exc()}")

    def naked_for(self, now: float) -> float:
        """Longest time any group that is not closed has been naked beyond its structure, in seconds."""
        return now - min(self._naked_since.values()) if self._naked_since else 0.0

    def _naked(self, group: GroupState, at: float) -> None:
        group_id = group.spec.group_id
        if group.legs and _is_naked(group, shape_of(group).lines):
            self._naked_since.setdefault(group_id, at)
        elif group_id in self._naked_since:
            self.counts["naked_seconds"] += at - self._naked_since.pop(group_id)

    def stood(self, group: GroupState, at: float) -> None:
        """A group is open; the first time it is counted how long that took, from its first fill and in all."""
        if group.opened_at != at:
            return
        for fact in group.facts:
            if type(fact) is Filled:
                self.counts["legging_seconds"] += at - fact.at
                self.seconds_to_open.append(at - group.spec.created_at)
                return

    def ended(self, group: GroupState, at: float) -> None:
        """A group has ended, or was refused: sum it up."""
        counts = self.counts
        if self._naked_since:
            since = self._naked_since.pop(group.spec.group_id, at)
            counts["naked_seconds"] += at - since
        counts["groups"] += 1
        counts["rollback_cost"] += group.rollback_cost
        counts["fees"] += group.fees
        if group.memory and group.memory.get("reserves"):  # elsewhere no exit gives way to another
            counts["gap_seconds"] += gap_seconds(group)
        outcome = str(group.outcome)
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if group.outcome is _ROLLED_BACK:
            counts["rolled_back"] += 1

    def metrics(self) -> dict[str, Any]:
        """Counters since the start of this process; seconds and dollars."""
        opened = sorted(self.seconds_to_open)
        return {
            **self.counts,
            "outcomes": dict(self.outcomes),
            "held_by_cause": dict(self.held_by_cause),
            "seconds_to_open_median": opened[len(opened) // 2] if opened else 0.0,
            "seconds_to_open_max": opened[-1] if opened else 0.0,
            "failing_hooks": self.failing_hooks,
        }


def _is_naked(group: GroupState, lines: Iterable[Line]) -> bool:
    """True while what is filled leaves shorts naked beyond what the asked units of the structure leave naked."""
    legs, units = group.legs, group.spec.units
    for line in lines:
        total = line.allowance * units
        for i, factor in line.terms:
            shares = factor * legs[i].net
            total += shares if factor > 0 else max(0.0, shares)  # shares cover a put only when short
        if total < 0:
            return True
    return False


#: what a fold of this kind is called when it is told to hooks
EVENT_OF = {
    "rejected": "rejected",
    "adjusted": "adjusted",
    "delivered": "adjusted",
    "settled": "settled",
    "released": "released",
    "refused": "refused",
}

#: what a group goes through that does what was asked
_USUAL = frozenset({"opening", "open", "closing", "closed", "fill"})


def unusual(event: str, group: GroupState) -> bool:
    """True for an event that is always told; what is usual is told only where somebody listens."""
    return event not in _USUAL or group.outcome is _ROLLED_BACK


#: kinds of facts that the observer counts, besides fills
OBSERVED = frozenset({"rejected", "canceled", "adjusted", "settled", "held"})
