"""Names that LEAN's Python API has, so that what is not supported here can be told from a slip of the pen.

`members.txt` is written by `python -m workbench.engine.supported` from quantconnect-stubs: one line per class with the
names of its members, and the line `*` with the names that `from AlgorithmImports import *` gives on LEAN.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

TABLE = Path(__file__).with_name("members.txt")


class MemberNotSupportedError(NotImplementedError, AttributeError):
    """A member of LEAN's that this engine does not have; `hasattr` answers False."""


@cache
def _table() -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    if TABLE.exists():
        for line in TABLE.read_text(encoding="utf-8").splitlines():
            name, _, members = line.partition(":")
            table[name] = frozenset(members.split())
    return table


def lean_members(name: str) -> frozenset[str]:
    """Member names of a class of LEAN's; of `*`, the names of AlgorithmImports."""
    return _table().get(name, frozenset())


def snake_case(name: str) -> str:
    """`SetStartDate` as `set_start_date`: LEAN's C# names work in Python too."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class _Alias:
    """A member under its C# name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, kind: type) -> Any:
        return getattr(kind if owner is None else owner, self._name)


class _Missing:
    """A member of LEAN's that a class does not have here."""

    def __init__(self, lean_class: str, name: str) -> None:
        self._where, self._name = lean_class, name

    def __get__(self, owner: Any, kind: type) -> NoReturn:
        raise MemberNotSupportedError(f"{self._where}.{self._name} is not supported by the embedded engine; run it on "
                                      "LEAN: lean backtest <project>")


def lean_class(name: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: C# names work, and members of LEAN's class `name` that are not here say so when they are read.

    It puts descriptors on the class. A `__getattr__` would do the same and make every other access slower: CPython 3.11
    specializes none where a class has one.
    """

    def decorate(kind: type[T]) -> type[T]:
        found: dict[str, Any] = {}
        for base in reversed(kind.__mro__):
            found.update(vars(base))
        here = {member for member, value in found.items() if not isinstance(value, _Missing)}
        here.update(*map(assigned, kind.__mro__))
        for member in lean_members(name):
            if member not in here:
                setattr(kind, member, _Missing(name, member))
            for spelt in _in_csharp(member):
                if spelt not in here:
                    setattr(kind, spelt, _Alias(member))
        return kind

    return decorate


def _in_csharp(name: str) -> tuple[str, str]:
    """`set_start_date` as `SetStartDate`; a single word also as an acronym (`ATR`)."""
    words = name.split("_")
    pascal = "".join(word[:1].upper() + word[1:] for word in words)
    return pascal, name.upper() if len(words) == 1 else pascal


def assigned(kind: type) -> set[str]:
    """Names that the methods of a class set on its instances."""
    names: set[str] = set()
    for method in vars(kind).values():
        code = getattr(method, "__code__", None)
        if code is not None:
            names.update(i.argval for i in dis.get_instructions(code) if i.opname == "STORE_ATTR")
    return names


class NotHere:
    """Stands for a class of LEAN's that this engine does not have: every use but an annotation says so."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _refuse(self, what: str = "") -> NoReturn:
        raise MemberNotSupportedError(f"{self.__dict__['_name']}{what} is not supported by the embedded engine; run it "
                                      "on LEAN: lean backtest <project>")

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse(f".{name}")

    def __getitem__(self, item: Any) -> NotHere:
        return self

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        self._refuse()

    def __or__(self, other: Any) -> Any:
        return Any

    __ror__ = __or__
