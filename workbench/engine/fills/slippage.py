"""Slippage models: how far from the price of the last bar an order fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.securities import Security


class NullSlippageModel:
    """No slippage."""

    def get_slippage_approximation(self, asset: Security, order: Order) -> float:
        """Dollars per share."""
        return 0.0


class ConstantSlippageModel(NullSlippageModel):
    """A fraction of the last price (ConstantSlippageModel.cs)."""

    def __init__(self, slippage_percent: float) -> None:
        self._fraction = float(slippage_percent)

    def get_slippage_approximation(self, asset: Security, order: Order) -> float:
        """Dollars per share."""
        data = asset.get_last_data()
        return 0.0 if data is None else float(data.value) * self._fraction
