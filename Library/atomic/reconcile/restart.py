"""What becomes of a group after a restart: the policy's answer, as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import Held, Refused, TargetSet, Wave, apply, replay
from ..model import GroupState
from ..vocabulary import HoldCause, Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable


def foreseen(group: GroupState, facts: Iterable[Any]) -> GroupState:
    """The group as it will be when these facts are folded; the group itself is left alone."""
    facts = list(facts)
    if not facts:
        return group
    copy = replay(group.spec, group.facts)
    for fact in facts:
        apply(copy, fact)
    return copy


def after_restart(group: GroupState, now: float) -> tuple[str, str, list[Any]]:
    """Kind of finding, sentence and facts for a group whose orders are accounted for.

    An incomplete group follows `Policy.on_restart`: roll_back (keeping complete units where `keep_units` says so),
    complete and resume (go on opening with a new deadline; a group older than `max_time_to_open` is rolled back by the
    plan), adopt (keep the complete units that are held, undo the rest), hold. What was unwinding or closing goes on.
    """
    policy, phase, group_id = group.spec.policy, group.phase, group.spec.group_id
    if phase is Phase.PLANNED:
        why = "restarted before anything was sent"
        return "refused", f"{group_id}: {why}", [Refused(now, why)]
    if phase is Phase.HELD:
        return "held", f"{group_id} is still held ({group.held}: {group.held_why})", []
    if phase is Phase.OPEN:
        return "complete", f"{group_id} holds {group.units_held} of {group.spec.units} units", []
    if phase is Phase.CLOSED:
        return "complete", f"{group_id} has ended ({group.outcome})", []
    if phase is not Phase.OPENING:
        kind = "closing" if phase is Phase.CLOSING else "unwound"
        return kind, f"{group_id} goes on {phase} ({group.reason})", []
    if group.spec.kind is not Kind.ALL_OR_NONE:
        return "resumed", f"{group_id} goes on: its exits follow what is held", []
    if policy.on_restart == "hold":
        why = "incomplete after a restart, and the policy is to hold"
        return "held", f"{group_id} is {why}", [Held(now, HoldCause.POLICY, why)]
    if policy.on_restart in ("complete", "resume"):
        facts = [Wave(now, group.wave, now + policy.order_timeout)] if group.wave else []
        return "resumed", f"{group_id} goes on opening ({group.units_held} of {group.spec.units} units held)", facts
    keep = group.units_held if policy.on_restart == "adopt" or policy.keep_units else 0
    if all(leg.net == leg.spec.ratio * group.target for leg in group.legs) and group.target:
        return "complete", f"{group_id} filled while nobody looked", []
    if keep >= group.target:
        return "resumed", f"{group_id} holds all {keep} units", []
    why = f"restart while opening: back to {keep} units" if keep else "restart while opening: rolled back"
    kind = "adopted" if policy.on_restart == "adopt" else "unwound"
    return kind, f"{group_id}: {why}", [TargetSet(now, keep, why)]
