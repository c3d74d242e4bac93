"""Contracts that ended while the process was down: settlement, exercise, early assignment."""

from atomic.facts import Filled, apply
from atomic.model import LegSpec
from atomic.reconcile import match
from atomic.vocabulary import Outcome, Right
from tests.atomic.reconcile.world import CALL, NOW, SHORT, fold, group_of, kinds, order_of, view_of

NEXT_DAY = NOW + 86400.0


def test_legs_that_expired_while_down_are_settled_for_each_group() -> None:
    """Worth by the underlying; groups that cancel each other out are settled, too."""
    groups = [group_of("condor-000001", 1, [CALL]), group_of("condor-000002", 1, [SHORT])]
    apply(groups[0], Filled(NOW - 40.0, order_of(groups[0], 1), 1, 1.0, 0.0))
    apply(groups[1], Filled(NOW - 40.0, order_of(groups[1], -1), 1, 1.0, 0.0))
    verdict = match(view_of(groups, [], {}, now=NEXT_DAY, started=NEXT_DAY))
    fold(verdict, groups)
    assert [g.outcome for g in groups] == [Outcome.EXPIRED] * 2
    assert verdict.count("expired") == 2
    assert not verdict.breaks


def test_shares_of_an_exercise_join_the_group_they_came_from() -> None:
    """In the money by 3: a hundred shares at the underlying's price, and the group is not whole any more."""
    group = group_of("condor-000001", 1, [CALL])
    apply(group, Filled(NOW - 40.0, order_of(group, 1), 1, 1.0, 0.0))
    view = view_of([group], [], {"GOOG": 100}, now=NEXT_DAY, started=NEXT_DAY, worth={"C750": 3.0})
    verdict = match(view)
    fold(verdict, [group])
    assert [(leg.spec.right, leg.net, leg.cost) for leg in group.legs] == [
        (Right.CALL, 0, -200.0), (Right.SHARE, 100, 75300.0)
    ]  # fmt: skip
    assert "assigned" in kinds(verdict)


def test_an_early_assignment_is_known_by_its_shares() -> None:
    """The short call is gone and a hundred shares were delivered for each: assigned, not traded."""
    group = group_of("condor-000001", 2)
    for leg, quantity in ((0, 2), (1, -2)):
        apply(group, Filled(NOW - 40.0, order_of(group, quantity, leg=leg), 2, 1.0, 0.0))
    verdict = match(view_of([group], [], {"C750": 2, "C755": -1, "GOOG": -100}, prices={"GOOG": 760.0}))
    fold(verdict, [group])
    assert [leg.net for leg in group.legs] == [2, -1, -100]
    assert group.held is None
    assert not verdict.breaks
    verdict = match(view_of([group_of("condor-000003", 2)], [], {"C755": 0}))
    assert not verdict.breaks


def test_shares_that_a_call_takes_away_are_the_groups_own() -> None:
    """A covered call ends in the money: what the assignment took of its shares is explained, nothing is broken."""
    share = LegSpec("GOOG", 100, Right.SHARE, underlying="GOOG", multiplier=1.0)
    group = group_of("condor-000001", 1, [share, SHORT])
    for leg, quantity, price in ((0, 100, 750.0), (1, -1, 1.0)):
        number = order_of(group, quantity, leg=leg)
        apply(group, Filled(NOW - 40.0, number, abs(quantity), price, 0.0))
    view = view_of([group], [], {}, now=NEXT_DAY, started=NEXT_DAY, worth={"C755": 3.0})
    verdict = match(view)
    fold(verdict, [group])
    assert [leg.net for leg in group.legs] == [0, 0]
    assert (group.held, verdict.breaks, verdict.baseline) == (None, {}, {})


def test_shares_that_do_not_fit_are_a_break() -> None:
    """Half a delivery is not explained away."""
    group = group_of("condor-000001", 1, [CALL])
    apply(group, Filled(NOW - 40.0, order_of(group, 1), 1, 1.0, 0.0))
    view = view_of([group], [], {"GOOG": 60}, now=NEXT_DAY, started=NEXT_DAY, worth={"C750": 3.0})
    verdict = match(view)
    assert "GOOG" in verdict.breaks
    assert "quantity_break" in kinds(verdict)


def test_shares_have_no_expiry() -> None:
    """A share leg is never settled by a date."""
    share = LegSpec("GOOG", 100, Right.SHARE, underlying="GOOG", multiplier=1.0)
    group = group_of("condor-000001", 1, [share])
    apply(group, Filled(NOW - 40.0, order_of(group, 100), 100, 750.0, 0.0))
    verdict = match(view_of([group], [], {"GOOG": 100}, now=NEXT_DAY, started=NEXT_DAY))
    assert verdict.count("expired") == 0
    assert SHORT.expiry < "2015-12-25"
