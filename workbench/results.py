"""What a run leaves: the engine's files, and beside them the groups of the journal.

Groups come from the journal of the run, not from the algorithm: what is shown is what a restart would find.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .group_rows import GroupRow, read_groups
from .runs import RUN

if TYPE_CHECKING:
    from .engine.results import RunResult
    from .runs import Output
    from .workspace import Project


#: how the engine's log begins a line about a data file that is not there
NO_DATA = "No data: "
#: how the engine's log begins the line about a file with more than one algorithm
SEVERAL = "Several algorithms: "
#: how the library's log begins an alert
ALERT = "ALERT "


@dataclass(frozen=True, slots=True)
class Done:
    """A finished run with its groups.

    Attributes:
        status: ``completed``, ``runtime_error`` or ``stopped_at``.
        error: why it failed, with the algorithm's own line; empty when it did not.
        traceback: where it failed, for `--verbose`.
        ended_at: algorithm time of the end, ISO; empty when nothing ran.
        orders: one row for each order, as in orders.csv.
        log: (algorithm time, text).
        asked: parameters that the algorithm asked for.
        unread: what of the journal could not be read, with the cure.
    """

    name: str
    algorithm: str
    status: str
    error: str
    traceback: str
    ended_at: str
    parameters: dict[str, str]
    data: Path
    folder: Path
    store: Path
    groups: list[GroupRow]
    unread: list[str]
    account: dict[str, Any]
    orders: list[dict[str, Any]]
    log: list[tuple[str, str]]
    seconds: float
    asked: list[str]

    @property
    def error_line(self) -> str:
        """The error as one line."""
        return " ".join(self.error.split("\n")[0].split())

    @property
    def missing(self) -> list[str]:
        """Data files that the run wanted and that are not there; LEAN goes on without them, and so does the engine."""
        return [text.removeprefix(NO_DATA) for _, text in self.log if text.startswith(NO_DATA)]

    @property
    def notes(self) -> list[str]:
        """What else the engine has to say about the run."""
        return [text.removeprefix(SEVERAL) for _, text in self.log if text.startswith(SEVERAL)]

    @property
    def alerts(self) -> list[str]:
        """Alerts that the library wrote into the log, each once."""
        texts = (text.removeprefix(ALERT) for _, text in self.log if text.startswith(ALERT))
        return list(dict.fromkeys(texts))

    def header(self) -> dict[str, Any]:
        """What run.json holds."""
        return {
            "name": self.name,
            "algorithm": self.algorithm,
            "status": self.status,
            "error": self.error,
            "ended_at": self.ended_at,
            "parameters": self.parameters,
            "data": str(self.data),
            "store": str(self.store),
            "seconds": round(self.seconds, 3),
        }

    def document(self) -> dict[str, Any]:
        """The whole result as JSON, for `--json`."""
        return {
            **self.header(),
            "folder": str(self.folder),
            "account": self.account,
            "groups": [group.row() for group in self.groups],
            "unread": self.unread,
            "alerts": self.alerts,
            "missing": self.missing,
            "orders": self.orders,
        }


def collect(
    result: RunResult,
    *,
    name: str,
    project: Project,
    data: Path,
    parameters: Mapping[str, str],
    output: Output,
    store: Path,
    journals: Iterable[str],
) -> Done:
    """Put the engine's result and the groups of some journals together."""
    groups, unread = read_groups(store, journals)
    return Done(
        name=name,
        algorithm=project.name,
        status=result.status,
        error=result.error,
        traceback=result.traceback,
        ended_at=str(result.account.get("time", "")),
        parameters=dict(parameters),
        data=data,
        folder=output.folder,
        store=store,
        groups=groups,
        unread=unread,
        account=dict(result.account),
        orders=result.order_rows(),
        log=result.log,
        seconds=result.seconds,
        asked=result.asked,
    )


def write(done: Done) -> None:
    """Write the files of this module beside the engine's; run.json last, so that a folder with it is whole."""
    lines = [json.dumps(group.row(), separators=(",", ":")) for group in done.groups]
    _replace(done.folder / "groups.jsonl", "".join(line + "\n" for line in lines))
    _replace(done.folder / RUN, json.dumps(done.header(), indent=1) + "\n")


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, path)
