"""What went wrong, and what is remembered of it: failed orders, cancels without an end, positions moved from outside.

Used while opening and while reducing. Nothing here sends; every function returns facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import Attempt, Emergency, Held, NativeRefused, Quarantined, Remembered, TargetSet
from ..vocabulary import ChildStatus, ChildType, HoldCause, Phase, Purpose, RejectReason
from .terms import bars_of

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState
    from .terms import Env

#: holds during which the group goes on reducing what it can, and which end when their cause is gone
ENDS_BY_ITSELF = frozenset({HoldCause.QUARANTINE, HoldCause.REFUSED_BEYOND_CAPS, HoldCause.LEANED_ON})
#: refusals that time may cure while opening; everything else rolls back at once
_PASSING = frozenset({RejectReason.RATE})
_NOT_TAKEN = frozenset({ChildStatus.REJECTED, ChildStatus.INTENDED, ChildStatus.SENT, ChildStatus.WITHDRAWN})


def found(group: GroupState, now: float, env: Env) -> list[Any]:
    """Facts that answer trouble; empty when there is none."""
    if group.failures:
        facts = _failed(group, now, env)
        if facts:
            return facts
    if group.live:
        facts = _stuck(group, now, env)
        if facts:
            return facts
    return _outside(group, now)


def give_way(group: GroupState, now: float, why: str) -> list[Any]:
    """While opening: lower the target to the complete units (policy) or to nothing; empty when all are complete."""
    keep = min(group.units_held, group.target) if group.spec.policy.keep_units else 0
    return [] if keep == group.target else [TargetSet(now, keep, why)]


def hold(group: GroupState, now: float, cause: HoldCause, why: str) -> list[Any]:
    """A hold, unless the group is held for this already or for something that only a person can end.

    A quarantine ends by itself; it must not take the place of a hold that an owner asked for or that evidence demands.
    """
    if group.held is cause or (group.held is not None and group.held not in ENDS_BY_ITSELF):
        return []
    return [Held(now, cause, why)]


def _failed(group: GroupState, now: float, env: Env) -> list[Any]:
    for order in group.failures.values():
        if order.purpose is Purpose.OPEN:
            if group.phase is not Phase.OPENING:
                continue  # while held a person decides; the release starts anew
            siblings = order.bundle and any(other.bundle == order.bundle for other in group.live.values())
            if siblings and order.reject is RejectReason.CAPABILITY:
                continue  # the combo is refused once every order of it is terminal; the deadline bounds the wait
            facts = _failed_opening(group, order, now)
        else:
            facts = _failed_reducing(group, order, now, env)
        if facts:
            return facts
    return []


def describe(group: GroupState, order: ChildOrder) -> str:
    """What a person reads of a failed order."""
    leg = group.legs[order.leg].spec
    return f"leg {order.leg} ({leg.name or leg.symbol}) {order.status}: {order.reason or order.reject or 'no reason'}"


def _failed_opening(group: GroupState, order: ChildOrder, now: float) -> list[Any]:
    policy = group.spec.policy
    if order.bundle:
        siblings = [other for other in group.orders.values() if other.bundle == order.bundle]
        refused = all(other.reject is RejectReason.CAPABILITY and not other.cum_qty for other in siblings)
        if refused:
            return [NativeRefused(now, order.reason)]
        return give_way(group, now, describe(group, order))
    tried = group.attempts.get((order.leg, order.purpose), 0) + 1
    if _takes_no_market(group, order):
        return [Remembered(now, "no_market", True), Attempt(now, order.leg, order.purpose, now, describe(group, order))]
    if (order.reject is None or order.reject in _PASSING) and tried < policy.retry.attempts:
        return [Attempt(now, order.leg, order.purpose, now + policy.retry.delay(tried), describe(group, order))]
    return give_way(group, now, describe(group, order))


def takes_no_market(order: ChildOrder) -> bool:
    """True when an order was refused for having no price: the next one carries a limit."""
    return order.reject is RejectReason.CAPABILITY and order.type is ChildType.MARKET


def _takes_no_market(group: GroupState, order: ChildOrder) -> bool:
    """True when the refusal says that the venue takes no market orders: it never took one of this group.

    A reduction that is refused for it carries a limit from then on, whatever was taken before.
    """
    if not takes_no_market(order) or group.memory.get("no_market"):
        return False
    if order.purpose is not Purpose.OPEN:
        return True
    return all(o.status in _NOT_TAKEN for o in group.orders.values() if o.type is ChildType.MARKET and not o.bundle)


def _failed_reducing(group: GroupState, order: ChildOrder, now: float, env: Env) -> list[Any]:
    policy = group.spec.policy
    tried = group.attempts.get((order.leg, order.purpose), 0) + 1
    why = describe(group, order)
    attempt = Attempt(now, order.leg, order.purpose, now + policy.retry.delay(tried), why)
    if _takes_no_market(group, order):
        return [Remembered(now, "no_market", True), attempt]
    other = env.leaned_on.get(group.legs[order.leg].spec.symbol, "") if env.leaned_on else ""
    if order.reject is RejectReason.MARGIN and order.quantity < 0 and other:
        why = f"{why}; the short of group {other} leans on this long: close that group first, then release this one"
        return [attempt, *hold(group, now, HoldCause.LEANED_ON, why)]
    if tried < policy.rollback_attempts:
        return [attempt]
    return give_up(group, now, f"{why}; {tried} attempts", attempt)


def give_up(group: GroupState, now: float, why: str, attempt: Any = None) -> list[Any]:
    """The emergency once, if the policy has it; after that a person must decide."""
    facts = give_way(group, now, why) if group.phase is Phase.OPENING else []
    waits = group.held is not None and group.held not in ENDS_BY_ITSELF  # a person decides, an emergency does not
    if not group.emergency and group.spec.policy.emergency_flatten and not waits:
        return [*facts, Emergency(now, why)]
    if attempt is not None:
        facts.append(attempt)
    return facts + hold(group, now, HoldCause.REFUSED_BEYOND_CAPS, why)


def cancel_time(group: GroupState, env: Env) -> float:
    """Seconds an accepted cancel may take; between bars of a backtest it may end only with the next one."""
    deadline = group.spec.policy.cancel_deadline
    return max(deadline, 2.0 * bars_of(group, env) + 1.0) if env.bar_data and not env.live else deadline


def _stuck(group: GroupState, now: float, env: Env) -> list[Any]:
    policy = group.spec.policy
    for order in group.live.values():
        if order.status is ChildStatus.CANCELING:
            if now < order.cancel_at + cancel_time(group, env):
                continue
            why = f"order {order.number}: cancel accepted {now - order.cancel_at:.0f} s ago, no end seen"
        elif order.cancel_refusals >= policy.retry.attempts and order.status is not ChildStatus.QUARANTINED:
            if now < max(order.sent_at + cancel_time(group, env), order.cancel_refused_at + policy.retry.cap):
                continue
            why = f"order {order.number}: cancel refused {order.cancel_refusals} times"
        else:
            continue
        facts = give_way(group, now, why) if group.phase is Phase.OPENING else []
        return [Quarantined(now, order.number, why), *facts, *hold(group, now, HoldCause.QUARANTINE, why)]
    return []


def _outside(group: GroupState, now: float) -> list[Any]:
    """What a foreign trade, assignment or expiry of one leg leads to; a condition of the nets, not a flag."""
    phase = group.phase
    if phase is Phase.HELD or group.target == 0:
        return []
    if "split" in group.memory:
        return _split(group, now)
    short_of = settled = False
    opening = phase is Phase.OPENING
    for leg in group.legs:
        ratio = leg.spec.ratio
        if leg.settled:
            settled = True
        elif not ratio:
            short_of = short_of or leg.net != 0
        elif opening:
            short_of = short_of or leg.moved * ratio < 0
        else:
            short_of = short_of or (leg.net - ratio * group.target) * ratio < 0
    if settled:
        return _ended(group, now)
    if not short_of:
        return []
    policy = group.spec.policy
    nets = ", ".join(f"{leg.spec.name or leg.spec.symbol} {leg.net:+d}" for leg in group.legs)
    why = f"position moved from outside: {nets}"
    if policy.on_outside == "hold":
        if group.memory.get("outside") != nets:
            return [Remembered(now, "outside", nets), *hold(group, now, HoldCause.POLICY, why)]
        if phase is not Phase.UNWINDING:
            return []  # a person saw it and released the group
        # going back: units that are not there any more cannot be kept
    keep = 0
    if policy.on_outside != "unwind" and (phase is not Phase.OPENING or policy.keep_units):
        keep = min(group.units_held, group.target)
    if keep == group.target and (keep == group.spec.units or phase is Phase.UNWINDING):
        return []
    return [TargetSet(now, keep, why)]


def _split(group: GroupState, now: float) -> list[Any]:
    """A split changed contracts and strikes: the ratios of the unit no longer say what belongs together."""
    if group.spec.policy.on_outside == "unwind" or group.phase is not Phase.OPEN:
        return [TargetSet(now, 0, "split")]
    if group.memory.get("split_seen"):
        return []
    why = "split: contracts and strikes changed; check the legs, then close the group"
    return [Remembered(now, "split_seen", True), *hold(group, now, HoldCause.POLICY, why)]


def _ended(group: GroupState, now: float) -> list[Any]:
    """Some legs have expired or were exercised: wait for siblings that end the same day, then by policy."""
    ended = [leg for leg in group.legs if leg.settled]
    living = [leg for leg in group.legs if not leg.settled and (leg.net or group.phase is Phase.OPENING)]
    last = max(leg.spec.expiry for leg in ended)
    if group.phase is not Phase.OPENING and all(leg.spec.expiry and leg.spec.expiry <= last for leg in living):
        return []
    why = "expired or exercised: " + ", ".join(leg.spec.name or leg.spec.symbol for leg in ended)
    policy = group.spec.policy
    if policy.on_expiry == "keep" and group.phase is Phase.OPEN:
        return []
    if policy.on_expiry == "hold" and group.phase is Phase.OPEN:
        if group.memory.get("ended") == why:
            return []
        return [Remembered(now, "ended", why), *hold(group, now, HoldCause.POLICY, why)]
    return [TargetSet(now, 0, why)]
