"""Levels that are ours to watch, where the venue takes no second order or no such stop."""

from atomic import facts as f
from tests.atomic.protect.rig import ENTRY, STOP, TARGET, Rig, one, plan


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


def test_a_watched_target_that_the_broker_ends_again_and_again_gives_its_place_back_to_the_stop():
    """Ended unasked as often as the policy tries: the target is given up and the stop rests again."""
    rig = one(reserves_quantity=True)
    rig.fill(ENTRY, 100)
    for _ in range(2):
        rig.after(60, bid=102.1, ask=102.12)
    for _ in range(3):
        rig.end(TARGET)
        rig.after(31)

    assert rig.live(TARGET) == []
    assert rig.stopped == 100


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


def test_a_target_that_may_not_be_tried_again_does_not_take_the_stop_away():
    """Refused as often as the policy tries: its level is seen again and again, the stop stays."""
    rig = one(reserves_quantity=True)
    rig.fill(ENTRY, 100)
    rig.refuse[TARGET] = ["reserved"] * 9
    for _ in range(8):
        rig.after(60, bid=102.1, ask=102.12)
        rig.after(60, bid=102.2, ask=102.22)

    assert rig.stopped == 100
    assert len([line for line in rig.log if line.startswith("submit tp")]) == 3


def test_a_triggered_stop_is_not_sent_again_while_the_last_one_may_fill():
    """The pair shrank while its market order is out: that order is asked to end, no other one leaves beside it."""
    rig = Rig(plan((0.5, None, 99.0), (0.5, None, 98.0), trigger="last"))
    rig.fill(ENTRY, 100)
    rig.stuck.add(STOP)
    for _ in range(2):
        rig.after(60, bid=97.5, ask=97.52, last=97.5)
    rig.tell(f.Adjusted(rig.now, 0, -30, 97.5, "foreign", "sold by hand"))
    rig.after(5)

    assert sum(o.leaves_qty for o in rig.live(STOP)) == 100
    assert len([line for line in rig.log if line.startswith("submit sl")]) == 2
