"""The algorithm's securities by symbol (Common/Securities/SecurityManager.cs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from workbench.engine.securities import Security
from workbench.engine.symbols import Symbol

T = TypeVar("T")


class KeyValuePair(Generic[T]):
    """What iterating a .NET dictionary yields in Python."""

    __slots__ = ("key", "value")

    def __init__(self, key: Symbol, value: T) -> None:
        self.key = key
        self.value = value

    def __iter__(self) -> Iterator[Any]:
        yield self.key
        yield self.value


class SecurityManager:
    """Subscribed securities by symbol; a removed one stays known for its totals."""

    def __init__(self) -> None:
        self._items: dict[Symbol, Security] = {}
        self.total: dict[Symbol, Security] = {}

    def add(self, security: Security) -> None:
        """Register a security."""
        self._items[security.symbol] = security
        self.total[security.symbol] = security

    def remove(self, symbol: Symbol) -> None:
        """Forget a security."""
        self._items.pop(symbol, None)

    def find(self, symbol: Symbol) -> Security | None:
        """The security of a symbol, or None."""
        return self._items.get(symbol)

    def get(self, symbol: Symbol | str, default: Security | None = None) -> Security | None:
        """The security of a symbol, or the default."""
        return self._items.get(self._key(symbol), default)  # type: ignore[arg-type]

    def _key(self, symbol: Symbol | str) -> Symbol | None:
        if isinstance(symbol, Symbol):
            return symbol
        if isinstance(symbol, Security):
            return symbol.symbol
        for known in self._items:
            if known == symbol:
                return known
        return None

    def __getitem__(self, symbol: Symbol | str) -> Security:
        found = self._items.get(symbol)  # type: ignore[arg-type]
        if found is None:
            key = self._key(symbol)
            found = None if key is None else self._items.get(key)
        if found is None:
            raise KeyError(f"This asset symbol ({symbol}) was not found in your security list. Please add this "
                           "security "
                           "or check it exists before using it with 'securities.contains_key(\"...\")'")
        return found

    def contains_key(self, symbol: Symbol | str) -> bool:
        """Whether the symbol is subscribed."""
        return self._items.get(self._key(symbol)) is not None  # type: ignore[arg-type]

    def __contains__(self, symbol: object) -> bool:
        return self.contains_key(symbol)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._items)

    @property
    def count(self) -> int:
        return len(self._items)

    @property
    def keys(self) -> Any:
        return _CallableList(self._items.keys())

    @property
    def values(self) -> Any:
        return _CallableList(self._items.values())

    def items(self) -> list[tuple[Symbol, Security]]:
        """Pairs of symbol and security."""
        return list(self._items.items())

    def __iter__(self) -> Iterator[KeyValuePair[Security]]:
        for symbol, security in list(self._items.items()):
            yield KeyValuePair(symbol, security)


class _CallableList(list[Any]):
    """A list that may also be called: `.values` and `.values()` both work on LEAN's dictionaries."""

    def __call__(self) -> list[Any]:
        return list(self)
