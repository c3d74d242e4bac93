"""The book of resting orders: it names exactly the orders that a bar may fill, whatever came and went before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.enums import OrderType
from workbench.engine.resting import RestingBook

PRICES = st.integers(1, 12)
ORDERS = st.tuples(st.sampled_from([OrderType.LIMIT, OrderType.STOP_MARKET]), PRICES, st.sampled_from([-5, -2, 2, 5]))
BARS = st.tuples(PRICES, PRICES).map(sorted)


def entry(number: int, terms: Any) -> Any:
    kind, price, quantity = terms
    return SimpleNamespace(
        order=SimpleNamespace(id=number, type=kind, limit_price=price, stop_price=price, quantity=quantity)
    )


def may_fill(order: Any, low: float, high: float) -> bool:
    if order.type is OrderType.LIMIT:  # LEAN's fill models: strictly through a limit, at a stop
        return low < order.limit_price if order.quantity > 0 else high > order.limit_price
    return high >= order.stop_price if order.quantity > 0 else low <= order.stop_price


@given(st.lists(st.one_of(ORDERS, st.integers(0, 30))), BARS, st.sampled_from([-9, -5, -2, 0, 2, 5, 9]))
def test_due_orders_are_those_that_a_bar_may_fill(steps: list[Any], bar: list[int], held: int) -> None:
    """Orders kept and forgotten in any order, their own prices changed meanwhile: due, edges and margin are exact."""
    low, high = bar
    security: Any = SimpleNamespace(
        clock=SimpleNamespace(version=1), holdings=SimpleNamespace(quantity=held),
        cache=SimpleNamespace(trade_bar=lambda: SimpleNamespace(low=low, high=high)),
    )  # fmt: skip
    book = RestingBook(security)
    kept: dict[int, Any] = {}
    for number, step in enumerate(steps):
        if isinstance(step, int):
            gone = kept.pop(step, None)
            if gone is not None:
                gone.order.limit_price = gone.order.stop_price = 99  # LEAN changes an order before it is kept again
            book.remove(step)
        else:
            kept[number] = entry(number, step)
            book.add(kept[number])
    orders = [found.order for found in kept.values()]
    only_reduces = all(abs(o.quantity) <= abs(held) and o.quantity * held < 0 for o in orders) and (held or not orders)
    assert book.only_reduces() == bool(only_reduces)
    reached = [o.id for o in orders if may_fill(o, low, high)]
    assert sorted(book.due()) == sorted(reached if only_reduces else kept)
    if book.is_out_of_reach():
        assert not reached
    assert set(book.entries) == set(kept)
