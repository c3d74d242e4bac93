"""A simulated market: a few contracts on one underlying, their quotes and their session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.model import LegSpec, Quote
from atomic.vocabulary import ChildType, Right

if TYPE_CHECKING:
    from .account import SimOrder

UNDERLYING = "SIM"
NEAR, FAR = "2026-01-16", "2026-02-20"
START = 1_767_366_000.0  # 2026-01-02 15:00 UTC, a Friday in the regular session


def contract(right: Right, strike: float, expiry: str = NEAR) -> LegSpec:
    """An option of the simulated chain, ratio 1."""
    letter = "P" if right is Right.PUT else "C"
    name = f"{UNDERLYING} {expiry[2:4]}{expiry[5:7]}{expiry[8:]}{letter}{strike:g}"
    return LegSpec(name, 1, right, strike, expiry, UNDERLYING, 100.0, 0.01, name)


def shares() -> LegSpec:
    """The underlying itself, ratio 1."""
    return LegSpec(UNDERLYING, 1, Right.SHARE, 0.0, "", UNDERLYING, 1.0, 0.01, UNDERLYING)


#: every contract that a run may trade, by name
CHAIN: dict[str, LegSpec] = {
    leg.symbol: leg
    for leg in (
        shares(),
        *(contract(Right.PUT, k) for k in (90.0, 95.0, 100.0)),
        *(contract(Right.CALL, k) for k in (100.0, 105.0, 110.0)),
        *(contract(r, k, FAR) for r, k in ((Right.PUT, 95.0), (Right.CALL, 105.0))),
    )
}


class SimMarket:
    """Quotes that follow the underlying's price, with holes where the adversary makes them.

    Attributes:
        spot: price of the underlying, dollars.
        half: half of the spread, dollars.
        open: the session; False stops every fill.
        no_bid, no_ask: symbols whose side is missing.
        frozen: symbols that give no fresh bar (their quote keeps its time).
        settled: contracts that ended, with their settlement value.
    """

    def __init__(self) -> None:
        self.spot = 100.0
        self.half = 0.05
        self.open = True
        self.no_bid: set[str] = set()
        self.no_ask: set[str] = set()
        self.frozen: set[str] = set()
        self.settled: dict[str, float] = {}
        self._at: dict[str, float] = dict.fromkeys(CHAIN, START)
        self._cache: dict[str, Quote] = {}

    def fair(self, symbol: str) -> float:
        """What the contract is worth, dollars per share."""
        leg = CHAIN[symbol]
        if leg.right is Right.SHARE:
            return self.spot
        return self.intrinsic(symbol) + (1.5 if leg.expiry == FAR else 1.0)

    def intrinsic(self, symbol: str) -> float:
        """Settlement value, dollars per share."""
        leg = CHAIN[symbol]
        if leg.right is Right.PUT:
            return max(leg.strike - self.spot, 0.0)
        if leg.right is Right.CALL:
            return max(self.spot - leg.strike, 0.0)
        return self.spot

    def bar(self, now: float) -> None:
        """Fresh data of every contract that is not frozen; nothing comes while the market is closed."""
        if self.open:
            for symbol in CHAIN:
                if symbol not in self.frozen and symbol not in self.settled:
                    self._at[symbol] = now
        self._cache.clear()

    def heal(self, now: float) -> None:
        """Two-sided fresh quotes in an open market."""
        self.open = True
        self.no_bid.clear()
        self.no_ask.clear()
        self.frozen.clear()
        self.bar(now)

    def changed(self) -> None:
        """Something of the quotes changed."""
        self._cache.clear()

    def quote(self, symbol: str) -> Quote:
        """The quote as the algorithm sees it."""
        quote = self._cache.get(symbol)
        if quote is None:
            quote = self._cache[symbol] = self._quote(symbol)
        return quote

    def marketable(self, order: SimOrder) -> bool:
        """True when the present quote would fill the order."""
        quote = self.quote(order.symbol)
        side = quote.ask if order.quantity > 0 else quote.bid
        if not quote.open or side <= 0:
            return False
        if order.type is ChildType.MARKET:
            return True
        if order.type is ChildType.LIMIT:
            return side <= order.limit if order.quantity > 0 else side >= order.limit
        return quote.last >= order.stop if order.quantity > 0 else quote.last <= order.stop

    def price(self, order: SimOrder) -> float:
        """What a fill costs now, dollars per share: the limit where the quote would not do it."""
        quote = self.quote(order.symbol)
        side = quote.ask if order.quantity > 0 else quote.bid
        if order.type in (ChildType.LIMIT, ChildType.STOP_LIMIT) and not self.marketable(order):
            return order.limit
        return side or quote.last or order.limit or 0.01

    def _quote(self, symbol: str) -> Quote:
        if symbol not in CHAIN or symbol in self.settled:
            return Quote(0.0, 0.0, 0.0, 0.0, open=False)
        fair = round(self.fair(symbol), 2)
        bid = 0.0 if symbol in self.no_bid else round(max(0.0, fair - self.half), 2)
        ask = 0.0 if symbol in self.no_ask else round(fair + self.half, 2)
        return Quote(bid, ask, fair, self._at[symbol], self.open, 10.0, 10.0)
