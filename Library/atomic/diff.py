"""Desired orders against working ones: what to send, cancel, change, look at.

A slot is (leg, purpose, rung). An order that may still fill (working, cancel pending, fate unknown, quarantined)
occupies its slot; a want whose slot is occupied is never sent again. Cancels come before submits: LEAN drains its
queue with the next accepted submit, so the cancel is processed first (trace p18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .facts import Intended
from .ports import Alert, Severity
from .vocabulary import REDUCING, WORKING, ChildStatus, ChildType, Kind, Purpose

if TYPE_CHECKING:
    from .model import ChildOrder, GroupState
    from .plan.terms import Desired, Env, Want


class Cancel(NamedTuple):
    """Ask for a cancel of this child order."""

    number: int
    why: str


class Replace(NamedTuple):
    """Ask for an update in place: new signed quantity of the whole order, limit and stop."""

    number: int
    quantity: int
    limit: float
    stop: float


class Poll(NamedTuple):
    """Look at the ticket again: an answer is overdue."""

    number: int


class Raise(NamedTuple):
    """Tell a person; repeated while it is true, the alert's code and group de-duplicate it."""

    alert: Alert


class WakeAt(NamedTuple):
    """Look at this group again at the latest then."""

    at: float
    why: str


#: a new order is asked for by its write-ahead fact: what is journaled is what is sent
Command = Intended | Cancel | Replace | Poll | Raise | WakeAt

#: makes a named tuple as `settling` does
_new = tuple.__new__
# asked for with every order; see `facts.settle`
_WHOLE, _KIND = Kind.ALL_OR_NONE, Intended._field_defaults["kind"]
#: statuses in which a cancel can be asked for; LEAN answers -32 to one that is still NEW (lean_traces/live)
_CANCELABLE = frozenset({ChildStatus.SENT, ChildStatus.WORKING, ChildStatus.PARTIAL})
_REPLACEABLE = frozenset({ChildStatus.WORKING, ChildStatus.PARTIAL})
#: what stands before and after ``<group_id>:<number>`` in a tag
_AROUND = {purpose: ("", f":{purpose}") for purpose in Purpose} | {
    Purpose.ENTRY: ("entry-", ""), Purpose.STOP: ("sl-", ""), Purpose.TARGET: ("tp-", "")
}  # fmt: skip
#: after so many refused updates the order is cancelled and sent anew
_REPLACE_TRIES = 3
_NEVER = float("inf")


def tag_of(group_id: str, number: int, purpose: Purpose) -> str:
    """What LEAN carries: ``<group_id>:<number>:<purpose>``; ``entry-``, ``sl-``, ``tp-`` prefixes for brackets."""
    before, after = _AROUND[purpose]
    return f"{before}{group_id}:{number}{after}"


def commands(group: GroupState, desired: Desired, now: float, env: Env) -> list[Command]:
    """What takes the working orders to the desired ones; empty (or a WakeAt alone) when they agree.

    Cancels and updates first, then submits in the order of the wants, as many as the rate allows, then alerts and one
    WakeAt. Pure: nothing is remembered here.
    """
    out: list[Command] = []
    wants = desired.orders
    wake, why = desired.wake if desired.wake is not None else (0.0, "")
    open_wants: tuple[Want, ...] | list[Want] = wants
    if group.live:
        matched: set[tuple[int, Purpose, int]] = set()
        for order in group.live.values():
            want = _answering(order, wants)
            slot = (order.leg, order.purpose, order.rung)
            if want is not None and slot not in matched:  # one order per slot: a second one goes
                matched.add(slot)
                at = _adapt(group, order, want, now, env, out)
            else:
                at = cancel_unwanted(group, order, now, out)
            if at and (not wake or at < wake):
                wake, why = at, "cancel again"
        if matched:
            open_wants = [w for w in wants if (w.leg, w.purpose, w.rung) not in matched]
    if open_wants:
        at = submits(group, open_wants, now, env, out)
        if at and (not wake or at < wake):
            wake, why = at, "rate"
    if group.spec.kind is _WHOLE:
        out.extend([Raise(alert) for alert in desired.alerts])
        _raise(group, now, out)
    if wake:
        out.append(WakeAt(wake, why))
    return out


def _answering(order: ChildOrder, wants: tuple[Want, ...]) -> Want | None:
    for want in wants:
        if want.leg == order.leg and want.rung == order.rung and want.purpose is order.purpose:
            return want
    return None


def _adapt(
    group: GroupState, order: ChildOrder, want: Want, now: float, env: Env, out: list[Command]
) -> float:
    """Change an order in place, or cancel it so that its slot can be filled anew; when to ask again, as below."""
    if order.status is ChildStatus.QUARANTINED:  # whatever is wanted, it was to end
        return cancel_unwanted(group, order, now, out)
    quantity = want.quantity + order.net
    terms = (quantity, want.limit, want.stop)
    if order.leaves_qty == abs(want.quantity) and (order.limit, order.stop) == terms[1:]:
        return 0.0
    if order.asked is not None:
        return 0.0
    fits = want.quantity * order.quantity > 0 and want.type is order.type and order.type is not ChildType.MARKET
    if fits and env.takes_replace and order.replace_refusals < _REPLACE_TRIES:
        if order.status in _REPLACEABLE:
            out.append(Replace(order.number, quantity, want.limit, want.stop))
        return 0.0
    return cancel_unwanted(group, order, now, out, "terms changed")


def cancel_unwanted(
    group: GroupState, order: ChildOrder, now: float, out: list[Command], why: str = "not wanted any more"
) -> float:
    """Cancel an order that is not wanted; returns when to try again if an answer is being waited out."""
    if order.status is ChildStatus.QUARANTINED:
        # the venue may have found its voice again
        asked = max(order.cancel_at, order.cancel_refused_at, order.sent_at)
        again = asked + max(group.spec.policy.cancel_deadline, group.spec.policy.retry.cap)
        if now < again:
            return again
        out.append(Cancel(order.number, f"again: {order.reason}"))
        return 0.0
    if order.status not in _CANCELABLE:
        return 0.0
    if order.cancel_refusals:
        again = order.cancel_refused_at + group.spec.policy.retry.delay(order.cancel_refusals)
        if now < again:
            return again
    out.append(Cancel(order.number, group.reason or why))
    return 0.0


def submits(
    group: GroupState, wants: tuple[Want, ...] | list[Want], now: float, env: Env, out: list[Command]
) -> float:
    """Submits within the rate; returns when the next may leave if some had to wait."""
    number = group.next_number
    group_id = group.spec.group_id
    tokens, reserved = env.tokens, env.reserved
    whole, scarce = group.spec.kind is _WHOLE, tokens < len(wants)
    bundled = 0
    for want in wants:
        leg_no, purpose, rung, quantity, kind, limit, stop, bundle = want
        if whole and purpose in REDUCING and not _own_share(group, want):
            leg = group.legs[leg_no]
            text = f"own-share: {purpose} of {quantity:+d} {leg.spec.symbol} with a net of {leg.net:+d}"
            out.append(Raise(Alert(now, Severity.P0, "own-share", group_id, text)))
            continue
        if scarce and not (bundle and bundle == bundled):
            # a bundle leaves whole or not at all; one that is larger than the rate ever lets through is owed
            size = min(env.burst, sum(1 for w in wants if w.bundle == bundle)) if bundle else 1
            if tokens >= size:
                tokens -= size
            elif purpose in REDUCING and tokens + reserved >= size:
                reserved -= size - tokens
                tokens = 0
            else:
                return env.token_at or now + 1.0
            bundled = bundle
        tag = tag_of(group_id, number, purpose)
        out.append(_new(Intended, (
            now, number, leg_no, purpose, rung, quantity, kind, limit, stop, tag, bundle, _KIND,
        )))  # fmt: skip
        number += 1
    return 0.0


def _own_share(group: GroupState, want: Want) -> bool:
    """A reducing order never goes beyond what the group itself holds, counting orders that may fill."""
    leg = group.legs[want.leg]
    if want.quantity > 0:
        return leg.net < 0 and want.quantity <= -leg.net - leg.buying
    return leg.net > 0 and -want.quantity <= leg.net - leg.selling


def polls(group: GroupState, now: float, *, resting: bool = True) -> list[Poll]:
    """Orders whose answer is overdue by the order time-out: their events may have been lost.

    For the shell's timer, not for every decision: a poll changes nothing by itself. An order that was confirmed to
    work and is not being updated owes no answer; it is looked at only with `resting`, which the shell sets once in a
    while.
    """
    patience = group.spec.policy.order_timeout
    return [
        Poll(order.number)
        for order in group.live.values()
        if (resting or order.status not in WORKING or order.asked is not None)
        and order.status is not ChildStatus.INTENDED
        and now >= max(order.sent_at, order.cancel_at, order.asked_at) + patience
    ]


def owed_at(group: GroupState, *, heard: bool) -> float:
    """When an answer of the broker is overdue: never where none is owed, now (0) where one may be read any moment.

    Args:
        group: the group.
        heard: the end of a cancelled order comes as an event; False where events may be lost.
    """
    at = _NEVER
    for order in group.live.values():
        if order.status not in WORKING:
            if order.status is not ChildStatus.CANCELING or not heard:
                return 0.0
            # LEAN may let a cancel fall back without an event: its ticket is looked at then (`polls`)
            at = min(at, order.cancel_at + group.spec.policy.order_timeout)
    return at


def _raise(group: GroupState, now: float, out: list[Command]) -> None:
    """Alerts that follow from the state itself."""
    if group.held is not None:
        text = f"held ({group.held}): {group.held_why}"
        out.append(Raise(Alert(now, Severity.P0, "held", group.spec.group_id, text, {"cause": str(group.held)})))
