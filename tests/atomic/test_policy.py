"""Policies: values checked, kept and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atomic.policy import AT_MID, MARKET, Breaker, Ladder, Policy, Retry, Settings


@pytest.mark.parametrize(
    "value",
    [
        Ladder(), MARKET, AT_MID, Retry(), Breaker(), Settings(), Policy(),
        Policy(close_ladder=Ladder(first="natural"), cost_budget=12.5, retry=Retry(attempts=2)),
    ],
)  # fmt: skip
def test_a_row_reads_back(value: Any) -> None:
    """Through JSON, as the journal keeps it."""
    assert type(value).from_row(json.loads(json.dumps(value.row()))) == value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ladder(first="middle"), "Ladder.first is 'middle': use one of 'mid', 'natural', 'market'"),
        (lambda: Ladder(steps=0), "Ladder.steps is 0: use a finite number of at least 1"),
        (lambda: Ladder(step_seconds=float("nan")), "Ladder.step_seconds is nan"),
        (lambda: Retry(factor=0.5), "Retry.factor is 0.5"),
        (lambda: Policy(sequence="fast"), "Policy.sequence is 'fast'"),
        (lambda: Policy(order_timeout=0), "Policy.order_timeout is 0"),
        (lambda: Policy(order_timeout=700), "Policy.max_time_to_open is 600.0: use a finite number of at least 700"),
        (lambda: Policy(cost_budget=-1), "Policy.cost_budget is -1"),
        (lambda: Policy(rollback_attempts=True), "Policy.rollback_attempts is True"),
        (lambda: Settings(max_legs=0), "Settings.max_legs is 0"),
        (lambda: Breaker(failures=0), "Breaker.failures is 0"),
        (lambda: Policy.from_row({"speed": 1}), "Policy has no speed: written by a newer version"),
    ],
)
def test_a_bad_value_is_named_with_its_rule(make: Any, message: str) -> None:
    """One clear line."""
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        make()


def test_back_off_doubles_up_to_its_cap() -> None:
    """REQUIREMENTS E2: 0.5 s, factor 2, at most 30 s."""
    assert [Retry().delay(n) for n in (1, 2, 3, 7, 50)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_rungs_of_a_ladder() -> None:
    """Mid, two moves to natural, market."""
    ladder = Ladder(steps=2)

    assert ladder.top == 3
    assert [ladder.share(rung) for rung in range(4)] == [0.0, 0.5, 1.0, 1.0]
    assert [ladder.is_market(rung) for rung in range(4)] == [False, False, False, True]
    assert (MARKET.top, MARKET.is_market(0)) == (0, True)
    assert (Ladder(first="natural").top, Ladder(first="natural", last="natural").top) == (1, 0)


def test_the_defaults_are_the_ones_that_were_asked_for() -> None:
    """REQUIREMENTS A4 and E2."""
    policy, settings = Policy(), Settings()

    assert (policy.order_timeout, policy.rollback_attempts, policy.emergency_flatten) == (5.0, 3, True)
    assert (settings.fill_check, settings.max_legs, settings.max_pending_groups) == (0.5, 6, 2)
    assert (Breaker().failures, Breaker().reset, Retry().attempts) == (10, 300.0, 5)
