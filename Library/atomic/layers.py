"""How well filled entries are protected: by which layer, how fast, and when a person must know.

Layers (REQUIREMENTS C1): *direct* places the exits when the entry fills inside its own submit, *event* from a later
fill event, *sweep* when the periodic look over all groups found a filled entry without exits. Thresholds (C4): more
than 5 % placed by the sweep; coverage below 100 % for two minutes (P1); any entry unprotected for ten minutes (P0).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .facts.kinds import Accepted, Adjusted, Taken, taken_by
from .model import GroupState
from .ports import Severity
from .protect.view import exposure, plan_of
from .vocabulary import PROTECTED_KINDS, WORKING, Phase, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from .model import GroupSpec

#: share of placements by the sweep above which something is wrong with the events
SWEEP_SHARE = 0.05
#: placements before that share means anything
SWEEP_AT_LEAST = 20
#: seconds below full coverage, and seconds of one entry without protection
BELOW_FULL = 120.0
UNPROTECTED = 600.0
_KEPT = 1024
# asked for with every fact; see `facts.settle`
_ENTRY, _TARGET, _CLOSED = Purpose.ENTRY, Purpose.TARGET, Phase.CLOSED
_COVERS = frozenset({Purpose.STOP, Purpose.EMERGENCY, Purpose.CLOSE})
#: kinds of facts that `Coverage.fact` wants to hear of
COVERED = frozenset({"filled", "adjusted", "accepted", "taken"})


def protection(group: GroupState) -> tuple[int, int, bool]:
    """Contracts open, contracts that working stops or closes cover, and whether the stop is watched by us."""
    net = group.legs[0].net
    covered = 0
    for order in group.live.values():
        if order.quantity * net < 0 and order.leg == 0 and order.purpose is not _TARGET and order.status in WORKING:
            covered += order.leaves_qty
    exits, memory = group.spec.exits, group.memory
    watched = exits.get("trigger", "native") != "native"
    if memory and not watched:
        watched = bool(memory.get("watch_stops")) or any(
            key.startswith("trigger.") and value for key, value in memory.items()
        )
    free = [i for i, pair in enumerate(exits.get("pairs", ())) if pair[2] is None]
    if free:  # without a stop nothing is promised
        shares = exposure(group, plan_of(group)).pair_open
        covered = min(abs(net), covered + sum(shares[i] for i in free))
    return abs(net), covered, watched


class Coverage:
    """Counts placements and watches the thresholds. Fed by the executor; changes nothing.

    Args:
        alert: raises an alert: (at, severity, code, group id, text).
    """

    def __init__(self, alert: Callable[[float, Severity, str, str, str], Any]) -> None:
        self._alert = alert
        #: placements by layer
        self.placed = {"direct": 0, "event": 0, "sweep": 0}
        #: entries that filled, entries whose exits were confirmed
        self.entries = 0
        self.protected = 0
        #: seconds from fill to confirmed protection
        self.latencies: deque[float] = deque(maxlen=_KEPT)
        #: set by the executor while its periodic sweep runs
        self.sweeping = False
        self._bare: dict[str, float] = {}
        #: groups that were last seen without full protection
        self.suspects: Collection[str] = self._bare.keys()
        self._seen: set[str] = set()
        #: groups whose exits were confirmed once: those count as protected, however often they lose one
        self._confirmed: set[str] = set()
        self._below_since = 0.0
        #: when a group was last said to be unprotected
        self._told: dict[str, float] = {}
        #: told of what moved a protected position from outside
        self.on_adjusted: Callable[[GroupState, Any], Any] | None = None

    def fact(self, group: GroupState, fact: Any) -> None:
        """A fact was folded into a group; of those that are protected it is counted."""
        kind, spec = type(fact), group.spec
        if kind is Accepted or kind is Taken:
            if self._bare and spec.group_id in self._bare:
                for number in taken_by(fact):
                    if group.orders[number].purpose in _COVERS:
                        self._placed(group, spec.group_id, fact.at)
                        break
            return
        if spec.kind not in PROTECTED_KINDS:
            return
        if spec.group_id not in self._seen and group.legs[0].net:
            self._filled(spec, fact.at)
        if kind is Adjusted and self.on_adjusted is not None:
            self.on_adjusted(group, fact)

    def _filled(self, spec: GroupSpec, at: float) -> None:
        self._seen.add(spec.group_id)
        for _, _, stop in spec.exits["pairs"]:
            if stop is not None:  # without a stop nothing is promised
                self._bare[spec.group_id] = at
                self.entries += 1
                return

    def _placed(self, group: GroupState, group_id: str, at: float) -> None:
        since = self._bare.pop(group_id)
        self._confirm(group_id)
        self.latencies.append(at - since)
        if self.sweeping:
            self.placed["sweep"] += 1
            return
        for order in group.orders.values():
            if order.purpose is _ENTRY and order.sent_at == since:
                self.placed["direct"] += 1
                return
        self.placed["event"] += 1

    def _confirm(self, group_id: str) -> None:
        if group_id not in self._confirmed:
            self._confirmed.add(group_id)
            self.protected += 1

    @property
    def rate(self) -> float:
        """Entries with confirmed exits over entries that filled; 1 when nothing filled."""
        return self.protected / self.entries if self.entries else 1.0

    def check(self, now: float, groups: Iterable[GroupState]) -> None:
        """Look at the thresholds; called with every sweep, and with every bar for the suspects."""
        bare: list[tuple[str, float]] = []
        for group in groups:
            if group.spec.kind not in PROTECTED_KINDS or group.phase is _CLOSED:
                continue
            open_, covered, watched = protection(group)
            group_id = group.spec.group_id
            if open_ and covered < open_ and not watched:
                bare.append((group_id, self._bare.setdefault(group_id, now)))
            elif group_id in self._bare and (watched or covered >= open_):
                del self._bare[group_id]
                self._told.pop(group_id, None)
                if watched and open_:
                    self._confirm(group_id)
        if not bare:
            self._below_since = 0.0
        elif not self._below_since:
            self._below_since = now
        elif now - self._below_since >= BELOW_FULL:
            text = f"{len(bare)} filled entries without full protection for {now - self._below_since:.0f} s"
            self._alert(now, Severity.P1, "coverage", "", text)
        for group_id, since in bare:
            if now - max(since, self._told.get(group_id, since)) >= UNPROTECTED:
                self._told[group_id] = now
                self._alert(now, Severity.P0, "unprotected", group_id, f"unprotected for {now - since:.0f} s")
        total = sum(self.placed.values())
        if total >= SWEEP_AT_LEAST and self.placed["sweep"] > SWEEP_SHARE * total:
            share = 100 * self.placed["sweep"] / total
            self._alert(now, Severity.P1, "sweep-share", "", f"{share:.0f} % of the exits were placed by the sweep")

    def forget(self, group: GroupState) -> None:
        """A group left memory."""
        group_id = group.spec.group_id
        self._seen.discard(group_id)
        self._confirmed.discard(group_id)
        self._bare.pop(group_id, None)
        self._told.pop(group_id, None)

    def metrics(self) -> dict[str, Any]:
        """Counts, rate and latencies in seconds."""
        ordered = sorted(self.latencies)
        return {
            "entries": self.entries,
            "protected": self.protected,
            "coverage": self.rate,
            "placed_by": dict(self.placed),
            "protection_latency_median": ordered[len(ordered) // 2] if ordered else 0.0,
            "protection_latency_max": ordered[-1] if ordered else 0.0,
            "unprotected_now": len(self._bare),
        }
