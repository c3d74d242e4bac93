"""Notices an algorithm that does not pass LEAN's data on: levels that we watch would never be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ports import Severity
from .vocabulary import Phase

if TYPE_CHECKING:
    from .shell import Shell

#: seconds between looks; two of them in an open market without any data are one too many
PATIENCE = 600.0
UNFED = (
    "no data has reached the executor although the market is open: add `self.atomic.on_data(slice)` to the algorithm's "
    "`on_data(self, slice)` (or derive from AtomicAlgorithm); without it no trailing or watched exit is ever looked at"
)


class DataWatch:
    """Looks from the first group on until data comes, or its absence was said once.

    Args:
        shell: whose groups want data; its wake-ups come from LEAN's schedule, which needs no data.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        #: data came
        self.heard = False
        self._waits = False
        self._looks = 0
        shell.on_due["data"] = self._due

    def arm(self) -> None:
        """There is a group; inside the pump."""
        if not (self.heard or self._waits):
            self._waits = True
            longest = max(getattr(self._shell.gateway, "long_bars", {}).values(), default=0.0)
            self._shell.wake_for("data", self._shell.now + max(PATIENCE, 2 * longest))

    def _due(self) -> None:
        self._waits = False
        shell = self._shell
        groups = [group for group in shell.groups.values() if group.phase is not Phase.CLOSED]
        if self.heard or not groups:
            return
        trades = any(shell.gateway.quote(leg.spec.symbol).open for group in groups for leg in group.legs)
        self._looks = self._looks + 1 if trades else 0
        if self._looks < 2:
            self.arm()
        else:
            self._waits = True  # said once
            shell.alerts.raise_(shell.now, Severity.P1, "data-not-forwarded", "", UNFED)
