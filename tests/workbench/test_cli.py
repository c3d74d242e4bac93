"""Bad input to the command line is one line that names the cure; nothing is run and nothing is written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import cli

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace with one algorithm and no data."""
    (tmp_path / "lean.json").write_text('{"data-folder": "data"}')
    project = tmp_path / "algorithms" / "empty"
    project.mkdir(parents=True)
    (project / "main.py").write_text("from AlgorithmImports import *\n\n\nclass Empty(QCAlgorithm):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command line; return its exit code and the one line that it wrote."""
    code = cli.main(list(arguments))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("Error: ")
    return code, err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], ["no command 'fly'", "backtest", "data"]),
        (["backtest"], ["PROJECT", "atomic backtest --help"]),
        (["backtest", "algorithms/nope"], ["no algorithm at algorithms/nope", "algorithms/empty"]),
        (["backtest", "algorithms"], ["no algorithm at algorithms", "has no main.py"]),
        (["backtest", "lean.json"], ["no algorithm at lean.json", "is no Python file"]),
        (["backtest", "algorithms/empty"], ["data folder", "does not exist", "atomic data generate", "--data"]),
        (["backtest", "algorithms/empty", "--data", "algorithms/empty/main.py"], ["is no folder"]),
        (["backtest", "algorithms/empty", "--data", "nowhere"], ["nowhere does not exist", "LEAN data folder"]),
        (["backtest", "algorithms/empty", "--parameter", "width"], ["--parameter", "2", "--parameter NAME VALUE"]),
        (
            ["backtest", "algorithms/empty", "--data", ".", "--parameter", "a=1", "2"],
            ["'a=1'", "--parameter name value"],
        ),
        (["backtest", "algorithms/empty", "--data", ".", "--resume", "x"], ["no run x", "--stop-at"]),
        (["backtest", "algorithms/empty", "--data", ".", "--stop-at", "noon"], ["'noon'", "%H:%M"]),
        (["backtest", "algorithms/empty", "--data", ".", "--out", "algorithms"], ["holds other files", "empty folder"]),
        (["backtest", "algorithms/empty", "--what"], ["--what"]),
        (["data", "generate", "--date", "2015-12-25"], ["2015-12-25 is not a US trading day"]),
        (["data", "generate", "--date", "yesterday"], ["'yesterday'", "%Y-%m-%d"]),
        (["data", "generate", "--seed"], ["--seed", "--help"]),
        (["data", "destroy"], ["destroy"]),
    ],
)
def test_bad_input_is_one_line(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    """Every misuse ends with exit code 2 and one line that names what is wrong and what to do."""
    before = sorted(workspace.rglob("*"))
    code, line = fails(capsys, *arguments)
    assert code == 2
    for word in words:
        assert word in line
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.parametrize(("name", "content"), [("lean.json", "{"), ("algorithms/empty/config.json", "[]")])
def test_broken_configuration_is_named(
    workspace: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    """A configuration file that cannot be read is named, and left as it is."""
    (workspace / name).write_text(content)
    code, line = fails(capsys, "backtest", "algorithms/empty")
    assert code == 2
    assert Path(name).name in line
    assert (workspace / name).read_text() == content


def test_an_unexpected_failure_is_one_line_unless_verbose(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of our own ends with code 1 and one line; --verbose adds the traceback."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("workbench.commands.data.generate", broken)
    code, line = fails(capsys, "data", "generate")
    assert code == 1
    assert "RuntimeError: a fault" in line
    assert "--verbose" in line
    assert cli.main(["--verbose", "data", "generate"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_package_of_an_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A command whose packages are not installed says how to install them."""

    def without(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("workbench.cli.importlib.import_module", lambda _: without("joblib"))
    code, line = fails(capsys, "chaos")
    assert code == 2
    assert "joblib" in line
    assert "pip install -e '.[campaign]'" in line


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Help lists every command with one line, and each command can be imported."""
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, (_, _, line) in cli.COMMANDS.items():
        assert f"  {name} " in text
        assert line in text
        assert cli.main([name, "--help"]) == 0
        capsys.readouterr()


def test_help_imports_nothing_heavy() -> None:
    """`atomic --help` loads neither pandas, numpy nor the engine."""
    code = (
        "import sys\nfrom workbench import cli\ncli.main(['--help'])\n"
        "print([m for m in ('pandas', 'numpy', 'rich', 'workbench.engine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_data_generate_prints_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`atomic data generate --json` says what was written; into the workspace's data folder unless told otherwise."""
    assert cli.main(["data", "generate", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert Path(done["folder"]) == workspace / "data"
    assert all((workspace / "data" / name).is_file() for name in done["written"])
    assert cli.main(["data", "generate", "--if-missing", "--date", "2015-12-25"]) == 0
