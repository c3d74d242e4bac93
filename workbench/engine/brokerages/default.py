"""The brokerage model every other one builds on (Common/Brokerages/DefaultBrokerageModel.cs)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.engine.brokerage_rules import (
    ALLOWED,
    Verdict,
    refused,
    unsupported_order_type,
    unsupported_security_type,
)
from workbench.engine.enums import AccountType, OrderType, SecurityType
from workbench.engine.exceptions import unsupported
from workbench.engine.fees import ConstantFeeModel, FeeModel, InteractiveBrokersFeeModel

if TYPE_CHECKING:
    from workbench.engine.orders import Order
    from workbench.engine.requests import UpdateOrderRequest
    from workbench.engine.securities import Security

MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
STOP, STOP_LIMIT, TRAILING = OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP
AT_OPEN, AT_CLOSE, TOUCHED = OrderType.MARKET_ON_OPEN, OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_IF_TOUCHED
COMBO, COMBO_LIMIT, LEG_LIMIT = OrderType.COMBO_MARKET, OrderType.COMBO_LIMIT, OrderType.COMBO_LEG_LIMIT
EXERCISE = OrderType.OPTION_EXERCISE
EQUITY, OPTION, INDEX_OPTION = SecurityType.EQUITY, SecurityType.OPTION, SecurityType.INDEX_OPTION
OPTIONS = frozenset({OPTION, INDEX_OPTION})


class DefaultBrokerageModel:
    """Takes everything; fees are Interactive Brokers', nothing for index options. Base of Python brokerage models."""

    required_free_buying_power_percent: float = 0.0
    # kinds of security and types of order a brokerage takes, in the order in which its refusals list them
    security_types: ClassVar[Collection[SecurityType] | None] = None
    order_types: ClassVar[Collection[OrderType] | None] = None

    def __init__(self, account_type: AccountType = AccountType.MARGIN) -> None:
        if account_type != AccountType.MARGIN:
            raise unsupported("AccountType.CASH")
        self.account_type = account_type

    # -- orders ---------------------------------------------------------------------------------------------------

    def can_submit_order(self, security: Security, order: Order, message: Any = None) -> Verdict:
        """Whether the brokerage takes the order, and what it says otherwise."""
        if security.type in (SecurityType.FUTURE, SecurityType.FUTURE_OPTION) and order.type == AT_OPEN:
            return refused("MarketOnOpen orders are not supported for futures and future options.")
        return ALLOWED

    def can_update_order(
        self, security: Security, order: Order, request: UpdateOrderRequest, message: Any = None
    ) -> Verdict:
        """Whether the brokerage changes the order, and what it says otherwise."""
        return ALLOWED

    def can_execute_order(self, security: Security, order: Order) -> bool:
        """Whether the order may fill now."""
        return True

    def _takes(self, security: Security, order: Order) -> Verdict:
        """The lists above, kinds of security first."""
        if self.security_types is not None and security.type not in self.security_types:
            return unsupported_security_type(self, security)
        if self.order_types is not None and order.type not in self.order_types:
            return unsupported_order_type(self, order, self.order_types)
        return ALLOWED

    # -- models ---------------------------------------------------------------------------------------------------

    def get_leverage(self, security: Security) -> float:
        """Dollars of stock per dollar of margin."""
        return 2.0 if security.type == EQUITY else 1.0

    def get_fill_model(self, security: Security) -> Any:
        """The fill model of a security."""
        from workbench.engine.fills import EquityFillModel, ImmediateFillModel

        return EquityFillModel() if security.type == EQUITY else ImmediateFillModel()

    def get_fee_model(self, security: Security) -> FeeModel:
        """The fee model of a security."""
        if security.type in (EQUITY, OPTION, SecurityType.FUTURE, SecurityType.FUTURE_OPTION):
            return InteractiveBrokersFeeModel()
        return ConstantFeeModel(0.0)

    def get_buying_power_model(self, security: Security) -> Any:
        """The margin model of a security."""
        from workbench.engine.margin_models import OptionMarginModel, SecurityMarginModel

        if security.type in OPTIONS:
            return OptionMarginModel(self.required_free_buying_power_percent)
        return SecurityMarginModel(self.get_leverage(security), self.required_free_buying_power_percent)

    def get_slippage_model(self, security: Security) -> Any:
        """No slippage."""
        return None

    def get_settlement_model(self, security: Security) -> Any:
        """Funds settle at once in a margin account."""
        return None

    def get_margin_interest_rate_model(self, security: Security) -> Any:
        """No interest."""
        return None

    def get_shortable_provider(self, security: Security) -> Any:
        """Everything may be shorted."""
        return None

    def get_benchmark(self, securities: Any) -> Any:
        """No benchmark: results here are not measured against one."""
        return None

    def apply_split(self, tickets: list[Any], split: Any) -> None:
        """Scale open orders so that their value stays the same (DefaultBrokerageModel.ApplySplit)."""
        from workbench.engine.requests import UpdateOrderFields

        factor = split.split_factor
        for ticket in tickets:
            fields = UpdateOrderFields()
            fields.quantity = int(ticket.quantity / factor)
            kind = ticket.order_type
            order = ticket.order
            if kind in (LIMIT, STOP_LIMIT, TOUCHED, COMBO_LIMIT, LEG_LIMIT):
                fields.limit_price = order.limit_price * factor
            if kind in (STOP, STOP_LIMIT, TRAILING):
                fields.stop_price = order.stop_price * factor
            if kind == TOUCHED:
                fields.trigger_price = order.trigger_price * factor
            if kind == TRAILING and not order.trailing_as_percentage:
                fields.trailing_amount = order.trailing_amount * factor
            ticket.update(fields)


