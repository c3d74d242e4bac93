"""Orders believed filled by guess against orders that are waited for: which of them an open order is."""

import pytest

from atomic.facts import Canceled, Filled, Remembered, apply
from atomic.facts.kinds import GUESSED, LOOSE
from atomic.model import GroupState
from atomic.reconcile import match
from atomic.vocabulary import HoldCause, Phase
from tests.atomic.reconcile.world import NOW, bracket_of, fold, order_of, shown, view_of


def _believed(group: GroupState, quantity: int, filled: int, limit: float) -> int:
    """An order of the group that was on its way and is believed to have filled so many."""
    number = order_of(group, quantity, "sent", limit=limit, purpose="sl")
    apply(group, Remembered(NOW - 45.0, GUESSED, [number]))
    apply(group, Filled(NOW - 45.0, number, filled, limit or 1.0, 0.0))
    return number


def test_one_waited_for_in_another_bracket_is_shown_late_before_one_believed_filled() -> None:
    """Equal stops of two brackets, the first one's believed filled: the open one is the second's."""
    first, second = bracket_of(1), bracket_of(1, "bracket-000002")
    _believed(first, -1, 1, 0.8)
    waited = order_of(second, -1, "sent", limit=0.8, purpose="sl")
    unsettled = frozenset({(second.group_id, waited)})
    late = shown("C750", -1, limit=0.8)
    verdict = match(
        view_of([first, second], [late], {"C750": 1}, start=False, unsettled=unsettled, now=NOW + 31.0)
    )
    assert [(a.group_id, a.number) for a in verdict.adopt] == [(second.group_id, waited)]
    fold(verdict, [first, second])
    assert (first.live, second.orders[waited].may_fill) == ({}, True)


def test_the_time_tells_one_believed_filled_from_one_waited_for() -> None:
    """The second bracket's stop was sent later than the broker took the open one: that one is the first's."""
    first, second = bracket_of(1), bracket_of(1, "bracket-000002")
    believed = _believed(first, -1, 1, 0.8)
    waited = order_of(second, -1, "sent", limit=0.8, purpose="sl", at=NOW - 20.0)
    unsettled = frozenset({(second.group_id, waited)})
    late = shown("C750", -1, limit=0.8, at=NOW - 50.0)
    verdict = match(
        view_of([first, second], [late], {"C750": 1}, start=False, unsettled=unsettled, now=NOW + 12.0)
    )
    assert [(a.group_id, a.number) for a in verdict.adopt] == [(first.group_id, believed + 1)]


def test_where_all_that_were_on_their_way_filled_nothing_is_a_guess() -> None:
    """Two stops on their way and both contracts gone: each sold its own, and an equal order later is a stranger's."""
    group = bracket_of(2)
    for _ in range(2):
        order_of(group, -1, "sent", limit=0.8, purpose="sl")
    fold(match(view_of([group], [], {"C750": 0})), [group])
    assert GUESSED not in group.memory
    assert group.phase is Phase.CLOSED


@pytest.mark.parametrize("swapped", [False, True])
def test_one_believed_to_have_ended_is_not_the_open_one_while_another_is_waited_for(swapped: bool) -> None:
    """Equal orders sent at once, the first one's believed ended after a part: the open one is the second's."""
    first, second = bracket_of(3), bracket_of(3, "bracket-000002")
    apply(first, Canceled(NOW - 45.0, _believed(first, -3, 2, 0.0), "gone"))
    waited = order_of(second, -3, "sent", limit=0.0, purpose="close")
    groups = [second, first] if swapped else [first, second]
    verdict = match(view_of(groups, [shown("C750", -3, limit=0.0)], {"C750": 4}))
    assert [(a.group_id, a.number) for a in verdict.adopt] == [(second.group_id, waited)]
    fold(verdict, groups)
    assert (first.held, second.held) == (None, None)


def test_what_an_order_that_lives_must_have_filled_for_the_sum_to_fit_is_a_guess() -> None:
    """Six were sold, by a stop of three that is gone and a target of four that lives: one overfilled, more is left."""
    first, second = bracket_of(8), bracket_of(8, "bracket-000002", filled=4)
    order_of(first, -3, limit=0.8, purpose="sl")
    target = order_of(first, -4, limit=1.5, purpose="tp")
    open_one = shown("C750", -4, limit=1.5)
    fold(match(view_of([first, second], [open_one], {"C750": 6})), [first, second])
    assert (first.legs[0].net, first.held) == (2, None)
    assert first.memory[LOOSE] == [target]
    close = order_of(second, -4, limit=0.0, purpose="close")
    other = shown("C750", -4, limit=0.0, lean_id=2)
    fold(match(view_of([first, second], [open_one, other], {"C750": 5})), [first, second])
    assert (first.held, second.held) == (HoldCause.AMBIGUOUS, HoldCause.AMBIGUOUS)
    assert second.orders[close].cum_qty == 0
