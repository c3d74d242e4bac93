"""On which side exits lie: of the entry, of the market, and of the underlying where its price decides."""

from __future__ import annotations

from typing import Any

import pytest

from atomic.model import Quote
from atomic.protect import Level
from atomic.vocabulary import Outcome
from tests.atomic.bracket_venue import SPY, Venue, start, working
from tests.atomic.fake_gateway import option

CALL, PUT = option("C", 100.0), option("P", 100.0)


def held(quantity: int, cost: float) -> tuple[Any, Venue]:
    """An executor whose account holds SPY (100.00 / 100.02) that it paid `cost` for."""
    executor, venue = start()
    venue.holdings[SPY.symbol] = quantity
    venue.average_price = lambda symbol: cost
    return executor, venue


@pytest.mark.parametrize(
    ("quantity", "cost", "target", "stop"),
    [(50, 90.0, 105.0, 95.0), (50, 110.0, 105.0, 95.0), (-50, 110.0, 95.0, 105.0), (-50, 90.0, 95.0, 105.0)],
)
def test_exits_of_a_held_position_lie_around_the_market_wherever_it_was_bought(quantity, cost, target, stop):
    """A stop that keeps a profit and a target below what was paid are what exits of a standing position are for."""
    executor, _ = held(quantity, cost)
    group = executor.place_oco(SPY, target_price=target, stop_price=stop)
    assert working(group) == [("sl", -quantity, stop), ("tp", -quantity, target)]


@pytest.mark.parametrize(
    ("terms", "match"),
    [
        ({"stop_loss_price": 101.0}, "stop 101 is not below the market 100.02"),
        ({"take_profit_price": 99.0}, "target 99 is not above the market 100"),
        ({}, "stop 108.9 is not below the market 100.02"),
    ],
)
def test_exits_that_the_market_has_passed_are_named(terms, match):
    """Also distances from what was paid: they would sell the position at once."""
    executor, venue = held(50, 110.0)
    with pytest.raises(ValueError, match=match):
        executor.protect_position(SPY, **terms)
    assert venue.calls == []


def test_distances_refer_to_what_the_account_paid_unless_a_price_is_given():
    """`entry_price` wins over the holding's average price."""
    executor, _ = held(50, 99.5)
    assert working(executor.protect_position(SPY, 20, stop_loss=Level(offset=1.0))) == [("sl", -20, 98.5)]
    group = executor.protect_position(SPY, 20, stop_loss=Level(offset=1.0), entry_price=98.0)
    assert working(group) == [("sl", -20, 97.0)]


@pytest.mark.parametrize(
    ("quantity", "terms", "why"),
    [
        (10, {"stop_loss_price": 105.0}, "stop 105 is not below the market 100.02"),
        (10, {"take_profit_price": 95.0}, "target 95 is not above the market 100 "),
        (-10, {"stop_loss_price": 95.0}, "stop 95 is not above the market 100 "),
        (10, {"stop_loss_price": 99.0, "time_exit": 1_500_000_000.0}, "has passed"),
    ],
)
def test_a_bracket_that_would_close_as_soon_as_it_stands_is_refused(quantity, terms, why):
    """A market entry whose exit the market, or the clock, has passed: REFUSED with both values, nothing is bought."""
    executor, venue = start()
    group = executor.bracket_order(SPY, quantity, **terms)
    assert group.outcome is Outcome.REFUSED
    assert why in group.reason
    assert venue.calls == []


def at(executor: Any, venue: Venue, *prices: float) -> None:
    """Minutes with these prices of the underlying; the options' quotes stay."""
    for price in prices:
        venue.clock += 60.0
        venue.quotes["X"] = Quote(price, price + 0.02, price, venue.clock)
        for contract in (CALL, PUT):
            venue.quotes[contract.symbol] = Quote(2.0, 2.1, 2.05, venue.clock)
        if executor is not None:
            executor.on_data()


@pytest.mark.parametrize(
    ("contract", "quantity", "stop", "target", "kept", "passes"),
    [
        (CALL, 2, 96.0, 104.0, (101.0, 103.0, 97.0), (95.9, 95.8)),
        (CALL, 2, 96.0, 104.0, (101.0, 103.0, 97.0), (104.1, 104.2)),
        (PUT, 2, 104.0, 96.0, (101.0, 103.0, 97.0), (104.1, 104.2)),
        (PUT, 2, 104.0, 96.0, (101.0, 103.0, 97.0), (95.9, 95.8)),
        (PUT, -2, 96.0, 104.0, (101.0, 103.0, 97.0), (95.9, 95.8)),
        (CALL, -2, 104.0, 96.0, (101.0, 103.0, 97.0), (104.1, 104.2)),
    ],
)
def test_the_underlyings_price_closes_on_the_side_where_the_option_loses_or_gains(
    contract, quantity, stop, target, kept, passes
):
    """A long put loses when its underlying rises: its stop lies above, its target below; a short one the other way."""
    executor, venue = start()
    at(None, venue, 100.0)
    group = executor.bracket_order(
        contract, quantity, stop_loss_price=stop, take_profit_price=target, trigger="underlying"
    )
    at(executor, venue, *kept)
    assert not group.is_done
    at(executor, venue, *passes)
    assert group.is_done
    assert venue.holding(contract.symbol) == 0


def test_levels_on_the_underlying_are_not_compared_with_the_options_price():
    """A limit entry at 2 dollars with a stop at 96 dollars of the underlying is a bracket."""
    executor, venue = start()
    at(None, venue, 100.0)
    group = executor.bracket_order(CALL, 2, limit_price=1.9, stop_loss_price=96.0, trigger="underlying")
    assert not group.is_done


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"stop_loss": Level(percent=0.01)},
        {"stop_loss_price": 96.0, "trail": Level(offset=1.0)},
        {"stop_loss_price": 96.0, "break_even_after": 1},
    ],
)
def test_distances_from_the_options_price_make_no_level_of_the_underlying(terms):
    """Named before anything is sent: they closed the position with the second quote."""
    executor, venue = start()
    at(None, venue, 100.0)
    with pytest.raises(ValueError, match="give prices of the underlying"):
        executor.bracket_order(CALL, 2, trigger="underlying", **terms)
    assert venue.calls == []
    venue.holdings[CALL.symbol] = 2
    with pytest.raises(ValueError, match="stop 104 is not below the market 100"):
        executor.protect_position(CALL, stop_loss_price=104.0, trigger="underlying")
