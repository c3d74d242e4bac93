"""Every interleaving of what a broker may answer, for two-leg groups, over the pure core."""

from __future__ import annotations

import pytest

from atomic.plan import reducing
from atomic.policy import Policy
from atomic.vocabulary import Phase
from workbench.campaign.exhaustive.scope import QUICK
from workbench.campaign.exhaustive.search import Explorer
from workbench.campaign.exhaustive.states import Bounds, clone


@pytest.mark.parametrize("entry", QUICK, ids=lambda entry: f"{entry[0]}-{entry[1]}")
def test_no_order_of_answers_breaks_a_two_leg_group(entry: tuple[str, int, Policy | None, Bounds]) -> None:
    """Explored to the end: no state breaks an invariant, and a kind broker leads every state to rest."""
    result = Explorer(*entry).run()
    print(result.row())  # noqa: T201 - states counted, bounds named
    assert result.violations == []
    assert result.complete
    assert result.states > 100


def test_the_shortest_event_list_to_a_broken_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cover rule off: the long fills, time runs out, the long is sold while the short may still fill."""
    monkeypatch.setattr(reducing, "movable", lambda shape, legs, index, quantity, room, units, opening: quantity)
    monkeypatch.setattr(reducing, "still_wanted", lambda group, order, env: True)
    result = Explorer("put_spread", 1).run()
    text, events = result.violations[0]
    assert text.startswith("covered")
    assert events == ["order 1 (open +1 leg 1): fills 1", "silence for 5 s"]


def test_a_search_cut_short_says_so() -> None:
    """Reaching the bound on states is reported, never hidden."""
    result = Explorer("put_spread", 1, bounds=Bounds(states=50)).run()
    assert not result.complete


def test_a_clone_shares_nothing_that_changes() -> None:
    """Branches of the search do not touch each other."""
    root = Explorer("put_spread", 1).moves.root().group
    copy = clone(root)
    copy.legs[0].net = 7
    copy.orders[1].cum_qty = 7
    assert (root.legs[0].net, root.orders[1].cum_qty, root.phase) == (0, 0, Phase.OPENING)
    assert copy.live[1] is copy.orders[1]
