"""What brackets and contingent sets are asked for with, checked: distances, orders, quantities, prices, times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import given
from .protect import EntryPlan, ExitPair, ExitPlan, Level
from .protect.levels import DEFAULT_STOP, DEFAULT_TARGETS
from .vocabulary import ChildType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
    try:
        found = given.whole(quantity, "quantity")
    except ValueError:
        found = 0
    if not found:
        raise ValueError(f"quantity {quantity!r}: give a whole number other than 0")
    return found


def level(value: float | Level | None) -> Level | None:
    """A level from a price in dollars per share, a level or nothing. Raises ValueError."""
    return value if value is None or isinstance(value, Level) else Level(price=value)


_AT_MARKET = EntryPlan()


def entry(limit_price: float, stop_price: float) -> EntryPlan:
    """How the entry is sent, from its limit and stop price in dollars per share (0 for none). Raises ValueError."""
    limit_price = given.number(limit_price, "limit_price", low=0)
    stop_price = given.number(stop_price, "stop_price", low=0)
    if limit_price and stop_price:
        return EntryPlan(ChildType.STOP_LIMIT, limit_price, stop_price)
    if limit_price:
        return EntryPlan(ChildType.LIMIT, limit_price)
    return EntryPlan(ChildType.STOP_MARKET, stop=stop_price) if stop_price else _AT_MARKET


def seconds(when: datetime | float) -> float:
    """Seconds UTC from a datetime (UTC unless it says otherwise) or from seconds. Raises ValueError."""
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    try:
        return given.number(when, "time_exit", low=0)
    except ValueError:
        raise ValueError(f"time_exit {when!r}: give a datetime in UTC or seconds since 1970") from None


def check_sides(plan: ExitPlan, side: int, reference: float, name: str) -> None:
    """Absolute exits on the wrong side of the entry would fill at once."""
    for pair in plan.pairs:
        stop, target = pair.stop and pair.stop.price, pair.target and pair.target.price
        if stop and target and (target - stop) * side <= 0:
            raise ValueError(f"{name}: target {target:g} and stop {stop:g} are on the wrong sides of each other")
        if reference > 0 and stop and (reference - stop) * side <= 0:
            raise ValueError(f"{name}: stop {stop:g} is not {'below' if side > 0 else 'above'} the entry {reference:g}")
        if reference > 0 and target and (target - reference) * side <= 0:
            word = "above" if side > 0 else "below"
            raise ValueError(f"{name}: target {target:g} is not {word} the entry {reference:g}")


def exit_defaults(rows: Mapping[str, tuple[Sequence[float], float]]) -> dict[str, ExitDefaults]:
    """Per-strategy distances from {strategy: (target fractions, stop fraction)}. Raises ValueError for bad ones."""
    found = {name: ExitDefaults(tuple(targets), stop) for name, (targets, stop) in rows.items()}
    for defaults in found.values():
        defaults.pairs()
    return found
