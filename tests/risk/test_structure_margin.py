"""Every named structure of `atomic.structures`: which strategies LEAN charges it as, and whether that was recorded."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from atomic import structures as s
from atomic.model import LegSpec, Quote
from atomic.vocabulary import Right
from risk.group_margin import GroupMargin, group_margin

NEAR, FAR = "2015-12-24", "2015-12-31"
DOCUMENT = Path(__file__).parents[2] / "docs" / "risk.md"


def c(strike: float, expiry: str = NEAR) -> LegSpec:
    return LegSpec(f"C{strike:g} {expiry}", 0, Right.CALL, strike, expiry, "XYZ", 100.0)


def p(strike: float, expiry: str = NEAR) -> LegSpec:
    return LegSpec(f"P{strike:g} {expiry}", 0, Right.PUT, strike, expiry, "XYZ", 100.0)


SHARES = LegSpec("XYZ", 0, Right.SHARE, underlying="XYZ", multiplier=1.0)

#: structure as the document names it -> how it is made, what LEAN charges it as, whether a recording shows all of that
STRUCTURES: dict[str, tuple[Callable[[], s.Structure], set[str], bool]] = {
    "iron_condor": (lambda: s.iron_condor(c(105), c(110), p(95), p(90)), {"Iron Condor"}, True),
    "iron_butterfly": (lambda: s.iron_butterfly(c(100), c(110), p(100), p(90)), {"Iron Butterfly"}, True),
    "bull_put_spread": (lambda: s.bull_put_spread(p(95), p(90)), {"Bull Put Spread"}, True),
    "bear_put_spread": (lambda: s.bear_put_spread(p(90), p(95)), {"Bear Put Spread"}, True),
    "bull_call_spread": (lambda: s.bull_call_spread(c(110), c(105)), {"Bull Call Spread"}, True),
    "bear_call_spread": (lambda: s.bear_call_spread(c(105), c(110)), {"Bear Call Spread"}, True),
    "put_spread": (lambda: s.put_spread(p(95), p(90)), {"Bull Put Spread"}, True),
    "call_spread": (lambda: s.call_spread(c(105), c(110)), {"Bear Call Spread"}, True),
    "ratio_spread of calls": (lambda: s.ratio_spread(c(105), c(110)), {"Bull Call Spread", "Naked Call"}, False),
    "ratio_spread of puts": (lambda: s.ratio_spread(p(95), p(90)), {"Bear Put Spread", "Naked Put"}, False),
    "backspread of calls": (lambda: s.backspread(c(110), c(105)), {"Bear Call Spread", "Naked Call"}, False),
    "backspread of puts": (lambda: s.backspread(p(90), p(95)), {"Bull Put Spread", "Naked Put"}, False),
    "butterfly of calls, long": (lambda: s.butterfly(c(95), c(100), c(105)), {"Butterfly Call"}, True),
    "butterfly of calls, short": (lambda: s.butterfly(c(95), c(100), c(105), -1), {"Short Butterfly Call"}, True),
    "butterfly of puts, long": (lambda: s.butterfly(p(95), p(100), p(105)), {"Butterfly Put"}, False),
    "butterfly of puts, short": (lambda: s.butterfly(p(95), p(100), p(105), -1), {"Short Butterfly Put"}, False),
    "butterfly of calls with a broken wing": (
        lambda: s.butterfly(c(95), c(100), c(110), broken_wing=True), {"Bear Call Spread", "Bull Call Spread"}, False,
    ),
    "butterfly of puts with a broken wing": (
        lambda: s.butterfly(p(90), p(100), p(105), broken_wing=True), {"Bear Put Spread", "Bull Put Spread"}, False,
    ),
    "strangle, long": (lambda: s.strangle(c(105), p(95)), {"Strangle"}, True),
    "strangle, short": (lambda: s.strangle(c(105), p(95), -1), {"Short Strangle"}, True),
    "straddle, long": (lambda: s.straddle(c(100), p(100)), {"Straddle"}, True),
    "straddle, short": (lambda: s.straddle(c(100), p(100), -1), {"Short Straddle"}, True),
    "calendar of calls, long": (lambda: s.calendar(c(100), c(100, FAR)), {"Call Calendar Spread"}, False),
    "calendar of calls, short": (lambda: s.calendar(c(100), c(100, FAR), -1), {"Short Call Calendar Spread"}, False),
    "calendar of puts, long": (lambda: s.calendar(p(100), p(100, FAR)), {"Put Calendar Spread"}, True),
    "calendar of puts, short": (lambda: s.calendar(p(100), p(100, FAR), -1), {"Short Put Calendar Spread"}, False),
    "diagonal of calls": (lambda: s.diagonal(c(105), c(100, FAR)), {"Naked Call"}, False),
    "diagonal of puts": (lambda: s.diagonal(p(95), p(100, FAR)), {"Naked Put"}, False),
    "jade_lizard": (lambda: s.jade_lizard(p(95), c(105), c(110)), {"Bear Call Spread", "Naked Put"}, False),
    "covered_call": (lambda: s.covered_call(SHARES, c(105)), {"Covered Call"}, False),
    "collar": (lambda: s.collar(SHARES, p(95), c(105)), {"Protective Collar"}, False),
    "custom: a box": (
        lambda: s.custom([replace(p(110), ratio=1), replace(p(90), ratio=-1), replace(c(90), ratio=1),
                          replace(c(110), ratio=-1)]),
        {"Box Spread"}, False,
    ),
}  # fmt: skip


def margin_of(made: s.Structure) -> GroupMargin:
    quotes = {leg.symbol: Quote(1.9, 2.1, 2.0, 0.0) for leg in made.legs}
    return group_margin(made.legs, 1, {**quotes, "XYZ": Quote(99.9, 100.1, 100.0, 0.0)}, together=False)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_that_no_recording_shows_is_marked(name: str) -> None:
    """What LEAN will call it, and whether an account of a recording held just that."""
    make, names, recorded = STRUCTURES[name]
    found = margin_of(make())
    assert set(found.names) == names
    assert found.recorded is recorded
    assert ("not recorded" in found.remark) is not recorded
    assert not found.by_chance, "no structure of this list leaves LEAN a choice"


def test_every_structure_is_here() -> None:
    """A structure that is added to `atomic.structures` has to be margined here."""
    named = {
        name
        for name, function in inspect.getmembers(s, inspect.isfunction)
        if function.__module__ == s.__name__ and not name.startswith("_") and name != "check"
    }
    assert named == {re.split(r"[ ,:]", name)[0] for name in STRUCTURES}


def test_the_document_lists_them() -> None:
    """The table of docs/risk.md says the same, line by line."""
    for name, (_, names, recorded) in STRUCTURES.items():
        line = f"| {name} | {' + '.join(sorted(names))} | {'yes' if recorded else 'no'} |"
        assert line in DOCUMENT.read_text(), line
