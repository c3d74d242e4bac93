"""Reducing where a side of the quote is missing: kept, named, and traded when it returns."""

from __future__ import annotations

from atomic import facts as f
from atomic.plan import Env
from atomic.policy import Policy
from atomic.vocabulary import Outcome, Phase
from tests.atomic.desk import close, opened, resting


def test_a_long_without_a_bid_is_kept_and_sold_when_one_returns() -> None:
    """No order is left resting that could outlive its purpose (trace p17)."""
    desk = opened()
    desk.quote(1, 0.0, 0.05)
    close(desk)
    assert desk.nets == [0, 1, 0, 0]
    assert desk.working == []
    assert desk.phase is Phase.CLOSING
    assert [(a.code, "90" in a.text) for a in desk.alerts[-1:]] == [("bidless-long", True)]

    desk.quote(1, 0.05, 0.1).at(60)

    assert desk.phase is Phase.CLOSED


def test_in_a_backtest_a_stale_bid_is_no_bid() -> None:
    """LEAN lets a market order into data older than an hour rest; it is sent with the next fresh bar instead."""
    desk = opened(env=Env(bar_data=True))
    for index in (0, 2, 3):
        desk.now = 5000.0
        desk.quote(index, 1.0, 1.2)
    close(desk)
    assert desk.nets == [0, 1, 0, 0]
    assert desk.working == []
    assert [a.code for a in desk.alerts[-1:]] == ["bidless-long"]
    desk.quote(1, 0.1, 0.2).pump()

    assert desk.phase is Phase.CLOSED


def test_a_long_without_a_bid_may_be_offered_at_one_tick() -> None:
    """Policy "offer": a limit, never a market order."""
    desk = opened(policy=Policy(bidless="offer"))
    desk.quote(1, 0.0, 0.05)
    desk.script = lambda o: resting(o) if o.leg == 1 else None
    close(desk)

    assert desk.working == [(1, "close", -1, 0.01)]


def test_a_kept_long_that_expires_ends_the_group() -> None:
    """EXPIRED, with its settlement."""
    desk = opened()
    desk.quote(1, 0.0, 0.05)
    close(desk)
    desk.tell(f.Settled(desk.now, 1, 0.0, "expiry"))

    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.EXPIRED


def test_a_short_without_an_ask_waits_and_crosses_when_it_returns() -> None:
    """Price missing: its cover stays too."""
    desk = opened()
    desk.quote(0, 0.9, 0.0)
    close(desk)
    assert desk.nets == [-1, 1, 0, 0]
    desk.quote(0, 0.9, 1.5).at(1)

    assert desk.phase is Phase.CLOSED
