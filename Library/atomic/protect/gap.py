"""How long a bracket stood without a working stop or close, measured from its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..facts.kinds import singly
from ..vocabulary import Purpose

if TYPE_CHECKING:
    from ..model import GroupState

_COVERS = frozenset({Purpose.STOP, Purpose.TARGET, Purpose.CLOSE, Purpose.EMERGENCY})
_ENDS = frozenset({"canceled", "rejected", "expired", "withdrawn"})


def gap_seconds(group: GroupState) -> float:
    """Seconds in which something was open and no exit order that could close it was confirmed.

    A broker that reserves the position for one closing order makes such gaps when a stop gives way to a target; they
    are reported, not hidden. Watched stops rest with nobody: their groups count from fill to close.
    """
    total = since = 0.0
    net = 0
    cum: dict[int, int] = {}
    covering: set[int] = set()
    for fact in singly(group.facts):
        order = group.orders.get(getattr(fact, "order", 0))
        if order is not None and order.leg == 0:
            if fact.kind == "accepted" and order.purpose in _COVERS:
                covering.add(order.number)
            elif fact.kind in _ENDS:
                covering.discard(order.number)
            elif fact.kind == "filled":
                net += order.side * (fact.cum_qty - cum.get(order.number, 0))
                cum[order.number] = fact.cum_qty
                if fact.cum_qty >= order.order_qty:
                    covering.discard(order.number)
        elif fact.kind == "adjusted" and fact.leg == 0:
            net += fact.delta
        bare = net != 0 and not covering
        if bare and not since:
            since = fact.at
        elif not bare and since:
            total, since = total + fact.at - since, 0.0
    return total
