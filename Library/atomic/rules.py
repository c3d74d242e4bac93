"""Who answers for a group: all-or-none groups `plan`, brackets, exits and contingent orders `protect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plan import WHOLE
from .protect import CONTINGENT, EXITS
from .vocabulary import Kind

if TYPE_CHECKING:
    from .model import GroupState
    from .plan import Rules

#: who answers for groups of a kind
RULES: dict[Kind, Rules] = {
    Kind.ALL_OR_NONE: WHOLE,
    Kind.BRACKET: EXITS,
    Kind.EXITS: EXITS,
    Kind.CONTINGENT: CONTINGENT,
}


def rules_of(group: GroupState) -> Rules:
    """The rules of the group's kind."""
    return RULES[group.spec.kind]
