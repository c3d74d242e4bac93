"""Brokerages that take no multi-leg orders: Alpaca, Webull, Tradier."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.engine.brokerage_rules import (
    ALLOWED,
    BrokerageMessageEvent,
    Verdict,
    check_cross_zero,
    check_market_on_open,
    is_outside_hours,
    pascal,
    refused,
    unsupported_order_type,
    unsupported_security_type,
)
from workbench.engine.brokerages.default import (
    AT_CLOSE,
    AT_OPEN,
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
from workbench.engine.enums import BrokerageMessageType, OrderType, SecurityType
from workbench.engine.fees import AlpacaFeeModel, ConstantFeeModel, FeeModel, WebullFeeModel
from workbench.engine.time_in_force import DayTimeInForce, GoodTilCanceledTimeInForce

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.requests import UpdateOrderRequest
    from workbench.engine.securities import Security



class AlpacaBrokerageModel(DefaultBrokerageModel):
    """Alpaca: options by market and limit orders only."""

    _types: ClassVar[dict[SecurityType, tuple[OrderType, ...]]] = {
        EQUITY: (MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING, AT_OPEN, AT_CLOSE),
        OPTION: (MARKET, LIMIT),
        SecurityType.CRYPTO: (MARKET, LIMIT, STOP_LIMIT),
    }

    def get_fee_model(self, security: Security) -> FeeModel:
        return AlpacaFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        types = self._types.get(security.type)
        if types is None:
            return unsupported_security_type(self, security)
        if order.type not in types:
            return unsupported_order_type(self, order, types)
        if is_outside_hours(order) and not (order.type == LIMIT and isinstance(order.time_in_force, DayTimeInForce)):
            namespace = "QuantConnect.Orders.TimeInForces."
            return refused(
                f"The {type(self).__name__} does not support {pascal(order.type)} orders with {namespace}"
                f"{type(order.time_in_force).__name__} TIF outside regular hours. Only Limit orders with {namespace}"
                "DayTimeInForce TIF are supported outside regular trading hours."
            )
        for verdict in (
            check_cross_zero(self, security, order, (AT_OPEN, AT_CLOSE)),
            check_market_on_open(security, order, _from_seven_pm, (EQUITY,)),
        ):
            if not verdict[0]:
                return verdict
        return super().can_submit_order(security, order, message)


class WebullBrokerageModel(DefaultBrokerageModel):
    """Webull: no combos; options are sold with day orders only."""

    _types: ClassVar[dict[SecurityType, tuple[OrderType, ...]]] = {
        EQUITY: (MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING),
        OPTION: (MARKET, LIMIT, STOP, STOP_LIMIT),
        INDEX_OPTION: (MARKET, LIMIT, STOP, STOP_LIMIT),
    }

    def get_fee_model(self, security: Security) -> FeeModel:
        return WebullFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        types = self._types.get(security.type)
        if types is None:
            return unsupported_security_type(self, security)
        if order.type not in types:
            return unsupported_order_type(self, order, types)
        if security.type in OPTIONS and order.quantity < 0 and not isinstance(order.time_in_force, DayTimeInForce):
            return refused(
                f"{pascal(order.security_type)} sell orders only support DayTimeInForce time in force, but "
                f"{type(order.time_in_force).__name__} was specified."
            )
        if is_outside_hours(order):
            if security.type != EQUITY:
                return refused(
                    "OutsideRegularTradingHours is only supported for Equity orders, but "
                    f"{pascal(security.type)} was specified."
                )
            if order.type == MARKET:
                return refused("Market orders are not supported outside regular trading hours.")
        return super().can_submit_order(security, order, message)


class TradierBrokerageModel(DefaultBrokerageModel):
    """Tradier: no combos; no short sale good til cancelled or below 5 dollars; no change of quantity; no fees."""

    order_types = (LIMIT, MARKET, STOP, STOP_LIMIT)
    _sessions = (
        (timedelta(hours=4), timedelta(hours=9, minutes=24)),
        (timedelta(hours=16), timedelta(hours=19, minutes=55)),
    )

    def get_fee_model(self, security: Security) -> FeeModel:
        return ConstantFeeModel(0.0)

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        if order.type not in self.order_types:
            return unsupported_order_type(self, order, self.order_types)
        if order.security_type not in (EQUITY, OPTION, INDEX_OPTION):
            return refused("This model only supports equities and options.")
        if not isinstance(order.time_in_force, GoodTilCanceledTimeInForce | DayTimeInForce):
            namespace = "QuantConnect.Orders.TimeInForces."
            return refused(
                f"This model only supports orders with the following time in force types: {namespace}DayTimeInForce "
                f"and {namespace}GoodTilCanceledTimeInForce"
            )
        if security.holdings.quantity + order.quantity < 0:
            if isinstance(order.time_in_force, GoodTilCanceledTimeInForce):
                return refused(
                    "You cannot place short stock orders with GTC, only day orders are allowed", "ShortOrderIsGtc"
                )
            if security.price < 5:
                return refused(
                    "Sell Short order cannot be placed for stock priced below $5", "SellShortOrderLastPriceBelow5"
                )
        if not 1 <= order.absolute_quantity <= 10_000_000:
            return refused("Quantity should be between 1 and 10,000,000", "IncorrectOrderQuantity")
        may_execute, may_submit = self._may_execute(security, order)
        notice = None
        if not may_execute:
            if not may_submit:
                return refused(
                    "Tradier does not support explicitly placing out-of-regular-hours orders if not currently during "
                    "the pre or post market session. PreMarket: 04:00:00-09:24:00. PostMarket: 16:00:00-19:55:00. Only "
                    "equity limit orders are allowed during extended market hours.",
                    "ExtendedMarket",
                )
            notice = BrokerageMessageEvent(
                BrokerageMessageType.WARNING,
                "ExtendedMarket",
                "Tradier does not support extended market hours trading. Your order will be processed at market open.",
            )
        verdict = check_cross_zero(self, security, order, (AT_OPEN, AT_CLOSE))
        return (True, notice) if verdict[0] else verdict

    def can_update_order(
        self, security: Security, order: Order, request: UpdateOrderRequest, message: Any = None
    ) -> Verdict:
        if request.quantity is not None and request.quantity != order.quantity:
            return refused("Tradier does not support updating order quantities.", "UpdateRejected")
        return ALLOWED

    def can_execute_order(self, security: Security, order: Order) -> bool:
        return self._may_execute(security, order)[0]

    def _may_execute(self, security: Security, order: Order) -> tuple[bool, bool]:
        """Whether the order may fill now, and whether it may be sent now."""
        if security.exchange.exchange_open:
            return True, True
        outside = is_outside_hours(order)
        local = security.local_time
        now = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        session = any(start <= now < end for start, end in self._sessions)
        if outside and order.type == LIMIT and order.security_type == EQUITY and session:
            return True, True
        return False, not outside


def _from_seven_pm(start: timedelta, end: timedelta) -> tuple[timedelta, timedelta]:
    return timedelta(hours=19), start - timedelta(minutes=2)


