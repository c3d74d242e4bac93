"""Implied volatility, greeks and theoretical price of a live option chain.

LEAN's model: `Indicators/IndicatorBasedOptionPriceModel.cs` with `ImpliedVolatility.cs`, `Delta.cs` and its siblings:
the volatility of an American option comes from a forward tree of 200 steps, of a European one from Black-Scholes,
searched with Brent's method; in the money the volatility of the contract of the other right is taken; the theoretical
price is Black-Scholes with that volatility. Rates are per year as fractions, times in years of 365 days.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from math import copysign, erf, exp, lgamma, log, pi, sqrt
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.engine.enums import OptionRight
from workbench.engine.exceptions import DataError
from workbench.engine.feed.factors import FactorFile
from workbench.engine.feed.universes import Greeks

STEPS: Final = 200
_POWERS: Final = np.arange(-STEPS, STEPS + 1, dtype=np.float64)
_RISES: Final = np.arange(STEPS + 1, dtype=np.float64)
_CHOICES: Final = np.array([lgamma(STEPS + 1) - lgamma(k + 1) - lgamma(STEPS - k + 1) for k in range(STEPS + 1)])
DEFAULT_RATE: Final = 0.01


def normal_cdf(x: float) -> float:
    """Probability that a standard normal variable is at most x."""
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


def normal_pdf(x: float) -> float:
    """Density of the standard normal distribution."""
    return exp(-0.5 * x * x) / sqrt(2.0 * pi)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a price depends on besides volatility: spot, strike, years to expiry, rate, dividend yield, right."""

    spot: float
    strike: float
    years: float
    rate: float
    dividends: float
    right: OptionRight

    def with_spot(self, spot: float) -> Terms:
        return Terms(spot, self.strike, self.years, self.rate, self.dividends, self.right)


def _d1(terms: Terms, volatility: float) -> float:
    spread = volatility * sqrt(max(0.0, terms.years))
    if spread == 0:
        return 10.0
    drift = terms.rate - terms.dividends + 0.5 * volatility * volatility
    return (log(terms.spot / terms.strike) + drift * terms.years) / spread


def black_scholes(terms: Terms, volatility: float) -> float:
    """Black-Scholes price, dollars per share."""
    d1 = _d1(terms, volatility)
    d2 = d1 - volatility * sqrt(max(0.0, terms.years))
    carried = terms.spot * exp(-terms.dividends * terms.years)
    discounted = terms.strike * exp(-terms.rate * terms.years)
    if terms.right == OptionRight.CALL:
        return carried * normal_cdf(d1) - discounted * normal_cdf(d2)
    return discounted * normal_cdf(-d2) - carried * normal_cdf(-d1)


def forward_tree(terms: Terms, volatility: float) -> float:
    """Price on LEAN's forward tree; as there, a put is never exercised early."""
    return forward_trees([(terms, volatility)])[0]


def forward_trees(cases: Sequence[tuple[Terms, float]]) -> list[float]:
    """Prices of several trees of the same right at once: the loop over the periods costs the same for all of them."""
    ups, falls, rises = [], [], []
    for terms, volatility in cases:
        step = terms.years / STEPS
        growth = exp((terms.rate - terms.dividends) * step)
        move = volatility * sqrt(step)
        up, down = exp(move) * growth, exp(-move) * growth
        if up == down:
            up, down = 1.0001, 0.9999
        chance = (growth - down) / (up - down)
        discount = exp(-terms.rate * step)
        ups.append(up)
        falls.append(discount * (1.0 - chance))
        rises.append(discount * chance)
    put = cases[0][0].right == OptionRight.PUT
    spots = np.array([terms.spot for terms, _ in cases])[:, None]
    strikes = np.array([terms.strike for terms, _ in cases])[:, None]
    prices = spots * np.array(ups)[:, None] ** _POWERS[None, ::2 if put else 1]
    if put:
        worth = np.maximum(0.0, strikes - prices)
        if min(falls) > 0 and min(rises) > 0:
            weights = np.exp(_CHOICES + _RISES[::-1] * np.log(falls)[:, None] + _RISES * np.log(rises)[:, None])
            return [float(value) for value in (worth * weights).sum(axis=1)]
        return [_roll_back(row, fall, rise) for row, fall, rise in zip(worth, falls, rises, strict=True)]
    worth = np.maximum(0.0, prices - strikes)
    values = worth[:, ::2].copy()
    a, b = np.array(falls)[:, None], np.array(rises)[:, None]
    for period in range(STEPS - 1, -1, -1):
        rolled = values[:, :-1] * a
        rolled += values[:, 1:] * b
        np.maximum(rolled, worth[:, STEPS - period:STEPS + period + 1:2], out=rolled)
        values = rolled
    return [float(value) for value in values[:, 0]]


def _roll_back(values: NDArray[np.float64], fall: float, rise: float) -> float:
    """Value at the root of a tree without early exercise, period by period."""
    for period in range(STEPS, 0, -1):
        values = values[:period] * fall + values[1:period + 1] * rise
    return float(values[0])


Model = Callable[[Terms, float], float]


def _price(model: Model, terms: Terms, volatility: float) -> float:
    return 0.0 if terms.years <= 0 else model(terms, volatility)


def find_root(f: Callable[[float], float], lower: float, upper: float, accuracy: float,
              iterations: int = 100) -> float | None:
    """Root of a function between two bounds by Brent's method; None when there is none or it is not found.

    Stops when the function or half the remaining interval is within the accuracy (MathNet.Numerics `Brent`, which LEAN
    uses: with another stopping rule the digits differ).
    """
    f_lower, f_upper = f(lower), f(upper)
    root, f_root = upper, f_upper
    d = e = 0.0
    middle: float | None = None
    if (f_lower > 0) - (f_lower < 0) == (f_upper > 0) - (f_upper < 0):
        return None
    for _ in range(iterations + 1):
        if (f_root > 0) - (f_root < 0) == (f_upper > 0) - (f_upper < 0):
            upper, f_upper = lower, f_lower
            e = d = root - lower
        if abs(f_upper) < abs(f_root):
            lower, root, upper = root, upper, root
            f_lower, f_root, f_upper = f_root, f_upper, f_root
        tolerance = 2.220446049250313e-16 * abs(root) + 0.5 * accuracy
        previous, middle = middle, (upper - root) / 2.0
        if abs(middle) <= tolerance or abs(f_root) < accuracy:
            return root
        if middle == previous:
            return None
        if abs(e) >= tolerance and abs(f_lower) > abs(f_root):
            s = f_root / f_lower
            if lower == upper:
                p, q = 2.0 * middle * s, 1.0 - s
            else:
                q, r = f_lower / f_upper, f_root / f_upper
                p = s * (2.0 * middle * q * (q - r) - (root - lower) * (r - 1.0))
                q = (q - 1.0) * (r - 1.0) * (s - 1.0)
            if p > 0.0:
                q = -q
            p = abs(p)
            if 2.0 * p < min(3.0 * middle * q - abs(tolerance * q), abs(e * q)):
                e, d = d, p / q
            else:
                d = e = middle
        else:
            d = e = middle
        lower, f_lower = root, f_root
        root += d if abs(d) > tolerance else copysign(tolerance, middle)
        f_root = f(root)
    return None


@lru_cache(maxsize=4096)  # a call and a put of one strike ask for the same one
def implied_volatility(terms: Terms, price: float, european: bool) -> float | None:
    """Volatility at which a model gives the price; None when there is none within LEAN's bounds."""
    accuracy = max(1e-4, 1e-4 * price)
    lower, upper = 1e-7, 4.0
    guess = find_root(lambda v: _price(black_scholes, terms, v) - price, lower, upper, accuracy)
    if european:
        return guess
    if guess:
        lower, upper = max(lower, guess * 0.5), min(upper, guess * 1.5)
    return find_root(lambda v: _price(forward_tree, terms, v) - price, lower, upper, accuracy)


def contract_volatility(terms: Terms, price: float, mirror_price: float | None, european: bool) -> float:
    """Volatility of a contract, from the out-of-the-money one of call and put where both have a price; 0 = none."""
    def of(right: OptionRight, at: float) -> float | None:
        own = Terms(terms.spot, terms.strike, terms.years, terms.rate, terms.dividends, right)
        return implied_volatility(own, at, european)

    if mirror_price is None:
        return round(of(terms.right, price) or 0.0, 7)
    other = OptionRight.PUT if terms.right == OptionRight.CALL else OptionRight.CALL
    in_the_money = terms.strike > terms.spot if terms.right == OptionRight.PUT else terms.strike < terms.spot
    first, second = (terms.right, price), (other, mirror_price)
    if in_the_money:
        first, second = second, first
    found = of(*first)
    if found is None:
        found = of(*second)
    return round(found or 0.0, 7)


class PriceModelResult:
    """What a price model says of a contract; all zero where it cannot say anything. Greeks are computed when asked."""

    def __init__(self, theoretical_price: float = 0.0, implied_volatility: float = 0.0,
                 greeks: Callable[[], Greeks] = Greeks) -> None:
        self.theoretical_price = theoretical_price
        self.implied_volatility = implied_volatility
        self._greeks = greeks

    @cached_property
    def greeks(self) -> Greeks:
        return self._greeks()


NO_RESULT: Final = PriceModelResult()


def evaluate(terms: Terms, price: float, mirror_price: float | None, european: bool) -> PriceModelResult:
    """Price a contract as LEAN's default model does."""
    volatility = contract_volatility(terms, price, mirror_price, european)
    theoretical = _price(black_scholes, terms, volatility) if volatility else 0.0

    def greeks() -> Greeks:
        found = (_european_greeks if european else _tree_greeks)(terms, volatility)
        delta, gamma, vega, theta, rho = (round(value, 7) for value in found)
        return Greeks(delta, gamma, vega, theta * 365.0, rho)
    return PriceModelResult(theoretical, volatility, greeks)


def _divide(a: float, b: float) -> float:
    return a / b if b else 0.0


def _tree_greeks(terms: Terms, volatility: float) -> tuple[float, float, float, float, float]:
    """Delta, gamma, vega, theta per day and rho by differences on the tree."""
    years, spot = terms.years, terms.spot
    if years <= 0:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    step = years / STEPS
    move = volatility * sqrt(step)
    growth = exp((terms.rate - terms.dividends) * step)
    up, down = exp(move) * growth, exp(-move) * growth
    high, low = spot * (1.00001 if up == 1 else up), spot * (0.99999 if down == 1 else down)
    factor = exp(move) if exp(move) != 1 else 1.0001
    higher, lower = spot * factor * factor, spot / factor / factor
    shorter = Terms(spot, terms.strike, years - 2 * step, terms.rate, terms.dividends, terms.right)
    dearer = Terms(spot, terms.strike, years, terms.rate + 0.0001, terms.dividends, terms.right)
    here, at_high, at_low, at_higher, at_lower, wilder, sooner, costlier = forward_trees([
        (terms, volatility), *((terms.with_spot(price), volatility) for price in (high, low, higher, lower)),
        (terms, volatility + 0.01), (shorter, volatility), (dearer, volatility)])
    delta = _divide(at_high - at_low, high - low)
    gamma = _divide(((at_higher - here) / (higher - spot) - (here - at_lower) / (spot - lower)) * 2, higher - lower)
    vega = (wilder - here) / 0.01 / 100.0
    theta = (sooner - here) * 0.5 / step / 365.0
    rho = (costlier - here) / 0.0001 / 100.0
    return delta, gamma, vega, theta, rho


def _european_greeks(terms: Terms, volatility: float) -> tuple[float, float, float, float, float]:
    """Delta, gamma, vega, theta per day and rho of Black-Scholes."""
    years, spot = terms.years, terms.spot
    if years <= 0:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    call = terms.right == OptionRight.CALL
    d1 = _d1(terms, volatility)
    d2 = d1 - volatility * sqrt(years)
    carry, discount = exp(-terms.dividends * years), exp(-terms.rate * years)
    floor = max(volatility, 0.01)
    n1 = normal_cdf(d1) if call else -normal_cdf(-d1)
    n2 = -normal_cdf(d2) if call else normal_cdf(-d2)
    gamma = normal_pdf(-d1) / spot / floor / sqrt(years)
    vega = spot * sqrt(years) * normal_pdf(d1) * carry / 100.0
    theta = -spot * floor * normal_pdf(d1) * carry * 0.5 / sqrt(years)
    theta += terms.dividends * spot * n1 * carry + terms.rate * terms.strike * discount * n2
    rho = terms.strike * years * discount * -n2 / 100.0
    return n1 * carry, gamma, vega, theta / 365.0, rho


class InterestRates:
    """Risk-free rate by day (LEAN `InterestRateProvider`: the Fed's primary credit rate)."""

    def __init__(self, days: list[date], rates: list[float]) -> None:
        self._days = days
        self._rates = rates

    @staticmethod
    def from_data_folder(data: Path) -> InterestRates:
        """Read the csv of a data folder; without one the rate is 1 % as in LEAN.

        Raises:
            DataError: a line is not `yyyy-MM-dd,percent`.
        """
        path = data / "alternative" / "interest-rate" / "usa" / "interest-rate.csv"
        days, rates = [], []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
            if number == 1 or not line.strip():
                continue
            try:
                day, percent = line.split(",")[:2]
                days.append(date.fromisoformat(day))
                rates.append(float(percent) / 100.0)
            except ValueError as error:
                raise DataError(path, f"not `yyyy-MM-dd,percent`: {line}", number) from error
        return InterestRates(days, rates)

    def get_interest_rate(self, moment: datetime) -> float:
        """Rate per year on a day, as a fraction."""
        if not self._days:
            return DEFAULT_RATE
        return self._rates[max(0, bisect_right(self._days, moment.date()) - 1)]


def dividend_yield(factors: FactorFile, day: date, price: float,
                   next_trading_day: Callable[[date], date] = lambda day: day + timedelta(days=1)) -> float:
    """Dividends of the year up to the last one, per dollar of price (LEAN `DividendYieldProvider`)."""
    events: list[tuple[date, float, float]] = []  # day, dividend in dollars, split factor
    for row, following in zip(factors.rows, factors.rows[1:], strict=False):
        due = next_trading_day(row.date)
        if row.price_factor != following.price_factor:
            close = row.reference_price
            paid = round(close - close * (row.price_factor / following.price_factor), 3)
            events.append((due, float(paid), 1.0))
        else:
            events.append((due, 0.0, float(row.split_factor / following.split_factor)))
    past = [event for event in events if event[0] <= day]
    dividends = [event for event in past if event[2] == 1.0 and event[1]]
    if not dividends or not price:
        return 0.0
    start = dividends[-1][0] - timedelta(days=350)
    total, split = 0.0, 1.0
    for due, amount, factor in reversed(past):
        if due < start:
            break
        total += amount * split
        split *= factor
    return total / price
