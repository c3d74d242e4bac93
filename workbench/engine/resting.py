"""Resting stock orders of one security, so that a scan need not look at each when the bar reaches none of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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


class _Terms(NamedTuple):
    """What an order was kept with; the order itself may have been changed since."""

    price: float
    #: a bar's high reaches it (a buy stop, a sell limit); otherwise its low does
    above: bool
    quantity: float


class RestingBook:
    """Plain orders of one security, sorted by the price at which they may fill."""

    __slots__ = ("_above", "_below", "_bought", "_range", "_sold", "_terms", "_version", "entries", "security")

    def __init__(self, security: Security) -> None:
        self.security = security
        self.entries: dict[int, Pending] = {}
        self._terms: dict[int, _Terms] = {}
        #: (price, order id), sorted: what a bar's high reaches, what its low reaches
        self._above: list[tuple[float, int]] = []
        self._below: list[tuple[float, int]] = []
        #: quantities that would be bought and sold, sorted
        self._bought: list[float] = []
        self._sold: list[float] = []
        self._version = -1
        self._range = (0.0, inf)

    def add(self, entry: Pending) -> None:
        """Keep an order."""
        order = entry.order
        quantity = order.quantity
        is_limit = order.type is OrderType.LIMIT
        price = order.limit_price if is_limit else order.stop_price
        above = (quantity > 0) != is_limit
        self.entries[order.id] = entry
        self._terms[order.id] = _Terms(price, above, quantity)
        insort(self._above if above else self._below, (price, order.id))
        insort(self._bought if quantity > 0 else self._sold, abs(quantity))

    def remove(self, order_id: int) -> None:
        """Forget an order."""
        terms = self._terms.pop(order_id, None)
        if terms is None:
            return
        del self.entries[order_id]
        price, above, quantity = terms
        prices = self._above if above else self._below
        del prices[bisect_left(prices, (price, order_id))]
        sizes = self._bought if quantity > 0 else self._sold
        del sizes[bisect_left(sizes, abs(quantity))]

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
            return not self._bought and (not self._sold or self._sold[-1] <= held)
        if held < 0:
            return not self._sold and (not self._bought or self._bought[-1] <= -held)
        return not self.entries

    def is_out_of_reach(self) -> bool:
        """Whether the bar fills none of the orders."""
        low, high = self.range
        above, below = self._above, self._below
        return not (above and above[0][0] <= high) and not (below and below[-1][0] >= low)

    def due(self) -> list[int]:
        """Ids of orders that the bar may fill or that may need margin."""
        if not self.only_reduces():
            return list(self.entries)
        low, high = self.range
        reached = self._above[:bisect_right(self._above, high, key=_price)]
        reached += self._below[bisect_left(self._below, low, key=_price):]
        # a bar that only touches a limit does not fill it
        return [order_id for price, order_id in reached
                if self.entries[order_id].order.type is not OrderType.LIMIT
                or (price < high if self._terms[order_id].above else price > low)]


def _price(item: tuple[float, int]) -> float:
    return item[0]
