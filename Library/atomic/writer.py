"""The executor's side of the lease: no start, no journal, no order unless this instance is the one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lease import BEAT, Lease
from .ports import Severity
from .vocabulary import Phase

if TYPE_CHECKING:
    from .shell import Shell

#: name of the gate that another instance keeps shut
GATE = "one-writer"


class Writer:
    """Beats for an executor in live mode, and fences its journal.

    Without the lease `Journal.save` raises, and what cannot be journaled is not sent: that fence holds for every
    order, not only for openings.
    """

    def __init__(self, shell: Shell, lease: Lease) -> None:
        self._shell = shell
        self._lease = lease
        self._lost = ""
        self._taken = 0
        shell.journal.guard = self._guard
        shell.on_due["lease"] = self._due

    @property
    def refusal(self) -> str:
        """Why this instance may not trade; "" while it may."""
        return self._lost or self._lease.refusal

    def beat(self) -> str:
        """Beat if it is time to; returns `refusal`."""
        shell, lease = self._shell, self._lease
        groups = [group for group in shell.groups.values() if group.phase is not Phase.CLOSED]
        held = sum(group.phase is Phase.HELD for group in groups)
        before = self.refusal
        lease.beat(open_groups=len(groups), held=held, ready=not shell.gates.shut)
        if lease.taken > self._taken:
            if self._taken and not self._lost:  # it was away: somebody else may have written in between
                self._lost = shell.journal.intruder()
            self._taken = lease.taken
        refusal = self.refusal
        if refusal:
            shell.gates.shut[GATE] = refusal
        else:
            shell.gates.shut.pop(GATE, None)
        if refusal != before and (refusal == "" or before == "" or before == "not claimed yet"):
            text = refusal or "this instance is the one writer of its journal now"
            severity = Severity.P3 if not refusal else Severity.P0 if groups else Severity.P1
            if refusal or before != "not claimed yet":
                shell.alerts.raise_(shell.gateway.now(), severity, GATE, "", text)
        return refusal

    def stop(self) -> None:
        """The process ends in order."""
        self._lease.release()

    def _guard(self) -> str:
        if self.refusal:
            return self.refusal
        return "" if self._lease.holds else "this instance was away for too long: it asks for its journal again"

    def _due(self) -> None:
        self.beat()
        self._shell.wake_for("lease", self._shell.now + BEAT)
