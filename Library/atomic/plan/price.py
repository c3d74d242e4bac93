"""Prices of new rungs: ladder, grid, net limit of the unit, cost budget. Never asked for a rung that stands."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from ..model import Quote
from ..vocabulary import Right

if TYPE_CHECKING:
    from ..model import GroupState, LegSpec, LegState
    from ..policy import Ladder
    from .terms import Env, Quotes

#: what an unknown symbol quotes
NO_QUOTE = Quote(0.0, 0.0, 0.0, 0.0, False)


def quoted(quotes: Quotes, symbol: str, now: float, env: Env) -> Quote:
    """The newest quote as a new order may use it; a stale one has no prices.

    In a backtest LEAN lets a market order rest when the data is older than an hour and than one bar
    (StalePriceTimeSpan, FillModel.cs:304-313): it would wait in the book for the next bar, whatever happens until then.
    """
    quote = quotes.get(symbol) or NO_QUOTE
    if env.bar_data and not env.live and 0 < quote.at < now - _stale_after(symbol, env):
        return quote._replace(bid=0.0, ask=0.0, last=0.0)
    return quote


def _stale_after(symbol: str, env: Env) -> float:
    return max(env.stale_after, env.bar_seconds, env.long_bars.get(symbol, 0.0))


def natural(quote: Quote, side: int, spec: LegSpec) -> float:
    """What taking liquidity costs now: the ask for a buy, the bid for a sale; 0 when that side is missing.

    Shares whose data has no quotes (trade bars) fall back to the last price; options never do.
    """
    price = quote.ask if side > 0 else quote.bid
    if price <= 0 and spec.right is Right.SHARE and quote.bid <= 0 and quote.ask <= 0:
        price = quote.last
    return max(0.0, price)


def on_grid(price: float, tick: float, side: int) -> float:
    """The price on the tick grid, not worse than asked for: a buy rounds down, a sale up; at least one tick."""
    if tick <= 0:
        return price
    steps = price / tick
    near = round(steps)
    if abs(steps - near) > 1e-6:
        near = floor(steps) if side > 0 else ceil(steps)
    return round(max(1, near) * tick, 8)


def through(quote: Quote, side: int, spec: LegSpec, ticks: float) -> float:
    """A limit `ticks` beyond the natural price; 0 when there is no price."""
    price = natural(quote, side, spec)
    return on_grid(max(spec.tick, price + side * ticks * spec.tick), spec.tick, side) if price else 0.0


def ladder_price(ladder: Ladder, rung: int, side: int, quote: Quote, spec: LegSpec) -> float:
    """Limit price of a rung that is not a market order; 0 when the side it needs is missing."""
    price = natural(quote, side, spec)
    if price <= 0:
        return 0.0
    share = ladder.share(rung)
    if share >= 1.0:
        return on_grid(price, spec.tick, side)
    other = natural(quote, -side, spec)
    if side < 0 and other <= 0:
        other = price  # a sale without an ask starts at the bid
    mid = (price + other) / 2
    return on_grid(mid + (price - mid) * share, spec.tick, side)


def fair(quote: Quote) -> float:
    """Mid, or half the ask of a one-sided market; 0 when unknown."""
    return (quote.bid + quote.ask) / 2 if quote.ask > 0 else max(quote.bid, quote.last)


def inside_net_limit(
    group: GroupState, prices: dict[int, float], quotes: Quotes, scale: float, standing: dict[int, float]
) -> dict[int, float]:
    """Move the limit prices of some legs passively until the whole unit costs at most `spec.limit_net`.

    The net is in dollars per share, a debit positive. Filled contracts count at their average price, orders that may
    still fill at their limit, legs that are not sent at mid. A leg that would need a price below one tick, or one not
    worse than what its standing order offers already, is left out (it keeps its order, if it has one). Once every
    other leg is filled or stands at a limit the bound is exact.

    Args:
        group: the group that opens.
        prices: ladder prices of the legs that enter a rung, by leg.
        quotes: newest quotes.
        scale: shares that a price of the unit refers to.
        standing: limits of orders that may fill now, by leg.
    """
    limit = group.spec.limit_net
    if limit is None:
        return prices
    moved = dict(prices)
    while moved:
        give = _excess(group, moved, quotes, scale, standing) - limit
        ratios = [(i, group.legs[i]) for i in moved]
        weight = sum(abs(leg.spec.ratio) * leg.spec.multiplier / scale * (1.0 - _done(group, leg)) for i, leg in ratios)
        out: dict[int, float] = {}
        for i, leg in ratios:
            side = 1 if leg.spec.ratio > 0 else -1
            tick = leg.spec.tick
            better = prices[i] - side * max(0.0, give) / weight if weight else prices[i]
            if better < tick - 1e-9:
                continue
            price = on_grid(better, tick, side)
            old = standing.get(i)
            if old is None or (price - old) * side > 1e-9:
                out[i] = price
        if len(out) == len(moved):
            return out
        moved = {i: prices[i] for i in out}
    return {}


def _done(group: GroupState, leg: LegState) -> float:
    """Share of a leg's goal that is filled."""
    goal = leg.spec.ratio * group.target
    return min(1.0, max(0.0, leg.net / goal)) if goal else 1.0


def _excess(
    group: GroupState, moved: dict[int, float], quotes: Quotes, scale: float, standing: dict[int, float]
) -> float:
    """Net price of the unit, dollars per share, if these legs get these prices."""
    net = 0.0
    for i, leg in enumerate(group.legs):
        spec = leg.spec
        if not spec.ratio:
            continue
        factor, done = spec.ratio * spec.multiplier / scale, _done(group, leg)
        if done:
            net += factor * done * leg.avg
        if done < 1.0:
            price = moved.get(i) or standing.get(i) or fair(quotes.get(spec.symbol) or NO_QUOTE)
            net += factor * (1.0 - done) * price
    return net


def budget_price(leg: LegState, quantity: int, price: float, budget_left: float) -> float:
    """The price nearest to `price` at which reversing `quantity` contracts costs at most `budget_left` dollars."""
    spec = leg.spec
    if not leg.net or not quantity:
        return price
    average = leg.avg
    allowed = budget_left / (abs(quantity) * spec.multiplier)
    if quantity < 0:
        return price if price >= average - allowed else on_grid(max(spec.tick, average - allowed), spec.tick, -1)
    return price if price <= average + allowed else on_grid(max(spec.tick, average + allowed), spec.tick, 1)
