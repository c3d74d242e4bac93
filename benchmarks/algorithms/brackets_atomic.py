"""The bracket lives of LEAN's benchmark `brackets.py`, with `bracket_order` in place of its three orders."""
from AlgorithmImports import *

import time

from atomic import AtomicOrderExecutor


class BracketsAtomic(QCAlgorithm):
    """A bracket every minute; odd ones are stopped, even ones reach their target with the next bar or so."""

    def initialize(self):
        self.set_start_date(2013, 10, 7)
        self.set_end_date(2013, 10, 11)
        self.set_cash(10_000_000)
        self.set_benchmark(lambda _: 1)
        self.spy = self.add_equity("SPY", Resolution.MINUTE).symbol
        self.n = int(self.get_parameter("n", "1000"))
        self.per = int(self.get_parameter("per", "1"))
        self.done = 0
        self.closed = 0
        self.t0 = None
        self.atomic = AtomicOrderExecutor(self, name="bench")

    def on_warmup_finished(self):
        self.atomic.start()

    def on_order_event(self, e):
        self.atomic.on_order_event(e)

    def on_data(self, slice):
        if self.t0 is None:
            self.t0 = time.perf_counter()
        self.atomic.on_data(slice)
        for _ in range(self.per):
            if self.done < self.n:
                self.done += 1
                p = self.securities[self.spy].price
                if self.done % 2:
                    sl, tp = p - 0.02, p + 5
                else:
                    sl, tp = p - 5, p + 0.02
                group = self.atomic.bracket_order(
                    self.spy, 10, stop_loss_price=round(sl, 2), take_profit_price=round(tp, 2)
                )
                group.on_closed(self.count)

    def count(self, group):
        self.closed += 1

    def on_end_of_algorithm(self):
        self.log(f"BENCH n={self.done} closed={self.closed} loop_s={time.perf_counter() - self.t0:.3f}")
