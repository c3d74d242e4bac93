"""A state machine in which everything a broker, a market and an owner do happens to the real executor.

One machine carries every invariant (journal-before-send, no-double, own-share, covered, converges, conservation,
session, bidless, runaway, fault): the oracle judges each call as it is made, and the end of the run after the broker
has answered everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from workbench.campaign import storm
from workbench.campaign.drivers import shell
from workbench.campaign.life import finish
from workbench.campaign.scenarios import CONSTRAINED, DRAWN
from workbench.campaign.world import World

EXAMPLES, STEPS = 2_000, 50

numbers = st.lists(st.integers(0, 23), max_size=5)
settings_drawn = st.lists(st.integers(0, 59), min_size=48, max_size=48)


class Given:
    """Answers that hypothesis drew; kind when they run out."""

    def __init__(self) -> None:
        self.left: list[int] = []

    def begin(self) -> bool:
        return True

    def draw(self, n: int) -> int:
        return self.left.pop(0) % n if self.left else 0


class ExecutorMachine(RuleBasedStateMachine):
    """The executor under an adversarial broker."""

    kinds: tuple[str, ...] = ("groups",)

    @initialize(drawn=settings_drawn, which=st.integers(0, 3))
    def born(self, drawn: list[int], which: int) -> None:
        self.choices = Given()
        self.choices.left = list(drawn)
        self.world = World(self.choices, shell, kind=self.kinds[which % len(self.kinds)])

    def happens(self, what: str, drawn: Sequence[int]) -> None:
        self.choices.left = list(drawn)
        self.world.result.steps += 1
        getattr(storm, what)(self.world)
        self.choices.left = []
        self.world.check()
        self.judge()

    def judge(self) -> None:
        if self.world.oracle.violations:
            story = "\n".join(self.world.script)
            raise AssertionError(f"{self.world.oracle.violations}\n{self.world.setting}\n{story}")

    @rule(drawn=numbers)
    def time_passes(self, drawn: list[int]) -> None:
        self.happens("tick", drawn)

    @rule(drawn=numbers)
    def the_broker_answers(self, drawn: list[int]) -> None:
        self.happens("answer", drawn)

    @rule(drawn=numbers)
    def the_broker_answers_again(self, drawn: list[int]) -> None:
        self.happens("answer", drawn)

    @rule(drawn=numbers)
    def news_arrives(self, drawn: list[int]) -> None:
        self.happens("deliver", drawn)

    @rule(drawn=numbers)
    def the_market_moves(self, drawn: list[int]) -> None:
        self.happens("market", drawn)

    @rule(drawn=numbers)
    def an_ended_order_fills(self, drawn: list[int]) -> None:
        self.happens("late_fill", drawn)

    @rule(drawn=numbers)
    def the_owner_acts(self, drawn: list[int]) -> None:
        self.happens("owner", drawn)

    @rule(drawn=numbers)
    def something_moves_the_account(self, drawn: list[int]) -> None:
        self.happens("outside", drawn)

    def teardown(self) -> None:
        if hasattr(self, "world") and not self.world.oracle.violations:
            self.choices.left = []
            finish(self.world)
            self.judge()


class BracketMachine(ExecutorMachine):
    """The same life with brackets: what is filled is stopped, being closed, or waits for an answer or a back-off."""

    kinds = ("brackets",)


class SetMachine(ExecutorMachine):
    """The same life with contingent sets: no member beyond its part, what is too much goes back, nothing else does."""

    kinds = ("sets",)


class ManagedMachine(ExecutorMachine):
    """The same life with what an owner may ask for besides: moved exits, sizes, timers, old positions, net exits."""

    kinds = ("managed",)


class ConstrainedMachine(ExecutorMachine):
    """Each of them at venues that do not take everything, under an order rate, with an operator who interferes."""

    kinds = tuple(kind for kind in DRAWN if kind.endswith(CONSTRAINED))


@pytest.mark.parametrize(
    ("machine", "lives"),
    [
        (ExecutorMachine, EXAMPLES),
        (BracketMachine, EXAMPLES // 2),
        (SetMachine, EXAMPLES // 4),
        (ManagedMachine, EXAMPLES // 4),
        (ConstrainedMachine, EXAMPLES // 2),
    ],
)
def test_no_invariant_breaks_whatever_broker_market_and_owner_do(machine: type[ExecutorMachine], lives: int) -> None:
    """500 to 2,000 lives of 50 steps: nothing the adversary does breaks an invariant, and every group comes to rest."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
