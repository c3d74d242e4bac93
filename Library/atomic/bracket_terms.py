"""What brackets and contingent sets are asked for with, checked: distances, orders, quantities, prices, times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .protect import EntryPlan, ExitPair, ExitPlan, Level
from .protect.levels import DEFAULT_STOP, DEFAULT_TARGETS
from .vocabulary import ChildType, Right

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import LegSpec


@dataclass(frozen=True, slots=True)
class ExitDefaults:
    """Distances that a strategy's brackets get when a call gives none, as fractions of the entry price.

    Attributes:
        targets: distance of each target; the quantity is shared equally.
        stop: distance of the stop.
    """

    targets: tuple[float, ...] = DEFAULT_TARGETS
    stop: float = DEFAULT_STOP

    def pairs(self) -> tuple[ExitPair, ...]:
        """Exit pairs with these distances. Raises ValueError for a distance that is not positive."""
        stop = Level(percent=self.stop)
        if not self.targets:
            return (ExitPair(1.0, None, stop),)
        return tuple(ExitPair(1 / len(self.targets), Level(percent=t), stop) for t in self.targets)


@dataclass(frozen=True, slots=True)
class ContingentOrder:
    """One order of an OCO, OUO or OTO set: contract, signed quantity, limit and stop price (0 = none)."""

    symbol: Any
    quantity: int
    limit_price: float = 0.0
    stop_price: float = 0.0

    @property
    def type(self) -> ChildType:
        """The order type its prices imply."""
        if self.limit_price and self.stop_price:
            return ChildType.STOP_LIMIT
        if self.limit_price:
            return ChildType.LIMIT
        return ChildType.STOP_MARKET if self.stop_price else ChildType.MARKET


def whole(quantity: Any) -> int:
    """A whole number of contracts or shares other than 0. Raises ValueError."""
    if isinstance(quantity, bool) or not isinstance(quantity, int | float) or int(quantity) != quantity or not quantity:
        raise ValueError(f"quantity {quantity!r}: give a whole number other than 0")
    return int(quantity)


def level(value: float | Level | None) -> Level | None:
    """A level from a price in dollars per share, a level or nothing."""
    return value if value is None or isinstance(value, Level) else Level(price=float(value))


_AT_MARKET = EntryPlan()


def entry(limit_price: float, stop_price: float) -> EntryPlan:
    """How the entry is sent, from its limit and stop price in dollars per share (0 for none)."""
    if limit_price and stop_price:
        return EntryPlan(ChildType.STOP_LIMIT, limit_price, stop_price)
    if limit_price:
        return EntryPlan(ChildType.LIMIT, limit_price)
    return EntryPlan(ChildType.STOP_MARKET, stop=stop_price) if stop_price else _AT_MARKET


def seconds(when: datetime | float) -> float:
    """Seconds UTC from a datetime (UTC unless it says otherwise) or from seconds. Raises ValueError."""
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if isinstance(when, bool) or not math.isfinite(when) or when < 0:
        raise ValueError(f"time_exit {when!r}: give a datetime in UTC or seconds since 1970")
    return float(when)


def check_underlying(plan: ExitPlan, side: int, reference: float, leg: LegSpec) -> None:
    """Exits at prices of the underlying: nothing but prices, on the right sides of where it is now.

    Args:
        plan: with trigger "underlying".
        side: +1 for a long, -1 for a short of the contract.
        reference: last price of the underlying, dollars per share; 0 when it is not known.
        leg: the contract; a put gains where its underlying falls.

    Raises:
        ValueError: a distance from the contract's own price is given, or a price stands on the wrong side.
    """
    levels = [level for pair in plan.pairs for level in (pair.stop, pair.target) if level is not None]
    if plan.trail is not None or plan.break_even_after or any(level.price is None for level in levels):
        raise ValueError(
            f"{leg.name or leg.symbol}: trigger 'underlying' takes prices of {leg.underlying} (stop_loss_price=..., "
            "take_profit_price=..., targets=[...]), no distances from the contract's own price, trail or break-even"
        )
    name = f"{leg.name or leg.symbol} by {leg.underlying}"
    check_sides(plan, -side if leg.right is Right.PUT else side, reference, name, "its price now,")


def check_sides(plan: ExitPlan, side: int, reference: float, name: str, what: str = "the entry") -> None:
    """Absolute exits on the wrong side of the entry would fill at once."""
    for pair in plan.pairs:
        stop, target = pair.stop and pair.stop.price, pair.target and pair.target.price
        if stop and target and (target - stop) * side <= 0:
            raise ValueError(f"{name}: target {target:g} and stop {stop:g} are on the wrong sides of each other")
        if reference > 0 and stop and (reference - stop) * side <= 0:
            word = "below" if side > 0 else "above"
            raise ValueError(f"{name}: stop {stop:g} is not {word} {what} {reference:g}")
        if reference > 0 and target and (target - reference) * side <= 0:
            word = "above" if side > 0 else "below"
            raise ValueError(f"{name}: target {target:g} is not {word} {what} {reference:g}")


def exit_defaults(rows: Mapping[str, tuple[Sequence[float], float]]) -> dict[str, ExitDefaults]:
    """Per-strategy distances from {strategy: (target fractions, stop fraction)}. Raises ValueError for bad ones."""
    found = {name: ExitDefaults(tuple(targets), stop) for name, (targets, stop) in rows.items()}
    for defaults in found.values():
        defaults.pairs()
    return found
