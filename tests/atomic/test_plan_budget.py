"""The cost budget of a rollback: where it makes the group rest, and where it gives way."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.policy import Policy
from atomic.vocabulary import Phase
from tests.atomic.desk import C, Desk, leg, opened, rejects, resting


def test_the_cost_budget_rests_at_the_price_that_keeps_it_and_then_gives_up() -> None:
    """Bought at 1.20, bid 0.50, budget 20 dollars: rests at 1.00; the emergency ignores the budget."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], policy=Policy(cost_budget=20.0))

    def answer(order: Any) -> Any:
        if order.leg == 1:
            desk.quote(0, 0.5, 0.7)
            return [f.Rejected(desk.now, order.number, "margin", "x")]
        return resting(order) if order.purpose == "unwind" else None

    desk.script = answer
    desk.open()
    assert desk.working == [(0, "unwind", -1, 1.0)]
    desk.at(100)
    assert desk.working == [(0, "unwind", -1, 1.0)]  # the price that keeps the budget has not changed

    desk.tell(f.Emergency(desk.now, "operator"))

    assert desk.phase is Phase.CLOSED
    assert desk.group.rollback_cost == pytest.approx(70.0)


def test_the_cost_of_a_rollback_in_parts_is_the_sum_of_its_parts() -> None:
    """Two bought at 1.20; one sold at 0.70, one at 0.90: 50 and 30 dollars, whatever the first one realised."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], 2)
    desk.script = lambda o: (
        [f.Rejected(desk.now, o.number, "margin", "x")] if o.leg == 1 else resting(o) if o.purpose == "unwind" else None
    )
    desk.open()
    number = desk.sent[-1].number
    desk.tell(f.Filled(desk.now, number, 1, 0.7, 0.0))
    assert desk.group.rollback_cost == pytest.approx(50.0)
    desk.tell(f.Filled(desk.now, number, 2, 0.8, 0.0))

    assert desk.group.rollback_cost == pytest.approx(80.0)
    assert desk.phase is Phase.CLOSED


def test_a_budget_that_the_market_allows_is_crossed_at_market() -> None:
    """Bought at 1.20, bid 1.00, budget 20 dollars: no need to rest."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], policy=Policy(cost_budget=20.0))
    desk.script = rejects(1)
    desk.open()

    assert [str(o.type) for o in desk.sent if o.purpose == "unwind"] == ["market"]
    assert desk.phase is Phase.CLOSED


def test_the_budget_does_not_block_what_reduces_naked_quantity() -> None:
    """A short whose cover went away is bought back at any price."""
    desk = opened([leg(1, C, 110), leg(-1, C, 105)], policy=Policy(cost_budget=1.0))
    desk.quote(1, 5.0, 9.0)
    desk.tell(f.Adjusted(desk.now, 0, -1, 1.0, "foreign", "sold by hand"))

    assert desk.nets == [0, 0]
    assert desk.sent[0].type == "market"


def test_an_owners_close_lifts_the_budget_of_a_group_that_stood() -> None:
    """Reduced from outside, its rest waits at the budget's price; asked to close, it leaves at market."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], policy=Policy(cost_budget=20.0))
    desk.open()
    assert desk.phase is Phase.OPEN
    desk.script = lambda order: resting(order) if order.purpose == "unwind" else None
    desk.quote(0, 0.5, 0.7)
    desk.tell(f.Adjusted(desk.now, 1, 1, 0.5, "foreign", "somebody bought it back"))
    assert desk.working == [(0, "unwind", -1, 1.0)]

    desk.tell(f.CloseAsked(desk.now, "owner"))

    assert desk.phase is Phase.CLOSED
    assert [str(o.type) for o in desk.sent if o.purpose == "close"] == ["market"]
