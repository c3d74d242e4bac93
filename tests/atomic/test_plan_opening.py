"""Opening: waves, cover, refusals, gates (DESIGN §3 "Opening")."""

from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.plan import Env
from atomic.policy import AT_MID, Policy
from atomic.ports import Refusal
from atomic.vocabulary import Outcome, Phase
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


@pytest.mark.parametrize(("bar", "opens"), [(60.0, False), (3600.0, True)])
def test_a_limit_order_gets_its_bar_also_where_bars_are_hours(bar: float, opens: bool) -> None:
    """With hourly data nothing that rests fills before the next hour: ten minutes are no end for it there."""
    legs = [leg(1, C, 105)]
    long_bars = {legs[0].symbol: bar} if bar > 60 else {}
    desk = Desk(legs, policy=Policy(ladder=AT_MID), env=Env(bar_data=True, long_bars=long_bars))
    desk.open().at(700.0)
    assert (desk.phase is Phase.OPENING) is opens
    if opens:
        desk.at(3600.0).tell(*desk.fill(1))
        assert desk.phase is Phase.OPEN


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
