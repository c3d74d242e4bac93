"""LEAN order tickets of an algorithm, linked and unlinked by the executor, as LEAN carries them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BODY = """
def initialize(self):
    from atomic import AtomicOrderExecutor
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 4)
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.atomic = AtomicOrderExecutor(self, name="linked")
    self.pair = None

def on_data(self, slice):
    self.atomic.on_data(slice)
    if self.pair is None:
        price = self.securities[self.abc].price
        near = self.limit_order(self.abc, 10, round(price - 5, 2))
        far = self.stop_market_order(self.abc, 10, round(price + 50, 2))
        fields = UpdateOrderFields()
        fields.limit_price = round(price - 0.3, 2)
        near.update(fields)
        self.tickets = near, far
        self.pair = self.atomic.link_oco([near, far.order_id])
        AFTER
"""


@pytest.mark.parametrize(
    ("after", "statuses"),
    [("pass", ["FILLED", "CANCELED"]), ("self.pair.unlink()", ["FILLED", "SUBMITTED"])],
)
def test_tickets_of_the_algorithm_cancel_each_other_while_linked(
    run_wired: Callable[..., Any], after: str, statuses: list[str]
) -> None:
    """The limit fills at the price it was updated to before; the stop goes with it, or stays once unlinked."""
    result = run_wired(BODY.replace("AFTER", after))
    assert result.status == "completed", result.traceback
    algorithm = result.algorithm
    assert [ticket.status.name for ticket in algorithm.tickets] == statuses
    assert [order.cum_qty for order in algorithm.pair.orders] == [10, 0]
    assert algorithm.pair.open_quantity == 10
    assert not [alert for alert in algorithm.atomic.alerts.recent if alert.severity <= 1]
