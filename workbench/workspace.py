"""Where things are: the LEAN CLI workspace, its projects, libraries and data folder.

The rules are those of the LEAN CLI (`lean` 1.0.230): the workspace is the folder of the nearest lean.json, a project is
a folder with main.py (or the path of a Python file), a library is a folder named in the project's config.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageProblem


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{path} is not strict JSON ({error}): correct it") from error
    if not isinstance(content, dict):
        raise UsageProblem(f"{path} holds no JSON object: correct it")
    return content


def workspace_root(start: Path) -> Path | None:
    """Return the folder of the nearest lean.json at or above a path, None when there is none."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / "lean.json").is_file()), None)


@dataclass(frozen=True, slots=True)
class Project:
    """One algorithm of a workspace.

    Attributes:
        folder: the project's folder.
        main: its Python file.
        root: the workspace (the folder of lean.json), or the project's own folder outside of one.
        parameters: LEAN parameters of config.json.
        library_paths: folders that LEAN puts on the path for it, first one first.
        data: the workspace's data folder; it need not exist.
    """

    folder: Path
    main: Path
    root: Path
    parameters: dict[str, str]
    library_paths: list[Path]
    data: Path

    @property
    def name(self) -> str:
        """The project's name as the LEAN CLI has it: its folder."""
        return self.folder.name

    @property
    def storage(self) -> Path:
        """The workspace's object store (the LEAN CLI's place for it; not configurable there)."""
        return self.root / "storage"


def _choices(root: Path | None) -> str:
    base = root or Path.cwd()
    found = sorted(path.parent.relative_to(base).as_posix() for path in base.glob("algorithms/*/main.py"))
    return f"there is {', '.join(found)}" if found else "give the path of a folder with a main.py"


def find_project(path: Path) -> Project:
    """Find a project by the path of its folder or of its Python file.

    Raises:
        UsageProblem: there is no algorithm at the path, or a configuration file cannot be read.
    """
    main = path if path.is_file() else path / "main.py"
    if not main.is_file() or main.suffix != ".py":
        what = "has no main.py" if path.is_dir() else "is no Python file" if path.is_file() else "does not exist"
        raise UsageProblem(f"no algorithm at {path}: it {what}; {_choices(workspace_root(Path.cwd()))}")
    main = main.resolve()
    folder = main.parent
    root = workspace_root(folder)
    lean = _json(root / "lean.json") if root else {}
    config = _json(folder / "config.json")
    libraries = [Path(row["path"]) for row in config.get("libraries", []) if isinstance(row, dict) and "path" in row]
    home = root or folder
    # as LEAN's sys.path: the algorithm's folder, /Library, then the libraries, the last one first
    paths = [home / library for library in libraries]
    if libraries:
        paths.append(home / "Library")
    parameters = {str(key): str(value) for key, value in config.get("parameters", {}).items()}
    return Project(folder, main, home, parameters, paths[::-1], home / str(lean.get("data-folder", "data")))
