"""Stops that move: break-even, trailing, by the owner; the position is stopped at every moment."""

from dataclasses import replace

import pytest

from atomic import facts as f
from atomic.protect import Level
from tests.atomic.protect.rig import ENTRY, STOP, TARGET, Rig, one, plan


def test_break_even_moves_the_second_stop_to_the_entry_when_the_first_target_is_done():
    """After the first target the rest cannot lose: its stop goes to the entry's average price."""
    rig = Rig(plan((0.5, 101.0, 99.0), (0.5, 102.0, 99.0), break_even_after=1))
    rig.fill(ENTRY, 100, 100.0)
    assert [o.stop for o in rig.live(STOP)] == [99.0, 99.0]
    rig.fill(TARGET, 20, 101.0, rung=0)
    assert sorted((o.leaves_qty, o.stop) for o in rig.live(STOP)) == [(30, 99.0), (50, 99.0)]
    rig.fill(TARGET, 30, 101.0, rung=0)

    assert [(o.leaves_qty, o.stop) for o in rig.live(STOP)] == [(50, 100.0)]


def test_a_first_pair_that_ended_by_its_stop_moves_no_other_stop():
    """Break-even is for gains: a stopped pair is none."""
    rig = Rig(plan((0.5, 101.0, 99.5), (0.5, 102.0, 99.0), break_even_after=1))
    rig.fill(ENTRY, 100, 100.0)
    rig.fill(STOP, 50, 99.5, rung=0)

    assert [(o.leaves_qty, o.stop) for o in rig.live(STOP)] == [(50, 99.0)]


@pytest.mark.parametrize("told", [True, False])
def test_where_the_broker_reserves_the_old_stop_goes_before_the_new_one_is_sent(told):
    """Known from the venue or learned by a refusal: two stops for one position would be refused."""
    rig = one(takes_replace=False, reserves_quantity=told)
    rig.refuse[TARGET] = [] if told else ["reserved"]
    rig.fill(ENTRY, 100)
    rig.log.clear()
    rig.tell(f.Remembered(rig.now, "stop.0", 99.5))

    assert rig.log == ["cancel sl.0", "submit sl.0 -100 @99.5"]


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back():
    """The stop ratchets with the bid in steps and stands when the price falls."""
    rig = Rig(plan((1.0, None, 99.0), trail=Level(offset=1.0), trail_step=0.1))
    rig.fill(ENTRY, 100, 100.0)
    rig.after(60, bid=101.5, ask=101.52)
    assert rig.live(STOP)[0].stop == 100.5
    rig.after(60, bid=100.8, ask=100.82)

    assert rig.live(STOP)[0].stop == 100.5
    assert rig.stopped == 100


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


def test_under_an_order_rate_stops_leave_before_targets():
    """Two orders may leave and two pairs were filled: both shares are stopped, the targets wait."""
    rig = Rig(plan((0.5, 102.0, 99.0), (0.5, 103.0, 99.0)))
    rig.env = replace(rig.env, tokens=1, reserved=1)
    rig.tell(f.Filled(rig.now, 1, 100, 100.0, 0.0))
    sent = [line.split()[1] for line in rig.log if line.startswith("submit")]

    assert sent[1:3] == ["sl.0", "sl.1"]
