"""Exercise, assignment and expiry on single contracts: events, amounts and the words of LEAN's messages."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.engine.enums import OptionRight, OptionStyle, OrderType, SecurityType, SettlementType
from workbench.engine.expiry import (
    DefaultExerciseModel,
    DefaultOptionAssignmentModel,
    NullOptionAssignmentModel,
    OptionAssignmentParameters,
    OptionPortfolioModel,
    is_expired,
    price_of,
)
from workbench.engine.fees import FeeModel
from workbench.engine.order_types import OptionExerciseOrder

UTC_NOW = datetime(2015, 12, 24, 15, 0, tzinfo=UTC)


class Contract(SimpleNamespace):
    """A contract as far as expiry looks at it."""

    def get_intrinsic_value(self, price: float) -> float:
        gap = price - self.strike_price if self.right == OptionRight.CALL else self.strike_price - price
        return max(0.0, float(gap))

    def is_auto_exercised(self, price: float) -> bool:
        return round(self.get_intrinsic_value(price), 8) >= 0.01

    def get_exercise_quantity(self, quantity: float) -> float:
        return (-1.0 if self.right == OptionRight.CALL else 1.0) * quantity * 100


def contract(
    right: str,
    strike: float,
    held: float,
    *,
    price: float = 748.4,
    average: float = 16.5,
    cash: bool = False,
    **terms: Any,
) -> Contract:
    kind = SecurityType.INDEX if cash else SecurityType.EQUITY
    under = SimpleNamespace(
        type=kind, price=price, close=price, bid_price=price - 0.1, ask_price=price + 0.1, fee_model=FeeModel(),
        symbol=SimpleNamespace(value="GOOG"), subscriptions=[],
    )  # fmt: skip
    holdings = SimpleNamespace(
        quantity=held, absolute_quantity=abs(held), is_short=held < 0, is_long=held > 0, average_price=average,
        last_trade_profit=0.0,
    )  # fmt: skip
    side = OptionRight.CALL if right == "C" else OptionRight.PUT
    sid = SimpleNamespace(option_right=side, date=terms.pop("date", datetime(2015, 12, 24)))
    found = Contract(
        right=side, strike_price=strike, holdings=holdings, underlying=under, multiplier=100.0,
        contract_unit_of_trade=100, clock=SimpleNamespace(utc=UTC_NOW), fee_model=FeeModel(),
        symbol=SimpleNamespace(id=sid, value="OPTION"), bid_price=terms.pop("bid", 18.0),
        local_time=terms.pop("local", datetime(2015, 12, 24, 10, 0)), style=terms.pop("style", OptionStyle.AMERICAN),
        exercise_settlement=SettlementType.CASH if cash else SettlementType.PHYSICAL_DELIVERY,
    )  # fmt: skip
    assert not terms
    return found


def exercise(option: Contract) -> list[Any]:
    order = OptionExerciseOrder(option.symbol, -option.holdings.quantity, UTC_NOW)  # type: ignore[arg-type]
    order.id = 7
    return list(DefaultExerciseModel().option_exercise(option, order))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("right", "strike", "held", "message", "assigned", "shares"),
    [
        ("C", 730, -1, "Assigned. Underlying: 748.4000", True, -100),
        ("C", 730, 2, "Automatic Exercise. Underlying: 748.4000", False, 200),
        ("P", 770, 1, "Automatic Exercise. Underlying: 748.4000", False, -100),
        ("P", 770, -3, "Assigned. Underlying: 748.4000", True, 300),
        ("C", 790, -1, "OTM. Underlying: 748.4000", False, 0),
        ("P", 748.4, 1, "OTM. Underlying: 748.4000", False, 0),
        ("P", 748.41, 1, "Automatic Exercise. Underlying: 748.4000", False, -100),
    ],
)
def test_what_an_exercise_delivers(
    right: str, strike: float, held: float, message: str, assigned: bool, shares: float
) -> None:
    """The contract goes at 0 with LEAN's words; in the money by a cent shares come or go at the strike."""
    events = exercise(contract(right, strike, held))
    assert (events[0].fill_quantity, events[0].fill_price, events[0].message) == (-held, 0.0, message)
    assert events[0].is_assignment == assigned
    assert events[0].is_in_the_money == bool(shares)
    if not shares:
        assert len(events) == 1
        return
    assert (events[1].fill_quantity, events[1].fill_price) == (shares, strike)
    assert events[1].message == ("Option Assignment" if assigned else "Option Exercise")
    assert events[1].order_id == events[0].order_id == 7


def test_cash_settlement_delivers_nothing() -> None:
    """An index option has one event only, whose price text keeps the index's own decimals."""
    events = exercise(contract("C", 3700, 1, price=3700.65, cash=True))
    assert [event.message for event in events] == ["Automatic Exercise. Underlying: 3700.65"]


def test_stock_prices_are_printed_with_the_decimals_of_their_data() -> None:
    """Four decimals as in LEAN's files, more where an adjustment factor multiplies them."""
    under = contract("C", 700, 1).underlying
    assert price_of(under) == "748.4000"
    under.subscriptions = [SimpleNamespace(price_decimals=7)]
    assert price_of(under) == "748.4000000"


def booked(option: Contract, *fills: tuple[float, float]) -> str:
    """Book fills, then the exercise of all; returns the end of its message."""
    model = OptionPortfolioModel()
    portfolio = SimpleNamespace(process_fill=lambda security, fill: add(security.holdings, fill))

    def add(holding: Any, fill: Any) -> None:
        held = holding.quantity
        if held * fill.fill_quantity >= 0 and held + fill.fill_quantity:
            value = holding.average_price * held + fill.fill_price * fill.fill_quantity
            holding.average_price = value / (held + fill.fill_quantity)
        elif abs(fill.fill_quantity) > abs(held):
            holding.average_price = fill.fill_price
        holding.quantity = held + fill.fill_quantity

    option.holdings.quantity, option.holdings.average_price = 0.0, 0.0
    for quantity, price in fills:
        ticket = SimpleNamespace(order_type=OrderType.MARKET)
        model.process_fill(portfolio, option, SimpleNamespace(fill_quantity=quantity, fill_price=price, ticket=ticket))  # type: ignore[arg-type]
    quantity = -option.holdings.quantity
    ticket = SimpleNamespace(order_type=OrderType.OPTION_EXERCISE, quantity=quantity)
    event = SimpleNamespace(fill_quantity=quantity, fill_price=0.0, ticket=ticket, message="OTM")
    model.process_fill(portfolio, option, event)  # type: ignore[arg-type]
    return str(event.message)


@pytest.mark.parametrize(
    ("fills", "message"),
    [
        ([(-1, 16.5)], "OTM. Profit: +1650.0"),
        ([(-2, 96.0)], "OTM. Profit: +19200"),
        ([(-1, 0.05)], "OTM. Profit: +5.00"),
        ([(1, 24.5)], "OTM. Loss: -2450.0"),
        ([(1, 0.5), (1, 0.5)], "OTM. Loss: -100.0"),
        ([(1, 0.4), (1, 0.45)], "OTM. Loss: -85.000"),
        ([(3, 0.4), (-1, 0.5)], "OTM. Loss: -80.0"),
        ([(1, 0.4), (-3, 0.5)], "OTM. Profit: +100.0"),
        ([(1, 0.4), (-1, 0.5), (1, 0.25)], "OTM. Loss: -25.00"),
    ],
)
def test_profit_is_told_with_leans_decimals(fills: list[tuple[float, float]], message: str) -> None:
    """Trailing zeros follow from the prices and quotients, as in LEAN's recordings."""
    assert booked(contract("C", 800, 0), *fills) == message


@pytest.mark.parametrize(
    ("right", "strike", "quantity", "price", "message"),
    [
        ("C", 3700, 1, 62.3, "OTM. Loss: -6165.00"),
        ("P", 3800, -1, 56.7, "OTM. Loss: -4265.00"),
        ("C", 3800, -1, 6.0, "OTM. Profit: +600"),
        ("P", 3700, 1, 12.7, "OTM. Loss: -1270.0"),
    ],
)
def test_cash_settled_profit_counts_the_settlement(
    right: str, strike: float, quantity: float, price: float, message: str
) -> None:
    """LEAN's recorded figures: what was paid or received and what the index settles."""
    assert booked(contract(right, strike, 0, price=3700.65, cash=True), (quantity, price)) == message


def test_early_assignment_needs_depth_nearness_and_advantage() -> None:
    """Deep in the money, close to expiry and worth it for the other side: only then, and all contracts."""
    model = DefaultOptionAssignmentModel()

    def assigned(option: Contract) -> float:
        return model.get_assignment(OptionAssignmentParameters(option)).quantity  # type: ignore[arg-type]

    deep = {"average": 96.0, "bid": 96.0}
    assert assigned(contract("C", 650, -2, **deep)) == 2  # type: ignore[arg-type]
    assert assigned(contract("P", 850, -1, **deep)) == 1  # type: ignore[arg-type]
    assert assigned(contract("C", 712, -2, **deep)) == 0  # type: ignore[arg-type]
    assert assigned(contract("C", 650, -2, local=datetime(2015, 12, 19, 23, 59), **deep)) == 0  # type: ignore[arg-type]
    assert assigned(contract("C", 650, -2, local=datetime(2015, 12, 20, 0, 0), **deep)) == 2  # type: ignore[arg-type]
    european = {"style": OptionStyle.EUROPEAN, **deep}
    assert assigned(contract("C", 650, -2, local=datetime(2015, 12, 23, 10, 0), **european)) == 0  # type: ignore[arg-type]
    assert assigned(contract("C", 650, -2, **european)) == 2  # type: ignore[arg-type]
    assert (
        DefaultOptionAssignmentModel(0.2)
        .get_assignment(
            OptionAssignmentParameters(contract("C", 650, -2, **deep))  # type: ignore[arg-type]
        )
        .quantity
        == 0
    )
    parameters = OptionAssignmentParameters(contract("C", 650, -2, **deep))  # type: ignore[arg-type]
    assert NullOptionAssignmentModel().get_assignment(parameters).quantity == 0


@pytest.mark.parametrize(
    ("date", "local", "expired"),
    [
        (datetime(2015, 12, 24), datetime(2015, 12, 24, 12, 59), False),
        (datetime(2015, 12, 24), datetime(2015, 12, 24, 13, 0), True),
        (datetime(2014, 6, 21), datetime(2014, 6, 20, 15, 59), False),
        (datetime(2014, 6, 21), datetime(2014, 6, 20, 16, 0), True),
    ],
)
def test_a_contract_is_over_at_its_last_close(date: datetime, local: datetime, expired: bool) -> None:
    """The close of its date (13:00 on a half day); of the Friday before where the date is a Saturday."""
    closes = {datetime(2015, 12, 24): datetime(2015, 12, 24, 13), datetime(2014, 6, 20): datetime(2014, 6, 20, 16)}
    hours = SimpleNamespace(
        is_date_open=lambda day: day in closes,
        get_previous_trading_day=lambda day: day - timedelta(days=1),
        get_last_daily_market_close=lambda day, extended: closes[day],
    )
    option = SimpleNamespace(
        exchange=SimpleNamespace(hours=hours, to_local=lambda _: local),
        symbol=SimpleNamespace(id=SimpleNamespace(date=date)),
    )
    assert is_expired(option, UTC_NOW) is expired  # type: ignore[arg-type]
