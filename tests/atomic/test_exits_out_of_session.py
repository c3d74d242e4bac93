"""Exits that the venue takes during the session only: what ended with the day comes back with the next one."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.journal import MemoryStore
from atomic.model import Quote
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import SPY, Venue, start, working


class DayOrders(Venue):
    """Ends what rests with the day, and refuses exits until the next one."""

    def session(self, is_open: bool) -> None:
        self.quotes[SPY.symbol] = Quote(100.0, 100.02, 100.01, self.clock, is_open)
        if is_open:
            self.refuse.clear()
            return
        self.refuse = {purpose: ["session"] * 1000 for purpose in ("sl", "tp", "emergency", "close")}
        for key in [k for k in self.requests if k not in self.ended]:
            self.ended.add(key)
            self.sink.on_fact(key[0], f.Expired(self.clock, key[1], "day order"))

    def night(self, executor: Any) -> None:
        """Seventeen hours with an event now and then."""
        for _ in range(100):
            self.clock += 600.0
            self.quotes[SPY.symbol] = Quote(100.0, 100.02, 100.01, self.clock, False)
            if self.wake is not None and self.wake <= self.clock:
                self.sink.on_wake()
            executor.on_data()


@pytest.mark.parametrize("restarts", [False, True])
def test_exits_that_end_with_the_day_come_back_with_the_next(restarts: bool) -> None:
    """Refused outside the session they wait for it: nothing is given up or closed, one alert."""
    store = MemoryStore()
    executor, venue = start(DayOrders(), store=store)
    bracket: Any = executor.bracket_order(SPY, 100, stop_loss_price=98.0, take_profit_price=103.0)
    sent = len(venue.calls)
    venue.session(False)
    venue.night(executor)
    assert (bracket.state, venue.holdings[SPY.symbol]) == (Phase.OPEN, 100)
    assert 2 <= len(venue.calls[sent:]) <= 36, "at once and every hour: our calendar may be wrong"
    assert executor.alerts_seen.count("waits-for-session") == 1
    assert not {"emergency-close", "target-given-up"} & set(executor.alerts_seen)
    if restarts:
        after = DayOrders()
        after.clock, after.holdings, after.quotes = venue.clock, dict(venue.holdings), dict(venue.quotes)
        executor, venue = start(after, store=store)
        bracket = executor.groups.get(bracket.id)
    venue.session(True)
    executor.on_data()
    assert working(bracket) == [("sl", -100, 98.0), ("tp", -100, 103.0)]


def test_a_refusal_in_the_open_session_counts() -> None:
    """A venue that says so while the market is open is not believed: after three times the position is closed."""
    executor, venue = start()
    venue.refuse = {"sl": ["session"] * 100}
    bracket: Any = executor.bracket_order(SPY, 100, stop_loss_price=98.0, take_profit_price=103.0)
    for _ in range(10):
        venue.clock += 1.0
        venue.sink.on_wake()
        executor.on_data()
    assert (bracket.state, venue.holdings[SPY.symbol]) == (Phase.CLOSED, 0)
