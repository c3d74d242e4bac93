"""The two framework models: on fakes step by step, and in a run over LEAN's sample data."""

import time
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.engine.imports import install

install()

from AlgorithmImports import OptionRight, OptionStyle, OrderType, SecurityType, Symbol  # noqa: E402

from risk.framework import AtomicExecutionModel, CoverRiskModel, insight_group  # noqa: E402
from risk.structure import PayoffLeg  # noqa: E402
from risk.uncovered import naked, uncovered_contracts  # noqa: E402

GOOG = Symbol.create("GOOG", SecurityType.EQUITY, "usa")


def option(strike: float, right: str = "C", day: int = 24) -> Any:
    side = OptionRight.CALL if right == "C" else OptionRight.PUT
    return Symbol.create_option(GOOG, "usa", OptionStyle.AMERICAN, side, strike, datetime(2015, 12, day))


class Account(dict):  # type: ignore[type-arg]
    """Holdings by symbol, iterated as LEAN's portfolio is."""

    def __iter__(self) -> Any:
        return iter([SimpleNamespace(key=symbol, value=holding) for symbol, holding in self.items()])

    def __missing__(self, symbol: Any) -> Any:
        return SimpleNamespace(quantity=0.0)

    @property
    def invested(self) -> bool:
        return any(holding.quantity for holding in self.values())


class Fake:
    """An algorithm as far as the models look."""

    def __init__(self, **held: float) -> None:
        self.portfolio = Account()
        self.tickets: list[Any] = []
        self.errors: list[str] = []
        self.lines: list[str] = []
        self.utc_time = datetime(2015, 12, 24, 15, 0, tzinfo=UTC)
        self.transactions = SimpleNamespace(
            get_open_order_tickets=lambda symbol: [t for t in self.tickets if t.symbol == symbol]
        )
        properties = SimpleNamespace(symbol_properties=SimpleNamespace(contract_multiplier=100))
        self.securities = type("All", (dict,), {"__missing__": lambda _, __: properties})()

    def hold(self, symbol: Any, quantity: float) -> None:
        self.portfolio[symbol] = SimpleNamespace(quantity=float(quantity))

    def error(self, message: str) -> None:
        self.errors.append(message)

    def log(self, message: str) -> None:
        self.lines.append(message)


def target(symbol: Any, quantity: float) -> Any:
    return SimpleNamespace(symbol=symbol, quantity=quantity)


def shown(targets: list[Any]) -> list[tuple[str, float]]:
    return [(t.symbol.value, float(t.quantity)) for t in targets]


def test_uncovered_shorts_are_bought_back_after_a_step_of_patience() -> None:
    """Two of three short calls have no cover: the first step waits, the second asks for their return."""
    algorithm, told = Fake(), []
    algorithm.hold(option(755), -3)
    algorithm.hold(option(760), 1)
    model = CoverRiskModel(alert=told.append)
    assert model.manage_risk(algorithm, []) == []
    assert shown(model.manage_risk(algorithm, [])) == [("GOOG  151224C00755000", -1.0)]
    assert shown(model.manage_risk(algorithm, [])) == [("GOOG  151224C00755000", -1.0)]
    assert told == ["GOOG  151224C00755000: 2 of 3 short contracts have no cover"]
    algorithm.hold(option(755), -1)
    assert model.manage_risk(algorithm, []) == []


def test_flatten_takes_the_whole_contract_and_alert_none() -> None:
    """By policy the short goes to zero, or somebody is only told."""
    algorithm, told = Fake(), []
    algorithm.hold(option(755), -3)
    algorithm.hold(option(760), 1)
    assert shown(CoverRiskModel("flatten", patience=0).manage_risk(algorithm, [])) == [("GOOG  151224C00755000", 0.0)]
    assert CoverRiskModel("alert", patience=0, alert=told.append).manage_risk(algorithm, []) == []
    assert len(told) == 1
    with pytest.raises(ValueError, match="action 'sell'"):
        CoverRiskModel("sell")


def test_cover_is_a_condor_shares_or_what_is_allowed() -> None:
    """A condor, a covered call and a strangle that is meant to be one are left alone."""
    condor = Fake()
    for strike, right, quantity in ((740, "P", 1), (745, "P", -1), (755, "C", -1), (760, "C", 1)):
        condor.hold(option(strike, right), quantity)
    covered = Fake()
    covered.hold(GOOG, 100)
    covered.hold(option(755), -1)
    strangle = Fake()
    strangle.hold(option(755), -1)
    model = CoverRiskModel(patience=0)
    assert model.manage_risk(condor, []) == model.manage_risk(covered, []) == model.manage_risk(Fake(), []) == []
    assert CoverRiskModel(patience=0, allowed=lambda s: s == option(755)).manage_risk(strangle, []) == []


def test_cover_that_expires_earlier_is_none() -> None:
    """A long of an earlier day does not cover a later short."""
    algorithm = Fake()
    algorithm.hold(option(755, day=31), -1)
    algorithm.hold(option(760, day=24), 1)
    assert shown(CoverRiskModel(patience=0).manage_risk(algorithm, [])) == [("GOOG  151231C00755000", 0.0)]


def test_shares_without_a_stop_are_protected_or_sold() -> None:
    """Shares that must have a stop: `protect` is asked once; without it they are brought to zero."""
    algorithm, asked = Fake(), []
    algorithm.hold(GOOG, 100)
    needs = {"needs_stop": lambda s: s == GOOG, "patience": 0}
    repair = CoverRiskModel(protect=lambda s, q: asked.append((s.value, q)), **needs)  # type: ignore[arg-type]
    assert repair.manage_risk(algorithm, []) == repair.manage_risk(algorithm, []) == []
    assert asked == [("GOOG", 100.0)]
    assert shown(CoverRiskModel(**needs).manage_risk(algorithm, [])) == [("GOOG", 0.0)]  # type: ignore[arg-type]
    stop = SimpleNamespace(symbol=GOOG, order_type=OrderType.STOP_MARKET, quantity=-100.0, quantity_filled=0.0)
    algorithm.tickets = [stop]
    assert CoverRiskModel(**needs).manage_risk(algorithm, []) == []  # type: ignore[arg-type]
    stop.quantity_filled = -40.0
    assert shown(CoverRiskModel(**needs).manage_risk(algorithm, [])) == [("GOOG", 0.0)]  # type: ignore[arg-type]


def test_which_short_is_uncovered() -> None:
    """The nearer strike is covered first, the later expiry first; shares after that; sums agree with `naked`."""
    legs = [
        PayoffLeg("C", 755.0, -2, 100.0, 1.0),
        PayoffLeg("C", 765.0, -2, 100.0, 1.0),
        PayoffLeg("C", 770.0, 1, 100.0, 1.0),
        PayoffLeg("S", 0.0, 150, 1.0, 750.0),
        PayoffLeg("P", 700.0, -1, 100.0, 1.0),
    ]
    assert uncovered_contracts(legs) == [0, 2, 0, 0, 1]
    assert naked(legs).calls == 150.0


class Executor:
    """Remembers what it was asked, and answers with handles that the test moves on."""

    def __init__(self) -> None:
        self.ready = True
        self.asked: list[tuple[list[tuple[str, int]], int]] = []
        self.handles: list[Any] = []

    def execute_atomic(self, legs: Any, quantity: int, strategy: str, **options: Any) -> Any:
        if len(legs) > 6:
            raise ValueError("too many legs")
        self.asked.append(([(symbol.value[6:], ratio) for symbol, ratio in legs], quantity))
        handle = SimpleNamespace(is_open=False, is_done=False, closed=[])
        handle.close = handle.closed.append
        self.handles.append(handle)
        return handle


CONDOR = [
    (option(740, "P"), 2),
    (option(745, "P"), -2),
    (option(755), -2),
    (option(760), 2),
]


def fill(algorithm: Fake, factor: float = 1) -> None:
    for symbol, quantity in CONDOR:
        algorithm.hold(symbol, quantity * factor)


def test_targets_of_one_idea_become_one_group() -> None:
    """Four targets, two units: one group; while it opens and when it stands nothing more is sent."""
    algorithm, executor = Fake(), Executor()
    model = AtomicExecutionModel(executor)
    model.execute(algorithm, [target(*pair) for pair in CONDOR])
    assert executor.asked == [
        ([("151224P00740000", 1), ("151224P00745000", -1), ("151224C00755000", -1), ("151224C00760000", 1)], 2)
    ]
    model.execute(algorithm, [])
    fill(algorithm)
    executor.handles[0].is_open = True
    model.execute(algorithm, [target(*pair) for pair in CONDOR])
    assert len(executor.asked) == 1


def test_targets_at_zero_close_the_group_and_are_forgotten() -> None:
    """Zero targets close the group by its own way; when it is flat the model knows nothing of it any more."""
    algorithm, executor = Fake(), Executor()
    model = AtomicExecutionModel(executor)
    model.execute(algorithm, [target(*pair) for pair in CONDOR])
    fill(algorithm)
    handle = executor.handles[0]
    handle.is_open = True
    model.execute(algorithm, [target(symbol, 0) for symbol, _ in CONDOR])
    assert handle.closed == ["the target is smaller or turned"]
    handle.is_open, handle.is_done = False, True
    fill(algorithm, 0)
    model.execute(algorithm, [])
    assert not model._wanted
    assert not model._handles
    assert len(executor.asked) == 1


def test_a_larger_target_adds_a_group_and_a_smaller_one_starts_again() -> None:
    """More units open the difference as a second group; fewer close the group, then open what is left."""
    algorithm, executor = Fake(), Executor()
    model = AtomicExecutionModel(executor)
    model.execute(algorithm, [target(*pair) for pair in CONDOR])
    fill(algorithm)
    executor.handles[0].is_open = True
    model.execute(algorithm, [target(symbol, 1.5 * quantity) for symbol, quantity in CONDOR])
    assert executor.asked[1][1] == 1
    fill(algorithm, 1.5)
    executor.handles[1].is_open = True
    model.execute(algorithm, [target(symbol, quantity / 2) for symbol, quantity in CONDOR])
    assert all(handle.closed for handle in executor.handles)
    for handle in executor.handles:
        handle.is_open, handle.is_done = False, True
    fill(algorithm, 0)
    model.execute(algorithm, [])
    assert executor.asked[2][1] == 1


def test_what_was_refused_is_not_asked_again_at_once() -> None:
    """A group that ended without standing is tried again after a while, or when the targets change."""
    algorithm, executor = Fake(), Executor()
    model = AtomicExecutionModel(executor, retry_after=300)
    wanted = [target(*pair) for pair in CONDOR]
    model.execute(algorithm, wanted)
    executor.handles[0].is_done = True
    model.execute(algorithm, wanted)
    assert len(executor.asked) == 1
    model.execute(algorithm, [target(symbol, 2 * quantity) for symbol, quantity in CONDOR])
    assert [quantity for _, quantity in executor.asked] == [2, 4]
    executor.handles[1].is_done = True
    algorithm.utc_time = datetime(2015, 12, 24, 15, 5, tzinfo=UTC)
    model.execute(algorithm, [])
    assert len(executor.asked) == 3


def test_what_fails_again_and_again_is_given_up_until_the_targets_change() -> None:
    """Each roll-back costs money: after three attempts of the same targets nothing more is sent for them."""
    algorithm, executor = Fake(), Executor()
    model = AtomicExecutionModel(executor, retry_after=60)
    model.execute(algorithm, [target(*pair) for pair in CONDOR])
    for minute in range(1, 8):
        executor.handles[-1].is_done = True
        algorithm.utc_time = datetime(2015, 12, 24, 15, 2 * minute, tzinfo=UTC)
        model.execute(algorithm, [])
    assert len(executor.asked) == 3
    assert algorithm.lines == ["insights: attempt 3 is the last one for these targets"]
    model.execute(algorithm, [target(symbol, quantity // 2) for symbol, quantity in CONDOR])
    assert len(executor.asked) == 4


def test_the_pause_between_attempts_does_not_depend_on_the_machines_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """LEAN's times are UTC without saying so; an hour that the machine's zone has twice is no pause."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        algorithm, executor = Fake(), Executor()
        algorithm.utc_time = datetime(2015, 11, 1, 1, 59)
        model = AtomicExecutionModel(executor, retry_after=1800)
        model.execute(algorithm, [target(*pair) for pair in CONDOR])
        executor.handles[0].is_done = True
        algorithm.utc_time = datetime(2015, 11, 1, 2, 5)  # New York would say: an hour and six minutes later
        model.execute(algorithm, [])
        assert len(executor.asked) == 1
        algorithm.utc_time = datetime(2015, 11, 1, 2, 30)
        model.execute(algorithm, [])
        assert len(executor.asked) == 2
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nothing_is_sent_before_the_executor_is_ready_and_bad_terms_are_logged() -> None:
    """Targets wait for the gate; terms no group may have end in the log, not in an exception."""
    algorithm, executor = Fake(), Executor()
    executor.ready = False
    model = AtomicExecutionModel(executor)
    model.execute(algorithm, [target(*pair) for pair in CONDOR])
    assert not executor.asked
    executor.ready = True
    model.execute(algorithm, [])
    assert len(executor.asked) == 1
    crowd = AtomicExecutionModel(executor)
    crowd.execute(algorithm, [target(option(700 + 5 * step), 1) for step in range(7)])
    assert algorithm.errors == ["insights: too many legs"]


def test_insight_groups_are_told_apart() -> None:
    """The newest active insight decides what belongs together; without one the underlying does."""
    algorithm: Any = Fake()
    assert insight_group(algorithm, option(755)) == str(GOOG.id)
    made = [
        SimpleNamespace(symbol=option(755), group_id=name, generated_time_utc=at)
        for name, at in (("old", 1), ("new", 2), (None, 3))
    ]
    algorithm.insights = SimpleNamespace(get_active_insights=lambda _: made)
    assert insight_group(algorithm, option(755)) == "new"
    assert insight_group(algorithm, option(760)) == str(GOOG.id)
    assert insight_group(algorithm, GOOG) == str(GOOG.id)


RUN = """
from AlgorithmImports import *
from atomic import AtomicOrderExecutor
from risk.framework import AtomicExecutionModel, CoverRiskModel

class Ideas(RiskManagementModel):
    def manage_risk(self, algorithm, targets):
        if algorithm.time.hour == 10 and algorithm.time.minute == 0:
            return [PortfolioTarget(symbol, quantity) for symbol, quantity in algorithm.legs]
        if algorithm.time.hour == 11 and algorithm.time.minute == 0:
            return [PortfolioTarget(symbol, 0) for symbol, quantity in algorithm.legs]
        return []

class FrameworkCondor(QCAlgorithm):
    def initialize(self):
        self.set_start_date(2015, 12, 24)
        self.set_end_date(2015, 12, 24)
        self.set_benchmark(lambda _: 1)
        goog = self.add_equity("GOOG", Resolution.MINUTE).symbol
        day = datetime(2015, 12, 24)
        make = lambda strike, right: self.add_option_contract(
            Symbol.create_option(goog, Market.USA, OptionStyle.AMERICAN, right, strike, day), Resolution.MINUTE).symbol
        self.legs = [(make(742.5, OptionRight.PUT), 1), (make(745, OptionRight.PUT), -1),
                     (make(752.5, OptionRight.CALL), -1), (make(755, OptionRight.CALL), 1)]
        self.atomic = AtomicOrderExecutor(self, name="framework")
        self.set_risk_management(Ideas())
        self.add_risk_management(CoverRiskModel())
        self.set_execution(AtomicExecutionModel(self.atomic, "condor"))

    def on_warmup_finished(self):
        self.atomic.start()

    def on_order_event(self, event):
        self.atomic.on_order_event(event)

    def on_data(self, slice):
        self.atomic.on_data(slice)
"""


def test_a_framework_algorithm_trades_its_targets_as_one_group(tmp_path: Path, lean_data: Path) -> None:
    """Targets of a condor at 10:00 and zero at 11:00: one group, opened long legs first and closed short legs first."""
    from workbench.engine.run import run_backtest

    main = tmp_path / "framework_condor.py"
    main.write_text(dedent(RUN))
    library = Path(__file__).resolve().parents[2] / "Library"
    result = run_backtest(main, data=lean_data, store=tmp_path / "store", library_paths=[library])
    assert result.status == "completed", result.error
    groups = result.algorithm.atomic.groups.all
    assert [(g.strategy, g.is_done, str(g.outcome)) for g in groups] == [("condor", True, "closed")]
    fills = [(e["symbol"], e["fill_quantity"]) for e in result.order_events if e["fill_quantity"]]
    assert len(fills) == 8
    assert [quantity for _, quantity in fills] == [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0]
