"""Portfolio targets and the order size that reaches them (PortfolioTarget.Percent, BuyingPowerModel)."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from workbench.engine.enums import SecurityType
from workbench.engine.exceptions import unsupported

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine
    from workbench.engine.symbols import Symbol


class PortfolioTarget:
    """A symbol and the fraction (or quantity) that should be held of it."""

    def __init__(self, symbol: Any, quantity: float, tag: str = "") -> None:
        self.symbol = getattr(symbol, "symbol", symbol)
        self.quantity = float(quantity)
        self.tag = tag


def order_quantity_for_target(engine: Engine, symbol: Symbol, target: float) -> float:
    """Signed shares to trade (PortfolioTarget.Percent with returnDeltaQuantity, for stocks on margin).

    LEAN finds the largest size whose initial margin and fees stay within target times the portfolio's value less the
    free buffer; the loop below is its iteration (BuyingPowerModel.GetMaximumOrderQuantityForTargetBuyingPower).
    """
    security = engine.securities[symbol]
    if security.type != SecurityType.EQUITY:
        raise unsupported("set_holdings and calculate_order_quantity for other securities than stocks")
    price = security.price
    if price == 0:
        engine.error(f"Order sizing failed: {symbol} has no price yet")
        return 0.0
    settings = engine.settings
    value = engine.portfolio.total_portfolio_value
    buffer = settings.free_portfolio_value
    total = value - (value * settings.free_portfolio_value_percentage if buffer is None else buffer)
    # Target buying power is a fraction of value times leverage; margin per share is price over leverage.
    leverage = security.leverage
    wanted = total * target
    held = security.holdings.quantity
    current = held * price
    lot = security.symbol_properties.lot_size
    if abs(target) < 1e-12:
        return -held
    step = 1.0 if wanted >= current else -1.0
    quantity = floor(abs(wanted - current) / price / lot) * lot
    minimum = settings.minimum_order_margin_portfolio_percentage * value
    while quantity > 0:
        fee = engine.market_order_fee(security, step * quantity)
        after = current + step * quantity * price
        if abs(after) + fee <= abs(wanted) or step * target < 0 or abs(after) < abs(current):
            break
        excess = abs(after) + fee - abs(wanted)
        quantity = min(quantity - lot, floor((quantity * price - excess) / price / lot) * lot)
    quantity = max(0.0, quantity)
    if quantity * price / leverage < minimum:
        return 0.0
    return step * quantity
