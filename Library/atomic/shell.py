"""The pump: facts in, orders out, at one place and one depth.

Theory of operation
-------------------
Everything that happens (broker answers, owner calls, timers, foreign trades) is put into one inbox, from any thread
and at any depth. Whoever finds the pump idle runs it; everybody else leaves his fact and goes on. The pump folds
what waits, asks `plan` what must be remembered and what should be working, has `diff` turn that into commands, and
repeats until nothing changes. LEAN's calls are re-entrant: what arrives during a send is folded before the next one,
so no order ever overtakes a cancel (trace p18), and an order whose reason has gone is withdrawn instead of sent.

Every intent is on record before its order leaves (`journal.save`, flushed in live mode, once for a wave). Nothing is
raised into LEAN: a fault of our own holds the group, raises a P0 alert and writes the traceback to the log.
"""

from __future__ import annotations

import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from . import diff
from . import facts as f
from .outside import Outside
from .ports import GroupEvent, Severity
from .settling import UNWIRED, Settler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .gates import Gates
    from .journal import Journal
    from .model import GroupState
    from .observe import Alerts, Observer
    from .policy import Settings
    from .ports import Gateway

#: decisions and groups a single run of the pump may go through before it counts as running away
SPINS = 20_000
#: seconds between looks at resting orders and their identity in a backtest, where neither is lost
IDENTITY_SECONDS = 86_400.0
#: seconds a broker's thread may pump in live mode; the algorithm's thread goes on from there
BROKER_THREAD_SECONDS = 0.05
_NEVER = float("inf")


class Shell(Settler):
    """Groups, their facts and the pump. `ports.Sink` for the gateway; the executor is its public face.

    Args:
        gateway: the market side.
        journal: loaded journal.
        settings: limits over all groups.
        gates: what may leave now.
        alerts: where alerts go.
        observer: where group events go.
    """

    __slots__ = (
        "_asked_wake", "_busy", "_data_at", "_rested_at", "on_change", "on_due", "on_event", "outside", "stepwise",
    )  # fmt: skip

    def __init__(
        self, gateway: Gateway, journal: Journal, settings: Settings, gates: Gates, alerts: Alerts, observer: Observer
    ) -> None:
        super().__init__(gateway, journal, settings, gates, alerts, observer)
        #: called with the group events that are told, after the observer
        self.on_event: list[Callable[[GroupEvent], None]] = []
        #: called with a group's id and what its owner changed of its exits
        self.on_change: list[Callable[[str, str], Any]] = []
        #: called inside the pump when a wake-up of their own is due
        self.on_due: dict[str, Callable[[], Any]] = {}
        self.outside = Outside(self)
        self._busy = threading.Lock()
        self._asked_wake: float | None = None
        #: prices change with the time only, in one step before its data is handed out (LEAN's backtests)
        self.stepwise = False
        #: the time whose data has come; what was asked for since then is still true
        self._data_at = _NEVER
        #: when orders that rest were looked at
        self._rested_at = 0.0
        gateway.attach(self)

    # --- Sink -------------------------------------------------------------------------------------------------

    def on_fact(self, group_id: str, fact: Any) -> None:
        """A fact about a child order of a group."""
        self._inbox.append((group_id, fact))
        if not self._busy.locked() and type(fact) is not f.Identified:  # something follows that at once
            self.pump(BROKER_THREAD_SECONDS if self.gateway.live else 0.0)

    def on_foreign(self, symbol: str, delta: int, price: float, cause: str, why: str) -> None:
        """The account moved in a symbol by something that is no order of ours (signed contracts)."""
        self.do(lambda: self.outside.moved(symbol, delta, price, cause, why))

    def on_delisted(self, symbol: str, settlement: float, cause: str) -> None:
        """A contract ended; `settlement` is its worth in dollars per share."""
        self.do(lambda: self.outside.ended(symbol, settlement, cause))

    def on_wake(self) -> None:
        """The wake-up asked for has come."""
        self.do(self._woken)

    def on_alarm(self, severity: Severity, code: str, text: str) -> None:
        """The gateway found something wrong that is no fact of a group."""
        if code == UNWIRED:
            self.gates.shut[code] = text
        self.alerts.raise_(self.gateway.now(), severity, code, "", text)

    # --- owner and timers -------------------------------------------------------------------------------------

    def do(self, action: Callable[[], Any]) -> None:
        """Run this inside the pump: now, or when the pump comes to it."""
        self._inbox.append(("", action))
        self.pump()

    def bar(self) -> None:
        """New data: every group that is not at rest is looked at again."""
        if self.stepwise:
            self._data_at = self.now = self.gateway.now()
            self.quotes.clear()
            if not self._stirs():
                return
        if self.groups or self._ended:
            self.do(self._look)

    def read_all(self) -> None:
        """The next look reads the tickets of orders that rest, too."""
        self._rested_at = 0.0

    def touch(self, group_id: str) -> None:
        """Look at this group again; inside the pump only."""
        self._touched[group_id] = None

    def touch_all(self, groups: Iterable[GroupState]) -> None:
        """The same for each of these."""
        self._touched.update(dict.fromkeys(group.spec.group_id for group in groups))

    def _stirs(self) -> bool:
        """False where all groups sleep and nothing else is due: then a step's data changes nothing."""
        asleep, now = self.asleep, self.now
        if self._inbox or self._touched or len(asleep) < len(self.groups):
            return True
        if asleep and (min(asleep.values()) <= now or self._rests_long or self.outside.is_due(now)):
            return True
        return bool(self._dirty or self._ended or self.journal.extra.pending) and self._due

    def _look(self) -> None:
        awake = self._awake()
        self._touched.update(dict.fromkeys(awake))
        self._poll(awake)
        self.outside.by_clock()

    def _awake(self) -> list[str]:
        """Groups that new data or the time may change."""
        asleep, now = self.asleep.get, self.now
        return [group_id for group_id in self.groups if asleep(group_id, 0.0) <= now]

    def _woken(self) -> None:
        self._asked_wake = None
        awake = self._awake()
        if self._silent_until:  # what could not be sent is tried again
            self._touched.update(dict.fromkeys(awake))
        for group_id, at in list(self._wakes.items()):
            if at <= self.now + 1e-6:
                if group_id.startswith("~"):
                    del self._wakes[group_id]
                    self.on_due[group_id[1:]]()
                else:
                    self._touched[group_id] = None
        self._poll(awake)

    def _poll(self, waiting: list[str]) -> None:
        """Look at tickets whose answer is overdue: their events may have been lost."""
        resting = self._rests_long
        if resting:
            self._rested_at = self.now
        for group_id in list(self.groups) if resting else waiting:
            group = self.groups[group_id]
            if group.live:
                for poll in diff.polls(group, self.now, resting=resting):
                    self.gateway.poll(group_id, poll.number)

    @property
    def _rests_long(self) -> bool:
        """True when orders that rest, and owe no answer, are to be looked at again."""
        every = self.settings.sweep_interval
        if not self.gateway.live:
            every = self.settings.protection_sweep if self._may_be_deaf else IDENTITY_SECONDS
        return self.now - self._rested_at >= every

    def wake_for(self, what: str, at: float) -> None:
        """Call `on_due[what]` at this time; inside the pump only."""
        self._wakes[f"~{what}"] = at

    def add(self, group: GroupState) -> None:
        """A new group; inside the pump only."""
        self.groups[group.spec.group_id] = self._dirty[group.spec.group_id] = group
        self.outside.learn(group)

    # --- the pump ---------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """True when nobody runs the pump and nothing waits."""
        return not self._busy.locked() and not self._inbox

    def pump(self, budget: float = 0.0) -> None:
        """Fold what waits and act on it, unless somebody does already.

        Args:
            budget: seconds after which the rest is left to the next call; 0 for no limit.
        """
        while self._inbox or self._touched:
            if not self._busy.acquire(blocking=False):
                return
            try:
                stop = time.monotonic() + budget if budget else 0.0
                done = self._run(stop)
            except Exception as error:
                done = True
                self._touched.clear()
                self.report_fault(None, error)
            finally:
                self._busy.release()
            if not done:
                return

    def _run(self, stop: float) -> bool:
        self.now = self.gateway.now()
        if self.now != self._data_at:
            self.quotes.clear()
        inbox, touched, events, groups = self._inbox, self._touched, self._events, self.groups
        for _ in range(SPINS):
            if inbox:
                self._fold_waiting()
            if touched:
                group_id = next(iter(touched))
                del touched[group_id]
                group = groups.get(group_id)
                if group is not None:
                    self._settle(group)
            elif events:
                self._tell(events.popleft())
            elif not inbox and self._end():
                return True
            if stop and time.monotonic() > stop:
                self.gateway.wake_at(self.now)
                return False
        raise RuntimeError(f"the pump does not come to rest after {SPINS} steps: {list(self._touched)[:5]}")

    def write_all(self) -> None:
        """Whatever is not on record yet is written when the pump comes to rest; inside the pump only."""
        self._write_at = -_NEVER

    def _end(self) -> bool:
        """Write what changed and set the alarm clock; False when that brought something new."""
        if self._closing:
            self._let_go()
        changed = self._dirty or self._ended or self.journal.extra.pending
        if changed and (self.now >= self._write_at or (self._ended and self._due)):
            self._record()
        if self._wakes or self._silent_until or self.gateway.live:
            self._set_alarm()
        return not (self._inbox or self._touched or self._events)

    def _set_alarm(self) -> None:
        """One wake-up for the earliest of what waits for a time."""
        wakes = list(self._wakes.values())
        if self._silent_until > self.now:
            wakes.append(self._silent_until)
        if self.gateway.live and any(group.live for group in self.groups.values()):
            wakes.append(self.now + self.settings.fill_check)
        if wakes:
            wake = min(wakes)
            if wake != self._asked_wake:
                self._asked_wake = wake
                self.gateway.wake_at(wake)

    def _tell(self, event: GroupEvent) -> None:
        self.observer.tell(event)
        for call in self.on_event:
            try:
                call(event)
            except Exception as error:
                self.report_callback(event.group.spec.group_id, error)

    def report_callback(self, group_id: str, error: Exception) -> None:
        """A callback of the owner's failed: traceback to the log, P2 alert, nothing else."""
        self.gateway.log(f"a group callback failed: {error!r}\n{traceback.format_exc()}")
        self.alerts.raise_(self.now, Severity.P2, "callback-failed", group_id, repr(error))

