"""Strategy matching against a word-by-word reading of LEAN's matcher, and against what each structure is called."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.contract_order import Contracts, order_of, seeds
from risk.matching import COVERED_FIRST, DECLARED, GREEDY, Definition, Matched, match

NEAR, FAR = "2015-12-24", "2015-12-31"


def plain_match(definition: Definition, book: dict[Contracts, int], lots: int, seed: int = 0) -> Matched | None:
    """First match of a definition as LEAN's recursion finds it: no pruning, positions deducted leg by leg."""
    order = sorted(book, key=lambda p: order_of(p, seed))

    def legs_from(taken: list[Contracts], used: list[int], left: dict[Contracts, int]) -> Iterator[list[int]]:
        if len(taken) == len(definition.legs):
            yield used
            return
        leg = definition.legs[len(taken)]
        for position in order:
            quantity = left.get(position, 0)
            if position.right != leg.right or quantity * leg.ratio <= 0:
                continue
            if leg.fits is not None and not leg.fits(taken, position):
                continue
            times = abs(quantity) // abs(leg.ratio)
            if times:
                rest = {**left, position: quantity - times * leg.ratio}
                chosen.append(position)
                yield from legs_from([*taken, position], [*used, times], rest)
                chosen.pop()

    if definition.lots and (definition.lots * lots <= 0 or abs(lots) < abs(definition.lots)):
        return None
    chosen: list[Contracts] = []
    for times in legs_from([], [], book):
        units = min([*times, *([abs(lots // definition.lots)] if definition.lots else [])])
        found = tuple(
            (index, leg.ratio * units) for index, leg in zip(map(INDEX.get, chosen), definition.legs, strict=True)
        )
        return Matched(definition.name, found, definition.lots * units)  # type: ignore[arg-type]
    return None


INDEX: dict[Contracts, int] = {}


def plain(
    definitions: tuple[Definition, ...], positions: tuple[Contracts, ...], lots: int, seed: int = 0
) -> list[Matched]:
    INDEX.clear()
    INDEX.update({position: index for index, position in enumerate(positions)})
    book = {position: position.quantity for position in positions if position.quantity}
    found = []
    for definition in definitions:
        while (matched := plain_match(definition, book, lots, seed)) is not None:
            found.append(matched)
            lots -= matched.lots
            for index, quantity in matched.legs:
                book[positions[index]] -= quantity
                if not book[positions[index]]:
                    del book[positions[index]]
    return found


def uncovered(found: list[Matched], positions: tuple[Contracts, ...]) -> int:
    """Shorts that no long of the same strategy (or its shares) covers, by trying every cover in turn."""
    total = sum(-p.quantity for p in positions if p.quantity < 0)
    for matched in found:
        for right, sign, shares in (("C", 1, max(0, matched.lots)), ("P", -1, max(0, -matched.lots))):
            legs = [(positions[index], quantity) for index, quantity in matched.legs if positions[index].right == right]
            longs = {p: quantity for p, quantity in legs if quantity > 0}
            for short, quantity in sorted((leg for leg in legs if leg[1] < 0), key=lambda leg: sign * leg[0].strike):
                need = -quantity
                for long in longs:
                    if long.expiry >= short.expiry and sign * (long.strike - short.strike) <= 0.1 * short.strike:
                        used = min(need, longs[long])
                        longs[long] -= used
                        need -= used
                        total -= used
                used = min(need, shares)
                shares -= used
                total -= used
    return total


BOOKS = st.dictionaries(
    st.tuples(
        st.sampled_from("CP"), st.sampled_from([90.0, 95.0, 100.0, 105.0, 110.0, 125.0]), st.sampled_from([NEAR, FAR])
    ),
    st.integers(-3, 3).filter(bool),
    max_size=7,
).map(lambda book: tuple(Contracts(*terms, quantity) for terms, quantity in book.items()))


@settings(max_examples=400, deadline=None)
@given(BOOKS, st.integers(-3, 3), st.integers(0, 2**32 - 1))
def test_matching_equals_lean_read_word_by_word(positions: tuple[Contracts, ...], lots: int, seed: int) -> None:
    """Greedy first; the covered-first grouping only where it leaves fewer shorts uncovered; whatever the seed."""
    greedy = plain(GREEDY, positions, lots, seed)
    other = plain(COVERED_FIRST, positions, lots, seed)
    expected = other if uncovered(other, positions) < uncovered(greedy, positions) else greedy
    assert list(match(positions, lots, seed)) == expected


@settings(max_examples=300, deadline=None)
@given(BOOKS, st.integers(-3, 3), st.integers(0, 2**32 - 1))
def test_the_seeds_of_a_book_are_all_that_chance_can_do_to_it(
    positions: tuple[Contracts, ...], lots: int, seed: int
) -> None:
    """Whatever random number a LEAN process draws, the grouping is the one of a seed that the book names."""
    assert match(positions, lots, seed) in {match(positions, lots, named) for named in seeds(positions)}


@settings(max_examples=200, deadline=None)
@given(BOOKS, st.integers(-3, 3))
def test_every_contract_finds_its_place_once(positions: tuple[Contracts, ...], lots: int) -> None:
    """Strategies use up all option positions, none more than is held, and no more lots than there are."""
    used = dict.fromkeys(range(len(positions)), 0)
    for matched in match(positions, lots):
        for index, quantity in matched.legs:
            assert quantity * positions[index].quantity > 0
            used[index] += quantity
        lots -= matched.lots
    assert [used[index] for index in used] == [p.quantity for p in positions]


def test_definitions_are_leans() -> None:
    """41 definitions of which three are also known sold under the same name; larger ones first, order kept."""
    names = [d.name for d in DECLARED]
    assert len(set(names)) == 41
    assert sorted(n for n in set(names) if names.count(n) == 2) == ["Naked Call", "Naked Put", "Protective Collar"]
    counts = [d.leg_count for d in GREEDY]
    assert counts == sorted(counts, reverse=True)
    assert [d.name for d in GREEDY[:8]] == [
        "Iron Butterfly", "Short Iron Butterfly", "Iron Condor", "Short Iron Condor", "Box Spread", "Short Box Spread",
        "Jelly Roll", "Short Jelly Roll",
    ]  # fmt: skip
    assert [d.name for d in COVERED_FIRST[-8:]] == [
        "Bear Put Ladder", "Bull Call Ladder", "Short Straddle", "Short Strangle", "Short Call Backspread",
        "Short Put Backspread", "Naked Call", "Naked Put",
    ]  # fmt: skip


def book(*legs: str) -> tuple[Contracts, ...]:
    """`-2 C 100` or `+1 P 95 far`."""
    found = []
    for leg in legs:
        quantity, right, strike, *far = leg.split()
        found.append(Contracts(right, float(strike), FAR if far else NEAR, int(quantity)))
    return tuple(found)


@pytest.mark.parametrize(
    ("legs", "lots", "names"),
    [
        (["+1 P 90", "-1 P 95", "-1 C 105", "+1 C 110"], 0, ["Iron Condor"]),
        (["-1 P 90", "+1 P 95", "+1 C 105", "-1 C 110"], 0, ["Short Iron Condor"]),
        (["+1 P 90", "-1 P 100", "-1 C 100", "+1 C 110"], 0, ["Iron Butterfly"]),
        (["-1 P 90", "+1 P 100", "+1 C 100", "-1 C 110"], 0, ["Short Iron Butterfly"]),
        (["+1 P 110", "-1 P 90", "+1 C 90", "-1 C 110"], 0, ["Box Spread"]),
        (["-1 P 110", "+1 P 90", "-1 C 90", "+1 C 110"], 0, ["Short Box Spread"]),
        (["-1 C 100", "+1 C 100 far", "+1 P 100", "-1 P 100 far"], 0, ["Jelly Roll"]),
        (["+1 C 100", "-1 C 100 far", "-1 P 100", "+1 P 100 far"], 0, ["Short Jelly Roll"]),
        (["+1 C 95", "-2 C 100", "+1 C 105"], 0, ["Butterfly Call"]),
        (["-1 P 95", "+2 P 100", "-1 P 105"], 0, ["Short Butterfly Put"]),
        (["-1 C 95", "+1 C 100", "+1 C 110"], 0, ["Bear Call Ladder"]),
        (["+1 P 110", "-1 P 100", "-1 P 95"], 0, ["Bear Put Ladder"]),
        (["-1 C 105"], 1, ["Covered Call"]),
        (["+1 C 105"], -1, ["Protective Call"]),
        (["-1 P 95"], -1, ["Covered Put"]),
        (["+1 P 95"], 1, ["Protective Put"]),
        (["-1 C 105", "+1 P 95"], 1, ["Protective Collar"]),
        (["+1 C 105", "-1 P 95"], -1, ["Protective Collar"]),
        (["-1 C 100", "+1 P 100"], 1, ["Conversion"]),
        (["+1 C 100", "-1 P 100"], -1, ["Reverse Conversion"]),
        (["-1 C 100", "+1 C 100 far"], 0, ["Call Calendar Spread"]),
        (["+1 P 100", "-1 P 100 far"], 0, ["Short Put Calendar Spread"]),
        (["+1 C 100"], 0, ["Naked Call"]),
        (["-1 C 100", "+2 C 105"], 0, ["Bear Call Spread", "Naked Call"]),
        (["+1 P 90", "-1 P 95", "+1 C 110"], 0, ["Bull Put Spread", "Naked Call"]),
        (["-1 P 90", "-1 C 105", "+1 C 110"], 0, ["Bear Call Spread", "Naked Put"]),
        (["+2 P 90", "-2 P 95", "-3 C 105", "+2 C 110"], 0, ["Iron Condor", "Naked Call"]),
        ([], 5, []),
    ],
)
def test_structures_get_their_names(legs: list[str], lots: int, names: list[str]) -> None:
    """Each structure is found as what it is; what is left over is found beside it."""
    assert [matched.name for matched in match(book(*legs), lots)] == names


def test_two_overlapping_spreads_are_not_torn_into_a_ladder() -> None:
    """Greedy matching would make a ladder with a naked short; the second try covers both shorts."""
    found = match(book("+1 C 90", "-1 C 95", "+1 C 100", "-1 C 105"))
    assert {m.name for m in found} <= {"Bull Call Spread", "Bear Call Spread"}
    assert plain(GREEDY, book("+1 C 90", "-1 C 95", "+1 C 100", "-1 C 105"), 0)[0].name == "Bull Call Ladder"


def test_a_book_of_many_condors_is_matched_without_trying_every_combination() -> None:
    """A hundred condors side by side: all covered, and no combinatorial search."""
    legs: list[Contracts] = []
    for step in range(100):
        base = 100.0 + step
        legs += [
            Contracts("P", base, NEAR, 1),
            Contracts("P", base + 200, NEAR, -1),
            Contracts("C", base + 500, NEAR, -1),
            Contracts("C", base + 700, NEAR, 1),
        ]
    found = match(tuple(legs))
    assert {m.name for m in found} <= {"Iron Condor", "Iron Butterfly"}
    assert sum(abs(q) for m in found for _, q in m.legs) == 400
