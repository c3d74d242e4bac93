"""Several orders of one bracket in one contract: its net is certain, which of them filled is a guess."""

from atomic.facts import Accepted, Attempt, CancelAsked, Canceled, Filled, Rejected, Remembered, ReplaceAsked, apply
from atomic.model import GroupState
from atomic.reconcile import match
from atomic.reconcile.identity import spans
from atomic.reconcile.terms import Known
from atomic.vocabulary import WORKING, ChildStatus, Phase
from tests.atomic.reconcile.world import CALL, NOW, bracket_of, fold, group_of, order_of, shown, view_of


def test_what_ended_takes_the_fills_before_what_lives() -> None:
    """The stop is gone, the target is shown, two contracts left: the target may still fill whole."""
    group = bracket_of(2)
    stop = order_of(group, -2, limit=0.0, purpose="sl")
    target = order_of(group, -2, limit=1.5, purpose="tp")
    fold(match(view_of([group], [shown("C750", -2, limit=1.5)], {"C750": 0})), [group])
    assert group.legs[0].net == 0
    assert (group.orders[stop].cum_qty, group.orders[target].cum_qty) == (2, 0)


def test_fills_that_were_divided_by_guess_explain_a_later_one() -> None:
    """Two exits are shown whole, two of their contracts filled: whatever fills next, the net follows."""
    group = bracket_of(6)
    first = order_of(group, -3, limit=0.0, purpose="sl")
    second = order_of(group, -3, limit=1.5, purpose="tp")
    orders = [shown("C750", -3, limit=0.0), shown("C750", -3, limit=1.5, lean_id=2)]
    verdict = match(view_of([group], orders, {"C750": 4}))
    fold(verdict, [group])
    assert (group.held, group.legs[0].net) == (None, 4)
    assert [a.number for a in verdict.cancel] == [first, second], "what is left of them is not certain"
    fold(match(view_of([group], [orders[1]], {"C750": 1})), [group])
    assert (group.held, group.legs[0].net) == (None, 1)
    assert group.orders[first].status in (ChildStatus.FILLED, ChildStatus.CANCELED)
    assert group.orders[second].may_fill


def test_what_fits_whole_is_believed_before_what_fits_in_part() -> None:
    """Two buys of one and two contracts on their way, two arrived: the one of two filled, the other is waited for."""
    group = bracket_of(2)
    small = order_of(group, 1, "sent", limit=0.0, purpose="excess")
    large = order_of(group, 2, "sent", limit=0.0, purpose="excess")
    fold(match(view_of([group], [], {"C750": 4})), [group])
    assert (group.orders[small].cum_qty, group.orders[large].cum_qty) == (0, 2)


def test_an_order_shown_late_that_may_be_ours_is_an_order_of_its_own() -> None:
    """A close and a stop on their way, one filled; the other one, shown without its tag, is not taken for foreign."""
    group = bracket_of(1)
    close = order_of(group, -1, "sent", limit=0.0, purpose="close")
    order_of(group, -1, "sent", limit=0.8, purpose="sl")
    fold(first := match(view_of([group], [], {"C750": 0})), [group])
    assert group.orders[close].cum_qty == 1
    late = shown("C750", -1, limit=0.0)
    view = view_of([group], [late], {"C750": 0}, start=False, unsettled=first.unsettled, now=NOW + 12.0)
    verdict = match(view)
    number = close + 2
    assert [(a.number, a.order) for a in verdict.adopt] == [(number, late)]
    fold(verdict, [group])
    assert group.live[number].leaves_qty == 1
    again = match(view_of([group], [late], {"C750": 0}, now=NOW + 14.0))
    assert [(a.number, a.order) for a in again.adopt] == [(number, late)], "also after another restart"
    fold(again, [group])


def test_a_group_does_not_end_while_one_of_its_orders_may_be_shown_late() -> None:
    """Flat by a guess: it stays until the first look after the quiet period, then it ends."""
    group = bracket_of(1)
    order_of(group, -1, "sent", limit=0.0, purpose="close")
    stop = order_of(group, -1, "sent", limit=0.8, purpose="sl")
    fold(first := match(view_of([group], [], {"C750": 0})), [group])
    apply(group, Rejected(NOW + 2.0, stop, "unknown", "never arrived"))
    assert (group.is_flat, group.live, group.phase) == (True, {}, Phase.OPEN)
    view = view_of([group], [], {"C750": 0}, start=False, unsettled=first.unsettled, now=NOW + 600.0)
    fold(match(view), [group])
    assert group.phase is Phase.CLOSED


def test_a_stranger_that_looks_like_ours_is_left_alone_after_the_quiet_period() -> None:
    """Guesses end with the first look after the quiet period."""
    group = bracket_of(1)
    order_of(group, -1, "sent", limit=0.0, purpose="close")
    order_of(group, -1, "sent", limit=0.8, purpose="sl")
    fold(first := match(view_of([group], [], {"C750": 0})), [group])
    later = {"start": False, "now": NOW + 600.0}
    fold(match(view_of([group], [], {"C750": 0}, unsettled=first.unsettled, **later)), [group])
    verdict = match(view_of([group], [shown("C750", -1, limit=0.0)], {"C750": 0}, **later))
    assert not verdict.adopt


def test_an_end_that_filled_something_starts_the_attempts_anew() -> None:
    """Attempts count refusals in a row; an order that filled a part and was gone is no refusal."""
    group = bracket_of(3)
    for part in (0, 1):
        number = order_of(group, -3 + part, limit=0.0, purpose="excess")
        if part:
            apply(group, Filled(NOW, number, 1, 1.0, 0.0))
            apply(group, Canceled(NOW, number, "gone"))
        else:
            apply(group, Rejected(NOW, number, "unknown", "no"))
        apply(group, Attempt(NOW, 0, "excess", NOW, ""))
    assert set(group.attempts.values()) == {1}


def test_orders_known_to_have_ended_take_the_fills_before_one_that_may_be_on_its_way() -> None:
    """Two stops are gone, a close was never acknowledged, two contracts left: the stops filled."""
    group = bracket_of(2)
    stops = [order_of(group, -1, limit=0.8, purpose="sl") for _ in range(2)]
    close = order_of(group, -2, "sent", limit=0.0, purpose="close")
    fold(verdict := match(view_of([group], [], {"C750": 0})), [group])
    assert [group.orders[n].cum_qty for n in (*stops, close)] == [1, 1, 0]
    assert verdict.unsettled == {("bracket-000001", close)}


def test_a_cancel_asked_for_is_no_proof_that_the_broker_had_the_order() -> None:
    """Asked to end before it was acknowledged, and not shown: it is waited for like one that was sent."""
    group = bracket_of(2)
    number = order_of(group, -2, "sent", limit=0.8, purpose="sl")
    apply(group, CancelAsked(NOW, number, "test"))
    verdict = match(view_of([group], [], {"C750": 2}))
    assert verdict.unsettled == {("bracket-000001", number)}
    fold(verdict, [group])
    later = view_of([group], [], {"C750": 2}, start=False, unsettled=verdict.unsettled, now=NOW + 600.0)
    fold(match(later), [group])
    assert group.orders[number].status is ChildStatus.CANCELED


def test_a_fill_that_only_one_order_explains_is_no_guess() -> None:
    """Legs of a condor in flight: each contract has one order, so what arrived is known."""
    group = group_of("condor-000001", 1)
    order_of(group, 1, "sent")
    order_of(group, -1, "sent", leg=1)
    fold(match(view_of([group], [], {"C750": 1})), [group])
    assert group.memory == {}


def test_of_two_orders_that_look_the_same_the_acknowledged_one_is_shown_first() -> None:
    """One of two equal stops is open: it is the one the broker had; the other may still be on its way."""
    group = bracket_of(2)
    sent = order_of(group, -1, "sent", limit=0.8, purpose="sl")
    known = order_of(group, -1, limit=0.8, purpose="sl")
    verdict = match(view_of([group], [shown("C750", -1, limit=0.8)], {"C750": 2}))
    assert [a.number for a in verdict.adopt] == [known]
    assert verdict.unsettled == {("bracket-000001", sent)}


def test_an_order_with_another_brokerage_id_is_not_taken_for_ours() -> None:
    """Two brackets with equal stops: the one shown has no id of the acknowledged one, so it is the other bracket's."""
    first, second = bracket_of(1), bracket_of(1, name="bracket-000002")
    acknowledged = order_of(first, -1, limit=0.8, purpose="sl")
    first.orders[acknowledged].broker_ids = ("B3",)
    fresh = order_of(second, -1, "sent", limit=0.8, purpose="sl")
    late = shown("C750", -1, limit=0.8, ids=("B5",))
    verdict = match(view_of([first, second], [late], {"C750": 2}))
    assert [(a.group_id, a.number) for a in verdict.adopt] == [("bracket-000002", fresh)]
    fold(verdict, [first, second])
    assert first.orders[acknowledged].status is ChildStatus.CANCELED
    assert (first.held, second.held) == (None, None)


def test_a_brokerage_that_numbers_anew_is_believed_where_nothing_else_fits() -> None:
    """The only order that it can be has another id: it is taken over all the same."""
    group = bracket_of(1)
    stop = order_of(group, -1, limit=0.8, purpose="sl")
    group.orders[stop].broker_ids = ("B3",)
    verdict = match(view_of([group], [shown("C750", -1, limit=0.8, ids=("B5",))], {"C750": 1}))
    assert [(a.group_id, a.number) for a in verdict.adopt] == [("bracket-000001", stop)]


def test_an_order_shown_whole_is_believed_before_the_rest_of_a_larger_one() -> None:
    """Two stops of one contract are shown; a stop of two that was sent, too, is not taken for half filled."""
    group = bracket_of(4)
    large = order_of(group, -2, "sent", limit=0.8, purpose="sl")
    ended = order_of(group, -2, limit=1.5, purpose="tp")
    small = [order_of(group, -1, "sent", limit=0.8, purpose="sl") for _ in range(2)]
    orders = [shown("C750", -1, limit=0.8, lean_id=n) for n in (1, 2)]
    verdict = match(view_of([group], orders, {"C750": 2}))
    assert sorted(a.number for a in verdict.adopt) == small
    fold(verdict, [group])
    assert (group.orders[ended].cum_qty, group.orders[large].cum_qty) == (2, 0)


def test_an_update_that_was_taken_shows_in_the_size() -> None:
    """A stop of four was being enlarged to five; five are shown and four have filled: one of it is left, not none."""
    group = bracket_of(5)
    stop = order_of(group, -4, limit=0.8, purpose="sl")
    group.orders[stop].broker_ids = ("B2",)
    apply(group, ReplaceAsked(NOW - 40.0, stop, -5, 0.8, 0.0))
    still = [shown("C750", -5, limit=0.8, ids=("B2",))]
    fold(match(view_of([group], still, {"C750": 1})), [group])
    assert (group.orders[stop].cum_qty, group.orders[stop].leaves_qty) == (4, 1)
    assert (group.orders[stop].quantity, group.orders[stop].asked) == (-5, None), "the update is answered by that"
    assert group.orders[stop].status in WORKING
    again = match(view_of([group], still, {"C750": 1}))
    assert [(a.number, a.how) for a in again.adopt] == [(stop, "broker_id")], "also after another restart"


def _filled_while_enlarged() -> tuple[GroupState, int]:
    """A stop of two was being enlarged to three when two filled, and the process stopped before the answer."""
    group = bracket_of(3)
    stop = order_of(group, -2, limit=0.8, purpose="sl")
    group.orders[stop].broker_ids = ("B2",)
    apply(group, ReplaceAsked(NOW - 40.0, stop, -3, 0.8, 0.0))
    apply(group, Filled(NOW - 40.0, stop, 2, 0.8, 1.3))
    return group, stop


def test_a_stop_that_filled_while_it_was_enlarged_is_taken_over_when_it_is_shown() -> None:
    """It is shown with its brokerage id and the new size: ours, one of it left, nobody else's order."""
    group, stop = _filled_while_enlarged()
    verdict = match(view_of([group], [shown("C750", -3, limit=0.8, ids=("B2",))], {"C750": 1}))
    assert [(a.number, a.how) for a in verdict.adopt] == [(stop, "broker_id")]
    fold(verdict, [group])
    assert (group.orders[stop].status, group.orders[stop].leaves_qty) == (ChildStatus.PARTIAL, 1)
    assert group.held is None


def test_a_stop_that_filled_before_it_was_enlarged_has_ended_when_it_is_not_shown() -> None:
    """The update came too late, or the rest filled, too: the holdings tell which."""
    group, stop = _filled_while_enlarged()
    fold(match(view_of([group], [], {"C750": 1})), [group])
    assert (group.live, group.legs[0].net, group.held) == ({}, 1, None)
    group, stop = _filled_while_enlarged()
    fold(match(view_of([group], [], {"C750": 0})), [group])
    assert (group.orders[stop].cum_qty, group.legs[0].net, group.held) == (3, 0, None)


def test_an_order_divided_by_guess_may_have_filled_in_the_size_it_was_being_given() -> None:
    """A stop of one was being enlarged to three, a close of three was sent; six fewer are there: both filled whole."""
    group = bracket_of(3)
    stop = order_of(group, -1, limit=0.8, purpose="sl")
    apply(group, Remembered(NOW - 45.0, "loose", [stop]))
    apply(group, ReplaceAsked(NOW - 40.0, stop, -3, 0.8, 0.0))
    close = order_of(group, -3, "sent", limit=0.0, purpose="close")
    fold(match(view_of([group], [], {"C750": -3})), [group])
    assert (group.orders[stop].cum_qty, group.orders[close].cum_qty) == (3, 3)
    assert (group.legs[0].net, group.held) == (-3, None)


def test_more_late_orders_than_are_waited_for_were_not_filled() -> None:
    """Two equal stops are shown late, one of them was believed filled: it lives, and the target has filled instead."""
    group = bracket_of(2)
    stops = [order_of(group, -1, "sent", limit=0.8, purpose="sl") for _ in range(2)]
    order_of(group, -1, "sent", limit=1.5, purpose="tp")
    fold(first := match(view_of([group], [], {"C750": 1})), [group])
    guessed = [number for number in stops if group.orders[number].cum_qty]
    late = [shown("C750", -1, limit=0.8, lean_id=n) for n in (1, 2)]
    view = view_of([group], late, {"C750": 1}, start=False, unsettled=first.unsettled, now=NOW + 12.0)
    verdict = match(view)
    fold(verdict, [group])
    assert group.held is None
    assert guessed
    assert len(verdict.adopt) == 2
    assert group.legs[0].net == 1


def test_an_exit_that_filled_in_part_and_is_not_shown_has_ended() -> None:
    """A stop on its way explains alone what the account moved, so the broker had it: its rest needs a new stop now."""
    group = bracket_of(3)
    stop = order_of(group, -2, "sent", limit=0.8, purpose="sl")
    fold(match(view_of([group], [], {"C750": 2})), [group])
    assert (group.orders[stop].status, group.orders[stop].cum_qty) == (ChildStatus.CANCELED, 1)
    assert (group.legs[0].net, group.live, group.held) == (2, {}, None)


def test_an_opening_that_filled_in_part_and_is_not_shown_is_waited_for() -> None:
    """A leg of a group that is all or none may still arrive: nothing is sent for it before the quiet period ends."""
    group = group_of(legs=(CALL,))
    leg = order_of(group, 10, "sent")
    verdict = match(view_of([group], [], {"C750": 4}))
    fold(verdict, [group])
    assert group.orders[leg].may_fill
    assert verdict.unsettled == {(group.spec.group_id, leg)}


def test_an_order_taken_over_already_does_not_answer_one_that_is_shown_late() -> None:
    """Of three equal stops one was taken over, one was believed filled, one is waited for: two shown are the latter."""
    group = bracket_of(3)
    taken, believed, waited = (order_of(group, -1, "sent", limit=0.8, purpose="sl") for _ in range(3))
    apply(group, Accepted(NOW - 1.0, taken))
    apply(group, Filled(NOW - 1.0, believed, 1, 0.8, 0.0))
    apply(group, Remembered(NOW - 1.0, "guessed", [believed]))
    late = [shown("C750", -1, limit=0.8, lean_id=n) for n in (5, 6)]
    unsettled = frozenset({(group.spec.group_id, waited)})
    verdict = match(view_of([group], late, {"C750": 2}, start=False, unsettled=unsettled, now=NOW + 12.0))
    assert [a.number for a in verdict.adopt] == [waited + 1, waited]
    fold(verdict, [group])
    assert (group.held, group.legs[0].selling) == (None, 3)


def test_an_order_believed_half_filled_and_shown_whole_may_fill_whole() -> None:
    """A close of three was believed to have filled two, and is shown later: all three of it can fill unseen."""
    group = bracket_of(3)
    close = order_of(group, -3, "sent", limit=0.0, purpose="close")
    for _ in range(2):
        order_of(group, -1, "sent", limit=0.8, purpose="sl")
    fold(first := match(view_of([group], [], {"C750": 1})), [group])
    assert group.orders[close].cum_qty == 2
    late = shown("C750", -3, limit=0.0)
    view = view_of([group], [late], {"C750": 1}, start=False, unsettled=first.unsettled, now=NOW + 31.0)
    verdict = match(view)
    assert [a.number for a in verdict.adopt] == [close]
    fold(verdict, [group])
    fold(match(view_of([group], [], {"C750": -2})), [group])
    assert (group.held, group.legs[0].net) == (None, -2)


def test_a_guess_does_not_complete_an_order_that_lives() -> None:
    """Seven of a stop of nine were booked by guess; when two fill, seven may still fill: the bracket does not end."""
    group = bracket_of(9)
    stop = order_of(group, -9, limit=0.8, purpose="sl")
    target = order_of(group, -9, limit=1.5, purpose="tp")
    orders = [shown("C750", -9, limit=0.8), shown("C750", -9, limit=1.5, lean_id=2)]
    fold(match(view_of([group], orders, {"C750": 2})), [group])
    assert group.legs[0].net == 2
    loose, other = (stop, target) if group.orders[stop].cum_qty == 7 else (target, stop)
    apply(group, Canceled(NOW + 2.0, other, "asked"))
    apply(group, Filled(NOW + 3.0, loose, 9, 1.0, 1.3))
    assert group.is_flat
    assert (list(group.live), group.phase) == ([loose], Phase.OPEN)
    apply(group, Filled(NOW + 4.0, loose, 10, 1.0, 1.4))
    assert group.legs[0].net == -1
    apply(group, Filled(NOW + 4.0, loose, 9 + 7, 1.0, 1.9))
    apply(group, Canceled(NOW + 4.0, loose, "complete at the broker"))
    assert (group.legs[0].net, group.live) == (-7, {})


def test_an_exit_believed_filled_is_not_the_open_one_of_another_bracket_without_need() -> None:
    """Equal exits of two brackets, the first one's stop believed filled: the open ones are the second's."""
    first, second = bracket_of(1), bracket_of(1, "bracket-000002")
    believed, _ = (order_of(first, -1, "sent", limit=price, purpose="sl") for price in (0.8, 1.5))
    apply(first, Filled(NOW - 45.0, believed, 1, 0.8, 0.0))
    apply(first, Remembered(NOW - 45.0, "guessed", [believed]))
    exits = [order_of(second, -1, "sent", limit=price, purpose="sl", at=NOW - 44.0) for price in (0.8, 1.5)]
    orders = [shown("C750", -1, limit=price, lean_id=n, at=NOW - 44.0) for n, price in enumerate((0.8, 1.5), 1)]
    verdict = match(view_of([first, second], orders, {"C750": 1}))
    assert {(a.group_id, a.number) for a in verdict.adopt} == {(second.group_id, n) for n in exits}
    fold(verdict, [first, second])
    assert (first.legs[0].net, second.legs[0].net) == (0, 1)
    assert (first.held, second.held) == (None, None)


def test_a_stop_that_sold_has_ended_though_its_entry_may_have_bought_more() -> None:
    """The account holds one less: the stop on its way sold one, or two while the entry bought one; it is not shown."""
    group = bracket_of(4, filled=2)
    stop = order_of(group, -2, "sent", limit=0.8, purpose="sl")
    entry = shown("C750", 4, limit=0.0)
    fold(match(view_of([group], [entry], {"C750": 1})), [group])
    assert group.legs[0].net == 1
    assert not group.orders[stop].may_fill
    assert group.held is None


def test_an_answer_after_a_restart_is_no_evidence_of_when_the_order_was_sent() -> None:
    """An order whose sending is not on record counts from its intent, whenever it was first seen to work."""
    group = bracket_of(2)
    stop = order_of(group, -2, "intended", limit=0.8, purpose="sl", at=NOW - 50.0)
    fold(match(view_of([group], [shown("C750", -2, limit=0.8)], {"C750": 2})), [group])
    assert group.orders[stop].status in WORKING
    assert group.orders[stop].sent_at == NOW - 50.0


def test_of_an_order_divided_by_guess_any_part_may_have_filled() -> None:
    """A stop of three, one booked by guess: shown whole two more may have filled, short of all; shown as one, two."""
    group = bracket_of(3)
    stop = order_of(group, -3, cum=1, limit=0.8, purpose="sl")
    known = Known(group, group.orders[stop])
    assert spans(known, shown("C750", -3, limit=0.8)) == [(0, 1)]
    assert spans(known, shown("C750", -1, limit=0.8)) == [(1, 1)]
    apply(group, Remembered(NOW - 45.0, "loose", [stop]))
    assert spans(known, shown("C750", -3, limit=0.8)) == [(0, 2)]
    assert spans(known, shown("C750", -1, limit=0.8)) == [(0, 2)]
