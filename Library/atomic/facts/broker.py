"""What the broker says about a child order, folded: its status, its fills, what the leg holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import ChildOrder, GroupState, LegState
from ..vocabulary import MAY_FILL, TERMINAL, ChildStatus, Phase, Purpose, RejectReason
from .kinds import (
    LOOSE,
    Accepted,
    CancelAsked,
    Canceled,
    CancelRefused,
    Expired,
    Filled,
    Identified,
    Quarantined,
    Rejected,
    ReplaceAsked,
    Replaced,
    ReplaceRefused,
    Sent,
    Taken,
    Withdrawn,
)
from .tables import ORDER_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable


#: LEAN's answer to a cancel while it waits for the brokerage (OrderResponseErrorCode.InvalidNewOrderStatus)
STILL_NEW = -32


class IllegalFact(ValueError):  # noqa: N818 - a fact is illegal, not an error of the caller
    """The fact cannot follow from the group's state; the group is unchanged."""


def illegal(group: GroupState, what: str) -> IllegalFact:
    """The exception to raise, naming the group."""
    return IllegalFact(f"{group.spec.group_id}: {what}")


def _order(group: GroupState, number: int, trigger: str) -> tuple[ChildOrder, ChildStatus]:
    """The order and its next status; raises IllegalFact when the table has no such row."""
    order = group.orders.get(number)
    if order is None:
        raise illegal(group, f"no child order {number} for {trigger!r}")
    try:
        return order, ORDER_TABLE[order.status][trigger]
    except KeyError:
        raise illegal(group, f"order {number}: {order.status} -> {trigger}") from None


def _move(group: GroupState, order: ChildOrder, status: ChildStatus, at: float, before: int = -1) -> None:
    """Set the status and keep the leg's may-fill sums and the live view true.

    `before` is what the order left to fill before the fact, where something else than its status changed, too.
    """
    alive = status in MAY_FILL
    same = alive is (order.status in MAY_FILL)
    if before < 0:
        if same:
            order.status = status
            return
        before = order.leaves_qty
    order.status = status
    _carry(group, order, (order.leaves_qty if alive else 0) - before)
    if same:
        return
    if alive:
        group.live[order.number] = order
    elif group.live.pop(order.number, None) is not None:
        order.ended_at = at


def leaves(group: GroupState, order: ChildOrder, before: int) -> None:
    """Carry a change of an order's leaves into its leg's may-fill sums."""
    _carry(group, order, order.leaves_qty - before)


def _carry(group: GroupState, order: ChildOrder, delta: int) -> None:
    """Add to the may-fill sum of an order's leg and side."""
    if delta:
        leg = group.legs[order.leg]
        if order.quantity > 0:
            leg.buying += delta
        else:
            leg.selling += delta


def _sent(group: GroupState, fact: Sent) -> bool:
    order, status = _order(group, fact.order, "sent")
    order.sent_at = fact.at
    _move(group, order, status, fact.at)
    return True


def _identified(group: GroupState, fact: Identified) -> bool:
    order = group.orders.get(fact.order)
    if order is None:
        raise illegal(group, f"no child order {fact.order} for 'identified'")
    ids = tuple(fact.broker_ids)
    if order.lean_id == fact.lean_id and order.broker_ids == ids:
        return False
    order.lean_id, order.broker_ids = fact.lean_id, ids
    return True


def _accepted(group: GroupState, fact: Accepted) -> bool:
    order, status = _order(group, fact.order, "accepted")
    return _accept(group, order, status, fact.at)


def _taken(group: GroupState, fact: Taken) -> bool:
    at, numbers, _ = fact
    changed = False
    # all are looked up first: an illegal fact changes nothing
    for order, status in [_order(group, number, "accepted") for number in numbers]:
        changed |= _accept(group, order, status, at)
    return changed


def _accept(group: GroupState, order: ChildOrder, status: ChildStatus, at: float) -> bool:
    if order.status is status:
        return False
    order.sent_at = order.sent_at or order.intended_at  # answered within the call, or found after a restart
    order.cancel_refusals = 0  # those were answered while nobody had it
    _move(group, order, status, at)
    return True


def _filled(group: GroupState, fact: Filled) -> bool:
    at, number, cum_qty, avg_px, total_fees, _ = fact
    if cum_qty < 0:
        raise illegal(group, f"order {number}: cum_qty {cum_qty} is negative")
    known = group.orders.get(number)
    trigger = "fill" if known is not None and completes(group, known, cum_qty) else "partial"
    order, status = _order(group, number, trigger)
    delta = cum_qty - order.cum_qty
    if delta <= 0:
        return False  # duplicate or reordered: a fill never shrinks
    order.sent_at = order.sent_at or order.intended_at
    before = order.leaves_qty
    px = (avg_px * cum_qty - order.avg_px * order.cum_qty) / delta if order.cum_qty else avg_px
    fees = total_fees - order.fees
    if fees > 0.0:
        order.fees += fees
        group.fees += fees
    else:
        fees = 0.0
    order.cum_qty, order.avg_px = cum_qty, avg_px
    leg = group.legs[order.leg]
    signed = delta if order.quantity > 0 else -delta
    if order.purpose in _GIVES_UP and not _closing(group):
        group.rollback_cost += _given_up(leg, signed, px) + fees
    elif group.target < group.spec.units and order.purpose is Purpose.OPEN:
        group.rollback_cost += fees  # a late opening fill that must be reversed
    if leg.settled:
        # it happened before the contract ended and was told after: what was settled was that much more (or less)
        leg.cost += signed * (px - leg.settlement) * leg.spec.multiplier
    else:
        hold(leg, signed, px)
        leg.cost += signed * px * leg.spec.multiplier
    _move(group, order, status, at, before)
    return True


def completes(group: GroupState, order: ChildOrder, cum_qty: int) -> bool:
    """True when so many fills end the order as far as we can count.

    Not while a larger size was asked for (the venue may have taken it before this fill and say so after it), and not
    where the fills were divided by guess: it lives until the broker ends it.
    """
    if cum_qty < (abs(order.quantity) if order.asked is None else order.largest_qty):
        return False
    return not (group.memory and order.number in group.memory.get(LOOSE, ()))


def _closing(group: GroupState) -> bool:
    return group.phase is Phase.CLOSING or (group.phase is Phase.HELD and group.held_from is Phase.CLOSING)


_GIVES_UP = frozenset({Purpose.UNWIND, Purpose.EXCESS, Purpose.EMERGENCY})


def hold(leg: LegState, signed: int, px: float) -> None:
    """Move the net; the average entry price changes only with what is added."""
    before, after = leg.net, leg.net + signed
    if before * signed >= 0:
        if after:
            leg.avg = (leg.avg * abs(before) + px * abs(signed)) / abs(after)
    elif before * after < 0:
        leg.avg = px
    elif after == 0:
        leg.avg = 0.0
    leg.net = after


def _given_up(leg: LegState, signed: int, px: float) -> float:
    """Dollars lost by reversing at `px` what the leg holds at its average entry price; negative = gained."""
    if leg.net == 0 or leg.net * signed > 0:
        return 0.0
    reversed_qty = max(-abs(leg.net), min(abs(leg.net), signed))
    return (leg.avg - px) * -reversed_qty * leg.spec.multiplier


def _cancel_asked(group: GroupState, fact: CancelAsked) -> bool:
    order, status = _order(group, fact.order, "cancel_asked")
    order.cancel_at = fact.at
    _move(group, order, status, fact.at)
    return True


def _cancel_refused(group: GroupState, fact: CancelRefused) -> bool:
    order, status = _order(group, fact.order, "cancel_refused")
    if order.status in TERMINAL:
        return False
    order.cancel_refusals += 1
    order.cancel_refused_at = fact.at
    order.cancel_at = 0.0
    if status is ChildStatus.WORKING and order.cum_qty:
        status = ChildStatus.PARTIAL
    elif status is ChildStatus.WORKING and fact.code == STILL_NEW and order.status is ChildStatus.CANCELING:
        status = ChildStatus.SENT if not order.broker_ids else status
    _move(group, order, status, fact.at)
    return True


def _canceled(group: GroupState, fact: Canceled) -> bool:
    return _end(group, fact.order, "canceled", fact.why, fact.at)


def _expired(group: GroupState, fact: Expired) -> bool:
    return _end(group, fact.order, "expired", fact.why, fact.at)


def _rejected(group: GroupState, fact: Rejected) -> bool:
    changed = _end(group, fact.order, "rejected", fact.why, fact.at)
    if changed:
        group.orders[fact.order].reject = RejectReason(fact.reason)
    return changed


def _withdrawn(group: GroupState, fact: Withdrawn) -> bool:
    return _end(group, fact.order, "withdrawn", fact.why, fact.at)


def _quarantined(group: GroupState, fact: Quarantined) -> bool:
    return _end(group, fact.order, "quarantined", fact.why, fact.at)


def _end(group: GroupState, number: int, trigger: str, why: str, at: float) -> bool:
    order, status = _order(group, number, trigger)
    if status is order.status:
        return False
    order.reason = why
    _move(group, order, status, at)
    # an end that was asked for is no failure, also where the venue first said no (or a restart took it for that)
    asked = order.cancel_at or (status is ChildStatus.CANCELED and order.cancel_refusals)
    if status in _FAILED and not asked and order.cum_qty < order.order_qty:
        opens = order.purpose is Purpose.OPEN
        if not opens or group.phase is Phase.OPENING:
            group.failures[number] = order
    return True


_FAILED = frozenset({ChildStatus.REJECTED, ChildStatus.CANCELED, ChildStatus.EXPIRED})


def forget(group: GroupState, purposes: frozenset[Purpose]) -> None:
    """Failures of these purposes were decided upon."""
    for number in [number for number, order in group.failures.items() if order.purpose in purposes]:
        del group.failures[number]


OPENS = frozenset({Purpose.OPEN, Purpose.ENTRY})


def _replace_asked(group: GroupState, fact: ReplaceAsked) -> bool:
    order, _ = _order(group, fact.order, "replace_asked")
    if fact.quantity * order.quantity <= 0:
        raise illegal(group, f"order {fact.order}: update to {fact.quantity} changes its side")
    before = order.leaves_qty
    order.asked = (fact.quantity, fact.limit, fact.stop)
    order.asked_at = fact.at
    leaves(group, order, before)
    return True


def _replace_refused(group: GroupState, fact: ReplaceRefused) -> bool:
    order, _ = _order(group, fact.order, "replace_refused")
    if order.asked is None:
        return False
    before = order.leaves_qty
    order.asked, order.asked_at = None, 0.0
    order.replace_refusals += 1
    leaves(group, order, before)
    if order.status not in TERMINAL and completes(group, order, order.cum_qty):
        _move(group, order, ChildStatus.FILLED, fact.at)
    return True


def _replaced(group: GroupState, fact: Replaced) -> bool:
    order, _ = _order(group, fact.order, "replaced")
    terms = (fact.quantity, fact.limit, fact.stop)
    if order.asked is None and (order.quantity, order.limit, order.stop) == terms:
        return False
    if fact.at < order.asked_at and terms != order.asked:
        return False  # news of an earlier update, overtaken by a newer one
    if fact.quantity * order.quantity <= 0:
        raise illegal(group, f"order {fact.order}: update to {fact.quantity} changes its side")
    before = order.leaves_qty
    order.quantity, order.limit, order.stop = terms
    order.asked = None
    leaves(group, order, before)
    if order.cum_qty >= order.order_qty and order.status not in TERMINAL:
        # its last fill was told before the update that made it the last
        _move(group, order, ChildStatus.FILLED, fact.at)
    return True


#: how each fact about a child order is folded
BROKER_FOLD: dict[type, Callable[[GroupState, Any], bool]] = {
    Sent: _sent,
    Identified: _identified,
    Accepted: _accepted,
    Taken: _taken,
    Filled: _filled,
    CancelAsked: _cancel_asked,
    CancelRefused: _cancel_refused,
    Canceled: _canceled,
    Rejected: _rejected,
    Expired: _expired,
    ReplaceAsked: _replace_asked,
    ReplaceRefused: _replace_refused,
    Replaced: _replaced,
    Withdrawn: _withdrawn,
    Quarantined: _quarantined,
}
