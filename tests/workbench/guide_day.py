"""The day on which the pieces of docs/brackets.md are run: GOOG, four legs of a condor, a put."""

from __future__ import annotations

from datetime import datetime

from AlgorithmImports import Market, OptionRight, OptionStyle, Resolution, Symbol

from atomic.algorithm import AtomicAlgorithm
from tests.workbench import guide_registry


class GuideDay(AtomicAlgorithm):
    """Runs the piece at ten, closes what is left at half past twelve."""

    def initialize(self):
        guide_registry.algorithm = self
        self.set_start_date(2015, 12, 24)
        self.set_end_date(2015, 12, 24)
        self.set_cash(2_000_000)
        self.goog = self.add_equity("GOOG", Resolution.MINUTE).symbol
        self.put = self.option(745, OptionRight.PUT)
        self.long_put, self.short_put = self.option(735, OptionRight.PUT), self.option(740, OptionRight.PUT)
        self.short_call, self.long_call = self.option(745, OptionRight.CALL), self.option(750, OptionRight.CALL)
        #: values that comments of the piece named
        self.compared = 0
        self.alerts = []
        self.use_atomic("guide")
        self.atomic.on_alert(self.alerts.append)
        self.schedule.on(self.date_rules.today, self.time_rules.at(10, 0), lambda: guide_registry.piece(self))
        self.schedule.on(self.date_rules.today, self.time_rules.at(12, 30), self.leave)

    def option(self, strike, right):
        expiry = datetime(2015, 12, 24)
        symbol = Symbol.create_option(self.goog, Market.USA, OptionStyle.AMERICAN, right, strike, expiry)
        return self.add_option_contract(symbol, Resolution.MINUTE).symbol

    def leave(self):
        for group in self.atomic.groups.open:
            group.close("end of the piece")
