"""What-if: profit of groups, or of the whole book, when the underlying moves and volatility changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from .greeks import implied_volatility, values_array
from .structure import PayoffLeg

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScenarioLeg:
    """One leg as it is marked now: the leg (its price is today's), the underlying's price and its volatility.

    `years` to expiry; `vol` as a fraction (0.2 = 20 %), 0 for shares and for options without time value.
    """

    leg: PayoffLeg
    spot: float
    years: float
    vol: float

    @staticmethod
    def of(leg: PayoffLeg, spot: float, today: date, *, rate: float = 0.0, hours_left: float = 0.0) -> ScenarioLeg:
        """Mark a leg: time from its expiry date, volatility from its price (0 where no volatility gives that price).

        `hours_left` of the present session count for an option that expires today.
        """
        if leg.right == "S" or not leg.expiry:
            return ScenarioLeg(leg, spot, 0.0, 0.0)
        years = ((date.fromisoformat(leg.expiry[:10]) - today).days + hours_left / 24) / 365
        vol = implied_volatility(leg.right, leg.price, spot, leg.strike, years, rate)
        return ScenarioLeg(leg, spot, years, vol if vol == vol else 0.0)


def scenario_profits(
    groups: Sequence[Sequence[ScenarioLeg]],
    moves: Sequence[float],
    vol_changes: Sequence[float],
    *,
    days: float = 0.0,
    rate: float = 0.0,
) -> NDArray[np.float64]:
    """Change of value in dollars: groups x (move, volatility change), moves slowest.

    `moves` of the underlying as parts (-0.05 = 5 % down), `vol_changes` added to each volatility (0.1 = 10 points up),
    `days` calendar days from now. Each leg is compared with the model's own value now, so that a price the model does
    not explain shifts nothing.
    """
    import numpy as np

    flat = [(number, leg) for number, group in enumerate(groups) for leg in group]
    shape = (len(groups), len(moves) * len(vol_changes))
    if not flat:
        return np.zeros(shape)
    column = np.array([number for number, _ in flat])
    shares = np.array([one.leg.shares for _, one in flat])[:, None]
    spot = np.array([one.spot for _, one in flat])[:, None]
    strike = np.array([one.leg.strike or 1.0 for _, one in flat])[:, None]
    years = np.array([one.years for _, one in flat])[:, None]
    vol = np.array([one.vol for _, one in flat])[:, None]
    sign = np.array([{"C": 1.0, "P": -1.0, "S": 0.0}[one.leg.right] for _, one in flat])[:, None]
    is_share = sign == 0
    sign = np.where(is_share, 1.0, sign)
    factor = 1 + np.repeat(np.asarray(moves, dtype=np.float64), len(vol_changes))[None, :]
    shift = np.tile(np.asarray(vol_changes, dtype=np.float64), len(moves))[None, :]
    later = np.maximum(years - days / 365, 0.0)
    moved = spot * factor
    priced = values_array(sign, moved, strike, later, np.where(vol > 0, np.maximum(vol + shift, 1e-4), 0.0), rate)
    now = values_array(sign, spot, strike, years, vol, rate)
    change = shares * np.where(is_share, moved - spot, priced - now)
    profits = np.zeros(shape)
    np.add.at(profits, column, change)
    return profits


def scenario_frame(
    groups: Mapping[str, Sequence[ScenarioLeg]],
    moves: Sequence[float] = (-0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1),
    vol_changes: Sequence[float] = (-0.1, 0.0, 0.1),
    *,
    days: float = 0.0,
    rate: float = 0.0,
) -> pd.DataFrame:
    """Change of value in dollars: one row per group and one, "book", for all; columns are (move, vol)."""
    import numpy as np
    import pandas as pd

    profits = scenario_profits(list(groups.values()), moves, vol_changes, days=days, rate=rate)
    rows = np.vstack([profits, profits.sum(axis=0)])
    columns = pd.MultiIndex.from_product([list(moves), list(vol_changes)], names=["move", "vol"])
    return pd.DataFrame(rows, index=[*groups, "book"], columns=columns)


def worst_scenario(frame: pd.DataFrame, row: str = "book") -> tuple[float, float, float]:
    """The largest loss of a row: its move, its volatility change and the change of value in dollars."""
    values = frame.loc[row].to_numpy(dtype=float)
    at = int(values.argmin())
    move, vol = (float(frame.columns.get_level_values(level)[at]) for level in ("move", "vol"))
    return move, vol, float(values[at])
