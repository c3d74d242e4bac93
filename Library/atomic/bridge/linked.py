"""LEAN's own contingent orders (since autumn 2026), in the one form that resizes siblings: one updates other.

Unverified: no recording of them exists yet, so they are off unless an exit plan asks for them (`native=True`) and the
algorithm has them. Both exits of a pair go out as one set; LEAN then shrinks the sibling of an exit that fills in part.
What LEAN leaves open stays ours: exits are only sent for what the entry has filled, and grow with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..vocabulary import ChildType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ports import OrderRequest


def has_linked_orders(algorithm: Any) -> bool:
    """True when this LEAN has `one_updates_other_order` and `order_factory`."""
    try:
        return callable(getattr(algorithm, "one_updates_other_order", None)) and algorithm.order_factory is not None
    except (AttributeError, NotImplementedError):
        return False


def send_linked(
    algorithm: Any, requests: Sequence[OrderRequest], symbol_of: Callable[[str], Any], asynchronous: bool
) -> list[Any]:
    """Send the exits of one pair as a set in which a fill of one reduces the others; their tickets in order.

    Raises:
        ValueError: an order type that a set of exits does not have.
    """
    factory = algorithm.order_factory
    made = []
    for request in requests:
        common = {"symbol": symbol_of(request.symbol), "quantity": request.quantity, "tag": request.tag,
                  "asynchronous": asynchronous}  # fmt: skip
        if request.type is ChildType.LIMIT:
            made.append(factory.limit_order(limit_price=request.limit, **common))
        elif request.type is ChildType.STOP_MARKET:
            made.append(factory.stop_market_order(stop_price=request.stop, **common))
        elif request.type is ChildType.STOP_LIMIT:
            made.append(factory.stop_limit_order(stop_price=request.stop, limit_price=request.limit, **common))
        else:
            raise ValueError(f"{request.type} cannot be part of a set of exits")
    return list(algorithm.one_updates_other_order(orders=made))
