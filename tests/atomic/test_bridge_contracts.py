"""Securities by identifier text, on an algorithm that shows what it was asked."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from atomic.model import LegSpec
from atomic.plan import Env
from atomic.plan.terms import bars_of
from atomic.plan.trouble import cancel_time
from atomic.vocabulary import Outcome, Right
from tests.atomic.bracket_venue import SPY, start
from tests.atomic.desk import C, Desk, P
from tests.atomic.desk import leg as desk_leg

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


def trading(resolution: int, *, live: bool = False, subscribed: bool = True) -> Any:
    """Contracts and the leg of an algorithm that has one share with bars of this resolution."""
    from atomic.bridge.contracts import Contracts

    sid = type("Id", (), {"has_underlying": False, "security_type": 1, "__str__": lambda self: "SPY R735QTJ8XC9X"})()
    symbol = type("Symbol", (), {"id": sid, "value": "SPY"})()
    security = SimpleNamespace(symbol_properties=SimpleNamespace(minimum_price_variation=0.01), exchange=None,
                               resolution=resolution, subscriptions=["config"] * subscribed)  # fmt: skip
    securities = type("Securities", (dict,), {"contains_key": dict.__contains__})({symbol: security})
    settings = SimpleNamespace(stale_price_time_span=timedelta(hours=1))
    algorithm = SimpleNamespace(live_mode=live, symbol=lambda text: symbol, securities=securities, settings=settings)
    contracts = Contracts(algorithm)
    return contracts, contracts.leg(symbol, 1), security


@pytest.mark.parametrize(("resolution", "found"), [(0, {}), (1, {}), (2, {}), (3, {"SPY R735QTJ8XC9X": 3600.0})])
def test_a_backtest_learns_whose_bars_are_long(made: Any, resolution: int, found: dict[str, float]) -> None:
    """Tick, second, minute and hour: what rests shows a fill with the next bar only."""
    contracts, leg, _ = trading(resolution)
    contracts.subscribe(leg)
    assert contracts.long_bars == found


@pytest.mark.parametrize(
    "kind", [4, 5, 7, 8, 9, 11], ids=["forex", "future", "crypto", "future option", "index", "perpetual"]
)
def test_what_groups_are_not_made_of_is_refused_by_name(made: Any, kind: int) -> None:
    """Another multiplier, settlement or fraction than those of shares and options: nobody counts it as a share."""
    identity = SimpleNamespace(has_underlying=kind == 8, security_type=kind)
    symbol = type("Symbol", (), {"id": identity, "value": "ESZ5"})()
    with pytest.raises(ValueError, match=r"ESZ5 is of type .*shares and of options"):
        made.contracts.leg(symbol, 1)


def test_daily_bars_are_refused_with_the_cure(made: Any) -> None:
    """LEAN turns market orders on them into orders for the open or the close; minute data added later is found."""
    contracts, leg, security = trading(4)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"daily bars only: .* subscribe to Resolution.MINUTE"):
            contracts.subscribe(leg)
    security.resolution = 2
    contracts.subscribe(leg)


@pytest.mark.parametrize("case", [{"live": True}, {"subscribed": False}])
def test_daily_bars_are_no_matter_live_and_where_nothing_is_subscribed(made: Any, case: dict[str, bool]) -> None:
    """Live, orders fill at the market; LEAN calls what has lost its subscriptions daily: it can be closed."""
    contracts, leg, _ = trading(4, **case)
    contracts.subscribe(leg)
    assert leg.name == "SPY"


def test_what_is_not_known_of_a_contract_is_not_kept(made: Any) -> None:
    """The tick of a contract without data is a guess: it is asked for again when there is some."""
    contracts, leg, _ = trading(2)
    symbol = contracts.symbol(leg.symbol)
    contracts._securities.clear()
    contracts._legs.clear()
    contracts._asked.clear()
    kept = contracts._algorithm.securities.pop(symbol)
    contracts._algorithm.add_security = lambda symbol: 1 / 0
    assert contracts.leg(symbol, 1).tick == 0.01
    kept.symbol_properties.minimum_price_variation = 0.05
    contracts._algorithm.securities[symbol] = kept
    assert contracts.leg(symbol, 1).tick == 0.05


def test_a_contract_without_data_is_subscribed_before_its_tick_is_read(made: Any) -> None:
    """Prices of a leg from a chain stand on the contract's own grid, also where nobody had subscribed to it."""
    contracts, leg, security = trading(2)
    symbol = contracts.symbol(leg.symbol)
    securities = contracts._algorithm.securities
    contracts._securities.clear()
    contracts._legs.clear()
    contracts._asked.clear()
    securities.clear()
    security.symbol_properties.minimum_price_variation = 0.05
    contracts._algorithm.add_security = lambda symbol: securities.update({symbol: security})
    assert contracts.leg(symbol, 1).tick == 0.05


def test_a_group_waits_for_the_longest_bars_of_its_own_legs() -> None:
    """A cancel in an hourly contract ends with the next hour; what others trade is no matter."""
    hourly, other = Desk([desk_leg(1, C, 105)]).group, Desk([desk_leg(1, P, 95)]).group
    env = Env(bar_data=True, long_bars={hourly.legs[0].spec.symbol: 3600.0})
    assert (bars_of(hourly, env), bars_of(other, env)) == (3600.0, 60.0)
    assert (cancel_time(hourly, env), cancel_time(other, env)) == (7201.0, 121.0)


def test_a_position_with_daily_bars_cannot_be_protected_in_a_backtest() -> None:
    """Nothing would be watched between two bars: said before anything changes."""
    executor, venue = start()
    venue.holdings[SPY.symbol] = 10

    def refuse(leg: LegSpec) -> None:
        raise ValueError("daily bars only")

    venue.subscribe = refuse
    with pytest.raises(ValueError, match="no data of SPY: daily bars only"):
        executor.protect_position(SPY, 10, stop_loss_price=99.0)
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert (group.outcome, group.reason) == (Outcome.REFUSED, "no data of SPY: daily bars only")
