"""The iron condor's own terms: strike order, widths, equal quantities, maximum loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .checks import Refusal
from .structure import PayoffLeg, max_loss, net_price


@dataclass(frozen=True, slots=True)
class CondorFigures:
    """Figures of a condor: widths and credit in dollars per share, losses in dollars for all its units."""

    put_width: float
    call_width: float
    credit: float
    max_loss: float

    @property
    def credit_ratio(self) -> float:
        """Credit as a part of the wider wing (0.25 = a quarter of the width is received)."""
        return self.credit / max(self.put_width, self.call_width)


def iron_condor_legs(
    *,
    long_put: float,
    short_put: float,
    short_call: float,
    long_call: float,
    prices: Sequence[float] = (0.0, 0.0, 0.0, 0.0),
    quantity: int = 1,
    multiplier: float = 100.0,
    expiry: str = "",
) -> tuple[PayoffLeg, PayoffLeg, PayoffLeg, PayoffLeg]:
    """Legs of a condor from its strikes; `prices` in the order of the strikes, dollars per share.

    Raises:
        ValueError: if a strike or price cannot be one, or `prices` are not four.
    """
    if len(prices) != 4:
        raise ValueError(f"{len(prices)} prices: a condor has four (long put, short put, short call, long call)")
    return (
        PayoffLeg("P", long_put, quantity, multiplier, prices[0], expiry),
        PayoffLeg("P", short_put, -quantity, multiplier, prices[1], expiry),
        PayoffLeg("C", short_call, -quantity, multiplier, prices[2], expiry),
        PayoffLeg("C", long_call, quantity, multiplier, prices[3], expiry),
    )


def check_iron_condor(
    legs: Sequence[PayoffLeg],
    *,
    max_loss_limit: float = math.inf,
    max_width: float = math.inf,
    min_credit: float = 0.0,
) -> Refusal | None:
    """Check the terms of an iron condor (short strikes may be equal: an iron butterfly); None when all hold.

    `max_loss_limit` in dollars for all units, `max_width` and `min_credit` in dollars per share.
    """
    shape = _shape(legs)
    if isinstance(shape, Refusal):
        return shape
    figures = condor_figures(legs)
    width = max(figures.put_width, figures.call_width)
    if width > max_width:
        return Refusal("wing-width", f"{width:g}", f"at most {max_width:g}", "a wing is wider than the limit")
    if figures.credit < min_credit:
        value, limit = f"{figures.credit:.2f}", f"at least {min_credit:.2f}"
        return Refusal("min-credit", value, limit, "the condor pays too little")
    if figures.max_loss <= 0:
        return Refusal("quotes", f"{figures.max_loss:.2f}", "a loss above 0.00", "quotes promise a profit without risk")
    if figures.max_loss > max_loss_limit:
        value, limit = f"{figures.max_loss:.2f}", f"at most {max_loss_limit:.2f}"
        return Refusal("max-loss", value, limit, "the condor can lose more than the limit")
    return None


def condor_figures(legs: Sequence[PayoffLeg]) -> CondorFigures:
    """Widths, credit and maximum loss of four legs that form a condor.

    Raises:
        ValueError: if they do not form one.
    """
    shape = _shape(legs)
    if isinstance(shape, Refusal):
        raise ValueError(str(shape))
    long_put, short_put, short_call, long_call = shape
    return CondorFigures(
        put_width=short_put.strike - long_put.strike,
        call_width=long_call.strike - short_call.strike,
        credit=-net_price(legs) / abs(short_put.shares),
        max_loss=max_loss(legs),
    )


def _shape(legs: Sequence[PayoffLeg]) -> tuple[PayoffLeg, PayoffLeg, PayoffLeg, PayoffLeg] | Refusal:
    """Return long put, short put, short call, long call; or what keeps the legs from being a condor."""
    if len(legs) != 4:
        return Refusal("leg-count", str(len(legs)), "4", "an iron condor has four legs")
    found: dict[tuple[str, bool], PayoffLeg] = {}
    for leg in legs:
        if leg.right == "S" or leg.quantity == 0:
            value = f"{leg.right} x {leg.quantity}"
            return Refusal("leg-kind", value, "calls and puts", "a leg of shares or without quantity")
        if found.setdefault((leg.right, leg.quantity > 0), leg) is not leg:
            side = "long" if leg.quantity > 0 else "short"
            value = f"a second {side} {leg.right} at {leg.strike:g}"
            return Refusal("leg-kind", value, "one long and one short of each right", "two legs of the same kind")
    long_put, short_put = found["P", True], found["P", False]
    short_call, long_call = found["C", False], found["C", True]
    sizes = sorted({abs(leg.shares) for leg in legs})
    if len(sizes) != 1:
        shown = ", ".join(f"{size:g}" for size in sizes)
        return Refusal("equal-quantity", shown, "one size", "legs stand for different numbers of shares")
    expiries = sorted({leg.expiry for leg in legs})
    if len(expiries) != 1:
        return Refusal("one-expiry", ", ".join(expiries), "one day", "legs expire on different days")
    strikes = [leg.strike for leg in (long_put, short_put, short_call, long_call)]
    if not strikes[0] < strikes[1] <= strikes[2] < strikes[3]:
        value = " ".join(f"{strike:g}" for strike in strikes)
        rule = "long put < short put <= short call < long call"
        return Refusal("strike-order", value, rule, "the strikes are out of order")
    return long_put, short_put, short_call, long_call
