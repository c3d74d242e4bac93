"""The search itself: breadth first over states not seen before, then every state followed with a kind broker."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from atomic.facts import IllegalFact
from atomic.model import GroupSpec
from atomic.policy import Policy
from atomic.vocabulary import Kind, Phase
from workbench.campaign.market import START
from workbench.campaign.pump import OscillationError
from workbench.campaign.scenarios import NAKED, STRUCTURES

from .moves import Moves
from .states import Bounds, Node, key
from .verdict import Judge

if TYPE_CHECKING:
    from atomic.plan import Env


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
    ends: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, list[str]]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "structure": self.name, "units": self.units, "bounds": self.bounds._asdict(), "states": self.states,
            "transitions": self.transitions, "complete": self.complete, "deepest": self.deepest,
            "ends": dict(sorted(self.ends.items())), "held": dict(sorted(self.held.items())),
            "violations": [{"text": text, "events": events} for text, events in self.violations],
        }  # fmt: skip


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
        self.moves = Moves(self.spec, self.bounds, env)
        self.judge = Judge(self.spec, self.bounds)
        self._seen: dict[Any, int] = {}
        self._kind: list[int] = []
        self._rest: list[bool] = []

    def run(self, most: int = 1) -> Exploration:
        """Explore to the end, or until `most` violations were found."""
        result = self.result
        root = self.moves.root()
        queue = deque([root])
        self._visit(root)
        nodes: list[Node | None] = [root]
        while queue and len(result.violations) < most:
            node = queue.popleft()
            index = self._seen[key(node)]
            for step, (label, action, argument) in enumerate(self.moves.events(node)):
                child = node.child(label)
                try:
                    self.moves.take(child, action, argument)
                except (IllegalFact, OscillationError) as error:
                    self._violation(f"fault: {error}", child)
                    continue
                result.transitions += 1
                reached = key(child)
                known = self._seen.get(reached)
                if known is None:
                    if result.states >= self.bounds.states:
                        result.complete = False
                        continue
                    self._visit(child)
                    nodes.append(child)
                    known = self._seen[reached]
                    queue.append(child)
                    if text := self.judge.fault(child):
                        self._violation(text, child)
                        if len(result.violations) >= most:
                            return result
                        queue.pop()
                if step == 0:
                    self._kind[index] = known
            if self._kind[index] < 0 and not self._rest[index]:
                self._violation("converges: nothing may happen and the group is not at rest", node)
        self._follow(nodes)
        return result

    def _visit(self, node: Node) -> None:
        self._seen[key(node)] = len(self._kind)
        self._kind.append(-1)
        group = node.group
        rest = group.phase in (Phase.OPEN, Phase.CLOSED, Phase.HELD) and not any(o.leaves for o in node.orders)
        self._rest.append(rest)
        self.result.states += 1
        if rest:
            self.result.ends[group.outcome or group.phase] += 1
            if group.held is not None:
                self.result.held[group.held] += 1

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
