"""A zero-days strangle that is all or nothing: a call and a put out of the money, bought or sold as one group.

Sized by the premium, closed before the bell. A sold strangle has no cover and must be allowed with `allow-naked`.
Every number is a LEAN parameter.
"""

from __future__ import annotations

from AlgorithmImports import *

from dataclasses import replace
from datetime import date

from atomic import AtomicGroup
from atomic.algorithm import AtomicAlgorithm
from atomic.day_plan import DayPlan
from atomic.parameters import Parameters
from atomic.strikes import calls, out_of_the_money, puts
from atomic.testing import install_fault


class Strangle(AtomicAlgorithm):
    """Opens one strangle a day at `entry-time` and closes it `exit-before-close` minutes before the bell."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, and load the journal."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault, leg="second")
        self.day = DayPlan(self, read, on_exit=self.close_all, ticker="GOOG", day=date(2015, 12, 24))
        self.by = read.choice("strikes-by", "distance", ("distance", "delta"))
        #: strikes: per cent of the underlying away from it, or by delta
        self.distance = read.number("distance", 0.4, low=0.0, high=50.0)
        self.delta = read.number("delta", 0.30, low=0.01, high=0.5)
        self.side = {"long": 1, "short": -1}[read.choice("side", "long", ("long", "short"))]
        #: dollars of premium that all units together may pay or take in
        self.premium = read.number("premium", 1000.0, low=1.0)
        #: units; 0 takes as many as `premium` allows, up to `max-quantity`
        self.quantity = read.whole("quantity", 0)
        self.max_quantity = read.whole("max-quantity", 10, low=1)
        self.refused = False
        policy = replace(read.policy(), allow_naked=read.flag("allow-naked"))
        self.use_atomic("strangle", policy=policy)
        self.day.memory = self.atomic.journal.extra  # a restart does not enter a second time

    def on_slice(self, slice: Slice) -> None:
        """Open the strangle when its time has come."""
        if self.atomic.ready and not self.atomic.groups.open:
            chain = self.day.chain(slice)
            if chain is not None:
                self.open_strangle(chain)

    def open_strangle(self, chain: OptionChain) -> None:
        """Choose strikes and size, and send the group."""
        spot = chain.underlying.price
        call = self.choose(calls(chain), spot, away=1)
        put = self.choose(puts(chain), spot, away=-1)
        if not (call and put):
            return
        prices = [leg.ask_price if self.side > 0 else leg.bid_price for leg in (call, put)]
        if min(prices) <= 0:
            return  # a leg has no quote on the side that is needed: look again at the next bar
        units = self.quantity or min(self.max_quantity, int(self.premium / (100.0 * sum(prices))))
        if not units:
            if not self.refused:  # asked again with every bar of the entry window
                self.refused = True
                self.log(f"no strangle: one unit is {100.0 * sum(prices):.0f} dollars, allowed are {self.premium:.0f}")
            return
        self.day.entered()
        group = self.atomic.execute_strangle_atomic(call, put, quantity=self.side * units)
        for register in (group.on_open, group.on_closed, group.on_held):
            register(self.report)

    def choose(self, contracts: list[OptionContract], spot: float, *, away: int) -> OptionContract | None:
        """Choose a strike by distance or by delta."""
        return out_of_the_money(contracts, spot, distance=self.distance, delta=self.delta, by=self.by, away=away)

    def report(self, group: AtomicGroup) -> None:
        """Write what became of a group into the log."""
        self.log(group.summary())

    def close_all(self) -> None:
        """Close what is open before the bell."""
        for group in self.atomic.groups.open:
            group.close("before the bell")
