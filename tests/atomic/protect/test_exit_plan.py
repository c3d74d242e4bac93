"""An exit plan: what has no meaning is refused, and what is journaled reads back."""

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
