"""What a run leaves: read from the engine's result and from the journal, written as files beside each other.

Groups come from the journal of the run, not from the algorithm: what is shown is what a restart would find.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .group_rows import GroupRow, read_groups
from .runs import ACCOUNT, RUN

if TYPE_CHECKING:
    from .engine.run import RunResult
    from .runs import Output
    from .workspace import Project

#: columns of orders.csv
ORDER_COLUMNS = (
    "id", "time", "symbol", "type", "status", "quantity", "filled", "average_price", "fee", "limit_price",
    "stop_price", "tag", "message",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """A finished run with its groups.

    Attributes:
        status: ``completed``, ``runtime_error`` or ``stopped_at``.
        error: why it failed, with the algorithm's own line; empty when it did not.
        ended_at: algorithm time of the end, New York, ISO; empty when nothing ran.
        orders: one row for each order, columns as in `ORDER_COLUMNS`.
        log: (algorithm time, text).
        unread: what of the journal could not be read, with the cure.
    """

    name: str
    algorithm: str
    status: str
    error: str
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

    @property
    def error_line(self) -> str:
        """The error as one line."""
        return " ".join(self.error.split("\n")[0].split())

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
) -> Done:
    """Put the engine's result and the journal's groups together."""
    groups, unread = read_groups(store, run=name)
    return Done(
        name=name,
        algorithm=project.name,
        status=result.status,
        error=result.error,
        ended_at=result.ended_at.isoformat() if result.ended_at else "",
        parameters=dict(parameters),
        data=data,
        folder=output.folder,
        store=store,
        groups=groups,
        unread=unread,
        account=dict(result.account),
        orders=[{column: order.get(column, "") for column in ORDER_COLUMNS} for order in result.orders],
        log=[(str(when), text) for when, text in result.log],
        seconds=result.seconds,
    )


def write(done: Done) -> None:
    """Write the result files; run.json last, so that a folder with it is whole."""
    rows = io.StringIO()
    table = csv.DictWriter(rows, ORDER_COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(done.orders)
    _replace(done.folder / "orders.csv", rows.getvalue())
    lines = [json.dumps(group.row(), separators=(",", ":")) for group in done.groups]
    _replace(done.folder / "groups.jsonl", "".join(line + "\n" for line in lines))
    _replace(done.folder / "log.txt", "".join(f"{when} {text}\n" for when, text in done.log))
    _replace(done.folder / ACCOUNT, json.dumps(done.account, indent=1) + "\n")
    _replace(done.folder / RUN, json.dumps(done.header(), indent=1) + "\n")


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, path)
