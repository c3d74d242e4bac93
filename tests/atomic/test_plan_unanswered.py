"""Orders whose end the broker does not tell: fill beats cancel, refused cancels, quarantine, silence."""

from __future__ import annotations

from atomic import facts as f
from atomic.plan import Env
from atomic.policy import Ladder, Policy
from atomic.vocabulary import HoldCause, Outcome, Phase
from tests.atomic.desk import C, Desk, close, condor, leg, opened, resting, rests


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


def test_a_cancel_without_an_end_between_two_rungs_is_looked_for() -> None:
    """Long before the opening's deadline: where no data comes, time alone must bring the group back to it."""
    desk = Desk([leg(1, C, 105)], policy=Policy(ladder=Ladder(), order_timeout=100.0))
    desk.script = rests()
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(1)
    assert desk.cancels == [1]
    assert desk.wake == 46.0
    desk.at(46)

    assert desk.group.held is HoldCause.QUARANTINE


def test_a_group_that_stands_sends_nothing_while_held_for_a_quarantine() -> None:
    """Only one on its way back goes on with its other legs; the hold over, what is too much goes back."""
    desk = opened([leg(1, C, 105), leg(-1, C, 110)])
    desk.script = lambda o: []
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.tell(f.Adjusted(desk.now, 0, 1, 1.0, "reconcile", "x")).at(45).at(90)
    assert (desk.group.held, len(desk.sent)) == (HoldCause.QUARANTINE, 1)
    desk.tell(f.Adjusted(desk.now, 1, -1, 1.0, "reconcile", "x"))
    assert len(desk.sent) == 1
    desk.script = lambda o: None
    desk.tell(f.Canceled(desk.now, 3))

    assert (desk.nets, desk.phase) == ([1, -1], Phase.OPEN)


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
