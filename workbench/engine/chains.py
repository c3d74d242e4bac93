"""Option chains as the algorithm sees them, of a time step or by request.

Sources: LEAN `Common/Data/Market/OptionChain.cs`, `OptionContract.cs`, `Engine/DataFeeds/TimeSliceFactory.cs`
(`HandleOptionData`), `Algorithm/QCAlgorithm.cs` (`OptionChain`).
"""
from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workbench.engine import pricing
from workbench.engine.bars import BaseData, QuoteBar, TradeBar
from workbench.engine.enums import OptionRight, OptionStyle, SecurityType, TickType
from workbench.engine.exceptions import ArgumentException
from workbench.engine.feed import paths
from workbench.engine.feed.caches import to_local
from workbench.engine.feed.universes import ContractData, Greeks, UniverseData, read_universe
from workbench.engine.filters import OptionFilterUniverse, default_filter, make_filter
from workbench.engine.hours import SecurityExchangeHours
from workbench.engine.identifiers import OPTION_TYPES
from workbench.engine.slices import QuoteBars, TradeBars
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.feed.subscriptions import Feed
    from workbench.engine.runtime import Engine

__all__ = ["OptionChain", "OptionContract", "OptionFilterUniverse", "build_chains", "default_filter", "make_filter",
           "requested_chain", "settlement_time"]


class OptionContract:
    """One contract of a chain."""

    __slots__ = ("_model", "_result", "open_interest", "quote", "symbol", "time", "trade", "underlying")

    def __init__(self, symbol: Symbol, time: datetime, underlying: Any) -> None:
        self.symbol = symbol
        self.time = time
        self.underlying = underlying
        self.trade: TradeBar | None = None
        self.quote: QuoteBar | None = None
        self.open_interest = 0.0
        self._model: Any = None
        self._result: pricing.PriceModelResult | None = None

    @property
    def ID(self) -> Any:
        return self.symbol.id

    @property
    def id(self) -> Any:
        return self.symbol.id

    @property
    def underlying_symbol(self) -> Symbol | None:
        return self.symbol.underlying

    @property
    def strike(self) -> float:
        return self.symbol.id.strike_price

    @property
    def scaled_strike(self) -> float:
        return self.symbol.id.strike_price

    @property
    def expiry(self) -> datetime:
        return self.symbol.id.date

    @property
    def right(self) -> OptionRight:
        return self.symbol.id.option_right

    @property
    def style(self) -> OptionStyle:
        return self.symbol.id.option_style

    @property
    def last_price(self) -> float:
        return self.trade.close if self.trade is not None else 0.0

    @property
    def volume(self) -> float:
        return self.trade.volume if self.trade is not None else 0.0

    @property
    def bid_price(self) -> float:
        bid = self.quote.bid if self.quote is not None else None
        return bid.close if bid is not None else 0.0

    @property
    def ask_price(self) -> float:
        ask = self.quote.ask if self.quote is not None else None
        return ask.close if ask is not None else 0.0

    @property
    def bid_size(self) -> float:
        return self.quote.last_bid_size if self.quote is not None else 0.0

    @property
    def ask_size(self) -> float:
        return self.quote.last_ask_size if self.quote is not None else 0.0

    @property
    def underlying_last_price(self) -> float:
        return self.underlying.price if self.underlying is not None else 0.0

    def _evaluate(self) -> pricing.PriceModelResult:
        if self._result is None:
            self._result = self._model(self) if self._model is not None else pricing.NO_RESULT
        return self._result

    @property
    def greeks(self) -> Greeks:
        return self._evaluate().greeks

    @property
    def implied_volatility(self) -> float:
        return self._evaluate().implied_volatility

    @property
    def theoretical_price(self) -> float:
        return self._evaluate().theoretical_price

    def __repr__(self) -> str:
        return self.symbol.value


class UniverseContract(OptionContract):
    """One contract of a chain by request: figures of the end of the day before, its close for bid and ask."""

    __slots__ = ("_line",)

    def __init__(self, line: ContractData) -> None:
        super().__init__(line.symbol, line.end_time, line.underlying)
        self._line = line
        self.open_interest = line.open_interest

    @property
    def last_price(self) -> float:
        return self._line.close

    @property
    def bid_price(self) -> float:
        return self._line.close

    @property
    def ask_price(self) -> float:
        return self._line.close

    @property
    def volume(self) -> float:
        return self._line.volume

    def _evaluate(self) -> pricing.PriceModelResult:
        if self._result is None:
            given = self._line.greeks
            greeks = Greeks(given.delta, given.gamma, given.vega, given.theta * 365.0, given.rho)
            self._result = pricing.PriceModelResult(0.0, self._line.implied_volatility, lambda: greeks)
        return self._result


class Contracts(dict[Symbol, OptionContract]):
    """Contracts by symbol."""

    @property
    def count(self) -> int:
        return len(self)

    def contains_key(self, symbol: Symbol) -> bool:
        return symbol in self


class OptionChain:
    """Contracts of one underlying that have data, iterated as contracts."""

    def __init__(self, symbol: Symbol, time: datetime, contracts: Contracts, underlying: Any = None) -> None:
        self.symbol = symbol
        self.time = self.end_time = time
        self.contracts = contracts
        self.underlying = underlying
        self.quote_bars: dict[Symbol, QuoteBar] = {
            s: c.quote for s, c in contracts.items() if c.quote is not None}
        self.trade_bars: dict[Symbol, TradeBar] = {
            s: c.trade for s, c in contracts.items() if c.trade is not None}
        self.filtered_contracts: set[Symbol] = set()

    @property
    def count(self) -> int:
        return len(self.contracts)

    def __len__(self) -> int:
        return len(self.contracts)

    def __iter__(self) -> Iterator[OptionContract]:
        return iter(list(self.contracts.values()))

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.contracts

    def contains_key(self, symbol: Symbol) -> bool:
        return symbol in self.contracts

    def __getitem__(self, symbol: Symbol) -> OptionContract:
        return self.contracts[symbol]

    @property
    def data_frame(self) -> Any:
        """Contracts as a pandas frame indexed by symbol."""
        import pandas as pd
        rows = [{"expiry": c.expiry, "strike": c.strike, "scaledstrike": c.scaled_strike, "right": c.right,
                 "style": c.style, "theoreticalprice": c.theoretical_price, "impliedvolatility": c.implied_volatility,
                 "delta": c.greeks.delta, "gamma": c.greeks.gamma, "vega": c.greeks.vega, "theta": c.greeks.theta,
                 "rho": c.greeks.rho, "openinterest": c.open_interest, "lastprice": c.last_price, "volume": c.volume,
                 "bidprice": c.bid_price, "bidsize": c.bid_size, "askprice": c.ask_price, "asksize": c.ask_size,
                 "underlyinglastprice": c.underlying_last_price} for c in self]
        index = pd.MultiIndex.from_tuples([(self.symbol, c.symbol) for c in self], names=["canonical", "symbol"])
        return pd.DataFrame(rows, index=index)


def build_chains(feed: Feed, moment: int, trades: TradeBars, quotes: QuoteBars) -> dict[Symbol, OptionChain]:
    """Chains of a time step: contracts that have a trade or quote bar in it, with their open interest."""
    found: dict[Symbol, Contracts] = {}
    local = to_local(moment, feed.zone)

    def underlying_of(root: Symbol) -> Any:
        """The slice's last word on the underlying (quotes come after trades), else what was known before."""
        return quotes.get(root) or trades.get(root) or feed.cache_of(root).get_data()

    def contract_of(symbol: Symbol, bar: BaseData) -> OptionContract | None:
        if symbol.security_type not in OPTION_TYPES or symbol.underlying is None:
            return None
        contracts = found.setdefault(symbol.canonical, Contracts())
        contract = contracts.get(symbol)
        if contract is None:
            contract = contracts[symbol] = OptionContract(symbol, bar.end_time, underlying_of(symbol.underlying))
            contract._model = feed.price_contract
            interest = feed.tracks[TickType.OPEN_INTEREST].get(symbol)
            if interest is not None:
                contract.open_interest = feed.open_interest(interest)
        return contract

    for symbol, trade in trades.items():
        contract = contract_of(symbol, trade)
        if contract is not None:
            contract.trade = trade
    for symbol, quote in quotes.items():
        contract = contract_of(symbol, quote)
        if contract is not None:
            contract.quote = quote
    chains = {}
    for canonical, contracts in found.items():
        root = canonical.underlying
        assert root is not None
        chains[canonical] = OptionChain(canonical, local, contracts, underlying_of(root))
    return chains


def settlement_time(symbol: Symbol, hours: SecurityExchangeHours) -> datetime:
    """When a contract stops, in the exchange's time (LEAN `OptionSymbol.GetSettlementDateTime`)."""
    from workbench.engine.filters import is_standard
    day = symbol.id.date
    last = day if hours.is_date_open(day) else hours.get_previous_trading_day(day)
    closes = min(hours.get_last_daily_market_close(last), day + timedelta(days=1))
    if closes.date() == day.date() and symbol.security_type == SecurityType.INDEX_OPTION:
        if symbol.id.symbol in ("RUTW", "SPXW", "VIXW", "NDXP", "NQX"):
            return datetime(closes.year, closes.month, closes.day, 15)
        if is_standard(symbol):
            return hours.get_next_market_open(datetime(closes.year, closes.month, closes.day))
    return closes


def latest_universe(feed: Feed, canonical: Symbol, local_time: datetime) -> UniverseData | None:
    """Universe of the last trading day that has ended before a time."""
    hours = feed.hours.entry_of(canonical).exchange_hours
    day: date = local_time.date() - timedelta(days=1)
    for _ in range(10):
        if hours.is_date_open(day):
            path = paths.universe_path(feed.data, canonical, feed.ticker_at(canonical, day), day)
            found = read_universe(path, canonical, datetime(day.year, day.month, day.day))
            if found is None:
                feed.missing(path)
            return found
        day -= timedelta(days=1)
    return None


def requested_chain(engine: Engine, symbol: Symbol, flatten: bool = False, date: datetime | None = None) -> OptionChain:
    """Chain of a stock, an index or a canonical option as of the end of the day before a date (default: today).

    Raises:
        ArgumentException: the symbol has no options.
    """
    if symbol.security_type in OPTION_TYPES:
        canonical = symbol.canonical
    elif symbol.security_type in (SecurityType.EQUITY, SecurityType.INDEX):
        canonical = Symbol.create_canonical_option(symbol)
    else:
        raise ArgumentException(f"{symbol} does not have options")
    now = engine.clock.time if date is None else datetime(date.year, date.month, date.day)
    data = latest_universe(engine.feed, canonical, now)
    contracts = Contracts()
    if data is not None:
        today = datetime(now.year, now.month, now.day)
        for line in data.contracts:
            if line.symbol.id.date >= today:
                contracts[line.symbol] = UniverseContract(line)
    return OptionChain(canonical, now, contracts, None if data is None else data.underlying)
