"""Option contracts and chains as securities (Common/Securities/Option/Option.cs)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workbench.engine.clock import Clock
from workbench.engine.enums import OptionRight, OptionStyle, SecurityType, SettlementType
from workbench.engine.exchange import PriceCache, SecurityExchange
from workbench.engine.members import lean_class
from workbench.engine.securities import Security
from workbench.engine.symbols import Symbol


def index_option_tick(ticker: str, price: float) -> float:
    """IndexOptionSymbolProperties.MinimumPriceVariationForPrice: a finer tick below three dollars."""
    if ticker == "VIXW":
        return 0.01
    if ticker == "VIX":
        return 0.05 if price >= 3 else 0.01
    return 0.1 if price >= 3 else 0.05


@lean_class("Option")
class Option(Security):
    """A contract or, for the canonical symbol, the chain's settings."""

    def __init__(self, symbol: Symbol, exchange: SecurityExchange, properties: Any, clock: Clock,
                 cache: PriceCache | None = None, underlying: Security | None = None) -> None:
        super().__init__(symbol, exchange, properties, clock, cache)
        self.underlying: Security = underlying  # type: ignore[assignment]  # set when the underlying is subscribed
        self.contract_filter: Any = None
        self.option_exercise_model: Any = None
        self.option_assignment_model: Any = None
        self.price_model: Any = None
        self.exercise_settlement = (SettlementType.CASH if self.type == SecurityType.INDEX_OPTION
                                    else SettlementType.PHYSICAL_DELIVERY)
        self.contract_unit_of_trade = int(self.multiplier)

    @property
    def bid_price(self) -> float:
        return self.cache.bid_price

    @property
    def ask_price(self) -> float:
        return self.cache.ask_price

    @property
    def strike_price(self) -> float:
        return float(self.symbol.id.strike_price)

    @property
    def right(self) -> OptionRight:
        return self.symbol.id.option_right

    @property
    def style(self) -> OptionStyle:
        return self.symbol.id.option_style

    @property
    def expiry(self) -> datetime:
        return self.symbol.id.date

    def get_intrinsic_value(self, underlying_price: float) -> float:
        """Dollars per share if exercised now."""
        sign = 1.0 if self.right == OptionRight.CALL else -1.0
        return max(0.0, sign * (underlying_price - self.strike_price))

    def get_pay_off(self, underlying_price: float) -> float:
        """Dollars per share if exercised now, negative when out of the money."""
        sign = 1.0 if self.right == OptionRight.CALL else -1.0
        return sign * (underlying_price - self.strike_price)

    def is_auto_exercised(self, underlying_price: float) -> bool:
        """In the money by a cent or more."""
        return round(self.get_intrinsic_value(underlying_price), 8) >= 0.01

    def out_of_the_money_amount(self, underlying_price: float) -> float:
        """Dollars per share that miss to the strike."""
        return max(0.0, -self.get_pay_off(underlying_price))

    def get_exercise_quantity(self, order_quantity: float | None = None) -> float:
        """Shares delivered by an exercise order (default: the equivalent of the holdings), signed."""
        quantity = -self.holdings.quantity if order_quantity is None else order_quantity
        return (-1.0 if self.right == OptionRight.CALL else 1.0) * quantity * self.contract_unit_of_trade

    def minimum_price_variation(self, price: float) -> float:
        """The contract's tick; index options have a finer one below a price (IndexOptionSymbolProperties.cs)."""
        if self.type == SecurityType.INDEX_OPTION:
            return index_option_tick(self.symbol.id.symbol, price)
        return float(self.symbol_properties.minimum_price_variation)

    def set_filter(self, *args: Any, **kwargs: Any) -> None:
        """Choose the contracts of the chain: a function of the universe, or min/max strike and expiry."""
        from workbench.engine.chains import make_filter
        self.contract_filter = make_filter(*args, **kwargs)

    def set_option_exercise_model(self, model: Any) -> None:
        """Use an exercise model."""
        self.option_exercise_model = model

    def set_option_assignment_model(self, model: Any) -> None:
        """Use an assignment model."""
        self.option_assignment_model = model

    def set_price_model(self, model: Any) -> None:
        """Use an option price model."""
        self.price_model = model
