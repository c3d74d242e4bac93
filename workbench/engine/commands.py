"""Commands to a running algorithm (Common/Commands/*.cs)."""

from __future__ import annotations

from typing import Any


class Command:
    """Base of an algorithm's own commands: fields are set from the data, then `run(algorithm)` is called."""

    def run(self, algorithm: Any) -> bool | None:
        """Do it; the return value says whether it worked."""
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class CommandResult:
    """What came of a command."""

    __slots__ = ("data", "error", "success")

    def __init__(self, success: bool | None, data: dict[str, Any], error: str = "") -> None:
        self.success = success
        self.data = data
        self.error = error


class Commands:
    """Known command classes, and the way of a command to the algorithm."""

    def __init__(self) -> None:
        self._kinds: dict[str, type] = {}
        self.algorithm: Any = None
        self.results: list[CommandResult] = []

    def add(self, kind: type) -> None:
        """Know a class by its name (`$type` in the data)."""
        self._kinds[kind.__name__] = kind

    def run(self, data: dict[str, Any]) -> CommandResult:
        """Run a command: a known class's `run`, else the algorithm's `on_command`."""
        kind = self._kinds.get(str(data.get("$type", "")))
        if kind is None:
            answer = self.algorithm.on_command(_Data(data))
        else:
            command = kind()
            for name, value in data.items():
                if name != "$type":
                    setattr(command, name, value)
            answer = command.run(self.algorithm)
        result = CommandResult(answer, data)
        self.results.append(result)
        return result


class _Data:
    """A command's fields as attributes; every other name, `get` too, is None, as with LEAN's dynamic data."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._fields.get(name.lower())
