import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk import (
    PayoffLeg,
    break_evens,
    break_points,
    iron_condor_legs,
    max_loss,
    max_profit,
    net_price,
    payoff,
    scaled,
    units_for_max_loss,
)

STRIKES = st.integers(1, 60).map(lambda n: n * 2.5)
PRICES = st.integers(0, 4000).map(lambda n: n / 100)
QUANTITIES = st.integers(-5, 5).filter(bool)


@st.composite
def legs_of_one_expiry(draw: st.DrawFn) -> list[PayoffLeg]:
    legs = []
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.integers(0, 5)) == 0:
            legs.append(PayoffLeg("S", 0.0, draw(QUANTITIES) * 100, 1.0, draw(PRICES) * 4))
        else:
            right = draw(st.sampled_from("CP"))
            multiplier = draw(st.sampled_from([100.0, 10.0]))
            legs.append(
                PayoffLeg("C" if right == "C" else "P", draw(STRIKES), draw(QUANTITIES), multiplier, draw(PRICES))
            )
    return legs


def value_by_hand(legs: list[PayoffLeg], price: float) -> float:
    """Each contract paid for, exercised or not, one by one."""
    total = 0.0
    for leg in legs:
        worth = {"C": price - leg.strike, "P": leg.strike - price}.get(leg.right, price)
        if leg.right != "S" and worth < 0:
            worth = 0.0
        total += leg.quantity * leg.multiplier * worth - leg.quantity * leg.multiplier * leg.price
    return total


@settings(max_examples=300)
@given(legs_of_one_expiry())
def test_payoff_equals_each_contract_settled_by_hand(legs: list[PayoffLeg]) -> None:
    """The profit at expiry is what settling each contract on its own adds up to."""
    grid = np.arange(0.0, 400.0, 3.7)
    assert payoff(legs, grid) == pytest.approx([value_by_hand(legs, price) for price in grid], abs=1e-6)


@settings(max_examples=300)
@given(legs_of_one_expiry())
def test_extremes_equal_a_search_over_a_fine_grid(legs: list[PayoffLeg]) -> None:
    """Maximum loss and profit are what a fine grid that holds all strikes finds, unbounded where it keeps growing."""
    grid = np.arange(0.0, 200.0, 0.25)
    profits = payoff(legs, grid)
    rising = payoff(legs, [1e6])[0] - payoff(legs, [1e5])[0]
    if rising < -1.0:
        assert max_loss(legs) == math.inf
    else:
        assert max_loss(legs) == pytest.approx(max(0.0, -profits.min()), abs=1e-6)
    if rising > 1.0:
        assert max_profit(legs) == math.inf
    else:
        assert max_profit(legs) == pytest.approx(profits.max(), abs=1e-6)


@settings(max_examples=300)
@given(legs_of_one_expiry())
def test_break_evens_are_exactly_where_the_sign_of_the_profit_changes(legs: list[PayoffLeg]) -> None:
    """At each break-even the profit is zero, and between two of them its sign never changes."""
    evens = break_evens(legs)
    assert evens == sorted(evens)
    finite = [price for price in evens if math.isfinite(price)]
    scale = max(1.0, float(np.abs(payoff(legs, break_points(legs))).max()))
    for price in finite:
        assert abs(payoff(legs, [price])[0]) <= 1e-8 * scale
    edges = [0.0, *finite, max([*finite, *break_points(legs)]) + 1e6]
    for low, high in itertools.pairwise(edges):
        inside = payoff(legs, np.linspace(low, high, 41)[1:-1])
        strikes = [point for point in break_points(legs) if low < point < high]
        signs = set(np.sign(np.where(np.abs(inside) < 1e-7 * scale, 0.0, inside)))
        signs |= {math.copysign(1.0, value) for value in payoff(legs, strikes) if abs(value) > 1e-7 * scale}
        assert not {-1.0, 1.0} <= signs


def test_condor_loses_the_wider_wing_less_its_credit() -> None:
    """A condor 740/745/755/765 for a credit of 1.20 loses 880 dollars on the call side and wins 120 in the middle."""
    legs = iron_condor_legs(
        long_put=740, short_put=745, short_call=755, long_call=765, prices=(0.40, 1.00, 0.90, 0.30), quantity=1
    )
    assert net_price(legs) == pytest.approx(-120.0)
    assert max_loss(legs) == pytest.approx(880.0)
    assert max_profit(legs) == pytest.approx(120.0)
    assert break_evens(legs) == pytest.approx([743.80, 756.20])
    assert max_loss(scaled(legs, 3)) == pytest.approx(2640.0)


def test_unbounded_loss_is_said_so() -> None:
    """A short call without cover loses without bound; with the shares it does not."""
    short_call = PayoffLeg("C", 100.0, -1, 100.0, 2.0)
    assert max_loss([short_call]) == math.inf
    assert max_loss([short_call, PayoffLeg("S", 0.0, 100, 1.0, 95.0)]) == pytest.approx(9300.0)
    assert max_loss([PayoffLeg("P", 100.0, -1, 100.0, 2.0)]) == pytest.approx(9800.0)


def test_calendar_is_judged_at_each_of_its_expiries() -> None:
    """A long calendar loses at most its debit; turned round, its short outlives the cover and is naked."""
    near, far = PayoffLeg("C", 100.0, -1, 100.0, 2.0, "2026-01-16"), PayoffLeg("C", 100.0, 1, 100.0, 5.0, "2026-02-20")
    assert max_loss([near, far]) == pytest.approx(300.0)
    short_far, long_near = (
        PayoffLeg("C", 100.0, -1, 100.0, 5.0, "2026-02-20"),
        PayoffLeg("C", 100.0, 1, 100.0, 2.0, "2026-01-16"),
    )
    assert max_loss([short_far, long_near]) == math.inf


def test_a_put_that_outlives_its_cover_can_lose_its_strike() -> None:
    """After the long put has expired the short one still loses its strike less what both brought in."""
    legs = [PayoffLeg("P", 100.0, -1, 100.0, 5.0, "2026-02-20"), PayoffLeg("P", 95.0, 1, 100.0, 2.0, "2026-01-16")]
    assert max_loss(legs) == pytest.approx(10_000 - 500 + 200)


def test_half_named_expiries_are_refused() -> None:
    """Options of which only some name an expiry cannot be judged."""
    with pytest.raises(ValueError, match="only some of the options name an expiry"):
        max_loss([PayoffLeg("C", 100.0, 1, 100.0, 1.0, "2026-01-16"), PayoffLeg("C", 105.0, -1, 100.0, 0.5)])


@pytest.mark.parametrize(
    ("field", "value"),
    [("right", "X"), ("strike", -5.0), ("strike", math.nan), ("price", math.inf), ("multiplier", 0.0)],
)
def test_a_leg_that_cannot_be_is_refused(field: str, value: object) -> None:
    """A wrong right, strike, price or multiplier is named with what is expected."""
    terms = {"right": "C", "strike": 100.0, "quantity": 1, "multiplier": 100.0, "price": 1.0, field: value}
    with pytest.raises(ValueError, match=repr(value)):
        PayoffLeg(**terms)  # type: ignore[arg-type]


def test_break_evens_of_a_flat_zero_stretch_are_its_ends() -> None:
    """A free call spread is worth nothing below its long strike and breaks even on the whole stretch from zero."""
    legs = [PayoffLeg("C", 100.0, 1, 100.0, 1.0), PayoffLeg("C", 105.0, -1, 100.0, 1.0)]
    assert break_evens(legs) == [0.0, 100.0]


def test_units_stay_within_the_budget() -> None:
    """As many condors as the budget pays for if all of them lose everything; none without a bound or without a loss."""
    legs = iron_condor_legs(long_put=740, short_put=745, short_call=755, long_call=760, prices=(0.4, 1.0, 0.9, 0.3))
    assert max_loss(legs) == pytest.approx(380.0)
    assert units_for_max_loss(legs, 379.99) == 0
    assert units_for_max_loss(legs, 380.0) == 1
    assert units_for_max_loss(legs, 2000.0) == 5
    assert units_for_max_loss([PayoffLeg("C", 100.0, -1, 100.0, 2.0)], 1e9) == 0
    free = iron_condor_legs(long_put=740, short_put=745, short_call=755, long_call=760, prices=(0.0, 3.0, 3.0, 0.0))
    assert units_for_max_loss(free, 1e9) == 0
    with pytest.raises(ValueError, match="budget -1"):
        units_for_max_loss(legs, -1.0)


@settings(max_examples=200)
@given(legs_of_one_expiry(), st.floats(0, 1e7))
def test_units_never_exceed_the_budget(legs: list[PayoffLeg], budget: float) -> None:
    """The units' joint loss fits the budget and one unit more would not."""
    units = units_for_max_loss(legs, budget)
    loss = max_loss(legs)
    if 0 < loss < math.inf:
        assert units * loss <= budget * (1 + 1e-6) + 1e-6
        assert (units + 1) * loss > budget * (1 - 1e-9)
    else:
        assert units == 0
