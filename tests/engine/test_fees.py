"""Fees against LEAN's own figures (trace p20) and its tables."""

from types import SimpleNamespace
from typing import Any

import pytest

from workbench.engine.enums import OrderType, SecurityType
from workbench.engine.fees import (
    AlpacaFeeModel,
    CharlesSchwabFeeModel,
    ConstantFeeModel,
    FeeModel,
    InteractiveBrokersFeeModel,
    OrderFeeParameters,
    PublicFeeModel,
    TastytradeFeeModel,
    TradeStationFeeModel,
    WebullFeeModel,
)


def fee(model: FeeModel, kind: SecurityType, quantity: float, **terms: Any) -> float:
    is_open = terms.pop("is_open", True)
    order = SimpleNamespace(
        type=terms.pop("type", OrderType.MARKET),
        quantity=quantity,
        absolute_quantity=abs(quantity),
        limit_price=terms.pop("limit", 0.0),
        stop_price=terms.pop("stop", 0.0),
        time=None,
        group_order_manager=SimpleNamespace(limit_price=terms.pop("net", 0.0)),
        symbol=SimpleNamespace(security_type=kind),
        get_value=lambda price: quantity * price,
    )
    security = SimpleNamespace(
        type=kind,
        price=terms.pop("price", 747.51),
        bid_price=terms.pop("bid", 0.25),
        ask_price=terms.pop("ask", 0.6),
        multiplier=1.0 if kind == SecurityType.EQUITY else 100.0,
        holdings=SimpleNamespace(quantity=terms.pop("held", 0.0)),
        symbol=SimpleNamespace(underlying=SimpleNamespace(value=terms.pop("underlying", "SPX"))),
        exchange=SimpleNamespace(to_local=lambda _: None, date_time_is_open=lambda _: is_open),
    )
    assert not terms
    return model.get_order_fee(OrderFeeParameters(security, order)).value.amount  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [(1, 1.0), (3, 1.0), (7, 1.0), (100, 1.0), (201, 1.005), (1000, 5.0), (2501, 12.505), (10_000, 50.0)],
)
def test_shares_at_interactive_brokers(quantity: float, expected: float) -> None:
    """Half a cent a share, a dollar at least: the fees LEAN charged for GOOG at 747.51."""
    assert fee(InteractiveBrokersFeeModel(), SecurityType.EQUITY, quantity) == expected


def test_shares_at_interactive_brokers_cost_half_a_percent_at_most() -> None:
    """A thousand shares at 20 cents would cost 5 dollars; half a percent of 200 dollars is one."""
    assert fee(InteractiveBrokersFeeModel(), SecurityType.EQUITY, -1000, price=0.2) == 1.0
    assert fee(InteractiveBrokersFeeModel(), SecurityType.EQUITY, 100, price=0.01) == 1.0


@pytest.mark.parametrize(
    ("quantity", "expected"), [(1, 1.0), (2, 1.3), (5, 3.25), (10, 6.5), (99, 64.35), (1000, 650.0)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_options_at_interactive_brokers(quantity: float, expected: float, sign: int) -> None:
    """65 cents a contract at premiums from 10 cents, a dollar at least, to buy as to sell."""
    assert fee(InteractiveBrokersFeeModel(), SecurityType.OPTION, sign * quantity) == expected


@pytest.mark.parametrize(
    ("terms", "rate"),
    [
        ({"bid": 0.05}, 0.5),
        ({"bid": 0.0499}, 0.25),
        ({"bid": 0.1}, 0.65),
        ({"type": OrderType.LIMIT, "limit": 0.07}, 0.5),
        ({"type": OrderType.STOP_MARKET, "stop": 0.04}, 0.25),
        ({"type": OrderType.STOP_LIMIT, "limit": 0.2, "stop": 0.01}, 0.65),
        ({"type": OrderType.COMBO_LIMIT, "net": -1.2}, 0.25),
        ({"type": OrderType.COMBO_LEG_LIMIT, "limit": 1.2}, 0.65),
        ({"type": OrderType.COMBO_MARKET, "bid": 0.06}, 0.5),
    ],
)
def test_option_tier_goes_by_the_price_of_the_order(terms: dict[str, Any], rate: float) -> None:
    """The tier is chosen by limit, stop or net limit; a market order to buy goes by the bid."""
    assert fee(InteractiveBrokersFeeModel(), SecurityType.OPTION, 100, **terms) == pytest.approx(100 * rate)


def test_a_market_sale_goes_by_the_ask() -> None:
    """LEAN takes the ask of the quote for a sale, so a wide quote costs the higher tier."""
    assert fee(InteractiveBrokersFeeModel(), SecurityType.OPTION, -100, bid=0.01, ask=0.6) == 65.0


def test_monthly_volume_lowers_the_option_rate() -> None:
    """50 cents above ten thousand contracts a month, 25 above fifty thousand, 15 above a hundred thousand."""
    for month, expected in ((10_000, 65.0), (10_001, 50.0), (50_001, 25.0), (100_001, 15.0)):
        assert fee(InteractiveBrokersFeeModel(0, month), SecurityType.OPTION, 100) == expected


def test_exercise_of_a_stock_option_is_free() -> None:
    """Exercise orders of stock options cost nothing, those of index options the minimum."""
    model = InteractiveBrokersFeeModel()
    assert fee(model, SecurityType.OPTION, -3, type=OrderType.OPTION_EXERCISE) == 0.0
    assert fee(model, SecurityType.INDEX_OPTION, -3, type=OrderType.OPTION_EXERCISE) == 1.0


@pytest.mark.parametrize(
    ("quantity", "held", "expected"), [(10, 0, 10.0), (-10, 10, 0.0), (-10, 0, 10.0), (10, -3, 0.0)]
)
def test_tastytrade_charges_to_open_only(quantity: float, held: float, expected: float) -> None:
    """A dollar a contract to open a long or a short, nothing to close it."""
    assert fee(TastytradeFeeModel(), SecurityType.OPTION, quantity, held=held) == expected
    assert fee(TastytradeFeeModel(), SecurityType.EQUITY, quantity, held=held) == 0.0


@pytest.mark.parametrize(
    ("model", "option", "index_option", "equity"),
    [
        (CharlesSchwabFeeModel(), 6.5, 10.0, 0.0),
        (TradeStationFeeModel(), 6.0, 10.0, 0.0),
        (TradeStationFeeModel(us_resident=False), 11.0, 15.0, 5.0),
        (AlpacaFeeModel(), 0.0, 0.0, 0.0),
        (PublicFeeModel(), 0.0, 5.0, 0.0),
        (ConstantFeeModel(2.5), 2.5, 2.5, 2.5),
        (FeeModel(), 0.0, 0.0, 0.0),
    ],
)
def test_ten_contracts_at_each_brokerage(model: FeeModel, option: float, index_option: float, equity: float) -> None:
    """The brokerages' flat rates."""
    assert fee(model, SecurityType.OPTION, -10) == option
    assert fee(model, SecurityType.INDEX_OPTION, -10) == index_option
    assert fee(model, SecurityType.EQUITY, -10) == equity


def test_public_charges_shares_outside_regular_hours() -> None:
    """2.99 for an order of shares outside the regular session."""
    assert fee(PublicFeeModel(), SecurityType.EQUITY, 10, is_open=False) == 2.99


@pytest.mark.parametrize(
    ("underlying", "price", "quantity", "kind", "per_contract"),
    [
        ("SPX", 0.99, 1, OrderType.MARKET, 1.07),
        ("SPX", 1.0, 1, OrderType.MARKET, 1.16),
        ("VIX", 0.1, 1, OrderType.MARKET, 0.6),
        ("VIX", 2.0, 1, OrderType.MARKET, 0.95),
        ("XSP", 2.0, 9, OrderType.MARKET, 0.5),
        ("XSP", 2.0, 10, OrderType.MARKET, 0.57),
        ("NDX", 24.0, 1, OrderType.MARKET, 1.0),
        ("NDX", 25.0, 1, OrderType.COMBO_LIMIT, 1.4),
        ("RUT", 25.0, 1, OrderType.MARKET, 0.5),
    ],
)
def test_webull_passes_exchange_fees_on(
    underlying: str, price: float, quantity: float, kind: OrderType, per_contract: float
) -> None:
    """Index options cost 50 cents and the exchange's fee by underlying, price and size."""
    found = fee(WebullFeeModel(), SecurityType.INDEX_OPTION, quantity, underlying=underlying, price=price, type=kind)
    assert found == pytest.approx(quantity * per_contract)
    assert fee(WebullFeeModel(), SecurityType.OPTION, quantity) == 0.0
