"""Which orders of an all-or-none group should be working now? One question behind opening, rolling back and closing.

Two pure functions answer it from the facts: `decisions` lists what must be remembered first (a wave entered, a rung
with its price, a lowered target, an attempt, a hold), `desired_orders` says what should be working once these are
folded in. The shell alternates them until nothing changes. Quotes choose the price of a *new* rung and gate a *new*
order; they never move an order that stands.

Brackets, exits and contingent orders are answered by `protect` with the same signatures; `rules` knows by whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..vocabulary import Phase
from . import opening, reducing, watch
from .terms import NOTHING, Desired, Env, Want

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState
    from .terms import Quotes

__all__ = ["NOTHING", "Desired", "Env", "Want", "at_rest", "decisions", "desired_orders", "still_wanted"]

# asked for many times a decision; see `facts.settle`
_OPENING, _OPEN, _CLOSED = Phase.OPENING, Phase.OPEN, Phase.CLOSED
_NOTHING_TO_DO = frozenset({Phase.CLOSED, Phase.PLANNED})


def decisions(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    """Facts to fold before anything is sent; empty when nothing new must be remembered."""
    phase = group.phase
    if phase in _NOTHING_TO_DO:
        return []
    if phase is _OPENING:
        return opening.decisions(group, now, quotes, env)
    if phase is _OPEN and (group.spec.exits or "net" in group.memory):
        found = watch.decisions(group, now, quotes)
        if found:
            return found
    return reducing.decisions(group, now, quotes, env)


def desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    """The orders that should be working now, in the order in which to send them, and the next moment to look."""
    phase = group.phase
    if phase in _NOTHING_TO_DO:
        return NOTHING
    if phase is _OPENING:
        return opening.desired_orders(group, now, quotes, env)
    return reducing.desired_orders(group, now, quotes, env)


def at_rest(group: GroupState) -> bool:
    """True when new data alone cannot change the answer: nothing works, nothing is missing, nothing is too much."""
    return group.phase is _CLOSED or (
        group.phase is _OPEN
        and not group.live
        and not group.failures
        and not group.spec.exits
        and "net" not in group.memory
        and reducing.stands(group)
    )


def still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """Check an intended order again, right before it is sent."""
    if group.phase is _OPENING:
        return opening.still_wanted(group, order, env)
    return reducing.still_wanted(group, order, env)
