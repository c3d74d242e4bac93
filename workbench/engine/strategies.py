"""Option strategies by name (Common/Securities/Option/OptionStrategies.cs): legs for `buy`, `sell` and `order`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workbench.engine.enums import OptionRight
from workbench.engine.exceptions import ArgumentException
from workbench.engine.legs import Leg
from workbench.engine.symbols import Symbol

CALL, PUT = OptionRight.CALL, OptionRight.PUT


class OptionLegData(Leg):
    """A contract of a strategy by its terms."""

    __slots__ = ("expiration", "right", "strike")

    def __init__(self, right: OptionRight, strike: float, quantity: int, expiration: datetime) -> None:
        super().__init__()
        self.right = right
        self.strike = strike
        self.quantity = quantity
        self.expiration = expiration


class OptionStrategy:
    """Legs of a strategy; quantities are ratios per unit."""

    def __init__(self, name: str = "", canonical_option: Symbol | None = None,
                 option_legs: Sequence[OptionLegData] = (), underlying_legs: Sequence[Leg] = ()) -> None:
        self.name = name
        self.canonical_option = canonical_option
        self.underlying = None if canonical_option is None else canonical_option.underlying
        self.option_legs = list(option_legs)
        self.underlying_legs = list(underlying_legs)

    def set_symbols(self) -> None:
        """Give every leg its contract."""
        canonical, underlying = self.canonical_option, self.underlying
        if canonical is None or underlying is None:
            return
        for leg in self.option_legs:
            if leg.symbol is None:
                leg.symbol = Symbol.create_option(underlying, canonical.id.symbol, underlying.id.market,
                                                  canonical.id.option_style, leg.right, leg.strike, leg.expiration)


Terms = tuple[OptionRight, float, int, datetime]


def _make(name: str, canonical: Symbol, legs: Sequence[Terms], shares: int = 0) -> OptionStrategy:
    if canonical.underlying is None or canonical.id.strike_price != 0:
        raise ArgumentException(f"{name.replace(' ', '')}: canonicalOption must contain canonical option symbol "
                                "(Parameter 'canonicalOption')")
    underlying = [Leg.create(canonical.underlying, shares)] if shares else []
    return OptionStrategy(name, canonical, [OptionLegData(*terms) for terms in legs], underlying)


def _inverted(strategy: OptionStrategy, name: str) -> OptionStrategy:
    """The other side of a strategy."""
    strategy.name = name
    for leg in [*strategy.option_legs, *strategy.underlying_legs]:
        leg.quantity = -leg.quantity
    return strategy


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ArgumentException(message)


class OptionStrategies:
    """Factory of strategies."""

    @staticmethod
    def covered_call(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """Shares and a short call."""
        return _make("Covered Call", canonical_option, [(CALL, strike, -1, expiration)], 100)

    @staticmethod
    def protective_call(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """Short shares and a long call."""
        return _inverted(OptionStrategies.covered_call(canonical_option, strike, expiration), "Protective Call")

    @staticmethod
    def covered_put(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """Short shares and a short put."""
        return _make("Covered Put", canonical_option, [(PUT, strike, -1, expiration)], -100)

    @staticmethod
    def protective_put(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """Shares and a long put."""
        return _inverted(OptionStrategies.covered_put(canonical_option, strike, expiration), "Protective Put")

    @staticmethod
    def protective_collar(canonical_option: Symbol, call_strike: float, put_strike: float,
                          expiration: datetime) -> OptionStrategy:
        """Shares, a short call and a long put."""
        _check(call_strike >= put_strike, "ProtectiveCollar: callStrike must be greater than putStrike")
        return _make("Protective Collar", canonical_option,
                     [(CALL, call_strike, -1, expiration), (PUT, put_strike, 1, expiration)], 100)

    @staticmethod
    def conversion(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """A collar at one strike."""
        strategy = OptionStrategies.protective_collar(canonical_option, strike, strike, expiration)
        strategy.name = "Conversion"
        return strategy

    @staticmethod
    def reverse_conversion(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """The other side of a conversion."""
        return _inverted(OptionStrategies.conversion(canonical_option, strike, expiration), "Reverse Conversion")

    @staticmethod
    def naked_call(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """A short call."""
        return _make("Naked Call", canonical_option, [(CALL, strike, -1, expiration)])

    @staticmethod
    def naked_put(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """A short put."""
        return _make("Naked Put", canonical_option, [(PUT, strike, -1, expiration)])

    @staticmethod
    def bear_call_spread(canonical_option: Symbol, leg_1_strike: float, leg_2_strike: float,
                         expiration: datetime) -> OptionStrategy:
        """Short the lower call, long the higher."""
        _check(leg_1_strike < leg_2_strike, "BearCallSpread: leg1Strike must be less than leg2Strike")
        return _make("Bear Call Spread", canonical_option,
                     [(CALL, leg_1_strike, -1, expiration), (CALL, leg_2_strike, 1, expiration)])

    @staticmethod
    def bear_put_spread(canonical_option: Symbol, leg_1_strike: float, leg_2_strike: float,
                        expiration: datetime) -> OptionStrategy:
        """Long the higher put, short the lower."""
        _check(leg_1_strike > leg_2_strike, "BearPutSpread: leg1Strike must be greater than leg2Strike")
        return _make("Bear Put Spread", canonical_option,
                     [(PUT, leg_1_strike, 1, expiration), (PUT, leg_2_strike, -1, expiration)])

    @staticmethod
    def bull_call_spread(canonical_option: Symbol, leg_1_strike: float, leg_2_strike: float,
                         expiration: datetime) -> OptionStrategy:
        """Long the lower call, short the higher."""
        _check(leg_1_strike < leg_2_strike, "BullCallSpread: leg1Strike must be less than leg2Strike")
        return _make("Bull Call Spread", canonical_option,
                     [(CALL, leg_1_strike, 1, expiration), (CALL, leg_2_strike, -1, expiration)])

    @staticmethod
    def bull_put_spread(canonical_option: Symbol, leg_1_strike: float, leg_2_strike: float,
                        expiration: datetime) -> OptionStrategy:
        """Short the higher put, long the lower."""
        _check(leg_1_strike > leg_2_strike, "BullPutSpread: leg1Strike must be greater than leg2Strike")
        return _make("Bull Put Spread", canonical_option,
                     [(PUT, leg_1_strike, -1, expiration), (PUT, leg_2_strike, 1, expiration)])

    @staticmethod
    def straddle(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """Long call and put at one strike."""
        return _make("Straddle", canonical_option, [(CALL, strike, 1, expiration), (PUT, strike, 1, expiration)])

    @staticmethod
    def short_straddle(canonical_option: Symbol, strike: float, expiration: datetime) -> OptionStrategy:
        """Short call and put at one strike."""
        return _inverted(OptionStrategies.straddle(canonical_option, strike, expiration), "Short Straddle")

    @staticmethod
    def strangle(canonical_option: Symbol, call_leg_strike: float, put_leg_strike: float,
                 expiration: datetime) -> OptionStrategy:
        """Long call above a long put."""
        _check(call_leg_strike > put_leg_strike, "Strangle: callLegStrike must be greater than putLegStrike")
        return _make("Strangle", canonical_option,
                     [(CALL, call_leg_strike, 1, expiration), (PUT, put_leg_strike, 1, expiration)])

    @staticmethod
    def short_strangle(canonical_option: Symbol, call_leg_strike: float, put_leg_strike: float,
                       expiration: datetime) -> OptionStrategy:
        """Short call above a short put."""
        return _inverted(OptionStrategies.strangle(canonical_option, call_leg_strike, put_leg_strike, expiration),
                         "Short Strangle")

    @staticmethod
    def _butterfly(name: str, right: OptionRight, canonical: Symbol, higher: float, middle: float, lower: float,
                   expiration: datetime) -> OptionStrategy:
        _check(higher > middle > lower and higher - middle == middle - lower,
               f"{name.replace(' ', '')}: upper and lower strikes must both be equidistant from the middle strike")
        return _make(name, canonical, [(right, higher, 1, expiration), (right, middle, -2, expiration),
                                       (right, lower, 1, expiration)])

    @staticmethod
    def butterfly_call(canonical_option: Symbol, higher_strike: float, middle_strike: float, lower_strike: float,
                       expiration: datetime) -> OptionStrategy:
        """Long the outer calls, short two in the middle."""
        return OptionStrategies._butterfly("Butterfly Call", CALL, canonical_option, higher_strike, middle_strike,
                                           lower_strike, expiration)

    call_butterfly = butterfly_call

    @staticmethod
    def short_butterfly_call(canonical_option: Symbol, higher_strike: float, middle_strike: float, lower_strike: float,
                             expiration: datetime) -> OptionStrategy:
        """The other side of a call butterfly."""
        return _inverted(OptionStrategies.butterfly_call(canonical_option, higher_strike, middle_strike, lower_strike,
                                                         expiration), "Short Butterfly Call")

    @staticmethod
    def butterfly_put(canonical_option: Symbol, higher_strike: float, middle_strike: float, lower_strike: float,
                      expiration: datetime) -> OptionStrategy:
        """Long the outer puts, short two in the middle."""
        return OptionStrategies._butterfly("Butterfly Put", PUT, canonical_option, higher_strike, middle_strike,
                                           lower_strike, expiration)

    put_butterfly = butterfly_put

    @staticmethod
    def short_butterfly_put(canonical_option: Symbol, higher_strike: float, middle_strike: float, lower_strike: float,
                            expiration: datetime) -> OptionStrategy:
        """The other side of a put butterfly."""
        return _inverted(OptionStrategies.butterfly_put(canonical_option, higher_strike, middle_strike, lower_strike,
                                                        expiration), "Short Butterfly Put")

    @staticmethod
    def _calendar(name: str, right: OptionRight, canonical: Symbol, strike: float, near: datetime,
                  far: datetime) -> OptionStrategy:
        _check(near < far, f"{name.replace(' ', '')}: near expiration must be less than far expiration")
        return _make(name, canonical, [(right, strike, -1, near), (right, strike, 1, far)])

    @staticmethod
    def call_calendar_spread(canonical_option: Symbol, strike: float, near_expiration: datetime,
                             far_expiration: datetime) -> OptionStrategy:
        """Short the near call, long the far."""
        return OptionStrategies._calendar("Call Calendar Spread", CALL, canonical_option, strike, near_expiration,
                                          far_expiration)

    @staticmethod
    def short_call_calendar_spread(canonical_option: Symbol, strike: float, near_expiration: datetime,
                                   far_expiration: datetime) -> OptionStrategy:
        """Long the near call, short the far."""
        return _inverted(OptionStrategies.call_calendar_spread(canonical_option, strike, near_expiration,
                                                               far_expiration), "Short Call Calendar Spread")

    @staticmethod
    def put_calendar_spread(canonical_option: Symbol, strike: float, near_expiration: datetime,
                            far_expiration: datetime) -> OptionStrategy:
        """Short the near put, long the far."""
        return OptionStrategies._calendar("Put Calendar Spread", PUT, canonical_option, strike, near_expiration,
                                          far_expiration)

    @staticmethod
    def short_put_calendar_spread(canonical_option: Symbol, strike: float, near_expiration: datetime,
                                  far_expiration: datetime) -> OptionStrategy:
        """Long the near put, short the far."""
        return _inverted(OptionStrategies.put_calendar_spread(canonical_option, strike, near_expiration,
                                                              far_expiration), "Short Put Calendar Spread")

    @staticmethod
    def iron_condor(canonical_option: Symbol, long_put_strike: float, short_put_strike: float,
                    short_call_strike: float, long_call_strike: float, expiration: datetime) -> OptionStrategy:
        """Long the wings, short the inner strikes."""
        _check(long_put_strike < short_put_strike <= short_call_strike < long_call_strike,
               "IronCondor: strike prices must be in ascending order")
        return _make("Iron Condor", canonical_option,
                     [(PUT, long_put_strike, 1, expiration), (PUT, short_put_strike, -1, expiration),
                      (CALL, short_call_strike, -1, expiration), (CALL, long_call_strike, 1, expiration)])

    @staticmethod
    def short_iron_condor(canonical_option: Symbol, short_put_strike: float, long_put_strike: float,
                          long_call_strike: float, short_call_strike: float, expiration: datetime) -> OptionStrategy:
        """The other side of an iron condor."""
        return _inverted(OptionStrategies.iron_condor(canonical_option, short_put_strike, long_put_strike,
                                                      long_call_strike, short_call_strike, expiration),
                         "Short Iron Condor")

    @staticmethod
    def iron_butterfly(canonical_option: Symbol, otm_put_strike: float, atm_strike: float, otm_call_strike: float,
                       expiration: datetime) -> OptionStrategy:
        """An iron condor whose shorts share one strike."""
        _check(atm_strike - otm_put_strike == otm_call_strike - atm_strike,
               "IronButterfly: intervals between exercise prices must be equal")
        strategy = OptionStrategies.iron_condor(canonical_option, otm_put_strike, atm_strike, atm_strike,
                                                otm_call_strike, expiration)
        strategy.name = "Iron Butterfly"
        return strategy

    @staticmethod
    def short_iron_butterfly(canonical_option: Symbol, otm_put_strike: float, atm_strike: float,
                             otm_call_strike: float, expiration: datetime) -> OptionStrategy:
        """The other side of an iron butterfly."""
        return _inverted(OptionStrategies.iron_butterfly(canonical_option, otm_put_strike, atm_strike,
                                                         otm_call_strike, expiration), "Short Iron Butterfly")

    @staticmethod
    def box_spread(canonical_option: Symbol, higher_strike: float, lower_strike: float,
                   expiration: datetime) -> OptionStrategy:
        """A bear put spread and a bull call spread at the same strikes."""
        _check(higher_strike > lower_strike, "BoxSpread: strike prices must be in descending order")
        return _make("Box Spread", canonical_option,
                     [(PUT, higher_strike, 1, expiration), (PUT, lower_strike, -1, expiration),
                      (CALL, lower_strike, 1, expiration), (CALL, higher_strike, -1, expiration)])

    @staticmethod
    def short_box_spread(canonical_option: Symbol, higher_strike: float, lower_strike: float,
                         expiration: datetime) -> OptionStrategy:
        """The other side of a box."""
        return _inverted(OptionStrategies.box_spread(canonical_option, higher_strike, lower_strike, expiration),
                         "Short Box Spread")
