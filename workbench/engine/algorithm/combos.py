"""Combos: several legs as one order (QCAlgorithm.Trading.cs:875-1009)."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING, Any

from workbench.engine.enums import OrderType
from workbench.engine.exceptions import ArgumentException
from workbench.engine.legs import Leg
from workbench.engine.orders import GroupOrderManager
from workbench.engine.requests import SubmitOrderRequest
from workbench.engine.tickets import OrderTicket, invalid_submit_ticket

if TYPE_CHECKING:
    from workbench.engine.requests import OrderResponse
    from workbench.engine.runtime import Engine
    from workbench.engine.securities import Security
    from workbench.engine.time_in_force import OrderProperties


class ComboTrading:
    """Combo order methods. `quantity` counts units; a leg's size is its ratio times that."""

    _engine: Engine

    if TYPE_CHECKING:
        def _security_for_order(self, symbol: Any) -> Security: ...
        def _pre_order_checks(self, request: SubmitOrderRequest) -> OrderResponse | None: ...
        def _request(self, kind: OrderType, security: Security, quantity: float, tag: str | None,
                     properties: OrderProperties | None, asynchronous: bool, **prices: Any) -> SubmitOrderRequest: ...

    def combo_market_order(self, legs: Sequence[Leg], quantity: int, asynchronous: bool = False, tag: str = "",
                           order_properties: OrderProperties | None = None) -> list[OrderTicket]:
        """All legs at the market, or none."""
        return self._combo(legs, quantity, 0.0, asynchronous, tag, order_properties)

    def combo_leg_limit_order(self, legs: Sequence[Leg], quantity: int, asynchronous: bool = False, tag: str = "",
                              order_properties: OrderProperties | None = None) -> list[OrderTicket]:
        """All legs at their limits, or none."""
        if any(not leg.order_price for leg in legs):
            raise ArgumentException("ComboLegLimitOrder requires a limit price for each leg")
        return self._combo(legs, quantity, 0.0, asynchronous, tag, order_properties)

    def combo_limit_order(self, legs: Sequence[Leg], quantity: int, limit_price: float, asynchronous: bool = False,
                          tag: str = "", order_properties: OrderProperties | None = None) -> list[OrderTicket]:
        """All legs at a net price per unit, or none."""
        if limit_price == 0:
            raise ArgumentException("ComboLimitOrder requires a limit price")
        if any(leg.order_price for leg in legs):
            raise ArgumentException("ComboLimitOrder does not support limit prices for individual legs")
        return self._combo(legs, quantity, float(limit_price), asynchronous, tag, order_properties)

    def buy_strategy(self, strategy: Any, quantity: int, asynchronous: bool = False, tag: str = "",
                     order_properties: OrderProperties | None = None) -> list[OrderTicket]:
        """A combo at the market for an option strategy."""
        strategy.set_symbols()
        legs = [*strategy.underlying_legs, *strategy.option_legs]
        return self._combo(legs, quantity, 0.0, asynchronous, tag, order_properties)

    def _combo(self, legs: Sequence[Leg], quantity: float, limit_price: float, asynchronous: bool, tag: str,
               properties: OrderProperties | None) -> list[OrderTicket]:
        """Check all legs before the first is sent (SubmitComboOrder)."""
        legs = list(legs)
        _check_sizing(legs, quantity)
        engine = self._engine
        kind = OrderType.COMBO_LIMIT if limit_price != 0 else OrderType.COMBO_MARKET
        manager = GroupOrderManager(engine.transactions.get_increment_group_order_manager_id(), len(legs),
                                    float(quantity), limit_price)
        requests = []
        for leg in legs:
            security = self._security_for_order(leg.symbol)
            if leg.order_price is not None:
                limit_price = leg.order_price
                kind = OrderType.COMBO_LEG_LIMIT
            request = self._request(kind, security, leg.quantity * manager.quantity, tag, properties, asynchronous,
                                    group_order_manager=manager, limit_price=limit_price)
            refused = self._pre_order_checks(request)
            if refused is not None:
                return [invalid_submit_ticket(engine.transactions, request, refused)]
            requests.append(request)
        return [engine.transactions.process_request(request) for request in requests]


def _check_sizing(legs: Sequence[Leg], quantity: float) -> None:
    """Ratios must be reduced (CheckComboOrderSizing)."""
    divisor = gcd(*(abs(leg.quantity) for leg in legs))
    if divisor != 1:
        given = ", ".join(f"{leg.quantity} {leg.symbol}" for leg in legs)
        reduced = ", ".join(f"{leg.quantity // divisor if divisor else 0} {leg.symbol}" for leg in legs)
        raise ArgumentException(
            "The global combo quantity should be used to increase or reduce the size of the order, while the leg "
            "quantities should be used to specify the ratio of the order. The combo order quantities should be reduced "
            f"from {quantity:g}x({given}) to {quantity * divisor:g}x({reduced}).")
