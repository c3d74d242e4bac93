"""Brokerage models: which orders a brokerage takes, and which models it gives a security.

Answers are `(bool, BrokerageMessageEvent | None)`, as a Python subclass gives them on LEAN; codes and texts are LEAN's.
Source: Common/Brokerages/*BrokerageModel.cs.
"""

from __future__ import annotations

from workbench.engine.brokerage_rules import BrokerageMessageEvent
from workbench.engine.brokerages.combos import (
    CharlesSchwabBrokerageModel,
    PublicBrokerageModel,
    TastytradeBrokerageModel,
    TradeStationBrokerageModel,
)
from workbench.engine.brokerages.default import DefaultBrokerageModel
from workbench.engine.brokerages.interactive_brokers import InteractiveBrokersBrokerageModel, InteractiveBrokersFixModel
from workbench.engine.brokerages.single_leg import AlpacaBrokerageModel, TradierBrokerageModel, WebullBrokerageModel
from workbench.engine.enums import AccountType, BrokerageName
from workbench.engine.exceptions import unsupported

__all__ = [
    "AlpacaBrokerageModel",
    "BrokerageMessageEvent",
    "CharlesSchwabBrokerageModel",
    "DefaultBrokerageModel",
    "InteractiveBrokersBrokerageModel",
    "InteractiveBrokersFixModel",
    "PublicBrokerageModel",
    "TastytradeBrokerageModel",
    "TradeStationBrokerageModel",
    "TradierBrokerageModel",
    "WebullBrokerageModel",
    "create_brokerage_model",
]

_MODELS: dict[BrokerageName, type[DefaultBrokerageModel]] = {
    BrokerageName.DEFAULT: DefaultBrokerageModel,
    BrokerageName.INTERACTIVE_BROKERS_BROKERAGE: InteractiveBrokersBrokerageModel,
    BrokerageName.INTERACTIVE_BROKERS_FIX: InteractiveBrokersFixModel,
    BrokerageName.TRADE_STATION: TradeStationBrokerageModel,
    BrokerageName.CHARLES_SCHWAB: CharlesSchwabBrokerageModel,
    BrokerageName.TASTYTRADE: TastytradeBrokerageModel,
    BrokerageName.PUBLIC: PublicBrokerageModel,
    BrokerageName.ALPACA: AlpacaBrokerageModel,
    BrokerageName.WEBULL: WebullBrokerageModel,
    BrokerageName.TRADIER_BROKERAGE: TradierBrokerageModel,
}


def create_brokerage_model(
    name: BrokerageName, account_type: AccountType = AccountType.MARGIN
) -> DefaultBrokerageModel:
    """The model of a brokerage (BrokerageModel.Create).

    Raises:
        NotImplementedError: for brokerages and account types that are not simulated here.
    """
    model = _MODELS.get(name)
    if model is None:
        raise unsupported(f"BrokerageName.{name.name}")
    return model(account_type)
