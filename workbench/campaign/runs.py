"""Many runs: one seed is one run; violations are cut down to the shortest event list that still shows them."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .choices import ReplayedChoices, SeededChoices, shrink
from .life import live
from .world import RunResult, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .broker import AdversarialBroker
    from .drivers import Driver

#: steps of a storm
STEPS = 60
FORMAT = 1


@dataclass(slots=True)
class Finding:
    """A violation, with what reproduces it."""

    seed: int
    name: str
    text: str
    steps: list[list[int]]
    script: list[str]
    crash: bool
    kind: str = "groups"

    def row(self) -> dict[str, Any]:
        """JSON-able form, the content of a replay file."""
        return {
            "format": FORMAT, "seed": self.seed, "violation": self.name, "text": self.text,
            "crash": self.crash, "kind": self.kind, "steps": self.steps, "script": self.script,
        }  # fmt: skip


@dataclass(slots=True)
class Tally:
    """Sums over runs."""

    runs: int = 0
    groups: int = 0
    sends: int = 0
    steps: int = 0
    restarts: int = 0
    naked_seconds: float = 0.0
    naked_seconds_protected: float = 0.0
    rollback_cost: float = 0.0
    most_rounds: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, result: RunResult) -> None:
        """One more run."""
        self.runs += 1
        self.groups += result.groups
        self.sends += result.sends
        self.steps += result.steps
        self.restarts += result.restarts
        self.naked_seconds += result.naked_seconds
        self.naked_seconds_protected += result.naked_seconds_protected
        self.rollback_cost += result.rollback_cost
        self.most_rounds = max(self.most_rounds, result.rounds)
        self.outcomes.update(result.outcomes)
        self.held.update(result.held)
        self.violations.update(violation.name for violation in result.violations[:1])

    def merge(self, other: Tally) -> None:
        """Another worker's sums."""
        for name in ("runs", "groups", "sends", "steps", "restarts", "naked_seconds", "naked_seconds_protected",
                     "rollback_cost"):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_rounds = max(self.most_rounds, other.most_rounds)
        self.outcomes.update(other.outcomes)
        self.held.update(other.held)
        self.violations.update(other.violations)
        self.findings += other.findings

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "runs": self.runs, "groups": self.groups, "steps": self.steps, "orders": self.sends,
            "restarts": self.restarts, "outcomes": dict(sorted(self.outcomes.items())),
            "held": dict(sorted(self.held.items())), "naked_seconds": round(self.naked_seconds, 1),
            "naked_seconds_protected": round(self.naked_seconds_protected, 1),
            "rollback_cost": round(self.rollback_cost, 2), "most_calm_rounds": self.most_rounds,
            "violations": dict(sorted(self.violations.items())), "findings": [f.row() for f in self.findings],
        }  # fmt: skip


def one(seed: int, drive: Callable[[AdversarialBroker], Driver], *, steps: int = STEPS, crash: bool = False,
        kind: str = "groups") -> tuple[RunResult, list[list[int]], World]:  # fmt: skip
    """One run from a seed; its choices come back with it."""
    choices = SeededChoices(seed, steps + 1)
    world = World(choices, drive, crash=crash, kind=kind)
    return live(world), choices.taken, world


def again(
    steps: Sequence[Sequence[int]], drive: Callable[[AdversarialBroker], Driver], *, crash: bool = False,
    kind: str = "groups",
) -> World:  # fmt: skip
    """A recorded run once more."""
    world = World(ReplayedChoices(steps), drive, crash=crash, kind=kind)
    live(world)
    return world


def cut(seed: int, steps: Sequence[Sequence[int]], name: str, drive: Callable[[AdversarialBroker], Driver], *,
        crash: bool, kind: str = "groups", budget: int = 600) -> Finding:  # fmt: skip
    """The shortest event list found that breaks the same invariant."""

    def fails(candidate: Sequence[Sequence[int]]) -> bool:
        found = again(candidate, drive, crash=crash, kind=kind).oracle.violations
        return bool(found) and found[0].name == name

    best = shrink(steps, fails, budget=budget)
    world = again(best, drive, crash=crash, kind=kind)
    first = world.oracle.violations[0] if world.oracle.violations else None
    text = f"{first.group_id}: {first.text}" if first else "does not reproduce"
    script = [f"setting: {describe(world)}", *world.script]
    return Finding(seed, name, text, best, script, crash, kind)


def describe(world: World) -> str:
    """The setting of a run in one line."""
    s = world.setting
    p = s.policy
    parts = [
        f"{s.units} x {s.strategy}", "synchronous" if s.sync else "asynchronous", p.sequence,
        f"ladder {p.ladder.first}/{p.ladder.last}", f"unwind {p.unwind_ladder.first}/{p.unwind_ladder.last}",
        f"timeout {p.on_timeout}", f"keep_units {p.keep_units}", f"restart {p.on_restart}", f"outside {p.on_outside}",
        f"expiry {p.on_expiry}", f"combos {s.combos}", f"budget {p.cost_budget}", f"limit_net {s.limit_net}",
        str(s.bracket or s.set or "no bracket"), str(s.house),
        "faults " + (" ".join(s.faults.names()) or "none"),
    ]  # fmt: skip
    return ", ".join(parts)


def batch(seeds: Sequence[int], drive: Callable[[AdversarialBroker], Driver], *, steps: int = STEPS,
          crash: bool = False, kind: str = "groups", keep: int = 3) -> Tally:  # fmt: skip
    """Runs of some seeds in this process; at most `keep` violations are cut down."""
    tally = Tally()
    for seed in seeds:
        result, taken, _ = one(seed, drive, steps=steps, crash=crash, kind=kind)
        tally.add(result)
        if result.violations and len(tally.findings) < keep:
            tally.findings.append(cut(seed, taken, result.violations[0].name, drive, crash=crash, kind=kind))
    return tally


def campaign(
    runs: int, seed: int, drive: Callable[[AdversarialBroker], Driver], *, steps: int = STEPS, crash: bool = False,
    kind: str = "groups", jobs: int | None = None, chunk: int = 50,
) -> Iterator[Tally]:  # fmt: skip
    """Runs on all cores; yields each worker's sums as they come."""
    from joblib import Parallel, delayed

    seeds = range(seed, seed + runs)
    chunks = [seeds[i : i + chunk] for i in range(0, runs, chunk)]
    parallel = Parallel(n_jobs=jobs or os.cpu_count() or 1, return_as="generator_unordered")
    yield from parallel(
        delayed(batch)(list(part), drive, steps=steps, crash=crash, kind=kind) for part in chunks
    )


def load(path: Path) -> Finding:
    """A replay file.

    Raises:
        ValueError: the file is no replay file of this format.
    """
    cure = "use one that `atomic chaos` wrote"
    try:
        row = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no replay file, it is not JSON ({error}): {cure}") from None
    if not isinstance(row, dict):
        raise ValueError(f"{path} is no replay file, it holds a {type(row).__name__}: {cure}")
    if "where" in row and "format" not in row:
        raise ValueError(f"{path} tells of a crash point, not of a storm: `atomic chaos --crash` plays it again")
    if row.get("format") != FORMAT:
        raise ValueError(f"{path} has format {row.get('format')!r}, this program reads {FORMAT}: {cure}")
    try:
        finding = Finding(row["seed"], row["violation"], row["text"], row["steps"], row["script"], row["crash"],
                          str(row.get("kind") or ("brackets" if row.get("brackets") else "groups")))  # fmt: skip
    except KeyError as error:
        raise ValueError(f"{path} is no replay file, {error} is missing: {cure}") from None
    steps = finding.steps
    whole = isinstance(steps, list) and all(isinstance(step, list) for step in steps)
    if not whole or not all(type(n) is int and n >= 0 for step in steps for n in step):
        raise ValueError(f"{path} is no replay file, its steps are not lists of whole numbers: {cure}")
    return finding
