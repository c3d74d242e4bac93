"""`atomic metrics`: figures of a running session as Prometheus text, for a scrape job or a textfile collector."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from ..errors import RunFailed
from ..workspace import find_project
from .live import ask


def status_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The status in the answer of the command `status`; raises RunFailed when there is none."""
    for text in answer.get("log", ()):
        for line in str(text).splitlines():
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
    raise RunFailed(f"the session told no status: {answer.get('error') or 'does its on_command ask the executor?'}")


@click.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="Write to this file in one step, for the textfile collector of a node exporter.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Seconds to wait.")
def metrics(project: Path, out: Path | None, timeout: float) -> None:
    """Show the figures of the running session of PROJECT as Prometheus text.

    \b
    Examples:
      atomic metrics algorithms/iron_condor
      atomic metrics algorithms/iron_condor --out /var/lib/node/atomic.prom
    """
    from ..prometheus import render

    answer = ask(project, {"action": "status"}, timeout)
    try:
        text = render(status_of(answer), {"project": find_project(project).name})
    except ValueError as error:
        raise RunFailed(str(error)) from error
    if out is None:
        click.echo(text, nl=False)
        return
    partial = out.with_name(f".{out.name}.tmp")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, out)
    except OSError as error:
        raise RunFailed(f"cannot write {out} ({error.strerror}): choose another file with --out") from error
