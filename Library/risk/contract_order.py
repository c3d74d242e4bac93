"""In which order LEAN looks at contracts when several fit a leg, and how much of it is chance.

LEAN keeps positions in a dictionary that is walked by the hash codes of their symbols. The code of an option is
``|t ^ p|``: `p` comes from its terms and is known, `t` from the text of its first ticker, which .NET hashes with a
random number that is another one in each process. All contracts of an underlying share `t`, so one random number, the
`seed` here, decides every choice of a book; only the bits in which two codes differ first make a difference.

Source: LEAN Common/Securities/Option/StrategyMatcher/OptionPositionCollection.cs (ImmutableDictionary, walked in the
order of hash codes), Common/SecurityIdentifier.cs (GetHashCode; the digits of its properties), .NET String.GetHashCode.
Not covered: books whose contracts have several first tickers (SPX with SPXW) have a random number for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_SIGN, _WORD = 1 << 31, (1 << 32) - 1
#: day 0 of LEAN's identifiers (OLE Automation dates)
_DAY_ZERO = date(1899, 12, 30).toordinal()
#: of how many bits `seeds` tries every combination
MOST_BITS = 8


class Contracts(NamedTuple):
    """A position in one option contract: `expiry` as an ISO date, `quantity` signed.

    `on_index`: a European option on an index, not an American one on a stock.
    """

    right: str
    strike: float
    expiry: str
    quantity: int
    on_index: bool = False


def properties(right: str, strike: float, expiry: str, on_index: bool = False) -> int:
    """The number that LEAN's identifier of a US option carries: right, days, style, strike, scale, market, type."""
    digits, scale = round(strike * 1_000_000), 0
    while digits and digits % 10 == 0:
        digits, scale = digits // 10, scale + 1
    days = date.fromisoformat(expiry[:10]).toordinal() - _DAY_ZERO if expiry else 0
    terms = (right == "P") * 10**19 + days * 10**14 + on_index * 10**13 + digits * 10**7 + scale * 10**5
    return terms + 100 + (10 if on_index else 2)


@lru_cache(maxsize=65536)
def _code(right: str, strike: float, expiry: str, on_index: bool) -> int:
    """Hash code of the properties, 32 bits."""
    number = properties(right, strike, expiry, on_index)
    return (number ^ number >> 32) & _WORD


def order_of(position: Contracts, seed: int = 0) -> int:
    """Where a contract stands in the order: smaller comes first. `seed` has 32 bits."""
    code = _code(position.right, position.strike, position.expiry, position.on_index) ^ seed
    return code if code < _SIGN else (1 << 32) - code  # the absolute value of a signed number


def seeds(positions: Sequence[Contracts], most_bits: int = MOST_BITS) -> tuple[int, ...]:
    """Seeds that give every order the book can have on LEAN; one seed when it has no choice.

    Beyond `most_bits` deciding bits (from ten contracts of a kind on) only the highest are tried: a part of the orders.
    """
    kinds: dict[tuple[str, bool], list[Contracts]] = {}
    for position in positions:
        if position.quantity:
            kinds.setdefault((position.right, position.quantity > 0), []).append(position)
    deciding = {bit for rivals in kinds.values() if len(rivals) > 1 for bit in _first_differences(rivals)}
    found = [0]
    for bit in sorted(deciding, reverse=True)[:most_bits]:
        found += [seed | 1 << bit for seed in found]
    return tuple(found)


def _first_differences(rivals: Iterable[Contracts]) -> Iterable[int]:
    """The highest bits in which two of their codes differ: neighbours of the sorted codes show them all."""
    codes = (_code(p.right, p.strike, p.expiry, p.on_index) for p in rivals)
    ordered = sorted(code if code < _SIGN else code ^ _WORD for code in codes)
    return ((a ^ b).bit_length() - 1 for a, b in pairwise(ordered) if a != b)
