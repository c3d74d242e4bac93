"""Command files of a running session, as LEAN's FileCommandHandler takes them: each once, answered in a file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from workbench.engine.runtime import Engine


def carry_out(engine: Engine, folder: Path | None, stop: threading.Event) -> None:
    """Carry out what lies in `folder`, on the thread that calls; `stop` is set by the command to stop in order."""
    if folder is None:
        return
    for path in sorted(folder.glob("command*.json")):
        try:
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            data = None
        path.unlink(missing_ok=True)
        if not isinstance(data, dict):
            data = {}
        before = len(engine.results.lines)
        success: bool | None = True
        error = ""
        if "stop" in (data.get("$type"), data.get("action")):
            stop.set()
        else:
            try:
                answer = engine.commands.run(data)
                success, error = answer.success, answer.error
            except Exception as problem:
                success, error = False, f"{type(problem).__name__}: {problem}"
        said = [text for _, text in engine.results.lines[before:]]
        reply = {"Success": success, "error": error, "log": said}
        target = folder / f"result-{path.stem}.json"
        partial = target.with_suffix(".tmp")
        partial.write_text(json.dumps(reply), encoding="utf-8")
        os.replace(partial, target)
