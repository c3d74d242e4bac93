"""One cancels other, one updates other, one triggers other, with LEAN's vocabulary, on the core of the groups.

A mixin of the executor, like `brackets`: orders that are sent, or that work already, become a contingent set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from . import given
from .admission import Admission
from .bracket_terms import ContingentOrder, whole
from .linking import resting, row_of, take_over
from .protect.contingent import Member, exits_row
from .vocabulary import Kind
from .wiring import subscribed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .bracket import AtomicBracket
    from .model import LegSpec
    from .policy import Policy


class ContingentSets(Admission):
    """The helpers; mixed into `AtomicOrderExecutor`."""

    def one_cancels_other(self, orders: Sequence[ContingentOrder], *, policy: Policy | None = None,
                          note: str = "") -> AtomicBracket:  # fmt: skip
        """The first order that fills, even in part, cancels the others; what they filled on the way is reversed.

        Raises:
            ValueError: fewer than two orders, or an order without meaning; nothing was sent.
        """
        return self._contingent("oco", orders, policy, note)

    def one_updates_other(self, orders: Sequence[ContingentOrder], *, policy: Policy | None = None,
                          note: str = "") -> AtomicBracket:  # fmt: skip
        """A fill of one order reduces the others in proportion. Raises as `one_cancels_other`."""
        return self._contingent("ouo", orders, policy, note)

    def one_triggers_other(self, parent: ContingentOrder, children: Sequence[ContingentOrder], *,
                           policy: Policy | None = None, note: str = "") -> AtomicBracket:  # fmt: skip
        """Children work for the filled part of the parent, and stay when its rest is cancelled. Raises as above."""
        return self._contingent("oto", [parent, *given.many(children, "children")], policy, note)

    def link_oco(self, orders: Sequence[Any], *, policy: Policy | None = None, note: str = "") -> AtomicBracket:
        """Orders of this algorithm that work already cancel each other from now on: the first that fills, even in part.

        The orders are not touched; later they are cancelled, watched and remembered over a restart like those that
        `one_cancels_other` sends. `AtomicBracket.unlink` lets them go on by themselves.

        Args:
            orders: LEAN order tickets or order ids of limit, stop-market or stop-limit orders.
            policy: as in `bracket_order`.
            note: as in `bracket_order`.

        Raises:
            ValueError: fewer than two orders, one that does not work or has filled, one of a group of ours, or one in a
                contract whose holdings do not add up; nothing was changed.
        """
        shell = self.shell
        if shell.gates.shut:
            raise ValueError(f"nothing can be linked now: {'; '.join(shell.gates.shut.values())}")
        found = resting(given.many(orders, "orders"), shell)
        legs = list({o.symbol: self.leg(o.handle.symbol) for o in found}.values())
        for leg in legs:
            unexplained = shell.outside.closed_contracts.get(leg.symbol)
            if unexplained:
                raise ValueError(f"{leg.name or leg.symbol}: {unexplained}: settle that before you link orders")
            if problem := subscribed(self._gateway, leg):
                raise ValueError(problem)
        group, handle = self._new_group(
            legs, 1, "oco", policy=policy, note=note, kind=Kind.CONTINGENT, exits=row_of(found, legs)
        )
        shell.do(lambda: take_over(group, found, shell))
        return cast("AtomicBracket", handle)

    def _contingent(self, form: str, orders: Sequence[ContingentOrder], policy: Policy | None, note: str
                    ) -> AtomicBracket:  # fmt: skip
        legs: list[LegSpec] = []
        index: dict[str, int] = {}
        members: list[Member] = []
        for order in given.many(orders, "orders"):
            given.one_of(order, ContingentOrder, "order")
            leg = self.leg(order.symbol, 1)
            if leg.symbol not in index:
                index[leg.symbol] = len(legs)
                legs.append(leg)
            quantity = whole(order.quantity)
            limit = given.number(order.limit_price, "limit_price", low=0)
            stop = given.number(order.stop_price, "stop_price", low=0)
            members.append(Member(index[leg.symbol], quantity, order.type, limit, stop))
        row = exits_row(form, members)
        handle = self._open(legs, 1, form, policy=policy, note=note, kind=Kind.CONTINGENT, exits=row)
        return cast("AtomicBracket", handle)
