"""`atomic chaos` from the command line: figures, exit codes, replay files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from atomic.plan import opening, reducing
from workbench.campaign.choices import SeededChoices
from workbench.campaign.command import chaos
from workbench.campaign.drivers import shell
from workbench.campaign.runs import again, batch, cut, one


def test_a_campaign_prints_its_figures_and_exits_with_zero() -> None:
    """Runs, outcomes, HELD by cause, naked seconds, rollback cost; no violation."""
    result = CliRunner().invoke(chaos, ["--runs", "60", "--seed", "7", "--jobs", "1", "--json"])
    assert result.exit_code == 0, result.output
    row = json.loads(result.output)
    assert row["runs"] == 60
    assert row["violations"] == {}
    assert row["groups"] >= 60
    assert {"outcomes", "held", "naked_seconds", "rollback_cost", "orders", "seconds"} <= row.keys()


def test_a_seed_gives_the_same_run_again() -> None:
    """Two runs of one seed tell the same story, and so does the replay of its choices."""
    _, taken, first = one(11, shell)
    _, _, second = one(11, shell)
    assert first.script == second.script
    assert again(taken, shell).script == first.script


def test_a_restarting_run_is_replayed_too() -> None:
    """A run with restarts in it is a function of its choices as well."""
    _, taken, first = one(3, shell, crash=True)
    assert first.result.restarts > 0
    assert again(taken, shell, crash=True).script == first.script


def test_a_violation_is_cut_down_kept_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cover rule off a violation is found, cut to a few events, written to a file and shown again."""
    with monkeypatch.context() as patch:
        for room in (opening, reducing):
            patch.setattr(room, "movable", lambda shape, legs, index, quantity, room, units, opening: quantity)
            patch.setattr(room, "still_wanted", lambda group, order, env: True)
        tally = batch(range(1, 200), shell, keep=1)
        finding = tally.findings[0]
        assert finding.name == "covered"
        assert len(finding.script) < 12
        path = tmp_path / "found.json"
        path.write_text(json.dumps(finding.row()))
        shown = CliRunner().invoke(chaos, ["--replay", str(path)])
        assert shown.exit_code == 1
        assert "violation: covered" in shown.output
    healed = CliRunner().invoke(chaos, ["--replay", str(path)])
    assert healed.exit_code == 0
    assert "no violation" in healed.output


def test_a_file_that_is_no_replay_file_is_named(tmp_path: Path) -> None:
    """A wrong file gives one clear line."""
    path = tmp_path / "other.json"
    path.write_text('{"format": 99}')
    result = CliRunner().invoke(chaos, ["--replay", str(path)])
    assert result.exit_code == 2
    assert "has format 99" in result.output


def test_a_finding_that_does_not_reproduce_says_so() -> None:
    """Cutting a clean run down ends in an honest sentence."""
    choices = SeededChoices(1, 2)
    choices.begin()
    assert cut(1, [[], []], "covered", shell, crash=False, budget=5).text == "does not reproduce"
