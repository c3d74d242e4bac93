"""Brackets when the venue refuses, reserves, limits or is silent: every filled share is protected."""

from __future__ import annotations

from typing import Any

from atomic import facts as f
from atomic.model import Quote
from atomic.policy import Breaker, Settings
from atomic.vocabulary import Outcome
from tests.atomic.bracket_venue import ENTRY, SPY, STOP, TARGET, Venue, start, working


def test_aoe_scenario_6_a_broker_that_reserves_quantity():
    """Second closing order refused: target and move_stop work, the net is never negative, the gap is reported."""
    executor, venue = start()
    venue.reserves = True
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    assert working(group) == [("sl", -100, 99.0)]
    group.move_stop(99.5)
    assert working(group) == [("sl", -100, 99.5)]
    nets = []
    for bid in (102.1, 102.2):
        venue.price(bid)
        executor.on_data()
        nets.append(group.open_quantity)

    assert group.is_done
    assert venue.holdings[SPY.symbol] == 0
    assert min(nets) >= 0
    assert group.gap_seconds >= 0.0


def test_the_gap_between_stop_and_target_is_measured_and_summed_in_the_metrics():
    """The stop's cancel is answered three seconds later and the target's close four seconds after that."""

    class Slow(Venue):
        reserves = True

        def cancel(self, group_id: str, number: int) -> None:
            self.sink.on_fact(group_id, f.CancelAsked(self.clock, number, ""))

    executor, venue = start(Slow(live=True))
    venue.reserves = True
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    for bid in (102.1, 102.2):
        venue.price(bid)
        executor.on_data()
    stop = next(order for order in group.orders if order.purpose is STOP and order.may_fill)
    venue.clock += 3
    venue.quotes[SPY.symbol] = Quote(102.2, 102.22, 102.2, venue.clock, False)
    venue.ended.add((group.id, stop.number))
    venue.sink.on_fact(group.id, f.Canceled(venue.clock, stop.number))
    assert executor.metrics()["gap_seconds"] == 0.0
    venue.clock += 4
    venue.quotes[SPY.symbol] = Quote(102.2, 102.22, 102.2, venue.clock)
    executor.on_data()
    assert group.is_done
    assert group.gap_seconds == 4.0
    assert executor.metrics()["gap_seconds"] == 4.0


def test_a_hundred_placements_in_a_row_all_protected_and_closed():
    """100 consecutive brackets: every one protected, every one ends flat, ids differ (B6)."""
    executor, venue = start()
    groups = [executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0) for _ in range(100)]
    assert all(g.is_protected for g in groups)
    assert len({g.id for g in groups}) == 100
    assert executor.coverage.rate == 1.0
    for group in groups:
        venue.later(group, STOP if int(group.id[-1]) % 2 else TARGET, 10)

    assert all(g.is_done for g in groups)
    assert venue.holdings[SPY.symbol] == 0


def test_a_hundred_fills_at_once_under_breaker_rate_limit_and_pause_are_all_protected():
    """Breaker open, rate limit full, trading paused: entries that fill late are protected all the same (scenario 8)."""
    settings = Settings(rate_per_second=1000.0, reserved_rate=1000.0)
    executor, venue = start(settings=settings, breaker=Breaker(failures=1, reset=300.0))
    venue.fill_entries = 0
    groups = [executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0) for _ in range(100)]
    venue.refuse["entry"] = ["unknown"]
    executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0)
    executor.pause()
    assert executor.operations.get_circuit_breaker_status()["state"] == "open"
    for group in groups:
        venue.later(group, ENTRY, 10)
    for _ in range(10):
        venue.pass_seconds(1.0)

    assert all(g.is_protected for g in groups)
    assert executor.bracket_order(SPY, 10).outcome is Outcome.REFUSED


def test_a_rate_limit_delays_exits_by_seconds_and_loses_none():
    """With two orders a second, 30 fills at once are all protected within the time the rate allows (C5)."""
    executor, venue = start(settings=Settings(rate_per_second=2.0, reserved_rate=5.0))
    venue.fill_entries = 0
    groups = []
    for _ in range(30):
        groups.append(executor.bracket_order(SPY, 10, stop_loss_price=99.0))
        venue.pass_seconds(1.0)
    for group in groups:
        venue.later(group, ENTRY, 10)
    for _ in range(15):
        venue.pass_seconds(1.0)

    assert all(g.is_protected for g in groups)


def test_insufficient_margin_and_an_unknown_instrument_end_the_placement():
    """An entry that is refused ends the bracket with the reason; no exit was ever sent (B6)."""
    executor, venue = start()
    for reason in ("margin", "instrument"):
        venue.refuse["entry"] = [reason]
        group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
        assert (group.outcome, group.is_done) == (Outcome.ROLLED_BACK, True)

    assert not any(tag.startswith("sl-") for what, tag, *_ in venue.calls if what == "submit")


def test_a_connection_timeout_is_looked_at_again_and_not_sent_twice():
    """Silence after a submit: the ticket is polled, the order is not resent (B6, no-double)."""
    executor, venue = start(Venue(live=True))

    def swallow(request: Any) -> None:
        venue.calls.append(("submit", request.tag, request.quantity))

    venue.submit = swallow  # type: ignore[method-assign]
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(20):
        venue.pass_seconds(1.0)

    assert [c for c in venue.calls if c[0] == "submit"] == [("submit", f"entry-{group.id}:1", 10)]
    assert ("poll", 1) in venue.calls


def test_the_circuit_breaker_opens_and_closes_again():
    """Ten refusals in a row open it for 300 s, then entries are taken again (E2)."""
    executor, venue = start(breaker=Breaker())
    venue.refuse["entry"] = ["unknown"] * 10
    for _ in range(10):
        assert "circuit-breaker" not in executor.alerts_seen
        executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert executor.alerts_seen.count("circuit-breaker") == 1
    refused = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert refused.outcome is Outcome.REFUSED
    assert "circuit-breaker" in refused.reason
    venue.clock += 301
    venue.quotes[SPY.symbol] = Quote(100.0, 100.02, 100.01, venue.clock)

    assert executor.bracket_order(SPY, 10, stop_loss_price=99.0).is_protected


def test_an_answer_to_another_groups_order_is_no_answer_to_this_one():
    """An order without an answer is on record as sent, also where news of another of the same number came meanwhile."""
    executor, venue = start()
    first = executor.bracket_order(SPY, 10, limit_price=99.0, stop_loss_price=98.0)
    venue.submit = lambda request: venue.sink.on_fact(first.id, f.Filled(venue.clock, 1, 4, 99.0, 0.0))
    second = executor.bracket_order(SPY, 10, limit_price=99.0, stop_loss_price=98.0)

    assert [fact.order for fact in second.record.facts if type(fact) is f.Sent] == [1]
