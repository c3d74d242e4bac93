"""What becomes of a group after a restart: its policy's word, and what stands as promised stays."""

import pytest

from atomic.facts import Held, TargetSet, Wave, apply
from atomic.reconcile import match
from atomic.vocabulary import HoldCause, Outcome, Phase
from tests.atomic.reconcile.world import NOW, fold, group_of, kinds, order_of, view_of


@pytest.mark.parametrize(("policy", "held", "kind", "phase", "target"), [
    ({"on_restart": "roll_back"}, 2, "unwound", Phase.UNWINDING, 0),
    ({"on_restart": "roll_back", "keep_units": True}, 2, "unwound", Phase.UNWINDING, 2),
    ({"on_restart": "adopt"}, 2, "adopted", Phase.UNWINDING, 2),
    ({"on_restart": "adopt"}, 0, "adopted", Phase.UNWINDING, 0),
    ({"on_restart": "complete"}, 2, "resumed", Phase.OPENING, 5),
    ({"on_restart": "resume"}, 0, "resumed", Phase.OPENING, 5),
    ({"on_restart": "hold"}, 2, "held", Phase.HELD, 5),
])  # fmt: skip
def test_an_incomplete_group_follows_its_restart_policy(
    policy: dict[str, object], held: int, kind: str, phase: Phase, target: int
) -> None:
    """Longs 4 of 5 filled, shorts `held` of 5: what becomes of it is the policy's word."""
    group = group_of(units=5, **policy)
    order_of(group, 5, cum=4)
    if held:
        order_of(group, -5, cum=held, leg=1)
    verdict = match(view_of([group], [], {"C750": 4, "C755": -held}))
    fold(verdict, [group])
    assert kind in kinds(verdict)
    assert (group.phase, group.target) == (phase, target)


@pytest.mark.parametrize("policy", ["complete", "resume"])
def test_an_opening_that_goes_on_gets_its_time_again(policy: str) -> None:
    """Its deadline passed while nobody looked: the wave it had reached has a whole time-out from now on."""
    group = group_of(units=5, on_restart=policy)
    apply(group, Wave(NOW - 60.0, 1, NOW - 55.0))
    order_of(group, 5, cum=4)
    fold(match(view_of([group], [], {"C750": 4})), [group])
    assert (group.wave, group.deadline) == (1, NOW + 1.0 + group.spec.policy.order_timeout)


def test_a_group_that_filled_while_down_is_complete() -> None:
    """Nothing is rolled back that stands as it was promised."""
    group = group_of(units=5)
    order_of(group, 5, cum=4)
    order_of(group, -5, leg=1, cum=1)
    verdict = match(view_of([group], [], {"C750": 5, "C755": -5}))
    fold(verdict, [group])
    assert (group.phase, group.outcome) == (Phase.OPEN, Outcome.COMPLETE)
    assert "complete" in kinds(verdict)


def test_what_was_unwinding_goes_on_and_what_is_held_stays_held() -> None:
    """The same path goes on; a hold is not lifted by a restart."""
    group = group_of()
    order_of(group, 10, cum=3)
    apply(group, TargetSet(NOW - 10.0, 0, "timeout"))
    verdict = match(view_of([group], [], {"C750": 3}))
    fold(verdict, [group])
    assert (group.phase, "unwound" in kinds(verdict)) == (Phase.UNWINDING, True)
    apply(group, Held(NOW, HoldCause.REQUESTED, "operator"))
    verdict = match(view_of([group], [], {"C750": 3}))
    assert "held" in kinds(verdict)
