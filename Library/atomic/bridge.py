"""The gateway on LEAN: the only file of the core that touches a `QCAlgorithm`.

What LEAN does and what follows from it here (sources in the project's facts about LEAN; traces decide):

* Backtest submits are synchronous and re-entrant: events arrive before the call returns, so an order is known by its
  tag before it is sent and by its LEAN id from its first event on.
* A ticket that fails LEAN's own checks has id -10 and no event ever; the returned ticket is read.
* A cancel only asks. It answers -32 while the order is NEW (live), and overwrites the tag: the same tag is passed.
  CancelAsked is reported before the call, so that an end which overtakes the answer is never out of order.
* `ticket.quantity_filled` is the truth for fills; events only say when to read it. Fees come with events.
* Events of orders that are not ours in a symbol of ours are foreign trades: exercise, assignment, margin call,
  split, a manual order.
"""

from __future__ import annotations

import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from AlgorithmImports import Leg, OrderStatus, OrderType, UpdateOrderFields

from . import facts as f
from .brokerages import capabilities_of
from .contracts import Contracts, seconds
from .model import ChildType
from .ports import BrokerOrder, OrderRequest, Severity
from .rejects import classify_reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .brokerages import Capabilities
    from .model import LegSpec, Quote
    from .ports import Sink

_NEW = 0
_ACCEPTED = 1
_FILLS = 2
_CANCELED = 3
_REJECTED = 4
_CANCELING = 5
_UPDATED = 6
_KIND: dict[Any, int] = {
    OrderStatus.NEW: _NEW,
    OrderStatus.SUBMITTED: _ACCEPTED,
    OrderStatus.PARTIALLY_FILLED: _FILLS,
    OrderStatus.FILLED: _FILLS,
    OrderStatus.CANCELED: _CANCELED,
    OrderStatus.INVALID: _REJECTED,
    OrderStatus.CANCEL_PENDING: _CANCELING,
    OrderStatus.UPDATE_SUBMITTED: _UPDATED,
}
#: LEAN's answers to a cancel (OrderResponseErrorCode): closed already, asked already
_CLOSED_ALREADY = -9
_ASKED_ALREADY = -23
#: ended orders whose late events are still found without parsing their tag
_ENDED_KEPT = 2048
#: seconds without any event after which a ticket that moved means that events are not forwarded
_UNHEARD = 5.0
UNWIRED = (
    "order events do not reach the executor: add `self.atomic.on_order_event(order_event)` to the algorithm's "
    "`on_order_event(self, order_event)` (or derive from AtomicAlgorithm)"
)


class _Slot:
    """What the gateway keeps of one child order."""

    __slots__ = ("asked", "canceling", "fees", "group_id", "heard", "lean_id", "number", "sent_at", "symbol", "tag",
                 "ticket")  # fmt: skip

    def __init__(self, group_id: str, number: int, symbol: str, tag: str, sent_at: float) -> None:
        self.group_id = group_id
        self.number = number
        self.symbol = symbol
        self.tag = tag
        self.sent_at = sent_at
        self.ticket: Any = None
        self.lean_id = 0
        self.fees = 0.0
        #: events seen
        self.heard = 0
        #: a cancel of ours is pending
        self.canceling = False
        #: terms of an update of ours that is pending
        self.asked: tuple[int, float, float] | None = None


class LeanGateway:
    """`ports.Gateway` on a QCAlgorithm.

    Args:
        algorithm: the algorithm; read and traded through its public Python names only.
        tag_owner: finds (group id, child number) of a tag that this process did not send; None when it is not ours.
    """

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm
        self.live = bool(algorithm.live_mode)
        self.contracts = Contracts(algorithm)
        self._sink: Sink = _NoSink()
        self._slots: dict[tuple[str, int], _Slot] = {}
        self._by_id: dict[int, _Slot] = {}
        self._by_tag: dict[str, dict[str, _Slot]] = {}
        self._ended: dict[int, None] = {}
        self._sending = 0
        self._now = 0.0
        self._unwired = False
        self._wake: tuple[float, Any] | None = None
        self._spent: list[Any] = []
        self._asynchronous: dict[str, Any] = {"asynchronous": True} if self.live else {}

    # --- what the core asks -----------------------------------------------------------------------------------

    def attach(self, sink: Sink) -> None:
        """Report to this sink from now on."""
        self._sink = sink

    def now(self) -> float:
        """Algorithm time, seconds UTC."""
        self._now = seconds(self._algorithm.utc_time)
        return self._now

    def quote(self, symbol: str) -> Quote:
        """Newest quote; a missing side is 0, an unknown symbol is all zeros and closed."""
        return self.contracts.quote(symbol)

    def holding(self, symbol: str) -> int:
        """Signed net of the whole account in this symbol, as the algorithm sees it."""
        return self.contracts.holding(symbol)

    def log(self, text: str) -> None:
        """A line in the algorithm's log."""
        self._algorithm.log(text)

    def takes_combo(self, legs: int, limit: bool) -> bool:
        """True when the brokerage model takes a native combo of this many legs (market or net limit)."""
        return self.capabilities.takes_combo(legs, limit)

    @property
    def capabilities(self) -> Capabilities:
        """What the algorithm's brokerage model takes."""
        return capabilities_of(self._algorithm.brokerage_model)

    def submit(self, request: OrderRequest) -> None:
        """Send one order; never raises: what LEAN raises becomes a rejection."""
        slot = self._open_slot(request)
        self._sending += 1
        try:
            slot.ticket = self._send(request)
        except Exception as error:
            self._not_sent([slot], error)
            return
        finally:
            self._sending -= 1
        self._sent(slot)

    def submit_combo(self, requests: Sequence[OrderRequest], units: int, limit_net: float | None) -> None:
        """Send one native combo; its legs share the first request's tag (LEAN: one tag for the whole combo)."""
        tag = requests[0].tag
        slots = [self._open_slot(request, tag) for request in requests]
        self._sending += 1
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
            return
        finally:
            self._sending -= 1
        if len(tickets) != len(slots):  # one invalid ticket for the whole combo (facts: LEAN 2.1)
            reason, why = _refusal(tickets[0])
            for slot in slots:
                self._report(slot, f.Rejected(self._now, slot.number, reason, why))
                self._close_slot(slot)
            return
        for slot in slots:
            slot.ticket = self._ticket_of(slot, tickets)
        for slot in slots:
            self._sent(slot)

    def cancel(self, group_id: str, number: int) -> None:
        """Ask for a cancel; reports CancelAsked first, CancelRefused when LEAN said no."""
        slot = self._slots.get((group_id, number))
        if slot is None or slot.ticket is None:
            self._sink.on_fact(group_id, f.CancelRefused(self.now(), number, 0, "no ticket to cancel it with"))
            return
        self._report(slot, f.CancelAsked(self.now(), number, ""))
        slot.canceling = True
        try:
            response = slot.ticket.cancel(tag=slot.tag)
        except Exception as error:  # LEAN raises while warming up (SecurityTransactionManager.cs:190)
            self._cancel_failed(slot, -24, str(error))
            return
        if not response.is_error:
            return
        code = int(response.error_code)
        if code == _ASKED_ALREADY and _KIND.get(slot.ticket.status) == _CANCELING:
            return
        if code == _CLOSED_ALREADY:
            self._read(slot)
            if not self._is_ended(slot):
                self._cancel_failed(slot, code, str(response.error_message))
            return
        self._cancel_failed(slot, code, str(response.error_message))

    def replace(self, group_id: str, number: int, quantity: int, limit: float, stop: float) -> None:
        """Ask for an update in place; reports ReplaceAsked first, ReplaceRefused when LEAN said no."""
        slot = self._slots.get((group_id, number))
        at = self.now()
        if slot is None or slot.ticket is None:
            self._sink.on_fact(group_id, f.ReplaceRefused(at, number, "no ticket to update it with"))
            return
        fields = UpdateOrderFields()
        fields.quantity = quantity
        if limit:
            fields.limit_price = limit
        if stop:
            fields.stop_price = stop
        slot.asked = (quantity, limit, stop)
        self._report(slot, f.ReplaceAsked(at, number, quantity, limit, stop))
        try:
            response = slot.ticket.update(fields)
        except Exception as error:
            slot.asked = None
            self._report(slot, f.ReplaceRefused(at, number, str(error)))
            return
        if response.is_error:
            slot.asked = None
            self._report(slot, f.ReplaceRefused(at, number, str(response.error_message)))

    def poll(self, group_id: str, number: int) -> None:
        """Report what the ticket shows now; finds lost events and cancels that fell back in silence."""
        slot = self._slots.get((group_id, number))
        if slot is None or slot.ticket is None:
            return
        at = self.now()
        kind = _KIND.get(slot.ticket.status)
        if not slot.heard and kind != _NEW and at - slot.sent_at > _UNHEARD:
            self._not_wired()
        self._read(slot)
        if slot.canceling and kind in (_ACCEPTED, _FILLS, _UPDATED) and not self._is_ended(slot):
            # a failed cancel restores the old status without an event (CancelPendingOrders.cs:77-95)
            self._cancel_failed(slot, 0, "the cancel fell back")

    def open_orders(self) -> Sequence[BrokerOrder]:
        """All open orders of the account that the algorithm can see."""
        return [self._broker_order(ticket) for ticket in list(self._algorithm.transactions.get_open_order_tickets())]

    def adopt(self, group_id: str, number: int, order: BrokerOrder) -> None:
        """From now on this broker order is child order `number`."""
        slot = _Slot(group_id, number, order.symbol, order.tag, self.now())
        slot.ticket = order.handle
        slot.heard = 1
        slot.lean_id = order.lean_id
        self._slots[(group_id, number)] = self._by_id[order.lean_id] = slot
        self._report(slot, f.Identified(self._now, number, order.lean_id, order.broker_ids))
        self._read(slot)

    def wake_at(self, at: float | None) -> None:
        """One wake-up for the whole executor.

        A one-shot event costs 0.2 ms on LEAN, so a wake-up that is not needed any more is left to fire, and one that
        is due earlier than asked is kept: waking early is harmless.
        """
        if at is None:
            return
        if self._wake is not None and self._wake[0] <= at + 0.0005:
            return
        if self.live and self._wake is not None and self._wake[1] is None:
            self._wake = (at, None)
            return
        self._drop_wake()
        self._schedule(at)

    # --- what LEAN says ---------------------------------------------------------------------------------------

    def on_order_event(self, event: Any) -> None:
        """One LEAN order event."""
        lean_id = event.order_id
        slot = self._by_id.get(lean_id)
        if slot is None:
            slot = self._claim(event, lean_id)
            if slot is None:
                self._foreign(event)
                return
        slot.heard += 1
        kind = _KIND.get(event.status)
        if kind == _FILLS:
            if event.symbol != slot.ticket.symbol:
                self._foreign(event)
                return
            slot.fees += float(event.order_fee.value.amount)
            self._fill(slot)
            if slot.ticket.status == OrderStatus.FILLED:
                self._close_slot(slot)
        elif kind == _ACCEPTED:
            self._accepted(slot)
        elif kind == _CANCELED:
            self._fill(slot)
            message = str(event.message)
            ended = f.Expired if "expired" in message.lower() else f.Canceled
            self._report(slot, ended(self._at(), slot.number, message))
            self._close_slot(slot)
        elif kind == _REJECTED:
            self._fill(slot)
            message = str(event.message)
            self._report(slot, f.Rejected(self._at(), slot.number, classify_reject(message, -4), message))
            self._close_slot(slot)
        elif kind == _CANCELING:
            if not slot.canceling:
                slot.canceling = True
                self._report(slot, f.CancelAsked(self._at(), slot.number, "asked by somebody else"))
        elif kind == _UPDATED:
            self._updated(slot)

    def on_delistings(self, delistings: Any) -> None:
        """The delistings of a slice: contracts that ended settle at their exercise value."""
        for item in delistings:
            delisting = item.value
            if int(delisting.type) == 1:  # DelistingType.DELISTED
                text = self.contracts.text(item.key)
                self._sink.on_delisted(text, self.contracts.intrinsic(text), "expiry")

    # --- sending ----------------------------------------------------------------------------------------------

    def _send(self, request: OrderRequest) -> Any:
        symbol = self.contracts.symbol(request.symbol)
        algorithm, kind = self._algorithm, request.type
        quantity, tag, more = request.quantity, request.tag, self._asynchronous
        if kind is ChildType.MARKET:
            return algorithm.market_order(symbol=symbol, quantity=quantity, tag=tag, **more)
        if kind is ChildType.LIMIT:
            call, prices = algorithm.limit_order, {"limit_price": request.limit}
        elif kind is ChildType.STOP_MARKET:
            call, prices = algorithm.stop_market_order, {"stop_price": request.stop}
        else:
            call, prices = algorithm.stop_limit_order, {"stop_price": request.stop, "limit_price": request.limit}
        if not more or self._plain_limits:
            return call(symbol=symbol, quantity=quantity, tag=tag, **prices)
        try:
            return call(symbol=symbol, quantity=quantity, tag=tag, **prices, **more)
        except TypeError:  # LEAN before September 2025 has no `asynchronous` here; nothing was sent
            self._plain_limits = True
            return call(symbol=symbol, quantity=quantity, tag=tag, **prices)

    _plain_limits = False

    def _open_slot(self, request: OrderRequest, tag: str = "") -> _Slot:
        tag = tag or request.tag
        slot = _Slot(request.group_id, request.number, request.symbol, tag, self.now())
        self._slots[(request.group_id, request.number)] = slot
        self._by_tag.setdefault(tag, {})[request.symbol] = slot
        return slot

    def _not_sent(self, slots: list[_Slot], error: Exception) -> None:
        """LEAN raised: nothing left, unless an event says otherwise."""
        reason = classify_reject(str(error))
        self.log(f"atomic: {slots[0].tag}: LEAN raised {error!r}\n{traceback.format_exc()}")
        for slot in slots:
            if not slot.heard:
                self._report(slot, f.Rejected(self._at(), slot.number, reason, f"LEAN raised: {error}"))
                self._close_slot(slot)

    def _sent(self, slot: _Slot) -> None:
        """What the returned ticket says that no event said."""
        ticket = slot.ticket
        if slot.heard:
            return
        lean_id = ticket.order_id
        if lean_id < 0:
            reason, why = _refusal(ticket)
            self._report(slot, f.Rejected(self._now, slot.number, reason, why))
            self._close_slot(slot)
            return
        slot.lean_id = lean_id
        self._by_id[lean_id] = slot
        if self.live:
            return
        if _KIND.get(ticket.status) == _NEW:
            # a structure whose margin LEAN cannot compute stays NEW for ever (facts: LEAN 2.4)
            why = "LEAN left the order NEW: it neither took nor refused it"
            self._report(slot, f.Rejected(self._now, slot.number, classify_reject("unsupported"), why))
            return
        self._not_wired()
        self._read(slot)

    def _ticket_of(self, slot: _Slot, tickets: list[Any]) -> Any:
        for ticket in tickets:
            if self.contracts.text(ticket.symbol) == slot.symbol:
                return ticket
        return None

    # --- reading ----------------------------------------------------------------------------------------------

    def _at(self) -> float:
        """Time for a fact: within a synchronous send the time cannot have moved."""
        return self._now if self._sending and not self.live else self.now()

    def _report(self, slot: _Slot, fact: Any) -> None:
        self._sink.on_fact(slot.group_id, fact)

    def _claim(self, event: Any, lean_id: int) -> _Slot | None:
        """The slot of an order's first event, by its tag."""
        ticket = event.ticket
        if ticket is None:
            return None
        tagged = self._by_tag.get(ticket.tag)
        if tagged is None:
            return None
        slot = next(iter(tagged.values())) if len(tagged) == 1 else tagged.get(self.contracts.text(event.symbol))
        if slot is None:
            return None
        slot.ticket = ticket
        slot.lean_id = lean_id
        self._by_id[lean_id] = slot
        return slot

    def _accepted(self, slot: _Slot) -> None:
        at = self._at()
        if self.live:
            self._report(slot, f.Identified(at, slot.number, slot.lean_id, self._broker_ids(slot.lean_id)))
        else:
            self._report(slot, f.Identified(at, slot.number, slot.lean_id, ()))
        self._report(slot, f.Accepted(at, slot.number))

    def _fill(self, slot: _Slot) -> None:
        ticket = slot.ticket
        filled = ticket.quantity_filled
        if filled:
            self._report(
                slot, f.Filled(self._at(), slot.number, abs(round(filled)), float(ticket.average_fill_price), slot.fees)
            )

    def _updated(self, slot: _Slot) -> None:
        asked, slot.asked = slot.asked, None
        if asked is not None:
            self._report(slot, f.Replaced(self._at(), slot.number, *asked))

    def _read(self, slot: _Slot) -> None:
        """Facts from what the ticket shows; all of them are no-ops when they are known."""
        kind = _KIND.get(slot.ticket.status)
        if kind is None or kind == _NEW:
            return
        at = self._at()
        if kind in (_ACCEPTED, _UPDATED):
            self._report(slot, f.Accepted(at, slot.number))
        self._fill(slot)
        if kind == _UPDATED:
            self._updated(slot)
        elif kind == _CANCELED:
            self._report(slot, f.Canceled(at, slot.number, "seen on its ticket"))
        elif kind == _REJECTED:
            reason, why = _refusal(slot.ticket)
            self._report(slot, f.Rejected(at, slot.number, reason, why or "seen on its ticket"))
        if self._is_ended(slot):
            self._close_slot(slot)

    def _is_ended(self, slot: _Slot) -> bool:
        status = slot.ticket.status
        return status in (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.INVALID)

    def _cancel_failed(self, slot: _Slot, code: int, why: str) -> None:
        slot.canceling = False
        self._report(slot, f.CancelRefused(self._at(), slot.number, code, why))

    def _close_slot(self, slot: _Slot) -> None:
        """Keep an ended order findable for late events, within bounds."""
        self._slots.pop((slot.group_id, slot.number), None)
        tagged = self._by_tag.get(slot.tag)
        if tagged is not None and slot.lean_id:
            tagged.pop(slot.symbol, None)
            if not tagged:
                del self._by_tag[slot.tag]
        if slot.lean_id:
            self._ended[slot.lean_id] = None
            if len(self._ended) > _ENDED_KEPT:
                oldest = next(iter(self._ended))
                del self._ended[oldest]
                self._by_id.pop(oldest, None)

    def _broker_ids(self, lean_id: int) -> tuple[str, ...]:
        order = self._algorithm.transactions.get_order_by_id(lean_id)
        return tuple(str(i) for i in order.broker_id) if order is not None else ()

    def _broker_order(self, ticket: Any) -> BrokerOrder:
        lean_id = int(ticket.order_id)
        request = ticket.submit_request
        return BrokerOrder(
            lean_id,
            self._broker_ids(lean_id),
            self.contracts.text(ticket.symbol),
            round(ticket.quantity),
            abs(round(ticket.quantity_filled)),
            _TYPES.get(ticket.order_type, str(ticket.order_type)),
            float(request.limit_price or 0.0),
            float(request.stop_price or 0.0),
            str(ticket.tag),
            seconds(ticket.time),
            ticket,
        )

    # --- what nobody asked for --------------------------------------------------------------------------------

    def _foreign(self, event: Any) -> None:
        """A trade that no order of ours made."""
        quantity = round(event.fill_quantity)
        if not quantity:
            return
        text = self.contracts.text(event.symbol)
        ticket = event.ticket
        tag = str(ticket.tag) if ticket is not None else ""
        message = str(event.message)
        price = float(event.fill_price)
        if ticket is not None and ticket.order_type == OrderType.OPTION_EXERCISE:
            cause = "assignment" if event.is_assignment else "exercise"
            day = self.contracts.expiry_day(text)
            if day and self.contracts.today(text) >= day and _at_expiry(message, tag):
                # LEAN exercises what is left once, netted over groups: every group settles its own share
                self._sink.on_delisted(text, self.contracts.intrinsic(text), cause)
                return
            price = self.contracts.intrinsic(text) if day else price
        elif tag == "Margin Call":
            cause = "margin_call"
        elif "split" in tag.lower():
            cause = "split"
        else:
            cause = "foreign"
        why = f"order {event.order_id} {tag!r} {message}".strip()
        self._sink.on_foreign(text, quantity, price, cause, why)

    def _not_wired(self) -> None:
        if not self._unwired:
            self._unwired = True
            self._sink.on_alarm(Severity.P1, "events-not-forwarded", UNWIRED)

    # --- clock ------------------------------------------------------------------------------------------------

    def _schedule(self, at: float) -> None:
        algorithm = self._algorithm
        if self.live:
            # live timers tick once a second whatever was asked (LiveTradingRealTimeHandler.cs:93-116): one for all
            algorithm.schedule.on(
                "atomic", algorithm.date_rules.every_day(), algorithm.time_rules.every(timedelta(seconds=1)), self._tick
            )
            self._wake = (at, None)
            return
        local = algorithm.time
        due = local + timedelta(seconds=max(0.001, at - self.now()))
        since_midnight = timedelta(
            hours=due.hour, minutes=due.minute, seconds=due.second, microseconds=due.microsecond
        )
        event = algorithm.schedule.on(
            f"atomic {due:%Y%m%d %H%M%S.%f}",
            algorithm.date_rules.on(due.year, due.month, due.day),
            algorithm.time_rules.at(since_midnight),
            self._fired,
        )
        self._wake = (at, event)

    def _drop_wake(self) -> None:
        if self._wake is not None and self._wake[1] is not None:
            self._algorithm.schedule.remove(self._wake[1])
        self._wake = None

    def _fired(self) -> None:
        """A one-shot came; LEAN keeps fired events, so it is removed."""
        self._drop_wake()
        self._sink.on_wake()

    def _tick(self) -> None:
        """The live timer; nothing happens before the wake-up is due."""
        if self._wake is not None and self._wake[0] != _NEVER and self.now() >= self._wake[0]:
            self._wake = (_NEVER, None)
            self._sink.on_wake()

    # --- for the executor -------------------------------------------------------------------------------------

    def leg(self, contract: Any, ratio: int) -> LegSpec:
        """A leg from a Symbol or contract; see `Contracts.leg`."""
        return self.contracts.leg(contract, ratio)

    def subscribe(self, leg: LegSpec) -> None:
        """Make sure the algorithm has data of this leg."""
        self.contracts.subscribe(leg)


_NEVER = float("inf")
_TYPES: dict[Any, str] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP_MARKET: "stop_market",
    OrderType.STOP_LIMIT: "stop_limit",
}


class _NoSink:
    """Before a sink is attached nothing is listened to."""

    def on_fact(self, group_id: str, fact: Any) -> None:
        """Nobody listens yet."""

    def on_foreign(self, symbol: str, delta: int, price: float, cause: str, why: str) -> None:
        """Nobody listens yet."""

    def on_delisted(self, symbol: str, settlement: float, cause: str) -> None:
        """Nobody listens yet."""

    def on_wake(self) -> None:
        """Nobody listens yet."""

    def on_alarm(self, severity: Severity, code: str, text: str) -> None:
        """Nobody listens yet."""


def _refusal(ticket: Any) -> tuple[str, str]:
    """Reason and text of a ticket that was refused."""
    response = ticket.submit_request.response
    code = int(response.error_code)
    text = str(response.error_message)
    return classify_reject(text, code), f"{text} ({code})" if code else text


def _at_expiry(message: str, tag: str) -> bool:
    """True for the exercise that LEAN does when a contract ends, not one before its end."""
    return "before expiration" not in tag.lower()
