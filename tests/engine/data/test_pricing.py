from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import exp, isclose
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.engine.enums import OptionRight
from workbench.engine.exceptions import DataError
from workbench.engine.feed.factors import FactorFile, FactorRow
from workbench.engine.pricing import (
    InterestRates,
    Terms,
    black_scholes,
    contract_volatility,
    dividend_yield,
    evaluate,
    find_root,
    forward_tree,
)

spots = st.floats(20, 500)
volatilities = st.floats(0.05, 1.5)
years = st.floats(0.01, 1.5)


def terms(spot: float, ratio: float, time: float, rate: float, right: OptionRight) -> Terms:
    return Terms(spot, spot * ratio, time, rate, 0.0, right)


@given(spots, st.floats(0.7, 1.4), years, st.floats(0, 0.08), volatilities)
def test_put_and_call_keep_parity(spot: float, ratio: float, time: float, rate: float, volatility: float) -> None:
    """Black-Scholes: call less put is the forward's present value."""
    call, put = (terms(spot, ratio, time, rate, right) for right in OptionRight)
    forward = spot - call.strike * exp(-rate * time)
    assert isclose(black_scholes(call, volatility) - black_scholes(put, volatility), forward, abs_tol=1e-8 * spot)


@settings(deadline=None, max_examples=30)
@given(spots, st.floats(0.8, 1.25), st.floats(0.05, 1.0), st.floats(0.1, 0.8), st.sampled_from(OptionRight))
def test_the_tree_is_near_black_scholes(spot: float, ratio: float, time: float, volatility: float,
                                        right: OptionRight) -> None:
    """Without rate and dividends two hundred steps come within a percent of the spot of the closed form."""
    given = terms(spot, ratio, time, 0.0, right)
    assert abs(forward_tree(given, volatility) - black_scholes(given, volatility)) < 0.01 * spot


@given(spots, st.floats(0.8, 1.25), years, st.floats(0, 0.05), volatilities, st.sampled_from(OptionRight))
@example(426.0, 1.234375, 1.5, 0.021484375, 0.26171875, OptionRight.PUT)
def test_the_volatility_of_a_price_gives_the_price(spot: float, ratio: float, time: float, rate: float,
                                                   volatility: float, right: OptionRight) -> None:
    """Searching the volatility of a Black-Scholes price comes back to it, as near as LEAN's search goes.

    LEAN stops when the price, or the volatility, is known to a ten-thousandth of the price (pricing.py).
    """
    given = terms(spot, ratio, time, rate, right)
    price = black_scholes(given, volatility)
    if price < 0.05:
        return
    found = contract_volatility(given, price, None, european=True)
    near = max(1e-4, 1e-4 * price)
    assert found == 0 or abs(found - volatility) <= near or abs(black_scholes(given, found) - price) <= near


def test_in_the_money_the_other_right_decides() -> None:
    """A call in the money takes the volatility of its put, and falls back to its own when that has none."""
    call = Terms(110.0, 100.0, 0.2, 0.01, 0.0, OptionRight.CALL)
    put = Terms(110.0, 100.0, 0.2, 0.01, 0.0, OptionRight.PUT)
    put_price = black_scholes(put, 0.6)
    mirrored = contract_volatility(call, black_scholes(call, 0.2), put_price, european=True)
    assert mirrored == pytest.approx(0.6, abs=0.01)
    assert contract_volatility(put, put_price, black_scholes(call, 0.2), european=True) == mirrored
    assert contract_volatility(call, black_scholes(call, 0.2), 500.0, european=True) == pytest.approx(0.2, abs=0.01)


def test_greeks_point_the_right_way() -> None:
    """Signs and sizes of an American and a European at-the-money call agree, but for rho: LEAN's tree has its own."""
    given = Terms(100.0, 100.0, 0.25, 0.001, 0.0, OptionRight.CALL)
    price = black_scholes(given, 0.3)
    american, european = (evaluate(given, price, None, style) for style in (False, True))
    assert american.implied_volatility == pytest.approx(0.3, abs=0.005)
    for one, other in zip((american.greeks.delta, american.greeks.gamma, american.greeks.vega),
                          (european.greeks.delta, european.greeks.gamma, european.greeks.vega), strict=True):
        assert one == pytest.approx(other, rel=0.15, abs=0.01)
    assert american.greeks.theta < 0 > european.greeks.theta
    assert american.theoretical_price == pytest.approx(price, abs=0.02)


def test_no_price_within_reach_gives_zeros() -> None:
    """A price below what the option is worth at once has no volatility."""
    found = evaluate(Terms(110.0, 100.0, 0.1, 0.01, 0.0, OptionRight.CALL), 2.0, None, True)
    assert (found.implied_volatility, found.theoretical_price) == (0, 0)


@given(st.floats(-3, 3), st.floats(0.1, 5), st.floats(0.1, 5))
def test_roots_are_found(root: float, below: float, above: float) -> None:
    """Brent's search finds a root between two bounds of different sign, and nothing between equal ones."""
    found = find_root(lambda x: (x - root) ** 3 + (x - root), root - below, root + above, 1e-10)
    assert found is not None
    assert abs(found - root) < 1e-6
    assert find_root(lambda x: x * x + 1, -1, 1, 1e-6) is None


def test_rates_hold_until_the_next(tmp_path: Path) -> None:
    """The rate of a day is the last one set; before the first the first; without a file one percent."""
    folder = tmp_path / "alternative" / "interest-rate" / "usa"
    folder.mkdir(parents=True)
    (folder / "interest-rate.csv").write_text("DATE,PCREDIT8\n2020-01-10,1.5\n2020-06-01,0.25\n")
    rates = InterestRates.from_data_folder(tmp_path)
    days = [datetime(2019, 1, 1), datetime(2020, 1, 10, 12), datetime(2020, 5, 31), datetime(2024, 1, 1)]
    assert [rates.get_interest_rate(day) for day in days] == [0.015, 0.015, 0.015, 0.0025]
    assert InterestRates.from_data_folder(tmp_path / "none").get_interest_rate(days[0]) == 0.01
    (folder / "interest-rate.csv").write_text("DATE,PCREDIT8\nsoon,1.5\n")
    with pytest.raises(DataError, match=r"interest-rate\.csv, line 2"):
        InterestRates.from_data_folder(tmp_path)


def test_the_dividend_yield_is_that_of_the_last_year() -> None:
    """Dividends of the 350 days up to the last one, over the price; those before a split count as after it."""
    rows = [FactorRow(date(2023, 1, 1), Decimal("0.9"), Decimal("0.5"), Decimal(100)),
            FactorRow(date(2023, 6, 1), Decimal("0.91"), Decimal("0.5"), Decimal(100)),
            FactorRow(date(2023, 9, 1), Decimal("0.92"), Decimal("0.5"), Decimal(200)),
            FactorRow(date(2023, 12, 1), Decimal("0.92"), Decimal("1"), Decimal(100)),
            FactorRow(date(2050, 12, 31), Decimal(1), Decimal(1), Decimal(0))]
    factors = FactorFile(rows)
    assert dividend_yield(factors, date(2022, 1, 1), 100) == 0
    first = round(100 * (1 - 0.9 / 0.91), 3)
    assert dividend_yield(factors, date(2023, 1, 5), 50) == pytest.approx(first / 50)
    june, split = round(100 * (1 - 0.91 / 0.92), 3), 0.5
    assert dividend_yield(factors, date(2023, 9, 10), 100) == pytest.approx((first + june) * split / 100)
    december = round(100 * (1 - 0.92 / 1), 3)
    assert dividend_yield(factors, date(2024, 1, 1), 100) == pytest.approx(
        (december + (first + june) * split) / 100)
