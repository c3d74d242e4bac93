"""`lean_benchmarks/chain.py`, but the algorithm reads bid and ask of every contract with a new bar."""
from AlgorithmImports import *
import time


class ChainRead(QCAlgorithm):
    def initialize(self):
        self.set_start_date(2015, 12, 24)
        self.set_end_date(2015, 12, 24)
        self.set_cash(1_000_000)
        self.set_benchmark(lambda _: 1)
        self.add_equity("GOOG", Resolution.MINUTE)
        option = self.add_option("GOOG", Resolution.MINUTE)
        option.set_filter(lambda u: u.strikes(-500, 500).expiration(0, int(self.get_parameter("days", "800"))))
        self.quotes = self.new = 0
        self.bids = self.asks = 0.0
        self.began = None

    def on_data(self, slice):
        if self.began is None:
            self.began = time.perf_counter()
        self.quotes += slice.quote_bars.count
        for symbol, bar in slice.quote_bars.items():
            if bar.is_fill_forward or symbol.security_type != SecurityType.OPTION:
                continue
            self.new += 1
            bid, ask = bar.bid, bar.ask
            if bid is not None:
                self.bids += bid.close
            if ask is not None:
                self.asks += ask.close

    def on_end_of_algorithm(self):
        seconds = time.perf_counter() - self.began
        self.log(f"BENCH quotes={self.quotes} new={self.new} bids={self.bids:.4f} asks={self.asks:.4f} "
                 f"loop_s={seconds:.3f} securities={self.securities.count}")
