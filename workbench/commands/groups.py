"""`atomic groups`: the journal from outside: list, show, verify, repair.

Reads the store as a restart would; only `repair` writes, and not while an instance holds the journal.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import RunFailed, UsageProblem
from ..workspace import workspace_root

if TYPE_CHECKING:
    from atomic.journal import FileStore, Verdict

    from ..group_rows import GroupRow

STORE = click.option(
    "--store", type=click.Path(path_type=Path, file_okay=False), help="Object store instead of the workspace's storage."
)
JOURNAL = click.option("--journal", metavar="TEXT", default="", help="Only journals with this in their key.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def open_store(store: Path | None) -> tuple[FileStore, Path]:
    """Open the object store to look at. Raises UsageProblem when there is none."""
    from atomic.journal import FileStore

    root = store if store is not None else (workspace_root(Path.cwd()) or Path.cwd()) / "storage"
    if not root.is_dir():
        raise UsageProblem(f"no object store at {root}: give its folder with --store")
    return FileStore(root), root


def bases_in(files: FileStore, root: Path, wanted: str, *, some: bool = True) -> list[str]:
    """Stems of the journals in a store whose key has `wanted` in it."""
    from atomic.journal import bases

    found = bases(files)
    chosen = [base for base in found if wanted in base]
    if some and wanted and not chosen:
        raise UsageProblem(f"no journal with {wanted!r} in {root}: there is {', '.join(found) or 'none'}")
    return chosen


def groups_of(files: FileStore, base: str) -> tuple[list[GroupRow], list[str]]:
    """All groups of one journal, and what could not be read or may be missing."""
    from atomic.journal import read_archive, read_open
    from atomic.journal import verify as check

    from ..group_rows import GroupRow

    found: dict[str, Any] = {}
    problems = []
    for read in (read_archive, read_open):
        try:
            found.update((group.group_id, group) for group in read(files, base))
        except ValueError as error:
            problems.append(f"{base}: {error}")
    problems += check(files, base).problems
    states = sorted(found.values(), key=lambda group: (group.spec.created_at, group.group_id))
    return [GroupRow(state) for state in states], problems


def _beat(files: FileStore, base: str) -> dict[str, Any] | None:
    """The newest heartbeat of a journal, with its age in seconds and whether its instance may be alive."""
    from atomic.lease import may_live, read_heartbeats

    beat = max(read_heartbeats(files, base), key=lambda beat: beat.at, default=None)
    if beat is None:
        return None
    now = time.time()
    return {**beat._asdict(), "age": round(now - beat.at, 1), "alive": may_live(beat, now)}


@click.group(invoke_without_command=True)
@STORE
@JOURNAL
@click.option("--open", "only_open", is_flag=True, help="Leave out groups that have ended.")
@AS_JSON
@click.pass_context
def groups(ctx: click.Context, store: Path | None, journal: str, only_open: bool, as_json: bool) -> None:
    """List, show, verify and repair the groups that executors keep in an object store.

    \b
    Examples:
      atomic groups --open
      atomic groups show iron_condor-000001
      atomic groups verify --store /mnt/lean/storage
      atomic groups repair --journal live
    """
    if ctx.invoked_subcommand is not None:
        if store is not None or journal or only_open or as_json:
            raise UsageProblem(f"give options after the command: atomic groups {ctx.invoked_subcommand} --store DIR")
        return
    files, root = open_store(store)
    rows = []
    for base in bases_in(files, root, journal):
        found, problems = groups_of(files, base)
        if only_open:
            found = [group for group in found if group.state.phase.value != "closed"]
        rows.append((base, found, problems, _beat(files, base)))
    if as_json:
        document = [
            {"journal": base, "heartbeat": beat, "problems": problems, "groups": [group.row() for group in found]}
            for base, found, problems, beat in rows
        ]
        click.echo(json.dumps({"store": str(root), "journals": document}, indent=1))
        return
    from rich.console import Console

    from ..render import groups_table

    console = Console()
    if not rows:
        console.print(f"no journal in {root}: has an algorithm run, or is the object store elsewhere (--store)?")
    for base, found, problems, beat in rows:
        console.print(f"[bold]{base}[/]{_beat_text(beat)}", highlight=False)
        for problem in problems:
            console.print(f"  [red]{problem}[/] (atomic groups verify)", highlight=False)
        console.print(groups_table(found) if found else "  no group\n")


def _beat_text(beat: dict[str, Any] | None) -> str:
    if beat is None:
        return ""
    who = "has gone" if not beat["alive"] else "holds" if beat["holds"] else "waits"
    return f"  process {beat['pid']} on {beat['host']} {who}, heard {beat['age']:.0f} s ago"


@groups.command("show")
@click.argument("group_id")
@STORE
@JOURNAL
@AS_JSON
def show(group_id: str, store: Path | None, journal: str, as_json: bool) -> None:
    """Show one group: legs, orders and everything that happened to it.

    \b
    Example:
      atomic groups show iron_condor-000001 --journal live
    """
    files, root = open_store(store)
    found = {
        base: group
        for base in bases_in(files, root, journal)
        for group in groups_of(files, base)[0]
        if group.state.group_id == group_id
    }
    if not found:
        raise UsageProblem(f"no group {group_id!r} in {root}: list them with `atomic groups`")
    if len(found) > 1:
        raise UsageProblem(f"{group_id} is in {len(found)} journals: choose with --journal ({', '.join(found)})")
    ((base, group),) = found.items()
    row = group.row()
    if as_json:
        click.echo(json.dumps({"journal": base, **row}, indent=1))
        return
    from rich.console import Console

    from ..render import groups_table

    console = Console()
    console.print(f"[bold]{group_id}[/] in {base}", highlight=False)
    console.print(groups_table([group]))
    if group.why:
        console.print(f"why: {group.why}\n", markup=False)
    for order in row["orders"]:
        filled = f"{order['filled']:+d} at {order['price']:g}" if order["filled"] else "nothing filled"
        price = "".join(f" {name} {order[name]:g}" for name in ("limit", "stop") if order[name])
        text = f"order {order['number']}: {order['purpose']} {order['quantity']:+d} {row['legs'][order['leg']]['name']}"
        reason = f" ({order['reason']})" if order["reason"] else ""
        console.print(f"{text} {order['type']}{price}: {order['status']}, {filled}{reason}", markup=False)
    console.print()
    for fact in row["timeline"]:
        rest = ", ".join(f"{key} {value}" for key, value in fact.items() if key not in ("time", "kind") and value != "")
        console.print(f"{fact['time']}  {fact['kind']:<14} {rest}", markup=False, highlight=False, soft_wrap=True)


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {
        "journal": verdict.base,
        "sound": verdict.sound,
        "slots": [slot._asdict() for slot in verdict.slots],
        "archived": verdict.archived,
        "problems": verdict.problems,
    }


@groups.command("verify")
@STORE
@JOURNAL
@AS_JSON
def verify(store: Path | None, journal: str, as_json: bool) -> None:
    """Check checksums, schema and that every group can be rebuilt; exit code 1 when something is wrong.

    \b
    Example:
      atomic groups verify --store /mnt/lean/storage --json
    """
    from atomic.journal import verify as check

    files, root = open_store(store)
    verdicts = [check(files, base) for base in bases_in(files, root, journal)]
    if as_json:
        click.echo(json.dumps([_verdict_row(verdict) for verdict in verdicts], indent=1))
    else:
        for verdict in verdicts:
            click.echo(f"{verdict.base}: {'sound' if verdict.sound else 'NOT SOUND'}, {verdict.archived} archived")
            for slot in verdict.slots:
                if slot.present:
                    what = slot.damage or f"number {slot.seq}, schema {slot.schema}, {slot.groups} groups"
                    click.echo(f"  {slot.key.rpartition('/')[2]}: {what}")
            for problem in verdict.problems:
                click.echo(f"  problem: {problem}")
        if not verdicts:
            click.echo(f"no journal in {root}: has an algorithm run, or is the object store elsewhere (--store)?")
    bad = [verdict.base for verdict in verdicts if not verdict.sound]
    if bad:
        cure = f"atomic groups repair --journal {bad[0]}"
        raise RunFailed(f"{len(bad)} of {len(verdicts)} journals are not sound: `{cure}`")


@groups.command("repair")
@STORE
@JOURNAL
@AS_JSON
def repair(store: Path | None, journal: str, as_json: bool) -> None:
    """Copy damaged slots aside and put the newest sound one in their place.

    The next start is told that something may be lost: it attributes nothing that it cannot explain, and ids skip
    ahead. Stop the algorithm first.

    \b
    Example:
      atomic groups repair --journal live
    """
    from atomic.journal import repair as mend
    from atomic.ports import StoreError

    files, root = open_store(store)
    chosen = bases_in(files, root, journal)
    if not chosen:
        raise UsageProblem(f"no journal in {root}: there is nothing to repair")
    for base in chosen:
        beat = _beat(files, base)
        if beat is not None and beat["alive"]:
            raise UsageProblem(f"{base} is in use (process {beat['pid']} on {beat['host']}): stop the algorithm first")
    done: dict[str, list[str]] = {}
    for base in chosen:
        try:
            done[base] = mend(files, base)
        except (StoreError, ValueError) as error:
            raise RunFailed(f"{base}: {error}") from error
    if as_json:
        click.echo(json.dumps(done, indent=1))
        return
    for base, lines in done.items():
        click.echo(f"{base}: {'repaired' if lines else 'nothing to repair'}")
        for line in lines:
            click.echo(f"  {line}")
