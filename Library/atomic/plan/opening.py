"""Opening: waves, rungs, the deadline, the native combo first.

Protected sequence: long legs are the first wave, short legs the second, and a short is wanted only up to what
filled longs of the group cover. Together: one wave, longs first. A wave ends when its legs hold what was promised;
the deadline of the last entered wave ends the opening by policy. With bar data a resting order gets at least one new
bar of its leg, for every rung that would have fitted into the deadline, because a bar cannot show a fill before the
next one; `Policy.max_time_to_open` caps that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import Held, Remembered, Rung, Wave
from ..model import Deadline
from ..vocabulary import ChildStatus, ChildType, HoldCause, Purpose
from . import combo, reducing, trouble
from .cover import covered_units, movable, shape_of, slack
from .price import inside_net_limit, ladder_price, natural, quoted, through
from .terms import NOTHING, Desired, Want, bars_of

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState, Quote
    from ..ports import Alert
    from .cover import Shape
    from .terms import Env, Quotes

_OPEN = Purpose.OPEN


def decisions(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    """What must be remembered while opening."""
    facts = trouble.found(group, now, env)
    if facts:
        return facts
    policy = group.spec.policy
    shape = shape_of(group)
    if group.wave == 0:
        facts = [Wave(now, 1, now + policy.order_timeout)]
        if combo.chosen(group, env):
            return [Remembered(now, "native", True), *facts, *combo.first_rung(group, now, quotes, env, shape)]
        return facts + _new_rungs(group, now, quotes, env, shape, _wave_legs(group, shape, 1))
    if combo.active(group):
        top = policy.ladder.top if now < group.deadline else _due(group)
        return (
            combo.next_rung(group, now, quotes, env, shape, top)
            or _over(group, now, quotes, env, shape)
            or reducing.rungs(group, now, quotes, env)
        )
    if _may_enter_next(group, shape):
        facts = [Wave(now, 2, now + policy.order_timeout)]
        return facts + _new_rungs(group, now, quotes, env, shape, shape.shorts)
    return (
        _new_rungs(group, now, quotes, env, shape, _wave_legs(group, shape, group.wave))
        or _over(group, now, quotes, env, shape)
        or reducing.rungs(group, now, quotes, env)
    )


def _wave_legs(group: GroupState, shape: Shape, wave: int) -> tuple[int, ...]:
    """Legs that may work in this wave, in sending order."""
    if wave < 2 and group.spec.policy.sequence == "protected" and shape.longs:
        return shape.longs
    return shape.longs + shape.shorts


def _may_enter_next(group: GroupState, shape: Shape) -> bool:
    if group.wave != 1 or not shape.longs or not shape.shorts or group.spec.policy.sequence != "protected":
        return False
    if group.live:
        return False
    for i in shape.longs:
        leg = group.legs[i]
        if leg.net < leg.spec.ratio * group.target:
            return False
    return True


def _plain(group: GroupState, env: Env) -> bool:
    """True when every rung is a market order and needs no price on record."""
    return (
        group.spec.policy.ladder.first == "market"
        and env.takes_market
        and group.spec.limit_net is None
        and not group.memory.get("no_market")
    )


def _price(group: GroupState, leg: int, rung: int, quote: Quote, env: Env) -> float | None:
    """Price of a rung before the net limit; 0 is a market order, None when a price is missing."""
    spec, policy = group.legs[leg].spec, group.spec.policy
    side = 1 if spec.ratio > 0 else -1
    if policy.ladder.is_market(rung) or rung > policy.ladder.top:
        if natural(quote, side, spec) <= 0:
            return None
        if env.takes_market and group.spec.limit_net is None and not group.memory.get("no_market"):
            return 0.0
        return through(quote, side, spec, policy.ladder.through_ticks)
    return ladder_price(policy.ladder, rung, side, quote, spec) or None


def _enter(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape, rungs: dict[int, int]) -> list[Any]:
    """Rung facts with their prices, the net limit of the unit kept; legs without a price wait."""
    prices: dict[int, float] = {}
    for i in rungs:
        quote = quoted(quotes, group.legs[i].spec.symbol, now, env)
        price = _price(group, i, rungs[i], quote, env) if quote.open else None
        if price is not None:
            prices[i] = price
    if group.spec.limit_net is not None and prices:
        prices = inside_net_limit(group, prices, quotes, shape.scale, _standing(group))
    return [Rung(now, i, _OPEN, rungs[i], price) for i, price in prices.items()]


def _standing(group: GroupState) -> dict[int, float]:
    """The worst price at which each leg may still fill: its rung's, or its standing order's."""
    worst = {leg: price for (leg, purpose), (_, price, _) in group.rungs.items() if purpose is _OPEN and price > 0}
    for order in group.live.values():
        if order.purpose is _OPEN and order.limit:
            known = worst.get(order.leg, order.limit)
            worst[order.leg] = max(known, order.limit) if order.quantity > 0 else min(known, order.limit)
    return worst


def _new_rungs(
    group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape, legs: tuple[int, ...]
) -> list[Any]:
    """First rungs of legs that have none yet, and next rungs of legs whose order had its time."""
    if _plain(group, env):
        return []
    top = group.spec.policy.ladder.top if now < group.deadline else _due(group)
    resting = {order.leg: order for order in group.live.values() if order.purpose is _OPEN}
    rungs: dict[int, int] = {}
    for i in legs:
        leg = group.legs[i]
        if (leg.spec.ratio * group.target - leg.net) * leg.spec.ratio <= 0:
            continue
        known = group.rungs.get((i, _OPEN))
        if known is None:
            rungs[i] = 0
        elif known[0] < top and _had_its_time(resting.get(i), known[0], now, quotes, env, group):
            rungs[i] = known[0] + 1
    return _enter(group, now, quotes, env, shape, rungs) if rungs else []


def _had_its_time(
    order: ChildOrder | None, rung: int, now: float, quotes: Quotes, env: Env, group: GroupState
) -> bool:
    """True when the order of this rung stands and had the time of a step (and a new bar of its leg)."""
    if order is None or order.rung != rung or not order.sent_at or order.status is ChildStatus.CANCELING:
        return False
    if now < order.sent_at + group.spec.policy.ladder.step_seconds:
        return False
    return not _awaits_bar(group, order, quotes, env)


def _awaits_bar(group: GroupState, order: ChildOrder, quotes: Quotes, env: Env) -> bool:
    """True when the data could not show a fill of this resting order yet."""
    if not env.bar_data or env.live or order.type is ChildType.MARKET:
        return False
    quote = quotes.get(group.legs[order.leg].spec.symbol)
    return quote is None or quote.at <= order.sent_at


def _due(group: GroupState) -> int:
    """The last rung that a live order would reach within the order time-out."""
    policy = group.spec.policy
    if policy.ladder.step_seconds <= 0:
        return policy.ladder.top
    return min(policy.ladder.top, int(policy.order_timeout / policy.ladder.step_seconds))


def _waits_for_bar(group: GroupState, now: float, quotes: Quotes, env: Env) -> bool:
    """The bar rule: an order that live trading would have tried by now has not had its bar."""
    if not env.bar_data or env.live:
        return False
    for order in group.live.values():
        if order.purpose is not _OPEN or (order.type is ChildType.MARKET and not order.rung):
            continue
        known = group.rungs.get((0 if order.bundle else order.leg, _OPEN))
        if order.status is ChildStatus.CANCELING or not order.sent_at or (known is not None and known[0] != order.rung):
            return True  # on its way to the next rung
        if order.type is ChildType.MARKET:
            if now < order.sent_at + group.spec.policy.order_timeout:
                return True  # the end of a ladder
        elif _awaits_bar(group, order, quotes, env):
            return True
    # between two rungs: the old order has ended, the new one is not sent yet
    return any(
        purpose is _OPEN
        and group.legs[leg].net != group.legs[leg].spec.ratio * group.target
        and not any(o.leg == leg and o.rung == rung and o.purpose is _OPEN for o in group.orders.values())
        for (leg, purpose), (rung, _, _) in group.rungs.items()
    )


def _last_moment(group: GroupState, env: Env) -> float:
    """When opening ends in any case; with bars longer than usual not before two: nothing fills before the next."""
    most, bars = group.spec.policy.max_time_to_open, bars_of(group, env)
    if bars > env.bar_seconds:
        most = max(most, 2.0 * bars + 1.0)
    return group.spec.created_at + most


def _over(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape) -> list[Any]:
    """The deadline has passed: cross once, hold, or give way, as the policy says."""
    capped = now >= _last_moment(group, env)
    if not capped and (now < group.deadline or _waits_for_bar(group, now, quotes, env)):
        return []
    policy = group.spec.policy
    missing = [
        i for i, leg in enumerate(group.legs) if (leg.spec.ratio * group.target - leg.net) * leg.spec.ratio > 0
    ]  # fmt: skip
    if not missing:
        return []  # what is left is an excess that goes back
    names = ", ".join(group.legs[i].spec.name or group.legs[i].spec.symbol for i in missing)
    gate = env.closed_gate
    why = f"not filled in time: {names}" + (f" ({gate})" if gate else "")
    if policy.on_timeout == "complete" and not capped:
        facts = _cross(group, now, quotes, env, shape)
        if facts:
            return facts
    if policy.on_timeout == "hold":
        return [Held(now, HoldCause.POLICY, why)]
    return trouble.give_way(group, now, why)


def _cross(group: GroupState, now: float, quotes: Quotes, env: Env, shape: Shape) -> list[Any]:
    """One more deadline, at the market (or through the natural price) for every leg that rests below that."""
    ladder = group.spec.policy.ladder
    cross = ladder.top if ladder.is_market(ladder.top) else ladder.top + 1
    if combo.active(group):
        return combo.cross(group, now, quotes, env, shape, cross)
    rungs = {
        order.leg: cross
        for order in group.live.values()
        if order.purpose is _OPEN and order.type is not ChildType.MARKET and order.rung < cross
    }
    facts = _enter(group, now, quotes, env, shape, rungs) if rungs else []
    return [*facts, Wave(now, group.wave, now + group.spec.policy.order_timeout)] if facts else []


def desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    """The orders that should be working while the group opens."""
    if group.wave == 0:
        return NOTHING
    shape = shape_of(group)
    if combo.active(group):
        return combo.desired_orders(group, now, quotes, env, shape, _wake(group, now, quotes, env))
    policy = group.spec.policy
    legs, target = group.legs, group.target
    plain = _plain(group, env)
    wants: list[Want] = []
    alerts: list[Alert] = []
    room: dict[int, float] = {}
    protected = policy.sequence == "protected"
    allowed = not env.closed_gate and group.sends - group.reducing_sends < policy.max_sends
    live = reducing.by_leg(group)
    excess = False
    for i in _wave_legs(group, shape, group.wave):
        leg = legs[i]
        need = leg.spec.ratio * target - leg.net
        if need == 0:
            continue
        if need * leg.spec.ratio < 0:
            excess = True
            continue
        order = live[i]
        if order is not None:
            if order.purpose is _OPEN and order.leaves_qty <= abs(need) and order.quantity * need > 0:
                known = group.rungs.get((i, _OPEN))
                if known is None or known[0] == order.rung:
                    wants.append(reducing.standing(order))
            continue
        if not allowed or group.retry_at.get((i, _OPEN), 0.0) > now:
            continue
        rung, price = 0, 0.0
        if not plain:
            known = group.rungs.get((i, _OPEN))
            if known is None:
                continue
            rung, price, _ = known
        quote = quoted(quotes, leg.spec.symbol, now, env)
        if not quote.open or (price == 0 and natural(quote, 1 if need > 0 else -1, leg.spec) <= 0):
            continue
        if protected:
            need = movable(shape, legs, i, need, room, group.spec.units, True)
        if need:
            kind = ChildType.LIMIT if price else ChildType.MARKET
            wants.append(Want(i, _OPEN, rung, need, kind, price))
    if excess:
        reducing.wants(group, now, quotes, env, live, wants, room, alerts)
    return Desired(tuple(wants), _wake(group, now, quotes, env), tuple(alerts))


def _wake(group: GroupState, now: float, quotes: Quotes, env: Env) -> Deadline | None:
    """The next moment at which time alone changes the answer."""
    policy = group.spec.policy
    at, why = group.deadline, "deadline"
    if now >= at:
        at, why = _last_moment(group, env), "max_time_to_open"
        if now >= at:
            at = 0.0
    for order in group.live.values():
        moment = 0.0
        if order.status is ChildStatus.CANCELING:
            moment = order.cancel_at + trouble.cancel_time(group, env)
        elif order.type is not ChildType.MARKET and order.rung < policy.ladder.top and order.sent_at:
            moment = order.sent_at + policy.ladder.step_seconds
        elif order.type is ChildType.MARKET and order.rung:
            moment = order.sent_at + policy.order_timeout
        if now < moment and (moment < at or not at):
            at, why = moment, "rung" if order.status is not ChildStatus.CANCELING else "cancel"
    for moment in group.retry_at.values():
        if now < moment and (moment < at or not at):
            at, why = moment, "retry"
    return Deadline(at, why) if at else None


def still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """Check an intended order right before it is sent."""
    if order.purpose is not _OPEN:
        return reducing.still_wanted(group, order, env)
    if group.failures or env.closed_gate:
        return False
    leg = group.legs[order.leg]
    ratio = leg.spec.ratio
    goal = ratio * group.target
    if ratio > 0:
        return leg.net + leg.buying <= goal
    if leg.net - leg.selling < goal:
        return False
    if group.spec.policy.sequence != "protected" or order.bundle:
        return True
    # the order itself counts as sold already
    shape = shape_of(group)
    return all(
        slack(shape.lines[n], group.legs, covered_units(shape.lines[n], group.legs, group.spec.units)) >= 0
        for n in shape.sale_lines[order.leg]
    )
