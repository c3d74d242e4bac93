"""The repository is a LEAN CLI workspace: the real CLI runs, only its Docker client is replaced."""

import ast
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.workspace import find_project

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("lean_cli_child.py")
ALGORITHMS = sorted(path.parent.name for path in (ROOT / "algorithms").glob("*/main.py"))
LIBRARIES = ("atomic", "risk")
COPIED = ("Library", "algorithms", "lean.json", "atomic", "risk")


@dataclass(frozen=True)
class Workspace:
    """A copy of the tracked workspace in which commands are run."""

    path: Path
    home: Path

    def tracked(self) -> dict[str, bytes]:
        files = [self.path / "lean.json", *self.path.glob("algorithms/*/*"), *self.path.glob("Library/**/*")]
        return {str(path.relative_to(self.path)): path.read_bytes() for path in files if path.is_file()}

    def run(self, *arguments: str, cwd: Path | None = None) -> dict[str, Any]:
        """Run a `lean` command and return the one container that it would have started."""
        capture = self.home / "capture.json"
        capture.unlink(missing_ok=True)
        self.home.mkdir(exist_ok=True)
        environment = {**os.environ, "HOME": str(self.home), "USERPROFILE": str(self.home)}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [sys.executable, str(CHILD), str(cwd or self.path), str(capture), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        runs: list[dict[str, Any]] = json.loads(capture.read_text())
        assert len(runs) == 1, done.stdout
        return runs[0]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    pytest.importorskip("lean.constants", reason="the LEAN CLI is not installed (pip install lean)")
    copy = tmp_path / "workspace"
    copy.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "backtests", "live", "optimizations", "storage")
    for name in COPIED:
        source = ROOT / name
        if source.is_symlink():
            (copy / name).symlink_to(os.readlink(source))
        elif source.is_dir():
            shutil.copytree(source, copy / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy2(source, copy / name)
    return Workspace(copy, tmp_path / "home")


def behind(run: dict[str, Any], path: str) -> Path:
    """Return the folder of this machine that a path of the container shows."""
    volumes: dict[str, str] = run["volumes"]
    mount = max((target for target in volumes if path == target or path.startswith(target + "/")), key=len, default="")
    assert mount, f"{path} is in no mount: {sorted(volumes)}"
    return Path(volumes[mount] + path[len(mount) :])


def python_path(run: dict[str, Any]) -> list[str]:
    """Return the mapped start of sys.path inside LEAN: the algorithm's folder, then the extra paths, last one first."""
    extra: list[str] = run["config"]["python-additional-paths"]
    return [str(behind(run, path)) for path in ("/LeanCLI", *reversed(extra))]


def test_there_are_algorithms() -> None:
    """The workspace has algorithms to run."""
    assert "iron_condor" in ALGORITHMS


@pytest.mark.parametrize("name", ALGORITHMS)
def test_backtest_reaches_docker_with_all_that_it_needs(workspace: Workspace, name: str) -> None:
    """`lean backtest` mounts project, libraries, data and store, and asks LEAN for this algorithm."""
    run = workspace.run("backtest", f"algorithms/{name}", "--no-update")
    root = workspace.path
    expected = {
        "/LeanCLI": root / "algorithms" / name,
        "/Library": root / "Library",
        "/Lean/Data": root / "data",
        "/Storage": root / "storage",
    }
    assert {target: Path(run["volumes"][target]) for target in expected} == expected
    assert run["config"]["algorithm-location"] == "/LeanCLI/main.py"
    assert run["config"]["algorithm-language"] == "Python"
    assert run["config"]["environment"] == "backtesting"
    for path in python_path(run):
        assert Path(path).is_dir(), path


@pytest.mark.parametrize("name", ALGORITHMS)
def test_libraries_import_from_the_mounts_alone(workspace: Workspace, name: str) -> None:
    """`atomic` and `risk` import from the mapped mounts, from inside them, and hide no standard module."""
    run = workspace.run("backtest", f"algorithms/{name}", "--no-update")
    site = next(path for path in sys.path if path.endswith("site-packages"))
    code = f"""
import json, sys
sys.path[:0] = {python_path(run)!r}
sys.path.append({site!r})  # LEAN's image has numpy and pandas; links of an editable install are not followed here
import importlib.util, atomic, risk
hidden = []
for module in sorted(sys.stdlib_module_names | {{"numpy", "pandas", "lean", "clr", "AlgorithmImports"}}):
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        continue
    places = [spec.origin or "", *(spec.submodule_search_locations or [])] if spec else []
    if any(place.startswith({str(workspace.path)!r}) for place in places):
        hidden.append(module)
print(json.dumps({{"atomic": atomic.__file__, "risk": risk.__file__, "hidden": hidden}}))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["hidden"] == []
    for library in LIBRARIES:
        real = Path(found[library]).resolve()
        assert real.is_relative_to((workspace.path / "Library").resolve()), real


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_embedded_engine_sees_the_same_path(workspace: Workspace, name: str) -> None:
    """`atomic backtest` puts the same folders on the path, in the same order, as the LEAN CLI and LEAN do."""
    run = workspace.run("backtest", f"algorithms/{name}", "--no-update")
    project = find_project(workspace.path / "algorithms" / name)
    assert [str(project.folder), *map(str, project.library_paths)] == python_path(run)
    assert project.data == Path(run["volumes"]["/Lean/Data"])
    assert project.storage == Path(run["volumes"]["/Storage"])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_paper_live_deploys(workspace: Workspace, name: str) -> None:
    """`lean live deploy` without questions reaches Docker with the paper brokerage and the given account."""
    run = workspace.run(
        *("live", "deploy", f"algorithms/{name}", "--brokerage", "Paper Trading"),
        *("--data-provider-live", "Custom data only", "--live-cash-balance", "USD:100000"),
        *("--detach", "--no-update"),
    )
    environment = run["config"]["environments"][run["config"]["environment"]]
    assert environment["live-mode"] is True
    assert environment["live-mode-brokerage"] == "PaperBrokerage"
    assert Path(run["volumes"]["/Library"]) == workspace.path / "Library"
    assert Path(run["volumes"]["/Storage"]) == workspace.path / "storage"


def test_optimize_sweeps_a_parameter(workspace: Workspace) -> None:
    """`lean optimize` reaches Docker with the parameter and the same mounts."""
    run = workspace.run(
        *("optimize", "algorithms/iron_condor", "--strategy", "Grid Search", "--target", "Sharpe Ratio"),
        *("--target-direction", "max", "--parameter", "order-timeout", "5", "15", "5", "--detach", "--no-update"),
    )
    assert [parameter["name"] for parameter in run["optimizer"]["parameters"]] == ["order-timeout"]
    assert Path(run["volumes"]["/Library"]) == workspace.path / "Library"


@pytest.mark.parametrize("name", ALGORITHMS)
def test_running_leaves_tracked_files_alone(workspace: Workspace, name: str) -> None:
    """After `lean backtest` and `lean live deploy` every tracked file is byte-identical."""
    before = workspace.tracked()
    workspace.run("backtest", f"algorithms/{name}", "--no-update")
    workspace.run(
        *("live", "deploy", f"algorithms/{name}", "--brokerage", "Paper Trading"),
        *("--data-provider-live", "Custom data only", "--detach", "--no-update"),
    )
    assert workspace.tracked() == {**workspace.tracked(), **before}


def test_runs_from_the_algorithms_folder(workspace: Workspace) -> None:
    """The workspace is found from a folder below it."""
    run = workspace.run("backtest", "iron_condor", "--no-update", cwd=workspace.path / "algorithms")
    assert Path(run["volumes"]["/LeanCLI"]) == workspace.path / "algorithms" / "iron_condor"


def test_lean_json_is_at_the_fixed_point_and_has_no_secrets() -> None:
    """lean.json is as the CLI itself would write it, fetches no databases, and holds no credentials."""
    text = (ROOT / "lean.json").read_text()
    config = json.loads(text)
    assert text == json.dumps(config, indent=4)
    assert config["file-database-last-update"] == "12/31/2999 00:00:00"
    words = ("token", "password", "secret", "api-key")
    assert not {key: value for key, value in config.items() if value and any(word in key for word in words)}


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("algorithms/*/config.json")) + sorted(ROOT.glob("Library/*/config.json"))
)
def test_project_files_are_strict_json_at_the_fixed_point(path: Path) -> None:
    """Every config.json is strict JSON with a local id (the CLI deletes the file or adds one otherwise)."""
    config = json.loads(path.read_text())
    assert path.read_text() == json.dumps(config, indent=4) + "\n"
    assert config["algorithm-language"] == "Python"
    assert isinstance(config["local-id"], int)


def test_local_ids_differ() -> None:
    """No two projects share an id."""
    paths = [*ROOT.glob("algorithms/*/config.json"), *ROOT.glob("Library/*/config.json")]
    ids = [json.loads(path.read_text())["local-id"] for path in paths]
    assert len(set(ids)) == len(ids)


def imports(path: Path) -> list[tuple[str, list[str]]]:
    """Return (module, names) of every import of a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.append(("." * node.level + (node.module or ""), [alias.name for alias in node.names]))
        elif isinstance(node, ast.Import):
            found.extend((alias.name, []) for alias in node.names)
    return found


@pytest.mark.parametrize("path", sorted(ROOT.glob("Library/**/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_library_imports_only_what_lean_has(path: Path) -> None:
    """A library file uses the standard library, its own package, LEAN by name, and numpy and pandas in `risk` only."""
    package = path.relative_to(ROOT / "Library").parts[0]
    allowed = {package, "AlgorithmImports", "__future__"} | ({"numpy", "pandas"} if package == "risk" else set())
    if package == "risk":
        allowed.add("atomic")
    for module, names in imports(path):
        assert "*" not in names, f"{path}: from {module} import *"
        top = module.split(".")[0]
        assert module.startswith(".") or top in allowed or top in sys.stdlib_module_names, f"{path}: {module}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("algorithms/*/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_algorithms_know_only_lean_and_the_libraries(path: Path) -> None:
    """Nothing in an algorithm knows the embedded engine."""
    for module, _ in imports(path):
        assert module.split(".")[0] in {"AlgorithmImports", "__future__", *LIBRARIES, *sys.stdlib_module_names}, module
