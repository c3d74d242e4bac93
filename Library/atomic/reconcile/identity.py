"""Which order of the broker is which of ours: tag, then brokerage id, then fingerprint.

LEAN gives restored orders new ids, and brokerages drop tags (LEAN_ENGINE: no tag round trip in the IB, Tastytrade
and TradeStation plugins). Brokerage ids may be given again by another session, so an id alone is believed only where
contract and side agree. A fingerprint is contract, signed quantity, type and prices; when several orders share one,
any pairing is right only if they are equal in all that matters, else the submission time must tell them apart, else
the match is ambiguous and nobody gets the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..journal import group_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..ports import BrokerOrder
    from .terms import Known

#: seconds between an order's sending and the time the broker shows, beyond which time is no evidence
_NEAR = 10.0
_TYPES = frozenset({"market", "limit", "stop_market", "stop_limit"})


class Match(NamedTuple):
    """One pair and what it rests on."""

    known: Known
    order: BrokerOrder
    how: str


class Matched(NamedTuple):
    """All pairs, what is left over, and what nobody can tell."""

    pairs: list[Match]
    #: our orders that no broker order answers
    unseen: list[Known]
    #: broker orders that are none of ours
    others: list[BrokerOrder]
    #: (our orders, broker orders) that look the same and are not equal in what matters
    ambiguous: list[tuple[list[Known], list[BrokerOrder]]]


def identify(known: Iterable[Known], orders: Iterable[BrokerOrder], *, by_lean_id: bool) -> Matched:
    """Pair our orders with the broker's.

    Args:
        known: our orders that may still fill.
        orders: the broker's open orders.
        by_lean_id: LEAN's ids are of this process (a sweep); False after a restart.
    """
    left, rest = list(known), list(orders)
    pairs: list[Match] = []
    if by_lean_id:
        _pair(pairs, left, rest, "lean_id", lambda k, o: k.order.lean_id == o.lean_id != 0 and _same(k, o))
    _pair(pairs, left, rest, "tag", lambda k, o: k.order.tag == o.tag != "" and _same(k, o))
    _pair(pairs, left, rest, "broker_id", _same_broker_id)
    ambiguous = _fingerprints(pairs, left, rest)
    torn_known = {k.key for group, _ in ambiguous for k in group}
    torn_orders = {id(o) for _, group in ambiguous for o in group}
    return Matched(
        pairs,
        [k for k in left if k.key not in torn_known],
        [o for o in rest if id(o) not in torn_orders],
        ambiguous,
    )


def _same(known: Known, order: BrokerOrder) -> bool:
    """Contract and side agree."""
    return known.symbol == order.symbol and known.order.quantity * order.quantity > 0


def _same_broker_id(known: Known, order: BrokerOrder) -> bool:
    ids = known.order.broker_ids
    return bool(ids) and not set(ids).isdisjoint(order.broker_ids) and looks_like(known, order)


def _pair(
    pairs: list[Match], left: list[Known], rest: list[BrokerOrder], how: str,
    agrees: Callable[[Known, BrokerOrder], bool],
) -> None:  # fmt: skip
    """Take out pairs that agree; one broker order answers one of ours."""
    for known in list(left):
        found = [order for order in rest if agrees(known, order)]
        if len(found) == 1:
            pairs.append(Match(known, found[0], how))
            left.remove(known)
            rest.remove(found[0])


def looks_like(known: Known, order: BrokerOrder) -> bool:
    """Contract, signed quantity (ordered, left, or as an unanswered update has it), type and prices agree."""
    own = known.order
    if not _same(known, order):
        return False
    terms = [(own.order_qty, own.limit, own.stop)]
    if own.asked is not None:
        terms.append((abs(own.asked[0]), own.asked[1], own.asked[2]))
    typed = order.type == own.type or order.type not in _TYPES
    tick = known.group.legs[own.leg].spec.tick
    for quantity, limit, stop in terms:
        size = abs(order.quantity) in (quantity, quantity - own.cum_qty)
        priced = own.bundle != 0 or (abs(order.limit - limit) < tick / 2 and abs(order.stop - stop) < tick / 2)
        if typed and size and priced:
            return True
    return False


def _fingerprints(
    pairs: list[Match], left: list[Known], rest: list[BrokerOrder]
) -> list[tuple[list[Known], list[BrokerOrder]]]:
    """Pair what looks the same; returns what cannot be told apart."""
    strangers = [order for order in rest if group_id_of(order.tag) is not None]
    free = [order for order in rest if order not in strangers]
    torn = []
    for members, orders in _components(left, free):
        chosen = _resolve(members, orders)
        if chosen is None:
            torn.append((members, orders))
            continue
        for known, order in chosen:
            pairs.append(Match(known, order, "fingerprint"))
            left.remove(known)
            rest.remove(order)
    return torn


def _components(left: list[Known], free: list[BrokerOrder]) -> list[tuple[list[Known], list[BrokerOrder]]]:
    """Groups of our orders and the broker's that could be each other."""
    edges = [[i for i, known in enumerate(left) if looks_like(known, order)] for order in free]
    seen: set[int] = set()
    found = []
    for start, linked in enumerate(edges):
        if start in seen or not linked:
            continue
        members: set[int] = set(linked)
        orders = {start}
        grown = True
        while grown:
            grown = False
            for j, other in enumerate(edges):
                if j not in orders and not members.isdisjoint(other):
                    orders.add(j)
                    members.update(other)
                    grown = True
        seen |= orders
        found.append(([left[i] for i in sorted(members)], [free[j] for j in sorted(orders)]))
    return found


def _resolve(members: list[Known], orders: list[BrokerOrder]) -> list[tuple[Known, BrokerOrder]] | None:
    """A pairing that is right whichever is the true one, or None."""
    equal = len({_weight(known) for known in members}) == 1
    if len(members) == len(orders) and (len(members) == 1 or equal):
        return _in_time(members, orders)
    one_leg = len({(k.group.spec.group_id, k.order.leg, k.order.purpose) for k in members}) == 1
    if equal and one_leg and len(orders) < len(members):
        return _in_time(members, orders)
    return _by_time(members, orders)


def _weight(known: Known) -> tuple[int, int, int]:
    order = known.order
    return order.quantity, order.cum_qty, order.leaves_qty


def _in_time(members: list[Known], orders: list[BrokerOrder]) -> list[tuple[Known, BrokerOrder]]:
    """First with first: they are equal, so that any order would do; the newest of ours are the ones left over last."""
    late = sorted(members, key=lambda k: (k.order.intended_at, k.key), reverse=True)[: len(orders)]
    return list(zip(sorted(late, key=lambda k: (k.order.intended_at, k.key)), sorted(orders, key=_when), strict=True))


def _when(order: BrokerOrder) -> tuple[float, int]:
    return order.at, order.lean_id


def _by_time(members: list[Known], orders: list[BrokerOrder]) -> list[tuple[Known, BrokerOrder]] | None:
    """Pairs of which each is the only one near in time to the other, and which take every broker order."""
    chosen = []
    for order in orders:
        near = [k for k in members if abs((k.order.sent_at or k.order.intended_at) - order.at) <= _NEAR]
        if len(near) != 1:
            return None
        chosen.append((near[0], order))
    if len({known.key for known, _ in chosen}) != len(chosen):
        return None
    return chosen
