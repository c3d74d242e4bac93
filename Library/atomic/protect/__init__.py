"""Brackets, exits of existing positions and contingent orders: the same question as `plan`, with the same signatures.

`decisions` lists what must be remembered, `desired_orders` says what should be working. A bracket's desired exits are
a function of what its entry has filled and its exits have closed (`view`), so there is no moment at which a partial
fill, a late fill or an outside reduction is not covered by the next answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import REDUCING, Kind, Purpose
from . import contingent, decide, desired
from .levels import EntryPlan, ExitPair, ExitPlan, Level, default_pairs

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState
    from ..plan.terms import Desired, Env, Quotes

__all__ = [
    "EntryPlan",
    "ExitPair",
    "ExitPlan",
    "Level",
    "decisions",
    "default_pairs",
    "desired_orders",
    "still_wanted",
]


def decisions(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    """Facts to fold before anything is sent; empty when nothing new must be remembered."""
    if group.spec.kind is Kind.CONTINGENT:
        return contingent.decisions(group, now, quotes, env)
    return decide.decisions(group, now, quotes, env)


def desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    """The orders that should be working now, and the next moment to look."""
    if group.spec.kind is Kind.CONTINGENT:
        return contingent.desired_orders(group, now, quotes, env)
    return desired.desired_orders(group, now, quotes, env)


def still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """Check an intended order again right before it is sent; False makes it WITHDRAWN.

    An exit is only sent for what is still open; an entry only while the group may open. Protective and reducing
    orders are never stopped by pause, breaker or risk gate (DESIGN "When we give up").
    """
    if order.purpose in REDUCING:
        if group.spec.kind is Kind.CONTINGENT:
            return True
        leg = group.legs[order.leg]
        return leg.net * order.quantity < 0
    if env.closed_gate or group.target == 0 or group.emergency:
        return False
    return not (order.purpose is Purpose.ENTRY and group.memory.get("entry_cancel"))
