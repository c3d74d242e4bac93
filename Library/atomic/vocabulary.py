"""The closed sets of words: kinds of groups, phases, outcomes, statuses, purposes, order types, causes.

Texts, so that a journal reads as it is written; every word that decides something is in one of these.
"""

from __future__ import annotations

from enum import StrEnum


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


#: kinds whose exits follow what is held (brackets, and exits of positions that stood already)
PROTECTED_KINDS = frozenset({Kind.BRACKET, Kind.EXITS})


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
    #: given up with something left, a person was alerted: what a held group is shown as (`GroupState.stands_as`)
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
#: asked to end, and not ended
GOING = frozenset({ChildStatus.CANCELING, ChildStatus.QUARANTINED})


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
