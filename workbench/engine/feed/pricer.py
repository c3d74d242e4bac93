"""Prices of chain contracts: gathers what the model needs from the feed."""
from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from workbench.engine.enums import OptionRight, OptionStyle, SecurityType
from workbench.engine.feed.caches import to_local
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from datetime import datetime

    from workbench.engine.chains import OptionContract
    from workbench.engine.feed.factors import FactorFile
    from workbench.engine.feed.subscriptions import Feed
    from workbench.engine.pricing import InterestRates, PriceModelResult


class Pricer:
    """LEAN's default option price model over the feed's caches."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._factors: dict[Symbol, FactorFile] = {}
        self._expiries: dict[Symbol, datetime] = {}

    @cached_property
    def rates(self) -> InterestRates:
        from workbench.engine.pricing import InterestRates
        return InterestRates.from_data_folder(self._feed.data)

    def _mirror(self, symbol: Symbol, root: Symbol) -> Symbol:
        other = OptionRight.PUT if symbol.id.option_right == OptionRight.CALL else OptionRight.CALL
        target = symbol.id.symbol if symbol.security_type == SecurityType.INDEX_OPTION else None
        return Symbol.create_option(root, target, symbol.id.market, symbol.id.option_style, other,
                                    symbol.id.strike_price, symbol.id.date)

    def _dividends(self, symbol: Symbol, now: datetime, price: float) -> float:
        from workbench.engine.pricing import dividend_yield
        root = symbol.underlying
        if symbol.security_type != SecurityType.OPTION or root is None:
            return 0.0
        if root not in self._factors:
            self._factors[root] = self._feed.factor_file(root)
        return dividend_yield(self._factors[root], now.date(), price)

    def price(self, contract: OptionContract) -> PriceModelResult:
        """Price a contract at the present step; all zero when it or its underlying has no price."""
        from workbench.engine import pricing
        from workbench.engine.chains import settlement_time
        feed, symbol = self._feed, contract.symbol
        root = symbol.underlying
        own = feed.cache_of(symbol)
        if root is None or contract.time.date() > contract.expiry.date() or not own.price:
            return pricing.NO_RESULT
        spot = feed.cache_of(root).price
        if not spot:
            return pricing.NO_RESULT
        if symbol not in self._expiries:
            self._expiries[symbol] = settlement_time(symbol, feed.hours.entry_of(symbol).exchange_hours)
        now = to_local(feed.now, own.zone)
        mirror = self._mirror(symbol, root)
        mirror_price = feed.cache_of(mirror).price if any(mirror in kind for kind in feed.tracks.values()) else 0.0
        years = (self._expiries[symbol] - now).total_seconds() / 86_400.0 / 365.0
        terms = pricing.Terms(spot, symbol.id.strike_price, years, self.rates.get_interest_rate(now),
                              self._dividends(symbol, now, spot), symbol.id.option_right)
        return pricing.evaluate(terms, own.price, mirror_price or None,
                                symbol.id.option_style == OptionStyle.EUROPEAN)
