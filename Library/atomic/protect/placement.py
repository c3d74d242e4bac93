"""Placements that a live broker does not answer: told after the order time-out, and taken back while nothing filled.

An entry, or an order of a set, that is not acknowledged in time is cancelled: what it fills all the same is protected
or reversed as any late fill is. A stop that is not acknowledged stays: it is never given up after a fill, and a second
one could fill beside it; a person is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import facts as f
from ..vocabulary import ChildStatus, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import ChildOrder, GroupState
    from ..plan.terms import Env

_SENT, _INTENDED = ChildStatus.SENT, ChildStatus.INTENDED


def _late(group: GroupState, now: float, env: Env) -> Iterator[tuple[ChildOrder, str]]:
    if env.live:
        patience = group.spec.policy.order_timeout
        for order in group.live.values():
            if order.status is _SENT and now >= order.sent_at + patience:
                yield order, f"{order.tag} was not acknowledged within {patience:g} s"


def overdue(group: GroupState, now: float, env: Env) -> list[Any]:
    """Facts that answer the silence about an entry or a stop of a bracket; empty when there is none."""
    memory = group.memory
    for order, why in _late(group, now, env):
        if order.purpose is Purpose.ENTRY and not memory.get("entry_cancel"):
            return [f.Remembered(now, "entry_cancel", why), _told(now, "placement-timeout", why)]
        if order.purpose is Purpose.STOP and not memory.get(f"late.{order.number}"):
            return [f.Remembered(now, f"late.{order.number}", True), _told(now, "stop-unacknowledged", why)]
    return []


def set_overdue(group: GroupState, now: float, env: Env) -> list[Any]:
    """The same for a set of which nothing has filled."""
    if not group.target or group.memory.get("unlinked") or any(order.cum_qty for order in group.orders.values()):
        return []
    for _, why in _late(group, now, env):
        return [f.CloseAsked(now, why), _told(now, "placement-timeout", why)]
    return []


def left_over(group: GroupState, now: float) -> list[Any]:
    """Name what could not be cancelled in as many attempts as anything gets: once, with the counts (B3)."""
    for order in group.live.values():  # asked for with every decision
        if order.cancel_refusals:
            break
    else:
        return []
    stuck = [o for o in group.live.values() if o.cancel_refusals >= group.spec.policy.rollback_attempts]
    numbers = [order.number for order in stuck]
    if not stuck or group.memory.get("left_over") == numbers:
        return []
    ended = sum(o.status is ChildStatus.CANCELED and o.cancel_at > 0 for o in group.orders.values())
    tags = [order.tag for order in stuck]
    text = f"{ended} orders cancelled, {len(stuck)} could not be: {', '.join(tags)} may still fill"
    told = {"alert": "orders-left", "severity": 1, "cancelled": ended, "failed": len(stuck), "left": tags}
    return [f.Remembered(now, "left_over", numbers), f.Noted(now, text, told)]


def _told(now: float, code: str, why: str) -> f.Noted:
    return f.Noted(now, why, {"alert": code, "severity": 1})


def answer_due(group: GroupState, now: float, env: Env, sends: bool) -> float:
    """When the next acknowledgement is overdue; 0 for never. `sends`: an order is about to leave."""
    if not env.live:
        return 0.0
    patience = group.spec.policy.order_timeout
    due = [order.sent_at + patience for order in group.live.values() if order.status is _SENT]
    if sends or any(order.status is _INTENDED for order in group.live.values()):
        due.append(now + patience)
    return min((at for at in due if at > now), default=0.0)
