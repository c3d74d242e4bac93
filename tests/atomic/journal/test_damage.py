"""Torn writes and random damage: the last good state comes back, or nothing may be traded."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomic.facts import Noted, apply
from atomic.journal import Journal, MemoryStore, repair, verify
from atomic.journal.frame import Damaged, pack, unpack
from tests.atomic.journal.groups import intend, make_group, open_up

BASE = "atomic/condor/live"
#: cases of torn writes plus cases of random damage
CASES = 10_000


def history() -> list[tuple[str, dict[str, str], int, int]]:
    """A run of flushed saves: (key written, disk after it, facts on record, counter) at each."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=True)
    journal.load()
    group = open_up(make_group(journal.next_id()))
    steps = []

    def save() -> None:
        before = dict(store.disk)
        journal.save([group], flush=True)
        (key,) = [key for key, text in store.disk.items() if before.get(key) != text]
        steps.append((key, dict(store.disk), len(group.facts), journal.counter))

    for leg in range(4):
        intend(group, leg, -group.legs[leg].net, "close")
        save()
        apply(group, Noted(2.0, "fold", {"leg": leg, "text": "x" * (400 if leg == 2 else 3)}))
        journal.next_id()
        save()
    return steps


STEPS = history()


def restart(disk: dict[str, str]) -> tuple[int, int, bool, str]:
    """Facts, counter, stale and refusal of a start on this disk."""
    store = MemoryStore(disk)
    loaded = Journal(store, "condor", live=True).load()
    for key in (f"{BASE}/open-a", f"{BASE}/open-b"):
        assert store.now.get(key) == disk.get(key), "a load never changes a slot"
    facts = len(loaded.groups[0].facts) if loaded.groups else 0
    return facts, loaded.counter, loaded.report.stale, loaded.report.refuse


def torn() -> Iterator[tuple[int, str, str]]:
    """Every prefix of every write, also over the tail of the text that was there (a write without truncation)."""
    for number in range(1, len(STEPS)):
        key, disk, _, _ = STEPS[number]
        old = STEPS[number - 1][1].get(key, "")
        for length in range(len(disk[key])):
            yield number, key, disk[key][:length]
            if old and length % 4 == 0:
                yield number, key, disk[key][:length] + old[length:]


def test_every_torn_write_leaves_the_state_before_it() -> None:
    """At any byte: what was flushed before is all there, ids skip ahead, and the loss is said."""
    cases = list(torn())
    if len(cases) > CASES:
        cases = random.Random(6).sample(cases, CASES)
    assert len(cases) >= CASES // 2
    for number, key, text in cases:
        _, before, facts, counter = STEPS[number - 1]
        if text == before.get(key):
            continue  # not a byte was written
        found, next_counter, stale, refuse = restart({**before, key: text})
        assert not refuse
        assert (found, stale) == (facts, True), (number, len(text))
        assert next_counter > STEPS[-1][3] >= counter, "no id of the lost write is given again"


def test_random_damage_never_passes_for_a_state() -> None:
    """Bytes flipped, cut, doubled, swapped in one or both slots: a recorded state, or a refusal."""
    rng = random.Random(20151224)
    states = {(facts, counter) for _, _, facts, counter in STEPS}
    counters = {facts: counter for _, _, facts, counter in STEPS}
    refused = 0
    for case in range(CASES):
        number = rng.randrange(1, len(STEPS))
        disk = dict(STEPS[number][1])
        keys = list(disk) if case % 3 == 0 else [rng.choice(list(disk))]
        for key in keys:
            disk[key] = spoil(disk[key], rng)
        if disk == STEPS[number][1]:
            continue
        found, counter, stale, refuse = restart(disk)
        if refuse:
            refused += 1
            assert found == 0
        elif stale:
            assert counter >= counters[found] + 1000
        else:
            assert (found, counter) in states
            # what was read was not the damaged text
            assert all(unpack(text).seq for text in disk.values())
    assert 100 < refused < CASES


def spoil(text: str, rng: random.Random) -> str:
    """One kind of damage at a random place."""
    at = rng.randrange(len(text))
    upto = min(len(text), at + rng.choice([1, 1, 2, 8, 64]))
    kind = rng.randrange(6)
    if kind == 0:
        noise = "".join(chr(rng.randrange(256)) for _ in range(upto - at))
        return text[:at] + noise + text[upto:]
    if kind == 1:
        return text[:at]
    if kind == 2:
        return text[:at] + text[at:upto] + text[at:]
    if kind == 3:
        return text[:at] + text[upto:]
    if kind == 4:
        digit = rng.choice("0123456789")
        return text[:at] + digit + text[at + 1 :]
    return "\0" * len(text) if rng.random() < 0.1 else text[:at] + "\udcff" + text[at + 1 :]


def test_both_slots_damaged_keeps_copies_and_refuses() -> None:
    """Nothing can be saved over what was found; a person repairs it."""
    disk = {key: text[:-1] for key, text in STEPS[-1][1].items()}
    store = MemoryStore(disk)
    journal = Journal(store, "condor", live=True)
    report = journal.load().report
    assert "both slots of atomic/condor/live are damaged" in report.refuse
    assert sorted(report.damaged) == [f"{BASE}/open-a", f"{BASE}/open-b"]
    assert [store.disk[copy] for copy in report.copies] == [disk[f"{BASE}/open-a"], disk[f"{BASE}/open-b"]]
    with pytest.raises(Exception, match="both slots"):
        journal.save([make_group("condor-000009")], flush=True)
    assert {key: store.now[key] for key in disk} == disk
    again = Journal(store, "condor", live=True).load().report
    assert again.copies == report.copies, "the same damage is copied once"


def test_a_lost_slot_is_seen() -> None:
    """A slot that was deleted may have been the newest: the other one is taken, and the loss is said."""
    disk = dict(STEPS[-1][1])
    key = STEPS[-1][0]
    del disk[key]
    found, _, stale, refuse = restart(disk)
    assert (found, stale, refuse) == (STEPS[-2][2], True, "")


def test_a_first_document_alone_is_sound() -> None:
    """One slot is all there is after the first save."""
    found, counter, stale, refuse = restart(STEPS[0][1])
    assert (found, counter, stale, refuse) == (STEPS[0][2], STEPS[0][3], False, "")


def test_an_archive_without_a_document_refuses() -> None:
    """Somebody deleted the open groups: going on as if there were none is not safe."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=True)
    journal.load()
    journal.archive(open_up(make_group(journal.next_id())))
    report = Journal(store, "condor", live=True).load().report
    assert "lost its open document" in report.refuse


def test_two_documents_with_one_number_are_two_writers() -> None:
    """Two processes that wrote side by side are seen at the next start."""
    head, _, body = STEPS[-1][1][STEPS[-1][0]].partition("\n")
    seq = int(head.split(" ")[2])
    other = next(key for key in STEPS[-1][1] if key != STEPS[-1][0])
    disk = {**STEPS[-1][1], other: pack(1, seq, body.replace('"counter":', '"counter":1'))}
    report = Journal(MemoryStore(disk), "condor", live=True).load().report
    assert report.stale
    assert "two processes wrote" in report.problems[0]


def test_repair_restores_the_sound_slot_and_says_what_it_did() -> None:
    """Damaged text is copied aside, ids skip ahead, and the next start knows that something was lost."""
    key, disk, _, counter = STEPS[-1]
    store = MemoryStore({**disk, key: disk[key][:-7]})
    assert not verify(store, BASE).sound
    done = repair(store, BASE)
    assert len(done) == 2
    assert "was copied to" in done[0]
    assert verify(store, BASE).sound
    assert repair(store, BASE) == []
    loaded = Journal(store, "condor", live=True).load()
    assert loaded.report.stale
    assert len(loaded.groups[0].facts) == STEPS[-2][2]
    assert loaded.counter > counter + 1000
    journal = Journal(store, "condor", live=True)
    journal.load()
    journal.next_id()
    journal.save(flush=True)
    assert not Journal(store.crash(), "condor", live=True).load().report.stale


def test_repair_without_a_sound_document_leaves_no_log_that_goes_on_from_another_one() -> None:
    """The log of a lost document is set aside: it was taken for the new one's, which was not sound then."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=False, run="x")
    journal.load()
    group = make_group(journal.next_id())
    journal.save([group])
    open_up(group)
    journal.save([group])
    base = "atomic/condor/run-x"
    store.write(f"{base}/open-a", (store.read(f"{base}/open-a") or "")[:-7])
    assert store.read(f"{base}/tail")
    assert any("tail" in line for line in repair(store, base))
    assert verify(store, base).sound
    assert repair(store, base) == []


def test_repair_without_a_sound_slot_starts_empty_with_new_ids() -> None:
    """The copies hold what was lost; ids of the archive are never given again."""
    store = MemoryStore()
    journal = Journal(store, "condor", live=True)
    journal.load()
    for _ in range(7):
        group = open_up(make_group(journal.next_id()))
    journal.archive(group)
    journal.save(flush=True)
    journal.next_id()
    journal.save(flush=True)
    for slot in "ab":
        store.write(f"{BASE}/open-{slot}", "damage")
    assert not verify(store, BASE).sound
    repair(store, BASE)
    assert verify(store, BASE).sound
    loaded = Journal(store, "condor", live=True).load()
    assert (loaded.groups, loaded.counter >= 1007, loaded.report.stale) == ([], True, True)
    assert sum("damaged" in key for key in store.keys("")) >= 1


def test_a_group_that_cannot_be_rebuilt_refuses_and_keeps_a_copy() -> None:
    """A whole document with a record that makes no sense is not traded on."""
    _head, _, body = STEPS[0][1][STEPS[0][0]].partition("\n")
    store = MemoryStore({STEPS[0][0]: pack(1, 1, body.replace('"filled"]', '"unheard"]', 1))})
    report = Journal(store, "condor", live=True).load().report
    assert "holds a group that cannot be rebuilt (unknown fact" in report.refuse
    assert len(report.copies) == 1


@given(st.integers(0, 99), st.integers(0, 10**9), st.text(st.characters(max_codepoint=127)))
def test_a_frame_is_read_as_it_was_packed(schema: int, seq: int, body: str) -> None:
    """And with any one character changed it is damaged."""
    text = pack(schema, seq, body)
    assert unpack(text) == (schema, seq, body)
    for at in range(0, len(text), max(1, len(text) // 16)):
        with pytest.raises(Damaged):
            unpack(text[:at] + chr((ord(text[at]) + 1) % 128) + text[at + 1 :])
