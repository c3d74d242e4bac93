"""The native combo: one intent, one child order per leg, cancelled as one, terminal when all its orders are.

Tried first where the venue takes it. Independent legs follow only after every order of the bundle is terminal and
only when the venue refused the *kind* of order; a refusal for margin or price, or a combo that broke (some legs
filled, others not), rolls the group back leg by leg.
"""

from __future__ import annotations

from math import floor, gcd
from typing import TYPE_CHECKING, Any

from ..facts import Rung
from ..vocabulary import ChildStatus, ChildType, Purpose, Right
from . import reducing, trouble
from .price import fair, natural, quoted
from .terms import Desired, Want

if TYPE_CHECKING:
    from ..model import Deadline, GroupState
    from .cover import Shape
    from .terms import Env, Quotes

_KEY = (0, Purpose.OPEN)


def chosen(group: GroupState, env: Env) -> bool:
    """True when this group should be tried as a native combo.

    LEAN wants ratios without a common divisor (`Leg.create`, CheckComboOrderSizing) and this core sends options only.
    """
    spec = group.spec
    if spec.policy.native != "first" or group.native_refused or len(spec.legs) < 2:
        return False
    if not (env.combo_limit or (env.combo_market and spec.policy.ladder.first == "market" and spec.limit_net is None)):
        return False
    return gcd(*(leg.ratio for leg in spec.legs)) == 1 and all(leg.right is not Right.SHARE for leg in spec.legs)


def active(group: GroupState) -> bool:
    """True while the group opens as a native combo."""
    return bool(group.memory) and not group.native_refused and bool(group.memory.get("native"))


def _net(group: GroupState, rung: int, now: float, quotes: Quotes, env: Env, shape: Shape) -> float | None:
    """Net price of one unit at a rung, dollars per share, debit positive; 0 is at market, None when unknown."""
    spec, ladder = group.spec, group.spec.policy.ladder
    mid = cross = 0.0
    for leg in spec.legs:
        quote = quoted(quotes, leg.symbol, now, env)
        price = natural(quote, 1 if leg.ratio > 0 else -1, leg)
        if price <= 0 or not quote.open:
            return None
        factor = leg.ratio * leg.multiplier / shape.scale
        cross += factor * price
        mid += factor * fair(quote)
    tick = min(leg.tick for leg in spec.legs) or 0.01
    if ladder.is_market(rung) or rung > ladder.top:
        if env.combo_market and spec.limit_net is None and not group.memory.get("no_market"):
            return 0.0
        price = cross + ladder.through_ticks * tick
    else:
        price = mid + (cross - mid) * ladder.share(rung)
    if spec.limit_net is not None:
        price = min(price, spec.limit_net)
    price = round(floor(price / tick + 1e-6) * tick, 8)
    return price or -tick  # LEAN takes no combo at a net of zero (QCAlgorithm.Trading.cs:918)


def _enter(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape, rung: int) -> list[Any]:
    price = _net(group, rung, now, quotes, env, shape)
    return [] if price is None else [Rung(now, 0, Purpose.OPEN, rung, price)]


def first_rung(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape) -> list[Any]:
    """The first price of the combo; empty while a quote is missing."""
    return _enter(group, now, quotes, env, shape, 0)


def next_rung(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape, top: int) -> list[Any]:
    """The next price, up to rung `top`, once the bundle had its time on this one; a broken combo gives way."""
    known = group.rungs.get(_KEY)
    if known is None:
        return first_rung(group, now, quotes, env, shape)
    if not group.live:
        held = group.units_held
        if any(leg.net != leg.spec.ratio * held for leg in group.legs):
            return trouble.give_way(group, now, "native combo filled unevenly")
        return []
    policy = group.spec.policy
    if known[0] >= top:
        return []
    for order in group.live.values():
        if order.rung != known[0] or order.status is ChildStatus.CANCELING or not order.sent_at:
            return []
        if now < order.sent_at + policy.ladder.step_seconds:
            return []
        if env.bar_data and not env.live and order.type is not ChildType.MARKET:
            quote = quotes.get(group.legs[order.leg].spec.symbol)
            if quote is None or quote.at <= order.sent_at:
                return []
    return _enter(group, now, quotes, env, shape, known[0] + 1)


def cross(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape, rung: int) -> list[Any]:
    """Cross the spread once: the combo at market or through its natural net."""
    from ..facts import Wave

    known = group.rungs.get(_KEY)
    if known is None or known[0] >= rung:
        return []
    facts = _enter(group, now, quotes, env, shape, rung)
    return [*facts, Wave(now, group.wave, now + group.spec.policy.order_timeout)] if facts else []


def desired_orders(
    group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape, wake: Deadline | None
) -> Desired:
    """One order per leg, all of one bundle."""
    known = group.rungs.get(_KEY)
    if known is None:
        return Desired((), wake)
    rung, price, _ = known
    if group.units_held >= group.target:
        # late fills of an earlier bundle: no combo is left to wait for, what is too much goes back leg by leg
        back: list[Want] = []
        alerts: list[Any] = []
        reducing.wants(group, now, quotes, env, reducing.by_leg(group), back, {}, alerts)
        return Desired(tuple(back), wake, tuple(alerts))
    if group.live:
        orders = list(group.live.values())
        if all(o.rung == rung and o.purpose is Purpose.OPEN for o in orders):
            return Desired(tuple(reducing.standing(o) for o in orders), wake)
        return Desired((), wake)
    if group.failures:
        return Desired((), wake)
    units = group.target - group.units_held
    opened = group.sends - group.reducing_sends
    if units <= 0 or env.closed_gate or opened + len(group.legs) > group.spec.policy.max_sends:
        return Desired((), wake)
    for leg in group.spec.legs:
        quote = quoted(quotes, leg.symbol, now, env)
        if not quote.open or (price == 0 and natural(quote, 1 if leg.ratio > 0 else -1, leg) <= 0):
            return Desired((), wake)  # at market only while every leg has the side it needs
    kind = ChildType.LIMIT if price else ChildType.MARKET
    bundle = group.next_number
    legs = shape.longs + shape.shorts
    wants = tuple(
        Want(i, Purpose.OPEN, rung, group.legs[i].spec.ratio * units, kind, price, 0.0, bundle) for i in legs
    )
    return Desired(wants, wake)
