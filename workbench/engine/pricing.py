"""Implied volatility, greeks and theoretical price of a live option chain.

LEAN's model: `Indicators/IndicatorBasedOptionPriceModel.cs` with `ImpliedVolatility.cs`, `Delta.cs` and its siblings:
the volatility of an American option comes from a forward tree of 200 steps, of a European one from Black-Scholes,
searched with Brent's method; in the money the volatility of the contract of the other right is taken; the theoretical
price is Black-Scholes with that volatility. Rates are per year as fractions, times in years of 365 days.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import copysign, erf, exp, log, pi, sqrt
from pathlib import Path
from typing import Final

import numpy as np

from workbench.engine.enums import OptionRight
from workbench.engine.exceptions import DataError
from workbench.engine.feed.factors import FactorFile
from workbench.engine.feed.universes import Greeks

STEPS: Final = 200
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
    step = terms.years / STEPS
    growth = exp((terms.rate - terms.dividends) * step)
    move = volatility * sqrt(step)
    up, down = exp(move) * growth, exp(-move) * growth
    if up == down:
        up, down = 1.0001, 0.9999
    chance = (growth - down) / (up - down)
    discount = exp(-terms.rate * step)
    a, b = discount * (1.0 - chance), discount * chance
    powers = terms.spot * np.power(up, np.arange(-STEPS, STEPS + 1, dtype=np.float64))
    sign = 1.0 if terms.right == OptionRight.CALL else -1.0
    intrinsic = np.maximum(0.0, sign * (powers - terms.strike))
    values = intrinsic[::2].copy()
    if terms.right == OptionRight.PUT:
        for period in range(STEPS, 0, -1):
            values = values[:period] * a + values[1:period + 1] * b
        return float(values[0])
    for period in range(STEPS - 1, -1, -1):
        values = values[:-1] * a + values[1:] * b
        np.maximum(values, intrinsic[STEPS - period:STEPS + period + 1:2], out=values)
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


@dataclass(frozen=True, slots=True)
class PriceModelResult:
    """What a price model says of a contract; all zero where it cannot say anything."""

    theoretical_price: float = 0.0
    implied_volatility: float = 0.0
    greeks: Greeks = field(default_factory=Greeks)


NO_RESULT: Final = PriceModelResult()


def evaluate(terms: Terms, price: float, mirror_price: float | None, european: bool) -> PriceModelResult:
    """Price a contract as LEAN's default model does."""
    volatility = contract_volatility(terms, price, mirror_price, european)
    theoretical = _price(black_scholes, terms, volatility) if volatility else 0.0
    if terms.years < 0:
        return PriceModelResult(theoretical, volatility, Greeks())
    greeks = _european_greeks(terms, volatility) if european else _tree_greeks(terms, volatility)
    rounded = [round(value, 7) for value in greeks]
    delta, gamma, vega, theta, rho = rounded
    return PriceModelResult(theoretical, volatility, Greeks(delta, gamma, vega, theta * 365.0, rho))


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

    def at(price: float) -> float:
        return forward_tree(terms.with_spot(price), volatility)

    delta = _divide(at(high) - at(low), high - low)
    here = forward_tree(terms, volatility)
    factor = exp(move) if exp(move) != 1 else 1.0001
    high, low = spot * factor * factor, spot / factor / factor
    gamma = _divide(((at(high) - here) / (high - spot) - (here - at(low)) / (spot - low)) * 2, high - low)
    vega = (forward_tree(terms, volatility + 0.01) - here) / 0.01 / 100.0
    shorter = Terms(spot, terms.strike, years - 2 * step, terms.rate, terms.dividends, terms.right)
    theta = (forward_tree(shorter, volatility) - here) * 0.5 / step / 365.0
    dearer = Terms(spot, terms.strike, years, terms.rate + 0.0001, terms.dividends, terms.right)
    rho = (forward_tree(dearer, volatility) - here) / 0.0001 / 100.0
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
