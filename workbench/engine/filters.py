"""Which contracts of a chain an algorithm sees: the object given to `option.set_filter`.

Rules of LEAN `Common/Securities/Option/OptionFilterUniverse.cs` and `ContractSecurityFilterUniverse.cs`: filters narrow
the universe in place and return it; weekly contracts are included unless `standards_only` is called; the underlying's
price is the close in the universe file, known at midnight.
"""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workbench.engine.enums import OptionRight, SecurityType
from workbench.engine.exceptions import ArgumentException, InvalidOperationException
from workbench.engine.feed.universes import ContractData, UniverseData
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.options import Option

_NO_STRIKE = float("inf")
_WEEKLY_INDEX_TICKERS = frozenset({"NQX", "SPXW", "RUTW"})


def is_standard(symbol: Symbol) -> bool:
    """Whether a contract expires in the week of the third Friday (LEAN `OptionSymbol.IsStandard`)."""
    day = symbol.id.date
    if symbol.security_type == SecurityType.INDEX_OPTION:
        if symbol.id.symbol not in _WEEKLY_INDEX_TICKERS:
            return True
        return day.weekday() == 4 and 15 <= day.day <= 21
    sunday_first = (date(day.year, day.month, 1).weekday() + 1) % 7
    first_friday = 7 if sunday_first == 6 else 6 - sunday_first
    return first_friday + 12 < day.day < first_friday + 16


class OptionFilterUniverse:
    """Contracts of a chain on one day, narrowed by the algorithm's filter."""

    def __init__(self, option: Option, data: UniverseData, local_time: datetime) -> None:
        self._option = option
        self._all: list[ContractData] = data.contracts
        self._underlying = data.underlying
        self.local_time = local_time
        self._data = list(data.contracts)
        self._strikes: list[float] | None = None
        self._standard, self._weekly, self._typed = True, True, False

    # -- what it holds ----------------------------------------------------------------------------------------

    @property
    def underlying(self) -> ContractData | None:
        return self._underlying

    @property
    def count(self) -> int:
        return len(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[ContractData]:
        return iter(self._data)

    @property
    def symbols(self) -> list[Symbol]:
        return [item.symbol for item in self._data]

    @property
    def _price(self) -> float:
        if self._underlying is None:
            raise InvalidOperationException(
                f"The universe file of {self._option.symbol.value} holds no line of the underlying")
        return self._underlying.close

    # -- by terms ---------------------------------------------------------------------------------------------

    def strikes(self, min_strike: int, max_strike: int) -> OptionFilterUniverse:
        """Keep strikes by their place in the list of strikes, counted from the underlying's price."""
        if self._underlying is None:
            return self
        if self._strikes is None:
            self._strikes = sorted({item.symbol.id.strike_price for item in self._data})
        strikes = self._strikes
        scale = getattr(self._option.symbol_properties, "strike_multiplier", 1.0) or 1.0
        price = self._price / scale
        index = bisect_left(strikes, price)
        if index == len(strikes):
            return self._empty()
        low, high = index + min_strike, index + max_strike
        if strikes[index] != price:
            if min_strike < 0 < max_strike:
                high -= 1
            elif min_strike > 0:
                low -= 1
                high -= 1
        low = max(low, 0)
        if low >= len(strikes) or high < 0:
            return self._empty()
        lowest, highest = strikes[low], strikes[min(high, len(strikes) - 1)]
        return self._keep(lambda item: lowest <= item.symbol.id.strike_price <= highest)

    def expiration(self, min_expiry: int | timedelta, max_expiry: int | timedelta) -> OptionFilterUniverse:
        """Keep expiries by days (or a timedelta) from today, or from the next trading day on a closed one."""
        reference = self.local_time.replace(hour=0, minute=0, second=0, microsecond=0)
        hours = self._option.exchange.hours
        if not hours.is_date_open(reference):
            reference = hours.get_next_trading_day(reference)
        first = reference + (min_expiry if isinstance(min_expiry, timedelta) else timedelta(days=int(min_expiry)))
        days = max_expiry if isinstance(max_expiry, timedelta) else timedelta(days=int(max_expiry))
        last = reference + min(days, timedelta(days=365 * 1000))
        return self._keep(lambda item: first <= item.symbol.id.date <= last)

    def calls_only(self) -> OptionFilterUniverse:
        return self._keep(lambda item: item.symbol.id.option_right == OptionRight.CALL)

    def puts_only(self) -> OptionFilterUniverse:
        return self._keep(lambda item: item.symbol.id.option_right == OptionRight.PUT)

    def contracts(self, contracts: Any) -> OptionFilterUniverse:
        """Keep the contracts of a list, or those a function returns when given the present ones."""
        chosen = contracts(list(self._data)) if callable(contracts) else contracts
        return self._take(chosen)

    # -- by kind ----------------------------------------------------------------------------------------------

    def _set_kinds(self, member: str, standard: bool, weekly: bool) -> OptionFilterUniverse:
        if self._typed:
            raise InvalidOperationException(f"Type filters have already been applied, please call {member}() before "
                                            "applying other filters such as FrontMonth() or BackMonths()")
        self._standard, self._weekly = standard, weekly
        return self

    def standards_only(self) -> OptionFilterUniverse:
        return self._set_kinds("StandardsOnly", True, False)

    def include_weeklys(self) -> OptionFilterUniverse:
        return self._set_kinds("IncludeWeeklys", self._standard, True)

    def weeklys_only(self) -> OptionFilterUniverse:
        self._standard, self._weekly = False, True
        return self

    def apply_types_filter(self) -> OptionFilterUniverse:
        """Drop weekly or standard contracts where the algorithm asked for it; done once."""
        if not self._typed:
            self._typed = True
            if not (self._standard and self._weekly):
                self._keep(lambda item: is_standard(item.symbol) == self._standard)
        return self

    def front_month(self) -> OptionFilterUniverse:
        self.apply_types_filter()
        if self._data:
            front = min(item.symbol.id.date for item in self._data)
            self._keep(lambda item: item.symbol.id.date == front)
        return self

    def back_months(self) -> OptionFilterUniverse:
        self.apply_types_filter()
        if self._data:
            front = min(item.symbol.id.date for item in self._data)
            self._keep(lambda item: item.symbol.id.date != front)
        return self

    def back_month(self) -> OptionFilterUniverse:
        return self.back_months().front_month()

    def only_apply_filter_at_market_open(self) -> OptionFilterUniverse:
        return self

    # -- by figures of the day before -------------------------------------------------------------------------

    def delta(self, min: float, max: float) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.greeks.delta <= max)

    def gamma(self, min: float, max: float) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.greeks.gamma <= max)

    def vega(self, min: float, max: float) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.greeks.vega <= max)

    def theta(self, min: float, max: float) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.greeks.theta <= max)

    def rho(self, min: float, max: float) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.greeks.rho <= max)

    def implied_volatility(self, min: float, max: float) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.implied_volatility <= max)

    def open_interest(self, min: int, max: int) -> OptionFilterUniverse:
        return self._keep(lambda item: min <= item.open_interest <= max)

    d, g, v, t, r, iv, oi = delta, gamma, vega, theta, rho, implied_volatility, open_interest

    # -- by structure -----------------------------------------------------------------------------------------

    def naked_call(self, min_days_till_expiry: int = 30, strike_from_atm: float = 0) -> OptionFilterUniverse:
        return self._single(OptionRight.CALL, min_days_till_expiry, strike_from_atm)

    def naked_put(self, min_days_till_expiry: int = 30, strike_from_atm: float = 0) -> OptionFilterUniverse:
        return self._single(OptionRight.PUT, min_days_till_expiry, strike_from_atm)

    def call_spread(self, min_days_till_expiry: int = 30, higher_strike_from_atm: float = 5,
                    lower_strike_from_atm: float | None = None) -> OptionFilterUniverse:
        return self._spread(OptionRight.CALL, min_days_till_expiry, higher_strike_from_atm, lower_strike_from_atm)

    def put_spread(self, min_days_till_expiry: int = 30, higher_strike_from_atm: float = 5,
                   lower_strike_from_atm: float | None = None) -> OptionFilterUniverse:
        return self._spread(OptionRight.PUT, min_days_till_expiry, higher_strike_from_atm, lower_strike_from_atm)

    def strangle(self, min_days_till_expiry: int = 30, call_strike_from_atm: float = 5,
                 put_strike_from_atm: float = -5) -> OptionFilterUniverse:
        if call_strike_from_atm <= 0:
            raise ArgumentException("Strangle(): callStrikeFromAtm must be positive")
        if put_strike_from_atm >= 0:
            raise ArgumentException("Strangle(): putStrikeFromAtm must be negative")
        return self._call_and_put(min_days_till_expiry, call_strike_from_atm, put_strike_from_atm, True)

    def straddle(self, min_days_till_expiry: int = 30) -> OptionFilterUniverse:
        return self._call_and_put(min_days_till_expiry, 0, 0)

    def conversion(self, min_days_till_expiry: int = 30, strike_from_atm: float = 5) -> OptionFilterUniverse:
        return self._call_and_put(min_days_till_expiry, strike_from_atm, strike_from_atm)

    def iron_butterfly(self, min_days_till_expiry: int = 30, strike_spread: float = 5) -> OptionFilterUniverse:
        if strike_spread <= 0:
            raise ArgumentException("IronButterfly(): strikeSpread arguments must be positive")
        chain, calls, puts = self._sides(min_days_till_expiry)
        if not calls or not puts:
            return self._empty()
        atm = self._strike(chain, 0)
        call = self._strike([s for s in calls if s.id.strike_price > atm], strike_spread)
        put = atm * 2 - call
        expiry = chain[0].id.date
        return self._exactly(4, lambda s: s.id.date == expiry and (
            s.id.strike_price == atm or s.id.strike_price == (put if s.id.option_right else call)))

    def iron_condor(self, min_days_till_expiry: int = 30, near_strike_spread: float = 5,
                    far_strike_spread: float = 10) -> OptionFilterUniverse:
        if near_strike_spread <= 0 or far_strike_spread <= 0:
            raise ArgumentException(
                "IronCondor(): strike arguments must be positive, nearStrikeSpread, farStrikeSpread")
        if near_strike_spread >= far_strike_spread:
            raise ArgumentException("IronCondor(): strike arguments must be in ascending orders, nearStrikeSpread, "
                                    "farStrikeSpread")
        chain, calls, puts = self._sides(min_days_till_expiry)
        if not calls or not puts:
            return self._empty()
        near_call, near_put = self._strike(calls, near_strike_spread), self._strike(puts, -near_strike_spread)
        far_call = self._strike([s for s in calls if s.id.strike_price > near_call], far_strike_spread)
        far_put = near_put - far_call + near_call
        expiry = chain[0].id.date
        return self._exactly(4, lambda s: s.id.date == expiry and s.id.strike_price in (
            (near_put, far_put) if s.id.option_right else (near_call, far_call)))

    # -- helpers ----------------------------------------------------------------------------------------------

    def _single(self, right: OptionRight, days: int, from_atm: float) -> OptionFilterUniverse:
        chain = [s for s in self._expiry(self.symbols, days) if s.id.option_right == right]
        if not chain:
            return self._empty()
        strike = self._strike(chain, from_atm)
        return self._take(s for s in chain if s.id.strike_price == strike)

    def _spread(self, right: OptionRight, days: int, higher: float, lower: float | None) -> OptionFilterUniverse:
        lower = -higher if lower is None else lower
        if higher <= lower:
            raise ArgumentException("Spread(): strike price arguments must be in descending order, "
                                    "higherStrikeFromAtm, lowerStrikeFromAtm")
        chain = [s for s in self._expiry(self.symbols, days) if s.id.option_right == right]
        if not chain:
            return self._empty()
        low = self._strike(chain, lower)
        above = [s for s in chain if s.id.strike_price > low]
        if not above:
            return self._empty()
        high = self._strike(above, higher)
        return self._take(s for s in chain if s.id.strike_price in (low, high))

    def _call_and_put(self, days: int, call_from_atm: float, put_from_atm: float,
                      otm: bool = False) -> OptionFilterUniverse:
        chain = self._expiry(self.symbols, days)
        calls = [s for s in chain if s.id.option_right == OptionRight.CALL]
        puts = [s for s in chain if s.id.option_right == OptionRight.PUT]
        if otm:
            calls = [s for s in calls if s.id.strike_price > self._price]
            puts = [s for s in puts if s.id.strike_price < self._price]
        if not calls or not puts:
            return self._empty()
        call, put = self._strike(calls, call_from_atm), self._strike(puts, put_from_atm)
        return self._take([*(s for s in calls if s.id.strike_price == call),
                           *(s for s in puts if s.id.strike_price == put)])

    def _sides(self, days: int) -> tuple[list[Symbol], list[Symbol], list[Symbol]]:
        """Contracts of the nearest expiry, its calls above and its puts below the price."""
        chain = self._expiry(self.symbols, days)
        price = self._price
        return (chain, [s for s in chain if s.id.option_right == OptionRight.CALL and s.id.strike_price > price],
                [s for s in chain if s.id.option_right == OptionRight.PUT and s.id.strike_price < price])

    def _expiry(self, symbols: Iterable[Symbol], days: int) -> list[Symbol]:
        first = datetime(self.local_time.year, self.local_time.month, self.local_time.day) + timedelta(days=days)
        later = [symbol for symbol in symbols if symbol.id.date >= first]
        if not later:
            return []
        nearest = min(symbol.id.date for symbol in later)
        return sorted((s for s in later if s.id.date == nearest), key=lambda s: str(s.id))

    def _strike(self, symbols: Iterable[Symbol], from_atm: float) -> float:
        target = self._price + from_atm
        return min((s.id.strike_price for s in symbols), key=lambda strike: abs(target - strike), default=_NO_STRIKE)

    def _exactly(self, count: int, keep: Callable[[Symbol], bool]) -> OptionFilterUniverse:
        self._keep(lambda item: keep(item.symbol))
        return self if len(self._data) == count else self._empty()

    def _keep(self, keep: Callable[[ContractData], bool]) -> OptionFilterUniverse:
        self._data = [item for item in self._data if keep(item)]
        return self

    def _empty(self) -> OptionFilterUniverse:
        self._data = []
        return self

    def _take(self, chosen: Iterable[Any]) -> OptionFilterUniverse:
        known = {item.symbol: item for item in self._data}
        listed = [item if isinstance(item, Symbol) else item.symbol for item in chosen]
        self._data = [known[symbol] if symbol in known else ContractData(symbol, self.local_time, [""] * 5)
                      for symbol in listed]
        return self

    def where(self, predicate: Callable[[ContractData], bool]) -> OptionFilterUniverse:
        return self._keep(predicate)

    def where_contains(self, filter_list: Iterable[Symbol]) -> OptionFilterUniverse:
        wanted = set(filter_list)
        return self._keep(lambda item: item.symbol in wanted)

    def select(self, map_func: Callable[[ContractData], Symbol]) -> OptionFilterUniverse:
        return self._take([map_func(item) for item in self._data])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(f"OptionFilterUniverse.{name} is not supported by the embedded engine; run it on "
                                  "LEAN: lean backtest <project>")


class ContractFilter:
    """What `set_filter` was given, ready to select."""

    def __init__(self, select: Callable[[OptionFilterUniverse], Any]) -> None:
        self._select = select

    def filter(self, universe: OptionFilterUniverse) -> list[Symbol]:
        """Contracts the algorithm's function keeps.

        Raises:
            ArgumentException: the function returned neither the universe nor a list of symbols.
        """
        result = self._select(universe)
        if result is None or isinstance(result, OptionFilterUniverse):
            return (universe if result is None else result).apply_types_filter().symbols
        if isinstance(result, (str, bytes)) or not isinstance(result, Iterable):
            raise ArgumentException(
                f"QCAlgorithm.SetFilter: result type {type(result)} from filter function is not a valid argument, "
                "please return either a OptionFilterUniverse or a list of symbols")
        return universe.contracts(list(result)).apply_types_filter().symbols


def make_filter(*args: Any, **kwargs: Any) -> ContractFilter:
    """Build the filter of `set_filter(function)`, `set_filter(min_strike, max_strike)`, `set_filter(min_expiry,
    max_expiry)` or all four of them.
    """
    if kwargs:
        order = ("universe_func", "min_strike", "max_strike", "min_expiry", "max_expiry", "min_expiry_days",
                 "max_expiry_days")
        unknown = set(kwargs) - set(order)
        if unknown:
            raise TypeError(f"set_filter() got an unexpected keyword argument '{sorted(unknown)[0]}'")
        args = (*args, *(kwargs[name] for name in order if name in kwargs))
    if len(args) == 1 and callable(args[0]):
        return ContractFilter(args[0])
    if len(args) == 2 and isinstance(args[0], timedelta):
        return ContractFilter(lambda universe: universe.expiration(args[0], args[1]))
    if len(args) == 2:
        return ContractFilter(lambda universe: universe.strikes(int(args[0]), int(args[1])))
    if len(args) == 4:
        return ContractFilter(
            lambda universe: universe.strikes(int(args[0]), int(args[1])).expiration(args[2], args[3]))
    raise TypeError("No method matches given arguments for SetFilter: give a function, or two strikes and two expiries")


def default_filter() -> ContractFilter:
    """LEAN's filter of an option nobody set one for: one strike each side, 35 days."""
    return make_filter(-1, 1, timedelta(0), timedelta(days=35))
