"""Decisions of protected groups that need memory, as facts: retries, triggers, trails, giving up.

Same signature and the same purity as `plan.decisions`. What follows from the facts without memory (how much every
exit protects, whether the entry is still wanted) is not decided here but computed in `desired`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import facts as f
from ..facts.decided import OUT_OF_SESSION, UNKNOWN
from ..model import GroupState
from ..plan import trouble
from ..vocabulary import WORKING, ChildStatus, HoldCause, Phase, Purpose, Right
from . import placement
from .failures import alert, failed
from .levels import facing, nearest_tick
from .view import Exposure, exposure, plan_of, stop_price, target_price

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import Quote
    from ..plan.terms import Env
    from .levels import ExitPlan

#: cause of the movement by which a position leaves its group and stays in the account
LET_GO = "let_go"
_STEADY = frozenset({Phase.OPENING, Phase.OPEN})
_NOTHING = frozenset({Phase.PLANNED, Phase.CLOSED})
#: quotes older than this do not trigger anything (seconds); bar data is fresh for one bar
FRESH = 90.0


def decisions(group: GroupState, now: float, quotes: Mapping[str, Quote], env: Env) -> list[Any]:
    """The next decisions to record, in order; empty when nothing needs memory."""
    if group.phase in _NOTHING:
        return []
    if env.reserves_quantity and not group.memory.get("reserves"):
        return [f.Remembered(now, "reserves", True)]
    found = failed(group, now, quotes) if group.failures else []
    if not found and group.live:
        found = stuck(group, now, env)
        if not found and env.live:  # elsewhere every order is answered by the call that sends it
            found = placement.overdue(group, now, env)
        found = found or placement.left_over(group, now)
    if found:
        return found
    if group.memory and group.memory.get(OUT_OF_SESSION) and quotes[group.legs[0].spec.symbol].open:
        return [f.Remembered(now, OUT_OF_SESSION, False)]
    plan = group.exit_plan or plan_of(group)
    quiet = plan.plain and not group.memory and not group.attempts and group.phase in _STEADY
    if quiet and group.target and not group.emergency:
        leg = group.legs[0]
        if leg.net * leg.spec.ratio >= 0:
            return []
    view = exposure(group, plan)
    if view.open > 0 and group.phase is not Phase.HELD and lets_go(group):
        return [] if group.live else _let_go(group, now)
    if view.open < 0:
        found = _over_filled(group, view, now)
    if not found and group.attempts:
        found = _give_up(group, view, now)
    if not found and plan.entry_timeout:
        found = _entry_timeout(group, plan, view, now)
    if not found and plan.time_exit:
        found = _time_exit(group, plan, view, now)
    if not found and view.open > 0:
        found = _while_open(group, plan, view, now, quotes, env)
    return found or (release(group, now) if group.phase is Phase.HELD else [])


def _while_open(
    group: GroupState, plan: ExitPlan, view: Exposure, now: float, quotes: Mapping[str, Quote], env: Env
) -> list[Any]:
    """What prices and fills of an open position make us remember."""
    found: list[Any] = []
    if plan.trail is not None:
        found = _trail(group, plan, view, now, quotes)
    if not found and plan.break_even_after:
        found = _break_even(group, plan, view, now)
    memory = group.memory
    watching = plan.trigger != "native" or plan.target_market or memory.get("reserves") or memory.get("watch_stops")
    if not found and watching:
        found = _watched(group, plan, view, now, quotes, env)
    if not found and (group.target == 0 or group.emergency):
        found = _bidless(group, view, now, quotes)
    return found


def lets_go(group: GroupState) -> bool:
    """True while the owner wants the exits gone and the position kept, and nobody wants it closed."""
    return bool(group.memory and group.memory.get("let_go") and group.target and not group.emergency)


def _let_go(group: GroupState, now: float) -> list[Any]:
    """No order may fill any more: the position is the account's again, at its cost."""
    leg = group.legs[0]
    text = f"{leg.net:+d} {leg.spec.name or leg.spec.symbol} without exits from now on ({group.memory['let_go']})"
    return [alert(now, 1, "let-go", text), f.Adjusted(now, 0, -leg.net, leg.avg, LET_GO, text)]


def stuck(group: GroupState, now: float, env: Env) -> list[Any]:
    """A cancel that was accepted but brings no end by its deadline: quarantine, hold, alert; cover is kept."""
    for order in group.live.values():
        if order.status is not ChildStatus.CANCELING or now < order.cancel_at + trouble.cancel_time(group, env):
            continue
        why = f"order {order.number}: cancel accepted {now - order.cancel_at:.0f} s ago, no end seen"
        return [f.Quarantined(now, order.number, why), *trouble.hold(group, now, HoldCause.QUARANTINE, why)]
    return []


def _over_filled(group: GroupState, view: Exposure, now: float) -> list[Any]:
    if view.open >= 0 or group.memory.get("excess_seen") == view.open:
        return []
    text = f"exits closed {-view.open} more than was open; reversing at market"
    return [f.Remembered(now, "excess_seen", view.open), alert(now, 1, "exit-excess", text, excess=-view.open)]


def _give_up(group: GroupState, view: Exposure, now: float) -> list[Any]:
    """A position whose stop cannot be placed is closed at market; if that fails too it is held with a P0 alert.

    A stop that cannot be moved is no such case: the old one still works, and only an alert says so.
    """
    policy = group.spec.policy
    attempts = group.attempts
    refused = 0 if group.memory.get("watch_stops") else attempts.get((0, Purpose.STOP), 0)
    if view.open > 0 and not group.emergency and refused >= policy.rollback_attempts:
        if view.stopped >= view.open:
            if group.memory.get("stuck_stop"):
                return []
            text = f"stop could not be changed in {policy.rollback_attempts} attempts; the old one still works"
            back = _standing(group, plan_of(group), view)
            stuck = [f.Remembered(now, f"stuck.{pair}", price) for pair, price in back]
            return [*stuck, f.Remembered(now, "stuck_stop", True), alert(now, 1, "stop-not-moved", text)]
        if group.held in UNKNOWN:
            if group.memory.get("bare") == refused:
                return []
            text = f"no stop after {refused} attempts, and what is held is in doubt ({group.held_why}): decide"
            return [f.Remembered(now, "bare", refused), alert(now, 0, "unprotected", text, open=view.open)]
        if policy.emergency_flatten:
            text = f"no stop after {policy.rollback_attempts} attempts: closing {view.open} at market"
            return [f.Emergency(now, text), alert(now, 0, "emergency-close", text, open=view.open)]
        if group.phase is not Phase.HELD:
            return [_held(now, HoldCause.REFUSED_BEYOND_CAPS, f"{view.open} open without a stop")]
    for purpose in (Purpose.EMERGENCY, Purpose.EXCESS, Purpose.CLOSE):
        if attempts.get((0, purpose), 0) >= policy.rollback_attempts and group.phase is not Phase.HELD:
            text = f"{purpose} refused {attempts[(0, purpose)]} times; {view.open} open"
            if purpose is Purpose.CLOSE and policy.emergency_flatten and not group.emergency:
                return [f.Emergency(now, text)]
            return [
                _held(now, HoldCause.REFUSED_BEYOND_CAPS, text),
                alert(now, 0, "unprotected", text, open=view.open),
            ]
    return []


def _standing(group: GroupState, plan: ExitPlan, view: Exposure) -> list[tuple[int, float]]:
    """(pair, stop price) of the stops that work elsewhere than asked: where they stay until they are moved again."""
    at = {o.rung: o.stop for o in group.live.values() if o.purpose is Purpose.STOP and o.status in WORKING}
    return [(pair, price) for pair, price in at.items() if price != stop_price(group, plan, view, pair)]


def _held(now: float, cause: HoldCause, why: str) -> f.Held:
    return f.Held(now, cause, why)


def _bidless(group: GroupState, view: Exposure, now: float, quotes: Mapping[str, Quote]) -> list[Any]:
    """Name a long option that must go and has no bid, once: it is kept until a bid returns or it expires."""
    leg = group.legs[0]
    closing = group.emergency or group.target == 0 or group.phase is Phase.CLOSING
    if not closing or leg.net <= 0 or leg.spec.right is Right.SHARE or group.memory.get("bidless"):
        return []
    quote = quotes.get(leg.spec.symbol)
    if quote is None or not quote.open or quote.bid > 0:
        return []
    text = f"{leg.spec.name or leg.spec.symbol}: long {leg.net} without a bid, kept until one returns or it expires"
    return [f.Remembered(now, "bidless", True), alert(now, 2, "bidless-long", text)]


def _entry_timeout(group: GroupState, plan: ExitPlan, view: Exposure, now: float) -> list[Any]:
    if not plan.entry_timeout or not view.entering or view.entry is None or group.memory.get("entry_cancel"):
        return []
    if now < view.entry.intended_at + plan.entry_timeout:
        return []
    return [f.Remembered(now, "entry_cancel", f"not filled within {plan.entry_timeout:g} s")]


def _time_exit(group: GroupState, plan: ExitPlan, view: Exposure, now: float) -> list[Any]:
    if not plan.time_exit or now < plan.time_exit or group.target == 0:
        return []
    return [f.CloseAsked(now, "time exit")]


def _trail(
    group: GroupState, plan: ExitPlan, view: Exposure, now: float, quotes: Mapping[str, Quote]
) -> list[Any]:
    if plan.trail is None or view.open <= 0:
        return []
    quote = quotes.get(group.legs[0].spec.symbol)
    if quote is None:
        return []
    seen = quote.bid if view.side > 0 else quote.ask
    if seen <= 0:
        return []
    mark = group.memory.get("trail")
    best = view.entry_px if mark is None else float(mark)
    step = max(plan.trail_step, group.legs[0].spec.tick)
    if (seen - best) * view.side < step - 1e-9:
        return []
    return [f.Remembered(now, "trail", seen)]


def _break_even(group: GroupState, plan: ExitPlan, view: Exposure, now: float) -> list[Any]:
    if not plan.break_even_after or group.memory.get("break_even") or view.open <= 0:
        return []
    done = sum(1 for i, pair in enumerate(plan.pairs) if pair.target and view.pair_closed[i] and not view.pair_open[i])
    if done < plan.break_even_after or not _by_targets(group, plan.break_even_after):
        return []
    out: list[Any] = [f.Remembered(now, "break_even", True)]
    for i, pair in enumerate(plan.pairs):
        better = (view.entry_px - stop_price(group, plan, view, i)) * view.side > 0
        if pair.stop is not None and view.pair_open[i] and better:
            out.append(f.Remembered(now, f"stop.{i}", nearest_tick(view.entry_px, group.legs[0].spec.tick)))
    return out


def _by_targets(group: GroupState, count: int) -> bool:
    filled = {o.rung for o in group.orders.values() if o.purpose is Purpose.TARGET and o.cum_qty}
    return len(filled) >= count


def watches_targets(group: GroupState, env: Env) -> bool:
    """True when only the stop may rest: the broker reserves the position for one closing order."""
    return env.reserves_quantity or bool(group.memory and group.memory.get("reserves"))


def _watched(
    group: GroupState, plan: ExitPlan, view: Exposure, now: float, quotes: Mapping[str, Quote], env: Env
) -> list[Any]:
    """Levels that we watch ourselves: two sightings on different fresh quotes trigger the exit."""
    own = plan.trigger != "native" or bool(group.memory.get("watch_stops"))
    targets = plan.trigger != "native" or plan.target_market or watches_targets(group, env)
    if targets and _targets_spent(group):
        targets = False  # the stop would give way to an order that is not sent any more
    if view.open <= 0:
        return []
    side = facing(plan.trigger, group.legs[0].spec)
    for i in range(len(plan.pairs)):
        if not view.pair_open[i] or group.memory.get(f"trigger.{i}"):
            continue
        for what, price, beyond in (
            ("stop", stop_price(group, plan, view, i) if own else 0.0, -side),
            ("target", target_price(group, plan, view, i) if targets else 0.0, side),
        ):
            if price <= 0:
                continue
            found = _sighting(group, plan, view, now, quotes, i, what, price, beyond)
            if found:
                return found
    return _trigger_failed(group, view, now)


def _sighting(
    group: GroupState, plan: ExitPlan, view: Exposure, now: float, quotes: Mapping[str, Quote],
    pair: int, what: str, price: float, beyond: int,
) -> list[Any]:  # fmt: skip
    spec = group.legs[0].spec
    quote = quotes.get(spec.underlying if plan.trigger == "underlying" else spec.symbol)
    key = f"seen.{what}.{pair}"
    before = group.memory.get(key)
    if quote is None or not quote.open or now - quote.at > FRESH:
        return []
    seen = _price(plan.trigger, quote, view.side, what)
    if seen <= 0 or (seen - price) * beyond < 0:
        return [f.Remembered(now, key, None)] if before else []
    if before is None:
        return [f.Remembered(now, key, [quote.at, seen])]
    if quote.at <= before[0]:
        return []
    at = {"what": what, "at": now, "price": seen, "level": price}
    return [f.Remembered(now, key, None), f.Remembered(now, f"trigger.{pair}", at)]


def _price(trigger: str, quote: Quote, side: int, what: str) -> float:
    """What is compared with the level: last, mid, or the side at which the exit would trade."""
    if trigger in ("last", "underlying"):
        return quote.last
    if trigger == "mid":
        return (quote.bid + quote.ask) / 2 if quote.bid > 0 and quote.ask > 0 else 0.0
    return quote.bid if side > 0 else quote.ask


def _targets_spent(group: GroupState) -> bool:
    return group.attempts.get((0, Purpose.TARGET), 0) >= group.spec.policy.rollback_attempts


def _trigger_failed(group: GroupState, view: Exposure, now: float) -> list[Any]:
    """A triggered target that the broker refused, or ended as often as it may, gives its place back to the stop."""
    spent = _targets_spent(group)
    for i, still in enumerate(view.pair_open):
        trigger = group.memory.get(f"trigger.{i}")
        if not trigger or trigger["what"] != "target" or not still:
            continue
        tries = [o for o in group.orders.values() if o.purpose is Purpose.TARGET and o.rung == i]
        tries = [o for o in tries if o.intended_at >= trigger["at"]]
        refused = bool(tries) and tries[-1].status is ChildStatus.REJECTED
        if refused or (spent and not (tries and tries[-1].may_fill)):
            return [f.Remembered(now, f"trigger.{i}", None)]
    return []


def release(group: GroupState, now: float) -> list[Any]:
    """A hold whose cause is gone ends by itself: the quarantine is over, or flat and nothing may fill any more."""
    if group.held is HoldCause.QUARANTINE:
        if any(order.status is ChildStatus.QUARANTINED for order in group.live.values()):
            return []
        return [f.Released(now, "no order is in quarantine any more")]
    if group.held is HoldCause.REFUSED_BEYOND_CAPS and group.is_flat and not group.live:
        return [f.Released(now, "flat, nothing may fill")]
    return []
