"""What an executor shows of itself: one frozen picture for health checks, charts, commands and Prometheus.

Nothing is kept here and nothing trades: a picture is taken of what the other rooms know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .vocabulary import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .executor import AtomicOrderExecutor

#: phases of groups that are not closed, in the order of a group's life
STATES = (Phase.PLANNED, Phase.OPENING, Phase.OPEN, Phase.UNWINDING, Phase.CLOSING, Phase.HELD)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An executor at one moment; times in seconds, money in dollars, counters since the start of the process.

    Attributes:
        at: seconds UTC.
        live: live trading (a backtest otherwise).
        alive: it can do its work: started, journal written, order events arrive, its fuse aside.
        ready: groups may open.
        why_not: why no group may open, a sentence each; empty when one may. Limits of the risk gate are among them,
            which `ready` leaves to the refusal of the single group.
        started: `start` has settled what an earlier run left.
        paused: an operator's pause.
        breaker_open: too many refusals in a row.
        shut: reasons that close the gate, by code.
        groups: groups by state, those that are not closed.
        held: ids of groups that wait for a person.
        closed_contracts: contracts whose holdings do not add up.
        coverage: share of filled entries that got their exits (1 = all).
        unprotected: groups last seen without full protection.
        naked_now: longest time a group has been naked beyond its structure, 0 for none.
        counts: orders, fills, rejected, canceled, rolled_back, held, naked_seconds, legging_seconds, gap_seconds,
            rollback_cost, fees and more (`observe.Observer`).
        outcomes: ended groups by outcome.
        held_by_cause: holds by cause.
        placed_by: protection placed by layer (direct, event, sweep).
        seconds_to_open: median and longest time from request to a complete group.
        protection_latency: median and longest time from a fill to its confirmed exits.
        alerts: raised alerts by code, with those that were held back as repeats.
        alerts_held_back: how many of them were.
        journal: "ok", or why it cannot be written.
        journal_bytes: size of the newest document.
    """

    at: float
    live: bool
    alive: bool
    ready: bool
    why_not: tuple[str, ...]
    started: bool
    paused: bool
    breaker_open: bool
    shut: Mapping[str, str]
    groups: Mapping[str, int]
    held: tuple[str, ...]
    closed_contracts: tuple[str, ...]
    coverage: float
    unprotected: int
    naked_now: float
    counts: Mapping[str, float]
    outcomes: Mapping[str, int]
    held_by_cause: Mapping[str, int]
    placed_by: Mapping[str, int]
    seconds_to_open: tuple[float, float]
    protection_latency: tuple[float, float]
    alerts: Mapping[str, int]
    alerts_held_back: int
    journal: str
    journal_bytes: int

    @property
    def open_groups(self) -> int:
        """Groups that are not closed."""
        return sum(self.groups.values())

    @property
    def alert_count(self) -> int:
        """Alerts raised, repeats included."""
        return sum(self.alerts.values())

    def health(self) -> dict[str, Any]:
        """Is it alive and able, and why not; JSON-able."""
        names = ("live", "alive", "ready", "started", "paused", "breaker_open", "journal")
        return {
            **{name: getattr(self, name) for name in names},
            "why_not": list(self.why_not),
            "shut": dict(self.shut),
            "groups": self.open_groups,
            "held": list(self.held),
            "closed_contracts": list(self.closed_contracts),
        }

    def metrics(self) -> dict[str, Any]:
        """All figures; JSON-able."""
        return {
            **self.counts,
            "at": self.at,
            "groups_by_state": dict(self.groups),
            "open_groups": self.open_groups,
            "outcomes": dict(self.outcomes),
            "held_by_cause": dict(self.held_by_cause),
            "coverage": self.coverage,
            "unprotected_now": self.unprotected,
            "naked_now": self.naked_now,
            "placed_by": dict(self.placed_by),
            "seconds_to_open_median": self.seconds_to_open[0],
            "seconds_to_open_max": self.seconds_to_open[1],
            "protection_latency_median": self.protection_latency[0],
            "protection_latency_max": self.protection_latency[1],
            "alerts": dict(self.alerts),
            "alerts_held_back": self.alerts_held_back,
            "journal_bytes": self.journal_bytes,
        }


def take(executor: AtomicOrderExecutor, now: float) -> Snapshot:
    """Take the picture; `now` in seconds UTC."""
    shell = executor.shell
    gates, observer = shell.gates, executor.observer
    groups = dict.fromkeys((str(phase) for phase in STATES), 0)
    held = []
    for group in list(shell.groups.values()):
        if group.phase is not Phase.CLOSED:
            groups[str(group.phase)] += 1
            if group.phase is Phase.HELD:
                held.append(group.spec.group_id)
    breaker_open = gates.fuse.is_open(now)
    why_not = [f"{code}: {why}" for code, why in gates.shut.items()]
    if gates.paused:
        why_not.append("paused: trading is paused; resume it first")
    if breaker_open:
        left = gates.fuse.open_until - now
        why_not.append(f"circuit-breaker: too many refusals; it resets in {left:.0f} s")
    refusal = gates.refusal(now)
    if refusal is not None:
        why_not.append(f"{refusal.check}: {refusal.reason} (is {refusal.value}, limit {refusal.limit})")
    watched, protected = observer.metrics(), executor.coverage.metrics()
    return Snapshot(
        at=now,
        live=bool(shell.gateway.live),
        alive=executor.report is not None and not gates.shut and not executor.journal.failing,
        ready=not gates.shut and not gates.paused and not breaker_open,
        why_not=tuple(why_not),
        started=executor.report is not None,
        paused=gates.paused,
        breaker_open=breaker_open,
        shut=dict(gates.shut),
        groups=groups,
        held=tuple(held),
        closed_contracts=tuple(sorted(shell.outside.closed_contracts)),
        coverage=protected["coverage"],
        unprotected=protected["unprotected_now"],
        naked_now=observer.naked_for(now),
        counts={**observer.counts, "entries": protected["entries"], "protected": protected["protected"],
                "failing_hooks": observer.failing_hooks + executor.alerts.failing_hooks},
        outcomes=watched["outcomes"],
        held_by_cause=watched["held_by_cause"],
        placed_by=protected["placed_by"],
        seconds_to_open=(watched["seconds_to_open_median"], watched["seconds_to_open_max"]),
        protection_latency=(protected["protection_latency_median"], protected["protection_latency_max"]),
        alerts=dict(executor.alerts.raised),
        alerts_held_back=executor.alerts.held_back,
        journal=executor.journal.failing or "ok",
        journal_bytes=executor.journal.size,
    )  # fmt: skip
