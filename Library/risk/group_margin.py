"""Margin of a whole group before its first order, by LEAN's rules, filled in any order its policy allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .checks import Refusal
from .margin import Holding, Instrument, contemplate, impact_delta, initial_value, premium_of, resolve
from .proposal import LegLike, ProposalLike, contracts_of, middle
from .strategy_margin import RECORDED


@dataclass(frozen=True, slots=True)
class GroupMargin:
    """Free margin a group takes, in dollars: when complete, and at worst on the way there.

    `names`: the strategies LEAN will see; `recorded` is False when one of them stands in no recording of LEAN, so that
    its figure rests on LEAN's source alone.
    """

    complete: float
    worst: float
    names: tuple[str, ...]

    @property
    def recorded(self) -> bool:
        """Whether LEAN was seen to charge each of these strategies so."""
        return all(name in RECORDED for name in self.names)


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

    On the way: all longs without their shorts; and, sent `together`, all shorts without their longs.
    """
    wanted = [Holding(instrument_of(leg, quotes, share_margin), float(leg.ratio * units)) for leg in legs]
    complete = _taken(wanted)
    worst = max(complete, _taken([h for h in wanted if h.quantity > 0]))
    if together:
        worst = max(worst, _taken([h for h in wanted if h.quantity < 0]))
    names = tuple(sorted({group.name for group in resolve(wanted) if group.name}))
    return GroupMargin(complete, worst, names)


def _taken(holdings: list[Holding]) -> float:
    groups = resolve(holdings)
    premium = math.fsum(max(premium_of(group), 0.0) for group in groups)
    return math.fsum(abs(initial_value(group)) for group in groups) + premium


def order_margin(held: Iterable[Holding], orders: Sequence[Holding]) -> float:
    """Free margin that orders take from an account that holds `held` (negative: they free some)."""
    groups = resolve(list(held))
    impact = contemplate(groups, orders)
    return impact_delta(impact) if impact.grouped else _taken(list(orders))


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
        if not margin.recorded:
            reason += "; LEAN's figure for this structure is read from its source, not recorded"
        return Refusal("buying-power", f"{needed:.2f}", f"at most {left:.2f}{kept}", reason)
