"""Names that LEAN's Python API has, so that what is not supported here can be told from a slip of the pen."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final


@cache
def _table() -> dict[str, frozenset[str]]:
    path = Path(__file__).with_name("members.txt")
    table: dict[str, frozenset[str]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, members = line.partition(":")
            table[name] = frozenset(members.split())
    return table


class _Members:
    """Read the table when somebody first asks."""

    def get(self, name: str, default: tuple[str, ...] = ()) -> frozenset[str] | tuple[str, ...]:
        """Member names of a class."""
        return _table().get(name, default)


LEAN_MEMBERS: Final = _Members()
