"""What holds for any sequence of orders."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.engine.run import run_backtest

ACTIONS = st.lists(
    st.tuples(st.integers(1, 58),
              st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing", "touched", "cancel", "update",
                               "liquidate", "close_market"]),
              st.integers(-40, 40), st.floats(-1.5, 1.5).map(lambda x: round(x, 2))),
    min_size=1, max_size=14)

ALGORITHM = '''
from AlgorithmImports import *

TERMINAL = (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.INVALID)


class Anything(QCAlgorithm):
    plan = []
    nested = False

    def initialize(self):
        self.set_start_date(2024, 3, 4)
        self.set_end_date(2024, 3, 4)
        self.set_cash(200_000)
        self.abc = self.add_equity("ABC", Resolution.MINUTE,
                                   data_normalization_mode=DataNormalizationMode.RAW).symbol
        self.bar = 0
        self.tickets = []
        self.filled = {}
        self.ended = {}
        self.broken = []
        self.cash_flow = 0.0

    def on_data(self, slice):
        self.bar += 1
        price = self.securities[self.abc].price
        for minute, kind, quantity, offset in self.plan:
            if minute == self.bar:
                self.act(kind, quantity, round(price + offset, 2))
        self.check()

    def act(self, kind, quantity, price):
        if kind == "market":
            ticket = self.market_order(self.abc, quantity)
        elif kind == "limit":
            ticket = self.limit_order(self.abc, quantity, price)
        elif kind == "stop":
            ticket = self.stop_market_order(self.abc, quantity, price)
        elif kind == "stop_limit":
            ticket = self.stop_limit_order(self.abc, quantity, price, price)
        elif kind == "trailing":
            ticket = self.trailing_stop_order(self.abc, quantity, 0.3, False)
        elif kind == "touched":
            ticket = self.limit_if_touched_order(self.abc, quantity, price, price)
        elif kind == "close_market":
            ticket = self.market_on_close_order(self.abc, quantity)
        elif kind == "liquidate":
            self.tickets += self.liquidate(self.abc)
            return
        else:
            for known in self.tickets[-3:]:
                known.cancel() if kind == "cancel" else known.update_quantity(quantity)
            return
        self.tickets.append(ticket)

    def on_order_event(self, event):
        if event.order_id in self.ended:
            self.broken.append(f"{event} after {self.ended[event.order_id]}")
        if event.status in TERMINAL:
            self.ended[event.order_id] = str(event.status)
        self.filled[event.order_id] = self.filled.get(event.order_id, 0) + event.fill_quantity
        self.cash_flow -= event.fill_quantity * event.fill_price + event.order_fee.value.amount
        if abs(event.ticket.quantity_filled - self.filled[event.order_id]) > 1e-9:
            self.broken.append(f"ticket {event.order_id} says {event.ticket.quantity_filled}")
        if self.nested and event.status == OrderStatus.FILLED and event.order_id % 5 == 0:
            self.limit_order(self.abc, -1, round(event.fill_price + 0.2, 2))

    def check(self):
        if abs(self.portfolio.cash - 200_000 - self.cash_flow) > 1e-6:
            self.broken.append(f"cash {self.portfolio.cash}, flow {self.cash_flow}")
        held = sum(self.filled.values())
        if abs(self.portfolio[self.abc].quantity - held) > 1e-9:
            self.broken.append(f"holding {self.portfolio[self.abc].quantity}, filled {held}")
        value = self.portfolio.cash + held * self.securities[self.abc].price
        if abs(self.portfolio.total_portfolio_value - value) > 1e-6:
            self.broken.append(f"value {self.portfolio.total_portfolio_value} is not {value}")
        open_ids = sorted(o.id for o in self.transactions.get_open_orders())
        expected = sorted(t.order_id for t in self.transactions.get_order_tickets() if t.status not in TERMINAL)
        if open_ids != expected:
            self.broken.append(f"open {open_ids}, not {expected}")
'''


RUNS = count()


def run_plan(small_data: Path, folder: Path, plan: list[Any], nested: bool) -> Any:
    # a name of its own: stale bytecode of another plan, as long and written in the same second, would be run for it
    main = folder / f"anything{next(RUNS)}.py"
    main.write_text(ALGORITHM.replace("plan = []", f"plan = {plan!r}").replace("nested = False", f"nested = {nested}"),
                    encoding="utf-8")
    return run_backtest(main, data=small_data)


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plan=ACTIONS, nested=st.booleans())
def test_any_sequence_keeps_the_books(small_data: Path, tmp_path: Path, plan: list[Any], nested: bool) -> None:
    """Cash, holdings, tickets, events and open orders agree after any sequence of orders, cancels and updates."""
    result = run_plan(small_data, tmp_path, plan, nested)
    assert result.status == "completed", result.traceback
    assert result.algorithm.broken == []


@settings(max_examples=15, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plan=ACTIONS, nested=st.booleans())
def test_shortcuts_change_nothing(small_data: Path, tmp_path: Path, plan: list[Any], nested: bool) -> None:
    """Skipping what cannot have changed gives the same events as asking every model at every scan, as LEAN does."""
    from workbench.engine import resting
    fast = run_plan(small_data, tmp_path, plan, nested)
    own, resting.STEADY = resting.STEADY, frozenset()  # type: ignore[misc]
    try:
        plain = run_plan(small_data, tmp_path, plan, nested)
    finally:
        resting.STEADY = own  # type: ignore[misc]
    assert fast.order_events == plain.order_events
    assert fast.account == plain.account
