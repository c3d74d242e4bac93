"""Exit plans: where stop and targets stand, as data that can be journaled.

A level is an absolute price, or a distance from the entry's average price in percent or dollars. It is resolved
against the entry's average fill price and rounded to the nearest tick of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import inf
from typing import TYPE_CHECKING, Any

from .. import given
from ..vocabulary import ChildType, Right

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import LegSpec

#: defaults of REQUIREMENTS C2: two targets at +1 % and +2 % with half the quantity each, stop at -1 %
DEFAULT_TARGETS = (0.01, 0.02)
DEFAULT_STOP = 0.01


@dataclass(frozen=True, slots=True)
class Level:
    """A price, absolute or relative to the entry.

    Attributes:
        price: dollars per share; wins over the distances.
        percent: distance as a fraction of the entry's average price (0.01 = 1 %).
        offset: distance in dollars per share (an ATR multiple is resolved to this by the caller).

    Raises:
        ValueError: none or more than one of the three is given, or one is not a positive finite number.
    """

    price: float | None = None
    percent: float | None = None
    offset: float | None = None

    def __post_init__(self) -> None:
        price, percent, offset = self.price, self.percent, self.offset
        if (price is not None) + (percent is not None) + (offset is not None) != 1:
            values = (("price", price), ("percent", percent), ("offset", offset))
            got = {name: value for name, value in values if value is not None}
            raise ValueError(f"a level needs exactly one of price, percent, offset; got {got}")
        name = "price" if price is not None else "percent" if percent is not None else "offset"
        object.__setattr__(self, name, given.positive(getattr(self, name), f"level {name}"))

    def resolve(self, entry: float, away: int, tick: float) -> float:
        """The price on the tick grid.

        Args:
            entry: average fill price of the entry, dollars per share.
            away: +1 when the exit lies above the entry, -1 when below.
            tick: minimum price variation, dollars per share.
        """
        if self.price is not None:
            return nearest_tick(self.price, tick)
        distance = entry * self.percent if self.percent is not None else float(self.offset or 0.0)
        return max(tick, nearest_tick(entry + away * distance, tick))

    def row(self) -> list[float | None]:
        """The level as a JSON list."""
        return [self.price, self.percent, self.offset]

    @classmethod
    def from_row(cls, row: list[float | None] | None) -> Level | None:
        """The inverse of `row`; None stays None."""
        return None if row is None else cls(*row)


def facing(trigger: str, leg: LegSpec) -> int:
    """+1 where the position gains when the price that decides rises: a long put loses with its underlying's."""
    side = 1 if leg.ratio > 0 else -1
    return -side if trigger == "underlying" and leg.right is Right.PUT else side


def nearest_tick(price: float, tick: float) -> float:
    """`price` on the grid of `tick`, free of binary dust (0.1 + 0.2 becomes 0.3)."""
    if tick <= 0:
        return price
    return round(round(price / tick) * tick, 10)


@dataclass(frozen=True, slots=True)
class ExitPair:
    """One share of the position with its own target and stop; either may be absent, not both.

    Attributes:
        share: weight of this pair among the pairs (any positive number; 0.5 and 0.5 are halves).
        target: profit target, or None for stop only.
        stop: protective stop, or None for target only.
    """

    share: float
    target: Level | None
    stop: Level | None

    def __post_init__(self) -> None:
        if type(self.share) is not float or not 0.0 < self.share < inf:
            object.__setattr__(self, "share", given.positive(self.share, "share"))
        if self.target is None and self.stop is None:
            raise ValueError("an exit pair needs a target, a stop or both")


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """How the position is opened: market, limit or stop; prices in dollars per share."""

    type: ChildType = ChildType.MARKET
    limit: float = 0.0
    stop: float = 0.0

    def __post_init__(self) -> None:
        if self.type is ChildType.MARKET:
            return
        if self.type in (ChildType.LIMIT, ChildType.STOP_LIMIT) and self.limit <= 0:
            raise ValueError(f"entry {self.type}: limit={self.limit!r}, give a positive price")
        if self.type in (ChildType.STOP_MARKET, ChildType.STOP_LIMIT) and self.stop <= 0:
            raise ValueError(f"entry {self.type}: stop={self.stop!r}, give a positive price")


@dataclass(frozen=True, slots=True)
class ExitPlan:
    """All that decides the exits of a bracket or of a position that exists already.

    Attributes:
        pairs: shares of the position with their target and stop.
        entry: how the position is opened; None when it exists already.
        stop_limit: distance in dollars from stop trigger to stop-limit price; 0 for stop market.
        target_market: close at market when the target level is seen, instead of a resting limit.
        trail: distance by which stops follow the best price since entry; None for fixed stops.
        trail_step: smallest move of a trailing stop, dollars per share (bounds the number of updates).
        break_even_after: when this many pairs ended by their target, the other stops go to the entry price; 0 = never.
        time_exit: close at this time (seconds UTC); 0 = never.
        trigger: "native" lets the venue watch; "last", "mid" or "underlying" are watched by us. With "underlying" all
            levels are prices of the underlying; the stop of a long put lies above it.
        entry_timeout: seconds after which what is left of a resting entry is cancelled; 0 = never.
        native: use LEAN's own contingent orders where they exist (unverified, off by default).
    """

    pairs: tuple[ExitPair, ...]
    entry: EntryPlan | None = None
    stop_limit: float = 0.0
    target_market: bool = False
    trail: Level | None = None
    trail_step: float = 0.05
    break_even_after: int = 0
    time_exit: float = 0.0
    trigger: str = "native"
    entry_timeout: float = 0.0
    native: bool = False
    #: only the venue watches it and no clock moves it: fixed stops and resting targets
    plain: bool = field(init=False, repr=False, compare=False, default=True)

    def __post_init__(self) -> None:
        watched = self.trigger != "native" or self.target_market or self.trail is not None or self.break_even_after
        object.__setattr__(self, "plain", not (watched or self.time_exit or self.entry_timeout))
        if not self.pairs:
            raise ValueError("an exit plan needs at least one pair of target and stop")
        if self.trigger not in TRIGGERS:
            raise ValueError(f"trigger={self.trigger!r}: give one of {', '.join(TRIGGERS)}")
        if self.trail is not None and (type(self.trail) is not Level or self.trail.price is not None):
            raise ValueError(f"trail {self.trail!r}: give a distance, Level(percent=0.01) or Level(offset=1.5)")
        numbers = (self.stop_limit, self.trail_step, self.entry_timeout, self.time_exit, self.break_even_after)
        if numbers != _NUMBERS:
            for name in ("stop_limit", "trail_step", "entry_timeout", "time_exit"):
                object.__setattr__(self, name, given.number(getattr(self, name), name, low=0))
            object.__setattr__(self, "break_even_after", given.whole(self.break_even_after, "break_even_after", low=0))
        if self.target_market or self.native:
            object.__setattr__(self, "target_market", bool(self.target_market))
            object.__setattr__(self, "native", bool(self.native))

    @property
    def protects(self) -> bool:
        """True when every share of the position has a stop."""
        for pair in self.pairs:  # noqa: SIM110 - a generator costs three times the loop
            if pair.stop is None:
                return False
        return True

    def row(self) -> dict[str, Any]:
        """The plan as a JSON mapping without what stands at its default; goes into ``GroupSpec.exits``."""
        entry, trail = self.entry, self.trail
        row: dict[str, Any] = {
            "pairs": [[p.share, p.target and p.target.row(), p.stop and p.stop.row()] for p in self.pairs],
            "entry": None if entry is None else [entry.type, entry.limit, entry.stop],
        }
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                row[name] = value
        if trail is not None:
            row["trail"] = trail.row()
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ExitPlan:
        """The inverse of `row`."""
        entry = row["entry"]
        return cls(
            pairs=tuple(ExitPair(s, Level.from_row(t), Level.from_row(p)) for s, t, p in row["pairs"]),
            entry=None if entry is None else EntryPlan(ChildType(entry[0]), entry[1], entry[2]),
            trail=Level.from_row(row.get("trail")),
            **{name: row.get(name, default) for name, default in _DEFAULTS.items()},
        )


#: fields of an `ExitPlan` that stand in its row only where they differ
_DEFAULTS: dict[str, Any] = {
    known.name: known.default for known in fields(ExitPlan) if known.name not in ("pairs", "entry", "trail", "plain")
}

#: the defaults of those that are numbers, in their order
_NUMBERS = (0.0, 0.05, 0.0, 0.0, 0)

#: who watches a trigger
TRIGGERS = ("native", "last", "mid", "underlying")


def default_pairs() -> tuple[ExitPair, ...]:
    """Two targets with half the quantity each, every half with its stop (REQUIREMENTS C2)."""
    stop = Level(percent=DEFAULT_STOP)
    share = 1 / len(DEFAULT_TARGETS)
    return tuple(ExitPair(share, Level(percent=target), stop) for target in DEFAULT_TARGETS)
