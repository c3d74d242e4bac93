from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.engine.chains import build_chains, requested_chain, settlement_time
from workbench.engine.enums import OptionRight, OptionStyle, SecurityType, TickType
from workbench.engine.exceptions import ArgumentException, DataError, InvalidOperationException
from workbench.engine.feed.universes import read_universe
from workbench.engine.filters import OptionFilterUniverse, default_filter, is_standard, make_filter
from workbench.engine.hours_database import MarketHoursDatabase
from workbench.engine.symbols import Symbol

MONDAY = date(2024, 3, 11)
HEADER = "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility,delta,gamma,vega,theta,rho\n"
HOURS = MarketHoursDatabase.from_data_folder(None)


def universe_text(price: float = 101.0, strikes: tuple[float, ...] = (90, 95, 100, 105, 110),
                  expiries: tuple[str, ...] = ("20240312", "20240315", "20240419")) -> str:
    lines = [f",,,{price},{price},{price},{price},1000,,,,,,,"]
    for expiry in expiries:
        for right in "CP":
            for strike in strikes:
                delta = round((price - strike) / 100 + (0.5 if right == "C" else -0.5), 2)
                lines.append(f"{expiry},{strike},{right},1,1,1,1.5,10,{int(strike)},0.25,{delta},0.01,0.1,-0.05,0.02")
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture
def option(stock: Symbol) -> Any:
    canonical = Symbol.create_canonical_option(stock)
    return SimpleNamespace(symbol=canonical, symbol_properties=SimpleNamespace(strike_multiplier=1.0),
                           exchange=SimpleNamespace(hours=HOURS.entry_of(canonical).exchange_hours))


@pytest.fixture
def chosen(folder: Any, option: Any) -> Any:
    path = folder.text("option/usa/universes/abc/20240308.csv", universe_text())

    def choose(select: Any, now: datetime = datetime(2024, 3, 11)) -> list[str]:
        data = read_universe(path, option.symbol, datetime(2024, 3, 8))
        assert data is not None
        symbols = make_filter(select).filter(OptionFilterUniverse(option, data, now))
        return [f"{s.id.date:%m%d}{'CP'[s.id.option_right]}{s.id.strike_price:g}" for s in symbols]
    return choose


def test_strikes_count_from_the_underlying(chosen: Any) -> None:
    """Between two strikes -1..1 keeps one on each side; only higher ones start at the next."""
    assert chosen(lambda u: u.strikes(-1, 1).expiration(0, 2).calls_only()) == ["0312C100", "0312C105"]
    assert chosen(lambda u: u.strikes(1, 2).expiration(0, 2).calls_only()) == ["0312C105", "0312C110"]
    assert chosen(lambda u: u.strikes(-99, 99).expiration(0, 2).puts_only()) == [
        "0312P90", "0312P95", "0312P100", "0312P105", "0312P110"]


def test_expiration_counts_from_today_or_the_next_trading_day(chosen: Any) -> None:
    """Days till expiry are calendar days; on a closed day they count from the next trading day."""
    assert chosen(lambda u: u.strikes(-1, 0).calls_only().expiration(0, 1)) == ["0312C100", "0312C105"]
    assert chosen(lambda u: u.calls_only().expiration(0, 1)) == chosen(
        lambda u: u.calls_only().expiration(0, 1), datetime(2024, 3, 9))
    assert chosen(lambda u: u.calls_only().expiration(timedelta(days=2), timedelta(days=5)))[0] == "0315C90"


def test_weeklies_are_included_unless_refused(chosen: Any) -> None:
    """Standard contracts expire in the week of the third Friday."""
    assert {name[:4] for name in chosen(lambda u: u)} == {"0312", "0315", "0419"}
    assert {name[:4] for name in chosen(lambda u: u.standards_only())} == {"0315", "0419"}
    assert {name[:4] for name in chosen(lambda u: u.weeklys_only())} == {"0312"}
    assert {name[:4] for name in chosen(lambda u: u.front_month())} == {"0312"}
    assert {name[:4] for name in chosen(lambda u: u.back_month())} == {"0315"}
    with pytest.raises(InvalidOperationException, match="already been applied"):
        chosen(lambda u: u.front_month().standards_only())


def test_a_filter_may_return_symbols_or_nothing_but_no_number(chosen: Any) -> None:
    """Filters change the universe in place; a list of symbols is taken, anything else refused."""
    assert chosen(lambda u: [item.symbol for item in u if item.strike == 90 and item.right == OptionRight.PUT]) == [
        "0312P90", "0315P90", "0419P90"]

    def quietly(universe: OptionFilterUniverse) -> None:
        universe.strikes(0, 0).calls_only()
    assert chosen(quietly) == ["0312C105", "0315C105", "0419C105"]
    with pytest.raises(ArgumentException, match="not a valid argument"):
        chosen(lambda u: 3)
    with pytest.raises(NotImplementedError, match=r"OptionFilterUniverse\.jelly_roll"):
        chosen(lambda u: u.jelly_roll())


def test_figures_of_the_day_before_filter(chosen: Any) -> None:
    """Delta, open interest and volatility come from the universe file."""
    assert chosen(lambda u: u.delta(0.5, 0.57).expiration(0, 2)) == ["0312C95", "0312C100"]
    assert chosen(lambda u: u.open_interest(110, 200).calls_only()) == ["0312C110", "0315C110", "0419C110"]
    assert chosen(lambda u: u.implied_volatility(0.3, 1)) == []


def test_structures_find_their_contracts(chosen: Any) -> None:
    """A condor, a butterfly, a strangle and a spread of the first expiry far enough away."""
    assert chosen(lambda u: u.iron_condor(3, 3, 8)) == ["0315C105", "0315C110", "0315P95", "0315P100"]
    assert sorted(chosen(lambda u: u.iron_butterfly(3, 5))) == ["0315C100", "0315C105", "0315P100", "0315P95"]
    assert chosen(lambda u: u.strangle(3, 5, -5)) == ["0315C105", "0315P95"]
    assert chosen(lambda u: u.straddle(30)) == ["0419C100", "0419P100"]
    assert chosen(lambda u: u.put_spread(3, 5)) == ["0315P95", "0315P105"]
    assert chosen(lambda u: u.iron_condor(3, 20, 30)) == []
    with pytest.raises(ArgumentException, match="ascending"):
        chosen(lambda u: u.iron_condor(3, 10, 5))


def test_the_default_keeps_the_money_for_a_month(folder: Any, option: Any) -> None:
    """Nobody's filter is one strike each side and 35 days."""
    data = read_universe(folder.text("u.csv", universe_text()), option.symbol, datetime(2024, 3, 8))
    assert data is not None
    kept = default_filter().filter(OptionFilterUniverse(option, data, datetime(2024, 3, 11)))
    assert {(s.id.strike_price, s.id.date.day) for s in kept} == {(k, d) for k in (100, 105) for d in (12, 15)}


def test_a_bad_universe_line_is_named(folder: Any, option: Any) -> None:
    """A line that is no contract ends with file and line."""
    path = folder.text("u.csv", HEADER + "20240315,100,C,1,1,1,1,1\n2024,bad\n")
    with pytest.raises(DataError, match=r"u\.csv, line 3"):
        read_universe(path, option.symbol, datetime(2024, 3, 8))


def test_a_chain_by_request_has_the_figures_of_the_day_before(folder: Any, run: Any, stock: Symbol) -> None:
    """Bid and ask are the close; a theta per day becomes one per year; expired contracts are left out."""
    folder.text("option/usa/universes/abc/20240308.csv", universe_text(expiries=("20240308", "20240315")))
    engine: Any = SimpleNamespace(feed=run.feed, clock=SimpleNamespace(time=datetime(2024, 3, 11, 10)))
    chain = requested_chain(engine, stock)
    assert len(chain) == 10
    contract = next(c for c in chain if c.strike == 100 and c.right == OptionRight.PUT)
    assert (contract.bid_price, contract.ask_price, contract.open_interest) == (1.5, 1.5, 100)
    assert (contract.implied_volatility, contract.greeks.delta) == (0.25, -0.49)
    assert contract.greeks.theta == pytest.approx(-0.05 * 365)
    assert contract.underlying_last_price == 101
    later: Any = SimpleNamespace(feed=run.feed, clock=SimpleNamespace(time=datetime(2024, 3, 12, 10)))
    assert len(requested_chain(later, stock)) == 0
    assert run.notes == [f"No data: {folder.root / 'option/usa/universes/abc/20240311.csv'} does not exist"]


def test_a_steps_chain_holds_what_has_data(folder: Any, run: Any, stock: Symbol, call: Symbol) -> None:
    """Contracts with a bar in the slice, quotes or trades, repeated or not; open interest as last published."""
    put = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.PUT, 100, datetime(2024, 3, 15))
    sides = [20_000] * 4 + [1] + [30_000] * 4 + [1]
    folder.trades("abc", MONDAY, [[34_200_000, *[1_000_000] * 4, 5]])
    folder.options("abc", MONDAY, "quote", {call: [[34_200_000, *sides]]})
    folder.options("abc", MONDAY, "trade", {put: [[34_260_000, *[40_000] * 4, 9]]})
    folder.options("abc", MONDAY, "openinterest", {call: [[23_400_000, 77]]})
    run.add(stock, TickType.TRADE)
    for symbol in (call, put):
        run.add(symbol, TickType.TRADE, TickType.QUOTE, TickType.OPEN_INTEREST)
    seen = []
    for step in run.steps(MONDAY, MONDAY):
        if step.has_data:
            chain = build_chains(run.feed, step.moment, step.slice.bars, step.slice.quote_bars)[call.canonical]
            assert step.slice.option_chains[call.canonical].count == chain.count
            seen.append([(c.symbol, c.bid_price, c.ask_price, c.last_price, c.open_interest) for c in chain])
            assert chain.underlying.price == 100
    assert seen[0] == [(call, 2, 3, 0, 77)]
    assert seen[1] == [(put, 0, 0, 4, 0), (call, 2, 3, 0, 77)]
    assert seen[-1] == seen[1]


@pytest.mark.parametrize(("kind", "ticker", "expiry", "expected"), [
    (SecurityType.EQUITY, None, datetime(2015, 12, 24), datetime(2015, 12, 24, 13)),
    (SecurityType.EQUITY, None, datetime(2014, 7, 19), datetime(2014, 7, 18, 16)),
    (SecurityType.INDEX, "SPXW", datetime(2021, 1, 6), datetime(2021, 1, 6, 15)),
    (SecurityType.INDEX, None, datetime(2021, 1, 15), datetime(2021, 1, 15, 8, 30)),
])
def test_when_a_contract_stops(kind: SecurityType, ticker: str | None, expiry: datetime, expected: datetime) -> None:
    """At the close of its last trading day; weekly index options at three in Chicago, monthly ones at the opening."""
    root = Symbol.create("SPX" if kind == SecurityType.INDEX else "ABC", kind, "usa")
    style = OptionStyle.EUROPEAN if kind == SecurityType.INDEX else OptionStyle.AMERICAN
    symbol = Symbol.create_option(root, ticker, "usa", style, OptionRight.CALL, 100, expiry)
    assert settlement_time(symbol, HOURS.entry_of(symbol).exchange_hours) == expected


def test_standard_contracts_are_those_of_the_third_week(stock: Symbol) -> None:
    """LEAN's week runs from the Monday after the second Friday, weeklies of that week left out."""
    def standard(day: int) -> bool:
        return is_standard(Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.CALL, 1,
                                                datetime(2024, 3, day)))
    assert [day for day in range(1, 32) if standard(day)] == [14, 15, 16]
