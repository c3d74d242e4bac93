"""Unwinding, closing, giving up (DESIGN §3 "Unwinding and closing", "When we give up")."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.model import HoldCause, Outcome, Phase, Quote
from atomic.plan import Env
from atomic.policy import Ladder, Policy
from tests.atomic.desk import C, Desk, P, S, condor, leg, rejects, rests

CLOSING = ("close", "unwind")


def opened(legs: Any = None, units: int = 1, **options: Any) -> Desk:
    """A group that stands open, with its record of sends emptied."""
    desk = Desk(legs or condor(), units, **options).open()
    assert desk.phase is Phase.OPEN
    desk.sent.clear()
    return desk


def close(desk: Desk) -> Desk:
    """The owner asks for the close."""
    return desk.tell(f.CloseAsked(desk.now, "bell"))


def resting(order: Any) -> Any:
    """A broker at which everything rests."""
    return [f.Accepted(order.sent_at, order.number)]


def test_shorts_are_bought_back_before_their_cover_is_sold() -> None:
    """Purchases first; a long leaves only when the short it covers is terminal."""
    desk = opened(units=2)
    desk.script = lambda o: resting(o) if o.leg == 0 else None
    close(desk)

    assert [(o.leg, o.quantity) for o in desk.sent] == [(0, 2), (2, 2), (3, -2)]
    assert desk.nets == [-2, 2, 0, 0]
    desk.tell(*desk.fill(5, 1))
    assert desk.nets == [-1, 1, 0, 0]  # one short back, one cover gone
    desk.tell(*desk.fill(5, 2))

    assert desk.nets == [0, 0, 0, 0]
    assert desk.group.outcome is Outcome.CLOSED


def test_a_group_ends_only_when_its_own_fills_say_so() -> None:
    """A close that was sent is not a close."""
    desk = opened()
    desk.script = resting
    close(desk)

    assert desk.phase is Phase.CLOSING
    assert desk.group.outcome is Outcome.COMPLETE


def test_rejected_reductions_are_backed_off() -> None:
    """Half a second, then a second."""
    desk = opened()
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    assert desk.wake == 0.5
    desk.at(0.4)
    assert sum(o.leg == 0 for o in desk.sent) == 1
    desk.at(0.5)
    assert sum(o.leg == 0 for o in desk.sent) == 2
    assert desk.wake == 1.5


def test_three_failures_lead_to_the_emergency_and_three_more_to_a_person() -> None:
    """Emergency orders are market orders; HELD comes with a P0 alert and names the refusal."""
    desk = opened()
    desk.script = rejects(0, purposes=(*CLOSING, "emergency"))
    close(desk)
    for second in range(1, 60):
        desk.at(second / 2)

    assert [str(o.purpose) for o in desk.sent if o.leg == 0] == ["close"] * 3 + ["emergency"] * 3
    assert desk.phase is Phase.HELD
    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert desk.nets == [-1, 1, 0, 0]  # what could go has gone, the cover stays
    assert desk.alerts[-1].severity == 0
    assert len(desk.sent) < 12


def test_a_hold_that_a_person_decides_is_not_overtaken_by_the_emergency() -> None:
    """Where two histories fit, the last order's failure must not sell what may be somebody else's."""
    desk = opened([leg(1, C, 105)])
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    desk.at(0.5)
    desk.script = resting
    desk.at(1.5)
    third = desk.sent[-1].number
    desk.tell(f.Held(desk.now, HoldCause.AMBIGUOUS, "more than one history fits"))
    desk.tell(f.Canceled(desk.now, third, "complete at the broker"))
    for second in range(2, 20):
        desk.at(second)

    assert len(desk.sent) == 3
    assert desk.group.held is HoldCause.AMBIGUOUS
    assert not desk.group.emergency


@pytest.mark.parametrize("cause", [HoldCause.AMBIGUOUS, HoldCause.BREAK])
def test_an_emergency_under_way_ends_where_the_position_is_not_known(cause: HoldCause) -> None:
    """Nothing more is sold on books that are in doubt, until an operator flattens."""
    desk = opened([leg(1, C, 105)])
    desk.script = rejects(0, purposes=(*CLOSING, "emergency"))
    close(desk)
    while not desk.group.emergency:
        desk.at(desk.now + 0.5)
    sent = len(desk.sent)
    desk.tell(f.Held(desk.now, cause, "the account shows something else"))
    desk.script = lambda o: None
    for _ in range(20):
        desk.at(desk.now + 1.0)
    assert len(desk.sent) == sent

    desk.tell(f.CloseAsked(desk.now, "flatten"), f.Emergency(desk.now, "flatten"))
    assert desk.nets == [0]


def test_without_emergency_flatten_a_person_decides_after_three() -> None:
    """The switch of REQUIREMENTS A4."""
    desk = opened(policy=Policy(emergency_flatten=False))
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    for second in range(1, 20):
        desk.at(second)

    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert {str(o.purpose) for o in desk.sent} == {"close"}


def test_a_released_group_tries_again() -> None:
    """The operator's release clears the attempts."""
    desk = opened(policy=Policy(emergency_flatten=False))
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    for second in range(1, 20):
        desk.at(second)
    desk.script = lambda o: None
    desk.tell(f.Released(desk.now, "broker is back"))

    assert desk.phase is Phase.CLOSED


def test_fill_beats_cancel_also_after_the_group_has_ended() -> None:
    """A fill after the end reopens the group, which goes back to nothing."""
    desk = Desk([leg(1, C, 105)])
    desk.script = rests()
    desk.open().at(5)
    assert desk.phase is Phase.CLOSED

    desk.tell(*desk.fill(1))

    assert desk.phase is Phase.CLOSED
    assert desk.nets == [0]
    assert [o.quantity for o in desk.sent] == [1, -1]


def test_a_leg_with_an_order_that_may_fill_gets_no_second_one() -> None:
    """Also while its cancel is pending: the fill could come twice."""
    desk = Desk([leg(1, C, 105)], 2)
    desk.script = rests()
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    f.apply(desk.group, desk.fill(1, 1)[0])
    desk.at(5)
    assert desk.phase is Phase.UNWINDING
    assert len(desk.sent) == 1

    desk.tell(f.Canceled(desk.now, 1))

    assert [o.quantity for o in desk.sent] == [2, -1]
    assert desk.phase is Phase.CLOSED


def test_a_refused_cancel_is_asked_again_after_a_pause() -> None:
    """LEAN live answers -32 to an order that is still NEW; the order goes on working."""
    desk = Desk([leg(1, C, 105)])
    desk.script = rests()
    desk.open()
    desk.on_cancel = lambda o: [f.CancelRefused(desk.now, o.number, -32, "new")]
    desk.at(5)
    assert desk.cancels == [1]
    assert desk.wake == 5.5
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x"), f.Canceled(desk.now, o.number)]
    desk.at(5.5)

    assert desk.phase is Phase.CLOSED


def test_a_cancel_without_an_end_is_quarantined() -> None:
    """The leg gets no other order, its cover is kept, a person is told; the rest goes back."""
    desk = Desk(condor())
    desk.script = rests(0)
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(5)
    assert desk.nets == [0, 1, 0, 0]
    assert desk.wake == 50.0
    desk.at(50)

    assert desk.phase is Phase.HELD
    assert desk.group.held is HoldCause.QUARANTINE
    assert desk.nets == [0, 1, 0, 0]
    assert desk.alerts[-1].code == "held"

    desk.tell(*desk.fill(3))  # it fills after all

    assert desk.phase is Phase.CLOSED
    assert desk.nets == [0, 0, 0, 0]


def test_a_quarantined_order_that_ends_frees_the_group() -> None:
    """Only an end that the broker confirms frees the slot."""
    desk = Desk(condor())
    desk.script = rests(0)
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(5).at(50).tell(f.Canceled(desk.now, 3))

    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_a_venue_that_answers_late_ends_the_quarantine() -> None:
    """The cancel was refused after all: it is asked for again, and its end frees the group."""
    desk = Desk([leg(1, C, 105)])
    desk.script = rests()
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(5).at(66)
    assert desk.group.held is HoldCause.QUARANTINE
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x"), f.Canceled(desk.now, o.number)]
    desk.tell(f.CancelRefused(desk.now, 1, -32, "new"))
    assert desk.wake == 66.0 + 45.0
    desk.at(111)

    assert desk.phase is Phase.CLOSED


def test_an_order_that_can_neither_be_filled_nor_cancelled_is_quarantined() -> None:
    """Trace p15: every cancel is refused."""
    desk = Desk([leg(1, C, 105)])
    desk.script = rests()
    desk.open()
    desk.on_cancel = lambda o: [f.CancelRefused(desk.now, o.number, -9, "x")]
    for second in range(5, 400):
        desk.at(second)

    assert desk.group.held is HoldCause.QUARANTINE
    assert len(desk.cancels) < 20
    assert len(desk.sent) == 1


def test_between_bars_a_cancel_may_take_two_bars() -> None:
    """In a minute backtest a cancel sent between bars ends only with the next one."""
    desk = Desk([leg(1, C, 105)], env=Env(bar_data=True))
    desk.script = rests()
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(5).at(60)

    assert desk.phase is Phase.UNWINDING


def test_a_long_without_a_bid_is_kept_and_sold_when_one_returns() -> None:
    """No order is left resting that could outlive its purpose (trace p17)."""
    desk = opened()
    desk.quote(1, 0.0, 0.05)
    close(desk)
    assert desk.nets == [0, 1, 0, 0]
    assert desk.working == []
    assert desk.phase is Phase.CLOSING
    assert [(a.code, "90" in a.text) for a in desk.alerts[-1:]] == [("bidless-long", True)]

    desk.quote(1, 0.05, 0.1).at(60)

    assert desk.phase is Phase.CLOSED


def test_in_a_backtest_a_stale_bid_is_no_bid() -> None:
    """LEAN lets a market order into data older than an hour rest; it is sent with the next fresh bar instead."""
    desk = opened(env=Env(bar_data=True))
    for index in (0, 2, 3):
        desk.now = 5000.0
        desk.quote(index, 1.0, 1.2)
    close(desk)
    assert desk.nets == [0, 1, 0, 0]
    assert desk.working == []
    assert [a.code for a in desk.alerts[-1:]] == ["bidless-long"]
    desk.quote(1, 0.1, 0.2).pump()

    assert desk.phase is Phase.CLOSED


def test_a_long_without_a_bid_may_be_offered_at_one_tick() -> None:
    """Policy "offer": a limit, never a market order."""
    desk = opened(policy=Policy(bidless="offer"))
    desk.quote(1, 0.0, 0.05)
    desk.script = lambda o: resting(o) if o.leg == 1 else None
    close(desk)

    assert desk.working == [(1, "close", -1, 0.01)]


def test_a_kept_long_that_expires_ends_the_group() -> None:
    """EXPIRED, with its settlement."""
    desk = opened()
    desk.quote(1, 0.0, 0.05)
    close(desk)
    desk.tell(f.Settled(desk.now, 1, 0.0, "expiry"))

    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.EXPIRED


def test_a_short_without_an_ask_waits_and_crosses_when_it_returns() -> None:
    """Price missing: its cover stays too."""
    desk = opened()
    desk.quote(0, 0.9, 0.0)
    close(desk)
    assert desk.nets == [-1, 1, 0, 0]
    desk.quote(0, 0.9, 1.5).at(1)

    assert desk.phase is Phase.CLOSED


def test_a_closed_session_is_waited_for() -> None:
    """Outside market hours it waits, it does not retry."""
    desk = opened()
    for symbol, quote in desk.quotes.items():
        desk.quotes[symbol] = quote._replace(open=False)
    close(desk).at(3600)
    assert desk.sent == []
    assert desk.phase is Phase.CLOSING
    for symbol, quote in desk.quotes.items():
        desk.quotes[symbol] = quote._replace(open=True)
    desk.at(7200)

    assert desk.phase is Phase.CLOSED


def test_a_margin_refusal_that_leans_on_our_long_names_the_other_group() -> None:
    """LEAN margins the book: another group's short leans on our long."""
    long = condor()[1].symbol
    desk = opened(env=Env(leaned_on={long: "strangle-000004"}))
    desk.script = rejects(1, purposes=CLOSING)
    close(desk)

    assert desk.group.held is HoldCause.LEANED_ON
    assert "strangle-000004" in desk.group.held_why
    assert desk.nets == [0, 1, 0, 0]


@pytest.mark.parametrize("env", [Env(paused=True), Env(breaker_open=True), Env(tokens=0)])
def test_what_reduces_is_never_blocked(env: Env) -> None:
    """Pause, breaker and a full rate stop openings only."""
    desk = opened()
    desk.env = env
    close(desk)

    assert desk.phase is Phase.CLOSED


def test_unwinding_walks_its_ladder_and_ends_in_the_emergency() -> None:
    """Mid, natural, and at the top new prices; after three of these: at market."""
    policy = Policy(unwind_ladder=Ladder(steps=1, step_seconds=1.0, last="natural"))
    desk = opened([leg(1, C, 105)], policy=policy)
    desk.script = resting
    close(desk)
    for second in range(1, 60):
        desk.quote(0, 1.0 - second / 100, 1.2 - second / 100)
        desk.at(second)

    kinds = [(str(o.type), str(o.purpose)) for o in desk.sent]
    assert kinds[:2] == [("limit", "close")] * 2
    assert kinds[-1] == ("market", "emergency")
    assert desk.sent[0].limit == 1.1
    assert desk.sent[1].limit < 1.0
    assert len(kinds) == 5


def test_without_the_emergency_the_last_price_is_left_standing() -> None:
    """A person decides; the order at the last price may still fill."""
    policy = Policy(unwind_ladder=Ladder(steps=1, step_seconds=1.0, last="natural"), emergency_flatten=False)
    desk = opened([leg(1, C, 105)], policy=policy)
    desk.script = resting
    close(desk)
    for second in range(1, 60):
        desk.quote(0, 1.0 - second / 100, 1.2 - second / 100)
        desk.at(second)

    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert len(desk.working) == 1
    desk.tell(*desk.fill(desk.sent[-1].number))
    assert desk.phase is Phase.CLOSED


def test_an_order_at_the_top_stays_while_its_price_is_still_right() -> None:
    """No cancel and no send when nothing would change."""
    policy = Policy(unwind_ladder=Ladder(steps=1, step_seconds=1.0, last="natural"))
    desk = opened([leg(1, C, 105)], policy=policy)
    desk.script = resting
    close(desk)
    for second in range(1, 60):
        desk.at(second)

    assert [o.limit for o in desk.sent] == [1.1, 1.0]


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


def test_a_reduction_that_is_never_acknowledged_must_end_before_another_is_sent() -> None:
    """Silence after the send: cancel, and when that brings no end either, quarantine."""
    desk = opened([leg(1, C, 105)])
    desk.script = lambda o: []
    close(desk)
    assert desk.wake == 45.0
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(45)
    assert desk.cancels == [2]
    assert desk.wake == 90.0
    desk.at(90)
    assert desk.group.held is HoldCause.QUARANTINE
    desk.script = lambda o: None
    desk.tell(f.Canceled(desk.now, 2))

    assert desk.phase is Phase.CLOSED


def test_a_market_reduction_that_rests_is_left_alone_and_named() -> None:
    """LEAN's market order may rest on stale data: a second one would not be better."""
    desk = opened([leg(1, C, 105)])
    desk.script = resting
    close(desk)
    desk.at(45)

    assert desk.cancels == []
    assert [a.code for a in desk.alerts] == ["reduction-stalled"]


def test_of_two_orders_in_one_slot_the_second_goes() -> None:
    """An order thought withdrawn that was out after all."""
    desk = opened([leg(1, C, 105)])
    for fact in (
        f.CloseAsked(desk.now, "x"),
        f.Intended(desk.now, 2, 0, "close", 0, -1, "market", 0.0, 0.0, "t2", 0),
        f.Withdrawn(desk.now, 2, "not seen"),
        f.Intended(desk.now, 3, 0, "close", 0, -1, "market", 0.0, 0.0, "t3", 0),
        f.Sent(desk.now, 3),
        f.Accepted(desk.now, 3),
        f.Accepted(desk.now, 2),
    ):
        f.apply(desk.group, fact)
    desk.pump()

    assert desk.cancels == [2]
    assert desk.sent == []


# --- moved from outside -----------------------------------------------------------------------------------


def test_adjust_keeps_the_units_that_are_still_complete() -> None:
    """One of three longs was sold by hand: two units stay."""
    desk = opened([leg(1, C, 110), leg(-1, C, 105)], 3)
    desk.tell(f.Adjusted(desk.now, 0, -1, 1.0, "foreign", "x"))

    assert desk.nets == [2, -2]
    assert desk.phase is Phase.OPEN
    assert desk.group.outcome is Outcome.PARTIAL_UNITS


def test_unwind_takes_everything_back_when_something_moved() -> None:
    """Policy "unwind"."""
    desk = opened([leg(1, C, 110), leg(-1, C, 105)], 3, policy=Policy(on_outside="unwind"))
    desk.tell(f.Adjusted(desk.now, 0, -1, 1.0, "foreign", "x"))

    assert desk.nets == [0, 0]
    assert desk.phase is Phase.CLOSED


def test_hold_asks_a_person_once_when_something_moved() -> None:
    """Policy "hold": after the release it is not asked again for the same picture."""
    desk = opened([leg(1, C, 110), leg(-1, C, 105)], 3, policy=Policy(on_outside="hold"))
    desk.tell(f.Adjusted(desk.now, 0, -1, 1.0, "foreign", "x"))
    assert desk.group.held is HoldCause.POLICY
    assert desk.sent == []
    desk.tell(f.Released(desk.now, "seen"))

    assert desk.phase is Phase.OPEN
    assert desk.sent == []


@pytest.mark.parametrize(("policy", "phase"), [("adjust", Phase.HELD), ("hold", Phase.HELD), ("unwind", Phase.CLOSED)])
def test_a_split_is_not_traded_away(policy: str, phase: Phase) -> None:
    """The ratios of the unit say nothing any more: a person looks, or everything goes."""
    desk = opened([leg(100, S), leg(-1, C, 105)], policy=Policy(on_outside=policy))
    desk.tell(f.Adjusted(desk.now, 0, 100, 0.0, "split", "2:1"))
    assert desk.phase is phase
    if phase is Phase.HELD:
        desk.tell(f.Released(desk.now, "seen"))
        assert desk.sent == []
        close(desk)

    assert desk.nets == [0, 0]


def test_an_early_assignment_takes_the_shares_into_the_group_and_back() -> None:
    """Scenario 10: the resting close is cancelled, nothing flips, the shares belong to the group."""
    desk = opened()
    desk.script = lambda o: resting(o) if o.leg == 2 else None
    close(desk)
    shares = ["XYZ", 0, "S", 0.0, "", "XYZ", 1.0, 0.01, "XYZ"]
    desk.quotes["XYZ"] = Quote(104.9, 105.1, 105.0, desk.now)
    for fact in (f.Adjusted(desk.now, 2, 1, 0.0, "assignment", "x"), f.Delivered(desk.now, shares, -100, 105.0, "x")):
        f.apply(desk.group, fact)
    desk.pump()

    assert [desk.group.orders[n].leg for n in desk.cancels] == [2]
    assert [state.net for state in desk.group.legs] == [0, 0, 0, 0, 0]
    assert desk.phase is Phase.CLOSED
    assert [(o.leg, o.quantity) for o in desk.sent if o.leg == 4] == [(4, 100)]


def test_delivered_short_shares_lean_on_the_long_call() -> None:
    """The call that covers short shares is sold after them."""
    desk = opened([leg(1, C, 110), leg(-1, C, 105)])
    shares = ["XYZ", 0, "S", 0.0, "", "XYZ", 1.0, 0.01, "XYZ"]
    desk.quotes["XYZ"] = Quote(104.9, 105.1, 105.0, desk.now)
    desk.script = lambda o: resting(o) if o.leg == 2 else None
    for fact in (f.Adjusted(desk.now, 1, 1, 0.0, "assignment", "x"), f.Delivered(desk.now, shares, -100, 105.0, "x")):
        f.apply(desk.group, fact)
    desk.pump()

    assert desk.working == [(2, "unwind", 100, 0.0)]
    assert desk.group.legs[0].net == 1


def test_expiry_of_all_legs_ends_the_group_without_an_order() -> None:
    """One by one, the same day: nothing is sent in between."""
    desk = opened()
    for index in range(4):
        desk.tell(f.Settled(desk.now, index, 0.0, "expiry"))

    assert desk.sent == []
    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.EXPIRED


@pytest.mark.parametrize(("policy", "net", "phase"), [("unwind", 0, Phase.CLOSED), ("keep", 1, Phase.OPEN),
                                                      ("hold", 1, Phase.HELD)])  # fmt: skip
def test_the_end_of_the_near_leg_has_a_policy(policy: str, net: int, phase: Phase) -> None:
    """A calendar whose near leg expired."""
    legs = [leg(1, C, 100, "2016-01-15"), leg(-1, C, 100)]
    desk = opened(legs, policy=Policy(on_expiry=policy))
    desk.tell(f.Settled(desk.now, 1, 0.0, "expiry"))

    assert desk.nets == [net, 0]
    assert desk.phase is phase


def test_an_owner_can_close_while_opening() -> None:
    """Before it is open a close is a rollback."""
    desk = Desk(condor())
    desk.script = rests(3)
    desk.open()
    close(desk)

    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_a_requested_hold_sends_nothing() -> None:
    """The owner's hold: reducing orders that stand stay, nothing new leaves."""
    desk = opened()
    desk.script = lambda o: resting(o) if o.leg == 0 else None
    close(desk)
    desk.tell(f.Held(desk.now, "requested", "wait"))
    sent = len(desk.sent)
    desk.at(100)

    assert len(desk.sent) == sent
    assert desk.working == [(0, "close", 1, 0.0)]


def test_reducing_orders_have_a_cap_of_their_own() -> None:
    """A broker that ends every order unasked cannot make us send for ever."""
    desk = opened(policy=Policy(max_sends=10, rollback_attempts=100))
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Canceled(desk.now, o.number, "broker")]
    close(desk)
    for second in range(1, 2000, 5):
        desk.at(second)

    assert desk.phase is Phase.HELD
    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert len(desk.sent) <= 12


def test_shares_are_kept_until_the_calls_they_cover_are_back() -> None:
    """Closing a covered call: the call first."""
    desk = opened([leg(100, S), leg(-1, C, 105)], 2)
    close(desk)

    assert [(o.leg, o.quantity) for o in desk.sent] == [(1, 2), (0, -200)]


def test_short_shares_are_kept_until_the_puts_they_cover_are_back() -> None:
    """Closing a covered put: the put first."""
    desk = opened([leg(-100, S), leg(-1, P, 95)], policy=Policy(allow_naked=True))
    close(desk)

    assert [(o.leg, o.quantity) for o in desk.sent] == [(1, 1), (0, 100)]
