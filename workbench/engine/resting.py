"""Resting stock orders of one security, so that a scan need not look at each when the bar reaches none of them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.brokerages.default import DefaultBrokerageModel
from workbench.engine.enums import OrderType, SecurityType
from workbench.engine.fills import EquityFillModel, FillModel, ImmediateFillModel
from workbench.engine.time_in_force import TimeInForce

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.securities import Security

OWN_MODELS: Final = frozenset({FillModel, ImmediateFillModel, EquityFillModel})
# Types whose evaluation changes nothing unless it fills (a trailing stop, say, moves when it is looked at).
STEADY: Final = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.MARKET_ON_OPEN,
                           OrderType.MARKET_ON_CLOSE})
PLAIN: Final = frozenset({OrderType.LIMIT, OrderType.STOP_MARKET})


class Pending:
    """A pending order and the state of the world at which it was last found unfillable.

    `steady`: with LEAN's own models, asking again in the same state gives the same answer. `plain`: a stock's limit or
    stop order, good until cancelled.
    """

    __slots__ = ("key", "order", "plain", "security", "steady")

    def __init__(self, order: Order, security: Security | None, brokerage_model: Any) -> None:
        self.order = order
        self.security = security
        self.key: tuple[int, int, int] | None = None
        own_model = security is not None and type(security.fill_model) in OWN_MODELS
        own_rules = type(brokerage_model).can_execute_order is DefaultBrokerageModel.can_execute_order
        self.steady = own_model and own_rules and order.type in STEADY
        self.plain = (self.steady and order.type in PLAIN and security is not None
                      and security.type is SecurityType.EQUITY and type(security.fill_model) is EquityFillModel
                      and order.properties.time_in_force is TimeInForce.GOOD_TIL_CANCELED)


class RestingBook:
    """Plain orders of one security with the prices at which the first of them may fill."""

    __slots__ = ("_high", "_loose", "_low", "_most_bought", "_most_sold", "_range", "_version", "entries", "security")

    def __init__(self, security: Security) -> None:
        self.security = security
        self.entries: dict[int, Pending] = {}
        self._version = -1
        self._loose = False
        self._range = (0.0, inf)
        self._low, self._high = 0.0, inf
        self._most_bought = self._most_sold = 0.0

    def add(self, entry: Pending) -> None:
        """Keep an order."""
        order = entry.order
        self.entries[order.id] = entry
        quantity = order.quantity
        is_limit = order.type is OrderType.LIMIT
        price = order.limit_price if is_limit else order.stop_price
        if (quantity > 0) == is_limit:
            self._low = max(self._low, price)
        else:
            self._high = min(self._high, price)
        if quantity > 0:
            self._most_bought = max(self._most_bought, quantity)
        else:
            self._most_sold = max(self._most_sold, -quantity)

    def remove(self, order_id: int) -> None:
        """Forget an order; the edges stay where they are until `tighten_if_loose`."""
        entry = self.entries.pop(order_id, None)
        if entry is not None:
            order = entry.order
            price = order.limit_price if order.type is OrderType.LIMIT else order.stop_price
            if price in (self._low, self._high) or abs(order.quantity) in (self._most_bought, self._most_sold):
                self._loose = True

    def tighten_if_loose(self) -> None:
        """Take the edges of what is left, if the bar has reached the present ones in vain."""
        if not self._loose or (self.is_out_of_reach() and self.only_reduces()):
            return
        self._loose = False
        left = list(self.entries.values())
        self._low, self._high = 0.0, inf
        self._most_bought = self._most_sold = 0.0
        for entry in left:
            self.add(entry)

    @property
    def range(self) -> tuple[float, float]:
        """Low and high of the last trade bar; everything, when there is none."""
        version = self.security.clock.version
        if version != self._version:
            self._version = version
            bar = self.security.cache.trade_bar()
            self._range = (0.0, inf) if bar is None else (bar.low, bar.high)
        return self._range

    def only_reduces(self) -> bool:
        """Whether every order only reduces what is held, so that none needs margin."""
        held = self.security.holdings.quantity
        if held > 0:
            return not self._most_bought and self._most_sold <= held
        if held < 0:
            return not self._most_sold and self._most_bought <= -held
        return not self.entries

    def is_out_of_reach(self) -> bool:
        """Whether the bar fills none of the orders."""
        low, high = self.range
        return low > self._low and high < self._high

    def due(self) -> list[int]:
        """Ids of orders that the bar may fill or that may need margin."""
        if not self.only_reduces():
            return list(self.entries)
        if self.is_out_of_reach():
            return []
        low, high = self.range
        found = []
        for order_id, entry in self.entries.items():
            order = entry.order
            if order.type is OrderType.LIMIT:
                reached = low < order.limit_price if order.quantity > 0 else high > order.limit_price
            else:
                reached = high >= order.stop_price if order.quantity > 0 else low <= order.stop_price
            if reached:
                found.append(order_id)
        return found
