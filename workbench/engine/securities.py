"""Securities: prices, exchange, models and holdings of one subscribed symbol (Common/Securities/Security.cs, Option.cs)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from workbench.engine.clock import Clock, to_local, to_utc
from workbench.engine.enums import DataNormalizationMode, OptionRight, OptionStyle, Resolution, SecurityType, SettlementType, TickType
from workbench.engine.exceptions import unsupported
from workbench.engine.holdings import SecurityHolding
from workbench.engine.members import lean_members, missing_member
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.bars import QuoteBar, TradeBar

_OPTIONS: Final = frozenset({SecurityType.OPTION, SecurityType.INDEX_OPTION, SecurityType.FUTURE_OPTION})
HOUR: Final = timedelta(hours=1)


class PriceCache(Protocol):
    """Last observations of a security, fill-forward bars left out (Common/Securities/SecurityCache.cs).

    The feed supplies it and may compute on demand; every price is 0.0 before the first bar.
    """

    @property
    def price(self) -> float: ...

    @property
    def open(self) -> float: ...

    @property
    def high(self) -> float: ...

    @property
    def low(self) -> float: ...

    @property
    def close(self) -> float: ...

    @property
    def volume(self) -> float: ...

    @property
    def bid_price(self) -> float: ...

    @property
    def ask_price(self) -> float: ...

    @property
    def bid_size(self) -> float: ...

    @property
    def ask_size(self) -> float: ...

    @property
    def open_interest(self) -> float: ...

    def get_data(self) -> Any | None:
        """The last bar that set the price (a QuoteBar wins over a TradeBar of the same end time)."""

    def quote_bar(self) -> QuoteBar | None:
        """The last real QuoteBar."""

    def trade_bar(self) -> TradeBar | None:
        """The last real TradeBar."""


class EmptyCache:
    """The cache of a security that has no data yet."""

    price = open = high = low = close = volume = bid_price = ask_price = bid_size = ask_size = open_interest = 0.0

    def get_data(self) -> Any | None:
        """Nothing yet."""
        return None

    def quote_bar(self) -> QuoteBar | None:
        """Nothing yet."""
        return None

    def trade_bar(self) -> TradeBar | None:
        """Nothing yet."""
        return None


class SecurityExchange:
    """Opening hours of a security, at the engine's clock."""

    __slots__ = ("_clock", "_open", "_version", "hours", "time_zone")

    def __init__(self, hours: Any, clock: Clock) -> None:
        self.hours = hours
        self.time_zone: tzinfo = hours.time_zone
        self._clock = clock
        self._version = -1
        self._open = False

    @property
    def local_time(self) -> datetime:
        """Now at the exchange, naive."""
        return self._clock.local(self.time_zone)

    @property
    def exchange_open(self) -> bool:
        """Whether regular hours are on now."""
        if self._version != self._clock.version:
            self._open = bool(self.hours.is_open(self.local_time, False))
            self._version = self._clock.version
        return self._open

    @property
    def closing_soon(self) -> bool:
        return not self.hours.is_open(self.local_time + timedelta(minutes=10), False)

    def to_local(self, utc: datetime) -> datetime:
        """Wall-clock time at the exchange."""
        return to_local(utc, self.time_zone)

    def to_utc(self, local: datetime) -> datetime:
        """UTC of a wall-clock time at the exchange."""
        return to_utc(local, self.time_zone)

    def date_time_is_open(self, local: datetime) -> bool:
        """Whether regular hours are on at a wall-clock time."""
        return bool(self.hours.is_open(local, False))

    def is_open_during_bar(self, start: datetime, end: datetime, extended: bool) -> bool:
        """Whether the exchange is open at any time within a bar."""
        return bool(self.hours.is_open(start, end, extended))


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

    def __getattr__(self, name: str) -> Any:
        missing_member(self, type(self).__name__ if name in lean_members(type(self).__name__) else "Security", name)


class Equity(Security):
    """A stock."""

    def minimum_price_variation(self, price: float) -> float:
        """A cent, a hundredth of it below one dollar, nothing for adjusted prices (Equity.cs:146)."""
        if any(c.data_normalization_mode != DataNormalizationMode.RAW for c in self.subscriptions):
            return 0.0
        return 0.0001 if price < 1 else float(self.symbol_properties.minimum_price_variation)


class Index(Security):
    """An index; it cannot be traded."""


def index_option_tick(ticker: str, price: float) -> float:
    """IndexOptionSymbolProperties.MinimumPriceVariationForPrice: a finer tick below three dollars."""
    if ticker == "VIXW":
        return 0.01
    if ticker == "VIX":
        return 0.05 if price >= 3 else 0.01
    return 0.1 if price >= 3 else 0.05


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


T = TypeVar("T")


class KeyValuePair(Generic[T]):
    """What iterating a .NET dictionary yields in Python."""

    __slots__ = ("key", "value")

    def __init__(self, key: Symbol, value: T) -> None:
        self.key = key
        self.value = value

    def __iter__(self) -> Iterator[Any]:
        yield self.key
        yield self.value


class SecurityManager:
    """Subscribed securities by symbol; a removed one stays known for its totals."""

    def __init__(self) -> None:
        self._items: dict[Symbol, Security] = {}
        self.total: dict[Symbol, Security] = {}

    def add(self, security: Security) -> None:
        """Register a security."""
        self._items[security.symbol] = security
        self.total[security.symbol] = security

    def remove(self, symbol: Symbol) -> None:
        """Forget a security."""
        self._items.pop(symbol, None)

    def find(self, symbol: Symbol) -> Security | None:
        """The security of a symbol, or None."""
        return self._items.get(symbol)

    def get(self, symbol: Symbol | str, default: Security | None = None) -> Security | None:
        """The security of a symbol, or the default."""
        return self._items.get(self._key(symbol), default)  # type: ignore[arg-type]

    def _key(self, symbol: Symbol | str) -> Symbol | None:
        if isinstance(symbol, Symbol):
            return symbol
        if isinstance(symbol, Security):
            return symbol.symbol
        for known in self._items:
            if known == symbol:
                return known
        return None

    def __getitem__(self, symbol: Symbol | str) -> Security:
        found = self._items.get(symbol)  # type: ignore[arg-type]
        if found is None:
            key = self._key(symbol)
            found = None if key is None else self._items.get(key)
        if found is None:
            raise KeyError(f"This asset symbol ({symbol}) was not found in your security list. Please add this security "
                           "or check it exists before using it with 'securities.contains_key(\"...\")'")
        return found

    def contains_key(self, symbol: Symbol | str) -> bool:
        """Whether the symbol is subscribed."""
        return self._items.get(self._key(symbol)) is not None  # type: ignore[arg-type]

    def __contains__(self, symbol: object) -> bool:
        return self.contains_key(symbol)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._items)

    @property
    def count(self) -> int:
        return len(self._items)

    @property
    def keys(self) -> Any:
        return _CallableList(self._items.keys())

    @property
    def values(self) -> Any:
        return _CallableList(self._items.values())

    def items(self) -> list[tuple[Symbol, Security]]:
        """Pairs of symbol and security."""
        return list(self._items.items())

    def __iter__(self) -> Iterator[KeyValuePair[Security]]:
        for symbol, security in list(self._items.items()):
            yield KeyValuePair(symbol, security)


class _CallableList(list[Any]):
    """A list that may also be called: `.values` and `.values()` both work on LEAN's dictionaries."""

    def __call__(self) -> list[Any]:
        return list(self)
