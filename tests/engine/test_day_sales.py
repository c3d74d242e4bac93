"""Sales as day orders, where a brokerage takes no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BODY = """
def initialize(self):
    from atomic import AtomicOrderExecutor
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 4)
    self.set_brokerage_model(BrokerageName.TRADIER_BROKERAGE, AccountType.MARGIN)
    self.default_order_properties = InteractiveBrokersOrderProperties()
    self.default_order_properties.account = "A1"
    self.abc = self.add_equity("ABC", Resolution.MINUTE, data_normalization_mode=DataNormalizationMode.RAW).symbol
    self.atomic = AtomicOrderExecutor(self, name="day")
    self.group = None

def on_data(self, slice):
    self.atomic.on_data(slice)
    if self.group is None:
        self.group = self.atomic.bracket_order(self.abc, 10, stop_loss_price=20.0)
"""


def test_sales_are_day_orders_with_whatever_else_the_algorithm_set(run_wired: Callable[..., Any]) -> None:
    """Tradier and Webull: the stop ends with the day, the account that the algorithm's orders name stays named."""
    result = run_wired(BODY)
    assert result.status == "completed", result.traceback
    orders = {order.tag.split("-")[0]: order.properties for order in result.algorithm.transactions.get_orders()}
    assert (orders["sl"].time_in_force.__class__.__name__, orders["sl"].account) == ("DayTimeInForce", "A1")
    assert orders["entry"].time_in_force.__class__.__name__ != "DayTimeInForce"
