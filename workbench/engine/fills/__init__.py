"""Fill models: what an order of each type fills at, given the last bars."""

from workbench.engine.fills.equity import EquityFillModel
from workbench.engine.fills.model import FillModel, ImmediateFillModel
from workbench.engine.fills.question import Fill, FillModelParameters, Prices
from workbench.engine.fills.slippage import ConstantSlippageModel, NullSlippageModel

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
