"""Time inside a step and between steps."""

from __future__ import annotations

from typing import Any

START = """
def initialize(self):
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 5)
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.bar = 0
"""


def lines(result: Any) -> list[str]:
    assert result.status == "completed", result.traceback
    return [text for _, text in result.log if "No data" not in text]


def test_timer_set_by_a_timer_between_bars_fires_with_the_next_step(run_lines: Any) -> None:
    """LEAN sorts its events once per moment: what a callback adds is seen at the next one (trace p06 and its kind)."""
    result = run_lines(START + """
    self.schedule.on(self.date_rules.on(2024, 3, 4), self.time_rules.at(9, 40, 5), self.first)

def first(self):
    self.log(f"first {self.time:%H:%M:%S}")
    self.schedule.on(self.date_rules.on(2024, 3, 4), self.time_rules.at(9, 40, 10), self.second)

def second(self):
    self.log(f"second {self.time:%H:%M:%S}")
""")
    assert lines(result) == ["first 09:40:05", "second 09:41:00"]


def test_event_removed_by_a_callback_of_the_same_moment_still_fires(run_lines: Any) -> None:
    """Removing an event takes effect at the next moment."""
    result = run_lines(START + """
    at = self.time_rules.at(9, 40)
    day = self.date_rules.on(2024, 3, 4)
    self.schedule.on("first", day, at, self.first)
    self.later = self.schedule.on("second", day, at, lambda: self.log("second"))
    self.never = self.schedule.on("third", day, self.time_rules.at(9, 41), lambda: self.log("third"))

def first(self):
    self.log("first")
    self.schedule.remove(self.later)
    self.schedule.remove(self.never)
""")
    assert lines(result) == ["first", "second"]


def test_order_inside_a_step(run_lines: Any) -> None:
    """Fills come before scheduled events, these before on_data."""
    result = run_lines(START + """
    self.schedule.on(self.date_rules.on(2024, 3, 4), self.time_rules.at(9, 42), lambda: self.log("event"))

def on_data(self, slice):
    self.bar += 1
    if self.bar == 1:
        self.limit_order(self.abc, 1, 500)
    if self.bar <= 2:
        self.log(f"data {self.time:%H:%M}")

def on_order_event(self, event):
    self.log(f"{event.status} {self.time:%H:%M}")
""")
    assert lines(result) == ["SUBMITTED 09:31", "data 09:31", "FILLED 09:32", "data 09:32", "event"]


def test_rules_of_the_exchange(run_lines: Any) -> None:
    """After the open, before the close, every interval: each at its own time of both days."""
    result = run_lines(START + """
    days = self.date_rules.every_day(self.abc)
    self.schedule.on(days, self.time_rules.after_market_open(self.abc, 10),
                     lambda: self.log(f"open {self.time:%d %H:%M}"))
    self.schedule.on(days, self.time_rules.before_market_close(self.abc, 5),
                     lambda: self.log(f"close {self.time:%d %H:%M}"))
    self.schedule.on(self.date_rules.on(2024, 3, 4), self.time_rules.every(timedelta(hours=8)),
                     lambda: self.log(f"every {self.time:%d %H:%M}"))
""")
    assert lines(result) == ["every 04 00:00", "every 04 08:00", "open 04 09:40", "close 04 15:55", "every 04 16:00",
                             "open 05 09:40", "close 05 15:55"]


def test_end_of_day_comes_ten_minutes_before_the_close(run_lines: Any) -> None:
    """on_end_of_day fires for each security, at its own time although there is no bar."""
    result = run_lines(START + """
def on_end_of_day(self, symbol):
    self.log(f"{symbol.value} {self.time:%d %H:%M}")
""")
    assert lines(result) == ["ABC 04 15:50", "ABC 05 15:50"]


def test_orders_in_initialize_and_during_warm_up_are_refused(run_lines: Any) -> None:
    """Before the run's start every submit is answered INVALID with id -10, without an event."""
    result = run_lines("""
def initialize(self):
    self.set_start_date(2024, 3, 5)
    self.set_end_date(2024, 3, 5)
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.set_warm_up(timedelta(days=1))
    self.bar = 0

def on_data(self, slice):
    self.bar += 1
    if self.bar == 1:
        ticket = self.market_order(self.abc, 1)
        self.log(f"{self.is_warming_up} {ticket.order_id} {ticket.status} {ticket.submit_request.response.error_code}")

def on_warmup_finished(self):
    self.log(f"ready {self.time:%d %H:%M} {self.securities[self.abc].price:g}")
""")
    said = lines(result)
    assert said[0].startswith("This operation is not allowed in initialize or during warm up")
    assert said[1] == "True -10 INVALID ALGORITHM_WARMING_UP"
    assert said[2].startswith("ready 05 00:00 ")
    assert result.order_events == []
