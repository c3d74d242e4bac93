"""Cover: what keeps a group's shorts from being naked, as a few linear inequalities over its legs.

A short call is covered by calls of the group that do not expire before it, or by shares; a short put by such puts,
or by short shares; short shares by calls. Options that expire later cover earlier shorts, so cover is nested by
expiry, and it is enough to look at the legs that live at least as long as each short in turn: a *line*. On each line
the sum of the lowest possible nets (everything that may sell sells, nothing that may buy buys), in shares, must not
fall below minus what the structure itself leaves naked per unit, times the units it is measured against.

The same inequality limits the opening sale of a short and the unwinding sale of a long: both lower a net.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..vocabulary import Right

if TYPE_CHECKING:
    from ..model import GroupState, LegSpec, LegState


class Line(NamedTuple):
    """One inequality over the legs in `terms`, in shares; see the module's text."""

    #: (leg index, factor): shares per contract; negative for shares that cover by standing short
    terms: tuple[tuple[int, float], ...]
    #: shares that one unit of the structure leaves naked on this line
    allowance: float
    #: legs that cover on this line, by index
    covers: tuple[int, ...]


class Shape(NamedTuple):
    """What follows from the legs alone."""

    lines: tuple[Line, ...]
    #: indices of the lines that a sale (a purchase) of each leg lowers, by leg index
    sale_lines: tuple[tuple[int, ...], ...]
    purchase_lines: tuple[tuple[int, ...], ...]
    #: legs by the sign of their ratio, in the order in which they open
    longs: tuple[int, ...]
    shorts: tuple[int, ...]
    #: shares that a price per share of the unit refers to (100 for options, 1 for a unit of shares only)
    scale: float
    #: number of legs this was derived from
    legs: int

    @property
    def naked(self) -> bool:
        """True when the complete structure leaves shorts uncovered."""
        return any(line.allowance > 0 for line in self.lines)


def shape_of(group: GroupState) -> Shape:
    """The group's shape, computed once (and again when delivered shares became a leg)."""
    shape: Shape | None = group.shape
    if shape is None or shape.legs != len(group.legs):
        shape = group.shape = shape_of_legs(tuple([leg.spec for leg in group.legs]))
    return shape


@lru_cache(maxsize=1024)
def shape_of_legs(legs: tuple[LegSpec, ...]) -> Shape:
    """Cover lines, waves and price scale of a list of legs."""
    lines = (*_lines(legs, Right.CALL), *_lines(legs, Right.PUT))
    every = range(len(legs))
    return Shape(
        lines,
        tuple(tuple(n for n, line in enumerate(lines) if (i, legs[i].multiplier) in line.terms) for i in every),
        tuple(tuple(n for n, line in enumerate(lines) if (i, -legs[i].multiplier) in line.terms) for i in every),
        tuple(i for i in every if legs[i].ratio > 0),
        tuple(i for i in every if legs[i].ratio < 0),
        max((leg.multiplier for leg in legs if leg.ratio), default=1.0),
        len(legs),
    )


def _lines(legs: tuple[LegSpec, ...], right: Right) -> list[Line]:
    options = [(i, leg) for i, leg in enumerate(legs) if leg.right is right]
    shares = [(i, leg) for i, leg in enumerate(legs) if leg.right is Right.SHARE]
    calls = right is Right.CALL
    shorts = {leg.expiry for _, leg in options if leg.ratio < 0}
    if calls and any(leg.ratio <= 0 for _, leg in shares):
        shorts.add("")  # short shares (delivered ones have ratio 0) need calls of any expiry
    lines: list[Line] = []
    for expiry in sorted(shorts, reverse=True):
        terms = [(i, leg.multiplier) for i, leg in options if leg.expiry >= expiry]
        terms += [(i, leg.multiplier if calls else -leg.multiplier) for i, leg in shares]
        need = sum(_counts(factor, legs[i].ratio) for i, factor in terms)
        covers = tuple(i for i, factor in terms if _counts(factor, legs[i].ratio) > 0)
        lines.append(Line(tuple(terms), max(0.0, -need), covers))
    return lines


def _counts(factor: float, net: int) -> float:
    """What a net adds to a line: calls and shares as they stand, shares on a put line only when short."""
    return factor * net if factor > 0 else max(0.0, factor * net)


def slack(line: Line, legs: list[LegState], units: float) -> float:
    """Shares that may still go on this line without leaving a short naked; negative when one is naked already."""
    total = line.allowance * units
    for i, factor in line.terms:
        leg = legs[i]
        total += _counts(factor, leg.net - leg.selling if factor > 0 else leg.net + leg.buying)
    return total


def covered_units(line: Line, legs: list[LegState], asked: int) -> int:
    """Units that the filled covers of this line stand for; all that were asked for when nothing covers it."""
    units = asked
    for i in line.covers:
        leg = legs[i]
        sure = leg.net - leg.selling if leg.spec.ratio > 0 else -(leg.net + leg.buying)
        units = min(units, max(0, sure) // abs(leg.spec.ratio))
    return units


def movable(shape: Shape, legs: list[LegState], index: int, quantity: int, room: dict[int, float],
            units: int, opening: bool) -> int:  # fmt: skip
    """How much of a signed `quantity` of a leg may be sent now without uncovering a short.

    Args:
        shape: the group's shape.
        legs: the group's legs.
        index: the leg.
        quantity: signed contracts wanted.
        room: slack per line that earlier wants of the same answer left; kept up to date here.
        units: units asked for (opening) or to be kept (reducing): what the structure's own naked part scales with.
        opening: scale it with the filled covers instead, at most `units`.
    """
    numbers = shape.sale_lines[index] if quantity < 0 else shape.purchase_lines[index]
    if not numbers:
        return quantity
    size = legs[index].spec.multiplier
    most = abs(quantity)
    for n in numbers:
        left = room.get(n)
        if left is None:
            line = shape.lines[n]
            left = room[n] = slack(line, legs, covered_units(line, legs, units) if opening else units)
        if left < most * size:
            most = max(0, int(left // size))
    for n in numbers:
        room[n] -= most * size
    return most if quantity > 0 else -most


def naked_now(group: GroupState, units: int) -> bool:
    """True when a short may be uncovered beyond what `units` of the structure itself leave naked."""
    return any(slack(line, group.legs, units) < 0 for line in shape_of(group).lines)
