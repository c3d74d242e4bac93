"""Margin of a book of options and shares, by LEAN's rules: position groups, what they reserve, what an order adds.

One implementation for two users: the embedded engine asks it whether an order may be sent, and a group asks it
before its first order. It works on anything that has the fields of `Instrument`, so the engine's securities are read
where they are. Money is in dollars of the account, prices in dollars per share.

The rules and their oddities are LEAN's. Among them: an iron condor reserves the width of its *put* side only; a
calendar, a box and a butterfly reserve nothing, whatever their wings; the initial margin of short shares counts
negative while the book is regrouped for an option order; where contracts compete for a leg, chance decides (`seed`).

Source: LEAN Common/Securities/Option/OptionStrategyPositionGroupBuyingPowerModel.cs, OptionMarginModel.cs,
Common/Securities/Positions/ (PositionGroupBuyingPowerModel, SecurityPositionGroupBuyingPowerModel,
OptionStrategyPositionGroupResolver), Common/Securities/BuyingPowerModel.cs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .contract_order import Contracts, seeds
from .margin_terms import (
    Group,
    Holding,
    InitialMargin,
    Instrument,
    Marginable,
    MarginNotModelledError,
    order_initial,
    security_initial,
    security_maintenance,
)
from .matching import match
from .strategy_margin import initial_margin, initial_value, maintenance_margin, premium_of

__all__ = [
    "Group",
    "Holding",
    "Impact",
    "InitialMargin",
    "Instrument",
    "MarginNotModelledError",
    "Marginable",
    "contemplate",
    "impact_delta",
    "initial_margin",
    "initial_value",
    "is_group_order",
    "maintenance_margin",
    "margin_delta",
    "margin_used",
    "order_initial",
    "premium_of",
    "resolve",
    "security_initial",
    "security_maintenance",
    "seeds_of",
    "strategy_groups",
]


# -- groups -----------------------------------------------------------------------------------------------------------


def strategy_groups(positions: Sequence[Holding], seed: int = 0) -> list[Group]:
    """The strategies that positions form, underlying by underlying; positions of one security may come in parts.

    When the parts of an underlying cancel out an empty group stands for it, and nothing after it is looked at. `seed`
    decides between contracts that fit the same leg (`contract_order`).
    """
    found: list[Group] = []
    by_underlying: dict[object, list[Holding]] = {}
    for holding in positions:
        by_underlying.setdefault(holding.instrument.underlying_key, []).append(holding)
    for parts in by_underlying.values():
        unit = next((h.instrument.unit for h in parts if h.instrument.is_option), None)
        if unit is None:
            continue
        options: dict[object, Holding] = {}
        lots, shares = 0, None
        for holding in parts:
            instrument = holding.instrument
            if instrument.is_option:
                before = options.get(instrument.key)
                whole = int(holding.quantity)
                options[instrument.key] = Holding(instrument, whole + (before.quantity if before else 0))
            else:
                lots += int(int(holding.quantity) / unit)
                shares = instrument
        held = sorted((h for h in options.values() if h.quantity), key=_order)
        if not held and not lots:
            return [*found, Group("", (), 0.0)]
        for name, legs, matched_lots in match(_contracts(held), lots, seed):
            quantity = math.gcd(*(q for _, q in legs), matched_lots)
            group = [Holding(held[index].instrument, float(q)) for index, q in legs]
            if matched_lots and shares is not None:
                group.append(Holding(shares, matched_lots * unit))
            found.append(Group(name, tuple(group), float(quantity)))
    return found


def _contracts(held: Iterable[Holding]) -> tuple[Contracts, ...]:
    found = []
    for instrument, quantity in held:
        index = not instrument.is_equity_option
        found.append(Contracts(instrument.right, instrument.strike, instrument.expiry, int(quantity), index))
    return tuple(found)


def seeds_of(positions: Iterable[Holding]) -> tuple[int, ...]:
    """Seeds under which LEAN may group positions differently; one where it has no choice (`contract_order.seeds`)."""
    return seeds(_contracts(holding for holding in positions if holding.instrument.is_option))


def _order(holding: Holding) -> tuple[str, float, str]:
    instrument = holding.instrument
    return instrument.expiry, instrument.strike, instrument.right


def resolve(positions: Sequence[Holding], seed: int = 0) -> list[Group]:
    """All groups of a book: strategies first, then each rest of a security on its own; `seed` as above."""
    groups = strategy_groups(positions, seed)
    left: dict[object, float] = {}
    for group in groups:
        for holding in group.holdings:
            key = holding.instrument.key
            left[key] = left.get(key, 0.0) + holding.quantity
    for holding in positions:
        taken = left.get(holding.instrument.key)
        rest = holding.quantity - (taken or 0.0)
        if taken is None or rest:
            groups.append(Group("", (Holding(holding.instrument, rest),), rest))
    return groups


def margin_used(groups: Iterable[Group]) -> float:
    """What a book reserves: the sum over its groups."""
    return sum(maintenance_margin(group) for group in groups)


# -- orders -----------------------------------------------------------------------------------------------------------


def impacted(groups: Iterable[Group], orders: Iterable[Holding]) -> list[Group]:
    """Groups of the book that orders may change: those of the same underlying."""
    touched = {h.instrument.underlying_key for h in orders}
    return [g for g in groups if g.quantity and any(h.instrument.underlying_key in touched for h in g.holdings)]


class Impact(NamedTuple):
    """What orders do to the groups of a book, before any price is looked at.

    `grouped`: LEAN judges the orders by the groups they leave behind (else each on its own); `before` and `after` are
    the groups that change, `alone` those that the orders form by themselves.
    """

    grouped: bool
    before: tuple[Group, ...]
    after: tuple[Group, ...]
    alone: tuple[Group, ...]


NOT_GROUPED = Impact(False, (), (), ())


def contemplate(groups: Sequence[Group], orders: Sequence[Holding]) -> Impact:
    """Regroup the part of a book that orders touch. Each order names a security of its own."""
    if not groups and len(orders) == 1:
        return NOT_GROUPED
    before = impacted(groups, orders)
    if not _forms_groups([*orders, *(h for g in before for h in g.holdings)]):
        return NOT_GROUPED
    after: dict[object, Holding] = {h.instrument.key: h for h in orders}
    for group in before:
        for holding in group.holdings:
            known = after.get(holding.instrument.key)
            quantity = holding.quantity + (known.quantity if known else 0.0)
            after[holding.instrument.key] = Holding(holding.instrument, quantity)
    return Impact(True, tuple(before), tuple(resolve(list(after.values()))), tuple(resolve(orders)))


def _forms_groups(positions: Sequence[Holding]) -> bool:
    """Whether `strategy_groups` would find any: every option forms one, and so do parts that cancel out."""
    left: dict[object, int] = {}
    units: dict[object, float] = {}
    for instrument, quantity in positions:
        if instrument.is_option:
            left[instrument.key] = left.get(instrument.key, 0) + int(quantity)
            units.setdefault(instrument.underlying_key, instrument.unit)
    if any(left.values()):
        return True
    lots = dict.fromkeys(units, 0)
    for instrument, quantity in positions:
        if not instrument.is_option and instrument.key in units:
            lots[instrument.key] += int(int(quantity) / units[instrument.key])
    return not all(lots.values())


def impact_delta(impact: Impact) -> float:
    """Free margin an impact takes at current prices, premium to be paid included; negative when it frees some.

    Raises:
        MarginNotModelledError: for a strategy LEAN knows by name only (backspreads).
    """
    contemplated = current = 0.0
    for group in impact.after:
        contemplated += initial_value(group)
    for group in impact.alone:
        premium = premium_of(group)
        if premium > 0:
            contemplated += premium
    for group in impact.before:
        current += maintenance_margin(group)
    return contemplated - current


def is_group_order(groups: Sequence[Group], orders: Sequence[Holding]) -> bool:
    """Whether LEAN judges orders by the groups they leave behind (else each on its own)."""
    return contemplate(groups, orders).grouped


def margin_delta(groups: Sequence[Group], orders: Sequence[Holding]) -> float:
    """Free margin that orders take together; see `impact_delta`."""
    return impact_delta(contemplate(groups, orders))
