"""The framework: alpha, portfolio construction, risk and execution models (Algorithm/QCAlgorithm.Framework.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.insights import InsightManager
from workbench.engine.targets import PortfolioTarget

if TYPE_CHECKING:
    from workbench.engine.feed_contract import SecurityChanges
    from workbench.engine.insights import Insight
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
        self.alpha: Any = None
        self.construction: Any = None
        self.insights = InsightManager()

    @property
    def used(self) -> bool:
        """Whether the algorithm set any model."""
        engine = self._engine
        models = (self.alpha, self.construction, engine.execution_model)
        return bool(engine.risk_models) or any(model is not None for model in models)

    def step(self) -> bool:
        """OnFrameworkData: insights of the alpha model, and what follows from them; False when a model raised."""
        engine = self._engine
        try:
            insights: list[Insight] = []
            if self.alpha is not None:
                insights = self._prepared(list(self.alpha.update(engine.algorithm, engine.current_slice) or []))
            self._process(insights)
        except Exception as error:
            engine.fail(error, "framework")
            return False
        return True

    def emit(self, insights: list[Insight]) -> None:
        """EmitInsights: as if the alpha model had them now."""
        if self._engine.is_warming_up:
            self._engine.warn_once("emit", "Warning: insights emitted during algorithm warmup are ignored.")
            return
        self._process(self._prepared(insights))

    def _prepared(self, insights: list[Insight]) -> list[Insight]:
        """InitializeInsights: times and reference value are set, the collection learns of them."""
        engine = self._engine
        for insight in insights:
            insight.generated_time_utc = engine.clock.utc
            insight.reference_value = float(engine.securities[insight.symbol].price)
            insight.source_model = insight.source_model or type(self.alpha).__name__
            insight.set_period_and_close_time(engine.hours_of(insight.symbol))
        self.insights.add_range(insights)
        return insights

    def _process(self, insights: list[Insight]) -> None:
        """ProcessInsights: construction, then each risk model's word before the others', then execution."""
        engine = self._engine
        targets: list[PortfolioTarget] = []
        if self.construction is not None:
            targets = list(self.construction.create_targets(engine.algorithm, insights) or [])
        for model in engine.risk_models:
            adjusted = list(model.manage_risk(engine.algorithm, list(targets)) or [])
            targets = _distinct([*adjusted, *targets])
        execution = engine.execution_model or self._default
        if hasattr(execution, "execute"):
            execution.execute(engine.algorithm, targets)

    def securities_changed(self, changes: SecurityChanges) -> bool:
        """Tell the models; False when one raised."""
        engine = self._engine
        try:
            models = [self.alpha, self.construction, engine.execution_model, *engine.risk_models]
            for model in models:
                if model is not None and hasattr(model, "on_securities_changed"):
                    model.on_securities_changed(engine.algorithm, changes)
        except Exception as error:
            engine.fail(error, "on_securities_changed of a framework model")
            return False
        return True


def _distinct(targets: list[PortfolioTarget]) -> list[PortfolioTarget]:
    """The first target of each symbol."""
    found: dict[Any, PortfolioTarget] = {}
    for target in targets:
        found.setdefault(target.symbol, target)
    return list(found.values())
