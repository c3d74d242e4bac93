"""One state of the search: the group, what the broker truly has of it, and how it was reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from atomic.model import ChildOrder, GroupState, LegState


class Bounds(NamedTuple):
    """What keeps the search finite; printed with its result."""

    #: times that one order's facts may be delivered twice
    duplicates: int = 1
    #: refusals the broker may give in all
    rejects: int = 2
    #: cancels that fail in all
    cancel_failures: int = 1
    #: contracts filled after their order's end in all
    late_fills: int = 1
    #: deadlines let pass in silence in all
    silences: int = 4
    #: times the owner may ask to close
    closes: int = 1
    #: states at most; reaching it is reported, never hidden
    states: int = 2_000_000


@dataclass(slots=True)
class TrueOrder:
    """What the broker has of one order: fate is n(ew), w(orking), f(illed), c(anceled), r(ejected)."""

    number: int
    leg: int
    quantity: int
    purpose: str
    fate: str = "n"
    filled: int = 0
    canceling: bool = False
    duplicates: int = 0

    @property
    def leaves(self) -> int:
        """Contracts that may still fill."""
        return abs(self.quantity) - self.filled if self.fate in "nw" else 0


@dataclass(slots=True)
class Node:
    """One state, and how it was reached."""

    group: GroupState
    orders: list[TrueOrder]
    now: float
    wake: float | None
    budget: tuple[int, int, int, int, int]
    before: Node | None = None
    event: str = ""
    excused: int = 0

    def path(self) -> list[str]:
        """The events from the start to here."""
        events: list[str] = []
        node: Node | None = self
        while node is not None and node.event:
            events.append(node.event)
            node = node.before
        return events[::-1]

    def child(self, event: str) -> Node:
        """A copy that shares nothing mutable, to which `event` is about to happen."""
        return Node(
            clone(self.group), [replace(o) for o in self.orders], self.now, self.wake, self.budget, self, event,
            self.excused,
        )  # fmt: skip


def key(node: Node) -> Any:
    """What makes two states the same: times relative to now, orders that may still matter."""
    group, now = node.group, node.now

    def left(at: float) -> float:
        return round(max(-1.0, at - now), 2) if at else -2.0

    def age(at: float) -> float:
        return round(min(200.0, now - at), 2) if at else -1.0

    core = {o.number: o for o in group.orders.values()}
    orders = []
    for true in node.orders:
        o = core[true.number]
        if (
            not true.leaves
            and not o.may_fill
            and not (node.budget[2] and true.fate == "c" and true.filled < abs(true.quantity))
        ):
            continue
        orders.append((
            o.leg, o.purpose, o.rung, o.status, o.cum_qty, o.quantity, o.limit, age(o.sent_at), age(o.cancel_at),
            o.cancel_refusals, true.fate, true.filled, true.canceling, true.duplicates, bool(o.bundle),
        ))  # fmt: skip
    orders.sort()
    return (
        group.phase, group.outcome, group.target, group.wave, left(group.deadline), group.emergency, group.held,
        group.held_from, group.native_refused, bool(group.opened_at),
        tuple((leg.net, leg.settled) for leg in group.legs),
        tuple(sorted((k, r, p, age(at)) for k, (r, p, at) in group.rungs.items())),
        tuple(sorted(group.attempts.items())),
        tuple(sorted((k, left(at)) for k, at in group.retry_at.items())),
        repr(sorted(group.memory.items())),
        tuple(orders), node.budget, left(node.wake) if node.wake is not None else None,
    )  # fmt: skip


_GROUP_FIELDS = tuple(GroupState.__slots__)
_LEG_FIELDS = tuple(LegState.__slots__)
_ORDER_FIELDS = tuple(ChildOrder.__slots__)


def _copy(source: Any, names: tuple[str, ...]) -> Any:
    copy = object.__new__(type(source))
    for name in names:
        setattr(copy, name, getattr(source, name))
    return copy


def clone(group: GroupState) -> GroupState:
    """A copy that shares nothing mutable with the original; the timeline is left out."""
    copy: GroupState = _copy(group, _GROUP_FIELDS)
    copy.legs = [_copy(leg, _LEG_FIELDS) for leg in group.legs]
    copy.orders = {n: _copy(o, _ORDER_FIELDS) for n, o in group.orders.items()}
    copy.live = {n: copy.orders[n] for n in group.live}
    copy.failures = {n: copy.orders[n] for n in group.failures}
    copy.facts = []
    copy.rungs = dict(group.rungs)
    copy.attempts = dict(group.attempts)
    copy.retry_at = dict(group.retry_at)
    copy.memory = dict(group.memory)
    return copy
