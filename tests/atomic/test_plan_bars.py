"""Opening on bars: each leg and each rung gets its bar, and a cap ends what stops quoting."""

from __future__ import annotations

from atomic import facts as f
from atomic.plan import Env
from atomic.policy import AT_MID, Ladder, Policy
from atomic.vocabulary import Outcome, Phase
from tests.atomic.desk import C, Desk, P, condor, leg, rests

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
