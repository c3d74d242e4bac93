"""Opening-range breakout on one stock, with exits that always equal what is filled and not closed.

After `range-minutes` the day's range is known; the first close outside of it sends a bracket: market entry, two
targets with half the quantity each, a stop for each, the second stop at break-even after the first target. What is
open is closed before the bell. Every number is a LEAN parameter, so that `lean optimize` can sweep it.
"""

from __future__ import annotations

from AlgorithmImports import *

from datetime import date, datetime

from atomic import AtomicGroup, AtomicOrderExecutor
from atomic.parameters import Parameters
from atomic.protect import Level
from atomic.testing import install_fault


class BracketEquity(QCAlgorithm):
    """One bracket a day in the direction in which the opening range breaks."""

    def initialize(self) -> None:
        """Read the parameters, subscribe, and load the journal."""
        read = Parameters(self)
        fault = read.text("fault")
        if fault:
            install_fault(self, fault)
        first = read.day("date", date(2013, 10, 7))
        last = read.day("last-date", date(2013, 10, 11))
        self.set_start_date(first.year, first.month, first.day)
        self.set_end_date(last.year, last.month, last.day)
        self.set_cash(read.number("cash", 100_000.0, low=1.0))
        self.set_benchmark(lambda _: 1)
        self.share = self.add_equity(read.text("ticker", "SPY").upper(), Resolution.MINUTE).symbol
        self.range_minutes = read.whole("range-minutes", 15, low=1)
        #: distances as fractions of the entry price
        self.targets = (read.number("target-1", 0.002), read.number("target-2", 0.004))
        self.stop = read.number("stop", 0.002)
        self.trail = read.number("trail", 0.0)
        #: dollars put into one position
        self.dollars = read.number("dollars", 50_000.0, low=1.0)
        self.high, self.low = 0.0, 0.0
        self.day: date | None = None
        self.done = False
        self.atomic = AtomicOrderExecutor(self, name="bracket_equity", policy=read.policy())
        self.schedule.on(
            self.date_rules.every_day(self.share),
            self.time_rules.before_market_close(self.share, read.whole("exit-before-close", 10, low=1)),
            self.close_all,
        )

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
        """Follow the range, then trade its break once a day."""
        self.atomic.on_data(slice)
        bar = slice.bars.get(self.share)
        if bar is None:
            return
        now: datetime = self.time
        if now.date() != self.day:
            self.day, self.done = now.date(), False
            self.high, self.low = bar.high, bar.low
        minutes = (now.hour - 9) * 60 + now.minute - 30
        if minutes <= self.range_minutes:
            self.high, self.low = max(self.high, bar.high), min(self.low, bar.low)
            return
        if self.done or not self.atomic.ready or self.atomic.groups.open or now.hour >= 15:
            return
        side = 1 if bar.close > self.high else -1 if bar.close < self.low else 0
        if side:
            self.done = True
            self.enter(side * int(self.dollars // bar.close))

    def enter(self, quantity: int) -> None:
        """Send the bracket."""
        if not quantity:
            self.log(f"no bracket: {self.dollars:.0f} dollars buy no share")
            return
        bracket = self.atomic.bracket_order(
            self.share,
            quantity,
            targets=[(0.5, Level(percent=distance)) for distance in self.targets],
            stop_loss=Level(percent=self.stop),
            break_even_after=1,
            trail=Level(percent=self.trail) if self.trail else None,
            strategy="breakout",
        )
        bracket.on_closed(self.report)
        bracket.on_held(self.report)

    def report(self, group: AtomicGroup) -> None:
        """Write what became of a bracket into the log."""
        self.log(group.summary())

    def close_all(self) -> None:
        """Close what is open before the bell."""
        for group in self.atomic.groups.open:
            group.close("before the bell")
