"""Legs of a combo (Common/Orders/Leg.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.engine.symbols import Symbol


class Leg:
    """One contract of a combo: symbol, signed ratio, and a price of its own for leg-limit combos."""

    __slots__ = ("order_price", "order_type", "quantity", "symbol")

    def __init__(self) -> None:
        self.symbol: Symbol = None  # type: ignore[assignment]
        self.quantity = 0
        self.order_price: float | None = None
        self.order_type: Any = None

    @staticmethod
    def create(symbol: Any, quantity: int, limit_price: float | None = None) -> Leg:
        """Make a leg; raises TypeError for a ratio that is not a whole number, as pythonnet does."""
        if int(quantity) != quantity:
            raise TypeError(f"No method matches given arguments for Create: quantity {quantity!r} is not an integer")
        leg = Leg()
        leg.symbol = getattr(symbol, "symbol", symbol)
        leg.quantity = int(quantity)
        leg.order_price = None if limit_price is None else float(limit_price)
        return leg
