"""What an executor shows: health with why not, frozen metrics, charts drawn sparingly."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from atomic.charts import EVERY, Panel
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from risk.gate import Gate
from risk.limits import LimitBook, MarginUsage
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP, SC, LC = option("P", 90), option("P", 95), option("C", 105), option("C", 110)
CONDOR = [(LP, 1), (SP, -1), (SC, -1), (LC, 1)]


class Drawing:
    """An algorithm that notes what is drawn."""

    def __init__(self) -> None:
        self.points: list[tuple[str, str, float]] = []
        self.statistics: dict[str, str] = {}
        self.calls = 0

    def plot(self, chart: str, series: str, value: float) -> None:
        self.calls += 1
        self.points.append((chart, series, value))

    def set_runtime_statistic(self, name: str, value: str) -> None:
        self.calls += 1
        self.statistics[name] = value


def made(gateway: FakeGateway, **more: Any) -> AtomicOrderExecutor:
    return AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore(), **more)


def test_health_says_why_no_group_may_open() -> None:
    """Not started, paused, breaker, tripped limit: each is a sentence; none means a group may open."""
    gateway = FakeGateway()
    risk = Gate([], LimitBook([MarginUsage(0.5)]))
    executor = made(gateway, risk=risk)
    health = executor.health()
    assert (health["ready"], health["alive"], health["started"]) == (False, False, False)
    assert "on_warmup_finished" in health["why_not"][0]
    executor.start()
    assert executor.health()["why_not"] == []
    assert executor.health()["alive"]
    executor.pause()
    executor.shell.gates.fuse.open_until = gateway.clock + 30
    executor.account = lambda: (100.0, 10.0)  # type: ignore[method-assign]
    executor.on_data()
    health = executor.health()
    assert [why.partition(":")[0] for why in health["why_not"]] == ["paused", "circuit-breaker", "margin-usage"]
    assert "is 0.900, limit 0.5" in health["why_not"][2]
    assert not health["ready"]
    assert health["alive"]
    json.dumps(health)


def test_a_snapshot_is_frozen_and_counts_groups_by_state() -> None:
    """A picture does not change after it was taken, and cannot be changed."""
    gateway = FakeGateway()
    executor = made(gateway)
    executor.start()
    executor.execute_atomic(CONDOR, 1)
    gateway.script[SP.symbol] = "rest"
    executor.execute_atomic(CONDOR, 1)
    shown = executor.snapshot()
    assert {state: count for state, count in shown.groups.items() if count} == {"open": 1, "opening": 1}
    assert shown.counts["fills"] >= 6
    fills = shown.counts["fills"]
    executor.emergency_flatten("drill")
    assert shown.counts["fills"] == fills
    assert shown.groups["open"] == 1
    assert executor.snapshot().open_groups < 2
    with pytest.raises(FrozenInstanceError):
        shown.at = 0.0  # type: ignore[misc]
    assert executor.metrics()["groups_by_state"] == dict(executor.snapshot().groups)
    json.dumps(executor.metrics())


def test_charts_are_drawn_for_changes_only_and_once_a_minute() -> None:
    """Bars without a change draw nothing; changes within a minute are drawn together with the next."""
    gateway, drawing = FakeGateway(), Drawing()
    executor = made(gateway)
    executor.start()
    panel = Panel(drawing, executor)
    panel.update()
    assert drawing.statistics["Atomic groups"] == "none"
    assert drawing.points == [("Atomic safety", "coverage %", 100.0)]
    calls = drawing.calls
    for _ in range(100):
        panel.update()
    assert drawing.calls == calls
    group = executor.execute_atomic(CONDOR, 2)
    panel.update()
    assert drawing.calls == calls, "a minute has not passed"
    gateway.pass_seconds(EVERY)
    panel.update()
    assert ("Atomic groups", "open", 1.0) in drawing.points
    assert drawing.statistics["Atomic groups"] == "1 open"
    group.close()
    panel.update(last=True)
    assert drawing.points[-1][0] == "Atomic cost"
    assert ("Atomic groups", "open", 0.0) in drawing.points
    assert drawing.statistics["Atomic groups"] == "none"


def test_a_chart_that_fails_does_not_disturb_trading() -> None:
    """An exception of LEAN's plot is reported and swallowed."""
    gateway, drawing = FakeGateway(), Drawing()
    executor = made(gateway)
    executor.start()
    panel = Panel(drawing, executor)
    drawing.plot = lambda *_: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    panel.update()
    assert any("ZeroDivisionError" in text for text in gateway.lines)
    assert executor.execute_atomic(CONDOR, 1).is_open


def test_a_route_found_silent_later_becomes_an_alert() -> None:
    """The desk's news is asked for each minute, also while nothing changes."""
    gateway, drawing, news = FakeGateway(), Drawing(), ["", "no alert route works", ""]
    executor = made(gateway)
    executor.start()
    desk = type("Desk", (), {"new_warning": lambda self: news.pop(0)})()
    panel = Panel(drawing, executor, desk)
    for _ in range(3):
        panel.update()
        gateway.pass_seconds(EVERY)
    assert [(alert.code, int(alert.severity)) for alert in executor.alerts.recent] == [("alert-route", 1)]
    assert news == []
