"""One run of an algorithm on the embedded engine: where it goes, what it leaves, and how it is taken up again.

A run's folder holds everything to read it and to resume it::

    run.json          algorithm, parameters, data, status, end (also the sign that the folder is ours)
    groups.jsonl      every group with its legs and timeline
    stopped-store/    the journal as a run stopped with --stop-at left it
    orders.csv, order-events.csv, log.txt, result.json, account.json      written by the engine
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import RunFailed, UsageProblem

if TYPE_CHECKING:
    from .results import Done
    from .workspace import Project

RUN = "run.json"
ACCOUNT = "account.json"
#: the journal as a stopped run left it, so that it can be taken up more than once
STOPPED = "stopped-store"


@dataclass(frozen=True, slots=True)
class Output:
    """Where a run writes: `name` is the run's, part of the journal's keys; `store` is LEAN's object store."""

    name: str
    folder: Path
    store: Path


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run that was stopped: algorithm time of the stop, its account (None when the file is gone)."""

    name: str
    folder: Path
    at: datetime
    parameters: dict[str, str]
    account: dict[str, Any] | None


def new_output(project: Project, out: Path | None) -> Output:
    """Choose the folder of a new run.

    Raises:
        UsageProblem: `out` holds files that are no run's.
    """
    if out is None:
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        base = project.folder / "backtests"
        count, folder = 1, base / stamp
        while True:
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:
                count += 1
                folder = base / f"{stamp}-{count}"
            except OSError as error:
                raise UsageProblem(f"cannot write to {base} ({error.strerror}): choose a folder with --out") from error
        return Output(folder.name, folder, project.storage)
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / RUN).is_file())):
        raise UsageProblem(f"--out {out} holds other files: choose an empty folder or that of an earlier run")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"cannot write to {out} ({error.strerror}): choose another folder with --out") from error
    out = out.resolve()
    return Output(re.sub(r"[^A-Za-z0-9_-]", "-", out.name), out, out / "storage")


def stopped_run(project: Project, run: str) -> Stopped:
    """Find a run that was stopped, by its name below the project's backtests or by its folder.

    Raises:
        UsageProblem: there is none, or it ended by itself.
    """
    places = (Path(run), project.folder / "backtests" / run)
    folder = next((place for place in places if (place / RUN).is_file()), None)
    if folder is None:
        known = [path.parent.name for path in sorted(project.folder.glob(f"backtests/*/{STOPPED}"))]
        cure = f"there is {', '.join(known[-3:])}" if known else "give the folder of a run stopped with --stop-at"
        raise UsageProblem(f"no run {run}: {cure}")
    try:
        document = json.loads((folder / RUN).read_text("utf-8"))
        account_file = folder / ACCOUNT
        account = json.loads(account_file.read_text("utf-8")) if account_file.is_file() else None
        if document["status"] != "stopped_at":
            ended = document["status"]
            raise UsageProblem(f"run {run} was not stopped ({ended}): only a run stopped with --stop-at resumes")
        return Stopped(
            name=document["name"],
            folder=folder.resolve(),
            at=datetime.fromisoformat(document["ended_at"]),
            parameters=document["parameters"],
            account=account,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageProblem(f"run {run} cannot be read ({error}): run it again with --stop-at") from error


def run(
    project: Project,
    *,
    data: Path,
    parameters: Mapping[str, str],
    output: Output,
    stop_at: datetime | None = None,
    before: Stopped | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Done:
    """Run an algorithm and write its results into the output's folder."""
    from .engine.exceptions import DataError
    from .engine.run import AlgorithmNotFoundError, run_backtest
    from .group_rows import journals
    from .results import collect, write

    # a resumed run goes on in the same journal: what the stop left, under the same name in its keys
    name, store = before.name if before is not None else output.name, output.store
    try:
        # from now on the folder is a run's, also when it is interrupted
        (output.folder / RUN).write_text(json.dumps({"name": name, "status": "interrupted"}) + "\n", "utf-8")
        store.mkdir(parents=True, exist_ok=True)
        for stem in journals(store, name):  # of an earlier run in the same folder
            shutil.rmtree(store / stem)
        if before is not None:
            for base in (before.folder / STOPPED).glob("atomic/*/*"):
                _put(base, store / base.relative_to(before.folder / STOPPED))
        result = run_backtest(
            project.main,
            data=data,
            parameters=dict(parameters),
            store=store,
            output=output.folder,
            name=name,
            on_progress=on_progress,
            stop_at=stop_at,
            account=before.account if before is not None else None,
            start_at=before.at if before is not None else None,
            library_paths=project.library_paths,
        )
    except (DataError, AlgorithmNotFoundError, OSError) as error:
        raise RunFailed(str(error)) from error
    done = collect(
        result,
        name=name,
        project=project,
        data=data,
        parameters=parameters,
        output=output,
        store=store,
        journals=journals(store, name),
    )
    if done.status == "stopped_at":
        for stem in journals(store, name):
            _put(store / stem, output.folder / STOPPED / stem)
    write(done)
    return done


def _put(source: Path, target: Path) -> None:
    """Put a copy of a folder in the place of another one."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
