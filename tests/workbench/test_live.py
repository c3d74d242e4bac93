"""Live paper sessions: a day on real threads, a stop, bad days, commands, and real kills."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.recordings import DATA, ROOT, needs_quotes
from workbench import cli
from workbench.campaign.kills import PHASES, Case, run_case
from workbench.commands import live as live_command
from workbench.engine.live.chaos import Chaos, ChaosPlan
from workbench.engine.live.session import LiveOptions, run_live
from workbench.paper.account import PaperAccount


def session(folder, name="iron_condor", until="", chaos=None, **parameters):
    options = LiveOptions(
        speed=0,
        until=datetime.fromisoformat(f"2015-12-24 {until}") if until else None,
        chaos=chaos or ChaosPlan(),
        commands=folder,
    )
    result = run_live(
        ROOT / "algorithms" / name,
        data=DATA,
        account=folder / "account.sqlite",
        store=folder / "store",
        parameters=parameters,
        name=name,
        options=options,
        library_paths=[ROOT / "Library"],
    )
    assert not result.error, result.traceback
    return result


def account(folder: Path) -> tuple[dict[str, float], int]:
    book = PaperAccount(folder / "account.sqlite")
    try:
        return {s: q for s, (q, _) in book.holdings().items()}, len(book.open_orders())
    finally:
        book.close()


@needs_quotes
def test_a_day_opens_and_closes_the_condor_on_other_threads(tmp_path):
    """The condor of the backtest is traded live: same day, flat at the end, nothing left working."""
    result = session(tmp_path)

    assert result.status == "completed"
    assert account(tmp_path) == ({}, 0)
    assert any("closed" in text for _, text in result.log)


@needs_quotes
def test_a_session_goes_on_where_the_last_one_stopped(tmp_path):
    """Stopped with the condor open, started again: the group is known, the day goes on, the condor is closed."""
    first = session(tmp_path, until="10:05")
    assert first.status == "stopped_at"
    assert len(account(tmp_path)[0]) == 4
    second = session(tmp_path)

    assert any("1 complete" in text for _, text in second.log)
    assert account(tmp_path) == ({}, 0)


@needs_quotes
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bad_day_without_outside_trades_ends_flat(tmp_path, seed):
    """Late, lost and doubled events, partial fills, refused orders and cancels, dropped connections: it ends flat."""
    plan = ChaosPlan(seed, latency=0.005, partial=0.5, lose_event=0.05, repeat_event=0.1, refuse=0.1,
                     refuse_cancel=0.2, drop=0.002)  # fmt: skip
    result = session(tmp_path, chaos=plan, native="never")
    holdings, working = account(tmp_path)
    named = any("bidless-long" in text for _, text in result.log)

    assert all(quantity > 0 for quantity in holdings.values())
    assert not holdings or named
    assert working == 0


@needs_quotes
def test_commands_are_carried_out_and_answered(tmp_path):
    """A command file is carried out once on the algorithm's thread and answered in a file with what was logged."""
    (tmp_path / "command-1.json").write_text(json.dumps({"action": "status", "id": "1"}))
    (tmp_path / "command-2.json").write_text(json.dumps({"action": "explode", "id": "2"}))
    (tmp_path / "command-3.json").write_text("{not json")
    session(tmp_path, until="09:40")
    answers = {n: json.loads((tmp_path / f"result-command-{n}.json").read_text()) for n in (1, 2, 3)}

    assert answers[1]["Success"] is True
    assert '"ready": true' in answers[1]["log"][0]
    assert answers[2]["Success"] is False
    assert "unknown action 'explode'" in answers[2]["log"][0]
    assert answers[3]["Success"] is False
    assert not list(tmp_path.glob("command-*.json"))


@needs_quotes
@pytest.mark.parametrize("number", range(len(PHASES)))
def test_a_process_killed_in_any_phase_leaves_nothing_naked(number):
    """SIGKILL in each phase of a group's life; the restart ends flat or held, by the broker's own book."""
    verdict = run_case(Case.draw(number, 11), ROOT, DATA)

    assert verdict.violations == []


@pytest.mark.parametrize(("fields", "why"), [
    ({"action": "close", "group_id": "x-000009"}, "no group 'x-000009'"),
    ({"action": "reset", "limit": "nothing"}, "'nothing'"),
    ({"action": "groups", "which": "some"}, "use open or all"),
    ({"action": "explode"}, "unknown action 'explode'"),
    ({"action": ["x"]}, "action is list"),
])  # fmt: skip
def test_a_refused_command_says_why_on_its_one_line(tmp_path, capsys, monkeypatch, fields, why):
    """The session's reason is the command's error; nothing of it goes to the output."""
    from atomic.commands import Control

    log: list[str] = []

    class Desk:
        def close_group(self, group_id, why):
            raise ValueError(f"no group {group_id!r}")

        def reset_limit(self, limit, by):
            raise ValueError(f"no limit {limit!r}")

    answer = Control(Desk(), log.append).handle(fields)
    assert not answer.ok
    reply = {"Success": False, "error": "", "log": log}
    monkeypatch.setattr(live_command, "ask", lambda project, fields, timeout: reply)
    assert cli.main(["command", "any", "--data", json.dumps(fields)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: the command was refused: ")
    assert err.count("\n") == 1
    assert why in err


def test_chaos_repeats_with_its_seed():
    """The same seed draws the same day."""
    draws = [[Chaos(ChaosPlan(7, latency=1.0)).delay() for _ in range(3)] for _ in range(2)]

    assert draws[0] == draws[1]
