"""A small data folder and a way to run a few lines of algorithm on it."""

from __future__ import annotations

import textwrap
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.results import RunResult
from workbench.engine.run import run_backtest

Bars = list[tuple[float, float, float, float]]


def write_equity(data: Path, ticker: str, day: date, bars: Bars, spread: float = 0.02, start_minute: int = 570) -> None:
    """Write trade and quote minutes of one day; `bars` are open, high, low, close in dollars."""
    folder = data / "equity" / "usa" / "minute" / ticker
    folder.mkdir(parents=True, exist_ok=True)
    trades, quotes = [], []
    for index, bar in enumerate(bars):
        at = (start_minute + index) * 60_000
        scaled = [round(p * 10_000) for p in bar]
        trades.append(f"{at},{','.join(map(str, scaled))},1000")
        half = round(spread / 2 * 10_000)
        bid = ",".join(str(p - half) for p in scaled)
        ask = ",".join(str(p + half) for p in scaled)
        quotes.append(f"{at},{bid},100,{ask},100")
    for kind, rows in (("trade", trades), ("quote", quotes)):
        with zipfile.ZipFile(folder / f"{day:%Y%m%d}_{kind}.zip", "w") as archive:
            archive.writestr(f"{day:%Y%m%d}_{ticker}_minute_{kind}.csv", "\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of one stock that goes up and down, 60 minutes each."""
    data = tmp_path_factory.mktemp("data")
    day = date(2024, 3, 4)
    for offset in range(2):
        bars: Bars = []
        price = 100.0 + offset
        for minute in range(60):
            step = (0.3, -0.2, 0.5, -0.7, 0.1, 0.4, -0.6)[(minute + offset) % 7]
            close = round(price + step, 2)
            bars.append((price, round(max(price, close) + 0.1, 2), round(min(price, close) - 0.1, 2), close))
            price = close
        write_equity(data, "abc", day + timedelta(days=offset), bars)
    return data


Runner = Callable[..., RunResult]


@pytest.fixture
def run_lines(small_data: Path, tmp_path: Path) -> Runner:
    """Run the body of a `QCAlgorithm` given as text."""
    def run(body: str, **options: Any) -> RunResult:
        main = tmp_path / "main.py"
        main.write_text("from AlgorithmImports import *\n\n\nclass Sample(QCAlgorithm):\n"
                        + textwrap.indent(textwrap.dedent(body), "    "), encoding="utf-8")
        return run_backtest(main, data=options.pop("data", small_data), **options)
    return run


#: what an algorithm passes on to its executor (`docs/tutorial.md`)
WIRING = """
def on_warmup_finished(self):
    self.atomic.start()

def on_order_event(self, order_event):
    self.atomic.on_order_event(order_event)
"""
LIBRARY = Path(__file__).resolve().parents[2] / "Library"


@pytest.fixture
def run_wired(run_lines: Runner) -> Runner:
    """Run the body of an algorithm that has an executor `self.atomic`, which hears of its orders."""
    def run(body: str, **options: Any) -> RunResult:
        return run_lines(body + WIRING, library_paths=[LIBRARY], **options)
    return run
