"""The first legal moment: settle what an earlier run left open, then open the gate.

LEAN shows holdings and takes orders from `on_warmup_finished` on. Groups of the journal are matched with the
account's holdings and open orders; what is certain is folded as facts, what is not holds the group and is alerted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .journal import Loaded
    from .policy import Policy
    from .shell import Shell


@dataclass(slots=True)
class StartReport:
    """What the start found and did; `str()` is one line for the log.

    Attributes:
        at: seconds UTC.
        found: groups the journal held.
        findings: what matching journal and account showed, one row each: group, kind, text.
        journal: what loading the journal showed.
        refuse: why nothing may be traded; "" when all is well.
    """

    at: float = 0.0
    found: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)
    journal: dict[str, Any] = field(default_factory=dict)
    refuse: str = ""

    def __str__(self) -> str:
        if self.refuse:
            return f"atomic: not started: {self.refuse}"
        kinds: dict[str, int] = {}
        for finding in self.findings:
            kinds[finding["kind"]] = kinds.get(finding["kind"], 0) + 1
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return f"atomic: started with {self.found} groups of an earlier run{f' ({counted})' if counted else ''}"

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {name: getattr(self, name) for name in self.__slots__}


def settle_start(shell: Shell, loaded: Loaded, policy: Policy) -> StartReport:
    """Match, fold, alert, and let the pump act on it."""
    report = StartReport(at=shell.gateway.now(), found=len(loaded.groups), journal=loaded.report.row())
    report.refuse = loaded.report.refuse
    if report.refuse:
        return report

    def act() -> None:
        for group_id in list(shell.groups):
            shell.touch(group_id)

    shell.do(act)
    return report
