"""Sharing whole contracts among exit pairs: Webster's method, never below what a pair has closed already.

Webster (Sainte-Laguë) gives the next contract to the pair with the largest share / (2 n + 1). It is
house-monotone: a larger entry never takes a contract away from a pair, so a growing partial fill only ever grows
exits, and no exit is cancelled because the entry filled more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def webster(total: int, shares: Sequence[float], floor: Sequence[int] = ()) -> list[int]:
    """Split `total` contracts by `shares`.

    Args:
        total: contracts to split, not negative.
        shares: positive weights, one per pair.
        floor: contracts each pair has at least (closed already); may exceed the fair share.

    Returns:
        Contracts per pair; they sum to max(total, sum(floor)). A pair may get 0 (zero-lot pairs merge into others).
    """
    given = _start(total, shares, list(floor) if floor else [0] * len(shares))
    for _ in range(total - sum(given)):
        best = max(range(len(shares)), key=lambda i: (shares[i] / (2 * given[i] + 1), -i))
        given[best] += 1
    return given


def _start(total: int, shares: Sequence[float], floor: list[int]) -> list[int]:
    """An allotment that Webster's result never undercuts, close enough that few single steps remain.

    A pair whose floor reaches its fair share keeps the floor; the others share what is left and start
    `n + 1` contracts below their quota (Webster stays within n of it).
    """
    free = set(range(len(shares)))
    while free:
        left = total - sum(floor[i] for i in range(len(shares)) if i not in free)
        weight = sum(shares[i] for i in free)
        bound = {i for i in free if floor[i] >= left * shares[i] / weight}
        if not bound:
            margin = len(shares) + 1
            return [
                max(floor[i], int(left * shares[i] / weight) - margin) if i in free else floor[i]
                for i in range(len(shares))
            ]
        free -= bound
    return floor
