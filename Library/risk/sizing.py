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
