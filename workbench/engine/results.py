"""What a run leaves behind: orders, events, log, charts, statistics, account."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.engine.orders import Order, OrderEvent


class Chart:
    """A named group of series; points may be added by `plot`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.series: dict[str, Series] = {}

    def add_series(self, series: Series) -> None:
        """Declare a series."""
        self.series[series.name] = series


class Series:
    """A named list of points."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        self.name = name
        self.arguments = args
        self.points: list[tuple[datetime, float]] = []


class CandlestickSeries(Series):
    """A series of candles."""


class Results:
    """Collects while the run goes on."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.messages: list[tuple[str, str, str]] = []
        self.notifications: list[tuple[str, str, dict[str, Any]]] = []
        self.events: list[tuple[OrderEvent, str]] = []
        self.charts: dict[str, Chart] = {}
        self.runtime_statistics: dict[str, str] = {}
        self.summary_statistics: dict[str, str] = {}
        self.equity: list[tuple[datetime, float]] = []
        self.errors: list[tuple[str, str]] = []

    def log(self, time: datetime, text: str) -> None:
        """Keep a log line."""
        self.lines.append((str(time), text))

    def debug(self, time: datetime, text: str) -> None:
        """Keep a line that would go to the console."""
        self.lines.append((str(time), text))
        self.messages.append(("debug", str(time), text))

    def error(self, time: datetime, text: str) -> None:
        """Keep an error."""
        self.lines.append((str(time), text))
        self.errors.append((str(time), text))

    def notify(self, time: datetime, kind: str, fields: dict[str, Any]) -> None:
        """Keep what a notification would have sent."""
        self.notifications.append((str(time), kind, fields))

    def add_chart(self, chart: Any) -> None:
        """Keep a chart that the algorithm declared."""
        self.charts[chart.name] = chart

    def plot(self, utc: datetime, chart: str, series: str, value: float) -> None:
        """Add a point."""
        found = self.charts.get(chart)
        if found is None:
            found = self.charts[chart] = Chart(chart)
        line = found.series.get(series)
        if line is None:
            line = found.series[series] = Series(series)
        line.points.append((utc, value))


@dataclass
class RunResult:
    """A finished run. `status`: completed, runtime_error or stopped_at; `error` is one line naming the cause.

    `account` holds `cash`, `value`, `time` and `holdings` (symbol id, ticker, quantity, average price, price).
    """

    status: str
    error: str = ""
    traceback: str = ""
    name: str = ""
    seconds: float = 0.0
    orders: list[Order] = field(default_factory=list)
    events: list[tuple[OrderEvent, str]] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    charts: dict[str, dict[str, list[tuple[str, float]]]] = field(default_factory=dict)
    runtime_statistics: dict[str, str] = field(default_factory=dict)
    summary_statistics: dict[str, str] = field(default_factory=dict)
    notifications: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    equity: list[tuple[str, float]] = field(default_factory=list)
    account: dict[str, Any] = field(default_factory=dict)
    algorithm: Any = None
    store: dict[str, bytes] = field(default_factory=dict)
    #: parameters that the algorithm asked for, whether they were given or not
    asked: list[str] = field(default_factory=list)

    @cached_property
    def order_events(self) -> list[dict[str, Any]]:
        """Order events as plain values, each with the tag the order had when it happened."""
        return [{**event.as_dict(), "tag": tag} for event, tag in self.events]

    def order_rows(self) -> list[dict[str, Any]]:
        """Orders as plain values."""
        return [order_row(order) for order in self.orders]


def order_row(order: Order) -> dict[str, Any]:
    """An order as plain values."""
    return {"id": order.id, "time": order.time.isoformat(), "symbol": order.symbol.value,
            "symbol_id": str(order.symbol.id), "type": order.type.name, "status": order.status.name,
            "quantity": order.quantity, "price": order.price, "limit_price": order.limit_price or None,
            "stop_price": order.stop_price or None, "tag": order.tag, "broker_id": list(order.broker_id),
            "group": None if order.group_order_manager is None else order.group_order_manager.id}


def write_results(result: RunResult, folder: Path) -> None:
    """Write a run's files: orders.csv, order-events.csv, log.txt, result.json, account.json."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "orders.csv", result.order_rows())
    _write_csv(folder / "order-events.csv", result.order_events)
    (folder / "log.txt").write_text("".join(f"{time} {text}\n" for time, text in result.log), encoding="utf-8")
    (folder / "account.json").write_text(json.dumps(result.account, indent=1), encoding="utf-8")
    summary = {"status": result.status, "error": result.error, "name": result.name, "seconds": result.seconds,
               "runtime_statistics": result.runtime_statistics, "summary_statistics": result.summary_statistics,
               "charts": result.charts, "equity": result.equity, "account": result.account,
               "notifications": result.notifications}
    (folder / "result.json").write_text(json.dumps(summary, indent=1, default=str), encoding="utf-8")


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        if rows:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
