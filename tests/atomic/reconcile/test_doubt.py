"""Where more than one history fits, or none: groups are held, and nothing is attributed."""

import pytest

from atomic.facts import Canceled, Filled, Identified, apply
from atomic.reconcile import match
from atomic.vocabulary import HoldCause, Phase
from tests.atomic.reconcile.world import NOW, fold, group_of, order_of, shown, view_of


def test_two_groups_whose_orders_look_the_same_and_one_is_shown_are_held() -> None:
    """Nobody can tell whose it is: no trade, both held, the order named."""
    groups = [group_of("condor-000001"), group_of("condor-000002")]
    for group in groups:
        order_of(group, 10)
    verdict = match(view_of(groups, [shown("C750", 10)], {}))
    assert not verdict.adopt
    fold(verdict, groups)
    assert [g.held for g in groups] == [HoldCause.AMBIGUOUS] * 2


def test_a_difference_that_two_groups_explain_holds_both() -> None:
    """Two orders are gone, one of them filled: the next step depends on which."""
    groups = [group_of("condor-000001", 1), group_of("condor-000002", 1)]
    for group in groups:
        order_of(group, 1)
    verdict = match(view_of(groups, [], {"C750": 1}))
    fold(verdict, groups)
    assert [g.held for g in groups] == [HoldCause.AMBIGUOUS] * 2
    assert "more than one history fits" in groups[0].held_why


@pytest.mark.parametrize("restarted", [False, True])
def test_a_doubt_stays_until_a_person_decides(restarted: bool) -> None:
    """The end of one candidate does not make the other one the explanation, in a sweep or after another restart."""
    groups = [group_of("condor-000001", 1), group_of("condor-000002", 1)]
    for group in groups:
        order_of(group, 1)
    fold(first := match(view_of(groups, [], {"C750": 1})), groups)
    apply(groups[0], Canceled(NOW, 1))
    again = match(view_of(groups, [], {"C750": 1}, start=restarted, unsettled=first.unsettled, now=NOW + 90.0))
    fold(again, groups)
    assert [g.held for g in groups] == [HoldCause.AMBIGUOUS] * 2
    assert [g.legs[0].net for g in groups] == [0, 0]
    assert [g.orders[1].may_fill for g in groups] == [False, True]
    third = group_of("condor-000003", 1)
    order_of(third, 1)
    fold(match(view_of([*groups, third], [], {"C750": 1})), [*groups, third])
    assert third.held is HoldCause.AMBIGUOUS, "nothing is attributed in a contract in doubt"


@pytest.mark.parametrize(("quantity", "held"), [(2, HoldCause.AMBIGUOUS), (1, None)])
def test_an_order_that_is_shown_may_have_filled_in_part_in_a_contract_in_doubt(
    quantity: int, held: HoldCause | None
) -> None:
    """Its size at the broker is known, what it filled is not, unless one contract is all that it can fill."""
    groups = [group_of("condor-000001", 1), group_of("condor-000002", 1)]
    for group in groups:
        order_of(group, 1)
    fold(match(view_of(groups, [], {"C750": 1})), groups)
    third = group_of("condor-000003", quantity)
    apply(third, Identified(NOW, order_of(third, quantity), 7, ("B7",)))
    shown_again = shown("C750", quantity, ids=("B7",))
    verdict = match(view_of([*groups, third], [shown_again], {"C750": 2}))
    fold(verdict, [*groups, third])
    assert [a.group_id for a in verdict.adopt] == ["condor-000003"]
    assert third.held is held


def test_a_difference_that_all_orders_together_explain_is_given_to_them() -> None:
    """Both filled whole: there is one way only."""
    groups = [group_of("condor-000001", 1), group_of("condor-000002", 1)]
    for group in groups:
        order_of(group, 1)
    fold(match(view_of(groups, [], {"C750": 2})), groups)
    assert [g.legs[0].net for g in groups] == [1, 1]
    assert [g.held for g in groups] == [None, None]


def test_an_account_that_holds_nothing_is_a_break() -> None:
    """A journal without its account: held, named, nothing is sent or withdrawn from the books."""
    group = group_of(units=1)
    for leg, quantity in ((0, 1), (1, -1)):
        number = order_of(group, quantity, leg=leg)
        apply(group, Filled(NOW - 40.0, number, 1, 1.0, 0.0))
    assert group.phase is Phase.OPEN
    verdict = match(view_of([group], [], {}))
    fold(verdict, [group])
    assert (group.phase, group.held) == (Phase.HELD, HoldCause.BREAK)
    assert set(verdict.breaks) == {"C750", "C755"}
    assert "the account holds +0 C750, the journal accounts for +1" in verdict.breaks["C750"]
    assert [leg.net for leg in group.legs] == [1, -1]


def test_a_position_that_was_reduced_by_hand_is_a_break() -> None:
    """The group's own share is not whole any more."""
    group = group_of(units=2)
    apply(group, Filled(NOW - 40.0, order_of(group, 2), 2, 1.0, 0.0))
    verdict = match(view_of([group], [], {"C750": 1}))
    fold(verdict, [group])
    assert group.held is HoldCause.BREAK
