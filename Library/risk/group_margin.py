"""Margin of a whole group before its first order, by LEAN's rules, filled in any order its policy allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from .checks import Refusal
from .margin import Group, Holding, Instrument, contemplate, impact_delta, initial_value, premium_of, resolve, seeds_of
from .margin_terms import value_of
from .proposal import LegLike, ProposalLike, contracts_of, middle
from .strategy_margin import OPENING_NOT_RECORDED, RECORDED

_SEEN = RECORDED - OPENING_NOT_RECORDED


@dataclass(frozen=True, slots=True)
class GroupMargin:
    """Free margin a group takes, in dollars: when complete, and at worst on the way there.

    `names`: the strategies LEAN may see in it, `parts` how many at most. `recorded`: LEAN was seen to charge an account
    that held just such a strategy; else the figure rests on LEAN's source alone (a structure that LEAN charges as
    several strategies was never recorded, nor was what opening a covered call or a collar needs). `by_chance`:
    contracts compete for a leg, LEAN's process decides by a random number, and the figures here are the largest of all
    that it may come to.
    """

    complete: float
    worst: float
    names: tuple[str, ...]
    by_chance: bool = False
    parts: int = 1

    @property
    def recorded(self) -> bool:
        """Whether LEAN was seen to charge this structure so."""
        return self.parts <= 1 and all(name in _SEEN for name in self.names)

    @property
    def remark(self) -> str:
        """What a person has to know of the figures; empty where they are recorded and certain."""
        remarks = []
        if not self.recorded:
            remarks.append("LEAN's figure for this structure is read from its source, not recorded")
        if self.by_chance:
            remarks.append("LEAN decides by a random number of its process, this is the largest figure")
        return "; ".join(remarks)


def instrument_of(leg: LegLike, quotes: Mapping[str, Any], share_margin: float = 0.5) -> Instrument:
    """A leg as margin reads it; `share_margin` is the part of their value that shares need."""
    quote = quotes[leg.symbol]
    price = middle(quote)
    if leg.right == "S":
        return Instrument(
            leg.symbol, leg.symbol, price=price, initial_rate=share_margin, maintenance_rate=share_margin
        )
    under = quotes.get(leg.underlying)
    return Instrument(
        leg.symbol, leg.underlying, is_option=True, right=str(leg.right), strike=leg.strike, expiry=leg.expiry,
        multiplier=leg.multiplier, unit=leg.multiplier, price=price, bid=quote.bid, ask=quote.ask,
        underlying_price=0.0 if under is None else (under.last or middle(under)),
    )  # fmt: skip


def group_margin(
    legs: Sequence[LegLike], units: int, quotes: Mapping[str, Any], *, together: bool, share_margin: float = 0.5
) -> GroupMargin:
    """Margin of `units` of a structure on an account that holds nothing else of its underlyings.

    On the way: all longs without their shorts; all longs and some of the shorts (a condor reserves its put side, its
    call spread alone may need more); and, sent `together`, any of the legs without the others.
    """
    wanted = [Holding(instrument_of(leg, quotes, share_margin), float(leg.ratio * units)) for leg in legs]
    chances = seeds_of(wanted)  # parts of the legs leave LEAN no other choices than all of them
    whole = [resolve(wanted, seed) for seed in chances]
    figures = [_needed(groups) for groups in whole]
    longs, shorts = [h for h in wanted if h.quantity > 0], [h for h in wanted if h.quantity < 0]
    worst = max(*figures, _of_longs(longs, chances))
    for some in _parts(shorts, all_too=False):
        worst = max(worst, *(_reserved(resolve([*longs, *some], seed)) for seed in chances))
    if together:
        worst = max(worst, *(_needed(resolve(some, seed)) for some in _parts(wanted) for seed in chances))
    names = tuple(sorted({group.name for groups in whole for group in groups if group.name}))
    by_chance = max(figures) - min(figures) > 0.005
    return GroupMargin(max(figures), worst, names, by_chance, max(len(groups) for groups in whole))


#: legs of which every part is looked at; of longer lists each leg alone, and each leg missing
_ALL_PARTS = 6


def _parts(holdings: list[Holding], *, all_too: bool = True) -> Iterable[list[Holding]]:
    """Lists of some of the holdings: not none, and all of them only if wanted."""
    count = len(holdings)
    sizes = range(1, count + all_too) if count <= _ALL_PARTS else [1, count - 1, *([count] if all_too else [])]
    return (list(some) for size in sizes for some in combinations(holdings, size))


def _of_longs(longs: list[Holding], chances: Sequence[int]) -> float:
    """Longs on their own: options reserve nothing and are paid for."""
    if all(h.instrument.is_option for h in longs):
        return math.fsum(value_of(*h) for h in longs)
    return max(_needed(resolve(longs, seed)) for seed in chances)


def _needed(groups: list[Group]) -> float:
    """Margin, and premium to be paid."""
    return _reserved(groups) + math.fsum(max(premium_of(group), 0.0) for group in groups)


def _reserved(groups: list[Group]) -> float:
    """Margin without premium: what is held has been paid for."""
    return math.fsum(abs(initial_value(group)) for group in groups)


def order_margin(held: Iterable[Holding], orders: Sequence[Holding]) -> float:
    """Free margin that orders take from an account that holds `held` (negative: they free some)."""
    groups = resolve(list(held))
    impact = contemplate(groups, orders)
    return impact_delta(impact) if impact.grouped else _needed(resolve(orders))


@dataclass(frozen=True, slots=True)
class BuyingPower:
    """The account can carry the group at its worst moment while it fills, and keeps a reserve.

    `reserve` in dollars and `reserve_part` of the equity stay free. `fee` in dollars per contract. `answer`, where
    given, asks the brokerage itself (free margin the group takes; NaN when it does not say) and counts if larger.
    """

    reserve: float = 0.0
    reserve_part: float = 0.0
    fee: float = 0.65
    share_margin: float = 0.5
    answer: Callable[[ProposalLike], float] | None = None

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        free = proposal.margin_remaining
        if math.isnan(free) or (self.reserve_part and math.isnan(proposal.equity)):
            return Refusal("buying-power", "unknown", "a known margin", "the account's free margin is not known")
        spec = proposal.spec
        for leg in spec.legs:
            under = proposal.quotes.get(leg.underlying) if leg.right != "S" else None
            if leg.ratio < 0 and leg.right != "S" and (under is None or not (under.last or middle(under))):
                reason = f"{leg.underlying} has no price, so the margin cannot be known"
                return Refusal("buying-power", "unknown", "a price of the underlying", reason)
        margin = group_margin(
            spec.legs,
            spec.units,
            proposal.quotes,
            together=spec.policy.sequence == "together",
            share_margin=self.share_margin,
        )
        needed = margin.worst
        if self.answer is not None and (told := self.answer(proposal)) > needed:
            needed = told
        needed += self.fee * contracts_of(spec.legs, spec.units)
        left = free - self.reserve - (self.reserve_part * proposal.equity if self.reserve_part else 0.0)
        if needed <= left:
            return None
        kept = f" (after a reserve of {free - left:.2f})" if left != free else ""
        reason = f"the group would need {needed:.2f} at its worst moment"
        if margin.remark:
            reason += f"; {margin.remark}"
        return Refusal("buying-power", f"{needed:.2f}", f"at most {left:.2f}{kept}", reason)
