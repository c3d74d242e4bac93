"""Limits that act: when they trip, what they want done, what survives a restart, who may reset them."""

import json
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from risk.gate import Gate, utc_day
from risk.limits import BreakerLimit, DailyLoss, Drawdown, LimitBook, MarginUsage, NakedSeconds, Rejections


class Account(NamedTuple):
    at: float = 0.0
    equity: float = 100_000.0
    margin_used: float = 0.0
    margin_remaining: float = 100_000.0
    naked_seconds: float = 0.0


@pytest.mark.parametrize(
    ("limit", "before", "after", "reason"),
    [
        (DailyLoss(500), Account(), Account(equity=99_500), "daily-loss is 500.00, limit 500.00"),
        (Drawdown(0.1), Account(), Account(equity=90_000), "drawdown is 0.1000, limit 0.1"),
        (NakedSeconds(5), Account(naked_seconds=4.9), Account(naked_seconds=5), "naked-seconds is 5.0, limit 5"),
        (
            MarginUsage(0.8),
            Account(margin_used=79, margin_remaining=21),
            Account(margin_used=80, margin_remaining=20),
            "margin-usage is 0.800, limit 0.8",
        ),
    ],
)
def test_a_limit_trips_at_its_value_once_and_says_value_and_limit(limit, before, after, reason):
    """Below the limit nothing happens; at it one directive comes, with value and limit, and no second."""
    book = LimitBook([limit])

    assert book.read(before, "d") == []
    assert [tuple(d) for d in book.read(after, "d")] == [(limit.action, limit.name, reason)]
    assert book.read(after, "d") == []
    assert book.may_open(1.0) is not None


def test_a_new_day_starts_the_daily_loss_again_but_does_not_untrip_it():
    """Daily figures start with the day; a tripped limit waits for an operator."""
    book = LimitBook([DailyLoss(500)])
    book.read(Account(equity=1000), "monday")
    assert book.read(Account(equity=600), "tuesday") == []
    assert book.read(Account(equity=100), "tuesday")[0].limit == "daily-loss"

    book.read(Account(equity=100), "wednesday")
    assert book.may_open(0.0) is not None


def test_a_restart_does_not_forget_a_tripped_limit():
    """State survives as JSON; the limit is still tripped and the counters stand."""
    book = LimitBook([DailyLoss(500), Rejections(3)])
    book.read(Account(), "d")
    book.rejected()
    book.read(Account(equity=99_000), "d")
    again = LimitBook([DailyLoss(500), Rejections(3)])
    again.restore(json.loads(json.dumps(book.state())))

    refusal = again.may_open(9.0)
    assert refusal is not None
    assert refusal.value == "1000.00"
    assert again.counters.rejections == 1
    assert again.state() == book.state()


def test_only_an_operators_reset_opens_again_and_an_unknown_name_is_refused():
    """Reset names what was tripped; a wrong name lists the limits."""
    book = LimitBook([Rejections(2)])
    book.rejected()
    book.rejected()
    book.read(Account(), "d")

    assert book.reset("rejections") == "rejections reset (was 2, limit 2)"
    assert book.may_open(0.0) is None
    assert book.reset("rejections") == "rejections was not tripped"
    with pytest.raises(ValueError, match="there are: rejections"):
        book.reset("margin")


def test_limits_of_another_name_start_again_too():
    """Reset and trial go by the kind of a limit, not by its name."""
    book = LimitBook(
        [Rejections(1, name="broker"), BreakerLimit(1, 60, name="breaker"), DailyLoss(5, name="day"),
         Drawdown(0.5, name="top")]
    )  # fmt: skip
    book.rejected()
    book.ended("failed", 0.0)
    book.read(Account(at=10.0, equity=100.0), "d")
    book.opened(70.0)
    assert book.counters.trial
    assert book.read(Account(equity=40.0), "d")
    for name in list(book.tripped):
        book.reset(name)
    c = book.counters
    assert (c.rejections, c.rejections_peak, c.failures, c.trial, c.day, c.peak_equity) == (0, 0, 0, False, "", 0.0)
    assert book.read(Account(equity=40.0), "d") == []


def test_rejections_count_only_in_a_row():
    """An accepted order starts the count again."""
    book = LimitBook([Rejections(2)])
    book.rejected()
    book.accepted()
    book.rejected()

    assert book.read(Account(), "d") == []


def test_the_breaker_lets_one_trial_through_and_closes_when_it_succeeds():
    """After its pause the breaker is half open: one group; success closes it, failure opens it again."""
    book = LimitBook([BreakerLimit(failures=3, reset=300)])
    for _ in range(3):
        book.ended("rolled_back", 10.0)
    book.read(Account(at=10.0), "d")
    assert book.may_open(100.0) is not None

    assert book.may_open(310.0) is None
    book.opened(310.0)
    assert book.may_open(311.0) is not None
    assert book.may_open(311.0, new_group=False) is None, "the trial sends its other legs"
    book.ended("failed", 312.0)
    assert book.may_open(400.0) is not None

    assert book.may_open(612.0) is None
    book.opened(612.0)
    book.ended("complete", 613.0)
    assert book.may_open(614.0) is None
    assert book.counters.failures == 0


def test_two_limits_of_one_name_are_refused():
    """Names identify limits for reset and journal."""
    with pytest.raises(ValueError, match="limits named twice: daily-loss"):
        LimitBook([DailyLoss(1), DailyLoss(2)])


@pytest.mark.parametrize("make", [lambda: DailyLoss(0), lambda: Drawdown(-1), lambda: DailyLoss(5, action="panic")])
def test_bad_limits_are_refused_with_the_value(make):
    """A limit without meaning is refused when it is made."""
    with pytest.raises(ValueError, match=r"give a positive number|use one of"):
        make()


def test_the_gate_reports_every_refusal_and_counts_group_events():
    """All checks speak; ends of groups reach the breaker."""
    refusal = SimpleNamespace(rule="max-loss")
    gate = Gate([lambda p: refusal, lambda p: None], LimitBook([BreakerLimit(failures=1, reset=10)]))
    event = SimpleNamespace(kind="closed", at=5.0, group=SimpleNamespace(outcome="rolled_back"))
    gate.on_event(event)
    gate.directives(Account(at=5.0))

    refusals = gate.approve(SimpleNamespace(now=6.0))
    assert refusals[0] is refusal
    assert refusals[1].rule == "failures"


def test_the_trading_day_changes_between_us_sessions():
    """20:00 UTC and 02:00 UTC belong to one day, 12:00 UTC to the next."""
    base = 1450983600.0  # 2015-12-24 19:00 UTC
    assert utc_day(base) == utc_day(base + 7 * 3600) == "2015-12-24"
    assert utc_day(base + 17 * 3600) == "2015-12-25"


def test_a_row_that_a_fill_ended_before_the_next_reading_still_trips():
    """Two rejections in a row and then a fill, all between two readings: the limit of two trips once, not later."""
    book = LimitBook([Rejections(2), BreakerLimit(2)])
    for _ in range(2):
        book.rejected()
        book.ended("rolled_back", 0.0)
    book.accepted()
    book.ended("complete", 0.0)

    assert [d.limit for d in book.read(Account(), "d")] == ["rejections", "failures"]
    book.reset("rejections")
    book.reset("failures")
    assert book.read(Account(), "d") == []


def test_a_row_survives_a_restart_before_it_was_read():
    """Killed between the rejections and the next reading: the next process trips."""
    book = LimitBook([Rejections(2)])
    book.rejected()
    book.rejected()
    book.accepted()
    again = LimitBook([Rejections(2)])
    again.restore(json.loads(json.dumps(book.state())))

    assert [d.limit for d in again.read(Account(), "d")] == ["rejections"]
