"""Portfolio targets (Algorithm.Framework/Portfolio/PortfolioTarget.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.margin_targets import quantity_for_target

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine
    from workbench.engine.symbols import Symbol


class PortfolioTarget:
    """A symbol and how much should be held of it: a quantity, or a fraction in `set_holdings`."""

    def __init__(self, symbol: Any, quantity: float, tag: str = "") -> None:
        self.symbol: Symbol = getattr(symbol, "symbol", symbol)
        self.quantity = float(quantity)
        self.tag = tag

    def __str__(self) -> str:
        return f"{self.symbol}: {self.quantity:g}"


def order_quantity_for_target(engine: Engine, symbol: Symbol, percent: float) -> float:
    """Signed shares or contracts that bring a holding to a fraction of the value (PortfolioTarget.Percent)."""
    settings, portfolio = engine.settings, engine.portfolio
    if abs(percent) > settings.max_absolute_portfolio_target_percentage:
        engine.error(f"The portfolio target percent: {percent:g}, does not comply with the current "
                     f"'Algorithm.Settings' 'MaxAbsolutePortfolioTargetPercentage': "
                     f"{settings.max_absolute_portfolio_target_percentage:g} or 'MinAbsolutePortfolioTargetPercentage'")
        return 0.0
    if percent != 0 and abs(percent) < settings.min_absolute_portfolio_target_percentage:
        return 0.0
    security = engine.securities.find(symbol)
    if security is None:
        engine.error(f"{symbol} not found in portfolio. Request this data when initializing the algorithm.")
        return 0.0
    if security.price == 0:
        engine.error(f"{symbol}: The security does not have an accurate price as it has not yet received a bar of "
                     "data.")
        return 0.0
    total = portfolio.total_portfolio_value
    if total == 0:
        return 0.0
    buffer = settings.free_portfolio_value
    free = total * settings.free_portfolio_value_percentage if buffer is None else float(buffer)
    leverage = security.buying_power_model.get_leverage(security)
    amount = quantity_for_target(portfolio, security, percent * (total - free) / total / leverage,
                                 settings.minimum_order_margin_portfolio_percentage)
    if amount.reason and amount.is_error:
        engine.error(f"Unable to compute order quantity of {symbol}. Reason: {amount.reason} Returning null.")
    return amount.quantity
