"""An iron condor and a long strangle on the same underlying, sharing one executor.

The strangle buys the strikes that are the condor's wings, so that two groups hold the same two contracts: LEAN knows
only the sum, each group closes its own share. The strangle leaves before the condor. Every number is a LEAN parameter.
"""

from __future__ import annotations

from AlgorithmImports import *

from datetime import date, time

from atomic import AtomicGroup
from atomic.algorithm import AtomicAlgorithm
from atomic.charts import Panel
from atomic.day_plan import DayPlan
from atomic.parameters import Parameters
from atomic.strikes import beyond, calls, nearest, puts
from atomic.testing import install_fault
from risk.configure import desk_from, gate_from, session_close


class TwoStrategies(AtomicAlgorithm):
    """Opens a condor and a strangle a day and closes each at its own time."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, and load the journal."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault)
        self.day = DayPlan(self, read, on_exit=self.close_condor, ticker="GOOG", day=date(2015, 12, 24))
        #: short strikes of the condor: per cent of the underlying away from it
        self.distance = read.number("short-distance", 0.4, low=0.0, high=50.0)
        #: wings of the condor, strikes of the strangle: dollars beyond the short strikes
        self.width = read.number("wing-width", 5.0, low=0.01)
        self.condors = read.whole("condor-quantity", 2, low=1)
        self.strangles = read.whole("strangle-quantity", 1, low=1)
        #: checks and limits by parameters such as `max-underlying-loss` and `drawdown`: see `risk.configure`
        gate = gate_from(read, session_close(self, self.day.underlying))
        self.use_atomic("two_strategies", policy=read.policy(), risk=gate)
        self.panel = Panel(self, self.atomic, desk_from(self, read, self.atomic))
        self.day.memory = self.atomic.journal.extra  # a restart does not enter a second time
        leave = read.clock("strangle-exit-time", time(11, 30))
        self.schedule.on(
            self.date_rules.every_day(self.day.underlying),
            self.time_rules.at(leave.hour, leave.minute, leave.second),
            self.close_strangle,
        )

    def on_slice(self, slice: Slice) -> None:
        """Open both groups when their time has come."""
        if self.atomic.ready and not self.atomic.groups.open:
            chain = self.day.chain(slice)
            if chain is not None:
                self.open_both(chain)

    def open_both(self, chain: OptionChain) -> None:
        """Choose strikes and send both groups."""
        spot = chain.underlying.price
        short_call = nearest(calls(chain), spot * (1 + self.distance / 100), away=1)
        short_put = nearest(puts(chain), spot * (1 - self.distance / 100), away=-1)
        long_call = short_call and beyond(calls(chain), short_call.strike, self.width, away=1)
        long_put = short_put and beyond(puts(chain), short_put.strike, self.width, away=-1)
        if not (short_call and short_put and long_call and long_put):
            return
        if min(short_call.bid_price, short_put.bid_price, long_call.ask_price, long_put.ask_price) <= 0:
            return  # a leg has no quote on the side that is needed: look again at the next bar
        self.day.entered()
        groups = [
            self.atomic.execute_iron_condor_atomic(short_call, long_call, short_put, long_put, quantity=self.condors),
            self.atomic.execute_strangle_atomic(long_call, long_put, quantity=self.strangles),
        ]
        for group in groups:
            for register in (group.on_open, group.on_closed, group.on_held):
                register(self.report)

    def report(self, group: AtomicGroup) -> None:
        """Write what became of a group into the log."""
        self.log(group.summary())

    def close_strangle(self) -> None:
        """Close the strangle and nothing of the condor's wings."""
        self.close("strangle", "its time is over")

    def close_condor(self) -> None:
        """Close everything that is left before the bell."""
        self.close("", "before the bell")

    def close(self, strategy: str, why: str) -> None:
        """Close the open groups of a strategy, all of them if it is empty."""
        for group in self.atomic.groups.open:
            if strategy in group.strategy:
                group.close(why)
