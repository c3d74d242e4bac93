"""A step whose data can change nothing is passed over in a backtest: the run is the same as if it were not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atomic.shell import Shell
from workbench.data.generate import generate
from workbench.engine.run import run_backtest

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("iron_condor", "strangle", "two_strategies", "protected_condor")
CHAOS = {"fault": "chaos", "fault-leg": "any", "fault-reducing": "1", "fault-probability": "0.5"}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default generated day."""
    path = tmp_path_factory.mktemp("quiet")
    generate(path)
    return path


def told(algorithm: str, data: Path, parameters: dict[str, str]) -> tuple[list[Any], list[Any]]:
    """Order events, and the log with its alerts."""
    result = run_backtest(
        ROOT / "algorithms" / algorithm, data=data, parameters=parameters, library_paths=[ROOT / "Library"]
    )
    assert result.status == "completed", result.error
    return result.order_events, result.log


def is_the_same(monkeypatch: pytest.MonkeyPatch, algorithm: str, data: Path, parameters: dict[str, str]) -> None:
    passed = []
    stirs = Shell._stirs

    def counted(shell: Shell) -> bool:
        found = stirs(shell)
        passed.append(not found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Shell, "_stirs", counted)
        with_it = told(algorithm, data, parameters)
    with monkeypatch.context() as patch:
        patch.setattr(Shell, "_stirs", lambda shell: True)
        without = told(algorithm, data, parameters)
    assert with_it == without
    assert with_it[0], "nothing was ordered"
    assert any(passed), "no step was passed over"


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("algorithm", OPTIONS)
def test_an_options_day_is_the_same(
    monkeypatch: pytest.MonkeyPatch, generated: Path, algorithm: str, seed: int
) -> None:
    """Groups that open, roll back, are held and expire: same events, same alerts, step for step."""
    is_the_same(monkeypatch, algorithm, generated, {**CHAOS, "fault-seed": str(seed)} if seed else {})


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5])
def test_brackets_are_the_same(monkeypatch: pytest.MonkeyPatch, lean_data: Path, seed: int) -> None:
    """Exits that are refused, fill late or after their cancel: same events, same alerts, step for step."""
    is_the_same(monkeypatch, "bracket_equity", lean_data, {**CHAOS, "fault-seed": str(seed)} if seed else {})
