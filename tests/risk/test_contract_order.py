"""The order in which LEAN looks at contracts: its identifiers' numbers, its hash codes, and how much is chance."""

import json
from itertools import permutations
from random import Random

from risk.contract_order import Contracts, order_of, properties, seeds
from risk.matching import match
from tests.recordings import TRACES, needs_traces

RECORDED = TRACES / "p20_identifiers.json"


@needs_traces
def test_properties_are_those_of_recorded_identifiers() -> None:
    """The second word of each option identifier LEAN wrote, in base 36, is the number computed from its terms."""
    found = 0
    for _, kind, fields in json.loads(RECORDED.read_text())["entries"]:
        value = fields.get("value", "")
        if kind != "sid" or "|" not in fields["sid"] or value[-9:-8] not in ("C", "P"):
            continue
        word = fields["sid"].split("|")[0].split()[1]
        right, strike, expiry = value[-9], int(value[-8:]) / 1000, f"20{value[-15:-9]}"
        assert properties(right, strike, expiry, fields["type"] == 10) == int(word, 36), value
        found += 1
    assert found >= 10


def calls(*strikes: float, quantity: int = -1) -> tuple[Contracts, ...]:
    return tuple(Contracts("C", strike, "2015-12-24", quantity) for strike in strikes)


def test_the_code_is_dotnets_of_a_long_number() -> None:
    """Both halves of the properties in one word, the text's code mixed in, and of the signed result its size."""
    [call] = calls(750.0)
    number = 42362_0_000075_07_001_02  # the "W6NBKMCS6GQU" of LEAN's identifier
    assert number == int("W6NBKMCS6GQU", 36)
    word = (number & 0xFFFFFFFF) ^ (number >> 32)
    assert word == 0xE88B4732, "negative as a signed number"
    assert order_of(call) == 2**32 - 0xE88B4732
    assert order_of(call, 0x80000000) == 0x688B4732


def test_one_random_number_decides_every_choice() -> None:
    """The named seeds give every order that any number gives: of four contracts some, not all that one may think of."""
    book = calls(745.0, 750.0, 755.0, 760.0)
    random = Random(0)

    def ordered(seed: int) -> tuple[Contracts, ...]:
        return tuple(sorted(book, key=lambda p: order_of(p, seed)))

    drawn = {ordered(random.getrandbits(32)) for _ in range(5000)}
    named = {ordered(seed) for seed in seeds(book)}
    assert drawn == named
    assert 1 < len(named) < len(list(permutations(book)))


def test_a_book_without_a_choice_has_one_seed() -> None:
    """A condor has one contract of each kind, whatever its units; two condors have two."""
    condor = (*calls(755.0), *calls(760.0, quantity=1), Contracts("P", 740.0, "2015-12-24", 1))
    assert seeds((*condor, Contracts("P", 745.0, "2015-12-24", -1))) == (0,)
    assert len(seeds((*condor, *calls(757.5)))) == 2


def test_the_number_of_seeds_is_bounded() -> None:
    """A book of many contracts of a kind is tried in part, so that no check takes for ever."""
    assert len(seeds(calls(*(700.0 + 2.5 * step for step in range(60))))) == 2**8
    assert len(seeds(calls(*(700.0 + 2.5 * step for step in range(60))), most_bits=3)) == 8


def test_which_short_the_shares_cover_is_chance() -> None:
    """A hundred shares under two short calls: over all processes LEAN covers the one or the other."""
    book = calls(755.0, 760.0)
    covered = {book[match(book, 1, seed)[0].legs[0][0]].strike for seed in seeds(book)}
    assert covered == {755.0, 760.0}
