"""The fill model of options and indexes, and the base of every other one (Common/Orders/Fills/FillModel.cs).

A Python subclass overrides any of the `..._fill` methods, `get_prices` or `fill`, as on LEAN.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from workbench.engine.enums import OrderDirection, OrderType, Resolution, SecurityType
from workbench.engine.exceptions import InvalidOperationException
from workbench.engine.fills.question import Fill, FillModelParameters, Prices
from workbench.engine.order_types import TrailingStopOrder
from workbench.engine.orders import BUY, CANCELED, FILLED, HOLD, SELL, Order, OrderEvent

if TYPE_CHECKING:
    from workbench.engine.securities import Security

MIN_TIME: Final = datetime.min
_HOUR: Final = timedelta(hours=1)
_SPAN: Final = {int(Resolution.TICK): timedelta(0), int(Resolution.SECOND): timedelta(seconds=1),
                int(Resolution.MINUTE): timedelta(minutes=1), int(Resolution.HOUR): _HOUR,
                int(Resolution.DAILY): timedelta(days=1)}
_STALE_EDGE: Final = MIN_TIME + timedelta(days=2)


class FillModel:
    """Fills an order completely as soon as its condition holds."""

    parameters: FillModelParameters
    _methods: ClassVar[dict[int, str]] = {
        OrderType.MARKET: "market_fill", OrderType.LIMIT: "limit_fill", OrderType.STOP_MARKET: "stop_market_fill",
        OrderType.STOP_LIMIT: "stop_limit_fill", OrderType.MARKET_ON_OPEN: "market_on_open_fill",
        OrderType.MARKET_ON_CLOSE: "market_on_close_fill", OrderType.LIMIT_IF_TOUCHED: "limit_if_touched_fill",
        OrderType.TRAILING_STOP: "trailing_stop_fill"}
    _combo_methods: ClassVar[dict[int, str]] = {
        OrderType.COMBO_MARKET: "combo_market_fill", OrderType.COMBO_LIMIT: "combo_limit_fill",
        OrderType.COMBO_LEG_LIMIT: "combo_leg_limit_fill"}

    def fill(self, parameters: FillModelParameters) -> Fill:
        """Ask the method of the order's type."""
        self.parameters = parameters
        order = parameters.order
        name = self._methods.get(order.type)
        if name is not None:
            return Fill([getattr(self, name)(parameters.security, order)])
        events: list[OrderEvent] = list(getattr(self, self._combo_methods[order.type])(order, parameters))
        return Fill(events)

    # -- single orders --------------------------------------------------------------------------------------------

    def market_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Fill at ask (buy) or bid (sell) of the last bar, in regular hours; wait on stale data."""
        return self._market_fill(asset, order)

    def _market_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open(asset, False):
            return fill
        side = order.direction
        prices = self.get_prices(asset, side)
        end = prices.end_time
        stale = end <= _STALE_EDGE
        if not stale and asset.local_time - end > self.parameters.stale_price_time_span:
            # Wall-clock times decide cheaply; near a change of the clocks UTC decides.
            stale = asset.exchange.to_utc(end) + self.parameters.stale_price_time_span < order.time
        if stale:
            if _wait_for_fresh_data(asset, end, order):
                return fill
            fill.message = f"Warning: fill at stale price ({end:%m/%d/%Y %H:%M:%S} {asset.exchange.time_zone})"
        price = prices.current
        if prices.open and asset.coarse_only and order.time <= asset.exchange.to_utc(prices.time):
            price = prices.open
        slip = self._slippage(asset, order)
        fill.fill_price = price + slip if side is BUY else price - slip
        fill.status = FILLED
        fill.fill_quantity = order.quantity
        return fill

    def limit_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Fill when the bar trades strictly through the limit; at the limit or the bar's worse extreme."""
        return self._limit_fill(asset, order, order.limit_price)

    def _limit_fill(self, asset: Security, order: Order, limit: float) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open_any(asset):
            return fill
        side = order.direction
        prices = self.get_prices(asset, side)
        if _not_after(asset, prices.end_time, order):
            return fill
        if side is BUY and prices.low < limit:
            _complete(fill, order, min(prices.high, limit))
        elif side is SELL and prices.high > limit:
            _complete(fill, order, max(prices.low, limit))
        return fill

    def stop_market_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Fill when the bar crosses the stop, at the worse of stop and price."""
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open(asset, False):
            return fill
        side = order.direction
        prices = self.get_prices(asset, side)
        if _not_after(asset, prices.end_time, order):
            return fill
        slip = self._slippage(asset, order)
        if side is SELL and prices.low < order.stop_price:
            _complete(fill, order, min(order.stop_price, prices.current - slip))
        elif side is BUY and prices.high > order.stop_price:
            _complete(fill, order, max(order.stop_price, prices.current + slip))
        return fill

    def trailing_stop_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Fill like a stop; otherwise let the stop follow the bar's favourable extreme."""
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open(asset, False):
            return fill
        side = order.direction
        prices = self.get_prices(asset, side)
        if _not_after(asset, prices.end_time, order):
            return fill
        slip = self._slippage(asset, order)
        if side is SELL and prices.low <= order.stop_price:
            _complete(fill, order, min(order.stop_price, prices.current - slip))
        elif side is BUY and prices.high >= order.stop_price:
            _complete(fill, order, max(order.stop_price, prices.current + slip))
        if fill.status is not FILLED:
            moved = TrailingStopOrder.updated_stop_price(
                prices.high if side is SELL else prices.low, order.stop_price, order.trailing_amount,
                order.trailing_as_percentage, side)
            if moved is not None:
                order.stop_price = moved
                self.parameters.on_order_updated(order)
        return fill

    def stop_limit_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Trigger at the stop, then fill against the bar's close."""
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open_any(asset):
            return fill
        side = order.direction
        prices = self.get_prices(asset, side)
        if _not_after(asset, prices.end_time, order):
            return fill
        crossed = prices.high > order.stop_price if side is BUY else prices.low < order.stop_price
        if side is HOLD or not (crossed or order.stop_triggered):
            return fill
        if not order.stop_triggered:
            order.stop_triggered = True
            self.parameters.on_order_updated(order)
        if side is BUY and prices.current < order.limit_price:
            _complete(fill, order, min(prices.high, order.limit_price))
        elif side is SELL and prices.current > order.limit_price:
            _complete(fill, order, max(prices.low, order.limit_price))
        return fill

    def limit_if_touched_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Trigger on a trade bar's extreme, then fill at the limit against the quote."""
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open_any(asset):
            return fill
        bar = asset.cache.trade_bar() if asset.has_trades else None
        if bar is None or _not_after(asset, bar.end_time, order):
            return fill
        side = order.direction
        if side is SELL and (bar.high >= order.trigger_price or order.trigger_touched):
            order.trigger_touched = True
            if _quote_or_trade(asset, BUY) >= order.limit_price:
                _complete(fill, order, order.limit_price)
        elif side is BUY and (bar.low <= order.trigger_price or order.trigger_touched):
            order.trigger_touched = True
            if _quote_or_trade(asset, SELL) <= order.limit_price:
                _complete(fill, order, order.limit_price)
        return fill

    def market_on_open_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Fill at the open of the first bar of the next session."""
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED:
            return fill
        bar = asset.get_last_data()
        order_time = asset.exchange.to_local(order.time)
        if bar is None or order_time >= bar.end_time:
            return fill
        if asset.exchange.date_time_is_open(order_time) and order_time.date() == asset.local_time.date():
            return fill
        if not self._is_exchange_open(asset, False):
            return fill
        slip = self._slippage(asset, order)
        price = self.get_prices(asset, order.direction).open
        _complete(fill, order, price + slip if order.direction is BUY else price - slip)
        return fill

    def market_on_close_fill(self, asset: Security, order: Order) -> OrderEvent:
        """Fill at the close of the session."""
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED:
            return fill
        close = asset.exchange.hours.get_next_market_close(asset.exchange.to_local(order.time), False)
        if asset.local_time < close:
            return fill
        slip = self._slippage(asset, order)
        price = self.get_prices(asset, order.direction).close
        _complete(fill, order, price + slip if order.direction is BUY else price - slip)
        return fill

    # -- combos: all legs or none ---------------------------------------------------------------------------------

    def combo_market_fill(self, order: Order, parameters: FillModelParameters) -> list[OrderEvent]:
        """Fill every leg like a market order, or none."""
        fills = []
        for leg, security in parameters.securities_for_orders.pairs:
            fill = self._market_fill(security, leg)
            if fill.status is not FILLED:
                return []
            fills.append(fill)
        return fills

    def combo_limit_fill(self, order: Order, parameters: FillModelParameters) -> list[OrderEvent]:
        """Fill all legs at their bars' lows (buy) or highs (sell) when these sum to better than the limit."""
        manager = order.group_order_manager
        if manager is None:
            return []
        buy = manager.direction is BUY
        total = 0.0
        legs = []
        for leg, security in parameters.securities_for_orders.pairs:
            prices = self.get_prices(security, leg.direction)
            if prices.end_time <= _STALE_EDGE or security.exchange.to_utc(prices.end_time) < leg.time:
                return []
            ratio = leg.quantity / manager.quantity
            if security.type == SecurityType.EQUITY:
                ratio /= 100
            price = prices.low if buy else prices.high
            total += price * ratio
            legs.append((leg, security, price))
        total = round(total, 10)
        if not (total < manager.limit_price if buy else manager.direction is SELL and total > manager.limit_price):
            return []
        fills = []
        for leg, security, price in legs:
            fill = OrderEvent(leg, security.clock.utc)
            _complete(fill, leg, price)
            fills.append(fill)
        return fills

    def combo_leg_limit_fill(self, order: Order, parameters: FillModelParameters) -> list[OrderEvent]:
        """Fill every leg like a limit order, or none."""
        fills = []
        for leg, security in parameters.securities_for_orders.pairs:
            fill = self._limit_fill(security, leg, leg.limit_price)
            if fill.status is not FILLED:
                return []
            fills.append(fill)
        return fills

    # -- prices and hours -----------------------------------------------------------------------------------------

    def get_prices(self, asset: Security, direction: OrderDirection) -> Prices:
        """The ask (buy) or bid (sell) of the last quote bar, else the last trade bar, else the last price."""
        cache = asset.cache
        if direction is not HOLD:
            quote = cache.quote_bar() if asset.has_quotes else None
            if quote is not None:
                side = quote.bid if direction is SELL else quote.ask
                if side is not None:
                    return Prices(quote.time, quote.end_time, side.close, side.open, side.high, side.low, side.close)
            trade = cache.trade_bar() if asset.has_trades else None
            if trade is not None:
                return Prices(trade.time, trade.end_time, trade.close, trade.open, trade.high, trade.low, trade.close)
        last = cache.get_data()
        return Prices(MIN_TIME if last is None else last.time, MIN_TIME if last is None else last.end_time,
                      asset.price, asset.open, asset.high, asset.low, asset.close)

    def _slippage(self, asset: Security, order: Order) -> float:
        model = asset.slippage_model
        return 0.0 if model is None else float(model.get_slippage_approximation(asset, order))

    def _is_exchange_open(self, asset: Security, extended: bool) -> bool:
        exchange = asset.exchange
        if exchange.exchange_open if not extended else exchange.hours.is_open(exchange.local_time, True):
            return True
        bar = asset.get_last_data()
        if bar is None:
            return False
        now = asset.local_time
        within = now.date() == bar.end_time.date() if bar.end_time - bar.time > _HOUR else now <= bar.end_time
        return within and exchange.is_open_during_bar(bar.time, bar.end_time, extended)

    def _is_exchange_open_any(self, asset: Security) -> bool:
        if not asset.subscriptions:
            raise InvalidOperationException(
                f"Cannot perform fill for {asset.symbol} because no data subscription were found.")
        return self._is_exchange_open(asset, asset.is_extended_market_hours)


class ImmediateFillModel(FillModel):
    """LEAN's older name of the default model."""


def _complete(fill: OrderEvent, order: Order, price: float) -> None:
    fill.status = FILLED
    fill.fill_price = price
    fill.fill_quantity = order.quantity


def _not_after(asset: Security, end: datetime, order: Order) -> bool:
    """Whether a bar that ends at `end` (exchange time) is no news to the order."""
    return end <= _STALE_EDGE or asset.exchange.to_utc(end) <= order.time


def _wait_for_fresh_data(asset: Security, end: datetime, order: Order) -> bool:
    """Whether a market order waits because the last bar is more than one period old (ShouldWaitForFreshDataOnStale)."""
    if asset.coarse_only:
        return True
    span = _SPAN[int(asset.resolution)]
    return bool(span) and (end <= _STALE_EDGE or order.time - asset.exchange.to_utc(end) > span)


def _quote_or_trade(asset: Security, side: OrderDirection) -> float:
    """Ask (buy side) or bid of the last quote bar, else the close of the last trade bar."""
    quote = asset.cache.quote_bar() if asset.has_quotes else None
    if quote is not None:
        bar = quote.ask if side is BUY else quote.bid
        return bar.close if bar is not None else quote.close
    trade = asset.cache.trade_bar() if asset.has_trades else None
    if trade is not None:
        return trade.close
    raise InvalidOperationException(f"Cannot get {'ask' if side is BUY else 'bid'} price to perform fill for "
                                    f"{asset.symbol} because no market data was found.")
