"""One operation: what was asked, how far it is, which of its orders belong together; read from its group."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .vocabulary import Kind, Outcome, Phase, Purpose

if TYPE_CHECKING:
    from .model import GroupState


class OperationType(StrEnum):
    """What was asked."""

    #: an all-or-none group
    GROUP = "group"
    BRACKET = "bracket"
    OCO_PAIR = "oco_pair"
    POSITION_CLOSE = "position_close"
    BULK_CANCEL = "bulk_cancel"
    MODIFICATION = "modification"


class OperationState(StrEnum):
    """How far it is."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    PARTIALLY_COMPLETED = "partially_completed"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"


#: states in which nothing more happens by itself
ENDED = frozenset({OperationState.COMPLETED, OperationState.FAILED, OperationState.ROLLED_BACK})


@dataclass(slots=True)
class Operation:
    """One operation.

    Attributes:
        id: the group's id, or the type and a number.
        type: what was asked.
        started_at: seconds UTC.
        groups: groups it touches.
        orders: (group id, child number) of the orders it waits for; empty when the groups alone decide.
        errors: what went wrong, one line each.
        note: what the owner said.
    """

    id: str
    type: OperationType
    started_at: float
    groups: tuple[str, ...]
    orders: tuple[tuple[str, int], ...] = ()
    errors: list[str] = field(default_factory=list)
    note: str = ""
    ended_at: float = 0.0
    final: OperationState | None = None
    #: orders that were refused and not made good yet
    refused: int = 0
    #: its owner forced it back
    forced: bool = False
    #: the state its hooks were told last
    told: OperationState | None = None

    def row(self) -> list[Any]:
        """What a restart needs of it, JSON-able."""
        return [self.id, self.type, self.started_at, self.groups, self.orders, self.errors, self.note]

    @classmethod
    def from_row(cls, row: list[Any]) -> Operation:
        """The inverse of `row`. Raises ValueError or TypeError."""
        name, kind, at, groups, orders, errors, note = row
        touched = tuple((str(group), int(number)) for group, number in orders)
        return cls(name, OperationType(kind), float(at), tuple(groups), touched, list(errors), note)


@dataclass(frozen=True, slots=True)
class CancelCounts:
    """What cancelling the orders of a position did (REQUIREMENTS E4): orders asked to end, by purpose."""

    entry: int = 0
    stop: int = 0
    target: int = 0
    other: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()


TYPE_OF = {
    Kind.ALL_OR_NONE: OperationType.GROUP,
    Kind.BRACKET: OperationType.BRACKET,
    Kind.EXITS: OperationType.OCO_PAIR,
    Kind.CONTINGENT: OperationType.OCO_PAIR,
}


def operation_of(group: GroupState) -> Operation:
    """The operation of a group as its state shows it."""
    spec = group.spec
    operation = Operation(spec.group_id, TYPE_OF[spec.kind], spec.created_at, (spec.group_id,), note=spec.note)
    if group.opened_at or state_of(group) is OperationState.COMPLETED:
        operation.final, operation.ended_at = OperationState.COMPLETED, group.opened_at or group.ended_at
    return operation


def refusals_of(group: GroupState) -> list[str]:
    """Why orders of a group were refused, the newest of what is on record."""
    return [str(fact.why)[:200] for fact in group.facts if fact.kind == "rejected"][-20:]


_STATE_OF = {
    Phase.PLANNED: OperationState.PENDING,
    Phase.OPEN: OperationState.COMPLETED,
    Phase.UNWINDING: OperationState.ROLLING_BACK,
    Phase.CLOSED: OperationState.COMPLETED,
    Phase.HELD: OperationState.FAILED,
}
_ENDED_AS = {
    Outcome.ROLLED_BACK: OperationState.ROLLED_BACK,
    Outcome.REFUSED: OperationState.FAILED,
    Outcome.FAILED: OperationState.FAILED,
}


def state_of(group: GroupState) -> OperationState:
    """A group's state in the vocabulary of operations."""
    state = _STATE_OF.get(group.phase)
    if state is OperationState.COMPLETED:
        return _ENDED_AS.get(group.outcome, state)
    if state is not None:
        return state
    if group.phase is Phase.CLOSING and not group.opened_at:
        return OperationState.ROLLING_BACK
    return OperationState.IN_PROGRESS if group.is_flat else OperationState.PARTIALLY_COMPLETED


#: kinds of facts by which a group goes back
_BACK = frozenset({"target", "close", "emergency"})


def going_back_since(group: GroupState) -> float:
    """When it was decided that the group goes back, since it stood if it did; its end when that is not on record."""
    for fact in group.facts:
        decided = fact.kind in _BACK or (fact.kind == "remembered" and fact.key == "entry_cancel")
        if decided and fact.at >= group.opened_at:
            return float(fact.at)
    return group.ended_at


def seen_as(group: GroupState, operation: Operation) -> OperationState:
    """The same for an operation that its owner may have forced back."""
    state = state_of(group)
    if not operation.forced or state is OperationState.FAILED:
        return state
    return OperationState.ROLLED_BACK if group.phase is Phase.CLOSED else OperationState.ROLLING_BACK


def links_of(group: GroupState) -> list[list[int]]:
    """Numbers of the newest orders that cancel or shrink one another: of each pair of exits, of each set."""
    linked: dict[int, dict[tuple[Purpose, int], int]] = {}
    whole = group.spec.kind is Kind.CONTINGENT and not group.memory.get("unlinked")
    for order in group.orders.values():
        if whole and order.purpose is Purpose.ENTRY:
            linked.setdefault(0, {})[order.purpose, order.rung] = order.number
        elif order.purpose in (Purpose.STOP, Purpose.TARGET):
            linked.setdefault(order.rung, {})[order.purpose, order.rung] = order.number
    return [sorted(numbers.values()) for numbers in linked.values() if len(numbers) > 1]
