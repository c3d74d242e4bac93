"""A simulated day of one underlying and its options, with the features that break naive option code.

Smile and skew; spreads that widen away from the money; far wings with an ask and no bid; minutes without a row or
with one side missing; contracts that stop quoting; a wide first minute; a jump. Everything is drawn from one seed
with `random.Random.random` only, whose sequence Python keeps stable.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ..us_holidays import OPEN, close_of, is_trading_day
from .leanfiles import Contract

#: minutes of a trading year, the clock on which volatility is spent inside the day
YEAR_MINUTES = 252 * 390
#: at-the-money volatility of the listed options, per year
VOLATILITY = 0.18
#: volatility that the underlying really shows, per year
REALIZED = 0.14
RATE = 0.01
#: the underlying is drawn this often within a minute
STEPS = 4


@dataclass(frozen=True, slots=True)
class Day:
    """What to simulate: `price` is the previous close in dollars per share."""

    ticker: str
    trading_day: date
    expiry: date
    price: float
    seed: int

    @property
    def minutes(self) -> int:
        """Length of the regular session in minutes."""
        close = close_of(self.trading_day)
        return (close.hour - OPEN.hour) * 60 + close.minute - OPEN.minute

    @property
    def days_to_expiry(self) -> int:
        """Trading days after this one up to the expiry."""
        span = (self.expiry - self.trading_day).days
        return sum(is_trading_day(self.trading_day + timedelta(days=n)) for n in range(1, span + 1))


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of the underlying: dollars per share, shares; `spread` multiplies option spreads in it."""

    open: float
    high: float
    low: float
    close: float
    volume: int
    spread: float


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a quote bar, dollars per share and contracts."""

    open: float
    high: float
    low: float
    close: float
    size: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One minute of quotes of a contract; a side without quotes is None. `trade` is (price, contracts)."""

    minute: int
    bid: Side | None
    ask: Side | None
    trade: tuple[float, int] | None


def normal(rng: random.Random) -> float:
    """Draw from the standard normal distribution (Box-Muller over `random`, which is stable over versions)."""
    return math.sqrt(-2 * math.log(1 - rng.random())) * math.cos(2 * math.pi * rng.random())


def cents(price: float) -> float:
    """Round to the tick of the underlying."""
    return round(price * 100) / 100


def underlying(day: Day) -> list[Minute]:
    """Draw the regular session of the underlying, minute by minute."""
    rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-underlying")
    count = day.minutes
    jump_at = int(count * (0.35 + 0.3 * rng.random()))
    jump = math.copysign(0.004 + 0.003 * rng.random(), rng.random() - 0.5)
    step = REALIZED / math.sqrt(YEAR_MINUTES * STEPS)
    price = day.price * math.exp(0.002 * normal(rng))
    minutes: list[Minute] = []
    for index in range(count):
        busy = 1.0 + 1.2 * math.exp(-index / 15) + 0.5 * math.exp(-(count - index) / 10)
        seen = [price]
        for part in range(STEPS):
            shock = step * busy * normal(rng)
            if index == jump_at and part == 1:
                shock += jump
            price *= math.exp(shock)
            seen.append(price)
        spread = 4.0 if index == 0 else 3.0 if index == jump_at else 1.0
        volume = int(600 * busy * (0.3 + 1.4 * rng.random())) + (9_000 if index == 0 else 0)
        prices = [cents(value) for value in seen]
        minutes.append(Minute(prices[0], max(prices), min(prices), prices[-1], volume, spread))
    return minutes


def strikes(price: float) -> list[float]:
    """List strikes around a price: the exchange's step near the money, wider steps further out."""
    step = 0.5 if price < 50 else 1.0 if price < 250 else 2.5 if price < 1000 else 5.0
    middle = round(price / step)
    listed = {middle + n for n in range(-24, 25)}
    listed |= {n for n in range(middle - 50, middle + 51) if n % 2 == 0}
    listed |= {n for n in range(middle - 76, middle + 77) if n % 4 == 0}
    return [n * step for n in sorted(listed) if n > 0]


def contracts(day: Day) -> list[Contract]:
    """List the contracts of the day: calls and puts of every strike, one expiry."""
    return [Contract(right, strike, day.expiry) for right in ("call", "put") for strike in strikes(day.price)]


def volatility(spot: float, strike: float, years: float) -> float:
    """Return the listed volatility of a strike: a smile with a skew towards the puts, flat beyond five deviations."""
    distance = math.log(strike / spot) / (VOLATILITY * math.sqrt(max(years, 1e-5)))
    distance = max(-5.0, min(5.0, distance))
    return VOLATILITY * (1.0 - 0.035 * distance + 0.04 * distance * distance)


def _phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class Value:
    """Black-Scholes value and greeks: delta and gamma per dollar, vega and rho per point, theta per calendar day."""

    price: float
    volatility: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


def price_of(right: str, spot: float, strike: float, years: float) -> float:
    """Black-Scholes price in dollars per share, without rates (they do not matter within a day)."""
    call = right == "call"
    if years <= 0:
        return max(0.0, spot - strike if call else strike - spot)
    deviation = volatility(spot, strike, years) * math.sqrt(years)
    d1 = math.log(spot / strike) / deviation + deviation / 2
    sign = 1 if call else -1
    return max(0.0, sign * (spot * _phi(sign * d1) - strike * _phi(sign * (d1 - deviation))))


def value_of(right: str, spot: float, strike: float, years: float) -> Value:
    """Black-Scholes price and greeks at the end of a day, for the universe file."""
    sigma = volatility(spot, strike, years)
    root = math.sqrt(years)
    d1 = (math.log(spot / strike) + (RATE + sigma * sigma / 2) * years) / (sigma * root)
    d2 = d1 - sigma * root
    sign = 1 if right == "call" else -1
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    discounted = strike * math.exp(-RATE * years)
    price = sign * (spot * _phi(sign * d1) - discounted * _phi(sign * d2))
    theta = -spot * density * sigma / (2 * root) - sign * RATE * discounted * _phi(sign * d2)
    return Value(
        price=max(price, 0.0),
        volatility=sigma,
        delta=sign * _phi(sign * d1),
        gamma=density / (spot * sigma * root),
        vega=spot * density * root / 100,
        theta=theta / 365,
        rho=sign * discounted * years * _phi(sign * d2) / 100,
    )


def tick_of(price: float) -> float:
    """Return the price step in which makers quote: a nickel below three dollars, a dime above."""
    return 0.05 if price < 3 else 0.10


def half_spread(mid: float, spot: float, strike: float, deviations: float) -> float:
    """Return half of the usual spread: wider with the price, with the distance and deep in the money."""
    intrinsic = max(0.0, mid - 3.0)
    return 0.02 + 0.03 * math.sqrt(min(mid, 5.0)) + 0.010 * deviations * deviations + 0.006 * intrinsic


class Book:
    """Quotes of one contract over the day."""

    __slots__ = ("_contract", "_day", "_minutes", "_rng", "_stops")

    def __init__(self, day: Day, contract: Contract, minutes: list[Minute], stops: int | None) -> None:
        self._day = day
        self._contract = contract
        self._minutes = minutes
        #: the first minute without quotes, None when the contract quotes to the end
        self._stops = stops
        self._rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-{contract}")

    def quotes(self) -> Iterator[Quote]:
        """Yield the minutes that have a row."""
        rng, count = self._rng, len(self._minutes)
        ahead = self._day.days_to_expiry * 390
        for index, minute in enumerate(self._minutes[: self._stops]):
            years = (count - index + ahead) / YEAR_MINUTES
            reach = VOLATILITY * math.sqrt(years) * minute.close
            deviations = min(abs(self._contract.strike - minute.close) / reach, 6.0)
            seen, quiet, trades = rng.random(), rng.random(), rng.random()
            if index and seen > max(0.35, 0.99 - 0.12 * deviations):
                continue  # nothing changed in this minute: LEAN's files have no row then
            bid, ask = self._sides(minute, years, deviations)
            if index and quiet < 0.03:  # one side did not change: its columns stay empty
                bid, ask = (None, ask) if quiet < 0.02 else (bid, None)
            trade = None
            if bid and ask and trades < 0.10 * math.exp(-deviations):
                trade = (bid.close if trades < 0.05 * math.exp(-deviations) else ask.close, 1 + int(30 * rng.random()))
            if bid or ask:
                yield Quote(index, bid, ask, trade)

    def _sides(self, minute: Minute, years: float, deviations: float) -> tuple[Side | None, Side | None]:
        rng, strike, right = self._rng, self._contract.strike, self._contract.right
        bids, asks = [], []
        # a wide minute is widest at its beginning
        for spot, wide in (
            (minute.open, minute.spread),
            (minute.high, math.sqrt(minute.spread)),
            (minute.low, math.sqrt(minute.spread)),
            (minute.close, 1.0 + 0.2 * (minute.spread - 1.0)),
        ):
            mid = price_of(right, spot, strike, years)
            half = half_spread(mid, spot, strike, deviations) * wide
            tick = tick_of(mid)
            bids.append(math.floor((mid - half) / tick + 1e-9) * tick)
            asks.append(max(math.ceil((mid + half) / tick - 1e-9), 1) * tick)
        size = 1 + int(60 * rng.random() * rng.random()), 1 + int(60 * rng.random() * rng.random())
        return self._side(bids, size[0]), self._side(asks, size[1])

    @staticmethod
    def _side(prices: list[float], size: int) -> Side | None:
        """Make a side of a bar from its four looks; none of it when a look shows no price."""
        if min(prices) < 0.01:
            return None
        return Side(prices[0], max(prices), min(prices), prices[3], size)


def stops(day: Day, listed: list[Contract], minutes: list[Minute]) -> dict[Contract, int]:
    """Choose the contracts that stop quoting during the day: out of the money, between two and four deviations."""
    rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-stops")
    years = (len(minutes) + day.days_to_expiry * 390) / YEAR_MINUTES
    reach = VOLATILITY * math.sqrt(years) * day.price
    chosen: dict[Contract, int] = {}
    for right, sign in (("call", 1), ("put", -1)):
        wings = [c for c in listed if c.right == right and 2.0 <= sign * (c.strike - day.price) / reach <= 4.0]
        for _ in range(min(2, len(wings))):
            contract = wings.pop(int(len(wings) * rng.random()))
            chosen[contract] = int(len(minutes) * (0.4 + 0.4 * rng.random()))
    return chosen


def bar_start(minute: int) -> int:
    """Return the start of a minute of the session in milliseconds since midnight."""
    return ((OPEN.hour * 60 + OPEN.minute) + minute) * 60_000
