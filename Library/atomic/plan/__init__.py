"""Which orders should be working now? The one question behind opening, rolling back, closing and restarting.

Two pure functions answer it from the facts: `decisions` lists what must be remembered first (a wave entered, a rung
with its price, a lowered target, an attempt, a hold), `desired_orders` says what should be working once these are
folded in. The shell alternates them until nothing changes. Quotes choose the price of a *new* rung and gate a *new*
order; they never move an order that stands.

Groups of another kind (brackets, exits) are answered by `protect` with the same signatures: `RULES` says by whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..vocabulary import Kind, Phase
from . import opening as opening
from . import reducing as reducing
from .terms import NOTHING, Desired, Env, Rules, Want

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState
    from .terms import Quotes

__all__ = [
    "NOTHING",
    "RULES",
    "Desired",
    "Env",
    "Rules",
    "Want",
    "at_rest",
    "decisions",
    "desired_orders",
    "still_wanted",
]

# asked for many times a decision; see `facts.settle`
_OPENING, _OPEN, _CLOSED = Phase.OPENING, Phase.OPEN, Phase.CLOSED
_NOTHING_TO_DO = frozenset({Phase.CLOSED, Phase.PLANNED})


def decisions(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    """Facts to fold before anything is sent; empty when nothing new must be remembered.

    Call again after folding until it returns an empty list. Terminates: each returned fact changes the group.
    """
    return RULES[group.spec.kind].decisions(group, now, quotes, env)


def desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    """The orders that should be working now, in the order in which to send them, and the next moment to look."""
    return RULES[group.spec.kind].desired_orders(group, now, quotes, env)


def at_rest(group: GroupState) -> bool:
    """True when new data alone cannot change the answer: nothing works, nothing is missing, nothing is too much."""
    return RULES[group.spec.kind].at_rest(group)


def still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """Check an intended order again, right before it is sent; False makes it WITHDRAWN.

    Cheap, for use between the sends of one wave: facts that arrived since the intent (a sibling rejected, a close
    asked for, a position moved from outside) may have taken its reason away.
    """
    return RULES[group.spec.kind].still_wanted(group, order, env)


# --- all-or-none groups ---------------------------------------------------------------------------------------


def _decisions(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    phase = group.phase
    if phase in _NOTHING_TO_DO:
        return []
    if phase is _OPENING:
        return opening.decisions(group, now, quotes, env)
    if phase is _OPEN and (group.spec.exits or "net" in group.memory):
        found = protect.watch.decisions(group, now, quotes)
        if found:
            return found
    return reducing.decisions(group, now, quotes, env)


def _desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    phase = group.phase
    if phase in _NOTHING_TO_DO:
        return NOTHING
    if phase is _OPENING:
        return opening.desired_orders(group, now, quotes, env)
    return reducing.desired_orders(group, now, quotes, env)


def _at_rest(group: GroupState) -> bool:
    return group.phase is _CLOSED or (
        group.phase is _OPEN
        and not group.live
        and not group.failures
        and not group.spec.exits
        and "net" not in group.memory
        and reducing.stands(group)
    )


def _still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    if group.phase is _OPENING:
        return opening.still_wanted(group, order, env)
    return reducing.still_wanted(group, order, env)


# last, because the rooms answer for each other: `protect` builds on the terms and troubles of this one
from .. import protect  # noqa: E402

#: who answers for groups of a kind
RULES: dict[Kind, Rules] = {
    Kind.ALL_OR_NONE: Rules(_decisions, _desired_orders, _at_rest, _still_wanted),
    Kind.BRACKET: protect.EXITS,
    Kind.EXITS: protect.EXITS,
    Kind.CONTINGENT: protect.CONTINGENT,
}
