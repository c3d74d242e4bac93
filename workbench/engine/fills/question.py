"""What a fill model is asked and what it answers: orders with their securities, one side's prices, events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from workbench.engine.orders import Order, OrderEvent

if TYPE_CHECKING:
    from workbench.engine.securities import Security


class Prices:
    """One side's prices of the last bar; times are naive and at the exchange."""

    __slots__ = ("close", "current", "end_time", "high", "low", "open", "time")

    def __init__(self, time: datetime, end_time: datetime, current: float, open: float, high: float, low: float,
                 close: float) -> None:
        self.time = time
        self.end_time = end_time
        self.current = current
        self.open = open
        self.high = high
        self.low = low
        self.close = close


class Fill:
    """The events a model returns from `fill(parameters)`."""

    __slots__ = ("events",)

    def __init__(self, events: list[OrderEvent] | OrderEvent) -> None:
        self.events = events if isinstance(events, list) else [events]

    def __iter__(self) -> Iterator[OrderEvent]:
        return iter(self.events)


class OrderSecurityPairs:
    """The orders of a combo and their securities; iterating yields pairs with `.key` and `.value`."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Order, Security]]) -> None:
        self._pairs = pairs

    @property
    def pairs(self) -> list[tuple[Order, Security]]:
        """(order, security), by order id."""
        return self._pairs

    @property
    def count(self) -> int:
        return len(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[Any]:
        for order, security in self._pairs:
            yield _Pair(order, security)

    def __getitem__(self, order: Order) -> Security:
        for known, security in self._pairs:
            if known is order or known.id == order.id:
                return security
        raise KeyError(order.id)

    def items(self) -> list[tuple[Order, Security]]:
        """Pairs of order and security."""
        return list(self._pairs)


class _Pair:
    __slots__ = ("key", "value")

    def __init__(self, key: Order, value: Security) -> None:
        self.key = key
        self.value = value


class FillModelParameters:
    """What a fill model is asked about."""

    __slots__ = ("on_order_updated", "order", "securities_for_orders", "security", "stale_price_time_span")

    def __init__(self, security: Security, order: Order, stale_price_time_span: timedelta,
                 securities_for_orders: OrderSecurityPairs, on_order_updated: Callable[[Order], None]) -> None:
        self.security = security
        self.order = order
        self.stale_price_time_span = stale_price_time_span
        self.securities_for_orders = securities_for_orders
        self.on_order_updated = on_order_updated
