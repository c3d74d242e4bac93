"""What brokerage models take, with LEAN's codes and words (trace p14 and the models' own rules)."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.recordings import TRACES, needs_traces
from workbench.engine.brokerages import (
    AlpacaBrokerageModel,
    DefaultBrokerageModel,
    InteractiveBrokersBrokerageModel,
    InteractiveBrokersFixModel,
    PublicBrokerageModel,
    TastytradeBrokerageModel,
    TradeStationBrokerageModel,
    TradierBrokerageModel,
    WebullBrokerageModel,
    create_brokerage_model,
)
from workbench.engine.enums import AccountType, BrokerageName, MarketHoursState, OrderType, SecurityType, SettlementType
from workbench.engine.fees import ConstantFeeModel, InteractiveBrokersFeeModel, TastytradeFeeModel
from workbench.engine.time_in_force import OrderProperties, TimeInForce

PROBE = {  # what p14 sends under each tag: kind of security, type, quantity held before, legs
    "combo-market-2": (SecurityType.OPTION, OrderType.COMBO_MARKET, 2),
    "combo-market-4": (SecurityType.OPTION, OrderType.COMBO_MARKET, 4),
    "combo-limit-4": (SecurityType.OPTION, OrderType.COMBO_LIMIT, 4),
    "leg-limit-2": (SecurityType.OPTION, OrderType.COMBO_LEG_LIMIT, 2),
    "leg-limit-4": (SecurityType.OPTION, OrderType.COMBO_LEG_LIMIT, 4),
    "option-market": (SecurityType.OPTION, OrderType.MARKET, 0),
    "option-limit": (SecurityType.OPTION, OrderType.LIMIT, 0),
    "option-stop": (SecurityType.OPTION, OrderType.STOP_MARKET, 0),
    "option-stop-limit": (SecurityType.OPTION, OrderType.STOP_LIMIT, 0),
    "option-short": (SecurityType.OPTION, OrderType.LIMIT, 0),
    "equity-market": (SecurityType.EQUITY, OrderType.MARKET, 0),
    "equity-stop": (SecurityType.EQUITY, OrderType.STOP_MARKET, 0),
    "equity-trailing": (SecurityType.EQUITY, OrderType.TRAILING_STOP, 0),
}


def order_of(kind: OrderType, quantity: float = 1, **terms: Any) -> Any:
    properties = OrderProperties()
    properties.time_in_force = terms.pop("time_in_force", TimeInForce.GOOD_TIL_CANCELED)
    if terms.pop("outside", False):
        properties = SimpleNamespace(time_in_force=properties.time_in_force, outside_regular_trading_hours=True)  # type: ignore[assignment]
    legs = terms.pop("legs", 0)
    security_type = terms.pop("security_type", SecurityType.OPTION)
    assert not terms
    return SimpleNamespace(
        type=kind,
        quantity=quantity,
        absolute_quantity=abs(quantity),
        properties=properties,
        time_in_force=properties.time_in_force,
        security_type=security_type,
        group_order_manager=SimpleNamespace(count=legs) if legs else None,
    )


def security_of(kind: SecurityType = SecurityType.OPTION, held: float = 0, **terms: Any) -> Any:
    session = SimpleNamespace(
        state=MarketHoursState.MARKET, start=timedelta(hours=9, minutes=30), end=timedelta(hours=16)
    )
    hours = SimpleNamespace(get_market_hours=lambda _: SimpleNamespace(segments=[session]))
    found = SimpleNamespace(
        type=kind,
        holdings=SimpleNamespace(quantity=held),
        price=terms.pop("price", 100.0),
        exchange=SimpleNamespace(exchange_open=terms.pop("is_open", True), hours=hours),
        local_time=terms.pop("local", datetime(2015, 12, 24, 10, 0)),
        exercise_settlement=terms.pop("settlement", SettlementType.PHYSICAL_DELIVERY),
    )
    assert not terms
    return found


def said(model: DefaultBrokerageModel, security: Any, order: Any) -> str:
    """Empty when the order is taken, else what the brokerage says."""
    taken, message = model.can_submit_order(security, order, None)
    assert taken == (message is None)
    return "" if message is None else str(message)


@needs_traces
@pytest.mark.parametrize(
    "name",
    [
        "DEFAULT",
        "INTERACTIVE_BROKERS_BROKERAGE",
        "TRADE_STATION",
        "CHARLES_SCHWAB",
        "TASTYTRADE",
        "ALPACA",
        "TRADIER_BROKERAGE",
    ],
)
def test_each_recorded_brokerage_answers_as_on_lean(name: str) -> None:
    """All thirteen orders of the probe are taken or refused as recorded, word by word."""
    model = create_brokerage_model(BrokerageName[name], AccountType.MARGIN)
    recording = json.loads((TRACES / f"p14_brokerages__{name}.json").read_text())
    refused: dict[str, str] = {}
    sent: dict[str, tuple[str, float]] = {}
    for _, kind, fields in recording["entries"]:
        if kind == "event":
            sent.setdefault(fields["tag"], (fields["symbol"], fields["quantity"]))
            if fields["message"].startswith("BrokerageModel declared"):
                refused[fields["tag"]] = fields["message"].split("] ", 1)[1]
    assert set(PROBE) == set(sent)
    for tag, (kind, order_type, legs) in PROBE.items():
        held = 1.0 if tag in ("option-stop", "option-stop-limit", "equity-stop", "equity-trailing") else 0.0
        order = order_of(order_type, sent[tag][1], legs=legs, security_type=kind)
        assert said(model, security_of(kind, held), order) == refused.get(tag, ""), tag


def test_interactive_brokers_names_what_it_does_not_take() -> None:
    """Market-on-close of options, unknown time in force and exercise of cash-settled options are refused."""
    model = InteractiveBrokersBrokerageModel()
    found = said(model, security_of(), order_of(OrderType.MARKET_ON_CLOSE))
    assert found.startswith("Warning - Code: Unsupported order type for Option security type - InteractiveBrokers does")
    assert said(model, security_of(SecurityType.EQUITY), order_of(OrderType.MARKET_ON_CLOSE)) == ""
    index = security_of(SecurityType.INDEX_OPTION, settlement=SettlementType.CASH)
    assert "does not support OptionExercise exercises for index" in said(
        model, index, order_of(OrderType.OPTION_EXERCISE)
    )
    assert said(model, security_of(), order_of(OrderType.OPTION_EXERCISE)) == ""
    dated = order_of(OrderType.LIMIT, time_in_force=TimeInForce.good_til_date(datetime(2016, 1, 4)))
    assert said(model, security_of(), dated) == ""
    assert said(InteractiveBrokersFixModel(), security_of(), dated).endswith(
        "The InteractiveBrokersFixModel does not support GoodTilDateTimeInForce time in force."
    )
    assert said(model, security_of(SecurityType.CRYPTO), order_of(OrderType.LIMIT)).endswith(
        "The InteractiveBrokersBrokerageModel does not support Crypto security type."
    )


@pytest.mark.parametrize(
    ("model", "local", "window"),
    [
        (InteractiveBrokersBrokerageModel(), datetime(2015, 12, 24, 16, 0), None),
        (InteractiveBrokersBrokerageModel(), datetime(2015, 12, 24, 9, 27, 59), None),
        (InteractiveBrokersBrokerageModel(), datetime(2015, 12, 24, 9, 28), " 04:00– 09:28"),
        (InteractiveBrokersBrokerageModel(), datetime(2015, 12, 24, 12, 0), " 04:00– 09:28"),
        (TradeStationBrokerageModel(), datetime(2015, 12, 24, 6, 0), None),
        (TradeStationBrokerageModel(), datetime(2015, 12, 24, 5, 59), " 06:00– 09:29"),
        (AlpacaBrokerageModel(), datetime(2015, 12, 24, 19, 0), None),
        (AlpacaBrokerageModel(), datetime(2015, 12, 24, 18, 59), " 07:00– 09:28"),
    ],
)
def test_orders_for_the_open_have_a_window(model: DefaultBrokerageModel, local: datetime, window: str | None) -> None:
    """Each brokerage takes them from the close (or a fixed hour) to minutes before the open, over midnight too."""
    found = said(
        model,
        security_of(SecurityType.EQUITY, local=local),
        order_of(OrderType.MARKET_ON_OPEN, security_type=SecurityType.EQUITY),
    )
    if window is None:
        assert found == ""
    else:
        assert found.startswith(
            f"Warning - Code: NotSupported - MarketOnOpen submission time is invalid. Valid local "
            f"times are {window}. Consider setting daily_precise_end_time = false or using "
        )


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (TradeStationBrokerageModel(), OrderType.COMBO_MARKET),
        (TradeStationBrokerageModel(), OrderType.COMBO_LIMIT),
        (TastytradeBrokerageModel(), OrderType.COMBO_LIMIT),
        (AlpacaBrokerageModel(), OrderType.MARKET_ON_CLOSE),
    ],
)
def test_orders_that_would_cross_zero_are_refused(model: DefaultBrokerageModel, kind: OrderType) -> None:
    """Types that may not cross zero are refused when they would, and taken when they only close."""
    security = SecurityType.EQUITY if kind == OrderType.MARKET_ON_CLOSE else SecurityType.OPTION
    name = type(model).__name__
    for held, quantity in ((1, -2), (-1, 2)):
        found = said(model, security_of(security, held), order_of(kind, quantity, legs=2))
        shown = kind.name.title().replace("_", "")
        assert found.startswith(
            f"Warning - Code: NotSupported - Order type '{shown}' is not supported for orders that cross the zero "
            f"holdings threshold in the {name}."
        )
    for held, quantity in ((1, -1), (-2, 2), (0, -1), (1, 1), (-1, -1)):
        assert said(model, security_of(security, held), order_of(kind, quantity, legs=2)) == ""


def test_tradier_shorts_by_day_order_only_and_not_below_five_dollars() -> None:
    """The rule a legged condor runs into: short good til cancelled refused, short below 5 dollars refused."""
    model = TradierBrokerageModel()
    day = TimeInForce.DAY
    assert "Code: ShortOrderIsGtc" in said(model, security_of(), order_of(OrderType.LIMIT, -1))
    cheap = said(model, security_of(price=4.99), order_of(OrderType.LIMIT, -1, time_in_force=day))
    assert cheap == (
        "Warning - Code: SellShortOrderLastPriceBelow5 - Sell Short order cannot be placed for stock priced below $5"
    )
    assert said(model, security_of(price=5.0), order_of(OrderType.LIMIT, -1, time_in_force=day)) == ""
    assert said(model, security_of(held=1, price=0.05), order_of(OrderType.LIMIT, -1)) == ""
    assert "IncorrectOrderQuantity" in said(model, security_of(), order_of(OrderType.LIMIT, 10_000_001))


def test_tradier_outside_hours() -> None:
    """Closed: an ordinary order is taken with a notice and waits; one that asks for extended hours must fit them."""
    model = TradierBrokerageModel()
    night = security_of(SecurityType.EQUITY, is_open=False, local=datetime(2015, 12, 24, 22, 0))
    plain = order_of(OrderType.LIMIT, security_type=SecurityType.EQUITY)
    taken, message = model.can_submit_order(night, plain)
    assert taken
    assert message is not None
    assert message.code == "ExtendedMarket"
    assert not model.can_execute_order(night, plain)
    extended = order_of(OrderType.LIMIT, security_type=SecurityType.EQUITY, outside=True)
    assert "not currently during the pre or post market session" in said(model, night, extended)
    evening = security_of(SecurityType.EQUITY, is_open=False, local=datetime(2015, 12, 24, 19, 54))
    assert said(model, evening, extended) == ""
    assert model.can_execute_order(evening, extended)


def test_updates_that_brokerages_refuse() -> None:
    """Tradier changes no quantities, TradeStation none of combos or of orders across zero, Public no combos."""
    grow, same = SimpleNamespace(quantity=2), SimpleNamespace(quantity=None)
    order, combo = order_of(OrderType.LIMIT), order_of(OrderType.COMBO_LIMIT, legs=2)
    assert TradierBrokerageModel().can_update_order(security_of(), order, grow)[1].code == "UpdateRejected"  # type: ignore[union-attr, arg-type]
    assert TradierBrokerageModel().can_update_order(security_of(), order, same)[0]  # type: ignore[arg-type]
    station = TradeStationBrokerageModel()
    assert "ComboLimit' is not supported to update quantity" in str(
        station.can_update_order(security_of(), combo, grow)[1]
    )  # type: ignore[arg-type]
    across = order_of(OrderType.LIMIT, -2)
    assert (
        station.can_update_order(security_of(held=1), across, SimpleNamespace(quantity=-3))[1].code == "UpdateRejected"
    )  # type: ignore[union-attr, arg-type]
    assert station.can_update_order(security_of(held=1), across, same)[0]  # type: ignore[arg-type]
    assert not PublicBrokerageModel().can_update_order(security_of(), combo, same)[0]  # type: ignore[arg-type]
    assert DefaultBrokerageModel().can_update_order(security_of(), combo, grow)[0]  # type: ignore[arg-type]


def test_webull_sells_options_by_day_orders_only() -> None:
    """A sale of an option good til cancelled is refused; purchases and day orders are taken."""
    model = WebullBrokerageModel()
    assert said(model, security_of(), order_of(OrderType.LIMIT, -1)) == (
        "Warning - Code: NotSupported - Option sell orders only support DayTimeInForce time in force, but "
        "GoodTilCanceledTimeInForce was specified."
    )
    assert said(model, security_of(), order_of(OrderType.LIMIT, -1, time_in_force=TimeInForce.DAY)) == ""
    assert said(model, security_of(), order_of(OrderType.LIMIT, 1)) == ""


def test_models_bring_their_fees_and_leverage() -> None:
    """Default: Interactive Brokers' fees but none for index options; leverage 2 for shares, 1 for options."""
    model = DefaultBrokerageModel()
    assert isinstance(model.get_fee_model(security_of()), InteractiveBrokersFeeModel)
    assert isinstance(model.get_fee_model(security_of(SecurityType.INDEX_OPTION)), ConstantFeeModel)
    assert isinstance(TastytradeBrokerageModel().get_fee_model(security_of()), TastytradeFeeModel)
    index = security_of(SecurityType.INDEX_OPTION)
    assert isinstance(InteractiveBrokersBrokerageModel().get_fee_model(index), InteractiveBrokersFeeModel)
    assert model.get_leverage(security_of(SecurityType.EQUITY)) == 2.0
    assert model.get_leverage(security_of()) == 1.0


def test_what_is_not_simulated_is_named() -> None:
    """Other brokerages and cash accounts raise with the member and the way out."""
    with pytest.raises(NotImplementedError, match=r"BrokerageName\.BINANCE"):
        create_brokerage_model(BrokerageName.BINANCE)
    with pytest.raises(NotImplementedError, match=r"AccountType\.CASH"):
        create_brokerage_model(BrokerageName.DEFAULT, AccountType.CASH)
