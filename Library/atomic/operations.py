"""Multi-step operations as their owner sees them: what was asked, how far it is, what it took, how it ended.

An operation is a view, not a second state machine: brackets, OCO sets and groups are read from their groups when they
are asked for; closing a position, cancelling in bulk and modifying exits are kept as short records whose state follows
from the orders and groups they touched. A group has a record of its own once something unusual happened to it, while
hooks are told of it, and when it leaves memory. History is bounded.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any

from . import facts as f
from . import given
from .group import close
from .layers import protection
from .observe import unusual
from .operation import (
    ENDED,
    CancelCounts,
    Operation,
    OperationState,
    OperationType,
    going_back_since,
    refusals_of,
    seen_as,
    state_of,
)
from .operation_records import OperationRecords
from .ports import Severity
from .vocabulary import PROTECTED_KINDS, ChildStatus, Kind, Phase, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import GroupState
    from .ports import GroupEvent
    from .shell import Shell

#: what of this is in the journal's small states
_ON_RECORD = "operations"
#: seconds within which a placement is to be taken back
ROLLBACK_SECONDS = 3.0


class Operations(OperationRecords):
    """The executor's operations: list, status, statistics, forced rollback, clean-up, hooks.

    Args:
        shell: the executor's shell.
    """

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._counter = 0
        #: operations of several steps that have not ended
        self._under_way: dict[str, Operation] = {}
        self._hooks: dict[OperationType, list[Callable[[Operation, OperationState], Any]]] = {}
        self._attempts = 0
        self._attempts_won = 0
        #: of those that went back, newest last
        self._rollback_seconds: deque[float] = deque(maxlen=int(shell.settings.history))
        shell.on_event.append(self._event)
        shell.on_change.append(self.modification)

    def restore(self, groups: list[GroupState]) -> None:
        """Groups of an earlier process, with the refusals that they have on record, and what it had under way."""
        for group in groups:
            self.known(group)
        left = self._shell.journal.extra.get(_ON_RECORD) or {}
        try:
            under_way = [Operation.from_row(row) for row in left.get("under_way", ())]
            self._counter = max(self._counter, int(left.get("counter", 0)))
        except (AttributeError, TypeError, ValueError) as error:
            self._shell.gateway.log(f"atomic: operations of an earlier version cannot be read ({error}): {left!r}")
            return
        for operation in under_way:
            self._begin(operation)

    def _remember(self) -> None:
        """Put on record what is under way, and the counter of ids; inside the pump, which writes it."""
        rows = [operation.row() for operation in list(self._under_way.values())]
        self._shell.journal.extra[_ON_RECORD] = {"counter": self._counter, "under_way": rows}

    # --- reading ----------------------------------------------------------------------------------------------

    def all(self, *, active: bool = False) -> list[dict[str, Any]]:
        """Operations as records, oldest first; `active` leaves the ended ones out."""
        rows = [self._row(op) for op in self._all()]
        return [row for row in rows if not active or row["state"] not in ENDED]

    def get_operation_status(self, operation_id: str) -> dict[str, Any]:
        """One operation: type, state, times, groups, orders, attempts, errors, note.

        Raises:
            ValueError: there is no such operation (ended ones are kept up to the history bound).
        """
        operation = self._find(operation_id)
        if operation is None:
            raise ValueError(f"no operation {operation_id!r}; active: {[r['id'] for r in self.all(active=True)][:6]}")
        return self._row(operation)

    def get_recovery_statistics(self) -> dict[str, Any]:
        """Counts over the kept history: started, completed, failed, rolled back, active; recovery attempts.

        Every refused order is a recovery attempt; it is won when its group stands all the same: complete, and with its
        stops where it has any. Rollbacks count from the decision to the end, in the algorithm's time; slow are those
        that took more than three seconds.
        """
        states = [self._state(op) for op in self._all()]
        ended = [s for s in states if s in ENDED]
        done = states.count(OperationState.COMPLETED)
        won = self._attempts_won + sum(op.refused for op in self._records.values() if self._made_good(op))
        return {
            "started": len(states),
            "completed": done,
            "failed": states.count(OperationState.FAILED),
            "rolled_back": states.count(OperationState.ROLLED_BACK),
            "active": len(states) - len(ended),
            "success_rate": done / len(ended) if ended else 1.0,
            "recovery_attempts": self._attempts,
            "recoveries_won": won,
            "recovery_success_rate": won / self._attempts if self._attempts else 1.0,
            "rollback_seconds_median": median(self._rollback_seconds) if self._rollback_seconds else 0.0,
            "rollback_seconds_max": max(self._rollback_seconds, default=0.0),
            "rollbacks_slow": sum(took > ROLLBACK_SECONDS for took in self._rollback_seconds),
        }

    def _made_good(self, operation: Operation) -> bool:
        """True when what was refused works by now."""
        group = self._shell.groups.get(operation.id) if operation.refused else None
        if group is None or group.phase is not Phase.OPEN or group.emergency:
            return False
        if group.spec.kind not in PROTECTED_KINDS:
            return True
        held, covered, watched = protection(group)
        return watched or covered >= held

    def get_circuit_breaker_status(self) -> dict[str, Any]:
        """Closed or open, refusals in a row, seconds until it closes."""
        fuse, now = self._shell.gates.fuse, self._shell.gateway.now()
        open_ = fuse.is_open(now)
        return {
            "state": "open" if open_ else "closed",
            "failures_in_a_row": fuse.failures,
            "closes_in_seconds": max(0.0, fuse.open_until - now) if open_ else 0.0,
        }

    # --- acting -----------------------------------------------------------------------------------------------

    def force_rollback_operation(self, operation_id: str, why: str = "forced by its owner") -> bool:
        """Take an operation's groups back to nothing; False when all of them have ended.

        Raises:
            ValueError: there is no such operation.
        """
        self.get_operation_status(operation_id)
        shell = self._shell
        record = self._records.get(operation_id)
        names = (operation_id,) if record is None else record.groups
        groups = [g for n in names if (g := shell.groups.get(n)) is not None]
        alive = [g for g in groups if g.phase is not Phase.CLOSED]
        for group in alive:
            self.known(group).forced = True
        shell.do(lambda: self._close_all(alive, why))
        return bool(alive)

    def cleanup_stale_operations(self, max_age: float = 86_400.0) -> int:
        """Forget records of ended operations older than `max_age` seconds; living ones are never dropped.

        Raises:
            ValueError: `max_age` is no number of at least 0.
        """
        now, max_age = self._shell.gateway.now(), given.number(max_age, "max_age", low=0)
        old = [op.id for op in self._all() if now - op.started_at > max_age and self._state(op) in ENDED]
        for name in old:
            self._records.pop(name, None)
            if self._group(name) is not None:
                self._dropped.add(name)
        return len(old)

    def cancel_position_orders(self, symbol: str, why: str = "cancelled by its owner") -> CancelCounts:
        """Cancel every working order of our groups in a symbol, and say what was done.

        A stop of an open position is cancelled too: whoever calls this takes the protection away, and is told so by
        an alert. The groups themselves go to zero with `close_position_with_cleanup`.
        """
        shell = self._shell
        counts = {"entry": 0, "stop": 0, "target": 0, "other": 0}
        errors: list[str] = []
        touched: list[tuple[str, int]] = []
        names = {Purpose.ENTRY: "entry", Purpose.OPEN: "entry", Purpose.STOP: "stop", Purpose.TARGET: "target"}

        def act() -> None:
            for group in list(shell.groups.values()):
                for order in list(group.live.values()):
                    if group.legs[order.leg].spec.symbol != symbol or order.status is ChildStatus.CANCELING:
                        continue
                    before = order.cancel_refusals
                    shell.gateway.cancel(group.spec.group_id, order.number)
                    touched.append((group.spec.group_id, order.number))
                    if order.cancel_refusals > before:
                        errors.append(f"{order.tag}: cancel refused")
                    else:
                        counts[names.get(order.purpose, "other")] += 1
                if group.spec.kind is not Kind.ALL_OR_NONE and any(n == group.spec.group_id for n, _ in touched):
                    shell.apply(group, f.Remembered(shell.now, "entry_cancel", why))

        shell.do(act)
        self._keep(OperationType.BULK_CANCEL, tuple({n for n, _ in touched}), tuple(touched), errors, why)
        if counts["stop"]:
            text = f"{counts['stop']} stops of {symbol} asked to end ({why}); placed again while the position is open"
            shell.alerts.raise_(shell.now, Severity.P1, "stops-cancelled", "", text)
        return CancelCounts(**counts, failed=len(errors), errors=tuple(errors))

    def close_position_with_cleanup(self, symbol: str, why: str = "closed by its owner") -> str:
        """Take every group that holds this symbol to zero, its resting orders included; the operation's id.

        Raises:
            ValueError: no group of ours holds or works this symbol.
        """
        shell = self._shell
        groups = [
            g
            for g in shell.groups.values()
            if g.phase is not Phase.CLOSED and any(leg.spec.symbol == symbol for leg in g.legs)
        ]
        if not groups:
            raise ValueError(f"no group holds {symbol}; positions that belong to no group are not touched")
        shell.do(lambda: self._close_all(groups, why))
        return self._keep(OperationType.POSITION_CLOSE, tuple(g.spec.group_id for g in groups), (), [], why)

    def modification(self, group_id: str, what: str) -> str:
        """Record a change of exits that was asked for; the operation's id. It is in progress while orders change."""
        return self._keep(OperationType.MODIFICATION, (group_id,), (), [], what)

    def on_operation(self, type: OperationType, call: Callable[[Operation, OperationState], Any]) -> None:
        """Call this with an operation of this type and its state whenever that changes."""
        self._hooks.setdefault(type, []).append(call)
        self._shell.listening = True

    def look(self) -> None:
        """Tell the hooks how closes, cancels and modifications got on; called with every event and all data."""
        if self._look():
            self._shell.do(self._remember)

    def _look(self) -> bool:
        """True when one of them has ended."""
        ended = False
        for name, operation in list(self._under_way.items()):
            state = self._state(operation)
            if state in ENDED:
                ended = self._under_way.pop(name, None) is not None or ended
                operation.final, operation.ended_at = state, self._shell.gateway.now()
            self._tell(operation, state)
        return ended

    def _tell(self, operation: Operation, state: OperationState) -> None:
        if state is operation.told:
            return
        operation.told = state
        for call in self._hooks.get(operation.type, ()):
            try:
                call(operation, state)
            except Exception as error:
                self._shell.report_callback(operation.groups[0] if operation.groups else "", error)

    # --- inside -----------------------------------------------------------------------------------------------

    def _close_all(self, groups: list[GroupState], why: str) -> None:
        for group in groups:
            close(self._shell, group, why)

    def _keep(
        self, type: OperationType, groups: tuple[str, ...], orders: tuple[tuple[str, int], ...], errors: list[str],
        note: str,
    ) -> str:  # fmt: skip
        self._counter += 1
        name = f"{type}-{self._counter:06d}"
        operation = Operation(name, type, self._shell.gateway.now(), groups, orders, errors, note)
        self._begin(operation)
        self._look()
        self._shell.do(self._remember)
        return name

    def _begin(self, operation: Operation) -> None:
        """From now on it is under way, and the events of its groups are told."""
        self._add(operation)
        self._under_way[operation.id] = operation
        self._shell.followed.update(operation.groups)

    def _event(self, event: GroupEvent) -> None:
        group = event.group
        if self._hooks or group.spec.group_id in self._records or unusual(event.kind, group):
            self._keep_up(event, group)
        if self._under_way:
            self.look()

    def _keep_up(self, event: GroupEvent, group: GroupState) -> None:
        operation = self.known(group)
        if event.kind == "rejected":
            self._attempts += 1
            operation.refused += 1
            operation.errors[:] = refusals_of(group)
        state = seen_as(group, operation) if operation.forced else state_of(group)
        if operation.refused and group.phase is Phase.CLOSED:
            if state is OperationState.COMPLETED and not group.emergency:
                self._attempts_won += operation.refused
            operation.refused = 0
        if state in ENDED and operation.final is not state:
            operation.final, operation.ended_at = state, event.at
            if state is OperationState.ROLLED_BACK:
                self._went_back(group, event.at)
        if self._hooks and event.kind != "fill":
            self._tell(operation, state)

    def _went_back(self, group: GroupState, at: float) -> None:
        """Keep how long that took; in live trading it is meant to be seconds (REQUIREMENTS B2)."""
        took = at - going_back_since(group)
        self._rollback_seconds.append(took)
        if took > ROLLBACK_SECONDS and self._shell.gateway.live and group.spec.kind in PROTECTED_KINDS:
            text = f"going back took {took:.1f} s, {ROLLBACK_SECONDS:g} s are meant: look at what the broker answered"
            self._shell.alerts.raise_(at, Severity.P2, "rollback-slow", group.spec.group_id, text, {"seconds": took})
