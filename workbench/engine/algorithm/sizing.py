"""Orders by target weight (QCAlgorithm.SetHoldings, CalculateOrderQuantity)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.enums import OrderType
from workbench.engine.exceptions import unsupported
from workbench.engine.targets import PortfolioTarget, order_quantity_for_target

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine
    from workbench.engine.tickets import OrderTicket
    from workbench.engine.time_in_force import OrderProperties


class Sizing:
    """Target weights of the portfolio's value."""

    _engine: Engine

    if TYPE_CHECKING:
        def market_order(self, symbol: Any, quantity: float, asynchronous: bool = False, tag: str = "",
                         order_properties: OrderProperties | None = None) -> OrderTicket: ...
        def market_on_open_order(self, symbol: Any, quantity: float, asynchronous: bool = False, tag: str = "",
                                 order_properties: OrderProperties | None = None) -> OrderTicket: ...
        def liquidate(self, symbol: Any = None, asynchronous: bool = False, tag: str | None = None,
                      order_properties: OrderProperties | None = None) -> list[OrderTicket]: ...

    def calculate_order_quantity(self, symbol: Any, target: float) -> float:
        """Shares to trade so that the holding becomes this fraction of the portfolio's value."""
        return order_quantity_for_target(self._engine, self._engine.symbol_of(symbol), float(target))

    def set_holdings(self, symbol: Any, percentage: Any = None, liquidate_existing_holdings: bool = False,
                     asynchronous: bool = False, tag: str | None = None,
                     order_properties: OrderProperties | None = None) -> list[OrderTicket]:
        """Trade so that the holding becomes this fraction of the portfolio's value."""
        engine = self._engine
        if isinstance(symbol, (list, tuple)):
            if not all(isinstance(t, PortfolioTarget) for t in symbol):
                raise unsupported("set_holdings with a list of something else than PortfolioTarget")
            tickets: list[OrderTicket] = []
            wanted = {t.symbol for t in symbol}
            if liquidate_existing_holdings or percentage is True:
                tickets += self._liquidate_others(wanted, tag, order_properties)
            deltas = [(t.symbol, self.calculate_order_quantity(t.symbol, t.quantity)) for t in symbol]
            for one, quantity in sorted(deltas, key=lambda d: engine.frees_margin(*d), reverse=True):
                tickets += self._trade(one, quantity, asynchronous, tag, order_properties)
            return tickets
        found = engine.symbol_of(symbol)
        before = self._liquidate_others({found}, tag, order_properties) if liquidate_existing_holdings else []
        return before + self._trade(found, self.calculate_order_quantity(found, percentage), asynchronous, tag,
                                    order_properties)

    def _liquidate_others(self, wanted: set[Any], tag: str | None,
                          properties: OrderProperties | None) -> list[OrderTicket]:
        others = sorted((s for s in self._engine.securities.keys if s not in wanted), key=lambda s: s.value)
        return self.liquidate(others, tag=tag, order_properties=properties)

    def _trade(self, symbol: Any, quantity: float, asynchronous: bool, tag: str | None,
               properties: OrderProperties | None) -> list[OrderTicket]:
        engine = self._engine
        pending = engine.transactions.get_open_orders_remaining_quantity(
            lambda t: t.symbol == symbol and t.order_type in (OrderType.MARKET, OrderType.MARKET_ON_OPEN))
        quantity -= pending
        if abs(quantity) <= 0:
            return []
        security = engine.securities.find(symbol)
        if security is None:
            engine.error(f"{symbol} not found in portfolio. Request this data when initializing the algorithm.")
            return []
        send = self.market_order if security.exchange.exchange_open else self.market_on_open_order
        return [send(symbol, quantity, asynchronous, tag or "", properties)]
