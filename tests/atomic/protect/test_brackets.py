"""Brackets: at every event the exits equal what is filled and not closed."""

from atomic import facts as f
from atomic.protect import ExitPlan, default_pairs
from atomic.vocabulary import HoldCause, Outcome, Phase, Purpose
from tests.atomic.protect.rig import ENTRY, STOP, TARGET, Rig, one, plan


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


def test_an_entry_that_times_out_is_cancelled_and_what_filled_stays_protected():
    """After its time-out the rest of a resting entry goes, the filled part keeps its exits."""
    rig = Rig(plan((1.0, 102.0, 99.0), entry_timeout=60.0))
    rig.fill(ENTRY, 30)
    rig.after(61)

    assert rig.live(ENTRY) == []
    assert (rig.open, rig.stopped, rig.group.phase) == (30, 30, Phase.OPEN)


def test_what_looks_like_an_excess_is_not_reversed_while_in_doubt() -> None:
    """Held because nobody can tell what it holds: the reversal may have filled unseen, so no second one is sent."""
    rig = Rig(plan((1.0, 102.0, 99.0)))
    rig.fill(ENTRY, 100, 100.0)
    rig.tell(f.Held(rig.now, HoldCause.AMBIGUOUS, "more than one history fits"))
    rig.tell(f.Adjusted(rig.now, 0, -200, 99.0, "foreign", "by hand"))
    assert rig.group.legs[0].net == -100
    assert Purpose.EXCESS not in {o.purpose for o in rig.group.orders.values()}
    rig.tell(f.Released(rig.now, "a person looked"))
    assert [(o.purpose, o.quantity) for o in rig.group.live.values()] == [(Purpose.EXCESS, 100)]
