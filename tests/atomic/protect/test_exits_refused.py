"""Exits that are refused, never end or are quarantined: back-off, emergency, a person."""

from atomic import facts as f
from atomic.audit import audit_record
from atomic.policy import Policy
from atomic.vocabulary import HoldCause, Outcome, Phase, Purpose
from tests.atomic.bracket_venue import SPY, start
from tests.atomic.protect.rig import ENTRY, STOP, TARGET, one


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


def test_a_position_in_doubt_is_never_sold_by_an_emergency():
    """Held because two histories fit: the stop is refused for good, a person is called, nothing leaves at market."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.tell(f.Held(rig.now, HoldCause.AMBIGUOUS, "two histories fit"))
    rig.refuse[STOP] = ["unknown"] * 9
    rig.end(STOP)
    for _ in range(4):
        rig.after(31)

    assert rig.live(Purpose.EMERGENCY) == []
    assert rig.alerts.count("unprotected") == 1
    assert rig.group.held is HoldCause.AMBIGUOUS


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


def test_a_group_that_was_given_up_is_shown_as_failed_until_it_is_released():
    """What it reached before is no comfort while nothing protects it."""
    executor, venue = start(policy=Policy(emergency_flatten=False))
    venue.refuse = {"sl": ["unknown"] * 3}
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(10):
        venue.pass_seconds(1.0)
    assert (group.state, group.outcome, group.record.outcome) == (Phase.HELD, Outcome.FAILED, Outcome.COMPLETE)
    assert ": failed (" in group.summary()
    assert audit_record(group.record)["outcome"] == "failed"
    group.release()
    assert (group.state, group.outcome) == (Phase.OPEN, Outcome.COMPLETE)


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
