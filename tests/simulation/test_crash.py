"""Stop the process after every journal write, every send and every event; restart it with ids and tags lost."""

from __future__ import annotations

import pytest

from workbench.campaign.crash import DOWN, RESTARTS, Story, crash_scenario
from workbench.campaign.drivers import shell
from workbench.campaign.stories import scenarios

NAMES = [s.name for s in scenarios()]
#: played on every change; all of them by `atomic chaos --crash`
QUICK = ("open", "partial-then-timeout", "short-rejected", "ladder", "ten-three-two", "combo", "close-partially")
#: brackets go on protecting whatever the restart policy for openings says
BRACKETS = ("bracket-target", "bracket-partial-entry", "bracket-both-exits", "bracket-stop-rejected", "bracket-close")


SETS = ("oco", "oco-both-fill", "ouo", "oto", "oto-close", "oco-linked")


@pytest.mark.parametrize("name", QUICK)
def test_a_crash_at_any_step_ends_as_the_restart_policy_prescribes(name: str) -> None:
    """Every point, every policy, everything the broker may do meanwhile: no invariant breaks, nothing is ambiguous."""
    scenario = next(s for s in scenarios() if s.name == name)
    tally = crash_scenario(scenario, shell, restarts=RESTARTS)
    print(tally.row())  # noqa: T201 - crash points counted
    assert tally.violations == {}, [f.row() for f in tally.findings]
    assert tally.points[name] > 100
    assert tally.runs == tally.points[name] * len(DOWN) + len(RESTARTS)
    assert set(map(str, tally.held)) <= {"policy"}


@pytest.mark.parametrize("name", BRACKETS)
def test_a_bracket_is_flat_or_protected_after_a_crash_at_any_step(name: str) -> None:
    """Every point, everything the broker may do meanwhile: stops for exactly what is open, or nothing open; no hold."""
    scenario = next(s for s in scenarios() if s.name == name)
    tally = crash_scenario(scenario, shell, restarts=("resume",))
    print(tally.row())  # noqa: T201 - crash points counted
    assert tally.violations == {}, [f.row() for f in tally.findings]
    assert tally.points[name] > 50
    assert tally.held == {}


@pytest.mark.parametrize("name", SETS)
def test_a_set_keeps_its_promise_after_a_crash_at_any_step(name: str) -> None:
    """Every point, everything the broker may do meanwhile: what it holds is what its form allows, or it is flat."""
    scenario = next(s for s in scenarios() if s.name == name)
    tally = crash_scenario(scenario, shell, restarts=("resume",))
    print(tally.row())  # noqa: T201 - crash points counted
    assert tally.violations == {}, [f.row() for f in tally.findings]
    assert tally.points[name] > 30


def test_a_second_crash_while_recovering_changes_nothing() -> None:
    """The process that recovers dies again three points later: the third one ends the same way."""
    scenario = next(s for s in scenarios() if s.name == "timeout-of-shorts")
    tally = crash_scenario(scenario, shell, restarts=("roll_back", "complete"), again=3)
    assert tally.violations == {}, [f.row() for f in tally.findings]
    assert tally.twice > tally.runs // 2


@pytest.mark.parametrize("name", NAMES)
def test_every_story_plays_without_a_crash(name: str) -> None:
    """A reference run sends orders, is judged clean, and has many points to die at."""
    story = Story(next(s for s in scenarios() if s.name == name), shell)
    assert story.play() == []
    assert len(story.points) > 20
    assert story.account.orders
