"""`AtomicOrderExecutor`: what an algorithm holds. Groups are asked for here; everything else happens in the shell.

```python
self.atomic = AtomicOrderExecutor(self, name="zero_dte_condor")  # in initialize: loads the journal, closes the gate
self.atomic.start()                                              # in on_warmup_finished: settles, opens the gate
self.atomic.on_order_event(order_event)                          # from on_order_event
self.atomic.on_data(slice)                                       # from on_data
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import given
from .book import NOT_STARTED, Book
from .bracket import handle_of
from .brackets import Brackets
from .commands import Control
from .contingent_sets import ContingentSets
from .data_watch import DataWatch
from .desk import OperatorDesk
from .gates import Gates
from .group import CALLBACK_OF, AtomicGroup, Groups
from .guard import Guard
from .journal import Journal
from .lease import Lease
from .observe import Alerts, Observer
from .parameters import Parameters
from .plan import Env
from .policy import Breaker, Policy, Settings
from .ports import Severity
from .shell import IDENTITY_SECONDS, Shell
from .startup import Reconciler, StartReport
from .strategies import Strategies
from .wiring import claim, deaf, env_of, run_of, start_clean, subscribed, warming_up
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .model import GroupState
    from .ports import Alert, Gateway, GroupEvent, RiskGate, Store

_START_LINE = "call `self.atomic.start()` in `on_warmup_finished(self)`: nothing opens before"
#: seconds between two writes of a backtest, whose account ends with it (decision 0005)
WRITE_EVERY = 300.0
#: seconds after which a start no longer waits for the price of an expired contract's underlying
START_PATIENCE = 600.0


class AtomicOrderExecutor(Strategies, Brackets, ContingentSets, Book):
    """Opens, watches, rolls back, closes and remembers groups of orders, all legs or none.

    Args:
        algorithm: the QCAlgorithm it trades for; None with a `gateway` of one's own.
        name: part of group ids, order tags and the journal's keys; 1 to 40 letters, digits, _ or -. One per algorithm.
        policy: how groups open, give up and close unless a call says otherwise.
        settings: limits over all groups.
        breaker: when refusals in a row stop openings.
        risk: pre-trade checks and limits (`ports.RiskGate`, `ports.RiskGuard`); None for none.
        account: the broker's account in live trading, part of the journal's keys; taken from the parameter
            ``account`` when empty.
        gateway: the market side; LEAN when None.
        store: where the journal is kept; LEAN's ObjectStore when None.
        env: what the venue can do, where the gateway does not know.

    Raises:
        ValueError: the name cannot be part of a key or is another executor's, the policy, settings or breaker are none,
            or the parameter ``resume`` or ``durable`` is neither 1 nor 0.
    """

    def __init__(
        self, algorithm: Any = None, name: str = "atomic", policy: Policy | None = None,
        settings: Settings | None = None, risk: RiskGate | None = None, *, breaker: Breaker | None = None,
        account: str = "", run: str = "", gateway: Gateway | None = None, store: Store | None = None,
        env: Env | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.policy = given.one_of(policy, Policy, "policy") if policy is not None else Policy()
        self.settings = given.one_of(settings, Settings, "settings") if settings is not None else Settings()
        if gateway is None:
            from .bridge import LeanGateway

            gateway = LeanGateway(algorithm)
        self._algorithm = algorithm
        self._gateway: Any = gateway
        #: where LEAN's order events go
        self._hear: Callable[[Any], None] = getattr(gateway, "on_order_event", deaf)
        if store is None:
            from .object_store import ObjectStoreStore

            store = ObjectStoreStore(algorithm.object_store, verify=gateway.live)
        self._env_given = env is not None
        base = env if env is not None else Env(live=gateway.live, bar_data=not gateway.live)
        self.alerts = Alerts(gateway.log)
        self.observer = Observer(gateway.log)
        breaker = given.one_of(breaker, Breaker, "breaker") if breaker is not None else Breaker()
        self._gates = Gates(base, breaker, self.settings.rate_per_second, self.settings.reserved_rate, risk)
        self._gates.shut[NOT_STARTED] = _START_LINE
        live, resume = gateway.live, self._flag("resume")
        self.journal = Journal(
            store, name, live=live, run=run or run_of(algorithm), account=account or self._parameter("account"),
            durable=resume or self._flag("durable"),
        )  # fmt: skip
        fresh = not live and not resume and algorithm is not None
        if algorithm is not None:
            claim(algorithm, self.journal.base)
            if fresh:
                start_clean(store, self.journal.base)
        self._loaded = self.journal.load(fresh=fresh)
        self.shell = Shell(gateway, self.journal, self.settings, self._gates, self.alerts, self.observer)
        self.shell.stepwise = algorithm is not None and not live
        if self.shell.stepwise and not self.journal.durable:
            self.shell.write_every = WRITE_EVERY
        self.shell.on_event.append(self._on_group_event)
        self.shell.on_forget.append(self._forget)
        self._handles: dict[str, AtomicGroup] = {}
        self.groups = Groups(self.shell, self._handle)
        self.desk = OperatorDesk(self)
        self.control = Control(self.desk, gateway.log)
        self.report: StartReport | None = None
        self._sweep_at = self._identified_at = 0.0
        self._asked_at = 0.0
        self._reconciler = Reconciler(self.shell, self._loaded)
        self.shell.on_due["reconcile"] = self._reconciler.sweep
        self._init_brackets()
        self.guard = Guard(self)
        # a gateway of one's own is a test or a simulation: one process, one journal
        self._writer = Writer(self.shell, Lease(store, self.journal.base)) if live and algorithm is not None else None
        if self._writer is not None:
            self._writer.beat()
        self._unfed = DataWatch(self.shell) if algorithm is not None else None
        self._load()

    # --- wiring -----------------------------------------------------------------------------------------------

    def start(self) -> StartReport:
        """Settle what an earlier run left open, by policy, and open the gate.

        The first legal moment is `on_warmup_finished`: in `initialize` LEAN neither trades nor (live) shows holdings,
        and nothing is done there. Never raises; what went wrong is in the report and keeps the gate closed.
        """
        if self.report is not None:
            return self.report
        if warming_up(self._algorithm):
            now = self._gateway.now()
            self.alerts.raise_(now, Severity.P1, NOT_STARTED, "", f"start() came too early: {_START_LINE}")
            return StartReport(at=now, found=len(self._loaded.groups), refuse=_START_LINE)
        refuse = self._waits_for_lease() or self._loaded.report.refuse or self._waits_for_prices()
        if refuse:
            self._gates.shut[NOT_STARTED] = refuse
            return StartReport(at=self._gateway.now(), found=len(self._loaded.groups), refuse=refuse)
        self.shell.do(self._begin)
        if self.report is None:
            return StartReport(at=self.shell.now, refuse=self._gates.shut.get(NOT_STARTED, "the start is under way"))
        return self.report

    def _begin(self) -> None:
        """The start itself, inside the pump."""
        try:
            if not self._env_given:  # the brokerage model is known by now
                self._gates.set_base(env_of(self._gateway))
            self.report = self._reconciler.start()
            self._gates.shut.pop(NOT_STARTED, None)
            if self._unfed is not None and self.shell.groups:
                self._unfed.arm()
        except Exception as error:
            self.shell.report_fault(None, error)
            self._gates.shut[NOT_STARTED] = f"the start failed: {error!r}; see the log"

    def _waits_for_lease(self) -> str:
        """Another instance has the journal; when it lets go, what it wrote is read again."""
        if self._writer is None:
            return ""
        waited = bool(self._writer.refusal)
        refusal = self._writer.beat()
        if waited and not refusal:
            self._loaded = self.journal.load()
            self._reconciler.reload(self._loaded)
            self.shell.groups.clear()
            self._load()
        if not refusal:
            self.shell.do(lambda: self.shell.wake_for("lease", self.shell.now))
        return refusal

    def _waits_for_prices(self) -> str:
        """Contracts that expired while nobody looked are settled at a price, so the start waits for it a while."""
        now = self.shell.now = self._gateway.now()
        self.shell.quotes.clear()
        lacking = self._reconciler.lacking()
        if not lacking:
            return ""
        self._asked_at = self._asked_at or now
        return f"waits for a price of {lacking}" if now - self._asked_at < START_PATIENCE else ""

    def on_order_event(self, order_event: Any) -> None:
        """One LEAN order event; never raises."""
        try:
            hear = self._hear
            hear(order_event)
        except Exception as error:
            self.shell.report_fault(None, error)

    def on_data(self, slice: Any = None) -> None:
        """New data; never raises."""
        try:
            if self._unfed is not None:
                self._unfed.heard, self._unfed = True, None
            if self.report is None and not warming_up(self._algorithm):
                self._start_late()
            if slice is not None and self.shell.groups:
                delistings = slice.delistings
                if delistings.count:
                    self._gateway.on_delistings(delistings)
            if self._writer is not None:
                self._writer.beat()
            self.shell.bar()
            self._sweep()
            if self._gates.risk is not None:
                self.guard.look(self._gateway.now())
            self.sweep_protection()
        except Exception as error:
            self.shell.report_fault(None, error)

    def _start_late(self) -> None:
        """`start` was not called, or waits for prices."""
        if self._gates.shut.get(NOT_STARTED) == _START_LINE:
            self.alerts.raise_(self._gateway.now(), Severity.P1, NOT_STARTED, "", f"started by data; {_START_LINE}")
        self.start()

    def on_command(self, data: Any) -> bool:
        """One operator command, from LEAN's `on_command`; never raises. The answer is in the log."""
        return self.control.handle(data).ok

    @property
    def ready(self) -> bool:
        """True when groups may open: started, nothing shut, not paused, no breaker open."""
        gates = self._gates
        return not gates.shut and not gates.paused and not gates.fuse.is_open(self._gateway.now())

    def on_alert(self, call: Callable[[Alert], Any]) -> None:
        """Call this with every alert."""
        self.alerts.hook(call)

    def on_event(self, call: Callable[[GroupEvent], Any]) -> None:
        """Call this with every group event."""
        self.observer.hook(call)
        self.shell.listening = True

    # --- asking for groups ------------------------------------------------------------------------------------

    def execute_atomic(
        self, legs: Sequence[tuple[Any, int]], quantity: int = 1, strategy: str = "custom", *,
        policy: Policy | None = None, limit_net: float | None = None, note: str = "",
    ) -> AtomicGroup:  # fmt: skip
        """All legs or none.

        Args:
            legs: (contract or symbol, signed ratio) of one unit.
            quantity: units.
            strategy: what it is called in ids, records and reports.
            policy: how it opens, gives up and closes; the executor's when None.
            limit_net: limit on the net price of one unit, dollars per share: debit positive, credit negative.
            note: free text for the record.

        Returns:
            The live handle. What the market forbids gives a group with outcome REFUSED and the reason.

        Raises:
            ValueError: the terms are wrong (contract twice, too many legs, bad quantity).
        """
        made = [self.leg(*given.pair(leg, "leg")) for leg in given.many(legs, "legs")]
        return self._open(made, quantity, strategy, policy=policy, limit_net=limit_net, note=note)

    # --- inside -----------------------------------------------------------------------------------------------

    def _handle(self, group: GroupState) -> AtomicGroup:
        handle = self._handles.get(group.spec.group_id)
        if handle is None:
            handle = self._handles[group.spec.group_id] = handle_of(group, self.shell)
        return handle

    def _forget(self, group: GroupState) -> None:
        group_id = group.spec.group_id
        self._handles.pop(group_id, None)
        self.shell.followed.discard(group_id)

    def _on_group_event(self, event: GroupEvent) -> None:
        if self._gates.risk is not None:
            self.guard.told(event)
        if event.kind in CALLBACK_OF:
            handle = self._handles.get(event.group.spec.group_id)
            if handle is not None:
                handle.tell(event)

    def _load(self) -> None:
        """Groups of the journal become known; nothing is sent before `start`."""
        report = self._loaded.report
        if report.refuse:
            self._gates.shut["journal-unreadable"] = report.refuse
            self.alerts.raise_(self._gateway.now(), Severity.P0, "journal-unreadable", "", report.refuse)
        extra = self.journal.extra
        self._gates.fuse.restore(extra.get("breaker"))
        #: deliveries that are still due, as the journal has them
        self._deliveries = extra.get("deliveries", {})
        self.shell.outside.restore(self._deliveries)
        for said in self.guard.restore():
            self._gateway.log(f"atomic: {said}")
        self.operations.restore(self._loaded.groups)
        for group in self._loaded.groups:
            self.shell.groups[group.spec.group_id] = group
            for leg in group.legs:
                if not leg.settled:
                    problem = subscribed(self._gateway, leg.spec)
                    if problem:
                        self._gateway.log(f"atomic: {problem}")

    def _sweep(self, *, force: bool = False) -> None:
        now = self.shell.now
        if now < self._sweep_at and not force:
            return
        every = self.settings.sweep_interval
        self._sweep_at = now + every
        if self.shell.groups and self.report is not None:
            if not self._gateway.live:  # its account moves only by events that this process has seen
                self._sweep_at = now + max(every, self.settings.protection_sweep)
            if force:
                self._identified_at = 0.0
            self.shell.do(self._compare)

    def _compare(self) -> None:
        """Account against groups, inside the pump."""
        now = self.shell.now
        # ids and tags are lost only with a process: within a backtest identity is looked at for form's sake
        if self._gateway.live or now - self._identified_at >= IDENTITY_SECONDS:
            self._identified_at = now
            self._reconciler.sweep()
        self.shell.outside.check_holdings()
        self.shell.outside.forget_unused()
        deliveries = self.shell.outside.state()
        if deliveries != self._deliveries:
            self.journal.extra["deliveries"] = self._deliveries = deliveries

    def _parameter(self, name: str) -> str:
        if self._algorithm is None:
            return ""
        return str(self._algorithm.get_parameter(name, "") or "")

    def _flag(self, name: str) -> bool:
        return self._algorithm is not None and Parameters(self._algorithm).flag(name)
