"""The strategies by name: each makes the legs of its structure, checks their terms, and asks for one group.

Contracts may be given as Symbol, OptionContract, Security or LegSpec. `quantity` is in units; where a strategy may be
bought or sold, a negative quantity sells it. Every method returns a live `AtomicGroup`; what the market or a limit
forbids gives a group with outcome REFUSED. ValueError names value and rule when the terms themselves are wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .group import AtomicGroup
    from .policy import Policy


class Strategies:
    """The part of the executor that knows structures."""

    def execute_atomic(
        self, legs: Sequence[tuple[Any, int]], quantity: int = 1, strategy: str = "custom", *,
        policy: Policy | None = None, limit_net: float | None = None, note: str = "",
    ) -> AtomicGroup:  # fmt: skip
        """All legs or none; the executor implements it."""
        raise NotImplementedError

    def execute_iron_condor_atomic(
        self, short_call: Any, long_call: Any, short_put: Any, long_put: Any, quantity: int = 1, **terms: Any
    ) -> AtomicGroup:
        """Sell a put spread and a call spread around the market: long put < short put < short call < long call."""
        legs = [(long_put, 1), (short_put, -1), (short_call, -1), (long_call, 1)]
        return self.execute_atomic(legs, quantity, "iron_condor", **terms)

    def execute_put_spread_atomic(self, short_put: Any, long_put: Any, quantity: int = 1, **terms: Any) -> AtomicGroup:
        """A put spread: sell one put, buy the other; bull when the sold strike is higher, bear when it is lower."""
        return self.execute_atomic([(long_put, 1), (short_put, -1)], quantity, "put_spread", **terms)

    def execute_strangle_atomic(self, call: Any, put: Any, quantity: int = 1, **terms: Any) -> AtomicGroup:
        """A call and a put of different strikes; a negative quantity sells them."""
        sign = 1 if quantity > 0 else -1
        return self.execute_atomic([(call, sign), (put, sign)], abs(quantity), "strangle", **terms)
