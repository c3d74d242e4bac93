"""Groups and what happens to them: facts folded, consequences told, changes written, ended groups let go.

The pump (`shell`) owns this: everything here runs inside it, on one thread at a time.
"""

from __future__ import annotations

import traceback
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from . import facts as f
from .facts import IllegalFact
from .facts import apply as apply_fact
from .facts.kinds import QUIET
from .journal import JournalError
from .layers import COVERED
from .observe import EVENT_OF, OBSERVED, unusual
from .ports import GroupEvent, Severity
from .protect import heeds
from .vocabulary import PROTECTED_KINDS, TERMINAL, HoldCause, Kind, Phase, RejectReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from .gates import Gates
    from .journal import Journal
    from .model import GroupState
    from .observe import Alerts, Observer
    from .policy import Settings
    from .ports import Gateway

#: kinds of facts that are counted, alerted or told to hooks
TOLD = OBSERVED | EVENT_OF.keys() | {"filled", "noted"}
#: what follows from a fact, by its class: it may leave the answer as it is, it is of COVERED, it is of TOLD
_FOLLOWS = {cls: (kind in QUIET, kind in COVERED, kind in TOLD) for kind, cls in f.BY_KIND.items()}
# asked for with every fact; see `facts.settle`
_WHOLE, _OPEN, _HELD, _CLOSED = Kind.ALL_OR_NONE, Phase.OPEN, Phase.HELD, Phase.CLOSED
#: seconds without sending after the journal failed
JOURNAL_RETRY = 1.0
_BEFORE = float("-inf")
_CAUSE_SEVERITY = {
    HoldCause.REQUESTED: Severity.P2,
    HoldCause.POLICY: Severity.P1,
    HoldCause.LEANED_ON: Severity.P1,
    HoldCause.AMBIGUOUS: Severity.P1,
}


class Ledger:
    """Folds facts into groups and keeps the journal; base of `Shell`, whose docstring has the arguments."""

    # CPython 3.11 finds methods fast on an object with slots, or with less than thirty attributes
    __slots__ = (
        "_archived_at", "_bases", "_broken", "_closing", "_dirty", "_ended", "_events", "_inbox", "_said",
        "_silent_until", "_touched", "_wakes", "_write_at", "alerts", "asleep", "followed", "gates", "gateway",
        "groups", "journal", "listening", "now", "observer", "on_folded", "on_forget", "recent", "settings",
        "write_every",
    )  # fmt: skip

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
        self.on_forget: list[Callable[[GroupState], None]] = []
        #: (group id, fact) or ("", action) that wait to be folded or done
        self._inbox: deque[tuple[str, Any]] = deque()
        self._touched: dict[str, None] = {}
        #: groups that new data alone cannot change, and until when: an answer that is owed is waited for so long
        self.asleep: dict[str, float] = {}
        self._dirty: dict[str, GroupState] = {}
        #: groups that may have ended, and those that have and are not in the archive yet
        self._closing: dict[str, GroupState] = {}
        self._ended: dict[str, GroupState] = {}
        #: when groups were archived for the last time
        self._archived_at = _BEFORE
        #: algorithm seconds that may pass between two writes, for what ends with its process; 0: everything at once
        self.write_every = 0.0
        #: what changed is written at the latest then
        self._write_at = _BEFORE
        self._events: deque[GroupEvent] = deque()
        #: somebody wants every event of every group; and the groups of which somebody does
        self.listening = gates.risk is not None
        self.followed: set[str] = set()
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
            group = self.recent.pop(group_id, None) or self._ended.get(group_id) or self.journal.recent(group_id)
            if group is not None:
                self.groups[group_id] = group
                self._dirty[group_id] = group
                self._touched[group_id] = None
        return group

    def _fold_waiting(self) -> None:
        inbox, groups = self._inbox, self.groups
        while inbox:
            group_id, fact = inbox.popleft()
            if not group_id:
                fact()
                continue
            group = groups.get(group_id) or self.find(group_id)
            if group is None:
                text = f"{fact.kind} for {group_id!r}, which is in no record of this account"
                self.alerts.raise_(self.now, Severity.P0, "unknown-group", group_id, text, {"fact": list(fact)})
                continue
            self.fold(group, fact)

    def fold(self, group: GroupState, fact: Any) -> bool:
        """Fold one fact of the broker or the owner; what cannot follow from the group's state holds it."""
        if self._bases and type(fact) is f.Filled:  # only after a restart
            base = self._bases.get((group.spec.group_id, fact.order))
            if base is not None:
                fact = _with_base(fact, *base)
        try:
            return self.apply(group, fact)
        except IllegalFact as error:
            self._illegal(group, fact, error)
            return False

    def _illegal(self, group: GroupState, fact: Any, error: IllegalFact) -> None:
        """What cannot follow holds the group, unless an order ended on another thread while its cancel was answered."""
        if isinstance(fact, f.CancelAsked | f.ReplaceAsked):
            order = group.orders.get(fact.order)
            if order is not None and order.status in TERMINAL:
                return
        self.report_fault(group, error)

    def apply(self, group: GroupState, fact: Any) -> bool:
        """Fold one fact and note what follows for hooks, counters, journal. Raises IllegalFact."""
        phase = group.phase
        if not apply_fact(group, fact):
            return False
        spec = group.spec
        group_id = spec.group_id
        quiet, covered, told = _FOLLOWS[type(fact)]
        if not quiet or spec.kind is _WHOLE or heeds(group, fact):
            self._touched[group_id] = None
        self.asleep.pop(group_id, None)
        self._dirty[group_id] = group
        if covered and spec.kind is not _WHOLE:
            for call in self.on_folded:
                call(group, fact)
        if told:
            self._told(group, fact, fact.kind)
        now = group.phase
        if now is not phase and type(fact) is not f.Refused:
            self._moved(group, fact, phase, now)
        if now is _CLOSED:
            self._closing[group_id] = group
            self._touched.pop(group_id, None)  # nothing is desired of it
        return True

    def _moved(self, group: GroupState, fact: Any, before: Phase, now: Phase) -> None:
        """A group is in another phase."""
        if now is _OPEN:
            self.observer.stood(group, fact.at)
        elif now is _CLOSED:
            self.observer.ended(group, fact.at)
        elif now is _HELD:
            self._say_held(group, fact.at)
        if before is _CLOSED:
            self.observer.counts["late_reopened"] += 1
        if self.listening or unusual(now, group) or group.spec.group_id in self.followed:
            self._events.append(GroupEvent(fact.at, str(now), group, fact))

    def _told(self, group: GroupState, fact: Any, kind: str) -> None:
        """A fact that is counted, alerted or told to hooks."""
        if kind == "filled":
            self.observer.filled(group, fact)
            self.gates.fuse.failures = 0
            if self.listening:
                self._events.append(GroupEvent(fact.at, "fill", group, fact))
            return
        if kind in OBSERVED:
            self.observer.folded(group, fact)
        event = EVENT_OF.get(kind)
        if event is not None:
            self._events.append(GroupEvent(fact.at, event, group, fact))
            if event == "rejected":
                self._refused(group, fact)
            elif event == "refused":
                self.observer.ended(group, fact.at)
        elif kind == "noted":
            self._noted(group, fact)

    def _refused(self, group: GroupState, fact: Any) -> None:
        if self.gates.fuse.failed(self.now):
            text = f"{group.spec.group_id} was the last of many refusals ({fact.why}): nothing opens for a while"
            self.alerts.raise_(self.now, Severity.P1, "circuit-breaker", "", text)
        self.journal.extra["breaker"] = self.gates.fuse.row()
        if fact.reason == RejectReason.RESERVED:
            self._reserved(group, group.orders[fact.order].leg)

    def _reserved(self, group: GroupState, leg: int) -> None:
        """What an exit is refused for, another bracket's exits in this contract hold: all of them watch targets now."""
        symbol = group.legs[leg].spec.symbol
        for other in list(self.groups.values()):
            shares = other.spec.kind in PROTECTED_KINDS and other.legs[0].spec.symbol == symbol
            if shares and other is not group and other.phase is not _CLOSED and not other.memory.get("reserves"):
                self.apply(other, f.Remembered(self.now, "reserves", True))

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

    def _record(self, *, ends: bool = True) -> bool:
        """Write what changed; False when the store failed: nothing may be sent. Without `ends` nothing is archived."""
        if self._closing:
            self._let_go()
        try:
            if ends and self._ended:
                # what lives again is archived when it ends again
                ended = [group for group_id, group in self._ended.items() if group_id not in self.groups]
                if ended:
                    self.journal.archive(*ended)
                self._ended.clear()
                self._archived_at = self.now
            self.journal.save(self._dirty.values(), flush=True)
        except JournalError as error:
            self._silent_until = self.now + JOURNAL_RETRY
            self.gates.shut["journal"] = str(error)
            self.alerts.raise_(self.now, Severity.P0, "journal-failing", "", f"nothing is sent: {error}")
            return False
        if self.write_every:
            self._write_at = self.now + self.write_every
        self._dirty.clear()
        if self._silent_until:
            self.gates.shut.pop("journal", None)
            self._silent_until = 0.0
        return True

    def _let_go(self) -> None:
        """Groups that have ended leave the open ones."""
        for group_id, group in self._closing.items():
            if group.phase is Phase.CLOSED and not group.live and group_id in self.groups:
                self._dirty.pop(group_id, None)
                self._ended[group_id] = group
                self._retire(group)
        self._closing.clear()

    @property
    def _due(self) -> bool:
        """True when what changed is to be written now: always, unless writes are `write_every` so many seconds.

        What changes after a quiet time is written at once, and so is the end of a group that did not follow another.
        """
        now = self.now
        if now >= self._write_at:
            return True
        return bool(self._ended) and (self.journal.crowded or now - self._archived_at >= self.write_every)

    def _retire(self, group: GroupState) -> None:
        group_id = group.spec.group_id
        del self.groups[group_id]
        self.asleep.pop(group_id, None)
        self._wakes.pop(group_id, None)
        group.view = group.exit_plan = None  # made again should something still happen to it
        self.recent[group_id] = group
        if len(self.recent) > self.settings.recent_ends:
            oldest, forgotten = self.recent.popitem(last=False)
            if self._said:
                for key in [key for key in self._said if key[0] == oldest]:
                    del self._said[key]
            for call in self.on_forget:
                call(forgotten)

    def adopted(self, group: GroupState, number: int) -> None:
        """This process took over a broker's order: what had filled before counts on top of its ticket."""
        order = group.orders[number]
        self._bases[(group.spec.group_id, number)] = (order.base, order.avg_px * order.base, order.fees)


def _with_base(fact: f.Filled, base: int, cost: float, fees: float) -> f.Filled:
    total = base + fact.cum_qty
    price = (cost + fact.cum_qty * fact.avg_px) / total if total else 0.0
    return f.Filled(fact.at, fact.order, total, price, fees + fact.fees)
