"""Securities: prices, models and holdings of one subscribed symbol (Common/Securities/Security.cs)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.clock import Clock
from workbench.engine.enums import DataNormalizationMode, Resolution, SecurityType, TickType
from workbench.engine.exceptions import unsupported
from workbench.engine.exchange import EmptyCache, PriceCache, SecurityExchange
from workbench.engine.holdings import SecurityHolding
from workbench.engine.members import lean_class
from workbench.engine.symbols import Symbol

_RAW: Final = DataNormalizationMode.RAW
_OPTIONS: Final = frozenset({SecurityType.OPTION, SecurityType.INDEX_OPTION, SecurityType.FUTURE_OPTION})


@lean_class("Security")
class Security:
    """One subscribed symbol. Prices are dollars per share; before the first bar they are 0."""

    def __init__(self, symbol: Symbol, exchange: SecurityExchange, properties: Any, clock: Clock,
                 cache: PriceCache | None = None) -> None:
        self.symbol = symbol
        self.type: SecurityType = symbol.security_type
        self.exchange = exchange
        self.symbol_properties = properties
        self.clock = clock
        self.cache: PriceCache = EmptyCache() if cache is None else cache
        self.holdings = SecurityHolding(self)
        self.is_tradable = self.type != SecurityType.INDEX and not symbol.is_canonical()
        self.is_delisted = False
        self._subscriptions: list[Any] = []
        self.has_trades = self.has_quotes = self.daily_only = self.coarse_only = False
        self.is_extended_market_hours = False
        self.fill_model: Any = None
        self.fee_model: Any = None
        self.slippage_model: Any = None
        self.buying_power_model: Any = None
        self.portfolio_model: Any = None
        self.settlement_model: Any = None
        self.volatility_model: Any = None
        self.margin_interest_rate_model: Any = None
        self.leverage = 2.0
        self.multiplier = float(properties.contract_multiplier)

    # -- prices ---------------------------------------------------------------------------------------------------

    @property
    def price(self) -> float:
        """Last price: mid of the last two-sided quote bar, the close of the last trade bar, ..."""
        return self.cache.price

    @property
    def open(self) -> float:
        return self.cache.open or self.cache.price

    @property
    def high(self) -> float:
        return self.cache.high or self.cache.price

    @property
    def low(self) -> float:
        return self.cache.low or self.cache.price

    @property
    def close(self) -> float:
        return self.cache.close or self.cache.price

    @property
    def volume(self) -> float:
        return self.cache.volume

    @property
    def bid_price(self) -> float:
        return self.cache.bid_price or self.cache.price

    @property
    def ask_price(self) -> float:
        return self.cache.ask_price or self.cache.price

    @property
    def bid_size(self) -> float:
        return self.cache.bid_size

    @property
    def ask_size(self) -> float:
        return self.cache.ask_size

    @property
    def open_interest(self) -> float:
        return self.cache.open_interest

    def get_last_data(self) -> Any | None:
        """The last bar, or None."""
        return self.cache.get_data()

    @property
    def has_data(self) -> bool:
        return self.cache.get_data() is not None

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def invested(self) -> bool:
        return self.holdings.invested

    @property
    def hold_stock(self) -> bool:
        return self.holdings.invested

    @property
    def local_time(self) -> datetime:
        """Now at the exchange, naive."""
        return self.clock.local(self.exchange.time_zone)

    @property
    def buying_power_model(self) -> Any:
        """The margin model."""
        return self._buying_power_model

    @buying_power_model.setter
    def buying_power_model(self, model: Any) -> None:
        self._buying_power_model = model
        # LEAN's own margin models, by name: this module knows nothing of margin.
        kind = type(model).__name__
        self.own_margin = kind in ("SecurityMarginModel", "OptionMarginModel")
        self.plain_margin = self.type is SecurityType.EQUITY and kind == "SecurityMarginModel"

    @property
    def subscriptions(self) -> list[Any]:
        """Streams of data the algorithm gets of the security (SubscriptionDataConfig)."""
        return self._subscriptions

    @subscriptions.setter
    def subscriptions(self, configs: list[Any]) -> None:
        self._subscriptions = configs
        self.has_trades = any(c.tick_type == TickType.TRADE for c in configs)
        self.has_quotes = any(c.tick_type == TickType.QUOTE for c in configs)
        self.daily_only = bool(configs) and all(c.resolution == Resolution.DAILY for c in configs)
        self.coarse_only = bool(configs) and all(c.resolution >= Resolution.HOUR for c in configs)
        self.is_extended_market_hours = any(c.extended_market_hours for c in configs)

    @property
    def resolution(self) -> Resolution:
        return min((c.resolution for c in self.subscriptions), default=Resolution.DAILY)

    @property
    def is_option(self) -> bool:
        return self.type in _OPTIONS

    @property
    def contract_multiplier(self) -> float:
        return self.multiplier

    @property
    def data_normalization_mode(self) -> DataNormalizationMode:
        return next((c.data_normalization_mode for c in self._subscriptions), DataNormalizationMode.RAW)

    @property
    def is_fill_data_forward(self) -> bool:
        return any(c.fill_forward for c in self._subscriptions)

    @property
    def margin_model(self) -> Any:
        return self.buying_power_model

    def minimum_price_variation(self, price: float) -> float:
        """Tick size at a price (PriceVariationModel); 0 where LEAN does not round."""
        return float(self.symbol_properties.minimum_price_variation)

    def is_market_open(self, extended_market_hours: bool = False) -> bool:
        """Whether the market is open now."""
        if not extended_market_hours:
            return self.exchange.exchange_open
        return bool(self.exchange.hours.is_open(self.local_time, True))

    # -- models ---------------------------------------------------------------------------------------------------

    def set_fill_model(self, model: Any) -> None:
        """Use a fill model, e.g. a Python subclass of FillModel."""
        self.fill_model = model

    def set_fee_model(self, model: Any) -> None:
        """Use a fee model."""
        self.fee_model = model

    def set_slippage_model(self, model: Any) -> None:
        """Use a slippage model."""
        self.slippage_model = model

    def set_buying_power_model(self, model: Any) -> None:
        """Use a buying power model."""
        self.buying_power_model = model

    def set_margin_model(self, model: Any) -> None:
        """Another name of `set_buying_power_model`."""
        self.buying_power_model = model

    def set_volatility_model(self, model: Any) -> None:
        """Keep a volatility model; prices here do not use it."""
        self.volatility_model = model

    def set_settlement_model(self, model: Any) -> None:
        """Only immediate settlement is supported."""
        raise unsupported("Security.set_settlement_model")

    def set_leverage(self, leverage: float) -> None:
        """Set the leverage of a margin account."""
        self.leverage = float(leverage)
        if hasattr(self.buying_power_model, "set_leverage"):
            self.buying_power_model.set_leverage(self, leverage)

    def set_data_normalization_mode(self, mode: Any) -> None:
        """Change the adjustment of the security's subscriptions; takes effect for data not read yet."""
        for config in self.subscriptions:
            config.data_normalization_mode = mode

    def __str__(self) -> str:
        return str(self.symbol)

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...


@lean_class("Equity")
class Equity(Security):
    """A stock."""

    def minimum_price_variation(self, price: float) -> float:
        """A cent, a hundredth of it below one dollar, nothing for adjusted prices (Equity.cs:146)."""
        for config in self._subscriptions:
            mode = config.data_normalization_mode
            if mode is not _RAW and mode != _RAW:
                return 0.0
        return 0.0001 if price < 1 else float(self.symbol_properties.minimum_price_variation)


@lean_class("Index")
class Index(Security):
    """An index; it cannot be traded."""
