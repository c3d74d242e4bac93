"""Black-Scholes value and Greeks of options, one at a time or over arrays, and the net Greeks of a structure.

European exercise, continuous dividend yield; American early exercise is left out. Where LEAN's chain gives Greeks, use
those (`chain_greeks`); these fill in where it gives none. Units: `theta` in dollars per calendar day, `vega`
per one percentage point of volatility, all per share; of a structure in dollars (delta in shares).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from .structure import PayoffLeg

_ROOT_2PI = math.sqrt(2 * math.pi)
DAYS = 365.0
_NO_SPREAD = 1e-9


class Greeks(NamedTuple):
    """Sensitivities of one share of an option, or of a whole structure."""

    delta: float
    gamma: float
    theta: float
    vega: float

    def __add__(self, other: object) -> Greeks:
        """Both together."""
        if not isinstance(other, Greeks):
            return NotImplemented
        return Greeks(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, factor: float) -> Greeks:
        """So many shares of it."""
        return Greeks(*(factor * value for value in self))


ZERO = Greeks(0.0, 0.0, 0.0, 0.0)
SHARE = Greeks(1.0, 0.0, 0.0, 0.0)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _lives(years: float, vol: float) -> bool:
    """Whether anything is left to happen; below that the formulas only lose digits."""
    return years > 0 and vol > 0 and vol * math.sqrt(years) > _NO_SPREAD


def _points(spot: float, strike: float, years: float, vol: float, rate: float, dividend: float) -> tuple[float, float]:
    spread = vol * math.sqrt(years)
    first = (math.log(spot / strike) + (rate - dividend + vol * vol / 2) * years) / spread
    return first, first - spread


def _check(spot: float, strike: float, right: str) -> int:
    if not (spot > 0 and strike > 0):
        raise ValueError(f"spot {spot!r} and strike {strike!r}: positive dollars per share")
    if right not in ("C", "P"):
        raise ValueError(f"right {right!r}: 'C' (call) or 'P' (put)")
    return 1 if right == "C" else -1


def option_value(
    right: str, spot: float, strike: float, years: float, vol: float, rate: float = 0.0, dividend: float = 0.0
) -> float:
    """Value of one share of an option, dollars; its intrinsic value at expiry or without volatility.

    Raises:
        ValueError: if spot, strike or right cannot be one.
    """
    sign = _check(spot, strike, right)
    carried, discounted = spot * math.exp(-dividend * max(years, 0.0)), strike * math.exp(-rate * max(years, 0.0))
    if not _lives(years, vol):
        return max(sign * (carried - discounted), 0.0)
    first, second = _points(spot, strike, years, vol, rate, dividend)
    return max(sign * (carried * _normal(sign * first) - discounted * _normal(sign * second)), 0.0)


def option_greeks(
    right: str, spot: float, strike: float, years: float, vol: float, rate: float = 0.0, dividend: float = 0.0
) -> Greeks:
    """Greeks of one share of an option; at expiry or without volatility only the delta of what is in the money.

    Raises:
        ValueError: if spot, strike or right cannot be one.
    """
    sign = _check(spot, strike, right)
    if not _lives(years, vol):
        return Greeks(float(sign) if sign * (spot - strike) > 0 else 0.0, 0.0, 0.0, 0.0)
    first, second = _points(spot, strike, years, vol, rate, dividend)
    density = math.exp(-first * first / 2) / _ROOT_2PI
    carry, discount, root = math.exp(-dividend * years), math.exp(-rate * years), math.sqrt(years)
    theta = -spot * carry * density * vol / (2 * root)
    theta -= sign * rate * strike * discount * _normal(sign * second)
    theta += sign * dividend * spot * carry * _normal(sign * first)
    return Greeks(
        delta=sign * carry * _normal(sign * first),
        gamma=carry * density / (spot * vol * root),
        theta=theta / DAYS,
        vega=spot * carry * density * root / 100,
    )


def implied_volatility(
    right: str, price: float, spot: float, strike: float, years: float, rate: float = 0.0, dividend: float = 0.0
) -> float:
    """Volatility at which the model gives `price`; NaN where no volatility up to 1,000 % does.

    Raises:
        ValueError: if spot, strike or right cannot be one.
    """
    _check(spot, strike, right)
    low, high = 1e-6, 10.0

    def above(vol: float) -> float:
        return option_value(right, spot, strike, years, vol, rate, dividend) - price

    if years <= 0 or above(low) > 1e-12 or above(high) < 0:
        return math.nan
    for _ in range(100):
        middle = (low + high) / 2
        if above(middle) < 0:
            low = middle
        else:
            high = middle
        if high - low < 1e-10:
            break
    return (low + high) / 2


def chain_greeks(given: Any) -> Greeks | None:
    """Greeks as LEAN's chain gives them (``contract.greeks``), in the units used here; None where its model gave none.

    LEAN's theta is per year (recorded so), its vega per percentage point already (Common/Data/Market/Greeks.cs).
    """
    found = Greeks(float(given.delta), float(given.gamma), float(given.theta_per_day), float(given.vega))
    return found if any(found) else None


def net_greeks(parts: Iterable[tuple[float, Greeks]]) -> Greeks:
    """Greeks of a structure: pairs of signed shares (contracts times multiplier) and the Greeks of one share."""
    total = ZERO
    for shares, greeks in parts:
        total = total + greeks.times(shares)
    return total


def structure_greeks(
    legs: Sequence[PayoffLeg],
    known: Sequence[Greeks | None],
    spot: float,
    years: Sequence[float],
    rate: float = 0.0,
) -> Greeks:
    """Net Greeks of legs in dollars (delta in shares): LEAN's where `known`, else from the volatility a price implies.

    `known` are per share, `chain_greeks` of LEAN's contract, and `years` the time to each leg's expiry. A price that no
    volatility explains counts with the delta of its intrinsic value alone.

    Raises:
        ValueError: if there is not one entry of each per leg, or a leg's terms cannot be.
    """
    parts = []
    for leg, given, time in zip(legs, known, years, strict=True):
        if leg.right == "S":
            parts.append((leg.shares, SHARE))
            continue
        if given is None:
            vol = implied_volatility(leg.right, leg.price, spot, leg.strike, time, rate)
            given = option_greeks(leg.right, spot, leg.strike, time, 0.0 if math.isnan(vol) else vol, rate)
        parts.append((leg.shares, given))
    return net_greeks(parts)


# -- arrays -----------------------------------------------------------------------------------------------------------


def normal_array(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative normal distribution over an array, to about 1e-15 (W. J. Cody's rational approximations of erfc)."""
    import numpy as np

    z = np.abs(x) * math.sqrt(0.5)
    tail = np.empty_like(z)  # erfc(z)
    near, far = z <= 0.46875, z > 4.0
    among = ~(near | far)
    small = z[near]
    square = small * small
    over, under = 1.85777706184603153e-1 * square, square.copy()
    for a, b in zip(_P_SMALL, _Q_SMALL, strict=True):
        over, under = (over + a) * square, (under + b) * square
    tail[near] = 1 - small * (over + 3.20937758913846947e3) / (under + 2.84423683343917062e3)
    middle = z[among]
    over, under = 2.15311535474403846e-8 * middle, middle.copy()
    for a, b in zip(_P_MIDDLE, _Q_MIDDLE, strict=True):
        over, under = (over + a) * middle, (under + b) * middle
    ratio = (over + 1.23033935479799725e3) / (under + 1.23033935480374942e3)
    tail[among] = ratio * np.exp(-middle * middle)
    large = z[far]
    inverse = 1 / (large * large)
    over, under = 1.63153871373020978e-2 * inverse, inverse.copy()
    for a, b in zip(_P_LARGE, _Q_LARGE, strict=True):
        over, under = (over + a) * inverse, (under + b) * inverse
    ratio = inverse * (over + 6.58749161529837803e-4) / (under + 2.33520497626869185e-3)
    tail[far] = np.exp(-large * large) / large * (5.6418958354775628695e-1 - ratio)
    result: NDArray[np.float64] = np.where(x < 0, 0.5 * tail, 1 - 0.5 * tail)
    return result


_P_SMALL = (3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2)
_Q_SMALL = (2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3)
_P_MIDDLE = (
    5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
    1.71204761263407058e3, 2.05107837782607147e3,
)  # fmt: skip
_Q_MIDDLE = (
    1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
    4.36261909014324716e3, 3.43936767414372164e3,
)  # fmt: skip
_P_LARGE = (3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2)
_Q_LARGE = (2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2)


def values_array(
    sign: ArrayLike, spot: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, rate: float = 0.0
) -> NDArray[np.float64]:
    """Values of one share over arrays that broadcast together; `sign` is 1 for calls and -1 for puts."""
    import numpy as np

    s, k, t = (np.asarray(a, dtype=np.float64) for a in (spot, strike, years))
    v, side = np.asarray(vol, dtype=np.float64), np.asarray(sign, dtype=np.float64)
    discounted = k * np.exp(-rate * np.maximum(t, 0.0))
    spread = v * np.sqrt(np.maximum(t, 0.0))
    lives = spread > _NO_SPREAD
    safe = np.where(lives, spread, 1.0)
    with np.errstate(divide="ignore"):
        first = (np.log(s / k) + rate * t) / safe + safe / 2
    value = side * (s * normal_array(side * first) - discounted * normal_array(side * (first - safe)))
    result: NDArray[np.float64] = np.maximum(np.where(lives, value, side * (s - discounted)), 0.0)
    return result
