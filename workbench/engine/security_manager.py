"""The algorithm's securities by symbol (Common/Securities/SecurityManager.cs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from workbench.engine.exceptions import KeyNotFoundException
from workbench.engine.securities import Security
from workbench.engine.symbols import Symbol, SymbolCache

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
    """Securities by symbol. Iterating shows those that are subscribed; looking up also finds those that were, as LEAN's
    does (a removed or expired contract keeps its holdings and figures)."""

    def __init__(self) -> None:
        self._active: dict[Symbol, Security] = {}
        self.total: dict[Symbol, Security] = {}

    def add(self, security: Security) -> None:
        """Register a security, or take a removed one back."""
        self._active[security.symbol] = security
        self.total[security.symbol] = security

    def remove(self, symbol: Symbol) -> None:
        """The security is no longer subscribed."""
        self._active.pop(symbol, None)

    def is_active(self, symbol: Symbol) -> bool:
        """Whether the symbol is subscribed."""
        return symbol in self._active

    def find(self, symbol: Symbol) -> Security | None:
        """The security of a symbol, or None."""
        return self.total.get(symbol)

    def get(self, symbol: Symbol | str, default: Security | None = None) -> Security | None:
        """The security of a symbol, or the default."""
        key = self._key(symbol)
        return default if key is None else self.total.get(key, default)

    def _key(self, symbol: Symbol | str) -> Symbol | None:
        if isinstance(symbol, Symbol):
            return symbol
        if isinstance(symbol, Security):
            return symbol.symbol
        return SymbolCache.try_get_symbol(symbol) if isinstance(symbol, str) else None

    def __getitem__(self, symbol: Symbol | str) -> Security:
        found = self.total.get(symbol) if isinstance(symbol, Symbol) else self.get(symbol)
        if found is None:
            raise KeyNotFoundException(
                f"This asset symbol ({symbol}) was not found in your security list. Please add this security or check "
                "it exists before using it with 'Securities.ContainsKey(\"" + str(symbol) + "\")'")
        return found

    def contains_key(self, symbol: Symbol | str) -> bool:
        """Whether the symbol is or was subscribed."""
        return self.get(symbol) is not None

    def __contains__(self, symbol: object) -> bool:
        return self.contains_key(symbol)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._active)

    @property
    def count(self) -> int:
        return len(self._active)

    @property
    def keys(self) -> Any:
        return _CallableList(self._active.keys())

    @property
    def values(self) -> Any:
        return _CallableList(self._active.values())

    def items(self) -> list[tuple[Symbol, Security]]:
        """Pairs of symbol and security."""
        return list(self._active.items())

    def __iter__(self) -> Iterator[KeyValuePair[Security]]:
        for symbol, security in list(self._active.items()):
            yield KeyValuePair(symbol, security)


class _CallableList(list[Any]):
    """A list that may also be called: `.values` and `.values()` both work on LEAN's dictionaries."""

    def __call__(self) -> list[Any]:
        return list(self)
