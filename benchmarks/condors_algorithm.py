"""Condors opened and closed on the embedded engine: eight raw orders, or the executor with legs or native combos."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter

from AlgorithmImports import Market, OptionRight, OptionStyle, QCAlgorithm, Resolution, Symbol

from atomic import AtomicOrderExecutor, Policy


class Condors(QCAlgorithm):
    """Parameters: mode raw, legs or native; per condors a minute for two hours."""

    times = ()

    def initialize(self):
        self.set_start_date(2015, 12, 24)
        self.set_end_date(2015, 12, 24)
        self.set_cash(100_000_000)
        self.set_benchmark(lambda _: 1)
        self.goog = self.add_equity("GOOG", Resolution.MINUTE).symbol
        strikes = [float(k) for k in self.get_parameter("strikes", "740,745,750,755").split(",")]
        lp, sp = (self.option(k, OptionRight.PUT) for k in strikes[:2])
        sc, lc = (self.option(k, OptionRight.CALL) for k in strikes[2:])
        self.legs = [(lp, 1), (lc, 1), (sp, -1), (sc, -1)]
        self.mode = self.get_parameter("mode", "raw")
        self.per = int(self.get_parameter("per", "5"))
        self.times = []
        self.atomic = None
        if self.mode != "raw":
            native = "first" if self.mode == "native" else "never"
            self.atomic = AtomicOrderExecutor(self, name="bench", policy=Policy(native=native))
        Condors.last = self

    def option(self, strike, right):
        symbol = Symbol.create_option(
            self.goog, Market.USA, OptionStyle.AMERICAN, right, strike, datetime(2015, 12, 24)
        )
        return self.add_option_contract(symbol, Resolution.MINUTE).symbol

    def on_warmup_finished(self):
        if self.atomic is not None:
            self.atomic.start()

    def on_order_event(self, order_event):
        if self.atomic is not None:
            self.atomic.on_order_event(order_event)

    def on_data(self, slice):
        if self.atomic is not None:
            self.atomic.on_data(slice)
        if not 10 <= self.time.hour < 12:
            return
        for number in range(self.per):
            start = perf_counter()
            if self.atomic is None:
                for symbol, quantity in self.legs:
                    self.market_order(symbol, quantity, tag=f"g{number}")
                for symbol, quantity in self.legs[2:] + self.legs[:2]:
                    self.market_order(symbol, -quantity, tag=f"g{number}")
            else:
                group = self.atomic.execute_atomic(self.legs, 1, "iron_condor")
                group.close("benchmark")
            self.times.append(perf_counter() - start)

    def on_end_of_algorithm(self):
        self.log("TIMES " + ",".join(f"{1e6 * t:.0f}" for t in self.times))
        if self.atomic is not None:
            kept = len(self.atomic.shell.groups) + len(self.atomic.shell.recent)
            self.log(f"KEPT {kept} {self.atomic.metrics()['groups']}")
