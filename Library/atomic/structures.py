"""Named structures: contracts in, checked legs of one unit out.

Every function checks its own terms (rights, strike order, expiries, one underlying, no contract twice) and raises
`ValueError` naming value and rule before anything is sent. Contracts come as `LegSpec`; their ratio is ignored and
set here. Units are positive; a short variant is asked for with ``side=-1``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from .model import LegSpec
from .vocabulary import Right

_SHARE = Right.SHARE
#: legs a group may have unless `Settings.max_legs` says otherwise
MAX_LEGS = 6


class Structure(NamedTuple):
    """A checked list of legs under a name."""

    name: str
    legs: tuple[LegSpec, ...]


def _text(leg: LegSpec) -> str:
    return leg.name or leg.symbol


def _fail(structure: str, what: str) -> ValueError:
    return ValueError(f"{structure}: {what}")


def _right(structure: str, role: str, leg: LegSpec, right: Right) -> None:
    if leg.right is not right:
        wanted = {Right.CALL: "a call", Right.PUT: "a put", Right.SHARE: "shares"}
        raise _fail(structure, f"{role} {_text(leg)} must be {wanted[right]}, not {wanted[leg.right]}")


def _below(structure: str, low_role: str, low: LegSpec, high_role: str, high: LegSpec) -> None:
    if not low.strike < high.strike:
        rule = f"{low_role} strike {low.strike:g} must be below {high_role} strike {high.strike:g}"
        raise _fail(structure, rule)


def _same_strike(structure: str, a_role: str, a: LegSpec, b_role: str, b: LegSpec) -> None:
    if a.strike != b.strike:
        raise _fail(structure, f"{a_role} strike {a.strike:g} and {b_role} strike {b.strike:g} must be equal")


def _same_expiry(structure: str, **legs: LegSpec) -> None:
    (first_role, first), *others = legs.items()
    for role, leg in others:
        if leg.expiry != first.expiry:
            rule = f"{first_role} expires {first.expiry}, {role} expires {leg.expiry}: one expiry is needed"
            raise _fail(structure, rule)


def _side(structure: str, side: int) -> int:
    if side not in (1, -1):
        raise _fail(structure, f"side {side!r} must be +1 (long) or -1 (short)")
    return side


def _count(structure: str, role: str, count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise _fail(structure, f"{role} {count!r} must be a whole number of at least 1")
    return count


def _built(name: str, *legs: tuple[LegSpec, int], max_legs: int = MAX_LEGS) -> Structure:
    made = tuple(replace(leg, ratio=ratio) for leg, ratio in legs)
    check(name, made, max_legs=max_legs, one_underlying=True)
    return Structure(name, made)


def check(
    name: str, legs: Iterable[LegSpec], *, max_legs: int = MAX_LEGS, one_underlying: bool = False
) -> tuple[LegSpec, ...]:
    """Terms that hold for every group.

    Args:
        name: the structure's name, for the message.
        legs: the legs of one unit.
        max_legs: most legs allowed.
        one_underlying: all legs must have the same underlying.

    Raises:
        ValueError: no leg or too many, a ratio that is not a whole number or is 0, a contract twice, a contract
            without strike or expiry, or two underlyings.
    """
    legs = tuple(legs)
    if not 1 <= len(legs) <= max_legs:
        raise _fail(name, f"{len(legs)} legs: 1 to {max_legs} are allowed")
    seen: set[str] = set()
    for leg in legs:
        ratio, symbol = leg.ratio, leg.symbol
        if type(ratio) is not int or ratio == 0:
            raise _fail(name, f"ratio {ratio!r} of {_text(leg)} must be a whole number other than 0")
        if symbol in seen:
            raise _fail(name, f"{_text(leg)} is given twice: use one leg with the sum of the ratios")
        seen.add(symbol)
        if leg.right is not _SHARE and (leg.strike <= 0 or not leg.expiry):
            raise _fail(name, f"{_text(leg)} needs a strike above 0 and an expiry")
        if leg.multiplier <= 0:
            raise _fail(name, f"multiplier {leg.multiplier:g} of {_text(leg)} must be above 0")
    if one_underlying:
        first = legs[0]
        for leg in legs[1:]:
            if leg.underlying != first.underlying:
                rule = f"{_text(leg)} is on {leg.underlying}, {_text(first)} on {first.underlying}"
                raise _fail(name, f"{rule}: one underlying is needed")
    return legs


def custom(legs: Iterable[LegSpec], name: str = "custom", *, max_legs: int = MAX_LEGS) -> Structure:
    """Any list of legs with their ratios. Raises ValueError (`check`)."""
    return Structure(name, check(name, legs, max_legs=max_legs))


# --- four legs ------------------------------------------------------------------------------------------------


def iron_condor(short_call: LegSpec, long_call: LegSpec, short_put: LegSpec, long_put: LegSpec) -> Structure:
    """Long put < short put < short call < long call, one expiry. Raises ValueError."""
    name = "iron_condor"
    _wings(name, short_call, long_call, short_put, long_put)
    _below(name, "short_put", short_put, "short_call", short_call)
    return _built(name, (long_put, 1), (short_put, -1), (short_call, -1), (long_call, 1))


def iron_butterfly(short_call: LegSpec, long_call: LegSpec, short_put: LegSpec, long_put: LegSpec) -> Structure:
    """An iron condor whose shorts share one strike. Raises ValueError."""
    name = "iron_butterfly"
    _wings(name, short_call, long_call, short_put, long_put)
    _same_strike(name, "short_put", short_put, "short_call", short_call)
    return _built(name, (long_put, 1), (short_put, -1), (short_call, -1), (long_call, 1))


def _wings(name: str, short_call: LegSpec, long_call: LegSpec, short_put: LegSpec, long_put: LegSpec) -> None:
    for role, leg, right in (
        ("short_call", short_call, Right.CALL), ("long_call", long_call, Right.CALL),
        ("short_put", short_put, Right.PUT), ("long_put", long_put, Right.PUT),
    ):  # fmt: skip
        _right(name, role, leg, right)
    _same_expiry(name, short_call=short_call, long_call=long_call, short_put=short_put, long_put=long_put)
    _below(name, "long_put", long_put, "short_put", short_put)
    _below(name, "short_call", short_call, "long_call", long_call)


# --- two legs, one right --------------------------------------------------------------------------------------


def put_spread(short_put: LegSpec, long_put: LegSpec) -> Structure:
    """Bull put spread (credit) when the short strike is above the long one, else bear put spread (debit)."""
    return _vertical("put_spread", short_put, long_put, Right.PUT)


def call_spread(short_call: LegSpec, long_call: LegSpec) -> Structure:
    """Bear call spread (credit) when the short strike is below the long one, else bull call spread (debit)."""
    return _vertical("call_spread", short_call, long_call, Right.CALL)


def bull_put_spread(short_put: LegSpec, long_put: LegSpec) -> Structure:
    """Credit: long put below short put. Raises ValueError."""
    _below("bull_put_spread", "long_put", long_put, "short_put", short_put)
    return put_spread(short_put, long_put)


def bear_put_spread(short_put: LegSpec, long_put: LegSpec) -> Structure:
    """Debit: short put below long put. Raises ValueError."""
    _below("bear_put_spread", "short_put", short_put, "long_put", long_put)
    return put_spread(short_put, long_put)


def bull_call_spread(short_call: LegSpec, long_call: LegSpec) -> Structure:
    """Debit: long call below short call. Raises ValueError."""
    _below("bull_call_spread", "long_call", long_call, "short_call", short_call)
    return call_spread(short_call, long_call)


def bear_call_spread(short_call: LegSpec, long_call: LegSpec) -> Structure:
    """Credit: short call below long call. Raises ValueError."""
    _below("bear_call_spread", "short_call", short_call, "long_call", long_call)
    return call_spread(short_call, long_call)


def _vertical(name: str, short: LegSpec, long: LegSpec, right: Right) -> Structure:
    _right(name, "short leg", short, right)
    _right(name, "long leg", long, right)
    _same_expiry(name, short_leg=short, long_leg=long)
    if short.strike == long.strike:
        raise _fail(name, f"both strikes are {short.strike:g}: they must differ")
    credit = short.strike > long.strike if right is Right.PUT else short.strike < long.strike
    # a put is bullish when it is a credit, a call when it is a debit
    bull = credit if right is Right.PUT else not credit
    kind = "put" if right is Right.PUT else "call"
    return _built(f"{'bull' if bull else 'bear'}_{kind}_spread", (short, -1), (long, 1))


def ratio_spread(long: LegSpec, short: LegSpec, longs: int = 1, shorts: int = 2) -> Structure:
    """`longs` of one strike against more `shorts` of another, one right, one expiry; partly naked."""
    name = "ratio_spread"
    if _count(name, "shorts", shorts) <= _count(name, "longs", longs):
        raise _fail(name, f"{shorts} shorts against {longs} longs: more shorts are needed (or ask for a backspread)")
    return _ratio(name, long, short, longs, shorts)


def backspread(long: LegSpec, short: LegSpec, longs: int = 2, shorts: int = 1) -> Structure:
    """More `longs` of one strike against `shorts` of another, one right, one expiry."""
    name = "backspread"
    if _count(name, "longs", longs) <= _count(name, "shorts", shorts):
        raise _fail(name, f"{longs} longs against {shorts} shorts: more longs are needed (or ask for a ratio_spread)")
    return _ratio(name, long, short, longs, shorts)


def _ratio(name: str, long: LegSpec, short: LegSpec, longs: int, shorts: int) -> Structure:
    if long.right is Right.SHARE:
        _right(name, "long leg", long, Right.CALL)
    _right(name, "short leg", short, long.right)
    _same_expiry(name, long_leg=long, short_leg=short)
    if short.strike == long.strike:
        raise _fail(name, f"both strikes are {short.strike:g}: they must differ")
    return _built(name, (long, longs), (short, -shorts))


def butterfly(low: LegSpec, middle: LegSpec, high: LegSpec, side: int = 1, *, broken_wing: bool = False) -> Structure:
    """One right, one expiry, wings at equal distance (or ``broken_wing=True``); long buys the wings."""
    name = "butterfly"
    sign = _side(name, side)
    if low.right is Right.SHARE:
        _right(name, "low", low, Right.CALL)
    for role, leg in (("middle", middle), ("high", high)):
        _right(name, role, leg, low.right)
    _same_expiry(name, low=low, middle=middle, high=high)
    _below(name, "low", low, "middle", middle)
    _below(name, "middle", middle, "high", high)
    lower, upper = middle.strike - low.strike, high.strike - middle.strike
    if abs(lower - upper) > 1e-9 and not broken_wing:
        raise _fail(name, f"wings are {lower:g} and {upper:g} wide: they must be equal (or pass broken_wing=True)")
    return _built(name, (low, sign), (middle, -2 * sign), (high, sign))


# --- two legs, two rights -------------------------------------------------------------------------------------


def strangle(call: LegSpec, put: LegSpec, side: int = 1) -> Structure:
    """Call above put, one expiry; long or short both. Raises ValueError."""
    name = "strangle"
    sign = _side(name, side)
    _right(name, "call", call, Right.CALL)
    _right(name, "put", put, Right.PUT)
    _same_expiry(name, call=call, put=put)
    _below(name, "put", put, "call", call)
    return _built(f"{'long' if sign > 0 else 'short'}_strangle", (call, sign), (put, sign))


def straddle(call: LegSpec, put: LegSpec, side: int = 1) -> Structure:
    """Call and put of one strike and expiry; long or short both. Raises ValueError."""
    name = "straddle"
    sign = _side(name, side)
    _right(name, "call", call, Right.CALL)
    _right(name, "put", put, Right.PUT)
    _same_expiry(name, call=call, put=put)
    _same_strike(name, "call", call, "put", put)
    return _built(f"{'long' if sign > 0 else 'short'}_straddle", (call, sign), (put, sign))


# --- two expiries ---------------------------------------------------------------------------------------------


def calendar(near: LegSpec, far: LegSpec, side: int = 1) -> Structure:
    """One right, one strike, two expiries; long sells the near one and buys the far one. Raises ValueError."""
    name = "calendar"
    _same_strike(name, "near", near, "far", far)
    return _over_time(name, near, far, side)


def diagonal(near: LegSpec, far: LegSpec, side: int = 1) -> Structure:
    """One right, two strikes, two expiries; long sells the near one and buys the far one. Raises ValueError."""
    name = "diagonal"
    if near.strike == far.strike:
        raise _fail(name, f"both strikes are {near.strike:g}: they must differ (or ask for a calendar)")
    return _over_time(name, near, far, side)


def _over_time(name: str, near: LegSpec, far: LegSpec, side: int) -> Structure:
    sign = _side(name, side)
    if near.right is Right.SHARE:
        _right(name, "near", near, Right.CALL)
    _right(name, "far", far, near.right)
    if not near.expiry < far.expiry:
        raise _fail(name, f"near expires {near.expiry}, far {far.expiry}: the near one must expire first")
    return _built(name, (near, -sign), (far, sign))


# --- with one naked side, with shares -------------------------------------------------------------------------


def jade_lizard(short_put: LegSpec, short_call: LegSpec, long_call: LegSpec) -> Structure:
    """A short put and a bear call spread above it, one expiry; the put is naked. Raises ValueError."""
    name = "jade_lizard"
    _right(name, "short_put", short_put, Right.PUT)
    _right(name, "short_call", short_call, Right.CALL)
    _right(name, "long_call", long_call, Right.CALL)
    _same_expiry(name, short_put=short_put, short_call=short_call, long_call=long_call)
    _below(name, "short_put", short_put, "short_call", short_call)
    _below(name, "short_call", short_call, "long_call", long_call)
    return _built(name, (short_put, -1), (short_call, -1), (long_call, 1))


def covered_call(shares: LegSpec, call: LegSpec) -> Structure:
    """The shares of one contract, and the call sold on them. Raises ValueError."""
    name = "covered_call"
    _right(name, "shares", shares, Right.SHARE)
    _right(name, "call", call, Right.CALL)
    return _built(name, (shares, _lot(name, call)), (call, -1))


def collar(shares: LegSpec, put: LegSpec, call: LegSpec) -> Structure:
    """The shares of one contract, a put bought below and a call sold above. Raises ValueError."""
    name = "collar"
    _right(name, "shares", shares, Right.SHARE)
    _right(name, "put", put, Right.PUT)
    _right(name, "call", call, Right.CALL)
    _below(name, "put", put, "call", call)
    if put.multiplier != call.multiplier:
        raise _fail(name, f"multipliers {put.multiplier:g} (put) and {call.multiplier:g} (call) must be equal")
    return _built(name, (shares, _lot(name, call)), (put, 1), (call, -1))


def _lot(name: str, option: LegSpec) -> int:
    lot = int(option.multiplier)
    if lot != option.multiplier or lot < 1:
        raise _fail(name, f"{_text(option)} delivers {option.multiplier:g} shares: a whole number is needed")
    return lot
