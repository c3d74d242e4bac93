"""The only code that changes a group: `apply` folds one fact, `replay` folds a list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import new_group
from .broker import BROKER_FOLD, IllegalFact, illegal
from .decided import DECISION_FOLD
from .kinds import GUESSED, Taken
from .settle import SETTLE
from .tables import DECISION_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..model import GroupSpec, GroupState
    from ..vocabulary import Phase

#: kinds that change neither nets nor the target: the phase follows from them only if an order came to life or ended
_UNSETTLING = frozenset({"sent", "identified", "intended", "rung", "wave", "attempt", "noted", "accepted", "taken",
                         "cancel_asked", "cancel_refused", "replace_asked", "replace_refused"})  # fmt: skip


#: what is remembered that may end a group: an entry that will not be sent, an end that was only guessed at
_SETTLING = frozenset({GUESSED, "entry_cancel"})


#: the phase is worked out again: never, when an order came to life or ended, always, or by what is remembered
_NEVER, _IF_ALIVE, _ALWAYS, _BY_KEY = range(4)


def _settles(kind: str) -> int:
    if kind == "intended":  # what wants to come to life is no reason
        return _NEVER
    if kind == "remembered":
        return _BY_KEY
    return _IF_ALIVE if kind in _UNSETTLING else _ALWAYS


#: how facts of a class are folded, the phases in which a decision may be taken (None for what the broker says), when
#: the phase is worked out again; plain tuples, which are unpacked in a third of the time
_ROWS: dict[type, tuple[Callable[[GroupState, Any], bool], frozenset[Phase] | None, int]] = {
    cls: (fold, DECISION_TABLE.get(kind), _settles(kind))
    for cls, fold in {**BROKER_FOLD, **DECISION_FOLD}.items()
    for kind in [cls._field_defaults["kind"]]  # type: ignore[attr-defined]
}

#: fact class by its kind, for decoding a journal
BY_KIND: dict[str, type] = {cls._field_defaults["kind"]: cls for cls in _ROWS}  # type: ignore[attr-defined]


def apply(group: GroupState, fact: Any) -> bool:
    """Fold one fact into the group.

    Returns:
        True when it changed something and was recorded in ``group.facts``; False for a duplicate.

    Raises:
        IllegalFact: the tables have no row for it; the group is unchanged.
    """
    fold, allowed, settles = _ROWS[type(fact)]
    if allowed is not None and group.phase not in allowed:
        raise illegal(group, f"{fact.kind!r} while {group.phase}")
    alive = len(group.live)
    if not fold(group, fact):
        return False
    group.facts.append(fact)
    if settles and (
        settles == _ALWAYS or len(group.live) != alive or (settles == _BY_KEY and fact.key in _SETTLING)
    ):
        SETTLE[group.spec.kind](group, fact.at)
    return True


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
    return cls(*row) if cls is not Taken else Taken(row[0], tuple(row[1]))


def replay(spec: GroupSpec, facts: Iterable[Any]) -> GroupState:
    """A group rebuilt from its facts: the same fold as when they happened."""
    group = new_group(spec)
    for fact in facts:
        apply(group, fact)
    return group
