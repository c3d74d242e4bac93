"""Groups and what happens to them: facts folded, consequences told, changes written, ended groups let go.

The pump (`shell`) owns this: everything here runs inside it, on one thread at a time.
"""

from __future__ import annotations

import traceback
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from . import facts as f
from . import plan
from .facts import IllegalFact
from .facts import apply as apply_fact
from .facts.kinds import SENDING
from .journal import JournalError
from .layers import COVERED
from .observe import EVENT_OF, OBSERVED
from .ports import GroupEvent, Severity
from .vocabulary import TERMINAL, HoldCause, Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from .gates import Gates
    from .journal import Journal
    from .model import GroupState
    from .observe import Alerts, Observer
    from .policy import Settings
    from .ports import Gateway

#: kinds that tickets show: a backtest, whose tickets end with it, writes them with the next change
TICKETS_SAY = frozenset({"sent", "identified", "accepted", "filled", "cancel_asked", "canceled"})
#: seconds without sending after the journal failed
JOURNAL_RETRY = 1.0
_CAUSE_SEVERITY = {
    HoldCause.REQUESTED: Severity.P2,
    HoldCause.POLICY: Severity.P1,
    HoldCause.LEANED_ON: Severity.P1,
    HoldCause.AMBIGUOUS: Severity.P1,
}


class Ledger:
    """Folds facts into groups and keeps the journal; base of `Shell`, whose docstring has the arguments."""

    def __init__(
        self, gateway: Gateway, journal: Journal, settings: Settings, gates: Gates, alerts: Alerts, observer: Observer
    ) -> None:
        self.gateway = gateway
        self.journal = journal
        self.settings = settings
        self.gates = gates
        self.alerts = alerts
        self.observer = observer
        self.now = 0.0
        #: groups that are not closed, and closed ones until they are archived
        self.groups: dict[str, GroupState] = {}
        #: ended groups whose late fills are still found here; older ones come from the archive
        self.recent: OrderedDict[str, GroupState] = OrderedDict()
        #: called with every protected group and fact of the kinds COVERED that was folded into it
        self.on_folded: list[Callable[[GroupState, Any], None]] = []
        #: called when a group leaves memory
        self.on_forget: list[Callable[[str], None]] = []
        self._touched: dict[str, None] = {}
        #: groups that new data alone cannot change and to which no broker owes an answer
        self.asleep: set[str] = set()
        #: groups to which something happened since the newest sweep for protection
        self.stirred: set[str] = set()
        self._dirty: dict[str, GroupState] = {}
        #: something changed that a broker's ticket does not say again
        self._urgent = False
        self._events: deque[GroupEvent] = deque()
        self._wakes: dict[str, float] = {}
        self._broken: set[str] = set()
        #: standing alerts that were raised: (group id, code) -> text
        self._said: dict[tuple[str, str], str] = {}
        self._silent_until = 0.0
        #: (group id, number) -> contracts, their cost and fees before this process adopted the order
        self._bases: dict[tuple[str, int], tuple[int, float, float]] = {}

    def find(self, group_id: str) -> GroupState | None:
        """A group, also an ended one that something still happens to; inside the pump only."""
        group = self.groups.get(group_id)
        if group is None:
            group = self.recent.pop(group_id, None) or self.journal.recent(group_id)
            if group is not None:
                self.groups[group_id] = group
                self._dirty[group_id] = group
                self._touched[group_id] = None
        return group

    def fold(self, group: GroupState, fact: Any) -> bool:
        """Fold one fact of the broker or the owner; what cannot follow from the group's state holds it."""
        kind = type(fact)
        if kind is f.Filled:
            if self._bases:  # only after a restart
                base = self._bases.get((group.spec.group_id, fact.order))
                if base is not None:
                    fact = _with_base(fact, *base)
        elif kind is f.CancelAsked or kind is f.ReplaceAsked:
            order = group.orders.get(fact.order)
            if order is not None and order.status in TERMINAL:
                return False  # its end overtook the answer on another thread
        try:
            return self.apply(group, fact)
        except IllegalFact as error:
            self.report_fault(group, error)
            return False

    def apply(self, group: GroupState, fact: Any) -> bool:
        """Fold one fact and note what follows for hooks, counters, journal. Raises IllegalFact."""
        phase = group.phase
        if not apply_fact(group, fact):
            return False
        group_id = group.spec.group_id
        kind = fact.kind
        if kind not in TICKETS_SAY or group.phase is not phase:
            self._urgent = True
        if kind not in SENDING or plan.heeds(group, fact):
            self._touched[group_id] = None
        self.asleep.discard(group_id)
        self.stirred.add(group_id)
        self._dirty[group_id] = group
        if kind in OBSERVED:
            self.observer.folded(group, fact)
        if kind in COVERED and group.spec.kind is not Kind.ALL_OR_NONE:
            for call in self.on_folded:
                call(group, fact)
        event = EVENT_OF.get(kind)
        if event is not None:
            self._events.append(GroupEvent(fact.at, event, group, fact))
            if event == "fill":
                self.gates.fuse.failures = 0
            elif event == "rejected":
                self._refused(group, fact)
        elif kind == "noted":
            self._noted(group, fact)
        if group.phase is not phase and kind != "refused":
            self._events.append(GroupEvent(fact.at, group.phase.value, group, fact))
            if group.phase is Phase.HELD:
                self._say_held(group, fact.at)
        return True

    def _refused(self, group: GroupState, fact: Any) -> None:
        if self.gates.fuse.failed(self.now):
            text = f"{group.spec.group_id} was the last of many refusals ({fact.why}): nothing opens for a while"
            self.alerts.raise_(self.now, Severity.P1, "circuit-breaker", "", text)
        self.journal.extra["breaker"] = self.gates.fuse.row()

    def _noted(self, group: GroupState, fact: Any) -> None:
        """A decision may carry an alert: it is part of the audit and goes out when it is folded."""
        data = fact.data
        if isinstance(data, dict) and "alert" in data:
            self.alerts.raise_(
                fact.at, Severity(data.get("severity", 1)), data["alert"], group.spec.group_id, fact.text, data
            )

    def _say_held(self, group: GroupState, at: float) -> None:
        cause = group.held or HoldCause.FAULT
        nets = {leg.spec.name or leg.spec.symbol: leg.net for leg in group.legs}
        self.alerts.raise_(
            at, _CAUSE_SEVERITY.get(cause, Severity.P0), f"held-{cause}", group.spec.group_id,
            f"held: {group.held_why}; look at it, then release or close it", {"nets": nets},
        )  # fmt: skip

    def report_fault(self, group: GroupState | None, error: Exception) -> None:
        """Our own fault: traceback to the log, P0 alert, the group held."""
        group_id = group.spec.group_id if group is not None else ""
        self.gateway.log(f"atomic fault {group_id}: {error!r}\n{traceback.format_exc()}")
        self.alerts.raise_(self.now, Severity.P0, "fault", group_id, f"{type(error).__name__}: {error}")
        if group is None:
            return
        if group.held is HoldCause.FAULT:
            self._broken.add(group_id)
            return
        try:
            self.apply(group, f.Held(self.now, HoldCause.FAULT, f"{type(error).__name__}: {error}"))
        except IllegalFact:
            self._broken.add(group_id)  # it has ended already

    def _record(self, *, flush: bool) -> bool:
        """Write what changed; False when the store failed: nothing may be sent."""
        dirty, groups = self._dirty, self.groups
        changed = []
        try:
            for group_id, group in dirty.items():
                if group_id not in groups:
                    continue
                if group.phase is Phase.CLOSED and not group.live:
                    self.journal.archive(group)
                    self._retire(group)
                else:
                    changed.append(group)
            self.journal.save(changed, flush=flush)
        except JournalError as error:
            self._silent_until = self.now + JOURNAL_RETRY
            self.gates.shut["journal"] = str(error)
            self.alerts.raise_(self.now, Severity.P0, "journal-failing", "", f"nothing is sent: {error}")
            return False
        dirty.clear()
        self._urgent = False
        if self._silent_until:
            self.gates.shut.pop("journal", None)
            self._silent_until = 0.0
        return True

    def _retire(self, group: GroupState) -> None:
        group_id = group.spec.group_id
        del self.groups[group_id]
        self.asleep.discard(group_id)
        self.stirred.discard(group_id)
        self._wakes.pop(group_id, None)
        self.recent[group_id] = group
        if len(self.recent) > self.settings.recent_ends:
            oldest, _ = self.recent.popitem(last=False)
            for key in [key for key in self._said if key[0] == oldest]:
                del self._said[key]
            for call in self.on_forget:
                call(oldest)

    def adopted(self, group: GroupState, number: int) -> None:
        """This process took over a broker's order: what had filled before counts on top of its ticket."""
        order = group.orders[number]
        self._bases[(group.spec.group_id, number)] = (order.base, order.avg_px * order.base, order.fees)


def _with_base(fact: f.Filled, base: int, cost: float, fees: float) -> f.Filled:
    total = base + fact.cum_qty
    price = (cost + fact.cum_qty * fact.avg_px) / total if total else 0.0
    return f.Filled(fact.at, fact.order, total, price, fees + fact.fees)
