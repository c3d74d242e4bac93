"""Position groups as an algorithm sees them (Common/Securities/Positions/*.cs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.engine.symbols import Symbol


class Position:
    """A part of a holding within a group."""

    __slots__ = ("quantity", "symbol", "unit_quantity")

    def __init__(self, symbol: Symbol, quantity: float, unit_quantity: float) -> None:
        self.symbol = symbol
        self.quantity = quantity
        self.unit_quantity = unit_quantity


class PositionGroup:
    """Positions that are margined together; `quantity` counts units of the strategy."""

    __slots__ = ("name", "positions", "quantity")

    def __init__(self, name: str, quantity: float, positions: list[Position]) -> None:
        self.name = name
        self.quantity = quantity
        self.positions = positions

    @property
    def count(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Position]:
        return iter(self.positions)


class PositionGroups(list[PositionGroup]):
    """All groups; `count` is a property, as in LEAN."""

    @property
    def count(self) -> int:  # type: ignore[override]
        return len(self)


class Positions:
    """`portfolio.positions`."""

    def __init__(self, book: Any) -> None:
        self._book = book

    @property
    def groups(self) -> PositionGroups:
        """What is held, by strategy."""
        found = PositionGroups()
        for group in self._book.groups:
            units = abs(group.quantity) or 1.0
            positions = [Position(h.instrument.security.symbol, h.quantity, abs(h.quantity) / units)
                         for h in group.holdings]
            found.append(PositionGroup(group.name, group.quantity, positions))
        return found
