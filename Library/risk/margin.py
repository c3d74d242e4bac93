"""Margin of a book of options and shares, by LEAN's rules: position groups, what they reserve, what an order adds.

One implementation for two users: the embedded engine asks it whether an order may be sent, and a group asks it
before its first order. It works on anything that has the fields of `Instrument`, so the engine's securities are read
where they are. Money is in dollars of the account, prices in dollars per share.

The rules and their oddities are LEAN's. Among them: an iron condor reserves the width of its *put* side only; a
calendar, a box and a butterfly reserve nothing, whatever their wings; the initial margin of short shares counts
negative while the book is regrouped for an option order.

Source: LEAN Common/Securities/Option/OptionStrategyPositionGroupBuyingPowerModel.cs, OptionMarginModel.cs,
Common/Securities/Positions/ (PositionGroupBuyingPowerModel, SecurityPositionGroupBuyingPowerModel,
OptionStrategyPositionGroupResolver), Common/Securities/BuyingPowerModel.cs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .matching import Contracts, match


class Marginable(Protocol):
    """What margin has to know of a security."""

    @property
    def key(self) -> object:
        """Identity of the security."""

    @property
    def underlying_key(self) -> object:
        """Identity of the underlying; of shares their own."""

    @property
    def is_option(self) -> bool:
        """An option, not shares."""

    @property
    def is_equity_option(self) -> bool:
        """An option on a stock, not on an index."""

    @property
    def right(self) -> str:
        """`C` or `P`; empty for shares."""

    @property
    def strike(self) -> float:
        """Dollars per share."""

    @property
    def expiry(self) -> str:
        """ISO date; empty for shares."""

    @property
    def multiplier(self) -> float:
        """Dollars per dollar of price (100 for a stock option, 1 for shares)."""

    @property
    def unit(self) -> float:
        """Shares per contract (1 for shares)."""

    @property
    def price(self) -> float:
        """Current price, dollars per share."""

    @property
    def bid(self) -> float:
        """Bid, dollars per share; 0 without one."""

    @property
    def ask(self) -> float:
        """Ask, dollars per share; 0 without one."""

    @property
    def underlying_price(self) -> float:
        """Price of the underlying, dollars per share; 0 when unknown."""

    @property
    def initial_rate(self) -> float:
        """Part of its value that shares need to be bought or shorted (0.5 with a leverage of 2)."""

    @property
    def maintenance_rate(self) -> float:
        """Part of its value that shares reserve while held."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A security as plain data; see `Marginable` for the fields."""

    key: object
    underlying_key: object
    is_option: bool = False
    is_equity_option: bool = True
    right: str = ""
    strike: float = 0.0
    expiry: str = ""
    multiplier: float = 1.0
    unit: float = 1.0
    price: float = 0.0
    bid: float = 0.0
    ask: float = 0.0
    underlying_price: float = 0.0
    initial_rate: float = 0.5
    maintenance_rate: float = 0.5


class Holding(NamedTuple):
    """A signed quantity of an instrument, in contracts or shares."""

    instrument: Marginable
    quantity: float


class Group(NamedTuple):
    """Holdings that are margined together. `name` is the strategy ("" for a security on its own), `quantity` its units.

    An order that closes all it touches makes an empty group.
    """

    name: str
    holdings: tuple[Holding, ...]
    quantity: float


class InitialMargin(NamedTuple):
    """Margin to open: `value` without, `premium` of the options (negative when received)."""

    value: float
    premium: float

    @property
    def total(self) -> float:
        """Margin and the premium to be paid, if any."""
        return self.value + max(self.premium, 0.0)


class MarginNotModelledError(NotImplementedError):
    """LEAN has no margin for this strategy and stops the order with the same words."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Option strategy {name} margin modeling has yet to be implemented")


# -- single securities ------------------------------------------------------------------------------------------------


def value_of(instrument: Marginable, quantity: float) -> float:
    """Dollars of a quantity at the current price."""
    return instrument.price * quantity * instrument.multiplier


def option_requirement(option: Marginable, quantity: float, value: float) -> float:
    """Margin of an option position as a multiple of its `value` (1 for a long; 0 while a price is missing)."""
    under = option.underlying_price
    if value == 0 or option.price == 0 or option.strike == 0 or under == 0:
        return 0.0
    if value > 0:
        return 1.0
    unit = option.unit
    per_unit = -value / unit
    scale = 1 / option.multiplier * unit
    under_ratio = scale * (under / per_unit)
    otm_ratio = scale * (_out_of_the_money(option, under) / per_unit)
    floor = 0.1 * under_ratio if option.right == "C" else 0.1 * (scale * (option.strike / per_unit))
    rate = 0.2 if option.is_equity_option else 0.15
    return 1 + abs(quantity) * max(floor, rate * under_ratio - otm_ratio)


def security_maintenance(instrument: Marginable, quantity: float) -> float:
    """What a position reserves on its own, at the current price."""
    if instrument.is_option:
        if quantity >= 0:
            return 0.0
        value = value_of(instrument, quantity)
        return abs(value) * option_requirement(instrument, quantity, value)
    return abs(value_of(instrument, quantity)) * instrument.maintenance_rate


def security_initial(instrument: Marginable, quantity: float) -> InitialMargin:
    """What a position on its own needs to be opened; signed as LEAN signs it (negative for a short)."""
    value = value_of(instrument, quantity)
    if instrument.is_option:
        return InitialMargin(0.0 if quantity >= 0 else value * option_requirement(instrument, quantity, value), value)
    return InitialMargin(value * instrument.initial_rate, 0.0)


def order_initial(instrument: Marginable, quantity: float, order_value: float, fee: float) -> float:
    """Signed initial margin of a single order, its fee included; `order_value` is the order's own (signed) value."""
    if instrument.is_option:
        margin = order_value * option_requirement(instrument, quantity, order_value)
    else:
        margin = value_of(instrument, quantity) * instrument.initial_rate
    return margin + fee if margin > 0 else margin - fee if margin < 0 else margin


def _out_of_the_money(option: Marginable, under: float) -> float:
    return max(0.0, option.strike - under if option.right == "C" else under - option.strike)


def _in_the_money(option: Marginable, under: float) -> float:
    return max(0.0, under - option.strike if option.right == "C" else option.strike - under)


# -- groups -----------------------------------------------------------------------------------------------------------


def strategy_groups(positions: Sequence[Holding]) -> list[Group]:
    """The strategies that positions form, underlying by underlying; positions of one security may come in parts.

    When the parts of an underlying cancel out an empty group stands for it, and nothing after it is looked at.
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
        contracts = tuple(
            Contracts(h.instrument.right, h.instrument.strike, h.instrument.expiry, int(h.quantity)) for h in held
        )
        for name, legs, matched_lots in match(contracts, lots):
            quantity = math.gcd(*(q for _, q in legs), matched_lots)
            group = [Holding(held[index].instrument, float(q)) for index, q in legs]
            if matched_lots and shares is not None:
                group.append(Holding(shares, matched_lots * unit))
            found.append(Group(name, tuple(group), float(quantity)))
    return found


def _order(holding: Holding) -> tuple[str, float, str]:
    instrument = holding.instrument
    return instrument.expiry, instrument.strike, instrument.right


def resolve(positions: Sequence[Holding]) -> list[Group]:
    """All groups of a book: strategies first, then each rest of a security on its own."""
    groups = strategy_groups(positions)
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


def maintenance_margin(group: Group) -> float:
    """What a group reserves while it is held.

    Raises:
        MarginNotModelledError: for a strategy LEAN knows by name only (backspreads).
    """
    if not group.name:
        return sum(security_maintenance(h.instrument, h.quantity) for h in group.holdings)
    if not group.quantity:
        return 0.0
    rule = _MAINTENANCE.get(group.name)
    if rule is None:
        raise MarginNotModelledError(group.name)
    return rule(group)


def initial_margin(group: Group) -> InitialMargin:
    """What a group needs to be opened.

    Raises:
        MarginNotModelledError: for a strategy LEAN knows by name only (backspreads).
    """
    return InitialMargin(initial_value(group), premium_of(group))


def initial_value(group: Group) -> float:
    """What a group needs to be opened, the premium of its options left out.

    Raises:
        MarginNotModelledError: for a strategy LEAN knows by name only (backspreads).
    """
    if not group.name:
        # LEAN adds up plain numbers here, so the premium of a long option is part of the value
        return sum(security_initial(h.instrument, h.quantity).total for h in group.holdings)
    if not group.quantity:
        return 0.0
    rule = _INITIAL.get(group.name) or _MAINTENANCE.get(group.name)
    if rule is None:
        raise MarginNotModelledError(group.name)
    return rule(group)


def premium_of(group: Group) -> float:
    """Premium of a strategy's options at current prices: positive is paid, negative received."""
    if not group.name or not group.quantity:
        return 0.0
    return sum(value_of(*h) for h in group.holdings if h.instrument.is_option)


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
    if not strategy_groups([*orders, *(h for g in before for h in g.holdings)]):
        return NOT_GROUPED
    after: dict[object, Holding] = {h.instrument.key: h for h in orders}
    for group in before:
        for holding in group.holdings:
            known = after.get(holding.instrument.key)
            quantity = holding.quantity + (known.quantity if known else 0.0)
            after[holding.instrument.key] = Holding(holding.instrument, quantity)
    return Impact(True, tuple(before), tuple(resolve(list(after.values()))), tuple(resolve(orders)))


def impact_delta(impact: Impact) -> float:
    """Free margin an impact takes at current prices, premium to be paid included; negative when it frees some.

    Raises:
        MarginNotModelledError: for a strategy LEAN knows by name only (backspreads).
    """
    delta = 0.0
    for group in impact.after:
        delta += initial_value(group)
    for group in impact.alone:
        premium = premium_of(group)
        if premium > 0:
            delta += premium
    for group in impact.before:
        delta -= maintenance_margin(group)
    return delta


def is_group_order(groups: Sequence[Group], orders: Sequence[Holding]) -> bool:
    """Whether LEAN judges orders by the groups they leave behind (else each on its own)."""
    return contemplate(groups, orders).grouped


def margin_delta(groups: Sequence[Group], orders: Sequence[Holding]) -> float:
    """Free margin that orders take together; see `impact_delta`."""
    return impact_delta(contemplate(groups, orders))


# -- rules by strategy ------------------------------------------------------------------------------------------------


def _option_of(group: Group, right: str = "") -> Holding:
    return next(h for h in group.holdings if h.instrument.is_option and (not right or h.instrument.right == right))


def _shares_of(group: Group) -> Holding:
    return next(h for h in group.holdings if not h.instrument.is_option)


def _nothing(group: Group) -> float:
    return 0.0


def _protective(group: Group) -> float:
    option, shares = _option_of(group), _shares_of(group)
    count = option.instrument.unit * abs(option.quantity)
    otm = _out_of_the_money(option.instrument, shares.instrument.price) * count
    return min(0.1 * option.instrument.strike * count + otm, abs(security_maintenance(*shares)))


def _covered_call(group: Group) -> float:
    option, shares = _option_of(group), _shares_of(group)
    price = shares.instrument.price
    itm = _in_the_money(option.instrument, price) * option.instrument.unit * abs(option.quantity)
    value = value_of(*shares)
    capped = min(price, option.instrument.strike) * shares.quantity * shares.instrument.multiplier
    rate = shares.instrument.maintenance_rate
    return max(itm + abs(capped) * rate, min(value, max(value_of(*option), abs(value) * rate)))


def _covered_call_initial(group: Group) -> float:
    option, shares = _option_of(group), _shares_of(group)
    return abs(value_of(*option)) * 0.8 + security_initial(*shares).value


def _shares_and_intrinsic(right: str) -> Callable[[Group], float]:
    def rule(group: Group) -> float:
        option, shares = _option_of(group, right), _shares_of(group)
        itm = _in_the_money(option.instrument, shares.instrument.price)
        return abs(security_initial(*shares).value) + itm * option.instrument.unit * abs(option.quantity)

    return rule


def _shares_initial(group: Group) -> float:
    return abs(security_initial(*_shares_of(group)).value)


def _collar(group: Group) -> float:
    put, call, shares = _option_of(group, "P"), _option_of(group, "C"), _shares_of(group)
    protected = 0.1 * put.instrument.strike + _out_of_the_money(put.instrument, shares.instrument.price)
    return min(protected, 0.25 * call.instrument.strike) * (abs(put.quantity) * put.instrument.unit)


def _conversion(right: str) -> Callable[[Group], float]:
    def rule(group: Group) -> float:
        option, shares = _option_of(group, right), _shares_of(group)
        itm = _in_the_money(option.instrument, shares.instrument.price)
        return (0.1 * option.instrument.strike + itm) * abs(option.quantity) * option.instrument.unit

    return rule


def _naked(group: Group) -> float:
    return security_maintenance(*group.holdings[0])


def _naked_initial(group: Group) -> float:
    return abs(security_initial(*group.holdings[0]).value)


def _short_leg(group: Group) -> float:
    return security_maintenance(*next(h for h in group.holdings if h.quantity < 0))


def _width(holdings: Sequence[Holding], right: str, quantity: float) -> float:
    """Put spread: short strike above the long one; call spread: long strike above the short one; else nothing."""
    long = next(h.instrument for h in holdings if h.instrument.right == right and h.quantity > 0)
    short = next(h.instrument for h in holdings if h.instrument.right == right and h.quantity < 0)
    gap = short.strike - long.strike if right == "P" else long.strike - short.strike
    return max(gap * long.unit * abs(quantity), 0.0)


def _spread(right: str) -> Callable[[Group], float]:
    return lambda group: _width(group.holdings, right, group.quantity)


def _straddle(group: Group) -> float:
    call, put = _option_of(group, "C"), _option_of(group, "P")
    call_margin, put_margin = security_maintenance(*call), security_maintenance(*put)
    other = call if put_margin > call_margin else put
    premium = other.instrument.price * other.instrument.unit * abs(other.quantity)
    return max(put_margin, call_margin) + premium


def _lower_wing(group: Group) -> float:
    low, middle = sorted(group.holdings, key=lambda h: h.instrument.strike)[:2]
    gap = middle.instrument.strike - low.instrument.strike
    return max(gap * low.instrument.unit * abs(group.quantity), 0.0)


def _short_box(group: Group) -> float:
    def leg(right: str, sign: int) -> Holding:
        return next(h for h in group.holdings if h.instrument.right == right and h.quantity * sign > 0)

    long_call, short_call, long_put, short_put = leg("C", 1), leg("C", -1), leg("P", 1), leg("P", -1)
    contracts = abs(long_call.quantity)
    commission = max(contracts * 0.65, 1.0) * 4
    close = short_call.instrument.ask - long_call.instrument.bid + short_put.instrument.ask - long_put.instrument.bid
    units = contracts * long_call.instrument.unit
    gap = long_call.instrument.strike - short_call.instrument.strike
    return max(1.02 * (commission + close * units), gap * units)


def _jelly_roll(group: Group) -> float:
    last = max(h.instrument.expiry for h in group.holdings)
    short = next(h for h in group.holdings if h.quantity < 0 and h.instrument.expiry == last)
    return abs(security_maintenance(*short))


def _spread_ladder(right: str) -> Callable[[Group], float]:
    """The two strikes nearest the money as a spread; the third leg is long."""

    def rule(group: Group) -> float:
        ordered = sorted(group.holdings, key=lambda h: h.instrument.strike, reverse=right == "P")
        return _width(ordered[:2], right, group.quantity)

    return rule


def _naked_ladder(right: str) -> Callable[[Group], float]:
    """The far leg is a naked short."""

    def rule(group: Group) -> float:
        far = sorted(group.holdings, key=lambda h: h.instrument.strike, reverse=right == "C")[0]
        return abs(security_initial(*far).total)

    return rule


_MAINTENANCE: dict[str, Callable[[Group], float]] = {
    "Protective Put": _protective,
    "Protective Call": _protective,
    "Covered Call": _covered_call,
    "Covered Put": _shares_and_intrinsic("P"),
    "Protective Collar": _collar,
    "Conversion": _conversion("C"),
    "Reverse Conversion": _conversion("P"),
    "Naked Call": _naked,
    "Naked Put": _naked,
    "Bear Call Spread": _spread("C"),
    "Bull Call Spread": _spread("C"),
    "Bear Put Spread": _spread("P"),
    "Bull Put Spread": _spread("P"),
    "Call Calendar Spread": _nothing,
    "Put Calendar Spread": _nothing,
    "Short Call Calendar Spread": _short_leg,
    "Short Put Calendar Spread": _short_leg,
    "Straddle": _nothing,
    "Strangle": _nothing,
    "Short Straddle": _straddle,
    "Short Strangle": _straddle,
    "Butterfly Call": _nothing,
    "Butterfly Put": _nothing,
    "Short Butterfly Call": _lower_wing,
    "Short Butterfly Put": _lower_wing,
    "Iron Condor": _spread("P"),
    "Iron Butterfly": _spread("P"),
    "Short Iron Condor": _spread("P"),
    "Short Iron Butterfly": _spread("P"),
    "Box Spread": _nothing,
    "Short Box Spread": _short_box,
    "Jelly Roll": _jelly_roll,
    "Short Jelly Roll": _jelly_roll,
    "Bear Call Ladder": _spread_ladder("C"),
    "Bull Put Ladder": _spread_ladder("P"),
    "Bull Call Ladder": _naked_ladder("C"),
    "Bear Put Ladder": _naked_ladder("P"),
}

# where opening needs another figure than holding
_INITIAL: dict[str, Callable[[Group], float]] = {
    "Protective Put": _shares_initial,
    "Protective Call": _shares_initial,
    "Covered Call": _covered_call_initial,
    "Protective Collar": _shares_and_intrinsic("C"),
    "Conversion": _shares_and_intrinsic("C"),
    "Reverse Conversion": _shares_and_intrinsic("P"),
    "Naked Call": _naked_initial,
    "Naked Put": _naked_initial,
}
