"""A person says that the account is right: a held group believes it, goes back by policy and opens nothing."""

import pytest

from atomic.facts import Filled, Held, apply
from atomic.model import GroupState
from atomic.reconcile import accept_account, match
from atomic.vocabulary import ChildStatus, HoldCause, Outcome, Phase
from tests.atomic.reconcile.world import NOW, fold, group_of, order_of, shown, view_of


def accept(group: GroupState, holdings: dict[str, int], *others: GroupState, **more: object) -> dict[str, int]:
    """Accept and fold; the foreign positions that follow."""
    arguments = {"orders": [], "baseline": {}, "prices": {}, "now": NOW + 2.0, "why": "checked", **more}
    facts, foreign = accept_account(group, [group, *others], holdings=holdings, **arguments)  # type: ignore[arg-type]
    for fact in facts:
        apply(group, fact)
    return foreign


def broken(units: int = 2) -> GroupState:
    """A complete spread whose account holds nothing: HELD for a break."""
    group = group_of(units=units)
    for leg, quantity in ((0, units), (1, -units)):
        apply(group, Filled(NOW - 40.0, order_of(group, quantity, leg=leg), units, 1.0, 0.0))
    fold(match(view_of([group], [], {})), [group])
    assert group.held is HoldCause.BREAK
    return group


def test_a_position_that_is_gone_ends_the_group() -> None:
    """Nothing is held, nothing is sent: the group is closed on the spot."""
    group = broken()
    assert accept(group, {}) == {}
    assert (group.phase, group.outcome) == (Phase.CLOSED, Outcome.CLOSED)
    assert [leg.net for leg in group.legs] == [0, 0]


def test_what_is_left_is_unwound_or_kept_in_whole_units() -> None:
    """One long and no short is left of two units: it goes; one of each is a unit and stays."""
    group = broken()
    accept(group, {"C750": 1})
    assert ([leg.net for leg in group.legs], group.target) == ([1, 0], 0)
    assert group.phase is Phase.UNWINDING
    group = broken()
    accept(group, {"C750": 2, "C755": -1})
    assert ([leg.net for leg in group.legs], group.target, group.phase) == ([2, -1], 1, Phase.UNWINDING)


def test_more_than_the_group_could_have_is_foreign() -> None:
    """Never more than asked for, never the other side."""
    group = broken()
    assert accept(group, {"C750": 5, "C755": 1}) == {"C750": 3, "C755": 1}
    assert [leg.net for leg in group.legs] == [2, 0]


def test_the_share_of_other_groups_and_foreign_positions_stays_theirs() -> None:
    """What they hold is not given to the group."""
    group, other = broken(), group_of("condor-000002", units=3)
    apply(other, Filled(NOW - 40.0, order_of(other, 3), 3, 1.0, 0.0))
    assert accept(group, {"C750": 5, "C755": -2}, other, baseline={"C750": 1}) == {}
    assert [leg.net for leg in group.legs] == [1, -2]


def test_orders_nobody_shows_have_ended_and_the_opening_does_not_go_on() -> None:
    """An ambiguous opening: what was filled is taken over, the rest never sent."""
    groups = [group_of("condor-000001"), group_of("condor-000002")]
    for each in groups:
        order_of(each, 1)
    fold(match(view_of(groups, [], {"C750": 1})), groups)
    first, second = groups
    assert first.held is HoldCause.AMBIGUOUS
    second.orders[1].lean_id = 9
    with pytest.raises(ValueError, match="order 1 of condor-000002 works in C750"):
        accept(first, {"C750": 1}, second, orders=[shown("C750", 1, lean_id=9)])
    accept(first, {"C750": 1}, second)
    assert (first.orders[1].status, first.legs[0].net) == (ChildStatus.CANCELED, 1)
    accept(second, {"C750": 1}, first)
    assert (second.orders[1].status, second.phase) == (ChildStatus.CANCELED, Phase.CLOSED)
    group = group_of()
    order_of(group, 10)
    apply(group, Held(NOW, HoldCause.AMBIGUOUS, "?"))
    group.orders[1].lean_id = 4
    accept(group, {"C750": 4}, orders=[shown("C750", 10, lean_id=4)])
    assert (group.legs[0].net, group.orders[1].status, group.target) == (4, ChildStatus.WORKING, 0)


def test_a_group_that_is_not_held_has_nothing_to_accept() -> None:
    """One clear line."""
    with pytest.raises(ValueError, match="is opening, not held"):
        accept(group_of(), {})
