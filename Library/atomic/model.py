"""The nouns: what a leg, a child order and a group are. No behaviour beyond cheap views.

A *group* is a set of legs under one promise. Everything that is known about it came from facts
(`facts.py`); `facts.apply` is the only code that changes the mutable classes here. Quantities are whole
contracts or shares, prices are dollars per share, times are seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .vocabulary import (
    MAY_FILL,
    TERMINAL,
    ChildStatus,
    ChildType,
    HoldCause,
    Kind,
    Outcome,
    Phase,
    Purpose,
    RejectReason,
    Right,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .policy import Policy


@dataclass(frozen=True, slots=True)
class LegSpec:
    """One leg of a unit.

    Attributes:
        symbol: LEAN's security identifier as text (``str(symbol.id)``).
        ratio: signed contracts (or shares) of this leg in one unit; never 0.
        right: call, put or share.
        strike: dollars per share; 0 for shares.
        expiry: ISO date; empty for shares.
        underlying: security identifier text of the underlying (its own symbol for shares).
        multiplier: shares per contract; 1 for shares.
        tick: minimum price variation, dollars per share.
        name: what a person reads ("GOOG  151224C00750000").
    """

    symbol: str
    ratio: int
    right: Right
    strike: float = 0.0
    expiry: str = ""
    underlying: str = ""
    multiplier: float = 100.0
    tick: float = 0.01
    name: str = ""

    def __hash__(self) -> int:
        return hash((self.symbol, self.ratio))

    def row(self) -> list[Any]:
        """The leg as a JSON list, in field order."""
        return [
            self.symbol, self.ratio, self.right, self.strike, self.expiry,
            self.underlying, self.multiplier, self.tick, self.name,
        ]  # fmt: skip

    @classmethod
    def from_row(cls, row: list[Any]) -> LegSpec:
        """The inverse of `row`."""
        return cls(row[0], int(row[1]), Right(row[2]), *row[3:])


class Quote(NamedTuple):
    """What a decision may know of a contract's price; a missing side is 0."""

    bid: float
    ask: float
    #: last trade or LEAN's price; 0 when unknown
    last: float
    #: time of the newest bar or tick of this contract
    at: float
    #: market open for this contract
    open: bool = True
    bid_size: float = 0.0
    ask_size: float = 0.0


@dataclass(slots=True)
class ChildOrder:
    """One order of a group, from its journaled intent to its end.

    `quantity` is signed (LEAN's convention); `cum_qty` and `leaves_qty` are unsigned (FIX).
    """

    number: int
    leg: int
    purpose: Purpose
    #: step of the price ladder, or exit index for brackets
    rung: int
    quantity: int
    type: ChildType
    limit: float
    stop: float
    tag: str
    #: number of the native combo this order belongs to; 0 for an independent order
    bundle: int
    intended_at: float
    status: ChildStatus = ChildStatus.INTENDED
    cum_qty: int = 0
    avg_px: float = 0.0
    fees: float = 0.0
    #: filled before this process adopted the order (a restored LEAN ticket starts at 0)
    base: int = 0
    lean_id: int = 0
    broker_ids: tuple[str, ...] = ()
    sent_at: float = 0.0
    ended_at: float = 0.0
    #: when the newest cancel was asked for; 0 when none is pending
    cancel_at: float = 0.0
    #: cancels that were refused, and when the newest was
    cancel_refusals: int = 0
    cancel_refused_at: float = 0.0
    reject: RejectReason | None = None
    reason: str = ""
    #: terms (signed quantity, limit, stop) of an update that was asked for and not answered
    asked: tuple[int, float, float] | None = None
    #: when the newest update was asked for
    asked_at: float = 0.0
    #: updates that were refused
    replace_refusals: int = 0

    @property
    def side(self) -> int:
        """+1 buys, -1 sells."""
        return 1 if self.quantity > 0 else -1

    @property
    def order_qty(self) -> int:
        """Ordered contracts, unsigned."""
        return abs(self.quantity)

    @property
    def largest_qty(self) -> int:
        """Ordered contracts, unsigned, as the venue may have them: an unanswered update counts if it is larger."""
        quantity = abs(self.quantity)
        return quantity if self.asked is None else max(quantity, abs(self.asked[0]))

    @property
    def leaves_qty(self) -> int:
        """Contracts that may still fill, unsigned; 0 once terminal. An unanswered update counts as taken if larger."""
        if self.status in TERMINAL:
            return 0
        left = abs(self.quantity) - self.cum_qty
        if self.asked is not None:
            left = max(left, abs(self.asked[0]) - self.cum_qty)
        return left if left > 0 else 0

    @property
    def net(self) -> int:
        """Signed filled contracts."""
        return self.cum_qty if self.quantity > 0 else -self.cum_qty

    @property
    def may_fill(self) -> bool:
        """True while a fill is possible as far as we know."""
        return self.status in MAY_FILL


@dataclass(slots=True)
class LegState:
    """What a group holds of one leg: its own share, not the account's."""

    spec: LegSpec
    #: own share, signed: sum of child fills plus what expiry, assignment or foreign trades moved
    net: int = 0
    #: signed dollars paid (+) or received (-) for fills, multiplier included, fees excluded
    cost: float = 0.0
    #: average entry price of what is held now, dollars per share; 0 when nothing is held
    avg: float = 0.0
    #: contracts that orders which may still fill would buy / sell (unsigned)
    buying: int = 0
    selling: int = 0
    #: signed contracts that moved without an order of the group (foreign trade, assignment, margin call ...)
    moved: int = 0
    #: ended by expiry, exercise or assignment
    settled: bool = False
    settlement: float = 0.0

    @property
    def high(self) -> int:
        """Largest net if everything that may buy fills and nothing that sells."""
        return self.net + self.buying

    @property
    def low(self) -> int:
        """Smallest net if everything that may sell fills and nothing that buys."""
        return self.net - self.selling


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """What was asked: fixed at creation, journaled before the first order.

    Attributes:
        group_id: name + persisted counter, unique over restarts ("condor-000017").
        kind: the promise.
        strategy: what a person calls it ("iron_condor").
        legs: the legs of one unit.
        units: complete sets asked for (contracts per leg = ratio * units).
        created_at: seconds UTC.
        policy: how to open, give up, close.
        exits: for brackets: the exit plan as JSON-able mapping (`protect.ExitPlan.row()`), else empty.
        limit_net: limit on the net price of one unit in dollars per share, debit positive, credit
            negative; None for none.
        note: free text of the owner, kept in the audit.
    """

    group_id: str
    kind: Kind
    strategy: str
    legs: tuple[LegSpec, ...]
    units: int
    created_at: float
    policy: Policy
    exits: Mapping[str, Any] = field(default_factory=dict)
    limit_net: float | None = None
    note: str = ""


class Deadline(NamedTuple):
    """A moment at which the group must be looked at again."""

    at: float
    why: str


@dataclass(slots=True, eq=False)
class GroupState:
    """All that is known of one group. Changed by `facts.apply` only.

    The list `facts` is the truth; every other field is a fold of it and can be rebuilt.
    """

    spec: GroupSpec
    legs: list[LegState]
    facts: list[Any] = field(default_factory=list, init=False)
    phase: Phase = Phase.PLANNED
    outcome: Outcome = Outcome.NONE
    orders: dict[int, ChildOrder] = field(default_factory=dict, init=False)
    #: orders that may still fill, by number (a view kept by `facts`)
    live: dict[int, ChildOrder] = field(default_factory=dict, init=False)
    next_number: int = 1
    #: units every leg should go to: spec.units while opening, k while unwinding, 0 while closing
    target: int = 0
    #: the first full opening was reached at (0 = never)
    opened_at: float = 0.0
    ended_at: float = 0.0
    #: highest wave that was entered while opening (0 = none)
    wave: int = 0
    #: end of the present wave's wait (0 = none)
    deadline: float = 0.0
    #: rung per (leg, purpose): (rung, price, entered at)
    rungs: dict[tuple[int, Purpose], tuple[int, float, float]] = field(default_factory=dict, init=False)
    #: failed attempts per (leg, purpose), and no new order of it before this time
    attempts: dict[tuple[int, Purpose], int] = field(default_factory=dict, init=False)
    retry_at: dict[tuple[int, Purpose], float] = field(default_factory=dict, init=False)
    #: orders that ended against our will (rejected, expired, canceled unasked) and were not decided upon yet
    failures: dict[int, ChildOrder] = field(default_factory=dict, init=False)
    #: orders ever intended, and how many of them only reduced or protected
    sends: int = 0
    reducing_sends: int = 0
    #: dollars of price given up so far while unwinding (fees included)
    rollback_cost: float = 0.0
    fees: float = 0.0
    #: emergency reduction is on: market orders, budget ignored
    emergency: bool = False
    held: HoldCause | None = None
    held_why: str = ""
    #: phase to come back to when released
    held_from: Phase = Phase.PLANNED
    #: why the target was lowered (timeout, rejected leg, operator, restart ...)
    reason: str = ""
    #: native combo is still to be tried / was refused for capability
    native_refused: bool = False
    #: the owner's sequence of levels and decisions of protected groups (`protect.py`)
    memory: dict[str, Any] = field(default_factory=dict, init=False)
    #: what `plan` derived from the legs (cover lines, waves); a memo, not state
    shape: Any = None
    #: exit plan of a protected group as decoded, and its exposure with the number of facts it rests on, kept by
    #: `protect.view`
    exit_plan: Any = None
    view: Any = None

    @property
    def group_id(self) -> str:
        """The group's id."""
        return self.spec.group_id

    @property
    def stands_as(self) -> Outcome:
        """How it ended or stands: failed while it is held because the broker refused beyond the caps."""
        refused = self.phase is Phase.HELD and self.held is HoldCause.REFUSED_BEYOND_CAPS
        return Outcome.FAILED if refused else self.outcome

    @property
    def units_held(self) -> int:
        """Complete units the legs hold now (0 when a leg has nothing)."""
        return min((max(0, leg.net * (1 if leg.spec.ratio > 0 else -1)) // abs(leg.spec.ratio) for leg in self.legs if leg.spec.ratio), default=0)  # noqa: E501

    @property
    def is_flat(self) -> bool:
        """True when no leg holds anything."""
        for leg in self.legs:  # noqa: SIM110 - a generator costs three times the loop
            if leg.net:
                return False
        return True


def new_group(spec: GroupSpec) -> GroupState:
    """A group of which nothing happened yet."""
    return GroupState(spec, [LegState(leg) for leg in spec.legs])
