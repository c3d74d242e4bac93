"""The nouns: what a leg, a child order and a group are. No behaviour beyond cheap views.

A *group* is a set of legs under one promise. Everything that is known about it came from facts
(`facts.py`); `facts.apply` is the only code that changes the mutable classes here. Quantities are whole
contracts or shares, prices are dollars per share, times are seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .policy import Policy


class Right(StrEnum):
    """What a leg gives a right to."""

    #: call option
    CALL = "C"
    #: put option
    PUT = "P"
    #: the underlying itself (equity leg of a covered call or collar, delivered shares)
    SHARE = "S"


class Kind(StrEnum):
    """The promise of a group."""

    #: all legs or none
    ALL_OR_NONE = "all_or_none"
    #: an entry whose filled quantity is always protected by exits (bracket, OTO)
    BRACKET = "bracket"
    #: exits for a position that exists already (OCO, OUO)
    EXITS = "exits"
    #: orders that cancel, update or trigger one another (OCO, OUO, OTO)
    CONTINGENT = "contingent"


class Phase(StrEnum):
    """Life of a group; computed by `facts`, never set elsewhere."""

    #: known, nothing was sent
    PLANNED = "planned"
    #: legs are being filled
    OPENING = "opening"
    #: every leg holds what was promised
    OPEN = "open"
    #: going back to fewer units after a failure; the target never rises
    UNWINDING = "unwinding"
    #: going to zero because the owner asked
    CLOSING = "closing"
    #: nothing may fill any more and the group's own share is settled
    CLOSED = "closed"
    #: a person must decide; only what protects or reduces is sent
    HELD = "held"


class Outcome(StrEnum):
    """How a group ended (or stands, for COMPLETE and PARTIAL_UNITS)."""

    #: no outcome yet
    NONE = ""
    #: all units of all legs are held
    COMPLETE = "complete"
    #: fewer complete units than asked are held; the rest was unwound
    PARTIAL_UNITS = "partial_units"
    #: opened in part, went back to nothing
    ROLLED_BACK = "rolled_back"
    #: refused before anything was sent
    REFUSED = "refused"
    #: was complete, then closed on request
    CLOSED = "closed"
    #: legs ended by expiry, exercise or assignment
    EXPIRED = "expired"
    #: given up with something left; a person was alerted
    FAILED = "failed"


class ChildStatus(StrEnum):
    """Life of a child order."""

    #: journaled, not known to have left
    INTENDED = "intended"
    #: LEAN was called
    SENT = "sent"
    #: the broker has it
    WORKING = "working"
    #: filled in part, the rest works
    PARTIAL = "partial"
    #: a cancel was asked for and not refused; may still fill
    CANCELING = "canceling"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    #: intended, never sent
    WITHDRAWN = "withdrawn"
    #: can neither be filled nor ended as far as we can see; counts as may-fill
    QUARANTINED = "quarantined"


#: nothing more is expected; a late fill is legal all the same ("fill beats cancel")
TERMINAL = frozenset(
    {ChildStatus.FILLED, ChildStatus.CANCELED, ChildStatus.REJECTED, ChildStatus.EXPIRED, ChildStatus.WITHDRAWN}
)
#: may still fill: occupies its slot and counts as filled wherever safety is judged
MAY_FILL = frozenset(
    {
        ChildStatus.INTENDED,
        ChildStatus.SENT,
        ChildStatus.WORKING,
        ChildStatus.PARTIAL,
        ChildStatus.CANCELING,
        ChildStatus.QUARANTINED,
    }
)
#: the broker confirmed that it works
WORKING = frozenset({ChildStatus.WORKING, ChildStatus.PARTIAL})
#: phases in which nothing is left to do unless something happens
RESTING = frozenset({Phase.OPEN, Phase.CLOSED, Phase.HELD})


class Purpose(StrEnum):
    """Why a child order exists; part of its slot and of its tag."""

    #: takes a leg towards its promised quantity
    OPEN = "open"
    #: takes a leg back after a failure
    UNWIND = "unwind"
    #: takes a leg to zero because the owner asked
    CLOSE = "close"
    #: opens the position that a bracket protects
    ENTRY = "entry"
    #: protective stop (tag ``sl-``)
    STOP = "sl"
    #: profit target (tag ``tp-``)
    TARGET = "tp"
    #: reverses what exits filled too much
    EXCESS = "excess"
    #: market reduction when everything else failed
    EMERGENCY = "emergency"


#: purposes that only reduce or protect; breakers, pauses, caps and budgets never block them
REDUCING = frozenset(
    {Purpose.UNWIND, Purpose.CLOSE, Purpose.STOP, Purpose.TARGET, Purpose.EXCESS, Purpose.EMERGENCY}
)


class ChildType(StrEnum):
    """Order types the core uses, by LEAN's names."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"
    STOP_LIMIT = "stop_limit"


class RejectReason(StrEnum):
    """Why an order was refused, as far as the message tells (`bridge.classify_reject`)."""

    #: the venue does not take this kind of order or combo
    CAPABILITY = "capability"
    #: not enough buying power
    MARGIN = "margin"
    #: a price is missing, zero or off the grid
    PRICE = "price"
    #: the market is closed
    SESSION = "session"
    #: the broker reserves the position for another closing order
    RESERVED = "reserved"
    #: too many requests
    RATE = "rate"
    #: the contract is unknown, expired or not tradable
    INSTRUMENT = "instrument"
    UNKNOWN = "unknown"


class HoldCause(StrEnum):
    """Why a group is HELD; invariant 6 allows only these."""

    #: the broker refused beyond the caps
    REFUSED_BEYOND_CAPS = "refused_beyond_caps"
    #: two histories that fit the evidence need different actions
    AMBIGUOUS = "ambiguous"
    #: an order can neither be filled nor ended
    QUARANTINE = "quarantine"
    #: more filled than ordered, or the account disagrees with the journal
    BREAK = "break"
    #: refused because another group's short leans on our long
    LEANED_ON = "leaned_on"
    #: the owner or an operator asked
    REQUESTED = "requested"
    #: the policy for this situation is hold
    POLICY = "policy"
    #: our own fault, with the traceback in the log
    FAULT = "fault"


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
    def leaves_qty(self) -> int:
        """Contracts that may still fill, unsigned; 0 once terminal. An unanswered update counts as taken if larger."""
        if self.status in TERMINAL:
            return 0
        quantity = abs(self.quantity)
        if self.asked is not None:
            quantity = max(quantity, abs(self.asked[0]))
        return max(0, quantity - self.cum_qty)

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
    facts: list[Any] = field(default_factory=list)
    phase: Phase = Phase.PLANNED
    outcome: Outcome = Outcome.NONE
    orders: dict[int, ChildOrder] = field(default_factory=dict)
    #: orders that may still fill, by number (a view kept by `facts`)
    live: dict[int, ChildOrder] = field(default_factory=dict)
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
    rungs: dict[tuple[int, Purpose], tuple[int, float, float]] = field(default_factory=dict)
    #: failed attempts per (leg, purpose), and no new order of it before this time
    attempts: dict[tuple[int, Purpose], int] = field(default_factory=dict)
    retry_at: dict[tuple[int, Purpose], float] = field(default_factory=dict)
    #: orders that ended against our will (rejected, expired, canceled unasked) and were not decided upon yet
    failures: dict[int, ChildOrder] = field(default_factory=dict)
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
    memory: dict[str, Any] = field(default_factory=dict)
    #: operator acknowledged the newest alert
    acknowledged_at: float = 0.0
    #: what `plan` derived from the legs (cover lines, waves); a memo, not state
    shape: Any = None
    #: exposure of a protected group and the number of facts it rests on, kept by `protect.view`
    view: Any = None
    #: number of facts and whether new prices can change nothing, kept by `protect.at_rest`
    resting: tuple[int, bool] = (-1, False)

    @property
    def group_id(self) -> str:
        """The group's id."""
        return self.spec.group_id

    @property
    def units_held(self) -> int:
        """Complete units the legs hold now (0 when a leg has nothing)."""
        return min((max(0, leg.net * (1 if leg.spec.ratio > 0 else -1)) // abs(leg.spec.ratio) for leg in self.legs if leg.spec.ratio), default=0)  # noqa: E501

    @property
    def is_flat(self) -> bool:
        """True when no leg holds anything."""
        return all(leg.net == 0 for leg in self.legs)


def new_group(spec: GroupSpec) -> GroupState:
    """A group of which nothing happened yet."""
    return GroupState(spec, [LegState(leg) for leg in spec.legs])
