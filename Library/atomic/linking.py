"""Orders that work already become one-cancels-other, and are let go of again.

Everything is checked before anything changes; the orders themselves are not touched until one of them fills.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import facts as f
from . import given
from .diff import tag_of
from .protect.contingent import Member, exits_row
from .vocabulary import ChildType, Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import GroupState, LegSpec
    from .ports import BrokerOrder
    from .shell import Shell

_TYPES = frozenset({ChildType.LIMIT, ChildType.STOP_MARKET, ChildType.STOP_LIMIT})


def resting(orders: Sequence[Any], shell: Shell) -> list[BrokerOrder]:
    """The orders at the broker that are meant.

    Args:
        orders: LEAN order tickets, or LEAN order ids.
        shell: knows the groups, whose orders are not for linking.

    Raises:
        ValueError: fewer than two, one twice, one that does not work any more, has filled already, belongs to a group
            of ours, or is of a type that cannot wait at a price.
    """
    if len(orders) < 2:
        raise ValueError(f"link_oco needs at least two orders, got {len(orders)}")
    shown = {order.lean_id: order for order in shell.gateway.open_orders()}
    ours = {
        order.lean_id: group.spec.group_id for group in shell.groups.values() for order in group.live.values()
    }
    found: dict[int, BrokerOrder] = {}
    for which in orders:
        try:
            number = given.whole(getattr(which, "order_id", which), "order")
        except ValueError:
            raise ValueError(f"{which!r} is no order: give LEAN order tickets or order ids") from None
        order = shown.get(number)
        if number in found:
            raise ValueError(f"order {number} is given twice")
        if order is None:
            raise ValueError(f"order {number} does not work: link orders that are open")
        if number in ours:
            raise ValueError(f"order {number} belongs to group {ours[number]}: it has its links already")
        if order.filled:
            raise ValueError(f"order {number} has filled {order.filled} already: link orders before they fill")
        if order.type not in _TYPES:
            raise ValueError(f"order {number} is a {order.type} order: link limit, stop-market and stop-limit orders")
        found[number] = order
    return list(found.values())


def row_of(orders: Sequence[BrokerOrder], legs: Sequence[LegSpec]) -> dict[str, object]:
    """The plan of the set, each order a member on the leg of its contract."""
    index = {leg.symbol: number for number, leg in enumerate(legs)}
    members = [Member(index[o.symbol], o.quantity, ChildType(o.type), o.limit, o.stop) for o in orders]
    return exits_row("oco", members)


def take_over(group: GroupState, orders: Sequence[BrokerOrder], shell: Shell) -> None:
    """The orders are children of the group from now on; inside the pump."""
    group_id, now = group.spec.group_id, shell.now
    index = {leg.spec.symbol: number for number, leg in enumerate(group.legs)}
    shell.add(group)
    shell.apply(group, f.Opening(now, "orders that worked already"))
    for rung, order in enumerate(orders):
        number = group.next_number
        shell.apply(group, f.Intended(
            now, number, index[order.symbol], Purpose.ENTRY, rung, order.quantity, ChildType(order.type),
            order.limit, order.stop, tag_of(group_id, number, Purpose.ENTRY), 0,
        ))  # fmt: skip
        shell.apply(group, f.Sent(now, number))
    for number, order in enumerate(orders, 1):
        shell.gateway.adopt(group_id, number, order)
