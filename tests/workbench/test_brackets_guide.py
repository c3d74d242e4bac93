"""Every Python block of docs/brackets.md runs as it stands there, and what its comments say is so."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomic import Outcome
from tests.workbench import guide_registry
from workbench import cli
from workbench.data.generate import generate
from workbench.engine.run import run_backtest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GUIDE = (ROOT / "docs" / "brackets.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
WHOLE = [block for block in BLOCKS if "(AtomicAlgorithm)" in block]
IMPORTS = "".join(block for block in BLOCKS if block.startswith("from datetime"))
PIECES = [block for block in BLOCKS if "self.atomic." in block and block not in WHOLE]
#: how a group may end that was neither refused nor given up
FINE = (Outcome.CLOSED, Outcome.ROLLED_BACK)


def _said(block: str, node: ast.stmt) -> Iterator[object]:
    """The value that the comment behind an expression names."""
    line = block.splitlines()[(node.end_lineno or 0) - 1].encode()[node.end_col_offset :].decode()
    try:
        yield ast.literal_eval(line.strip().removeprefix("#").strip())
    except (SyntaxError, ValueError):
        return


def run_piece(block: str, algorithm: Any) -> None:
    """Run a block line by line; a value that a comment names must be the one that comes out."""
    names: dict[str, Any] = {"self": algorithm}
    exec(IMPORTS, names)
    for node in ast.parse(block).body:
        source = ast.unparse(node)
        if not isinstance(node, ast.Expr):
            exec(source, names)
            continue
        value = eval(source, names)
        for said in _said(block, node):
            algorithm.compared += 1
            assert value == (pytest.approx(said) if isinstance(said, float) else said), source


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day")
    generate(folder)
    return folder


def test_the_page_is_what_is_tested() -> None:
    """Every block is the whole algorithm, the imports or a piece."""
    assert len(WHOLE) == 1
    assert IMPORTS
    assert len(BLOCKS) == len(PIECES) + 2


def test_the_guides_algorithm_trades_its_bracket(capsys: pytest.CaptureFixture[str], day: Path, tmp_path: Path) -> None:
    """In a project of a new workspace: half ends at its target, half at break-even, nothing is alerted."""
    (tmp_path / "lean.json").write_text("{}")
    (tmp_path / "Library").symlink_to(ROOT / "Library")
    (tmp_path / "data").symlink_to(day)
    project = tmp_path / "My Project"
    project.mkdir()
    (project / "main.py").write_text(WHOLE[0])
    (project / "config.json").write_text(json.dumps({"libraries": [{"name": "atomic", "path": "Library/atomic"}]}))
    assert cli.main(["backtest", str(project), "--json", "--out", str(tmp_path / "out")]) == 0
    document = json.loads(capsys.readouterr().out)
    (group,) = document["groups"]
    assert group["outcome"] == "closed"
    assert document["account"]["holdings"] == []
    with (tmp_path / "out" / "orders.csv").open() as file:
        filled = {row["tag"][:2]: float(row["price"]) for row in csv.DictReader(file) if row["status"] == "FILLED"}
    assert filled == {"en": 743.47, "tp": 744.96, "sl": 743.47}
    log = (tmp_path / "out" / "log.txt").read_text()
    assert "my_bracket-000001 bracket x100: closed" in log
    assert not re.search(r"\bP[0-3] ", log)


@pytest.mark.parametrize("block", PIECES, ids=[re.split(r"\W", block.split("self.atomic.")[1])[0] for block in PIECES])
def test_a_piece_of_the_guide_runs(block: str, day: Path, tmp_path: Path) -> None:
    """At ten o'clock; no group is refused or given up, and no alert is raised but those that the block names."""
    guide_registry.piece = lambda algorithm: run_piece(block, algorithm)
    result = run_backtest(
        HERE / "guide_day.py", data=day, parameters={}, store=tmp_path, name="guide",
        library_paths=[ROOT / "Library", HERE],
    )  # fmt: skip
    assert result.status == "completed", result.error
    algorithm = guide_registry.algorithm
    groups = algorithm.atomic.groups.all
    assert groups
    assert not [group.summary() for group in groups if group.outcome not in FINE]
    assert {alert.code for alert in algorithm.alerts} == set(re.findall(r"# alert ([a-z-]+)", block))
    assert algorithm.compared == len(re.findall(r"# (?:[\[(\d\"]|True|False)", block))
