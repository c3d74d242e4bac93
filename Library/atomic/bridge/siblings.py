"""Several executors of one algorithm: each tells the others' orders from trades by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .contracts import Contracts
    from .slots import SlotBook

SHARED = (
    "another executor of this algorithm trades {name}, too: an assignment, and what fills while the process is down, "
    "cannot be told apart. Share one executor between the strategies, or give each contracts of its own"
)


class Siblings:
    """The other executors' books and contracts, as far as they live on this algorithm.

    Args:
        algorithm: the QCAlgorithm; it carries the list.
        book: orders of this executor.
        contracts: contracts of this executor.
    """

    def __init__(self, algorithm: Any, book: SlotBook, contracts: Contracts) -> None:
        members = getattr(algorithm, "_atomic_siblings", None)
        if not isinstance(members, list):
            members = algorithm._atomic_siblings = []
        self._members: list[tuple[SlotBook, Contracts]] = members
        self._own = book
        members.append((book, contracts))

    def _others(self) -> Iterator[tuple[SlotBook, Contracts]]:
        return (member for member in self._members if member[0] is not self._own)

    def sent(self, lean_id: int, tag: str) -> bool:
        """True for an order of another executor, open or ended a while ago."""
        return any(book.has(lean_id, tag) for book, _ in self._others())

    def trade(self, symbol: str) -> bool:
        """True for a contract that another executor has traded or restored."""
        return any(contracts.trades(symbol) for _, contracts in self._others())
