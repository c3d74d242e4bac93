"""Structures: legs out, or the value and the rule that is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from atomic import structures as s
from atomic.model import LegSpec
from tests.atomic.desk import C, P, S, leg

NEAR, FAR = "2015-12-24", "2016-01-15"


def c(strike: float, expiry: str = NEAR) -> LegSpec:
    """A call."""
    return leg(1, C, strike, expiry)


def p(strike: float, expiry: str = NEAR) -> LegSpec:
    """A put."""
    return leg(1, P, strike, expiry)


SHARES = leg(1, S)


@pytest.mark.parametrize(
    ("made", "name", "ratios"),
    [
        (s.iron_condor(c(105), c(110), p(95), p(90)), "iron_condor", {"P90": 1, "P95": -1, "C105": -1, "C110": 1}),
        (s.iron_butterfly(c(100), c(110), p(100), p(90)), "iron_butterfly",
         {"P90": 1, "P100": -1, "C100": -1, "C110": 1}),
        (s.put_spread(p(95), p(90)), "bull_put_spread", {"P95": -1, "P90": 1}),
        (s.put_spread(p(90), p(95)), "bear_put_spread", {"P90": -1, "P95": 1}),
        (s.call_spread(c(105), c(110)), "bear_call_spread", {"C105": -1, "C110": 1}),
        (s.call_spread(c(110), c(105)), "bull_call_spread", {"C110": -1, "C105": 1}),
        (s.bull_put_spread(p(95), p(90)), "bull_put_spread", {"P95": -1, "P90": 1}),
        (s.bear_put_spread(p(90), p(95)), "bear_put_spread", {"P90": -1, "P95": 1}),
        (s.bull_call_spread(c(110), c(105)), "bull_call_spread", {"C110": -1, "C105": 1}),
        (s.bear_call_spread(c(105), c(110)), "bear_call_spread", {"C105": -1, "C110": 1}),
        (s.strangle(c(105), p(95)), "long_strangle", {"C105": 1, "P95": 1}),
        (s.strangle(c(105), p(95), -1), "short_strangle", {"C105": -1, "P95": -1}),
        (s.straddle(c(100), p(100)), "long_straddle", {"C100": 1, "P100": 1}),
        (s.straddle(c(100), p(100), -1), "short_straddle", {"C100": -1, "P100": -1}),
        (s.butterfly(c(95), c(100), c(105)), "butterfly", {"C95": 1, "C100": -2, "C105": 1}),
        (s.butterfly(p(95), p(100), p(110), -1, broken_wing=True), "butterfly", {"P95": -1, "P100": 2, "P110": -1}),
        (s.calendar(c(100), c(100, FAR)), "calendar", {"C100": -1, f"{FAR} C100": 1}),
        (s.diagonal(p(95), p(100, FAR), -1), "diagonal", {"P95": 1, f"{FAR} P100": -1}),
        (s.ratio_spread(c(100), c(105)), "ratio_spread", {"C100": 1, "C105": -2}),
        (s.backspread(p(95), p(100), 3, 2), "backspread", {"P95": 3, "P100": -2}),
        (s.jade_lizard(p(95), c(105), c(110)), "jade_lizard", {"P95": -1, "C105": -1, "C110": 1}),
        (s.covered_call(SHARES, c(105)), "covered_call", {"XYZ": 100, "C105": -1}),
        (s.collar(SHARES, p(95), c(105)), "collar", {"XYZ": 100, "P95": 1, "C105": -1}),
        (s.custom([leg(2, C, 100), leg(-3, P, 90)]), "custom", {"C100": 2, "P90": -3}),
    ],
)  # fmt: skip
def test_a_structure_has_its_legs(made: s.Structure, name: str, ratios: dict[str, int]) -> None:
    """Name and signed ratios of one unit."""
    found = {leg.name.removeprefix("XYZ ").removeprefix(f"{NEAR} "): leg.ratio for leg in made.legs}

    assert made.name == name
    assert found == ratios


OTHER = replace(c(110), underlying="ABC", symbol="ABC C110", name="ABC C110")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: s.iron_condor(p(105), c(110), p(95), p(90)), "short_call XYZ 2015-12-24 P105 must be a call"),
        (lambda: s.iron_condor(c(105), c(110), p(90), p(95)), "long_put strike 95 must be below short_put strike 90"),
        (lambda: s.iron_condor(c(110), c(105), p(95), p(90)), "short_call strike 110 must be below"),
        (lambda: s.iron_condor(c(95), c(110), p(95), p(90)), "short_put strike 95 must be below short_call strike 95"),
        (lambda: s.iron_condor(c(105), c(110, FAR), p(95), p(90)),
         "short_call expires 2015-12-24, long_call expires 2016-01-15: one expiry is needed"),
        (lambda: s.iron_condor(c(105), OTHER, p(95), p(90)), "is on ABC"),
        (lambda: s.iron_butterfly(c(105), c(110), p(95), p(90)),
         "short_put strike 95 and short_call strike 105 must be equal"),
        (lambda: s.put_spread(p(95), p(95)), "both strikes are 95: they must differ"),
        (lambda: s.put_spread(p(95), c(90)), "long leg XYZ 2015-12-24 C90 must be a put, not a call"),
        (lambda: s.call_spread(c(105), SHARES), "long leg XYZ must be a call, not shares"),
        (lambda: s.bull_put_spread(p(90), p(95)), "long_put strike 95 must be below short_put strike 90"),
        (lambda: s.bear_call_spread(c(110), c(105)), "short_call strike 110 must be below"),
        (lambda: s.strangle(c(95), p(105)), "put strike 105 must be below call strike 95"),
        (lambda: s.strangle(c(105), p(95), 2), "side 2 must be \\+1 \\(long\\) or -1 \\(short\\)"),
        (lambda: s.straddle(c(105), p(95)), "call strike 105 and put strike 95 must be equal"),
        (lambda: s.butterfly(c(95), c(100), c(110)), "wings are 5 and 10 wide: they must be equal"),
        (lambda: s.butterfly(c(95), p(100), c(105)), "middle XYZ 2015-12-24 P100 must be a call, not a put"),
        (lambda: s.calendar(c(100, FAR), c(100)), "the near one must expire first"),
        (lambda: s.calendar(c(100), c(105, FAR)), "near strike 100 and far strike 105 must be equal"),
        (lambda: s.diagonal(c(100), c(100, FAR)), "both strikes are 100: they must differ"),
        (lambda: s.ratio_spread(c(100), c(105), 2, 2), "2 shorts against 2 longs: more shorts are needed"),
        (lambda: s.ratio_spread(c(100), c(105), 0, 2), "longs 0 must be a whole number of at least 1"),
        (lambda: s.backspread(c(100), c(105), 1, 2), "1 longs against 2 shorts: more longs are needed"),
        (lambda: s.jade_lizard(p(105), c(105), c(110)), "short_put strike 105 must be below short_call strike 105"),
        (lambda: s.covered_call(c(100), c(105)), "shares XYZ 2015-12-24 C100 must be shares, not a call"),
        (lambda: s.covered_call(SHARES, replace(c(105), multiplier=10.5)), "delivers 10.5 shares"),
        (lambda: s.collar(SHARES, p(105), c(95)), "put strike 105 must be below call strike 95"),
        (lambda: s.custom([leg(1, C, 100)] * 2), "is given twice"),
        (lambda: s.custom([]), "0 legs: 1 to 6 are allowed"),
        (lambda: s.custom([leg(1, C, k) for k in range(1, 8)]), "7 legs: 1 to 6 are allowed"),
        (lambda: s.custom([leg(0, C, 100)]), "ratio 0 of"),
        (lambda: s.custom([replace(leg(1, C, 100), ratio=1.5)]), "ratio 1.5 of"),  # type: ignore[arg-type]
        (lambda: s.custom([leg(1, C, 0)]), "needs a strike above 0"),
    ],
)  # fmt: skip
def test_broken_terms_are_named_with_value_and_rule(make: Callable[[], Any], message: str) -> None:
    """Nothing is sent; the line says what to change."""
    with pytest.raises(ValueError, match=message):
        make()
