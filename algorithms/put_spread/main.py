"""A zero-days bull put spread that is all or nothing: a short put and the long put that covers it.

Sized by the largest loss that is allowed, closed before the bell. Every number is a LEAN parameter.
"""

from __future__ import annotations

from AlgorithmImports import *

from datetime import date

from atomic import AtomicGroup
from atomic.algorithm import AtomicAlgorithm
from atomic.day_plan import DayPlan
from atomic.parameters import Parameters
from atomic.strikes import beyond, out_of_the_money, puts
from atomic.testing import install_fault
from risk import PayoffLeg, max_loss, units_for_max_loss


class PutSpread(AtomicAlgorithm):
    """Opens one spread a day at `entry-time` and closes it `exit-before-close` minutes before the bell."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, and load the journal."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault)
        self.day = DayPlan(self, read, on_exit=self.close_all, ticker="GOOG", day=date(2015, 12, 24))
        self.by = read.choice("strikes-by", "distance", ("distance", "delta"))
        #: short strike: per cent of the underlying below it, or by delta
        self.distance = read.number("short-distance", 0.4, low=0.0, high=50.0)
        self.delta = read.number("short-delta", 0.30, low=0.01, high=0.5)
        #: dollars between the strikes
        self.width = read.number("width", 5.0, low=0.01)
        #: dollars that all units together may lose
        self.max_loss = read.number("max-loss", 2000.0, low=1.0)
        #: units; 0 takes as many as `max-loss` allows, up to `max-quantity`
        self.quantity = read.whole("quantity", 0)
        self.max_quantity = read.whole("max-quantity", 10, low=1)
        self.refused = False
        self.use_atomic("put_spread", policy=read.policy())
        self.day.memory = self.atomic.journal.extra  # a restart does not enter a second time

    def on_slice(self, slice: Slice) -> None:
        """Open the spread when its time has come."""
        if self.atomic.ready and not self.atomic.groups.open:
            chain = self.day.chain(slice)
            if chain is not None:
                self.open_spread(chain)

    def open_spread(self, chain: OptionChain) -> None:
        """Choose strikes and size, and send the group."""
        listed, spot = puts(chain), chain.underlying.price
        short = out_of_the_money(listed, spot, distance=self.distance, delta=self.delta, by=self.by, away=-1)
        long = short and beyond(listed, short.strike, self.width, away=-1)
        if not (short and long) or short.bid_price <= 0 or long.ask_price <= 0:
            return  # no such strikes, or no quote on the side that is needed: look again at the next bar
        unit = (
            PayoffLeg("P", long.strike, 1, 100.0, long.ask_price),
            PayoffLeg("P", short.strike, -1, 100.0, short.bid_price),
        )
        units = self.quantity or min(self.max_quantity, units_for_max_loss(unit, self.max_loss))
        if not units or units * max_loss(unit) > self.max_loss:
            if not self.refused:  # asked again with every bar of the entry window
                self.refused = True
                self.log(f"no spread: {max(units, 1)} units can lose more than {self.max_loss:.0f} dollars")
            return
        self.day.entered()
        group = self.atomic.execute_put_spread_atomic(short, long, quantity=units)
        for register in (group.on_open, group.on_closed, group.on_held):
            register(self.report)

    def report(self, group: AtomicGroup) -> None:
        """Write what became of a group into the log."""
        self.log(group.summary())

    def close_all(self) -> None:
        """Close what is open before the bell."""
        for group in self.atomic.groups.open:
            group.close("before the bell")
