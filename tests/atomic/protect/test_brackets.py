"""Brackets: at every event the exits equal what is filled and not closed."""

import sys
from pathlib import Path

import pytest

from atomic import facts as f
from atomic.model import HoldCause, Outcome, Phase, Purpose
from atomic.policy import Policy
from atomic.protect import ExitPair, ExitPlan, Level, default_pairs

sys.path.insert(0, str(Path(__file__).parent))
from rig import Rig, plan

ENTRY, STOP, TARGET = Purpose.ENTRY, Purpose.STOP, Purpose.TARGET


def one(**more):
    return Rig(plan((1.0, 102.0, 99.0)), **more)


def test_nothing_but_the_entry_works_before_it_fills():
    """Exits never open a position: before the first fill only the entry is out."""
    rig = one()

    assert [o.purpose for o in rig.group.live.values()] == [ENTRY]


def test_a_partial_entry_is_protected_at_once_for_what_it_filled():
    """30 of 100 filled: stop and target for 30."""
    rig = one()
    rig.fill(ENTRY, 30)

    assert rig.stopped == 30
    assert [o.leaves_qty for o in rig.live(TARGET)] == [30]


def test_exits_grow_in_place_with_the_entry():
    """Further fills enlarge stop and target by an update, without a second order."""
    rig = one()
    rig.fill(ENTRY, 30)
    rig.fill(ENTRY, 70)

    assert rig.stopped == 100
    assert len(rig.live(STOP)) == len(rig.live(TARGET)) == 1


def test_an_entry_cancelled_after_a_partial_keeps_its_exits():
    """Peers cancel the children with the parent and leave 30 naked; here 30 stay protected."""
    rig = one()
    rig.fill(ENTRY, 30)
    rig.end(ENTRY)

    assert (rig.open, rig.stopped, rig.group.phase) == (30, 30, Phase.OPEN)
    rig.fill(STOP, 30, 99.0)
    assert rig.done


def test_a_targets_partial_fill_shrinks_the_stop_and_the_rest_keeps_its_stop():
    """Peers cancel the stop with the target's first fill; here 60 keep a stop of 60."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.fill(TARGET, 40, 102.0)

    assert (rig.open, rig.stopped) == (60, 60)
    rig.fill(STOP, 60, 99.0)
    assert rig.done
    assert rig.group.outcome is Outcome.CLOSED


def test_both_exits_filled_on_one_bar_end_flat():
    """LEAN fills both resting exits on one bar (trace p03); the excess is reversed at market at once."""
    rig = one()
    rig.fill(ENTRY, 100)
    stop, target = rig.live(STOP)[0], rig.live(TARGET)[0]
    f.apply(rig.group, f.Filled(rig.now, stop.number, 100, 99.0, 0.0))
    rig.tell(f.Filled(rig.now, target.number, 100, 102.0, 0.0))

    assert rig.open == -100
    assert [(o.purpose, o.quantity) for o in rig.group.live.values()] == [(Purpose.EXCESS, 100)]
    rig.fill(Purpose.EXCESS, 100, 100.0)
    assert rig.done
    assert "exit-excess" in rig.alerts


def test_a_late_fill_of_a_cancelled_target_is_reversed():
    """Fill beats cancel: the stop filled, the target's cancel was confirmed, then it fills 20 after all."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.fill(STOP, 100, 99.0)
    assert rig.done
    rig.fill(TARGET, 20, 102.0)

    assert rig.open == -20
    rig.fill(Purpose.EXCESS, 20)
    assert rig.done


def test_a_late_entry_fill_after_its_cancel_is_protected():
    """An entry that fills after it was cancelled gets its exits all the same."""
    rig = one()
    rig.fill(ENTRY, 30)
    rig.end(ENTRY)
    rig.fill(ENTRY, 10)

    assert (rig.open, rig.stopped) == (40, 40)


def test_two_targets_share_the_entry_and_each_has_its_stop():
    """The default plan: halves at +1 % and +2 %, each with a stop at -1 %."""
    rig = Rig(ExitPlan(default_pairs(), entry=plan((1.0, 1.0, 1.0)).entry), units=101)
    rig.fill(ENTRY, 101, 100.0)

    assert sorted((o.leaves_qty, o.limit) for o in rig.live(TARGET)) == [(50, 102.0), (51, 101.0)]
    assert sorted((o.leaves_qty, o.stop) for o in rig.live(STOP)) == [(50, 99.0), (51, 99.0)]


def test_break_even_moves_the_second_stop_to_the_entry_when_the_first_target_is_done():
    """After the first target the rest cannot lose: its stop goes to the entry's average price."""
    rig = Rig(plan((0.5, 101.0, 99.0), (0.5, 102.0, 99.0), break_even_after=1))
    rig.fill(ENTRY, 100, 100.0)
    rig.fill(TARGET, 50, 101.0, rung=0)

    assert [(o.leaves_qty, o.stop) for o in rig.live(STOP)] == [(50, 100.0)]


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back():
    """The stop ratchets with the bid in steps and stands when the price falls."""
    rig = Rig(plan((1.0, None, 99.0), trail=Level(offset=1.0), trail_step=0.1))
    rig.fill(ENTRY, 100, 100.0)
    rig.after(60, bid=101.5, ask=101.52)
    assert rig.live(STOP)[0].stop == 100.5
    rig.after(60, bid=100.8, ask=100.82)

    assert rig.live(STOP)[0].stop == 100.5
    assert rig.stopped == 100


def test_a_target_refused_for_good_costs_the_target_never_the_stop():
    """Three refusals: the target is given up with an alert, the stop stays (scenario 5)."""
    rig = one()
    rig.refuse[TARGET] = ["unknown"] * 3
    rig.fill(ENTRY, 100)
    for _ in range(4):
        rig.after(31)

    assert rig.stopped == 100
    assert rig.live(TARGET) == []
    assert "target-given-up" in rig.alerts
    assert rig.group.phase is Phase.OPEN


def test_a_stop_refused_is_tried_again_with_back_off():
    """One refusal: the next stop follows after the first delay."""
    rig = one()
    rig.refuse[STOP] = ["unknown"]
    rig.fill(ENTRY, 100)
    assert rig.stopped == 0
    rig.after(0.6)

    assert rig.stopped == 100


def test_a_stop_refused_for_good_ends_in_an_emergency_close():
    """No stop after three attempts: the position is closed at market and a P0 alert is raised."""
    rig = one()
    rig.refuse[STOP] = ["unknown"] * 9
    rig.fill(ENTRY, 100)
    for _ in range(3):
        rig.after(31)

    assert [o.quantity for o in rig.live(Purpose.EMERGENCY)] == [-100]
    assert "emergency-close" in rig.alerts
    rig.fill(Purpose.EMERGENCY, 100, 99.5)
    assert rig.done


def test_without_emergency_flatten_the_group_is_held():
    """The policy may leave the decision to a person."""
    rig = one(policy=Policy(emergency_flatten=False))
    rig.refuse[STOP] = ["unknown"] * 9
    rig.fill(ENTRY, 100)
    for _ in range(3):
        rig.after(31)

    assert (rig.group.phase, rig.group.held) == (Phase.HELD, HoldCause.REFUSED_BEYOND_CAPS)


def test_an_emergency_close_that_is_refused_too_is_held_with_a_p0_alert():
    """When nothing is taken any more a person is called."""
    rig = one()
    rig.refuse = {STOP: ["unknown"] * 99, Purpose.EMERGENCY: ["unknown"] * 99}
    rig.fill(ENTRY, 100)
    for _ in range(12):
        rig.after(31)

    assert rig.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert "unprotected" in rig.alerts


def test_a_stop_that_somebody_else_cancelled_is_replaced_at_once():
    """The broker ends the stop unasked: the next answer has a new one."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.end(STOP)

    assert rig.stopped == 100


def test_a_position_reduced_by_hand_shrinks_the_exits():
    """40 sold from outside: exits protect 60."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.tell(f.Adjusted(rig.now, 0, -40, 100.0, "foreign", "manual order"))

    assert (rig.open, rig.stopped) == (60, 60)
    assert rig.live(TARGET)[0].leaves_qty == 60


def test_a_position_closed_by_hand_takes_its_exits_along():
    """Nothing left to protect: exits are cancelled and the group ends."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.tell(f.Adjusted(rig.now, 0, -100, 100.0, "foreign", "manual order"))

    assert rig.done


def test_the_owners_close_is_sent_before_the_stop_goes():
    """A close works before the stop is cancelled; the stop never leaves a gap."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.log.clear()
    rig.tell(f.CloseAsked(rig.now, "owner"))

    assert rig.log[0].startswith("cancel tp") or rig.log[0].startswith("submit close")
    assert rig.log.index("submit close.0 -100 @0") < rig.log.index("cancel sl.0")
    rig.fill(Purpose.CLOSE, 100, 100.5)
    assert rig.done


def test_closing_waits_for_the_session_under_its_stop():
    """Market closed: the close waits, the stop stays."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.quote = rig.quote._replace(open=False)
    rig.tell(f.CloseAsked(rig.now, "owner"))

    assert rig.live(Purpose.CLOSE) == []
    assert rig.stopped == 100


def test_a_long_option_without_a_bid_is_kept_and_named_not_sold_at_market():
    """No bid: no market sale that would rest and fill later (trace p17); with a bid it is closed."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.group.legs[0].spec = rig.option_terms()
    rig.quote = rig.quote._replace(bid=0.0)
    rig.tell(f.CloseAsked(rig.now, "owner"))
    assert rig.live(Purpose.CLOSE) == []
    assert "bidless-long" in rig.alerts
    rig.after(60, bid=100.0)

    assert [o.quantity for o in rig.live(Purpose.CLOSE)] == [-100]


def test_a_time_exit_closes_at_its_moment():
    """At the given time the position is closed at market."""
    rig = Rig(plan((1.0, 102.0, 99.0), time_exit=500.0))
    rig.fill(ENTRY, 100)
    rig.after(600)

    assert [o.quantity for o in rig.live(Purpose.CLOSE)] == [-100]


def test_an_entry_that_times_out_is_cancelled_and_what_filled_stays_protected():
    """After its time-out the rest of a resting entry goes, the filled part keeps its exits."""
    rig = Rig(plan((1.0, 102.0, 99.0), entry_timeout=60.0))
    rig.fill(ENTRY, 30)
    rig.after(61)

    assert rig.live(ENTRY) == []
    assert (rig.open, rig.stopped, rig.group.phase) == (30, 30, Phase.OPEN)


def test_move_stop_is_an_update_where_the_venue_takes_one():
    """One order, new price, no gap."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.tell(f.Remembered(rig.now, "stop.0", 99.5))

    assert [o.stop for o in rig.live(STOP)] == [99.5]
    assert rig.log[-1] == "replace sl.0 -100 @99.5"


@pytest.mark.parametrize("refused", [True, False])
def test_move_stop_without_updates_sends_the_new_stop_before_the_old_one_goes(refused):
    """Where updates are refused or not taken, the position is stopped at every moment."""
    rig = one(takes_replace=refused)
    rig.refuse_updates = refused
    rig.fill(ENTRY, 100)
    rig.log.clear()
    rig.tell(f.Remembered(rig.now, "stop.0", 99.5))

    assert rig.log[-2:] == ["submit sl.0 -100 @99.5", "cancel sl.0"]
    assert [o.stop for o in rig.live(STOP)] == [99.5]


def test_a_new_stop_that_is_refused_leaves_the_old_one_working():
    """A move that fails three times is given up with an alert; the old stop protects on."""
    rig = one(takes_replace=False)
    rig.fill(ENTRY, 100)
    rig.refuse[STOP] = ["price"] * 9
    rig.tell(f.Remembered(rig.now, "stop.0", 101.0))
    for _ in range(5):
        rig.after(31)

    assert [o.stop for o in rig.live(STOP)] == [99.0]
    assert "stop-not-moved" in rig.alerts
    assert not rig.group.emergency


@pytest.mark.parametrize("updates", [True, False])
def test_after_a_move_that_was_given_up_the_stop_follows_the_net_and_the_next_move(updates):
    """The refused level is forgotten: the stop shrinks where it stands, and a level that is taken is carried out."""
    rig = one(takes_replace=updates)
    rig.refuse_updates = updates
    rig.fill(ENTRY, 100)
    rig.refuse[STOP] = ["price"] * 3
    rig.tell(f.Remembered(rig.now, "stop.0", 101.0))
    for _ in range(5):
        rig.after(31)
    assert [(o.stop, o.leaves_qty) for o in rig.live(STOP)] == [(99.0, 100)]
    rig.fill(TARGET, 40, 102.0)
    assert [(o.stop, o.leaves_qty) for o in rig.live(STOP)] == [(99.0, 60)]
    rig.tell(f.Remembered(rig.now, "stop.0", 99.5))

    assert [(o.stop, o.leaves_qty) for o in rig.live(STOP)] == [(99.5, 60)]
    assert rig.alerts.count("stop-not-moved") == 1


def test_a_level_that_is_asked_for_again_after_it_was_given_up_is_tried_again():
    """The owner may insist on the same level; each time it is given up after three refusals."""
    rig = one(takes_replace=False)
    rig.fill(ENTRY, 100)
    for _ in range(2):
        rig.refuse[STOP] = ["price"] * 9
        rig.tell(f.Remembered(rig.now, "stop.0", 101.0))
        for _ in range(5):
            rig.after(31)
        assert len(rig.refuse[STOP]) == 6
        assert [o.stop for o in rig.live(STOP)] == [99.0]
    rig.refuse.clear()
    rig.tell(f.Remembered(rig.now, "stop.0", 101.0))

    assert [o.stop for o in rig.live(STOP)] == [101.0]
    assert rig.alerts.count("stop-not-moved") == 2


def test_a_trailing_stop_that_cannot_be_moved_is_given_up_once_and_still_follows_the_net():
    """A refused trail is not tried without end; the stop stays where it stands."""
    rig = Rig(plan((1.0, 110.0, 99.0), trail=Level(offset=1.0), trail_step=0.5), takes_replace=False)
    rig.fill(ENTRY, 100)
    rig.refuse[STOP] = ["price"] * 50
    for n in range(40):
        rig.after(31, bid=101.0 + n / 10, ask=101.02 + n / 10)
    assert [o.stop for o in rig.live(STOP)] == [99.0]
    assert len(rig.refuse[STOP]) >= 44
    assert rig.alerts.count("stop-not-moved") == 1


def test_where_the_broker_reserves_only_the_stop_rests_and_the_target_is_watched():
    """Second closing order refused: the target becomes watched, triggers on two sightings, ends flat (scenario 6)."""
    rig = one()
    rig.refuse[TARGET] = ["reserved"]
    rig.fill(ENTRY, 100)
    assert rig.live(TARGET) == []
    rig.after(60, bid=102.1, ask=102.12)
    assert rig.stopped == 100
    rig.after(60, bid=102.2, ask=102.22)

    assert [(o.purpose, o.quantity) for o in rig.group.live.values()] == [(TARGET, -100)]
    rig.fill(TARGET, 100, 102.2)
    assert rig.done


def test_a_watched_target_that_is_refused_gives_its_place_back_to_the_stop():
    """The triggered close was refused: the stop is placed again at once."""
    rig = one(reserves_quantity=True)
    rig.fill(ENTRY, 100)
    rig.refuse[TARGET] = ["unknown"]
    rig.after(60, bid=102.1, ask=102.12)
    rig.after(60, bid=102.2, ask=102.22)

    assert rig.stopped == 100
    assert rig.open == 100


def test_one_sighting_of_a_watched_level_does_not_trigger():
    """A single bad print leaves the position as it is."""
    rig = one(reserves_quantity=True)
    rig.fill(ENTRY, 100)
    rig.after(60, bid=102.1, ask=102.12)
    rig.after(60, bid=100.1, ask=100.12)
    rig.after(60, bid=102.1, ask=102.12)

    assert rig.stopped == 100


def test_a_watched_stop_closes_at_market_after_two_sightings():
    """A stop on mid is ours to watch: two fresh quotes beyond it close the pair."""
    rig = Rig(plan((1.0, None, 99.0), trigger="mid"))
    rig.fill(ENTRY, 100)
    assert rig.stopped == 0
    rig.after(60, bid=98.8, ask=98.9)
    rig.after(60, bid=98.7, ask=98.8)

    assert [(o.purpose, o.quantity) for o in rig.group.live.values()] == [(STOP, -100)]
    rig.fill(STOP, 100, 98.7)
    assert rig.done


def test_a_stop_the_venue_does_not_take_is_watched():
    """Refused for capability: no emergency, the level is watched and closes the position on two sightings."""
    rig = one()
    rig.refuse[STOP] = ["capability"] * 9
    rig.fill(ENTRY, 100)
    rig.after(60, bid=100.0, ask=100.02)
    assert not rig.group.emergency
    assert rig.alerts == ["stop-watched"]
    assert [o.leaves_qty for o in rig.live(TARGET)] == [100]
    rig.refuse.clear()
    rig.after(60, bid=98.9, ask=98.92)
    rig.after(60, bid=98.8, ask=98.82)

    assert [(o.purpose, o.quantity) for o in rig.group.live.values()] == [(STOP, -100)]
    rig.fill(STOP, 100, 98.8)
    assert rig.done


def test_a_short_bracket_mirrors_everything():
    """Entry sells, stop above buys, target below buys."""
    rig = Rig(plan((1.0, 98.0, 101.0)), units=-100)
    rig.fill(ENTRY, 40)

    assert rig.open == -40
    assert [(o.quantity, o.stop) for o in rig.live(STOP)] == [(40, 101.0)]
    assert [(o.quantity, o.limit) for o in rig.live(TARGET)] == [(40, 98.0)]


def test_a_refused_entry_ends_the_group_without_exits():
    """Nothing filled, nothing to protect: the group ends and says why."""
    rig = Rig(plan((1.0, 102.0, 99.0)), refuse={ENTRY: ["margin"]})

    assert rig.done
    assert (rig.group.outcome, rig.group.reason) == (Outcome.ROLLED_BACK, "scripted")


def test_a_stuck_cancel_is_quarantined_and_held_and_a_late_fill_is_reversed():
    """A target whose cancel never ends keeps its slot; should it fill after all, the excess goes back."""
    rig = one()
    rig.stuck.add(TARGET)
    rig.fill(ENTRY, 100)
    rig.fill(STOP, 100, 99.0)
    rig.after(200)

    assert rig.group.held is HoldCause.QUARANTINE
    rig.fill(TARGET, 100, 102.0)
    assert [(o.purpose, o.quantity) for o in rig.group.live.values()] == [(Purpose.EXCESS, 100)]


def test_a_quarantined_stop_is_asked_to_end_again_although_a_new_one_stands_in_its_place():
    """The cancel of the old stop never ended; once the venue answers again it is ended and the hold is over."""
    rig = one(takes_replace=False)
    rig.fill(ENTRY, 100)
    rig.stuck.add(STOP)
    rig.tell(f.Remembered(rig.now, "stop.0", 99.5))
    rig.after(200)
    assert rig.group.held is HoldCause.QUARANTINE
    assert rig.stopped == 100
    rig.stuck.clear()
    rig.after(200)

    assert rig.group.phase is Phase.OPEN
    assert [o.stop for o in rig.live(STOP)] == [99.5]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Level(), "exactly one"),
        (lambda: Level(price=1.0, percent=0.1), "exactly one"),
        (lambda: Level(percent=-0.1), "positive number"),
        (lambda: ExitPair(0.0, None, Level(price=1.0)), "positive weight"),
        (lambda: ExitPair(1.0, None, None), "target, a stop or both"),
        (lambda: ExitPlan(()), "at least one pair"),
        (lambda: plan((1.0, 2.0, 1.0), trigger="moon"), "give one of"),
    ],
)
def test_bad_levels_are_refused_with_the_cure(make, match):
    """A plan without meaning is refused when it is made."""
    with pytest.raises(ValueError, match=match):
        make()


def test_an_exit_plan_reads_back_from_its_row():
    """What is journaled is what was asked."""
    exits = plan((0.5, 101.0, 99.0), (0.5, None, 98.0), trail=Level(percent=0.01), time_exit=5.0, stop_limit=0.1)

    assert ExitPlan.from_row(exits.row()) == exits
