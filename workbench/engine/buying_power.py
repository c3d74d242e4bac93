"""Whether the account can carry an order: LEAN's rules from `risk.margin`, asked about the engine's securities.

Source: Common/Securities/SecurityPortfolioManager.cs (HasSufficientBuyingPowerForOrder), BuyingPowerModel.cs,
Positions/PositionGroupBuyingPowerModel.cs. The rules themselves are in `Library/risk/margin.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from risk.margin import (
    Group,
    Holding,
    Impact,
    Marginable,
    contemplate,
    impact_delta,
    initial_value,
    maintenance_margin,
    margin_used,
    order_initial,
    resolve,
    security_initial,
    security_maintenance,
)
from workbench.engine.enums import OptionRight, OrderDirection, OrderType, SecurityType
from workbench.engine.exceptions import ArgumentException
from workbench.engine.fees import order_fee
from workbench.engine.margin_models import (
    BuyingPowerModel,
    HasSufficientBuyingPowerForOrderParameters,
    OptionMarginModel,
    SecurityMarginModel,
    check_model,
)
from workbench.engine.net_decimal import NetDecimal

if TYPE_CHECKING:
    from workbench.engine.options import Option
    from workbench.engine.orders import Order
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.securities import Security
    from workbench.engine.tickets import OrderTicket

_OPTION_TYPES = frozenset({SecurityType.OPTION, SecurityType.INDEX_OPTION})


class SecurityView:
    """A security as `risk.margin` reads it: terms kept, prices read where they are."""

    __slots__ = (
        "expiry", "is_equity_option", "is_option", "key", "multiplier", "right", "security", "strike", "under",
        "underlying_key", "unit",
    )  # fmt: skip

    def __init__(self, security: Security) -> None:
        self.security = security
        self.key: object = security.symbol
        self.multiplier = security.multiplier
        self.is_option = security.type in _OPTION_TYPES
        self.is_equity_option = security.type == SecurityType.OPTION
        if self.is_option:
            option = cast("Option", security)
            self.right = "C" if option.right == OptionRight.CALL else "P"
            self.strike = option.strike_price
            self.expiry = option.expiry.isoformat()
            self.unit = float(option.contract_unit_of_trade)
            self.under: Security | None = option.underlying
            self.underlying_key: object = security.symbol.underlying
        else:
            self.right, self.strike, self.expiry, self.unit = "", 0.0, "", 1.0
            self.under = None
            self.underlying_key = security.symbol

    @property
    def price(self) -> float:
        return self.security.cache.price

    @property
    def bid(self) -> float:
        return self.security.bid_price

    @property
    def ask(self) -> float:
        return self.security.ask_price

    @property
    def underlying_price(self) -> float:
        return 0.0 if self.under is None else self.under.close

    @property
    def initial_rate(self) -> float:
        model = self.security.buying_power_model
        return 1 / self.security.leverage if model is None else float(model.initial_margin_requirement)

    @property
    def maintenance_rate(self) -> float:
        model = self.security.buying_power_model
        return 1 / self.security.leverage if model is None else float(model.maintenance_margin_requirement)


class _DecimalView:
    """The same security in .NET decimals, for the numbers of a message."""

    _NUMBERS = frozenset(
        {"strike", "multiplier", "unit", "price", "bid", "ask", "underlying_price", "initial_rate", "maintenance_rate"}
    )

    def __init__(self, view: Marginable) -> None:
        self._view = view

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._view, name)
        return NetDecimal(value) if name in self._NUMBERS else value


class MarginBook:
    """Position groups of the account, kept until holdings change, and the answers that follow from them.

    What orders do to the groups does not depend on prices: it is remembered by holdings and orders, so that the check
    at the fill (and of a book that comes back) only computes the margins.
    """

    _KEEP = 4096

    def __init__(
        self, portfolio: SecurityPortfolioManager, ticket_of: Callable[[int], OrderTicket | None]
    ) -> None:
        self._portfolio = portfolio
        self._ticket_of = ticket_of
        self._views: dict[int, SecurityView] = {}
        self._held: tuple[tuple[int, float], ...] | None = None
        self._groups: list[Group] = []
        self._known_groups: dict[object, list[Group]] = {}
        self._known_impacts: dict[object, Impact] = {}

    def holdings_changed(self, security: Security | None = None) -> None:
        """Forget the groups."""
        self._held = None

    def view(self, security: Security) -> SecurityView:
        """The security as margin reads it."""
        found = self._views.get(id(security))
        if found is None or (found.is_option and found.under is not cast("Option", security).underlying):
            found = self._views[id(security)] = SecurityView(security)
            self._held = None
            self._known_groups.clear()
            self._known_impacts.clear()
        return found

    @property
    def groups(self) -> list[Group]:
        """What is held, by strategy."""
        if self._held is None:
            held = [
                Holding(self.view(s), s.holdings.quantity)
                for s in self._portfolio.held.values()
                if s.holdings.invested
            ]
            key = tuple((id(view), quantity) for view, quantity in held)
            known = self._known_groups.get(key)
            if known is None:
                known = self._resolve(held) if held else []
                _keep(self._known_groups, key, known, self._KEEP)
            self._held, self._groups = key, known
        return self._groups

    def _resolve(self, held: list[Holding]) -> list[Group]:
        if self._portfolio.positions_enabled:
            return resolve(held)
        return [Group("", (holding,), holding.quantity) for holding in held]

    def _impact(self, orders: list[Holding]) -> Impact:
        groups = self.groups
        key = (self._held, *[(id(view), quantity) for view, quantity in orders])
        known = self._known_impacts.get(key)
        if known is None:
            known = contemplate(groups, orders)
            _keep(self._known_impacts, key, known, self._KEEP)
        return known

    def total_margin_used(self) -> float:
        """Dollars reserved for all holdings."""
        groups = self.groups
        return round(margin_used(groups), 10) if groups else 0.0

    def freed_by(self, security: Security, direction: OrderDirection) -> float:
        """Dollars an order may use of what a holding outside strategies reserves (GetPositionGroupBuyingPower)."""
        for group in self.groups:
            if not group.name and group.holdings and group.holdings[0].instrument is self.view(security):
                held = group.quantity
                if direction == (OrderDirection.SELL if held > 0 else OrderDirection.BUY):
                    return maintenance_margin(group) + abs(initial_value(group))
        return 0.0

    # -- orders ---------------------------------------------------------------------------------------------------

    def has_sufficient_buying_power(self, orders: list[Order]) -> tuple[bool, str]:
        """Whether the account can carry the orders together, and LEAN's reason when it cannot.

        Raises:
            MarginNotModelledError: for strategies without a rule.
            ArgumentException: when two orders name the same security.
        """
        portfolio = self._portfolio
        if portfolio.positions_enabled:
            wanted = [Holding(self.view(portfolio.securities[o.symbol]), o.quantity) for o in orders]
            impact = self._impact(wanted)
            if impact.grouped:
                return self._group_order(orders, wanted, impact)
        for order in orders:
            security = portfolio.securities[order.symbol]
            model = security.buying_power_model
            if model is None or type(model) in (SecurityMarginModel, OptionMarginModel, BuyingPowerModel):
                enough, reason = self.single_order(security, order)
            else:
                check_model(security, model)
                answer = model.has_sufficient_buying_power_for_order(
                    HasSufficientBuyingPowerForOrderParameters(portfolio, security, order)
                )
                enough, reason = bool(answer.is_sufficient), answer.reason
            if not enough:
                return False, reason
        return True, ""

    def _group_order(self, orders: list[Order], wanted: list[Holding], impact: Impact) -> tuple[bool, str]:
        if len(wanted) > 1 and len({id(h.instrument) for h in wanted}) != len(wanted):
            raise ArgumentException("An item with the same key has already been added.")
        delta = round(impact_delta(impact), 8)
        if delta < 0:
            return True, ""
        if delta <= round(self._portfolio.margin_remaining, 8):
            return True, ""
        exact: Any = impact_delta(
            impact._replace(
                before=tuple(map(_exact_group, impact.before)),
                after=tuple(map(_exact_group, impact.after)),
                alone=tuple(map(_exact_group, impact.alone)),
            )
        )
        ids = ",".join(str(order.id) for order in orders)
        return False, (
            f"Id: {ids}, Maintenance Margin Delta: {NetDecimal.of(exact).normalized()}, "
            f"Free Margin: {self._exact_free().normalized()}"
        )

    def _exact_free(self) -> NetDecimal:
        used = NetDecimal.of(margin_used([_exact_group(g) for g in self.groups]))
        return NetDecimal(self._portfolio.total_portfolio_value) - used

    def single_order(self, security: Security, order: Order) -> tuple[bool, str]:
        """Whether the account can carry one order, its security taken on its own (BuyingPowerModel.cs)."""
        if order.quantity == 0:
            return True, ""
        ticket = self._ticket_of(order.id)
        if ticket is None:
            return False, f"Null order ticket for id: {order.id}"
        held, wanted = security.holdings.quantity, order.quantity
        if order.type == OrderType.OPTION_EXERCISE:
            return self._exercise(cast("Option", security), order, ticket)
        if held * wanted < 0 and abs(held) >= abs(wanted):
            return True, ""
        free = self._free_for(security, wanted, exact=False)
        view = self.view(security)
        needed = self._needed(view, security, order)
        unfilled = (abs(wanted) - abs(ticket.quantity_filled)) / abs(wanted)
        if round(abs(unfilled * needed), 8) <= round(free, 8):
            return True, ""
        exact_needed = NetDecimal.of(self._needed(cast(Any, _DecimalView(view)), security, order))
        remainder = (NetDecimal(abs(wanted)) - abs(ticket.quantity_filled)) / abs(wanted) * exact_needed
        exact_free: Any = self._free_for(security, wanted, exact=True)
        return False, (
            f"Id: {order.id}, Initial Margin: {remainder.normalized()}, "
            f"Free Margin: {NetDecimal.of(exact_free).normalized()}"
        )

    def _needed(self, view: Marginable, security: Security, order: Order) -> float:
        """Signed initial margin of an order and its fee; in .NET decimals when the view is."""
        fee = order_fee(security, order).value.amount
        value = round(order.get_value(security.price) * security.multiplier, 10)
        exact = isinstance(view, _DecimalView)
        quantity: Any = NetDecimal(order.quantity) if exact else order.quantity
        order_value: Any = NetDecimal(value) if exact else value
        return order_initial(view, quantity, order_value, fee)

    def _free_for(self, security: Security, wanted: float, *, exact: bool) -> float:
        """Free margin; an order against a holding may use what that reserves, twice over (GetMarginRemaining)."""
        portfolio = self._portfolio
        free: Any = self._exact_free() if exact else portfolio.margin_remaining
        held = security.holdings.quantity
        if held * wanted < 0:
            view: Any = self.view(security)
            if exact:
                view, held = _DecimalView(view), cast(Any, NetDecimal(held))
            free = free + security_maintenance(view, held) + security_initial(view, abs(held)).total
        model = security.buying_power_model
        percent = 0.0 if model is None else model.required_free_buying_power_percent
        if percent:
            free = free - portfolio.total_portfolio_value * percent
        return cast(float, free if free > 0 else NetDecimal(0) if exact else 0.0)

    def _exercise(self, option: Option, order: Order, ticket: OrderTicket) -> tuple[bool, str]:
        """An exercise needs what the delivery of the shares needs (BuyingPowerModel.cs:260)."""
        under = option.underlying
        if not (option.is_auto_exercised(under.close) and under.is_tradable):
            return True, ""
        from workbench.engine.order_types import LimitOrder

        quantity = option.get_exercise_quantity(order.quantity)
        delivery = LimitOrder(under.symbol, quantity, order.time)
        delivery.id, delivery.limit_price = order.id, option.strike_price
        held = under.holdings.quantity
        if held * quantity < 0 and abs(held) >= abs(quantity):
            return True, ""
        free = self._free_for(under, quantity, exact=False)
        free += security_maintenance(self.view(option), -order.quantity)
        needed = self._needed(self.view(under), under, delivery)
        needed *= (abs(quantity) - abs(ticket.quantity_filled)) / abs(quantity)
        if round(abs(needed), 8) <= round(free, 8):
            return True, ""
        return False, (
            f"Id: {order.id}, Initial Margin: {NetDecimal(needed).normalized()}, "
            f"Free Margin: {NetDecimal(free).normalized()}"
        )


def _keep(memory: dict[Any, Any], key: object, value: object, most: int) -> None:
    if len(memory) >= most:
        memory.clear()
    memory[key] = value


def _exact_holding(holding: Holding) -> Holding:
    return Holding(cast(Any, _DecimalView(holding.instrument)), cast(Any, NetDecimal(holding.quantity)))


def _exact_group(group: Group) -> Group:
    return Group(group.name, tuple(_exact_holding(h) for h in group.holdings), cast(Any, NetDecimal(group.quantity)))
