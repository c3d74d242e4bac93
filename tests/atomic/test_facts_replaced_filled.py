"""An update that is told after the fill that used it up ends the order; exits are looked at again before they leave."""

from __future__ import annotations

from atomic import facts as f
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.plan import Env
from atomic.policy import Policy
from atomic.protect import ExitPair, ExitPlan, Level
from atomic.rules import EXITS
from atomic.vocabulary import ChildStatus, Kind, Right


def _bracket(units: int) -> GroupState:
    exits = ExitPlan((ExitPair(1.0, None, Level(percent=0.01)),))
    leg = LegSpec("U", 1, Right.SHARE, underlying="U", multiplier=1.0)
    group = new_group(GroupSpec("g-1", Kind.BRACKET, "bracket", (leg,), units, 0.0, Policy(), exits.row()))
    for fact in (
        f.Opening(0.0),
        f.Intended(0.0, 1, 0, "entry", 0, units, "market", 0.0, 0.0, "entry-g-1:1", 0),
        f.Sent(0.0, 1),
        f.Filled(0.0, 1, units, 100.0, 0.0),
        f.Intended(0.0, 2, 0, "sl", 0, -units, "stop_market", 0.0, 99.0, "sl-g-1:2", 0),
    ):
        f.apply(group, fact)
    return group


def test_a_stop_made_smaller_after_it_filled_that_much_is_complete() -> None:
    """Fill of 1, then the news that the order of 2 became one of 1: FILLED, nothing may fill any more."""
    group = _bracket(2)
    for fact in (
        f.Sent(0.0, 2),
        f.Accepted(0.0, 2),
        f.ReplaceAsked(1.0, 2, -1, 0.0, 99.0),
        f.Filled(2.0, 2, 1, 99.0, 0.0),
        f.CancelAsked(2.0, 2, ""),
        f.Replaced(1.0, 2, -1, 0.0, 99.0),
    ):
        f.apply(group, fact)
    assert group.orders[2].status is ChildStatus.FILLED
    assert 2 not in group.live
    assert group.legs[0].selling == 0


ENLARGED = (
    f.Sent(0.0, 2),
    f.Accepted(0.0, 2),
    f.ReplaceAsked(1.0, 2, -3, 0.0, 99.0),
    f.Filled(2.0, 2, 2, 99.0, 0.0),
)


def _enlarged() -> GroupState:
    """A stop of 2 that was asked to be one of 3, and of which 2 filled before the answer."""
    group = _bracket(2)
    for fact in ENLARGED:
        f.apply(group, fact)
    return group


def test_a_stop_that_filled_its_old_size_while_it_is_enlarged_may_fill_on() -> None:
    """The venue may have taken the update before the fill and say so after it: until then it is one stop, not two."""
    group = _enlarged()
    assert group.orders[2].status is ChildStatus.PARTIAL
    assert (group.orders[2].leaves_qty, group.legs[0].selling) == (1, 1)
    f.apply(group, f.Replaced(1.0, 2, -3, 0.0, 99.0))
    assert (group.orders[2].status, group.orders[2].leaves_qty) == (ChildStatus.PARTIAL, 1)
    f.apply(group, f.Filled(3.0, 2, 3, 99.0, 0.0))
    assert group.orders[2].status is ChildStatus.FILLED
    assert (group.legs[0].selling, group.live) == (0, {})


def test_a_stop_that_filled_before_its_enlargement_was_taken_is_complete() -> None:
    """The refusal ends it: nothing of it may fill any more."""
    group = _enlarged()
    f.apply(group, f.ReplaceRefused(3.0, 2, "it filled before the update was taken"))
    assert group.orders[2].status is ChildStatus.FILLED
    assert (group.legs[0].selling, group.live, group.orders[2].ended_at) == (0, {}, 3.0)


def test_an_exit_that_became_too_large_is_not_sent() -> None:
    """A close that filled in part inside its own send leaves less to stop than was intended."""
    group = _bracket(3)
    assert EXITS.still_wanted(group, group.orders[2], Env(live=True))
    f.apply(group, f.Adjusted(1.0, 0, -2, 100.0, "foreign", "by hand"))
    assert not EXITS.still_wanted(group, group.orders[2], Env(live=True))


def test_a_refusal_that_is_told_twice_counts_once() -> None:
    """What was answered already is no second refusal: an update is given up after so many of them."""
    group = _enlarged()
    assert f.apply(group, f.ReplaceRefused(3.0, 2, "too late"))
    assert not f.apply(group, f.ReplaceRefused(3.0, 2, "too late"))
    assert group.orders[2].replace_refusals == 1


def test_news_of_an_update_that_was_overtaken_changes_nothing() -> None:
    """To 3, then to 2; what the first one brought is told after the second was asked for, and after its answer."""
    group = _bracket(4)
    stale = f.Replaced(1.5, 2, -3, 0.0, 99.0)
    for fact in (
        f.Sent(0.0, 2),
        f.Accepted(0.0, 2),
        f.ReplaceAsked(1.0, 2, -3, 0.0, 99.0),
        f.Replaced(2.0, 2, -3, 0.0, 99.0),
        f.ReplaceAsked(3.0, 2, -2, 0.0, 99.0),
    ):
        f.apply(group, fact)
    assert not f.apply(group, stale)
    f.apply(group, f.Replaced(4.0, 2, -2, 0.0, 99.0))
    assert not f.apply(group, stale)
    f.apply(group, f.Filled(5.0, 2, 2, 99.0, 0.0))
    assert group.orders[2].status is ChildStatus.FILLED
