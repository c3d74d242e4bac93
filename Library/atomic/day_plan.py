"""An algorithm's day: which days, which underlying and chain, one window to enter, one time to leave.

What every intraday option algorithm reads and sets up in the same way. Parameters: `date`, `last-date`, `cash`,
`ticker`, `chain-strikes`, `expiry-days`, `entry-time`, `entry-minutes`, `exit-before-close` (minutes).
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from .parameters import Parameters

if TYPE_CHECKING:
    from AlgorithmImports import OptionChain, OptionFilterUniverse, QCAlgorithm, Slice

_ENTERED = "day-plan-entered"


class DayPlan:
    """Sets an algorithm up for one underlying and its options of one expiry; to be made in `initialize`.

    Args:
        algorithm: the algorithm; dates, cash and a constant benchmark are set, equity and options are subscribed.
        read: its parameters.
        on_exit: called every day `exit-before-close` minutes before the bell, also on half days.
        ticker: the underlying unless the parameter names another.
        day: first and only day unless the parameters name others.

    Raises:
        ValueError: a parameter does not fit, or the last date is before the first.
    """

    def __init__(
        self, algorithm: QCAlgorithm, read: Parameters, *, on_exit: Callable[[], None], ticker: str, day: date
    ) -> None:
        self._algorithm = algorithm
        first = read.day("date", day)
        last = read.day("last-date", first)
        if last < first:
            raise ValueError(f"parameter last-date is {last}: use {first} or a later day")
        self._entry = read.clock("entry-time", time(10, 0))
        #: length of the entry window, so that a late first quote does not open a group just before the bell
        self._minutes = read.whole("entry-minutes", 30, low=1)
        #: where the day of the last entry is kept; a journal's `extra` makes it survive a restart
        self.memory: MutableMapping[str, Any] = {}
        algorithm.set_start_date(first.year, first.month, first.day)
        algorithm.set_end_date(last.year, last.month, last.day)
        algorithm.set_cash(read.number("cash", 100_000.0, low=1.0))
        algorithm.set_benchmark(lambda _: 1)
        name = read.text("ticker", ticker).upper()
        #: the underlying's symbol
        self.underlying = algorithm.add_equity(name).symbol
        strikes = read.whole("chain-strikes", 16, low=1)
        days = read.whole("expiry-days", 0)

        def wanted(universe: OptionFilterUniverse) -> object:
            return universe.include_weeklys().strikes(-strikes, strikes).expiration(days, days)

        option = algorithm.add_option(name)
        option.set_filter(wanted)
        #: the chain's symbol
        self.canonical = option.symbol
        algorithm.schedule.on(
            algorithm.date_rules.every_day(self.underlying),
            algorithm.time_rules.before_market_close(self.underlying, read.whole("exit-before-close", 15, low=1)),
            on_exit,
        )

    def chain(self, slice: Slice) -> OptionChain | None:
        """The chain of this bar while the day's entry is due, else None."""
        now: datetime = self._algorithm.time
        minutes = (now.hour - self._entry.hour) * 60 + now.minute - self._entry.minute
        if not 0 <= minutes < self._minutes or self.memory.get(_ENTERED) == now.date().isoformat():
            return None
        return slice.option_chains.get(self.canonical)

    def entered(self) -> None:
        """No further entry today, also after a restart."""
        self.memory[_ENTERED] = self._algorithm.time.date().isoformat()
