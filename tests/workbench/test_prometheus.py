"""Prometheus text of an executor's status, and the command that asks a running session for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from tests.atomic.fake_gateway import FakeGateway, option
from workbench import cli
from workbench.errors import RunFailed
from workbench.prometheus import COUNTERS, GAUGES, render

CONDOR = [(option("P", 90), 1), (option("P", 95), -1), (option("C", 105), -1), (option("C", 110), 1)]
SAMPLE = re.compile(r'^([a-z_]+)(\{([a-z_]+="(\\.|[^"\\])*",?)*\})? (-?[0-9.e+-]+|NaN)$')


def status() -> dict[str, Any]:
    """The status of a real executor with an open group, a pause and an alert."""
    executor = AtomicOrderExecutor(None, "t", gateway=FakeGateway(), store=MemoryStore())
    executor.start()
    executor.execute_atomic(CONDOR, 1)
    executor.alert_operator("a drill", code='odd "code"')
    executor.pause()
    return json.loads(json.dumps(dict(executor.desk.status())))  # type: ignore[no-any-return]


def test_every_sample_is_well_formed_and_typed_once() -> None:
    """Each line is a sample or a comment; each name has one TYPE before its samples; labels are escaped."""
    text = render(status(), {"project": "iron_condor"})
    typed: list[str] = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.append(line.split()[2])
        elif not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            assert match[1] == typed[-1]
            assert 'project="iron_condor"' in line
    assert len(typed) == len(set(typed))
    assert {name for name, _ in (*COUNTERS.values(), *GAUGES.values())} <= set(typed)
    assert 'code="odd \\"code\\""' in text
    assert text.endswith("\n")


def test_figures_are_the_executors() -> None:
    """Groups by state, flags, orders and fills stand as the executor counts them."""
    text = render(status(), {})
    for line in ('atomic_groups{state="open"} 1', "atomic_paused 1", "atomic_ready 0", "atomic_orders_total 4",
                 "atomic_fills_total 4", "atomic_coverage_ratio 1", "atomic_alive 1"):  # fmt: skip
        assert line in text.splitlines()


def test_a_status_without_metrics_is_refused() -> None:
    """Another version's answer is named, not rendered as zeros."""
    with pytest.raises(ValueError, match="no metrics"):
        render({"ready": True}, {})


def test_the_command_reads_the_sessions_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`atomic metrics` asks for the status, renders it, and writes a file in one step."""
    from workbench.commands import metrics as module

    shown = status()
    monkeypatch.setattr(module, "ask", lambda project, fields, timeout: {
        "log": [f"command action=status id=1: status\n{json.dumps(shown)}"], "Success": True, "error": ""
    })  # fmt: skip
    project = str(Path(__file__).resolve().parents[2] / "algorithms" / "iron_condor")
    assert cli.main(["metrics", project]) == 0
    assert 'atomic_groups{project="iron_condor",state="open"} 1' in capsys.readouterr().out
    out = tmp_path / "atomic.prom"
    assert cli.main(["metrics", project, "--out", str(out)]) == 0
    assert "atomic_orders_total" in out.read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["atomic.prom"]
    with pytest.raises(RunFailed, match="told no status"):
        module.status_of({"log": ["nothing"], "error": ""})


def test_without_a_session_it_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    """No session: exit code 2 and the command that starts one."""
    project = str(Path(__file__).resolve().parents[2] / "algorithms" / "framework_condor")
    assert cli.main(["metrics", project]) == 2
    assert "atomic live" in capsys.readouterr().err
