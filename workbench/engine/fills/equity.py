"""The fill model of stocks: quotes for market orders, trades for the rest (Common/Orders/Fills/EquityFillModel.cs)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workbench.engine.enums import OrderDirection
from workbench.engine.exceptions import InvalidOperationException
from workbench.engine.fills.model import (
    MIN_TIME,
    FillModel,
    _complete,
    _not_after,
    _wait_for_fresh_data,
)
from workbench.engine.orders import BUY, CANCELED, FILLED, SELL, Order, OrderEvent

if TYPE_CHECKING:
    from workbench.engine.bars import TradeBar
    from workbench.engine.securities import Security


def price_text(asset: Security, price: float) -> str:
    """A price with the digits that LEAN's decimals carry: four of the file and those of the adjustment factor."""
    digits: int = max((getattr(c, "price_decimals", 4) for c in asset.subscriptions), default=4)
    return f"{price:.{digits}f}"


def _time_text(asset: Security, time: datetime) -> str:
    return f"{time:%m/%d/%Y %H:%M:%S} {asset.exchange.time_zone}"


class EquityFillModel(FillModel):
    """Gaps fill at the open; stops and limits look at trade bars, market orders at the best-effort quote."""

    def market_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open(asset, False):
            return fill
        slip = self._slippage(asset, order)
        side = order.direction
        price, message, stale_end = self._best_effort(asset, order, side)
        if stale_end is not None and _wait_for_fresh_data(asset, stale_end, order):
            return fill
        fill.fill_price = price + slip if side is BUY else price - slip
        fill.fill_quantity = order.quantity
        fill.message = message
        fill.status = FILLED
        return fill

    def limit_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open_any(asset):
            return fill
        bar = self._trade_bar_after(asset, order)
        if bar is None:
            return fill
        side = order.direction
        if side is BUY and bar.low < order.limit_price:
            _complete(fill, order, order.limit_price)
            if bar.open < order.limit_price:
                self._gap(fill, asset, bar, "a favorable", 0.0)
        elif side is SELL and bar.high > order.limit_price:
            _complete(fill, order, order.limit_price)
            if bar.open > order.limit_price:
                self._gap(fill, asset, bar, "a favorable", 0.0)
        return fill

    def stop_market_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open(asset, False):
            return fill
        bar = self._trade_bar_after(asset, order)
        if bar is None:
            return fill
        side = order.direction
        if side is SELL and bar.low <= order.stop_price:
            slip = self._slippage(asset, order)
            _complete(fill, order, order.stop_price - slip)
            if bar.open <= order.stop_price:
                self._gap(fill, asset, bar, "an unfavorable", -slip)
        elif side is BUY and bar.high >= order.stop_price:
            slip = self._slippage(asset, order)
            _complete(fill, order, order.stop_price + slip)
            if bar.open >= order.stop_price:
                self._gap(fill, asset, bar, "an unfavorable", slip)
        return fill

    def limit_if_touched_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED or not self._is_exchange_open_any(asset):
            return fill
        bar = self._trade_bar_after(asset, order)
        if bar is None:
            return fill
        side = order.direction
        if side is BUY and (bar.low <= order.trigger_price or order.trigger_touched):
            order.trigger_touched = True
            price, message, _ = self._best_effort(asset, order, BUY)
            if price <= order.limit_price:
                _complete(fill, order, min(price, order.limit_price))
                fill.message = message
        elif side is SELL and (bar.high >= order.trigger_price or order.trigger_touched):
            order.trigger_touched = True
            price, message, _ = self._best_effort(asset, order, SELL)
            if price >= order.limit_price:
                _complete(fill, order, max(price, order.limit_price))
                fill.message = message
        return fill

    def market_on_open_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED:
            return fill
        order_time = asset.exchange.to_local(order.time)
        end = MIN_TIME
        price = 0.0
        if asset.has_trades:
            bar = asset.cache.trade_bar()
            if bar is not None:
                if bar.time < order_time:
                    return fill
                if bar.end_time - bar.time < timedelta(hours=1) and not asset.exchange.date_time_is_open(bar.time):
                    return fill
                end, price = bar.end_time, bar.open
        else:
            fill.message = self._quote_data_used(asset)
        if order_time >= end:
            return fill
        if asset.exchange.date_time_is_open(order_time) and order_time.date() == end.date():
            return fill
        if not self._is_exchange_open(asset, False):
            return fill
        self._official(fill, asset, order, price)
        return fill

    def market_on_close_fill(self, asset: Security, order: Order) -> OrderEvent:
        fill = OrderEvent(order, asset.clock.utc)
        if order.status is CANCELED:
            return fill
        close = asset.exchange.hours.get_next_market_close(asset.exchange.to_local(order.time), False)
        if asset.local_time < close:
            return fill
        price = 0.0
        if asset.has_trades:
            bar = asset.cache.trade_bar()
            price = 0.0 if bar is None else bar.close
        else:
            fill.message = self._quote_data_used(asset)
        self._official(fill, asset, order, price)
        return fill

    # -- parts ----------------------------------------------------------------------------------------------------

    def _official(self, fill: OrderEvent, asset: Security, order: Order, price: float) -> None:
        """Complete an opening or closing fill; without a trade, at the quote."""
        slip = self._slippage(asset, order)
        side = order.direction
        if price == 0:
            price, message, _ = self._best_effort(asset, order, side)
            fill.message += message
        _complete(fill, order, price + slip if side is BUY else price - slip)

    def _gap(self, fill: OrderEvent, asset: Security, bar: TradeBar, kind: str, slip: float) -> None:
        fill.fill_price = bar.open + slip
        fill.message = (f"Due to {kind} gap at {_time_text(asset, bar.end_time)}, order filled using the open price "
                        f"({price_text(asset, bar.open)})")

    def _quote_data_used(self, asset: Security) -> str:
        return (f"Warning: No trade information available at {_time_text(asset, asset.local_time)}, "
                "order filled using Quote data")

    def _trade_bar_after(self, asset: Security, order: Order) -> TradeBar | None:
        """The last trade bar if it ended after the order was sent."""
        bar = asset.cache.trade_bar() if asset.has_trades else None
        return None if bar is None or _not_after(asset, bar.end_time, order) else bar

    def _best_effort(self, asset: Security, order: Order, side: OrderDirection) -> tuple[float, str, datetime | None]:
        """Ask (buy) or bid (sell), a warning, and the data's end time when it is stale (GetBestEffortAskPrice)."""
        span = self.parameters.stale_price_time_span
        cut_off = (asset.local_time if order.time == asset.clock.utc else asset.exchange.to_local(order.time)) - span
        price, message, end = 0.0, "", None
        quote = asset.cache.quote_bar() if asset.has_quotes else None
        if quote is not None:
            bar = quote.ask if side is BUY else quote.bid
            price = bar.close if bar is not None else quote.close
            if quote.end_time >= cut_off:
                return price, "", None
            end = quote.end_time
            message = f"Warning: fill at stale price ({_time_text(asset, end)}), using QuoteBar data."
        trade = asset.cache.trade_bar() if asset.has_trades else None
        if trade is not None and (end is None or trade.end_time > end):
            message = (f"Warning: No quote information available at {_time_text(asset, trade.end_time)}, "
                       "order filled using TradeBar data")
            if trade.end_time >= cut_off:
                return trade.close, message, None
            price, end = trade.close, trade.end_time
        if end is None:
            raise InvalidOperationException(
                f"Cannot get {'ask' if side is BUY else 'bid'} price to perform fill for {asset.symbol} because no "
                "market data was found.")
        return price, message, end
