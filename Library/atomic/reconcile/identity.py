"""Which order of the broker is which of ours, as far as the order itself says: tag, brokerage id, looks.

LEAN gives restored orders new ids, and brokerages drop tags (no tag round trip in LEAN's IB, Tastytrade and
TradeStation plugins). Brokerage ids may be given again by another session, so an id alone is believed only where
contract, side, size and prices agree. What only looks alike is decided together with the holdings (`histories`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..journal import group_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..ports import BrokerOrder
    from .terms import Known

_TYPES = frozenset({"market", "limit", "stop_market", "stop_limit"})
#: seconds between an order's sending and the time the broker shows, beyond which they are hardly the same
_NEAR = 10.0


class Match(NamedTuple):
    """One pair and what it rests on."""

    known: Known
    order: BrokerOrder
    how: str


def identify(
    known: Iterable[Known], orders: Iterable[BrokerOrder], *, of_this_process: frozenset[tuple[str, int]]
) -> tuple[list[Match], list[Known], list[BrokerOrder]]:
    """Pairs that need no looks, our orders without one, and the broker's.

    Args:
        known: our orders that may still fill.
        orders: the broker's open orders.
        of_this_process: keys of orders that this process sent or took over: only their LEAN ids mean something
            (LEAN counts from 1 again after a restart).
    """
    left, rest = list(known), list(orders)
    pairs: list[Match] = []
    _pair(pairs, left, rest, "lean_id",
          lambda k, o: k.key in of_this_process and k.order.lean_id == o.lean_id != 0 and _same(k, o))  # fmt: skip
    _pair(pairs, left, rest, "tag", lambda k, o: k.order.tag == o.tag != "" and _same(k, o))
    _pair(pairs, left, rest, "broker_id", _same_broker_id)
    return pairs, left, rest


def _same(known: Known, order: BrokerOrder) -> bool:
    """Contract and side agree."""
    return known.symbol == order.symbol and known.order.quantity * order.quantity > 0


def _same_broker_id(known: Known, order: BrokerOrder) -> bool:
    """An id that both have, and no tag of another group (another executor's: LEAN gives tags back within a process)."""
    if group_id_of(order.tag) not in (None, known.group.spec.group_id):
        return False
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
    """Contract, side, type and prices agree, and the size is that of the order or of a rest of it."""
    own = known.order
    if not _same(known, order) or (order.type != own.type and order.type in _TYPES):
        return False
    tick = known.group.legs[own.leg].spec.tick
    terms = [(own.limit, own.stop)] if own.asked is None else [(own.limit, own.stop), own.asked[1:]]
    priced = own.bundle != 0 or any(
        abs(order.limit - limit) < tick / 2 and abs(order.stop - stop) < tick / 2 for limit, stop in terms
    )
    return priced and bool(spans(known, order))


def contradicts(known: Known, order: BrokerOrder) -> bool:
    """True when both have brokerage ids and share none: hardly the same order, unless the brokerage renumbers."""
    ids = known.order.broker_ids
    return bool(ids) and bool(order.broker_ids) and set(ids).isdisjoint(order.broker_ids)


def apart(known: Known, order: BrokerOrder) -> float:
    """Seconds between the sending and the time the broker shows."""
    return abs((known.order.sent_at or known.order.intended_at) - order.at)


def in_time(known: Known, order: BrokerOrder) -> bool:
    """True when the time the broker shows is that of the sending."""
    return apart(known, order) <= _NEAR


def spans(known: Known, order: BrokerOrder) -> list[tuple[int, int]]:
    """How many more contracts than journaled the order can have filled if this is what the broker shows of it.

    A broker restores an order whole (then any part of it may have filled, short of all: a complete order is not
    open), or the rest of it (then what is missing has filled, now or, where the journaled part is a guess, before).
    """
    own = known.order
    size = abs(order.quantity)
    found: list[tuple[int, int]] = []
    sizes = {own.order_qty} if own.asked is None else {own.order_qty, abs(own.asked[0])}
    for whole in sizes:
        left = whole - (0 if known.loose else own.cum_qty)
        least = max(0, order.filled - own.cum_qty)
        if size == whole:
            found.append((least, max(least, left - 1)))
        elif size < whole and (size < left or (size == left and own.cum_qty)):
            filled = left - size + order.filled
            found.append((0 if known.loose else filled, filled))
    return found
