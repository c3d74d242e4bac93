"""The strategies by name: each makes the legs of its structure, checks their terms, and asks for one group.

Contracts may be given as Symbol, OptionContract, Security or LegSpec. `quantity` is in units; where a strategy can be
bought or sold, a negative quantity sells it. Every method takes the keywords of `execute_atomic` (`policy`,
`limit_net`, `note`) and returns a live `AtomicGroup`; what the market or a limit forbids gives a group with outcome
REFUSED. ValueError names value and rule when the terms themselves are wrong; nothing was sent then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from . import given, structures
from .admission import Admission

if TYPE_CHECKING:
    from typing import Unpack

    from .group import AtomicGroup
    from .policy import Policy
    from .structures import Structure


class Terms(TypedDict, total=False):
    """Keywords that every strategy takes; see `AtomicOrderExecutor.execute_atomic`."""

    policy: Policy | None
    limit_net: float | None
    note: str


class Strategies(Admission):
    """The part of the executor that knows structures."""

    def _ask(self, structure: Structure, quantity: int, terms: Terms) -> AtomicGroup:
        unknown = sorted(terms.keys() - Terms.__annotations__.keys())
        if unknown:
            raise TypeError(f"{structure.name} takes no {', '.join(unknown)}: use {', '.join(Terms.__annotations__)}")
        return self._open(structure.legs, quantity, structure.name, **terms)

    def execute_iron_condor_atomic(
        self, short_call: Any, long_call: Any, short_put: Any, long_put: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """Sell a put spread below and a call spread above: long put < short put < short call < long call."""
        legs = [self.leg(c) for c in (short_call, long_call, short_put, long_put)]
        return self._ask(structures.iron_condor(*legs), quantity, terms)

    def execute_iron_butterfly_atomic(
        self, short_call: Any, long_call: Any, short_put: Any, long_put: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """An iron condor whose shorts share one strike."""
        legs = [self.leg(c) for c in (short_call, long_call, short_put, long_put)]
        return self._ask(structures.iron_butterfly(*legs), quantity, terms)

    def execute_put_spread_atomic(
        self, short_put: Any, long_put: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """Sell one put and buy another: bull (credit) when the sold strike is higher, else bear."""
        return self._ask(structures.put_spread(self.leg(short_put), self.leg(long_put)), quantity, terms)

    def execute_call_spread_atomic(
        self, short_call: Any, long_call: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """Sell one call and buy another: bear (credit) when the sold strike is lower, else bull."""
        return self._ask(structures.call_spread(self.leg(short_call), self.leg(long_call)), quantity, terms)

    def execute_strangle_atomic(self, call: Any, put: Any, quantity: int = 1, **terms: Unpack[Terms]) -> AtomicGroup:
        """A call above a put; a negative quantity sells them (naked: `Policy(allow_naked=True)`)."""
        structure = structures.strangle(self.leg(call), self.leg(put), _side(quantity))
        return self._ask(structure, abs(quantity), terms)

    def execute_straddle_atomic(self, call: Any, put: Any, quantity: int = 1, **terms: Unpack[Terms]) -> AtomicGroup:
        """Call and put of one strike; a negative quantity sells them (naked: `Policy(allow_naked=True)`)."""
        structure = structures.straddle(self.leg(call), self.leg(put), _side(quantity))
        return self._ask(structure, abs(quantity), terms)

    def execute_butterfly_atomic(
        self, low: Any, middle: Any, high: Any, quantity: int = 1, *, broken_wing: bool = False, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """Wings against two of the middle strike, one right; a negative quantity sells the wings."""
        wings = self.leg(low), self.leg(middle), self.leg(high)
        structure = structures.butterfly(*wings, side=_side(quantity), broken_wing=broken_wing)
        return self._ask(structure, abs(quantity), terms)

    def execute_calendar_atomic(self, near: Any, far: Any, quantity: int = 1, **terms: Unpack[Terms]) -> AtomicGroup:
        """Sell the near expiry, buy the far one, one strike; a negative quantity turns it around."""
        structure = structures.calendar(self.leg(near), self.leg(far), _side(quantity))
        return self._ask(structure, abs(quantity), terms)

    def execute_diagonal_atomic(self, near: Any, far: Any, quantity: int = 1, **terms: Unpack[Terms]) -> AtomicGroup:
        """A calendar of two strikes."""
        structure = structures.diagonal(self.leg(near), self.leg(far), _side(quantity))
        return self._ask(structure, abs(quantity), terms)

    def execute_ratio_atomic(
        self, long: Any, short: Any, quantity: int = 1, *, longs: int = 1, shorts: int = 2, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """`longs` of one strike against `shorts` of another: more shorts is a ratio spread, more longs a backspread."""
        more_longs = given.whole(longs, "longs", low=1) > given.whole(shorts, "shorts", low=1)
        make = structures.backspread if more_longs else structures.ratio_spread
        return self._ask(make(self.leg(long), self.leg(short), longs, shorts), quantity, terms)

    def execute_jade_lizard_atomic(
        self, short_put: Any, short_call: Any, long_call: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """A short put below a bear call spread; the put is naked (`Policy(allow_naked=True)`)."""
        legs = [self.leg(c) for c in (short_put, short_call, long_call)]
        return self._ask(structures.jade_lizard(*legs), quantity, terms)

    def execute_covered_call_atomic(
        self, shares: Any, call: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """Buy the shares of one contract and sell the call on them."""
        return self._ask(structures.covered_call(self.leg(shares), self.leg(call)), quantity, terms)

    def execute_collar_atomic(
        self, shares: Any, put: Any, call: Any, quantity: int = 1, **terms: Unpack[Terms]
    ) -> AtomicGroup:
        """Buy the shares of one contract and a put below, sell a call above."""
        return self._ask(structures.collar(*[self.leg(c) for c in (shares, put, call)]), quantity, terms)


def _side(quantity: int) -> int:
    return 1 if given.whole(quantity, "quantity") > 0 else -1
