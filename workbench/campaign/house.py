"""What a venue does not take and what a house allows: the terms under which a run trades."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atomic.plan import Env
from atomic.policy import Settings
from atomic.vocabulary import ChildType, RejectReason, Right

from .market import CHAIN

if TYPE_CHECKING:
    from atomic.ports import OrderRequest

    from .choices import Choices
    from .scenarios import Setting

#: a contract that gains where its underlying falls
PUT = "SIM 260116P95"
_STOPS = frozenset({ChildType.STOP_MARKET, ChildType.STOP_LIMIT})


@dataclass(frozen=True, slots=True)
class House:
    """Terms of a run; the defaults constrain nothing.

    Attributes:
        updates: the venue takes updates in place.
        market: the venue takes market orders: "yes", "no", or "no, and we learn it" from its refusals.
        stops: the venue takes stop orders for options; that it does not is learnt from its refusals.
        reserves: the broker reserves a position for the orders that close it.
        says_so: the executor knows that from the start, and does not learn it from a refusal.
        rate: orders a second that may leave; 0 for no limit.
        reserved_rate: orders a second beyond these that reduce or protect; 0 for no limit.
        operator: somebody at the desk pauses, resumes, rolls back and closes.
        forgets: LEAN's paper brokerage: its ids are LEAN's own, and every order ends with the process.
    """

    updates: bool = True
    market: str = "yes"
    stops: bool = True
    reserves: bool = False
    says_so: bool = False
    rate: float = 0.0
    reserved_rate: float = 0.0
    operator: bool = False
    forgets: bool = False

    def refusal(self, request: OrderRequest) -> RejectReason | None:
        """Why the venue does not take such an order; None when it does."""
        if request.type is ChildType.MARKET and self.market != "yes":
            return RejectReason.CAPABILITY
        if request.type in _STOPS and not self.stops and CHAIN[request.symbol].right is not Right.SHARE:
            return RejectReason.CAPABILITY
        return None

    def env(self, *, live: bool, sync: bool, combos: str) -> Env:
        """What the executor is told of it."""
        return Env(
            live=live,
            bar_data=sync,
            bar_seconds=60.0 if sync else 1.0,
            takes_market=self.market != "no",
            takes_replace=self.updates,
            reserves_quantity=self.reserves and self.says_so,
            combo_market=combos == "all",
            combo_limit=combos != "none",
        )

    @property
    def settings(self) -> Settings:
        """The executor's settings."""
        return Settings(rate_per_second=self.rate, reserved_rate=self.reserved_rate)


def constrained(setting: Setting, choices: Choices) -> Setting:
    """The same run under terms that constrain it, as drawn."""
    rate = (0.0, 2.0, 0.5)[choices.draw(3)]
    house = replace(
        setting.house,
        updates=choices.draw(2) == 0,
        market=("yes", "yes", "no", "no, and we learn it")[choices.draw(4)],
        stops=choices.draw(3) != 2,
        rate=rate,
        reserved_rate=(1.0, 4.0)[choices.draw(2)] if rate else 0.0,
        operator=bool(choices.draw(2)),
    )
    if house.reserves:
        house = replace(house, says_so=bool(choices.draw(2)))
    bracket = setting.bracket
    if bracket is not None:
        bracket = replace(bracket, entry="stop limit" if choices.draw(4) == 3 else bracket.entry)
        if choices.draw(4) == 3:
            symbol = (bracket.symbol, PUT)[choices.draw(2)]
            bracket = replace(bracket, symbol=symbol, trigger="underlying", trail=0.0, break_even_after=0,
                              stop_limit=0.0)  # fmt: skip
    return replace(setting, house=house, bracket=bracket)
