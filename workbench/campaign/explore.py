"""Exhaustive small scope: every interleaving of broker answers over the pure core, to the end, states counted.

A state is the group (without its timeline), what the broker truly has, and time relative to now. From each state
every answer the broker could give next is tried: accept, partial, fill, reject, cancel done, fill beats cancel,
cancel failed, fill after the end, a duplicate, and silence until the next deadline. States already seen are not
visited again, so the search ends. Each new state is judged (own-share, covered, no-double); afterwards every state is
followed with a kind broker: a path that does not come to rest is a violation of invariant 6.

The shortest event list that leads to a violation falls out of the breadth-first search.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from atomic.facts import (
    Accepted,
    CancelAsked,
    Canceled,
    CancelRefused,
    CloseAsked,
    Filled,
    IllegalFact,
    Opening,
    Rejected,
    apply,
)
from atomic.model import (
    ChildOrder,
    GroupSpec,
    GroupState,
    HoldCause,
    Kind,
    LegState,
    Phase,
    Quote,
    RejectReason,
    new_group,
)
from atomic.policy import Policy

from .market import START
from .oracle import naked
from .pump import OscillationError, settle
from .scenarios import NAKED, STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from atomic.model import LegSpec
    from atomic.plan import Env


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


@dataclass(slots=True)
class Exploration:
    """What the search found."""

    name: str
    units: int
    bounds: Bounds
    states: int = 0
    transitions: int = 0
    complete: bool = True
    deepest: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    violations: list[tuple[str, list[str]]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "structure": self.name, "units": self.units, "bounds": self.bounds._asdict(), "states": self.states,
            "transitions": self.transitions, "complete": self.complete, "deepest": self.deepest,
            "ends": dict(sorted(self.ends.items())), "held": dict(sorted(self.held.items())),
            "violations": [{"text": text, "events": events} for text, events in self.violations],
        }  # fmt: skip


def quotes_of(legs: Iterable[LegSpec]) -> dict[str, Quote]:
    """Fixed, fresh, two-sided quotes."""
    return {leg.symbol: Quote(1.0, 1.1, 1.05, 1e12, True, 10.0, 10.0) for leg in legs}


class Explorer:
    """Breadth-first search over the core's reachable states."""

    def __init__(self, name: str, units: int, policy: Policy | None = None, bounds: Bounds | None = None,
                 env: Env | None = None) -> None:  # fmt: skip
        policy = policy or Policy(native="never")
        policy = replace(
            policy, allow_naked=policy.allow_naked or name in NAKED, max_time_to_open=1e9, max_sends=10_000
        )
        self.bounds = bounds or Bounds()
        self.result = Exploration(name, units, self.bounds)
        legs = STRUCTURES[name]
        self.spec = GroupSpec("g-1", Kind.ALL_OR_NONE, name, legs, units, START, policy)
        self.quotes = quotes_of(legs)
        self.env = env
        unit = {leg.symbol: (max(0, -leg.ratio), max(0, leg.ratio)) for leg in legs}
        self.structural = naked(legs, unit) * units
        self._seen: dict[Any, int] = {}
        self._kind: list[int] = []
        self._rest: list[bool] = []

    def run(self, most: int = 1) -> Exploration:
        """Explore to the end, or until `most` violations were found."""
        result = self.result
        root = self._root()
        queue = deque([root])
        self._visit(root)
        nodes: list[Node | None] = [root]
        while queue and len(result.violations) < most:
            node = queue.popleft()
            index = self._seen[self._key(node)]
            for step, (label, action, argument) in enumerate(self._events(node)):
                child = self._apply(node, label, action, argument)
                if child is None:
                    continue
                result.transitions += 1
                key = self._key(child)
                known = self._seen.get(key)
                if known is None:
                    if result.states >= self.bounds.states:
                        result.complete = False
                        continue
                    self._visit(child)
                    nodes.append(child)
                    known = self._seen[key]
                    queue.append(child)
                    if not self._judge(child):
                        if len(result.violations) >= most:
                            return result
                        queue.pop()
                if step == 0:
                    self._kind[index] = known
            if self._kind[index] < 0 and not self._rest[index]:
                self._violation("converges: nothing may happen and the group is not at rest", node)
        self._follow(nodes)
        return result

    # --- states ----------------------------------------------------------------------------------------------

    def _root(self) -> Node:
        group = new_group(self.spec)
        apply(group, Opening(START))
        bounds = self.bounds
        budget = (bounds.rejects, bounds.cancel_failures, bounds.late_fills, bounds.silences, bounds.closes)
        node = Node(group, [], START, None, budget)
        self._pump(node)
        return node

    def _visit(self, node: Node) -> None:
        self._seen[self._key(node)] = len(self._kind)
        self._kind.append(-1)
        group = node.group
        rest = group.phase in (Phase.OPEN, Phase.CLOSED, Phase.HELD) and not any(o.leaves for o in node.orders)
        self._rest.append(rest)
        self.result.states += 1
        if rest:
            end = str(group.outcome or group.phase)
            self.result.ends[end] = self.result.ends.get(end, 0) + 1
            if group.held is not None:
                self.result.held[group.held] = self.result.held.get(group.held, 0) + 1

    def _key(self, node: Node) -> Any:
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

    # --- events ----------------------------------------------------------------------------------------------

    def _events(self, node: Node) -> list[tuple[str, str, int]]:
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

    def _apply(self, node: Node, label: str, action: str, i: int) -> Node | None:
        rejects, failures, late, silences, closes = node.budget
        child = Node(
            clone(node.group),
            [replace(o) for o in node.orders],
            node.now,
            node.wake,
            node.budget,
            node,
            label,
            node.excused,
        )
        try:
            if action == "silence":
                child.now = max(node.now, node.wake or node.now)
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
        except (IllegalFact, OscillationError) as error:
            self._violation(f"fault: {error}", child)
            return None
        return child

    def _pump(self, node: Node, *, look: bool = False) -> None:
        group = node.group
        wake = settle(group, node.now, self.quotes, _Port(node), self.env, look=look)
        patience = self.spec.policy.order_timeout
        for order in group.live.values():  # the shell's safety net looks at what is overdue
            at = max(order.sent_at, order.cancel_at) + patience
            if at > node.now and (wake is None or at < wake):
                wake = at
        node.wake = wake

    # --- judging ---------------------------------------------------------------------------------------------

    def _judge(self, node: Node) -> bool:
        group = node.group
        legs = len(self.spec.legs)
        net, buys, sells = [0] * legs, [0] * legs, [0] * legs
        for order in node.orders:
            net[order.leg] += order.filled if order.quantity > 0 else -order.filled
            (buys if order.quantity > 0 else sells)[order.leg] += order.leaves
        held: dict[str, tuple[int, int]] = {}
        for i, leg in enumerate(self.spec.legs):
            goal = leg.ratio * self.spec.units
            high, low = net[i] + buys[i], net[i] - sells[i]
            if high > max(0, goal) + node.excused or low < min(0, goal) - node.excused:
                self._violation(f"own-share: {leg.symbol} may reach {low}..{high}, asked {goal}", node)
                return False
            held[leg.symbol] = (max(0, -low), max(0, low))
            if group.legs[i].net != net[i]:
                self._violation(f"conservation: {leg.symbol} believes {group.legs[i].net}, truly {net[i]}", node)
                return False
        if self.spec.policy.sequence == "protected":
            worst = naked(self.spec.legs, held)
            if worst > self.structural + node.excused:
                self._violation(f"covered: {worst} shorts may be uncovered", node)
                return False
        if len({o.number for o in node.orders}) != len(node.orders):
            self._violation("no-double: a number was sent twice", node)
            return False
        if group.phase is Phase.HELD:
            refused = self.bounds.rejects - node.budget[0]
            allowed = {
                HoldCause.REFUSED_BEYOND_CAPS: refused >= self.spec.policy.rollback_attempts,
                HoldCause.QUARANTINE: any(o.canceling for o in node.orders) or node.budget[3] < self.bounds.silences,
                HoldCause.POLICY: self.spec.policy.on_timeout == "hold",
                HoldCause.BREAK: node.excused > 0,
            }
            if group.held is None or not allowed.get(group.held, False):
                self._violation(f"converges: held ({group.held}: {group.held_why}) where nothing allows it", node)
                return False
        if group.phase is Phase.CLOSED and not any(o.leaves for o in node.orders) and any(net):
            self._violation(f"converges: closed with {net}", node)
            return False
        return True

    def _follow(self, nodes: list[Node | None]) -> None:
        """Every state, followed with a kind broker, comes to rest: no cycle, no dead end."""
        good = [False] * len(self._kind)
        for start in range(len(self._kind)):
            trail: list[int] = []
            at = start
            on_trail: set[int] = set()
            while not good[at] and not self._rest[at]:
                if at in on_trail:
                    node = nodes[at]
                    if node is not None:
                        self._violation("converges: a kind broker leads in a circle", node)
                    return
                on_trail.add(at)
                trail.append(at)
                if self._kind[at] < 0:
                    break
                at = self._kind[at]
            self.result.deepest = max(self.result.deepest, len(trail))
            for index in (*trail, at):
                good[index] = True

    def _violation(self, text: str, node: Node) -> None:
        self.result.violations.append((text, node.path()))


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


#: structures, units, policy and bounds searched by `atomic chaos --exhaustive`
_TIGHT = Bounds(rejects=1, cancel_failures=1, late_fills=1, silences=2, closes=1)
_CLOSELY = Bounds(rejects=1, cancel_failures=1, late_fills=0, silences=2, closes=1, duplicates=0)
_STUBBORN = Bounds(rejects=3, cancel_failures=0, late_fills=0, silences=3, closes=0, duplicates=0)
_ONE_TRY = Policy(native="never", rollback_attempts=1)
SCOPE: tuple[tuple[str, int, Policy | None, Bounds], ...] = (
    ("put_spread", 1, None, Bounds()),
    ("put_spread", 2, None, Bounds()),
    ("put_spread", 2, Policy(native="never", keep_units=True), _TIGHT),
    ("long_strangle", 1, None, _TIGHT),
    ("long_strangle", 2, None, _TIGHT),
    ("short_strangle", 1, Policy(native="never", sequence="together"), _TIGHT),
    ("backspread", 1, None, _TIGHT),
    ("put_spread", 1, _ONE_TRY, _STUBBORN),
    ("butterfly", 1, None, _CLOSELY),
    ("jade_lizard", 1, None, _CLOSELY),
)
#: the two-leg part that every change is checked with
QUICK = (
    ("put_spread", 1, None, Bounds()),
    ("put_spread", 2, None, _TIGHT),
    ("long_strangle", 1, None, _TIGHT),
    ("put_spread", 1, _ONE_TRY, _STUBBORN),
)


def explore_all(
    scope: Iterable[tuple[str, int, Policy | None, Bounds]], jobs: int | None = None
) -> Iterator[Exploration]:
    """Search every entry of a scope, on all cores; yields them in its order as they are done."""
    import os

    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs or os.cpu_count() or 1, return_as="generator")
    yield from parallel(delayed(_explore)(*entry) for entry in scope)


def _explore(name: str, units: int, policy: Policy | None, bounds: Bounds) -> Exploration:
    return Explorer(name, units, policy, bounds).run()
