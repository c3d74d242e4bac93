"""The framework's risk and execution models (Algorithm/QCAlgorithm.Framework.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.targets import PortfolioTarget

if TYPE_CHECKING:
    from workbench.engine.feed_contract import SecurityChanges
    from workbench.engine.runtime import Engine


class ExecutionModel:
    """Base of an execution model."""

    def execute(self, algorithm: Any, targets: list[PortfolioTarget]) -> None:
        """Trade towards the targets; called once a step with data."""

    def on_securities_changed(self, algorithm: Any, changes: SecurityChanges) -> None:
        """Securities came or went."""

    def on_order_event(self, algorithm: Any, order_event: Any) -> None:
        """Something happened to an order; called before the algorithm's own handler."""


class NullExecutionModel(ExecutionModel):
    """Trades nothing."""


class ImmediateExecutionModel(ExecutionModel):
    """Market orders for what is missing to each target (ImmediateExecutionModel.cs)."""

    def execute(self, algorithm: Any, targets: list[PortfolioTarget]) -> None:
        for target in targets:
            open_quantity = algorithm.transactions.get_open_orders_remaining_quantity(target.symbol)
            missing = target.quantity - algorithm.portfolio[target.symbol].quantity - open_quantity
            if missing:
                algorithm.market_order(target.symbol, missing)


class RiskManagementModel:
    """Base of a risk model."""

    def manage_risk(self, algorithm: Any, targets: list[PortfolioTarget]) -> list[PortfolioTarget]:
        """Targets that override the others; called once a step with data."""
        return []

    def on_securities_changed(self, algorithm: Any, changes: SecurityChanges) -> None:
        """Securities came or went."""


class NullRiskManagementModel(RiskManagementModel):
    """Changes nothing."""


class Framework:
    """Calls the models that the algorithm set."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._default = ImmediateExecutionModel()

    def step(self) -> bool:
        """`manage_risk` of each risk model, then `execute`; False when a model raised."""
        engine = self._engine
        try:
            targets: list[PortfolioTarget] = []
            for model in engine.risk_models:
                for target in model.manage_risk(engine.algorithm, list(targets)) or []:
                    targets = [t for t in targets if t.symbol != target.symbol] + [target]
            execution = engine.execution_model or self._default
            if hasattr(execution, "execute"):
                execution.execute(engine.algorithm, targets)
        except Exception as error:
            engine.fail(error, "framework")
            return False
        return True

    def securities_changed(self, changes: SecurityChanges) -> bool:
        """Tell the models; False when one raised."""
        engine = self._engine
        try:
            for model in [*engine.risk_models, engine.execution_model]:
                if model is not None and hasattr(model, "on_securities_changed"):
                    model.on_securities_changed(engine.algorithm, changes)
        except Exception as error:
            engine.fail(error, "on_securities_changed of a framework model")
            return False
        return True
