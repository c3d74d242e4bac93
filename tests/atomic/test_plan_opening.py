"""Opening: waves, cover, prices, deadline (DESIGN §3 "Opening")."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.model import Outcome, Phase
from atomic.plan import Env
from atomic.policy import AT_MID, Ladder, Policy
from atomic.ports import Refusal
from tests.atomic.desk import C, Desk, P, S, condor, leg, rejects, rests


def test_longs_are_the_first_wave_and_shorts_the_second() -> None:
    """Protected: no short is sent before every long has filled."""
    desk = Desk(condor(), 3)
    desk.script = rests(3)
    desk.open()

    assert [o.leg for o in desk.sent] == [1, 3]
    desk.tell(*desk.fill(2))

    assert [(o.leg, o.quantity) for o in desk.sent] == [(1, 3), (3, 3), (0, -3), (2, -3)]
    assert desk.phase is Phase.OPEN
    assert desk.group.outcome is Outcome.COMPLETE


def test_together_sends_all_at_once_longs_first() -> None:
    """Together: one wave."""
    desk = Desk(condor(), policy=Policy(sequence="together"))
    desk.script = rests()
    desk.open()

    assert [o.leg for o in desk.sent] == [1, 3, 0, 2]


def test_a_structure_without_longs_opens_its_shorts_at_once() -> None:
    """A short strangle has nothing to wait for."""
    desk = Desk([leg(-1, P, 95), leg(-1, C, 105)], 2, policy=Policy(allow_naked=True)).open()

    assert desk.nets == [-2, -2]
    assert desk.phase is Phase.OPEN


def test_a_short_is_sent_only_up_to_what_filled_longs_cover() -> None:
    """A long that was reduced from outside between the waves leaves less cover, and the group goes back."""
    desk = Desk([leg(1, C, 110), leg(-1, C, 105)], 3)
    desk.script = rests(0)
    desk.open()
    f.apply(desk.group, desk.fill(1)[0])
    f.apply(desk.group, f.Adjusted(desk.now, 0, -2, 1.0, "foreign", "x"))
    desk.pump()

    assert desk.phase is Phase.CLOSED
    assert all(o.leg == 0 for o in desk.sent)


def test_a_ratio_spread_may_stand_as_naked_as_it_was_asked_for_and_no_more() -> None:
    """One long, two shorts: two shorts per filled long."""
    desk = Desk([leg(1, C, 105), leg(-2, C, 110)], 2, policy=Policy(allow_naked=True)).open()

    assert desk.nets == [2, -4]
    assert desk.phase is Phase.OPEN


def test_a_late_expiry_covers_an_early_one_and_not_the_other_way_round() -> None:
    """A calendar's long is a cover; the reversed calendar's is not."""
    near, far = "2015-12-24", "2016-01-15"
    from atomic.plan.cover import shape_of_legs

    assert not shape_of_legs((leg(1, C, 100, far), leg(-1, C, 100, near))).naked
    assert shape_of_legs((leg(1, C, 100, near), leg(-1, C, 100, far))).naked


def test_shares_cover_a_call_and_open_first() -> None:
    """A covered call buys its shares before it sells the call."""
    desk = Desk([leg(100, S), leg(-1, C, 105)], 2).open()

    assert [(o.leg, o.quantity) for o in desk.sent] == [(0, 200), (1, -2)]
    assert desk.phase is Phase.OPEN


def test_short_shares_cover_a_put_and_open_first() -> None:
    """A covered put sells its shares before it sells the put."""
    desk = Desk([leg(-100, S), leg(-1, P, 95)], policy=Policy(allow_naked=True))
    desk.script = rests(0)
    desk.open()

    assert [o.leg for o in desk.sent] == [0]
    desk.tell(*desk.fill(1))
    assert desk.nets == [-100, -1]


def test_a_rejected_leg_rolls_the_group_back_at_once() -> None:
    """Scenario "rapid market move rejects the last leg": everything that filled is reversed."""
    desk = Desk(condor(), 2)
    desk.script = rejects(2)
    desk.open()

    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.ROLLED_BACK
    assert desk.nets == [0, 0, 0, 0]
    assert "C105" in desk.group.reason


def test_a_wave_whose_first_leg_was_rejected_does_not_send_its_second() -> None:
    """The second intent is withdrawn, not sent."""
    desk = Desk(condor())
    desk.script = rejects(1)
    desk.open()

    assert [o.leg for o in desk.sent] == [1]
    assert str(desk.group.orders[2].status) == "withdrawn"
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_too_many_requests_are_tried_again_while_the_deadline_lasts() -> None:
    """A rate refusal is backed off, not rolled back."""
    desk = Desk(condor())
    desk.script = rejects(1, reason="rate")
    desk.open()
    assert desk.phase is Phase.OPENING
    assert desk.wake == 0.5

    desk.script = lambda order: None
    desk.at(0.5)

    assert desk.phase is Phase.OPEN


def test_the_deadline_rolls_back_what_filled() -> None:
    """Five seconds after the wave was entered."""
    desk = Desk(condor(), 2)
    desk.script = rests(2)
    desk.open()
    assert (desk.phase, desk.wake) == (Phase.OPENING, 5.0)

    desk.at(4.9)
    assert desk.phase is Phase.OPENING
    desk.at(5.0)

    assert desk.group.outcome is Outcome.ROLLED_BACK
    assert desk.nets == [0, 0, 0, 0]
    assert "not filled in time" in desk.group.reason


def test_the_deadline_counts_from_the_last_wave() -> None:
    """A long that needs four seconds does not eat the shorts' time."""
    desk = Desk(condor())
    desk.script = rests()
    desk.open()
    desk.at(4)
    desk.tell(*desk.fill(1), *desk.fill(2))

    assert desk.wake == 9.0


def test_complete_crosses_the_spread_once_and_then_rolls_back() -> None:
    """On time-out by policy "complete": one more deadline at the market."""
    policy = Policy(ladder=AT_MID, on_timeout="complete")
    desk = Desk([leg(1, P, 95), leg(1, C, 105)], policy=policy)
    desk.script = rests()
    desk.open()
    assert [(w[0], w[3]) for w in desk.working] == [(0, 1.1), (1, 1.1)]

    desk.at(5)
    assert [o.type for o in desk.sent[2:]] == ["market", "market"]
    assert desk.phase is Phase.OPENING
    desk.at(10)

    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_hold_cancels_what_opens_and_keeps_what_filled() -> None:
    """On time-out by policy "hold": nothing is sold, a person decides."""
    desk = Desk(condor(), policy=Policy(on_timeout="hold"))
    desk.script = rests(2)
    desk.open()
    desk.at(5)

    assert desk.phase is Phase.HELD
    assert desk.nets == [-1, 1, 0, 1]
    assert desk.working == []
    assert [a.code for a in desk.alerts][:1] == ["held"]

    desk.script = lambda order: None
    desk.tell(f.Released(desk.now, "go on"))
    assert desk.phase is Phase.OPEN


def test_keep_units_keeps_what_is_complete() -> None:
    """Scenario 4: three units, shorts filled for one; one complete unit stays, a late fill changes nothing for good."""
    desk = Desk([leg(1, C, 110), leg(-1, C, 105)], 3, policy=Policy(keep_units=True))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)] if o.leg == 1 and o.purpose == "open" else None
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.tell(*desk.fill(2, 1))
    desk.at(5)
    assert desk.group.target == 1
    assert desk.nets == [3, -1]  # the pending cancel may still fill: its cover is kept

    desk.tell(*desk.fill(2, 2), f.Canceled(desk.now, 2))

    assert desk.group.target == 1
    assert desk.nets == [1, -1]
    assert desk.group.outcome is Outcome.PARTIAL_UNITS
    assert [o.quantity for o in desk.sent if o.leg == 0 and o.quantity > 0] == [3]
    assert [o.quantity for o in desk.sent if o.leg == 1] == [-3, 1]


def test_the_ladder_walks_from_mid_to_natural_to_market() -> None:
    """Rungs by time, each order cancelled before the next is sent."""
    desk = Desk([leg(1, C, 105)], policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    for second in (1, 2, 3):
        desk.at(second)

    assert [(str(o.type), o.limit) for o in desk.sent] == [
        ("limit", 1.1), ("limit", 1.15), ("limit", 1.2), ("market", 0.0),
    ]  # fmt: skip
    assert desk.cancels == [1, 2, 3]


def test_quotes_never_move_an_order_that_stands() -> None:
    """Only a new rung looks at the quote."""
    desk = Desk([leg(1, C, 105)], policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.script = rests()
    desk.open()
    for second in range(9):
        desk.now = 1000.0 + second / 10
        desk.quote(0, 1.0 + second, 1.2 + second)
        desk.pump()

    assert len(desk.sent) == 1
    assert desk.cancels == []


def test_a_new_rung_waits_for_the_end_of_the_old_order_and_takes_what_is_left() -> None:
    """Fill beats cancel: the partial that arrives with the cancel is not bought again."""
    desk = Desk([leg(1, C, 105)], 10, policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(1)
    assert len(desk.sent) == 1

    desk.tell(*desk.fill(1, 7), f.Canceled(desk.now, 1))

    assert [o.quantity for o in desk.sent] == [10, 3]


def test_a_missing_price_is_waited_for() -> None:
    """No ask, no purchase; it is sent when the quote returns."""
    desk = Desk([leg(1, C, 105)])
    desk.quote(0, 1.0, 0.0)
    desk.open()
    assert desk.sent == []

    desk.quote(0, 1.0, 1.2).at(2)
    assert desk.phase is Phase.OPEN


@pytest.mark.parametrize("env", [Env(paused=True), Env(breaker_open=True), Env(may_open=Refusal("x", "", "", "no"))])
def test_nothing_opens_while_the_gate_is_closed(env: Env) -> None:
    """Paused, breaker open or refused by the risk gate: the deadline ends it without an order."""
    desk = Desk(condor(), env=env)
    desk.open().at(5)

    assert desk.sent == []
    assert desk.phase is Phase.CLOSED


def test_a_gate_that_closes_between_the_waves_rolls_back() -> None:
    """The shorts are not sent, the longs go back: what reduces is never blocked."""
    desk = Desk(condor())
    desk.script = rests(3)
    desk.open()
    desk.env = Env(paused=True)
    desk.tell(*desk.fill(2))
    desk.at(5)

    assert [o.leg for o in desk.sent if o.purpose == "open"] == [1, 3]
    assert desk.nets == [0, 0, 0, 0]
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_a_closed_session_is_waited_for_and_not_tried() -> None:
    """Outside market hours nothing is sent."""
    desk = Desk([leg(1, C, 105)])
    desk.quote(0, 1.0, 1.2, open=False)
    desk.open()

    assert desk.sent == []


def test_opening_orders_are_capped() -> None:
    """A leg that is refused for rate again and again ends in a bounded number of sends."""
    desk = Desk(condor(), policy=Policy(order_timeout=500.0, max_time_to_open=500.0))
    desk.script = rejects(1, 3, reason="rate")
    desk.open()
    for second in range(1, 400):
        desk.at(second)

    assert desk.phase is Phase.CLOSED
    assert len(desk.sent) <= 10


def test_an_overfilled_leg_gives_the_excess_back_and_the_group_opens() -> None:
    """More filled than ordered is legal (trace p15); the group's own excess is reversed."""
    desk = Desk(condor(), 2)
    desk.script = lambda o: [f.Filled(desk.now, o.number, 3, 1.0, 0.0)] if o.number == 1 else None
    desk.open()

    assert desk.nets == [-2, 2, -2, 2]
    assert [(o.leg, str(o.purpose), o.quantity) for o in desk.sent if o.purpose == "excess"] == [(1, "excess", -1)]
    assert desk.phase is Phase.OPEN


def test_an_excess_that_cannot_go_back_yet_is_no_reason_to_roll_back() -> None:
    """Everything that was promised is held; the surplus waits for its bid."""
    desk = Desk([leg(1, C, 105)], 2)
    desk.script = lambda o: [f.Filled(desk.now, o.number, 3, 1.0, 0.0)] if o.number == 1 else None
    desk.quote(0, 0.0, 1.2)
    desk.open().at(10)
    assert desk.nets == [3]
    desk.quote(0, 0.5, 1.2).at(20)

    assert desk.phase is Phase.OPEN
    assert desk.nets == [2]


def test_an_order_that_the_venue_ends_by_itself_is_sent_again() -> None:
    """A cancel nobody asked for is an attempt, bounded by the retries."""
    desk = Desk([leg(1, C, 105)])
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Canceled(desk.now, o.number, "broker")]
    desk.open()
    assert desk.phase is Phase.OPENING
    desk.script = lambda o: None
    desk.at(0.5)

    assert desk.phase is Phase.OPEN


def test_a_venue_without_market_orders_gets_a_limit_through_the_natural_price() -> None:
    """Two ticks beyond, by the ladder's setting."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=Env(takes_market=False))
    desk.script = lambda o: [f.Accepted(desk.now, o.number), *desk.fill(o.number)]
    desk.open()

    assert [(str(o.type), o.limit) for o in desk.sent] == [("limit", 1.22), ("limit", 0.98)]


def test_a_refused_kind_of_order_is_learned() -> None:
    """A market order refused for capability is followed by limits through the natural price."""
    desk = Desk([leg(1, C, 105)])
    desk.script = lambda o: (
        [f.Rejected(desk.now, o.number, "capability", "no market orders")]
        if o.type == "market"
        else [f.Accepted(desk.now, o.number), *desk.fill(o.number)]
    )
    desk.open()

    assert [str(o.type) for o in desk.sent] == ["market", "limit"]
    assert desk.phase is Phase.OPEN


def test_a_venue_that_took_a_market_order_has_not_lost_the_kind() -> None:
    """One leg refused for capability says something of that leg: the group goes back at market."""
    desk = Desk(condor())
    desk.script = rejects(0, reason="capability")
    desk.open()

    assert desk.phase is Phase.CLOSED
    assert {str(o.type) for o in desk.sent} == {"market"}


# --- bars -------------------------------------------------------------------------------------------------

BARS = Env(bar_data=True, bar_seconds=60.0)


def test_with_bars_each_leg_fills_one_bar_after_it_was_sent() -> None:
    """Scenario 3: minute data, limits at mid, COMPLETE and no rollback."""
    desk = Desk(condor(), env=BARS, policy=Policy(ladder=AT_MID))
    desk.script = rests()
    desk.open()
    desk.at(5)
    assert desk.phase is Phase.OPENING
    desk.now = 1060.0
    desk.tell(*desk.fill(1), *desk.fill(2))
    desk.at(66)
    assert desk.phase is Phase.OPENING
    desk.now = 1120.0
    desk.tell(*desk.fill(3), *desk.fill(4))

    assert desk.phase is Phase.OPEN
    assert desk.group.outcome is Outcome.COMPLETE


def test_with_bars_the_wave_ends_once_every_leg_it_works_had_its_bar() -> None:
    """The later of the deadline and one fresh bar."""
    desk = Desk(condor(), env=BARS, policy=Policy(ladder=AT_MID))
    desk.script = rests()
    desk.open()
    desk.now = 1060.0
    desk.quote(1, 1.0, 1.2).pump()
    assert desk.phase is Phase.OPENING

    desk.now = 1120.0
    desk.quote(3, 1.0, 1.2).pump()

    assert desk.phase is Phase.CLOSED


def test_with_bars_a_market_order_keeps_its_five_seconds() -> None:
    """It fills on the data that is there; waiting for a bar would hide a stuck order."""
    desk = Desk([leg(1, C, 105)], env=BARS)
    desk.script = rests()
    desk.open()
    desk.at(5)

    assert desk.phase is Phase.CLOSED


def test_with_bars_every_rung_that_fits_the_deadline_gets_its_bar() -> None:
    """Three rungs of one second each would be tried live; each gets one bar."""
    desk = Desk([leg(1, C, 105)], env=BARS, policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0, last="natural")))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    for minute in range(1, 4):
        desk.now = 1000.0 + 60 * minute
        desk.quote(0, 1.0, 1.2).pump()

    assert [o.limit for o in desk.sent] == [1.1, 1.15, 1.2]
    assert desk.phase is Phase.CLOSED


def test_with_bars_every_rung_of_a_native_combo_gets_its_bar() -> None:
    """A credit: its net prices are negative."""
    env = Env(bar_data=True, combo_market=True, combo_limit=True)
    desk = Desk(condor(), env=env, policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.quote(0, 2.0, 2.2).quote(2, 2.0, 2.2)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    for minute in range(1, 4):
        desk.now = 1000.0 + 60 * minute
        for index, (bid, ask) in enumerate(((2.0, 2.2), (1.0, 1.2), (2.0, 2.2), (1.0, 1.2))):
            desk.quote(index, bid, ask)
        desk.pump()

    assert [o.limit for o in desk.sent if o.leg == 0] == [-2.0, -1.8, -1.6, 0.0]


def test_with_bars_the_legs_of_a_wave_walk_on_their_own() -> None:
    """One leg's bar comes a minute later than the other's: neither ends the wave for the other."""
    desk = Desk([leg(1, C, 105), leg(1, P, 95)], env=BARS, policy=Policy(ladder=Ladder(steps=1, step_seconds=1.0)))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)] if o.type == "limit" else None
    desk.open()
    for minute in range(1, 4):
        desk.now = 1000.0 + 60 * minute
        desk.quote(minute % 2, 1.0, 1.2).pump()
        desk.at(60 * minute + 30)
    desk.now = 1240.0
    desk.quote(0, 1.0, 1.2).pump()

    assert desk.phase is Phase.OPEN


def test_with_bars_a_leg_that_stops_quoting_ends_with_the_cap() -> None:
    """Ten minutes by default."""
    desk = Desk([leg(1, C, 105)], env=BARS, policy=Policy(ladder=AT_MID))
    desk.script = rests()
    desk.open()
    desk.at(599)
    assert desk.phase is Phase.OPENING
    assert desk.wake == 600.0
    desk.at(600)

    assert desk.phase is Phase.CLOSED


# --- net limit --------------------------------------------------------------------------------------------


def net_of(desk: Desk) -> float:
    """What a unit cost, dollars per share."""
    return sum(state.cost for state in desk.group.legs) / 100 / desk.group.spec.units


def test_the_unit_is_never_paid_more_than_its_net_limit() -> None:
    """A debit spread at mid would cost 0.40; the limit is 0.30."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], limit_net=0.30, policy=Policy(ladder=Ladder(last="natural")))
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Filled(desk.now, o.number, 1, o.limit, 0.0)]
    desk.open()

    assert desk.phase is Phase.OPEN
    assert net_of(desk) <= 0.30 + 1e-9


def test_a_net_limit_that_is_met_leaves_the_ladder_alone() -> None:
    """Limits at the ladder's prices when they are good enough."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], limit_net=0.50, policy=Policy(ladder=AT_MID))
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Filled(desk.now, o.number, 1, o.limit, 0.0)]
    desk.open()

    assert [o.limit for o in desk.sent] == [1.1, 0.7]


def test_with_a_net_limit_nothing_is_sent_at_market() -> None:
    """A market ladder becomes limits through the natural price, inside the limit."""
    desk = Desk(condor(), limit_net=-0.10)
    desk.script = lambda o: [f.Accepted(desk.now, o.number), *desk.fill(o.number, price=o.limit)]
    desk.quote(0, 1.0, 1.1).quote(2, 1.0, 1.1).quote(1, 0.2, 0.3).quote(3, 0.2, 0.3)
    desk.open()

    assert {str(o.type) for o in desk.sent} == {"limit"}
    assert net_of(desk) <= -0.10 + 1e-9


# --- native combos ----------------------------------------------------------------------------------------

COMBO = Env(combo_market=True, combo_limit=True)


def test_a_native_combo_is_tried_first_as_one_bundle() -> None:
    """One intent, one order per leg, the same bundle number."""
    desk = Desk(condor(), 2, env=COMBO).open()

    assert [(o.leg, o.quantity, str(o.type)) for o in desk.sent] == [
        (1, 2, "market"), (3, 2, "market"), (0, -2, "market"), (2, -2, "market"),
    ]  # fmt: skip
    assert {o.bundle for o in desk.sent} == {1}
    assert desk.phase is Phase.OPEN


def test_a_capability_refusal_leads_to_independent_legs() -> None:
    """Only after every order of the bundle is terminal."""
    desk = Desk(condor(), env=COMBO)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)] if o.bundle else None
    desk.open()
    desk.tell(*[f.Rejected(desk.now, n, "capability", "no combos") for n in (1, 2, 3)])
    assert len(desk.sent) == 4
    desk.tell(f.Rejected(desk.now, 4, "capability", "no combos"))

    assert [(o.leg, o.bundle) for o in desk.sent[4:]] == [(1, 0), (3, 0), (0, 0), (2, 0)]
    assert desk.phase is Phase.OPEN


def test_a_margin_refusal_of_the_combo_does_not() -> None:
    """The account that cannot carry the combo cannot carry its legs."""
    desk = Desk(condor(), env=COMBO)
    desk.script = lambda o: [f.Rejected(desk.now, o.number, "margin", "no")] if o.bundle else None
    desk.open()

    assert desk.phase is Phase.CLOSED
    assert all(o.bundle for o in desk.sent)


def test_a_broken_combo_is_taken_back_leg_by_leg() -> None:
    """Trace p15: one leg filled, the other rejected."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=COMBO)

    def broken(order: Any) -> Any:
        if not order.bundle:
            return None
        return desk.fill(order.number) if order.leg == 0 else [f.Rejected(desk.now, order.number, "unknown", "x")]

    desk.script = broken
    desk.open()

    assert desk.nets == [0, 0]
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_a_combo_walks_its_net_price_and_is_cancelled_as_one() -> None:
    """Net mid, then net natural: a debit spread of 0.40 by 0.60."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=COMBO, policy=Policy(ladder=Ladder(steps=1, last="natural")))
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    assert {o.limit for o in desk.sent} == {0.4}
    desk.at(1)

    assert desk.cancels == [1, 2]
    assert {(o.limit, o.bundle) for o in desk.sent[2:]} == {(0.6, 3)}
    desk.at(5)
    assert desk.cancels == [1, 2, 3, 4]
    assert desk.phase is Phase.CLOSED


def test_a_group_with_shares_or_a_common_divisor_is_not_sent_as_a_combo() -> None:
    """LEAN refuses ratios with a common divisor; shares stay independent."""
    assert all(not o.bundle for o in Desk([leg(2, C, 105), leg(-2, C, 110)], env=COMBO).open().sent)
    assert all(not o.bundle for o in Desk([leg(100, S), leg(-1, C, 110)], env=COMBO).open().sent)
