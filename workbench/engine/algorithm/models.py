"""Models of the run: brokerage, securities' initializers, framework hooks, commands (QCAlgorithm.cs, .Framework.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.enums import AccountType, BrokerageName
from workbench.engine.exceptions import InvalidOperationException, unsupported

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine


class Models:
    """What an algorithm may exchange in the engine."""

    _engine: Engine

    @property
    def brokerage_model(self) -> Any:
        return self._engine.brokerage_model

    @property
    def brokerage_name(self) -> BrokerageName:
        return self._engine.brokerage_name

    def set_brokerage_model(self, model: Any, account_type: AccountType = AccountType.MARGIN) -> None:
        """Use a brokerage's rules: a BrokerageName, or a model of one's own."""
        if isinstance(model, BrokerageName):
            from workbench.engine.brokerages import create_brokerage_model
            self._engine.brokerage_name = model
            model = create_brokerage_model(model, account_type)
        self._engine.set_brokerage_model(model)

    def set_security_initializer(self, initializer: Any) -> None:
        """Call for every security that is added, instead of the brokerage model's settings."""
        self._require_unlocked("SetSecurityInitializer")
        self._engine.security_initializers = [initializer]
        self._engine.user_initializer = True

    def add_security_initializer(self, initializer: Any) -> None:
        """Call for every security that is added, after the brokerage model's settings."""
        self._require_unlocked("AddSecurityInitializer")
        self._engine.security_initializers.append(initializer)

    def _require_unlocked(self, name: str) -> None:
        if self._engine.locked:
            raise InvalidOperationException(f"Algorithm.{name}(): Cannot change SecurityInitializer after algorithm "
                                            "initialized.")

    def set_brokerage_message_handler(self, handler: Any) -> None:
        """Keep the handler; a simulated brokerage sends no messages."""
        self._engine.brokerage_message_handler = handler

    def set_execution(self, model: Any) -> None:
        """Use an execution model: `on_order_event` for each event before the algorithm's, `execute` each step."""
        self._engine.execution_model = model

    def set_risk_management(self, model: Any) -> None:
        """Use a risk model: `manage_risk` is called each step with data."""
        self._engine.risk_models = [model]

    def add_risk_management(self, model: Any) -> None:
        """Add a risk model."""
        self._engine.risk_models.append(model)

    def set_universe_selection(self, model: Any) -> None:
        """Not supported."""
        raise unsupported("QCAlgorithm.set_universe_selection")

    def set_alpha(self, model: Any) -> None:
        """Use an alpha model: `update` is called each step with data."""
        self._engine.framework.alpha = model

    def set_portfolio_construction(self, model: Any) -> None:
        """Use a portfolio construction: `create_targets` is called each step with data."""
        self._engine.framework.construction = model

    @property
    def insights(self) -> Any:
        return self._engine.framework.insights

    @property
    def alpha(self) -> Any:
        return self._engine.framework.alpha

    @property
    def portfolio_construction(self) -> Any:
        return self._engine.framework.construction

    def emit_insights(self, *insights: Any) -> None:
        """Have insights without an alpha model."""
        flat = [one for given in insights for one in (given if isinstance(given, list | tuple) else [given])]
        self._engine.framework.emit(flat)

    @property
    def execution(self) -> Any:
        return self._engine.execution_model

    @property
    def risk_management(self) -> Any:
        return self._engine.risk_models[0] if self._engine.risk_models else None

    def add_command(self, command: type) -> None:
        """Accept commands of a class with `run(self, algorithm)`."""
        self._engine.commands.add(command)

    def run_command(self, command: Any) -> Any:
        """Run a command given as a dictionary, as one from a command file."""
        return self._engine.commands.run(command)
