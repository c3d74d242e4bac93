"""`atomic live` and `atomic command`: a paper session on the embedded engine, and the operator's hands on it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from ..errors import RunFailed, UsageProblem
from ..progress import progress
from ..workspace import Project, find_project
from .backtest import TIME, _data_folder, _parameters, unread_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engine.live.session import LiveOptions

#: the paper account of a project, below its `live` folder
ACCOUNT = "account.sqlite"
#: how the library's log begins a command that it refused
REFUSED = "command refused: "
#: who runs a session: process id, in the session's folder
OWNER = "pid"


@click.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="LEAN data folder instead of the workspace's.")
@click.option("--parameter", "parameters", type=(str, str), multiple=True, metavar="NAME VALUE",
              help="LEAN parameter; one or more replace those of config.json.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(0), default=60.0, show_default=True,
              help="Seconds of data time per second; 0 goes as fast as orders are worked.")  # fmt: skip
@click.option("--until", type=TIME, metavar="TIME",
              help="Stop in order at this algorithm time; a later session goes on there.")  # fmt: skip
@click.option("--cash", type=click.FloatRange(0, min_open=True), default=100_000.0, show_default=True,
              help="Dollars of a new account.")  # fmt: skip
@click.option("--fresh", is_flag=True, help="Put account and journal of earlier sessions aside and start a new one.")
@click.option("--chaos", "seed", type=int, metavar="SEED",
              help="A bad day: lost and repeated events, partial fills, refusals, drops, outside trades.")  # fmt: skip
@click.option("--account", type=click.Path(path_type=Path), help="Account file instead of PROJECT/live/account.sqlite.")
@click.option("--store", type=click.Path(path_type=Path), help="Object store instead of the workspace's storage.")
@click.option("--json", "as_json", is_flag=True, help="Print the end of the session as JSON.")
@click.option("--verbose", is_flag=True, help="Show the traceback of a failure.")
def live(
    project: Path, data: Path | None, parameters: tuple[tuple[str, str], ...], speed: float, until: datetime | None,
    cash: float, fresh: bool, seed: int | None, account: Path | None, store: Path | None, as_json: bool,
    verbose: bool,
) -> None:  # fmt: skip
    """Trade PROJECT on paper over a data day, with threads, delays and an account that outlives the process.

    Kill it and start it again: orders and positions are still there, LEAN's ids and tags are not, and the day goes on
    where it was. Stop it in order with Ctrl+C or `atomic command PROJECT stop`.

    \b
    Examples:
      atomic live algorithms/iron_condor
      atomic live algorithms/iron_condor --speed 600 --until "2015-12-24 11:00"
      atomic live algorithms/iron_condor --fresh --chaos 7
    """
    found = find_project(project)
    folder = _data_folder(found, data)
    given = _parameters(found, parameters, None)
    account = account or found.folder / "live" / ACCOUNT
    store = store or found.storage
    _refuse_a_second(found)
    if fresh:
        _put_aside(found, account, store)
    _check_account(account, cash)
    _check_store(store)
    session, owner = _session_folder(found)

    from ..engine.exceptions import DataError
    from ..engine.live.chaos import ChaosPlan
    from ..engine.live.session import LiveOptions, run_live
    from ..paper.account import AccountError

    options = LiveOptions(speed=speed, until=until, commands=session,
                          chaos=ChaosPlan.storm(seed) if seed is not None else ChaosPlan())  # fmt: skip
    options.on_start = _unread([name for name, _ in parameters])
    _stop_on_signal(options)
    with progress(found.name, quiet=as_json) as report:
        if report is not None:
            options.on_tick = _reporter(report)
        try:
            result = run_live(
                found.main, data=folder, account=account, parameters=given, store=store,
                output=session, name=found.name, cash=cash, options=options, library_paths=found.library_paths,
            )  # fmt: skip
        except (DataError, AccountError) as error:
            raise RunFailed(str(error)) from error
        finally:
            owner.release()
    document = {"status": result.status, "error": result.error, "account": result.account, "folder": str(session),
                "seconds": round(result.seconds, 3), "log": result.log}  # fmt: skip
    if as_json:
        click.echo(json.dumps(document, indent=1, default=str))
    else:
        for when, text in result.log:
            click.echo(f"{when}  {text}")
        holdings = ", ".join(f"{h['quantity']:+g} {h['symbol']}" for h in result.account["holdings"]) or "none"
        click.echo(f"account: cash {result.account['cash']:,.2f}, value {result.account['value']:,.2f}")
        click.echo(f"holdings: {holdings}")
        click.echo(f"{result.status} in {result.seconds:.1f} s, session in {session}")
    if result.error:
        if verbose:
            click.echo(result.traceback, err=True)
        raise RunFailed(" ".join(result.error.split("\n")[0].split()))


def _reporter(report: Callable[[float], None]) -> Callable[[float, datetime], None]:
    return lambda share, now: report(share)


def _unread(given: list[str]) -> Callable[[set[str]], None]:
    """Tells at the start of parameters that the algorithm did not ask for: a misspelt limit is no limit."""

    def look(asked: set[str]) -> None:
        text = unread_parameters(given, asked)
        if text:
            click.echo(f"Warning: {text}", err=True)

    return look


def _stop_on_signal(options: LiveOptions) -> None:
    def stop(*_: Any) -> None:
        if options.stop.is_set():
            raise KeyboardInterrupt  # a second Ctrl+C ends at once
        options.stop.set()

    signal.signal(signal.SIGINT, stop)


class _Owner:
    """Marks a session's folder as run by this process; the mark goes with the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / OWNER
        self._file = self._path.open("w")
        _lock(self._file)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """The session is over."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _lock(file: IO[str]) -> bool:
    """Take the file's lock without waiting; False when a living process has it."""
    try:
        import fcntl
    except ImportError:  # no such locks here (Windows): the file alone is the mark
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _refuse_a_second(project: Project) -> None:
    running = _running(project.folder / "live")
    if running is not None:
        raise UsageProblem(f"a session of {project.name} runs already ({running.name}): stop it first")


def _check_account(path: Path, cash: float) -> None:
    """Open the account before anything of a session is written."""
    from ..paper.account import AccountError, PaperAccount

    try:
        PaperAccount(path, cash).close()
    except AccountError as error:
        raise UsageProblem(f"--account {error}") from error
    except OSError as error:
        raise UsageProblem(f"cannot write to --account {path} ({error.strerror}): name another file") from error


def _check_store(store: Path) -> None:
    """A session that cannot keep its journal would trade nothing all day."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=store):
            pass
    except OSError as error:
        raise UsageProblem(f"cannot write to --store {store} ({error.strerror}): choose another folder") from error


def _session_folder(project: Project) -> tuple[Path, _Owner]:
    base = project.folder / "live"
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder, count = base / stamp, 1
    while folder.exists():
        count += 1
        folder = base / f"{stamp}-{count}"
    try:
        folder.mkdir(parents=True)
        return folder, _Owner(folder)
    except OSError as error:
        raise UsageProblem(f"cannot write to {base} ({error.strerror}): check its owner") from error


def _running(base: Path) -> Path | None:
    """The folder of a session whose process lives."""
    for owner in sorted(base.glob(f"*/{OWNER}"), reverse=True):
        with owner.open("r+") as file:
            if not _lock(file):
                return owner.parent
        owner.unlink(missing_ok=True)
    return None


def _put_aside(project: Project, account: Path, store: Path) -> None:
    """Keep what an earlier session left, under the time of now."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for path in (account, account.with_name(account.name + "-wal"), account.with_name(account.name + "-shm")):
        if path.exists():
            path.rename(path.with_name(f"{path.name}.{stamp}"))
    journal = store / "atomic" / project.name / "live"
    if journal.is_dir():
        shutil.move(journal, journal.with_name(f"live-{stamp}"))


@click.command("command")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("action", required=False)
@click.argument("group_id", required=False)
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.option("--limit", default="", help="Name of the limit for `reset`.")
@click.option("--which", default="", help="`all` for `groups` also lists ended ones.")
@click.option("--data", help="The whole command as JSON or a Python dictionary, as for `lean live command`.")
@click.option("--timeout", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    project: Path, action: str | None, group_id: str | None, reason: str, limit: str, which: str, data: str | None,
    timeout: float, as_json: bool,
) -> None:  # fmt: skip
    """Send an operator command to the running session of PROJECT and show its answer.

    ACTION is status, groups, close, rollback, hold, release, accept, pause, resume, flatten, reset, acknowledge or
    stop; GROUP_ID where the action is about one group (close, rollback, hold, release, accept).

    \b
    Examples:
      atomic command algorithms/iron_condor status
      atomic command algorithms/iron_condor close iron_condor-000001
      atomic command algorithms/iron_condor reset --limit daily-loss
      atomic command algorithms/iron_condor --data '{"action": "pause"}'
    """
    fields = _fields(action, group_id, reason, limit, which, data)
    answer = ask(project, fields, timeout)
    refused = [text.partition(REFUSED)[2] for text in answer["log"] if text.startswith(REFUSED)]
    if as_json:
        click.echo(json.dumps(answer, indent=1))
    else:
        for text in answer["log"]:
            if not text.startswith(REFUSED):
                click.echo(text)
        if fields.get("action") == "stop":
            click.echo("stopping in order")
    if answer["Success"] is False:
        why = answer["error"] or "; ".join(refused) or "it is none that the algorithm knows"
        raise RunFailed(f"the command was refused: {why}")


def ask(project: Path, fields: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Send a command to the running session of a project and wait for its answer."""
    found = find_project(project)
    session = _running(found.folder / "live")
    if session is None:
        raise UsageProblem(f"no session of {found.name} runs: start one with `atomic live {project}`")
    number = f"{time.time_ns()}"
    fields.setdefault("id", number)
    partial = session / f"incoming-{number}.tmp"
    partial.write_text(json.dumps(fields), encoding="utf-8")
    os.replace(partial, session / f"command-{number}.json")
    reply = session / f"result-command-{number}.json"
    until = time.monotonic() + timeout
    while not reply.exists():
        if time.monotonic() > until:
            raise RunFailed(f"no answer within {timeout:g} s: the session is busy or gone (see {session})")
        time.sleep(0.02)
    answer: dict[str, Any] = json.loads(reply.read_text("utf-8"))
    reply.unlink()
    return answer


def _fields(
    action: str | None, group_id: str | None, reason: str, limit: str, which: str, data: str | None
) -> dict[str, Any]:
    if data is not None:
        if action:
            raise UsageProblem("give an action or --data, not both")
        if any((group_id, reason, limit, which)):
            raise UsageProblem("--data is the whole command: put the other options into it")
        return _dictionary(data)
    from atomic.commands import FORMS

    names = ", ".join([*FORMS, "stop"])
    if not action:
        raise UsageProblem(f"no action given: use one of {names}")
    if action.lower() not in FORMS and action != "stop":
        raise UsageProblem(f"unknown action {action!r}: use one of {names}, or --data for one of the algorithm's own")
    form = FORMS.get(action.lower())
    if form is not None and "group_id" in form.required and not group_id:
        raise UsageProblem(f"{action} needs a group: atomic command PROJECT {action} GROUP_ID (`groups` lists them)")
    if form is not None and "limit" in form.required and not limit:
        raise UsageProblem(f"{action} needs the name of a limit: give --limit NAME (`status` lists them)")
    given = {"action": action, "group_id": group_id, "reason": reason, "limit": limit, "which": which}
    return {key: value for key, value in given.items() if value}


def _dictionary(data: str) -> dict[str, Any]:
    """A command written as JSON or, as for `lean live command`, as a Python dictionary."""
    try:
        fields = json.loads(data)
    except ValueError:
        try:
            fields = ast.literal_eval(data)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            fields = None
    if not isinstance(fields, dict) or not fields:
        raise UsageProblem(f"--data {data!r} is no dictionary: write --data '{{\"action\": \"status\"}}'")
    return {str(key): value for key, value in fields.items()}
