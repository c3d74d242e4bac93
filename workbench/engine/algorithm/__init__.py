"""The class that algorithms inherit, split by topic (Algorithm/QCAlgorithm.*.cs)."""

from workbench.engine.algorithm.base import AlgorithmBase
from workbench.engine.algorithm.callbacks import Callbacks
from workbench.engine.algorithm.combos import ComboTrading
from workbench.engine.algorithm.models import Models
from workbench.engine.algorithm.output import Output
from workbench.engine.algorithm.prechecks import OrderChecks
from workbench.engine.algorithm.sizing import Sizing
from workbench.engine.algorithm.subscriptions import Subscriptions
from workbench.engine.algorithm.trading import Trading
from workbench.engine.members import lean_class


@lean_class("QCAlgorithm")
class QCAlgorithm(Callbacks, Sizing, ComboTrading, Trading, OrderChecks, Subscriptions, Models, Output, AlgorithmBase):
    """Base of every algorithm; the members are LEAN's."""


__all__ = ["QCAlgorithm"]
