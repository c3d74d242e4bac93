"""An exit plan: what has no meaning is refused, and what is journaled reads back."""

import copy
import pickle

import pytest

from atomic.protect import ExitPair, ExitPlan, Level
from tests.atomic.protect.rig import plan


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Level(), "exactly one"),
        (lambda: Level(price=1.0, percent=0.1), "exactly one"),
        (lambda: Level(percent=-0.1), "positive number"),
        (lambda: ExitPair(0.0, None, Level(price=1.0)), "share 0.0: give a positive number"),
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


def test_a_plan_says_the_same_whether_a_default_is_given_or_left_out():
    """The early answer for a plan at its defaults is what the checks would have made of it."""
    pairs = (ExitPair(1.0, Level(price=2.0), Level(price=1.0)),)
    bare = ExitPlan(pairs)
    names = [name for name in bare._fields if name not in ("pairs", "plain")]
    given = ExitPlan(pairs, **{name: getattr(bare, name) for name in names})

    assert given == bare
    assert bare.plain
    assert bare._asdict() == {**bare._field_defaults, "pairs": pairs}
    for name, value in [("stop_limit", 0.1), ("target_market", True), ("trail_step", 0.1), ("native", True)]:
        other = ExitPlan(pairs, **{name: value})
        assert other._asdict() == {**bare._asdict(), name: value, "plain": name != "target_market"}
        assert other.row() == {**bare.row(), name: value}


def test_copies_of_a_plan_are_checked_and_know_what_follows():
    """Copied, pickled or with a field replaced it is a plan again: checked, and watched by us where it has to be."""
    exits = plan((1.0, 101.0, 99.0), trail=Level(percent=0.01))
    assert [copy.copy(exits), copy.deepcopy(exits), pickle.loads(pickle.dumps(exits))] == [exits] * 3
    assert not copy.deepcopy(exits).plain
    assert exits._replace(trail=None).plain
    assert not exits._replace(trail=None, time_exit=5.0).plain
    with pytest.raises(ValueError, match="at least one pair"):
        exits._replace(pairs=())
    pair = exits.pairs[0]
    assert copy.deepcopy(pair) == pickle.loads(pickle.dumps(pair)) == pair
    assert pair._replace(share=0.5) == (0.5, pair.target, pair.stop)
    with pytest.raises(ValueError, match="share 0"):
        pair._replace(share=0)
