"""A live paper session over a data day: algorithm time is data time, the place in the day is kept with the account.

The order of a live start is LEAN's (BrokerageSetupHandler): `initialize` sees neither cash nor holdings, then the
account is read once (cash, holdings, open orders without LEAN ids and tags), then `on_warmup_finished`. From there on
time steps run on this thread, order requests on the handler's workers, scheduled events on a third thread, once a
second of data time. What the account does from outside stays unseen until the next start.
"""

from __future__ import annotations

import threading
import time as wall
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.engine import steps
from workbench.engine.clock import to_utc
from workbench.engine.enums import OrderType
from workbench.engine.exceptions import DataError
from workbench.engine.identifiers import SecurityIdentifier
from workbench.engine.live.brokerage import TYPES, PaperBrokerage
from workbench.engine.live.chaos import Chaos, ChaosPlan
from workbench.engine.live.command_files import carry_out
from workbench.engine.live.handler import LiveTransactionHandler
from workbench.engine.live.realtime import LockedSchedule, RealTime
from workbench.engine.order_types import ORDER_CLASSES
from workbench.engine.orders import NEW, Order
from workbench.engine.run import Run, TimeSpanError, find_main
from workbench.engine.symbols import Symbol, SymbolCache
from workbench.paper.account import PaperAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.engine.feed_contract import TimeStep
    from workbench.engine.orders import OrderEvent
    from workbench.engine.results import RunResult
    from workbench.engine.runtime import Engine
    from workbench.paper.account import PaperOrder

#: time steps in live mode: as in a backtest, but scheduled events have a thread of their own
PHASES: Final = tuple(phase for phase in steps.PHASES if phase not in (steps.past_events, steps.events))
_BY_NAME: Final = {name: kind for kind, name in TYPES.items()}
TICK: Final = timedelta(seconds=1)


@dataclass(slots=True)
class LiveOptions:
    """How a session runs.

    Attributes:
        speed: seconds of data time per second of wall time; 0 goes as fast as the orders are worked.
        until: algorithm time at which the session stops in order; None runs to the end of the data.
        chaos: what goes wrong.
        workers: threads that work order requests.
        commands: folder that is watched for ``command*.json``.
        on_start: called before the first data with the parameters that the algorithm asked for.
        on_tick: called once a second of data time with (done 0..1, algorithm time).
        stop: set from outside to stop in order.
    """

    speed: float = 60.0
    until: datetime | None = None
    chaos: ChaosPlan = field(default_factory=ChaosPlan)
    workers: int = 4
    commands: Path | None = None
    on_tick: Callable[[float, datetime], None] | None = None
    on_start: Callable[[set[str]], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)


class LiveSession(Run):
    """One process of a live paper session.

    Args:
        engine: the engine, not yet run.
        main: the algorithm's file.
        account: the paper account; its place in the day is where the session goes on.
        options: how it runs.
    """

    def __init__(self, engine: Engine, main: Path, account: PaperAccount, options: LiveOptions) -> None:
        super().__init__(engine, main)
        self.options = options
        self.paper = account
        self.chaos = Chaos(options.chaos)
        engine.live_mode = True
        engine.brokerage = self.brokerage = PaperBrokerage(engine, account, self.chaos)
        self.handler = LiveTransactionHandler(engine, self.brokerage, self.chaos, options.workers)
        engine.handler = self.handler
        engine.events = LockedSchedule(engine.clock, engine.fail)
        engine.schedule._events = engine.events
        engine.transactions.wait_for_order = self.handler.wait_for  # type: ignore[method-assign]
        engine.order_event = self._order_event  # type: ignore[method-assign]
        self._tell_algorithm = type(engine).order_event
        self._real_time: RealTime | None = None
        self._asked: set[str] = set()

    # -- the day --------------------------------------------------------------------------------------------------

    def _loop(self) -> bool:
        """Read the account, tell the algorithm, run the day; True when it was stopped before the data ended."""
        engine = self.engine
        start, end = self._start(), to_utc(engine.end_date, engine.clock.zone)
        place = self.paper.place
        if place:
            start = max(start, datetime.fromtimestamp(place, UTC))
        until = None if self.options.until is None else to_utc(self.options.until, engine.clock.zone)
        if until is not None and until <= start:
            at = start.astimezone(engine.clock.zone).replace(tzinfo=None)
            text = f"--until {self.options.until} is not after {at}, where the session goes on: choose a later time"
            engine.fail(TimeSpanError(text), "live")
            return False
        engine.clock.set(start)
        self._read_account()
        engine.start_run()
        self._restore_orders()
        self._real_time = RealTime(engine.events)
        try:
            engine.events.start()
            engine.is_warming_up = False
            if not engine.call("on_warmup_finished"):
                return False
            if self.options.on_start is not None:
                self.options.on_start(engine.asked)
            stopped = self._day(start, end)
            if stopped and self.options.stop.is_set() and engine.failure is None:
                engine.call("on_end_of_algorithm")  # stopped in order, as `lean live stop` does
            return stopped
        finally:
            self._settle(5.0)
            self.handler.close()
            self._real_time.close()

    def _day(self, start: datetime, end: datetime) -> bool:
        engine, options = self.engine, self.options
        until = None if options.until is None else to_utc(options.until, engine.clock.zone)
        span = max((end - start).total_seconds(), 1.0)
        origin, began = start, wall.monotonic()
        first = True
        for step in engine.feed.steps(start, end):
            if first and step.utc > start:
                # nights and hours before the first data are not waited for
                first = False
                start_at = max(start, step.utc - timedelta(minutes=1))
                origin, began = start_at, wall.monotonic()
                engine.clock.set(start_at)
            while engine.clock.utc + TICK < step.utc:
                now = engine.clock.utc + TICK
                if step.utc - now > timedelta(minutes=5):
                    now = step.utc - TICK  # overnight: straight to the next data
                    origin, began = now, wall.monotonic()
                if self._stopped(until, now) or not self._tick(now, origin, began):
                    return True
                if options.on_tick is not None:
                    options.on_tick(min(1.0, (now - start).total_seconds() / span), engine.clock.time)
            if self._stopped(until, step.utc):
                return True
            self._pace(step.utc, origin, began)
            if not self._step(step):
                return engine.failure is None and not engine.stopped
        return False

    def _stopped(self, until: datetime | None, now: datetime) -> bool:
        return self.options.stop.is_set() or (until is not None and now > until)

    def _pace(self, now: datetime, origin: datetime, began: float) -> None:
        if self.options.speed <= 0:
            self._settle(1.0)
            return
        due = began + (now - origin).total_seconds() / self.options.speed
        left = due - wall.monotonic()
        if left > 0:
            self.options.stop.wait(left)

    def _settle(self, seconds: float) -> None:
        """Wait until the workers have worked what waits, at most so long."""
        until = wall.monotonic() + seconds
        while self.handler.busy and wall.monotonic() < until:
            if self.engine.clock.utc.timestamp() < self.chaos.down_until:
                return
            wall.sleep(0.0005)

    def _tick(self, now: datetime, origin: datetime, began: float) -> bool:
        """One second without data: time, orders, scheduled events, commands. False when the run has ended."""
        engine = self.engine
        self._pace(now, origin, began)
        engine.clock.set(now)
        engine.store.tick()
        carry_out(engine, self.options.commands, self.options.stop)
        self._bad_luck(now)
        self.handler.process_synchronous_events()
        self._events(now)
        self.paper.reach(now.timestamp())
        return engine.failure is None and not engine.stopped

    def _events(self, now: datetime) -> None:
        assert self._real_time is not None
        self._real_time.tell(now, wait=1.0 if self.options.speed <= 0 else 0.0)

    def _step(self, step: TimeStep) -> bool:
        """One step with data; False when the run has ended."""
        engine = self.engine
        carry_out(engine, self.options.commands, self.options.stop)
        for phase in steps.PULSE if step.is_time_pulse else PHASES:
            if phase is steps.past_events:
                continue
            if phase is steps.data:
                self._events(step.utc)
            if phase(engine, step) is not None:
                return False
        self.paper.reach(step.utc.timestamp())
        return engine.failure is None

    # -- the account ----------------------------------------------------------------------------------------------

    def _read_account(self) -> None:
        """Cash and holdings, once (BrokerageSetupHandler.LoadCashBalance, LoadExistingHoldingsAndOrders)."""
        engine = self.engine
        engine.portfolio.set_cash(self.paper.cash)
        for text, (quantity, price) in self.paper.holdings().items():
            security = engine.securities.find(_symbol(text)) or engine.add_any(_symbol(text))
            security.holdings.set_holdings(price, quantity)

    def _restore_orders(self) -> None:
        """Open orders come back with new LEAN ids, without tags, and with fills counted from 0 (BTH.AddOpenOrder)."""
        if self.chaos.plan.reissue:
            self.paper.reissue_ids()
        for row in self.paper.open_orders():
            order = self._order(row)
            if order is not None:
                self.handler.add_open_order(order)
                self.brokerage.adopt(order, row.id)

    def _order(self, row: PaperOrder) -> Order | None:
        kind = _BY_NAME[row.type]
        symbol = _symbol(row.symbol)
        if row.combo or kind is OrderType.OPTION_EXERCISE:
            # LEAN's plugins restore combos leg by leg where the broker shows them so; here they end with the process
            self.paper.end(row.id, "canceled", self.engine.clock.utc.timestamp())
            return None
        if self.engine.securities.find(symbol) is None:
            self.engine.add_any(symbol)
        order = ORDER_CLASSES[kind](symbol, row.quantity, self.engine.clock.utc, "", None)
        order.limit_price, order.stop_price = row.limit, row.stop
        order.status = NEW
        return order

    # -- what arrives ---------------------------------------------------------------------------------------------

    def _order_event(self, event: OrderEvent) -> None:
        """Deliver an event, unless this is a day on which it gets lost, or comes twice."""
        plan = self.chaos.plan
        if self.chaos.happens(plan.lose_event):
            self.engine.results.events.append((event, event.ticket.tag))
            return
        self._tell_algorithm(self.engine, event)
        if self.chaos.happens(plan.repeat_event):
            self._tell_algorithm(self.engine, event)

    def _bad_luck(self, now: datetime) -> None:
        plan, at = self.chaos.plan, now.timestamp()
        if at >= self.chaos.down_until and self.chaos.happens(plan.drop):
            self.chaos.down_until = at + plan.drop_seconds
            self.engine.results.log(self.engine.clock.time, f"chaos: no connection for {plan.drop_seconds:g} s")
        if self.chaos.happens(plan.outside):
            held = sorted(self.paper.holdings().items())
            if held:
                text, (quantity, price) = held[self.chaos.pick(len(held))]
                side = -1.0 if quantity > 0 else 1.0
                security = self.engine.securities.find(_symbol(text))
                multiplier = 1.0 if security is None else float(security.multiplier)
                self.paper.settle(text, side, price, multiplier)
                self.engine.results.log(self.engine.clock.time, f"chaos: {side:+g} {text} traded from outside")


def _symbol(text: str) -> Symbol:
    sid = SecurityIdentifier.parse(text)
    return Symbol(sid, sid.symbol)


def run_live(
    algorithm: Path,
    *,
    data: Path,
    account: Path,
    parameters: Mapping[str, str] | None = None,
    store: Path,
    output: Path | None = None,
    name: str = "",
    cash: float = 100_000.0,
    options: LiveOptions | None = None,
    library_paths: Sequence[Path] = (),
) -> RunResult:
    """Run one process of a live paper session.

    Args:
        algorithm: project folder with a `main.py`, or the file.
        data: folder with data in LEAN's format; the algorithm's own dates say which days are played.
        account: the paper account's file; made with `cash` dollars when missing.
        parameters: what `get_parameter` answers.
        store: folder of the object store; outlives the process like the account.
        output: folder for the result files.
        name: LEAN's algorithm id.
        cash: dollars of a new account.
        options: speed, chaos, end.
        library_paths: folders on the algorithm's import path.

    Raises:
        AlgorithmNotFoundError: nothing to run.
        DataError: there is no data folder.
        AccountError: the account's file cannot be used.
    """
    from workbench.engine.imports import algorithm_modules, install
    from workbench.engine.results import write_results
    from workbench.engine.store import ObjectStore

    begin = wall.perf_counter()
    main = find_main(algorithm)
    if not data.is_dir():
        raise DataError(data, "no such data folder; give one in LEAN's format with --data, or generate one")
    install()
    from workbench.engine.runtime import Engine

    SymbolCache.clear()
    kept = ObjectStore(store)
    engine = Engine(data.resolve(), parameters or {}, kept, name or main.stem)
    kept.on_error(engine.error)
    paper = PaperAccount(account, cash)
    session = LiveSession(engine, main, paper, options or LiveOptions())
    paths = [str(main.parent), *(str(Path(p).resolve()) for p in library_paths)]
    try:
        with algorithm_modules(paths):
            status = session.execute()
        kept.close()
        result = session.result(status)
    finally:
        session.handler.close()
        paper.close()
    result.seconds = wall.perf_counter() - begin
    if output is not None:
        write_results(result, output)
    return result
