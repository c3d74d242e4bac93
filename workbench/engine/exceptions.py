"""Exceptions with the names of the .NET ones an algorithm meets on LEAN, and the engine's own.

pythonnet shows a C# exception as a Python exception whose class carries the C# name; an algorithm catches it with
`except Exception` and may read its type's name.
"""
from __future__ import annotations

from pathlib import Path


class ArgumentException(Exception):  # noqa: N818
    """An argument is not acceptable."""


class ArgumentOutOfRangeException(ArgumentException):
    """An argument is outside the allowed range."""


class ArgumentNullException(ArgumentException):
    """An argument is missing."""


class InvalidOperationException(Exception):  # noqa: N818
    """A call is not valid in the object's present state."""


class FormatException(Exception):  # noqa: N818
    """A text is not in the expected format."""


class KeyNotFoundException(KeyError):  # noqa: N818
    """A dictionary does not hold the key."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class DataError(Exception):
    """A data file is missing, or a line of it cannot be read; the message names file, line and cure."""

    def __init__(self, path: Path, problem: str, line: int | None = None) -> None:
        self.path = path
        self.line = line
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {problem}")


def unsupported(member: str) -> NotImplementedError:
    """Return the error for a member this engine does not have: it names the member and where it works."""
    return NotImplementedError(
        f"{member} is not supported by the embedded engine; run it on LEAN: lean backtest <project>")
