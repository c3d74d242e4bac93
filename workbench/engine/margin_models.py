"""Buying power models of a security on its own (Common/Securities/BuyingPowerModel.cs and its subclasses)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.enums import SecurityType
from workbench.engine.exceptions import ArgumentException, unsupported

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security

_OPTION_TYPES = frozenset({SecurityType.OPTION, SecurityType.INDEX_OPTION})


class HasSufficientBuyingPowerForOrderResult:
    """The answer of a buying power model, and its reason when it is no."""

    __slots__ = ("is_sufficient", "reason")

    def __init__(self, is_sufficient: bool, reason: str | None = None) -> None:
        self.is_sufficient = is_sufficient
        self.reason = reason or ""


class HasSufficientBuyingPowerForOrderParameters:
    """What a buying power model is asked about."""

    __slots__ = ("order", "portfolio", "security")

    def __init__(self, portfolio: SecurityPortfolioManager, security: Security, order: Order) -> None:
        self.portfolio = portfolio
        self.security = security
        self.order = order

    def sufficient(self) -> HasSufficientBuyingPowerForOrderResult:
        """Yes."""
        return HasSufficientBuyingPowerForOrderResult(True)

    def insufficient(self, reason: str) -> HasSufficientBuyingPowerForOrderResult:
        """No, and why."""
        return HasSufficientBuyingPowerForOrderResult(False, reason)


class BuyingPowerModel:
    """Margin of a security on its own; Python subclasses may answer `has_sufficient_buying_power_for_order`.

    `BuyingPowerModel()`, `BuyingPowerModel(leverage, required_free)` or
    `BuyingPowerModel(initial, maintenance, required_free)`; rates are parts of the value.
    """

    NULL: BuyingPowerModel
    initial_margin_requirement = 1.0
    maintenance_margin_requirement = 1.0
    required_free_buying_power_percent = 0.0

    def __init__(self, *terms: float) -> None:
        if len(terms) == 3:
            initial, maintenance, free = terms
            for name, value in (("Initial", initial), ("Maintenance", maintenance)):
                if not 0 <= value <= 1:
                    raise ArgumentException(f"{name} margin requirement must be between 0 and 1")
        else:
            leverage = terms[0] if terms else 1.0
            free = terms[1] if len(terms) > 1 else 0.0
            if leverage < 1:
                raise ArgumentException("Leverage must be greater than or equal to 1.")
            initial = maintenance = 1 / leverage
        if not 0 <= free <= 1:
            raise ArgumentException("Free Buying Power Percent requirement must be between 0 and 1")
        self.initial_margin_requirement = float(initial)
        self.maintenance_margin_requirement = float(maintenance)
        self.required_free_buying_power_percent = float(free)

    def get_leverage(self, security: Security) -> float:
        """Dollars of value per dollar of margin."""
        return 1 / self.initial_margin_requirement

    def set_leverage(self, security: Security, leverage: float) -> None:
        """Set both rates to one part in `leverage`."""
        if leverage < 1:
            raise ArgumentException("Leverage must be greater than or equal to 1.")
        self.initial_margin_requirement = self.maintenance_margin_requirement = 1 / leverage

    def has_sufficient_buying_power_for_order(
        self, parameters: HasSufficientBuyingPowerForOrderParameters
    ) -> HasSufficientBuyingPowerForOrderResult:
        """Whether the order's initial margin fits into what is free, without regard to strategies."""
        book: Any = parameters.portfolio.margin
        enough, reason = book.single_order(parameters.security, parameters.order)
        return HasSufficientBuyingPowerForOrderResult(enough, reason)


class SecurityMarginModel(BuyingPowerModel):
    """Margin of shares: a part of their value."""


class OptionMarginModel(BuyingPowerModel):
    """Margin of an option: nothing for a long; for a short its value and a part of the underlying's."""

    def __init__(self, required_free_buying_power_percent: float = 0.0) -> None:
        super().__init__(1.0, required_free_buying_power_percent)

    def set_leverage(self, security: Security, leverage: float) -> None:
        raise ArgumentException("Options are leveraged products and different leverage cannot be set by user")


class NullBuyingPowerModel(BuyingPowerModel):
    """No margin at all."""

    initial_margin_requirement = 0.0
    maintenance_margin_requirement = 0.0

    def __init__(self) -> None:
        self.required_free_buying_power_percent = 0.0

    def has_sufficient_buying_power_for_order(
        self, parameters: HasSufficientBuyingPowerForOrderParameters
    ) -> HasSufficientBuyingPowerForOrderResult:
        return parameters.sufficient()


BuyingPowerModel.NULL = NullBuyingPowerModel()

_OWN_MODELS = (BuyingPowerModel, SecurityMarginModel, OptionMarginModel, NullBuyingPowerModel)
_NOT_ASKED = (
    "get_maintenance_margin",
    "get_initial_margin_requirement",
    "get_initial_margin_required_for_order",
    "get_reserved_buying_power_for_position",
    "get_buying_power",
    "get_maximum_order_quantity_for_target_buying_power",
    "get_maximum_order_quantity_for_delta_buying_power",
)


def check_model(security: Security, model: Any) -> None:
    """Refuse a margin model whose answers would not be asked for.

    Raises:
        NotImplementedError: if it overrides more than `has_sufficient_buying_power_for_order`, or is set on an option.
    """
    kind = type(model)
    if security.type in _OPTION_TYPES and not isinstance(model, OptionMarginModel):
        raise unsupported(f"Option.set_buying_power_model({kind.__name__})")
    if kind in _OWN_MODELS:
        return
    if not isinstance(model, BuyingPowerModel):
        raise unsupported(f"Security.set_buying_power_model({kind.__name__})")
    for name in _NOT_ASKED:
        if hasattr(kind, name):
            raise unsupported(f"{kind.__name__}.{name}")
