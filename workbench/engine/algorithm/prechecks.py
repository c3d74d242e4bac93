"""Checks of an order before it is numbered (QCAlgorithm.PreOrderChecks, Algorithm/QCAlgorithm.Trading.cs:1050)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.engine.clock import to_utc
from workbench.engine.enums import OptionStyle, OrderResponseErrorCode, OrderType, SecurityType
from workbench.engine.exceptions import ArgumentException, InvalidOperationException
from workbench.engine.options import Option
from workbench.engine.order_types import MarketOnCloseOrder
from workbench.engine.requests import OrderResponse, SubmitOrderRequest
from workbench.engine.securities import Security
from workbench.engine.tickets import OrderTicket, invalid_submit_ticket

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine
    from workbench.engine.symbols import Symbol

_CODE: Final = OrderResponseErrorCode
_OPTIONS: Final = (SecurityType.OPTION, SecurityType.INDEX_OPTION)


def _refuse(request: SubmitOrderRequest, code: OrderResponseErrorCode, message: str) -> OrderResponse:
    return OrderResponse(request.order_id, code, message)


class OrderChecks:
    """What is refused with order id -10, without an event."""

    _engine: Engine

    def _security_for_order(self, symbol: Any) -> Security:
        """The security of an order; an unknown symbol is subscribed first (GetSecurityForOrder)."""
        engine = self._engine
        security = engine.securities.find(symbol)
        if security is None:
            symbol = engine.symbol_of(symbol)
            security = engine.securities.find(symbol)
        if security is not None and (security.is_tradable or security.is_delisted or security.symbol.is_canonical()):
            return security
        if security is None or not security.is_tradable:
            return engine.auto_add(symbol)
        return security

    def _submit(self, request: SubmitOrderRequest) -> OrderTicket:
        """Check, then send (QCAlgorithm.SubmitOrderRequest)."""
        engine = self._engine
        refused = self._pre_order_checks(request)
        if refused is not None:
            return invalid_submit_ticket(engine.transactions, request, refused)
        return engine.transactions.process_request(request)

    def submit_order_request(self, request: SubmitOrderRequest) -> OrderTicket:
        """Check and send a request."""
        return self._submit(request)

    def _pre_order_checks(self, request: SubmitOrderRequest) -> OrderResponse | None:
        refused = self._check(request)
        if refused is not None:
            self._engine.error(refused.error_message)
        return refused

    def _check(self, request: SubmitOrderRequest) -> OrderResponse | None:
        """LEAN's checks in LEAN's order; None when the order may be sent."""
        engine = self._engine
        if engine.is_warming_up:
            return OrderResponse.warming_up(request)
        symbol = request.symbol
        security = engine.securities.find(symbol)
        if security is None:
            return OrderResponse.missing_security(request)
        quantity = request.quantity
        if quantity == 0:
            return OrderResponse.zero_quantity(request)
        lot = security.symbol_properties.lot_size
        if abs(quantity) < lot:
            return _refuse(request, _CODE.ORDER_QUANTITY_LESS_THAN_LOT_SIZE,
                           f"Unable to submit order with id {request.order_id} which quantity ({abs(quantity):g}) is "
                           f"less than lot size ({lot:g}).")
        if not security.is_tradable:
            return _refuse(request, _CODE.NON_TRADABLE_SECURITY,
                           f"The security with symbol '{symbol}' is marked as non-tradable.")
        kind = request.order_type
        if kind is OrderType.OPTION_EXERCISE and not security.exchange.exchange_open:
            return _refuse(request, _CODE.EXCHANGE_NOT_OPEN, "OptionExercise order and exchange not open.")
        if security.price == 0:
            return _refuse(request, _CODE.SECURITY_PRICE_ZERO, _zero_price_message(symbol))
        if not security.has_data:
            return _refuse(request, _CODE.SECURITY_HAS_NO_DATA,
                           "There is no data for this symbol yet, please check the security.HasData flag to ensure "
                           "there is at least one data point.")
        if not engine.live_mode and engine.transactions.orders_count > engine.maximum_orders:
            engine.stop()
            return _refuse(request, _CODE.EXCEEDED_MAXIMUM_ORDERS,
                           f"You have exceeded maximum number of orders ({engine.maximum_orders}), for unlimited "
                           "orders upgrade your account.")
        if kind is OrderType.OPTION_EXERCISE:
            return self._check_exercise(request, security)
        if kind is OrderType.MARKET_ON_OPEN:
            return self._check_market_on_open(request, security)
        if kind is OrderType.MARKET_ON_CLOSE:
            return self._check_market_on_close(request, security)
        if kind is OrderType.COMBO_MARKET and request.limit_price != 0:
            raise ArgumentException("Can not set a limit price using market combo orders")
        return self._check_split(request)

    def _check_exercise(self, request: SubmitOrderRequest, security: Security) -> OrderResponse | None:
        symbol = request.symbol
        if not isinstance(security, Option):
            return _refuse(request, _CODE.NON_EXERCISABLE_SECURITY,
                           f"The security with symbol '{symbol}' is not exercisable.")
        expiry = to_utc(symbol.id.date, security.exchange.time_zone).date()
        if security.style == OptionStyle.EUROPEAN and self._engine.clock.utc.date() < expiry:
            return _refuse(request, _CODE.EUROPEAN_OPTION_NOT_EXPIRED_ON_EXERCISE,
                           f"Cannot exercise European style option with symbol '{symbol}' before its expiration date.")
        if security.holdings.is_short:
            return _refuse(request, _CODE.UNSUPPORTED_REQUEST_TYPE,
                           f"The security with symbol '{symbol}' has a short option position. Only long option "
                           "positions are exercisable.")
        if abs(request.quantity) > security.holdings.quantity:
            return _refuse(request, _CODE.UNSUPPORTED_REQUEST_TYPE,
                           f"Cannot exercise more contracts of '{symbol}' than is currently available in the "
                           "portfolio. ")
        return self._check_split(request)

    def _check_market_on_open(self, request: SubmitOrderRequest, security: Security) -> OrderResponse | None:
        hours = security.exchange.hours
        if hours.is_market_always_open:
            raise InvalidOperationException(
                f"Market never closes for this symbol {security.symbol}, can no submit a MarketOnOpen order.")
        if security.exchange.exchange_open and not self._is_daily_only(security):
            return _refuse(request, _CODE.MARKET_ON_OPEN_NOT_ALLOWED_DURING_REGULAR_HOURS,
                           "Cannot submit a MarketOnOpen order while the market is open.")
        return self._check_split(request)

    def _check_market_on_close(self, request: SubmitOrderRequest, security: Security) -> OrderResponse | None:
        if security.exchange.hours.is_market_always_open:
            raise InvalidOperationException(
                f"Market never closes for this symbol {security.symbol}, can no submit a MarketOnClose order.")
        if self._within_market_on_close_buffer(security):
            return _refuse(request, _CODE.MARKET_ON_CLOSE_ORDER_TOO_LATE,
                           "MarketOnClose orders must be placed within 00:15:30 before market close. Override this "
                           "TimeSpan buffer by setting Orders.MarketOnCloseOrder.SubmissionTimeBuffer in "
                           "QCAlgorithm.Initialize().")
        return self._check_split(request)

    def _check_split(self, request: SubmitOrderRequest) -> OrderResponse | None:
        """No option orders in the time step of the underlying's split."""
        current = self._engine.current_slice
        if (current is not None and request.security_type in _OPTIONS and current.splits.count
                and request.symbol.underlying in current.splits):
            return _refuse(request, _CODE.OPTION_ORDER_ON_STOCK_SPLIT,
                           "Options orders are not allowed when a split occurred for its underlying stock")
        return None

    def _is_daily_only(self, security: Security) -> bool:
        return security.daily_only

    def _within_market_on_close_buffer(self, security: Security) -> bool:
        exchange = security.exchange
        if exchange.hours.is_market_always_open:
            return False
        close = exchange.hours.get_next_market_close(security.local_time, False)
        return self._engine.clock.utc > exchange.to_utc(close) - MarketOnCloseOrder.submission_time_buffer


def _zero_price_message(symbol: Symbol) -> str:
    """What LEAN says to an order for a security that has no price (Messages.Extensions.ZeroPriceForSecurity)."""
    return (f"{symbol}: The security does not have an accurate price as it has not yet received a bar of data. Before "
            "placing a trade (or using SetHoldings) warm up your algorithm with SetWarmup, or use "
            "slice.Contains(symbol) to confirm the Slice object has price before using the data. Data does not "
            "necessarily all arrive at the same time so your algorithm should confirm the data is ready before using "
            "it. In live trading this can mean you do not have an active subscription to the asset class you're trying "
            "to trade. If using custom data make sure you've set the 'Value' property.")
