"""Uncovered shorts of a mix of legs, as it was asked for and as it may stand while only some of its legs have filled.

Cover is an option of the same right and underlying that does not expire before the short, long shares for a short
call, short shares for a short put, and a long call for short shares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .structure import PayoffLeg, Right

Sequencing = Literal["protected", "together"]


@dataclass(frozen=True, slots=True)
class Naked:
    """Uncovered shorts in shares: what short calls, short puts and short shares leave open, each without its cover."""

    calls: float
    puts: float
    shares: float

    def contracts(self, multiplier: float = 100.0) -> float:
        """Uncovered short calls and puts in contracts of `multiplier` shares."""
        return (self.calls + self.puts) / multiplier

    def __bool__(self) -> bool:
        return bool(self.calls or self.puts or self.shares)


def naked(legs: Sequence[PayoffLeg]) -> Naked:
    """Uncovered shorts when every leg is filled."""
    stock = sum(leg.shares for leg in legs if leg.right == "S")
    calls, spare_calls = _uncovered(legs, "C", max(stock, 0.0))
    puts, _ = _uncovered(legs, "P", max(-stock, 0.0))
    return Naked(calls=calls, puts=puts, shares=max(-stock - spare_calls, 0.0))


def worst_naked(legs: Sequence[PayoffLeg], sequence: Sequencing = "together") -> Naked:
    """Worst uncovered shorts over the subsets of legs that may stand filled: the legging risk before a group is sent.

    `together`: any leg may fill first, and a leg may fill in part. `protected`: covering legs are filled before a
    short is sent. Each figure is the worst of its own kind; they need not occur together.
    """
    if sequence == "protected":
        return naked(legs)
    shorts = [leg for leg in legs if leg.quantity < 0]
    return Naked(
        calls=_sum(shorts, "C"),
        puts=_sum(shorts, "P"),
        shares=_sum(shorts, "S"),
    )


def _sum(shorts: Sequence[PayoffLeg], right: Right) -> float:
    return -sum(leg.shares for leg in shorts if leg.right == right)


def uncovered_contracts(legs: Sequence[PayoffLeg]) -> list[int]:
    """Contracts of each leg that are short without cover, in the order of the legs (rounded up; 0 for longs).

    Where cover does not reach, shorts that are further out of the money are left open first.
    """
    stock = sum(leg.shares for leg in legs if leg.right == "S")
    found = [0] * len(legs)
    for right, cover in (("C", max(stock, 0.0)), ("P", max(-stock, 0.0))):
        order = [at for at, leg in enumerate(legs) if leg.right == right]
        longs = sorted(((legs[at].expiry, legs[at].shares) for at in order if legs[at].quantity > 0), reverse=True)
        sign = 1 if right == "C" else -1
        shorts = [at for at in order if legs[at].quantity < 0]
        shorts.sort(key=lambda at: (legs[at].expiry, -sign * legs[at].strike), reverse=True)
        pool = 0.0
        for at in shorts:
            while longs and longs[0][0] >= legs[at].expiry:
                pool += longs.pop(0)[1]
            need = -legs[at].shares
            taken = min(pool, need)
            pool -= taken
            shares = min(cover, need - taken)
            cover -= shares
            found[at] = math.ceil((need - taken - shares) / legs[at].multiplier - 1e-9)
    return found


def _uncovered(legs: Sequence[PayoffLeg], right: Right, stock: float) -> tuple[float, float]:
    """Match shorts of one right with longs that live as long, latest expiry first; stock covers what is left.

    Returns the uncovered shares and the long shares that were not needed.
    """
    longs = sorted((leg for leg in legs if leg.right == right and leg.quantity > 0), key=_expiry, reverse=True)
    shorts = sorted((leg for leg in legs if leg.right == right and leg.quantity < 0), key=_expiry, reverse=True)
    pool = uncovered = 0.0
    at = 0
    for short in shorts:
        while at < len(longs) and longs[at].expiry >= short.expiry:
            pool += longs[at].shares
            at += 1
        need = -short.shares
        taken = min(pool, need)
        pool -= taken
        uncovered += need - taken
    spare = pool + sum(leg.shares for leg in longs[at:])
    return max(uncovered - stock, 0.0), spare


def _expiry(leg: PayoffLeg) -> str:
    return leg.expiry
