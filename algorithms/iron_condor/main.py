"""A zero-days iron condor that is all or nothing.

At a set time the strikes are chosen from the chain, the size from the largest loss that is allowed, and the four legs
are opened as one group through `AtomicOrderExecutor`; the group is closed before the bell. Every number is a LEAN
parameter, so that `lean optimize` can sweep it; the defaults are GOOG on 2015-12-24, a half day that ends at 13:00.
"""

from __future__ import annotations

from AlgorithmImports import *

from datetime import date

from atomic import AtomicGroup, AtomicOrderExecutor
from atomic.charts import Panel
from atomic.parameters import Parameters
from atomic.strikes import beyond, calls, out_of_the_money, puts
from atomic.testing import install_fault
from atomic.day_plan import DayPlan
from risk import PayoffLeg, check_iron_condor, condor_figures, iron_condor_legs, units_for_max_loss
from risk.configure import desk_from, gate_from, session_close


class IronCondor(QCAlgorithm):
    """Opens one condor a day at `entry-time` and closes it `exit-before-close` minutes before the bell."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, and load the journal."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault)
        self.day = DayPlan(self, read, on_exit=self.close_all, ticker="GOOG", day=date(2015, 12, 24))
        self.by = read.choice("strikes-by", "distance", ("distance", "delta"))
        #: short strikes: per cent of the underlying away from it, or by delta
        self.distance = read.number("short-distance", 0.4, low=0.0, high=50.0)
        self.delta = read.number("short-delta", 0.20, low=0.01, high=0.5)
        #: wings: dollars beyond the short strikes
        self.width = read.number("wing-width", 5.0, low=0.01)
        #: dollars that all units together may lose
        self.max_loss = read.number("max-loss", 2000.0, low=1.0)
        #: units; 0 takes as many as `max-loss` allows, up to `max-quantity`
        self.quantity = read.whole("quantity", 0)
        self.max_quantity = read.whole("max-quantity", 10, low=1)
        #: least credit for one unit, dollars per share
        self.min_credit = read.number("min-credit", 0.05)
        self.refused = ""
        #: checks and limits by parameters such as `max-group-loss` and `daily-loss`: see `risk.configure`
        gate = gate_from(read, session_close(self, self.day.underlying))
        self.atomic = AtomicOrderExecutor(self, name="iron_condor", policy=read.policy(), risk=gate)
        self.panel = Panel(self, self.atomic, desk_from(self, read, self.atomic))
        self.day.memory = self.atomic.journal.extra  # a restart does not enter a second time

    def on_warmup_finished(self) -> None:
        """Settle what an earlier run left open; the first moment at which LEAN lets an algorithm trade."""
        self.log(str(self.atomic.start()))

    def on_order_event(self, order_event: OrderEvent) -> None:
        """Hand every order event to the executor."""
        self.atomic.on_order_event(order_event)

    def on_end_of_algorithm(self) -> None:
        """End in order: groups stay as they are, the journal is written."""
        self.panel.update(last=True)
        self.atomic.shutdown()

    def on_command(self, data: object) -> bool:
        """Hand an operator's command to the executor: `lean live command`, `atomic command`."""
        return self.atomic.on_command(data)

    def on_data(self, slice: Slice) -> None:
        """Open the condor when its time has come."""
        self.atomic.on_data(slice)
        if self.atomic.ready and not self.atomic.groups.open:
            chain = self.day.chain(slice)
            if chain is not None:
                self.open_condor(chain)
        self.panel.update()

    def open_condor(self, chain: OptionChain) -> None:
        """Choose strikes and size, check them, and send the group."""
        spot = chain.underlying.price
        short_call = self.choose_short(calls(chain), spot, away=1)
        short_put = self.choose_short(puts(chain), spot, away=-1)
        long_call = short_call and beyond(calls(chain), short_call.strike, self.width, away=1)
        long_put = short_put and beyond(puts(chain), short_put.strike, self.width, away=-1)
        if not (short_call and short_put and long_call and long_put):
            return
        # at the prices at which the legs can be had now: bought at the ask, sold at the bid
        prices = (long_put.ask_price, short_put.bid_price, short_call.bid_price, long_call.ask_price)
        if min(prices) <= 0:
            return  # a leg has no quote on the side that is needed: look again at the next bar

        def condor(quantity: int) -> tuple[PayoffLeg, ...]:
            return iron_condor_legs(
                long_put=long_put.strike,
                short_put=short_put.strike,
                short_call=short_call.strike,
                long_call=long_call.strike,
                prices=prices,
                quantity=quantity,
            )

        units = self.quantity or min(self.max_quantity, units_for_max_loss(condor(1), self.max_loss))
        legs = condor(max(units, 1))
        refusal = check_iron_condor(legs, max_loss_limit=self.max_loss, min_credit=self.min_credit)
        if refusal is not None:
            if refusal.rule != self.refused:  # asked again with every bar of the entry window
                self.refused = refusal.rule
                self.log(f"no condor: {refusal}")
            return
        figures = condor_figures(legs)
        self.day.entered()
        group = self.atomic.execute_iron_condor_atomic(
            short_call,
            long_call,
            short_put,
            long_put,
            quantity=units,
            note=f"credit {figures.credit:.2f}, may lose {figures.max_loss:.0f} dollars",
        )
        group.on_open(self.report)
        group.on_closed(self.report)
        group.on_held(self.report)

    def choose_short(self, contracts: list[OptionContract], spot: float, *, away: int) -> OptionContract | None:
        """Choose a short strike by distance or by delta."""
        return out_of_the_money(contracts, spot, distance=self.distance, delta=self.delta, by=self.by, away=away)

    def report(self, group: AtomicGroup) -> None:
        """Write what became of a group into the log."""
        self.log(group.summary())

    def close_all(self) -> None:
        """Close what is open before the bell."""
        for group in self.atomic.groups.open:
            group.close("before the bell")
