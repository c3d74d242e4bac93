"""The tail of a journal that is not durable: what changed since the document, never more and never less."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomic.facts import Noted, apply
from atomic.journal import Journal, JournalError, MemoryStore, read_groups, read_head, repair, verify
from atomic.journal.frame import pack_line, unpack_line
from atomic.journal.records import encode
from atomic.journal.tail import bound_of
from tests.atomic.journal.groups import close_down, make_group, open_up

BASE = "atomic/condor/run-one"


def journal_on(store: MemoryStore) -> Journal:
    journal = Journal(store, "condor", live=False, run="one")
    journal.load()
    return journal


def facts(groups: Any) -> dict[str, str]:
    return {group.group_id: encode(group.facts) for group in groups}


def two_saves(store: MemoryStore) -> tuple[Journal, Any]:
    """A document and a tail: a group that was saved, and the same with a note more."""
    journal = journal_on(store)
    group = open_up(make_group(journal.next_id()))
    journal.save([group])
    apply(group, Noted(1002.0, "later", None))
    journal.save([group])
    return journal, group


def test_the_second_save_writes_what_changed_only() -> None:
    """The document stays as it is; the group that changed, the counter and small states stand in the tail."""
    store = MemoryStore()
    journal = journal_on(store)
    groups = [open_up(make_group(journal.next_id())) for _ in range(3)]
    journal.save(groups)
    document = dict(store.now)
    apply(groups[1], Noted(1002.0, "later", None))
    journal.extra["baseline"] = {"GOOG": 7}
    journal.next_id()
    journal.save([groups[1]])
    assert {key: store.now[key] for key in document} == document
    tail = store.now[f"{BASE}/tail"]
    assert [group.group_id in tail for group in groups] == [False, True, False]
    loaded = Journal(store, "condor", live=False, run="one").load()
    assert (loaded.counter, dict(loaded.extra)) == (4, {"baseline": {"GOOG": 7}})
    assert facts(loaded.groups) == facts(groups) == facts(read_groups(store, "condor", run="one"))
    assert read_head(store, BASE)["counter"] == 4


def test_a_durable_journal_has_no_tail() -> None:
    """What must survive a crash is always the whole document in alternating slots."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=False, run="one", durable=True)
    journal.load()
    group = open_up(make_group(journal.next_id()))
    for second in range(3):
        apply(group, Noted(1002.0 + second, "later", None))
        journal.save([group], flush=True)
    assert sorted(store.now) == [f"{BASE}/open-a", f"{BASE}/open-b"]


def test_a_long_tail_makes_a_new_document() -> None:
    """A tail is bounded: beyond its size the document is written again, and the old tail says nothing any more."""
    store = MemoryStore()
    journal = journal_on(store)
    group = open_up(make_group(journal.next_id()))
    journal.save([group])
    longest = 0
    for second in range(200):
        apply(group, Noted(1002.0 + second, "x" * 100, None))
        journal.save([group])
        longest = max(longest, len(store.now[f"{BASE}/tail"]))
        assert facts(Journal(store, "condor", live=False, run="one").load().groups) == facts([group])
    assert longest < bound_of(len(store.now[f"{BASE}/open-a"])) + 1000


def test_a_damaged_tail_is_named_kept_and_repaired() -> None:
    """What the document says still counts, ids skip ahead, a copy is kept; `verify` finds it and `repair` ends it."""
    store = MemoryStore()
    _, group = two_saves(store)
    store.now[f"{BASE}/tail"] = store.now[f"{BASE}/tail"][:-9]
    assert any("tail" in problem for problem in verify(store, BASE).problems)
    loaded = Journal(store, "condor", live=False, run="one").load()
    assert loaded.report.stale
    assert f"{BASE}/tail" in loaded.report.damaged
    assert [len(back.facts) for back in loaded.groups] == [len(group.facts) - 1]
    assert loaded.counter > 1000
    assert any("tail" in line for line in repair(store, BASE))
    assert verify(store, BASE).sound
    assert any(key.startswith(f"{BASE}/tail-damaged-") for key in store.now)


def test_a_tail_that_cannot_be_written_is_written_with_the_next_save() -> None:
    """A refused write raises, loses nothing, and the next save has it."""
    store = MemoryStore()
    journal, group = two_saves(store)
    apply(group, Noted(1003.0, "last", None))
    store.read_only = True
    with pytest.raises(JournalError):
        journal.save([group])
    store.read_only = False
    assert journal.save([group])
    assert facts(Journal(store, "condor", live=False, run="one").load().groups) == facts([group])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["new", "note", "end", "fail"]), st.integers(0, 9), st.integers(0, 900)),
                max_size=40))  # fmt: skip
def test_after_any_saves_the_store_holds_exactly_what_is_known(steps: list[tuple[str, int, int]]) -> None:
    """Groups made, changed, ended in any order, writes failing in between: a reader finds all of them as they are."""
    store = MemoryStore()
    journal = journal_on(store)
    alive: list[Any] = []
    ended: list[Any] = []
    for what, which, size in steps:
        if what == "new" or not alive:
            alive.append(open_up(make_group(journal.next_id())))
            which = len(alive) - 1
        group = alive[which % len(alive)]
        apply(group, Noted(1500.0, "x" * size, None))
        if what == "fail":
            store.read_only = True
            with pytest.raises(JournalError):
                journal.save([group])
            store.read_only = False
        elif what == "end":
            close_down(group)
            alive.remove(group)
            ended.append(group)
            journal.archive(group)
        journal.save([group] if group in alive else [])
        assert facts(read_groups(store, "condor", run="one")) == facts([*alive, *ended])
    loaded = Journal(store, "condor", live=False, run="one").load()
    assert facts(loaded.groups) == facts(alive)
    assert not loaded.report.damaged


def test_damage_to_a_line_of_the_log_costs_what_follows_it_only() -> None:
    """What was written before the damaged line still counts, and the start knows that something may be lost."""
    store = MemoryStore()
    journal, group = two_saves(store)
    for second in (3.0, 4.0):
        apply(group, Noted(1000.0 + second, "later still", None))
        journal.save([group])
    lines = store.now[f"{BASE}/tail"].split("\n")
    lines[2] = lines[2].replace("later still", "never said")
    store.now[f"{BASE}/tail"] = "\n".join(lines)
    loaded = Journal(store, "condor", live=False, run="one").load()
    assert [len(back.facts) for back in loaded.groups] == [len(group.facts) - 2]
    assert loaded.report.stale
    assert not loaded.report.refuse


def test_a_log_that_does_not_follow_from_its_document_is_refused() -> None:
    """Facts without those before them make no group: nothing is traded on them."""
    store = MemoryStore()
    two_saves(store)
    whole = store.now[f"{BASE}/tail"]
    first, second = whole.rstrip("\n").split("\n")
    schema, text = unpack_line(second)
    store.now[f"{BASE}/tail"] = first + "\n" + pack_line(schema, text.replace('"from":', '"from":9'))
    loaded = Journal(store, "condor", live=False, run="one").load()
    assert "facts from number" in loaded.report.refuse
    assert not loaded.groups
    assert any("facts from number" in problem for problem in verify(store, BASE).problems)
    assert any("tail" in line for line in repair(store, BASE))
    assert verify(store, BASE).sound
    assert Journal(store, "condor", live=False, run="one").load().groups
