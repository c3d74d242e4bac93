"""One writer for one journal, whatever the order in which two instances start, sleep and die."""

import itertools
import sys
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from atomic.journal import MemoryStore
from atomic.lease import TTL, Lease, overdue, read_heartbeats

BASE = "atomic/condor/live-DU1"


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lease(store: MemoryStore, clock: Clock, host: str, pid: int = 1, **more: Callable[[int], bool]) -> Lease:
    """An instance on a host of its own, unless said otherwise."""
    return Lease(store, BASE, clock=clock, host=host, pid=pid, **more)


def test_a_single_instance_holds_at_once(clock: Clock) -> None:
    """Nobody waits where nobody else is."""
    only = lease(MemoryStore(), clock, "a")
    assert not only.holds
    assert only.beat() == ""
    assert only.holds


def test_a_second_instance_stays_out_and_names_the_first(clock: Clock) -> None:
    """It gets its turn when the first one is stale, not before."""
    store = MemoryStore()
    first, second = lease(store, clock, "a", 11), lease(store, clock, "b", 22)
    assert first.beat() == ""
    for _ in range(8):
        clock.now += 11
        assert first.beat() == ""
        assert "process 11 on a" in second.beat()
        assert [beat.host for beat in first.waiting] in ([], ["b"])
    clock.now += 40
    assert second.beat()
    clock.now += 6
    assert second.beat(force=True) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="containers are told apart by what Linux shows of them")
def test_two_containers_of_one_machine_never_both_hold(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The LEAN CLI gives every container the machine's name, and LEAN is process 1 in each."""
    monkeypatch.setattr("atomic.lease.socket.gethostname", lambda: "desk")
    store = MemoryStore()
    monkeypatch.setattr("atomic.lease.os.readlink", lambda path: "pid:[4026532178]")
    first = Lease(store, BASE, clock=clock, pid=1)
    monkeypatch.setattr("atomic.lease.os.readlink", lambda path: "pid:[4026532291]")
    second = Lease(store, BASE, clock=clock, pid=1)
    assert first.beat() == ""
    assert "process 1 on desk" in second.beat()
    assert first.holds
    assert not second.holds


def test_a_release_lets_the_next_one_in(clock: Clock) -> None:
    """No wait after an orderly end."""
    store = MemoryStore()
    first = lease(store, clock, "a")
    first.beat()
    first.release()
    assert not first.holds
    assert lease(store, clock, "b").beat() == ""


def test_a_killed_process_of_this_host_is_dead_at_once(clock: Clock) -> None:
    """A restart after kill -9 does not wait for the heartbeat to grow stale; nor does one with the same pid."""
    store = MemoryStore()
    lease(store, clock, "a", 11).beat()
    assert lease(store, clock, "a", 22, alive=lambda _: True).beat()
    assert lease(store, clock, "b", 22, alive=lambda _: False).beat()
    restarted = lease(MemoryStore(store.disk), clock, "a", 22, alive=lambda pid: pid != 11)
    assert restarted.beat()  # the living second instance also waits
    clock.now += 11
    lone = MemoryStore({key: text for key, text in store.disk.items() if '"a",11' in text})
    assert lease(lone, clock, "a", 22, alive=lambda pid: pid != 11).beat() == ""
    lone = MemoryStore({key: text for key, text in store.disk.items() if '"a",11' in text})
    assert lease(lone, clock, "a", 11).beat() == ""


def test_a_suspended_holder_loses_its_hold(clock: Clock) -> None:
    """A laptop that slept does not trade on when it wakes up: somebody else may hold by now."""
    store = MemoryStore()
    first, second = lease(store, clock, "a"), lease(store, clock, "b")
    first.beat()
    clock.now += TTL + 1
    assert not first.holds
    assert second.beat() == ""
    assert "process 1 on b" in first.beat()
    assert second.beat(force=True) == ""
    assert not first.holds


def test_of_those_that_wait_the_oldest_goes_first(clock: Clock) -> None:
    """Whoever looks first when the holder stops: the others wait on for the one that came before them."""
    store = MemoryStore()
    holder = lease(store, clock, "h")
    holder.beat()
    older = lease(store, clock, "a")
    older.beat()
    clock.now += 1
    younger = lease(store, clock, "b")
    younger.beat()
    holder.release()
    clock.now += 11
    assert "waiting" in younger.beat()
    assert older.beat() == ""
    clock.now += 11
    assert "process 1 on a" in younger.beat()


def test_two_that_start_together_never_both_hold() -> None:
    """The second one starts at every single store operation of the first, on clocks that disagree."""
    most = 0
    for skew, stop in itertools.product((-20.0, 0.0, 20.0), range(8)):
        store, clocks = MemoryStore(), (Clock(), Clock())
        clocks[1].now += skew
        second = lease(store, clocks[1], "b")
        steps = 0

        def interrupted(name: str, call: Callable[..., object], stop: int = stop, second: Lease = second) -> object:
            nonlocal steps

            def run(*args: object) -> object:
                nonlocal steps
                result = call(*args)
                steps += 1
                if steps == stop + 1:
                    second.beat()
                return result

            return run

        first = lease(store, clocks[0], "a")
        for name in ("write", "flush", "read", "keys"):
            setattr(store, name, interrupted(name, getattr(store, name)))
        first.beat()
        most = max(most, steps)
        held = []
        for _ in range(4):
            held.append((first.holds, second.holds))
            for clock in clocks:
                clock.now += 11
            second.beat()
            held.append((first.holds, second.holds))
            first.beat()
        assert (True, True) not in held
        assert any(pair != (False, False) for pair in held)
        assert held[-1] in ((True, False), (False, True))
    assert most >= 4


def test_a_store_that_fails_gives_no_hold(clock: Clock) -> None:
    """Without a heartbeat nobody could know of us: the gate stays closed, with the key named."""
    store = MemoryStore()
    only = lease(store, clock, "a")
    store.read_only = True
    assert "heartbeat" in only.beat()
    assert not only.holds
    store.read_only = False
    assert only.beat(force=True) == ""
    store.read_only = True
    clock.now += 11
    assert only.beat()
    assert not only.holds


def test_the_heartbeat_says_what_a_watcher_needs(clock: Clock) -> None:
    """Stale with open groups is overdue; stale without is not; fresh is not."""
    store = MemoryStore()
    only = lease(store, clock, "a")
    only.beat(open_groups=2, held=1, ready=True)
    (beat,) = read_heartbeats(store, BASE)
    assert (beat.open_groups, beat.held, beat.ready, beat.holds) == (2, 1, True, True)
    assert overdue([beat], clock.now + TTL) is None
    assert overdue([beat], clock.now + TTL + 1) == beat
    assert overdue([beat._replace(open_groups=0)], clock.now + 1e6) is None
    assert overdue([], clock.now) is None


def test_damaged_and_forgotten_heartbeats_are_no_instances(clock: Clock) -> None:
    """A torn heartbeat does not lock the journal; one of last month is removed."""
    store = MemoryStore()
    old = lease(store, clock, "old")
    old.beat()
    clock.now += 30 * 86400
    store.write(f"{BASE}/heartbeat-torn", "deadbeef 1 [1,2")
    only = lease(store, clock, "a")
    assert only.beat() == ""
    assert len(store.keys(f"{BASE}/heartbeat-")) == 2


class OneWriter(RuleBasedStateMachine):
    """Three instances on three hosts start, beat, stop beating, die and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = MemoryStore()
        self.leases = [lease(self.store, self.clock, host) for host in "abc"]

    @rule(which=st.integers(0, 2))
    def beats(self, which: int) -> None:
        self.leases[which].beat()

    @rule(which=st.integers(0, 2))
    def restarts(self, which: int) -> None:
        self.leases[which] = lease(self.store, self.clock, "abc"[which], 100 + which)

    @rule(which=st.integers(0, 2))
    def releases(self, which: int) -> None:
        self.leases[which].release()

    @rule(seconds=st.sampled_from([1.0, 5.0, 11.0, 30.0, 46.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(lambda self: any(lease.holds for lease in self.leases))
    @invariant()
    def at_most_one_holds(self) -> None:
        assert sum(lease.holds for lease in self.leases) == 1


TestOneWriter = OneWriter.TestCase
TestOneWriter.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
