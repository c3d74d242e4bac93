"""Changing exits without ever losing the stop: update in place, or the new one works before the old one goes.

For every slot (leg, purpose, pair):

* nothing wanted: what may still fill is cancelled;
* wanted and nothing may fill: it is sent;
* wanted and standing as wanted: nothing; older stops of the same pair go once the newest one works;
* wanted with other terms: an update in place where the venue takes it; a stop is otherwise sent anew and the old one
  cancelled when the new one WORKS; any other order is cancelled first and sent anew when it has ended.

Where the broker reserves the position for one closing order, a second stop would be refused: the old one ends first,
and the time without a stop is a gap that `desired` and the metrics report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import diff
from ..facts import Intended
from ..model import ChildOrder, GroupState
from ..vocabulary import GOING, WORKING, ChildStatus, ChildType, Purpose
from . import placement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..plan.terms import Desired, Env, Want

#: after so many refused updates a stop is replaced by a new order
_REPLACE_TRIES = 2
#: an update without an answer is given up after this many seconds and the order replaced by a new one
_ANSWER_WITHIN = 10.0
#: what may wait longest comes last
_LAST = (Purpose.TARGET, Purpose.ENTRY)
_UNKNOWN = frozenset({ChildStatus.INTENDED, ChildStatus.SENT})


def commands(group: GroupState, desired: Desired, now: float, env: Env) -> list[diff.Command]:
    """What takes the working exits and entry to the desired ones; cancels and updates first, then submits."""
    out: list[diff.Command] = []
    if not group.live:
        return _from_nothing(group, desired, now, env, out)
    wanted, deadline, _ = desired
    wake, why = deadline if deadline is not None else (0.0, "")
    slots: dict[tuple[int, Purpose, int], list[ChildOrder]] = {}
    for order in group.live.values():
        slots.setdefault((order.leg, order.purpose, order.rung), []).append(order)
    fresh: list[Want] = []
    again: list[float] = []
    for want in wanted:
        standing = slots.pop((want.leg, want.purpose, want.rung), None)
        # whatever stands in its slot now, an order that could not be ended is asked to end again
        stuck = [order for order in standing or () if order.status is ChildStatus.QUARANTINED]
        again += [diff.cancel_unwanted(group, order, now, out) for order in stuck]
        missing = want.quantity if standing is None else _missing(group, standing, want, now, env, out, again)
        if missing and _may_try(group, want, now):
            fresh.append(want if missing == want.quantity else want._replace(quantity=missing))
    for orders in slots.values():
        again += [diff.cancel_unwanted(group, order, now, out) for order in orders]
    for at in again:
        if at and (not wake or at < wake):
            wake, why = at, "cancel again"
    if env.tokens < len(fresh):
        fresh = _first_things_first(fresh)
    at = diff.submits(group, fresh, now, env, out) if fresh else 0.0
    if at and (not wake or at < wake):
        wake, why = at, "rate"
    for order in group.live.values():
        if order.asked is not None:
            at = order.asked_at + _ANSWER_WITHIN
            if at > now and (not wake or at < wake):
                wake, why = at, "update unanswered"
    if wake or env.live:
        _wait(group, now, env, out, wake, why)
    return out


def _from_nothing(
    group: GroupState, desired: Desired, now: float, env: Env, out: list[diff.Command]
) -> list[diff.Command]:
    """The commands where nothing works yet: everything is sent."""
    wants: tuple[Want, ...] | list[Want]
    wants, deadline, _ = desired
    if group.attempts or group.retry_at:
        wants = [want for want in wants if _may_try(group, want, now)]
    wake, why = deadline if deadline is not None else (0.0, "")
    if env.tokens < len(wants):
        wants = _first_things_first(wants)
    at = diff.submits(group, wants, now, env, out) if wants else 0.0
    if at and (not wake or at < wake):
        wake, why = at, "rate"
    if wake or env.live:
        _wait(group, now, env, out, wake, why)
    return out


def _wait(group: GroupState, now: float, env: Env, out: list[diff.Command], wake: float, why: str) -> None:
    """Ask for the wake-up, earlier where an acknowledgement would be overdue before."""
    if env.live:
        at = placement.answer_due(group, now, env, sends=any(type(command) is Intended for command in out))
        if at and (not wake or at < wake):
            wake, why = at, "unanswered"
    if wake:
        out.append(diff.WakeAt(wake, why))


def _first_things_first(wants: Iterable[Want]) -> list[Want]:
    """Under an order rate what protects leaves before targets, and both before what opens."""
    wants = list(wants)
    if any(want.bundle for want in wants):
        return wants
    return sorted(wants, key=lambda want: _LAST.index(want.purpose) if want.purpose in _LAST else -1)


def _missing(
    group: GroupState, standing: list[ChildOrder], want: Want, now: float, env: Env, out: list[diff.Command],
    again: list[float],
) -> int:  # fmt: skip
    """Bring the orders of one slot to what is wanted; the signed quantity of a new order to send, 0 for none.

    `again` takes the moments at which a refused cancel may be asked for once more (0: none).
    """
    reserves = env.reserves_quantity or bool(group.memory.get("reserves"))
    # two stops that wait never fill together; two exits that the quote fills do
    overlap = want.stop > 0 and want.purpose is Purpose.STOP and not reserves
    staying = [order for order in standing if order.status not in GOING]
    if want.type is ChildType.MARKET and all(_alike(order, want) for order in standing):
        # market orders of one slot add up, those on their way out included: what became open since is sent on top
        lacking = abs(want.quantity) - sum(order.leaves_qty for order in standing)
        if lacking < 0 and staying:
            again.append(diff.cancel_unwanted(group, staying[-1], now, out))
        return max(0, lacking) * (1 if want.quantity > 0 else -1)
    if not staying:
        # a stop on its way out protects nothing; any other exit waits until it has ended
        return want.quantity if overlap else 0
    newest = staying[-1]
    if _stands(newest, want):
        if newest.status in WORKING:
            again += [diff.cancel_unwanted(group, older, now, out) for older in staying[:-1]]
        return 0
    if newest.status in _UNKNOWN:
        return 0  # its answer decides
    if newest.asked is not None and now < newest.asked_at + _ANSWER_WITHIN:
        return 0
    if _updatable(newest, want, env):
        out.append(diff.Replace(newest.number, want.quantity + newest.net, want.limit, want.stop))
        return 0
    if overlap:
        return want.quantity
    again += [diff.cancel_unwanted(group, order, now, out) for order in staying]
    return 0


def _may_try(group: GroupState, want: Want, now: float) -> bool:
    """Back-off and cap after refusals; they hold back a new order only, never one that works."""
    key = (want.leg, want.purpose)
    if now < group.retry_at.get(key, 0.0):
        return False
    return group.attempts.get(key, 0) < group.spec.policy.rollback_attempts


def _alike(order: ChildOrder, want: Want) -> bool:
    """Both at market, on the same side."""
    return order.type is ChildType.MARKET and order.quantity * want.quantity > 0


def _stands(order: ChildOrder, want: Want) -> bool:
    if order.type is not want.type or order.quantity * want.quantity <= 0 or order.asked is not None:
        return False
    return order.leaves_qty == abs(want.quantity) and (order.limit, order.stop) == (want.limit, want.stop)


def _updatable(order: ChildOrder, want: Want, env: Env) -> bool:
    if not env.takes_replace or order.replace_refusals >= _REPLACE_TRIES or order.asked is not None:
        return False
    same = order.type is want.type and order.quantity * want.quantity > 0
    return same and order.type is not ChildType.MARKET and order.status in WORKING
