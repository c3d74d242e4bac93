"""The phase as the joint result of nets, live orders and target, computed at a fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import GroupState
from ..vocabulary import Kind, Outcome, Phase, Purpose
from .kinds import GUESSED

if TYPE_CHECKING:
    from collections.abc import Callable

# Members under names of their own where they are asked for with every fact: CPython 3.11 looks one up through its
# enumeration's metaclass, which takes 60 ns each time.
_PLANNED, _OPENING, _OPEN, _UNWINDING = Phase.PLANNED, Phase.OPENING, Phase.OPEN, Phase.UNWINDING
_CLOSING, _CLOSED, _HELD = Phase.CLOSING, Phase.CLOSED, Phase.HELD
_ENTRY, _REFUSED = Purpose.ENTRY, Outcome.REFUSED


def _settle_whole(group: GroupState, at: float) -> None:
    """All or none: open at the target with nothing that may fill, closed when flat."""
    phase = group.phase
    if phase is _HELD or phase is _PLANNED:
        return
    if phase is _CLOSED:
        if group.outcome is not _REFUSED and (group.live or not group.is_flat):
            # a fill that comes after the end reopens the group
            group.phase, group.target, group.ended_at = _UNWINDING, 0, 0.0
        return
    if phase is _OPENING or phase is _UNWINDING:
        target = group.target
        if not group.live and target and _stands_at(group, target):
            group.phase = _OPEN
            group.outcome = Outcome.COMPLETE if target == group.spec.units else Outcome.PARTIAL_UNITS
            group.opened_at = group.opened_at or at
            return
    if not group.live and group.is_flat and (group.target == 0 or all(leg.settled for leg in group.legs)):
        group.phase, group.ended_at, group.deadline = _CLOSED, at, 0.0
        group.failures.clear()
        if any(leg.settled for leg in group.legs):
            group.outcome = Outcome.EXPIRED
        else:
            group.outcome = Outcome.CLOSED if group.opened_at else Outcome.ROLLED_BACK


def _entering(group: GroupState) -> bool:
    for order in group.live.values():  # noqa: SIM110 - a generator costs three times the loop
        if order.purpose is _ENTRY:
            return True
    return False


def _stands_at(group: GroupState, units: int) -> bool:
    for leg in group.legs:  # noqa: SIM110 - a generator costs three times the loop
        if leg.net != leg.spec.ratio * units or leg.settled:
            return False
    return True


def _settle_protected(group: GroupState, at: float) -> None:
    """Brackets and exits: open while something is held, closed when flat and nothing may fill."""
    phase = group.phase
    if phase is _HELD or phase is _PLANNED:
        return
    if phase is _CLOSED:
        if group.outcome is not _REFUSED and (group.live or not group.is_flat):
            group.phase, group.ended_at = _CLOSING, 0.0
        return
    if phase is _OPENING and not group.is_flat and not _entering(group):
        group.phase, group.outcome = _OPEN, Outcome.COMPLETE
        group.opened_at = group.opened_at or at
    elif not group.live and group.is_flat and (group.orders or _never_enters(group)) and not group.memory.get(GUESSED):
        group.phase, group.ended_at = _CLOSED, at
        group.failures.clear()
        held = group.opened_at or any(o.cum_qty for o in group.orders.values() if o.purpose is _ENTRY)
        if any(leg.settled for leg in group.legs):
            group.outcome = Outcome.EXPIRED
        else:
            group.outcome = Outcome.CLOSED if held else Outcome.ROLLED_BACK
        if not held and not group.reason:
            given_up = str(group.memory.get("entry_cancel") or "")
            group.reason = next((o.reason for o in group.orders.values() if o.reason), given_up)


def _never_enters(group: GroupState) -> bool:
    """True when no order will be made: closed, cancelled or expired before the first left."""
    if not group.target or group.memory.get("entry_cancel"):
        return True
    return group.legs[0].settled and all(leg.settled for leg in group.legs)


#: phase and outcome as the joint result of nets, live orders and target, at a fixed point: by kind of group
SETTLE: dict[Kind, Callable[[GroupState, float], None]] = {
    kind: _settle_whole if kind is Kind.ALL_OR_NONE else _settle_protected for kind in Kind
}
