"""How many units of a structure a budget allows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .structure import PayoffLeg, max_loss


def units_for_max_loss(legs: Sequence[PayoffLeg], budget: float) -> int:
    """Whole units of `legs` (given for one unit) whose maximum loss together stays within `budget` dollars.

    0 when not even one unit fits, when the loss has no bound, and when the legs cannot lose at all: quotes that
    promise a profit without risk are wrong, and a wrong quote must not size a position.

    Raises:
        ValueError: if `budget` is not a finite number of at least zero.
    """
    if not (math.isfinite(budget) and budget >= 0):
        raise ValueError(f"budget {budget!r}: a finite number of dollars, zero or more")
    loss = max_loss(legs)
    if loss <= 0 or math.isinf(loss):
        return 0
    return math.floor(budget / loss + 1e-9)


def units_for_margin(margin_per_unit: float, free: float, reserve: float = 0.0) -> int:
    """Whole units whose margin (dollars per unit, at its worst moment) fits into `free` dollars less a reserve.

    0 when the margin is not a positive number: what is not known must not size a position.

    Raises:
        ValueError: if `reserve` is negative.
    """
    if reserve < 0:
        raise ValueError(f"reserve {reserve!r}: dollars, zero or more")
    if not (math.isfinite(margin_per_unit) and margin_per_unit > 0 and math.isfinite(free)):
        return 0
    return max(0, math.floor((free - reserve) / margin_per_unit + 1e-9))


def units_for_volatility(daily_dollars_per_unit: float, equity: float, target: float) -> int:
    """Whole units whose one-sigma daily change stays within `target` parts of the equity (0.01 = 1 % a day).

    0 when nothing is known of the change.

    Raises:
        ValueError: if `target` is not between 0 and 1.
    """
    if not 0 <= target <= 1:
        raise ValueError(f"target {target!r}: a part of the equity between 0 and 1")
    if not (math.isfinite(daily_dollars_per_unit) and daily_dollars_per_unit > 0 and math.isfinite(equity)):
        return 0
    return max(0, math.floor(equity * target / daily_dollars_per_unit + 1e-9))


def daily_change(delta: float, gamma: float, spot: float, vol: float, trading_days: float = 252.0) -> float:
    """One-sigma daily change of a structure in dollars, from its delta (shares), gamma and the underlying's volatility.

    The standard deviation of delta and gamma terms of a normal move: sqrt((delta s)^2 + (gamma s^2)^2 / 2).
    """
    move = spot * vol / math.sqrt(trading_days)
    return math.sqrt((delta * move) ** 2 + (gamma * move * move) ** 2 / 2)
