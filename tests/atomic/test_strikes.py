"""Strikes are chosen by distance or delta, and the choice does not depend on the order of the chain."""

import random
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from atomic.strikes import beyond, by_delta, nearest


def chain(*strikes: float) -> list[SimpleNamespace]:
    return [SimpleNamespace(strike=strike, greeks=SimpleNamespace(delta=0.0)) for strike in strikes]


def strike(contract: SimpleNamespace | None) -> float | None:
    return None if contract is None else contract.strike


def test_nearest_strike() -> None:
    """The nearest strike wins; between two equally near ones the one further out of the money."""
    listed = chain(740, 742.5, 745, 747.5)
    assert strike(nearest(listed, 743, away=1)) == 742.5
    assert strike(nearest(listed, 743.75, away=1)) == 745
    assert strike(nearest(listed, 743.75, away=-1)) == 742.5
    assert nearest([], 743, away=1) is None


def test_a_wing_lies_beyond_its_short_strike() -> None:
    """A wing is never the short strike itself nor on its other side; there is none where no strike lies beyond."""
    listed = chain(740, 745, 750, 755)
    assert strike(beyond(listed, 745, 5, away=1)) == 750
    assert strike(beyond(listed, 745, 0.01, away=1)) == 750
    assert strike(beyond(listed, 745, 7, away=-1)) == 740
    assert beyond(listed, 755, 5, away=1) is None
    assert beyond(listed, 740, 5, away=-1) is None


def test_by_delta_takes_the_nearest_known_delta() -> None:
    """Puts and calls are chosen by the size of their delta; a contract without one is never chosen."""
    listed = chain(740, 745, 750)
    for contract, delta in zip(listed, (-0.1, -0.22, 0.0), strict=True):
        contract.greeks.delta = delta
    assert strike(by_delta(listed, 0.2, away=-1)) == 745
    assert strike(by_delta(listed, 0.01, away=-1)) == 740
    assert by_delta(chain(740), 0.2, away=-1) is None


@given(st.lists(st.sampled_from([700 + 2.5 * n for n in range(40)]), min_size=1, unique=True), st.floats(690, 810))
def test_the_choice_does_not_depend_on_the_order(strikes: list[float], price: float) -> None:
    """Shuffling the chain changes nothing, and no other strike is nearer."""
    listed = chain(*strikes)
    first = nearest(listed, price, away=1)
    random.Random(1).shuffle(listed)
    again = nearest(listed, price, away=1)
    assert strike(first) == strike(again)
    assert first is not None
    assert all(abs(first.strike - price) <= abs(other - price) + 1e-6 for other in strikes)
