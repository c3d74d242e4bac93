"""What became of the orders of one contract: every history that fits what is seen, and what they have in common.

A history says which of our orders each order of the broker is, which orders have ended, and how much each has filled
since the journal was written. It fits when the fills add up to what the account moved. Where all that fit lead to the
same nets and the same living orders for a group, that is what happened as far as the group is concerned; where they
do not, the group is held. Histories in which somebody else's order looks like ours, or in which a stranger's trade
hides in our fills, are believed only when no other fits.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from ..vocabulary import PROTECTED_KINDS
from .identity import apart, contradicts, in_time, looks_like, spans

if TYPE_CHECKING:
    from ..ports import BrokerOrder
    from .terms import Known

    #: one way to see an order: (order, least, most, alive)
    Reading = tuple[Known, int, int, bool]
    #: what decides the next step of a group: net per leg, living orders with what they may still fill
    Consequence = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int, int], ...]]

#: more arrangements than this are not looked through: nobody can tell
_MOST = 5000


class Solution(NamedTuple):
    """What the histories of one contract have in common."""

    #: broker orders that are ours by their looks
    pairs: list[tuple[Known, BrokerOrder]]
    #: contracts filled unseen, by order
    fills: dict[tuple[str, int], int]
    #: groups for which histories that fit differ
    torn: set[str]
    #: signed contracts that no history explains
    rest: int
    #: protected groups whose nets are certain while the rests of their living orders are not
    loose: frozenset[str] = frozenset()


class _History(NamedTuple):
    pairs: list[tuple[Known, BrokerOrder]]
    fills: dict[tuple[str, int], int]
    consequences: dict[str, Consequence]
    #: what each shown order can still fill (-1: unclear), and whose it is
    left: list[tuple[int, str]]


def solve(
    paired: list[tuple[Known, BrokerOrder]], free: list[Known], shown: list[BrokerOrder], difference: int
) -> Solution:
    """Judge one contract.

    Args:
        paired: our orders whose broker order is known by tag or id.
        free: our other orders that may have filled.
        shown: the broker's other orders that look like at least one of `free`.
        difference: signed contracts by which the account is away from the journal.
    """
    everyone = {known.group.spec.group_id for known in (*free, *(known for known, _ in paired))}
    if any(contradicts(known, order) for known in free for order in shown):
        solution = _among(paired, free, shown, difference, own_ids=True)
        if solution is not None:
            return solution
    if not _arrangements(free, shown):
        return Solution([], {}, everyone, 0)  # more orders than ours look like ours, or too many to look through
    solution = _among(paired, free, shown, difference)
    if solution is not None:
        return solution
    least = {known.key: min([low for low, _ in spans(known, order)], default=0) for known, order in paired}
    rest = difference - sum(known.order.side * least[known.key] for known, _ in paired)
    alike = {k.group.spec.group_id for k in free if any(looks_like(k, order) for order in shown)}
    return Solution([], least, alike, rest)


def _among(
    paired: list[tuple[Known, BrokerOrder]], free: list[Known], shown: list[BrokerOrder], difference: int, *,
    own_ids: bool = False,
) -> Solution | None:  # fmt: skip
    """What fits among all arrangements, or, where that tears groups, among those that fit in time; None for nothing."""
    arrangements = _arrangements(free, shown, own_ids=own_ids)
    solution = _common(paired, free, arrangements, difference)
    if solution is not None and solution.torn and shown:
        timely = _arrangements(free, shown, near=True, own_ids=own_ids)
        solution = (timely and _common(paired, free, timely, difference)) or solution
    return solution


def _common(
    paired: list[tuple[Known, BrokerOrder]], free: list[Known], arrangements: list[list[tuple[Known, BrokerOrder]]],
    difference: int,
) -> Solution | None:  # fmt: skip
    """What all histories that fit agree on; None when none fits."""
    found: list[_History] = []
    torn: set[str] = set()
    between: set[str] = set()
    for pairs in arrangements:
        alive = {known.key for known, _ in pairs}
        gone: list[Reading] = [
            (k, 0, k.order.largest_qty if k.loose else k.order.leaves_qty, False) for k in free if k.key not in alive
        ]
        ways = [
            [(known, low, high, True) for low, high in spans(known, order) or [(0, 0)]]
            for known, order in (*paired, *pairs)
        ]
        for way in product(*ways):
            readings = [*way, *gone]
            divided = _divide(readings, difference)
            if divided is not None:
                fills, unclear = divided
                torn |= unclear
                if len(unclear) > 1:
                    between |= unclear
                left = [
                    (-1 if most > least and k.key[0] in unclear else k.order.leaves_qty - fills[k.key], k.key[0])
                    for k, least, most, _ in way
                ]
                found.append(_History(pairs, fills, _consequences(readings, fills), left))
    if not found:
        return None
    first = min(found, key=lambda history: _doubt(history.pairs))  # all do equally well
    for group_id, consequence in first.consequences.items():
        if any(history.consequences[group_id] != consequence for history in found):
            torn.add(group_id)
    for ticket in zip(*(history.left for history in found), strict=True):
        if len({left for left, _ in ticket}) > 1:
            torn.update(group_id for _, group_id in ticket)
    loose = _loose(torn - between, found, (*paired, *first.pairs), free)
    torn -= loose
    pairs = [pair for pair in first.pairs if pair[0].group.spec.group_id not in torn]
    unseen = {key: filled for key, filled in first.fills.items() if key[0] not in torn}
    return Solution(pairs, unseen, torn, 0, loose)


def _doubt(pairs: list[tuple[Known, BrokerOrder]]) -> tuple[int, int, int, int, float]:
    """How little speaks for orders matched by their looks.

    Never acknowledged, or by a guess only; of another size, so that a part must have filled unseen; sent and taken at
    different times; believed to have ended, where another one is waited for.
    """
    unknown = sum(not known.acknowledged or known.guessed for known, _ in pairs)
    parts = sum(abs(order.quantity) != known.order.order_qty for known, order in pairs)
    late = sum(not in_time(known, order) for known, order in pairs)
    ended = sum(known.order.number not in known.group.live for known, _ in pairs)
    return unknown, parts, late, ended, sum(apart(known, order) for known, order in pairs)


def _loose(
    torn: set[str], found: list[_History], shown: tuple[tuple[Known, BrokerOrder], ...], free: list[Known]
) -> frozenset[str]:
    """Brackets that need no person: every history gives the same net, and exits follow the net.

    Which of its exits has filled does not matter to a bracket; what is left of those that live is not certain, so
    they are to be replaced by orders whose size is known. Holding it instead would leave its fills unprotected.
    """
    kinds = {known.group.spec.group_id: known.group.spec.kind for known in (*(k for k, _ in shown), *free)}
    return frozenset(
        group_id
        for group_id in torn
        if kinds.get(group_id) in PROTECTED_KINDS and len({history.consequences[group_id][0] for history in found}) == 1
    )


def _arrangements(
    free: list[Known], shown: list[BrokerOrder], *, near: bool = False, own_ids: bool = False
) -> list[list[tuple[Known, BrokerOrder]]]:
    """Every way to give all shown orders to ours that look like them, equal ways once; none when they are too many.

    Args:
        free: our orders.
        shown: the broker's.
        near: only where the time the broker shows is that of the sending.
        own_ids: only where no brokerage id says otherwise.
    """
    options = []
    size = 1
    for order in shown:
        able = [k for k in free if looks_like(k, order) and not (own_ids and contradicts(k, order))]
        if near:
            able = [k for k in able if in_time(k, order)]
        options.append(able)
        size *= len(able)
    if size > _MOST:
        return []
    found: dict[tuple[tuple[str, int, int, int, int], ...], tuple[Any, list[tuple[Known, BrokerOrder]]]] = {}
    for chosen in product(*options):
        pairs = list(zip(chosen, shown, strict=True))
        if len({known.key for known in chosen}) == len(chosen):
            key, doubt = tuple(map(_weight, chosen)), _doubt(pairs)
            if key not in found or doubt < found[key][0]:
                found[key] = doubt, pairs
    return [pairs for _, pairs in found.values()]


def _weight(known: Known) -> tuple[str, int, int, int, int]:
    """Orders that agree in this are as good as one another."""
    order = known.order
    return known.group.spec.group_id, order.leg, order.quantity, order.cum_qty, order.leaves_qty


def _divide(readings: list[Reading], difference: int) -> tuple[dict[tuple[str, int], int], set[str]] | None:
    """Fills that add up to the difference, and the groups between which it cannot be divided in one way only.

    Two orders of one leg that have ended are as good as one; an order of another group, or one that still lives,
    is not. None when nothing adds up.
    """
    fills = {known.key: least for known, least, _, _ in readings}
    left = difference - sum(known.order.side * least for known, least, _, _ in readings)
    free = [reading for reading in readings if reading[2] > reading[1]]
    high = sum(r[2] - r[1] for r in free if r[0].order.side > 0)
    low = -sum(r[2] - r[1] for r in free if r[0].order.side < 0)
    if not low <= left <= high:
        return None
    torn: set[str] = set()
    if left not in (low, high):
        legs = {(known.group.spec.group_id, known.order.leg) for known, _, _, _ in free}
        if len(free) > 1 and (len(legs) > 1 or any(alive for _, _, _, alive in free)):
            torn = {group_id for group_id, _ in legs}
    side = 1 if left > 0 else -1
    # what is known to have ended takes first, then what may be on its way (whole before in part), then what lives: no
    # order is believed complete, or smaller than it may be, without need
    for known, least, most, _ in sorted(free, key=lambda r: (r[3], not r[0].acknowledged, r[2] - r[1] != abs(left))):
        if known.order.side == side and left:
            part = min(abs(left), most - least)
            fills[known.key] += part
            left -= side * part
    return fills, torn


def _consequences(readings: list[Reading], fills: dict[tuple[str, int], int]) -> dict[str, Consequence]:
    """Net per leg and living orders, for each group."""
    nets: dict[str, dict[int, int]] = {}
    alive: dict[str, list[tuple[int, int, int]]] = {}
    for known, _, _, lives in readings:
        group_id, order = known.group.spec.group_id, known.order
        filled = fills[known.key]
        legs = nets.setdefault(group_id, {})
        legs[order.leg] = legs.get(order.leg, 0) + order.side * filled
        if lives:
            alive.setdefault(group_id, []).append((order.leg, order.side, order.leaves_qty - filled))
    return {
        group_id: (tuple(sorted(legs.items())), tuple(sorted(alive.get(group_id, ()))))
        for group_id, legs in nets.items()
    }
