"""What is installed is what is in the tree, and the declared ranges hold the versions of LEAN's image."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_no_source_file_is_ignored() -> None:
    """A pattern of .gitignore that matches a source file would drop it from the wheel without a word."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    sources = [
        str(path.relative_to(ROOT))
        for room in ("workbench", "Library", "tests", "algorithms")
        for path in (ROOT / room).rglob("*.py")
        if not {"backtests", "live", "optimizations"} & set(path.parts)
    ]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"], cwd=ROOT, input="\n".join(sources), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert len(sources) > 50


@pytest.mark.parametrize(("name", "version"), [("numpy", "1.26.4"), ("pandas", "2.3.3")])
def test_leans_versions_satisfy_the_ranges(name: str, version: str) -> None:
    """numpy and pandas of LEAN's image are within the declared, bounded ranges."""
    requirement = next(r for r in map(Requirement, PROJECT["dependencies"]) if r.name == name)
    assert version in requirement.specifier
    assert any(clause.operator == "<" for clause in requirement.specifier)


def test_the_links_point_to_the_libraries() -> None:
    """`atomic` and `risk` at the top are links to the folders that LEAN mounts."""
    for name in ("atomic", "risk"):
        link = ROOT / name
        assert link.is_symlink()
        assert link.resolve() == ROOT / "Library" / name


def test_no_module_of_the_libraries_hides_one_of_leans_image() -> None:
    """The LEAN CLI puts each library's own folder on the path, too, before the packages of the image."""
    taken = sys.stdlib_module_names | {"control", "lean", "QuantConnect", "AlgorithmImports"}  # control: python-control
    for name in ("atomic", "risk"):
        modules = {path.stem for path in (ROOT / "Library" / name).iterdir()} - {"__init__", "__pycache__", "config"}
        assert not modules & taken


def test_commands_of_the_readme_exist() -> None:
    """Every `make` target and every `atomic` option that the README names is there."""
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    targets = {line.split()[1] for line in readme.splitlines() if line.startswith("make ")}
    assert targets >= {"run", "test"}
    for target in targets:
        assert f"\n{target}:" in makefile
    source = (ROOT / "workbench" / "commands" / "backtest.py").read_text()
    for line in readme.splitlines():
        if line.startswith("atomic backtest"):
            for word in line.split("#")[0].split():
                assert not word.startswith("--") or f'"{word}"' in source, line
