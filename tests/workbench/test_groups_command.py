"""The journal from outside: list, show, verify, repair, watch."""

import json
import time
from pathlib import Path

import pytest

from atomic.journal import FileStore, Journal
from atomic.lease import Lease
from tests.atomic.journal.groups import close_down, intend, make_group, open_up
from workbench import cli

BASE = "atomic/condor/live-DU1"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one live journal (one group open, one archived) and one of a backtest."""
    files = FileStore(tmp_path / "storage")
    journal = Journal(files, "condor", live=True, account="DU1")
    journal.load()
    ended = close_down(open_up(make_group(journal.next_id())))
    group = open_up(make_group(journal.next_id(), 5000.0), 5001.0)
    journal.save([group, ended], flush=True)
    journal.archive(ended)
    journal.save(flush=True)
    intend(group, 0, -2, "close", 5002.0)
    journal.save([group], flush=True)
    run = Journal(files, "condor", live=False, run="r1")
    run.load()
    run.save([open_up(make_group(run.next_id()))])
    return tmp_path / "storage"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of one command."""
    code = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_all_journals_are_listed_with_their_groups(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """State, legs and times of archived and open groups; as a table and as JSON."""
    code, out, _ = run(capsys, "groups", "--store", str(store))
    assert code == 0
    assert BASE in out
    assert "condor-000002" in out
    code, out, _ = run(capsys, "groups", "--store", str(store), "--json", "--open")
    journals = {row["journal"]: row for row in json.loads(out)["journals"]}
    assert [group["group_id"] for group in journals[BASE]["groups"]] == ["condor-000002"]
    assert journals[BASE]["groups"][0]["status"] == "open"
    assert journals["atomic/condor/run-r1"]["groups"][0]["group_id"] == "condor-000001"


def test_one_group_is_shown_with_its_timeline(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id that several journals have asks for the journal; an unknown one says how to list them."""
    code, out, _ = run(capsys, "groups", "show", "condor-000002", "--store", str(store))
    assert code == 0
    assert "order 5: close -2 P735 market: intended, nothing filled" in out
    assert "1970-01-01T01:23:21.000+00:00  opening" in out
    code, _, err = run(capsys, "groups", "show", "condor-000001", "--store", str(store))
    assert (code, "choose with --journal" in err) == (2, True)
    code, out, _ = run(capsys, "groups", "show", "condor-000001", "--store", str(store), "--journal", "live", "--json")
    assert (code, json.loads(out)["outcome"]) == (0, "closed")
    code, _, err = run(capsys, "groups", "show", "condor-000009", "--store", str(store))
    assert (code, "list them with" in err) == (2, True)


def test_a_sound_store_verifies_and_a_damaged_one_is_repaired(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verify fails with the command that repairs; repair copies the damage aside; verify passes then."""
    assert run(capsys, "groups", "verify", "--store", str(store))[0] == 0
    newest = max((store / BASE).glob("open-*"), key=lambda path: int(path.read_text().split(" ")[2]))
    newest.write_text(newest.read_text()[:-40])
    code, out, err = run(capsys, "groups", "verify", "--store", str(store))
    assert code == 1
    assert "NOT SOUND" in out
    assert "atomic groups repair --journal" in err
    code, out, _ = run(capsys, "groups", "verify", "--store", str(store), "--json")
    assert [row["sound"] for row in json.loads(out)] == [False, True]
    code, out, _ = run(capsys, "groups", "repair", "--store", str(store), "--journal", "live")
    assert code == 0
    assert "was copied to" in out
    assert len(list((store / BASE).glob("*damaged*"))) == 1
    assert run(capsys, "groups", "verify", "--store", str(store))[0] == 0
    code, out, _ = run(capsys, "groups", "repair", "--store", str(store), "--journal", "live")
    assert "nothing to repair" in out


@pytest.mark.parametrize("which", ["open-a", "tail"])
def test_a_list_from_damaged_texts_says_so(store: Path, capsys: pytest.CaptureFixture[str], which: str) -> None:
    """What is listed may be older than what was written: the damaged key is named, with the command to look at it."""
    files = FileStore(store)
    run_journal = Journal(files, "condor", live=False, run="r2")
    run_journal.load()
    group = open_up(make_group(run_journal.next_id()))
    run_journal.save([group])
    intend(group, 0, -2, "close", 5002.0)
    run_journal.save([group])
    damaged = store / "atomic/condor/run-r2" / which
    damaged.write_text(damaged.read_text()[:-20])
    code, out, _ = run(capsys, "groups", "--store", str(store), "--journal", "r2")
    assert code == 0
    assert f"{which}:" in out
    assert "atomic groups verify" in " ".join(out.split())
    _, out, _ = run(capsys, "groups", "--store", str(store), "--journal", "r2", "--json")
    assert any(which in problem for problem in json.loads(out)["journals"][0]["problems"])


def test_a_journal_in_use_is_not_repaired(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two writers are what the heartbeat is there to prevent."""
    Lease(FileStore(store), BASE).beat()
    code, _, err = run(capsys, "groups", "repair", "--store", str(store))
    assert (code, "stop the algorithm first" in err) == (2, True)


@pytest.mark.parametrize("arguments", [
    ("groups", "--store", "none"),
    ("groups", "verify", "--journal", "nothing-like-this"),
    ("groups", "--json", "verify"),
    ("watch", "--store", "none", "--once"),
])  # fmt: skip
def test_bad_input_is_one_line(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, and the cure."""
    monkeypatch.chdir(store.parent)
    code, out, err = run(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_watch_alerts_when_open_groups_have_no_living_instance(
    store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Alive with a fresh heartbeat, overdue with a stale one or none; backtests are not watched."""
    code, out, _err = run(capsys, "watch", "--store", str(store), "--once")
    assert code == 1
    assert "ALERT atomic/condor/live-DU1 overdue: no heartbeat was ever heard, 1 groups are open: condor-000002" in out
    assert "run-r1" not in out
    Lease(FileStore(store), BASE).beat(open_groups=1)
    code, out, _ = run(capsys, "watch", "--store", str(store), "--once", "--json")
    assert code == 0
    assert [row["state"] for row in json.loads(out)["journals"]] == ["alive"]
    for path in (store / BASE).glob("heartbeat-*"):
        path.unlink()
    Lease(FileStore(store), BASE, clock=lambda: time.time() - 120).beat(open_groups=1)
    told = tmp_path / "told.sh"
    told.write_text(f'#!/bin/sh\necho "$1" > {tmp_path / "told"}\n')
    told.chmod(0o755)
    code, out, _ = run(capsys, "watch", "--store", str(store), "--once", "--run", str(told))
    assert code == 1
    assert "overdue" in (tmp_path / "told").read_text()
