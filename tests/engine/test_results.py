"""What a run leaves behind."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from workbench.engine.run import run_backtest

BODY = """
def initialize(self):
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 5)
    self.set_cash(1_000_000)
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.bar = 0
    self.set_runtime_statistic("mode", self.get_parameter("mode", "none"))

def on_data(self, slice):
    self.bar += 1
    if self.bar == 3:
        self.market_order(self.abc, 25, tag="first")
        self.plot("Prices", "ABC", self.securities[self.abc].price)
        self.notify.email("desk@example.com", "filled", "25")
        self.limit_order(self.abc, -25, 500, tag="rests").cancel("no more")
"""


def test_files_of_a_run(run_lines: Any, tmp_path: Path) -> None:
    """Orders, events, log, charts, statistics, notifications and account are kept and written."""
    output = tmp_path / "out"
    result = run_lines(BODY, output=output, parameters={"mode": "card"}, name="a run")
    assert result.status == "completed"
    assert result.runtime_statistics == {"mode": "card"}
    assert [o.tag for o in result.orders] == ["first", "no more"]
    assert [e["status"] for e in result.order_events] == [
        "SUBMITTED", "FILLED", "SUBMITTED", "CANCEL_PENDING", "CANCELED"]
    assert [e["tag"] for e in result.order_events][2:] == ["rests", "no more", "no more"]
    assert list(result.charts["Prices"]) == ["ABC"]
    assert result.notifications[0][1:] == (
        "email", {"address": "desk@example.com", "subject": "filled", "message": "25", "data": ""})
    assert len(result.equity) >= 2
    holding = result.account["holdings"][0]
    assert (holding["symbol"], holding["quantity"]) == ("ABC", 25.0)
    assert result.account["value"] == result.account["cash"] + 25 * holding["price"]
    with (output / "order-events.csv").open(encoding="utf-8") as handle:
        assert [row["status"] for row in csv.DictReader(handle)] == [e["status"] for e in result.order_events]
    assert json.loads((output / "account.json").read_text())["holdings"] == result.account["holdings"]
    assert json.loads((output / "result.json").read_text())["status"] == "completed"


def test_progress_ends_at_one(run_lines: Any) -> None:
    """The progress callback gets growing parts and ends at 1."""
    seen: list[float] = []
    run_lines(BODY, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_commands_reach_the_algorithm(tmp_path: Path, small_data: Path) -> None:
    """A command class's run, or on_command, gets the fields of the command."""
    (tmp_path / "main.py").write_text('''from AlgorithmImports import *


class Pause(Command):
    def run(self, algorithm):
        algorithm.log(f"pause {self.minutes}")
        return True


class Sample(QCAlgorithm):
    def initialize(self):
        self.set_start_date(2024, 3, 4)
        self.set_end_date(2024, 3, 4)
        self.add_equity("ABC", Resolution.MINUTE)
        self.add_command(Pause)

    def on_warmup_finished(self):
        self.run_command({"$type": "Pause", "minutes": 5})
        self.run_command({"action": "status"})

    def on_command(self, data):
        self.log(f"command {data.action} {data.missing}")
        return True
''')
    result = run_backtest(tmp_path, data=small_data)
    assert [text for _, text in result.log[:2]] == ["pause 5", "command status None"]
