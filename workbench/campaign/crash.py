"""Crash at every step: stop the process after every journal write, every send and every broker event, then restart.

For each scenario and restart policy a reference run counts the points at which a process could die. Then the
same run is played once for every point (all of them, not a sample) and for every way in which the broker may have
gone on meanwhile: orders in flight arrived, filled while nobody looked, never arrived, or are shown only later. The
new process gets the journal's bytes and the broker's state; LEAN ids and tags are gone and no Python object survives.
The oracle judges as ever; on top the outcome must be what the restart policy prescribes.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from atomic.vocabulary import HoldCause, Kind, Outcome, Phase

from .account import Fate
from .calm import calm
from .choices import ReplayedChoices
from .rest import rests_in_set, rests_protected, waits_to_enter
from .stories import CrashScenario, scenarios
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from atomic.model import GroupState

    from .broker import AdversarialBroker
    from .drivers import Driver
    from .truth import Truth, Violation

#: the process after the first crash dies again after so many points (0: it lives)
TWICE = (0, 3)
RESTARTS = ("roll_back", "complete", "resume", "adopt", "hold")


class ProcessDied(BaseException):
    """The process stops here; nothing of it may go on."""


#: what may have happened to live orders while the process was down
DOWN = ("arrived", "filled", "never arrived", "seen later")


class Story(World):
    """A world that plays a script instead of drawing its steps, and dies at given points.

    Args:
        scenario: what happens.
        drive: makes the first process.
        deaths: numbers of the points at which a process dies, counted over all processes; none for a reference run.
        down: index into `DOWN`.
    """

    def __init__(
        self, scenario: CrashScenario, drive: Callable[[AdversarialBroker], Driver],
        deaths: Iterable[int] = (), down: int = 0,
    ) -> None:  # fmt: skip
        self.scenario, self.deaths, self.down = scenario, frozenset(deaths), down
        self.points: list[str] = []
        self.died: list[str] = []
        super().__init__(ReplayedChoices([[]]), drive, scenario.setting, crash=True)

    def point(self, what: str) -> None:
        """The process could die here."""
        self.points.append(what)
        if len(self.points) in self.deaths:
            self.died.append(what)
            self.script.append(f"the process dies {what}")
            raise ProcessDied(what)

    def boot(self) -> None:
        """The first process, which may die while it starts."""
        self._guard(super().boot)

    def play(self) -> list[Violation]:
        """The story, the calm, the verdict; the violations."""
        for word, number in self.scenario.steps:
            self._guard(lambda w=word, n=number: self._act(w, n))  # type: ignore[misc]
        for _ in range(len(self.deaths) + 1):
            self._guard(lambda: calm(self))
        if not self.oracle.violations and self.died:
            self._verdict()
        return self.oracle.violations

    def while_down(self) -> None:
        """One way in which the broker went on."""
        for order in list(self.account.live.values()):
            if order.fate is Fate.NEW:
                if self.down == 2:
                    self.account.end(order, Fate.REJECTED, "unknown", "never arrived")
                    continue
                if self.down == 3:
                    order.hidden_until = self.now + 10.0
                self.account.accept(order)
            if self.down == 1:
                self.account.fill(order, max(1, order.leaves - 1), self.market.fair(order.symbol))
        self.script.append(f"while down: {DOWN[self.down]}")

    # --- inside --------------------------------------------------------------------------------------------

    def _guard(self, act: Callable[[], Any]) -> None:
        if self.oracle.violations:
            return
        try:
            act()
        except ProcessDied:
            while True:
                try:
                    self.restart()
                except ProcessDied:
                    continue
                return

    def _act(self, word: str, number: int) -> None:
        self.script.append(f"{word} {number or ''}".strip())
        broker = self.broker
        live = [o for o in self.account.live.values() if o.hidden_until <= self.now]
        if word == "wait":
            self.pass_time(float(number or 1), fresh=True, wake=True)
        elif word in ("close", "cancel"):
            for group in list(self.driver.groups()):
                getattr(self.driver, word)(group.group_id, "owner")
        elif word == "accept":
            for order in live:
                broker.accept(order)
        elif word == "fill":
            for order in live:
                if order.fate.alive and not order.cancel_pending:
                    broker.fill(order, order.leaves)
        elif word in ("stop", "target"):
            for order in [o for o in live if o.purpose == {"stop": "sl", "target": "tp"}[word]][:1]:
                broker.fill(order, order.leaves)
        elif word == "part" and live:
            broker.fill(live[0], min(number or 1, live[0].leaves))
        elif word == "reject" and live:
            broker.reject(live[-1])
        elif word == "cancel-ends":
            for order in live:
                if order.cancel_pending and order.fate.alive:
                    broker.end_cancel(order)
        elif word == "fill-beats-cancel":
            for order in live:
                if order.cancel_pending and order.fate.alive:
                    broker.fill(order, 1)
                if order.cancel_pending and order.fate.alive:
                    broker.end_cancel(order)
        self.deliver_all()

    def _verdict(self) -> None:
        """The end must be what the restart policy prescribes."""
        for group_id, truth in self.oracle.groups.items():
            group = self.driver.group(group_id)
            if group is None:
                group = self.driver.archived(group_id)
            mine = [order for order in self.account.orders if order.group_id == group_id]
            if group is None and all(order.by_hand for order in mine):
                continue  # the process died before `link_oco` could say that they are linked
            if group is None:
                self.oracle.say("restart-equals-continue", group_id, "orders were sent and no process knows the group")
            else:
                self._prescribed(group, truth)

    def _prescribed(self, group: GroupState, truth: Truth) -> None:
        policy = group.spec.policy
        if truth.set is not None:
            flat = group.phase is Phase.CLOSED and not any(truth.net.values())
            stands = rests_in_set(group) and not (group.target and truth.set.broken(truth.net))
            if not (flat or stands or truth.unclear):
                text = f"{group.phase} ({group.held_why or group.reason}) with {truth.net} of {truth.set}"
                self.oracle.say("restart-equals-continue", group.group_id, text)
            return
        if group.spec.kind is not Kind.ALL_OR_NONE:
            flat = group.phase is Phase.CLOSED and not any(truth.net.values())
            if not (flat or waits_to_enter(group) or (group.phase is Phase.OPEN and rests_protected(group))):
                text = f"{group.phase} ({group.held_why or group.reason}) with {truth.net}: neither flat nor protected"
                self.oracle.say("restart-equals-continue", group.group_id, text)
            return
        full = truth.net == truth.goal
        if group.phase is Phase.CLOSED:
            good = not any(truth.net.values())
        elif group.phase is Phase.OPEN:
            good = full or (
                group.outcome is Outcome.PARTIAL_UNITS
                and (policy.keep_units or policy.on_restart == "adopt")
                and all(truth.net[leg.spec.symbol] == leg.spec.ratio * group.target for leg in group.legs)
            )
        else:
            good = group.held is HoldCause.POLICY and policy.on_restart == "hold"
        if not good:
            why = group.held_why or group.reason
            text = f"{group.phase} ({why}) with {truth.net} under on_restart={policy.on_restart}"
            self.oracle.say("restart-equals-continue", group.group_id, text)


@dataclass(slots=True)
class CrashFinding:
    """A violation after a crash."""

    seed: str
    name: str
    text: str
    script: list[str]

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"where": self.seed, "violation": self.name, "text": self.text, "script": self.script}


@dataclass(slots=True)
class CrashTally:
    """Sums over crash points."""

    points: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    twice: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    findings: list[CrashFinding] = field(default_factory=list)

    def merge(self, other: CrashTally) -> None:
        """Another worker's sums."""
        self.runs += other.runs
        self.twice += other.twice
        for mine, theirs in (
            (self.points, other.points), (self.outcomes, other.outcomes), (self.held, other.held),
            (self.violations, other.violations),
        ):  # fmt: skip
            mine.update(theirs)
        self.findings += other.findings

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "scenarios": len(self.points), "crash_points": sum(self.points.values()), "runs": self.runs,
            "runs_that_died_twice": self.twice, "by_scenario": dict(sorted(self.points.items())),
            "outcomes": dict(sorted(self.outcomes.items())), "held": dict(sorted(self.held.items())),
            "violations": dict(sorted(self.violations.items())),
        }  # fmt: skip


def crash_scenario(scenario: CrashScenario, drive: Callable[[AdversarialBroker], Driver], *, restarts: Iterable[str],
                   again: int = 0, keep: int = 2) -> CrashTally:  # fmt: skip
    """Every crash point of one story, under every restart policy and everything that may happen while down.

    Args:
        scenario: the story.
        drive: makes the first process.
        restarts: restart policies to play.
        again: for the process after the crash, stop it once more after so many points (0: never).
        keep: findings kept with their script.
    """
    tally = CrashTally()
    for restart in restarts:
        policy = replace(scenario.setting.policy, on_restart=restart)
        story = replace(scenario, setting=replace(scenario.setting, policy=policy))
        reference = Story(story, drive)
        _count(tally, reference, reference.play(), f"{scenario.name}/{restart}: no crash", keep)
        points = len(reference.points)
        tally.points[scenario.name] += points
        for number in range(1, points + 1):
            for down in range(len(DOWN)):
                deaths = (number, number + again) if again else (number,)
                world = Story(story, drive, deaths, down)
                where = f"{scenario.name}/{restart}, point {number}, {DOWN[down]}"
                _count(tally, world, world.play(), where, keep)
    return tally


def _count(tally: CrashTally, world: Story, violations: list[Violation], where: str, keep: int) -> None:
    tally.runs += 1
    tally.twice += len(world.died) > 1
    for group in world.driver.groups():
        tally.outcomes[group.outcome or group.phase] += 1
        if group.held is not None:
            tally.held[group.held] += 1
    if violations:
        first = violations[0]
        tally.violations[first.name] += 1
        if len(tally.findings) < keep:
            tally.findings.append(CrashFinding(where, first.name, f"{first.group_id}: {first.text}", world.script))


def every_crash(drive: Callable[[AdversarialBroker], Driver], *, jobs: int | None = None,
                twice: Iterable[int] = TWICE) -> Iterator[CrashTally]:  # fmt: skip
    """All stories, all policies, all points, on all cores; yields each worker's sums."""
    from joblib import Parallel, delayed

    tasks = [(s, restart, again) for s in scenarios() for restart in RESTARTS for again in twice]
    parallel = Parallel(n_jobs=jobs or os.cpu_count() or 1, return_as="generator_unordered")
    yield from parallel(
        delayed(crash_scenario)(scenario, drive, restarts=(restart,), again=again) for scenario, restart, again in tasks
    )
