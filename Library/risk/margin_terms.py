"""What margin is computed from: securities, holdings, position groups, and a security's margin on its own.

Source: LEAN Common/Securities/Option/OptionMarginModel.cs, Common/Securities/BuyingPowerModel.cs.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Marginable(Protocol):
    """What margin has to know of a security."""

    @property
    def key(self) -> object:
        """Identity of the security."""

    @property
    def underlying_key(self) -> object:
        """Identity of the underlying; of shares their own."""

    @property
    def is_option(self) -> bool:
        """An option, not shares."""

    @property
    def is_equity_option(self) -> bool:
        """An option on a stock, not on an index."""

    @property
    def right(self) -> str:
        """`C` or `P`; empty for shares."""

    @property
    def strike(self) -> float:
        """Dollars per share."""

    @property
    def expiry(self) -> str:
        """ISO date; empty for shares."""

    @property
    def multiplier(self) -> float:
        """Dollars per dollar of price (100 for a stock option, 1 for shares)."""

    @property
    def unit(self) -> float:
        """Shares per contract (1 for shares)."""

    @property
    def price(self) -> float:
        """Current price, dollars per share."""

    @property
    def bid(self) -> float:
        """Bid, dollars per share; 0 without one."""

    @property
    def ask(self) -> float:
        """Ask, dollars per share; 0 without one."""

    @property
    def underlying_price(self) -> float:
        """Price of the underlying, dollars per share; 0 when unknown."""

    @property
    def initial_rate(self) -> float:
        """Part of its value that shares need to be bought or shorted (0.5 with a leverage of 2)."""

    @property
    def maintenance_rate(self) -> float:
        """Part of its value that shares reserve while held."""


class Instrument(NamedTuple):
    """A security as plain data; see `Marginable` for the fields."""

    key: object
    underlying_key: object
    is_option: bool = False
    is_equity_option: bool = True
    right: str = ""
    strike: float = 0.0
    expiry: str = ""
    multiplier: float = 1.0
    unit: float = 1.0
    price: float = 0.0
    bid: float = 0.0
    ask: float = 0.0
    underlying_price: float = 0.0
    initial_rate: float = 0.5
    maintenance_rate: float = 0.5


class Holding(NamedTuple):
    """A signed quantity of an instrument, in contracts or shares."""

    instrument: Marginable
    quantity: float


class Group(NamedTuple):
    """Holdings that are margined together. `name` is the strategy ("" for a security on its own), `quantity` its units.

    An order that closes all it touches makes an empty group.
    """

    name: str
    holdings: tuple[Holding, ...]
    quantity: float


class InitialMargin(NamedTuple):
    """Margin to open: `value` without, `premium` of the options (negative when received)."""

    value: float
    premium: float

    @property
    def total(self) -> float:
        """Margin and the premium to be paid, if any."""
        return self.value + max(self.premium, 0.0)


class MarginNotModelledError(NotImplementedError):
    """LEAN has no margin for this strategy and stops the order with the same words."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Option strategy {name} margin modeling has yet to be implemented")


# -- single securities ------------------------------------------------------------------------------------------------


def value_of(instrument: Marginable, quantity: float) -> float:
    """Dollars of a quantity at the current price."""
    return instrument.price * quantity * instrument.multiplier


def option_requirement(option: Marginable, quantity: float, value: float) -> float:
    """Margin of an option position as a multiple of its `value` (1 for a long; 0 while a price is missing)."""
    under = option.underlying_price
    if value == 0 or option.price == 0 or option.strike == 0 or under == 0:
        return 0.0
    if value > 0:
        return 1.0
    unit = option.unit
    per_unit = -value / unit
    scale = 1 / option.multiplier * unit
    under_ratio = scale * (under / per_unit)
    otm_ratio = scale * (out_of_the_money(option, under) / per_unit)
    floor = 0.1 * under_ratio if option.right == "C" else 0.1 * (scale * (option.strike / per_unit))
    rate = 0.2 if option.is_equity_option else 0.15
    return 1 + abs(quantity) * max(floor, rate * under_ratio - otm_ratio)


def security_maintenance(instrument: Marginable, quantity: float) -> float:
    """What a position reserves on its own, at the current price."""
    if instrument.is_option:
        if quantity >= 0:
            return 0.0
        value = value_of(instrument, quantity)
        return abs(value) * option_requirement(instrument, quantity, value)
    return abs(value_of(instrument, quantity)) * instrument.maintenance_rate


def security_initial(instrument: Marginable, quantity: float) -> InitialMargin:
    """What a position on its own needs to be opened; signed as LEAN signs it (negative for a short)."""
    value = value_of(instrument, quantity)
    if instrument.is_option:
        return InitialMargin(0.0 if quantity >= 0 else value * option_requirement(instrument, quantity, value), value)
    return InitialMargin(value * instrument.initial_rate, 0.0)


def order_initial(instrument: Marginable, quantity: float, order_value: float, fee: float) -> float:
    """Signed initial margin of a single order, its fee included; `order_value` is the order's own (signed) value."""
    if instrument.is_option:
        margin = order_value * option_requirement(instrument, quantity, order_value)
    else:
        margin = value_of(instrument, quantity) * instrument.initial_rate
    return margin + fee if margin > 0 else margin - fee if margin < 0 else margin


def out_of_the_money(option: Marginable, under: float) -> float:
    """Dollars per share that miss to the strike."""
    return max(0.0, option.strike - under if option.right == "C" else under - option.strike)


def in_the_money(option: Marginable, under: float) -> float:
    """Dollars per share beyond the strike."""
    return max(0.0, under - option.strike if option.right == "C" else option.strike - under)
