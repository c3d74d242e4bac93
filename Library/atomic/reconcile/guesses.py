"""Orders of ours whose fate is a guess: their net is certain, which of them filled is not.

Several orders were on their way when the process stopped, and the account moved by some of them. Which of them filled
could not be known: an order believed filled may be shown later, and one believed open may be complete. What is guessed
is remembered with the group until it is known better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..facts import Remembered
from ..facts.kinds import GUESSED, LOOSE
from .identity import in_time
from .terms import Known

if TYPE_CHECKING:
    from ..model import ChildOrder, GroupState
    from ..ports import BrokerOrder
    from .work import Work


def remember(work: Work) -> None:
    """Guesses are kept until a look after the quiet period: later orders that look like ours are somebody else's."""
    view = work.view
    for group_id, group in work.groups.items():
        before: list[int] = group.memory.get(GUESSED, [])
        over = view.now >= view.started + group.spec.policy.quiet_period
        kept = ([] if over else list(before)) + work.guesses.get(group_id, [])
        kept = [number for number in kept if (group_id, number) not in work.resolved]
        if kept != before:
            work.verdict.add(group_id, Remembered(view.now, GUESSED, kept))
        loose = group.memory.get(LOOSE, [])
        if view.start:
            loose = [n for n in loose if n in group.live or (group_id, n) in work.paired]
        loose = [*loose, *(n for n in work.divided.get(group_id, ()) if n not in loose)]
        if loose != group.memory.get(LOOSE, []):
            work.verdict.add(group_id, Remembered(view.now, LOOSE, loose))


def find(work: Work, order: BrokerOrder, *, tagged: bool = False) -> tuple[GroupState, int] | None:
    """One of ours that an open order may be, because what became of several orders that look like it was a guess.

    Orders were on their way when the process stopped, the account moved by some of them, and another one is shown
    later: which of them filled could not be known. It may be one that was believed filled, or one that was not seen
    yet, whatever its size: the net counts what its ticket fills. An order without a tag of ours is somebody else's
    unless something was guessed. Nothing is attributed in a contract in doubt.
    """
    if order.symbol in work.doubtful:
        return None
    for group in work.groups.values():
        guessed: list[int] = group.memory.get(GUESSED, [])
        if not (tagged or guessed or group.memory.get(LOOSE)):
            continue
        alike = [own for own in group.orders.values() if _alike(group, own, order)]
        if abs(order.quantity) > max((own.order_qty for own in alike), default=0):
            continue
        for own in alike:
            known = Known(group, own)
            unseen = own.number in group.live and work.unsettled(known) and not known.acknowledged
            if (unseen or own.number in guessed) and known.key not in work.paired:
                return group, own.number
    return None


def exactly(work: Work, order: BrokerOrder, waited: set[tuple[str, int]]) -> tuple[GroupState, int] | None:
    """The order that was believed filled and is this one by its size too, where none that is waited for is.

    One that is waited for, in whichever group, answers one open order; it joins `waited`. Time decides before that,
    where it speaks for one and against the other. What this process sent or took over is known by its id and not
    waited for.
    """
    if order.symbol in work.doubtful or not any(group.memory.get(GUESSED) for group in work.groups.values()):
        return None
    found: list[tuple[bool, bool, GroupState, int]] = []
    for group in work.groups.values():
        for own in group.orders.values():
            known = Known(group, own)
            if own.order_qty != abs(order.quantity) or not _alike(group, own, order):
                continue
            if own.number in group.live:
                able = work.unsettled(known) and known.key not in work.paired and known.key not in waited
            else:
                able = known.guessed and known.key not in work.resolved
            if able:
                found.append((not in_time(known, order), own.number not in group.live, group, own.number))
    if not found:
        return None
    _, believed, group, number = min(found, key=lambda one: one[:2])
    if believed:
        return group, number
    waited.add((group.spec.group_id, number))
    return None


def _alike(group: GroupState, own: ChildOrder, order: BrokerOrder) -> bool:
    """Contract, side, type and prices agree."""
    same = group.legs[own.leg].spec.symbol == order.symbol and own.quantity * order.quantity > 0
    return same and order.type == own.type and (order.limit, order.stop) == (own.limit, own.stop)
