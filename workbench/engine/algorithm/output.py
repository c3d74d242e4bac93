"""Log, charts, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine


class Output:
    """What an algorithm tells the outside."""

    _engine: Engine

    def log(self, message: Any) -> None:
        """Write a line to the log."""
        self._engine.results.log(self._engine.clock.time, str(message))

    def debug(self, message: Any) -> None:
        """Write a line to the log and the console."""
        self._engine.results.debug(self._engine.clock.time, str(message))

    def error(self, message: Any) -> None:
        """Write an error to the log."""
        self._engine.error(str(message))

    def plot(self, *args: Any) -> None:
        """`plot(series, value)` or `plot(chart, series, value)`."""
        if len(args) == 2:
            chart, series, value = "Strategy Equity", *args
            chart = str(args[0])
            series = str(args[0])
            value = args[1]
        elif len(args) == 3:
            chart, series, value = args
        else:
            from workbench.engine.exceptions import unsupported
            raise unsupported(f"QCAlgorithm.plot with {len(args)} arguments")
        self._engine.results.plot(self._engine.clock.utc, str(chart), str(series), float(value))

    def add_chart(self, chart: Any) -> None:
        """Declare a chart."""
        self._engine.results.add_chart(chart)

    def set_runtime_statistic(self, name: str, value: Any) -> None:
        """Show a figure beside the run."""
        self._engine.results.runtime_statistics[str(name)] = str(value)

    def set_summary_statistic(self, name: str, value: Any) -> None:
        """Add a figure to the run's summary."""
        self._engine.results.summary_statistics[str(name)] = str(value)

    @property
    def runtime_statistics(self) -> dict[str, str]:
        return self._engine.results.runtime_statistics
