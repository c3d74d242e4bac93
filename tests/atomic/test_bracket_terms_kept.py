"""What a bracket was asked for happens: time-outs by themselves, stops where its handle says, levels on the tick."""

from __future__ import annotations

from typing import Any

import pytest

from atomic.model import Quote
from atomic.protect import Level
from atomic.vocabulary import Outcome
from tests.atomic.bracket_venue import ENTRY, SPY, TARGET, start, working


def test_an_entry_time_out_comes_without_anything_else_happening() -> None:
    """A resting entry that nothing touches is cancelled at its moment, not with the next event of its group."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, limit_price=95.0, stop_loss_price=90.0, entry_timeout=60.0)
    venue.pass_seconds(59.0)
    assert working(group) == [("entry", 10, 95.0)]
    venue.pass_seconds(1.0)

    assert working(group) == []
    assert (group.outcome, group.reason) == (Outcome.ROLLED_BACK, "not filled within 60 s")


@pytest.mark.parametrize(
    "terms", [{"trail": Level(offset=1.0)}, {"break_even_after": 1}, {"stop_limit_offset": 0.1}]
)
def test_terms_of_a_stop_without_a_stop_are_named(terms: dict[str, Any]) -> None:
    """Nothing would trail: the position would stand without the stop that its owner believes in."""
    executor, venue = start()
    with pytest.raises(ValueError, match="there is no stop: give stop_loss or stop_loss_price"):
        executor.bracket_order(SPY, 10, take_profit_price=105.0, **terms)
    assert venue.calls == []


@pytest.mark.parametrize("trigger", ["last", "mid", "underlying"])
def test_a_limit_for_a_stop_that_is_watched_is_named(trigger: str) -> None:
    """It would leave at market, whatever limit its owner believes in."""
    executor, venue = start()
    with pytest.raises(ValueError, match=f"trigger='{trigger}'.*leave stop_limit_offset out"):
        executor.bracket_order(SPY, 10, stop_loss_price=99.0, stop_limit_offset=0.1, trigger=trigger)
    venue.holdings[SPY.symbol] = 10
    with pytest.raises(ValueError, match="leave stop_limit_offset out"):
        executor.protect_position(SPY, 10, stop_loss_price=99.0, stop_limit_offset=0.1, trigger=trigger)
    assert venue.calls == []


def test_a_stop_that_is_not_there_cannot_be_moved() -> None:
    """The handle shows no stop, before and after."""
    executor, _ = start()
    group = executor.bracket_order(SPY, 10, take_profit_price=105.0)
    with pytest.raises(ValueError, match="has no stop to move"):
        group.move_stop(99.0)
    assert (group.stop_prices, group.stops) == ((0.0,), ())


def test_a_bracket_without_a_stop_is_no_entry_that_lacks_protection() -> None:
    """It promises none: the rate counts those that do."""
    executor, _ = start()
    executor.bracket_order(SPY, 10, take_profit_price=105.0)
    executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    executor.sweep_protection(force=True)

    assert (executor.coverage.entries, executor.coverage.protected) == (1, 1)


def test_break_even_lies_on_the_tick() -> None:
    """An average of two fills is a price that no venue takes."""
    executor, venue = start()
    venue.fill_entries = 0
    group = executor.bracket_order(SPY, 4, targets=[101.0, 102.0], stop_loss_price=99.0, break_even_after=1)
    venue.quotes[SPY.symbol] = Quote(100.0, 100.025, 100.0, venue.clock)
    venue.later(group, ENTRY, 4)
    assert group.entry_price == pytest.approx(100.025)
    venue.later(group, TARGET, 2)

    assert [price for what, _, price in working(group) if what == "sl"] == [100.02]


def test_a_stop_limit_is_asked_for_by_the_same_name_around_what_stands() -> None:
    """`protect_position` takes the terms of `bracket_order`."""
    executor, venue = start()
    venue.holdings[SPY.symbol] = 10
    group = executor.protect_position(SPY, stop_loss_price=99.0, stop_limit_offset=0.5)
    (stop,) = group.stops
    assert (stop.stop, stop.limit) == (99.0, 98.5)
