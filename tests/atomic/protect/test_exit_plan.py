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
