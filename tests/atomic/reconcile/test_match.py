"""What a restart finds and what follows from it, one situation each."""

import pytest

from atomic.facts import BaseSet, Canceled, Filled, Held, Identified, Quarantined, TargetSet, apply
from atomic.model import ChildStatus, HoldCause, LegSpec, Outcome, Phase, Right
from atomic.plan import Env, decisions
from atomic.reconcile import match
from tests.atomic.reconcile.world import CALL, NOW, SHORT, fold, group_of, kinds, order_of, shown, view_of


def test_three_filled_and_journaled_two_more_while_down() -> None:
    """Order of 10, 3 known, the account holds 5 and shows the order: exactly 5 are the group's, base 5."""
    group = group_of()
    order_of(group, 10, cum=3)
    order = shown("C750", 10)
    verdict = match(view_of([group], [order], {"C750": 5}))
    assert [(a.number, a.how) for a in verdict.adopt] == [(1, "fingerprint")]
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


def test_an_order_that_looks_like_ours_and_does_not_add_up_holds_the_group() -> None:
    """Three of ten are shown, but the account did not move by seven: neither ours nor surely not."""
    group = group_of()
    order_of(group, 10)
    verdict = match(view_of([group], [shown("C750", 3)], {}))
    fold(verdict, [group])
    assert (group.held, verdict.adopt) == (HoldCause.AMBIGUOUS, [])


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


def test_two_groups_whose_orders_look_the_same_and_one_is_shown_are_held() -> None:
    """Nobody can tell whose it is: no trade, both held, the order named."""
    groups = [group_of("condor-000001"), group_of("condor-000002")]
    for group in groups:
        order_of(group, 10)
    verdict = match(view_of(groups, [shown("C750", 10)], {}))
    assert not verdict.adopt
    fold(verdict, groups)
    assert [g.held for g in groups] == [HoldCause.AMBIGUOUS] * 2


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


def test_a_position_that_was_reduced_by_hand_is_a_break() -> None:
    """The group's own share is not whole any more."""
    group = group_of(units=2)
    apply(group, Filled(NOW - 40.0, order_of(group, 2), 2, 1.0, 0.0))
    verdict = match(view_of([group], [], {"C750": 1}))
    fold(verdict, [group])
    assert group.held is HoldCause.BREAK


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


NEXT_DAY = NOW + 86400.0


def test_legs_that_expired_while_down_are_settled_for_each_group() -> None:
    """Worth by the underlying; groups that cancel each other out are settled, too."""
    groups = [group_of("condor-000001", 1, [CALL]), group_of("condor-000002", 1, [SHORT])]
    apply(groups[0], Filled(NOW - 40.0, order_of(groups[0], 1), 1, 1.0, 0.0))
    apply(groups[1], Filled(NOW - 40.0, order_of(groups[1], -1), 1, 1.0, 0.0))
    verdict = match(view_of(groups, [], {}, now=NEXT_DAY, started=NEXT_DAY))
    fold(verdict, groups)
    assert [g.outcome for g in groups] == [Outcome.EXPIRED] * 2
    assert verdict.count("expired") == 2
    assert not verdict.breaks


def test_shares_of_an_exercise_join_the_group_they_came_from() -> None:
    """In the money by 3: a hundred shares at the underlying's price, and the group is not whole any more."""
    group = group_of("condor-000001", 1, [CALL])
    apply(group, Filled(NOW - 40.0, order_of(group, 1), 1, 1.0, 0.0))
    view = view_of([group], [], {"GOOG": 100}, now=NEXT_DAY, started=NEXT_DAY, worth={"C750": 3.0})
    verdict = match(view)
    fold(verdict, [group])
    assert [(leg.spec.right, leg.net, leg.cost) for leg in group.legs] == [
        (Right.CALL, 0, -200.0), (Right.SHARE, 100, 75300.0)
    ]  # fmt: skip
    assert "assigned" in kinds(verdict)


def test_an_early_assignment_is_known_by_its_shares() -> None:
    """The short call is gone and a hundred shares were delivered for each: assigned, not traded."""
    group = group_of("condor-000001", 2)
    for leg, quantity in ((0, 2), (1, -2)):
        apply(group, Filled(NOW - 40.0, order_of(group, quantity, leg=leg), 2, 1.0, 0.0))
    verdict = match(view_of([group], [], {"C750": 2, "C755": -1, "GOOG": -100}, prices={"GOOG": 760.0}))
    fold(verdict, [group])
    assert [leg.net for leg in group.legs] == [2, -1, -100]
    assert group.held is None
    assert not verdict.breaks
    verdict = match(view_of([group_of("condor-000003", 2)], [], {"C755": 0}))
    assert not verdict.breaks


def test_shares_that_do_not_fit_are_a_break() -> None:
    """Half a delivery is not explained away."""
    group = group_of("condor-000001", 1, [CALL])
    apply(group, Filled(NOW - 40.0, order_of(group, 1), 1, 1.0, 0.0))
    view = view_of([group], [], {"GOOG": 60}, now=NEXT_DAY, started=NEXT_DAY, worth={"C750": 3.0})
    verdict = match(view)
    assert "GOOG" in verdict.breaks
    assert "quantity_break" in kinds(verdict)


@pytest.mark.parametrize(("policy", "held", "kind", "phase", "target"), [
    ({"on_restart": "roll_back"}, 2, "unwound", Phase.UNWINDING, 0),
    ({"on_restart": "roll_back", "keep_units": True}, 2, "unwound", Phase.UNWINDING, 2),
    ({"on_restart": "adopt"}, 2, "adopted", Phase.UNWINDING, 2),
    ({"on_restart": "adopt"}, 0, "adopted", Phase.UNWINDING, 0),
    ({"on_restart": "complete"}, 2, "resumed", Phase.OPENING, 5),
    ({"on_restart": "resume"}, 0, "resumed", Phase.OPENING, 5),
    ({"on_restart": "hold"}, 2, "held", Phase.HELD, 5),
])  # fmt: skip
def test_an_incomplete_group_follows_its_restart_policy(
    policy: dict[str, object], held: int, kind: str, phase: Phase, target: int
) -> None:
    """Longs 4 of 5 filled, shorts `held` of 5: what becomes of it is the policy's word."""
    group = group_of(units=5, **policy)
    order_of(group, 5, cum=4)
    if held:
        order_of(group, -5, cum=held, leg=1)
    verdict = match(view_of([group], [], {"C750": 4, "C755": -held}))
    fold(verdict, [group])
    assert kind in kinds(verdict)
    assert (group.phase, group.target) == (phase, target)


def test_a_group_that_filled_while_down_is_complete() -> None:
    """Nothing is rolled back that stands as it was promised."""
    group = group_of(units=5)
    order_of(group, 5, cum=4)
    order_of(group, -5, leg=1, cum=1)
    verdict = match(view_of([group], [], {"C750": 5, "C755": -5}))
    fold(verdict, [group])
    assert (group.phase, group.outcome) == (Phase.OPEN, Outcome.COMPLETE)
    assert "complete" in kinds(verdict)


def test_what_was_unwinding_goes_on_and_what_is_held_stays_held() -> None:
    """The same path goes on; a hold is not lifted by a restart."""
    group = group_of()
    order_of(group, 10, cum=3)
    apply(group, TargetSet(NOW - 10.0, 0, "timeout"))
    verdict = match(view_of([group], [], {"C750": 3}))
    fold(verdict, [group])
    assert (group.phase, "unwound" in kinds(verdict)) == (Phase.UNWINDING, True)
    apply(group, Held(NOW, HoldCause.REQUESTED, "operator"))
    verdict = match(view_of([group], [], {"C750": 3}))
    assert "held" in kinds(verdict)


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


def test_shares_have_no_expiry() -> None:
    """A share leg is never settled by a date."""
    share = LegSpec("GOOG", 100, Right.SHARE, underlying="GOOG", multiplier=1.0)
    group = group_of("condor-000001", 1, [share])
    apply(group, Filled(NOW - 40.0, order_of(group, 100), 100, 750.0, 0.0))
    verdict = match(view_of([group], [], {"GOOG": 100}, now=NEXT_DAY, started=NEXT_DAY))
    assert verdict.count("expired") == 0
    assert SHORT.expiry < "2015-12-25"
