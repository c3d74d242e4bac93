"""Limits that act, and what stays shut over a restart: pause, kill switch, tripped limits.

The risk gate (`ports.RiskGuard`) is shown the account and says what a tripped limit wants done; it is done here, and
what the gate remembers is on record before it is done. Nothing of this ever stops an order that reduces or protects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ports import Directive, Reading, Severity
from .vocabulary import Phase
from .writer import GATE as ONE_WRITER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .executor import AtomicOrderExecutor
    from .model import GroupState
    from .ports import GroupEvent

#: seconds between two looks at the account; with minute bars every bar
LOOK_SECONDS = 5.0
KILL_SWITCH = "kill-switch"
#: reasons for a shut gate that only a person takes away: they survive a restart
LASTING = frozenset({KILL_SWITCH})
_GATES, _RISK = "gates", "risk"
#: what tripped limits want done and is not yet known to be done: [action, limit, reason] each
_ACTING = "risk-acting"
#: how loud a limit is by what it does
_SEVERITY = {"warn": Severity.P2, "flatten": Severity.P0, "kill": Severity.P0}


def _nothing() -> None:
    """Makes the pump write what waits."""


class Guard:
    """Watches one executor's account.

    Args:
        executor: whose groups are closed, and whose journal remembers.
    """

    def __init__(self, executor: AtomicOrderExecutor) -> None:
        self._executor = executor
        self._shell = executor.shell
        self._gates = executor.shell.gates
        self._extra = executor.journal.extra
        self._looked_at = 0.0
        risk = self._gates.risk
        self._acts: Any = risk if risk is not None and hasattr(risk, "directives") else None
        self._remembers: Any = risk if risk is not None and hasattr(risk, "state") else None

    # --- what survives a restart ------------------------------------------------------------------------------

    def restore(self) -> list[str]:
        """Take over what an earlier process left shut; sentences for the log."""
        said = []
        left = self._extra.get(_GATES) or {}
        self._gates.paused = self._gates.paused or bool(left.get("paused"))
        if self._gates.paused:
            said.append("trading was paused before the restart and stays paused: resume it")
        for code, why in dict(left.get("shut") or {}).items():
            if code in LASTING:
                self._gates.shut[code] = str(why)
                said.append(f"{code} was thrown before the restart ({why}) and stays: reset it")
        if self._remembers is not None and _RISK in self._extra:
            self._remembers.restore(self._extra[_RISK])
            refusal = self._gates.refusal(self._shell.gateway.now())
            if refusal is not None:
                said.append(f"limit {refusal.check} stays tripped (is {refusal.value}, limit {refusal.limit})")
        self.keep(now=False)  # an instance that waited for the journal may have been paused meanwhile
        return said

    def keep(self, *, now: bool = True) -> None:
        """Put pause, kill switch and limits on record; `now` writes them at once."""
        gates = self._gates
        shut = {code: why for code, why in gates.shut.items() if code in LASTING}
        state = {"paused": gates.paused, "shut": shut}
        if state != self._extra.get(_GATES, {"paused": False, "shut": {}}):
            self._extra[_GATES] = state
        self._keep_limits()
        if now and self._extra.pending and ONE_WRITER not in gates.shut:  # who may not write keeps it for later
            self._shell.do(_nothing)

    def _keep_limits(self) -> None:
        if self._remembers is not None:
            state = dict(self._remembers.state())
            if state != self._extra.get(_RISK):
                self._extra[_RISK] = state

    # --- what is done -----------------------------------------------------------------------------------------

    def told(self, event: GroupEvent) -> None:
        """A group event, for limits that count; inside the pump, which writes what they remember."""
        risk = self._gates.risk
        if risk is not None:
            risk.on_event(event)
            if event.kind != "fill":
                self._keep_limits()

    def look(self, now: float) -> None:
        """Show the account to the limits when it is time, and do what they want done."""
        executor = self._executor
        if self._acts is None or executor.report is None or now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        equity, margin = executor.account()
        naked = executor.observer.naked_for(now)
        reading = Reading(now, equity, equity - margin, margin, naked, len(self._shell.groups))
        # a tripped limit asks only once: what a kill kept from being done is done by the next process
        wanted = [Directive(*row) for row in self._extra.get(_ACTING) or ()]
        wanted += [Directive(*directive) for directive in self._acts.directives(reading)]
        if wanted:
            self._extra[_ACTING] = [list(directive) for directive in wanted]
            self.keep()
            for directive in wanted:
                self._carry_out(directive, now)
            self._extra[_ACTING] = []
            self.keep()
        else:
            self._keep_limits()  # written with what comes next

    def _carry_out(self, directive: Directive, now: float) -> None:
        executor, action, why = self._executor, directive.action, directive.reason
        severity = _SEVERITY.get(action, Severity.P1)
        facts = {"limit": directive.limit, "action": action}
        executor.alerts.raise_(now, severity, f"limit-{directive.limit}", "", f"{why}: {action}", facts)
        if action == "kill":
            self._gates.shut[KILL_SWITCH] = why
        if action in ("flatten", "kill"):
            executor.emergency_flatten(why)
        elif action == "close_by_risk":
            for group in self._riskiest_first():
                handle = executor.groups.get(group.spec.group_id)
                if handle is not None:
                    handle.close(why)

    def _riskiest_first(self) -> Iterable[GroupState]:
        groups = [group for group in self._shell.groups.values() if group.phase is not Phase.CLOSED]
        order = getattr(self._acts, "by_risk", None)
        return groups if order is None else order(groups)

    def reset(self, limit: str, by: str, now: float) -> str:
        """An operator resets a limit or a lasting gate.

        Raises:
            ValueError: no limit has this name; the text lists those that have one.
        """
        gates = self._gates
        risk: Any = gates.risk
        lasting = sorted(code for code in gates.shut if code in LASTING)
        if limit in lasting:
            del gates.shut[limit]
            done = f"{limit} was lifted by {by or 'an operator'}"
        elif risk is not None and hasattr(risk, "reset"):
            done = str(risk.reset(limit, by, now))
        else:
            raise ValueError(f"no limit {limit!r}: {', '.join(['circuit-breaker', *sorted(gates.shut)])}")
        self.keep()
        return done
