"""What one process of the algorithm knows of the account: its tickets, LEAN's ids, and how far news of it arrived.

The account outlives the process; a new process starts with a new view, in which every order is somebody else's until
it is sent or adopted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.facts import Canceled, Expired, Filled, Identified, Rejected
from atomic.ports import BrokerOrder

from .account import FEE, Account, Fate, SimOrder

if TYPE_CHECKING:
    from collections.abc import Sequence


class ProcessView:
    """Tickets and holdings of one process.

    Attributes:
        tickets: (group, number) -> order, of what this process sent or adopted.
        holdings: contracts by symbol as far as events of them were delivered (LEAN live works so).
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.tickets: dict[tuple[str, int], SimOrder] = {}
        self.holdings: dict[str, int] = dict(account.positions)
        #: ids of orders that this process sent past the executor
        self.sent_by_hand: set[int] = set()
        self._names: dict[int, tuple[str, int]] = {}
        self._cum: dict[int, int] = {o.id: o.filled for o in account.orders}
        #: filled (and its value) before this process adopted the order: LEAN's restored tickets start at 0
        self._base: dict[int, int] = {}
        self._base_value: dict[int, float] = {}
        self._lean_ids: dict[int, int] = {}

    def bind(self, order: SimOrder, group_id: str, number: int) -> None:
        """The order is child order `number` of the group from now on."""
        self.tickets[(group_id, number)] = order
        self._names[order.id] = (group_id, number)

    def adopt(self, order: SimOrder) -> None:
        """The ticket of an earlier process's order counts from here; one of our own goes on counting."""
        if not self.knows(order):
            self._base[order.id], self._base_value[order.id] = order.filled, order.value
            self._cum[order.id] = order.filled

    def name(self, order: SimOrder) -> tuple[str, int] | None:
        """Group and number of the order, None when this process neither sent nor adopted it."""
        return self._names.get(order.id)

    def knows(self, order: SimOrder) -> bool:
        """True when this process sent or adopted the order."""
        return order.id in self._names

    # --- what arrived ------------------------------------------------------------------------------------

    def moved(self, symbol: str, delta: int) -> None:
        """The holding changed by `delta` contracts."""
        self.holdings[symbol] = self.holdings.get(symbol, 0) + delta

    def book(self, order: SimOrder, fact: Filled) -> int:
        """Take what is new in a fill event into the holdings; contracts that were new, unsigned, 0 for none."""
        before = self._cum.get(order.id, 0)
        delta = fact.cum_qty + self._base.get(order.id, 0) - before
        if delta <= 0:
            return 0
        self._cum[order.id] = before + delta
        self.moved(order.symbol, order.side * delta)
        return delta

    def lags(self, order: SimOrder) -> bool:
        """True when the order filled more than events said."""
        return order.filled > self._cum.get(order.id, 0)

    # --- what a ticket shows -----------------------------------------------------------------------------

    def identity(self, order: SimOrder, now: float) -> Identified:
        """LEAN's id from the start, the brokerage's from its acknowledgement on."""
        ids = () if order.fate is Fate.NEW else self._broker_ids(order)
        return Identified(now, order.number, self.lean_id(order), ids)

    def has_filled(self, order: SimOrder) -> bool:
        """True when the ticket of this process shows a fill."""
        return order.filled > self._base.get(order.id, 0)

    def filled(self, order: SimOrder, now: float) -> Filled:
        """Cumulative quantity and average price since this process has the order."""
        cum = order.filled - self._base.get(order.id, 0)
        value = order.value - self._base_value.get(order.id, 0.0)
        return Filled(now, order.number, cum, value / cum if cum else 0.0, cum * FEE)

    def end(self, order: SimOrder, now: float) -> Canceled | Rejected | Expired | None:
        """How the order ended, beyond its fills."""
        if order.fate is Fate.CANCELED:
            return Canceled(now, order.number)
        if order.fate is Fate.FILLED and order.id in self._base:
            # adopted: it is complete whatever was believed to have filled before (as the bridge says it)
            return Canceled(now, order.number, "complete at the broker")
        if order.fate is Fate.REJECTED:
            return Rejected(now, order.number, order.reason, order.why)
        if order.fate is Fate.EXPIRED:
            return Expired(now, order.number)
        return None

    def open_orders(self, now: float) -> Sequence[BrokerOrder]:
        """Open orders; identity is lost for what this process did not send or adopt."""
        return [self._shown(o) for o in self.account.live.values() if o.hidden_until <= now]

    def _shown(self, order: SimOrder) -> BrokerOrder:
        known = self.knows(order) or order.id in self.sent_by_hand
        return BrokerOrder(
            lean_id=self.lean_id(order),
            broker_ids=self._broker_ids(order),
            symbol=order.symbol,
            quantity=order.quantity,
            filled=order.filled - self._base.get(order.id, 0) if known else 0,
            type=order.type,
            limit=order.limit,
            stop=order.stop,
            tag=self._tag(order),
            at=order.born,
            handle=order,
        )

    def _tag(self, order: SimOrder) -> str:
        """What the gateway says of it: the child order it is to this process, whatever it was to the one before."""
        name = self.name(order)
        if name is None or name == (order.group_id, order.number):
            return order.tag if name else ""
        return f"{name[0]}:{name[1]}:taken-over"

    def _broker_ids(self, order: SimOrder) -> tuple[str, ...]:
        return (str(self.lean_id(order)) if self.account.forgets else f"B{order.id}",)

    def lean_id(self, order: SimOrder) -> int:
        """LEAN's number of the order in this process."""
        return self._lean_ids.setdefault(order.id, len(self._lean_ids) + 1)
