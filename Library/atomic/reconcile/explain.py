"""What filled while nobody looked: the difference between the account and the journal, given to orders.

The difference of a contract is holdings minus baseline minus the groups' nets. Orders that may have filled unseen can
explain it: those that the broker does not show any more (any part of what was left), and those it still shows (short
of all). It is given to them only when there is one way to do it as far as groups, legs and living orders are
concerned. What no order explains is a break.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .terms import Known


class Candidate(NamedTuple):
    """An order that may have filled unseen, and by how much (unsigned contracts beyond its journaled cum_qty)."""

    known: Known
    #: at least this much: the broker reports it
    least: int
    most: int
    #: the broker still shows it: what it filled decides what it can still fill
    alive: bool

    @property
    def side(self) -> int:
        """+1 buys, -1 sells."""
        return self.known.order.side


class Explained(NamedTuple):
    """Either fills for every candidate, or the candidates that fit in more than one way, or a rest."""

    fills: dict[tuple[str, int], int]
    #: candidates between which the difference cannot be divided in one way only
    torn: list[Candidate]
    #: signed contracts that no order explains
    rest: int


def explain(difference: int, candidates: list[Candidate]) -> Explained:
    """Divide a signed difference among candidates of one contract.

    What counts is each group's net of the leg, and what living orders filled. Two orders of one leg that are gone
    are as good as one; an order of another group, or one that still lives, is not.
    """
    fills = {c.known.key: c.least for c in candidates}
    left = difference - sum(c.side * c.least for c in candidates)
    free = [c for c in candidates if c.most > c.least]
    high = sum(c.most - c.least for c in free if c.side > 0)
    low = -sum(c.most - c.least for c in free if c.side < 0)
    if not low <= left <= high:
        return Explained(fills, [], left)
    if left in (low, high):
        for c in free:
            if c.side == (1 if left == high else -1) and left:
                fills[c.known.key] = c.most
        return Explained(fills, [], 0)
    legs = {(c.known.group.spec.group_id, c.known.order.leg) for c in free}
    if len(free) > 1 and (len(legs) > 1 or any(c.alive for c in free)):
        return Explained(fills, free, left)
    side = 1 if left > 0 else -1
    for c in free:
        if c.side == side and left:
            part = min(abs(left), c.most - c.least)
            fills[c.known.key] += part
            left -= side * part
    return Explained(fills, [], 0)
