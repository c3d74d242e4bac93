"""An executor without the lease neither journals nor sends; with it, it does; without it again, it says so."""

from types import SimpleNamespace
from typing import Any

import pytest

from atomic.journal import Journal, JournalError, MemoryStore
from atomic.lease import Lease
from atomic.ports import Severity
from atomic.writer import GATE, Writer
from tests.atomic.journal.groups import intend, make_group, open_up


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Instance:
    """What a writer needs of an executor, on a host of its own."""

    def __init__(self, store: MemoryStore, clock: Clock, host: str) -> None:
        self.journal = Journal(store, "condor", live=True)
        self.journal.load()
        self.alerts: list[tuple[Severity, str]] = []
        self.shell: Any = SimpleNamespace(
            journal=self.journal,
            gates=SimpleNamespace(shut={}),
            groups={},
            on_due={},
            now=0.0,
            gateway=SimpleNamespace(now=clock),
            alerts=SimpleNamespace(raise_=lambda at, severity, code, group, text: self.alerts.append((severity, text))),
            wake_for=lambda what, at: None,
        )
        self.writer = Writer(self.shell, Lease(store, self.journal.base, clock=clock, host=host, pid=1))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_the_lease_nothing_is_journaled(clock: Clock) -> None:
    """So nothing can be sent either: the fence holds for every order."""
    store = MemoryStore()
    first, second = Instance(store, clock, "a"), Instance(store, clock, "b")
    with pytest.raises(JournalError, match="not claimed yet"):
        first.journal.save([make_group("condor-000001")], flush=True)
    assert first.writer.beat() == ""
    assert first.journal.save([make_group("condor-000001")], flush=True)
    assert "another instance" not in str(first.shell.gates.shut)
    assert "process 1 on a" in second.writer.beat()
    assert GATE in second.shell.gates.shut
    before = dict(store.now)
    for call in (lambda: second.journal.save(flush=True), lambda: second.journal.archive(make_group("x-000001"))):
        with pytest.raises(JournalError, match="process 1 on a"):
            call()
    assert {key: text for key, text in store.now.items() if "heartbeat" not in key} == {
        key: text for key, text in before.items() if "heartbeat" not in key
    }
    first.writer.stop()
    clock.now += 11
    assert second.writer.beat() == ""
    assert GATE not in second.shell.gates.shut


def test_an_instance_that_was_away_and_comes_back_first_goes_on(clock: Clock) -> None:
    """Nobody wrote in between: no journal while away, then as before."""
    one = Instance(MemoryStore(), clock, "a")
    one.writer.beat()
    group = open_up(make_group(one.journal.next_id()))
    one.journal.save([group], flush=True)
    clock.now += 300
    intend(group, 0, -2, "close")
    with pytest.raises(JournalError, match="away for too long"):
        one.journal.save([group], flush=True)
    assert one.writer.beat() == ""
    assert one.journal.save([group], flush=True)


def test_an_instance_whose_journal_was_written_by_another_never_trades_again(clock: Clock) -> None:
    """Its memory is not the truth any more: it asks to be restarted, at the loudest while it has groups."""
    store = MemoryStore()
    one = Instance(store, clock, "a")
    one.writer.beat()
    group = open_up(make_group(one.journal.next_id()))
    one.shell.groups[group.group_id] = group
    one.journal.save([group], flush=True)
    clock.now += 300
    other = Instance(store, clock, "b")
    assert other.writer.beat() == ""
    other.journal.next_id()
    other.journal.save(flush=True)
    assert "process 1 on b" in one.writer.beat()
    assert one.alerts[-1][0] is Severity.P0
    other.writer.stop()
    clock.now += 11
    one.writer.beat()
    clock.now += 11
    assert "written by another instance" in one.writer.beat()
    clock.now += 11
    assert "restart the algorithm" in one.writer.beat()
    with pytest.raises(JournalError, match="restart the algorithm"):
        one.journal.save(flush=True)


def test_an_instance_that_slept_through_another_ones_life_is_told_so(clock: Clock) -> None:
    """The other one came, wrote and went: the first beat after the sleep finds its traces."""
    store = MemoryStore()
    one = Instance(store, clock, "a")
    one.writer.beat()
    one.journal.next_id()
    one.journal.save(flush=True)
    clock.now += 300
    other = Instance(store, clock, "b")
    assert other.writer.beat() == ""
    other.journal.next_id()
    other.journal.save(flush=True)
    other.writer.stop()
    clock.now += 300
    assert "written by another instance" in one.writer.beat()
    with pytest.raises(JournalError):
        one.journal.save(flush=True)


def test_a_journal_is_read_again_as_it_is(clock: Clock) -> None:
    """An instance that waited finds what the other one left, and nothing of what it read before."""
    store = MemoryStore()
    one = Instance(store, clock, "a")
    one.writer.beat()
    one.journal.save([open_up(make_group(one.journal.next_id()))], flush=True)
    waiting = Instance(store, clock, "b")
    assert waiting.writer.beat()
    done = Journal(store, "condor", live=True)
    (group,) = done.load().groups
    done.archive(group)
    done.extra["baseline"] = {"GOOG id": 7}
    done.save(flush=True)
    loaded = waiting.journal.load()
    assert (loaded.groups, dict(loaded.extra), loaded.counter) == ([], {"baseline": {"GOOG id": 7}}, 1)
