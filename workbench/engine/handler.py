"""Order handling in a backtest: synchronous, re-entrant submits; queued updates and cancels.

The rules are those of Engine/TransactionHandlers/BrokerageTransactionHandler.cs (BTH) and
BacktestingTransactionHandler.cs: every request that is taken from the queue is followed by a scan of the brokerage,
and events reach the algorithm before the call that caused them returns.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from workbench.engine.enums import OrderRequestStatus, OrderResponseErrorCode, OrderType
from workbench.engine.order_records import HandlerHost, OpenOrder, OrderRecords
from workbench.engine.order_types import create_order
from workbench.engine.orders import (
    CANCEL_PENDING,
    INVALID,
    NEW,
    NO_STATUS,
    SUBMITTED,
    Order,
    OrderEvent,
    OrderSubmissionData,
    is_closed,
)
from workbench.engine.requests import (
    CancelOrderRequest,
    OrderRequest,
    OrderResponse,
    SubmitOrderRequest,
    UpdateOrderRequest,
)
from workbench.engine.rounding import amount_text, round_order_prices
from workbench.engine.tickets import OrderTicket

if TYPE_CHECKING:
    from workbench.engine.brokerage import Brokerage
    from workbench.engine.securities import Security

_CODE: Final = OrderResponseErrorCode
_PROCESSING: Final = OrderRequestStatus.PROCESSING
_PROCESSED: Final = OrderRequestStatus.PROCESSED


class BrokerageTransactionHandler(OrderRecords):
    """Takes requests, keeps orders and tickets, applies events."""

    def __init__(self, host: HandlerHost, brokerage: Brokerage) -> None:
        super().__init__(host)
        self.brokerage = brokerage
        self._queue: deque[tuple[OrderRequest, Order]] = deque()
        self.affordable: tuple[int, int, int] | None = None
        self._warned_rounding = False
        self._warned_lot = False

    # -- requests -------------------------------------------------------------------------------------------------

    def process(self, request: OrderRequest) -> OrderTicket:
        """Take a request (BTH.Process)."""
        if isinstance(request, SubmitOrderRequest):
            return self._add(request)
        if isinstance(request, UpdateOrderRequest):
            return self._update(request)
        assert isinstance(request, CancelOrderRequest)  # there are three kinds of requests
        return self._cancel(request)

    def drain(self) -> None:
        """Process waiting requests, oldest first; each is followed by a scan (BTH:269-273)."""
        queue = self._queue
        while queue:
            request, _ = queue.popleft()
            if isinstance(request, SubmitOrderRequest):
                response = self._handle_submit(request)
            elif isinstance(request, UpdateOrderRequest):
                response = self._handle_update(request)
            else:
                response = self._handle_cancel(request)
            request.set_response(response, _PROCESSED)
            self.brokerage.scan()

    def process_synchronous_events(self) -> None:
        """What a time step does twice: waiting requests, then a scan (BacktestingTransactionHandler.cs:70)."""
        if self._queue:
            self.drain()
        self.brokerage.scan()

    def _add(self, request: SubmitOrderRequest) -> OrderTicket:
        """A new order: number, ticket, queue, and processing before the call returns (BTH.AddOrder)."""
        host = self._host
        request.set_response(OrderResponse.success(request))
        ticket = OrderTicket(host.transactions, request)
        security = host.securities[request.symbol]
        order = create_order(request)
        self.orders_count += 1
        self._tickets[order.id] = ticket
        order.order_submission_data = OrderSubmissionData(security.bid_price, security.ask_price, security.close)
        self._open[order.id] = OpenOrder(order, ticket, security)
        self._queue.append((request, order))
        self.drain()
        return ticket

    def add_open_order(self, order: Order) -> OrderTicket:
        """Register an order the engine made itself, e.g. an exercise at expiry (BTH.AddOpenOrder)."""
        host = self._host
        order.id = host.transactions.get_increment_order_id()
        if order.status in (NEW, NO_STATUS):
            order.status = SUBMITTED
        request = SubmitOrderRequest(order.type, order.symbol.security_type, order.symbol, order.quantity, order.time,
                                     order.tag, order.properties, limit_price=order.limit_price,
                                     stop_price=order.stop_price)
        request.order_id = order.id
        request.set_response(OrderResponse.success(request), _PROCESSED)
        ticket = OrderTicket(host.transactions, request)
        ticket.set_order(order)
        self.orders_count += 1
        self._orders[order.id] = order
        self._tickets[order.id] = ticket
        self._open[order.id] = OpenOrder(order, ticket, host.securities[order.symbol])
        return ticket

    def _unknown(self, request: OrderRequest) -> OrderTicket:
        """The ticket of a request about an order that does not exist (OrderTicket.InvalidCancelOrderId)."""
        from workbench.engine.enums import SecurityType
        from workbench.engine.symbols import Symbol
        submit = SubmitOrderRequest(OrderType.MARKET, SecurityType.BASE, Symbol.EMPTY, 0.0, request.time,
                                    request.tag or "")
        submit.set_response(OrderResponse.unable_to_find_order(request))
        submit.order_id = request.order_id
        ticket = OrderTicket(self._host.transactions, submit, INVALID)
        request.set_response(OrderResponse.unable_to_find_order(request))
        return ticket

    def _update(self, request: UpdateOrderRequest) -> OrderTicket:
        """Check a change and queue it (BTH.UpdateOrder)."""
        entry = self._find(request.order_id)
        if entry is None:
            ticket = self._unknown(request)
            ticket.add_update_request(request)
            return ticket
        order, ticket = entry.order, entry.ticket
        ticket.add_update_request(request)
        if order.status is NEW:
            request.set_response(OrderResponse.invalid_new_status(request, order))
        elif is_closed(order.status) and not request.allowed_for_closed_order:
            request.set_response(OrderResponse.invalid_status(request, order))
        elif request.quantity is not None and request.quantity == 0:
            request.set_response(OrderResponse.zero_quantity(request))
        elif self._host.is_warming_up:
            request.set_response(OrderResponse.warming_up(request))
        else:
            request.set_response(OrderResponse.success(request), _PROCESSING)
            self._queue.append((request, order))
        return ticket

    def _cancel(self, request: CancelOrderRequest) -> OrderTicket:
        """Mark CANCEL_PENDING, tell the algorithm, then queue (BTH.CancelOrder): what the algorithm sends from inside
        that event overtakes the cancel."""
        entry = self._find(request.order_id)
        if entry is None:
            ticket = self._unknown(request)
            ticket.try_set_cancel_request(request)
            return ticket
        order, ticket = entry.order, entry.ticket
        if not ticket.try_set_cancel_request(request):
            request.set_response(OrderResponse.error(request, _CODE.INVALID_REQUEST,
                                                     "Cancellation is already in progress."))
            return ticket
        if request.tag is not None:
            order.tag = request.tag
        if order.status is NEW:
            request.set_response(OrderResponse.invalid_new_status(request, order))
        elif is_closed(order.status):
            request.set_response(OrderResponse.invalid_status(request, order))
        elif self._host.is_warming_up:
            request.set_response(OrderResponse.warming_up(request))
        else:
            self._before_cancel[order.id] = order.status
            order.status = CANCEL_PENDING
            self.handle_event(OrderEvent(order, self._clock.utc))
            request.set_response(OrderResponse.success(request), _PROCESSING)
            self._queue.append((request, order))
        return ticket

    # -- processing -----------------------------------------------------------------------------------------------

    def group_of(self, order: Order, known: dict[int, Order]) -> list[Order] | None:
        """All orders of the order's combo, by id; None while one is missing."""
        manager = order.group_order_manager
        if manager is None:
            return [order]
        orders = [known[i] for i in manager.order_ids if i in known]
        if len(orders) != len(manager.order_ids) or len(orders) != manager.count:
            return None
        orders.sort(key=_by_id)
        return orders

    def _handle_submit(self, request: SubmitOrderRequest) -> OrderResponse:
        """Round, wait for the whole combo, check margin and brokerage model, place (BTH.HandleSubmitOrderRequest)."""
        host = self._host
        entry = self._open.get(request.order_id)
        if entry is None or entry.order.id in self._orders:
            return OrderResponse.error(request, _CODE.ORDER_ALREADY_EXISTS, "Cannot process submit request because "
                                       f"order with id {request.order_id} already exists")
        order, security = entry.order, entry.security
        self._orders[order.id] = order
        if not order.tag:
            order.tag = order.default_tag()
        self._round_lot(order, security)
        orders = [order] if order.group_order_manager is None else self.group_of(order, self._orders)
        securities: list[Security | None] | None
        if order.group_order_manager is None:
            securities = [security]
        else:
            securities = None if orders is None else [host.securities.find(o.symbol) for o in orders]
        changed = round_order_prices(order, security, securities)
        if changed is not None:
            self._warn_rounding(*changed)
        entry.ticket.set_order(order)
        if orders is None or securities is None:
            return OrderResponse.success(request)
        if any(o.quantity == 0 for o in orders):
            return self._refuse(orders, OrderResponse.zero_quantity(request))
        if None in securities:
            return self._refuse(orders, OrderResponse.missing_security(request))
        refused = self._check_buying_power(orders, request)
        if refused is not None:
            return refused
        if security.own_margin:
            # The scan that follows asks the same question; the answer holds while account and clock stand still.
            self.affordable = (orders[0].id, host.portfolio.version, self._clock.version)
        for one, its_security in zip(orders, securities, strict=True):
            allowed, message = host.brokerage_model.can_submit_order(its_security, one, None)
            if not allowed:
                ids = ",".join(str(o.id) for o in orders)
                text = "Warning - Code: InvalidOrder - " if message is None else str(message)
                return self._refuse(orders, OrderResponse.error(
                    request, _CODE.BROKERAGE_MODEL_REFUSED_TO_SUBMIT_ORDER,
                    f"BrokerageModel declared unable to submit order: [{ids}] {text}"))
        for one in orders:
            if not self.brokerage.place_order(one):
                ids = ",".join(str(o.id) for o in orders)
                return self._refuse(orders, OrderResponse.error(
                    request, _CODE.BROKERAGE_FAILED_TO_SUBMIT_ORDER, f"Brokerage failed to place orders: [{ids}]"))
        return OrderResponse.success(request)

    def _refuse(self, orders: list[Order], response: OrderResponse) -> OrderResponse:
        """Make every order of the group INVALID, one event each (BTH.InvalidateOrders)."""
        self._host.error(response.error_message)
        for order in orders:
            if not is_closed(order.status):
                order.status = INVALID
            self.handle_event(OrderEvent(order, self._clock.utc, message=response.error_message))
        return response

    def _check_buying_power(self, orders: list[Order], request: OrderRequest) -> OrderResponse | None:
        host = self._host
        try:
            enough, reason = host.portfolio.has_sufficient_buying_power_for_orders(orders)
        except Exception as error:
            order = orders[-1]
            host.error(f"Order Error: id: {order.id}, Error executing margin models: {error}")
            self.handle_event(OrderEvent(order, self._clock.utc, message="Error executing margin models"))
            return OrderResponse.error(request, _CODE.PROCESSING_ERROR,
                                       "An error occurred while checking sufficient buying power for the orders.")
        if enough:
            return None
        if isinstance(request, UpdateOrderRequest):
            order = orders[0]
            message = (f"Brokerage failed to update order with id: {order.id}, Symbol: {order.symbol.value}, "
                       f"Insufficient buying power to complete order, Reason: {reason}.")
            host.error(message)
            self.handle_event(OrderEvent(self._orders[order.id], self._clock.utc, message=message))
            return OrderResponse.error(request, _CODE.BROKERAGE_FAILED_TO_UPDATE_ORDER, message)
        return self._refuse(orders, OrderResponse.error(request, _CODE.INSUFFICIENT_BUYING_POWER,
                                                        self.buying_power_message(orders, reason)))

    def buying_power_message(self, orders: list[Order], reason: str) -> str:
        """LEAN's text for orders that the account cannot carry."""
        ids = ",".join(str(order.id) for order in orders)
        values = []
        for order in orders:
            security = self._host.securities[order.symbol]
            values.append(amount_text(order.get_value(security.price) * security.multiplier))
        return (f"Order Error: ids: [{ids}], Insufficient buying power to complete orders "
                f"(Value:[{','.join(values)}]), "
                f"Reason: {reason}.")

    def _handle_update(self, request: UpdateOrderRequest) -> OrderResponse:
        """Apply a change (BTH.HandleUpdateOrderRequest)."""
        host = self._host
        entry = self._find(request.order_id)
        if entry is None:
            return OrderResponse.unable_to_find_order(request)
        order = entry.order
        if order.status is NEW:
            return OrderResponse.invalid_new_status(request, order)
        closed = is_closed(order.status)
        if closed and not request.allowed_for_closed_order:
            return OrderResponse.invalid_status(request, order)
        security = entry.security if entry.security is not None else host.securities[order.symbol]
        self._round_lot(order, security)
        self.affordable = None
        allowed, message = host.brokerage_model.can_update_order(security, order, request, None)
        if not allowed:
            text = (f"Warning - Code: InvalidRequest - BrokerageModel declared unable to update order: {order.id}"
                    if message is None else str(message))
            host.error(f"OrderID: {order.id} {text}")
            self.handle_event(OrderEvent(order, self._clock.utc,
                                         message="BrokerageModel declared unable to update order"))
            return OrderResponse.error(request, _CODE.BROKERAGE_MODEL_REFUSED_TO_UPDATE_ORDER,
                                       f"OrderID: {order.id} {text}")
        if order.group_order_manager is None:
            trial = order.clone()
            _apply(trial, request)
            refused = self._check_buying_power([trial], request)
            if refused is not None:
                return refused
        _apply(order, request)
        group = self.group_of(order, self._orders)
        changed = round_order_prices(order, security,
                                     None if group is None else [host.securities.find(o.symbol) for o in group])
        if changed is not None:
            self._warn_rounding(*changed)
        entry.ticket.set_order(order)
        if not closed and not self.brokerage.update_order(order):
            message = f"Brokerage failed to update order with id {request.order_id}"
            host.error(message)
            self.handle_event(OrderEvent(order, self._clock.utc, message="Brokerage failed to update order"))
            return OrderResponse.error(request, _CODE.BROKERAGE_FAILED_TO_UPDATE_ORDER, message)
        return OrderResponse.success(request)

    def _handle_cancel(self, request: OrderRequest) -> OrderResponse:
        """Cancel at the brokerage; a failure restores the earlier status without an event (BTH:1069-1118)."""
        entry = self._find(request.order_id)
        if entry is None:
            return OrderResponse.unable_to_find_order(request)
        order = entry.order
        if order.status is NEW or is_closed(order.status):
            new = order.status is NEW
            self._fall_back(order)
            return (OrderResponse.invalid_new_status if new else OrderResponse.invalid_status)(request, order)
        entry.ticket.set_order(order)
        if not self.brokerage.cancel_order(order):
            message = f"Brokerage failed to cancel order with id {order.id}"
            self._host.error(message)
            self._fall_back(order)
            return OrderResponse.error(request, _CODE.BROKERAGE_FAILED_TO_CANCEL_ORDER, message)
        if request.tag is not None:
            order.tag = request.tag
        return OrderResponse.success(request)

    def _fall_back(self, order: Order) -> None:
        status = self._before_cancel.pop(order.id, None)
        if status is not None:
            order.status = status

    def _round_lot(self, order: Order, security: Security) -> None:
        lot = float(security.symbol_properties.lot_size)
        quantity = order.quantity
        if lot == 1.0 and quantity == int(quantity):
            return
        rest = quantity - int(quantity / lot) * lot
        if rest:
            order.quantity = quantity - rest
            if not self._warned_lot:
                self._warned_lot = True
                self._host.error("Warning: Due to brokerage limitations, orders will be rounded to the nearest lot "
                                 f"size of {lot:g}")

    def _warn_rounding(self, field: str, old: float, new: float) -> None:
        if not self._warned_rounding:
            self._warned_rounding = True
            self._host.error(f"Warning: To meet brokerage precision requirements, order {field} was rounded to "
                             f"{new:g} from {old:g}")


def _by_id(order: Order) -> int:
    return order.id


def _apply(order: Order, request: UpdateOrderRequest) -> None:
    order.apply_update(request.quantity, request.limit_price, request.stop_price, request.trigger_price,
                       request.trailing_amount, request.tag)
