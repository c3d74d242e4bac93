"""Starting, ending and failing runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.exceptions import DataError
from workbench.engine.run import AlgorithmNotFoundError, run_backtest

START = """
def initialize(self):
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 5)
    self.set_cash(1_000_000)
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.bar = 0
"""


def test_runtime_error_names_the_algorithms_own_line(run_lines: Any) -> None:
    """An exception in a handler ends the run; the message names file, line and handler, results so far are kept."""
    result = run_lines(START + """
def on_data(self, slice):
    self.bar += 1
    if self.bar == 2:
        self.market_order(self.abc, 1)
    if self.bar == 4:
        raise ValueError("boom")

def on_end_of_algorithm(self):
    self.log("the end")
""")
    assert result.status == "runtime_error"
    assert result.error.startswith("main.py, line ")
    assert result.error.endswith("in on_data: ValueError: boom")
    assert [e["status"] for e in result.order_events] == ["SUBMITTED", "FILLED"]
    assert all(text != "the end" for _, text in result.log)


def test_error_in_order_event_ends_the_run(run_lines: Any) -> None:
    """An exception in on_order_event kills the algorithm with the next step, as on LEAN."""
    result = run_lines(START + """
def on_data(self, slice):
    self.bar += 1
    self.market_order(self.abc, 1)

def on_order_event(self, event):
    raise RuntimeError("in the handler")
""")
    assert result.status == "runtime_error"
    assert "in on_order_event: RuntimeError: in the handler" in result.error
    assert len(result.orders) == 1


def test_unsupported_member_is_named(run_lines: Any) -> None:
    """A member of LEAN's that the engine lacks raises NotImplementedError with its name; hasattr answers False."""
    result = run_lines(START + """
    self.log(f"has {hasattr(self, 'bracket_order')} {hasattr(self, 'market_order')}")
    self.sma(self.abc, 10)
""")
    assert result.status == "runtime_error"
    assert "QCAlgorithm.sma is not supported by the embedded engine; run it on LEAN: lean backtest" in result.error
    assert result.log[0][1] == "has False True"


def test_unsupported_class_is_named(run_lines: Any) -> None:
    """A class of LEAN's that the engine lacks says so when it is used, not when it is imported."""
    result = run_lines(START + """
    SimpleMovingAverage(10)
""")
    assert "SimpleMovingAverage is not supported by the embedded engine" in result.error


def test_slip_of_the_pen_is_an_attribute_error(run_lines: Any) -> None:
    """A name that LEAN does not have either is an AttributeError."""
    result = run_lines(START + """
    self.makret_order(self.abc, 1)
""")
    assert "AttributeError: 'Sample' object has no attribute 'makret_order'" in result.error


def test_unknown_algorithm_and_data_folder(tmp_path: Path, small_data: Path) -> None:
    """A missing project, a file without an algorithm and a missing data folder each name the cure."""
    with pytest.raises(AlgorithmNotFoundError, match="does not exist; give a project folder"):
        run_backtest(tmp_path / "nothing", data=small_data)
    (tmp_path / "main.py").write_text("x = 1\n")
    result = run_backtest(tmp_path, data=small_data)
    assert result.status == "runtime_error"
    assert "defines no class that inherits from QCAlgorithm" in result.error
    with pytest.raises(DataError, match="no such data folder"):
        run_backtest(tmp_path, data=tmp_path / "nowhere")


def test_syntax_error_is_named(tmp_path: Path, small_data: Path) -> None:
    """A file that cannot be compiled is named with its line."""
    (tmp_path / "main.py").write_text("from AlgorithmImports import *\nclass A(QCAlgorithm)\n    pass\n")
    result = run_backtest(tmp_path, data=small_data)
    assert result.status == "runtime_error"
    assert "SyntaxError" in result.error
    assert "main.py, line 2" in result.error


def test_stop_at_is_like_a_kill(run_lines: Any, tmp_path: Path) -> None:
    """A stopped run has done everything up to the moment, calls no end handler and loses unflushed writes."""
    store = tmp_path / "store"
    result = run_lines(START + """
    self.object_store.save("flushed", "1")
    self.object_store.get_file_path("flushed")
    self.object_store.save("lost", "1")
    self.schedule.on(self.date_rules.on(2024, 3, 4), self.time_rules.at(9, 40, 30), lambda: self.log("at 9:40:30"))

def on_data(self, slice):
    self.log(f"bar {self.time:%H:%M}")

def on_end_of_algorithm(self):
    self.log("the end")
""", stop_at=datetime(2024, 3, 4, 9, 40, 30), store=store)
    assert result.status == "stopped_at"
    assert [text for _, text in result.log][-2:] == ["bar 09:40", "at 9:40:30"]
    assert (store / "flushed").read_text() == "1"
    assert not (store / "lost").exists()
    assert result.account["time"] == "2024-03-04 09:40:30"


def test_account_of_a_stopped_run_is_loaded_after_initialize(run_lines: Any) -> None:
    """A resumed run sees its holdings in on_warmup_finished, not in initialize, and has no orders."""
    first = run_lines(START + """
def on_data(self, slice):
    self.bar += 1
    if self.bar == 3:
        self.market_order(self.abc, 25)
        self.limit_order(self.abc, 5, 1)
""", stop_at=datetime(2024, 3, 4, 9, 45))
    second = run_lines(START + """
    self.log(f"initialize {self.portfolio[self.abc].quantity:g}")

def on_warmup_finished(self):
    self.log(f"{self.time:%H:%M} {self.portfolio[self.abc].quantity:g} {len(self.transactions.get_open_orders())}")
""", account=first.account, start_at=datetime(2024, 3, 4, 9, 45))
    assert [text for _, text in second.log if "No data" not in text][:2] == ["initialize 0", "09:45 25 0"]
    assert second.account["cash"] == pytest.approx(first.account["cash"])


def test_bad_account_is_named(run_lines: Any) -> None:
    """An account without cash is refused with the missing field."""
    with pytest.raises(ValueError, match="KeyError\\('cash'\\); it needs cash, and for each holding symbol_id"):
        run_lines(START, account={"holdings": []})


def test_modules_of_the_algorithm_are_forgotten(tmp_path: Path, small_data: Path) -> None:
    """A second run sees the changed helper module."""
    for value in ("one", "three"):
        (tmp_path / "helper.py").write_text(f"VALUE = '{value}'\n")
        (tmp_path / "main.py").write_text(
            "from AlgorithmImports import *\nimport helper\n\n\nclass A(QCAlgorithm):\n    def initialize(self):\n"
            "        self.set_start_date(2024, 3, 4)\n        self.set_end_date(2024, 3, 4)\n"
            "        self.log(helper.VALUE)\n")
        assert run_backtest(tmp_path, data=small_data).log[0][1] == value


def test_execution_model_hears_events_before_the_algorithm(run_lines: Any) -> None:
    """An execution model gets each event first and `execute` each step; its exceptions are logged, not fatal."""
    result = run_lines(START + """
    class Listener(ExecutionModel):
        seen = 0
        def on_order_event(self, algorithm, event):
            algorithm.log(f"model {event.status}")
            if event.status == OrderStatus.CANCELED:
                raise ValueError("no")
        def execute(self, algorithm, targets):
            Listener.seen += 1
    self.set_execution(Listener())
    self.listener = Listener

def on_data(self, slice):
    self.bar += 1
    if self.bar == 1:
        self.limit_order(self.abc, 1, 1).cancel()

def on_order_event(self, event):
    self.log(f"algorithm {event.status}")

def on_end_of_algorithm(self):
    self.log(f"steps {self.listener.seen > 100}")
""")
    assert result.status == "completed", result.traceback
    assert [text for _, text in result.log if "No data" not in text] == [
        "model SUBMITTED", "algorithm SUBMITTED", "model CANCEL_PENDING", "algorithm CANCEL_PENDING", "model CANCELED",
        "Error in Listener.on_order_event: no", "steps True"]
