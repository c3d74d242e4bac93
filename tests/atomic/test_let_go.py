"""Exits are taken away from a position that its owner keeps (D1: cancel a pair)."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.vocabulary import Outcome, Phase
from tests.atomic.bracket_venue import SPY, STOP, Venue, start, working


def oco(venue: Venue | None = None, **options: Any) -> tuple[AtomicOrderExecutor, Venue, Any]:
    """A target and a stop for 100 shares that stood already."""
    executor, venue = start(venue, **options)
    venue.holdings[SPY.symbol] = 100
    return executor, venue, executor.place_oco(SPY, 110.0, 90.0)


class Slow(Venue):
    """Takes cancels and ends them when told."""

    def cancel(self, group_id: str, number: int) -> None:
        self.calls.append(("cancel", number))
        self.sink.on_fact(group_id, f.CancelAsked(self.clock, number, ""))

    def end(self, group: Any) -> None:
        for order in [o for o in group.orders if o.may_fill]:
            self.ended.add((group.id, order.number))
            self.sink.on_fact(group.id, f.Canceled(self.clock, order.number))


def test_a_pair_is_cancelled_and_the_position_stays() -> None:
    """Both orders go, nothing is sold, the shares belong to no group again and may be protected anew."""
    executor, venue, pair = oco()
    pair.let_go("no exits any more")
    assert [call[0] for call in venue.calls] == ["submit", "submit", "cancel", "cancel"]
    assert (pair.state, pair.outcome, pair.profit) == (Phase.CLOSED, Outcome.CLOSED, 0.0)
    assert venue.holdings[SPY.symbol] == 100
    assert executor.alerts_seen == ["let-go"]
    for _ in range(3):
        venue.clock += 60
        executor.on_data()
    assert "holdings-break" not in executor.alerts_seen
    assert working(executor.place_oco(SPY, 111.0, 91.0)) == [("sl", -100, 91.0), ("tp", -100, 111.0)]


def test_what_fills_on_the_way_is_not_given_back() -> None:
    """Thirty shares are sold while the cancels are out: seventy stay, nothing is bought."""
    _, venue, pair = oco(Slow())
    pair.let_go()
    venue.later(pair, STOP, 30)
    assert pair.state is Phase.OPEN
    venue.end(pair)
    assert pair.state is Phase.CLOSED
    assert venue.holdings[SPY.symbol] == 70
    assert [call[0] for call in venue.calls].count("submit") == 2


def test_the_rest_of_an_entry_goes_too() -> None:
    """A bracket of which four of ten filled: entry, stop and target are cancelled, the four are their owner's."""
    venue = Venue()
    venue.fill_entries = 4
    executor, _ = start(venue)
    bracket = executor.bracket_order(SPY, 10, take_profit_price=110.0, stop_loss_price=90.0)
    bracket.let_go()
    assert working(bracket) == []
    assert bracket.state is Phase.CLOSED
    assert venue.holdings[SPY.symbol] == 4
    assert executor.shell.outside.baseline(SPY.symbol) == 4


def test_a_close_that_comes_after_it_wins() -> None:
    """The owner changes his mind while the cancels are out: the position is closed, once."""
    _, venue, pair = oco(Slow())
    pair.let_go()
    pair.close("after all")
    venue.end(pair)
    assert pair.state is Phase.CLOSED
    assert venue.holdings[SPY.symbol] == 0


def test_it_goes_on_after_a_restart() -> None:
    """The journal has what was asked for: the next process waits for the orders' end and hands the shares over."""
    store = MemoryStore()
    _, venue, pair = oco(Slow(), store=store)
    pair.let_go()
    restarted, venue = start(venue, store=store)
    again: Any = restarted.groups.get(pair.id)
    venue.end(again)
    assert again.state is Phase.CLOSED
    assert restarted.shell.outside.baseline(SPY.symbol) == 100
    assert [call[0] for call in venue.calls].count("submit") == 2


def test_an_order_that_cannot_be_ended_holds_it_and_its_end_lets_it_go() -> None:
    """Cancels accepted and forgotten: a hold; the shares are handed over when the orders end after all."""
    executor, venue, pair = oco(Slow(live=True))
    pair.let_go()
    for _ in range(50):
        venue.pass_seconds(1.0)
        executor.on_data()
    assert pair.state is Phase.HELD
    venue.end(pair)
    executor.on_data()
    assert pair.state is Phase.CLOSED
    assert venue.holdings[SPY.symbol] == 100


def test_what_is_closing_or_held_cannot_be_let_go() -> None:
    """Refused with the cure; nothing changes."""
    _, _, pair = oco(Slow())
    pair.hold()
    with pytest.raises(ValueError, match="held: release it first"):
        pair.let_go()
    pair.release()
    pair.close()
    with pytest.raises(ValueError, match="closing"):
        pair.let_go()
