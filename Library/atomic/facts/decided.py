"""Decisions that need memory, and what moves a position from outside, folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import ChildOrder, GroupState, LegSpec, LegState
from ..vocabulary import REDUCING, ChildStatus, ChildType, HoldCause, Outcome, Phase, Purpose, RejectReason, Right
from .broker import OPENS, forget, hold, illegal
from .kinds import (
    GONE,
    Adjusted,
    Attempt,
    BaseSet,
    CloseAsked,
    Delivered,
    Emergency,
    Held,
    Intended,
    NativeRefused,
    Noted,
    Opening,
    Refused,
    Released,
    Remembered,
    Rung,
    Settled,
    TargetSet,
    Wave,
)

if TYPE_CHECKING:
    from collections.abc import Callable


# asked for with every order; see `facts.settle`
_HELD = Phase.HELD


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
        raise illegal(group, f"wave {fact.wave} after wave {group.wave}")
    if (fact.wave, fact.deadline) == (group.wave, group.deadline):
        return False
    group.wave, group.deadline = fact.wave, fact.deadline
    return True


def _rung(group: GroupState, fact: Rung) -> bool:
    group.rungs[(fact.leg, Purpose(fact.purpose))] = (fact.rung, fact.price, fact.at)
    return True


def _intended(group: GroupState, fact: Intended) -> bool:
    at, number, leg, purpose, rung, quantity, type_, limit, stop, tag, bundle, _ = fact
    if number != group.next_number:
        raise illegal(group, f"intent {number}, expected {group.next_number}")
    if quantity == 0 or not 0 <= leg < len(group.legs):
        raise illegal(group, f"intent {number}: quantity {quantity}, leg {leg}")
    if type(purpose) is not Purpose or type(type_) is not ChildType:  # from a journal
        purpose, type_ = Purpose(purpose), ChildType(type_)
    reduces = purpose in REDUCING
    if not reduces and group.phase is _HELD:
        raise illegal(group, f"intent {number}: {purpose} while held")
    order = ChildOrder(number, leg, purpose, rung, quantity, type_, limit, stop, tag, bundle, at)
    group.orders[number] = group.live[number] = order
    group.next_number = number + 1
    group.sends += 1
    if reduces:
        group.reducing_sends += 1
    held = group.legs[leg]
    if quantity > 0:
        held.buying += quantity
    else:
        held.selling -= quantity
    return True


def _base(group: GroupState, fact: BaseSet) -> bool:
    order = group.orders.get(fact.order)
    if order is None:
        raise illegal(group, f"no child order {fact.order} for 'base'")
    if order.base == fact.base:
        return False
    order.base = fact.base
    return True


def _target(group: GroupState, fact: TargetSet) -> bool:
    if not 0 <= fact.units <= group.target or fact.units == group.target == group.spec.units:
        raise illegal(group, f"target {fact.units} from {group.target}")
    group.target, group.reason = fact.units, fact.why
    forget(group, OPENS)
    if group.phase is Phase.HELD:
        group.held_from = Phase.UNWINDING
    else:
        group.phase = Phase.UNWINDING
    return True


def _close(group: GroupState, fact: CloseAsked) -> bool:
    # what stood once is closed because its owner asks, also on its way back to fewer units: no cost budget any more
    opened = group.opened_at > 0 or group.phase is Phase.OPEN or group.held_from is Phase.OPEN
    phase = Phase.CLOSING if opened or group.phase is Phase.CLOSING else Phase.UNWINDING
    group.target, group.reason = 0, fact.why
    forget(group, OPENS)
    if group.phase is Phase.HELD:
        group.held_from = phase
    else:
        group.phase = phase
    return True


#: key of `GroupState.memory`: the venue refused an exit outside the session
OUT_OF_SESSION = "out_of_session"
#: what waits for a reservation instead of giving up
RESERVATION_WAITS = frozenset({Purpose.CLOSE, Purpose.EMERGENCY, Purpose.EXCESS})


def tries(group: GroupState, key: tuple[int, Purpose]) -> int:
    """The number of failed attempts in a row with the present failures.

    An end that filled something starts anew; an order that was found gone after a restart was not refused. A close of
    what the broker reserves for other orders is never given up: it gets there when they have ended.
    """
    failed = [order for order in group.failures.values() if (order.leg, order.purpose) == key]
    filled = any(order.cum_qty and order.status is not ChildStatus.REJECTED for order in failed)
    before = 0 if filled else group.attempts.get(key, 0)
    if failed and all(order.reason == GONE for order in failed):
        return before
    if failed and group.memory.get(OUT_OF_SESSION) and all(order.reject is RejectReason.SESSION for order in failed):
        return before
    if key[1] in RESERVATION_WAITS and failed and all(order.reject is RejectReason.RESERVED for order in failed):
        return min(before + 1, max(1, group.spec.policy.rollback_attempts - 1))
    return before + 1


def _attempt(group: GroupState, fact: Attempt) -> bool:
    key = (fact.leg, Purpose(fact.purpose))
    group.attempts[key] = tries(group, key)
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
    forget(group, OPENS)
    return True


def _held(group: GroupState, fact: Held) -> bool:
    cause = HoldCause(fact.cause)
    if group.held is cause:
        return False
    if group.phase is not Phase.HELD:
        group.held_from = group.phase
    group.phase, group.held, group.held_why = Phase.HELD, cause, fact.why
    if cause in UNKNOWN:
        group.emergency = False  # it would sell what may not be there; an operator's flatten after this sets it again
    return True


#: causes under which what the group holds is not known: nothing is sold at market on the strength of it
UNKNOWN = frozenset({HoldCause.AMBIGUOUS, HoldCause.BREAK})


def _released(group: GroupState, fact: Released) -> bool:
    group.phase, group.held, group.held_why = group.held_from, None, ""
    group.attempts.clear()
    group.retry_at.clear()
    group.failures.clear()
    if group.phase is Phase.OPENING and group.wave:
        group.deadline = fact.at + group.spec.policy.order_timeout  # the wave gets its time again
    return True


def _remembered(group: GroupState, fact: Remembered) -> bool:
    memory, key = group.memory, fact.key
    if key in memory and memory[key] == fact.value and "stuck" + key[4:] not in memory:
        return False
    memory[key] = fact.value
    if key == OUT_OF_SESSION and not fact.value:
        group.retry_at.clear()
    if key == "no_market":
        # the kind of order was refused, not the trade: with a limit it gets attempts of its own
        group.attempts.clear()
        group.retry_at.clear()
    if key.startswith(("stop.", "stuck.")):
        # a stop's new level, or the return to the one that works, gets attempts of its own
        group.attempts.pop((0, Purpose.STOP), None)
        group.retry_at.pop((0, Purpose.STOP), None)
        if key.startswith("stop."):
            memory.pop("stuck" + key[4:], None)
            memory.pop("stuck_stop", None)
    return True


def _noted(group: GroupState, fact: Noted) -> bool:
    return True


def _adjusted(group: GroupState, fact: Adjusted) -> bool:
    if not 0 <= fact.leg < len(group.legs):
        raise illegal(group, f"adjusted: no leg {fact.leg}")
    leg = group.legs[fact.leg]
    hold(leg, fact.delta, fact.price)
    leg.moved += fact.delta
    if fact.cause == "split":
        group.memory["split"] = fact.at
    leg.cost += fact.delta * fact.price * leg.spec.multiplier
    return fact.delta != 0


def _settled(group: GroupState, fact: Settled) -> bool:
    if not 0 <= fact.leg < len(group.legs):
        raise illegal(group, f"settled: no leg {fact.leg}")
    leg = group.legs[fact.leg]
    if leg.settled:
        return False
    leg.cost -= leg.net * fact.price * leg.spec.multiplier
    leg.net, leg.avg, leg.settled, leg.settlement = 0, 0.0, True, fact.price
    return True


def _delivered(group: GroupState, fact: Delivered) -> bool:
    spec = LegSpec.from_row(list(fact.leg))
    if spec.right is not Right.SHARE:
        raise illegal(group, f"delivered: {spec.right} instead of shares")
    for leg in group.legs:
        if leg.spec.symbol == spec.symbol:
            break
    else:
        leg = LegState(spec)
        group.legs.append(leg)
    hold(leg, fact.quantity, fact.price)
    leg.cost += fact.quantity * fact.price * leg.spec.multiplier
    return True


#: how each decision and each outside movement is folded
DECISION_FOLD: dict[type, Callable[[GroupState, Any], bool]] = {
    Opening: _opening,
    Refused: _refused,
    Wave: _wave,
    Rung: _rung,
    Intended: _intended,
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
