"""From LEAN's order events and tickets to facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from AlgorithmImports import OrderField, OrderStatus, OrderType

from .. import facts as f
from ..ports import SIBLING, BrokerOrder, Severity
from ..rejects import classify_reject
from .contracts import seconds
from .siblings import Siblings
from .slots import Slot, SlotBook

if TYPE_CHECKING:
    from ..ports import Sink
    from .contracts import Contracts

NEW = 0
ACCEPTED = 1
FILLS = 2
CANCELED = 3
REJECTED = 4
CANCELING = 5
UPDATED = 6
FILLED = 7
#: LEAN's order status -> what it means here
KIND: dict[Any, int] = {
    OrderStatus.NEW: NEW,
    OrderStatus.SUBMITTED: ACCEPTED,
    OrderStatus.PARTIALLY_FILLED: FILLS,
    OrderStatus.FILLED: FILLED,
    OrderStatus.CANCELED: CANCELED,
    OrderStatus.INVALID: REJECTED,
    OrderStatus.CANCEL_PENDING: CANCELING,
    OrderStatus.UPDATE_SUBMITTED: UPDATED,
}
_FILLING = frozenset({FILLS, FILLED})
_ENDED = frozenset({FILLED, CANCELED, REJECTED})
_TYPES: dict[Any, str] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP_MARKET: "stop_market",
    OrderType.STOP_LIMIT: "stop_limit",
}
UNWIRED = (
    "order events do not reach the executor: add `self.atomic.on_order_event(order_event)` to the algorithm's "
    "`on_order_event(self, order_event)` (or derive from AtomicAlgorithm)"
)


def refusal(ticket: Any) -> tuple[str, str]:
    """Reason and text of a ticket that was refused."""
    response = ticket.submit_request.response
    code = int(response.error_code)
    text = str(response.error_message)
    return classify_reject(text, code), f"{text} ({code})" if code else text


class Reader:
    """Reads what LEAN says about our orders, and tells trades that are not ours from them.

    Args:
        algorithm: the QCAlgorithm.
        contracts: its securities.
        live: live trading.
    """

    def __init__(self, algorithm: Any, contracts: Contracts, live: bool) -> None:
        self._algorithm = algorithm
        self._contracts = contracts
        self._live = live
        self.book = SlotBook()
        self.siblings = Siblings(algorithm, self.book, contracts)
        self._by_id = self.book.by_id
        self.sink: Sink = NoSink()
        #: sends under way; within a synchronous one the time cannot move
        self.sending = 0
        self.now = 0.0
        self._unwired = False

    def at(self) -> float:
        """Time for a fact, seconds UTC."""
        if not self.sending or self._live:
            self.now = seconds(self._algorithm.utc_time)
        return self.now

    def report(self, slot: Slot, fact: Any) -> None:
        """A fact about an order of ours."""
        self.sink.on_fact(slot.group_id, fact)

    # --- events -----------------------------------------------------------------------------------------------

    def on_order_event(self, event: Any) -> None:
        """One LEAN order event."""
        lean_id = event.order_id
        slot = self._by_id.get(lean_id) or self._claim(event, lean_id)
        if slot is None:
            self._foreign(event)
            return
        slot.heard += 1
        kind = KIND.get(event.status)
        if kind in _FILLING:
            slot.fees += float(event.order_fee.value.amount)
            self._fill(slot)
            if kind == FILLED or KIND.get(slot.ticket.status) == FILLED:
                if slot.asked is not None or slot.adopted:
                    self._complete(slot)
                self.book.close(slot)
        elif kind == ACCEPTED:
            if self.sending and not self._live:
                slot.silent = True  # the send answers with it, unless more is said by then
            else:
                self.accepted(slot)
        elif kind == CANCELED:
            self._fill(slot)
            slot.silent = False
            message = str(event.message)
            ended = f.Expired if "expired" in message.lower() else f.Canceled
            self.report(slot, ended(self.at(), slot.number, message))
            self.book.close(slot)
        elif kind == REJECTED:
            self._fill(slot)
            slot.silent = False
            message = str(event.message)
            self.report(slot, f.Rejected(self.at(), slot.number, classify_reject(message), message))
            self.book.close(slot)
        elif kind == CANCELING:
            if slot.silent:
                self.accepted(slot)
            if not slot.canceling:
                slot.canceling = True
                self.report(slot, f.CancelAsked(self.at(), slot.number, "asked by somebody else"))
        elif kind == UPDATED:
            self._updated(slot)

    def on_delistings(self, delistings: Any) -> None:
        """The delistings of a slice: contracts that ended settle at their exercise value."""
        for item in delistings:
            if int(item.value.type) == 1:  # DelistingType.DELISTED
                text = self._contracts.text(item.key)
                self.sink.on_delisted(text, self._contracts.intrinsic(text), "expiry")

    def _claim(self, event: Any, lean_id: int) -> Slot | None:
        """The slot of an order's first event, by its tag."""
        ticket = event.ticket
        if ticket is None:
            return None
        slot = self.book.by_tag.get(ticket.tag)
        if isinstance(slot, dict):
            slot = next(iter(slot.values())) if len(slot) == 1 else slot.get(self._contracts.text(event.symbol))
        if slot is None:
            return None
        slot.ticket = ticket
        self.book.known_as(slot, lean_id)
        return slot

    def accepted(self, slot: Slot) -> None:
        """The broker has the order; its ids are kept in live mode, where they outlive the process."""
        at = self.at()
        slot.silent = False
        number = slot.number
        if self._live:
            self.report(slot, f.Identified(at, number, slot.lean_id, self.broker_ids(slot.lean_id)))
        self.sink.on_fact(slot.group_id, f.Accepted(at, number))

    def _fill(self, slot: Slot) -> None:
        ticket = slot.ticket
        filled = ticket.quantity_filled
        if filled:
            slot.silent = False
            price = float(ticket.average_fill_price)
            self.sink.on_fact(
                slot.group_id, f.Filled(self.at(), slot.number, abs(round(filled)), price, slot.fees)
            )

    def _updated(self, slot: Slot) -> None:
        asked, slot.asked = slot.asked, None
        if asked is not None:
            self.report(slot, f.Replaced(self.at(), slot.number, *asked))

    # --- tickets ----------------------------------------------------------------------------------------------

    def read(self, slot: Slot) -> None:
        """Facts from what the ticket shows; those that are known change nothing."""
        kind = KIND.get(slot.ticket.status)
        if kind is None or kind == NEW:
            return
        at = self.at()
        if kind in (ACCEPTED, UPDATED):
            self.report(slot, f.Accepted(at, slot.number))
        self._fill(slot)
        if slot.asked is not None:
            self._answer(slot)
        if KIND.get(slot.ticket.status) == FILLED:
            self._complete(slot)
        if kind == CANCELED:
            self.report(slot, f.Canceled(at, slot.number, "seen on its ticket"))
        elif kind == REJECTED:
            reason, why = refusal(slot.ticket)
            self.report(slot, f.Rejected(at, slot.number, reason, why or "seen on its ticket"))
        if self.is_ended(slot):
            self.book.close(slot)

    def _complete(self, slot: Slot) -> None:
        """LEAN takes no update of a complete order any more; an adopted one has ended whatever was booked before."""
        if slot.asked is not None:
            self._answer(slot)
            if slot.asked is not None:
                slot.asked = None
                self.report(slot, f.ReplaceRefused(self.at(), slot.number, "it filled before the update was taken"))
        if slot.adopted:
            self.report(slot, f.Canceled(self.at(), slot.number, "complete at the broker"))

    def _answer(self, slot: Slot) -> None:
        """What became of an update whose event did not come: the ticket shows its terms, or the request its error."""
        ticket, asked = slot.ticket, slot.asked
        requests = list(ticket.update_requests)
        if asked is None or not requests:
            return
        response = requests[-1].response
        if response.is_error:
            slot.asked = None
            self.report(slot, f.ReplaceRefused(self.at(), slot.number, str(response.error_message)))
            return
        quantity, limit, stop = asked
        shown = (
            round(ticket.quantity),
            float(ticket.get(OrderField.LIMIT_PRICE)) if limit else 0.0,
            float(ticket.get(OrderField.STOP_PRICE)) if stop else 0.0,
        )
        # asked prices stand on the tick already
        if shown[0] == quantity and abs(shown[1] - limit) < 0.004 and abs(shown[2] - stop) < 0.004:
            self._updated(slot)

    def is_ended(self, slot: Slot) -> bool:
        """True when its ticket can change no more."""
        return KIND.get(slot.ticket.status) in _ENDED

    def broker_ids(self, lean_id: int) -> tuple[str, ...]:
        """The brokerage's ids of an order; what survives a restart (facts: LEAN 0.6)."""
        order = self._algorithm.transactions.get_order_by_id(lean_id)
        return tuple(str(i) for i in order.broker_id) if order is not None else ()

    def broker_order(self, ticket: Any) -> BrokerOrder:
        """An open order as the algorithm sees it."""
        lean_id = int(ticket.order_id)
        request = ticket.submit_request
        slot = self._by_id.get(lean_id)
        return BrokerOrder(
            lean_id,
            self.broker_ids(lean_id) if self._live else (),
            self._contracts.text(ticket.symbol),
            round(ticket.quantity),
            abs(round(ticket.quantity_filled)),
            _TYPES.get(ticket.order_type, str(ticket.order_type).lower()),
            _terms(ticket, request.limit_price, OrderField.LIMIT_PRICE),
            _terms(ticket, request.stop_price, OrderField.STOP_PRICE),
            slot.own_tag if slot is not None else str(ticket.tag or ""),
            seconds(ticket.time),
            ticket,
        )

    # --- what nobody asked for --------------------------------------------------------------------------------

    def _foreign(self, event: Any) -> None:
        """A trade that no order of ours made."""
        quantity = round(event.fill_quantity)
        if not quantity:
            return
        contracts = self._contracts
        text = contracts.text(event.symbol)
        ticket = event.ticket
        tag = str(ticket.tag or "") if ticket is not None else ""
        price = float(event.fill_price)
        if ticket is not None and ticket.order_type == OrderType.OPTION_EXERCISE:
            # LEAN calls it an assignment in the money only (DefaultExerciseModel.cs); what takes a short back is one
            cause = "assignment" if event.is_assignment or quantity > 0 else "exercise"
            day = contracts.expiry_day(text)
            if not day:
                cause = "assignment" if event.is_assignment else "exercise"
            else:
                if self._has_ended(text, day):
                    # LEAN exercises what is left once, netted over groups: every group settles its own share
                    self.sink.on_delisted(text, contracts.intrinsic(text), cause)
                    return
                price = contracts.intrinsic(text)
        elif self.siblings.sent(int(event.order_id), tag):
            cause = SIBLING
        elif tag == "Margin Call":  # Messages.Securities.cs: MarginCallOrderTag
            cause = "margin_call"
        elif "split" in tag.lower():  # AlgorithmManager.cs:994
            cause = "split"
        else:
            cause = "foreign"
        self.sink.on_foreign(text, quantity, price, cause, f"order {event.order_id} {tag!r} {event.message}".strip())

    def _has_ended(self, text: str, day: str) -> bool:
        """True for the exercise at a contract's end (LEAN: midnight after its last day), not one before it."""
        today = self._contracts.today(text)
        return today > day or (today == day and not self._contracts.is_open(text))

    def not_wired(self) -> None:
        """An order moved and no event of it came: say so once, with the cure."""
        if not self._unwired:
            self._unwired = True
            self.sink.on_alarm(Severity.P1, "events-not-forwarded", UNWIRED)


def _terms(ticket: Any, asked: Any, field: Any) -> float:
    """A price as it is now, whatever its owner has changed since it was `asked` for; 0 for none."""
    if not asked:
        return 0.0
    # LEAN raises for the fields of other types (OrderTicket.cs: Get)
    return float(ticket.get(field)) if ticket.order_type in _TYPES else float(asked)


class NoSink:
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
