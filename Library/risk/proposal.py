"""What the checks see: a group that wants to open, the quotes of its legs and the groups that are open.

The shapes are those of `atomic.ports.Proposal`; anything that has these fields will do, so the package stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .structure import PayoffLeg, max_loss


class QuoteLike(Protocol):
    """Newest quote of a contract, dollars per share; a missing side is 0."""

    @property
    def bid(self) -> float: ...  # noqa: D102
    @property
    def ask(self) -> float: ...  # noqa: D102
    @property
    def last(self) -> float: ...  # noqa: D102
    @property
    def at(self) -> float: ...  # noqa: D102
    @property
    def bid_size(self) -> float: ...  # noqa: D102
    @property
    def ask_size(self) -> float: ...  # noqa: D102


class LegLike(Protocol):
    """One leg of a unit: `ratio` signed contracts (shares), `right` "C", "P" or "S"."""

    @property
    def symbol(self) -> str: ...  # noqa: D102
    @property
    def ratio(self) -> int: ...  # noqa: D102
    @property
    def right(self) -> str: ...  # noqa: D102
    @property
    def strike(self) -> float: ...  # noqa: D102
    @property
    def expiry(self) -> str: ...  # noqa: D102
    @property
    def underlying(self) -> str: ...  # noqa: D102
    @property
    def multiplier(self) -> float: ...  # noqa: D102
    @property
    def tick(self) -> float: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102


class SpecLike(Protocol):
    """What was asked."""

    @property
    def group_id(self) -> str: ...  # noqa: D102
    @property
    def strategy(self) -> str: ...  # noqa: D102
    @property
    def legs(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def units(self) -> int: ...  # noqa: D102
    @property
    def policy(self) -> Any: ...  # noqa: D102


class ProposalLike(Protocol):
    """A group that wants to open, and what is known of the market and the book."""

    @property
    def spec(self) -> SpecLike: ...  # noqa: D102
    @property
    def quotes(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def now(self) -> float: ...  # noqa: D102
    @property
    def book(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def equity(self) -> float: ...  # noqa: D102
    @property
    def margin_remaining(self) -> float: ...  # noqa: D102


def name_of(leg: LegLike) -> str:
    """What a person reads."""
    return leg.name or leg.symbol


def natural(leg: LegLike, quote: QuoteLike) -> float:
    """Price of a leg when the spread is crossed: the ask to buy, the bid to sell; 0 when that side is missing."""
    return quote.ask if leg.ratio > 0 else quote.bid


def middle(quote: QuoteLike) -> float:
    """Middle of bid and ask, the one side there is, or the last price."""
    if quote.bid > 0 and quote.ask > 0:
        return (quote.bid + quote.ask) / 2
    return quote.bid or quote.ask or quote.last


def unit_price(spec: SpecLike, quotes: Mapping[str, Any], *, cross: bool) -> float:
    """Net price of one unit in dollars per share: debit positive, credit negative; `cross` the spread or its middle.

    Shares count by the options' multiplier, so that 100 shares of a covered call count once.
    """
    options = [leg.multiplier for leg in spec.legs if leg.right != "S"]
    scale = options[0] if options else 1.0
    total = 0.0
    for leg in spec.legs:
        quote = quotes[leg.symbol]
        total += leg.ratio * leg.multiplier * (natural(leg, quote) if cross else middle(quote))
    return total / scale


def proposed_legs(proposal: ProposalLike) -> dict[str, list[PayoffLeg]]:
    """The proposed legs by underlying, for all units, at the prices that crossing the spread would give."""
    found: dict[str, list[PayoffLeg]] = {}
    units = proposal.spec.units
    for leg in proposal.spec.legs:
        price = natural(leg, proposal.quotes[leg.symbol])
        found.setdefault(leg.underlying or leg.symbol, []).append(
            PayoffLeg(leg.right, leg.strike, leg.ratio * units, leg.multiplier, price, leg.expiry)
        )
    return found


def held_legs(group: Any) -> dict[str, list[PayoffLeg]]:
    """Legs of an open group by underlying, at what they cost.

    While a group opens each leg counts as if it reached its target; what has not filled counts without premium.
    """
    found: dict[str, list[PayoffLeg]] = {}
    for leg in group.legs:
        spec = leg.spec
        wanted = spec.ratio * group.target
        quantity = wanted if abs(wanted) > abs(leg.net) else leg.net
        if not quantity:
            continue
        price = leg.cost / (quantity * spec.multiplier)
        found.setdefault(spec.underlying or spec.symbol, []).append(
            PayoffLeg(spec.right, spec.strike, quantity, spec.multiplier, price, spec.expiry)
        )
    return found


def loss_of(legs: Mapping[str, Sequence[PayoffLeg]]) -> float:
    """Largest joint loss in dollars: underlyings may all go the wrong way at once."""
    return math.fsum(max_loss(one) for one in legs.values())


class Losses:
    """Largest losses by underlying, in dollars: of a proposal, and of all groups beside it (computed when asked)."""

    __slots__ = ("_beside", "_proposal", "proposed")

    def __init__(self, proposal: ProposalLike) -> None:
        self._proposal = proposal
        self.proposed = {underlying: max_loss(legs) for underlying, legs in proposed_legs(proposal).items()}
        self._beside: dict[str, float] | None = None

    @property
    def beside(self) -> dict[str, float]:
        """Losses of the open groups, added up by underlying."""
        if self._beside is None:
            self._beside = {}
            for group in self._proposal.book:
                for underlying, legs in held_legs(group).items():
                    self._beside[underlying] = self._beside.get(underlying, 0.0) + max_loss(legs)
        return self._beside


_latest: tuple[ProposalLike, Losses] | None = None


def losses_of(proposal: ProposalLike) -> Losses:
    """The losses of a proposal, computed once for all the checks that ask."""
    global _latest  # one slot: checks of one proposal follow each other
    known = _latest
    if known is not None and known[0] is proposal:
        return known[1]
    losses = Losses(proposal)
    _latest = (proposal, losses)
    return losses


def contracts_of(legs: Iterable[LegLike], units: int) -> int:
    """Option contracts of so many units."""
    return sum(abs(leg.ratio) * units for leg in legs if leg.right != "S")
