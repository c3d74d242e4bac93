"""Whose short leans on our long: LEAN margins the book, not the group.

A long that LEAN matched with another group's naked short cannot be sold before that short is gone: the sale is refused
for margin, however often it is tried. `plan.trouble` then holds the group and names the other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plan.cover import shape_of_legs
from .vocabulary import Phase, Right

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import GroupState, LegSpec


def leaned_on(group: GroupState, book: Iterable[GroupState]) -> dict[str, str]:
    """Symbol of each long option of the group -> the newest group whose short in the book it may cover."""
    found: dict[str, str] = {}
    longs = [leg.spec for leg in group.legs if leg.net > 0 and leg.spec.right is not Right.SHARE]
    for other in book if longs else ():
        if other is group or other.phase is Phase.CLOSED:
            continue
        naked = shape_of_legs(other.spec.legs).naked
        for leg in other.legs:
            if leg.net < 0:
                for ours in longs:
                    if ours.symbol == leg.spec.symbol or (naked and _covers(ours, leg.spec)):
                        found[ours.symbol] = other.spec.group_id
    return found


def _covers(long: LegSpec, short: LegSpec) -> bool:
    return (long.underlying, long.right) == (short.underlying, short.right) and long.expiry >= short.expiry
