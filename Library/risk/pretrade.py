"""Checks before a group opens, to be composed: `Gate([MaxLossPerGroup(500), QuoteQuality(max_age=90), ...])`.

Each check looks at a proposal (`atomic.ports.Proposal`) and answers None, or a refusal that names rule, value and
limit. Money is in dollars, prices in dollars per share, times in seconds UTC. What a check needs and does not know (an
unknown margin, a leg without a quote) is a refusal, not a pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from .checks import Refusal
from .gate import utc_day
from .proposal import (
    LegLike,
    ProposalLike,
    QuoteLike,
    contracts_of,
    losses_of,
    middle,
    name_of,
    unit_price,
)


def _dollars(amount: float) -> str:
    return "no bound" if math.isinf(amount) else f"{amount:.2f}"


# -- losses -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MaxLossPerGroup:
    """The group may lose at most so many dollars at expiry."""

    dollars: float

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        loss = math.fsum(losses_of(proposal).proposed.values())
        if loss <= self.dollars:
            return None
        reason = "the group can lose more than the limit; fewer units or nearer wings"
        return Refusal("max-loss-group", _dollars(loss), f"at most {_dollars(self.dollars)}", reason)


@dataclass(frozen=True, slots=True)
class MaxLossPerUnderlying:
    """All groups of an underlying may together lose at most so many dollars; their losses are added."""

    dollars: float

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        losses = losses_of(proposal)
        for underlying, proposed in losses.proposed.items():
            loss = proposed + losses.beside.get(underlying, 0.0)
            if loss > self.dollars:
                reason = f"groups of {underlying} can lose more than the limit together"
                return Refusal("max-loss-underlying", _dollars(loss), f"at most {_dollars(self.dollars)}", reason)
        return None


@dataclass(frozen=True, slots=True)
class MaxLossForAccount:
    """All groups may together lose at most so many dollars, or a part of the equity (0.05 = 5 %)."""

    dollars: float = math.inf
    part_of_equity: float = math.inf

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        limit = self.dollars
        if not math.isinf(self.part_of_equity):
            if math.isnan(proposal.equity):
                reason = "the account's equity is not known"
                return Refusal("max-loss-account", "unknown", f"{self.part_of_equity:.1%} of the equity", reason)
            limit = min(limit, self.part_of_equity * proposal.equity)
        losses = losses_of(proposal)
        loss = math.fsum([*losses.proposed.values(), *losses.beside.values()])
        if loss <= limit:
            return None
        reason = "all groups can lose more than the limit together"
        return Refusal("max-loss-account", _dollars(loss), f"at most {_dollars(limit)}", reason)


# -- counts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MaxContracts:
    """So many option contracts in one group, and in all groups."""

    per_group: int | None = None
    in_all: int | None = None

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        wanted = contracts_of(proposal.spec.legs, proposal.spec.units)
        if self.per_group is not None and wanted > self.per_group:
            reason = "the group has too many contracts; take fewer units"
            return Refusal("max-contracts", str(wanted), f"at most {self.per_group} in a group", reason)
        if self.in_all is not None:
            total = wanted + sum(contracts_of(g.spec.legs, g.spec.units) for g in proposal.book)
            if total > self.in_all:
                reason = "all groups together have too many contracts"
                return Refusal("max-contracts", str(total), f"at most {self.in_all} in all groups", reason)
        return None


@dataclass(frozen=True, slots=True)
class MaxGroups:
    """So many groups that are not closed, of all strategies and of the same one."""

    groups: int | None = None
    per_strategy: int | None = None

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        strategy = proposal.spec.strategy
        same = sum(1 for group in proposal.book if group.spec.strategy == strategy)
        if self.groups is not None and len(proposal.book) >= self.groups:
            return Refusal("max-groups", str(len(proposal.book)), f"fewer than {self.groups}", "a group must end first")
        if self.per_strategy is not None and same >= self.per_strategy:
            reason = f"a {strategy} group must end first"
            return Refusal("max-groups", str(same), f"fewer than {self.per_strategy} of a strategy", reason)
        return None


@dataclass(frozen=True, slots=True)
class NoDuplicate:
    """No second group of a strategy on the same underlying (and expiry) while one is not closed."""

    same_expiry_only: bool = False

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        key = self._key(proposal.spec)
        for group in proposal.book:
            if self._key(group.spec) == key:
                reason = f"{group.spec.group_id} does the same already"
                return Refusal("duplicate-strategy", proposal.spec.strategy, "one at a time", reason)
        return None

    def _key(self, spec: object) -> tuple[object, ...]:
        legs = spec.legs  # type: ignore[attr-defined]
        underlyings = frozenset(leg.underlying or leg.symbol for leg in legs)
        expiries = frozenset(leg.expiry for leg in legs) if self.same_expiry_only else frozenset()
        return spec.strategy, underlyings, expiries  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ShortStrikeDistance:
    """New short strikes keep a distance from those of open groups of the same right, underlying and expiry.

    Shorts side by side win and lose together; `part` is the least distance as a part of the open strike (0.01 = 1 %).
    """

    part: float

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        for leg in proposal.spec.legs:
            if leg.ratio >= 0 or leg.right == "S":
                continue
            for group in proposal.book:
                for other in group.spec.legs:
                    if other.ratio < 0 and (other.right, other.underlying, other.expiry) == (
                        leg.right,
                        leg.underlying,
                        leg.expiry,
                    ):
                        distance = abs(leg.strike - other.strike) / other.strike
                        if distance < self.part:
                            beside = f"{other.strike:g} of {group.spec.group_id}"
                            reason = f"short strike {leg.strike:g} stands beside {beside}"
                            least = f"at least {self.part:.2%}"
                            return Refusal("short-strike-distance", f"{distance:.2%}", least, reason)
        return None


# -- market -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuoteQuality:
    """Quotes of all legs: there, fresh, and narrow.

    A leg to be sold needs both sides, one to be bought an ask. `max_spread` in dollars per share, `max_spread_part` of
    the middle, `max_spread_ticks` in ticks; `size` asks for the whole leg at the price that would be hit.
    """

    max_age: float = math.inf
    max_spread: float = math.inf
    max_spread_part: float = math.inf
    max_spread_ticks: float = math.inf
    size: bool = False

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Look at each leg."""
        for leg in proposal.spec.legs:
            quote = proposal.quotes.get(leg.symbol)
            if quote is None or (leg.ratio < 0 and quote.bid <= 0) or quote.ask <= 0:
                shown = "none" if quote is None else f"{quote.bid:g}/{quote.ask:g}"
                need = "an ask" if leg.ratio > 0 else "bid and ask"
                return Refusal("quote", shown, need, f"{name_of(leg)} is not quoted")
            found = self._stale(leg, quote, proposal.now) or self._wide(leg, quote)
            if found is None and self.size:
                found = self._thin(leg, quote, abs(leg.ratio) * proposal.spec.units)
            if found is not None:
                return found
        return None

    def _stale(self, leg: LegLike, quote: QuoteLike, now: float) -> Refusal | None:
        age = now - quote.at
        if age <= self.max_age:
            return None
        reason = f"{name_of(leg)} is quoted no more"
        return Refusal("quote-age", f"{age:.0f} s", f"at most {self.max_age:.0f} s", reason)

    def _wide(self, leg: LegLike, quote: QuoteLike) -> Refusal | None:
        if quote.bid <= 0:
            return None
        spread = quote.ask - quote.bid
        if spread < -1e-9:
            return Refusal("quote-spread", f"{spread:.2f}", "at least 0", f"{name_of(leg)}: bid above ask")
        part, ticks = spread / middle(quote), spread / leg.tick if leg.tick > 0 else 0.0
        reason = f"{name_of(leg)} quotes {quote.bid:g}/{quote.ask:g}"
        if spread > self.max_spread + 1e-9:
            return Refusal("quote-spread", f"{spread:.2f}", f"at most {self.max_spread:.2f}", reason)
        if part > self.max_spread_part + 1e-9:
            return Refusal("quote-spread", f"{part:.1%}", f"at most {self.max_spread_part:.1%}", reason)
        if ticks > self.max_spread_ticks + 1e-6:
            return Refusal("quote-spread", f"{ticks:.0f} ticks", f"at most {self.max_spread_ticks:.0f} ticks", reason)
        return None

    def _thin(self, leg: LegLike, quote: QuoteLike, needed: int) -> Refusal | None:
        size = quote.ask_size if leg.ratio > 0 else quote.bid_size
        if size >= needed:
            return None
        return Refusal("quote-size", f"{size:g}", f"at least {needed}", f"{name_of(leg)} has too few contracts quoted")


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """Price of one unit in dollars per share: most debit, least credit; across the spread or at its middle."""

    max_debit: float | None = None
    min_credit: float | None = None
    cross: bool = True

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        price = unit_price(proposal.spec, proposal.quotes, cross=self.cross)
        if self.max_debit is not None and price > self.max_debit + 1e-9:
            limit = f"at most {self.max_debit:.2f}"
            return Refusal("unit-price", f"debit {price:.2f}", limit, "the unit costs too much")
        if self.min_credit is not None and -price < self.min_credit - 1e-9:
            limit = f"at least {self.min_credit:.2f}"
            return Refusal("unit-price", f"credit {-price:.2f}", limit, "the unit pays too little")
        return None


# -- time -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MinutesToClose:
    """So many minutes are left of the session; `closes_at(now)` gives the close in seconds UTC (half days differ)."""

    least: float
    closes_at: Callable[[float], float]

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        left = (self.closes_at(proposal.now) - proposal.now) / 60
        if left >= self.least:
            return None
        return Refusal("minutes-to-close", f"{left:.0f}", f"at least {self.least:.0f}", "the session ends too soon")


@dataclass(frozen=True, slots=True)
class DaysToExpiry:
    """Calendar days to the expiry of each option leg."""

    least: int = 0
    most: int | None = None

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        today = date.fromisoformat(utc_day(proposal.now))
        for leg in proposal.spec.legs:
            if not leg.expiry:
                continue
            days = (date.fromisoformat(leg.expiry[:10]) - today).days
            if days < self.least:
                reason = f"{name_of(leg)} expires too soon"
                return Refusal("days-to-expiry", str(days), f"at least {self.least}", reason)
            if self.most is not None and days > self.most:
                reason = f"{name_of(leg)} expires too late"
                return Refusal("days-to-expiry", str(days), f"at most {self.most}", reason)
        return None


@dataclass(frozen=True, slots=True)
class NoEventDay:
    """No opening on (or `days_before`) a dividend, split or earnings day of the underlying.

    `days`: ISO dates by underlying: its ticker as contracts carry it ("GOOG"), its identifier text, or the ticker that
    this starts with (LEAN's identifiers name the first listing: GOOCV for GOOG).
    """

    days: Mapping[str, Collection[str]] = field(default_factory=dict)
    days_before: int = 0

    def __call__(self, proposal: ProposalLike) -> Refusal | None:
        """Compare."""
        today = date.fromisoformat(utc_day(proposal.now))
        for leg in proposal.spec.legs:
            underlying = leg.underlying or leg.symbol
            ticker = leg.name.split(" ")[0]
            names = {underlying, underlying.split(" ")[0], ticker}
            for day in sorted({day for name in names for day in self.days.get(name, ())}):
                ahead = (date.fromisoformat(day) - today).days
                if 0 <= ahead <= self.days_before:
                    reason = f"{ticker or underlying} has an event on {day}"
                    return Refusal("event-day", f"{ahead} days ahead", f"more than {self.days_before}", reason)
        return None
