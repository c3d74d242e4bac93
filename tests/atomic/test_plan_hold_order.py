"""A hold that only a person can end is not replaced by one that ends by itself."""

from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.plan import Env, decisions
from atomic.policy import Policy
from atomic.vocabulary import HoldCause, Kind, Phase, Right

ENV = Env(live=True)


def _held(cause: HoldCause) -> GroupState:
    """One order whose cancel was taken long ago, in a group that is held."""
    leg = LegSpec("C1", 1, Right.CALL, 105.0, "2026-01-16", "U")
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "custom", (leg,), 1, 0.0, Policy()))
    for fact in (
        f.Opening(0.0),
        f.Intended(0.0, 1, 0, "open", 0, 1, "limit", 1.0, 0.0, "g-1:1:open", 0),
        f.Sent(0.0, 1),
        f.Accepted(0.0, 1),
        f.Held(1.0, cause, "a person decides"),
        f.CancelAsked(1.0, 1, ""),
    ):
        f.apply(group, fact)
    return group


@pytest.mark.parametrize(
    "cause", [HoldCause.REQUESTED, HoldCause.POLICY, HoldCause.AMBIGUOUS, HoldCause.BREAK, HoldCause.FAULT]
)
def test_a_quarantine_does_not_take_the_place_of_a_persons_hold(cause: HoldCause) -> None:
    """The order is quarantined, the hold stays; when the order ends nothing is released."""
    group = _held(cause)
    for now in (100.0, 101.0):
        for fact in decisions(group, now, {}, ENV):
            f.apply(group, fact)
    assert group.orders[1].status == "quarantined"
    assert group.held is cause
    f.apply(group, f.Canceled(102.0, 1))
    for fact in decisions(group, 102.0, {}, ENV):
        f.apply(group, fact)
    assert (group.phase, group.held) == (Phase.HELD, cause)
