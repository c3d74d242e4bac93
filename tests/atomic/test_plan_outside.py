"""What moves a group from outside: trades by hand, splits, assignment, expiry."""

from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.model import Quote
from atomic.policy import Policy
from atomic.vocabulary import HoldCause, Outcome, Phase
from tests.atomic.desk import C, S, close, leg, opened, resting


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


def test_what_is_missing_after_a_release_is_not_bought_again() -> None:
    """A leg that was sold whole by hand is short of its goal: reducing never takes a leg away from nothing."""
    desk = opened([leg(1, C, 105), leg(-1, C, 110)], 3, policy=Policy(on_outside="hold", allow_naked=True))
    desk.tell(f.Adjusted(desk.now, 0, -3, 1.0, "foreign", "x"), f.Adjusted(desk.now, 1, 3, 1.0, "foreign", "x"))
    desk.tell(f.Released(desk.now, "seen"))

    assert desk.phase is Phase.OPEN
    assert (desk.sent, [a.code for a in desk.alerts]) == ([], ["held"])


@pytest.mark.parametrize("policy", ["adjust", "hold", "unwind"])
def test_a_leg_that_holds_too_much_goes_back_alone(policy: str) -> None:
    """Nothing of the group is missing: whatever the policy for what moved from outside, the group stands."""
    desk = opened([leg(1, C, 105), leg(-1, C, 110)], 3, policy=Policy(on_outside=policy))
    desk.tell(f.Adjusted(desk.now, 0, 1, 1.0, "reconcile", "x"))

    assert [(o.leg, str(o.purpose), o.quantity) for o in desk.sent] == [(0, "excess", -1)]
    assert (desk.nets, desk.phase) == ([3, -3], Phase.OPEN)


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
