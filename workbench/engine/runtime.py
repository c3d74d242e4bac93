"""The running engine: its parts, and the securities it makes for the algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from zoneinfo import ZoneInfo

from workbench.engine.brokerage import BacktestingBrokerage
from workbench.engine.brokerages import create_brokerage_model
from workbench.engine.buying_power import MarginBook
from workbench.engine.clock import NEW_YORK, Clock, to_utc
from workbench.engine.commands import Commands
from workbench.engine.enums import AlgorithmStatus, BrokerageName, Resolution, SecurityType
from workbench.engine.exceptions import InvalidOperationException
from workbench.engine.exchange import SecurityExchange
from workbench.engine.expiry import (
    DefaultExerciseModel,
    DefaultOptionAssignmentModel,
    Expiry,
    OptionPortfolioModel,
)
from workbench.engine.feed.factors import MapFiles
from workbench.engine.feed.subscriptions import Feed
from workbench.engine.fees import market_order_fee
from workbench.engine.framework import Framework
from workbench.engine.handler import BrokerageTransactionHandler
from workbench.engine.hours_database import MarketHoursDatabase
from workbench.engine.identifiers import use_map_files
from workbench.engine.margin_calls import DefaultMarginCallModel, MarginCalls
from workbench.engine.options import Option
from workbench.engine.portfolio import SecurityPortfolioManager
from workbench.engine.properties import SymbolPropertiesDatabase
from workbench.engine.results import Results
from workbench.engine.schedule import EventSchedule, ScheduleManager
from workbench.engine.schedule_rules import DateRules, TimeRules
from workbench.engine.securities import Equity, Index, Security
from workbench.engine.security_manager import SecurityManager
from workbench.engine.settings import AlgorithmSettings, NotificationManager, UniverseSettings
from workbench.engine.store import ObjectStore
from workbench.engine.subscribing import Subscribing
from workbench.engine.symbols import Symbol, SymbolCache
from workbench.engine.time_in_force import OrderProperties
from workbench.engine.transactions import SecurityTransactionManager

if TYPE_CHECKING:
    from workbench.engine.bars import Delisting, Dividend, Split
    from workbench.engine.feed_contract import SecurityChanges
    from workbench.engine.orders import Order, OrderEvent
    from workbench.engine.slices import Slice

DEFAULT_START: Final = datetime(1998, 1, 1)
_CLASSES: Final = {SecurityType.EQUITY: Equity, SecurityType.INDEX: Index}


class Engine(Subscribing):
    """Everything one run consists of."""

    live_mode = False

    def __init__(self, data: Path, parameters: Mapping[str, str], store: ObjectStore, name: str = "") -> None:
        self.data = data
        self.parameters = {str(k): str(v) for k, v in parameters.items()}
        #: names of the parameters that the algorithm asked for
        self.asked: set[str] = set()
        self.name = name
        self.title = name
        self.tags: set[str] = set()
        self.start_date = DEFAULT_START
        self.end_date = datetime.combine(datetime.now(UTC).date() - timedelta(days=1), time.max)
        self.clock = Clock(to_utc(self.start_date, NEW_YORK))
        self.results = Results()
        self.store = store
        self.status = AlgorithmStatus.INITIALIZING
        self.locked = False
        self.is_warming_up = True
        self.stopped = False
        self.failure: tuple[Exception, str] | None = None
        self.steps_done = 0
        self.warm_up_period: timedelta | None = None
        self.warm_up_bars: int | None = None
        self.warm_up_resolution: Resolution | None = None
        self.maximum_orders = 2**31 - 1
        self.benchmark: Any = None
        self.brokerage_message_handler: Any = None
        self.current_slice: Slice | None = None
        self.algorithm: Any = None
        self._warned: set[str] = set()

        self.map_files = MapFiles(data)
        use_map_files(self.map_files.first_ticker)
        self.hours = MarketHoursDatabase.from_data_folder(data)
        self.properties = SymbolPropertiesDatabase.from_data_folder(data)
        self._exchanges: dict[int, SecurityExchange] = {}
        self.settings = AlgorithmSettings()
        self.universe_settings = UniverseSettings()
        self.default_order_properties = OrderProperties()
        self.notify = NotificationManager(lambda kind, fields: self.results.notify(self.clock.time, kind, fields))
        self.securities = SecurityManager()
        self.portfolio = SecurityPortfolioManager(self.securities)
        self.transactions = SecurityTransactionManager(self.clock, lambda: self.is_warming_up)
        self.brokerage_name = BrokerageName.DEFAULT
        self.brokerage_model: Any = create_brokerage_model(BrokerageName.DEFAULT)
        self.security_initializers: list[Callable[[Security], Any]] = []
        self.user_initializer = False
        self.execution_model: Any = None
        self.risk_models: list[Any] = []
        self.framework = Framework(self)
        self.commands = Commands()
        self.margin_calls = MarginCalls()
        self.portfolio.margin = MarginBook(self.portfolio, self.transactions.get_order_ticket)
        self.portfolio.transactions = self.transactions
        self._margin_call_model = DefaultMarginCallModel(self.portfolio, self.default_order_properties)
        self.portfolio.margin_call_model = self._margin_call_model
        self.events = EventSchedule(self.clock, self.fail)
        self.schedule = ScheduleManager(self.events, self.clock,
                                        DateRules(self.clock, self.hours_of, self.securities),
                                        TimeRules(self.clock, self.hours_of, self.securities))
        self.brokerage = BacktestingBrokerage(self)
        self.handler = BrokerageTransactionHandler(self, self.brokerage)
        self.expiry = Expiry(self)
        super().__init__()
        self.feed = Feed(data, self.hours, self.map_files, self, NEW_YORK, self.warn_missing)

    # -- run ------------------------------------------------------------------------------------------------------

    def set_start_date(self, day: datetime) -> None:
        """First day; the clock stands at its midnight while the algorithm initializes."""
        self.start_date = day
        self.clock.set(to_utc(day, self.clock.zone))

    def set_end_date(self, day: datetime) -> None:
        """Last day, to its end."""
        self.end_date = datetime.combine(day.date(), time.max)

    def set_time_zone(self, zone: tzinfo) -> None:
        """Algorithm time zone."""
        self.clock.zone = zone
        self.feed.zone = cast(ZoneInfo, zone)
        self.clock.set(to_utc(self.start_date, zone))

    def require_unlocked(self, name: str) -> None:
        """Refuse set-up calls after `initialize`."""
        if self.locked:
            raise InvalidOperationException(f"Algorithm.{name}(): Cannot change after algorithm initialized.")

    @property
    def stale_price_time_span(self) -> timedelta:
        """Age at which a price counts as stale."""
        span: timedelta = self.settings.stale_price_time_span
        return span

    def sample(self) -> None:
        """Keep the account's value of now, for the curve of the result."""
        self.results.equity.append((self.clock.time, self.portfolio.total_portfolio_value))

    def stop(self) -> None:
        """End the run with the next time step."""
        self.stopped = True
        self.status = AlgorithmStatus.STOPPED

    def quit(self, message: str) -> None:
        """End the run on the algorithm's request."""
        self.results.debug(self.clock.time, f"Quit(): {message}")
        self.stop()

    def fail(self, error: Exception, where: str) -> None:
        """An exception in the algorithm's code ends the run; the first one counts."""
        if self.failure is None:
            self.failure = (error, where)
            self.status = AlgorithmStatus.RUNTIME_ERROR

    def error(self, message: str) -> None:
        """Log an error."""
        self.results.error(self.clock.time, message)

    def warn_once(self, key: str, message: str) -> None:
        """Log a warning the first time."""
        if key not in self._warned:
            self._warned.add(key)
            self.results.debug(self.clock.time, message)

    def warn_missing(self, message: str) -> None:
        """A data file is not there: LEAN goes on without, and so do we, but the log says so."""
        self.results.log(self.clock.time, message)

    def call(self, name: str, *args: Any) -> bool:
        """Call a handler of the algorithm; False when it raised, which ends the run."""
        try:
            getattr(self.algorithm, name)(*args)
        except Exception as error:
            self.fail(error, name)
            return False
        return True

    def start_run(self) -> None:
        """What follows `initialize`: time of the warm-up, order processor, pending subscriptions."""
        self.transactions.processor = self.handler
        self.commands.algorithm = self.algorithm
        self.margin_book_orders()
        self.subscribe_pending()
        kind = type(self.algorithm)
        from workbench.engine.algorithm.callbacks import Callbacks
        self.on_data = self.algorithm.on_data
        self.on_order_event = self.algorithm.on_order_event
        self.tells_end_of_step = kind.on_end_of_time_step is not Callbacks.on_end_of_time_step
        self.tells_end_of_day = kind.on_end_of_day is not Callbacks.on_end_of_day
        self.has_framework = self.framework.used
        self.locked = True
        self.status = AlgorithmStatus.RUNNING

    def margin_book_orders(self) -> None:
        """Margin calls use the default order properties that `initialize` may have replaced."""
        if self.portfolio.margin_call_model is self._margin_call_model:
            self.portfolio.margin_call_model = DefaultMarginCallModel(self.portfolio, self.default_order_properties)

    def check_warm_up(self) -> bool:
        """End the warm-up once the clock reaches the start, and tell the algorithm; False when it raised."""
        if not self.is_warming_up or self.clock.utc < self.start_utc:
            return True
        self.is_warming_up = False
        return self.call("on_warmup_finished")

    @property
    def start_utc(self) -> datetime:
        return to_utc(self.start_date, self.clock.zone)

    # -- events to the algorithm ----------------------------------------------------------------------------------

    def order_event(self, event: OrderEvent) -> bool | None:
        """Record an event, tell the execution model, then the algorithm (BTH:1359-1375).

        An exception in the execution model is only logged, and the rest of the batch is dropped (False), as on LEAN.
        """
        self.results.events.append((event, event.ticket.tag))
        model = self.execution_model
        if model is not None and hasattr(model, "on_order_event"):
            try:
                model.on_order_event(self.algorithm, event)
            except Exception as error:
                self.error(f"Error in {type(model).__name__}.on_order_event: {error}")
                return False
        try:
            self.on_order_event(event)
        except Exception as error:
            self.fail(error, "on_order_event")
        return True

    def assignment(self, event: OrderEvent) -> None:
        """Tell the algorithm of an assignment."""
        self.call("on_assignment_order_event", event)

    def framework_changes(self, changes: SecurityChanges) -> bool:
        """Tell the framework's models of securities that came or went."""
        return self.framework.securities_changed(changes)

    def run_framework(self) -> bool:
        """Risk and execution models, once a step with data."""
        return self.framework.step()

    # -- securities -----------------------------------------------------------------------------------------------

    def hours_of(self, symbol: Symbol) -> Any:
        """Opening hours of a symbol."""
        security = self.securities.find(symbol)
        return self.hours.entry_of(symbol).exchange_hours if security is None else security.exchange.hours

    def symbol_of(self, symbol: Any) -> Symbol:
        """The symbol meant by a symbol, a security or a ticker."""
        if isinstance(symbol, Symbol):
            return symbol
        if isinstance(symbol, str):
            return SymbolCache.get_symbol(symbol)
        found = getattr(symbol, "symbol", None)
        if isinstance(found, Symbol):
            return found
        raise TypeError(f"{symbol!r} is not a symbol, a security or a ticker")

    def make_security(self, symbol: Symbol) -> Security:
        """A security with the brokerage's models and the algorithm's initializers applied."""
        hours = self.hours.entry_of(symbol).exchange_hours
        exchange = self._exchanges.get(id(hours))
        if exchange is None:
            exchange = self._exchanges[id(hours)] = SecurityExchange(hours, self.clock)
        properties = self.properties.properties_of(symbol)
        if symbol.underlying is not None:
            underlying = self.securities.find(symbol.underlying)
            security: Security = Option(symbol, exchange, properties, self.clock, underlying=underlying)
        else:
            security = _CLASSES[symbol.security_type](symbol, exchange, properties, self.clock)
        self.securities.add(security)
        self.portfolio.watch(security)
        self._initialize(security)
        return security

    def _initialize(self, security: Security) -> None:
        if isinstance(security, Option):
            security.portfolio_model = OptionPortfolioModel()
            security.option_exercise_model = DefaultExerciseModel()
            security.option_assignment_model = DefaultOptionAssignmentModel()
        self._apply_brokerage_model(security)
        for initializer in self.security_initializers:
            if hasattr(initializer, "initialize"):
                initializer.initialize(security)
            else:
                initializer(security)

    def _apply_brokerage_model(self, security: Security) -> None:
        """BrokerageModelSecurityInitializer; a `set_security_initializer` replaces all but the bare defaults."""
        model = create_brokerage_model(BrokerageName.DEFAULT) if self.user_initializer else self.brokerage_model
        security.leverage = float(model.get_leverage(security))
        security.fill_model = model.get_fill_model(security)
        security.fee_model = model.get_fee_model(security)
        security.slippage_model = model.get_slippage_model(security)
        security.buying_power_model = model.get_buying_power_model(security)

    def set_brokerage_model(self, model: Any) -> None:
        """Use a brokerage's rules, also for the securities that are there."""
        self.brokerage_model = model
        if not self.user_initializer:
            for security in self.securities.values:
                leverage = security.leverage
                self._apply_brokerage_model(security)
                if leverage != security.leverage and security.type is SecurityType.EQUITY:
                    security.set_leverage(leverage)  # what add_security asked for stays

    def market_order_fee(self, security: Security, quantity: float) -> float:
        """Dollars a market order would cost."""
        return market_order_fee(security, quantity)

    def frees_margin(self, symbol: Symbol, quantity: float) -> float:
        """How much margin a trade gives back; sales of holdings come first (OrderTargetsByMarginImpact)."""
        security = self.securities[symbol]
        held = security.holdings.quantity
        return abs(held) * security.price if held * quantity < 0 else -abs(quantity) * security.price

    # -- ends of securities ---------------------------------------------------------------------------------------

    def process_delistings(self, delistings: list[Delisting]) -> None:
        """Exercise or let lapse what has expired, and cancel its orders."""
        self.expiry.process_delistings(delistings)

    def drop(self, security: Security) -> None:
        """Take a security out of the algorithm; it can still be looked up."""
        security.is_tradable = False
        self.securities.remove(security.symbol)
        self.portfolio.forget(security.symbol)

    def apply_dividend(self, dividend: Dividend) -> None:
        """Book a dividend of raw prices in cash (SecurityPortfolioManager.ApplyDividend)."""
        security = self.securities.find(dividend.symbol)
        if security is None or self.is_warming_up or not _is_raw(security):
            return
        amount = security.holdings.quantity * dividend.distribution
        security.holdings.total_dividends += amount
        self.portfolio.cash_book["USD"].add_amount(amount)

    def apply_split(self, split: Split) -> None:
        """Change a raw holding by a split's factor, the fraction in cash (SecurityPortfolioManager.ApplySplit)."""
        security = self.securities.find(split.symbol)
        if security is None or self.is_warming_up or not _is_raw(security):
            return
        holding = security.holdings
        new = holding.quantity / split.split_factor
        price = holding.average_price * split.split_factor
        whole = float(int(new))
        rest = new - whole
        if holding.quantity:
            self.portfolio.cash_book["USD"].add_amount(rest * split.reference_price * split.split_factor)
        holding.set_holdings(price, whole)
        self.brokerage_model.apply_split(self.transactions.get_open_order_tickets(split.symbol), split)

    def open_orders_of(self, symbol: Symbol) -> list[Order]:
        """Open orders of a symbol."""
        return [order for order in self.handler.open_orders() if order.symbol == symbol]


def _is_raw(security: Security) -> bool:
    from workbench.engine.enums import DataNormalizationMode
    return all(c.data_normalization_mode == DataNormalizationMode.RAW for c in security.subscriptions)
