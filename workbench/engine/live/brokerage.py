"""The paper broker of a live session: the backtest's fills, written to an account that outlives the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.engine.brokerage import BacktestingBrokerage
from workbench.engine.enums import OrderType
from workbench.engine.orders import CANCELED, FILLED, INVALID, PARTIALLY_FILLED, Order, OrderEvent, is_fill
from workbench.paper.account import AccountError

if TYPE_CHECKING:
    from workbench.engine.live.chaos import Chaos
    from workbench.paper.account import PaperAccount

TYPES: Final = {
    OrderType.MARKET: "market", OrderType.LIMIT: "limit", OrderType.STOP_MARKET: "stop_market",
    OrderType.STOP_LIMIT: "stop_limit", OrderType.MARKET_ON_OPEN: "market_on_open",
    OrderType.MARKET_ON_CLOSE: "market_on_close", OrderType.COMBO_MARKET: "combo_market",
    OrderType.COMBO_LIMIT: "combo_limit", OrderType.COMBO_LEG_LIMIT: "combo_leg_limit",
    OrderType.TRAILING_STOP: "trailing_stop", OrderType.LIMIT_IF_TOUCHED: "limit_if_touched",
    OrderType.OPTION_EXERCISE: "option_exercise",
}  # fmt: skip


class PaperBrokerage(BacktestingBrokerage):
    """Places, fills and ends orders as the backtest does, and books each step in the paper account first."""

    def __init__(self, host: Any, account: PaperAccount, chaos: Chaos) -> None:
        super().__init__(host)
        self.account = account
        self._chaos = chaos
        #: broker's id by LEAN's order id
        self._ids: dict[int, int] = {}

    @property
    def _now(self) -> float:
        return self._clock.utc.timestamp()

    def place_order(self, order: Order) -> bool:
        """Take a new order into the account; the broker's id becomes known with it."""
        if self._chaos.happens(self._chaos.plan.refuse):
            return False
        self._chaos.point("before-send", self._now)
        manager = order.group_order_manager
        number = self.account.submit(
            str(order.symbol.id), order.quantity, TYPES[order.type], self._now, order.limit_price, order.stop_price,
            0 if manager is None else manager.id,
        )  # fmt: skip
        self._ids[order.id] = number
        self._chaos.point("unacknowledged", self._now)
        if super().place_order(order):
            order.broker_id[:] = [str(number)]
            return True
        return False

    def adopt(self, order: Order, number: int) -> None:
        """Work on for an order that was open when the process started."""
        self._ids[order.id] = number
        order.broker_id[:] = [str(number)]
        self._keep(order)

    def update_order(self, order: Order) -> bool:
        """Change it at the broker first; False when the broker has ended it."""
        number = self._ids.get(order.id)
        self._chaos.point("replacing", self._now)
        if number is not None and not self.account.update(
            number, self._now, order.quantity, order.limit_price, order.stop_price
        ):
            return False
        return super().update_order(order)

    def cancel_order(self, order: Order) -> bool:
        """Cancel at the broker first."""
        if self._chaos.happens(self._chaos.plan.refuse_cancel):
            return False
        orders = self._group(order)
        self._chaos.point("before-cancel", self._now)
        for one in orders or ():
            number = self._ids.get(one.id)
            if number is not None:
                self.account.end(number, "canceled", self._now)
        self._chaos.point("cancelling", self._now)
        return super().cancel_order(order)

    def _remove(self, orders: list[Order], status: Any, message: str = "") -> None:
        for order in orders:
            number = self._ids.get(order.id)
            if number is not None:
                self.account.end(number, "expired" if status is CANCELED else "rejected", self._now)
        super()._remove(orders, status, message)

    def _emit(self, orders: list[Order], fills: list[OrderEvent]) -> None:
        """Book every fill at the broker, then hand the events on: a kill in between loses the news, not the trade."""
        for event in fills:
            if is_fill(event.status) and event.fill_quantity:
                self._book(event, len(orders))
            elif event.status in (INVALID, CANCELED):
                number = self._ids.get(event.order_id)
                if number is not None:
                    self.account.end(number, "rejected" if event.status is INVALID else "canceled", self._now)
        super()._emit(orders, fills)

    def _book(self, event: OrderEvent, group: int) -> None:
        security = self._host.securities.find(event.symbol)
        multiplier = 1.0 if security is None else float(security.multiplier)
        fee = float(event.order_fee.value.amount)
        number = self._ids.get(event.order_id)
        if number is None:
            # exercise and assignment: no order of the broker's book moves these
            self.account.settle(str(event.symbol.id), event.fill_quantity, event.fill_price, multiplier)
            return
        try:
            row = self.account.order(number)
        except AccountError:
            return
        left = abs(row.quantity) - row.filled
        quantity = event.fill_quantity if group > 1 else self._chaos.part(event.fill_quantity)
        if abs(quantity) > left > 0:
            quantity = left if quantity > 0 else -left
        if quantity != event.fill_quantity or abs(quantity) < left:
            event.fill_quantity = quantity
            event.status = FILLED if abs(quantity) >= left else PARTIALLY_FILLED
        self.account.fill(number, quantity, event.fill_price, fee, self._now, multiplier)
        self._chaos.point("filled" if event.status is FILLED else "partial", self._now)
