"""The fault models in plain LEAN algorithms, without this package's executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

ALGORITHM = '''
from AlgorithmImports import *
from atomic.testing import install_fault


class Plain(QCAlgorithm):
    def initialize(self):
        self.set_start_date(2015, 12, 24)
        self.set_end_date(2015, 12, 24)
        self.set_benchmark(lambda _: 1)
        goog = self.add_equity("GOOG", Resolution.MINUTE).symbol
        install_fault(self, self.get_parameter("fault"), leg="any")
        make = lambda right: self.add_option_contract(
            Symbol.create_option(goog, Market.USA, OptionStyle.AMERICAN, right, 745, datetime(2015, 12, 24))
        ).symbol
        self.call, self.put = make(OptionRight.CALL), make(OptionRight.PUT)
        at = lambda hour, minute, call: self.schedule.on(
            self.date_rules.on(2015, 12, 24), self.time_rules.at(hour, minute), call
        )
        at(10, 0, self.single)
        at(10, 10, self.stop)
        at(10, 20, self.combo)

    def single(self):
        self.ticket = self.market_order(self.call, 4, tag="single")

    def stop(self):
        if not self.ticket.status.name in ("FILLED", "INVALID"):
            self.ticket.cancel()

    def combo(self):
        legs = [Leg.create(self.call, 1), Leg.create(self.put, 1)]
        self.tickets = self.combo_market_order(legs, 4, tag="combo")

    def on_end_of_algorithm(self):
        for name, ticket in (("single", self.ticket), *(("combo", t) for t in self.tickets)):
            self.log(f"TICKET {name} {ticket.status} {ticket.quantity_filled:g}")
'''


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from workbench.data.generate import generate

    folder = tmp_path_factory.mktemp("data")
    generate(folder)
    return folder


@pytest.mark.parametrize(
    ("fault", "single", "combo"),
    [
        ("reject-leg", "INVALID 0", "INVALID 0"),
        ("refuse-leg", "INVALID 0", "INVALID 0"),
        ("never-fill", "CANCELED 0", "SUBMITTED 0"),
        ("partial-fill", "CANCELED 2", "PARTIALLY_FILLED 2"),
        ("delay-fill", "FILLED 4", "FILLED 4"),
        ("fill-after-cancel", "CANCELED 0", "SUBMITTED 0"),
        ("overfill", "FILLED 5", "FILLED 4"),
    ],
)
def test_each_fault_does_to_plain_orders_what_it_says(
    data: Path, tmp_path: Path, fault: str, single: str, combo: str
) -> None:
    """Single orders and native combos of an algorithm without the executor are broken as the fault's name says."""
    assert [line for line in tickets(data, tmp_path, fault) if line.startswith("single")] == [f"single {single}"]
    combos = [line for line in tickets(data, tmp_path, fault) if line.startswith("combo")]
    assert combos == [f"combo {combo}"] * (1 if fault == "refuse-leg" and len(combos) == 1 else 2)


def test_chaos_is_the_same_with_the_same_seed(data: Path, tmp_path: Path) -> None:
    """Drawn faults repeat with their seed and differ with another."""
    runs = {seed: [tickets(data, tmp_path, "chaos", seed) for _ in range(2)] for seed in ("1", "2", "3", "4", "5")}
    assert all(first == second for first, second in runs.values())
    assert len({tuple(first) for first, _ in runs.values()}) > 1


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("bogus", {}, "fault 'bogus': use one of reject-leg"),
        ("never-fill", {"leg": "middle"}, "fault-leg 'middle'"),
        ("partial-fill", {"fraction": 1.5}, "fault-fraction 1.5"),
        ("never-fill", {"after": "25:00"}, "fault-after '25:00'"),
    ],
)
def test_bad_faults_name_the_cure(fault: str, options: dict[str, Any], message: str) -> None:
    """An unknown fault or value is told with the values there are."""
    from workbench.engine.imports import install

    install()
    from atomic.testing import Fault

    with pytest.raises(ValueError, match=message):
        Fault(fault, **options)


def tickets(data: Path, tmp_path: Path, fault: str, seed: str = "1") -> list[str]:
    from workbench.engine.run import run_backtest

    path = tmp_path / "plain.py"
    path.write_text(ALGORITHM)
    parameters = {"fault": fault, "fault-seed": seed}
    result = run_backtest(path, data=data, parameters=parameters, library_paths=[ROOT / "Library"])
    assert result.status == "completed", result.error
    return [text[7:] for _, text in result.log if text.startswith("TICKET ")]
