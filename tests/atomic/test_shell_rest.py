"""What the shell leaves alone while nothing can change, and that it never leaves alone what waits."""

from __future__ import annotations

from typing import Any

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import Quote
from atomic.vocabulary import Purpose
from tests.atomic.fake_gateway import FakeGateway, option

CALL = option("C", 105)


def started(gateway: FakeGateway, store: MemoryStore) -> AtomicOrderExecutor:
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=store)
    executor.start()
    return executor


def bracket(executor: AtomicOrderExecutor, gateway: FakeGateway) -> Any:
    gateway.quotes[CALL.symbol] = Quote(1.0, 1.2, 1.1, gateway.clock)
    return executor.bracket_order(CALL, 2, limit_price=1.05, stop_loss_price=0.5, take_profit_price=2.0)


def exits(group: Any) -> list[Purpose]:
    return [order.purpose for order in group.orders if order.may_fill and order.purpose is not Purpose.ENTRY]


def test_exits_that_the_journal_held_up_are_sent_when_it_works_again() -> None:
    """An entry fills while the store refuses writes: its exits leave a second after it takes them, not minutes."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = started(gateway, store)
    group = bracket(executor, gateway)
    store.read_only = True
    gateway.fill((group.id, 1), 2)
    assert exits(group) == []
    store.read_only = False
    gateway.pass_seconds(1.5)
    assert sorted(exits(group)) == [Purpose.STOP, Purpose.TARGET]


def test_exits_that_the_journal_held_up_are_sent_with_the_next_data() -> None:
    """The same when no wake-up comes, only the next bar."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = started(gateway, store)
    group = bracket(executor, gateway)
    store.read_only = True
    gateway.fill((group.id, 1), 2)
    store.read_only = False
    gateway.clock += 60.0
    executor.on_data()
    assert sorted(exits(group)) == [Purpose.STOP, Purpose.TARGET]


def test_a_protected_position_is_left_alone_between_events() -> None:
    """With both exits resting new data costs a bracket nothing; a fill wakes it."""
    gateway = FakeGateway()
    executor = started(gateway, MemoryStore())
    group = bracket(executor, gateway)
    gateway.fill((group.id, 1), 2)
    assert executor.shell.asleep == {group.id}
    gateway.clock += 60.0
    executor.on_data()
    assert executor.shell.asleep == {group.id}
    stop = next(order for order in group.orders if order.purpose is Purpose.STOP)
    gateway.fill((group.id, stop.number), 1)
    target = next(order for order in group.orders if order.purpose is Purpose.TARGET)
    assert target.leaves_qty == 1


def test_a_backtest_writes_what_tickets_show_with_the_next_change_and_at_the_end() -> None:
    """A part of a fill alone writes nothing in a backtest; the shutdown leaves the whole record behind."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = started(gateway, store)
    group = bracket(executor, gateway)
    before = dict(store.now)
    executor.shell.on_fact(group.id, f.CancelAsked(gateway.clock, 1, "asked by somebody else"))
    assert store.now == before
    executor.shutdown()
    again = AtomicOrderExecutor(None, "t", gateway=FakeGateway(), store=store)
    assert [len(g.facts) for g in again.shell.groups.values()] == [len(group.record.facts)]
