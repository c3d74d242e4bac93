"""What a bracket was asked for happens: time-outs by themselves, stops where its handle says, levels on the tick."""

from __future__ import annotations

from atomic.vocabulary import Outcome
from tests.atomic.bracket_venue import SPY, start, working


def test_an_entry_time_out_comes_without_anything_else_happening() -> None:
    """A resting entry that nothing touches is cancelled at its moment, not with the next event of its group."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, limit_price=95.0, stop_loss_price=90.0, entry_timeout=60.0)
    venue.pass_seconds(59.0)
    assert working(group) == [("entry", 10, 95.0)]
    venue.pass_seconds(1.0)

    assert working(group) == []
    assert (group.outcome, group.reason) == (Outcome.ROLLED_BACK, "not filled within 60 s")
