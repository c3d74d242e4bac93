from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import GroupState, Quote
from atomic.policy import Breaker, Policy, Settings
from atomic.ports import Refusal, Severity
from atomic.rules import RULES
from atomic.vocabulary import ChildType, HoldCause, Kind, Outcome, Phase, Purpose
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP, SC, LC = option("P", 90), option("P", 95), option("C", 105), option("C", 110)
CONDOR = [(LP, 1), (SP, -1), (SC, -1), (LC, 1)]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def started(gateway: FakeGateway, store: MemoryStore | None = None, **more: object) -> AtomicOrderExecutor:
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=store or MemoryStore(), **more)  # type: ignore[arg-type]
    executor.start()
    return executor


def codes(executor: AtomicOrderExecutor) -> list[str]:
    return [alert.code for alert in executor.alerts.recent]


def test_every_order_is_on_record_before_it_leaves(gateway: FakeGateway) -> None:
    """At the moment of every send the store holds the intent of that order."""
    store = MemoryStore()
    executor = started(gateway, store)
    missing: list[str] = []
    send = gateway.submit

    def check(request: object) -> None:
        if not any(request.tag in text for text in store.now.values()):  # type: ignore[attr-defined]
            missing.append(request.tag)  # type: ignore[attr-defined]
        send(request)

    gateway.submit = check  # type: ignore[method-assign]
    executor.execute_atomic(CONDOR, 1).close()
    assert not missing


def test_an_owners_hold_does_not_take_the_place_of_a_doubt(gateway: FakeGateway) -> None:
    """The cause decides what a restart makes of the contract: it stays in doubt."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    state = executor.shell.groups[group.id]
    held = f.Held(0.0, HoldCause.AMBIGUOUS, "more than one history fits")
    executor.shell.do(lambda: executor.shell.apply(state, held))
    group.hold("let me look")
    assert state.held is HoldCause.AMBIGUOUS
    group.release("looked")
    group.hold("wait")
    assert state.held is HoldCause.REQUESTED


def test_what_a_reduction_waits_for_is_told_once(gateway: FakeGateway) -> None:
    """A long without a bid stays; its alert goes out when that is found, not with every look, nor does a hold's."""
    executor = started(gateway)
    group = executor.execute_atomic([(SC, 1)], 1)
    gateway.quotes[SC.symbol] = Quote(0.0, 0.1, 0.0, gateway.clock)
    group.close()
    for look in range(4):
        if look == 2:
            group.hold("let me look")
        gateway.pass_seconds(600.0)
        gateway.quotes[SC.symbol] = Quote(0.0, 0.1, 0.0, gateway.clock)
        executor.on_data()
    assert codes(executor) == ["bidless-long", "held-requested"]


def test_nothing_is_sent_while_the_journal_cannot_be_written(gateway: FakeGateway) -> None:
    """A store that refuses writes stops every send, raises a P0 alert and closes the gate until it works again."""
    store = MemoryStore()
    executor = started(gateway, store)
    store.read_only = True
    group = executor.execute_atomic(CONDOR, 1)
    assert gateway.calls == []
    assert "journal-failing" in codes(executor)
    assert not executor.ready
    store.read_only = False
    gateway.pass_seconds(2.0)
    executor.on_data()
    assert executor.ready
    assert group.state in (Phase.OPEN, Phase.CLOSED)
    assert all(order.status != "intended" for order in group.orders)


def test_a_fault_of_our_own_holds_the_group_and_never_reaches_the_caller(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception inside a decision holds the group with cause FAULT, alerts P0 and logs the traceback."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)

    def broken(*_: object) -> list[object]:
        raise ZeroDivisionError("inside a decision")

    with monkeypatch.context() as patch:
        patch.setitem(RULES, Kind.ALL_OR_NONE, replace(RULES[Kind.ALL_OR_NONE], decisions=broken))
        group.close()
    assert group.state is Phase.HELD
    assert group.record.held is HoldCause.FAULT
    assert any(a.code == "fault" and a.severity is Severity.P0 for a in executor.alerts.recent)
    assert any("ZeroDivisionError" in line for line in gateway.lines)
    group.release()
    assert group.is_done


def test_an_impossible_fact_holds_the_group(gateway: FakeGateway) -> None:
    """News of an order that the group never sent cannot be true: the group is held, nothing is raised."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    executor.shell.on_fact(group.id, f.Accepted(gateway.clock, 99))
    assert group.record.held is HoldCause.FAULT


def test_news_of_an_unknown_group_is_alerted(gateway: FakeGateway) -> None:
    """A fact for a group that no record knows is money somewhere: P0."""
    executor = started(gateway)
    executor.shell.on_fact("t-999999", f.Filled(gateway.clock, 1, 1, 1.0, 0.0))
    assert "unknown-group" in codes(executor)


def test_a_late_fill_reopens_an_ended_group(gateway: FakeGateway) -> None:
    """A fill that comes after the end of a group is reversed by it."""
    gateway.script[SC.symbol] = "rest"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    gateway.pass_seconds(6)
    assert group.outcome is Outcome.ROLLED_BACK
    number = next(order.number for order in group.orders if order.status == "canceled")
    gateway.holdings[SC.symbol] = -1
    executor.shell.on_fact(group.id, f.Filled(gateway.clock, number, 1, 1.0, 1.0))
    assert group.is_done
    assert gateway.holdings[SC.symbol] == 0


def test_a_fill_told_with_the_end_keeps_its_group(gateway: FakeGateway) -> None:
    """The end of a group and a fill after it in one moment: it lives, also while what filled cannot be reversed yet."""
    gateway.script[SC.symbol] = "rest"
    executor = started(gateway)
    group = executor.execute_atomic([(SC, 1)], 1)
    gateway.quotes[SC.symbol] = Quote(0.0, 1.2, 0.0, gateway.clock)
    cancel = gateway.cancel

    def too_late(group_id: str, number: int) -> None:
        cancel(group_id, number)
        gateway.fill((group_id, number), 1)

    gateway.cancel = too_late  # type: ignore[method-assign]
    gateway.pass_seconds(6)
    assert (group.state, gateway.holdings[SC.symbol]) == (Phase.UNWINDING, 1)
    assert group.id in executor.shell.groups
    gateway.quotes[SC.symbol] = Quote(1.0, 1.2, 0.0, gateway.clock)
    executor.on_data()
    assert group.is_done
    assert gateway.holdings[SC.symbol] == 0


def test_a_late_fill_finds_its_group_in_the_archive(gateway: FakeGateway) -> None:
    """Also when the group has left memory, its late fill is reversed by it."""
    gateway.script[SC.symbol] = "rest"
    executor = started(gateway, settings=Settings(recent_ends=0))
    group = executor.execute_atomic(CONDOR, 1)
    gateway.pass_seconds(6)
    number = next(order.number for order in group.orders if order.status == "canceled")
    assert group.id not in executor.shell.recent
    gateway.holdings[SC.symbol] = -1
    executor.shell.on_fact(group.id, f.Filled(gateway.clock, number, 1, 1.0, 1.0))
    assert gateway.holdings[SC.symbol] == 0


def test_callbacks_may_act_and_may_fail(gateway: FakeGateway) -> None:
    """A callback closes its group from inside the opening; one that raises is alerted and changes nothing."""
    executor = started(gateway)
    seen: list[str] = []
    executor.on_event(lambda event: seen.append(event.kind))

    def act(group: object) -> None:
        group.close("from the callback")  # type: ignore[attr-defined]

    def fail(group: object) -> None:
        raise RuntimeError("a user's callback")

    gateway.script[LC.symbol] = "rest"
    group = executor.execute_atomic(CONDOR, 1)
    group.on_open(act).on_closed(fail)
    gateway.fill((group.id, 2), 1)
    assert group.outcome is Outcome.CLOSED
    assert "callback-failed" in codes(executor)
    assert seen.index("open") < seen.index("closing") < seen.index("closed")


def test_a_callback_registered_late_is_called_at_once(gateway: FakeGateway) -> None:
    """What has happened already is told when the callback is registered."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    told: list[str] = []
    group.on_open(lambda g: told.append(g.id))
    assert told == [group.id]


def test_refused_groups_send_nothing_and_say_why(gateway: FakeGateway) -> None:
    """Missing quotes, a closed market, too many pending groups, naked shorts and the risk gate refuse before a send."""

    class Risk:
        def approve(self, proposal: object) -> list[Refusal]:
            return [Refusal("max-loss", "100", "500", "too large")]

        def on_event(self, event: object) -> None:
            return None

        def may_open(self, now: float) -> Refusal | None:
            return None

    executor = started(gateway)
    gateway.quotes[SC.symbol] = Quote(0.0, 1.0, 1.0, gateway.clock)
    assert "quote: " in executor.execute_atomic(CONDOR, 1).reason
    gateway.quotes[SC.symbol] = Quote(1.0, 1.2, 1.0, gateway.clock, open=False)
    assert "session: " in executor.execute_atomic(CONDOR, 1).reason
    assert "allow-naked: " in executor.execute_atomic([(SP, -1)], 1).reason
    gateway.quotes.clear()
    risky = started(FakeGateway(), risk=Risk())
    assert "max-loss: too large (is 500, limit 100)" in risky.execute_atomic(CONDOR, 1).reason
    assert gateway.calls == []


def test_wrong_terms_raise_before_anything_happens(gateway: FakeGateway) -> None:
    """Strike order, duplicates and quantities are the caller's mistakes: ValueError with value and rule."""
    executor = started(gateway)
    with pytest.raises(ValueError, match="long_put strike 95 must be below short_put strike 90"):
        executor.execute_iron_condor_atomic(SC, LC, LP, SP)
    with pytest.raises(ValueError, match="given twice"):
        executor.execute_atomic([(LP, 1), (LP, -1)])
    with pytest.raises(ValueError, match="quantity 0"):
        executor.execute_atomic(CONDOR, 0)
    assert len(executor.groups.all) == 0


def test_the_circuit_breaker_opens_and_resets(gateway: FakeGateway) -> None:
    """After so many refusals in a row nothing opens until the time is over; the reason says so."""
    for leg in (LP, LC, SP, SC):
        gateway.script[leg.symbol] = "reject"
    executor = started(gateway, breaker=Breaker(failures=2, reset=300.0))
    executor.execute_atomic(CONDOR, 1)
    executor.execute_atomic(CONDOR, 1)
    refused = executor.execute_atomic(CONDOR, 1)
    assert "circuit-breaker" in refused.reason
    gateway.script.clear()
    gateway.pass_seconds(301)
    executor.on_data()
    assert executor.execute_atomic(CONDOR, 1).is_open


def test_pause_and_resume(gateway: FakeGateway) -> None:
    """A paused executor refuses new groups and still closes what is open."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    executor.pause()
    assert executor.execute_atomic(CONDOR, 1).outcome is Outcome.REFUSED
    group.close()
    assert group.is_done
    executor.resume()
    assert executor.execute_atomic(CONDOR, 1).is_open


def test_emergency_flatten_takes_everything_to_zero(gateway: FakeGateway) -> None:
    """Every group goes to zero and nothing opens afterwards."""
    executor = started(gateway)
    executor.execute_atomic(CONDOR, 2)
    executor.execute_atomic(CONDOR, 1)
    assert executor.emergency_flatten("drill") == 2
    assert not any(gateway.holdings.values())
    assert executor.execute_atomic(CONDOR, 1).outcome is Outcome.REFUSED


def test_before_start_nothing_opens(gateway: FakeGateway) -> None:
    """The gate is closed until `start`; the refusal names the line to add."""
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore())
    assert not executor.ready
    assert "on_warmup_finished" in executor.execute_atomic(CONDOR, 1).reason


def test_data_without_start_starts_and_says_so(gateway: FakeGateway) -> None:
    """A forgotten `start` is made up for with the first data and alerted."""
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore())
    executor.on_data()
    assert executor.ready
    assert "not-started" in codes(executor)


def test_facts_from_many_threads_are_all_folded(gateway: FakeGateway) -> None:
    """Fills that arrive on several threads at once are all counted, once each."""
    gateway.live = True
    for leg in (LP, LC, SP, SC):
        gateway.script[leg.symbol] = "rest"
    executor = started(gateway, settings=Settings(max_pending_groups=8), policy=Policy(sequence="together"))
    groups = [executor.execute_atomic(CONDOR, 1) for _ in range(8)]
    keys = [key for key in gateway.requests if key not in gateway.ended]
    assert len(keys) == 32
    barrier = threading.Barrier(4)

    def work(mine: list[tuple[str, int]]) -> None:
        barrier.wait()
        for key in mine:
            gateway.fill(key, 1)

    threads = [threading.Thread(target=work, args=(keys[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    executor.on_data()
    assert all(group.is_open for group in groups), [group.summary() for group in groups]
    assert executor.shell.idle


def test_ended_groups_leave_memory(gateway: FakeGateway) -> None:
    """Memory is bounded by open groups and `recent_ends`, whatever the history."""
    executor = started(gateway, settings=Settings(recent_ends=5))
    for _ in range(40):
        executor.execute_atomic(CONDOR, 1).close()
    assert len(executor.shell.groups) == 0
    assert len(executor.shell.recent) == 5
    assert len(executor._handles) <= 5
    assert executor.groups.get("t-000001") is not None
    assert executor.metrics()["groups"] == 40


def test_sending_in_circles_ends_in_a_hold(gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred and fifty orders of one group within a second: nothing more leaves, a person is called."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    real = RULES[Kind.ALL_OR_NONE]

    def circles(state: GroupState, *_: object) -> list[object]:
        number = state.next_number
        return [f.Intended(gateway.clock, number, 0, Purpose.CLOSE, 0, 1, ChildType.LIMIT, 0.01, 0.0, f"{number}", 0)]

    with monkeypatch.context() as patch:
        patch.setitem(RULES, Kind.ALL_OR_NONE, replace(real, commands=circles, still_wanted=lambda *_: False))
        for _ in range(400):
            executor.shell.do(lambda: executor.shell.touch(group.id))
    assert group.record.held is HoldCause.FAULT
    assert "orders within a second" in group.record.held_why
    assert len(group.orders) < 170


def test_events_are_told_where_somebody_listens(gateway: FakeGateway) -> None:
    """A callback hears of its own group; what went wrong is told to all; a hook hears everything from then on."""
    executor = started(gateway)
    told: list[str] = []
    executor.shell.on_event.append(lambda event: told.append(f"{event.group.group_id[-1]} {event.kind}"))
    executor.execute_atomic(CONDOR, 1).close()
    assert told == []
    executor.execute_atomic(CONDOR, 1).on_closed(lambda group: None).close()
    assert told == ["2 closing", "2 closed"]
    told.clear()
    gateway.quotes[SC.symbol] = Quote(0.0, 1.0, 1.0, gateway.clock)
    executor.execute_atomic(CONDOR, 1)
    assert told == ["3 refused"]
    told.clear()
    gateway.quotes.clear()
    executor.on_event(lambda event: None)
    executor.execute_atomic(CONDOR, 1)
    assert told == ["4 opening", *["4 fill"] * 4, "4 open"]


def test_how_long_a_group_took_to_open_is_counted_once(gateway: FakeGateway) -> None:
    """From its first fill to the last, and from its creation; a hold that ends later adds nothing."""
    executor = started(gateway)
    gateway.script[LC.symbol] = "rest"
    group = executor.execute_atomic(CONDOR, 1)
    gateway.clock += 3
    gateway.fill((group.id, 2), 1)
    assert group.is_open
    group.hold()
    gateway.clock += 50
    group.release()
    assert group.is_open
    found = executor.metrics()
    assert (found["legging_seconds"], found["seconds_to_open_max"]) == (3.0, 3.0)
    assert len(executor.observer.seconds_to_open) == 1
