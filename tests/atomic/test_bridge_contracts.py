"""Securities by identifier text, on an algorithm that shows what it was asked."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from atomic.model import LegSpec
from atomic.vocabulary import Right
from tests.atomic.bracket_venue import SPY, Venue, start

#: Time Warner's: identifiers carry the first ticker, which was AOL's
TWX = "AOL R735QTJ8XC9X"


@pytest.fixture
def made() -> Any:
    from workbench.engine.imports import install

    install()
    from atomic.bridge.contracts import Contracts

    asked: list[tuple[str, Any]] = []
    # hashable, as a dictionary of symbols needs it
    symbol = type("Symbol", (), {"id": SimpleNamespace(has_underlying=False, security_type=1), "value": "AOL"})()
    algorithm = SimpleNamespace(
        live_mode=True,
        symbol=lambda text: symbol,
        securities=SimpleNamespace(contains_key=lambda symbol: False),
        add_security=lambda symbol: asked.append(("security", symbol)),
        add_equity=lambda ticker: asked.append(("equity", ticker)),
    )
    return SimpleNamespace(contracts=Contracts(algorithm), asked=asked, symbol=symbol)


def test_shares_of_an_earlier_process_are_subscribed_by_identifier(made: Any) -> None:
    """The ticker that a symbol made from text shows may be another company's by now."""
    made.contracts.subscribe(LegSpec(TWX, 1, Right.SHARE, 0.0, "", TWX, 1.0, 0.01, "TWX"))

    assert made.asked == [("security", made.symbol)]


def bars_of(resolution: int, *, live: bool = False) -> Any:
    """Contracts of an algorithm that has one share with bars of this resolution."""
    from atomic.bridge.contracts import Contracts

    sid = SimpleNamespace(has_underlying=False, security_type=1)
    symbol = type("Symbol", (), {"id": sid, "value": "SPY", "__str__": lambda self: "SPY R735QTJ8XC9X"})()
    security = SimpleNamespace(symbol_properties=SimpleNamespace(minimum_price_variation=0.01), exchange=None,
                               resolution=resolution)  # fmt: skip
    securities = type("Securities", (dict,), {"contains_key": dict.__contains__})({symbol: security})
    settings = SimpleNamespace(stale_price_time_span=timedelta(hours=1))
    algorithm = SimpleNamespace(live_mode=live, symbol=lambda text: symbol, securities=securities, settings=settings)
    return Contracts(algorithm), symbol


@pytest.mark.parametrize(("resolution", "seconds"), [(0, 0.0), (1, 1.0), (2, 60.0), (3, 3600.0)])
def test_a_backtest_learns_how_long_the_bars_are(made: Any, resolution: int, seconds: float) -> None:
    """Tick, second, minute and hour: what rests shows a fill with the next bar only."""
    contracts, symbol = bars_of(resolution)
    contracts.leg(symbol, 1)
    assert (contracts.bar_seconds, contracts.stale_after) == (seconds, 3600.0)


def test_daily_bars_are_refused_with_the_cure(made: Any) -> None:
    """LEAN turns market orders on them into orders for the open or the close; live, orders fill at the market."""
    contracts, symbol = bars_of(4)
    with pytest.raises(ValueError, match=r"SPY has daily bars only: .* subscribe to Resolution.MINUTE"):
        contracts.leg(symbol, 1)
    contracts, symbol = bars_of(4, live=True)
    assert contracts.leg(symbol, 1).name == "SPY"


def test_decisions_rest_on_the_longest_bars_that_are_traded() -> None:
    """A cancel in an hourly backtest ends with the next hour: it is waited for until then."""
    venue = Venue()
    executor, _ = start(venue)
    env = executor.shell.gates.env
    assert env(0.0, opens=False).bar_seconds == 60.0
    venue.bar_seconds, venue.stale_after = 3600.0, 3600.0
    executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert env(0.0, opens=False).bar_seconds == 3600.0
