"""Charts and runtime statistics in LEAN: what a person sees of the groups without opening a log.

```python
self.panel = Panel(self, self.atomic)       # in initialize, after the executor
self.panel.update()                         # at the end of on_data
self.panel.update(last=True)                # in on_end_of_algorithm, before `shutdown`
```

LEAN is called only for what has changed, and at most once a minute: a call costs microseconds, points are limited.
Charts: "Atomic groups" (groups by state), "Atomic safety" (coverage in %, naked and legging seconds, alerts) and
"Atomic cost" (roll-back cost, fees). Runtime statistics carry the same figures in short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .snapshot import STATES

if TYPE_CHECKING:
    from .executor import AtomicOrderExecutor
    from .snapshot import Snapshot

#: seconds between two calls into LEAN
EVERY = 60.0
GROUPS, SAFETY, COST = "Atomic groups", "Atomic safety", "Atomic cost"


class TellsSilence(Protocol):
    """An alert desk (`risk.alerts.AlertDesk`)."""

    def new_warning(self) -> str:
        """Why a P0 alert would reach nobody, when that is news; else ""."""


class Panel:
    """Draws one executor.

    Args:
        algorithm: the QCAlgorithm whose charts are drawn.
        executor: what is shown.
        desk: an alert desk whose routes answer late; a route that turns out not to work raises a P1 alert.
    """

    def __init__(self, algorithm: Any, executor: AtomicOrderExecutor, desk: TellsSilence | None = None) -> None:
        self._algorithm = algorithm
        self._executor = executor
        self._desk = desk
        self._changed = True
        self._next = 0.0
        self._drawn: dict[tuple[str, str], float] = {}
        self._written: dict[str, str] = {}
        executor.on_event(self._note)
        executor.on_alert(self._note)

    def _note(self, _: Any) -> None:
        self._changed = True

    def update(self, *, last: bool = False) -> None:
        """Draw what has changed, if a minute has passed or it is the last time; never raises."""
        if not (self._changed or last or self._desk is not None or self._executor.shell.groups):
            return
        try:
            now = self._executor.shell.gateway.now()
            if now < self._next and not last:
                return
            self._next = now + EVERY
            if self._desk is not None:
                silent = self._desk.new_warning()
                if silent:
                    self._executor.alert_operator(silent, severity=1, code="alert-route")
            self._changed = False
            self._draw(self._executor.snapshot())
        except Exception as error:
            self._executor.shell.report_fault(None, error)

    def _draw(self, shown: Snapshot) -> None:
        counts = shown.counts
        points: list[tuple[str, str, float]] = [
            *((GROUPS, str(state), float(shown.groups[str(state)])) for state in STATES),
            (SAFETY, "coverage %", round(100 * shown.coverage, 2)),
            (SAFETY, "naked s", round(counts["naked_seconds"] + shown.naked_now, 1)),
            (SAFETY, "legging s", round(counts["legging_seconds"], 1)),
            (SAFETY, "alerts", float(shown.alert_count)),
            (COST, "roll-back $", round(counts["rollback_cost"], 2)),
            (COST, "fees $", round(counts["fees"], 2)),
        ]
        for chart, series, value in points:
            before = self._drawn.get((chart, series))
            if value != before and (value or before is not None):  # what never was anything is not drawn
                self._drawn[chart, series] = value
                self._algorithm.plot(chart, series, value)
        for name, text in _statistics(shown).items():
            if self._written.get(name) != text:
                self._written[name] = text
                self._algorithm.set_runtime_statistic(name, text)


def _statistics(shown: Snapshot) -> dict[str, str]:
    counts = shown.counts
    states = ", ".join(f"{count} {state}" for state, count in shown.groups.items() if count) or "none"
    return {
        "Atomic groups": states,
        "Atomic ready": "yes" if not shown.why_not else f"no: {shown.why_not[0]}",
        "Atomic coverage": f"{shown.coverage:.1%}",
        "Atomic naked": f"{counts['naked_seconds'] + shown.naked_now:.1f} s",
        "Atomic legging": f"{counts['legging_seconds']:.1f} s",
        "Atomic roll-back cost": f"{counts['rollback_cost']:.2f}",
        "Atomic alerts": str(shown.alert_count),
    }
