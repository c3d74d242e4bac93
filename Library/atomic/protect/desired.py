"""Which orders of a protected group should be working now: computed from the entry's net, without memory.

The rules, in order of precedence:

1. exits closed more than was open: the excess is bought (sold) back at market, nothing else rests; not while the group
   is held because nobody can tell what it holds: what looks like an excess may be an order that filled unseen;
2. the group is closing or in emergency: everything open is closed at market; stops cover what no working close covers;
3. otherwise every pair keeps its stop for what it has open and, where the broker allows both, its target;
4. the entry works until it is filled, cancelled by its owner, timed out, or the group gives up.

Market orders wait for the session; stops do not (LEAN and brokers take them while the market is closed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..facts.decided import UNKNOWN
from ..model import Deadline, GroupState
from ..plan.terms import NOTHING, Desired, Want
from ..vocabulary import ChildType, Phase, Purpose, Right
from . import at_limit
from .decide import lets_go, watches_targets
from .view import Exposure, exposure, plan_of, stop_price, target_price

if TYPE_CHECKING:
    from ..plan.terms import Env, Quotes
    from .levels import ExitPlan

# asked for with every decision; see `facts.settle`
_OPENING, _CLOSING, _NOTHING = Phase.OPENING, Phase.CLOSING, frozenset({Phase.PLANNED, Phase.CLOSED})
_ENTRY, _STOP, _TARGET = Purpose.ENTRY, Purpose.STOP, Purpose.TARGET
_LIMIT, _STOP_MARKET, _MARKET = ChildType.LIMIT, ChildType.STOP_MARKET, ChildType.MARKET
# all fields given: a quarter of what the class costs, which goes through a function of Python's
_new = tuple.__new__


def desired_orders(group: GroupState, now: float, quotes: Quotes, env: Env) -> Desired:
    """The orders that should be working, and the next moment at which that may change by itself."""
    phase = group.phase
    if phase in _NOTHING:
        return NOTHING
    plan = group.exit_plan or plan_of(group)
    steady = plan.plain and not group.retry_at
    if steady and phase is not _OPENING and not group.legs[0].net and len(group.legs) == 1:
        return NOTHING  # flat: nothing to protect, whatever still works goes
    view = exposure(group, plan)
    wants: list[Want] = []
    if phase is _OPENING:
        entry = _entry(group, plan, view, quotes)
        if entry is not None:
            wants.append(entry)
    if view.open > 0 and not (group.memory and lets_go(group)):
        wants += _exits(group, plan, view, quotes, env)
    elif view.open < 0 and group.held not in UNKNOWN and may_trade(group, quotes, view.side * -view.open):
        wants.append(_at_market(Purpose.EXCESS, 0, view.side * -view.open))
    if len(group.legs) > 1:
        wants += _delivered(group, quotes)
    wake = None if steady else _wake(group, plan, view, now)
    if (group.memory or not env.takes_market) and at_limit.needed(group, env):
        wants, again = at_limit.priced(group, wants, now, quotes)
        if again and (wake is None or again < wake.at):
            wake = Deadline(again, "follow the quote")
    return _new(Desired, (tuple(wants), wake, ()))


def may_trade(group: GroupState, quotes: Quotes, quantity: int, leg: int = 0) -> bool:
    """True when a market order for so many (signed) contracts of this leg may leave: in the session, at a price.

    LEAN rests a market sale of an option that nobody bids for and fills it later, whatever the position is then
    (trace p17): such a long is kept until a bid returns or it expires, a short until somebody offers.
    """
    spec = group.legs[leg].spec
    quote = quotes.get(spec.symbol)
    if quote is None:
        return True
    side = quote.bid if quantity < 0 else quote.ask
    return quote.open and (side > 0 or (spec.right is Right.SHARE and quote.last > 0))


def _at_market(purpose: Purpose, rung: int, quantity: int, leg: int = 0) -> Want:
    return Want(leg, purpose, rung, quantity, ChildType.MARKET, 0.0, 0.0, 0)


def _entry(group: GroupState, plan: ExitPlan, view: Exposure, quotes: Quotes) -> Want | None:
    """The entry order while it is wanted; `None` makes the difference cancel what is left of it."""
    entry = plan.entry
    if entry is None or group.emergency or group.target == 0:
        return None
    size = abs(group.legs[0].spec.ratio * group.spec.units)
    if group.memory:
        if group.memory.get("entry_cancel"):
            return None
        size = int(group.memory.get("size", size))
    order = view.entry
    if order is not None and not order.may_fill:
        return None
    asked = entry if order is None or entry.type is _MARKET else order
    leaves = size - view.filled
    if asked.type is _MARKET and leaves > view.entering and not may_trade(group, quotes, view.side):
        leaves = view.entering  # what is missing waits for the session, what works stays
    if leaves <= 0:
        return None
    return _new(Want, (0, _ENTRY, 0, view.side * leaves, asked.type, asked.limit, asked.stop, 0))


def _exits(
    group: GroupState, plan: ExitPlan, view: Exposure, quotes: Quotes, env: Env
) -> list[Want]:
    wants: list[Want] = []
    if group.emergency or group.phase is _CLOSING or group.target == 0:
        purpose = Purpose.EMERGENCY if group.emergency else Purpose.CLOSE
        session = may_trade(group, quotes, -view.side * view.open)
        if session and _stops_gone(group, env):
            wants.append(_at_market(purpose, 0, -view.side * view.open))
        reserves = env.reserves_quantity or bool(group.memory.get("reserves"))
        covered = view.open if reserves and session else view.closing
        wants += _stops(group, plan, view, covered)
        return wants
    memory = group.memory
    by_venue = plan.plain or (plan.trigger == "native" and not plan.target_market)
    resting = by_venue and not watches_targets(group, env)
    for i, open_ in enumerate(view.pair_open):
        if not open_:
            continue
        trigger = memory.get(f"trigger.{i}") if memory else None
        if trigger:
            wants += _triggered(group, view, i, trigger["what"], open_, quotes, env)
            continue
        stop = _stop(group, plan, view, i, open_)
        price = target_price(group, plan, view, i) if resting else 0.0
        target = None
        if price > 0:
            target = _new(Want, (0, _TARGET, i, -view.side * open_, _LIMIT, price, 0.0, 0))
        sets = plan.native and env.takes_linked and not (memory and memory.get("no_linked"))
        if sets and stop is not None and target is not None and not _rests(group, i):
            bundle = group.next_number * 100 + i  # both exits of a pair leave as one native set
            stop, target = stop._replace(bundle=bundle), target._replace(bundle=bundle)
        if stop is not None:
            wants.append(stop)
        if target is not None:
            wants.append(target)
    return wants


def _rests(group: GroupState, pair: int) -> bool:
    return any(o.rung == pair and o.purpose in (Purpose.STOP, Purpose.TARGET) for o in group.live.values())


def _stop(group: GroupState, plan: ExitPlan, view: Exposure, pair: int, quantity: int) -> Want | None:
    """The resting stop of a pair, or None when it has none or we watch it ourselves."""
    if plan.pairs[pair].stop is None or not (plan.plain or plan.trigger == "native"):
        return None
    if group.memory and group.memory.get("watch_stops"):
        return None
    price = stop_price(group, plan, view, pair)
    if plan.stop_limit:
        limit = round(price - view.side * plan.stop_limit, 10)
        return Want(0, Purpose.STOP, pair, -view.side * quantity, ChildType.STOP_LIMIT, limit, price, 0)
    return _new(Want, (0, _STOP, pair, -view.side * quantity, _STOP_MARKET, 0.0, price, 0))


def _stops(group: GroupState, plan: ExitPlan, view: Exposure, covered: int) -> list[Want]:
    """Stops for what no working close covers, the last pair giving way first."""
    left = list(view.pair_open)
    for i in range(len(left) - 1, -1, -1):
        cut = min(left[i], covered)
        left[i] -= cut
        covered -= cut
    wants = [_stop(group, plan, view, i, quantity) for i, quantity in enumerate(left) if quantity]
    return [want for want in wants if want is not None]


def _stops_gone(group: GroupState, env: Env) -> bool:
    """True when a close may be sent: at once, or, where the broker reserves, when no other exit may fill."""
    if not (env.reserves_quantity or group.memory.get("reserves")):
        return True
    return not any(o.purpose in (Purpose.STOP, Purpose.TARGET) for o in group.live.values())


def _triggered(
    group: GroupState, view: Exposure, pair: int, what: str, quantity: int, quotes: Quotes, env: Env
) -> list[Want]:
    """A level we watch was reached: the pair's resting orders go first, then the exit is sent at market."""
    purpose = Purpose.STOP if what == "stop" else Purpose.TARGET
    sent = ChildType.LIMIT if at_limit.needed(group, env) else ChildType.MARKET
    for order in group.live.values():
        other = order.purpose in (Purpose.STOP, Purpose.TARGET) and order.rung == pair
        if other and not (order.purpose is purpose and order.type is sent):
            return []
    quantity *= -view.side
    return [_at_market(purpose, pair, quantity)] if may_trade(group, quotes, quantity) else []


def _delivered(group: GroupState, quotes: Quotes) -> list[Want]:
    """Shares that exercise or assignment delivered are closed unless the policy is to hold them."""
    if group.spec.policy.on_outside == "hold":
        return []
    return [
        _at_market(Purpose.CLOSE, 0, -leg.net, i)
        for i, leg in enumerate(group.legs)
        if i and leg.net and may_trade(group, quotes, -leg.net, i)
    ]


def _wake(group: GroupState, plan: ExitPlan, view: Exposure, now: float) -> Deadline | None:
    moments = [at for at in group.retry_at.values() if at > now]
    if plan.time_exit > now and view.open > 0:
        moments.append(plan.time_exit)
    if plan.entry_timeout and group.phase is _OPENING:
        # an entry that is about to be sent counts from now: that it was taken decides nothing new (`heeds`)
        since = now if view.entry is None else view.entry.intended_at
        moments.append(since + plan.entry_timeout)
    moments = [at for at in moments if at > now]
    return Deadline(min(moments), "protect") if moments else None
