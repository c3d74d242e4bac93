"""Every command with input that cannot be: one line, the value, the cure, the exit code, nothing half-written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from workbench import cli
from workbench.data.generate import generate

ROOT = Path(__file__).resolve().parents[2]
CONDOR = "algorithms/iron_condor"
ALGORITHM = """from AlgorithmImports import *


class {name}(QCAlgorithm):
    def initialize(self):
        {body}
"""
DAY = "self.set_start_date(2015, 12, 24); self.set_end_date(2015, 12, 24)"


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One generated day."""
    path = tmp_path_factory.mktemp("day")
    generate(path)
    return path


@pytest.fixture
def workspace(tmp_path: Path, day: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the project's algorithms, data, and things that are in the way."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "lean.json").write_text('{"data-folder": "data"}')
    shutil.copytree(
        ROOT / "algorithms", root / "algorithms", ignore=shutil.ignore_patterns("backtests", "live", "__pycache__")
    )
    (root / "Library").symlink_to(ROOT / "Library")
    (root / "data").symlink_to(day)
    (root / "empty").mkdir()
    (root / "foreign").mkdir()
    (root / "foreign" / "letter.txt").write_text("not ours")
    bad = {
        "syntax": "def x(:\n",
        "none": "x = 1\n",
        "raises": 'raise RuntimeError("boom")\n',
        "imports": "import nothing_like_this\n",
        "two": ALGORITHM.format(name="First", body=DAY) + ALGORITHM.format(name="Second", body=DAY).split("\n\n\n")[1],
        "plain": ALGORITHM.format(name="Plain", body=DAY),
        "late": ALGORITHM.format(name="Late", body="self.set_start_date(2015,12,28); self.set_end_date(2015,12,24)"),
    }
    for name, text in bad.items():
        (root / "bad" / name).mkdir(parents=True)
        (root / "bad" / name / "main.py").write_text(text)
    replays = {
        "garbage": "garbage{", "list": "[]", "other": '{"a": 1}', "version": '{"format": 99}', "nothing": "",
        "missing": '{"format": 1, "seed": 1}', "crash": '{"where": "x", "violation": "y"}',
        "steps": '{"format": 1, "seed": 1, "violation": "x", "text": "", "steps": [["a"]], "script": [], '
                 '"crash": false}',
    }  # fmt: skip
    for name, text in replays.items():
        (root / f"{name}.json").write_text(text)
    (root / "binary.json").write_bytes(b"\xff\xfe\x00")
    monkeypatch.chdir(root)
    return root


def files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if "__pycache__" not in path.parts}


def misuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output, and the one line on standard error."""
    code = cli.main(list(arguments))
    out, err = capsys.readouterr()
    assert err.startswith("Error: "), (err, out)
    assert err.count("\n") == 1, err
    assert "unexpected" not in err, err
    assert "Traceback" not in out + err
    return code, out, err


PYTHON_DICTIONARY = '{"action": "status"}'
USAGE: list[tuple[list[str], list[str]]] = [
    (["backtest", CONDOR, "--data", "/nowhere"], ["/nowhere", "does not exist"]),
    (["backtest", CONDOR, "--data", "empty"], ["empty is empty", "LEAN data folder"]),
    (["backtest", CONDOR, "--parameter", "quantity"], ["--parameter NAME VALUE"]),
    (["backtest", CONDOR, "--parameter", "quantity", "--json"], ["'quantity' has no value before --json"]),
    (["backtest", CONDOR, "--parameter", "cash", "1", "--parameter", "cash", "2"], ["'cash' is given twice"]),
    (["backtest", CONDOR, "--fault", ""], ["--fault ''", "reject-leg"]),
    (["backtest", CONDOR, "--out", "foreign"], ["--out foreign holds other files", "empty folder"]),
    (["backtest", CONDOR, "--out", "foreign/letter.txt/x"], ["cannot write to foreign/letter.txt/x", "--out"]),
    (["chaos", "--runs", "-1"], ["--runs", "-1", "x>=1"]),
    (["chaos", "--replay", "gone.json"], ["gone.json", "does not exist"]),
    (["chaos", "--replay", "garbage.json"], ["garbage.json is no replay file", "not JSON", "`atomic chaos` wrote"]),
    (["chaos", "--replay", "binary.json"], ["binary.json is no replay file", "`atomic chaos` wrote"]),
    (["chaos", "--replay", "nothing.json"], ["nothing.json is no replay file"]),
    (["chaos", "--replay", "list.json"], ["list.json is no replay file", "list"]),
    (["chaos", "--replay", "other.json"], ["other.json has format None", "`atomic chaos` wrote"]),
    (["chaos", "--replay", "version.json"], ["version.json has format 99", "reads 1"]),
    (["chaos", "--replay", "missing.json"], ["'violation' is missing"]),
    (["chaos", "--replay", "steps.json"], ["steps are not lists of whole numbers"]),
    (["chaos", "--replay", "crash.json"], ["crash point", "--crash"]),
    (["chaos", "--replay", "version.json", "--runs", "3"], ["--replay takes no --runs"]),
    (["chaos", "--crash", "--brackets"], ["--crash takes no --brackets", "brackets and restarts among them"]),
    (["chaos", "--brackets", "--sets"], ["--brackets takes no --sets", "groups of one kind"]),
    (["chaos", "--sets", "--linked"], ["--sets takes no --linked", "groups of one kind"]),
    (["chaos", "--crash", "--exhaustive"], ["--crash takes no --exhaustive"]),
    (["chaos", "--crash", "--runs", "5", "--seed", "2"], ["--crash takes no --runs, --seed"]),
    (["chaos", "--exhaustive", "--restarts"], ["--exhaustive takes no --restarts"]),
    (["chaos", "--runs", "5", "--out", "foreign/letter.txt/x"], ["cannot write to foreign/letter.txt/x", "--out"]),
    (["groups", "--store", "/nowhere"], ["no object store at /nowhere", "--store"]),
    (["groups", "--store", "foreign/letter.txt"], ["foreign/letter.txt", "is a file"]),
    (["groups", "repair", "--store", "foreign"], ["no journal in foreign", "nothing to repair"]),
    (["groups", "show"], ["GROUP_ID", "atomic groups show --help"]),
    (["groups", "show", "x-000001", "--store", "empty"], ["no group 'x-000001' in empty", "`atomic groups`"]),
    (["groups", "fly"], ["'fly'", "atomic groups --help"]),
    (["groups", "--journal", "x", "--store", "empty"], ["no journal with 'x'"]),
    (["watch", "--store", "/nowhere", "--once"], ["no object store at /nowhere"]),
    (["watch", "--store", "empty", "--once", "--ttl", "-1"], ["--ttl", "-1"]),
    (["watch", "--store", "empty", "--once", "--run", "/no/such"], ["no program '/no/such'"]),
    (["watch", "--store", "empty", "--once", "--run", ""], ["--run ''", "no program"]),
    (["watch", "--store", "empty", "--once", "--run", "echo '"], ["close the quotes"]),
    (["live", CONDOR, "--speed", "-3"], ["--speed", "-3", "x>=0"]),
    (["live", CONDOR, "--cash", "0"], ["--cash", "0.0"]),
    (["live", CONDOR, "--data", "empty"], ["empty is empty"]),
    (["live", CONDOR, "--parameter", "x=3", "4"], ["'x=3'", "--parameter name value"]),
    (["live", CONDOR, "--account", "foreign/letter.txt"], ["letter.txt is not a paper account", "name another"]),
    (["live", CONDOR, "--account", "foreign"], ["foreign is not a paper account", "name another"]),
    (["live", CONDOR, "--account", "foreign/letter.txt/a.sqlite"], ["foreign/letter.txt/a.sqlite", "name another"]),
    (["live", CONDOR, "--account", "live.sqlite", "--store", "foreign/letter.txt"], ["--store foreign/letter.txt"]),
    (["live", "nowhere"], ["no algorithm at nowhere", "algorithms/iron_condor"]),
    (["command", CONDOR], ["no action given", "rollback", "accept", "stop"]),
    (["command", CONDOR, "status"], ["no session of iron_condor runs", "atomic live"]),
    (["command", CONDOR, "explode"], ["unknown action 'explode'", "flatten", "--data"]),
    (["command", CONDOR, "close"], ["close needs a group", "GROUP_ID"]),
    (["command", CONDOR, "reset"], ["reset needs the name of a limit", "--limit"]),
    (["command", CONDOR, "--data", "{bad"], ["'{bad'", PYTHON_DICTIONARY]),
    (["command", CONDOR, "--data", "[1]"], ["'[1]'", PYTHON_DICTIONARY]),
    (["command", CONDOR, "--data", "{}"], ["'{}'", PYTHON_DICTIONARY]),
    (["command", CONDOR, "status", "--data", PYTHON_DICTIONARY], ["not both"]),
    (["command", CONDOR, "--reason", "x", "--data", PYTHON_DICTIONARY], ["--data is the whole command"]),
    (["command", CONDOR, "status", "--timeout", "0"], ["--timeout"]),
    (["metrics", CONDOR], ["no session of iron_condor runs", "atomic live"]),
    (["metrics", CONDOR, "--out", "foreign"], ["foreign", "is a directory"]),
    (["data", "generate", "--out", "foreign"], ["foreign holds other files and no LEAN data", "--out"]),
    (["data", "generate", "--out", "foreign/letter.txt"], ["foreign/letter.txt", "is a file"]),
    (["data", "generate", "--out", "foreign/letter.txt/x"], ["cannot write to foreign/letter.txt/x", "--out"]),
    (["data", "generate", "--ticker", "A B", "--out", "new"], ["'A B'", "such as GOOG"]),
    (["data", "generate", "--price", "nan", "--out", "new"], ["price nan", "from 1 to 100000"]),
    (["data", "generate", "--date", "1900-01-02", "--out", "new"], ["1900-01-02", "from 1999 to 2040"]),
    (["data", "generate", "--expiry", "2015-12-01", "--out", "new"], ["expiry 2015-12-01 is before"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_misuse_is_told_before_anything_is_done(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    """Exit code 2, one line with the value and the cure, no output, no new file but the account that was asked for."""
    before = files(workspace)
    code, out, line = misuse(capsys, *arguments)
    assert (code, out) == (2, "")
    for word in words:
        assert word in line
    left = {path.name for path in files(workspace) - before} - {"live.sqlite", "live.sqlite-wal", "live.sqlite-shm"}
    assert left <= {"live", "account.sqlite"}, left


FAILED: list[tuple[list[str], list[str]]] = [
    (["bad/syntax"], ["main.py, line 1: SyntaxError: invalid syntax"]),
    (["bad/none"], ["defines no class that inherits from QCAlgorithm; add one"]),
    (["bad/raises"], ["main.py, line 1", "RuntimeError: boom"]),
    (["bad/imports"], ["main.py, line 1", "No module named 'nothing_like_this'"]),
    (["bad/late"], ["end date"]),
    ([CONDOR, "--fault", "nothing"], ["fault 'nothing'", "reject-leg"]),
    ([CONDOR, "--fault", "reject-leg", "--parameter", "fault-leg", "fifth"], ["fault-leg 'fifth'", "fourth"]),
    ([CONDOR, "--parameter", "date", "2016-01-04"], ["No data for GOOG", "20160104", "--data"]),
    ([CONDOR, "--parameter", "date", "someday"], ["parameter date is 'someday'", "2015-12-24"]),
    ([CONDOR, "--parameter", "quantiti", "3"], ["never read the parameter 'quantiti'", "did you mean 'quantity'"]),
    ([CONDOR, "--parameter", "zzz", "3"], ["never read the parameter 'zzz'", "it reads", "order-timeout"]),
    (["bad/plain", "--fault", "reject-leg"], ["never read the parameter 'fault'"]),
    ([CONDOR, "--data", "foreign"], ["No data for GOOG", "foreign", "--data"]),
    ([CONDOR, "--stop-at", "2015-12-23 10:00"], ["--stop-at 2015-12-23 10:00:00 is before the start", "later time"]),
    ([CONDOR, "--stop-at", "2016-12-24 10:00"], ["--stop-at 2016-12-24 10:00:00 was not reached", "earlier time"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), FAILED, ids=[" ".join(arguments) for arguments, _ in FAILED])
def test_a_run_that_fails_says_why_in_one_line_and_its_json_is_whole(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    """Exit code 1; the folder of the run holds a whole record; --json parses."""
    code, out, line = misuse(capsys, "backtest", *arguments, "--out", "run", "--json")
    assert code == 1
    for word in words:
        assert word in line
    assert json.loads(out)["folder"] == str(workspace / "run")
    assert json.loads((workspace / "run" / "run.json").read_text())["status"] != "interrupted"


def test_a_file_with_two_algorithms_runs_the_last_and_says_so(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on LEAN the last class runs; one line names both."""
    code = cli.main(["backtest", "bad/two", "--json"])
    out, err = capsys.readouterr()
    assert code == 0
    assert err == "Note: main.py defines First and Second: the last one runs, as on LEAN\n"
    assert json.loads(out)["status"] == "completed"


def on_the_day(name: str, parameter: str, value: str) -> list[str]:
    """A backtest of an algorithm over the generated day, with one parameter more."""
    day = {"ticker": "GOOG", "date": "2015-12-24", "last-date": "2015-12-24"} if name == "bracket_equity" else {}
    options = [word for pair in (day | {parameter: value}).items() for word in ("--parameter", *pair)]
    return ["backtest", f"algorithms/{name}", "--out", "run", "--json", *options]


#: parameters that take any text: names of things, and what the engine itself sets
TEXTS = {"ticker", "fault", "account"}


@pytest.mark.parametrize("name", sorted(path.parent.name for path in ROOT.glob("algorithms/*/main.py")))
def test_every_parameter_of_an_algorithm_refuses_what_it_cannot_be(
    workspace: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A text that fits no parameter stops the run with one line that names parameter and value; none is passed over."""
    passed = []
    _, _, unknown = misuse(capsys, *on_the_day(name, "?", "1"))
    known = unknown.split("it reads ")[1].split(";")[0].split(", ")
    assert {"date", "cash", "order-timeout"} <= set(known)
    for parameter in known:
        value = "!?"
        code = cli.main(on_the_day(name, parameter, value))
        out, err = capsys.readouterr()
        if code == 0:
            passed.append(parameter)
            continue
        assert code == 1, (parameter, err)
        assert err.count("\n") == 1
        assert value in err, (parameter, err)
        assert parameter in TEXTS or parameter.removeprefix("fault-") in err, (parameter, err)
        assert json.loads(out)["status"] == "runtime_error"
    assert set(passed) <= TEXTS, passed


def test_a_session_that_could_not_trade_is_not_begun(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Until before the start: exit code 1, one line."""
    code, out, line = misuse(capsys, "live", CONDOR, "--speed", "0", "--until", "2015-12-23 10:00", "--json")
    assert code == 1
    assert "--until 2015-12-23 10:00:00 is not after 2015-12-24" in line
    assert json.loads(out)["status"] == "runtime_error"


def test_a_live_session_names_a_parameter_that_nobody_reads_when_it_starts(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt limit must not stay unseen all day."""
    code = cli.main(["live", CONDOR, "--speed", "0", "--until", "2015-12-24 09:32", "--parameter", "quantiti", "3"])
    _, err = capsys.readouterr()
    assert code == 0
    assert err == "Warning: the algorithm never read the parameter 'quantiti': did you mean 'quantity'\n"


def test_the_hook_of_a_watch_may_fail_and_the_watch_goes_on(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that cannot be started any more is told; the alert is told all the same."""
    from workbench.commands import watch

    def look(*_: Any) -> list[dict[str, Any]]:
        return [{"journal": "j", "state": "overdue", "age": None, "host": "", "pid": 0, "open_groups": ["g-000001"],
                 "held": 0, "problem": ""}]  # fmt: skip

    hook = workspace / "hook.sh"
    hook.write_text("no program\n")
    hook.chmod(0o755)
    monkeypatch.setattr(watch, "look", look)
    code = cli.main(["watch", "--store", "empty", "--once", "--run", str(hook)])
    out, err = capsys.readouterr()
    assert code == 1
    assert "ALERT j overdue" in out
    assert f"--run {hook} failed" in err


def test_a_replay_prints_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`chaos --replay FILE --json` tells setting, script and violations."""
    from workbench.campaign.drivers import shell
    from workbench.campaign.runs import Finding, one

    _, taken, _ = one(11, shell)
    row = Finding(11, "none", "", taken, [], False, False).row()
    Path("good.json").write_text(json.dumps(row))
    assert cli.main(["chaos", "--replay", "good.json", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["violations"] == []
    assert document["script"]


COMMANDS = ["backtest", "chaos", "command", "data generate", "live", "groups", "groups show", "groups verify",
            "groups repair", "metrics", "watch"]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """An example that can be copied, and whole lines for a terminal of 80 columns."""
    assert cli.main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"\n    atomic {command}" in text
    assert max(map(len, text.splitlines())) <= 80
