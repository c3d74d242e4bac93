"""A group that goes back to some units cannot keep what somebody else took away."""

from __future__ import annotations

from atomic import facts as f
from atomic.model import GroupSpec, LegSpec, new_group
from atomic.plan import Env, decisions
from atomic.policy import Policy
from atomic.vocabulary import Kind, Phase, Right

ENV = Env(live=True)


def test_a_released_group_that_unwinds_lowers_its_target_to_the_units_that_are_left() -> None:
    """Target 1, one leg gone from outside, hold by policy, released by a person: target 0, the rest goes back."""
    policy = Policy(keep_units=True, on_outside="hold", allow_naked=True)
    legs = tuple(LegSpec(s, -1, r, 100.0, "2026-01-16", "U") for s, r in (("C", Right.CALL), ("P", Right.PUT)))
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "short_strangle", legs, 2, 0.0, policy))
    for fact in (
        f.Opening(0.0),
        f.Wave(0.0, 1, 5.0),
        *(f.Intended(0.0, n, n - 1, "open", 0, -2, "market", 0.0, 0.0, f"g-1:{n}:open", 0) for n in (1, 2)),
        *(f.Sent(0.0, n) for n in (1, 2)),
        f.Filled(1.0, 1, 1, 1.0, 0.0),
        f.Filled(1.0, 2, 2, 1.0, 0.0),
        f.TargetSet(1.0, 1, "rejected"),
        f.Canceled(1.0, 1),
        f.Adjusted(2.0, 0, 1, 1.0, "foreign", "by hand"),
    ):
        f.apply(group, fact)
    for now in (2.0, 3.0):
        for _ in range(5):
            found = decisions(group, now, {}, ENV)
            for fact in found:
                f.apply(group, fact)
            if not found:
                break
        if group.phase is Phase.HELD:
            f.apply(group, f.Released(now, "seen"))
    assert (group.phase, group.target) == (Phase.UNWINDING, 0)
