"""Journals of older versions are lifted step by step; newer ones are left alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomic.journal import SCHEMA, Journal, MemoryStore, migrate, read_archive, records, repair, verify
from atomic.journal.frame import pack, pack_line, unpack
from atomic.policy import AT_MID, Ladder, Policy, Retry
from atomic.vocabulary import Phase
from tests.atomic.journal.groups import close_down, make_group, open_up

KEY = "atomic/condor/live/open-a"
OLDER = SCHEMA - 1


def as_older(record: dict[str, Any]) -> dict[str, Any]:
    """A record as a version before might have written it: fills without fees, units under another name."""
    spec = dict(record["spec"])
    spec["size"] = spec.pop("units")
    facts = [[*row[:4], row[5]] if row[-1] == "filled" else row for row in record["facts"]]
    return {"spec": spec, "facts": facts}


def lift_facts(rows: list[Any]) -> list[Any]:
    """Fills get their fees back."""
    return [[*row[:4], 0.0, row[4]] if row[-1] == "filled" else row for row in rows]


def lift_group(record: dict[str, Any]) -> dict[str, Any]:
    """The step for it."""
    spec = dict(record["spec"])
    spec["units"] = spec.pop("size")
    return {"spec": spec, "facts": lift_facts(record["facts"])}


def lift_head(head: dict[str, Any]) -> dict[str, Any]:
    """The counter was called something else."""
    head = dict(head)
    head["counter"] = head.pop("last_id")
    return head


@pytest.fixture
def _step(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {**migrate.STEPS, OLDER: migrate.Step(lift_head, lift_group, lift_facts)}
    monkeypatch.setattr(migrate.steps_from, "__defaults__", (steps, SCHEMA))


@pytest.fixture
def _no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate.steps_from, "__defaults__", ({}, SCHEMA))


def older_store() -> MemoryStore:
    """A store left by the older version, with one open and one archived group."""
    open_group = as_older(json.loads(records.group_text(open_up(make_group("condor-000041")))))
    ended = as_older(json.loads(records.group_text(close_down(open_up(make_group("condor-000040"))))))
    head = {"of": "atomic/condor/live", "before": 0, "last_id": 41, "extra": {"baseline": {}}}
    body = json.dumps(head) + "\n" + json.dumps(open_group)
    store = MemoryStore({KEY: pack(OLDER, 5, body)})
    store.now["atomic/condor/live/archive-000001a"] = pack_line(OLDER, json.dumps(ended))
    store.disk.update(store.now)
    return store


@pytest.mark.usefixtures("_step")
def test_an_older_document_is_lifted_and_written_anew() -> None:
    """State, counter and archive are there; the next save is in the present schema."""
    store = older_store()
    journal = Journal(store, "condor", live=True)
    loaded = journal.load()
    assert (loaded.report.refuse, loaded.report.schema) == ("", OLDER)
    assert [(g.group_id, g.phase, g.spec.units) for g in loaded.groups] == [("condor-000041", Phase.OPEN, 2)]
    assert journal.next_id() == "condor-000042"
    found = journal.recent("condor-000040")
    assert found is not None
    assert found.phase is Phase.CLOSED
    assert [group.group_id for group in read_archive(store, journal.base)] == ["condor-000040"]
    assert verify(store, journal.base).sound
    journal.save(flush=True)
    frame = unpack(store.disk["atomic/condor/live/open-b"])
    assert (frame.schema, frame.seq) == (SCHEMA, 6)
    again = Journal(store.crash(), "condor", live=True).load()
    assert [g.group_id for g in again.groups] == ["condor-000041"]


@pytest.mark.usefixtures("_step")
def test_an_older_log_is_lifted_with_its_document() -> None:
    """A backtest's document and its log, new groups and new facts of known ones, in the older schema."""
    base = "atomic/condor/run-one"
    known, new = open_up(make_group("condor-000001")), open_up(make_group("condor-000002"))
    record, added = (as_older(json.loads(records.group_text(group))) for group in (known, new))
    first = len(record["facts"]) - 3
    entry = {"counter": 2, "groups": [added, {"id": "condor-000001", "from": first, "facts": record["facts"][first:]}]}
    head = {"of": base, "before": 0, "last_id": 1, "extra": {}}
    body = f"{json.dumps(head)}\n{json.dumps({**record, 'facts': record['facts'][:first]})}"
    tail = pack_line(OLDER, '{"document":5}') + pack_line(OLDER, json.dumps(entry))
    store = MemoryStore({f"{base}/open-a": pack(OLDER, 5, body), f"{base}/tail": tail})
    loaded = Journal(store, "condor", live=False, run="one").load()
    assert (loaded.report.refuse, loaded.report.damaged, loaded.counter) == ("", {}, 2)
    assert [group.spec for group in loaded.groups] == [known.spec, new.spec]
    assert [[order.cum_qty for order in group.orders.values()] for group in loaded.groups] == [[2, 2, 2, 2]] * 2


@pytest.mark.usefixtures("_no_steps")
def test_a_version_without_a_step_is_refused_and_left_alone() -> None:
    """The message says which step is missing; a copy is kept."""
    store = older_store()
    report = Journal(store, "condor", live=True).load().report
    assert f"there is no step from {OLDER} to {SCHEMA}" in report.refuse
    assert store.now[KEY] == older_store().now[KEY]
    assert len(report.copies) == 1


def test_a_newer_version_is_refused_and_left_alone() -> None:
    """Never guessed at, never overwritten, also not by a repair."""
    store = MemoryStore({KEY: pack(SCHEMA + 1, 5, '{"of":"?"}')})
    journal = Journal(store, "condor", live=True)
    assert f"schema {SCHEMA + 1} is newer than {SCHEMA}" in journal.load().report.refuse
    with pytest.raises(ValueError, match="written by a newer version"):
        repair(store, "atomic/condor/live")
    assert unpack(store.now[KEY]).schema == SCHEMA + 1


PINNED = Path(__file__).with_name(f"schema_{SCHEMA}.json")


def test_the_schema_number_stands_for_these_fields() -> None:
    """Whoever changes a record or a fact bumps SCHEMA, adds a Step and writes the new pin."""
    text = records.group_text(make_group("x-000001"))
    shape = {
        "facts": records.shape_of_facts(),
        "spec": sorted(json.loads(text)["spec"]),
        "plain_policy": dict(migrate.PLAIN_POLICY),
    }
    pinned = json.loads(PINNED.read_text())
    assert json.loads(json.dumps(shape)) == pinned, "a field changed: see atomic/journal/migrate.py"


@given(st.sampled_from([Policy(), Policy(order_timeout=3.0), Policy(ladder=AT_MID, retry=Retry(attempts=2)),
                        Policy(close_ladder=Ladder(), cost_budget=0.0, keep_units=True)]))  # fmt: skip
def test_what_a_record_leaves_out_of_its_policy_does_not_follow_the_programs_defaults(policy: Policy) -> None:
    """It comes back as it was, also when the defaults are others by then."""
    spec = replace(make_group("x-000001").spec, policy=policy)
    row = json.loads(records.spec_text(spec))
    assert records.spec_from(row) == spec
    with patch.object(records.Policy, "from_row", lambda whole: whole):
        assert records.spec_from(row).policy == json.loads(json.dumps(policy.row()))  # every field is given


def written_by(schema: int) -> MemoryStore:
    """A store that a version left, kept byte for byte."""
    folder = Path(__file__).with_name(f"written_by_schema_{schema}")
    files = [path for path in folder.rglob("*") if path.is_file()]
    return MemoryStore({path.relative_to(folder).as_posix(): path.read_text() for path in files})


@pytest.mark.parametrize("schema", [1, 2])
def test_what_a_schema_wrote_is_read_for_ever(schema: int) -> None:
    """Open and archived groups, counter, small states."""
    store = written_by(schema)
    assert verify(store, "atomic/condor/live").sound
    journal = Journal(store, "condor", live=True)
    loaded = journal.load()
    assert (loaded.report.refuse, loaded.report.stale, loaded.report.schema) == ("", False, schema)
    assert (loaded.counter, dict(loaded.extra)) == (2, {"baseline": {"GOOG id": 100}})
    (group,) = loaded.groups
    assert (group.group_id, group.phase, group.spec.policy) == ("condor-000002", Phase.OPEN, Policy())
    assert [leg.net for leg in group.legs] == [2, -2, -2, 2]
    assert [order.status for order in group.live.values()] == ["intended"]
    (ended,) = read_archive(store, "atomic/condor/live")
    assert (ended.group_id, ended.phase, ended.fees) == ("condor-000001", Phase.CLOSED, pytest.approx(20.8))


def test_what_schema_2_wrote_in_a_backtest_is_read_for_ever() -> None:
    """A document and its log: a policy of its own, orders that were taken together, a group of the log alone."""
    first, second = Journal(written_by(2), "condor", live=False, run="one").load().groups
    assert first.spec.policy == Policy(ladder=AT_MID, order_timeout=3.0)
    assert [order.status for order in first.orders.values()] == ["filled", "working"]
    assert (second.group_id, second.phase, second.spec.policy) == ("condor-000002", Phase.PLANNED, Policy())
