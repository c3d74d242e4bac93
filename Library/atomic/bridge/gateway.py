"""`LeanGateway`: what the core asks of the market, on a QCAlgorithm.

What LEAN does and what follows from it here (sources in the project's facts about LEAN; traces decide):

* Backtest submits are synchronous and re-entrant: events arrive before the call returns, so an order is known by its
  tag before it is sent and by its LEAN id from its first event on.
* A ticket that fails LEAN's own checks has id -10 and no event ever; the returned ticket is read.
* A cancel only asks. It answers -32 while the order is NEW (live), and overwrites the tag: the same tag is passed.
  CancelAsked is reported before the call, so that an end which overtakes the answer is never out of order.
* `ticket.quantity_filled` is the truth for fills; events only say when to read it. Fees come with events.
* Events of orders that are not ours are foreign trades: exercise, assignment, margin call, split, a manual order.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from AlgorithmImports import Leg, TimeInForce, UpdateOrderFields

from .. import facts as f
from ..brokerages import capabilities_of
from ..ports import Severity
from ..rejects import classify_reject
from ..vocabulary import ChildType
from .alarm_clock import AlarmClock
from .contracts import Contracts, seconds
from .linked import has_linked_orders, send_linked
from .reader import ACCEPTED, CANCELING, FILLS, KIND, NEW, UPDATED, Reader, refusal
from .siblings import SHARED
from .slots import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..brokerages import Capabilities
    from ..model import LegSpec, Quote
    from ..ports import BrokerOrder, OrderRequest, Sink

# asked for with every order; see `facts.settle`
_MARKET, _LIMIT, _STOP = ChildType.MARKET, ChildType.LIMIT, ChildType.STOP_MARKET
#: LEAN's answers to a cancel (OrderResponseErrorCode): closed already, asked already, warming up
_CLOSED_ALREADY, _ASKED_ALREADY, _WARMING_UP = -9, -23, -24
#: seconds without any event after which a ticket that moved means that events are not forwarded
_UNHEARD = 5.0


class LeanGateway:
    """`ports.Gateway` on a QCAlgorithm.

    Args:
        algorithm: the algorithm; read and traded through its public Python names only.
    """

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm
        self.live = bool(algorithm.live_mode)
        self.contracts = Contracts(algorithm)
        self._reader = Reader(algorithm, self.contracts, self.live)
        self._book = self._reader.book
        self._clock = AlarmClock(algorithm, self.live, self.now, lambda: self._reader.sink.on_wake())
        self._asynchronous: dict[str, Any] = {"asynchronous": True} if self.live else {}
        self._plain_limits = False
        self._day_sells: bool | None = None
        self.on_order_event = self._reader.on_order_event
        self.on_delistings = self._reader.on_delistings

    def attach(self, sink: Sink) -> None:
        """Report to this sink from now on."""
        self._reader.sink = sink

    # --- what is known ----------------------------------------------------------------------------------------

    def now(self) -> float:
        """Algorithm time, seconds UTC."""
        now = self._reader.now = seconds(self._algorithm.utc_time)
        return now

    def quote(self, symbol: str) -> Quote:
        """Newest quote; a missing side is 0, an unknown symbol is all zeros and closed."""
        return self.contracts.quote(symbol, self._reader.now)

    @property
    def long_bars(self) -> Mapping[str, float]:
        """Backtest: seconds of a bar, of the legs whose bars are longer than a minute; grows as they are met."""
        return self.contracts.long_bars

    @property
    def stale_after(self) -> float:
        """Seconds after which a quote is no price any more."""
        return self.contracts.stale_after

    def sizes(self, symbol: str) -> tuple[float, float]:
        """Contracts at the bid and at the ask; 0 where unknown."""
        return self.contracts.sizes(symbol)

    def holding(self, symbol: str) -> int:
        """Signed net of the whole account in this symbol, as the algorithm sees it."""
        return self.contracts.holding(symbol)

    def average_price(self, symbol: str) -> float:
        """Average price of what the whole account holds in this symbol, dollars per share; 0 for nothing."""
        return self.contracts.average_price(symbol)

    def log(self, text: str) -> None:
        """A line in the algorithm's log."""
        self._algorithm.log(text)

    @property
    def capabilities(self) -> Capabilities:
        """What the algorithm's brokerage model takes."""
        return capabilities_of(self._algorithm.brokerage_model)

    def takes_combo(self, legs: int, limit: bool) -> bool:
        """True when the brokerage model takes a native combo of this many legs (market or net limit)."""
        return self.capabilities.takes_combo(legs, limit)

    def open_orders(self) -> Sequence[BrokerOrder]:
        """All open orders of the account that the algorithm can see, but for those of its other executors."""
        reader = self._reader
        tickets = list(self._algorithm.transactions.get_open_order_tickets())
        shown = [reader.broker_order(ticket) for ticket in tickets]
        return [order for order in shown if not reader.siblings.sent(order.lean_id, order.tag)]

    def leg(self, contract: Any, ratio: int) -> LegSpec:
        """A leg from a Symbol or contract; see `Contracts.leg`."""
        return self.contracts.leg(contract, ratio)

    def subscribe(self, leg: LegSpec) -> None:
        """Make sure the algorithm has data of this leg; raises what LEAN raises."""
        if self.contracts.subscribe(leg) and self._reader.siblings.trade(leg.symbol):
            self._reader.sink.on_alarm(Severity.P2, "shared-contract", SHARED.format(name=leg.name or leg.symbol))

    def wake_at(self, at: float | None) -> None:
        """One wake-up for the whole executor; None asks for nothing."""
        if at is not None:
            self._clock.set(at)

    # --- orders -----------------------------------------------------------------------------------------------

    def submit(self, request: OrderRequest) -> tuple[int, ...]:
        """Send one order; never raises: what LEAN raises becomes a rejection."""
        group_id, number, text, quantity, kind, limit, stop, tag = request
        reader = self._reader
        slot = Slot(group_id, number, text, tag, reader.now)
        self._book.open(slot)
        reader.sending += 1
        try:
            slot.ticket = self._send(text, quantity, kind, limit, stop, tag)
        except Exception as error:
            self._not_sent([slot], error)
            return ()
        finally:
            reader.sending -= 1
        if slot.silent:
            slot.silent = False
            return (number,)
        self._sent(slot)
        return ()

    @property
    def takes_linked(self) -> bool:
        """True when this LEAN has contingent orders of its own that resize their siblings."""
        return has_linked_orders(self._algorithm)

    def submit_linked(self, requests: Sequence[OrderRequest]) -> tuple[int, ...]:
        """Send the exits of a pair as one native set; what LEAN refuses becomes a rejection of each."""
        slots = [self._open_slot(request, request.tag) for request in requests]
        reader = self._reader
        reader.sending += 1
        try:
            tickets = send_linked(self._algorithm, requests, self.contracts.symbol, self.live)
        except Exception as error:
            self._not_sent(slots, error)
            return ()
        finally:
            reader.sending -= 1
        if len(tickets) != len(slots):
            self._not_sent(slots, ValueError(str(refusal(tickets[0])[1]) if tickets else "no tickets"))
            return ()
        for slot, ticket in zip(slots, tickets, strict=True):
            slot.ticket = ticket
        return self._all_sent(slots)

    def submit_combo(
        self, requests: Sequence[OrderRequest], units: int, limit_net: float | None
    ) -> tuple[int, ...]:
        """Send one native combo; its legs share the first request's tag (LEAN: one tag for the whole combo)."""
        tag = requests[0].tag
        slots = [self._open_slot(request, tag) for request in requests]
        reader = self._reader
        reader.sending += 1
        try:
            legs = [Leg.create(self.contracts.symbol(r.symbol), round(r.quantity / units)) for r in requests]
            common: dict[str, Any] = {"legs": legs, "quantity": units, "tag": tag, **self._asynchronous}
            if limit_net is None:
                tickets = list(self._algorithm.combo_market_order(**common))
            else:
                # LEAN takes 0 for "no limit price" (QCAlgorithm.Trading.cs:918): a cent in the owner's favour
                limit = limit_net if limit_net else -0.01
                tickets = list(self._algorithm.combo_limit_order(limit_price=limit, **common))
        except Exception as error:
            self._not_sent(slots, error)
            return ()
        finally:
            reader.sending -= 1
        if len(tickets) != len(slots):  # one invalid ticket for the whole combo (facts: LEAN 2.1)
            reason, why = refusal(tickets[0])
            for slot in slots:
                reader.report(slot, f.Rejected(reader.at(), slot.number, reason, why))
                self._book.close(slot)
            return ()
        by_symbol = {self.contracts.text(ticket.symbol): ticket for ticket in tickets}
        for slot in slots:
            slot.ticket = by_symbol.get(slot.symbol)
        return self._all_sent(slots)

    def cancel(self, group_id: str, number: int) -> None:
        """Ask for a cancel; reports CancelAsked first, CancelRefused when LEAN said no."""
        reader = self._reader
        slot = self._book.get(group_id, number)
        if slot is None or slot.ticket is None:
            reader.sink.on_fact(group_id, f.CancelRefused(reader.at(), number, 0, "no ticket to cancel it with"))
            return
        reader.report(slot, f.CancelAsked(reader.at(), number, ""))
        slot.canceling = True
        try:
            response = slot.ticket.cancel(tag=slot.tag)
        except Exception as error:  # LEAN raises while warming up (SecurityTransactionManager.cs:190)
            self._cancel_failed(slot, _WARMING_UP, str(error))
            return
        if not response.is_error:
            return
        code = int(response.error_code)
        if code == _ASKED_ALREADY and KIND.get(slot.ticket.status) == CANCELING:
            return
        if code == _CLOSED_ALREADY:
            reader.read(slot)
            if reader.is_ended(slot):
                return
        self._cancel_failed(slot, code, str(response.error_message))

    def replace(self, group_id: str, number: int, quantity: int, limit: float, stop: float) -> None:
        """Ask for an update in place; reports ReplaceAsked first, ReplaceRefused when LEAN said no."""
        reader = self._reader
        slot = self._book.get(group_id, number)
        at = reader.at()
        if slot is None or slot.ticket is None:
            reader.sink.on_fact(group_id, f.ReplaceRefused(at, number, "no ticket to update it with"))
            return
        fields = UpdateOrderFields()
        if quantity != round(slot.ticket.quantity):
            fields.quantity = quantity
        if limit:
            fields.limit_price = limit
        if stop:
            fields.stop_price = stop
        slot.asked = (quantity, limit, stop)
        reader.report(slot, f.ReplaceAsked(at, number, quantity, limit, stop))
        try:
            response = slot.ticket.update(fields)
            problem = str(response.error_message) if response.is_error else ""
        except Exception as error:
            problem = str(error) or repr(error)
        if problem:
            slot.asked = None
            reader.report(slot, f.ReplaceRefused(at, number, problem))

    def poll(self, group_id: str, number: int) -> None:
        """Report what the ticket shows now; finds lost events and cancels that fell back in silence."""
        slot = self._book.get(group_id, number)
        if slot is None or slot.ticket is None:
            return
        reader = self._reader
        kind = KIND.get(slot.ticket.status)
        if not slot.heard and kind != NEW and reader.at() - slot.sent_at > _UNHEARD:
            reader.not_wired()
        reader.read(slot)
        if slot.canceling and kind in (ACCEPTED, FILLS, UPDATED) and not reader.is_ended(slot):
            # a failed cancel restores the old status without an event (CancelPendingOrders.cs:77-95)
            self._cancel_failed(slot, 0, "the cancel fell back")

    def adopt(self, group_id: str, number: int, order: BrokerOrder) -> None:
        """From now on this broker order is child order `number`."""
        reader = self._reader
        slot = Slot(group_id, number, order.symbol, order.tag, reader.at())
        slot.ticket = order.handle
        slot.heard = 1
        slot.adopted = True
        slot.lean_id = order.lean_id
        self._book.adopt(slot)
        reader.report(slot, f.Identified(reader.at(), number, order.lean_id, order.broker_ids))
        reader.read(slot)

    # --- inside -----------------------------------------------------------------------------------------------

    def _send(self, text: str, quantity: int, kind: ChildType, limit: float, stop: float, tag: str) -> Any:
        symbol = self.contracts.symbol(text)
        algorithm, more = self._algorithm, self._asynchronous
        if quantity < 0 and self._sells_by_day():
            properties = algorithm.default_order_properties.clone()  # whatever else its owner set stays
            properties.time_in_force = TimeInForce.DAY
            more = {**more, "order_properties": properties}
        if kind is _MARKET:
            return algorithm.market_order(symbol=symbol, quantity=quantity, tag=tag, **more)
        if self._plain_limits:
            more = {name: value for name, value in more.items() if name != "asynchronous"}
        try:
            if kind is _LIMIT:
                return algorithm.limit_order(symbol=symbol, quantity=quantity, limit_price=limit, tag=tag, **more)
            if kind is _STOP:
                return algorithm.stop_market_order(symbol=symbol, quantity=quantity, stop_price=stop, tag=tag, **more)
            return algorithm.stop_limit_order(
                symbol=symbol, quantity=quantity, stop_price=stop, limit_price=limit, tag=tag, **more
            )
        except TypeError:
            if "asynchronous" not in more:
                raise
            # LEAN before September 2025 has no `asynchronous` here; nothing was sent
            self._plain_limits = True
            return self._send(text, quantity, kind, limit, stop, tag)

    def _sells_by_day(self) -> bool:
        """True where the brokerage takes sales as day orders only (Tradier, Webull: facts LEAN 2.5)."""
        if self._day_sells is None:
            self._day_sells = self.capabilities.day_sells
        return self._day_sells

    def _open_slot(self, request: OrderRequest, tag: str) -> Slot:
        group_id, number, symbol, _, _, _, _, own_tag = request
        slot = Slot(group_id, number, symbol, tag, self._reader.now, own_tag)
        self._book.open(slot)
        return slot

    def _not_sent(self, slots: list[Slot], error: Exception) -> None:
        """LEAN raised: nothing left, unless an event said otherwise."""
        reason = classify_reject(str(error))
        self.log(f"atomic: {slots[0].tag}: LEAN raised {error!r}\n{traceback.format_exc()}")
        for slot in slots:
            if not slot.heard:
                why = f"LEAN raised: {error}"
                self._reader.report(slot, f.Rejected(self._reader.at(), slot.number, reason, why))
                self._book.close(slot)

    def _all_sent(self, slots: list[Slot]) -> tuple[int, ...]:
        """The same for several orders that left as one: those that were taken, and nothing else was said of them."""
        taken = tuple([slot.number for slot in slots if slot.silent])
        for slot in slots:
            slot.silent = False
            self._sent(slot)
        return taken

    def _sent(self, slot: Slot) -> None:
        """What the returned ticket says that no event said."""
        if slot.heard:
            return
        reader, ticket = self._reader, slot.ticket
        lean_id = ticket.order_id
        if lean_id < 0:
            reason, why = refusal(ticket)
            reader.report(slot, f.Rejected(reader.at(), slot.number, reason, why))
            self._book.close(slot)
            return
        self._book.known_as(slot, lean_id)
        if self.live:
            return
        if KIND.get(ticket.status) == NEW:
            # a structure whose margin LEAN cannot compute stays NEW for ever (facts: LEAN 2.4)
            why = "LEAN left the order NEW: it neither took nor refused it"
            reader.report(slot, f.Rejected(reader.at(), slot.number, classify_reject("unsupported"), why))
            return
        reader.not_wired()
        reader.read(slot)

    def _cancel_failed(self, slot: Slot, code: int, why: str) -> None:
        slot.canceling = False
        self._reader.report(slot, f.CancelRefused(self._reader.at(), slot.number, code, why))
