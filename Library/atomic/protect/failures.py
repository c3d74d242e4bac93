"""Exits that ended against our will: what is tried again and when, what is remembered, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import facts as f
from ..facts.decided import OUT_OF_SESSION, RESERVATION_WAITS, tries
from ..plan import trouble
from ..vocabulary import ChildStatus, Purpose, RejectReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import ChildOrder, GroupState, Quote

_HOUR = 3600.0


def alert(now: float, severity: int, code: str, text: str, **data: Any) -> f.Noted:
    """An alert that is part of the audit: the shell raises it when it folds the fact."""
    return f.Noted(now, text, {"alert": code, "severity": severity, **data})


def failed(group: GroupState, now: float, quotes: Mapping[str, Quote]) -> list[Any]:
    """Every exit that ended against our will becomes an attempt with back-off, once.

    A refused reservation is no failure of the target: from now on only the stop rests and the target is watched. What
    the venue takes during the session only waits for it (and is tried every hour, should our calendar be wrong).
    """
    out: list[Any] = []
    counted: dict[Any, int] = {}
    single = not group.memory.get("no_linked")
    waits = bool(group.memory.get(OUT_OF_SESSION))
    for order in group.failures.values():
        key = (order.leg, order.purpose)
        if key in counted:
            continue
        tried = counted[key] = tries(group, key)
        if order.reject is RejectReason.RESERVED and not group.memory.get("reserves"):
            out.append(f.Remembered(now, "reserves", True))
        native = bool(order.bundle)
        outside = order.reject is RejectReason.SESSION and not native and order.purpose is not Purpose.ENTRY
        if outside and not quotes[group.legs[order.leg].spec.symbol].open:
            out += _out_of_session(group, order, now, told=waits)
            waits = True
            continue
        if native:
            if single:
                text = f"the native set ended ({order.reason or order.status}): single orders from now on"
                out += [f.Remembered(now, "no_linked", True), alert(now, 2, "native-refused", text)]
            single = False
        elif trouble.takes_no_market(order):
            if not group.memory.get("no_market"):
                text = f"the venue takes no market order ({order.reason}): limits beyond the quote from now on"
                out += [f.Remembered(now, "no_market", True), alert(now, 1, "no-market", text, order=order.number)]
        elif order.reject is RejectReason.CAPABILITY and order.purpose is Purpose.STOP:
            text = f"the venue takes no such stop ({order.reason}): it is watched from now on"
            out += [f.Remembered(now, "watch_stops", True), alert(now, 1, "stop-watched", text, order=order.number)]
        # an exit that somebody else cancelled, or that a restart did not find, is replaced at once; a refused one waits
        unasked = (order.status is not ChildStatus.REJECTED and tried <= 1) or native
        delay = 0.0 if unasked else group.spec.policy.retry.delay(tried)
        if order.reject is RejectReason.RESERVED and order.purpose in RESERVATION_WAITS:
            out += _reserved_elsewhere(group, order, now, tried)
            delay = group.spec.policy.retry.cap if group.attempts.get(key, 0) == tried else delay
        out.append(f.Attempt(now, order.leg, order.purpose, now + delay, order.reason))
        if order.purpose is Purpose.TARGET and order.reject is not RejectReason.RESERVED:
            out += _target_failed(group, order, now, tried)
        elif native:
            continue
        elif order.purpose is Purpose.STOP and group.legs[0].net and order.reject is not RejectReason.CAPABILITY:
            text = f"stop ended without being asked, new one in {delay:g} s: {order.reason or order.status}"
            out.append(alert(now, 1, "stop-rejected", text, order=order.number))
        elif order.purpose is Purpose.ENTRY:
            out.append(alert(now, 2, "entry-rejected", order.reason or str(order.status), order=order.number))
    return out


def _reserved_elsewhere(group: GroupState, order: ChildOrder, now: float, tried: int) -> list[Any]:
    """A close that waits for a reservation: a person is told once it has waited for as many refusals as others get."""
    if group.attempts.get((order.leg, order.purpose), 0) != tried or group.memory.get("waits_reserved"):
        return []
    text = f"{order.quantity:+d} cannot leave, the broker reserves the position for other orders: cancel those"
    return [f.Remembered(now, "waits_reserved", True), alert(now, 0, "unprotected", text, order=order.number)]


def _out_of_session(group: GroupState, order: ChildOrder, now: float, *, told: bool) -> list[Any]:
    """The venue is closed: an attempt that does not count, and the next one when it opens, or in an hour."""
    attempt = f.Attempt(now, order.leg, order.purpose, now + _HOUR, order.reason)
    if told:
        return [attempt]
    spec = group.legs[order.leg].spec
    text = f"exits in {spec.name or spec.symbol} wait for the session: {order.reason}"
    note = alert(now, 1, "waits-for-session", text, order=order.number)
    return [f.Remembered(now, OUT_OF_SESSION, True), note, attempt]


def _target_failed(group: GroupState, order: ChildOrder, now: float, tried: int) -> list[Any]:
    if tried < group.spec.policy.rollback_attempts or group.memory.get(f"target_off.{order.rung}"):
        return []
    text = f"target {order.rung + 1} given up after {tried} refusals ({order.reason}); the stop stays"
    return [
        f.Remembered(now, f"target_off.{order.rung}", True),
        alert(now, 1, "target-given-up", text, order=order.number),
    ]
