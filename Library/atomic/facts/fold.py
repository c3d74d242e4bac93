"""The only code that changes a group: `apply` folds one fact, `replay` folds a list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import (
    MAY_FILL,
    REDUCING,
    TERMINAL,
    ChildOrder,
    ChildStatus,
    ChildType,
    GroupSpec,
    GroupState,
    HoldCause,
    Kind,
    LegSpec,
    LegState,
    Outcome,
    Phase,
    Purpose,
    RejectReason,
    Right,
    new_group,
)
from .kinds import (
    Accepted,
    Adjusted,
    Attempt,
    BaseSet,
    CancelAsked,
    Canceled,
    CancelRefused,
    CloseAsked,
    Delivered,
    Emergency,
    Expired,
    Filled,
    Held,
    Identified,
    Intended,
    NativeRefused,
    Noted,
    Opening,
    Quarantined,
    Refused,
    Rejected,
    Released,
    Remembered,
    ReplaceAsked,
    Replaced,
    ReplaceRefused,
    Rung,
    Sent,
    Settled,
    TargetSet,
    Wave,
    Withdrawn,
)
from .tables import DECISION_TABLE, ORDER_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


#: LEAN's answer to a cancel while it waits for the brokerage (OrderResponseErrorCode.InvalidNewOrderStatus)
STILL_NEW = -32


class IllegalFact(ValueError):  # noqa: N818 - a fact is illegal, not an error of the caller
    """The fact cannot follow from the group's state; the group is unchanged."""


def _illegal(group: GroupState, what: str) -> IllegalFact:
    return IllegalFact(f"{group.spec.group_id}: {what}")


def _order(group: GroupState, number: int, trigger: str) -> tuple[ChildOrder, ChildStatus]:
    """The order and its next status; raises IllegalFact when the table has no such row."""
    order = group.orders.get(number)
    if order is None:
        raise _illegal(group, f"no child order {number} for {trigger!r}")
    try:
        return order, ORDER_TABLE[order.status][trigger]
    except KeyError:
        raise _illegal(group, f"order {number}: {order.status} -> {trigger}") from None


def _move(group: GroupState, order: ChildOrder, status: ChildStatus, at: float) -> None:
    """Set the status and keep the leg's may-fill sums and the live view true."""
    if (status in MAY_FILL) is (order.status in MAY_FILL):
        order.status = status
        return
    before = order.leaves_qty
    order.status = status
    _leaves(group, order, before)
    if status in MAY_FILL:
        group.live[order.number] = order
    elif group.live.pop(order.number, None) is not None:
        order.ended_at = at


def _leaves(group: GroupState, order: ChildOrder, before: int) -> None:
    delta = order.leaves_qty - before
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
        raise _illegal(group, f"no child order {fact.order} for 'identified'")
    ids = tuple(fact.broker_ids)
    if order.lean_id == fact.lean_id and order.broker_ids == ids:
        return False
    order.lean_id, order.broker_ids = fact.lean_id, ids
    return True


def _accepted(group: GroupState, fact: Accepted) -> bool:
    order, status = _order(group, fact.order, "accepted")
    if order.status is status:
        return False
    order.cancel_refusals = 0  # those were answered while nobody had it
    _move(group, order, status, fact.at)
    return True


def _filled(group: GroupState, fact: Filled) -> bool:
    if fact.cum_qty < 0:
        raise _illegal(group, f"order {fact.order}: cum_qty {fact.cum_qty} is negative")
    known = group.orders.get(fact.order)
    trigger = "fill" if known is not None and fact.cum_qty >= known.order_qty else "partial"
    order, status = _order(group, fact.order, trigger)
    delta = fact.cum_qty - order.cum_qty
    if delta <= 0:
        return False  # duplicate or reordered: a fill never shrinks
    before = order.leaves_qty
    px = (fact.avg_px * fact.cum_qty - order.avg_px * order.cum_qty) / delta
    fees = max(0.0, fact.fees - order.fees)
    order.cum_qty, order.avg_px = fact.cum_qty, fact.avg_px
    order.fees += fees
    group.fees += fees
    leg = group.legs[order.leg]
    signed = delta if order.quantity > 0 else -delta
    closing = group.phase is Phase.CLOSING or (group.phase is Phase.HELD and group.held_from is Phase.CLOSING)
    if order.purpose in _GIVES_UP and not closing:
        group.rollback_cost += _given_up(leg, signed, px) + fees
    elif group.target < group.spec.units and order.purpose is Purpose.OPEN:
        group.rollback_cost += fees  # a late opening fill that must be reversed
    if leg.settled:
        # it happened before the contract ended and was told after: what was settled was that much more (or less)
        leg.cost += signed * (px - leg.settlement) * leg.spec.multiplier
    else:
        _hold(leg, signed, px)
        leg.cost += signed * px * leg.spec.multiplier
    _leaves(group, order, before)
    if status is not order.status:
        _move(group, order, status, fact.at)
    return True


_GIVES_UP = frozenset({Purpose.UNWIND, Purpose.EXCESS, Purpose.EMERGENCY})


def _hold(leg: LegState, signed: int, px: float) -> None:
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
    if status in _FAILED and not order.cancel_at and order.cum_qty < order.order_qty:
        opens = order.purpose is Purpose.OPEN
        if not opens or group.phase is Phase.OPENING:
            group.failures[number] = order
    return True


_FAILED = frozenset({ChildStatus.REJECTED, ChildStatus.CANCELED, ChildStatus.EXPIRED})


def _forget(group: GroupState, purposes: frozenset[Purpose]) -> None:
    """Failures of these purposes were decided upon."""
    for number in [number for number, order in group.failures.items() if order.purpose in purposes]:
        del group.failures[number]


_OPENS = frozenset({Purpose.OPEN, Purpose.ENTRY})


def _replace_asked(group: GroupState, fact: ReplaceAsked) -> bool:
    order, _ = _order(group, fact.order, "replace_asked")
    if fact.quantity * order.quantity <= 0:
        raise _illegal(group, f"order {fact.order}: update to {fact.quantity} changes its side")
    before = order.leaves_qty
    order.asked = (fact.quantity, fact.limit, fact.stop)
    order.asked_at = fact.at
    _leaves(group, order, before)
    return True


def _replace_refused(group: GroupState, fact: ReplaceRefused) -> bool:
    order, _ = _order(group, fact.order, "replace_refused")
    if order.asked is None:
        return False
    before = order.leaves_qty
    order.asked, order.asked_at = None, 0.0
    order.replace_refusals += 1
    _leaves(group, order, before)
    return True


def _replaced(group: GroupState, fact: Replaced) -> bool:
    order, _ = _order(group, fact.order, "replaced")
    terms = (fact.quantity, fact.limit, fact.stop)
    if order.asked is None and (order.quantity, order.limit, order.stop) == terms:
        return False
    if fact.quantity * order.quantity <= 0:
        raise _illegal(group, f"order {fact.order}: update to {fact.quantity} changes its side")
    before = order.leaves_qty
    order.quantity, order.limit, order.stop = terms
    order.asked, order.asked_at = None, 0.0
    _leaves(group, order, before)
    if order.cum_qty >= order.order_qty and order.status not in TERMINAL:
        # its last fill was told before the update that made it the last
        _move(group, order, ChildStatus.FILLED, fact.at)
    return True


def _opening(group: GroupState, fact: Opening) -> bool:
    group.phase = Phase.OPENING
    group.target = group.spec.units
    group.reason = fact.why
    return True


def _refused(group: GroupState, fact: Refused) -> bool:
    group.phase, group.outcome = Phase.CLOSED, Outcome.REFUSED
    group.reason, group.ended_at = fact.why, fact.at
    return True


def _wave(group: GroupState, fact: Wave) -> bool:
    if fact.wave < group.wave:
        raise _illegal(group, f"wave {fact.wave} after wave {group.wave}")
    if (fact.wave, fact.deadline) == (group.wave, group.deadline):
        return False
    group.wave, group.deadline = fact.wave, fact.deadline
    return True


def _rung(group: GroupState, fact: Rung) -> bool:
    group.rungs[(fact.leg, Purpose(fact.purpose))] = (fact.rung, fact.price, fact.at)
    return True


def _intended(group: GroupState, fact: Intended) -> bool:
    if fact.order != group.next_number:
        raise _illegal(group, f"intent {fact.order}, expected {group.next_number}")
    if fact.quantity == 0 or not 0 <= fact.leg < len(group.legs):
        raise _illegal(group, f"intent {fact.order}: quantity {fact.quantity}, leg {fact.leg}")
    purpose = Purpose(fact.purpose)
    if group.phase is Phase.HELD and purpose not in REDUCING:
        raise _illegal(group, f"intent {fact.order}: {purpose} while held")
    order = ChildOrder(
        fact.order, fact.leg, purpose, fact.rung, fact.quantity, ChildType(fact.type),
        fact.limit, fact.stop, fact.tag, fact.bundle, fact.at,
    )  # fmt: skip
    group.orders[fact.order] = group.live[fact.order] = order
    group.next_number += 1
    group.sends += 1
    if purpose in REDUCING:
        group.reducing_sends += 1
    _leaves(group, order, 0)
    return True


def _base(group: GroupState, fact: BaseSet) -> bool:
    order = group.orders.get(fact.order)
    if order is None:
        raise _illegal(group, f"no child order {fact.order} for 'base'")
    if order.base == fact.base:
        return False
    order.base = fact.base
    return True


def _target(group: GroupState, fact: TargetSet) -> bool:
    if not 0 <= fact.units <= group.target or fact.units == group.target == group.spec.units:
        raise _illegal(group, f"target {fact.units} from {group.target}")
    group.target, group.reason = fact.units, fact.why
    _forget(group, _OPENS)
    if group.phase is Phase.HELD:
        group.held_from = Phase.UNWINDING
    else:
        group.phase = Phase.UNWINDING
    return True


def _close(group: GroupState, fact: CloseAsked) -> bool:
    opened = group.phase is Phase.OPEN or (group.phase is Phase.HELD and group.held_from is Phase.OPEN)
    phase = Phase.CLOSING if opened or group.phase is Phase.CLOSING else Phase.UNWINDING
    group.target, group.reason = 0, fact.why
    _forget(group, _OPENS)
    if group.phase is Phase.HELD:
        group.held_from = phase
    else:
        group.phase = phase
    return True


def _attempt(group: GroupState, fact: Attempt) -> bool:
    key = (fact.leg, Purpose(fact.purpose))
    group.attempts[key] = group.attempts.get(key, 0) + 1
    group.retry_at[key] = fact.retry_at
    for number in [n for n, order in group.failures.items() if (order.leg, order.purpose) == key]:
        del group.failures[number]
    return True


def _emergency(group: GroupState, fact: Emergency) -> bool:
    if group.emergency:
        return False
    group.emergency = True
    group.attempts.clear()
    group.retry_at.clear()
    group.failures.clear()
    return True


def _native_refused(group: GroupState, fact: NativeRefused) -> bool:
    group.native_refused = True
    group.wave, group.deadline = 0, 0.0
    group.rungs.clear()
    _forget(group, _OPENS)
    return True


def _held(group: GroupState, fact: Held) -> bool:
    cause = HoldCause(fact.cause)
    if group.held is cause:
        return False
    if group.phase is not Phase.HELD:
        group.held_from = group.phase
    group.phase, group.held, group.held_why = Phase.HELD, cause, fact.why
    return True


def _released(group: GroupState, fact: Released) -> bool:
    group.phase, group.held, group.held_why = group.held_from, None, ""
    group.attempts.clear()
    group.retry_at.clear()
    group.failures.clear()
    if group.phase is Phase.OPENING and group.wave:
        group.deadline = fact.at + group.spec.policy.order_timeout  # the wave gets its time again
    return True


def _remembered(group: GroupState, fact: Remembered) -> bool:
    if fact.key in group.memory and group.memory[fact.key] == fact.value:
        return False
    group.memory[fact.key] = fact.value
    return True


def _noted(group: GroupState, fact: Noted) -> bool:
    return True


def _adjusted(group: GroupState, fact: Adjusted) -> bool:
    if not 0 <= fact.leg < len(group.legs):
        raise _illegal(group, f"adjusted: no leg {fact.leg}")
    leg = group.legs[fact.leg]
    _hold(leg, fact.delta, fact.price)
    leg.moved += fact.delta
    if fact.cause == "split":
        group.memory["split"] = fact.at
    leg.cost += fact.delta * fact.price * leg.spec.multiplier
    return fact.delta != 0


def _settled(group: GroupState, fact: Settled) -> bool:
    if not 0 <= fact.leg < len(group.legs):
        raise _illegal(group, f"settled: no leg {fact.leg}")
    leg = group.legs[fact.leg]
    if leg.settled:
        return False
    leg.cost -= leg.net * fact.price * leg.spec.multiplier
    leg.net, leg.avg, leg.settled, leg.settlement = 0, 0.0, True, fact.price
    return True


def _delivered(group: GroupState, fact: Delivered) -> bool:
    spec = LegSpec.from_row(list(fact.leg))
    if spec.right is not Right.SHARE:
        raise _illegal(group, f"delivered: {spec.right} instead of shares")
    for leg in group.legs:
        if leg.spec.symbol == spec.symbol:
            break
    else:
        leg = LegState(spec)
        group.legs.append(leg)
    _hold(leg, fact.quantity, fact.price)
    leg.cost += fact.quantity * fact.price * leg.spec.multiplier
    return True


def _settle(group: GroupState, at: float) -> None:
    """Phase and outcome as the joint result of nets, live orders and target, at a fixed point."""
    phase = group.phase
    if phase is Phase.HELD or phase is Phase.PLANNED:
        return
    if group.spec.kind is not Kind.ALL_OR_NONE:
        _settle_protected(group, at)
        return
    if phase is Phase.CLOSED:
        if group.outcome is not Outcome.REFUSED and (group.live or not group.is_flat):
            # a fill that comes after the end reopens the group
            group.phase, group.target, group.ended_at = Phase.UNWINDING, 0, 0.0
        return
    if phase is Phase.OPENING or phase is Phase.UNWINDING:
        target = group.target
        if not group.live and target and _stands_at(group, target):
            group.phase = Phase.OPEN
            group.outcome = Outcome.COMPLETE if target == group.spec.units else Outcome.PARTIAL_UNITS
            group.opened_at = group.opened_at or at
            return
    if not group.live and group.is_flat and (group.target == 0 or all(leg.settled for leg in group.legs)):
        group.phase, group.ended_at, group.deadline = Phase.CLOSED, at, 0.0
        group.failures.clear()
        if any(leg.settled for leg in group.legs):
            group.outcome = Outcome.EXPIRED
        else:
            group.outcome = Outcome.CLOSED if group.opened_at else Outcome.ROLLED_BACK


def _stands_at(group: GroupState, units: int) -> bool:
    return all(leg.net == leg.spec.ratio * units and not leg.settled for leg in group.legs)


def _settle_protected(group: GroupState, at: float) -> None:
    """Brackets and exits: open while something is held, closed when flat and nothing may fill."""
    phase = group.phase
    if phase is Phase.CLOSED:
        if group.outcome is not Outcome.REFUSED and (group.live or not group.is_flat):
            group.phase, group.ended_at = Phase.CLOSING, 0.0
        return
    entering = any(order.purpose is Purpose.ENTRY for order in group.live.values())
    if phase is Phase.OPENING and not entering and not group.is_flat:
        group.phase, group.outcome = Phase.OPEN, Outcome.COMPLETE
        group.opened_at = group.opened_at or at
    elif not group.live and group.is_flat and group.orders:
        group.phase, group.ended_at = Phase.CLOSED, at
        group.failures.clear()
        held = group.opened_at or any(o.cum_qty for o in group.orders.values() if o.purpose is Purpose.ENTRY)
        if any(leg.settled for leg in group.legs):
            group.outcome = Outcome.EXPIRED
        else:
            group.outcome = Outcome.CLOSED if held else Outcome.ROLLED_BACK
        if not held and not group.reason:
            group.reason = next((o.reason for o in group.orders.values() if o.reason), "")


_FOLD: dict[type, Callable[[GroupState, Any], bool]] = {
    Sent: _sent,
    Identified: _identified,
    Accepted: _accepted,
    Filled: _filled,
    CancelAsked: _cancel_asked,
    CancelRefused: _cancel_refused,
    Canceled: _canceled,
    Rejected: _rejected,
    Expired: _expired,
    ReplaceAsked: _replace_asked,
    ReplaceRefused: _replace_refused,
    Replaced: _replaced,
    Opening: _opening,
    Refused: _refused,
    Wave: _wave,
    Rung: _rung,
    Intended: _intended,
    Withdrawn: _withdrawn,
    Quarantined: _quarantined,
    BaseSet: _base,
    TargetSet: _target,
    CloseAsked: _close,
    Attempt: _attempt,
    Emergency: _emergency,
    NativeRefused: _native_refused,
    Held: _held,
    Released: _released,
    Remembered: _remembered,
    Noted: _noted,
    Adjusted: _adjusted,
    Settled: _settled,
    Delivered: _delivered,
}

#: fact class by its kind, for decoding a journal
BY_KIND: dict[str, type] = {cls._field_defaults["kind"]: cls for cls in _FOLD}  # type: ignore[attr-defined]


def apply(group: GroupState, fact: Any) -> bool:
    """Fold one fact into the group.

    Returns:
        True when it changed something and was recorded in ``group.facts``; False for a duplicate.

    Raises:
        IllegalFact: the tables have no row for it; the group is unchanged.
    """
    allowed = DECISION_TABLE.get(fact.kind)
    if allowed is not None and group.phase not in allowed:
        raise _illegal(group, f"{fact.kind!r} while {group.phase}")
    if not _FOLD[type(fact)](group, fact):
        return False
    group.facts.append(fact)
    if fact.kind not in _UNSETTLING:
        _settle(group, fact.at)
    return True


#: kinds that change neither nets nor ends nor the target: the phase cannot follow from them
_UNSETTLING = frozenset({"sent", "identified", "intended", "rung", "wave", "attempt", "noted", "remembered"})


def encode(fact: Any) -> list[Any]:
    """The fact as a JSON list, its kind last."""
    return list(fact)


def decode(row: list[Any]) -> Any:
    """The inverse of `encode`.

    Raises:
        IllegalFact: the kind is unknown or the row has the wrong length (written by a newer version?).
    """
    cls = BY_KIND.get(row[-1]) if row else None
    if cls is None:
        raise IllegalFact(f"unknown fact {row!r}")
    if len(row) != len(cls._fields):  # type: ignore[attr-defined]
        raise IllegalFact(f"malformed fact {row!r}")
    return cls(*row)


def replay(spec: GroupSpec, facts: Iterable[Any]) -> GroupState:
    """A group rebuilt from its facts: the same fold as when they happened."""
    group = new_group(spec)
    for fact in facts:
        apply(group, fact)
    return group
