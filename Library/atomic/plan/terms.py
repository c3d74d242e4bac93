"""What goes into a decision besides the group (`Env`) and what comes out of it (`Want`, `Desired`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..model import Deadline, GroupState, Quote
    from ..ports import Alert, RefusalLike
    from ..vocabulary import ChildType, Purpose

    #: newest quote by symbol; `get` may be lazy (asked only for legs that need a new order or a new rung)
    Quotes = Mapping[str, Quote]

#: no practical limit
UNLIMITED = 1 << 30
#: LEAN's default for Settings.StalePriceTimeSpan, seconds
STALE_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Env:
    """What only the shell knows. One object serves many decisions; replace it when something changes.

    Attributes:
        live: live trading (orders go out asynchronously, events may be lost).
        bar_data: prices come as bars, so that a resting order shows a fill only with its leg's next bar.
        bar_seconds: length of such a bar.
        long_bars: the same by symbol, where it is longer.
        stale_after: seconds after which a bar's quote is no price any more (LEAN: Settings.StalePriceTimeSpan).
        takes_options: the venue trades options at all; asked before a group opens.
        takes_market: the venue takes market orders for these contracts.
        combo_market: the venue takes a native combo at market.
        combo_limit: the venue takes a native combo with a net limit.
        reserves_quantity: the broker accepts one closing order per position.
        takes_linked: this LEAN has contingent orders of its own (used only where an exit plan asks for them).
        takes_replace: the venue takes updates of price and quantity in place.
        paused: an operator paused trading; nothing opens.
        breaker_open: the circuit breaker is open; nothing opens.
        may_open: the risk gate's refusal of new openings; None when they are allowed.
        burst: opening orders that ever may leave at once; a native combo of more leaves when all of these may.
        tokens: opening orders that may leave now.
        reserved: further orders that may leave now if they reduce or protect.
        token_at: when the next order may leave (0 = unknown).
        leaned_on: symbol -> the group whose short leans on our long in it (LEAN margins the book).
    """

    live: bool = False
    bar_data: bool = False
    bar_seconds: float = 60.0
    long_bars: Mapping[str, float] = field(default_factory=dict)
    stale_after: float = STALE_AFTER
    takes_options: bool = True
    takes_market: bool = True
    combo_market: bool = False
    combo_limit: bool = False
    reserves_quantity: bool = False
    takes_replace: bool = True
    takes_linked: bool = False
    paused: bool = False
    breaker_open: bool = False
    may_open: RefusalLike | None = None
    burst: int = UNLIMITED
    tokens: int = UNLIMITED
    reserved: int = UNLIMITED
    token_at: float = 0.0
    leaned_on: Mapping[str, str] = field(default_factory=dict)

    @property
    def closed_gate(self) -> str:
        """Why nothing may open now; empty when it may."""
        if self.paused:
            return "paused"
        if self.breaker_open:
            return "circuit breaker open"
        return f"{self.may_open.check}: {self.may_open.reason}" if self.may_open is not None else ""


def bars_of(group: GroupState, env: Env) -> float:
    """Length of the longest bars of a group's legs, seconds."""
    if not env.long_bars:
        return env.bar_seconds
    return max(env.bar_seconds, max(env.long_bars.get(leg.spec.symbol, 0.0) for leg in group.legs))


class Want(NamedTuple):
    """One order that should be working now; its slot is (leg, purpose, rung).

    `quantity` is signed and means what should still be able to fill (an order of 10 with 3 filled and 7 working
    answers a want of 7). Prices in dollars per share, 0 where not used. Orders with the same `bundle` (not 0) are one
    native combo; their `limit` is the net limit of one unit.
    """

    leg: int
    purpose: Purpose
    rung: int
    quantity: int
    type: ChildType
    limit: float = 0.0
    stop: float = 0.0
    bundle: int = 0


class Desired(NamedTuple):
    """The answer: orders that should work now (in sending order), when to look again, what a person should know."""

    orders: tuple[Want, ...]
    wake: Deadline | None
    alerts: tuple[Alert, ...] = ()


#: nothing should be working
NOTHING = Desired((), None)
