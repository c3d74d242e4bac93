"""A running executor's status as Prometheus text (exposition format 0.0.4).

Names are ``atomic_<what>_<unit>``; counters end in ``_total`` and count since the start of the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: name in the metrics of a status -> name, help; counters since the start of the process
COUNTERS: Mapping[str, tuple[str, str]] = {
    "groups": ("atomic_groups_ended_total", "Groups that ended."),
    "orders": ("atomic_orders_total", "Orders sent."),
    "fills": ("atomic_fills_total", "Fills."),
    "rejected": ("atomic_orders_rejected_total", "Orders rejected."),
    "canceled": ("atomic_orders_canceled_total", "Orders canceled."),
    "held": ("atomic_holds_total", "Times a group was held for a person."),
    "late_reopened": ("atomic_late_fills_total", "Ended groups that a late fill opened again."),
    "orphans": ("atomic_orphans_total", "Orders found without a living group."),
    "ambiguous": ("atomic_ambiguous_total", "Orders or holdings that could not be told apart."),
    "breaks": ("atomic_breaks_total", "Differences between account and groups."),
    "naked_seconds": ("atomic_naked_seconds_total", "Seconds groups were naked beyond their structure."),
    "legging_seconds": ("atomic_legging_seconds_total", "Seconds from first fill to a complete group."),
    "gap_seconds": ("atomic_gap_seconds_total", "Seconds exits of ended brackets gave way to one another."),
    "rollback_cost": ("atomic_rollback_cost_dollars_total", "Dollars that roll-backs cost."),
    "fees": ("atomic_fees_dollars_total", "Dollars of fees of ended groups."),
    "alerts_held_back": ("atomic_alerts_held_back_total", "Alerts held back as repeats or in a flood."),
    "failing_hooks": ("atomic_failing_hooks_total", "Exceptions in hooks of the algorithm."),
}
#: gauges that stand in the metrics by themselves
GAUGES: Mapping[str, tuple[str, str]] = {
    "coverage": ("atomic_coverage_ratio", "Filled entries with exits over filled entries."),
    "unprotected_now": ("atomic_unprotected_groups", "Groups last seen without full protection."),
    "naked_now": ("atomic_naked_now_seconds", "Longest time a group has been naked beyond its structure."),
    "seconds_to_open_median": ("atomic_open_median_seconds", "Median time from request to a complete group."),
    "seconds_to_open_max": ("atomic_open_max_seconds", "Longest time from request to a complete group."),
    "protection_latency_median": ("atomic_protection_median_seconds", "Median time from fill to confirmed exits."),
    "protection_latency_max": ("atomic_protection_max_seconds", "Longest time from fill to confirmed exits."),
    "journal_bytes": ("atomic_journal_bytes", "Size of the newest journal document."),
    "at": ("atomic_time_seconds", "Algorithm time, seconds since 1970 UTC."),
}
#: counted by a label: name in the metrics -> name, help, label, kind
LABELED: Mapping[str, tuple[str, str, str, str]] = {
    "groups_by_state": ("atomic_groups", "Groups that are not closed.", "state", "gauge"),
    "outcomes": ("atomic_outcomes_total", "Ended groups.", "outcome", "counter"),
    "held_by_cause": ("atomic_holds_by_cause_total", "Holds.", "cause", "counter"),
    "placed_by": ("atomic_protection_placed_total", "Exits placed.", "layer", "counter"),
    "alerts": ("atomic_alerts_total", "Alerts raised, repeats included.", "code", "counter"),
}
#: truths of the health part
FLAGS: Mapping[str, str] = {
    "ready": "1 while groups may open.",
    "alive": "1 while it can do its work.",
    "live": "1 in live trading.",
    "started": "1 after the start settled what an earlier run left.",
    "paused": "1 while an operator's pause stands.",
    "breaker_open": "1 while the circuit breaker is open.",
}


def render(status: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Text of one executor.

    Args:
        status: what the command ``status`` answers: health, with `metrics` inside.
        labels: put on every sample (project, journal).

    Raises:
        ValueError: the status is not one.
    """
    metrics = status.get("metrics")
    if not isinstance(metrics, Mapping):
        raise ValueError("the status has no metrics: the session runs another version of the library")
    lines: list[str] = []
    for flag, text in FLAGS.items():
        lines += _samples(f"atomic_{flag}", "gauge", text, [(labels, float(bool(status.get(flag))))])
    shut = [({**labels, "code": str(code)}, 1.0) for code in status.get("shut", {})]
    lines += _samples("atomic_gate_shut", "gauge", "Reasons that keep groups from opening.", shut)
    for source, kind in ((GAUGES, "gauge"), (COUNTERS, "counter")):
        for key, (name, text) in source.items():
            if key in metrics:
                lines += _samples(name, kind, text, [(labels, float(metrics[key]))])
    for key, (name, text, label, kind) in LABELED.items():
        rows = [({**labels, label: str(value)}, float(count)) for value, count in metrics.get(key, {}).items()]
        lines += _samples(name, kind, text, rows)
    return "\n".join(lines) + "\n"


def _samples(name: str, kind: str, text: str, rows: Iterable[tuple[Mapping[str, str], float]]) -> list[str]:
    found = [f"{name}{_labels(labels)} {value:.15g}" for labels, value in rows]
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *found] if found else []


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
