"""Black-Scholes against textbook figures, differences and parity."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.greeks import (
    Greeks,
    implied_volatility,
    net_greeks,
    normal_array,
    option_greeks,
    option_value,
    structure_greeks,
    values_array,
)
from risk.structure import PayoffLeg

SPOT = st.floats(20, 500)
RATIO = st.floats(0.6, 1.6)
YEARS = st.floats(0.01, 2.0)
VOL = st.floats(0.05, 1.5)
RATE = st.floats(0.0, 0.08)


def test_textbook_option() -> None:
    """Hull's example: 42 / 40, half a year, 20 % volatility, 10 % rate: call 4.76, put 0.81."""
    assert option_value("C", 42, 40, 0.5, 0.2, 0.1) == pytest.approx(4.7594, abs=1e-4)
    assert option_value("P", 42, 40, 0.5, 0.2, 0.1) == pytest.approx(0.8086, abs=1e-4)


@settings(max_examples=200)
@given(SPOT, RATIO, YEARS, VOL, RATE)
def test_put_call_parity(spot: float, ratio: float, years: float, vol: float, rate: float) -> None:
    """A call less a put is the share less the discounted strike."""
    strike = spot * ratio
    gap = option_value("C", spot, strike, years, vol, rate) - option_value("P", spot, strike, years, vol, rate)
    assert gap == pytest.approx(spot - strike * math.exp(-rate * years), abs=1e-8 * spot)


@settings(max_examples=200)
@given(st.sampled_from("CP"), SPOT, RATIO, st.floats(0.05, 2.0), st.floats(0.1, 1.0), RATE)
def test_greeks_are_the_slopes_of_the_value(
    right: str, spot: float, ratio: float, years: float, vol: float, rate: float
) -> None:
    """Delta, gamma, theta and vega equal small differences of the value."""
    strike = spot * ratio

    def value(s: float = spot, t: float = years, v: float = vol) -> float:
        return option_value(right, s, strike, t, v, rate)

    found = option_greeks(right, spot, strike, years, vol, rate)
    h = spot * 1e-4
    assert found.delta == pytest.approx((value(spot + h) - value(spot - h)) / (2 * h), abs=1e-5)
    h = spot * 1e-3
    assert found.gamma == pytest.approx((value(spot + h) - 2 * value() + value(spot - h)) / h**2, rel=1e-3, abs=1e-4)
    assert found.vega == pytest.approx((value(v=vol + 1e-5) - value(v=vol - 1e-5)) / 2e-5 / 100, abs=1e-4 * spot)
    t = 1e-6
    assert found.theta == pytest.approx(-(value(t=years + t) - value(t=years - t)) / (2 * t) / 365, abs=1e-4 * spot)


@settings(max_examples=200)
@given(st.sampled_from("CP"), SPOT, st.floats(0.9, 1.1), st.floats(0.05, 2.0), st.floats(0.1, 1.0))
def test_implied_volatility_gives_the_price_back(
    right: str, spot: float, ratio: float, years: float, vol: float
) -> None:
    """The volatility found from a price prices the option the same."""
    price = option_value(right, spot, spot * ratio, years, vol)
    found = implied_volatility(right, price, spot, spot * ratio, years)
    assert option_value(right, spot, spot * ratio, years, found) == pytest.approx(price, abs=1e-7 * spot)


def test_prices_that_no_volatility_explains_are_not_guessed() -> None:
    """Below intrinsic value, above the share, or at expiry there is no implied volatility."""
    assert math.isnan(implied_volatility("C", 4.0, 105, 100, 0.1))
    assert math.isnan(implied_volatility("C", 106.0, 105, 100, 0.1))
    assert math.isnan(implied_volatility("C", 5.0, 105, 100, 0.0))


def test_at_expiry_only_intrinsic_value_is_left() -> None:
    """Without time or volatility an option is worth its intrinsic value and moves with the share or not at all."""
    assert option_value("P", 95, 100, 0.0, 0.3) == 5.0
    assert option_greeks("P", 95, 100, 0.0, 0.3) == Greeks(-1.0, 0.0, 0.0, 0.0)
    assert option_greeks("C", 95, 100, 0.0, 0.3) == Greeks(0.0, 0.0, 0.0, 0.0)


def test_net_greeks_add_up_signed_shares() -> None:
    """A short straddle of two units: deltas cancel, gamma and vega double and turn."""
    call, put = option_greeks("C", 100, 100, 0.1, 0.2), option_greeks("P", 100, 100, 0.1, 0.2)
    net = net_greeks([(-200, call), (-200, put)])
    assert net.gamma == pytest.approx(-400 * call.gamma)
    assert net.vega == pytest.approx(-400 * call.vega)
    assert net.delta == pytest.approx(-200 * (call.delta + put.delta))


def test_greeks_of_a_structure_take_what_is_known() -> None:
    """Known Greeks are used as they are; the others come from the price's volatility; shares have delta one."""
    price = option_value("C", 100.0, 105.0, 0.1, 0.3)
    legs = [
        PayoffLeg("C", 105.0, -2, 100.0, price),
        PayoffLeg("P", 95.0, 1, 100.0, 1.0),
        PayoffLeg("S", 0.0, 50, 1.0, 99.0),
        PayoffLeg("C", 90.0, 1, 100.0, 4.0),
    ]
    known = [None, Greeks(-0.25, 0.01, -0.02, 0.1), None, None]
    found = structure_greeks(legs, known, 100.0, [0.1] * 4)
    call = option_greeks("C", 100.0, 105.0, 0.1, 0.3)
    assert found.delta == pytest.approx(-200 * call.delta - 25 + 50 + 100, abs=1e-6)
    assert found.vega == pytest.approx(-200 * call.vega + 10, abs=1e-6)
    with pytest.raises(ValueError, match="zip"):
        structure_greeks(legs, known[:2], 100.0, [0.1] * 4)


def test_normal_distribution_over_an_array() -> None:
    """The array version equals the library's error function to the last digits, in the tails too."""
    x = np.concatenate([np.linspace(-9, 9, 3601), np.array([-37.0, 37.0, 0.0])])
    expected = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in x])
    assert normal_array(x) == pytest.approx(expected, rel=1e-13, abs=1e-300)


@settings(max_examples=100)
@given(st.sampled_from("CP"), SPOT, RATIO, st.floats(0.0, 2.0), st.floats(0.0, 1.5), RATE)
def test_arrays_price_as_single_options_do(
    right: str, spot: float, ratio: float, years: float, vol: float, rate: float
) -> None:
    """Values over arrays equal those of one option at a time."""
    sign = 1 if right == "C" else -1
    found = values_array([sign], [spot], [spot * ratio], [years], [vol], rate)[0]
    assert found == pytest.approx(option_value(right, spot, spot * ratio, years, vol, rate), abs=1e-9 * spot)


@pytest.mark.parametrize(("right", "spot", "strike"), [("X", 100, 100), ("C", 0, 100), ("P", 100, -1)])
def test_impossible_terms_are_named(right: str, spot: float, strike: float) -> None:
    """A wrong right, spot or strike is refused with the value."""
    with pytest.raises(ValueError, match=r"right 'X'|spot"):
        option_value(right, spot, strike, 0.1, 0.2)
