"""Who answers for a group: all-or-none groups `plan`, brackets, exits and contingent orders `protect`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import diff, plan, protect
from .protect import change, contingent, decide, desired
from .vocabulary import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from .diff import Command
    from .model import ChildOrder, GroupState
    from .plan.terms import Desired, Env, Quotes


@dataclass(frozen=True, slots=True)
class Rules:
    """Who answers for the groups of one kind: five pure functions."""

    #: facts to fold before anything is sent; asked again after folding until there are none. Terminates: each fact
    #: changes the group
    decisions: Callable[[GroupState, float, Quotes, Env], list[Any]]
    #: the orders that should be working now, in the order in which to send them, and the next moment to look
    desired_orders: Callable[[GroupState, float, Quotes, Env], Desired]
    #: what takes the working orders to the desired ones
    commands: Callable[[GroupState, Desired, float, Env], list[Command]]
    #: true when new data alone cannot change the answer
    at_rest: Callable[[GroupState], bool]
    #: an intended order, looked at again right before it is sent: facts since the intent (a sibling rejected, a close
    #: asked for, a position moved from outside) may have taken its reason away; false makes it WITHDRAWN
    still_wanted: Callable[[GroupState, ChildOrder, Env], bool]


#: brackets, and exits of positions that stood already
EXITS = Rules(
    decide.decisions, desired.desired_orders, change.commands, protect.exits_rest, protect.exits_still_wanted
)
#: who answers for groups of a kind
RULES: dict[Kind, Rules] = {
    Kind.ALL_OR_NONE: Rules(plan.decisions, plan.desired_orders, diff.commands, plan.at_rest, plan.still_wanted),
    Kind.BRACKET: EXITS,
    Kind.EXITS: EXITS,
    Kind.CONTINGENT: Rules(
        contingent.decisions, contingent.desired_orders, diff.commands,
        contingent.rests, protect.contingent_still_wanted,
    ),
}  # fmt: skip


def rules_of(group: GroupState) -> Rules:
    """The rules of the group's kind."""
    return RULES[group.spec.kind]
