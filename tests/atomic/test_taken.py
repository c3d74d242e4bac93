"""One fact says that several orders were taken: it changes what an acceptance of each would, and reads back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atomic import facts as f
from atomic.audit import timeline
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.protect import heeds
from atomic.protect.gap import gap_seconds
from atomic.vocabulary import ChildStatus, Phase, Purpose
from tests.atomic.bracket_venue import SPY, Venue


class Taking(Venue):
    """Answers a resting order with its number, as LEAN's gateway does in a backtest."""

    def submit(self, request: Any) -> Any:
        sink, told = self.sink, []
        self.sink = type("Sink", (), {"on_fact": lambda _, group_id, fact: told.append((group_id, fact))})()
        super().submit(request)
        self.sink = sink
        if [type(fact) for _, fact in told] == [f.Accepted]:
            return (request.number,)
        for group_id, fact in told:
            sink.on_fact(group_id, fact)
        return ()


def bracket(venue: Venue, **more: Any) -> Any:
    executor = AtomicOrderExecutor(None, "t", gateway=venue, store=MemoryStore())
    executor.start()
    return executor.bracket_order(SPY, 10, stop_loss_price=95.0, take_profit_price=110.0, **more)


def kinds(group: Any) -> list[str]:
    return [fact.kind for fact in group.facts]


def replayed(group: Any, facts: list[Any]) -> str:
    """The state that these facts make, without the facts."""
    twin = f.replay(group.spec, facts)
    return repr([getattr(twin, name) for name in twin.__slots__ if name != "facts"])


def read_back(facts: list[Any]) -> list[Any]:
    return [f.decode(row) for row in json.loads(json.dumps([f.encode(fact) for fact in facts]))]


def test_the_exits_of_a_bracket_are_taken_by_one_fact() -> None:
    """The market entry fills within its call; stop and target rest, and one fact says so."""
    group = bracket(Taking())._group
    assert kinds(group)[-3:] == ["intended", "intended", "taken"]
    assert group.facts[-1].orders == (2, 3)
    assert [order.status for order in group.live.values()] == [ChildStatus.WORKING] * 2


def test_one_fact_for_all_leads_where_one_for_each_does() -> None:
    """The same group but for its list of facts, also what is measured and shown of it."""
    one, each = bracket(Taking())._group, bracket(Venue())._group
    assert kinds(each)[-2:] == ["accepted", "accepted"]
    assert replayed(one, one.facts) == replayed(each, each.facts)
    assert timeline(one) == timeline(each)
    assert gap_seconds(one) == gap_seconds(each) == 0.0


def test_a_journal_row_of_it_reads_back() -> None:
    """JSON has lists only; what is read makes the same facts and the same group."""
    group = bracket(Taking())._group
    assert read_back(group.facts) == group.facts
    assert replayed(group, read_back(group.facts)) == replayed(group, group.facts)


def test_what_is_illegal_of_one_order_changes_none() -> None:
    """Order 9 is unknown: order 2 stays as it was."""
    group = bracket(Venue())._group
    f.apply(group, f.Intended(9.0, 4, 0, "tp", 1, -1, "limit", 120.0, 0.0, "t", 0))
    with pytest.raises(f.IllegalFact, match="no child order 9"):
        f.apply(group, f.Taken(9.0, (4, 9)))
    assert group.orders[4].status is ChildStatus.INTENDED


def test_what_is_known_of_all_is_not_recorded_again() -> None:
    """It is recorded while it is news of one of them."""
    group = bracket(Venue())._group
    assert not f.apply(group, f.Taken(9.0, (2, 3)))
    f.apply(group, f.Intended(9.0, 4, 0, "tp", 1, -1, "limit", 120.0, 0.0, "t", 0))
    assert f.apply(group, f.Taken(9.0, (2, 3, 4)))
    assert group.orders[4].status is ChildStatus.WORKING


def test_a_group_is_looked_at_again_where_an_older_order_waits_for_the_new_one() -> None:
    """A stop that gives way to a new one goes when the new one works; a wave of its own changes nothing."""
    group = bracket(Taking())._group
    assert not heeds(group, group.facts[-1])
    f.apply(group, f.Intended(9.0, 4, 0, Purpose.STOP, 0, -10, "stop_market", 0.0, 96.0, "t", 0))
    f.apply(group, f.Taken(9.0, (4,)))
    assert heeds(group, group.facts[-1])


def test_what_happens_between_two_orders_of_a_wave_stands_between_them() -> None:
    """The stop fills while the target is sent: the stop was taken before that, the target after it."""

    class Fills(Taking):
        def submit(self, request: Any) -> Any:
            answer = super().submit(request)
            if request.tag.startswith("tp-"):
                self.fill((request.group_id, 2), 10)
            return answer

    group = bracket(Fills())._group
    assert [fact.orders for fact in group.facts if fact.kind == "taken"] == [(2,), (3,)]
    after = kinds(group)[kinds(group).index("taken") :]
    assert after == ["taken", "filled", "taken", "cancel_asked", "canceled"]
    assert group.phase is Phase.CLOSED
    assert group.legs[0].net == 0
