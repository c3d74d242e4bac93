"""What brackets and contingent sets are asked for with, checked: distances, orders, quantities, prices, times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import given
from .protect import EntryPlan, ExitPair, ExitPlan, Level
from .protect.levels import DEFAULT_STOP, DEFAULT_TARGETS, facing
from .vocabulary import ChildType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .model import LegSpec, Quote


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
    if type(quantity) is int and quantity:
        return quantity
    try:
        found = given.whole(quantity, "quantity")
    except ValueError:
        found = 0
    if not found:
        raise ValueError(f"quantity {quantity!r}: give a whole number other than 0")
    return found


def level(value: float | Level | None) -> Level | None:
    """A level from a price in dollars per share, a level or nothing. Raises ValueError."""
    return value if value is None or isinstance(value, Level) else Level(value)


_AT_MARKET = EntryPlan()


def entry(limit_price: float, stop_price: float) -> EntryPlan:
    """How the entry is sent, from its limit and stop price in dollars per share (0 for none). Raises ValueError."""
    if type(limit_price) is type(stop_price) is float and limit_price == stop_price == 0.0:
        return _AT_MARKET
    limit_price = given.number(limit_price, "limit_price", low=0)
    stop_price = given.number(stop_price, "stop_price", low=0)
    if limit_price and stop_price:
        return EntryPlan(ChildType.STOP_LIMIT, limit_price, stop_price)
    if limit_price:
        return EntryPlan(ChildType.LIMIT, limit_price)
    return EntryPlan(ChildType.STOP_MARKET, stop=stop_price) if stop_price else _AT_MARKET


def seconds(when: datetime | float) -> float:
    """Seconds UTC from a datetime (UTC unless it says otherwise) or from seconds. Raises ValueError."""
    if type(when) is float and when == 0.0:
        return when
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    try:
        return given.number(when, "time_exit", low=0)
    except ValueError:
        raise ValueError(f"time_exit {when!r}: give a datetime in UTC or seconds since 1970") from None


def to_come(when: datetime | float, now: float) -> float:
    """The same of a moment after `now`; 0 for none. Raises ValueError."""
    at = seconds(when)
    if 0 < at <= now:
        past, present = (datetime.fromtimestamp(t, UTC).isoformat(" ", "seconds") for t in (at, now))
        raise ValueError(f"time_exit {past} has passed, it is {present}: a datetime without a zone is taken as UTC")
    return at


def check_exits(plan: ExitPlan, leg: LegSpec, cost: float = 0.0) -> None:
    """Exits that contradict one another, wherever the market is.

    Args:
        plan: the exits.
        leg: what is held; the sign of its ratio is the side.
        cost: average price that distances refer to; 0 while it is not known (distances are not checked then).

    Raises:
        ValueError: a target on the wrong side of its stop, a distance where the underlying's price decides, a limit for
            a stop that we watch, or what changes a stop where there is none.
    """
    if not plan.plain or plan.stop_limit:
        _check_changes(plan, leg)
    trigger = plan.trigger
    side = facing(trigger, leg)
    if trigger == "underlying":
        cost = 0.0
    for pair in plan.pairs:
        stop, target = _prices(pair, side, cost, leg.tick)
        if stop and target and (target - stop) * side <= 0:
            raise ValueError(f"{_name(leg)}: target {target:g} and stop {stop:g} are on the wrong sides of each other")


def _check_changes(plan: ExitPlan, leg: LegSpec) -> None:
    """Watched, moved and limited stops that contradict the plan. Raises ValueError."""
    if (plan.trail or plan.break_even_after or plan.stop_limit) and not any(pair.stop for pair in plan.pairs):
        text = "trail, break_even_after and stop_limit_offset change a stop"
        raise ValueError(f"{_name(leg)}: {text}, and there is no stop: give stop_loss or stop_loss_price")
    if plan.stop_limit and plan.trigger != "native":
        text = f"a stop that is watched (trigger={plan.trigger!r}) leaves at market when it is reached"
        raise ValueError(f"{_name(leg)}: {text}: leave stop_limit_offset out, or let the venue watch")
    if plan.trigger == "underlying":
        levels = [level for pair in plan.pairs for level in (pair.target, pair.stop) if level is not None]
        if plan.trail or plan.break_even_after or any(level.price is None for level in levels):
            text = "the underlying's price decides: give prices of the underlying (stop_loss_price, take_profit_price)"
            raise ValueError(f"{_name(leg)}: {text}, no distances, no trail and no break_even_after")


def check_sides(plan: ExitPlan, leg: LegSpec, around: tuple[float, float], what: str, cost: float = 0.0) -> None:
    """Exits on the wrong side of where the position is opened, or stands, would fill at once.

    Args:
        plan: the exits; `check_exits` has passed them.
        leg: what is held; the sign of its ratio is the side.
        around: what the stop and what the target is compared with, dollars per share: the price of the entry, or the
            two sides of the market; 0 when unknown.
        what: what that is called.
        cost: as in `check_exits`.

    Raises:
        ValueError: names both prices and the side.
    """
    by_stop, by_target = around
    side = facing(plan.trigger, leg)
    for pair in plan.pairs:
        stop, target = _prices(pair, side, cost, leg.tick)
        if by_stop > 0 and stop and (by_stop - stop) * side <= 0:
            raise ValueError(f"{_name(leg)}: stop {stop:g} is not {_WORDS[side]} the {what} {by_stop:g}")
        if by_target > 0 and target and (target - by_target) * side <= 0:
            raise ValueError(f"{_name(leg)}: target {target:g} is not {_WORDS[-side]} the {what} {by_target:g}")


#: where a stop lies, by side
_WORDS = {1: "below", -1: "above"}


def market_around(trigger: str, leg: LegSpec, quote: Callable[[str], Quote]) -> tuple[float, float]:
    """What the market says of a stop and of a target: the two sides of the quote, or the underlying's price."""
    if trigger == "underlying":
        price = quote(leg.underlying).last
        return price, price
    sides = quote(leg.symbol)
    return (sides.ask, sides.bid) if leg.ratio > 0 else (sides.bid, sides.ask)


def _prices(pair: ExitPair, side: int, cost: float, tick: float) -> tuple[float, float]:
    """Stop and target of a pair; 0 for none, and for a distance from a price that is not known."""
    _, target, stop = pair
    stop_at = target_at = 0.0
    if stop is not None:
        stop_at = stop.price or (stop.resolve(cost, -side, tick) if cost > 0 else 0.0)
    if target is not None:
        target_at = target.price or (target.resolve(cost, side, tick) if cost > 0 else 0.0)
    return stop_at, target_at


def _name(leg: LegSpec) -> str:
    return leg.name or leg.symbol


def exit_defaults(rows: Mapping[str, tuple[Sequence[float], float]]) -> dict[str, ExitDefaults]:
    """Per-strategy distances from {strategy: (target fractions, stop fraction)}. Raises ValueError for bad ones."""
    found = {name: ExitDefaults(tuple(targets), stop) for name, (targets, stop) in rows.items()}
    for defaults in found.values():
        defaults.pairs()
    return found
