"""An ordinary LEAN algorithm that plays one card: GOOG, four legs of a condor, steps at exact times."""

from __future__ import annotations

from datetime import datetime

import card_registry
from AlgorithmImports import Market, OptionRight, OptionStyle, QCAlgorithm, Resolution, Symbol

from atomic import AtomicOrderExecutor
from atomic.testing import install_fault


class CardAlgorithm(QCAlgorithm):
    """Subscribes the legs, wires the executor, runs the script's steps."""

    def initialize(self):
        script = card_registry.script
        card_registry.algorithm = self
        self.script = script
        self.set_start_date(2015, 12, 24)
        self.set_end_date(*script.end)
        self.set_cash(script.cash)
        self.set_benchmark(lambda _: 1)
        script.before(self)
        if script.fault:
            install_fault(self, script.fault, **script.fault_options)
        self.goog = self.add_equity("GOOG", Resolution.MINUTE).symbol
        strikes = [float(k) for k in self.get_parameter("strikes", "").split(",")]
        self.lp, self.sp = (self.option(k, OptionRight.PUT) for k in strikes[:2])
        self.sc, self.lc = (self.option(k, OptionRight.CALL) for k in strikes[2:])
        self.seen = []
        self.alerts = []
        self.events = []
        self.groups = {}
        self.kept = {}
        if script.executor:
            self.atomic = AtomicOrderExecutor(self, name="card", **script.executor_options)
            self.atomic.on_alert(self.alerts.append)
            self.atomic.on_event(lambda event: self.events.append((event.at, event.kind, event.group.group_id)))
        script.setup(self)
        for clock, step in script.steps.items():
            day, _, text = clock.rpartition(" ")
            hour, minute, second = (int(part) for part in text.split(":"))
            on = self.date_rules.on(2015, 12, int(day or 24))
            self.schedule.on(on, self.time_rules.at(hour, minute, second), lambda step=step: step(self))

    def option(self, strike, right):
        symbol = Symbol.create_option(
            self.goog, Market.USA, OptionStyle.AMERICAN, right, strike, datetime(2015, 12, 24)
        )
        return self.add_option_contract(symbol, Resolution.MINUTE).symbol

    def condor(self, name="condor", units=1, **terms):
        """A condor under a name of the card's own."""
        group = self.groups[name] = self.atomic.execute_iron_condor_atomic(
            self.sc, self.lc, self.sp, self.lp, quantity=units, **terms
        )
        return group

    def held(self, symbol):
        return round(self.portfolio[symbol].quantity)

    def on_warmup_finished(self):
        if self.script.executor:
            self.start_report = self.atomic.start()

    def on_order_event(self, order_event):
        self.script.on_order_event(self, order_event)
        ticket = order_event.ticket
        self.seen.append(
            (str(order_event.status), (ticket.tag or "") if ticket is not None else "", str(order_event.symbol.value),
             round(order_event.fill_quantity), float(order_event.fill_price), str(self.time))
        )  # fmt: skip
        if self.script.executor and self.script.forward:
            self.atomic.on_order_event(order_event)

    def on_data(self, slice):
        if self.script.executor and self.script.feed:
            self.atomic.on_data(slice)
        self.script.on_data(self, slice)
