"""The only code that changes a group: `apply` folds one fact, `replay` folds a list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import new_group
from .broker import BROKER_FOLD, IllegalFact, illegal
from .decided import DECISION_FOLD
from .kinds import GUESSED
from .settle import settle
from .tables import DECISION_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..model import GroupSpec, GroupState

_FOLD: dict[type, Callable[[GroupState, Any], bool]] = {**BROKER_FOLD, **DECISION_FOLD}

#: fact class by its kind, for decoding a journal
BY_KIND: dict[str, type] = {cls._field_defaults["kind"]: cls for cls in _FOLD}  # type: ignore[attr-defined]


def apply(group: GroupState, fact: Any) -> bool:
    """Fold one fact into the group.

    Returns:
        True when it changed something and was recorded in ``group.facts``; False for a duplicate.

    Raises:
        IllegalFact: the tables have no row for it; the group is unchanged.
    """
    allowed = DECISION_TABLE.get(fact.kind)
    if allowed is not None and group.phase not in allowed:
        raise illegal(group, f"{fact.kind!r} while {group.phase}")
    if not _FOLD[type(fact)](group, fact):
        return False
    group.facts.append(fact)
    if fact.kind not in _UNSETTLING or (fact.kind == "remembered" and fact.key == GUESSED):
        settle(group, fact.at)
    return True


#: kinds that change neither nets nor ends nor the target: the phase cannot follow from them
_UNSETTLING = frozenset({"sent", "identified", "intended", "rung", "wave", "attempt", "noted", "remembered"})


def encode(fact: Any) -> list[Any]:
    """The fact as a JSON list, its kind last."""
    return list(fact)


def decode(row: list[Any]) -> Any:
    """The inverse of `encode`.

    Raises:
        IllegalFact: the kind is unknown or the row has the wrong length (written by a newer version?).
    """
    cls = BY_KIND.get(row[-1]) if row else None
    if cls is None:
        raise IllegalFact(f"unknown fact {row!r}")
    if len(row) != len(cls._fields):  # type: ignore[attr-defined]
        raise IllegalFact(f"malformed fact {row!r}")
    return cls(*row)


def replay(spec: GroupSpec, facts: Iterable[Any]) -> GroupState:
    """A group rebuilt from its facts: the same fold as when they happened."""
    group = new_group(spec)
    for fact in facts:
        apply(group, fact)
    return group
