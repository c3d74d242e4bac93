"""`atomic backtest`: run one algorithm on the embedded engine and show what became of its groups."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import click

from ..errors import RunFailed, UsageProblem
from ..progress import progress
from ..runs import Stopped, new_output, stopped_run
from ..workspace import Project, find_project

TIME = click.DateTime(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"])


@click.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="LEAN data folder instead of the workspace's.")
@click.option(
    "--parameter",
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="LEAN parameter; one or more replace those of config.json, as in the LEAN CLI.",
)
@click.option(
    "--fault",
    metavar="NAME",
    help="LEAN parameter 'fault': reject-leg, refuse-leg, never-fill, partial-fill, delay-fill, fill-after-cancel, "
    "overfill, break-combo or chaos.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for everything that the run writes.")
@click.option(
    "--stop-at",
    type=TIME,
    metavar="TIME",
    help='End like a kill at this algorithm time, such as "2015-12-24 10:30"; store and account are kept.',
)
@click.option("--resume", metavar="RUN", help="Go on from a run that was stopped with --stop-at (name or folder).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--verbose", is_flag=True, help="Show the log, and the traceback of a failure.")
def backtest(
    project: Path,
    data: Path | None,
    parameters: tuple[tuple[str, str], ...],
    fault: str | None,
    out: Path | None,
    stop_at: datetime | None,
    resume: str | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Run the algorithm in the folder PROJECT (or of one Python file) on the embedded engine.

    Shows its groups and the account; writes orders, groups and log beside each other into
    PROJECT/backtests/<time>, or where --out says. Exit code 1 when the run failed, 2 when it could not be started.

    \b
    Examples:
      atomic backtest algorithms/iron_condor
      atomic backtest algorithms/iron_condor --parameter quantity 2
      atomic backtest algorithms/iron_condor --fault reject-leg
      atomic backtest algorithms/iron_condor --stop-at "2015-12-24 10:30"
      atomic backtest algorithms/iron_condor --resume 2026-01-31_10-00-00
    """
    found = find_project(project)
    folder = _data_folder(found, data)
    before = stopped_run(found, resume) if resume is not None else None
    given = _parameters(found, parameters, before)
    if fault is not None and not fault.strip():
        raise UsageProblem("--fault '' names none: give one, such as --fault reject-leg, or leave it away")
    if fault:
        given["fault"] = fault
    if before is not None or stop_at is not None:
        given["durable"] = "1"  # the journal must be on disk when the run ends like a kill
    if before is not None:
        given["resume"] = "1"
        if stop_at is not None and stop_at <= before.at:
            raise UsageProblem(f"--stop-at {stop_at} is not after the stop of the run, {before.at}: choose a later one")
    output = new_output(found, out)

    from ..runs import run

    with progress(f"{found.name}", quiet=as_json) as report:
        done = run(
            found, data=folder, parameters=given, output=output, stop_at=stop_at, before=before, on_progress=report
        )
    if as_json:
        click.echo(json.dumps(done.document(), indent=1))
    else:
        from ..render import show

        show(done, verbose=verbose)
    for note in done.notes:
        click.echo(f"Note: {note}", err=True)
    if done.error:
        if verbose and done.traceback:
            click.echo(done.traceback, err=True)
        raise RunFailed(done.error_line)
    unread = unread_parameters([*(name for name, _ in parameters), *(["fault"] if fault else [])], done.asked)
    if unread:
        raise RunFailed(f"{unread}; the run went without")
    if stop_at is not None and done.status == "completed":
        end = done.ended_at.partition(".")[0]
        raise RunFailed(f"--stop-at {stop_at} was not reached, the run ended at {end}: choose an earlier time")


def unread_parameters(given: Iterable[str], asked: Iterable[str]) -> str:
    """What to say about parameters that the algorithm never asked for; empty when there are none."""
    asked = sorted(set(asked))
    unread = [name for name in given if name not in asked]
    if not unread:
        return ""
    near = get_close_matches(unread[0], asked, 1)
    cure = f"did you mean {near[0]!r}" if near else f"it reads {', '.join(asked) or 'none'}"
    return f"the algorithm never read the parameter {unread[0]!r}: {cure}"


def _data_folder(project: Project, data: Path | None) -> Path:
    folder = data or project.data
    if folder.is_dir() and any(folder.iterdir()):
        return folder.resolve()
    what = "is empty" if folder.is_dir() else "is no folder" if folder.exists() else "does not exist"
    cure = "give the path of a LEAN data folder" if data else "run `atomic data generate`, or give one with --data"
    raise UsageProblem(f"data folder {folder} {what}: {cure}")


def _parameters(project: Project, given: tuple[tuple[str, str], ...], before: Stopped | None) -> dict[str, str]:
    for name, value in given:
        if value.startswith("--"):
            raise UsageProblem(f"parameter {name!r} has no value before {value}: write --parameter {name} VALUE")
        if not name or name.startswith("-") or "=" in name:
            raise UsageProblem(f"parameter name {name!r} cannot be one: write --parameter name value")
        if sum(1 for other, _ in given if other == name) > 1:
            raise UsageProblem(f"parameter {name!r} is given twice: give it once")
    if given:
        return dict(given)
    return dict(before.parameters) if before is not None else dict(project.parameters)
