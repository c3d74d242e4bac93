"""Margin warnings and margin calls (Common/Securities/DefaultMarginCallModel.cs, Engine/AlgorithmManager.cs:368)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

from risk.margin import Group, maintenance_margin
from workbench.engine.buying_power import MarginBook, SecurityView
from workbench.engine.enums import OrderType
from workbench.engine.margin_targets import lots_for_delta
from workbench.engine.orders import GroupOrderManager
from workbench.engine.requests import SubmitOrderRequest

if TYPE_CHECKING:
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.security_manager import SecurityManager
    from workbench.engine.tickets import OrderTicket
    from workbench.engine.transactions import SecurityTransactionManager

EVERY = timedelta(minutes=5)


class MarginCallAlgorithm(Protocol):
    """What a margin call needs of the algorithm."""

    securities: SecurityManager
    portfolio: SecurityPortfolioManager

    @property
    def time(self) -> datetime:
        """Algorithm time."""

    def error(self, message: str) -> None:
        """Log an error."""

    def on_margin_call(self, requests: list[SubmitOrderRequest]) -> Any:
        """Orders are about to be sent; the algorithm's list of them counts."""

    def on_margin_call_warning(self) -> None:
        """Margin is nearly used up."""


class DefaultMarginCallModel:
    """Warns below 5 % of free margin; sells off what reserves most once the account is short by more than a buffer."""

    def __init__(
        self, portfolio: SecurityPortfolioManager, default_order_properties: Any = None, margin_buffer: float = 0.10
    ) -> None:
        self._portfolio = portfolio
        self._transactions: SecurityTransactionManager = portfolio.transactions
        self._properties = default_order_properties
        self._buffer = margin_buffer

    def get_margin_call_orders(self) -> tuple[list[SubmitOrderRequest], bool]:
        """Orders to be sent now, and whether the algorithm is to be warned."""
        portfolio = self._portfolio
        used = portfolio.total_margin_used
        if used <= 0:
            return [], False
        total = portfolio.total_portfolio_value
        remaining = round(portfolio.get_margin_remaining(total), 8)
        warning = remaining <= round(total * 0.05, 8)
        orders: list[SubmitOrderRequest] = []
        if remaining <= 0:
            if round(used, 8) > round(total * (1 + self._buffer), 8):
                for group in cast(MarginBook, portfolio.margin).groups:
                    found = self._orders_for(group, total, used)
                    if found and all(request.quantity for request in found):
                        orders += found
            warning = bool(orders)
        return orders, warning

    def _orders_for(self, group: Group, total: float, used: float) -> list[SubmitOrderRequest]:
        """Orders that reduce one group by what is missing; a combo when it has several legs."""
        if not group.holdings:
            return []
        reserved = maintenance_margin(group)
        keep = max(0.0, reserved - (used - total))
        sign = (group.quantity > 0) - (group.quantity < 0)
        units = abs(lots_for_delta(self._portfolio, group, (reserved - keep) * -sign))
        several = len(group.holdings) > 1
        manager = None
        if several:
            number = self._transactions.get_increment_group_order_manager_id()
            manager = GroupOrderManager(number, len(group.holdings), units)
        requests = []
        for holding in group.holdings:
            security = cast(SecurityView, holding.instrument).security
            lot = float(security.symbol_properties.lot_size)
            per_unit = abs(holding.quantity / group.quantity) if group.name else lot
            quantity = units * per_unit * (-1.0 if holding.quantity > 0 else 1.0)
            if manager is not None:
                quantity *= manager.quantity  # as LEAN does: right for a single unit only
            requests.append(
                SubmitOrderRequest(
                    OrderType.COMBO_MARKET if several else OrderType.MARKET,
                    security.type,
                    security.symbol,
                    quantity,
                    security.clock.utc,
                    "Margin Call",
                    None if self._properties is None else self._properties.clone(),
                    group_order_manager=manager,
                )
            )
        return requests

    def execute_margin_call(self, requests: Iterable[SubmitOrderRequest]) -> list[OrderTicket]:
        """Send the orders, the worst losers first, until the account is in order again."""
        portfolio = self._portfolio
        if round(portfolio.margin_remaining, 8) >= 0:
            return []
        together: dict[int, list[SubmitOrderRequest]] = {}
        alone = -1
        for request in requests:
            manager = request.group_order_manager
            if manager is None:
                together[alone] = [request]
                alone -= 1
            else:
                together.setdefault(manager.id, []).append(request)
        done: list[OrderTicket] = []
        for group in sorted(
            together.values(), key=lambda batch: sum(portfolio[r.symbol].unrealized_profit for r in batch)
        ):
            done += [self._transactions.add_order(request) for request in group]
            if round(portfolio.margin_remaining, 8) >= 0:
                break
        return done


class NullMarginCallModel:
    """No margin calls (`MarginCallModel.NULL`; LEAN's live mode)."""

    def get_margin_call_orders(self) -> tuple[list[SubmitOrderRequest], bool]:
        """Nothing to do."""
        return [], False

    def execute_margin_call(self, requests: Iterable[SubmitOrderRequest]) -> list[OrderTicket]:
        """Nothing to do."""
        return []


class MarginCallModel:
    """The model that never calls: `MarginCallModel.NULL`."""

    NULL = NullMarginCallModel()


class MarginCalls:
    """Looks at the account every five minutes of data."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def step(self, algorithm: MarginCallAlgorithm, utc: datetime) -> None:
        """Warn or call if it is time; called once a time step, after fills and before `on_securities_changed`."""
        if self._next is not None and utc < self._next:
            return
        self._next = utc + EVERY
        model = algorithm.portfolio.margin_call_model
        if model is None:
            return
        orders, warning = model.get_margin_call_orders()
        executed = 0
        if orders and all(algorithm.securities[o.symbol].exchange.exchange_open for o in orders):
            orders = list(algorithm.on_margin_call(orders) or ())
            tickets = model.execute_margin_call(orders)
            executed = len(tickets)
            for ticket in tickets:
                algorithm.error(
                    f"{algorithm.time:%m/%d/%Y %H:%M:%S} - Executed MarginCallOrder: {ticket.symbol} - "
                    f"Quantity: {ticket.quantity:g} @ {ticket.average_fill_price:g}"
                )
        if not executed and warning:
            algorithm.on_margin_call_warning()
