"""What is written is what is read: groups, ids, small states, over restarts and damage."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from atomic.facts import Filled, Noted, apply
from atomic.journal import Journal, JournalError, MemoryStore, bases, read_groups
from atomic.ports import Store, StoreError
from atomic.vocabulary import Outcome, Phase
from tests.atomic.journal.groups import close_down, intend, make_group, open_up

Live = Callable[..., Journal]


def fields(group: Any) -> dict[str, Any]:
    """All that is known of a group but its memo, comparable."""
    return {name: getattr(group, name) for name in group.__slots__ if name not in ("facts", "shape")}


def test_a_group_comes_back_as_it_was(live: Live) -> None:
    """State is replayed from the facts: every field is the same after a restart."""
    journal = live()
    assert journal.load().report.fresh
    group = open_up(make_group(journal.next_id()))
    apply(group, Noted(1002.0, "Zeile\n zwei", {"π": [1, None, 0.1]}))
    assert journal.save([group], flush=True)
    loaded = live().load()
    assert not loaded.report.refuse
    assert not loaded.report.stale
    (back,) = loaded.groups
    assert fields(back) == fields(group)
    assert back.phase is Phase.OPEN


def test_a_backtest_begins_empty_beside_another_one_that_writes(store: Store) -> None:
    """On LEAN all runs write under the same keys: what another one left is neither read nor refused."""
    other, own = Journal(store, "condor", live=False), Journal(store, "condor", live=False)
    other.load()
    ended = make_group(other.next_id())
    other.save([open_up(make_group(other.next_id())), ended])
    other.archive(ended)

    loaded = own.load(fresh=True)

    assert loaded.report.fresh
    assert (loaded.groups, loaded.counter, dict(loaded.extra)) == ([], 0, {})
    assert own.next_id() == "condor-000001"
    assert own.save([make_group("condor-000001")])


def test_only_new_facts_make_a_write(live: Live) -> None:
    """A save without news writes nothing; with one new fact it does."""
    journal = live()
    journal.load()
    group = open_up(make_group(journal.next_id()))
    assert journal.save([group], flush=True)
    assert not journal.save([group], flush=True)
    intend(group, 0, -2, "close")
    assert journal.save([group])
    assert journal.save(flush=True)
    assert not journal.save(flush=True)
    assert len(live().load().groups[0].orders) == 5


def test_ids_go_on_after_a_restart(live: Live) -> None:
    """An id that may have been in an order's tag is never given again."""
    journal = live()
    journal.load()
    assert [journal.next_id(), journal.next_id("spread")] == ["condor-000001", "spread-000002"]
    journal.save(flush=True)
    again = live()
    again.load()
    assert again.next_id() == "condor-000003"


def test_small_states_are_kept_with_the_groups(live: Live) -> None:
    """What other rooms assign is there after a restart; an unchanged assignment makes no write."""
    journal = live()
    journal.load()
    journal.extra["baseline"] = {"GOOG id": 100}
    journal.extra["breaker"] = [1, 2.5]
    assert journal.save(flush=True)
    journal.extra["breaker"] = [1, 2.5]
    assert not journal.save(flush=True)
    journal.extra["breaker"].append(3)
    journal.extra["breaker"] = journal.extra["breaker"]
    assert journal.save(flush=True)
    loaded = live().load()
    assert dict(loaded.extra) == {"baseline": {"GOOG id": 100}, "breaker": [1, 2.5, 3]}


def test_a_value_that_is_no_json_is_written_as_text(live: Live) -> None:
    """Our own mistake does not keep the rest from the record: what cannot be written is not sent, stops included."""
    journal = live()
    journal.load()
    group = open_up(make_group(journal.next_id()))
    journal.save([group], flush=True)
    apply(group, Noted(1.0, "bad", {"x": ValueError("odd"), "y": Decimal("2.5")}))
    journal.save([group], flush=True)
    (again,) = live().load().groups
    assert again.facts[-1].data == {"x": "odd", "y": 2.5}


def test_a_crash_between_write_and_flush_keeps_the_flushed_state() -> None:
    """Unflushed saves never touch the slot that holds the newest durable text."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=True)
    journal.load()
    group = open_up(make_group(journal.next_id()))
    journal.save([group], flush=True)
    for cum in range(5):
        apply(group, Noted(1.0 + cum, "noise", None))
        journal.save([group])
    durable = store.crash()
    # any of the unflushed slots may have reached the disk, whole or torn
    for key, text in store.now.items():
        for length in (0, len(text) // 2, len(text)):
            torn = durable.crash()
            torn.now[key] = torn.disk[key] = text[:length]
            if text[:length] == durable.disk.get(key, "")[:length] and key in durable.disk and length < len(text):
                continue  # the durable slot itself is not being written
            loaded = Journal(torn, "condor", live=True).load()
            assert not loaded.report.refuse
            assert len(loaded.groups[0].facts) >= len(group.facts) - 5


def test_backtests_do_not_flush() -> None:
    """A backtest's saves reach the store, and no barrier is paid for."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=False, run="r1")
    journal.load()
    group = open_up(make_group(journal.next_id()))
    journal.save([group], flush=True)
    journal.save([group], flush=True)
    assert (store.writes, store.flushes) == (1, 0)
    again = Journal(store, "condor", live=False, run="r1")
    assert len(again.load().groups) == 1


def test_a_backtest_that_will_be_stopped_is_durable_when_asked() -> None:
    """A durable backtest journal survives a crash right after a flushed save, under the run's own keys."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=False, run="one", durable=True)
    journal.load()
    group = make_group(journal.next_id())
    journal.save([group], flush=True)
    after = Journal(store.crash(), "condor", live=False, run="one", durable=True).load()
    assert [found.group_id for found in after.groups] == [group.group_id]
    assert journal.base == "atomic/condor/run-one"


def test_algorithms_runs_accounts_and_modes_never_meet(store: Store) -> None:
    """Eight journals in one store: each sees its own groups only."""
    keys = [
        dict(name=name, live=live, **{"account" if live else "run": of})
        for name in ("condor", "spread")
        for live in (True, False)
        for of in ("one", "two")
    ]
    for number, key in enumerate(keys):
        journal = Journal(store, **key)
        assert journal.load().report.fresh
        group = open_up(make_group(f"g{number}-000001"))
        ended = close_down(open_up(make_group(f"g{number}-000000")))
        journal.save([group, ended], flush=True)
        journal.archive(ended)
        journal.save(flush=True)
    assert len(bases(store)) == 8
    for number, key in enumerate(keys):
        journal = Journal(store, **key)
        assert [group.group_id for group in journal.load().groups] == [f"g{number}-000001"]
        assert [group.group_id for group in read_groups(store, **key)] == [f"g{number}-000000", f"g{number}-000001"]
        assert journal.recent(f"g{(number + 1) % 8}-000000") is None


def test_accounts_with_odd_letters_stay_apart_and_legal(store: Store) -> None:
    """What LEAN does not take in a key is replaced, and a checksum tells the two apart."""
    one = Journal(store, "condor", live=True, account="DU:1")
    two = Journal(store, "condor", live=True, account="DU.1")
    assert one.base != two.base
    one.load()
    one.next_id()
    one.save(flush=True)
    assert two.load().report.fresh


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-x", "ä", "x" * 41, "a:b"])
def test_names_that_cannot_be_keys_are_refused(name: str) -> None:
    """One clear line with the value and the cure."""
    with pytest.raises(ValueError, match="cannot be a key: use 1 to 40 letters"):
        Journal(MemoryStore(), name, live=False)


def test_a_document_of_another_journal_is_refused(store: Store) -> None:
    """A copied or mixed-up file is not taken for one's own (folders that ignore case do that)."""
    journal = Journal(store, "condor", live=True, account="one")
    journal.load()
    journal.next_id()
    journal.save(flush=True)
    for slot in "ab":
        text = store.read(f"{journal.base}/open-{slot}")
        if text:
            store.write(f"atomic/condor/live-two/open-{slot}", text)
    report = Journal(store, "condor", live=True, account="two").load().report
    assert "belongs to atomic/condor/live-one" in report.refuse


def test_an_ended_group_is_found_by_id_and_by_tag(live: Live) -> None:
    """After a restart, too: a late fill of an archived group finds its group."""
    journal = live()
    journal.load()
    ended = close_down(open_up(make_group(journal.next_id())))
    assert ended.outcome is Outcome.CLOSED
    journal.save([ended], flush=True)
    journal.archive(ended)
    journal.save(flush=True)
    again = live()
    assert again.load().groups == []
    for tag in ("condor-000001", "condor-000001:3:close", "sl-condor-000001-2", "entry-condor-000001:1"):
        found = again.recent(tag)
        assert found is not None, tag
        assert fields(found) == fields(ended)
    for tag in ("condor-000002:1:open", "condor-0000011:1", "", "Liquidated", "condor"):
        assert again.recent(tag) is None, tag


def test_a_late_fill_brings_an_archived_group_back(live: Live) -> None:
    """Reopened, saved, ended again: the archive's newest record of it counts."""
    journal = live()
    journal.load()
    ended = close_down(open_up(make_group(journal.next_id())))
    journal.save([ended], flush=True)
    journal.archive(ended)
    journal.save(flush=True)
    again = live()
    again.load()
    group = again.recent("condor-000001:8:close")
    assert group is not None
    apply(group, Filled(3000.0, 8, 3, 0.5, 2.6))
    assert group.phase is Phase.UNWINDING
    again.save([group], flush=True)
    third = live()
    (back,) = third.load().groups
    assert back.phase is Phase.UNWINDING
    third.archive(back)
    third.save(flush=True)
    groups = read_groups(third.store, "condor", live=True, account="DU123")
    assert [g.legs[3].net for g in groups] == [-1]


@pytest.mark.parametrize("is_live", [True, False])
def test_the_archive_is_bounded(is_live: bool) -> None:
    """Chunks are closed at their size and the oldest dropped; what is kept can be read."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=is_live, chunk_bytes=20_000, archive_bytes=60_000)
    journal.load()
    ids = []
    for number in range(60):
        group = close_down(open_up(make_group(journal.next_id(), 1000.0 + number)))
        ids.append(group.group_id)
        journal.archive(group)
        journal.save(flush=True)
        assert sum(len(text) for key, text in store.now.items() if "archive" in key) < 130_000
    kept = [group.group_id for group in read_groups(store, "condor", live=is_live)]
    assert kept == ids[-len(kept) :]
    assert 8 < len(kept) < 60
    chunks = [key for key in store.keys("") if "archive" in key]
    assert len(chunks) <= 6


def test_a_torn_archive_write_loses_nothing_that_was_there(live: Live, store: Store) -> None:
    """At every tenth byte of the chunk's rewrite."""
    journal = live()
    journal.load()
    for _ in range(3):
        group = close_down(open_up(make_group(journal.next_id())))
        journal.archive(group)
    journal.save(flush=True)
    keys = store.keys(f"{journal.base}/archive")
    newest = max(keys, key=lambda key: len(store.read(key) or ""))
    whole = store.read(newest) or ""
    for length in range(0, len(whole), len(whole) // 100):
        store.write(newest, whole[:length])
        kept = read_groups(store, "condor", live=True, account="DU123")
        assert len(kept) >= 2
        again = live()
        assert not again.load().report.refuse
        assert again.recent("condor-000001") is not None
        assert again.recent("condor-000002") is not None


@pytest.mark.parametrize("fault", ["read_only", "capacity"])
def test_a_store_that_fails_is_named_and_tried_again(fault: str) -> None:
    """The save raises with the key, nothing on record is damaged, and the next good save has everything."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=True)
    journal.load()
    group = open_up(make_group(journal.next_id()))
    journal.save([group], flush=True)
    before = dict(store.disk)
    apply(group, Noted(1.0, "x", None))
    setattr(store, fault, 10 if fault == "capacity" else True)
    for _ in range(3):
        with pytest.raises(JournalError, match="atomic/condor/live/open-b") as caught:
            journal.save([group], flush=True)
        assert caught.value.key == "atomic/condor/live/open-b"
        assert journal.failing
        assert store.disk == before
    setattr(store, fault, None if fault == "capacity" else False)
    journal.save([group], flush=True)
    assert not journal.failing
    assert len(Journal(store.crash(), "condor", live=True).load().groups[0].facts) == len(group.facts)


def test_a_flush_that_fails_never_costs_the_durable_slot() -> None:
    """The slot is written again; the one that holds the newest durable text is left alone."""

    class Stubborn(MemoryStore):
        stuck = False

        def flush(self, key: str) -> None:
            if self.stuck:
                raise StoreError(f"{key}: no barrier")
            super().flush(key)

    store = Stubborn()
    journal = Journal(store, "condor", live=True)
    journal.load()
    group = open_up(make_group(journal.next_id()))
    journal.save([group], flush=True)
    durable = dict(store.now)
    store.stuck = True
    for _ in range(4):
        apply(group, Noted(1.0, "x", None))
        with pytest.raises(JournalError, match="no barrier"):
            journal.save([group], flush=True)
        assert all(store.now[key] == text for key, text in durable.items())
    store.stuck = False
    journal.save([group], flush=True)
    assert len(Journal(store.crash(), "condor", live=True).load().groups[0].facts) == len(group.facts)


def test_an_archive_that_cannot_be_written_keeps_the_group_open() -> None:
    """Nothing is forgotten before it is on record elsewhere."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=True)
    journal.load()
    group = close_down(open_up(make_group(journal.next_id())))
    journal.save([group], flush=True)
    store.read_only = True
    with pytest.raises(JournalError):
        journal.archive(group)
    store.read_only = False
    journal.save(flush=True)
    assert len(Journal(store, "condor", live=True).load().groups) == 1


def test_a_large_document_is_said_to_be_over_budget() -> None:
    """The executor opens no new groups then; those that are open go on."""
    journal = Journal(MemoryStore(), "condor", live=True, document_bytes=2_500)
    journal.load()
    journal.save([open_up(make_group(journal.next_id()))])
    assert not journal.over_budget
    journal.save([open_up(make_group(journal.next_id()))])
    assert journal.over_budget
