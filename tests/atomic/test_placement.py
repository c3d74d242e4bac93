"""The placement of a bracket or a set that a live broker does not answer, and native sets that it refuses (B2, D1)."""

from __future__ import annotations

from typing import Any

from atomic import facts as f
from atomic.bracket_terms import ContingentOrder
from atomic.plan import Env
from atomic.vocabulary import Outcome, Phase
from tests.atomic.bracket_venue import SPY, TARGET, Venue, start, working


class Mute(Venue):
    """Live; says nothing of the orders whose tag begins like one of `mute`."""

    def __init__(self, *mute: str, live: bool = True) -> None:
        super().__init__(live)
        self.mute = mute

    def submit(self, request: Any) -> None:
        if not request.tag.startswith(self.mute):
            super().submit(request)
            return
        self.calls.append(("submit", request.tag, request.quantity))
        self.requests[(request.group_id, request.number)] = request


def test_an_entry_that_is_not_acknowledged_in_five_seconds_is_cancelled_and_told() -> None:
    """By the clock alone, without data: nothing has filled, so the placement is rolled back (B2)."""
    executor, venue = start(Mute("entry-"))
    bracket = executor.bracket_order(SPY, 10, limit_price=99.0, stop_loss_price=95.0)
    for _ in range(9):
        venue.pass_seconds(0.5)
    assert ("cancel", 1) not in venue.calls
    for _ in range(2):
        venue.pass_seconds(0.5)
    assert ("cancel", 1) in venue.calls
    assert executor.alerts_seen == ["placement-timeout"]
    assert bracket.state is Phase.CLOSED


def test_a_fill_after_the_time_out_is_protected() -> None:
    """The broker had the entry all the same: what it fills gets its stop."""
    executor, venue = start(Mute("entry-"))
    venue.cancel = lambda group_id, number: venue.calls.append(("cancel", number))  # type: ignore[method-assign]
    bracket = executor.bracket_order(SPY, 10, limit_price=99.0, stop_loss_price=95.0)
    for _ in range(12):
        venue.pass_seconds(0.5)
    venue.fill((bracket.id, 1), 4)
    assert working(bracket)[-1] == ("sl", -4, 95.0)


def test_a_stop_that_is_not_acknowledged_in_five_seconds_is_told_once_and_stays() -> None:
    """After a fill the stop is never given up and never sent twice: a person is told at five seconds, not at 120."""
    executor, venue = start(Mute("sl-"))
    bracket = executor.bracket_order(SPY, 10, stop_loss_price=95.0)
    for _ in range(40):
        venue.pass_seconds(0.5)
        executor.on_data()
    assert executor.alerts_seen == ["stop-unacknowledged"]
    assert working(bracket) == [("sl", -10, 95.0)]
    assert not any(call[0] == "cancel" for call in venue.calls)


def test_a_set_of_which_one_order_is_not_acknowledged_is_taken_back() -> None:
    """All of it is cancelled while nothing has filled."""
    executor, venue = start(Mute("never"))
    venue.mute = ("entry-bracket-000001:2",)
    pair = executor.one_cancels_other([ContingentOrder(SPY, 10, 99.0), ContingentOrder(SPY, 10, 0.0, 105.0)])
    for _ in range(12):
        venue.pass_seconds(0.5)
    assert [call for call in venue.calls if call[0] == "cancel"] == [("cancel", 1), ("cancel", 2)]
    assert executor.alerts_seen == ["placement-timeout"]
    assert pair.outcome is Outcome.ROLLED_BACK


def test_a_backtest_answers_within_the_call_and_has_no_such_time_out() -> None:
    """Without an answer its ticket is looked at; nothing is cancelled by the clock."""
    executor, venue = start(Mute("entry-", live=False))
    executor.bracket_order(SPY, 10, limit_price=99.0, stop_loss_price=95.0)
    for _ in range(20):
        venue.pass_seconds(1.0)
        executor.on_data()
    assert not any(call[0] == "cancel" for call in venue.calls)


def test_a_native_set_that_is_refused_becomes_single_orders_at_once() -> None:
    """Whatever the reason: stop and target rest by themselves, nothing is watched, the set is not tried again."""

    class Refuses(Venue):
        def submit_linked(self, requests: Any) -> None:
            self.calls.append(("linked", len(requests)))
            for request in requests:
                self.ended.add((request.group_id, request.number))
            for request in requests:
                self.sink.on_fact(request.group_id, f.Rejected(self.clock, request.number, "capability", "no sets"))

    executor, venue = start(Refuses(), env=Env(takes_linked=True))
    bracket = executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0, native=True)
    assert working(bracket) == [("sl", -10, 99.0), ("tp", -10, 102.0)]
    assert venue.calls.count(("linked", 2)) == 1
    assert executor.alerts_seen == ["native-refused"]
    venue.later(bracket, TARGET, 4)
    assert working(bracket) == [("sl", -6, 99.0), ("tp", -6, 102.0)]


def test_what_a_rollback_cannot_cancel_is_counted_and_named() -> None:
    """The third order is refused, the first cannot be cancelled: the second goes, one alert says all of it (B3)."""

    class Stuck(Venue):
        def submit(self, request: Any) -> None:
            if not request.tag.endswith(":3"):
                super().submit(request)
                return
            self.sink.on_fact(request.group_id, f.Rejected(self.clock, request.number, "margin", "no money"))

        def cancel(self, group_id: str, number: int) -> None:
            if number != 1:
                super().cancel(group_id, number)
                return
            self.sink.on_fact(group_id, f.CancelAsked(self.clock, number, ""))
            self.sink.on_fact(group_id, f.CancelRefused(self.clock, number, -5, "busy"))

    executor, venue = start(Stuck(live=True))
    said: list[Any] = []
    executor.on_alert(said.append)
    orders = [ContingentOrder(SPY, 10, 99.0), ContingentOrder(SPY, 10, 98.0), ContingentOrder(SPY, 10, 0.0, 105.0)]
    group = executor.one_cancels_other(orders)
    for _ in range(40):
        venue.pass_seconds(1.0)
        executor.on_data()
    assert working(group) == [("entry", 10, 99.0)]
    left = [alert for alert in said if alert.code == "orders-left"]
    assert [(a.severity, a.facts["cancelled"], a.facts["failed"], a.facts["left"]) for a in left] == [
        (1, 1, 1, [f"entry-{group.id}:1"])
    ]
