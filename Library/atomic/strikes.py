"""Choosing contracts of a chain: by strike or by delta.

Works on anything with a `strike` (and `greeks.delta`), such as LEAN's `OptionContract`. Ties go to the strike further
out of the money, so that the choice does not depend on the order of the chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class HasStrike(Protocol):
    """The part of an option contract that is used here."""

    @property
    def strike(self) -> float:
        """Dollars per share."""


class HasDelta(Protocol):
    """Greeks with a delta."""

    @property
    def delta(self) -> float:
        """Change of the option's price per dollar of the underlying."""


class HasGreeks(HasStrike, Protocol):
    """A contract with greeks."""

    @property
    def greeks(self) -> HasDelta:
        """The contract's greeks."""


class HasRight(Protocol):
    """A contract with a right: LEAN's `OptionRight` equals 0 for calls and 1 for puts."""

    @property
    def right(self) -> object:
        """Call or put."""


R = TypeVar("R", bound=HasRight)
C = TypeVar("C", bound=HasStrike)
G = TypeVar("G", bound=HasGreeks)


def calls(chain: Iterable[R]) -> list[R]:
    """The calls of a chain."""
    return [contract for contract in chain if contract.right == 0]


def puts(chain: Iterable[R]) -> list[R]:
    """The puts of a chain."""
    return [contract for contract in chain if contract.right == 1]


def nearest(contracts: Iterable[C], strike: float, *, away: int) -> C | None:
    """The contract with the strike nearest to a price; None when there is none.

    Args:
        contracts: contracts of one right and expiry.
        strike: dollars per share.
        away: +1 when higher strikes are further out of the money (calls), -1 for puts.
    """
    return min(contracts, key=lambda c: (round(abs(c.strike - strike), 6), -away * c.strike), default=None)


def beyond(contracts: Iterable[C], strike: float, width: float, *, away: int) -> C | None:
    """The wing: the contract nearest to `width` beyond a strike, never the strike itself or the other side of it."""
    outside = [c for c in contracts if away * (c.strike - strike) > 1e-9]
    return nearest(outside, strike + away * width, away=away)


def by_delta(contracts: Iterable[G], delta: float, *, away: int) -> G | None:
    """The contract whose delta is nearest to `delta` in size (0.15 for calls and puts alike).

    A contract without a delta (0: no quote to take a volatility from) is never chosen.
    """
    known = [c for c in contracts if c.greeks.delta]
    return min(known, key=lambda c: (round(abs(abs(c.greeks.delta) - delta), 9), -away * c.strike), default=None)


def out_of_the_money(
    contracts: Iterable[G], spot: float, *, distance: float, delta: float, by: str, away: int
) -> G | None:
    """The contract `distance` per cent of the underlying away from it (`by` is "distance"), or of a delta ("delta")."""
    if by == "delta":
        return by_delta(contracts, delta, away=away)
    return nearest(contracts, spot * (1 + away * distance / 100), away=away)
