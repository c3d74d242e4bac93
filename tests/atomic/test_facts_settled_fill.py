"""A fill whose news comes after the contract's settlement was part of what was settled."""

from __future__ import annotations

from atomic.facts import CloseAsked, Filled, Intended, Opening, Sent, Settled, apply
from atomic.model import GroupSpec, LegSpec, new_group
from atomic.policy import Policy
from atomic.vocabulary import Kind, Outcome, Phase, Right


def test_a_sale_reported_after_the_settlement_leaves_nothing_held() -> None:
    """Sold at 0.95 before the end, told after it: the leg holds nothing and has gained the sale, not the settlement."""
    leg = LegSpec("C1", 1, Right.CALL, 105.0, "2026-01-16", "U")
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "custom", (leg,), 1, 0.0, Policy()))
    apply(group, Opening(0.0))
    apply(group, Intended(0.0, 1, 0, "open", 0, 1, "market", 0.0, 0.0, "g-1:1:open", 0))
    apply(group, Sent(0.0, 1))
    apply(group, Filled(1.0, 1, 1, 1.05, 0.0))
    apply(group, CloseAsked(2.0, "owner"))
    apply(group, Intended(2.0, 2, 0, "close", 0, -1, "market", 0.0, 0.0, "g-1:2:close", 0))
    apply(group, Sent(2.0, 2))
    apply(group, Settled(3.0, 0, 0.25, "expiry"))
    assert group.phase is Phase.CLOSING
    apply(group, Filled(3.0, 2, 1, 0.95, 0.0))
    assert (group.legs[0].net, group.phase, group.outcome) == (0, Phase.CLOSED, Outcome.EXPIRED)
    assert round(group.legs[0].cost, 2) == 10.0
