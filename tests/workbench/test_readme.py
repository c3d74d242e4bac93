"""The README's own algorithm runs as it stands there."""

import json
import re
from pathlib import Path

import pytest

from workbench import cli
from workbench.data.generate import generate

ROOT = Path(__file__).resolve().parents[2]


def test_the_readmes_algorithm_opens_and_closes_a_group(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Copied into a project of a new workspace beside the library, it opens one condor and closes it."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "(QCAlgorithm)" in block]
    (tmp_path / "lean.json").write_text("{}")
    (tmp_path / "Library").symlink_to(ROOT / "Library")
    project = tmp_path / "My Project"
    project.mkdir()
    (project / "main.py").write_text(code)
    (project / "config.json").write_text(json.dumps({"libraries": [{"name": "atomic", "path": "Library/atomic"}]}))
    generate(tmp_path / "data")
    assert cli.main(["backtest", str(project), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (group,) = document["groups"]
    assert group["opened_at"]
    assert group["outcome"] == "closed"
    assert group["reason"] == "half past twelve"
    assert document["account"]["holdings"] == []
