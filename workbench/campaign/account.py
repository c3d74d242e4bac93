"""The broker's side of the truth: orders, positions and fills that outlive the algorithm's process."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from atomic.ports import OrderRequest
    from atomic.vocabulary import ChildType

FEE = 0.65


class Fate(StrEnum):
    """Where an order stands at the broker."""

    #: LEAN has it, the broker has not answered
    NEW = "new"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def alive(self) -> bool:
        """True while the broker may fill it."""
        return self is Fate.NEW or self is Fate.WORKING


@dataclass(slots=True, eq=False)
class SimOrder:
    """One order as it truly is. `quantity` signed, `filled` unsigned, prices in dollars per share."""

    id: int
    group_id: str
    number: int
    symbol: str
    quantity: int
    type: ChildType
    limit: float
    stop: float
    tag: str
    purpose: str
    born: float
    combo: int = 0
    fate: Fate = Fate.NEW
    filled: int = 0
    value: float = 0.0
    cancel_pending: bool = False
    #: a cancel was accepted and forgotten: the broker answers it only when it must answer everything
    deaf: bool = False
    #: not shown by the broker before this time (in flight when the process stopped)
    hidden_until: float = 0.0
    #: filled after its end: no ticket is looked at for it any more
    late: bool = False
    #: LEAN's: sent by the algorithm past the executor
    by_hand: bool = False
    reason: str = ""
    why: str = ""
    #: terms of an update on its way
    asked: tuple[int, float, float] | None = None

    @property
    def leaves(self) -> int:
        """Contracts that may still fill, unsigned."""
        return max(0, abs(self.quantity) - self.filled) if self.fate.alive else 0

    @property
    def avg(self) -> float:
        """Average fill price."""
        return self.value / self.filled if self.filled else 0.0

    @property
    def side(self) -> int:
        """+1 buys, -1 sells."""
        return 1 if self.quantity > 0 else -1


class Witness(Protocol):
    """Who sees what truly happens, as it happens; the oracle is one."""

    def on_send(self, request: OrderRequest, order: SimOrder) -> None:
        """LEAN was called for this order."""

    def on_joined(self, order: SimOrder) -> None:
        """An order of the algorithm's own became a child of a group."""

    def on_fill(self, order: SimOrder, qty: int, price: float, lie: bool) -> None:
        """The broker filled `qty`; `lie` when it had no right to (after the end, or more than ordered)."""

    def on_change(self, order: SimOrder) -> None:
        """The order's fate changed."""

    def on_deaf(self, order: SimOrder) -> None:
        """A cancel was accepted and forgotten."""

    def on_exchange(self, one: SimOrder, other: SimOrder) -> bool:
        """Two orders are about to trade names; False when they can be told apart."""

    def on_settled(self, symbol: str) -> None:
        """A contract ended and was settled in cash."""

    def on_outside(self, symbol: str, delta: int, cause: str) -> None:
        """The account moved by nothing that we ordered."""


@dataclass(slots=True, eq=False)
class Account:
    """Orders and positions at the broker."""

    witness: Witness
    #: a position is reserved for the orders that close it
    reserves: bool = False
    #: LEAN's paper brokerage: its ids are LEAN's own, and every order ends with the process
    forgets: bool = False
    orders: list[SimOrder] = field(default_factory=list)
    live: dict[int, SimOrder] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    fees: float = 0.0
    rejections: int = 0

    def place(self, request: OrderRequest, now: float, combo: int = 0) -> SimOrder:
        """Record a new order; the witness judges the call."""
        order = SimOrder(
            len(self.orders) + 1, request.group_id, request.number, request.symbol, request.quantity, request.type,
            request.limit, request.stop, request.tag, "", now, combo,
        )  # fmt: skip
        self.orders.append(order)
        self.live[order.id] = order
        self.witness.on_send(request, order)
        return order

    def place_by_hand(
        self, symbol: str, quantity: int, type: ChildType, limit: float, stop: float, now: float
    ) -> SimOrder:
        """Record an order that the algorithm sent by itself; nobody's group has it."""
        order = SimOrder(
            len(self.orders) + 1, "", 0, symbol, quantity, type, limit, stop, "my own", "entry", now, by_hand=True
        )
        self.orders.append(order)
        self.live[order.id] = order
        return order

    def join(self, order: SimOrder, group_id: str, number: int) -> None:
        """It is child order `number` of a group from now on."""
        order.group_id, order.number = group_id, number
        self.witness.on_joined(order)

    def exchange(self, order: SimOrder, group_id: str, number: int) -> None:
        """An order is taken for another one that is its equal in everything an account shows.

        Without tags nobody can know better, and a history in which the two have each other's names fits all that was
        ever told; from here on it is the true one. What was told otherwise is still judged: it does not fit then.
        """
        twin = next((o for o in self.orders if (o.group_id, o.number) == (group_id, number)), None)
        if twin is None or twin is order or _looks(twin) != _looks(order):
            return
        if not self.witness.on_exchange(order, twin):
            return
        for name in ("group_id", "number", "tag"):
            mine, others = getattr(order, name), getattr(twin, name)
            setattr(order, name, others)
            setattr(twin, name, mine)

    def accept(self, order: SimOrder) -> None:
        """The broker took it."""
        if order.fate is Fate.NEW:
            order.fate = Fate.WORKING

    def fill(self, order: SimOrder, qty: int, price: float) -> None:
        """Fill `qty` contracts; legal for an ended order and beyond its quantity: brokers do it."""
        lie = qty > order.leaves
        self.accept(order)
        order.filled += qty
        order.value += qty * price
        self.fees += qty * FEE
        self.positions[order.symbol] = self.positions.get(order.symbol, 0) + order.side * qty
        if order.fate.alive and order.filled >= abs(order.quantity):
            self.end(order, Fate.FILLED)
        self.witness.on_fill(order, qty, price, lie)

    def end(self, order: SimOrder, fate: Fate, reason: str = "", why: str = "") -> None:
        """End an order."""
        order.fate, order.reason, order.why = fate, reason, why
        order.cancel_pending = order.deaf = False
        order.asked = None
        self.live.pop(order.id, None)
        if fate is Fate.REJECTED:
            self.rejections += 1
        self.witness.on_change(order)

    def is_reserved(self, order: SimOrder) -> bool:
        """True when other orders already close what this one would, and the broker minds."""
        held = self.positions.get(order.symbol, 0)
        if not self.reserves or held * order.quantity >= 0:
            return False
        others = [o for o in self.live.values() if o is not order and o.symbol == order.symbol and o.side == order.side]
        return abs(order.quantity) + sum(o.leaves for o in others) > abs(held)

    def siblings(self, order: SimOrder) -> list[SimOrder]:
        """The orders that share its fate at the broker: its combo, or itself while it lives."""
        if not order.combo:
            return [order] if order.fate.alive else []
        return [o for o in self.live.values() if o.combo == order.combo]

    def outside(self, symbol: str, delta: int, cause: str) -> None:
        """Move the position by something that is no order of ours."""
        self.positions[symbol] = self.positions.get(symbol, 0) + delta
        self.witness.on_outside(symbol, delta, cause)

    def settle(self, symbol: str) -> None:
        """A contract ends: what stood in it is settled in cash."""
        self.positions[symbol] = 0
        self.witness.on_settled(symbol)


def _looks(order: SimOrder) -> tuple[str, int, str, float, float, str]:
    """What an account shows of an order without its tag, and what it was for."""
    return order.symbol, order.quantity, str(order.type), order.limit, order.stop, order.purpose
