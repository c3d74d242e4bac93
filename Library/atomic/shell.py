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
from collections import deque
from typing import TYPE_CHECKING, Any

from . import diff, plan
from . import facts as f
from .ledger import Ledger
from .outside import Outside
from .ports import GroupEvent, OrderRequest, Severity
from .quotes import QuoteBook
from .vocabulary import REDUCING, ChildStatus, HoldCause, Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .diff import Submit
    from .gates import Gates
    from .journal import Journal
    from .model import ChildOrder, GroupState
    from .observe import Alerts, Observer
    from .plan import Env
    from .policy import Settings
    from .ports import Gateway

#: decisions and groups a single run of the pump may go through before it counts as running away
SPINS = 20_000
#: rounds of decisions one group may take at one moment
ROUNDS = 200
#: the algorithm does not pass LEAN's order events on
UNWIRED = "events-not-forwarded"
#: seconds between looks at resting orders and their identity in a backtest, where neither is lost
IDENTITY_SECONDS = 86_400.0
#: seconds a broker's thread may pump in live mode; the algorithm's thread goes on from there
BROKER_THREAD_SECONDS = 0.05


class Shell(Ledger):
    """Groups, their facts and the pump. `ports.Sink` for the gateway; the executor is its public face.

    Args:
        gateway: the market side.
        journal: loaded journal.
        settings: limits over all groups.
        gates: what may leave now.
        alerts: where alerts go.
        observer: where group events go.
    """

    def __init__(
        self, gateway: Gateway, journal: Journal, settings: Settings, gates: Gates, alerts: Alerts, observer: Observer
    ) -> None:
        super().__init__(gateway, journal, settings, gates, alerts, observer)
        #: called with every group event after the observer
        self.on_event: list[Callable[[GroupEvent], None]] = []
        #: called inside the pump when a wake-up of their own is due
        self.on_due: dict[str, Callable[[], Any]] = {}
        self.outside = Outside(self)
        self.quotes = QuoteBook(gateway.quote)
        self._inbox: deque[tuple[str, Any]] = deque()
        self._busy = threading.Lock()
        self._asked_wake: float | None = None
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
        if self.groups:
            self.do(self._look)

    def touch(self, group_id: str) -> None:
        """Look at this group again; inside the pump only."""
        self._touched[group_id] = None

    def _look(self) -> None:
        for group_id in self.groups:
            if group_id not in self.asleep:
                self._touched[group_id] = None
        self._poll()
        self.outside.by_clock()

    def _woken(self) -> None:
        self._asked_wake = None
        if self._silent_until:  # what could not be sent is tried again
            self._touched.update(dict.fromkeys(self.groups.keys() - self.asleep))
        for group_id, at in list(self._wakes.items()):
            if at <= self.now + 1e-6:
                if group_id.startswith("~"):
                    del self._wakes[group_id]
                    self.on_due[group_id[1:]]()
                else:
                    self._touched[group_id] = None
        self._poll()

    def _poll(self) -> None:
        """Look at tickets whose answer is overdue: their events may have been lost."""
        every = self.settings.sweep_interval
        if not self.gateway.live:  # events are not lost there, unless the algorithm does not pass them on
            every = self.settings.protection_sweep if UNWIRED in self.gates.shut else IDENTITY_SECONDS
        resting = self.now - self._rested_at >= every
        if resting:
            self._rested_at = self.now
        for group_id, group in self.groups.items():
            if group.live and (resting or group_id not in self.asleep):
                for poll in diff.polls(group, self.now, resting=resting):
                    self.gateway.poll(group.spec.group_id, poll.number)

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
        self.quotes.clear()
        for _ in range(SPINS):
            if self._inbox:
                self._fold_waiting()
            if self._touched:
                group_id = next(iter(self._touched))
                del self._touched[group_id]
                group = self.groups.get(group_id)
                if group is not None:
                    self._settle(group)
            elif self._events:
                self._tell(self._events.popleft())
            elif self._inbox:
                continue
            elif self._end():
                return True
            if stop and time.monotonic() > stop:
                self.gateway.wake_at(self.now)
                return False
        raise RuntimeError(f"the pump does not come to rest after {SPINS} steps: {list(self._touched)[:5]}")

    def write_all(self) -> None:
        """Whatever is not on record yet is written when the pump comes to rest; inside the pump only."""
        self._urgent = True

    def _end(self) -> bool:
        """Write what changed and set the alarm clock; False when that brought something new."""
        if (self._dirty and (self._urgent or self.journal.durable)) or self.journal.extra.pending:
            self._record(flush=True)
        wake = min(self._wakes.values(), default=None) if self._wakes else None
        if self._silent_until > self.now:
            wake = self._silent_until if wake is None else min(wake, self._silent_until)
        if self.gateway.live and any(group.live for group in self.groups.values()):
            check = self.now + self.settings.fill_check
            wake = check if wake is None else min(wake, check)
        if wake is not None and wake != self._asked_wake:
            self._asked_wake = wake
            self.gateway.wake_at(wake)
        return not self._inbox and not self._touched and not self._events

    def _fold_waiting(self) -> None:
        inbox = self._inbox
        while inbox:
            group_id, fact = inbox.popleft()
            if not group_id:
                fact()
                continue
            group = self.groups.get(group_id) or self.find(group_id)
            if group is None:
                text = f"{fact.kind} for {group_id!r}, which is in no record of this account"
                self.alerts.raise_(self.now, Severity.P0, "unknown-group", group_id, text, {"fact": list(fact)})
                continue
            self.fold(group, fact)

    # --- deciding ---------------------------------------------------------------------------------------------

    def _settle(self, group: GroupState) -> None:
        """Bring one group to where nothing more is to be done now."""
        group_id = group.spec.group_id
        if group.phase is Phase.CLOSED:
            self._wakes.pop(group_id, None)
            return
        if group_id in self._broken:
            if group.held is HoldCause.FAULT:
                return
            self._broken.discard(group_id)
        if self.gateway.live:
            self.now = self.gateway.now()
        try:
            env = self._decide(group)
            desired = plan.desired_orders(group, self.now, self.quotes, env)
            commands = diff.commands(group, desired, self.now, env)
            self._wakes.pop(group_id, None)
            done = not commands or self._carry_out(group, commands, env)
            if self._inbox:
                self._fold_waiting()  # what the sends brought
            if done and group_id not in self._touched and plan.at_rest(group) and not diff.owed(group):
                self.asleep.add(group_id)
        except Exception as error:
            self.report_fault(group, error)

    def _decide(self, group: GroupState) -> Env:
        """Fold decisions until there are no more; the environment they rest on."""
        env = self.gates.env(self.now, opens=group.phase is Phase.OPENING)
        for _ in range(ROUNDS):
            decided = plan.decisions(group, self.now, self.quotes, env)
            if not decided:
                break
            for fact in decided:
                self.apply(group, fact)
        else:
            raise RuntimeError(f"{group.spec.group_id} decides without end: {decided!r}")
        return env

    def _carry_out(self, group: GroupState, commands: Iterable[Any], env: Env) -> bool:
        """Cancels and updates first, then one wave of new orders; False when that had to wait."""
        submits: list[Submit] = []
        for command in commands:
            kind = type(command)
            if kind is diff.Submit:
                submits.append(command)
            elif kind is diff.WakeAt:
                self._wakes[group.spec.group_id] = command.at
            else:
                self._command(group, command)
        if submits and self.now < self._silent_until:
            return False
        if submits:
            self._send_wave(group, submits, env)
        return True

    def _command(self, group: GroupState, command: Any) -> None:
        group_id = group.spec.group_id
        if type(command) is diff.Cancel:
            self.gateway.cancel(group_id, command.number)
        elif type(command) is diff.Replace:
            self.gateway.replace(group_id, command.number, command.quantity, command.limit, command.stop)
        elif type(command) is diff.Poll:
            self.gateway.poll(group_id, command.number)
        elif type(command) is diff.Raise and command.alert.code != "held":  # said once, when it happens
            alert = command.alert
            if self._said.get((group_id, alert.code)) != alert.text:
                self._said[(group_id, alert.code)] = alert.text
                self.alerts.raise_(alert.at, alert.severity, alert.code, alert.group_id, alert.text, alert.facts)

    # --- sending ----------------------------------------------------------------------------------------------

    def _send_wave(self, group: GroupState, submits: list[Submit], env: Env) -> None:
        now = self.now
        numbers: list[int] = []
        for submit in submits:
            self.apply(group, submit.intended(now))
            numbers.append(submit.number)
        self.observer.counts["orders"] += len(numbers)
        if not self._record(flush=True):
            for number in numbers:
                self.apply(group, f.Withdrawn(now, number, "the journal could not be written"))
            return
        orders = [group.orders[number] for number in numbers]
        while orders:
            bundle = orders[0].bundle
            size = sum(1 for order in orders if order.bundle == bundle) if bundle else 1
            self._send_next(group, orders[:size], env)
            del orders[:size]

    def _send_next(self, group: GroupState, orders: list[ChildOrder], env: Env) -> None:
        """Fold what waits, look again whether this is still wanted, and send it or withdraw it."""
        group_id = group.spec.group_id
        if self._inbox:
            self._fold_waiting()
        wanted = True
        try:
            if group.spec.kind is not Kind.ALL_OR_NONE and group_id in self._touched:
                env = self._decide(group)
            for order in orders:
                if order.status is not ChildStatus.INTENDED or not plan.still_wanted(group, order, env):
                    wanted = False
                    break
        except Exception as error:
            wanted = False
            self.report_fault(group, error)
        at = self.gateway.now() if self.gateway.live else self.now
        if not wanted:
            for order in orders:
                if order.status is ChildStatus.INTENDED:
                    self.apply(group, f.Withdrawn(at, order.number, "no longer wanted"))
            return
        requests = []
        for order in orders:
            self.apply(group, f.Sent(at, order.number))
            if self.gates.limited:
                self.gates.took(at, reduces=order.purpose in REDUCING)
            requests.append(
                OrderRequest(
                    group_id, order.number, group.legs[order.leg].spec.symbol, order.quantity, order.type, order.limit,
                    order.stop, order.tag,
                )
            )  # fmt: skip
        if orders[0].bundle and group.spec.kind is not Kind.ALL_OR_NONE:
            self.gateway.submit_linked(requests)
        elif orders[0].bundle:
            units = abs(orders[0].quantity // group.legs[orders[0].leg].spec.ratio)
            limit = None if orders[0].type == "market" else orders[0].limit
            self.gateway.submit_combo(requests, units, limit)
        else:
            self.gateway.submit(requests[0])

    def _tell(self, event: GroupEvent) -> None:
        self.observer.event(event)
        for call in self.on_event:
            try:
                call(event)
            except Exception as error:
                self.gateway.log(f"a group callback failed: {error!r}\n{traceback.format_exc()}")
                group_id = event.group.spec.group_id
                self.alerts.raise_(self.now, Severity.P2, "callback-failed", group_id, repr(error))

