from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.engine.bars import QuoteBar, TradeBar
from workbench.engine.enums import DataNormalizationMode, OptionRight, OptionStyle, Resolution, SecurityType
from workbench.engine.history import HistoryProvider, seed
from workbench.engine.symbols import Symbol

MONDAY, TUESDAY = date(2024, 3, 11), date(2024, 3, 12)
OPEN = 34_200_000


def bar(minute: int, price: int) -> list[int]:
    return [OPEN + minute * 60_000, *[price * 10_000] * 4, 100 + minute]


def quote(minute: int, bid: int, ask: int) -> list[int]:
    return [OPEN + minute * 60_000, *[bid * 10_000] * 4, 3, *[ask * 10_000] * 4, 4]


@pytest.fixture
def ask(folder: Any, run: Any) -> Any:
    """A history call of a run that stands at 09:40 on Tuesday."""
    folder.trades("abc", MONDAY, [bar(n, 10) for n in range(380, 390)])
    folder.trades("abc", TUESDAY, [bar(0, 20), bar(2, 22), bar(9, 29), bar(10, 30)])
    folder.quotes("abc", TUESDAY, [quote(9, 28, 32)])
    now = datetime(2024, 3, 12, 9, 40, tzinfo=run.feed.zone).astimezone(UTC)
    engine: Any = SimpleNamespace(
        data=folder.root, hours=run.feed.hours, map_files=run.map_files, feed=run.feed,
        clock=SimpleNamespace(utc=now), symbol_of=lambda item: item,
        securities=SimpleNamespace(find=lambda _: None, values=[]),
        universe_settings=SimpleNamespace(data_normalization_mode=DataNormalizationMode.ADJUSTED))

    def call(*args: Any, **kwargs: Any) -> Any:
        return HistoryProvider(engine).history(*args, **kwargs)
    call.engine = engine  # type: ignore[attr-defined]
    return call


def test_bars_are_counted_back_through_the_night(ask: Any, stock: Symbol) -> None:
    """Twelve bars at 09:40 are ten of today and two of the day before; gaps are filled, nothing of the future shows."""
    frame = ask(TradeBar, stock, 12, Resolution.MINUTE)
    assert list(frame.index.names) == ["symbol", "time"]
    times = [moment for _, moment in frame.index]
    assert (times[0], times[2], times[-1], len(times)) == (
        datetime(2024, 3, 11, 15, 59), datetime(2024, 3, 12, 9, 31), datetime(2024, 3, 12, 9, 40), 12)
    assert list(frame["close"]) == [10, 10, 20, 20, 22, 22, 22, 22, 22, 22, 22, 29]
    assert list(frame.columns) == ["close", "high", "low", "open", "volume"]


def test_quotes_and_trades_share_a_row(ask: Any, stock: Symbol) -> None:
    """Prices are the trades', sides the quotes'."""
    last = ask(stock, timedelta(minutes=3), Resolution.MINUTE).iloc[-1]
    assert (last["close"], last["bidclose"], last["askclose"], last["bidsize"], last["volume"]) == (29, 28, 32, 3, 109)
    only = ask(QuoteBar, [stock], 3, Resolution.MINUTE)
    assert list(only["close"]) == [30]
    assert "volume" not in only


def test_a_span_and_two_times_mean_the_same(ask: Any, stock: Symbol) -> None:
    """Start and end are algorithm times; the end is cut at now."""
    span = ask(TradeBar, stock, timedelta(minutes=5), Resolution.MINUTE)
    between = ask(TradeBar, stock, start=datetime(2024, 3, 12, 9, 35), end=datetime(2024, 3, 12, 16),
                  resolution=Resolution.MINUTE)
    assert span.equals(between)
    assert list(span["close"]) == [29]


def test_without_filling_only_real_bars_come(ask: Any, stock: Symbol) -> None:
    """`fill_forward=False` leaves the gaps."""
    frame = ask(TradeBar, stock, 10, Resolution.MINUTE, fill_forward=False)
    assert list(frame["close"]) == [20, 22, 29]


def test_contracts_are_indexed_by_their_terms(ask: Any, folder: Any, call: Symbol) -> None:
    """A contract's row carries expiry, strike and type."""
    folder.options("abc", TUESDAY, "quote", {call: [quote(5, 1, 2)]})
    frame = ask(call, 5, Resolution.MINUTE)
    assert list(frame.index.names) == ["expiry", "strike", "type", "symbol", "time"]
    assert frame.index[0][:4] == (datetime(2024, 3, 15), 100.0, "Call", call)


def test_daily_bars_last_from_open_to_close(ask: Any, folder: Any, stock: Symbol) -> None:
    """Three daily bars before now, adjusted; today's is not over."""
    folder.text("equity/usa/factor_files/abc.csv", "20240307,1,0.5,10\n20501231,1,1,0\n")
    folder.zip("equity/usa/daily/abc.zip", {"abc.csv": [
        *([f"2024030{day} 00:00", *[10_000 * day] * 4, 50] for day in (6, 7, 8)),
        ["20240311 00:00", 1, 1, 1, 10_000, 5], ["20240312 00:00", 1, 1, 1, 99, 5]]})
    frame = ask(stock, 3, Resolution.DAILY)
    assert list(frame["close"]) == [3.5, 8, 1]
    assert list(frame["volume"]) == [100, 50, 5]
    assert [moment for _, moment in frame.index] == [datetime(2024, 3, day, 16) for day in (7, 8, 11)]


def test_nothing_found_is_an_empty_frame(ask: Any, stock: Symbol) -> None:
    """A symbol without files has no rows."""
    other = Symbol.create("NONE", SecurityType.EQUITY, "usa")
    assert ask(other, 5, Resolution.MINUTE).empty


def test_what_is_not_supported_says_so(ask: Any, stock: Symbol) -> None:
    """Flat frames, ticks and calls without a length are refused."""
    with pytest.raises(NotImplementedError, match="flatten"):
        ask(stock, 5, Resolution.MINUTE, flatten=True)
    with pytest.raises(NotImplementedError, match=r"Resolution\.TICK"):
        ask(stock, 5, Resolution.TICK)
    with pytest.raises(TypeError, match="periods"):
        ask(stock)


def test_the_last_known_bars_seed_a_security(ask: Any, folder: Any, stock: Symbol) -> None:
    """The last trade and quote of the last day's worth of minutes, none of them repeated ones."""
    put = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.PUT, 50, datetime(2024, 3, 15))
    folder.options("abc", MONDAY, "quote", {put: [quote(5, 1, 2), quote(7, 2, 3)]})
    folder.options("abc", TUESDAY, "trade", {put: [bar(3, 4), bar(30, 5)]})
    trade, last = seed(ask.engine, put, ask.engine.clock.utc)
    assert trade is not None
    assert last is not None
    assert (trade.close, trade.end_time) == (4, datetime(2024, 3, 12, 9, 34))
    assert (last.close, last.end_time) == (2.5, datetime(2024, 3, 11, 9, 38))
