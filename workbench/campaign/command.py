"""`atomic chaos`: many lives under an adversarial broker, judged by an oracle; `workbench/cli.py` registers it."""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import RunFailed, UsageProblem
from .runs import STEPS, Finding, Tally, again, campaign, describe, load
from .scenarios import CONSTRAINED, ON_PAPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from .crash import CrashFinding


@click.command("chaos", short_help="Run groups under an adversarial broker and judge the invariants.")
@click.option("--runs", type=click.IntRange(1), default=1000, show_default=True, help="How many runs.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the first run; one per run."
)
@click.option("--steps", type=click.IntRange(1), default=STEPS, show_default=True, help="Events before the calm.")
@click.option("--crash", is_flag=True, help="Stop the process after every write, send and event of each scenario.")
@click.option("--brackets", is_flag=True, help="Lives of brackets instead of all-or-none groups.")
@click.option("--managed", is_flag=True, help="Brackets that are watched, timed and changed by their owner.")
@click.option("--sets", is_flag=True, help="Lives of contingent sets (OCO, OUO, OTO) instead.")
@click.option("--linked", is_flag=True, help="Orders that the algorithm sent by itself and links into OCO sets.")
@click.option(
    "--constrained", is_flag=True,
    help="Venues without updates, market or stop orders, order rates, an operator who interferes.",
)  # fmt: skip
@click.option("--restarts", is_flag=True, help="Processes also stop and start again during the storm.")
@click.option("--paper", is_flag=True, help="With restarts, at LEAN's paper brokerage: each ends all its orders.")
@click.option("--exhaustive", is_flag=True, help="Every interleaving for small groups over the pure core.")
@click.option("--replay", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Replay a kept violation.")
@click.option("--jobs", type=click.IntRange(1), default=None, help="Processes; all cores unless told otherwise.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=None,
              help="Where replay files of violations go; the present folder unless told otherwise.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def chaos(
    runs: int, seed: int, steps: int, crash: bool, brackets: bool, managed: bool, sets: bool, linked: bool,
    constrained: bool, restarts: bool, paper: bool, exhaustive: bool, replay: Path | None, jobs: int | None,
    out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Run groups under an adversarial broker and judge the invariants.

    Exits with 1 when an invariant was broken; each violation is cut down to the shortest event list that still shows
    it and written to a file for `--replay`.

    \b
    Examples:
      atomic chaos --runs 10000
      atomic chaos --brackets --restarts --seed 500000
      atomic chaos --crash
      atomic chaos --replay chaos-17-covered.json
    """
    from rich.console import Console

    _refuse_senseless()
    console = Console(quiet=as_json)
    if replay is not None:
        _replay(console, replay, as_json)
        return
    folder = _writable(out or Path())
    started = time.monotonic()
    findings: Sequence[Finding | CrashFinding]
    if exhaustive:
        row, findings = _exhaustive(console, jobs)
    elif crash:
        row, findings = _crash(console, jobs)
    else:
        asked_for = {"brackets": brackets, "managed": managed, "sets": sets, "linked": linked}
        kind = next((kind for kind, asked in asked_for.items() if asked), "groups")
        kind += CONSTRAINED if constrained else ""
        kind += ON_PAPER if paper else ""
        row, findings = _storm(console, runs, seed, steps, jobs, kind, restarts or paper)
    row["seconds"] = round(time.monotonic() - started, 1)
    kept = [_keep(finding, folder) for finding in findings]
    if as_json:
        click.echo(json.dumps(row, indent=1))
    else:
        _print(console, row, findings, kept)
    if row["violations"]:
        raise SystemExit(1)


#: options of a storm
_STORMS = ("runs", "seed", "steps", "brackets", "managed", "sets", "linked", "constrained", "restarts", "paper")
#: what each of these already settles: the options that would be ignored beside it
_ALONE = {
    "replay": ("crash", "exhaustive", *_STORMS, "jobs", "out"),
    "crash": ("exhaustive", *_STORMS),
    "exhaustive": (*_STORMS, "out"),
    "brackets": ("managed", "sets", "linked"),
    "managed": ("sets", "linked"),
    "sets": ("linked",),
}
_WHY = {
    "replay": "the file says what is played",
    "crash": "it plays every crash point of a fixed list of scenarios, brackets and restarts among them",
    "exhaustive": "it plays every interleaving within fixed bounds",
    "brackets": "a run has groups of one kind",
    "managed": "a run has groups of one kind",
    "sets": "a run has groups of one kind",
}


def _refuse_senseless() -> None:
    """An option that would be ignored is a misunderstanding: say so before hours are spent on it."""
    ctx = click.get_current_context()
    given = {
        name for name in ctx.params if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    for name, others in _ALONE.items():
        beside = [f"--{other}" for other in others if other in given]
        if name in given and beside:
            raise UsageProblem(f"--{name} takes no {', '.join(beside)}: {_WHY[name]}")


def _writable(folder: Path) -> Path:
    """The folder for replay files, tried before the work and not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageProblem(f"cannot write to {folder} ({error.strerror}): choose another folder with --out") from error
    return folder


def _storm(
    console: Console, runs: int, seed: int, steps: int, jobs: int | None, kind: str, restarts: bool
) -> tuple[dict[str, Any], Sequence[Finding | CrashFinding]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from .drivers import shell

    total = Tally()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=console.quiet) as progress:
        task = progress.add_task("chaos", total=runs)
        for part in campaign(runs, seed, shell, steps=steps, crash=restarts, kind=kind, jobs=jobs):
            total.merge(part)
            progress.update(task, advance=part.runs, description=f"chaos, {sum(total.violations.values())} violations")
    return {"seed": seed, **total.row()}, total.findings


def _crash(console: Console, jobs: int | None) -> tuple[dict[str, Any], Sequence[Finding | CrashFinding]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from .crash import RESTARTS, TWICE, CrashTally, every_crash
    from .drivers import shell
    from .stories import scenarios

    total = CrashTally()
    tasks = len(scenarios()) * len(RESTARTS) * len(TWICE)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=console.quiet) as progress:
        task = progress.add_task("crash at every step", total=tasks)
        for part in every_crash(shell, jobs=jobs):
            total.merge(part)
            progress.update(
                task, advance=1, description=f"crash at every step, {sum(total.violations.values())} violations"
            )
    return total.row(), total.findings


def _exhaustive(console: Console, jobs: int | None) -> tuple[dict[str, Any], Sequence[Finding | CrashFinding]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from .exhaustive.scope import SCOPE, explore_all

    results = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=console.quiet) as progress:
        task = progress.add_task("every interleaving", total=len(SCOPE))
        for explored in explore_all(SCOPE, jobs=jobs):
            results.append(explored.row())
            progress.update(task, advance=1)
    console.print_json(json.dumps(results))
    violations = {v["text"]: 1 for r in results for v in r["violations"]}
    return {"explorations": results, "states": sum(r["states"] for r in results), "violations": violations}, []


def _replay(console: Console, path: Path, as_json: bool) -> None:
    from .drivers import shell

    try:
        finding = load(path)
    except (OSError, ValueError) as error:
        raise UsageProblem(str(error)) from None
    try:
        world = again(finding.steps, shell, crash=finding.crash, kind=finding.kind)
    except Exception as error:
        text = f"{path} cannot be played ({type(error).__name__}: {error}): was it written by another version?"
        raise RunFailed(text) from error
    if as_json:
        found = [violation._asdict() for violation in world.oracle.violations]
        click.echo(json.dumps({"setting": describe(world), "script": world.script, "violations": found}, indent=1))
    console.print(f"setting: {describe(world)}", highlight=False)
    for number, line in enumerate(world.script, 1):
        console.print(f"{number:4} {line}", highlight=False)
    if not world.oracle.violations:
        console.print("no violation: it does not happen any more")
        return
    for violation in world.oracle.violations:
        console.print(f"violation: {violation.name} {violation.group_id}: {violation.text}", highlight=False)
    raise SystemExit(1)


def _keep(finding: Finding | CrashFinding, folder: Path) -> Path:
    where = re.sub(r"[^A-Za-z0-9]+", "-", str(finding.seed))
    path = folder / f"chaos-{where}-{finding.name}.json"
    path.write_text(json.dumps(finding.row(), indent=1))
    return path


def _print(console: Console, row: dict[str, Any], findings: Sequence[Finding | CrashFinding], kept: list[Path]) -> None:
    from rich.table import Table

    table = Table(show_header=False)
    for key, value in row.items():
        if key in ("findings", "explorations"):
            continue
        text = ", ".join(f"{k} {v}" for k, v in value.items()) or "0" if isinstance(value, dict) else str(value)
        table.add_row(key.replace("_", " "), text)
    console.print(table)
    for finding, path in zip(findings, kept, strict=True):
        console.print(f"\nviolation of {finding.name}, {finding.seed}: {finding.text}", highlight=False)
        for number, line in enumerate(finding.script):
            console.print(f"{number:4} {line}", highlight=False)
        if isinstance(finding, Finding):
            console.print(f"replay: atomic chaos --replay {path}", highlight=False)
        else:
            console.print(f"kept in {path}", highlight=False)
