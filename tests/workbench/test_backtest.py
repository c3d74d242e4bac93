"""`atomic backtest` from the command line to the result files: good days, faults, kills, bad algorithms."""

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from workbench import cli
from workbench.data.generate import generate

ROOT = Path(__file__).resolve().parents[2]
CONDOR = str(ROOT / "algorithms" / "iron_condor")
ALGORITHMS = ("framework_condor", "iron_condor", "put_spread", "strangle", "two_strategies")
FAULTS = ("reject-leg", "never-fill", "partial-fill")


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default generated day."""
    path = tmp_path_factory.mktemp("generated")
    generate(path)
    return path


@pytest.fixture(params=["generated", "lean_data"])
def data(request: pytest.FixtureRequest) -> Path:
    """Generated quotes, and LEAN's real ones where they are."""
    path: Path = request.getfixturevalue(request.param)
    return path


def run(
    capsys: pytest.CaptureFixture[str], algorithm: str, data: Path, out: Path, *options: str, code: int = 0
) -> dict[str, Any]:
    """Run a backtest and return what `--json` prints."""
    arguments = ["backtest", algorithm, "--data", str(data), "--out", str(out), "--json", *options]
    assert cli.main(arguments) == code, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def quotes(data: Path, day: str = "20151224") -> dict[str, list[tuple[set[float], set[float]]]]:
    """All bid and ask prices that stand in the data, by contract (right and strike)."""
    found: dict[str, list[tuple[set[float], set[float]]]] = {}
    with zipfile.ZipFile(data / f"option/usa/minute/goog/{day}_quote_american.zip") as archive:
        for name in archive.namelist():
            if not name.endswith(f"_{day}.csv"):
                continue
            right, strike = name.split("_")[5:7]
            rows = [line.split(",") for line in archive.read(name).decode().splitlines()]
            key = f"{right[0].upper()}{int(strike) / 10_000:g}"
            found[key] = [
                ({int(p) / 10_000 for p in row[1:5] if p}, {int(p) / 10_000 for p in row[6:10] if p}) for row in rows
            ]
    return found


def ends_flat_or_named(document: dict[str, Any]) -> None:
    """Nothing is held at the end but longs that a group names as kept."""
    named = {(leg["symbol"], leg["net"]) for group in document["groups"] for leg in group["legs"] if leg["net"]}
    held = {(row["symbol_id"], int(row["quantity"])) for row in document["account"]["holdings"]}
    assert held == named
    assert all(quantity > 0 for _, quantity in held), held


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_opens_and_closes(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, name: str
) -> None:
    """Each algorithm opens its groups completely, closes them before the bell and ends flat, at prices of the data."""
    document = run(capsys, str(ROOT / "algorithms" / name), data, tmp_path / "out")
    assert document["status"] == "completed"
    assert len(document["groups"]) == (2 if name == "two_strategies" else 1)
    book = quotes(data)
    for group in document["groups"]:
        assert group["opened_at"], group["reason"]
        assert group["status"] in {"closed", "closing"}
        for order in group["orders"]:
            if order["filled"]:
                leg = group["legs"][order["leg"]]["name"]
                sides = [asks if order["filled"] > 0 else bids for bids, asks in book[leg]]
                assert any(round(order["price"], 4) in side for side in sides), (leg, order)
    ends_flat_or_named(document)


@pytest.mark.parametrize("native", ["first", "never"])
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_end_flat_and_say_why(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, fault: str, native: str
) -> None:
    """With each fault, as a combo or as four orders, the condor ends flat, and its record says why and at what cost."""
    options = ("--fault", fault, "--parameter", "native", native)
    document = run(capsys, CONDOR, data, tmp_path / "out", *options)
    assert document["status"] == "completed"
    (group,) = document["groups"]
    assert group["outcome"] == "rolled_back"
    assert group["reason"]
    assert not group["opened_at"]
    filled = [order for order in group["orders"] if order["purpose"] == "open" and order["filled"]]
    assert filled or native == "first"
    assert bool(filled) == (group["rollback_cost"] > 0)
    assert sum(order["filled"] for order in group["orders"] if order["purpose"] == "unwind") == -sum(
        order["filled"] for order in filled
    )
    ends_flat_or_named(document)


def test_a_partial_fill_is_really_partial(capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path) -> None:
    """The fault leaves an order with some of its contracts filled, and exactly those are taken back."""
    document = run(capsys, CONDOR, generated, tmp_path / "out", "--fault", "partial-fill")
    (group,) = document["groups"]
    partial = [o for o in group["orders"] if o["purpose"] == "open" and 0 < abs(o["filled"]) < abs(o["quantity"])]
    assert partial
    assert all(leg["entered"] == -leg["left"] for leg in group["legs"])


def test_an_unknown_fault_is_named(capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path) -> None:
    """A fault that does not exist fails with one line that lists the ones there are."""
    out = ("--out", str(tmp_path / "out"))
    assert cli.main(["backtest", CONDOR, "--data", str(generated), *out, "--fault", "gremlins"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "gremlins" in error
    assert "reject-leg" in error


def test_result_files_stand_beside_each_other(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path
) -> None:
    """Orders, groups, log, account and run are files of the run's folder and agree with what was printed."""
    out = tmp_path / "out"
    document = run(capsys, CONDOR, generated, out)
    groups = [json.loads(line) for line in (out / "groups.jsonl").read_text().splitlines()]
    assert groups == document["groups"]
    with (out / "orders.csv").open() as file:
        orders = list(csv.DictReader(file))
    assert [int(order["id"]) for order in orders] == [order["id"] for order in document["orders"]]
    assert {order["tag"] for order in orders} <= {order["tag"] for group in groups for order in group["orders"]}
    assert json.loads((out / "account.json").read_text()) == document["account"]
    header = json.loads((out / "run.json").read_text())
    assert header["status"] == "completed"
    assert "iron_condor" in (out / "log.txt").read_text()
    assert {"group_id", "strategy", "timestamp", "status", "legs"} <= set(groups[0])


def test_a_folder_used_again_shows_the_new_run_only(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path
) -> None:
    """A run into the folder of an earlier one replaces it: files and groups are those of the new run."""
    run(capsys, str(ROOT / "algorithms" / "strangle"), generated, tmp_path / "out")
    document = run(capsys, CONDOR, generated, tmp_path / "out")
    assert [group["group_id"] for group in document["groups"]] == ["iron_condor-000001"]


def test_longs_without_a_bid_are_kept_and_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, generated: Path
) -> None:
    """Wings too far out to have a bid are not sold at market: the group keeps them, alerts, and names them."""
    far = ("--parameter", "wing-width", "25", "--parameter", "chain-strikes", "30")
    more = ("--parameter", "max-loss", "5000")
    document = run(capsys, CONDOR, generated, tmp_path / "out", *far, *more)
    (group,) = document["groups"]
    kept = [leg["name"] for leg in group["legs"] if leg["net"]]
    assert kept
    ends_flat_or_named(document)
    assert any("without a bid" in alert for alert in document["alerts"])
    out = ("--out", str(tmp_path / "out"))
    assert cli.main(["backtest", CONDOR, "--data", str(generated), *out, *far, *more]) == 0
    assert f"still holds +{group['units']} {kept[0]}" in capsys.readouterr().out


def test_same_seed_same_result(capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path) -> None:
    """Two runs over the same data give the same groups, orders and account."""
    first, second = (run(capsys, CONDOR, generated, tmp_path / name) for name in ("one", "two"))
    for part in ("groups", "orders", "account"):
        assert first[part] == second[part]


@pytest.mark.parametrize("fault", ["", "never-fill"])
@pytest.mark.parametrize("at", ["10:00:02", "10:30:00"])
def test_a_killed_run_is_settled_by_the_next(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, at: str, fault: str
) -> None:
    """Stopped like a kill and resumed with its account, an incomplete or open group is found and flattened."""
    options = ("--fault", fault) if fault else ()
    stopped = run(capsys, CONDOR, data, tmp_path / "one", "--stop-at", f"2015-12-24 {at}", *options)
    assert stopped["status"] == "stopped_at"
    assert not (tmp_path / "two").exists()
    resumed = run(capsys, CONDOR, data, tmp_path / "two", "--resume", str(tmp_path / "one"))
    assert resumed["status"] == "completed"
    assert resumed["groups"][0]["group_id"] == "iron_condor-000001"
    before = len(stopped["groups"][0]["timeline"])
    assert resumed["groups"][0]["timeline"][:before] == stopped["groups"][0]["timeline"]
    assert resumed["groups"][0]["status"] == "closed"
    assert len(resumed["groups"]) == 1  # the day was entered before the kill
    ends_flat_or_named(resumed)


def test_without_its_account_a_killed_run_is_a_break(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path
) -> None:
    """When the account is gone the group is held, somebody is alerted, and nothing is sent."""
    run(capsys, CONDOR, generated, tmp_path / "one", "--stop-at", "2015-12-24 10:30")
    (tmp_path / "one" / "account.json").unlink()
    resumed = run(capsys, CONDOR, generated, tmp_path / "two", "--resume", str(tmp_path / "one"))
    (group,) = resumed["groups"]
    assert group["status"] == "held"
    assert group["held"] in {"break", "ambiguous"}
    assert resumed["orders"] == []
    assert resumed["account"]["holdings"] == []


def test_a_killed_run_can_be_resumed_again(capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path) -> None:
    """Resuming does not use up the stopped run: a second resume finds the same group and ends in the same way."""
    run(capsys, CONDOR, generated, tmp_path / "one", "--stop-at", "2015-12-24 10:00:02", "--fault", "never-fill")
    first, second = (
        run(capsys, CONDOR, generated, tmp_path / name, "--resume", str(tmp_path / "one")) for name in ("two", "three")
    )
    assert first["groups"]
    assert first["groups"] == second["groups"]
    assert first["account"] == second["account"]


def test_a_killed_run_is_resumed_by_name(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --out a stopped run is found by its name, and goes on in the workspace's shared store."""
    (tmp_path / "lean.json").write_text(json.dumps({"data-folder": str(generated)}))
    (tmp_path / "Library").symlink_to(ROOT / "Library")
    project = tmp_path / "algorithms" / "iron_condor"
    shutil.copytree(CONDOR, project, ignore=shutil.ignore_patterns("backtests", "live", "__pycache__"))
    monkeypatch.chdir(tmp_path)
    arguments = ["backtest", "algorithms/iron_condor"]
    assert cli.main([*arguments, "--stop-at", "2015-12-24 10:30"]) == 0
    assert cli.main(arguments) == 0  # another run in between, in the same store
    (stopped,) = project.glob("backtests/*/stopped-store")
    assert cli.main([*arguments, "--resume", "nope"]) == 2
    assert stopped.parent.name in capsys.readouterr().err
    assert cli.main([*arguments, "--resume", stopped.parent.name, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [group["outcome"] for group in document["groups"]] == ["closed"]
    assert document["account"]["holdings"] == []
    assert Path(document["store"]) == tmp_path / "storage"


def test_only_stopped_runs_resume(capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path) -> None:
    """A run that ended by itself, or was interrupted, does not resume; its folder may be used again."""
    run(capsys, CONDOR, generated, tmp_path / "one")
    arguments = ["backtest", CONDOR, "--data", str(generated)]
    assert cli.main([*arguments, "--resume", str(tmp_path / "one"), "--out", str(tmp_path / "two")]) == 2
    assert "was not stopped (completed)" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()


def test_an_interrupted_run_leaves_its_folder_usable(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C during a run is one line, and the same --out can be given again."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.engine.run.run_backtest", interrupted)
    arguments = ["backtest", CONDOR, "--data", str(generated), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
    monkeypatch.undo()
    assert cli.main(arguments) == 0


def test_parameters_replace_those_of_the_project(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path
) -> None:
    """`--parameter` reaches the algorithm: one unit instead of as many as the loss limit allows."""
    document = run(capsys, CONDOR, generated, tmp_path / "out", "--parameter", "quantity", "1")
    assert document["parameters"] == {"quantity": "1"}
    assert document["groups"][0]["units"] == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("wing-width", "wide", "parameter wing-width is 'wide': use a number"),
        ("entry-time", "25:00", "parameter entry-time is '25:00': write a time as 10:00"),
        ("date", "2015-12-32", "parameter date is '2015-12-32': write a date as 2015-12-24"),
        ("pricing", "free", "use one of market, mid, ladder"),
        ("last-date", "2015-12-01", "use 2015-12-24 or a later day"),
    ],
)
def test_a_malformed_parameter_is_one_line(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path, name: str, value: str, words: str
) -> None:
    """A parameter that does not fit fails the run with one line that names it, its value and the cure."""
    out = ("--out", str(tmp_path / "out"))
    assert cli.main(["backtest", CONDOR, "--data", str(generated), *out, "--parameter", name, value]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "def initialize(self):\n        raise RuntimeError('no luck')",
            "main.py, line 5, in initialize: RuntimeError: no luck",
        ),
        ("def initialize(self):\n        self.add_crypto('BTCUSD')", "add_crypto"),
        ("def initialize(self) return", "SyntaxError"),
    ],
)
def test_an_algorithm_that_raises_is_one_line(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path, body: str, words: str
) -> None:
    """A broken algorithm fails with one line that names its own line; the traceback comes with --verbose only."""
    project = tmp_path / "broken"
    project.mkdir()
    (project / "main.py").write_text(f"from AlgorithmImports import *\n\nclass Broken(QCAlgorithm):\n    {body}\n")
    arguments = ["backtest", str(project), "--data", str(generated), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    assert words in error
    assert cli.main([*arguments, "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_algorithm_without_a_class_is_one_line(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path
) -> None:
    """A file without an algorithm fails with one line that names the cure."""
    project = tmp_path / "nothing"
    project.mkdir()
    (project / "main.py").write_text("x = 1\n")
    assert cli.main(["backtest", str(project), "--data", str(generated), "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "QCAlgorithm" in error


def test_a_day_without_data_is_said(capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path) -> None:
    """A date for which the data folder has nothing does not end as if all were well."""
    out = ("--out", str(tmp_path / "out"))
    assert cli.main(["backtest", CONDOR, "--data", str(generated), *out, "--parameter", "date", "2016-03-01"]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "No data for GOOG" in shown.err
    written = " ".join(shown.out.split())
    assert "no data: " in written
    assert "does the data folder hold this ticker and these days?" in written


def test_the_default_folder_is_the_projects(
    capsys: pytest.CaptureFixture[str], generated: Path, tmp_path: Path
) -> None:
    """Without --out a run writes below the project's backtests and the workspace's storage, as the LEAN CLI does."""
    (tmp_path / "lean.json").write_text(json.dumps({"data-folder": str(generated)}))
    project = tmp_path / "algorithms" / "quiet"
    project.mkdir(parents=True)
    (project / "main.py").write_text(
        "from AlgorithmImports import *\n\n\nclass Quiet(QCAlgorithm):\n    def initialize(self):\n"
        "        self.set_start_date(2015, 12, 24)\n        self.set_end_date(2015, 12, 24)\n"
        "        self.object_store.save('note', 'kept')\n"
    )
    assert cli.main(["backtest", str(project)]) == 0
    assert cli.main(["backtest", str(project)]) == 0
    assert "no groups" in capsys.readouterr().out
    assert len(list((project / "backtests").glob("*/run.json"))) == 2
    assert (tmp_path / "storage" / "note").read_text() == "kept"
