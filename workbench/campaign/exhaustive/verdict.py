"""What every state is judged by: own-share, conservation, covered, no-double, and holds that nothing allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import HoldCause, Phase
from workbench.campaign.naked import naked

if TYPE_CHECKING:
    from atomic.model import GroupSpec

    from .states import Bounds, Node


class Judge:
    """Judges states of one group against what the broker truly has."""

    def __init__(self, spec: GroupSpec, bounds: Bounds) -> None:
        self.spec, self.bounds = spec, bounds
        unit = {leg.symbol: (max(0, -leg.ratio), max(0, leg.ratio)) for leg in spec.legs}
        self.structural = naked(spec.legs, unit) * spec.units

    def fault(self, node: Node) -> str:
        """The invariant this state breaks and how, "" for none."""
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
                return f"own-share: {leg.symbol} may reach {low}..{high}, asked {goal}"
            held[leg.symbol] = (max(0, -low), max(0, low))
            if group.legs[i].net != net[i]:
                return f"conservation: {leg.symbol} believes {group.legs[i].net}, truly {net[i]}"
        if self.spec.policy.sequence == "protected":
            worst = naked(self.spec.legs, held)
            if worst > self.structural + node.excused:
                return f"covered: {worst} shorts may be uncovered"
        if len({o.number for o in node.orders}) != len(node.orders):
            return "no-double: a number was sent twice"
        if group.phase is Phase.HELD:
            refused = self.bounds.rejects - node.budget[0]
            allowed = {
                HoldCause.REFUSED_BEYOND_CAPS: refused >= self.spec.policy.rollback_attempts,
                HoldCause.QUARANTINE: any(o.canceling for o in node.orders) or node.budget[3] < self.bounds.silences,
                HoldCause.POLICY: self.spec.policy.on_timeout == "hold",
                HoldCause.BREAK: node.excused > 0,
            }
            if group.held is None or not allowed.get(group.held, False):
                return f"converges: held ({group.held}: {group.held_why}) where nothing allows it"
        if group.phase is Phase.CLOSED and not any(o.leaves for o in node.orders) and any(net):
            return f"converges: closed with {net}"
        return ""
