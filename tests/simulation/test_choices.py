"""Runs are functions of their choices: recorded, replayed, cut down."""

from __future__ import annotations

from workbench.campaign.choices import ReplayedChoices, SeededChoices, shrink


def test_a_seed_gives_the_same_answers_again() -> None:
    """Two sources with one seed agree, and the record replays them."""
    first, second = SeededChoices(7, 3), SeededChoices(7, 3)
    for source in (first, second):
        while source.begin():
            for n in (2, 5, 100):
                assert 0 <= source.draw(n) < n
    assert first.taken == second.taken
    replay = ReplayedChoices(first.taken)
    again = []
    while replay.begin():
        again.append([replay.draw(n) for n in (2, 5, 100)])
    assert again == first.taken


def test_a_step_that_runs_out_answers_kindly() -> None:
    """Missing numbers are 0, numbers too large are folded."""
    replay = ReplayedChoices([[7]])
    assert replay.begin()
    assert (replay.draw(5), replay.draw(5)) == (2, 0)
    assert not replay.begin()


def test_shrinking_finds_the_steps_that_matter() -> None:
    """Of a long run only the setting and the two guilty steps remain, at their lowest numbers."""
    steps = [[3, 1, 4], *[[n % 7, 9] for n in range(40)], [5, 8], [1], [6, 9, 9]]

    def fails(run: object) -> bool:
        tail = [step[0] if step else 0 for step in run[1:]]  # type: ignore[index]
        return any(n >= 5 for n in tail) and any(n == 6 for n in tail)

    best = shrink(steps, fails)
    assert best[0] == []
    assert len(best) == 2
    assert best[1] == [6]
