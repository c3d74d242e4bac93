"""What-if tables against pricing one option at a time; sizes from margin and volatility."""

import math
from datetime import date

import pytest

from risk.greeks import option_value
from risk.scenarios import ScenarioLeg, scenario_frame, scenario_profits, worst_scenario
from risk.sizing import daily_change, units_for_margin, units_for_volatility
from risk.structure import PayoffLeg

TODAY = date(2015, 12, 24)


def marked(right: str, strike: float, quantity: int, vol: float, days: int = 30) -> ScenarioLeg:
    price = option_value(right, 100.0, strike, days / 365, vol)
    expiry = date.fromordinal(TODAY.toordinal() + days).isoformat()
    return ScenarioLeg.of(PayoffLeg(right, strike, quantity, 100.0, price, expiry), 100.0, TODAY)  # type: ignore[arg-type]


CONDOR = [marked("P", 90, 1, 0.3), marked("P", 95, -1, 0.25), marked("C", 105, -1, 0.2), marked("C", 110, 1, 0.22)]
SHARES = [ScenarioLeg.of(PayoffLeg("S", 0.0, 50, 1.0, 98.0), 100.0, TODAY)]


def by_hand(move: float, change: float, days: float) -> float:
    total = 0.0
    for one, vol in zip(CONDOR, (0.3, 0.25, 0.2, 0.22), strict=True):
        then = option_value(one.leg.right, 100 * (1 + move), one.leg.strike, (30 - days) / 365, vol + change)
        total += one.leg.shares * (then - one.leg.price)
    return total


@pytest.mark.parametrize("days", [0.0, 10.0])
def test_each_cell_is_the_structure_priced_again(days: float) -> None:
    """Move, volatility and time change each leg's model value; the volatility is the one its price implies."""
    moves, changes = (-0.1, 0.0, 0.05), (-0.05, 0.0, 0.1)
    frame = scenario_frame({"condor": CONDOR, "shares": SHARES}, moves, changes, days=days)
    assert list(frame.index) == ["condor", "shares", "book"]
    for move in moves:
        for change in changes:
            cell = frame.loc["condor", (move, change)]
            assert cell == pytest.approx(by_hand(move, change, days), abs=1e-4)
            assert frame.loc["shares", (move, change)] == pytest.approx(50 * 100 * move)
            assert frame.loc["book", (move, change)] == pytest.approx(cell + 50 * 100 * move)


def test_nothing_moves_nothing_changes() -> None:
    """Without move, volatility change and time all rows are zero, whatever the model thinks of a price."""
    odd = [ScenarioLeg.of(PayoffLeg("C", 90.0, 1, 100.0, 3.0, "2016-01-24"), 100.0, TODAY)]
    assert odd[0].vol == 0.0
    assert scenario_profits([CONDOR, SHARES, odd], [0.0], [0.0]).tolist() == [[0.0], [0.0], [0.0]]


def test_the_worst_cell_is_named() -> None:
    """The largest loss of a row with the move and the volatility change that make it."""
    frame = scenario_frame({"condor": CONDOR})
    move, vol, profit = worst_scenario(frame)
    assert profit == frame.loc["book"].min()
    assert frame.loc["book", (move, vol)] == profit
    assert profit < 0


def test_expiry_today_counts_the_hours_left() -> None:
    """An option of the day has a volatility only if time is left for it."""
    leg = PayoffLeg("C", 100.0, 1, 100.0, 0.4, "2015-12-24")
    assert ScenarioLeg.of(leg, 100.0, TODAY).vol == 0.0
    assert ScenarioLeg.of(leg, 100.0, TODAY, hours_left=3.0).vol > 0.1


def test_an_empty_book_has_an_empty_table() -> None:
    """No groups: only the row of the book, all zero."""
    frame = scenario_frame({})
    assert frame.loc["book"].abs().sum() == 0.0


def test_units_from_margin() -> None:
    """As many units as the free margin carries after the reserve; none when the margin is not known."""
    assert units_for_margin(500.0, 2600.0) == 5
    assert units_for_margin(500.0, 2600.0, reserve=200.0) == 4
    assert units_for_margin(500.0, 499.0) == 0
    assert units_for_margin(500.0, -1.0) == 0
    assert units_for_margin(math.nan, 1e6) == units_for_margin(0.0, 1e6) == units_for_margin(500.0, math.nan) == 0
    with pytest.raises(ValueError, match="reserve -1"):
        units_for_margin(500.0, 1000.0, reserve=-1)


def test_units_from_a_volatility_target() -> None:
    """Shares of 100 dollars at 25.2 % move about 1.59 dollars a day: 1 % of 100,000 dollars a day is 629 of them."""
    change = daily_change(delta=1.0, gamma=0.0, spot=100.0, vol=0.252)
    assert change == pytest.approx(100 * 0.252 / math.sqrt(252))
    assert units_for_volatility(change, 100_000.0, 0.01) == 629
    assert daily_change(0.0, 2.0, 100.0, 0.252) == pytest.approx(2 * change**2 / math.sqrt(2))
    assert units_for_volatility(0.0, 100_000.0, 0.01) == 0
    with pytest.raises(ValueError, match="target 2"):
        units_for_volatility(change, 100_000.0, 2)
