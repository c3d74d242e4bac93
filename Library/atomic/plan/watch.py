"""Exits of a whole group on its net price: watched by us, because no venue rests a stop on four legs.

The mark is what closing one unit would bring now: bids for what is long (nothing where there is no bid), asks for
what is short. A level counts only when it is seen on two different fresh quotes. Where a short has no ask there is no
mark: an alert is raised and the underlying's price decides.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .. import facts as f
from .. import given
from ..model import GroupState
from ..vocabulary import Phase, Right
from .price import NO_QUOTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import Quote

#: quotes older than this do not trigger anything, seconds
FRESH = 90.0


@dataclass(frozen=True, slots=True)
class NetExits:
    """Exits of an all-or-none group.

    Attributes:
        take_profit: close when a unit gained this many dollars per share of the option; None for never.
        stop_loss: close when a unit lost this many dollars per share of the option; None for never.
        time_exit: close at this time, seconds UTC; 0 for never.
        underlying_low: close when the underlying trades at or below, dollars; None: the highest short put without
            an ask decides.
        underlying_high: close when the underlying trades at or above, dollars; None: the lowest short call without
            an ask decides.

    Raises:
        ValueError: nothing is given, or a value is not a positive finite number.
    """

    take_profit: float | None = None
    stop_loss: float | None = None
    time_exit: float = 0.0
    underlying_low: float | None = None
    underlying_high: float | None = None

    def __post_init__(self) -> None:
        asked = {k: v for k, v in asdict(self).items() if v is not None and not (k == "time_exit" and v == 0)}
        if not asked:
            raise ValueError("net exits need at least one of take_profit, stop_loss, time_exit, underlying_low, _high")
        for name, value in asked.items():
            object.__setattr__(self, name, given.positive(value, name))

    def row(self) -> dict[str, Any]:
        """JSON mapping; goes into ``GroupSpec.exits`` under ``net``."""
        return {"net": asdict(self)}


def unit_profit(group: GroupState, quotes: Mapping[str, Quote]) -> float | None:
    """Dollars per share of the option that closing now would gain per unit; None when a short has no ask."""
    value = 0.0
    units = group.units_held
    if not units:
        return None
    for leg in group.legs:
        if not leg.net:
            continue
        quote = quotes.get(leg.spec.symbol) or NO_QUOTE
        price = quote.bid if leg.net > 0 else quote.ask
        if leg.net < 0 and price <= 0:
            return None
        value += leg.net * max(0.0, price) * leg.spec.multiplier
    cost = sum(leg.cost for leg in group.legs)
    scale = max((leg.spec.multiplier for leg in group.legs if leg.spec.ratio), default=1.0)
    return (value - cost) / scale / units


def decisions(group: GroupState, now: float, quotes: Mapping[str, Quote]) -> list[Any]:
    """The next decision on the group's net exits; empty while nothing is to be remembered."""
    row = group.memory.get("net") or group.spec.exits.get("net")
    if not row or group.phase is not Phase.OPEN:
        return []
    if row["time_exit"] and now >= row["time_exit"]:
        return [f.CloseAsked(now, "time exit")]
    held = [leg for leg in group.legs if leg.net]
    seen = [quotes.get(leg.spec.symbol) or NO_QUOTE for leg in held]
    if not seen or not all(quote.open for quote in seen):
        return []
    newest = max(quote.at for quote in seen)
    if now - newest > FRESH:
        return []
    why = _why(group, row, quotes)
    if why is None:
        return _no_ask(group, now)
    before = group.memory.get("seen.net")
    if not why:
        return [f.Remembered(now, "seen.net", None)] if before else []
    if before is None:
        return [f.Remembered(now, "seen.net", [newest, why])]
    return [f.CloseAsked(now, why)] if newest > before[0] else []


def _why(group: GroupState, row: Mapping[str, Any], quotes: Mapping[str, Quote]) -> str | None:
    """Why to close now: text, empty for no reason, None when there is neither a mark nor another reason."""
    found = _underlying(group, row, quotes)
    if found:
        return found
    if row["take_profit"] is None and row["stop_loss"] is None:
        return ""
    profit = unit_profit(group, quotes)
    if profit is None:
        return None
    if row["stop_loss"] is not None and profit <= -row["stop_loss"]:
        return f"stop on the net price: {profit:+.2f} a unit, limit {-row['stop_loss']:+.2f}"
    if row["take_profit"] is not None and profit >= row["take_profit"]:
        return f"target on the net price: {profit:+.2f} a unit, target {row['take_profit']:+.2f}"
    return ""


def _underlying(group: GroupState, row: Mapping[str, Any], quotes: Mapping[str, Quote]) -> str:
    low, high = row["underlying_low"], row["underlying_high"]
    # nobody offers these shorts: their strikes are where they start to cost
    bare = [leg.spec for leg in group.legs if leg.net < 0 and (quotes.get(leg.spec.symbol) or NO_QUOTE).ask <= 0]
    if low is None:
        low = max((spec.strike for spec in bare if spec.right is Right.PUT), default=None)
    if high is None:
        high = min((spec.strike for spec in bare if spec.right is Right.CALL), default=None)
    if low is None and high is None:
        return ""
    underlying = next((leg.spec.underlying for leg in group.legs if leg.spec.underlying), "")
    price = (quotes.get(underlying) or NO_QUOTE).last if underlying else 0.0
    if price <= 0:
        return ""
    if low is not None and price <= low:
        return f"underlying {price:.2f} at or below {low:g}"
    if high is not None and price >= high:
        return f"underlying {price:.2f} at or above {high:g}"
    return ""


def _no_ask(group: GroupState, now: float) -> list[Any]:
    if group.memory.get("no_ask"):
        return []
    text = "a short leg has no ask: the net price cannot be marked, the underlying decides"
    return [f.Remembered(now, "no_ask", True), f.Noted(now, text, {"alert": "no-mark", "severity": 1})]
