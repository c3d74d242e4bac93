"""A zero-days iron condor with a target and a stop on its net price.

No venue rests a stop on four legs, so it is watched: the mark is what closing the unit would cost now, two sightings
on different quotes trigger it, and a short without an offer hands over to the underlying's price. Every number is a
LEAN parameter.
"""

from __future__ import annotations

from AlgorithmImports import *

from datetime import date

from atomic import AtomicGroup, AtomicOrderExecutor
from atomic.day_plan import DayPlan
from atomic.parameters import Parameters
from atomic.strikes import beyond, calls, out_of_the_money, puts
from atomic.testing import install_fault


class ProtectedCondor(QCAlgorithm):
    """Opens one condor a day and guards it on its net price until shortly before the bell."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, and load the journal."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault)
        self.day = DayPlan(self, read, on_exit=self.close_all, ticker="GOOG", day=date(2015, 12, 24))
        self.distance = read.number("short-distance", 0.4, low=0.0, high=50.0)
        self.width = read.number("wing-width", 5.0, low=0.01)
        self.quantity = read.whole("quantity", 2, low=1)
        #: parts of the credit: gained (target) and lost (stop)
        self.target_part = read.number("target-part", 0.5, low=0.01, high=1.0)
        self.stop_part = read.number("stop-part", 2.0, low=0.01)
        self.atomic = AtomicOrderExecutor(self, name="protected_condor", policy=read.policy())

    def on_warmup_finished(self) -> None:
        """Settle what an earlier run left open."""
        self.log(str(self.atomic.start()))

    def on_order_event(self, order_event: OrderEvent) -> None:
        """Hand every order event to the executor."""
        self.atomic.on_order_event(order_event)

    def on_end_of_algorithm(self) -> None:
        """End in order: groups stay as they are, the journal is written, the next start need not wait for it."""
        self.atomic.shutdown()

    def on_command(self, data: object) -> bool:
        """Hand an operator's command to the executor."""
        return self.atomic.on_command(data)

    def on_data(self, slice: Slice) -> None:
        """Open the condor when its time has come."""
        self.atomic.on_data(slice)
        if self.atomic.ready and not self.atomic.groups.open:
            chain = self.day.chain(slice)
            if chain is not None:
                self.open_condor(chain)

    def open_condor(self, chain: OptionChain) -> None:
        """Choose strikes and send the group."""
        spot = chain.underlying.price
        legs = []
        for listed, away in ((calls(chain), 1), (puts(chain), -1)):
            short = out_of_the_money(listed, spot, distance=self.distance, delta=0.0, by="distance", away=away)
            wing = short and beyond(listed, short.strike, self.width, away=away)
            if not (short and wing) or short.bid_price <= 0 or wing.ask_price <= 0:
                return  # no such strikes, or no quote on the side that is needed: look again at the next bar
            legs += [short, wing]
        short_call, long_call, short_put, long_put = legs
        self.day.entered()
        group = self.atomic.execute_iron_condor_atomic(
            short_call, long_call, short_put, long_put, quantity=self.quantity
        )
        group.on_open(self.guard)
        group.on_closed(self.report)
        group.on_held(self.report)

    def guard(self, group: AtomicGroup) -> None:
        """Target and stop as parts of the credit that was received."""
        self.report(group)
        credit = -group.net_price
        if credit <= 0:
            self.log(f"{group.id} brought no credit: closing")
            group.close("no credit")
            return
        self.atomic.protect_group(group, take_profit=credit * self.target_part, stop_loss=credit * self.stop_part)

    def report(self, group: AtomicGroup) -> None:
        """Write what became of a group into the log."""
        self.log(group.summary())

    def close_all(self) -> None:
        """Close what is open before the bell."""
        for group in self.atomic.groups.open:
            group.close("before the bell")
