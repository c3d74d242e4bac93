"""Whose is an order that a restart finds: tag, id, fingerprint, and what is believed of none of them."""

import pytest

from atomic.facts import BaseSet, Filled, apply
from atomic.reconcile import match
from atomic.vocabulary import ChildStatus, HoldCause
from tests.atomic.reconcile.world import NOW, fold, group_of, kinds, order_of, shown, view_of


@pytest.mark.parametrize(("evidence", "how"), [
    ({"tag": "condor-000001:1:open"}, "tag"),
    ({"ids": ("B7",)}, "broker_id"),
    ({}, "fingerprint"),
])  # fmt: skip
def test_identity_is_found_by_tag_then_id_then_fingerprint(evidence: dict[str, object], how: str) -> None:
    """Each match says what it rests on."""
    group = group_of()
    order_of(group, 10)
    group.orders[1].broker_ids = ("B7",)
    verdict = match(view_of([group], [shown("C750", 10, **evidence)], {}))  # type: ignore[arg-type]
    assert [a.how for a in verdict.adopt] == [how]
    (finding,) = [f for f in verdict.findings if f.kind == "adopted"]
    assert finding.evidence["how"] == how


def test_a_reissued_broker_id_is_not_believed() -> None:
    """An id of another session on another contract, side or price is no evidence."""
    group = group_of()
    order_of(group, 10)
    group.orders[1].broker_ids = ("7",)
    for other in (shown("C755", 10, ids=("7",)), shown("C750", -10, ids=("7",)), shown("C750", 13, ids=("7",))):
        verdict = match(view_of([group], [other], {}))
        assert not verdict.adopt
        assert verdict.count("foreign") == 1


def test_an_order_of_another_executor_is_not_taken_over_by_a_reissued_id() -> None:
    """It equals ours in all but its tag, which names a group of somebody else: left alone, ours has ended."""
    group = group_of()
    order_of(group, 10)
    group.orders[1].broker_ids = ("7",)
    theirs = shown("C750", 10, ids=("7",), lean_id=7, tag="strangle-000001:4:open")
    verdict = match(view_of([group], [theirs], {}))
    fold(verdict, [group])
    assert not verdict.adopt
    assert group.orders[1].status is ChildStatus.CANCELED


def test_an_order_that_looks_like_ours_and_does_not_add_up_holds_the_group() -> None:
    """Three of ten are shown, but the account did not move by seven: neither ours nor surely not."""
    group = group_of()
    order_of(group, 10)
    verdict = match(view_of([group], [shown("C750", 3)], {}))
    fold(verdict, [group])
    assert (group.held, verdict.adopt) == (HoldCause.AMBIGUOUS, [])


def test_ids_of_a_process_that_has_died_match_nothing() -> None:
    """LEAN counts from 1 again: a new group's orders are not taken for those that are still looked for."""
    old, new = group_of("condor-000001"), group_of("condor-000002")
    order_of(old, 10, "sent")
    old.orders[1].lean_id = 1
    first = match(view_of([old], [], {}))
    fold(first, [old])
    order_of(new, 10)
    new.orders[1].lean_id = 1
    shows = [shown("C750", 10, lean_id=1, tag="condor-000002:1:open")]
    for order in (shows[0], shows[0]._replace(tag="overwritten by LEAN")):
        sweep = match(view_of([old, new], [order], {}, start=False, unsettled=first.unsettled, now=NOW + 5.0))
        assert (sweep.adopt, sweep.facts) == ([], {})


def test_two_groups_whose_orders_look_the_same_and_both_are_shown_are_told_by_nothing_but_equal() -> None:
    """Any pairing is right when they are equal in all that matters."""
    groups = [group_of("condor-000001"), group_of("condor-000002")]
    for group in groups:
        order_of(group, 10)
    verdict = match(view_of(groups, [shown("C750", 10, lean_id=1), shown("C750", 10, lean_id=2)], {}))
    assert sorted(a.group_id for a in verdict.adopt) == ["condor-000001", "condor-000002"]
    assert {a.order.lean_id for a in verdict.adopt} == {1, 2}


def test_time_tells_equal_looking_orders_apart() -> None:
    """The one order shown was sent when only one of the two was."""
    groups = [group_of("condor-000001"), group_of("condor-000002")]
    order_of(groups[0], 10, at=NOW - 50.0)
    order_of(groups[1], 10, at=NOW - 20.0)
    verdict = match(view_of(groups, [shown("C750", 10, at=NOW - 20.5)], {}))
    assert [a.group_id for a in verdict.adopt] == ["condor-000002"]


def test_foreign_orders_and_positions_are_left_alone_and_named() -> None:
    """A larger position in our direction, a reduction of somebody's own, an order that is none of ours."""
    group = group_of(units=1)
    apply(group, Filled(NOW - 40.0, order_of(group, 1), 1, 1.0, 0.0))
    verdict = match(view_of([group], [shown("C750", 5, limit=9.0)], {"C750": 4, "MSFT": 7}))
    assert verdict.baseline == {"C750": 3}
    assert verdict.count("foreign") == 2
    assert not verdict.adopt
    verdict = match(view_of([group], [], {"C750": 3}, baseline={"C750": 5}))
    assert verdict.baseline == {"C750": 2}
    assert not verdict.breaks


def test_an_order_with_our_tag_that_ended_is_an_orphan_and_is_cancelled() -> None:
    """The child order is known, so it can be taken over and cancelled, also of an archived group."""
    group = group_of(units=1)
    apply(group, Filled(NOW - 40.0, order_of(group, 1), 1, 1.0, 0.0))
    order = shown("C750", 1, tag="condor-000001:1:open")
    verdict = match(view_of([group], [order], {"C750": 1}))
    assert [(a.group_id, a.number) for a in verdict.cancel] == [("condor-000001", 1)]
    assert "orphan" in kinds(verdict)
    verdict = match(view_of([], [order], {}, ended={"condor-000001": group}))
    assert [(a.group_id, a.number) for a in verdict.cancel] == [("condor-000001", 1)]


@pytest.mark.parametrize(("counted", "base"), [(0, 1), (1, 0)])
def test_what_an_ended_order_had_filled_is_not_lost_when_it_is_taken_over(counted: int, base: int) -> None:
    """Its next fill counts on top: after a restart its ticket counts from 0, in the same process it goes on."""
    group = group_of(units=1)
    number = order_of(group, 1)
    apply(group, Filled(NOW - 40.0, number, 1, 1.0, 0.0))
    order = shown("C750", 2, filled=counted, tag=group.orders[number].tag)
    verdict = match(view_of([group], [order], {"C750": 1}))
    assert BaseSet(NOW + 1.0, number, base) in verdict.facts["condor-000001"]


def test_an_order_with_a_tag_of_an_unknown_group_of_ours_is_a_stranger() -> None:
    """It cannot be tied to anything: named, for a person to cancel."""
    group = group_of()
    verdict = match(view_of([group], [shown("C750", 1, tag="condor-000099:1:open")], {}))
    assert len(verdict.strangers) == 1
    assert "cancel it by hand" in verdict.findings[0].text
    verdict = match(view_of([group], [shown("C750", 1, tag="other-000001:1:open")], {}))
    assert not verdict.strangers, "another algorithm's order is foreign"


def test_two_orders_under_one_tag_hold_the_group() -> None:
    """Somebody doubled an order of ours: a person looks."""
    group = group_of()
    order_of(group, 10)
    tag = "condor-000001:1:open"
    verdict = match(view_of([group], [shown("C750", 10, tag=tag), shown("C750", 10, tag=tag, lean_id=2)], {}))
    fold(verdict, [group])
    assert group.held is HoldCause.AMBIGUOUS


def test_a_journal_that_lost_its_newest_write_attributes_nothing() -> None:
    """Unknown orders and differences in a group's contract hold it; a tag still tells what the lost intent was."""
    group = group_of()
    verdict = match(view_of([group], [shown("C750", 10)], {}, stale=True))
    fold(verdict, [group])
    assert group.held is HoldCause.AMBIGUOUS
    group = group_of()
    apply(group, Filled(NOW - 40.0, order_of(group, 10), 10, 1.0, 0.0))
    verdict = match(view_of([group], [], {"C750": 12}, stale=True))
    fold(verdict, [group])
    assert group.held is HoldCause.BREAK
    group = group_of()
    order_of(group, 10)
    lost = shown("C755", -3, tag="condor-000001:2:open", lean_id=2)
    verdict = match(view_of([group], [shown("C750", 10, tag="condor-000001:1:open"), lost], {}, stale=True))
    fold(verdict, [group])
    assert [(a.number, a.how) for a in verdict.adopt] == [(2, "lost_intent"), (1, "tag")]
    assert (group.orders[2].quantity, group.orders[2].status) == (-3, ChildStatus.WORKING)
