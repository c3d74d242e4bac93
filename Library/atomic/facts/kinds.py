"""The facts: one immutable record for each thing that can happen to a group.

Every fact is a named tuple whose last field is its kind, so that a journal row is the tuple itself as a JSON
list. `at` is seconds UTC everywhere; `order` is the number of a child order within its group; `leg` is the
index of a leg within its group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: why an order ended that was found gone after a restart; filled or not, it was not refused
GONE = "the broker does not show it any more"
#: key of `GroupState.memory`: orders that were never acknowledged and are believed filled; the group does not end
#: before it is known that none of them can be shown any more
GUESSED = "guessed"
#: key of `GroupState.memory`: living orders of a bracket whose fills were divided by guess; its net is certain
LOOSE = "loose"
#: kinds of facts between a decision and the broker's first answer
SENDING = frozenset({"intended", "sent", "identified", "accepted", "taken"})
#: kinds by which a broker answers an order, and which imply that it was sent; `Taken` says one of them of several
ANSWERING = frozenset({"accepted", "filled", "rejected", "canceled", "expired"})
#: kinds that may leave the answer of a protected group as it is (`protect.heeds`)
QUIET = SENDING | {"cancel_asked"}

# --- what the broker said about a child order ----------------------------------------------------------


class Sent(NamedTuple):
    """LEAN was given this order and has not answered: recorded before the call in live trading, where answers come from
    another thread, and after it in a backtest, if the call itself brought no answer. An answer implies it.
    """

    at: float
    order: int
    kind: str = "sent"


class Identified(NamedTuple):
    """LEAN's order id and the brokerage's ids of an order became known."""

    at: float
    order: int
    lean_id: int
    broker_ids: tuple[str, ...]
    kind: str = "identified"


class Accepted(NamedTuple):
    """The broker has the order; it works."""

    at: float
    order: int
    kind: str = "accepted"


class Taken(NamedTuple):
    """The broker has these orders and said so within the calls that sent them (backtest): `Accepted`, of each."""

    at: float
    orders: tuple[int, ...]
    kind: str = "taken"


class Filled(NamedTuple):
    """Cumulative fill of an order: contracts, average price, total fees in dollars."""

    at: float
    order: int
    cum_qty: int
    avg_px: float
    fees: float
    kind: str = "filled"


class CancelAsked(NamedTuple):
    """A cancel was asked for and taken; the order may still fill."""

    at: float
    order: int
    why: str
    kind: str = "cancel_asked"


class CancelRefused(NamedTuple):
    """A cancel was answered with an error; the order still works."""

    at: float
    order: int
    code: int
    why: str
    kind: str = "cancel_refused"


class Canceled(NamedTuple):
    """The broker ended the order; what had filled stays filled."""

    at: float
    order: int
    why: str = ""
    kind: str = "canceled"


class Rejected(NamedTuple):
    """The broker or LEAN refused the order, at once or later (LEAN: INVALID)."""

    at: float
    order: int
    reason: str
    why: str
    kind: str = "rejected"


class Expired(NamedTuple):
    """The order ended by its time in force or with its contract."""

    at: float
    order: int
    why: str = ""
    kind: str = "expired"


class ReplaceAsked(NamedTuple):
    """An update in place was asked for and taken; the order may stand at the old or the new terms."""

    at: float
    order: int
    quantity: int
    limit: float
    stop: float
    kind: str = "replace_asked"


class ReplaceRefused(NamedTuple):
    """An update was refused; the order stands as it was."""

    at: float
    order: int
    why: str
    kind: str = "replace_refused"


class Replaced(NamedTuple):
    """The broker took an update: new signed quantity, limit and stop."""

    at: float
    order: int
    quantity: int
    limit: float
    stop: float
    kind: str = "replaced"


def taken_by(fact: Any) -> tuple[int, ...]:
    """Numbers of the orders that the broker has by this fact."""
    kind = type(fact)
    return fact.orders if kind is Taken else (fact.order,) if kind is Accepted else ()


def singly(facts: Iterable[Any]) -> list[Any]:
    """The facts with each that was said of several orders as one of each of them."""
    told: list[Any] = []
    for fact in facts:
        if type(fact) is Taken:
            told += [Accepted(fact.at, number) for number in fact.orders]
        else:
            told.append(fact)
    return told


# --- decisions that need memory ------------------------------------------------------------------------


class Opening(NamedTuple):
    """Checks passed; the group starts to open."""

    at: float
    why: str = ""
    kind: str = "opening"


class Refused(NamedTuple):
    """Refused before anything was sent; the text names check, value and limit."""

    at: float
    why: str
    kind: str = "refused"


class Wave(NamedTuple):
    """A wave of legs may work from now on, until the deadline (0 = not set yet)."""

    at: float
    wave: int
    deadline: float
    kind: str = "wave"


class Rung(NamedTuple):
    """A leg's price ladder entered a step; its orders rest at this price (0 = market)."""

    at: float
    leg: int
    purpose: str
    rung: int
    price: float
    kind: str = "rung"


class Intended(NamedTuple):
    """Write-ahead: this order is about to be sent. `quantity` is signed."""

    at: float
    order: int
    leg: int
    purpose: str
    rung: int
    quantity: int
    type: str
    limit: float
    stop: float
    tag: str
    bundle: int
    kind: str = "intended"


class Withdrawn(NamedTuple):
    """The intent was not sent (checked again and dropped), or was found nowhere after the quiet period."""

    at: float
    order: int
    why: str
    kind: str = "withdrawn"


class Quarantined(NamedTuple):
    """The order can neither be filled nor ended as far as we can see; it keeps its slot."""

    at: float
    order: int
    why: str
    kind: str = "quarantined"


class BaseSet(NamedTuple):
    """Contracts filled before this process adopted the order (LEAN restarts tickets at 0)."""

    at: float
    order: int
    base: int
    kind: str = "base"


class TargetSet(NamedTuple):
    """Units every leg should go to; never rises while unwinding."""

    at: float
    units: int
    why: str
    kind: str = "target"


class CloseAsked(NamedTuple):
    """The owner, an operator or the risk manager wants the group at zero."""

    at: float
    why: str
    kind: str = "close"


class Attempt(NamedTuple):
    """An order of this leg and purpose failed; no new one before `retry_at`."""

    at: float
    leg: int
    purpose: str
    retry_at: float
    why: str
    kind: str = "attempt"


class Emergency(NamedTuple):
    """Everything else failed: reduce at market, budget ignored."""

    at: float
    why: str
    kind: str = "emergency"


class NativeRefused(NamedTuple):
    """The venue does not take the native combo; independent legs from now on."""

    at: float
    why: str
    kind: str = "native_refused"


class Held(NamedTuple):
    """A person must decide; only what protects or reduces is sent."""

    at: float
    cause: str
    why: str
    kind: str = "held"


class Released(NamedTuple):
    """The hold ended (operator, or its cause went away)."""

    at: float
    why: str
    kind: str = "released"


class Remembered(NamedTuple):
    """A decision of a policy that must survive a restart (levels, trailing mark, triggered exit)."""

    at: float
    key: str
    value: Any
    kind: str = "remembered"


class Noted(NamedTuple):
    """Audit only: an alert, an operator's command, evidence found at a restart."""

    at: float
    text: str
    data: Any
    kind: str = "noted"


# --- what moved the position from outside --------------------------------------------------------------


class Adjusted(NamedTuple):
    """Own share of a leg changed by `delta` signed contracts without an order of the group.

    `cause`: foreign, assignment, exercise, split, margin_call, reconcile, let_go. `price` in dollars per share.
    """

    at: float
    leg: int
    delta: int
    price: float
    cause: str
    why: str
    kind: str = "adjusted"


class Settled(NamedTuple):
    """A leg ended by expiry, exercise or assignment; its own share is 0 from now on.

    `price` is what a contract was worth in dollars per share (intrinsic value; 0 when worthless).
    """

    at: float
    leg: int
    price: float
    cause: str
    kind: str = "settled"


class Delivered(NamedTuple):
    """Shares arrived by exercise or assignment and became a leg of the group (`leg`: LegSpec row)."""

    at: float
    leg: Any
    quantity: int
    price: float
    why: str
    kind: str = "delivered"
