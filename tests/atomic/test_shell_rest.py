"""What the shell leaves alone while nothing can change, and that it never leaves alone what waits."""

from __future__ import annotations

from typing import Any

from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import Quote
from atomic.vocabulary import ChildStatus, Purpose
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
    assert executor.shell.asleep == {group.id: float("inf")}
    gateway.clock += 60.0
    executor.on_data()
    assert executor.shell.asleep == {group.id: float("inf")}
    stop = next(order for order in group.orders if order.purpose is Purpose.STOP)
    gateway.fill((group.id, stop.number), 1)
    target = next(order for order in group.orders if order.purpose is Purpose.TARGET)
    assert target.leaves_qty == 1


def backtest(gateway: FakeGateway, store: MemoryStore) -> AtomicOrderExecutor:
    """An executor that writes at intervals, as it does in a backtest on LEAN that is not `durable`."""
    executor = started(gateway, store)
    executor.shell.write_every = 300.0
    return executor


def facts_in(store: MemoryStore) -> list[int]:
    """Facts of each group in the open document."""
    again = AtomicOrderExecutor(None, "t", gateway=FakeGateway(), store=store)
    return [len(g.facts) for g in again.shell.groups.values()]


def test_a_backtest_writes_every_wave_and_the_rest_at_intervals() -> None:
    """An intent is on record before its order leaves; what only follows from it waits up to five minutes."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = backtest(gateway, store)
    group = bracket(executor, gateway)
    assert facts_in(store) == [2]  # opening, intended
    gateway.fill((group.id, 1), 2)
    sent = [order for order in group.orders if order.purpose is not Purpose.ENTRY]
    assert facts_in(store) == [len(group.record.facts) - len(sent)]  # without what the exits' sends brought
    gateway.clock += 300.0
    executor.on_data()
    written = len(group.record.facts)
    assert facts_in(store) == [written]
    group.hold("a look")
    assert facts_in(store) == [written] != [len(group.record.facts)]
    executor.shutdown()
    assert facts_in(store) == [len(group.record.facts)]


def test_the_end_of_a_group_is_written_at_once_unless_another_ended_just_before() -> None:
    """A lone end goes to the archive at once, also in a backtest; ends in a row are gathered for five minutes."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = backtest(gateway, store)
    first, second = bracket(executor, gateway), bracket(executor, gateway)
    for group in (first, second):
        group.cancel_entry()
    journal = executor.journal
    assert journal.recent(first.id) is not None
    assert journal.recent(second.id) is None
    assert executor.groups.get(second.id) is not None  # until then it is found in memory
    gateway.clock += 300.0
    executor.on_data()
    assert journal.recent(second.id) is not None


def test_a_backtest_whose_store_refuses_writes_sends_nothing() -> None:
    """Every wave is written before it leaves, in a backtest, too."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = backtest(gateway, store)
    store.read_only = True
    group = bracket(executor, gateway)
    assert [order.status for order in group.orders] in ([], [ChildStatus.WITHDRAWN])


def test_within_a_step_of_a_backtest_a_price_is_read_once() -> None:
    """After a step's data has come LEAN changes no price before the time moves on: quotes are kept as long."""
    gateway, store = FakeGateway(), MemoryStore()
    executor = started(gateway, store)
    executor.shell.stepwise = True
    asked: list[str] = []
    ask = gateway.quote
    executor.shell.quotes._ask = lambda symbol: asked.append(symbol) or ask(symbol)  # type: ignore[func-returns-value]
    executor.on_data()
    for _ in range(2):
        executor.execute_atomic([(CALL, 1)], 1)
    assert asked == [CALL.symbol]
    gateway.clock += 60.0
    executor.execute_atomic([(CALL, 1)], 1)
    assert asked == [CALL.symbol] * 2
