"""Which option strategies a book is made of, by LEAN's rules.

LEAN charges margin by position group, and finds the groups by matching what is held against a list of strategy
definitions: greedily, definitions with more legs first. When that leaves more shorts uncovered than need be, it
matches once more with those definitions last that have an uncovered short leg, and takes the better of both.
Underlying shares take part in whole lots (one per contract).

Where several contracts fit a leg LEAN takes the one whose hash code comes first (`contract_order`), and hash codes of
texts change from process to process: a book with such a choice has no one margin on LEAN. `match` takes that random
number as `seed`; `seeds` are all that make a difference to a book.

Source: LEAN Common/Securities/Option/StrategyMatcher/ (OptionStrategyMatcher, OptionStrategyDefinitions,
OptionStrategyDefinition, OptionStrategyMatcherOptions, UncoveredShortQuantityOptionStrategyMatchObjectiveFunction).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from .contract_order import Contracts, order_of


class Matched(NamedTuple):
    """One strategy found: legs as (index into the positions, signed contracts), and underlying lots."""

    name: str
    legs: tuple[tuple[int, int], ...]
    lots: int


Predicate = Callable[[Sequence[Contracts], Contracts], bool]


class LegRule(NamedTuple):
    """One leg of a definition: right, signed ratio, and what it must satisfy beside the legs before it.

    `needs` is the last leg its condition looks at (-1: none).
    """

    right: str
    ratio: int
    fits: Predicate | None
    needs: int = -1


class Definition(NamedTuple):
    """A strategy: its name, underlying lots (signed) and legs in matching order."""

    name: str
    lots: int
    legs: tuple[LegRule, ...]

    @property
    def leg_count(self) -> int:
        """Legs, the underlying included."""
        return len(self.legs) + (1 if self.lots else 0)

    def inverted(self) -> Definition:
        """The same strategy sold: all quantities reversed under the same name."""
        return Definition(self.name, -self.lots, tuple(leg._replace(ratio=-leg.ratio) for leg in self.legs))


def _same_expiry(relation: Callable[[float, Sequence[Contracts]], bool]) -> Predicate:
    return lambda legs, p: relation(p.strike, legs) and p.expiry == legs[0].expiry


def _calendar(legs: Sequence[Contracts], p: Contracts) -> bool:
    return p.strike == legs[0].strike and p.expiry > legs[0].expiry


def _roll_near(legs: Sequence[Contracts], p: Contracts) -> bool:
    return p.strike == legs[0].strike and p.expiry == legs[0].expiry


def _roll_far(legs: Sequence[Contracts], p: Contracts) -> bool:
    return p.strike == legs[0].strike and p.expiry == legs[1].expiry


_BELOW = _same_expiry(lambda strike, legs: strike < legs[0].strike)
_ABOVE = _same_expiry(lambda strike, legs: strike > legs[0].strike)
_BELOW_SECOND = _same_expiry(lambda strike, legs: strike < legs[1].strike)
_ABOVE_SECOND = _same_expiry(lambda strike, legs: strike > legs[1].strike)
_ABOVE_THIRD = _same_expiry(lambda strike, legs: strike > legs[2].strike)
_AT = _same_expiry(lambda strike, legs: strike == legs[0].strike)
_AT_SECOND = _same_expiry(lambda strike, legs: strike == legs[1].strike)
_NOT_BELOW = _same_expiry(lambda strike, legs: strike >= legs[0].strike)
_FAR_WING = _same_expiry(
    lambda strike, legs: strike >= legs[1].strike and strike - legs[1].strike == legs[1].strike - legs[0].strike
)
_MIRRORED = _same_expiry(lambda strike, legs: strike == legs[0].strike * 2 - legs[1].strike)


_NEEDS = {_BELOW_SECOND: 1, _ABOVE_SECOND: 1, _ABOVE_THIRD: 2, _AT_SECOND: 1, _FAR_WING: 1, _MIRRORED: 1, _roll_far: 1}


def _define(name: str, lots: int, *legs: tuple[str, int, Predicate | None]) -> Definition:
    rules = [
        LegRule(right, ratio, fits, -1 if fits is None else _NEEDS.get(fits, 0)) for right, ratio, fits in legs
    ]
    return Definition(name, lots, tuple(rules))


def _with_sold(definition: Definition) -> tuple[Definition, Definition]:
    """LEAN adds the reversed form, under the same name, where no definition of its own describes it."""
    return definition, definition.inverted()


DECLARED: tuple[Definition, ...] = (
    _define("Covered Call", 1, ("C", -1, None)),
    _define("Protective Call", -1, ("C", 1, None)),
    _define("Covered Put", -1, ("P", -1, None)),
    _define("Protective Put", 1, ("P", 1, None)),
    *_with_sold(_define("Protective Collar", 1, ("C", -1, None), ("P", 1, _BELOW))),
    _define("Conversion", 1, ("C", -1, None), ("P", 1, _AT)),
    _define("Reverse Conversion", -1, ("C", 1, None), ("P", -1, _AT)),
    *_with_sold(_define("Naked Call", 0, ("C", -1, None))),
    *_with_sold(_define("Naked Put", 0, ("P", -1, None))),
    _define("Bear Call Spread", 0, ("C", -1, None), ("C", 1, _ABOVE)),
    _define("Bear Put Spread", 0, ("P", 1, None), ("P", -1, _BELOW)),
    _define("Bull Call Spread", 0, ("C", 1, None), ("C", -1, _ABOVE)),
    _define("Bull Put Spread", 0, ("P", -1, None), ("P", 1, _BELOW)),
    _define("Straddle", 0, ("C", 1, None), ("P", 1, _AT)),
    _define("Short Straddle", 0, ("C", -1, None), ("P", -1, _AT)),
    _define("Strangle", 0, ("C", 1, None), ("P", 1, _BELOW)),
    _define("Short Strangle", 0, ("C", -1, None), ("P", -1, _BELOW)),
    _define("Butterfly Call", 0, ("C", 1, None), ("C", -2, _NOT_BELOW), ("C", 1, _FAR_WING)),
    _define("Short Butterfly Call", 0, ("C", -1, None), ("C", 2, _NOT_BELOW), ("C", -1, _FAR_WING)),
    _define("Butterfly Put", 0, ("P", 1, None), ("P", -2, _NOT_BELOW), ("P", 1, _FAR_WING)),
    _define("Short Butterfly Put", 0, ("P", -1, None), ("P", 2, _NOT_BELOW), ("P", -1, _FAR_WING)),
    _define("Call Calendar Spread", 0, ("C", -1, None), ("C", 1, _calendar)),
    _define("Short Call Calendar Spread", 0, ("C", 1, None), ("C", -1, _calendar)),
    _define("Put Calendar Spread", 0, ("P", -1, None), ("P", 1, _calendar)),
    _define("Short Put Calendar Spread", 0, ("P", 1, None), ("P", -1, _calendar)),
    _define("Iron Butterfly", 0, ("P", -1, None), ("P", 1, _BELOW), ("C", -1, _AT), ("C", 1, _MIRRORED)),
    _define("Short Iron Butterfly", 0, ("P", 1, None), ("P", -1, _BELOW), ("C", 1, _AT), ("C", -1, _MIRRORED)),
    _define("Iron Condor", 0, ("P", 1, None), ("P", -1, _ABOVE), ("C", -1, _ABOVE_SECOND), ("C", 1, _ABOVE_THIRD)),
    _define(
        "Short Iron Condor", 0, ("P", -1, None), ("P", 1, _ABOVE), ("C", 1, _ABOVE_SECOND), ("C", -1, _ABOVE_THIRD)
    ),
    _define("Box Spread", 0, ("P", 1, None), ("P", -1, _BELOW), ("C", 1, _AT_SECOND), ("C", -1, _AT)),
    _define("Short Box Spread", 0, ("P", -1, None), ("P", 1, _BELOW), ("C", -1, _AT_SECOND), ("C", 1, _AT)),
    _define("Jelly Roll", 0, ("C", -1, None), ("C", 1, _calendar), ("P", 1, _roll_near), ("P", -1, _roll_far)),
    _define("Short Jelly Roll", 0, ("C", 1, None), ("C", -1, _calendar), ("P", -1, _roll_near), ("P", 1, _roll_far)),
    _define("Bear Call Ladder", 0, ("C", -1, None), ("C", 1, _ABOVE), ("C", 1, _ABOVE_SECOND)),
    _define("Bear Put Ladder", 0, ("P", 1, None), ("P", -1, _BELOW), ("P", -1, _BELOW_SECOND)),
    _define("Bull Call Ladder", 0, ("C", 1, None), ("C", -1, _ABOVE), ("C", -1, _ABOVE_SECOND)),
    _define("Bull Put Ladder", 0, ("P", -1, None), ("P", 1, _BELOW), ("P", 1, _BELOW_SECOND)),
    _define("Call Backspread", 0, ("C", -1, None), ("C", 2, _ABOVE)),
    _define("Put Backspread", 0, ("P", -1, None), ("P", 2, _BELOW)),
    _define("Short Call Backspread", 0, ("C", 1, None), ("C", -2, _ABOVE)),
    _define("Short Put Backspread", 0, ("P", 1, None), ("P", -2, _BELOW)),
)


def _leaves_short_uncovered(definition: Definition) -> bool:
    calls = sum(leg.ratio for leg in definition.legs if leg.right == "C")
    puts = sum(leg.ratio for leg in definition.legs if leg.right == "P")
    return -calls > max(0, definition.lots) or -puts > max(0, -definition.lots)


GREEDY: tuple[Definition, ...] = tuple(sorted(DECLARED, key=lambda d: -d.leg_count))
COVERED_FIRST: tuple[Definition, ...] = tuple(sorted(GREEDY, key=_leaves_short_uncovered))

_BITS = {("C", 1): 1, ("C", -1): 2, ("P", 1): 4, ("P", -1): 8}


def _mask_of_definition(definition: Definition) -> int:
    mask = 0
    for leg in definition.legs:
        mask |= _BITS[leg.right, 1 if leg.ratio > 0 else -1]
    return mask | (16 if definition.lots > 0 else 32 if definition.lots < 0 else 0)


@cache
def _possible(covered_first: bool, mask: int) -> tuple[Definition, ...]:
    """Definitions whose kinds of legs the book has at all, in matching order."""
    ordered = COVERED_FIRST if covered_first else GREEDY
    return tuple(d for d in ordered if _mask_of_definition(d) & ~mask == 0)


@lru_cache(maxsize=8192)
def match(positions: tuple[Contracts, ...], lots: int = 0, seed: int = 0) -> tuple[Matched, ...]:
    """Match a book of one underlying: option positions (each contract once) and `lots` of the underlying (signed).

    `seed` stands for the random number of a LEAN process (`contract_order`); 0 is as good as any.
    """
    best, left = _match(False, positions, lots, seed)
    uncovered = _uncovered(best, positions, left)
    if uncovered <= 0 or uncovered <= _least_uncovered(positions, lots):
        return best
    other, left = _match(True, positions, lots, seed)
    return other if _uncovered(other, positions, left) < uncovered else best


class _Book:
    """What is left of a book while it is being matched; contracts in matching order by right and side."""

    __slots__ = ("left", "positions", "sides")

    def __init__(self, positions: Sequence[Contracts], seed: int) -> None:
        self.positions = positions
        self.left = {index: p.quantity for index, p in enumerate(positions) if p.quantity}
        self.sides: dict[tuple[str, bool], list[int]] = {(right, long): [] for right in "CP" for long in (True, False)}
        for index in sorted(self.left, key=lambda at: order_of(positions[at], seed)):
            self.sides[positions[index].right, positions[index].quantity > 0].append(index)

    def take(self, legs: Sequence[tuple[int, int]]) -> None:
        """Deduct the legs of a match."""
        for index, quantity in legs:
            self.left[index] -= quantity
            if not self.left[index]:
                del self.left[index]
                self.sides[self.positions[index].right, quantity > 0].remove(index)

    def candidates(self, leg: LegRule, taken: Sequence[Contracts]) -> Iterator[int]:
        """Positions that fit a leg, in matching order."""
        for index in self.sides[leg.right, leg.ratio > 0]:
            if self.left[index] // leg.ratio > 0 and (leg.fits is None or leg.fits(taken, self.positions[index])):
                yield index


def _match(
    covered_first: bool, positions: Sequence[Contracts], lots: int, seed: int
) -> tuple[tuple[Matched, ...], dict[int, int]]:
    """Take strategies out of the book, definition by definition; also returns what no definition took."""
    book = _Book(positions, seed)
    mask = 16 if lots > 0 else 32 if lots < 0 else 0
    for (right, long), indexes in book.sides.items():
        if indexes:
            mask |= _BITS[right, 1 if long else -1]
    found: list[Matched] = []
    for definition in _possible(covered_first, mask):
        while book.left:
            matched = _take(definition, book, lots)
            if matched is None:
                break
            found.append(matched)
            lots -= matched.lots
            book.take(matched.legs)
        if not book.left and not lots:
            break
    return tuple(found), book.left


def _take(definition: Definition, book: _Book, lots: int) -> Matched | None:
    """First match of one definition, as many times as it fits."""
    units = -1  # not bounded
    if definition.lots:
        if definition.lots * lots <= 0:
            return None
        units = abs(lots) // abs(definition.lots)
        if units == 0:
            return None
    chosen: list[int] = []
    if not _fill_legs(definition.legs, book, [], chosen):
        return None
    for index, leg in zip(chosen, definition.legs, strict=True):
        times = book.left[index] // leg.ratio
        units = times if units < 0 else min(units, times)
    legs = tuple((index, leg.ratio * units) for index, leg in zip(chosen, definition.legs, strict=True))
    return Matched(definition.name, legs, definition.lots * units)


def _fill_legs(legs: Sequence[LegRule], book: _Book, taken: list[Contracts], chosen: list[int]) -> bool:
    """Depth first: the first position that fits the next leg and lets the legs after it be filled, too.

    A choice that leaves a later leg without any candidate is not followed: it could not be completed.
    """
    at = len(taken)
    if at == len(legs):
        return True
    for index in book.candidates(legs[at], taken):
        taken.append(book.positions[index])
        chosen.append(index)
        if all(
            next(book.candidates(later, taken), None) is not None for later in legs[at + 1 :] if later.needs == at
        ) and _fill_legs(legs, book, taken, chosen):
            return True
        taken.pop()
        chosen.pop()
    return False


def _least_uncovered(positions: Iterable[Contracts], lots: int) -> int:
    """Short contracts that no grouping whatever can cover."""
    calls = sum(p.quantity for p in positions if p.right == "C")
    puts = sum(p.quantity for p in positions if p.right == "P")
    return max(0, -calls - max(0, lots)) + max(0, -puts - max(0, -lots))


def _uncovered(found: Sequence[Matched], positions: Sequence[Contracts], left: dict[int, int]) -> float:
    """Short contracts that the strategies leave uncovered, those left over included (the score LEAN minimises)."""
    total: float = -sum(quantity for quantity in left.values() if quantity < 0)
    for matched in found:
        legs = [(positions[index], quantity) for index, quantity in matched.legs]
        total += _uncovered_of_right("C", legs, max(0, matched.lots))
        total += _uncovered_of_right("P", legs, max(0, -matched.lots))
    return total


def _uncovered_of_right(right: str, legs: Sequence[tuple[Contracts, int]], lots: int) -> int:
    sign = 1 if right == "C" else -1
    shorts = sorted(
        ((p, -quantity) for p, quantity in legs if p.right == right and quantity < 0), key=lambda s: sign * s[0].strike
    )
    longs = [(p, quantity) for p, quantity in legs if p.right == right and quantity > 0]
    uncovered = 0
    for short, need in shorts:
        for at, (cover, free) in enumerate(longs):
            if need and free and _covers(sign, short, cover):
                used = min(need, free)
                need -= used
                longs[at] = (cover, free - used)
        used = min(need, lots)
        lots -= used
        uncovered += need - used
    return uncovered


def _covers(sign: int, short: Contracts, long: Contracts) -> bool:
    """A long covers when it lives as long and is not more than a tenth of the short's strike further out."""
    return long.expiry >= short.expiry and sign * (long.strike - short.strike) <= 0.1 * short.strike
