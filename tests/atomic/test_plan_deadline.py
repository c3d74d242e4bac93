"""The opening's deadline and what happens there: roll back, complete, hold, keep whole units."""

from __future__ import annotations

from atomic import facts as f
from atomic.policy import AT_MID, Policy
from atomic.vocabulary import Outcome, Phase
from tests.atomic.desk import C, Desk, P, condor, leg, rests


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
