"""Reducing: unwinding after a failure, closing on request, taking back what filled too much, also while held.

Every leg goes towards ratio * target and never away from it. Shorts are bought back first; a long is sold only as far
as no short that may still stand loses its cover (`cover`). A leg with an order that may fill gets no second one. A
long without a bid is kept and named. Prices walk `unwind_ladder` or `close_ladder`; the emergency crosses at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import Attempt, Released, Rung
from ..model import Deadline
from ..policy import MARKET
from ..ports import Alert, Severity
from ..vocabulary import REDUCING, ChildStatus, ChildType, HoldCause, Phase, Purpose
from . import trouble
from .cover import covered_units, movable, naked_now, shape_of, slack
from .price import budget_price, ladder_price, natural, on_grid, quoted, through
from .terms import NOTHING, Desired, Want

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState, Quote
    from ..policy import Ladder
    from .terms import Env, Quotes

_GOES_ON = trouble.ENDS_BY_ITSELF
_BACK = frozenset({Phase.UNWINDING, Phase.CLOSING})
# asked for many times a decision; see `facts.settle`
_HELD, _UNWINDING, _CLOSING = Phase.HELD, Phase.UNWINDING, Phase.CLOSING
_UNWIND, _CLOSE, _EXCESS = Purpose.UNWIND, Purpose.CLOSE, Purpose.EXCESS


def by_leg(group: GroupState) -> list[ChildOrder | None]:
    """The order that may fill, for each leg; of several the oldest (the others are not wanted)."""
    live: list[ChildOrder | None] = [None] * len(group.legs)
    for order in group.live.values():
        if live[order.leg] is None:
            live[order.leg] = order
    return live


def standing(order: ChildOrder) -> Want:
    """The want that an order which stands already answers."""
    leaves = order.leaves_qty
    return Want(
        order.leg, order.purpose, order.rung, leaves if order.quantity > 0 else -leaves, order.type,
        order.limit, order.stop, order.bundle,
    )  # fmt: skip


def _mode(group: GroupState) -> tuple[Purpose, Ladder]:
    """Purpose and ladder of reducing orders now."""
    if group.emergency:
        return Purpose.EMERGENCY, MARKET
    phase = group.phase
    if phase is _HELD:
        phase = group.held_from
    policy = group.spec.policy
    if phase is _CLOSING:
        return _CLOSE, policy.close_ladder or policy.unwind_ladder
    return (_UNWIND, policy.unwind_ladder) if phase is _UNWINDING else (_EXCESS, MARKET)


def _acts(group: GroupState) -> bool:
    """False while a hold means that nothing is sent."""
    if group.phase is not _HELD:
        return True
    return group.held_from in _BACK and (group.held in _GOES_ON or group.emergency)


def _need(group: GroupState, leg: int) -> int:
    """Signed contracts that take a leg back to its goal; 0 when it is there or short of it."""
    state = group.legs[leg]
    if state.settled:
        return 0
    ratio, net = state.spec.ratio, state.net
    goal = ratio * group.target
    if net > 0:
        return min(0, max(goal, 0) - net)
    return max(0, min(goal, 0) - net)


def _plain(group: GroupState, env: Env, purpose: Purpose, ladder: Ladder) -> bool:
    """True when every rung is a market order and needs no price on record."""
    policy = group.spec.policy
    return (
        ladder.first == "market"
        and env.takes_market
        and policy.bidless == "keep"
        and (policy.cost_budget is None or purpose is not Purpose.UNWIND)
        and not group.memory.get("no_market")
    )


def _cap(group: GroupState) -> int:
    """Orders that may be sent to reduce, over the group's whole life; the emergency has some more."""
    most = group.spec.policy.max_sends
    return most + most // 2 if group.emergency else most


def decisions(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    """What must be remembered in every phase but the opening."""
    phase = group.phase
    if phase is Phase.OPEN and not group.live and not group.failures and stands(group):
        return []
    if phase is Phase.HELD:
        released = _released(group, now)
        if released:
            return released
    facts = trouble.found(group, now, env)
    if facts:
        return facts
    if group.reducing_sends >= _cap(group) and not group.live and _acts(group):
        if any(_need(group, i) for i in range(len(group.legs))):
            why = f"{group.reducing_sends} orders sent to reduce"
            return trouble.hold(group, now, HoldCause.REFUSED_BEYOND_CAPS, why)
        return []
    return rungs(group, now, quotes, env)


def stands(group: GroupState) -> bool:
    """True when every leg holds exactly what the target says and none has ended."""
    target = group.target
    for leg in group.legs:  # noqa: SIM110 - a generator costs three times as much here
        if leg.net != leg.spec.ratio * target or leg.settled:
            return False
    return True


def _released(group: GroupState, now: float) -> list[Any]:
    """The hold ends by itself when its cause went away."""
    if group.held is HoldCause.QUARANTINE:
        if not any(order.status is ChildStatus.QUARANTINED for order in group.live.values()):
            return [Released(now, "no order is in quarantine any more")]
    elif group.held in _GOES_ON and not group.live and group.held_from in _BACK and group.is_flat:
        return [Released(now, "nothing is left")]
    return []


def rungs(group: GroupState, now: float, quotes: Quotes, env: Env) -> list[Any]:
    """Rung facts for legs whose next order needs a price, and the emergency after too many rungs at the top."""
    purpose, ladder = _mode(group)
    if not _acts(group) or _plain(group, env, purpose, ladder):
        return []
    policy = group.spec.policy
    live = by_leg(group)
    room: dict[int, float] = {}
    facts: list[Any] = []
    for i in range(len(group.legs)):
        need = _need(group, i)
        if not need:
            continue
        known = group.rungs.get((i, purpose))
        order = live[i]
        if order is None:
            if _blocked(group, i, purpose, now) or not movable(shape_of(group), group.legs, i, need, room,
                                                               group.target, False):  # fmt: skip
                continue
            if known is not None and not _was_sent(group, i, purpose, known[0]):
                continue
            rung = 0 if known is None else known[0] + 1
        else:
            if order.purpose is not purpose or known is None or order.rung != known[0]:
                continue
            if not _rested(group, order, now, quotes, env, ladder):
                continue
            rung = known[0] + 1
        quote = quoted(quotes, group.legs[i].spec.symbol, now, env)
        price = _price(group, i, need, ladder, rung, quote, env, purpose) if quote.open else None
        if price is None or (order is not None and price == order.limit and rung > ladder.top):
            continue  # no price now, or the order stands there already
        if order is not None and rung > ladder.top and not group.emergency:
            tried = group.attempts.get((i, purpose), 0) + 1
            if tried > policy.rollback_attempts:
                continue  # given up: the order stays where it stands
            why = f"leg {i}: not filled at {order.limit:g}, {tried} prices at the end of the ladder"
            attempt = Attempt(now, i, purpose, now, why)
            if tried >= policy.rollback_attempts:
                return trouble.give_up(group, now, why, attempt)
            facts.append(attempt)
        facts.append(Rung(now, i, purpose, rung, price))
    return facts


def _was_sent(group: GroupState, leg: int, purpose: Purpose, rung: int) -> bool:
    return any(o.leg == leg and o.purpose is purpose and o.rung == rung for o in reversed(group.orders.values()))


def _rested(group: GroupState, order: ChildOrder, now: float, quotes: Quotes, env: Env, ladder: Ladder) -> bool:
    """True when a resting limit order had its time on this rung."""
    if order.type is ChildType.MARKET or not order.sent_at or order.status is ChildStatus.CANCELING:
        return False
    if now < order.sent_at + _patience(group, order, ladder):
        return False
    if env.bar_data and not env.live:
        quote = quotes.get(group.legs[order.leg].spec.symbol)
        return quote is not None and quote.at > order.sent_at
    return True


def _patience(group: GroupState, order: ChildOrder, ladder: Ladder) -> float:
    """Seconds a limit order gets: a step, and at the top of the ladder at least the order time-out."""
    if order.rung >= ladder.top:
        return max(ladder.step_seconds, group.spec.policy.order_timeout)
    return ladder.step_seconds


def _price(
    group: GroupState, leg: int, need: int, ladder: Ladder, rung: int, quote: Quote, env: Env, purpose: Purpose
) -> float | None:
    """Price of a rung; 0 is a market order, None when a price is missing."""
    state, policy = group.legs[leg], group.spec.policy
    side = 1 if need > 0 else -1
    price = natural(quote, side, state.spec)
    if price <= 0:
        offers = side < 0 and policy.bidless == "offer" and state.spec.tick > 0
        return on_grid(state.spec.tick, state.spec.tick, -1) if offers else None
    market = ladder.is_market(rung) or rung > ladder.top
    if market and ladder.last == "market":
        takes = env.takes_market and not group.memory.get("no_market")
        limit = 0.0 if takes else through(quote, side, state.spec, ladder.through_ticks)
    else:
        limit = ladder_price(ladder, rung, side, quote, state.spec)
    if policy.cost_budget is not None and purpose is Purpose.UNWIND and not naked_now(group, group.target):
        kept = budget_price(state, need, limit or price, policy.cost_budget - group.rollback_cost)
        return limit if kept == (limit or price) else kept
    return limit


def _blocked(group: GroupState, leg: int, purpose: Purpose, now: float) -> bool:
    """True while an attempt is backed off or used up."""
    key = (leg, purpose)
    if group.retry_at.get(key, 0.0) > now:
        return True
    return group.attempts.get(key, 0) >= group.spec.policy.rollback_attempts


def wants(
    group: GroupState, now: float, quotes: Quotes, env: Env, live: list[ChildOrder | None],
    out: list[Want], room: dict[int, float], alerts: list[Alert],
) -> None:  # fmt: skip
    """Append the reducing orders that should be working: purchases first, then sales that keep every short covered."""
    purpose, ladder = _mode(group)
    acts = _acts(group) and not (purpose is Purpose.EXCESS and "split" in group.memory)
    plain = acts and _plain(group, env, purpose, ladder)
    left = _cap(group) - group.reducing_sends
    opening = group.phase is Phase.OPENING
    units = group.spec.units if opening else group.target
    shape = shape_of(group)
    sales: list[tuple[int, int]] = []
    for i in range(len(group.legs)):
        need = _need(group, i)
        if not need:
            continue
        order = live[i]
        if order is not None:
            if _keeps(group, order, need, purpose, now, env):
                out.append(standing(order))
                if order.type is ChildType.MARKET and now >= order.sent_at + trouble.cancel_time(group, env):
                    alerts.append(_stalled(group, order, now))
        elif acts and left > 0:
            if need > 0 and not shape.purchase_lines[i]:
                left -= _add(group, i, need, now, quotes, env, purpose, plain, out, alerts)
            else:
                sales.append((i, need))
    for i, need in sales:
        if left <= 0:
            break
        quantity = movable(shape, group.legs, i, need, room, units, opening)
        if quantity:
            left -= _add(group, i, quantity, now, quotes, env, purpose, plain, out, alerts)


def _stalled(group: GroupState, order: ChildOrder, now: float) -> Alert:
    spec = group.legs[order.leg].spec
    what = f"order {order.number} ({spec.name or spec.symbol})"
    text = f"{what} rests at market, not filled after {now - order.sent_at:.0f} s"
    return Alert(now, Severity.P1, "reduction-stalled", group.spec.group_id, text, {"leg": order.leg})


def _keeps(group: GroupState, order: ChildOrder, need: int, purpose: Purpose, now: float, env: Env) -> bool:
    """True when an order that stands is what is wanted, or as good."""
    if order.status is ChildStatus.SENT and now >= order.sent_at + trouble.cancel_time(group, env):
        return False  # never acknowledged: it must end before another one may be sent
    if order.purpose not in REDUCING or order.quantity * need < 0 or order.leaves_qty > abs(need):
        return False
    if order.type is ChildType.MARKET or not _acts(group):
        return True
    known = group.rungs.get((order.leg, purpose))
    return order.purpose is purpose and (known is None or known[0] == order.rung)


def _add(
    group: GroupState, leg: int, need: int, now: float, quotes: Quotes, env: Env, purpose: Purpose, plain: bool,
    out: list[Want], alerts: list[Alert],
) -> int:  # fmt: skip
    spec = group.legs[leg].spec
    quote = quoted(quotes, spec.symbol, now, env)
    if not quote.open:
        return 0
    missing = natural(quote, 1 if need > 0 else -1, spec) <= 0
    if missing and need < 0:
        text = f"{spec.name or spec.symbol}: long {-need} without a bid, kept until one returns or it expires"
        alerts.append(Alert(now, Severity.P2, "bidless-long", group.spec.group_id, text, {"leg": leg}))
    if group.attempts and _blocked(group, leg, purpose, now):
        return 0
    rung, price = 0, 0.0
    if not plain:
        known = group.rungs.get((leg, purpose))
        if known is None or _was_sent(group, leg, purpose, known[0]):
            return 0
        rung, price, _ = known
    if price == 0 and missing:
        return 0
    out.append(Want(leg, purpose, rung, need, ChildType.LIMIT if price else ChildType.MARKET, price))
    return 1


def desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    """The orders that should be working while the group does not open."""
    if group.phase is Phase.OPEN and not group.live and stands(group):
        return NOTHING
    out: list[Want] = []
    alerts: list[Alert] = []
    wants(group, now, quotes, env, by_leg(group), out, {}, alerts)
    return Desired(tuple(out), _wake(group, now, env), tuple(alerts))


def _wake(group: GroupState, now: float, env: Env) -> Deadline | None:
    at, why = 0.0, ""
    if group.live:
        _, ladder = _mode(group)
        for order in group.live.values():
            if order.status is ChildStatus.CANCELING:
                moment = order.cancel_at + trouble.cancel_time(group, env)
            elif order.type is ChildType.MARKET or order.status is ChildStatus.SENT:
                moment = order.sent_at + trouble.cancel_time(group, env)
            else:
                moment = order.sent_at + _patience(group, order, ladder)
            if now < moment and (moment < at or not at):
                at, why = moment, str(order.status)
    for moment in group.retry_at.values():
        if now < moment and (moment < at or not at):
            at, why = moment, "retry"
    return Deadline(at, why) if at else None


def still_wanted(group: GroupState, order: ChildOrder, env: Env) -> bool:
    """Check an intended order right before it is sent."""
    if order.purpose not in REDUCING or not _acts(group):
        return False
    leg = group.legs[order.leg]
    need = _need(group, order.leg)
    if need * order.quantity <= 0:
        return False
    pending = leg.buying if need > 0 else leg.selling
    if pending > abs(need):
        return False
    shape = shape_of(group)
    lines = shape.sale_lines[order.leg] if need < 0 else shape.purchase_lines[order.leg]
    opening = group.phase is Phase.OPENING
    units = group.spec.units if opening else group.target
    return all(covered(group, n, units, opening) for n in lines)


def covered(group: GroupState, line: int, units: int, opening: bool) -> bool:
    """True when the line stays covered with everything that may fill counted as filled."""
    cover = shape_of(group).lines[line]
    return slack(cover, group.legs, covered_units(cover, group.legs, units) if opening else units) >= 0
