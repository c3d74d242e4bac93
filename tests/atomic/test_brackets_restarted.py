"""Brackets after a restart of LEAN's paper brokerage, which keeps the holdings and no orders."""

from __future__ import annotations

from typing import Any

from atomic import facts as f
from atomic.journal import MemoryStore
from atomic.model import Quote
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import SPY, Venue, start, working


class Paper(Venue):
    """Orders have LEAN's id and a brokerage's: the same with LEAN's own, `prefix` before it with another one."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__(live=True)
        self.prefix = prefix
        self.numbers = 0

    def submit(self, request: Any) -> None:
        self.numbers += 1
        ids = (f"{self.prefix}{self.numbers}",)
        self.sink.on_fact(request.group_id, f.Identified(self.clock, request.number, self.numbers, ids))
        super().submit(request)

    def restarted(self) -> Paper:
        """The account as the next process finds it."""
        after = Paper(self.prefix)
        after.clock, after.holdings, after.quotes = self.clock + 60.0, dict(self.holdings), dict(self.quotes)
        return after


def two(venue: Paper, store: MemoryStore) -> tuple[Any, Any]:
    """A bracket that holds 100 shares, and one of the same size whose entry waits at 99; then a restart."""
    executor, venue = start(venue, store=store)
    held = executor.bracket_order(SPY, 100, stop_loss_price=98.0, take_profit_price=103.0)
    waits = executor.bracket_order(SPY, 100, limit_price=99.0, stop_loss_price=97.0, take_profit_price=102.0)
    assert held.is_protected
    assert [w[0] for w in working(waits)] == ["entry"]
    again, _ = start(venue.restarted(), store=store)
    return again.groups.get(held.id), waits if again.groups.get(waits.id) is None else again.groups.get(waits.id)


def test_exits_that_paper_forgot_are_placed_again_at_once() -> None:
    """What is held has its stop and target again, for the same levels; the waiting entry has ended."""
    held, waits = two(Paper(), MemoryStore())
    assert (held.state, held.is_protected) == (Phase.OPEN, True)
    assert working(held) == [("sl", -100, 98.0), ("tp", -100, 103.0)]
    assert not working(waits)


def test_in_doubt_nothing_is_said_to_be_protected() -> None:
    """At a brokerage that keeps orders two of them may have filled: held, and not called protected."""
    held, _ = two(Paper("U"), MemoryStore())
    assert (held.state, held.is_protected) == (Phase.HELD, False)


NO_PRICE = Quote(0.0, 0.0, 0.0, 0.0)


class Unpriced(Paper):
    """Refuses, as LEAN does, whatever is sent for a contract that had no data yet."""

    def submit(self, request: Any) -> None:
        if self.quotes[request.symbol] == NO_PRICE:
            self.calls.append(("refused", request.tag))
            self.sink.on_fact(request.group_id, f.Rejected(self.clock, request.number, "price", "no price"))
            return
        super().submit(request)


def test_exits_wait_for_the_first_price_after_a_restart() -> None:
    """LEAN shows none when it starts: nothing is sent to be refused, one alert, and the first data brings the exits."""
    store = MemoryStore()
    executor, venue = start(Unpriced(), store=store)
    held = executor.bracket_order(SPY, 100, stop_loss_price=98.0, take_profit_price=103.0)
    after = Unpriced()
    after.clock, after.holdings = venue.clock + 60.0, dict(venue.holdings)
    after.quotes[SPY.symbol] = NO_PRICE
    again, _ = start(after, store=store)
    bracket: Any = again.groups.get(held.id)
    for _ in range(30):
        after.clock += 1.0
        after.sink.on_wake()
        again.on_data()
    assert (after.calls, bracket.state, bracket.is_protected) == ([], Phase.OPEN, False)
    assert again.alerts_seen.count("no-price") == 1
    after.price(100.0)
    again.on_data()
    assert working(bracket) == [("sl", -100, 98.0), ("tp", -100, 103.0)]
