"""Brackets, exits of existing positions and contingent orders: the same question as `plan`, with the same signatures.

A bracket's desired exits are a function of what its entry has filled and its exits have closed (`view`), so there is
no moment at which a partial fill, a late fill or an outside reduction is not covered by the next answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import BY_KIND
from ..facts.kinds import SENDING, CancelAsked, Intended, taken_by
from ..vocabulary import REDUCING, ChildType, Kind, Phase, Purpose
from . import view
from .decide import lets_go
from .levels import EntryPlan, ExitPair, ExitPlan, Level, default_pairs

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState
    from ..plan.terms import Env

__all__ = [
    "EntryPlan",
    "ExitPair",
    "ExitPlan",
    "Level",
    "default_pairs",
    "heeds",
]

# asked for with every fact; see `facts.settle`
_CONTINGENT, _STEADY = Kind.CONTINGENT, frozenset({Phase.OPENING, Phase.OPEN})
_SENDING = frozenset(BY_KIND[kind] for kind in SENDING)


def exits_rest(group: GroupState) -> bool:
    """True when new prices cannot change the answer: exits rest at the venue, nothing is watched, retried or too much.

    Time exits, entry time-outs and retries have wake-ups of their own; fills and ends arrive as facts.
    """
    if group.phase not in _STEADY:
        return group.phase is Phase.CLOSED
    if group.emergency or group.failures or group.retry_at:
        return False
    memory = group.memory
    if memory and (memory.get("reserves") or memory.get("watch_stops") or memory.get("trail") is not None):
        return False
    for order in group.live.values():
        if order.asked is not None:
            return False
    plan = view.plan_of(group)
    if not plan.plain and (plan.trigger != "native" or plan.target_market or plan.trail is not None):
        return False
    if group.phase is Phase.OPENING and plan.entry is not None and plan.entry.type is ChildType.MARKET:
        return False  # it may wait for the session
    return len(group.legs) == 1 and group.legs[0].net * group.legs[0].spec.ratio >= 0


def heeds(group: GroupState, fact: Any) -> bool:
    """False when the news that an order was sent or taken, or that we asked to cancel it, cannot change the answer.

    It can where something else happened since the order was decided upon, which waited for its answer, where an older
    order of the same slot waits to go, and where attempts are counted.
    """
    if group.attempts or group.spec.kind is _CONTINGENT:
        return True
    taken = taken_by(fact)
    if not taken:
        return type(fact) is CancelAsked and bool(fact.why)  # somebody else asked
    for other in group.live.values():
        if other.number not in taken and _shares_slot(group, other, taken):
            return True
    first = min(taken)
    for past in reversed(group.facts):
        kind = type(past)
        if kind is Intended:
            if past.order == first:
                return False
        elif kind not in _SENDING:
            return True
    return True


def _shares_slot(group: GroupState, other: ChildOrder, taken: tuple[int, ...]) -> bool:
    orders = [group.orders[number] for number in taken]
    return any(other.purpose is order.purpose and other.rung == order.rung for order in orders)


def exits_still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """Check an intended order again right before it is sent; False makes it WITHDRAWN.

    An exit is only sent for what is still open; an entry only while the group may open. Protective and reducing
    orders are never stopped by pause, breaker or risk gate (DESIGN "When we give up").
    """
    if order.purpose in REDUCING:
        if lets_go(group) and order.purpose is not Purpose.EXCESS:
            return False
        leg = group.legs[order.leg]
        # facts since the intent (a close that filled inside its own send) may have made it too large
        return leg.net * order.quantity < 0 and order.order_qty <= abs(leg.net)
    return _may_enter(group, order, env)


def contingent_still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """The same for an order of a contingent group, whose reducing orders stand for themselves."""
    return order.purpose in REDUCING or _may_enter(group, order, env)


def _may_enter(group: GroupState, order: ChildOrder, env: Env) -> bool:
    if env.closed_gate or group.target == 0 or group.emergency:
        return False
    return not (order.purpose is Purpose.ENTRY and group.memory.get("entry_cancel"))
