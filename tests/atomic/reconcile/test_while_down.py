"""What orders did while the process was down: fills, ends, intents never seen, cancels on their way."""

import pytest

from atomic.facts import Held, Quarantined, apply
from atomic.plan import Env, decisions
from atomic.reconcile import match
from atomic.vocabulary import ChildStatus, HoldCause, Outcome, Phase
from tests.atomic.reconcile.world import NOW, fold, group_of, kinds, order_of, shown, view_of


def test_three_filled_and_journaled_two_more_while_down() -> None:
    """Order of 10, 3 known, the account holds 5 and shows the order: exactly 5 are the group's, base 5."""
    group = group_of()
    order_of(group, 10, cum=3)
    order = shown("C750", 10)
    verdict = match(view_of([group], [order], {"C750": 5}))
    assert [(a.number, a.how) for a in verdict.adopt] == [(1, "fingerprint")]
    assert verdict.cancel == [], "what is ours goes on"
    fold(verdict, [group])
    assert group.legs[0].net == 5
    assert (group.orders[1].base, group.orders[1].status) == (5, ChildStatus.PARTIAL)
    assert (group.phase, group.target) == (Phase.UNWINDING, 0)
    assert "unwound" in kinds(verdict)
    assert not verdict.breaks


def test_three_filled_and_the_order_is_gone() -> None:
    """The same without the order: it ended with 5, and the group unwinds exactly 5."""
    group = group_of()
    order_of(group, 10, cum=3)
    fold(match(view_of([group], [], {"C750": 5})), [group])
    assert (group.legs[0].net, group.orders[1].status) == (5, ChildStatus.CANCELED)
    assert (group.legs[0].buying, group.phase) == (0, Phase.UNWINDING)


def test_a_ticket_that_knows_its_fills_needs_no_base() -> None:
    """Some brokers restore cumulative fills: base is what the ticket does not count."""
    group = group_of()
    order_of(group, 10, cum=3)
    fold(match(view_of([group], [shown("C750", 10, filled=5)], {"C750": 5})), [group])
    assert (group.legs[0].net, group.orders[1].base) == (5, 0)


def test_an_order_shown_with_what_is_left_of_it() -> None:
    """Some brokers restore the remainder: it is ours, and nothing filled since."""
    group = group_of()
    order_of(group, 10, cum=3)
    verdict = match(view_of([group], [shown("C750", 7)], {"C750": 3}))
    fold(verdict, [group])
    assert (len(verdict.adopt), group.legs[0].net, group.orders[1].base) == (1, 3, 3)


def test_an_intent_that_is_not_seen_counts_as_may_fill_for_the_quiet_period() -> None:
    """Not resent, not withdrawn before; then withdrawn. Its fill in between is found in the holdings."""
    group = group_of(quiet_period=30.0)
    order_of(group, 10, "intended")
    verdict = match(view_of([group], [], {}))
    assert verdict.unsettled == {("condor-000001", 1)}
    assert verdict.look_again == NOW + 30.0
    fold(verdict, [group])
    assert group.legs[0].buying == 10
    later = match(view_of([group], [], {}, start=False, unsettled=verdict.unsettled, now=NOW + 29.0))
    assert not later.facts
    fold(later := match(view_of([group], [], {}, start=False, unsettled=later.unsettled, now=NOW + 30.0)), [group])
    assert not later.unsettled
    assert group.orders[1].status is ChildStatus.WITHDRAWN
    assert (group.phase, group.outcome) == (Phase.CLOSED, Outcome.ROLLED_BACK)


def test_an_unseen_intent_that_fills_late_is_taken_over() -> None:
    """It appears during the quiet period, or only its fill does."""
    for orders, holdings, expected in (([shown("C750", 10)], {}, 0), ([], {"C750": 4}, 4)):
        group = group_of()
        order_of(group, 10, "sent")
        first = match(view_of([group], [], {}))
        fold(first, [group])
        sweep = match(view_of([group], orders, holdings, start=False, unsettled=first.unsettled, now=NOW + 31.0))
        fold(sweep, [group])
        assert group.legs[0].net == expected
        assert len(sweep.adopt) == len(orders)
        assert group.orders[1].may_fill is bool(orders)


def test_a_cancel_that_was_pending_is_asked_again() -> None:
    """The broker still shows the order: its cancel was lost or is on its way."""
    group = group_of()
    order_of(group, 10, "canceling")
    fold(match(view_of([group], [shown("C750", 10)], {})), [group])
    assert (group.orders[1].status, group.orders[1].cancel_at) == (ChildStatus.WORKING, 0.0)


def test_quarantined_orders_that_are_gone_set_the_group_free() -> None:
    """Their end is known now; the plan ends the hold and goes on."""
    group = group_of()
    for number in (order_of(group, 10, "canceling"), order_of(group, -10, "canceling", leg=1)):
        apply(group, Quarantined(NOW - 5.0, number, "no end"))
    apply(group, Held(NOW - 5.0, HoldCause.QUARANTINE, "no end"))
    fold(match(view_of([group], [], {"C750": 2})), [group])
    assert [order.status for order in group.orders.values()] == [ChildStatus.CANCELED] * 2
    assert (group.phase, group.legs[0].net) == (Phase.HELD, 2)
    assert [fact.kind for fact in decisions(group, NOW + 2.0, {}, Env())] == ["released"]


@pytest.mark.parametrize(("tag", "cause"), [("condor-000001:1:open", "break"), ("", "ambiguous")])
def test_an_order_that_is_shown_is_not_complete(tag: str, cause: str) -> None:
    """The account moved by all of an order that is still open: somebody traded, or the order is not ours."""
    group = group_of(units=1)
    order_of(group, 1)
    verdict = match(view_of([group], [shown("C750", 1, tag=tag)], {"C750": 1}))
    fold(verdict, [group])
    assert (group.held, group.legs[0].net) == (cause, 0)


def test_a_second_look_changes_nothing() -> None:
    """Folded facts are not found again."""
    group = group_of()
    order_of(group, 10, cum=3)
    order = shown("C750", 10, lean_id=4)
    first = match(view_of([group], [order], {"C750": 5}))
    fold(first, [group])
    group.orders[1].lean_id = 4  # what adopting reports
    count = len(group.facts)
    second = match(view_of([group], [order], {"C750": 5}, start=False, unsettled=first.unsettled, now=NOW + 90.0))
    fold(second, [group])
    assert (len(group.facts), second.findings) == (count, [])
