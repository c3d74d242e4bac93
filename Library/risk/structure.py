"""What a mix of option and equity legs can win or lose at expiry: exact, on its break points.

The profit of any mix of calls, puts and shares of one underlying is, at expiry, a function of the underlying's price
that is straight between strikes. Its extremes therefore lie on a strike, at a price of zero, or at infinity, and all
figures here are computed on exactly these points: nothing is sampled. Money is in dollars for the whole mix, prices
are dollars per share. Fees are not part of it.

Legs with several expiries (calendars, diagonals) have no single expiry. They are judged once per expiry: legs that
live on count with their intrinsic value, legs that have expired count with what was paid or received for them. So a
long call covers a short one that expires with or before it, and a short that outlives its cover is naked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

Right = Literal["C", "P", "S"]


@dataclass(frozen=True, slots=True)
class PayoffLeg:
    """One leg: a call ("C"), a put ("P") or shares ("S") of the underlying.

    `strike` in dollars per share (ignored for shares); `quantity` signed, in contracts (or shares); `multiplier` in
    shares per contract (1 for shares); `price` what one share of it costs, in dollars per share, for a long as for a
    short; `expiry` as an ISO date, all legs or none ("" means: all options expire together).
    """

    right: Right
    strike: float
    quantity: int
    multiplier: float
    price: float
    expiry: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be a leg.

        Raises:
            ValueError: with the value and what is expected instead.
        """
        if self.right not in ("C", "P", "S"):
            raise ValueError(f"right {self.right!r}: a leg is 'C' (call), 'P' (put) or 'S' (shares)")
        if not math.isfinite(self.price):
            raise ValueError(f"price {self.price!r} of {self.right} {self.strike}: expected finite dollars per share")
        if not (math.isfinite(self.multiplier) and self.multiplier > 0):
            raise ValueError(f"multiplier {self.multiplier!r}: a positive number of shares per contract")
        if self.right != "S" and not (math.isfinite(self.strike) and self.strike > 0):
            raise ValueError(f"strike {self.strike!r}: a positive number of dollars per share")

    @property
    def shares(self) -> float:
        """Signed number of shares the leg stands for (quantity times multiplier)."""
        return self.quantity * self.multiplier

    def intrinsic(self, price: float) -> float:
        """Value of one share of the leg at expiry, dollars per share, when the underlying stands at `price`."""
        if self.right == "C":
            return max(price - self.strike, 0.0)
        if self.right == "P":
            return max(self.strike - price, 0.0)
        return price


def payoff(legs: Sequence[PayoffLeg], prices: ArrayLike) -> NDArray[np.float64]:
    """Profit in dollars at (the first) expiry for each underlying price, premiums included.

    Raises:
        ValueError: if only some of the options name an expiry.
    """
    import numpy as np

    _expiries(legs)
    at = np.asarray(prices, dtype=np.float64)
    total = np.zeros_like(at)
    for leg in legs:
        if leg.right == "C":
            value = np.maximum(at - leg.strike, 0.0)
        elif leg.right == "P":
            value = np.maximum(leg.strike - at, 0.0)
        else:
            value = at
        total += leg.shares * (value - leg.price)
    return total


def max_loss(legs: Sequence[PayoffLeg]) -> float:
    """Largest loss in dollars (0.0 when the mix cannot lose, `inf` when it has no bound).

    Raises:
        ValueError: if only some of the options name an expiry.
    """
    worst = 0.0
    for alive, spent in _stages(legs):
        if _final_slope(alive) < 0:
            return math.inf
        worst = max(worst, *(-_profit(alive, point) - spent for point in break_points(alive)))
    return worst


def max_profit(legs: Sequence[PayoffLeg]) -> float:
    """Largest profit in dollars at the first expiry (`inf` when it has no bound; negative when the mix cannot win).

    Where a long option lives on after the first expiry this is a lower bound: only its intrinsic value counts.

    Raises:
        ValueError: if only some of the options name an expiry.
    """
    _expiries(legs)
    if _final_slope(legs) > 0:
        return math.inf
    return max(_profit(legs, point) for point in break_points(legs))


def break_points(legs: Iterable[PayoffLeg]) -> list[float]:
    """Underlying prices between which the profit is a straight line: zero and the strikes, ascending."""
    return sorted({0.0, *(float(leg.strike) for leg in legs if leg.right != "S")})


def break_evens(legs: Sequence[PayoffLeg]) -> list[float]:
    """Underlying prices at which the profit at the first expiry is zero, ascending.

    Of a stretch on which it is zero throughout, the ends are given (its upper end is `inf` when it has none).

    Raises:
        ValueError: if only some of the options name an expiry.
    """
    _expiries(legs)
    points = break_points(legs)
    profits = [_profit(legs, point) for point in points]
    scale = sum(abs(leg.shares) * (abs(leg.price) + (leg.strike if leg.right != "S" else 0.0)) for leg in legs)
    epsilon = 1e-12 * max(scale, 1.0)
    found = [point for point, profit in zip(points, profits, strict=True) if abs(profit) <= epsilon]
    for left, right, low, high in zip(points, points[1:], profits, profits[1:], strict=False):
        if abs(low) > epsilon and abs(high) > epsilon and (low < 0) != (high < 0):
            found.append(left + (right - left) * (-low) / (high - low))
    slope, last, profit = _final_slope(legs), points[-1], profits[-1]
    if slope and abs(profit) > epsilon and (profit < 0) != (slope < 0):
        found.append(last - profit / slope)
    elif not slope and abs(profit) <= epsilon:
        found.append(math.inf)
    return sorted(found)


def net_price(legs: Iterable[PayoffLeg]) -> float:
    """What the mix costs in dollars: positive is a debit, negative a credit."""
    return sum(leg.shares * leg.price for leg in legs)


def scaled(legs: Iterable[PayoffLeg], units: int) -> tuple[PayoffLeg, ...]:
    """Return the same mix `units` times."""
    return tuple(replace(leg, quantity=leg.quantity * units) for leg in legs)


def _profit(legs: Iterable[PayoffLeg], price: float) -> float:
    return math.fsum(leg.shares * (leg.intrinsic(price) - leg.price) for leg in legs)


def _final_slope(legs: Iterable[PayoffLeg]) -> float:
    """Shares that remain when the underlying rises without bound: calls and shares."""
    return math.fsum(leg.shares for leg in legs if leg.right != "P")


def _expiries(legs: Iterable[PayoffLeg]) -> list[str]:
    expiries = sorted({leg.expiry for leg in legs if leg.right != "S"})
    if len(expiries) > 1 and not expiries[0]:
        raise ValueError("only some of the options name an expiry: give one to each option, or to none")
    return expiries


def _stages(legs: Sequence[PayoffLeg]) -> Iterable[tuple[Sequence[PayoffLeg], float]]:
    """Yield, for each expiry, the legs that live then and the dollars the legs that expired earlier have brought in."""
    expiries = _expiries(legs)
    for expiry in expiries or [""]:
        alive = [leg for leg in legs if leg.right == "S" or leg.expiry >= expiry]
        spent = math.fsum(-leg.shares * leg.price for leg in legs if leg.right != "S" and leg.expiry < expiry)
        yield alive, spent
