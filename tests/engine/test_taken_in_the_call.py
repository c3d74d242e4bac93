"""What LEAN says of an order within the call that sends it in a backtest, on the embedded engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.conftest import LIBRARY

BODY = """
def initialize(self):
    from atomic import AtomicOrderExecutor
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 4)
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.atomic = AtomicOrderExecutor(self, name="taken")
    self.group = None
    self.meddled = False

def on_warmup_finished(self):
    self.atomic.start()

def on_data(self, slice):
    self.atomic.on_data(slice)
    if self.group is None:
        price = self.securities[self.abc].price
        self.group = self.atomic.bracket_order(
            self.abc, 10, stop_loss_price=round(price - 50, 2), take_profit_price=round(price + 50, 2))
        self.first = [fact.kind for fact in self.group._group.facts]

def on_order_event(self, event):
    MEDDLE
    self.atomic.on_order_event(event)
"""
MEDDLE = """if event.ticket.tag.startswith("WHOSE") and event.status == OrderStatus.SUBMITTED and not self.meddled:
        self.meddled = True
        self.atomic.on_order_event(event)
        event.ticket.cancel("by hand")
        return"""


def test_one_fact_says_that_both_exits_were_taken(run_lines: Callable[..., Any]) -> None:
    """The entry fills within its call, the exits rest."""
    result = run_lines(BODY.replace("MEDDLE", "pass"), library_paths=[LIBRARY])
    assert result.status == "completed", result.traceback
    assert result.algorithm.first == ["opening", "intended", "filled", "intended", "intended", "taken"]


@pytest.mark.parametrize("whose", ["sl-", "tp-"])
def test_an_order_that_its_owner_cancels_while_it_is_sent_was_taken_before(
    run_lines: Callable[..., Any], whose: str
) -> None:
    """The owner of the algorithm cancels an exit inside the event that it was submitted: no fault, a new exit."""
    result = run_lines(BODY.replace("MEDDLE", MEDDLE.replace("WHOSE", whose)), library_paths=[LIBRARY])
    assert result.status == "completed", result.traceback
    algorithm = result.algorithm
    assert algorithm.meddled
    assert not [alert for alert in algorithm.atomic.alerts.recent if alert.code == "fault"]
    facts = algorithm.group._group.facts
    number = next(fact.order for fact in facts if fact.kind == "cancel_asked")
    before = facts[: [fact.kind for fact in facts].index("cancel_asked")]
    assert ("accepted", number) in [(fact.kind, getattr(fact, "order", 0)) for fact in before]
    assert {order.purpose.value for order in algorithm.group.orders if order.may_fill} == {"sl", "tp"}
