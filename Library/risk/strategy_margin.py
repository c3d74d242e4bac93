"""Margin of a position group by its strategy.

Source: LEAN Common/Securities/Option/OptionStrategyPositionGroupBuyingPowerModel.cs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .margin_terms import (
    Group,
    Holding,
    InitialMargin,
    MarginNotModelledError,
    in_the_money,
    out_of_the_money,
    security_initial,
    security_maintenance,
    value_of,
)


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


def _option_of(group: Group, right: str = "") -> Holding:
    return next(h for h in group.holdings if h.instrument.is_option and (not right or h.instrument.right == right))


def _shares_of(group: Group) -> Holding:
    return next(h for h in group.holdings if not h.instrument.is_option)


def _nothing(group: Group) -> float:
    return 0.0


def _protective(group: Group) -> float:
    option, shares = _option_of(group), _shares_of(group)
    count = option.instrument.unit * abs(option.quantity)
    otm = out_of_the_money(option.instrument, shares.instrument.price) * count
    return min(0.1 * option.instrument.strike * count + otm, abs(security_maintenance(*shares)))


def _covered_call(group: Group) -> float:
    option, shares = _option_of(group), _shares_of(group)
    price = shares.instrument.price
    itm = in_the_money(option.instrument, price) * option.instrument.unit * abs(option.quantity)
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
        itm = in_the_money(option.instrument, shares.instrument.price)
        return abs(security_initial(*shares).value) + itm * option.instrument.unit * abs(option.quantity)

    return rule


def _shares_initial(group: Group) -> float:
    return abs(security_initial(*_shares_of(group)).value)


def _collar(group: Group) -> float:
    put, call, shares = _option_of(group, "P"), _option_of(group, "C"), _shares_of(group)
    protected = 0.1 * put.instrument.strike + out_of_the_money(put.instrument, shares.instrument.price)
    return min(protected, 0.25 * call.instrument.strike) * (abs(put.quantity) * put.instrument.unit)


def _conversion(right: str) -> Callable[[Group], float]:
    def rule(group: Group) -> float:
        option, shares = _option_of(group, right), _shares_of(group)
        itm = in_the_money(option.instrument, shares.instrument.price)
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

RECORDED: frozenset[str] = frozenset(
    {
        "Naked Call", "Naked Put", "Bear Call Spread", "Bull Call Spread", "Bear Put Spread", "Bull Put Spread",
        "Straddle", "Strangle", "Short Straddle", "Short Strangle", "Iron Condor", "Iron Butterfly", "Butterfly Call",
        "Short Butterfly Call", "Put Calendar Spread", "Covered Call", "Covered Put", "Protective Collar",
    }
)  # fmt: skip
"""Strategies whose margin stands in a recording of LEAN; the others follow LEAN's source and nobody watched them."""

OPENING_NOT_RECORDED: frozenset[str] = frozenset({"Covered Call", "Protective Collar"})
"""Recorded while held, but opening them needs another figure (the premium, the shares), which no recording shows."""
