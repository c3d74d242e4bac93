"""Crash points for tests: a store that dies at a chosen write; a restart meets what was on disk. Public.

```python
for at in range(1, writes + 1):
    store = CrashingStore(MemoryStore(), at)
    try:
        run(AtomicOrderExecutor(gateway=broker, store=store, ...))
    except SimulatedCrash:
        run(AtomicOrderExecutor(gateway=broker.after_restart(), store=store.after(), ...))
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .journal import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence


class SimulatedCrash(BaseException):
    """The process would be dead here; not an `Exception`, so that nothing that handles faults goes on."""


class CrashingStore:
    """A `ports.Store` over memory that raises `SimulatedCrash` at its n-th write or flush, and ever after.

    Args:
        inner: what survives, see `MemoryStore`.
        at: number of the write or flush at which to die, from 1; 0 for never.
        torn: the write that dies leaves its first half on disk, as a real one may.

    Attributes:
        count: writes and flushes so far.
    """

    def __init__(self, inner: MemoryStore, at: int, *, torn: bool = False) -> None:
        self._inner = inner
        self._at = at
        self._torn = torn
        self.count = 0

    def _step(self, key: str = "", text: str = "") -> None:
        self.count += 1
        if self._at and self.count >= self._at:
            if self._torn and key and self.count == self._at:
                self._inner.disk[key] = text[: len(text) // 2]
            raise SimulatedCrash(f"write {self.count}")

    def read(self, key: str) -> str | None:
        """As the inner store."""
        return self._inner.read(key)

    def write(self, key: str, text: str) -> None:
        """As the inner store, or die."""
        self._step(key, text)
        self._inner.write(key, text)

    def flush(self, key: str) -> None:
        """As the inner store, or die before anything is on disk."""
        self._step()
        self._inner.flush(key)

    def delete(self, key: str) -> None:
        """As the inner store."""
        self._inner.delete(key)

    def keys(self, prefix: str) -> Sequence[str]:
        """As the inner store."""
        return self._inner.keys(prefix)

    def after(self) -> MemoryStore:
        """The store that the next process finds."""
        return self._inner.crash()
