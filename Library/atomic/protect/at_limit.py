"""Market orders where a venue takes none: limit orders beyond the quote that follow the market until they are filled.

Some venues refuse whatever has no price (LEAN's Exante model), others refuse market orders for some contracts or at
some hours and say so when one is sent. A close must leave all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plan.price import natural, through
from ..vocabulary import GOING, ChildType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import ChildOrder, GroupState
    from ..plan.terms import Env, Quotes, Want


def needed(group: GroupState, env: Env) -> bool:
    """True when this group's market orders have to carry a price."""
    return not env.takes_market or bool(group.memory and group.memory.get("no_market"))


def priced(group: GroupState, wants: Iterable[Want], now: float, quotes: Quotes) -> tuple[list[Want], float]:
    """The same wants with every market order at a limit, and when to look again (0: nothing is timed).

    A new order is priced `through_ticks` of the policy's unwinding ladder beyond the side it takes. One that works
    keeps its price while the quote would fill it, and for the policy's order time-out; then it follows the quote.
    """
    out: list[Want] = []
    wake = 0.0
    ticks = group.spec.policy.unwind_ladder.through_ticks
    for want in wants:
        if want.type is not ChildType.MARKET:
            out.append(want)
            continue
        spec = group.legs[want.leg].spec
        quote = quotes.get(spec.symbol)
        side = 1 if want.quantity > 0 else -1
        price = through(quote, side, spec, ticks) if quote is not None else 0.0
        order = _standing(group, want)
        if order is not None:
            until = max(order.intended_at, order.asked_at) + group.spec.policy.order_timeout
            best = natural(quote, side, spec) if quote is not None else 0.0
            if now < until or price <= 0 or (order.limit - best) * side >= 0:
                price = order.limit
            wake = until if until > now and (not wake or until < wake) else wake
        if price > 0:
            out.append(want._replace(type=ChildType.LIMIT, limit=price))
    return out, wake


def _standing(group: GroupState, want: Want) -> ChildOrder | None:
    """The newest limit order that works in the want's slot."""
    slot = want.leg, want.purpose, want.rung
    found = None
    for order in group.live.values():
        alike = order.type is ChildType.LIMIT and order.quantity * want.quantity > 0
        if alike and (order.leg, order.purpose, order.rung) == slot and order.status not in GOING:
            found = order
    return found
