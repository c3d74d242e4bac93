"""Rounding as LEAN's decimals do it: prices to the tick (half to even), amounts in messages."""

from __future__ import annotations

from decimal import Decimal
from math import floor, log10
from typing import TYPE_CHECKING

from workbench.engine.enums import OrderType

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.securities import Security


def round_to_tick(price: float, tick: float) -> float:
    """Nearest multiple of a tick, half to even; the price itself where the tick is 0 (BTH.RoundOrderPrice)."""
    return round(round(round(price / tick, 6)) * tick, 10) if tick > 0 else price


def round_order_prices(order: Order, security: Security,
                       securities: list[Security | None] | None) -> tuple[str, float, float] | None:
    """Round an order's prices in place; returns field, old and new price of the first that moved.

    `securities` are those of the whole combo, None while a leg is missing.
    """
    kind = order.type
    if kind is OrderType.MARKET or kind is OrderType.COMBO_MARKET:
        return None
    if kind is OrderType.COMBO_LIMIT:
        manager = order.group_order_manager
        if securities is None or manager is None:
            return None
        ticks = [t for t in (s.minimum_price_variation(0.0) for s in securities if s is not None) if t > 0]
        old = manager.limit_price
        manager.limit_price = round_to_tick(old, min(ticks, default=0.0))
        return None if manager.limit_price == old else ("LimitPrice", old, manager.limit_price)
    fields: tuple[tuple[str, str], ...]
    if kind is OrderType.LIMIT or kind is OrderType.COMBO_LEG_LIMIT:
        fields = (("limit_price", "LimitPrice"),)
    elif kind is OrderType.STOP_MARKET:
        fields = (("stop_price", "StopPrice"),)
    elif kind is OrderType.STOP_LIMIT:
        fields = (("limit_price", "LimitPrice"), ("stop_price", "StopPrice"))
    elif kind is OrderType.LIMIT_IF_TOUCHED:
        fields = (("limit_price", "LimitPrice"), ("trigger_price", "TriggerPrice"))
    elif kind is OrderType.TRAILING_STOP:
        fields = (("stop_price", "StopPrice"),)
        if not order.trailing_as_percentage:
            fields += (("trailing_amount", "TrailingAmount"),)
    else:
        return None
    moved = None
    for name, label in fields:
        old = getattr(order, name)
        new = round_to_tick(old, security.minimum_price_variation(old))
        if new != old:
            setattr(order, name, new)
            moved = moved or (label, old, new)
    return moved


def amount_text(value: float) -> str:
    """An amount in a message: four decimals above 1000, else seven significant digits (SmartRounding)."""
    exact = Decimal(repr(round(value, 10)))
    if exact > 1000:
        rounded = round(exact, 4)
    elif exact == 0:
        return "0"
    else:
        scale = floor(log10(abs(value))) + 1
        rounded = round(exact, 7 - scale)
    return format(rounded.normalize(), "f")
