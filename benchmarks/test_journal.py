"""What the journal costs: a wave of four legs, flushed or not, against plain `json.dumps` + write; the start.

Ratios are against `json.dumps` of the same group's record and a plain write (flushed: with fsync) of the result, on
the same store folder. Targets: under 3 for both; a start with 1,000 archived and 10 open groups under 100 ms; cost
independent of the archive's size.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from atomic.facts import CloseAsked, Filled, Intended, Opening, Sent, Wave, apply
from atomic.journal import FileStore, Journal, MemoryStore
from atomic.journal.records import spec_text
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.policy import Policy
from atomic.vocabulary import Kind, Right

LEGS = tuple(
    LegSpec(f"GOOG {right}{strike} id", ratio, right, strike, "2015-12-24", "GOOG id", 100.0, 0.05, f"{right}{strike}")
    for right, strike, ratio in (("P", 735.0, 1), ("P", 740.0, -1), ("C", 755.0, -1), ("C", 760.0, 1))
    for right in (Right(right),)
)


def opening(group_id: str) -> GroupState:
    """A group about to send its wave."""
    group = new_group(GroupSpec(group_id, Kind.ALL_OR_NONE, "iron_condor", LEGS, 1, 1000.0, Policy()))
    apply(group, Opening(1000.0))
    apply(group, Wave(1000.0, 1, 1005.0))
    return group


def wave(group: GroupState, sign: int = 1, purpose: str = "open") -> list[int]:
    """Intents of four legs."""
    numbers = []
    for leg, spec in enumerate(LEGS):
        number = group.next_number
        tag = f"{group.group_id}:{number}:{purpose}"
        apply(group, Intended(1001.0, number, leg, purpose, 0, sign * spec.ratio, "market", 0.0, 0.0, tag, 0))
        numbers.append(number)
    return numbers


def lived(group_id: str, *, ended: bool = True) -> GroupState:
    """A group with a whole life: opened, and closed unless told otherwise."""
    group = opening(group_id)
    for purpose, sign in (("open", 1), ("close", -1))[: 2 if ended else 1]:
        if sign < 0:
            apply(group, CloseAsked(2000.0, "time"))
        for number in wave(group, sign, purpose):
            apply(group, Sent(1001.0, number))
            apply(group, Filled(1001.0, number, 1, 1.25, 1.3))
    return group


@pytest.mark.parametrize("flush", [False, True], ids=["write", "flush"])
def test_wave_of_four_legs(benchmark: Any, tmp_path: Path, flush: bool) -> None:
    """One save of a wave's four intents, and its ratio to `json.dumps` + write of the same record."""
    journal = Journal(FileStore(tmp_path / "store"), "condor", live=True)
    journal.load()
    group = opening("condor-000001")
    state: dict[str, Any] = {}

    spec = json.loads(spec_text(group.spec))
    wave(group)
    path = tmp_path / "plain"

    def plain() -> None:
        with open(path, "w") as file:
            file.write(json.dumps({"spec": spec, "facts": group.facts}))
            if flush:
                file.flush()
                os.fsync(file.fileno())

    plain_times: list[float] = []

    def fresh() -> None:
        start = perf_counter()
        plain()  # in turn with the journal, so that a busy disk slows both down
        plain_times.append(perf_counter() - start)
        state["group"] = group = opening(journal.next_id())
        journal._records.clear()  # one open group at a time
        journal.save([group], flush=flush)
        wave(group)

    benchmark.pedantic(lambda: journal.save([state["group"]], flush=flush), setup=fresh, rounds=300)
    base = median(plain_times)
    benchmark.extra_info["plain_us"] = round(base * 1e6, 1)
    benchmark.extra_info["ratio"] = round(benchmark.stats["median"] / base, 2)


def test_wave_in_memory(benchmark: Any) -> None:
    """The same into memory: what a backtest pays besides LEAN's own save."""
    journal = Journal(MemoryStore(), "condor", live=False)
    journal.load()
    state: dict[str, Any] = {}

    def fresh() -> None:
        state["group"] = group = opening(journal.next_id())
        journal._records.clear()
        journal.save([group])
        wave(group)

    benchmark.pedantic(lambda: journal.save([state["group"]]), setup=fresh, rounds=300)


@pytest.mark.parametrize("open_groups", [1, 10, 100])
def test_wave_beside_other_groups(benchmark: Any, open_groups: int) -> None:
    """The document holds all open groups: what a save costs beside so many."""
    journal = Journal(MemoryStore(), "condor", live=False)
    journal.load()
    journal.save([lived(journal.next_id(), ended=False) for _ in range(open_groups)])
    state: dict[str, Any] = {}

    def fresh() -> None:
        for group_id in list(journal._records)[open_groups:]:
            del journal._records[group_id]
        state["group"] = group = opening(journal.next_id())
        journal.save([group])
        wave(group)

    benchmark.pedantic(lambda: journal.save([state["group"]]), setup=fresh, rounds=200)


def filled_store(path: Path, archived: int, open_groups: int) -> FileStore:
    """A live journal with a past."""
    store = FileStore(path)
    journal = Journal(store, "condor", live=True)
    journal.load()
    journal.live = journal.archived._live = False  # no flush while it is made
    for _ in range(archived):
        journal.archive(lived(journal.next_id()))
    journal.live = True
    journal.save([lived(journal.next_id(), ended=False) for _ in range(open_groups)], flush=True)
    return store


@pytest.mark.parametrize("archived", [0, 1_000, 5_000])
def test_start(benchmark: Any, tmp_path: Path, archived: int) -> None:
    """Load with 10 open groups: under 100 ms, whatever is archived."""
    store = filled_store(tmp_path, archived, 10)

    def load() -> None:
        assert len(Journal(store, "condor", live=True).load().groups) == 10

    benchmark.pedantic(load, rounds=15)


@pytest.mark.parametrize("archived", [10, 1_000, 5_000])
def test_archive_one_group(benchmark: Any, tmp_path: Path, archived: int) -> None:
    """Moving an ended group to the archive (not flushed) costs at most a chunk, whatever is archived."""
    store = filled_store(tmp_path, archived, 1)
    journal = Journal(store, "condor", live=False)
    journal.base = journal.archived._base = "atomic/condor/live"
    journal.load()
    benchmark.pedantic(journal.archive, setup=lambda: ((lived(journal.next_id()),), {}), rounds=100)
