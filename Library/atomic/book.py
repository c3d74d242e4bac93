"""The whole book at once: recover, flatten, pause, reset, end, and what is shown of it. A mixin of the executor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from . import facts as f
from .group import close
from .guard import LASTING
from .journal import JournalError
from .ports import Severity
from .snapshot import Snapshot, take
from .startup import StartReport
from .vocabulary import Phase

if TYPE_CHECKING:
    from .executor import AtomicOrderExecutor
    from .guard import Guard
    from .journal import Journal
    from .model import GroupState
    from .observe import Alerts
    from .shell import Shell
    from .startup import Reconciler
    from .writer import Writer

NOT_STARTED = "not-started"


class Book:
    """The part of the executor that acts on every group."""

    if TYPE_CHECKING:
        name: str
        shell: Shell
        alerts: Alerts
        guard: Guard
        journal: Journal
        report: StartReport | None
        _reconciler: Reconciler
        _writer: Writer | None

        @property
        def ready(self) -> bool: ...  # noqa: D102
        def start(self) -> StartReport: ...  # noqa: D102
        def _sweep(self, *, force: bool = False) -> None: ...

    def __repr__(self) -> str:
        state = "ready" if self.ready else "not ready"
        return f"<AtomicOrderExecutor {self.name!r}: {state}, {len(self.shell.groups)} groups>"

    def check_and_recover_incomplete_orders(self) -> StartReport:
        """Look at every group and every ticket again; what is incomplete is completed or reversed by policy.

        Returns:
            What this look found; before `start` it is the start.
        """
        if self.report is None:
            return self.start()
        found = len(self.shell.groups)
        self._reconciler.findings = []
        self.shell.read_all()
        self.shell.bar()
        self._sweep(force=True)
        return StartReport(self.shell.gateway.now(), found, self._reconciler.findings)

    def emergency_flatten(self, why: str = "emergency") -> int:
        """Every group to zero at market, budget ignored; nothing opens until `resume`. The number of groups."""
        shell = self.shell
        groups = [g for g in shell.groups.values() if g.phase is not Phase.CLOSED]

        def act() -> None:
            for group in groups:
                close(shell, group, why)
                if group.phase not in (Phase.CLOSED, Phase.PLANNED):
                    shell.apply(group, f.Emergency(shell.now, why))

        self.shell.gates.paused = True
        self.guard.keep(now=False)  # written with what `act` does
        self.alert_operator(f"emergency flatten of {len(groups)} groups: {why}", code="emergency-flatten")
        shell.do(act)
        return len(groups)

    def alert_operator(self, text: str, *, severity: int = Severity.P0, code: str = "operator") -> None:
        """Tell a person; severity 0 (P0) to 3 (P3)."""
        self.alerts.raise_(self.shell.gateway.now(), Severity(severity), code, "", text)

    def pause(self) -> None:
        """No group opens until `resume`, also after a restart; what reduces or protects goes on."""
        self.shell.gates.paused = True
        self.guard.keep()

    def resume(self) -> None:
        """Groups may open again."""
        self.shell.gates.paused = False
        self.guard.keep()
        self.shell.bar()

    def accept_account(self, group: GroupState, why: str) -> str:
        """A held group believes the account: what it holds becomes what the account shows. Raises ValueError."""
        return self._reconciler.accept(group, why)

    def reset_limit(self, limit: str, by: str) -> str:
        """A tripped limit, the circuit breaker or an alarm starts again; raises ValueError for an unknown name."""
        gates, now = self.shell.gates, self.shell.gateway.now()
        if limit == "circuit-breaker":
            gates.fuse.open_until, gates.fuse.failures = 0.0, 0
            return "the circuit breaker is closed"
        if limit in gates.shut and limit not in (NOT_STARTED, "journal", *LASTING):
            del gates.shut[limit]
            return f"{limit} was lifted by {by or 'an operator'}"
        return self.guard.reset(limit, by, now)

    def shutdown(self) -> None:
        """The process ends in order: groups stay as they are, the journal is written and flushed."""
        self.shell.gates.shut["shutdown"] = "the executor was shut down"
        self.shell.do(self.shell.write_all)
        try:
            self.journal.save((), flush=True)
        except JournalError as error:
            self.alert_operator(f"the journal could not be written at the end: {error}", code="journal-failing")
        if self._writer is not None:
            self._writer.stop()

    def snapshot(self) -> Snapshot:
        """Everything it shows of itself, at this moment."""
        return take(cast("AtomicOrderExecutor", self), self.shell.gateway.now())

    def health(self) -> dict[str, Any]:
        """Is it alive and able, and why not: JSON-able."""
        return self.snapshot().health()

    def metrics(self) -> dict[str, Any]:
        """Counters since the start of this process: JSON-able."""
        return self.snapshot().metrics()
