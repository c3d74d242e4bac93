"""An iron condor in LEAN's algorithm framework: the insights of one group are traded all or none.

An alpha model has four views that belong together, a portfolio construction turns them into contracts, and two lines
of `initialize` make it safe: `AtomicExecutionModel` sends one insight group as one atomic group, `CoverRiskModel` looks
for shorts without cover at each step. When the insights expire the group is closed by its own way. Every number is a
LEAN parameter.
"""

from __future__ import annotations

from AlgorithmImports import *

from datetime import date, timedelta

from atomic import AtomicOrderExecutor
from atomic.algorithm import AtomicAlgorithm
from atomic.charts import Panel
from atomic.day_plan import DayPlan
from atomic.parameters import Parameters
from atomic.strikes import beyond, calls, nearest, puts
from atomic.testing import install_fault
from risk.configure import desk_from, gate_from, session_close
from risk.framework import AtomicExecutionModel, CoverRiskModel


class CondorAlpha(AlphaModel):
    """Four insights of one group: up for the wings, down for the shorts, until a few minutes before the bell."""

    def __init__(
        self, executor: AtomicOrderExecutor, day: DayPlan, distance: float, width: float, minutes: int
    ) -> None:
        super().__init__()
        self.executor = executor
        self.day = day
        #: short strikes: per cent of the underlying away from it; wings: dollars beyond them
        self.distance = distance
        self.width = width
        self.minutes = minutes

    def update(self, algorithm: QCAlgorithm, data: Slice) -> list[Insight]:
        """Look at the chain while the day's entry is due."""
        chain = self.day.chain(data) if self.executor.ready else None
        if chain is None:
            return []
        spot = chain.underlying.price
        short_call = nearest(calls(chain), spot * (1 + self.distance / 100), away=1)
        short_put = nearest(puts(chain), spot * (1 - self.distance / 100), away=-1)
        long_call = short_call and beyond(calls(chain), short_call.strike, self.width, away=1)
        long_put = short_put and beyond(puts(chain), short_put.strike, self.width, away=-1)
        if not (short_call and short_put and long_call and long_put):
            return []
        if min(short_call.bid_price, short_put.bid_price, long_call.ask_price, long_put.ask_price) <= 0:
            return []  # a leg has no quote on the side that is needed: look again at the next bar
        self.day.entered()
        security = algorithm.securities[self.day.underlying]
        until = security.exchange.hours.get_next_market_close(security.local_time, False)
        until -= timedelta(minutes=self.minutes)
        sides = ((long_put, True), (short_put, False), (short_call, False), (long_call, True))
        return list(
            Insight.group(
                [Insight.price(leg.symbol, until, InsightDirection.UP if bought else InsightDirection.DOWN)
                 for leg, bought in sides]
            )
        )  # fmt: skip


class Contracts(PortfolioConstructionModel):
    """A fixed number of contracts in the direction of each insight, none when it has expired."""

    def __init__(self, quantity: int) -> None:
        super().__init__()
        self.quantity = quantity

    def create_targets(self, algorithm: QCAlgorithm, insights: list[Insight]) -> list[PortfolioTarget]:
        """Targets of new insights, and zero for those whose time is over."""
        targets = [PortfolioTarget(i.symbol, int(i.direction) * self.quantity) for i in insights]
        now = algorithm.utc_time
        over = [insight.symbol for insight in algorithm.insights.remove_expired_insights(now)]
        gone = (symbol for symbol in over if not algorithm.insights.has_active_insights(symbol, now))
        return targets + [PortfolioTarget(symbol, 0) for symbol in gone]


class FrameworkCondor(AtomicAlgorithm):
    """Has the condor of `CondorAlpha` once a day."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, load the journal, and set the framework's models."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault)
        minutes = read.whole("exit-before-close", 15, low=6)
        self.day = DayPlan(self, read, on_exit=self.close_left, ticker="GOOG", day=date(2015, 12, 24))
        gate = gate_from(read, session_close(self, self.day.underlying))
        self.use_atomic("framework_condor", policy=read.policy(), risk=gate)
        self.panel = Panel(self, self.atomic, desk_from(self, read, self.atomic))
        self.day.memory = self.atomic.journal.extra  # a restart does not enter a second time
        distance = read.number("short-distance", 0.4, low=0.0, high=50.0)
        width = read.number("wing-width", 5.0, low=0.01)
        self.set_alpha(CondorAlpha(self.atomic, self.day, distance, width, minutes + 5))
        self.set_portfolio_construction(Contracts(read.whole("quantity", 1, low=1)))
        self.set_risk_management(CoverRiskModel(alert=self.uncovered))
        self.set_execution(AtomicExecutionModel(self.atomic, "iron_condor"))

    def uncovered(self, text: str) -> None:
        """Tell of a short without cover."""
        self.atomic.alert_operator(text, code="uncovered")

    def close_left(self) -> None:
        """Close what a restart left: insights do not outlive a process, groups do."""
        for group in self.atomic.groups.open:
            group.close("before the bell")
