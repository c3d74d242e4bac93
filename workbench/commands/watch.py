"""`atomic watch`: the dead-man from outside: alerts when a heartbeat is stale while groups are open."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import RunFailed, UsageProblem
from .groups import JOURNAL, STORE, bases_in, open_store

if TYPE_CHECKING:
    from atomic.journal import FileStore


def look(files: FileStore, bases: list[str], now: float, ttl: float) -> list[dict[str, Any]]:
    """State of every live journal: quiet (nothing open), alive, waiting for its first beat, or overdue."""
    from atomic.journal import read_open
    from atomic.lease import overdue, read_heartbeats

    rows = []
    for base in bases:
        if not base.rpartition("/")[2].startswith("live"):
            continue
        beats = read_heartbeats(files, base)
        newest = max(beats, key=lambda beat: beat.at, default=None)
        try:
            unclosed = [group.group_id for group in read_open(files, base) if group.phase.value != "closed"]
            problem = ""
        except ValueError as error:
            unclosed, problem = [], str(error)
        late = overdue(beats, now, ttl) or ((newest is None or now - newest.at > ttl) and unclosed)
        state = "overdue" if late else "alive" if newest is not None and now - newest.at <= ttl else "quiet"
        rows.append(
            {
                "journal": base,
                "state": "damaged" if problem else state,
                "age": round(now - newest.at, 1) if newest is not None else None,
                "host": newest.host if newest is not None else "",
                "pid": newest.pid if newest is not None else 0,
                "open_groups": unclosed,
                "held": newest.held if newest is not None else 0,
                "problem": problem,
            }
        )
    return rows


def sentence(row: dict[str, Any]) -> str:
    """What to tell a person about one journal."""
    if row["problem"]:
        return f"{row['journal']} cannot be read: {row['problem']}"
    heard = "no heartbeat was ever heard" if row["age"] is None else f"last heard {row['age']:.0f} s ago"
    where = f" (process {row['pid']} on {row['host']})" if row["host"] else ""
    count = len(row["open_groups"])
    groups = f"{count} groups are open: {', '.join(row['open_groups'][:5])}" if count else "no group is open"
    return f"{row['journal']} {row['state']}: {heard}{where}, {groups}"


def _hook(command: str | None) -> list[str]:
    """The words of the command to run, found before it is needed."""
    if command is None:
        return []
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageProblem(f"--run {command!r} is not a command ({error}): close the quotes") from error
    if not words or shutil.which(words[0]) is None:
        what = f"no program {words[0]!r}" if words else "no program"
        raise UsageProblem(f"--run {command!r}: there is {what}, give one that can be run")
    return words


@click.command()
@STORE
@JOURNAL
@click.option("--ttl", type=click.FloatRange(min=1), default=60.0, show_default=True,
              help="Seconds of silence after which open groups count as unwatched.")  # fmt: skip
@click.option("--every", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once; exit code 1 when something is wrong.")
@click.option("--run", "command", metavar="COMMAND", help="Run this at each new alert; the sentence is its argument.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each look.")
def watch(
    store: Path | None, journal: str, ttl: float, every: float, once: bool, command: str | None, as_json: bool
) -> None:
    """Watch live journals from outside; alert when nobody looks after open groups.

    Runs on any machine that sees the object store's folder, so that it lives when the algorithm does not.

    \b
    Examples:
      atomic watch --run ./call-me.sh
      atomic watch --store /mnt/lean/storage --ttl 120 --json
      atomic watch --once     (for cron: exit code 1 when a person is needed)
    """
    files, root = open_store(store)
    hook = _hook(command)
    said: dict[str, str] = {}
    while True:
        rows = look(files, bases_in(files, root, journal, some=False), time.time(), ttl)
        wrong = [row for row in rows if row["state"] in ("overdue", "damaged")]
        if as_json:
            click.echo(json.dumps({"at": time.time(), "journals": rows}))
        for row in rows:
            before, said[row["journal"]] = said.get(row["journal"]), row["state"]
            if row["state"] == before:
                continue
            if not as_json:
                click.echo(f"{'ALERT ' if row in wrong else ''}{sentence(row)}")
            if hook and row in wrong:
                try:
                    subprocess.run([*hook, sentence(row)], check=False)
                except OSError as error:  # the watch goes on, whatever becomes of the hook
                    click.echo(f"--run {command} failed ({error.strerror})", err=True)
        if once:
            if not rows and not as_json:
                click.echo(f"no live journal in {root}")
            if wrong:
                raise RunFailed(f"{len(wrong)} of {len(rows)} live journals need a person")
            return
        time.sleep(every)
