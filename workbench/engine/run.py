"""Run an algorithm: the public entry of the embedded engine."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from workbench.engine.clock import to_utc
from workbench.engine.collector import patient_collector
from workbench.engine.exceptions import DataError
from workbench.engine.imports import algorithm_modules, install
from workbench.engine.members import snake_case
from workbench.engine.results import RunResult, write_results
from workbench.engine.steps import Pulse, run_step
from workbench.engine.store import ObjectStore
from workbench.engine.symbols import Symbol, SymbolCache

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine


#: how the log begins the line about a file with more than one algorithm
SEVERAL = "Several algorithms: "


class AlgorithmNotFoundError(Exception):
    """There is no algorithm at a path; the message names the cure."""


class TimeSpanError(ValueError):
    """A moment outside of the days that the algorithm asks for; the message names both."""


class AccountError(ValueError):
    """A starting account in the wrong form; the message names the field."""


def find_main(algorithm: Path) -> Path:
    """The file of an algorithm given as project folder or file.

    Raises:
        AlgorithmNotFoundError: nothing is there.
    """
    path = Path(algorithm)
    main = path / "main.py" if path.is_dir() else path
    if not main.is_file():
        where = f"{path} has no main.py" if path.is_dir() else f"{path} does not exist"
        raise AlgorithmNotFoundError(f"{where}; give a project folder with a main.py, or a Python file")
    return main.resolve()


def algorithm_classes(module: Any) -> list[type]:
    """The QCAlgorithm subclasses that a module defines itself, in its order."""
    from workbench.engine.algorithm import QCAlgorithm
    return [value for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, QCAlgorithm) and value.__module__ == module.__name__]


def load_algorithm(main: Path) -> type:
    """The last QCAlgorithm subclass of a file (LEAN's Loader does the same).

    Raises:
        AlgorithmNotFoundError: the file defines none.
    """
    from workbench.engine.algorithm.callbacks import Callbacks
    name = main.stem
    spec = importlib.util.spec_from_file_location(name, main)
    assert spec is not None  # a file ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    found = algorithm_classes(module)
    if not found:
        raise AlgorithmNotFoundError(f"{main} defines no class that inherits from QCAlgorithm; add one")
    kind = found[-1]
    for name in [n for n in vars(kind) if n[:1].isupper()]:
        # `def OnData(self, data)`: LEAN finds handlers by their C# names too.
        handler = snake_case(name)
        if hasattr(Callbacks, handler) and handler not in vars(kind):
            setattr(kind, handler, vars(kind)[name])
    return kind


def run_backtest(
    algorithm: Path,
    *,
    data: Path,
    parameters: Mapping[str, str] | None = None,
    store: Path | ObjectStore | None = None,
    output: Path | None = None,
    name: str = "",
    on_progress: Callable[[float], None] | None = None,
    stop_at: datetime | None = None,
    account: Mapping[str, Any] | None = None,
    start_at: datetime | None = None,
    library_paths: Sequence[Path] = (),
) -> RunResult:
    """Run an algorithm over a LEAN data folder.

    Args:
        algorithm: project folder with a `main.py`, or the file.
        data: folder with data in LEAN's format.
        parameters: what `get_parameter` answers.
        store: folder of the object store; without one it lives as long as the run.
        output: folder for the run's result files.
        name: title of the run.
        on_progress: called with the part of the time span that is done, 0 to 1.
        stop_at: algorithm time at which the run ends like a kill: everything up to and including that moment has
            happened, `on_end_of_algorithm` is not called, unflushed store writes are lost.
        account: starting cash and holdings as in `RunResult.account`, loaded after `initialize` as LEAN live does.
        start_at: algorithm time of the first day at which the run begins.
        library_paths: folders on the algorithm's import path.

    Returns:
        The result; an exception in the algorithm is a result of status `runtime_error`.

    Raises:
        AlgorithmNotFoundError: nothing to run.
        DataError: there is no data folder.
    """
    begin = perf_counter()
    main = find_main(algorithm)
    data = Path(data)
    if not data.is_dir():
        raise DataError(data, "no such data folder; give one in LEAN's format with --data, or generate one")
    install()
    from workbench.engine.runtime import Engine
    SymbolCache.clear()
    kept = store if isinstance(store, ObjectStore) else ObjectStore(store)
    engine = Engine(data.resolve(), parameters or {}, kept, name or main.stem)
    kept.on_error(engine.error)
    run = Run(engine, main, stop_at=stop_at, start_at=start_at, account=account, on_progress=on_progress)
    paths = [str(main.parent), *(str(Path(p).resolve()) for p in library_paths)]
    with algorithm_modules(paths), patient_collector():
        status = run.execute()
    kept.close(keep_unsaved=status != "stopped_at")
    result = run.result(status)
    result.seconds = perf_counter() - begin
    if output is not None:
        write_results(result, output)
    return result


class Run:
    """One run from loading to its result."""

    def __init__(self, engine: Engine, main: Path, *, stop_at: datetime | None = None,
                 start_at: datetime | None = None, account: Mapping[str, Any] | None = None,
                 on_progress: Callable[[float], None] | None = None) -> None:
        self.engine = engine
        self.main = main
        self.stop_at = stop_at
        self.start_at = start_at
        self.account = account
        self.on_progress = on_progress
        self._final: dict[str, Any] = {}

    def execute(self) -> str:
        """Load, initialize, loop, end; returns the status."""
        engine = self.engine
        try:
            self._load()
            engine.algorithm.initialize()
            if engine.end_date < engine.start_date:
                raise ValueError("Please select an algorithm end date greater than start date.")
            if self.stop_at is not None and self.stop_at < engine.start_date:
                raise TimeSpanError(f"--stop-at {self.stop_at} is before the start of the run, {engine.start_date}: "
                                    "choose a later time")
        except Exception as error:
            engine.fail(error, "initialize")
            return "runtime_error"
        try:
            stopped = self._loop()
        except AccountError:
            raise
        except Exception as error:  # a bad data file, or a chain's filter that raised while the feed selected
            engine.fail(error, "data" if isinstance(error, DataError) else "selection of contracts")
            return "runtime_error"
        finally:
            engine.feed.zips.close()
        if stopped:
            return "stopped_at"
        if engine.failure is None and engine.call("on_end_of_algorithm"):
            nothing = engine.feed.never_seen()
            if nothing:
                cure = "choose dates that the folder has, or another folder with --data"
                engine.fail(DataError(self.engine.data, f"{'; '.join(nothing)}: {cure}"), "data")
        return "completed" if engine.failure is None else "runtime_error"

    def _load(self) -> None:
        from workbench.engine.algorithm.base import AlgorithmBase
        AlgorithmBase._current_engine = self.engine
        try:
            kind = load_algorithm(self.main)
            beside = [k for k in algorithm_classes(sys.modules[kind.__module__]) if not issubclass(kind, k)]
            if beside:
                names = ", ".join(k.__name__ for k in beside)
                self.engine.results.log(self.engine.clock.time, f"{SEVERAL}{self.main.name} defines {names} and "
                                        f"{kind.__name__}: the last one runs, as on LEAN")
            self.engine.algorithm = kind()
        finally:
            AlgorithmBase._current_engine = None

    def _loop(self) -> bool:
        """The time loop; True when it ended at `stop_at`."""
        engine = self.engine
        start = self._start()
        end = to_utc(engine.end_date, engine.clock.zone)
        engine.clock.set(start)
        if self.account is not None:
            load_account(engine, self.account)
        engine.start_run()
        engine.events.start()
        if engine.warm_up_period is None and engine.warm_up_bars is None:
            engine.is_warming_up = False
            if not engine.call("on_warmup_finished"):
                return False
        stop = None if self.stop_at is None else to_utc(self.stop_at, engine.clock.zone)
        tell = _Progress(self.on_progress, start, end)
        day = start.date()
        for step in engine.feed.steps(start, end):
            utc = step.utc
            if utc.date() != day:
                day = utc.date()
                engine.sample()
            if stop is not None and utc > stop:
                engine.events.scan_past(stop)
                engine.clock.set(stop)
                engine.events.set_time(stop)
                return True
            if engine.is_warming_up and engine.clock.utc < engine.start_utc < utc:
                verdict = run_step(engine, Pulse(engine.start_utc))  # type: ignore[arg-type]  # a pulse has no slice
                if verdict is not None:
                    break
            verdict = run_step(engine, step)
            if verdict is not None:
                break
            tell(utc)
        else:
            if stop is not None and stop <= end:
                engine.events.scan_past(stop)
                return True
        engine.sample()
        tell.done()
        return False

    def _start(self) -> datetime:
        """UTC of the loop's beginning: the start, less the warm-up, or a later time of the first day."""
        engine = self.engine
        if self.start_at is not None:
            return to_utc(self.start_at, engine.clock.zone)
        if engine.warm_up_period is not None:
            return to_utc(engine.start_date - engine.warm_up_period, engine.clock.zone)
        if engine.warm_up_bars is not None:
            return warm_up_start(engine)
        return engine.start_utc

    # -- result ---------------------------------------------------------------------------------------------------

    def result(self, status: str) -> RunResult:
        """What the run leaves behind, also when it failed."""
        engine = self.engine
        results = engine.results
        error, text = "", ""
        if engine.failure is not None:
            error, text = describe_failure(engine.failure[0], engine.failure[1], self.main)
        return RunResult(
            status=status, error=error, traceback=text, name=engine.title, orders=engine.handler.all_orders(),
            events=results.events, log=results.lines, errors=results.errors,
            charts={c.name: {s.name: [(str(t), v) for t, v in s.points] for s in c.series.values()}
                    for c in results.charts.values()},
            runtime_statistics=results.runtime_statistics, summary_statistics=results.summary_statistics,
            notifications=results.notifications, equity=[(str(t), v) for t, v in results.equity],
            account=account_of(engine), algorithm=engine.algorithm, store=engine.store.snapshot(),
            asked=sorted(engine.asked))


class _Progress:
    """Tells how much of the time span is done, at whole per cents."""

    def __init__(self, tell: Callable[[float], None] | None, start: datetime, end: datetime) -> None:
        self._tell = tell
        self._start = start
        self._span = max((end - start).total_seconds(), 1.0)
        self._last = -1

    def __call__(self, utc: datetime) -> None:
        if self._tell is None:
            return
        part = (utc - self._start).total_seconds() / self._span
        if int(part * 100) != self._last:
            self._last = int(part * 100)
            self._tell(min(1.0, part))

    def done(self) -> None:
        """The run is over."""
        if self._tell is not None:
            self._tell(1.0)


def warm_up_start(engine: Engine) -> datetime:
    """Start of a warm-up given as a number of minute bars: that many minutes of regular trading before the start."""
    bars = engine.warm_up_bars or 0
    securities = [s for s in engine.securities.values if not s.symbol.is_canonical()]
    hours = securities[0].exchange.hours if securities else None
    resolution = engine.warm_up_resolution
    span = {0: 0, 1: 1, 2: 60, 3: 3600, 4: 86400}[2 if resolution is None else int(resolution)]
    if hours is None or span == 0:
        return to_utc(engine.start_date - bars * timedelta(seconds=span or 60), engine.clock.zone)
    moment = engine.start_date
    left = bars if span == 86400 else bars * span
    while left > 0:
        moment -= timedelta(days=1)
        if not hours.is_date_open(moment):
            continue
        if span == 86400:
            left -= 1
            continue
        opening = hours.get_first_daily_market_open(moment + timedelta(days=1) - timedelta(microseconds=1), False)
        close = hours.get_last_daily_market_close(moment, False)
        seconds = int((close - opening).total_seconds())
        if left <= seconds:
            return to_utc(close - timedelta(seconds=left), hours.time_zone)
        left -= seconds
    return to_utc(moment, engine.clock.zone)


def account_of(engine: Engine) -> dict[str, Any]:
    """Cash, value and holdings, as `load_account` takes them."""
    portfolio = engine.portfolio
    holdings = [{"symbol_id": str(s.symbol.id), "symbol": s.symbol.value, "quantity": s.holdings.quantity,
                 "average_price": s.holdings.average_price, "price": s.price}
                for s in portfolio.held.values()]
    return {"cash": portfolio.cash, "value": portfolio.total_portfolio_value, "time": str(engine.clock.time),
            "holdings": sorted(holdings, key=lambda h: str(h["symbol"]))}


def load_account(engine: Engine, account: Mapping[str, Any]) -> None:
    """Set cash and holdings, subscribing what is held (LEAN BrokerageSetupHandler.LoadExistingHoldingsAndOrders).

    Raises:
        AccountError: the account's form is wrong; the message names the field.
    """
    from workbench.engine.identifiers import SecurityIdentifier
    try:
        cash = float(account["cash"])
        rows = [(str(h["symbol_id"]), str(h.get("symbol", "")), float(h["quantity"]), float(h["average_price"]))
                for h in account.get("holdings", ())]
    except (KeyError, TypeError, ValueError) as error:
        raise AccountError(f"account: {error!r}; it needs cash, and for each holding symbol_id, quantity and "
                         "average_price, as in a run's account.json") from error
    engine.portfolio.set_cash(cash)
    for text, value, quantity, price in rows:
        sid = SecurityIdentifier.parse(text)
        symbol = Symbol(sid, value or sid.symbol)
        security = engine.securities.find(symbol) or engine.add_any(symbol)
        security.holdings.set_holdings(price, quantity)


def describe_failure(error: Exception, where: str, main: Path) -> tuple[str, str]:
    """One line that names the algorithm's own line, and the traceback."""
    text = "".join(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).resolve().is_relative_to(main.parent)]
    kind = type(error).__name__
    message = str(error) or kind
    if isinstance(error, ImportError) and "AlgorithmImports" in message:
        message += "; the embedded engine does not have it, run it on LEAN: lean backtest <project>"
    if isinstance(error, AlgorithmNotFoundError | TimeSpanError):
        return message, text
    if isinstance(error, SyntaxError) and error.filename and not own:
        return f"{Path(error.filename).name}, line {error.lineno}: {kind}: {error.msg}", text
    if own:
        last = own[-1]
        return f"{Path(last.filename).name}, line {last.lineno}, in {last.name}: {kind}: {message}", text
    return f"{where}: {kind}: {message}", text
