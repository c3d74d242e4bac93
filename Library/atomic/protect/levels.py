"""Exit plans: where stop and targets stand, as data that can be journaled.

A level is an absolute price, or a distance from the entry's average price in percent or dollars. It is resolved
against the entry's average fill price and rounded to the nearest tick of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import given
from ..vocabulary import ChildType, Right

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import LegSpec

#: defaults of REQUIREMENTS C2: two targets at +1 % and +2 % with half the quantity each, stop at -1 %
DEFAULT_TARGETS = (0.01, 0.02)
DEFAULT_STOP = 0.01


@dataclass(frozen=True, init=False)
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

    def __init__(self, price: float | None = None, percent: float | None = None, offset: float | None = None) -> None:
        if percent is None and offset is None and type(price) is float and 0.0 < price < inf:
            object.__setattr__(self, "price", price)
            return
        if (price is not None) + (percent is not None) + (offset is not None) != 1:
            values = (("price", price), ("percent", percent), ("offset", offset))
            got = {name: value for name, value in values if value is not None}
            raise ValueError(f"a level needs exactly one of price, percent, offset; got {got}")
        name, value = "price", price
        if value is None:
            name, value = ("percent", percent) if percent is not None else ("offset", offset)
        if type(value) is not float or not 0.0 < value < inf:
            value = given.positive(value, f"level {name}")
        object.__setattr__(self, name, value)

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


class _Pair(NamedTuple):
    share: float
    target: Level | None
    stop: Level | None


class ExitPair(_Pair):
    """One share of the position with its own target and stop; either may be absent, not both.

    Attributes:
        share: weight of this pair among the pairs (any positive number; 0.5 and 0.5 are halves).
        target: profit target, or None for stop only.
        stop: protective stop, or None for target only.
    """

    __slots__ = ()

    def __new__(cls, share: float, target: Level | None, stop: Level | None) -> ExitPair:
        """Raises ValueError for a share that is not positive, and for neither target nor stop."""
        if type(share) is not float or not 0.0 < share < inf:
            share = given.positive(share, "share")
        if target is None and stop is None:
            raise ValueError("an exit pair needs a target, a stop or both")
        return tuple.__new__(cls, (share, target, stop))

    def _replace(self, **changes: Any) -> ExitPair:
        """Another pair with these fields; raises as the pair itself."""
        return ExitPair(**{**self._asdict(), **changes})


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


class _Plan(NamedTuple):
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
    plain: bool = True


#: fields of an `ExitPlan` that stand in its row only where they differ
_DEFAULTS: dict[str, Any] = {
    name: default for name, default in _Plan._field_defaults.items() if name not in ("entry", "trail", "plain")
}

#: the defaults from `stop_limit` to `native`, in their order
_STANDARD = tuple(_Plan._field_defaults.values())[1:-1]


class ExitPlan(_Plan):
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

    __slots__ = ()

    def __new__(
        cls, pairs: tuple[ExitPair, ...], entry: EntryPlan | None = None, stop_limit: float = 0.0,
        target_market: bool = False, trail: Level | None = None, trail_step: float = 0.05, break_even_after: int = 0,
        time_exit: float = 0.0, trigger: str = "native", entry_timeout: float = 0.0, native: bool = False,
    ) -> ExitPlan:  # fmt: skip
        """Raises ValueError for no pair, an unknown trigger, a trail at a price, and numbers that make no sense."""
        if not pairs:
            raise ValueError("an exit plan needs at least one pair of target and stop")
        terms = (
            stop_limit, target_market, trail, trail_step, break_even_after, time_exit, trigger, entry_timeout, native,
        )  # fmt: skip
        if terms == _STANDARD:
            return tuple.__new__(cls, (pairs, entry, *_STANDARD, True))
        if trigger not in TRIGGERS:
            raise ValueError(f"trigger={trigger!r}: give one of {', '.join(TRIGGERS)}")
        if trail is not None and (type(trail) is not Level or trail.price is not None):
            raise ValueError(f"trail {trail!r}: give a distance, Level(percent=0.01) or Level(offset=1.5)")
        stop_limit = given.number(stop_limit, "stop_limit", low=0)
        trail_step = given.number(trail_step, "trail_step", low=0)
        entry_timeout = given.number(entry_timeout, "entry_timeout", low=0)
        time_exit = given.number(time_exit, "time_exit", low=0)
        break_even_after = given.whole(break_even_after, "break_even_after", low=0)
        target_market, native = bool(target_market), bool(native)
        watched = trigger != "native" or target_market or trail is not None or break_even_after
        plain = not (watched or time_exit or entry_timeout)
        return tuple.__new__(cls, (
            pairs, entry, stop_limit, target_market, trail, trail_step, break_even_after, time_exit, trigger,
            entry_timeout, native, plain,
        ))  # fmt: skip

    def __getnewargs__(self) -> tuple[Any, ...]:
        """What a copy is made from: all but what follows from it."""
        return tuple(self[:-1])

    def _replace(self, **changes: Any) -> ExitPlan:
        """Another plan with these fields; raises as the plan itself."""
        return ExitPlan(**{**dict(zip(self._fields, self[:-1], strict=False)), **changes})

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
            "pairs": [[share, target and target.row(), stop and stop.row()] for share, target, stop in self.pairs],
            "entry": None if entry is None else [entry.type, entry.limit, entry.stop],
        }
        if self[2:-1] != _STANDARD:
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


#: who watches a trigger
TRIGGERS = ("native", "last", "mid", "underlying")


def default_pairs() -> tuple[ExitPair, ...]:
    """Two targets with half the quantity each, every half with its stop (REQUIREMENTS C2)."""
    stop = Level(percent=DEFAULT_STOP)
    share = 1 / len(DEFAULT_TARGETS)
    return tuple(ExitPair(share, Level(percent=target), stop) for target in DEFAULT_TARGETS)
