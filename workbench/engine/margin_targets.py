"""How many shares or contracts bring a position to a target part of the account.

Source: LEAN Common/Securities/BuyingPowerModel.cs (GetMaximumOrderQuantityForTargetBuyingPower, GetAmountToOrder) and
Positions/PositionGroupBuyingPowerModel.cs (GetMaximumLotsForTargetBuyingPower, GetPositionGroupOrderQuantity).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

from risk.margin import Group, Holding, initial_margin, maintenance_margin, security_initial, security_maintenance
from workbench.engine.buying_power import MarginBook, SecurityView
from workbench.engine.exceptions import ArgumentException
from workbench.engine.fees import market_order_fee

if TYPE_CHECKING:
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security


class Amount(NamedTuple):
    """A quantity to order (contracts, shares or units) and, when it is 0, why."""

    quantity: float
    reason: str = ""
    is_error: bool = False


def quantity_for_target(
    portfolio: SecurityPortfolioManager, security: Security, target: float, minimum_percentage: float = 0.001
) -> Amount:
    """Signed order that brings a security to `target` parts of the account's value in margin, fees included.

    Raises:
        ArgumentException: when fees keep the quantity from settling.
    """
    book = cast(MarginBook, portfolio.margin)
    view = book.view(security)
    total = portfolio.total_portfolio_value
    model = security.buying_power_model
    buffer = 0.0 if model is None else model.required_free_buying_power_percent
    wanted = target * (total - total * buffer)
    held = security.holdings.quantity
    if wanted == 0:
        return Amount(-held)
    unit = security_initial(view, 1.0).total
    if unit == 0:
        return Amount(
            0.0,
            f"{security.symbol.value}: The security does not have an accurate price as it has not yet received a bar "
            "of data. Before placing a trade (or using set_holdings) warm up your algorithm with set_warmup, or use "
            "slice.contains(symbol) to confirm the Slice object has price before using the data. Data does not "
            "necessarily all arrive at the same time so your algorithm should confirm the data is ready before using "
            "it. In live trading this can mean you do not have an active subscription to the asset class you're trying "
            "to trade. If using custom data make sure you've set the 'Value' property.",
            True,
        )
    change = abs(wanted - security_initial(view, held).total)
    if not _above_minimum(portfolio, total, minimum_percentage, change):
        least = total * minimum_percentage
        return Amount(0.0, f"The target order margin {change:g} is less than the minimum {least:g}.")
    last: float | None = None
    while True:
        quantity, reached = _amount(view, security, held, wanted, unit)
        if quantity == 0:
            return Amount(0.0, "The order quantity is less than the lot size and has been rounded to zero.")
        fees = market_order_fee(security, quantity)
        wanted = (total - fees - total * buffer) * target
        if last == quantity:
            raise ArgumentException(
                f"GetMaximumOrderQuantityForTargetBuyingPower failed to converge on the target margin: {wanted:g}; the "
                f"order quantity is {quantity:g} and its fees are {fees:g}"
            )
        last = quantity
        if round(abs(reached), 8) <= round(abs(wanted), 8):
            return Amount(quantity)


def _above_minimum(portfolio: SecurityPortfolioManager, total: float, percentage: float, change: float) -> bool:
    return not (round(total * percentage, 8) > round(change, 8) and portfolio.get_margin_remaining(total) > 0)


def _amount(view: SecurityView, security: Security, held: float, wanted: float, unit: float) -> tuple[float, float]:
    """Order size towards a margin, never beyond it, and the margin it reaches."""
    lot = float(security.symbol_properties.lot_size)
    lots = round((wanted / unit - held) / lot, 9)
    quantity = (math.ceil(lots) if wanted < 0 else math.floor(lots)) * lot
    reached = security_initial(view, quantity + held).total
    gap = round(reached - wanted, 8)
    while (wanted < 0 and gap < 0) or (wanted > 0 and gap > 0):
        quantity += lot if wanted < 0 else -lot
        reached = security_initial(view, quantity + held).total
        now = round(reached - wanted, 8)
        if abs(now) > abs(gap) and now * gap > 0:
            raise ArgumentException(
                "BuyingPowerModel().GetAmountToOrder(): Margin is being adjusted in the wrong direction. "
                f"TargetMargin: {wanted:g}. MarginForOneUnit: {unit:g}. Security symbol: {security.symbol.value}"
            )
        gap = now
    return quantity, reached


def lots_for_delta(portfolio: SecurityPortfolioManager, group: Group, delta: float) -> float:
    """Units of a group whose order changes the margin it uses by `delta` dollars (negative: fewer of it)."""
    total = portfolio.total_portfolio_value
    if not group.name:
        view = cast(SecurityView, group.holdings[0].instrument)
        security = view.security
        held = security.holdings.quantity
        used = security_maintenance(view, held) * (1 if held > 0 else -1)
        target = (used + delta) / total if total else 0.0
        return quantity_for_target(portfolio, security, target, 0.0).quantity / float(
            security.symbol_properties.lot_size
        )
    return _units(total, group, maintenance_margin(group) + delta)


def _units(total: float, group: Group, wanted: float) -> float:
    """Whole units to order of a strategy, fees included (the group itself counts as held)."""
    wanted = round(wanted, 8)
    if wanted == 0:
        return -abs(group.quantity)
    used = abs(initial_margin(group).total)
    unit = abs(initial_margin(_times(group, 1.0)).total)
    if unit == 0:
        return 0.0
    share = wanted / total if total else 0.0
    last: float | None = None
    while True:
        units, reached = _search(group, used, wanted)
        if units == 0:
            return 0.0
        fees = sum(
            market_order_fee(cast(SecurityView, h.instrument).security, h.quantity)
            for h in _times(group, units).holdings
        )
        wanted = (total - fees) * share * total
        if last == units:
            raise ArgumentException(f"failed to converge on the target margin: {wanted:g} with {units:g} units")
        last = units
        if round(abs(reached), 8) <= round(abs(wanted), 8):
            return units


def _search(group: Group, used: float, wanted: float) -> tuple[float, float]:
    """Step unit by unit from what is held until the margin passes the target; the last within it."""
    step = 1.0 if wanted > used else -1.0
    held = abs(group.quantity)
    units = -held + step if wanted < 0 else step

    def margin(change: float) -> float:
        return abs(initial_margin(_times(group, held + change)).total)

    def gap(value: float) -> float:
        return round(abs(wanted) - value if wanted < 0 else value - abs(wanted), 8)

    first = reached = margin(units)
    difference = gap(reached)
    while (step < 0 and difference > 0) or (step > 0 and difference < 0):
        units += step
        reached = margin(units)
        now = gap(reached)
        if now == difference or (abs(now) > abs(difference) and now * difference > 0):
            raise ArgumentException(f"failed to converge to target margin {wanted:g}. Margin unit {used:g}.")
        difference = now
    if round(reached, 8) > round(abs(wanted), 8):
        return units - step, first
    return units, reached


def _times(group: Group, units: float) -> Group:
    """The same strategy in another quantity (a negative one turns every leg round)."""
    factor = units / group.quantity
    return Group(group.name, tuple(Holding(h.instrument, h.quantity * factor) for h in group.holdings), abs(units))
