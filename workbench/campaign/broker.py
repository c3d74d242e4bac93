"""An adversarial broker behind `ports.Gateway`: it may do anything a real one has been seen doing.

Every answer is drawn from `Choices`, so a run can be replayed and cut down. In the synchronous mode facts arrive
re-entrantly inside the call, as in a LEAN backtest; in the asynchronous mode they wait in a queue from which the
adversary delivers them in any order, twice, or never (then only `poll` finds them), as threads of a live
deployment do.

The account (`account.py`) is the truth and outlives the process; a broker is one process's door to it, with that
process's view (`view.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from atomic.facts import (
    Accepted,
    CancelAsked,
    CancelRefused,
    ReplaceAsked,
    ReplaceRefused,
)
from atomic.vocabulary import ChildType, RejectReason

from .account import Fate, SimOrder
from .market import CHAIN
from .misdeeds import CLOSED_STATUS, FAILED, NEW_STATUS, Misdeeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atomic.model import LegSpec, Quote
    from atomic.ports import BrokerOrder, OrderRequest, Sink


class AdversarialBroker(Misdeeds):
    """`ports.Gateway` over a simulated account and market; what it does by itself is in `Misdeeds`."""

    # --- ports.Gateway: what is asked -----------------------------------------------------------------

    def attach(self, sink: Sink) -> None:
        """Report here from now on."""
        self.sink = sink

    def now(self) -> float:
        """Algorithm time."""
        return self.clock

    def quote(self, symbol: str) -> Quote:
        """Newest quote."""
        return self.market.quote(symbol)

    def leg(self, contract: str, ratio: int) -> LegSpec:
        """A leg of the simulated chain."""
        return replace(CHAIN[contract], ratio=ratio)

    def holding(self, symbol: str) -> int:
        """The account's net as far as events of it were delivered (LEAN live works so)."""
        return self.view.holdings.get(symbol, 0)

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Open orders; identity is lost for what this process did not send or adopt."""
        return self.view.open_orders(self.clock)

    def takes_combo(self, legs: int, limit: bool) -> bool:
        """By the setting of the run."""
        return self.combos == "all" or (self.combos == "limit" and limit)

    def wake_at(self, at: float | None) -> None:
        """One wake-up."""
        self.wake = at

    def log(self, text: str) -> None:
        """Kept for the report of a violation."""
        self.logged.append(text)

    # --- ports.Gateway: what is done -------------------------------------------------------------------

    def submit(self, request: OrderRequest) -> tuple[int, ...]:
        """One order: accepted, refused, filled or silent, as drawn."""
        self.calls += 1
        self._drain()
        self.point(f"before order {request.tag} is sent")
        order = self.account.place(request, self.clock)
        self.point(f"after order {request.tag} was sent")
        self._bind(order, request.group_id, request.number)
        if self.account.is_reserved(order):
            self.reject(order, RejectReason.RESERVED)
            return ()
        if (refusal := self.house.refusal(request)) is not None:
            self.reject(order, refusal)
            return ()
        if self._draw(self.faults.reject_now, 6) == 5:
            self.reject(order)
            return ()
        return self._first_answer([order])

    def submit_combo(
        self, requests: Sequence[OrderRequest], units: int, limit_net: float | None
    ) -> tuple[int, ...]:
        """One native combo: one fate at first."""
        self.calls += 1
        self._drain()
        self._combo += 1
        self.point(f"before combo {requests[0].tag} is sent")
        orders = [self.account.place(request, self.clock, self._combo) for request in requests]
        self.point(f"after combo {requests[0].tag} was sent")
        for order, request in zip(orders, requests, strict=True):
            self._bind(order, request.group_id, request.number)
        refusal = self.house.refusal(requests[0])
        if refusal is not None or self._draw(self.faults.reject_now, 3) == 2:
            reason = refusal or (RejectReason.CAPABILITY, RejectReason.MARGIN)[self._draw(True, 2)]
            for order in orders:
                self.reject(order, reason)
            return ()
        return self._first_answer(orders)

    def submit_linked(self, requests: Sequence[OrderRequest]) -> tuple[int, ...]:
        """Native contingent sets are off in these runs (`Env.takes_linked`): one order after the other."""
        return tuple([number for request in requests for number in self.submit(request)])

    def cancel(self, group_id: str, number: int) -> None:
        """Refused while NEW, accepted otherwise; the end comes later."""
        self.calls += 1
        order = self.view.tickets.get((group_id, number))
        if order is None:
            self._sinks(group_id, CancelRefused(self.clock, number, CLOSED_STATUS, "no such order"))
            return
        # CancelAsked goes first, as the bridge reports it: an end that overtakes the answer is never out of order
        self._tell_now(order, CancelAsked(self.clock, number, ""))
        if not order.fate.alive:
            self._read(order)
        elif order.fate is Fate.NEW:
            self._tell_now(order, CancelRefused(self.clock, number, NEW_STATUS, "order is new"))
        elif order.cancel_pending:
            return
        elif self._draw(self.faults.cancel_refused, 3) == 2:
            self._tell_now(order, CancelRefused(self.clock, number, FAILED, "brokerage failed to cancel"))
        else:
            self._canceling.add(order.id)
            for one in self.account.siblings(order):
                one.cancel_pending = True
            order.deaf = self._draw(self.faults.stuck_cancel, 4) == 3
            if order.deaf:
                self.account.witness.on_deaf(order)

    def replace(self, group_id: str, number: int, quantity: int, limit: float, stop: float) -> None:
        """An update in place: taken or refused, as drawn."""
        self.calls += 1
        order = self.view.tickets.get((group_id, number))
        if order is None:
            self._sinks(group_id, ReplaceRefused(self.clock, number, "no such order"))
            return
        self._tell_now(order, ReplaceAsked(self.clock, number, quantity, limit, stop))
        if order.fate is not Fate.WORKING or order.cancel_pending:
            self._tell_now(order, ReplaceRefused(self.clock, number, "order cannot be updated"))
        elif self._draw(self.faults.cancel_refused, 3) == 2:
            self._tell_now(order, ReplaceRefused(self.clock, number, "brokerage failed to update"))
        else:
            order.asked = self._updates[order.id] = (quantity, limit, stop)

    def poll(self, group_id: str, number: int) -> None:
        """The ticket as it truly stands, now."""
        order = self.view.tickets.get((group_id, number))
        if order is None:
            return
        self._read(order)
        if order.id in self._canceling and order.fate.alive and not order.cancel_pending:
            # a failed cancel restores the old status in silence; the ticket shows it
            self._canceling.discard(order.id)
            self._tell_now(order, CancelRefused(self.clock, number, 0, "the cancel fell back"))

    def _read(self, order: SimOrder) -> None:
        if order.id in self._updates and order.asked is None:
            self._tell_now(order, self._answer(order))
        if order.fate is not Fate.NEW:
            self._tell_now(order, self.view.identity(order, self.clock))
            self._tell_now(order, Accepted(self.clock, order.number))
        if self.view.has_filled(order):
            self._tell_now(order, self.view.filled(order, self.clock))
        end = self.view.end(order, self.clock)
        if end is not None:
            self._tell_now(order, end)

    def adopt(self, group_id: str, number: int, order: BrokerOrder) -> None:
        """A broker order that this process did not send is child order `number` from now on."""
        sim: SimOrder = order.handle
        if not sim.group_id:
            self.account.join(sim, group_id, number)
        elif not order.tag:
            self.account.exchange(sim, group_id, number)
        self.view.adopt(sim)
        self._bind(sim, group_id, number)

    def send_by_hand(self, symbol: str, quantity: int, type: ChildType, limit: float, stop: float) -> SimOrder:
        """The algorithm sends an order past the executor; taken at once, or (live) still on its way."""
        self._drain()
        order = self.account.place_by_hand(symbol, quantity, type, limit, stop, self.clock)
        self.view.sent_by_hand.add(order.id)
        if self.sync or self.account.forgets or self._draw(True, 3) != 2:
            self.accept(order)
        return order

    def time_step(self) -> None:
        """A new step of the algorithm: in synchronous mode queued cancels are worked off."""
        self._drain()

    # --- inside -------------------------------------------------------------------------------------------

    def _bind(self, order: SimOrder, group_id: str, number: int) -> None:
        self.view.bind(order, group_id, number)
        if not self.sync:  # the bridge keeps LEAN's ids in live mode only
            self._tell_now(order, self.view.identity(order, self.clock))

    def _first_answer(self, orders: list[SimOrder]) -> tuple[int, ...]:
        """What the broker says to a new order (or combo) inside the call; the numbers of those it only took."""
        answer = self._draw(True, 4) if not self.sync else 3
        if answer == 0 and not self.account.forgets:  # silent until the adversary acts; on paper nothing is under way
            return ()
        if self.sync and orders[0].type is not ChildType.MARKET:
            # LEAN: what rests fills at a later time only
            for order in orders:
                self.accept(order, told=False)
            return tuple([order.number for order in orders])
        for order in orders:
            self.accept(order)
        if answer == 1:
            return ()
        if all(self.market.marketable(order) for order in orders) and self._draw(self.faults.rests, 3) != 2:
            for order in orders:
                if order.fate.alive:
                    part = order.leaves
                    if self.faults.partial and not order.combo:
                        part = order.leaves - self._draw(True, order.leaves)
                    self.fill(order, part)
        return ()

    def _drain(self) -> None:
        """Synchronous mode: an accepted submit drains the cancels and updates that were queued before it."""
        if self.sync:
            for order in [o for o in self.account.live.values() if o.asked is not None]:
                self.end_update(order)
            for order in [o for o in self.account.live.values() if o.cancel_pending and not o.deaf]:
                if not order.fate.alive:
                    continue
                siblings = self.account.siblings(order)
                if all(map(self.market.marketable, siblings)) and self._draw(self.faults.fill_beats_cancel, 3) == 2:
                    for one in siblings:
                        self.fill(one, one.leaves)
                else:
                    self.end_cancel(order)
