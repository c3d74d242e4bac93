"""What an adversarial broker may do with the orders it has, and how the algorithm hears of it.

Every answer is drawn from `Choices`. In the synchronous mode news is told at once, in the asynchronous mode it waits
in a queue from which the adversary delivers it in any order, twice, or never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atomic.facts import (
    Accepted,
    Canceled,
    CancelRefused,
    Expired,
    Filled,
    Rejected,
    Replaced,
    ReplaceRefused,
)
from atomic.vocabulary import RejectReason

from .account import Account, Fate, SimOrder
from .house import House
from .view import ProcessView

if TYPE_CHECKING:
    from collections.abc import Callable

    from atomic.ports import Sink

    from .choices import Choices
    from .faults import Faults
    from .market import SimMarket

#: LEAN's error codes for cancels
NEW_STATUS, CLOSED_STATUS, FAILED = -32, -9, -4


class Misdeeds:
    """The broker's own part: what happens to orders without being asked for, and the way of the news.

    Attributes:
        sync: facts arrive inside the calls (LEAN backtest) instead of through the queue.
        queue: facts on their way, in the order in which they happened.
        wake: the wake-up asked for, seconds UTC; None for none.
        calls: gateway calls that change something, counted (a runaway loop shows here).
    """

    def __init__(
        self, account: Account, market: SimMarket, choices: Choices, now: float, faults: Faults, *,
        live: bool, sync: bool, combos: str = "none", house: House | None = None,
        point: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        #: called where a process could stop
        self.point: Callable[[str], None] = point if point is not None else lambda what: None
        self.account, self.market, self.choices, self.faults = account, market, choices, faults
        self.live, self.sync, self.combos = live, sync, combos
        self.house = house if house is not None else House()
        self.sink: Sink | None = None
        self.clock = now
        self.wake: float | None = None
        self.queue: list[tuple[SimOrder, Any]] = []
        self.calls = 0
        self.kind = False
        self.logged: list[str] = []
        self.view = ProcessView(account)
        self._canceling: set[int] = set()
        #: terms of the newest update that was asked for, by order
        self._updates: dict[int, tuple[int, float, float]] = {}
        self._combo = 1 + max((o.combo for o in account.orders), default=0)

    def accept(self, order: SimOrder, *, told: bool = True) -> None:
        """The broker acknowledges; not `told` where the call that sent the order answers with it."""
        if order.fate is Fate.NEW:
            self.account.accept(order)
            if not self.sync:
                self._tell(order, self.view.identity(order, self.clock))
            if told:
                self._tell(order, Accepted(self.clock, order.number))

    def reject(self, order: SimOrder, reason: RejectReason | None = None) -> None:
        """The broker refuses, at once or later."""
        if not order.fate.alive:
            return
        if reason is None:
            reason = _REASONS[self._draw(True, len(_REASONS))]
        ended = self.account.siblings(order)
        for one in ended:
            self.account.end(one, Fate.REJECTED, reason, f"refused: {reason}")
        for one in ended:
            self._tell(one, Rejected(self.clock, one.number, reason, f"refused: {reason}"))

    def fill(self, order: SimOrder, qty: int) -> None:
        """Fill `qty` at the order's price or the quote's."""
        pending = order.asked is not None and order.id in self._updates  # asked for by this process
        self.account.fill(order, qty, self.market.price(order))
        self._tell(order, self.view.filled(order, self.clock))
        if order.fate is Fate.FILLED:
            if pending:
                self._tell(order, self._answer(order))
            if (end := self.view.end(order, self.clock)) is not None:
                self._tell(order, end)

    def end_cancel(self, order: SimOrder) -> None:
        """A pending cancel comes to its end; a combo ends as one."""
        self._end(order, Fate.CANCELED, Canceled)

    def fail_cancel(self, order: SimOrder) -> None:
        """A pending cancel is answered with an error after all; the order works on."""
        for one in self.account.siblings(order):
            one.cancel_pending = one.deaf = False
        self._tell(order, CancelRefused(self.clock, order.number, FAILED, "brokerage failed to cancel"))

    def end_update(self, order: SimOrder) -> None:
        """A pending update comes to its end."""
        if order.asked is not None and order.fate.alive:
            quantity, order.limit, order.stop = order.asked
            order.quantity, order.asked = quantity, None
            self._tell(order, Replaced(self.clock, order.number, quantity, order.limit, order.stop))
            if order.filled >= abs(quantity):
                self.account.end(order, Fate.FILLED)
                self._tell(order, self.view.filled(order, self.clock))

    def expire(self, order: SimOrder) -> None:
        """A day order ends."""
        self._end(order, Fate.EXPIRED, Expired)

    def _end(self, order: SimOrder, fate: Fate, news: type[Canceled | Expired]) -> None:
        ended = self.account.siblings(order)
        for one in ended:
            self.account.end(one, fate)
        for one in ended:
            self._tell(one, news(self.clock, one.number))

    def outside(self, symbol: str, delta: int, price: float, cause: str, why: str) -> None:
        """The account moves without an order of ours, and LEAN reports it."""
        self.account.outside(symbol, delta, cause)
        self.view.moved(symbol, delta)
        if self.sink is not None:
            self.sink.on_foreign(symbol, delta, price, cause, why)

    def settle(self, symbol: str, cause: str) -> None:
        """A contract ends; what stands in it is settled in cash."""
        for order, fact in [(o, f) for o, f in self.queue if o.symbol == symbol and o.late]:
            self.queue.remove((order, fact))  # a contract's last fills are told before its end
            self._tell_now(order, fact)
        price = self.market.intrinsic(symbol)
        self.market.settled[symbol] = price
        self.market.changed()
        for order in [o for o in self.account.live.values() if o.symbol == symbol]:
            self.expire(order)
        self.account.settle(symbol)
        self.view.holdings[symbol] = 0
        if self.sink is not None:
            self.sink.on_delisted(symbol, price, cause)

    def deliver(self, index: int, *, twice: bool = False) -> None:
        """One waiting fact reaches the algorithm."""
        order, fact = self.queue[index] if twice else self.queue.pop(index)
        self._tell_now(order, fact)

    def lose(self, index: int) -> None:
        """One waiting fact never comes; the ticket knows all the same."""
        self.queue.pop(index)

    # --- how it is told ----------------------------------------------------------------------------------------

    def _draw(self, enabled: bool, n: int) -> int:
        return self.choices.draw(n) if enabled and not self.kind else 0

    def _answer(self, order: SimOrder) -> Replaced | ReplaceRefused:
        """What became of an update that is not pending any more, as the order's terms show it."""
        terms = order.quantity, order.limit, order.stop
        if self._updates[order.id] == terms:
            return Replaced(self.clock, order.number, *terms)
        return ReplaceRefused(self.clock, order.number, "it ended before the update")

    def _tell(self, order: SimOrder, fact: Any) -> None:
        if self.sync:
            self._tell_now(order, fact)
        else:
            self.queue.append((order, fact))

    def _tell_now(self, order: SimOrder, fact: Any) -> None:
        if isinstance(fact, CancelRefused):
            self._canceling.discard(order.id)
        known = self.view.name(order)
        if isinstance(fact, Canceled | Rejected | Expired) and self.view.lags(order):
            self._tell_now(order, self.view.filled(order, self.clock))  # the bridge reads the ticket when an order ends
        if isinstance(fact, Filled):
            delta = self.view.book(order, fact)
            if delta and known is None and self.sink is not None:
                why = "fill of an order that is not ours"
                self.sink.on_foreign(order.symbol, order.side * delta, fact.avg_px, "foreign", why)
        if known is not None:
            group_id, number = known
            self._sinks(group_id, fact if fact.order == number else fact._replace(order=number))

    def _sinks(self, group_id: str, fact: Any) -> None:
        if self.sink is not None:
            self.point(f"before {fact.kind} of {group_id}:{fact.order}")
            self.sink.on_fact(group_id, fact)
            self.point(f"after {fact.kind} of {group_id}:{fact.order}")


_REASONS = (
    RejectReason.UNKNOWN,
    RejectReason.MARGIN,
    RejectReason.PRICE,
    RejectReason.SESSION,
    RejectReason.RATE,
    RejectReason.INSTRUMENT,
)
