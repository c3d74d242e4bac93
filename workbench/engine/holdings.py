"""What is held of one security (Common/Securities/SecurityHolding.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.members import lean_class

if TYPE_CHECKING:
    from workbench.engine.securities import Security
    from workbench.engine.symbols import Symbol


@lean_class("SecurityHolding")
class SecurityHolding:
    """Signed quantity, average price (dollars per share) and profit of a security."""

    __slots__ = ("_average", "_quantity", "_security", "invested", "last_trade_profit", "listener", "profit_closed",
                 "total_dividends", "total_fees", "total_sale_volume")

    def __init__(self, security: Security) -> None:
        self._security = security
        self._quantity = 0.0
        self._average = 0.0
        self.invested = False
        self.profit_closed = 0.0
        self.last_trade_profit = 0.0
        self.total_fees = 0.0
        self.total_dividends = 0.0
        self.total_sale_volume = 0.0
        self.listener: Any = None

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def symbol(self) -> Symbol:
        return self._security.symbol

    @property
    def security(self) -> Security:
        return self._security

    @property
    def type(self) -> Any:
        return self._security.type

    @property
    def quantity(self) -> float:
        """Contracts or shares, negative when short."""
        return self._quantity

    @property
    def average_price(self) -> float:
        """Dollars per share."""
        return self._average

    @property
    def price(self) -> float:
        return self._security.cache.price

    @property
    def is_long(self) -> bool:
        return self._quantity > 0

    @property
    def is_short(self) -> bool:
        return self._quantity < 0

    @property
    def absolute_quantity(self) -> float:
        return abs(self._quantity)

    @property
    def hold_stock(self) -> bool:
        return self.invested

    @property
    def leverage(self) -> float:
        return self._security.leverage

    @property
    def holdings_cost(self) -> float:
        """Dollars paid (negative for a short)."""
        return self._average * self._quantity * self._security.multiplier

    @property
    def absolute_holdings_cost(self) -> float:
        return abs(self.holdings_cost)

    @property
    def unlevered_holdings_cost(self) -> float:
        return self.holdings_cost / self.leverage

    @property
    def unlevered_absolute_holdings_cost(self) -> float:
        return abs(self.unlevered_holdings_cost)

    @property
    def holdings_value(self) -> float:
        """Dollars at the current price."""
        return self._security.cache.price * self._quantity * self._security.multiplier if self._quantity else 0.0

    @property
    def absolute_holdings_value(self) -> float:
        return abs(self.holdings_value)

    @property
    def profit(self) -> float:
        """Dollars from closed trades and dividends."""
        return self.profit_closed + self.total_dividends

    @property
    def net_profit(self) -> float:
        return self.profit - self.total_fees

    @property
    def unrealized_profit(self) -> float:
        """Dollars if closed now: at bid or ask, less the fee of the closing order (TotalCloseProfit)."""
        return self.total_close_profit()

    @property
    def unrealized_profit_percent(self) -> float:
        cost = self.absolute_holdings_cost
        return self.unrealized_profit / cost if cost else 0.0

    def total_close_profit(self, include_fees: bool = True, exit_price: float | None = None,
                           entry_price: float | None = None, quantity: float | None = None) -> float:
        """Dollars if `quantity` (default all) were closed at `exit_price` (default bid or ask)."""
        if quantity is None:
            if not self.invested:
                return 0.0
            quantity = self._quantity
        security = self._security
        fees = 0.0
        if include_fees and security.fee_model is not None:
            from workbench.engine.fees import market_order_fee
            fees = market_order_fee(security, -quantity)
        price = security.bid_price if self.is_long else security.ask_price
        if exit_price is not None:
            price = exit_price
        elif price == 0:
            price = security.price
        entry = self._average if entry_price is None else entry_price
        return (price - entry) * quantity * security.multiplier - fees

    def get_quantity_value(self, quantity: float, price: float | None = None) -> float:
        """Dollars of a quantity at a price (default the current one)."""
        return (self._security.cache.price if price is None else price) * quantity * self._security.multiplier

    def set_holdings(self, average_price: float, quantity: float) -> None:
        """Set average price and quantity."""
        self._average = float(average_price)
        self._quantity = float(quantity)
        self.invested = abs(self._quantity) >= self._security.symbol_properties.lot_size
        if self.listener is not None:
            self.listener(self._security)

    def __str__(self) -> str:
        return f"{self.symbol.value}: {self._quantity:g} @ {self._average:g}"
