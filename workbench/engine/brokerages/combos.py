"""Brokerages that take multi-leg orders: TradeStation, Charles Schwab, Tastytrade, Public."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workbench.engine.brokerage_rules import (
    ALLOWED,
    Verdict,
    check_cross_zero,
    check_market_on_open,
    crosses_zero,
    is_outside_hours,
    pascal,
    refused,
)
from workbench.engine.brokerages.default import (
    AT_CLOSE,
    AT_OPEN,
    COMBO,
    COMBO_LIMIT,
    EQUITY,
    INDEX_OPTION,
    LIMIT,
    MARKET,
    OPTION,
    OPTIONS,
    STOP,
    STOP_LIMIT,
    TRAILING,
    DefaultBrokerageModel,
)
from workbench.engine.enums import SecurityType
from workbench.engine.fees import (
    CharlesSchwabFeeModel,
    FeeModel,
    PublicFeeModel,
    TastytradeFeeModel,
    TradeStationFeeModel,
)

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.requests import UpdateOrderRequest
    from workbench.engine.securities import Security



class TradeStationBrokerageModel(DefaultBrokerageModel):
    """TradeStation: no leg limits; combos and orders for open or close may not cross zero."""

    security_types = (EQUITY, OPTION, SecurityType.FUTURE, INDEX_OPTION)
    order_types = (MARKET, LIMIT, STOP, STOP_LIMIT, COMBO, COMBO_LIMIT, AT_OPEN, AT_CLOSE, TRAILING)
    _no_cross = frozenset({COMBO, COMBO_LIMIT, AT_OPEN, AT_CLOSE})

    def get_fee_model(self, security: Security) -> FeeModel:
        return TradeStationFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        if is_outside_hours(order) and (order.type != LIMIT or order.security_type != EQUITY):
            return refused(
                "To place an order outside regular trading hours, please use a limit order and ensure the security is "
                "an equity.",
                "NotSupportedOutsideRegularMarketHours",
            )
        for verdict in (
            self._takes(security, order),
            check_cross_zero(self, security, order, self._no_cross),
            check_market_on_open(security, order, _from_six, OPTIONS | {EQUITY}),
        ):
            if not verdict[0]:
                return verdict
        return super().can_submit_order(security, order, message)

    def can_update_order(
        self, security: Security, order: Order, request: UpdateOrderRequest, message: Any = None
    ) -> Verdict:
        resized = request.quantity is not None and request.quantity != order.quantity
        name = type(self).__name__
        if resized and crosses_zero(security.holdings.quantity, order.quantity):
            return refused(
                f"Unfortunately, the {name} brokerage model does not support updating the quantity of Cross Zero "
                "Orders.",
                "UpdateRejected",
            )
        if resized and order.type in (COMBO, COMBO_LIMIT):
            return refused(f"Order type '{pascal(order.type)}' is not supported to update quantity in the {name}.")
        return ALLOWED


class CharlesSchwabBrokerageModel(DefaultBrokerageModel):
    """Charles Schwab: no leg limits, no trailing stops."""

    security_types = (EQUITY, OPTION, INDEX_OPTION)
    order_types = (MARKET, LIMIT, STOP, COMBO, COMBO_LIMIT, AT_CLOSE, AT_OPEN, STOP_LIMIT)

    def get_fee_model(self, security: Security) -> FeeModel:
        return CharlesSchwabFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        verdict = self._takes(security, order)
        return super().can_submit_order(security, order, message) if verdict[0] else verdict


class TastytradeBrokerageModel(DefaultBrokerageModel):
    """Tastytrade: of the combos only those with one limit, and these may not cross zero."""

    security_types = (EQUITY, OPTION, INDEX_OPTION, SecurityType.FUTURE, SecurityType.FUTURE_OPTION)
    order_types = (MARKET, LIMIT, STOP, STOP_LIMIT, COMBO_LIMIT)

    def get_fee_model(self, security: Security) -> FeeModel:
        return TastytradeFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        for verdict in (self._takes(security, order), check_cross_zero(self, security, order, (COMBO_LIMIT,))):
            if not verdict[0]:
                return verdict
        return super().can_submit_order(security, order, message)


class PublicBrokerageModel(DefaultBrokerageModel):
    """Public: of the combos only those with one limit, and these cannot be changed."""

    security_types = (EQUITY, OPTION, INDEX_OPTION, SecurityType.CRYPTO)
    order_types = (MARKET, LIMIT, STOP, STOP_LIMIT, COMBO_LIMIT)

    def get_fee_model(self, security: Security) -> FeeModel:
        return PublicFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        verdict = self._takes(security, order)
        if not verdict[0]:
            return verdict
        if is_outside_hours(order) and order.type != LIMIT:
            return refused(
                "Orders for extended market must be of type 'Limit' and with 'DAY' time-in-force, but "
                f"{pascal(order.type)} was specified."
            )
        return super().can_submit_order(security, order, message)

    def can_update_order(
        self, security: Security, order: Order, request: UpdateOrderRequest, message: Any = None
    ) -> Verdict:
        if order.group_order_manager is not None:
            return refused("Public.com does not support updating combo (multi-leg) orders.")
        return ALLOWED


def _from_six(start: timedelta, end: timedelta) -> tuple[timedelta, timedelta]:
    return timedelta(hours=6), start - timedelta(minutes=1)


