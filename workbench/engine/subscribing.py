"""How securities come into the algorithm: by its own calls, as an underlying, or by a chain's filter."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.engine.clock import to_utc
from workbench.engine.enums import DataNormalizationMode, DelistingType, Resolution, SecurityType, TickType
from workbench.engine.exceptions import ArgumentException, InvalidOperationException, unsupported
from workbench.engine.feed_contract import SecurityChanges, SubscriptionDataConfig
from workbench.engine.options import Option
from workbench.engine.requests import csharp_name
from workbench.engine.schedule import ScheduledEvent
from workbench.engine.securities import Security
from workbench.engine.symbols import Symbol, SymbolCache

if TYPE_CHECKING:
    from workbench.engine.feed_contract import TimeStep
    from workbench.engine.runtime import Engine

RAW: Final = DataNormalizationMode.RAW
END_OF_DAY: Final = timedelta(minutes=10)
_OPTIONS: Final = (SecurityType.OPTION, SecurityType.INDEX_OPTION)
_TICKS: Final = {
    SecurityType.EQUITY: (TickType.TRADE, TickType.QUOTE),
    SecurityType.OPTION: (TickType.QUOTE, TickType.TRADE, TickType.OPEN_INTEREST),
    SecurityType.INDEX_OPTION: (TickType.QUOTE, TickType.TRADE, TickType.OPEN_INTEREST),
    SecurityType.INDEX: (TickType.TRADE,),
}


class Subscribing:
    """Part of the engine that makes securities and tells the feed."""

    def __init__(self) -> None:
        self._pending: list[tuple[Security, list[SubscriptionDataConfig]]] = []
        self._pending_chains: list[Option] = []
        self._asked_for: set[Symbol] = set()
        self._end_of_day: dict[Symbol, ScheduledEvent] = {}
        self._removed: list[Security] = []

    @property
    def _engine(self) -> Engine:
        return cast("Engine", self)

    # -- what the algorithm asks for ------------------------------------------------------------------------------

    def add_security(self, symbol: Symbol, resolution: Resolution | None, *, fill_forward: bool = True,
                     leverage: float = 0.0, extended_market_hours: bool = False,
                     normalization: DataNormalizationMode | None = None, ticker: str | None = None) -> Security:
        """Subscribe a stock or index."""
        engine = self._engine
        SymbolCache.set(ticker or symbol.value, symbol)
        security = engine.securities.find(symbol)
        if security is None:
            security = engine.make_security(symbol)
        if leverage:
            security.set_leverage(leverage)
        mode = RAW
        if symbol.security_type == SecurityType.EQUITY:
            mode = engine.universe_settings.data_normalization_mode if normalization is None else normalization
        self._asked_for.add(symbol)
        self._subscribe(security, resolution, fill_forward, extended_market_hours, mode)
        return security

    def add_contract(self, symbol: Symbol, resolution: Resolution | None, *, fill_forward: bool = True,
                     leverage: float = 0.0, extended_market_hours: bool = False) -> Option:
        """Subscribe a contract, and its underlying when it is not there yet."""
        engine = self._engine
        underlying = self._underlying_of(symbol, resolution, fill_forward, extended_market_hours)
        security = engine.securities.find(symbol)
        if security is None:
            security = engine.make_security(symbol)
        option = cast(Option, security)
        option.underlying = underlying
        SymbolCache.set(symbol.value, symbol)
        self._asked_for.add(symbol)
        self._subscribe(option, resolution, fill_forward, extended_market_hours, RAW)
        return option

    def add_chain(self, canonical: Symbol, resolution: Resolution | None, *, fill_forward: bool = True,
                  leverage: float = 0.0, extended_market_hours: bool = False) -> Option:
        """Subscribe a chain."""
        engine = self._engine
        underlying = self._underlying_of(canonical, resolution, fill_forward, extended_market_hours)
        known = engine.securities.find(canonical)
        if known is not None:
            return cast(Option, known)
        option = cast(Option, engine.make_security(canonical))
        option.underlying = underlying
        SymbolCache.set(canonical.value, canonical)
        option.subscriptions = [SubscriptionDataConfig(
            canonical, engine.universe_settings.resolution if resolution is None else resolution, TickType.QUOTE,
            fill_forward=fill_forward, extended_market_hours=extended_market_hours)]
        if engine.locked:
            engine.feed.add_chain(option)
        else:
            self._pending_chains.append(option)
        return option

    def _underlying_of(self, symbol: Symbol, resolution: Resolution | None, fill_forward: bool,
                       extended: bool) -> Security:
        """The underlying, with raw prices."""
        engine = self._engine
        found = symbol.underlying
        assert found is not None  # options have one
        security = engine.securities.find(found)
        if security is not None and security.is_delisted:
            raise ArgumentException(f"The underlying {csharp_name(found.security_type.name)} asset ({found.value}) is "
                                    f"delisted (current time is {engine.clock.time})")
        if security is None or not engine.securities.is_active(found):
            return self.add_security(found, resolution, fill_forward=fill_forward, extended_market_hours=extended,
                                     normalization=RAW, ticker=found.value)
        if any(c.data_normalization_mode != RAW for c in security.subscriptions):
            if engine.locked:
                mode = csharp_name(security.data_normalization_mode.name)
                raise ArgumentException(
                    f"The underlying {csharp_name(found.security_type.name)} asset ({found.value}) is set to {mode}, "
                    "please change this to DataNormalizationMode.Raw with the SetDataNormalization() method")
            for config in security.subscriptions:
                config.data_normalization_mode = RAW
        return security

    def _subscribe(self, security: Security, resolution: Resolution | None, fill_forward: bool, extended: bool,
                   mode: DataNormalizationMode) -> None:
        engine = self._engine
        configs = self._configs(security.symbol, resolution, fill_forward, extended, mode)
        known = {(c.resolution, c.tick_type) for c in security.subscriptions}
        fresh = [c for c in configs if (c.resolution, c.tick_type) not in known]
        security.is_tradable = security.type != SecurityType.INDEX
        engine.securities.add(security)
        if not fresh:
            return
        if engine.locked:
            engine.feed.add(security, fresh)
        else:
            security.subscriptions = [*security.subscriptions, *fresh]
            self._pending.append((security, fresh))

    def _configs(self, symbol: Symbol, resolution: Resolution | None, fill_forward: bool, extended: bool,
                 mode: DataNormalizationMode) -> list[SubscriptionDataConfig]:
        span = self._engine.universe_settings.resolution if resolution is None else resolution
        if span != Resolution.MINUTE:
            raise unsupported(f"A subscription with Resolution.{span.name}")
        return [SubscriptionDataConfig(symbol, span, kind, fill_forward=fill_forward, extended_market_hours=extended,
                                       data_normalization_mode=mode) for kind in _TICKS[symbol.security_type]]

    def subscribe_pending(self) -> None:
        """Tell the feed what `initialize` asked for, in its order; the normalization is final only now."""
        for security, configs in self._pending:
            self._engine.feed.add(security, configs)
        for option in self._pending_chains:
            self._engine.feed.add_chain(option)
        self._pending, self._pending_chains = [], []

    def add_any(self, symbol: Symbol, resolution: Resolution | None = None, **kwargs: Any) -> Security:
        """Subscribe whatever the symbol is."""
        if symbol.is_canonical():
            return self.add_chain(symbol, resolution, **kwargs)
        if symbol.security_type in _OPTIONS:
            return self.add_contract(symbol, resolution, **kwargs)
        return self.add_security(symbol, resolution, **kwargs)

    def auto_add(self, symbol: Symbol) -> Security:
        """Subscribe what an order names but nobody subscribed (GetSecurityForOrder).

        Raises:
            InvalidOperationException: it cannot be traded any more.
        """
        engine = self._engine
        tradable = not symbol.is_canonical() and symbol.security_type != SecurityType.INDEX
        if tradable and symbol.security_type in _OPTIONS:
            hours = engine.hours.entry_of(symbol).exchange_hours
            date = symbol.id.date
            last = date if hours.is_date_open(date) else hours.get_previous_trading_day(date)
            tradable = engine.clock.local(hours.time_zone) < hours.get_last_daily_market_close(last, False)
        if not tradable:
            raise InvalidOperationException(
                f"The symbol {symbol} is not found in the algorithm's securities collection and cannot be re-added due "
                "to it being delisted or no longer tradable.")
        security = self.add_any(symbol)
        self._engine.feed.seed(security)
        return security

    def remove_security(self, symbol: Symbol) -> bool:
        """Cancel, liquidate and unsubscribe."""
        engine = self._engine
        security = engine.securities.find(symbol)
        if security is None:
            return False
        if not engine.is_warming_up:
            engine.transactions.cancel_open_orders(symbol)
            if security.holdings.invested:
                engine.algorithm.liquidate(symbol)
        if symbol.is_canonical():
            engine.feed.remove(symbol)
            engine.securities.remove(symbol)
            return True
        self._asked_for.discard(symbol)
        engine.drop(security)
        engine.feed.remove(symbol)
        security.subscriptions = []
        self._removed.append(security)
        return True

    # -- what a chain's filter chooses ----------------------------------------------------------------------------

    def add_universe_security(self, option: Option, contract: Symbol) -> Security:
        """Make (or return) the security of a contract that the chain's filter chose."""
        engine = self._engine
        security = engine.securities.find(contract)
        if security is None:
            security = engine.make_security(contract)
            SymbolCache.set(contract.value, contract)
        elif not engine.securities.is_active(contract):
            engine.securities.add(security)
        cast(Option, security).underlying = option.underlying
        if not security.subscriptions:
            template = option.subscriptions[0]
            security.subscriptions = self._configs(contract, template.resolution, template.fill_forward,
                                                   template.extended_market_hours, RAW)
        security.is_tradable = True
        return security

    def remove_universe_security(self, option: Option, contract: Symbol) -> Security | None:
        """Take a contract out that the filter dropped; None when it stays: held, ordered, or asked for by name."""
        engine = self._engine
        security = engine.securities.find(contract)
        if (security is None or contract in self._asked_for or security.holdings.invested
                or engine.open_orders_of(contract)):
            return None
        engine.drop(security)
        return security

    # -- changes --------------------------------------------------------------------------------------------------

    def begin_changes(self, step: TimeStep) -> None:
        """Delisted securities leave the algorithm before anything else happens in the step (UniverseSelection.cs:453);
        new securities get their end-of-day events, removed ones lose them (BaseRealTimeHandler.cs)."""
        engine = self._engine
        removed, self._removed = self._removed, []
        for delisting in step.delistings:
            if delisting.type == DelistingType.DELISTED:
                security = engine.securities.find(delisting.symbol)
                if security is not None and engine.securities.is_active(delisting.symbol):
                    security.is_delisted = True
                    engine.drop(security)
                    removed.append(security)
        changes = step.changes
        if removed:
            added = [] if changes is None else changes.added_securities
            gone = [] if changes is None else changes.removed_securities
            changes = step.changes = SecurityChanges(added, [*gone, *removed])
        if changes is None or not engine.tells_end_of_day:
            return
        for security in changes.added_securities:
            self._add_end_of_day(security)
        for security in changes.removed_securities:
            event = self._end_of_day.pop(security.symbol, None)
            if event is not None:
                engine.events.remove(event)

    def _add_end_of_day(self, security: Security) -> None:
        engine = self._engine
        hours = security.exchange.hours
        now = engine.clock.utc
        extended = security.is_extended_market_hours

        def times() -> Iterator[datetime]:
            day = datetime(now.year, now.month, now.day)
            while day <= engine.end_date:
                if hours.is_date_open(day):
                    utc = to_utc(hours.get_last_daily_market_close(day, extended) - END_OF_DAY, hours.time_zone)
                    if utc > now:
                        yield utc
                day += timedelta(days=1)

        symbol = security.symbol
        handler = engine.algorithm.on_end_of_day
        takes_symbol = bool(inspect.signature(handler).parameters)
        event = ScheduledEvent(f"{symbol}.EndOfDay", times(),
                               lambda _name, _time: handler(symbol) if takes_symbol else handler())
        self._end_of_day[symbol] = event
        engine.events.add(event)

    # -- questions about data -------------------------------------------------------------------------------------

    def history(self, *args: Any, **kwargs: Any) -> Any:
        """Past bars."""
        from workbench.engine.history import HistoryProvider
        return HistoryProvider(self._engine).history(*args, **kwargs)

    def option_chain(self, symbol: Symbol, flatten: bool = False) -> Any:
        """The chain of the last trading day's universe file."""
        from workbench.engine.chains import requested_chain
        return requested_chain(self._engine, symbol, flatten)

    @property
    def option_chain_provider(self) -> Any:
        """Contract lists by date."""
        return OptionChainProvider(self._engine)


class OptionChainProvider:
    """`self.option_chain_provider`: symbols of a chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get_option_contract_list(self, symbol: Any, date: datetime) -> list[Symbol]:
        """Contracts that traded on the last trading day before a date."""
        from workbench.engine.chains import requested_chain
        chain = requested_chain(self._engine, self._engine.symbol_of(symbol), False, date)
        return [contract.symbol for contract in chain]
