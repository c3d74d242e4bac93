"""Crash at every step: stop the process after every journal write, every send and every broker event, then restart.

For each scenario and restart policy a reference run counts the points at which a process could die. Then the
same run is played once for every point (all of them, not a sample) and for every way in which the broker may have
gone on meanwhile: orders in flight arrived, filled while nobody looked, never arrived, or are shown only later. The
new process gets the journal's bytes and the broker's state; LEAN ids and tags are gone and no Python object survives.
The oracle judges as ever; on top the outcome must be what the restart policy prescribes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from atomic.model import HoldCause, Outcome, Phase
from atomic.policy import AT_MID, MARKET, Ladder, Policy

from .broker import Faults
from .choices import ReplayedChoices
from .runs import Finding, Tally
from .scenarios import Setting
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .broker import AdversarialBroker
    from .choices import Choices
    from .world import Driver

RESTARTS = ("roll_back", "complete", "resume", "adopt", "hold")


class ProcessDied(BaseException):
    """The process stops here; nothing of it may go on."""


@dataclass(frozen=True, slots=True)
class CrashScenario:
    """A fixed story, told by a script of steps for `World`."""

    name: str
    setting: Setting
    steps: tuple[tuple[str, int], ...]


#: what may have happened to live orders while the process was down
DOWN = ("arrived", "filled", "never arrived", "seen later")
_LADDER = Ladder(steps=1, first="mid", step_seconds=2.0, last="market")


def scenarios() -> list[CrashScenario]:
    """Every story, with the default restart policy; `every_crash` plays each with all five."""
    partial = Faults(partial=True, fill_beats_cancel=True, cancel_refused=True, late_fill=True)
    market, mid, walk = Policy(native="never"), Policy(ladder=AT_MID, native="never"), Policy(ladder=_LADDER)
    stories = [
        ("open", "put_spread", 1, market, "accept fill accept fill"),
        ("open-condor", "iron_condor", 1, market, "accept fill accept fill accept fill accept fill"),
        ("open-and-close", "put_spread", 1, market, "accept fill accept fill close accept fill accept fill"),
        ("partial-then-timeout", "put_spread", 3, mid, "accept part wait6 cancel-ends accept fill"),
        ("short-rejected", "iron_condor", 1, market, "accept fill accept fill accept fill reject accept fill accept"),
        (
            "timeout-of-shorts",
            "call_spread",
            2,
            mid,
            "accept fill accept part wait6 fill-beats-cancel accept fill accept",
        ),
        ("ladder", "long_strangle", 2, walk, "accept part accept wait2 cancel-ends wait2 accept fill fill"),
        ("ten-three-two", "long_strangle", 10, mid, "accept part3 accept wait1"),
        ("close-partially", "call_spread", 3, market, "accept fill accept fill close accept part accept"),
        ("ratio", "backspread", 2, market, "accept fill accept part accept"),
        ("reject-while-unwinding", "put_spread", 1, market, "accept fill reject reject wait2 accept"),
        ("cancelled-by-owner", "iron_condor", 2, mid, "accept part cancel cancel-ends cancel-ends accept fill"),
        ("combo", "put_spread", 2, replace(mid, native="first"), "accept fill close accept fill"),
        (
            "keep-units",
            "call_spread",
            3,
            replace(mid, keep_units=True),
            "accept fill accept part2 wait6 cancel-ends accept",
        ),
    ]
    return [
        CrashScenario(
            name,
            Setting(strategy=strategy, units=units, policy=policy, faults=partial, max_groups=1,
                    combos="all" if name == "combo" else "none"),
            tuple(_word(w) for w in story.split()),
        )
        for name, strategy, units, policy, story in stories
    ]  # fmt: skip


def _word(word: str) -> tuple[str, int]:
    digits = "".join(c for c in word if c.isdigit())
    return word.rstrip("0123456789"), int(digits) if digits else 0


class _Story(World):
    """A world that plays a script instead of drawing its steps, and dies at a given point."""

    def __init__(self, scenario: CrashScenario, drive: Callable[[AdversarialBroker], Driver], die_at: int, down: int,
                 die_again: int = 0) -> None:  # fmt: skip
        self.scenario, self.die_at, self.down, self.die_again = scenario, die_at, down, die_again
        self.points = 0
        self.died: list[str] = []
        super().__init__(_Fixed(), drive, scenario.setting, crash=True)

    def point(self, what: str) -> None:
        """The process could die here."""
        self.points += 1
        if self.points == self.die_at or (self.died and self.points == self.die_at + self.die_again > self.die_at):
            self.died.append(what)
            self.script.append(f"the process dies: {what}")
            raise ProcessDied(what)

    def _boot(self) -> None:
        self._guard(super()._boot)

    def _guard(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except ProcessDied:
            self._reborn()

    def _reborn(self) -> None:
        while True:
            try:
                self.restart()
            except ProcessDied:
                continue
            return

    def while_down(self) -> None:
        """One way in which the broker went on."""
        for order in list(self.account.live.values()):
            if self.down == 2 and order.fate == "new":
                self.account.end(order, _REJECTED, "unknown", "never arrived")
                continue
            if self.down == 3 and order.fate == "new":
                order.hidden_until = self.now + 10.0
            self.account.accept(order)
            if self.down == 1:
                self.account.fill(order, max(1, order.leaves - 1), self.market.fair(order.symbol))

    def play(self) -> None:
        """The story, then the calm and the verdict."""
        for word, number in self.scenario.steps:
            self._guard(lambda w=word, n=number: self._act(w, n))  # type: ignore[misc]
            if self.oracle.violations:
                return
        self._guard(self.calm)
        while self.broker.kind:  # died in the calm: once more
            self._guard(self.calm)

    def _act(self, word: str, number: int) -> None:
        live = list(self.account.live.values())
        broker = self.broker
        if word == "wait":
            self._pass(float(number or 1), fresh=True, wake=True)
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
        elif word == "part" and live:
            broker.fill(live[0], min(number or 1, live[0].leaves))
        elif word == "reject" and live:
            broker.reject(live[-1])
        elif word == "cancel-ends":
            for order in live:
                if order.cancel_pending:
                    broker.end_cancel(order)
        elif word == "fill-beats-cancel":
            for order in live:
                if order.cancel_pending and order.fate.alive:
                    broker.fill(order, 1)
                if order.cancel_pending and order.fate.alive:
                    broker.end_cancel(order)
        self._deliver_all()


class _Fixed(ReplayedChoices):
    """Always the kindest answer, for ever."""

    def __init__(self) -> None:
        super().__init__([[]])


@dataclass(slots=True)
class CrashTally:
    """Sums over crash points."""

    points: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    violations: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    naked_seconds: float = 0.0

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "scenarios": len(self.points), "crash_points": sum(self.points.values()), "runs": self.runs,
            "by_scenario": self.points, "outcomes": dict(sorted(self.outcomes.items())),
            "held": dict(sorted(self.held.items())), "naked_seconds": round(self.naked_seconds, 1),
            "violations": dict(sorted(self.violations.items())),
        }  # fmt: skip


_REJECTED: Any = None


__all__ = [
    "CrashScenario",
    "CrashTally",
    "Choices",
    "Sequence",
    "Tally",
    "HoldCause",
    "MARKET",
    "Outcome",
    "Phase",
    "os",
]
