"""Interactive Brokers, by its own interface and over FIX (Common/Brokerages/InteractiveBrokers*.cs)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.engine.brokerage_rules import (
    ALLOWED,
    Verdict,
    check_market_on_open,
    pascal,
    refused,
    unsupported_order_type,
    unsupported_security_type,
)
from workbench.engine.brokerages.default import (
    AT_CLOSE,
    AT_OPEN,
    COMBO,
    COMBO_LIMIT,
    EQUITY,
    EXERCISE,
    INDEX_OPTION,
    LEG_LIMIT,
    LIMIT,
    MARKET,
    OPTION,
    STOP,
    STOP_LIMIT,
    TOUCHED,
    TRAILING,
    DefaultBrokerageModel,
)
from workbench.engine.enums import OrderType, SecurityType, SettlementType
from workbench.engine.fees import FeeModel, InteractiveBrokersFeeModel
from workbench.engine.time_in_force import DayTimeInForce, GoodTilCanceledTimeInForce, GoodTilDateTimeInForce

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.securities import Security



class InteractiveBrokersBrokerageModel(DefaultBrokerageModel):
    """Interactive Brokers: all types but four-leg combos with leg limits."""

    order_types: ClassVar[Collection[OrderType]] = (
        MARKET, AT_OPEN, AT_CLOSE, LIMIT, STOP, STOP_LIMIT, TRAILING, TOUCHED, COMBO, COMBO_LIMIT, LEG_LIMIT, EXERCISE,
    )  # fmt: skip
    security_types: ClassVar[Collection[SecurityType]] = (
        EQUITY, SecurityType.FOREX, OPTION, SecurityType.FUTURE, SecurityType.FUTURE_OPTION, SecurityType.INDEX,
        INDEX_OPTION, SecurityType.CFD,
    )  # fmt: skip
    times_in_force: ClassVar[tuple[type, ...]] = (
        GoodTilCanceledTimeInForce,
        DayTimeInForce,
        GoodTilDateTimeInForce,
    )
    _at_open = frozenset({SecurityType.CFD, EQUITY, OPTION, SecurityType.FUTURE_OPTION, INDEX_OPTION})

    def get_fee_model(self, security: Security) -> FeeModel:
        return InteractiveBrokersFeeModel()

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        if order.type not in self.order_types:
            return unsupported_order_type(self, order, self.order_types)
        if order.type == AT_CLOSE and security.type not in (SecurityType.FUTURE, EQUITY, SecurityType.CFD):
            return refused(
                "InteractiveBrokers does not support Market-on-Close orders for other security types different than "
                "Future and Equity.",
                f"Unsupported order type for {pascal(security.type)} security type",
            )
        verdict = check_market_on_open(security, order, _after_close, self._at_open)
        if not verdict[0]:
            return verdict
        manager = order.group_order_manager
        name = type(self).__name__
        if order.type == LEG_LIMIT and manager is not None and manager.count >= 4:
            return refused(
                f"The {name} does not support four-leg ComboLegLimit orders. Use ComboLimit orders for four-leg "
                "combinations or more."
            )
        if security.type not in self.security_types:
            return unsupported_security_type(self, security)
        if type(order.time_in_force) not in self.times_in_force:
            return refused(f"The {name} does not support {type(order.time_in_force).__name__} time in force.")
        if order.type == EXERCISE and _settles_in_cash(security):
            return refused(
                f"The {name} does not support OptionExercise exercises for index and cash-settled options."
            )
        return ALLOWED

    def can_execute_order(self, security: Security, order: Order) -> bool:
        return order.security_type != SecurityType.BASE


class InteractiveBrokersFixModel(InteractiveBrokersBrokerageModel):
    """Interactive Brokers over FIX: no leg limits, no exercise, no good-til-date."""

    order_types = (
        MARKET, AT_OPEN, AT_CLOSE, LIMIT, STOP, STOP_LIMIT, TRAILING, COMBO, COMBO_LIMIT,
    )  # fmt: skip
    times_in_force = (GoodTilCanceledTimeInForce, DayTimeInForce)


def _settles_in_cash(security: Security) -> bool:
    return security.type == INDEX_OPTION or (
        security.type == OPTION and getattr(security, "exercise_settlement", None) == SettlementType.CASH
    )


def _after_close(start: timedelta, end: timedelta) -> tuple[timedelta, timedelta]:
    return end, start - timedelta(minutes=2)


