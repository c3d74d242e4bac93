"""What a protected group holds right now, seen the way its exits need it: filled, closed, still open per pair.

One pass over the child orders, from facts alone; nothing here decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import ChildOrder, GroupState
from ..vocabulary import WORKING, ChildStatus, Purpose
from .allot import webster
from .levels import ExitPlan

# asked for with every order; see `facts.settle`
_ENTRY, _STOP, _TARGET, _WITHDRAWN = Purpose.ENTRY, Purpose.STOP, Purpose.TARGET, ChildStatus.WITHDRAWN
_CLOSERS = frozenset({Purpose.CLOSE, Purpose.EMERGENCY, Purpose.UNWIND})


@dataclass(slots=True)
class Exposure:
    """The protected leg (leg 0) of a group.

    Attributes:
        side: +1 for a long entry, -1 for a short one.
        filled: contracts the entry filled, unsigned (or the adopted position's size).
        entry_px: average price of the entry, dollars per share; 0 before the first fill.
        open: filled-not-closed contracts; negative when exits closed too much.
        closing: contracts of working orders that close the whole position, unsigned.
        stopped: contracts of stops that the broker confirmed to work, unsigned.
        pair_closed: contracts closed by the exits of each pair.
        pair_open: contracts each pair has to protect now; sums to max(open, 0).
        entry: the newest entry order that was not withdrawn, if any.
        entering: contracts an entry may still fill.
    """

    side: int
    filled: int
    entry_px: float
    open: int
    closing: int
    stopped: int
    pair_closed: list[int]
    pair_open: list[int]
    entry: ChildOrder | None
    entering: int


def plan_of(group: GroupState) -> ExitPlan:
    """The group's exit plan, decoded once."""
    plan: ExitPlan | None = group.exit_plan
    if plan is None:
        plan = group.exit_plan = ExitPlan.from_row(group.spec.exits)
    return plan


def exposure(group: GroupState, plan: ExitPlan) -> Exposure:
    """What the exits need, folded once for each state of the group (its facts are its state)."""
    known = group.view
    if known is not None and known[0] == len(group.facts):
        found: Exposure = known[1]
        return found
    found = _expose(group, plan)
    group.view = (len(group.facts), found)
    return found


def _expose(group: GroupState, plan: ExitPlan) -> Exposure:
    """Fold the child orders."""
    leg, memory = group.legs[0], group.memory
    side = 1 if leg.spec.ratio > 0 else -1
    pairs = len(plan.pairs)
    closed = [0] * pairs
    filled = entering = closing = stopped = 0
    paid = 0.0
    entry: ChildOrder | None = None
    for order in group.orders.values():
        purpose, cum_qty = order.purpose, order.cum_qty
        if purpose is _ENTRY:
            if order.status is not _WITHDRAWN:
                entry = order
            if cum_qty:
                filled += cum_qty
                paid += cum_qty * order.avg_px
        elif cum_qty and (purpose is _STOP or purpose is _TARGET) and order.rung < pairs:
            closed[order.rung] += cum_qty
    for order in group.live.values():
        purpose = order.purpose
        if purpose is _ENTRY:
            entering += order.leaves_qty
        elif order.status in WORKING:
            if purpose is _STOP:
                stopped += order.leaves_qty
            elif purpose in _CLOSERS and order.leg == 0 and order.side == -side:
                closing += order.leaves_qty
    if memory and "adopted" in memory:
        adopted = int(memory["adopted"])
        filled += adopted
        paid += adopted * float(memory.get("adopted_px", 0.0))
    still = leg.net * side
    if pairs == 1:
        left = [still if still > 0 else 0]
    else:
        shares = [pair.share for pair in plan.pairs]
        given = webster(max(filled, sum(closed)), shares, closed)
        left = [given[i] - closed[i] for i in range(len(given))]
        _fit(left, max(still, 0))
    price = paid / filled if filled else 0.0
    return Exposure(side, filled, price, still, closing, stopped, closed, left, entry, entering)


def _fit(left: list[int], total: int) -> None:
    """Make the pairs sum to what is really open: outside reductions shrink the last (furthest) pair first."""
    surplus = sum(left) - total
    for i in range(len(left) - 1, -1, -1):
        if surplus <= 0:
            break
        cut = min(left[i], surplus)
        left[i] -= cut
        surplus -= cut
    if surplus < 0:
        left[0] -= surplus


def stop_price(group: GroupState, plan: ExitPlan, view: Exposure, pair: int) -> float:
    """Where the stop of a pair stands now: the plan's level, moved by the owner, break-even and the trail.

    After a move that the broker refused for good it is where the stop that works stands.
    """
    level = plan.pairs[pair].stop
    tick = group.legs[0].spec.tick
    memory = group.memory
    if not memory:
        return 0.0 if level is None else level.resolve(view.entry_px, -view.side, tick)
    stuck = memory.get(f"stuck.{pair}")
    if stuck is not None:
        return float(stuck)
    override = memory.get(f"stop.{pair}")
    if override is not None:
        price = float(override)
    elif level is None:
        return 0.0
    else:
        price = level.resolve(view.entry_px, -view.side, tick)
    mark = memory.get("trail")
    if mark is not None and plan.trail is not None:
        trailed = plan.trail.resolve(float(mark), -view.side, tick)
        price = max(price, trailed) if view.side > 0 else min(price, trailed)
    return price


def target_price(group: GroupState, plan: ExitPlan, view: Exposure, pair: int) -> float:
    """Where the target of a pair stands now; 0 when it has none (or it was cancelled or given up)."""
    memory = group.memory
    if memory:
        if memory.get(f"target_off.{pair}"):
            return 0.0
        override = memory.get(f"target.{pair}")
        if override is not None:
            return float(override)
    level = plan.pairs[pair].target
    return 0.0 if level is None else level.resolve(view.entry_px, view.side, group.legs[0].spec.tick)
