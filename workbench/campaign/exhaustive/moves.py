"""What may happen next in a state, and what it does: the broker's answers, silence, the owner's close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atomic.facts import (
    Accepted,
    CancelAsked,
    Canceled,
    CancelRefused,
    CloseAsked,
    Filled,
    Opening,
    Rejected,
    apply,
)
from atomic.model import Quote, new_group
from atomic.vocabulary import Phase, RejectReason
from workbench.campaign.market import START
from workbench.campaign.pump import settle

from .states import Node, TrueOrder

if TYPE_CHECKING:
    from atomic.model import ChildOrder, GroupSpec
    from atomic.plan import Env

    from .states import Bounds


class Moves:
    """The broker's possible answers to one group, at fixed, fresh, two-sided quotes."""

    def __init__(self, spec: GroupSpec, bounds: Bounds, env: Env | None = None) -> None:
        self.spec, self.bounds, self.env = spec, bounds, env
        self.quotes = {leg.symbol: Quote(1.0, 1.1, 1.05, 1e12, True, 10.0, 10.0) for leg in spec.legs}

    def root(self) -> Node:
        """The group as it was just opened."""
        group = new_group(self.spec)
        apply(group, Opening(START))
        bounds = self.bounds
        budget = (bounds.rejects, bounds.cancel_failures, bounds.late_fills, bounds.silences, bounds.closes)
        node = Node(group, [], START, None, budget)
        self._pump(node)
        return node

    def events(self, node: Node) -> list[tuple[str, str, int]]:
        """What may happen next; the kindest answer first."""
        kind: list[tuple[str, str, int]] = []
        other: list[tuple[str, str, int]] = []
        rejects, failures, late, silences, closes = node.budget
        for i, order in enumerate(node.orders):
            name = f"order {order.number} ({order.purpose} {order.quantity:+d} leg {order.leg})"
            if order.leaves:
                if order.canceling:
                    kind.append((f"{name}: canceled", "canceled", i))
                    other.append((f"{name}: fills, beating its cancel", "fill", i))
                    if failures:
                        other.append((f"{name}: its cancel fails", "cancel_failed", i))
                else:
                    kind.append((f"{name}: fills {order.leaves}", "fill", i))
                    if order.fate == "n":
                        other.append((f"{name}: accepted", "accept", i))
                    if rejects:
                        other.append((f"{name}: rejected", "reject", i))
                if order.leaves > 1:
                    other.append((f"{name}: fills 1", "partial", i))
            elif late and order.fate == "c" and order.filled < abs(order.quantity):
                other.append((f"{name}: fills 1 after its end", "late", i))
            if order.duplicates < self.bounds.duplicates and order.fate != "n":
                other.append((f"{name}: its last news comes again", "duplicate", i))
        if node.wake is not None and (silences or not kind):
            (other if kind else kind).append(
                (f"silence for {max(0.0, node.wake - node.now):g} s", "silence", bool(kind))
            )
        if closes and node.group.phase is not Phase.CLOSED:
            other.append(("the owner closes", "close", 0))
        return kind + other

    def take(self, child: Node, action: str, i: int) -> None:
        """Let it happen: the facts reach the group, the group decides and sends.

        Raises:
            IllegalFact: the core met a fact it has no row for.
            OscillationError: the core did not come to a fixed point.
        """
        rejects, failures, late, silences, closes = child.budget
        if action == "silence":
            child.now = max(child.now, child.wake or child.now)
            child.budget = (rejects, failures, late, silences - i, closes)
        elif action == "close":
            child.budget = (rejects, failures, late, silences, closes - 1)
            apply(child.group, CloseAsked(child.now, "owner"))
        else:
            order = child.orders[i]
            number, now = order.number, child.now
            facts: list[Any] = []
            if action == "accept":
                order.fate = "w"
                facts = [Accepted(now, number)]
            elif action in ("fill", "partial", "late"):
                order.filled += order.leaves if action == "fill" else 1
                if action == "late":
                    child.budget = (rejects, failures, late - 1, silences, closes)
                    child.excused += 1
                else:
                    order.fate = "f" if order.filled >= abs(order.quantity) else "w"
                facts = [Filled(now, number, order.filled, 1.05, 0.0)]
            elif action == "reject":
                order.fate = "r"
                child.budget = (rejects - 1, failures, late, silences, closes)
                facts = [Rejected(now, number, RejectReason.UNKNOWN, "refused")]
            elif action == "canceled":
                order.fate = "c"
                facts = [Canceled(now, number)]
            elif action == "cancel_failed":
                order.canceling = False
                child.budget = (rejects, failures - 1, late, silences, closes)
                facts = [CancelRefused(now, number, -4, "failed")]
            elif action == "duplicate":
                order.duplicates += 1
                facts = _news(order, now)
            if order.fate in "fcr":
                order.canceling = False
            for fact in facts:
                apply(child.group, fact)
        self._pump(child, look=action == "silence")

    def _pump(self, node: Node, *, look: bool = False) -> None:
        group = node.group
        wake = settle(group, node.now, self.quotes, _Port(node), self.env, look=look)
        patience = self.spec.policy.order_timeout
        for order in group.live.values():  # the shell's safety net looks at what is overdue
            at = max(order.sent_at, order.cancel_at) + patience
            if at > node.now and (wake is None or at < wake):
                wake = at
        node.wake = wake


class _Port:
    """The broker's door for the pump: new orders are NEW, cancels of working orders are taken."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def submit(self, order: ChildOrder) -> list[Any]:
        """A new order; the broker says nothing yet."""
        self.node.orders.append(TrueOrder(order.number, order.leg, order.quantity, order.purpose))
        return []

    def cancel(self, number: int) -> list[Any]:
        """A cancel: refused while NEW, taken while working."""
        now = self.node.now
        for order in self.node.orders:
            if order.number == number:
                if order.fate == "n":
                    return [CancelAsked(now, number, ""), CancelRefused(now, number, -32, "new")]
                if order.fate == "w":
                    order.canceling = True
                    return [CancelAsked(now, number, "")]
                return _news(order, now)
        return []

    def poll(self, number: int) -> list[Any]:
        """What the ticket shows; an order is accepted at the latest when somebody looks."""
        for order in self.node.orders:
            if order.number == number:
                if order.fate == "n":
                    order.fate = "w"
                return _news(order, self.node.now)
        return []


def _news(order: TrueOrder, now: float) -> list[Any]:
    facts: list[Any] = []
    if order.fate == "w":
        facts.append(Accepted(now, order.number))
    if order.filled:
        facts.append(Filled(now, order.number, order.filled, 1.05, 0.0))
    if order.fate == "c":
        facts.append(Canceled(now, order.number))
    if order.fate == "r":
        facts.append(Rejected(now, order.number, RejectReason.UNKNOWN, "refused"))
    return facts
