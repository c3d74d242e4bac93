"""The operations that are remembered: short records of what was asked, and the groups that tell the rest.

A group has a record of its own once something unusual happened to it, while hooks are told of it, and when it leaves
memory; until then its operation is read from it when asked for. History is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from .operation import (
    ENDED,
    TYPE_OF,
    Operation,
    OperationState,
    OperationType,
    links_of,
    operation_of,
    refusals_of,
    seen_as,
)
from .vocabulary import TERMINAL, WORKING

if TYPE_CHECKING:
    from .model import GroupState
    from .shell import Shell

#: what a group is asked for by
_GROUP_TYPES = frozenset(TYPE_OF.values())


def _by_age(operation: Operation) -> tuple[float, bool, str]:
    """What sorts the oldest first: groups by their numbers, before what was asked of them at the same moment."""
    of_group = operation.type in _GROUP_TYPES
    return operation.started_at, not of_group, operation.id if of_group else ""


class OperationRecords:
    """What `Operations` remembers, and how far each is."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._records: OrderedDict[str, Operation] = OrderedDict()
        #: groups in memory whose operations were forgotten on request
        self._dropped: set[str] = set()
        shell.on_forget.append(self._forgotten)

    def known(self, group: GroupState) -> Operation:
        """The record of a group, from now on fed by its events; made from what the group has on record if it is new."""
        group_id = group.spec.group_id
        operation = self._records.get(group_id)
        if operation is None:
            operation = operation_of(group)
            operation.errors[:] = refusals_of(group)
            self._dropped.discard(group_id)
            self._shell.followed.add(group_id)
            self._add(operation)
        return operation

    def _forgotten(self, group: GroupState) -> None:
        """A group leaves memory: its operation goes on as a record."""
        group_id = group.spec.group_id
        if group_id in self._dropped:
            self._dropped.discard(group_id)
            return
        operation = self._records.pop(group_id, None)
        self._add(operation_of(group) if operation is None else operation)

    def _add(self, operation: Operation) -> None:
        self._records[operation.id] = operation
        if len(self._records) > self._shell.settings.history:
            for name, old in self._records.items():
                if self._state(old) in ENDED:
                    del self._records[name]
                    break

    def _all(self) -> list[Operation]:
        """Operations, oldest first; beyond the bound of the history the oldest that have ended are left out."""
        records, shell = self._records, self._shell
        kept = records.keys() | self._dropped
        groups = [*shell.recent.values(), *shell.groups.values()]
        found = [operation_of(group) for group in groups if group.spec.group_id not in kept]
        found = sorted([*found, *records.values()], key=_by_age)
        surplus = len(found) - self._shell.settings.history
        if surplus > 0:
            gone = {op.id for op in [op for op in found if self._state(op) in ENDED][:surplus]}
            found = [op for op in found if op.id not in gone]
        return found

    def _find(self, operation_id: str) -> Operation | None:
        operation = self._records.get(operation_id)
        if operation is None and operation_id not in self._dropped:
            group = self._group(operation_id)
            operation = operation_of(group) if group is not None else None
        return operation

    def _group(self, group_id: str) -> GroupState | None:
        return self._shell.groups.get(group_id) or self._shell.recent.get(group_id)

    def _state(self, operation: Operation) -> OperationState:
        if operation.type is OperationType.BULK_CANCEL:
            return self._by_orders(operation)
        if operation.type is OperationType.MODIFICATION:
            return self._changing(operation.groups[0])
        states = [self._group_state(n, operation) for n in operation.groups]
        if operation.type is OperationType.POSITION_CLOSE:
            left = [n for n in operation.groups if n in self._shell.groups]
            return OperationState.IN_PROGRESS if left else OperationState.COMPLETED
        return states[0] if states else OperationState.COMPLETED

    def _group_state(self, group_id: str, operation: Operation) -> OperationState:
        group = self._group(group_id)
        return seen_as(group, operation) if group is not None else operation.final or OperationState.COMPLETED

    def _changing(self, group_id: str) -> OperationState:
        group = self._shell.groups.get(group_id)
        live = group.live.values() if group is not None else ()
        waits = any(order.asked is not None or order.status not in WORKING for order in live)
        return OperationState.IN_PROGRESS if waits else OperationState.COMPLETED

    def _by_orders(self, operation: Operation) -> OperationState:
        waiting = 0
        for group_id, number in operation.orders:
            group = self._shell.groups.get(group_id)
            if group is not None and group.orders[number].status not in TERMINAL:
                waiting += 1
        if waiting == 0:
            return OperationState.FAILED if operation.errors else OperationState.COMPLETED
        done = len(operation.orders) - waiting
        return OperationState.PARTIALLY_COMPLETED if done else OperationState.IN_PROGRESS

    def _row(self, operation: Operation) -> dict[str, Any]:
        state = self._state(operation)
        group = self._group(operation.id)
        orders = [] if group is None else [
            {"number": o.number, "purpose": str(o.purpose), "status": str(o.status), "quantity": o.quantity,
             "cum_qty": o.cum_qty, "tag": o.tag}
            for o in group.orders.values()
        ]  # fmt: skip
        return {
            "id": operation.id,
            "type": operation.type,
            "state": state,
            "started_at": operation.started_at,
            "ended_at": operation.ended_at,
            "groups": list(operation.groups),
            "orders": orders,
            "links": [] if group is None else links_of(group),
            "attempts": 0 if group is None else sum(group.attempts.values()),
            "errors": list(operation.errors),
            "note": operation.note,
        }
