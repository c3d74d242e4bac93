"""The record of a group for people and other programs: the seed schema, and the whole timeline.

Both are projections of the facts; nothing is kept here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .facts.kinds import ANSWERING, singly

if TYPE_CHECKING:
    from .model import GroupState, LegState


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO time in UTC; empty for 0."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds") if seconds else ""


def leg_status(group: GroupState, index: int) -> str:
    """What became of one leg: pending, working, partial, filled, unwinding, closed, settled."""
    leg: LegState = group.legs[index]
    if leg.settled:
        return "settled"
    wanted = leg.spec.ratio * group.spec.units
    if leg.buying or leg.selling:
        return "partial" if leg.net else "working"
    if leg.net == wanted and wanted:
        return "filled"
    traded = any(order.cum_qty for order in group.orders.values() if order.leg == index)
    if leg.net == 0:
        return "closed" if traded else "pending"
    return "partial"


def seed_record(group: GroupState) -> dict[str, Any]:
    """``{group_id, strategy, timestamp, status, legs[symbol, quantity, status]}``; quantity is signed contracts."""
    spec = group.spec
    return {
        "group_id": spec.group_id,
        "strategy": spec.strategy,
        "timestamp": iso(spec.created_at),
        "status": group.phase.value,
        "legs": [
            {
                "symbol": leg.spec.symbol,
                "quantity": leg.spec.ratio * spec.units,
                "status": leg_status(group, index),
            }
            for index, leg in enumerate(group.legs)
        ],
    }


def timeline(group: GroupState) -> list[dict[str, Any]]:
    """Every fact, oldest first, its time as ISO text and the names of its fields; orders also name their leg.

    An order that was answered within its own call has a line "sent" before the answer that implies it, and that several
    were taken is a line of each.
    """
    lines: list[dict[str, Any]] = []
    sent: set[int] = set()
    for fact in singly(group.facts):
        named = fact._asdict()
        line: dict[str, Any] = {"time": iso(named.pop("at")), "kind": named.pop("kind"), **named}
        order = group.orders.get(line["order"]) if "order" in line else None
        if order is not None:
            spec = group.legs[order.leg].spec
            whose = {"symbol": spec.name or spec.symbol, "purpose": str(order.purpose)}
            if fact.kind in ANSWERING and order.number not in sent:
                lines.append({"time": line["time"], "kind": "sent", "order": order.number, **whose})
            if fact.kind in ANSWERING or fact.kind == "sent":
                sent.add(order.number)
            line = {**line, **whose, **named}
        lines.append(line)
    return lines


def audit_record(group: GroupState) -> dict[str, Any]:
    """The seed record with outcome, reason, figures and the whole timeline; JSON-able."""
    return {
        **seed_record(group),
        "outcome": str(group.stands_as),
        "reason": group.held_why or group.reason,
        "note": group.spec.note,
        "units": group.spec.units,
        "opened_at": iso(group.opened_at),
        "ended_at": iso(group.ended_at),
        "fees": round(group.fees, 2),
        "rollback_cost": round(group.rollback_cost, 2),
        "orders": len(group.orders),
        "timeline": timeline(group),
    }
