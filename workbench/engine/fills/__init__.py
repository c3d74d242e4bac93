"""Fill models: what an order of each type fills at, given the last bars."""

from workbench.engine.fills.equity import EquityFillModel
from workbench.engine.fills.model import (
    ConstantSlippageModel,
    Fill,
    FillModel,
    FillModelParameters,
    ImmediateFillModel,
    NullSlippageModel,
    Prices,
)

__all__ = [
    "ConstantSlippageModel",
    "EquityFillModel",
    "Fill",
    "FillModel",
    "FillModelParameters",
    "ImmediateFillModel",
    "NullSlippageModel",
    "Prices",
]
