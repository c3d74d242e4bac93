"""Single orders and liquidation (Algorithm/QCAlgorithm.Trading.cs)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.enums import OrderType
from workbench.engine.options import Option
from workbench.engine.order_types import TrailingStopOrder
from workbench.engine.orders import BUY, INVALID, SELL
from workbench.engine.requests import SubmitOrderRequest
from workbench.engine.securities import Security
from workbench.engine.symbols import Symbol
from workbench.engine.tickets import OrderTicket, invalid_submit_ticket
from workbench.engine.time_in_force import GoodTilDateTimeInForce, OrderProperties, TimeInForce

if TYPE_CHECKING:
    from workbench.engine.requests import OrderResponse
    from workbench.engine.runtime import Engine

_CLOSED_MARKET: Final = ("Warning: market orders submitted while the market is closed are automatically converted into "
                         "MarketOnOpen orders to fill at the next market open.")
_DAILY: Final = ("Warning: market orders on daily resolution data sent during market hours are automatically converted "
                 "into MarketOnClose orders (or MarketOnOpen near the close) to avoid filling at the stale previous "
                 "close. Note: in live trading this conversion is not applied, as the order fills at the current "
                 "market price.")


class Trading:
    """Order methods. Quantities are signed shares or contracts, prices dollars per share."""

    _engine: Engine

    if TYPE_CHECKING:
        def _security_for_order(self, symbol: Any) -> Security: ...
        def _submit(self, request: SubmitOrderRequest) -> OrderTicket: ...
        def _pre_order_checks(self, request: SubmitOrderRequest) -> OrderResponse | None: ...
        def _is_daily_only(self, security: Security) -> bool: ...
        def _within_market_on_close_buffer(self, security: Security) -> bool: ...
        def debug(self, message: Any) -> None: ...
        def buy_strategy(self, strategy: Any, quantity: int, *args: Any, **kwargs: Any) -> list[OrderTicket]: ...

    @property
    def default_order_properties(self) -> OrderProperties:
        return self._engine.default_order_properties

    @default_order_properties.setter
    def default_order_properties(self, properties: OrderProperties) -> None:
        self._engine.default_order_properties = properties

    def _request(self, kind: OrderType, security: Security, quantity: float, tag: str | None,
                 properties: OrderProperties | None, asynchronous: bool, **prices: Any) -> SubmitOrderRequest:
        return SubmitOrderRequest(
            kind, security.type, security.symbol, float(quantity), self._engine.clock.utc, tag or "",
            self._engine.default_order_properties.clone() if properties is None else properties,
            asynchronous=bool(asynchronous), **prices)

    def market_order(self, symbol: Any, quantity: float, asynchronous: bool = False, tag: str = "",
                     order_properties: OrderProperties | None = None) -> OrderTicket:
        """Trade at the market; becomes market-on-open when the market is closed."""
        security = self._security_for_order(symbol)
        engine = self._engine
        if not security.exchange.exchange_open:
            ticket = self.market_on_open_order(security.symbol, quantity, asynchronous, tag, order_properties)
            if ticket.submit_request.response.is_success:
                engine.warn_once("market-on-open", _CLOSED_MARKET)
            return ticket
        if (not engine.live_mode and self._is_daily_only(security)
                and not security.exchange.hours.is_market_always_open):
            convert = (self.market_on_open_order if self._within_market_on_close_buffer(security)
                       else self.market_on_close_order)
            ticket = convert(security.symbol, quantity, asynchronous, tag, order_properties)
            if ticket.submit_request.response.is_success:
                engine.warn_once("daily-market-order", _DAILY)
            return ticket
        ticket = self._submit(self._request(OrderType.MARKET, security, quantity, tag, order_properties, asynchronous))
        if engine.live_mode and ticket.status is not INVALID and not asynchronous:
            engine.transactions.wait_for_order(ticket.order_id)
        return ticket

    def order(self, symbol: Any, quantity: float, asynchronous: bool = False, tag: str = "",
              order_properties: OrderProperties | None = None) -> Any:
        """A market order, or a combo for an option strategy."""
        if hasattr(symbol, "option_legs"):
            return self.buy_strategy(symbol, int(quantity), asynchronous, tag, order_properties)
        return self.market_order(symbol, quantity, asynchronous, tag, order_properties)

    def buy(self, symbol: Any, quantity: float, *args: Any, **kwargs: Any) -> Any:
        """Buy at the market."""
        return self.order(symbol, abs(quantity), *args, **kwargs)

    def sell(self, symbol: Any, quantity: float, *args: Any, **kwargs: Any) -> Any:
        """Sell at the market."""
        return self.order(symbol, -abs(quantity), *args, **kwargs)

    def _no_good_til_date(self, properties: OrderProperties | None) -> OrderProperties:
        chosen = self._engine.default_order_properties.clone() if properties is None else properties
        if isinstance(chosen.time_in_force, GoodTilDateTimeInForce):
            chosen.time_in_force = TimeInForce.GOOD_TIL_CANCELED
            self._engine.warn_once("gtd", "Warning: Good-Til-Date Time-In-Force is not supported for MOO and MOC "
                                          "orders. "
                                   "The time-in-force will be reset to Good-Til-Canceled (GTC).")
        return chosen

    def market_on_open_order(self, symbol: Any, quantity: float, asynchronous: bool = False, tag: str = "",
                             order_properties: OrderProperties | None = None) -> OrderTicket:
        """Trade at the next open."""
        properties = self._no_good_til_date(order_properties)
        security = self._security_for_order(symbol)
        return self._submit(self._request(OrderType.MARKET_ON_OPEN, security, quantity, tag, properties, asynchronous))

    def market_on_close_order(self, symbol: Any, quantity: float, asynchronous: bool = False, tag: str = "",
                              order_properties: OrderProperties | None = None) -> OrderTicket:
        """Trade at the close."""
        properties = self._no_good_til_date(order_properties)
        security = self._security_for_order(symbol)
        return self._submit(self._request(OrderType.MARKET_ON_CLOSE, security, quantity, tag, properties, asynchronous))

    def limit_order(self, symbol: Any, quantity: float, limit_price: float, asynchronous: bool = False, tag: str = "",
                    order_properties: OrderProperties | None = None) -> OrderTicket:
        """Trade at a price or better."""
        return self._submit(self._request(OrderType.LIMIT, self._security_for_order(symbol), quantity, tag,
                                          order_properties, asynchronous, limit_price=float(limit_price)))

    def stop_market_order(self, symbol: Any, quantity: float, stop_price: float, asynchronous: bool = False,
                          tag: str = "", order_properties: OrderProperties | None = None) -> OrderTicket:
        """Trade at the market once a price is reached."""
        return self._submit(self._request(OrderType.STOP_MARKET, self._security_for_order(symbol), quantity, tag,
                                          order_properties, asynchronous, stop_price=float(stop_price)))

    def stop_limit_order(self, symbol: Any, quantity: float, stop_price: float, limit_price: float,
                         asynchronous: bool = False, tag: str = "",
                         order_properties: OrderProperties | None = None) -> OrderTicket:
        """A limit order once a price is reached."""
        return self._submit(self._request(OrderType.STOP_LIMIT, self._security_for_order(symbol), quantity, tag,
                                          order_properties, asynchronous, stop_price=float(stop_price),
                                          limit_price=float(limit_price)))

    def limit_if_touched_order(self, symbol: Any, quantity: float, trigger_price: float, limit_price: float,
                               asynchronous: bool = False, tag: str = "",
                               order_properties: OrderProperties | None = None) -> OrderTicket:
        """A limit order once a trade touches a price."""
        return self._submit(self._request(OrderType.LIMIT_IF_TOUCHED, self._security_for_order(symbol), quantity, tag,
                                          order_properties, asynchronous, trigger_price=float(trigger_price),
                                          limit_price=float(limit_price)))

    def trailing_stop_order(self, symbol: Any, quantity: float, *args: Any, **kwargs: Any) -> OrderTicket:
        """`trailing_stop_order(symbol, quantity, trailing_amount, trailing_as_percentage, ...)`, or with a first stop
        price before the amount."""
        names = ["trailing_amount", "trailing_as_percentage", "asynchronous", "tag", "order_properties"]
        if "stop_price" in kwargs or (len(args) > 1 and not isinstance(args[1], bool)):
            names.insert(0, "stop_price")
        values = dict(zip(names, args, strict=False)) | kwargs
        if len(args) > len(names) or not {"trailing_amount", "trailing_as_percentage"} <= values.keys():
            raise TypeError("No method matches given arguments for TrailingStopOrder")
        security = self._security_for_order(symbol)
        amount, relative = float(values["trailing_amount"]), bool(values["trailing_as_percentage"])
        stop = values.get("stop_price")
        if stop is None:
            side = BUY if quantity > 0 else SELL
            stop = TrailingStopOrder.calculate_stop_price(security.price, amount, relative, side)
        return self._submit(self._request(
            OrderType.TRAILING_STOP, security, quantity, values.get("tag", ""), values.get("order_properties"),
            values.get("asynchronous", False), stop_price=float(stop), trailing_amount=amount,
            trailing_as_percentage=relative))

    def exercise_option(self, option_symbol: Any, quantity: int, asynchronous: bool = False, tag: str = "",
                        order_properties: OrderProperties | None = None) -> OrderTicket:
        """Exercise contracts that are held long."""
        security = self._security_for_order(option_symbol)
        if not isinstance(security, Option):
            raise TypeError(f"Unable to cast object of type '{type(security).__name__}' to type 'Option'.")
        request = self._request(OrderType.OPTION_EXERCISE, security, -abs(quantity), tag, order_properties,
                                asynchronous)
        refused = self._pre_order_checks(request)
        if refused is not None:
            return invalid_submit_ticket(self._engine.transactions, request, refused)
        return self._engine.transactions.process_request(request)

    def liquidate(self, symbol: Any = None, asynchronous: bool = False, tag: str | None = None,
                  order_properties: OrderProperties | None = None) -> list[OrderTicket]:
        """Cancel what is open and sell what is held, of one symbol, of several, or of all (Trading.cs:1348)."""
        engine = self._engine
        tickets: list[OrderTicket] = []
        if not engine.settings.liquidate_enabled:
            self.debug("Liquidate() is currently disabled by settings. To re-enable please set "
                       "'Settings.LiquidateEnabled' to true")
            return tickets
        text = "Liquidated" if tag is None else tag
        if symbol is None:
            symbols: Iterable[Symbol] = sorted(engine.securities.keys, key=lambda s: s.value)
        elif isinstance(symbol, (list, tuple, set)):
            symbols = [engine.symbol_of(s) for s in symbol]
        else:
            symbols = [engine.symbol_of(symbol)]
        for one in symbols:
            security = engine.securities.find(one)
            if security is None:
                engine.warn_once("liquidate", f"Warning: liquidate ignored symbol '{one}' because it has not been "
                                 "added to the algorithm. Add the security before liquidating it.")
                continue
            self._liquidate(security, text, asynchronous, order_properties, tickets)
        return tickets

    def _liquidate(self, security: Security, tag: str, asynchronous: bool, properties: OrderProperties | None,
                   tickets: list[OrderTicket]) -> None:
        transactions = self._engine.transactions
        symbol = security.symbol
        open_tickets = transactions.get_open_order_tickets(symbol)
        held = security.holdings.quantity if security.holdings.invested else 0.0
        if (len(open_tickets) == 1 and held and open_tickets[0].quantity == -held
                and open_tickets[0].order_type is OrderType.MARKET):
            return
        market_quantity = 0.0
        for ticket in open_tickets:
            if ticket.order_type is OrderType.MARKET:
                market_quantity += ticket.quantity_remaining
            else:
                transactions.cancel_order(ticket.order_id, tag)
        if held:
            tickets.append(self.market_order(symbol, -held - market_quantity, asynchronous, tag, properties))

    def is_market_open(self, symbol: Any) -> bool:
        """Whether regular hours of the symbol's exchange are on."""
        engine = self._engine
        found = engine.symbol_of(symbol)
        security = engine.securities.find(found)
        if security is not None:
            return security.exchange.exchange_open
        hours = engine.hours_of(found)
        return bool(hours.is_open(engine.clock.local(hours.time_zone), False))

    def shortable(self, symbol: Any, quantity: float | None = None, *args: Any) -> bool:
        """Whether shares can be borrowed: always, with LEAN's default provider."""
        return True

    def set_maximum_orders(self, max: int) -> None:
        """Stop the run after this many orders."""
        if not self._engine.locked:
            self._engine.maximum_orders = int(max)
