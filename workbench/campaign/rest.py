"""Where a group may stand and be called at rest: by its owner's budget, protected, or with its entry waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import PROTECTED_KINDS, WORKING, ChildType, Kind, Phase, Purpose

if TYPE_CHECKING:
    from atomic.model import GroupState


def rests_by_budget(group: GroupState) -> bool:
    """True when the owner's cost budget is why the group rests: a limit order at the price that keeps it."""
    if group.spec.policy.cost_budget is None or group.phase is not Phase.UNWINDING or not group.live:
        return False
    return all(o.purpose is Purpose.UNWIND and o.type is ChildType.LIMIT for o in group.live.values())


def watched(group: GroupState) -> bool:
    """True for a bracket whose stops are watched by us: nothing rests for them at the venue."""
    return group.spec.exits.get("trigger", "native") != "native" or bool(group.memory.get("watch_stops"))


def _stopped(group: GroupState) -> bool:
    stops = sum(o.leaves_qty for o in group.live.values() if o.purpose is Purpose.STOP)
    return stops == abs(group.legs[0].net) or watched(group)


def rests_protected(group: GroupState) -> bool:
    """True for a bracket whose exits all work, with stops for exactly what is open; a held one may lack some."""
    if group.spec.kind not in PROTECTED_KINDS:
        return False
    exits = all(o.purpose in (Purpose.STOP, Purpose.TARGET) and o.status in WORKING for o in group.live.values())
    return exits and (group.phase is Phase.HELD or _stopped(group))


def waits_to_enter(group: GroupState) -> bool:
    """True for a bracket whose entry (or what is left of it) rests away from the market, its fills protected."""
    if group.spec.kind not in PROTECTED_KINDS or group.phase is not Phase.OPENING or not group.live:
        return False
    entering = any(o.purpose is Purpose.ENTRY for o in group.live.values())
    works = all(o.purpose in (Purpose.ENTRY, Purpose.STOP, Purpose.TARGET) and o.status in WORKING
                for o in group.live.values())  # fmt: skip
    return entering and works and _stopped(group)


def rests_in_set(group: GroupState) -> bool:
    """True for a contingent set whose members that may still fill all rest at the venue."""
    if group.spec.kind is not Kind.CONTINGENT or group.phase not in (Phase.OPENING, Phase.OPEN, Phase.HELD):
        return False
    return all(o.purpose is Purpose.ENTRY and o.status in WORKING and o.asked is None for o in group.live.values())


def stands(group: GroupState) -> bool:
    """True when every leg holds what the target asks for, or has ended."""
    return all(leg.settled or leg.net == leg.spec.ratio * group.target for leg in group.legs)
