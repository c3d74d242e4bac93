"""Uncovered short contracts, counted for the judge; shares no code with the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from atomic.model import LegSpec


def naked(legs: Iterable[LegSpec], held: Mapping[str, tuple[int, int]]) -> int:
    """Uncovered short contracts.

    Args:
        legs: the contracts.
        held: per symbol the contracts that may be short and those that surely are long (both unsigned).

    Cover is a long of the same right and underlying that expires no earlier, or shares (long for calls, short for
    puts); one contract covers one.
    """
    total = 0
    specs = list(legs)
    for right in (Right.CALL, Right.PUT):
        pool = 0
        for leg in specs:
            if leg.right is Right.SHARE:
                short, long = held.get(leg.symbol, (0, 0))
                pool += (long if right is Right.CALL else short) // 100
        for expiry in sorted({leg.expiry for leg in specs if leg.right is right}, reverse=True):
            need = 0
            for leg in specs:
                if leg.right is right and leg.expiry == expiry:
                    short, long = held.get(leg.symbol, (0, 0))
                    pool += long
                    need += short
            used = min(pool, need)
            pool -= used
            total += need - used
    return total
