from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.engine.enums import (
    DataNormalizationMode,
    DelistingType,
    OptionRight,
    OptionStyle,
    SecurityType,
    TickType,
)
from workbench.engine.exceptions import DataError
from workbench.engine.feed.absent import why_nothing
from workbench.engine.symbols import Symbol

MONDAY, TUESDAY, WEDNESDAY = date(2024, 3, 11), date(2024, 3, 12), date(2024, 3, 13)
FRIDAY = date(2024, 3, 15)
OPEN = 34_200_000
MINUTE = 60_000


def bar(minute: int, price: int, volume: int = 100) -> list[int]:
    """A trade bar of the n-th minute after 09:30; dollars."""
    return [OPEN + minute * MINUTE, *[price * 10_000] * 4, volume]


def quote(minute: int, bid: int | None, ask: int | None) -> list[Any]:
    """A quote bar of the n-th minute after 09:30; dollars, None for no quote."""
    sides = [[price * 10_000] * 4 + [7] if price is not None else ["", "", "", "", 0] for price in (bid, ask)]
    return [OPEN + minute * MINUTE, *sides[0], *sides[1]]


def local(run: Any, step: Any) -> datetime:
    return step.utc.astimezone(run.feed.zone).replace(tzinfo=None)  # type: ignore[no-any-return]


def test_every_open_minute_after_the_first_bar_is_a_step(folder: Any, run: Any, stock: Symbol) -> None:
    """A bar is repeated until the next one, without volume, through the night, and only while the market is open."""
    folder.trades("abc", MONDAY, [bar(5, 10), bar(7, 11)])
    folder.trades("abc", TUESDAY, [bar(2, 12)])
    run.add(stock, TickType.TRADE)
    shown = {}
    for step in run.steps(MONDAY, TUESDAY):
        found = step.slice.bars.get(stock)
        if found is not None:
            shown[local(run, step)] = (found.close, found.volume, found.is_fill_forward)
            assert found.end_time == local(run, step)
            assert found.time == found.end_time - timedelta(minutes=1)
    first = datetime(2024, 3, 11, 9, 36)
    assert min(shown) == first
    assert len(shown) == 385 + 390
    assert shown[first] == (10, 100, False)
    assert shown[first + timedelta(minutes=1)] == (10, 0, True)
    assert shown[first + timedelta(minutes=2)] == (11, 100, False)
    assert shown[datetime(2024, 3, 11, 16, 0)] == (11, 0, True)
    assert shown[datetime(2024, 3, 12, 9, 32)] == (11, 0, True)
    assert shown[datetime(2024, 3, 12, 9, 33)] == (12, 100, False)
    assert max(shown) == datetime(2024, 3, 12, 16, 0)


def test_without_fill_forward_only_real_bars_are_shown(folder: Any, run: Any, stock: Symbol) -> None:
    """A subscription may leave gaps."""
    folder.trades("abc", MONDAY, [bar(5, 10), bar(7, 11)])
    holder = run.add(stock, TickType.TRADE, fill_forward=False)
    seen = [(local(run, step).minute, holder.cache.price) for step in run.steps(MONDAY, MONDAY) if step.has_data]
    assert seen == [(36, 10), (38, 11)]


def test_repeated_bars_are_not_kept(folder: Any, run: Any, stock: Symbol) -> None:
    """The price cache holds the last real bar, with the time it had."""
    folder.trades("abc", MONDAY, [bar(0, 10)])
    holder = run.add(stock, TickType.TRADE)
    for step in run.steps(MONDAY, MONDAY):
        last = holder.cache.get_data()
        if step.has_data:
            assert last.end_time == datetime(2024, 3, 11, 9, 31)
            assert not last.is_fill_forward


def test_bars_outside_the_hours_are_repeated_but_never_known(folder: Any, run: Any, stock: Symbol) -> None:
    """A pre-market bar is shown when the market opens without one; the price stays what it was."""
    folder.trades("abc", MONDAY, [bar(-60, 9), bar(2, 10)])
    holder = run.add(stock, TickType.TRADE)
    prices = [(local(run, step).minute, step.slice.bars[stock].close, holder.cache.price)
              for step in run.steps(MONDAY, MONDAY) if step.has_data][:3]
    assert prices == [(31, 9, 0), (32, 9, 0), (33, 10, 10)]


def test_extended_hours_show_the_whole_day(folder: Any, run: Any, stock: Symbol) -> None:
    """With extended market hours bars run from 04:00 to 20:00."""
    folder.trades("abc", MONDAY, [bar(-330, 9)])
    run.add(stock, TickType.TRADE, extended=True)
    times = [local(run, step) for step in run.steps(MONDAY, MONDAY) if step.has_data]
    assert (times[0], times[-1], len(times)) == (datetime(2024, 3, 11, 4, 1), datetime(2024, 3, 11, 20), 960)


def test_a_missing_side_keeps_the_last_quote(folder: Any, run: Any, stock: Symbol, call: Symbol) -> None:
    """A quote without a bid shows the bid before it, over the night too; before the first bid there is none."""
    folder.options("abc", MONDAY, "quote", {call: [quote(0, None, 5), quote(1, 2, 6), quote(2, None, 7)]})
    folder.options("abc", TUESDAY, "quote", {call: [quote(0, None, 8)]})
    holder = run.add(call, TickType.QUOTE)
    seen = {}
    for step in run.steps(MONDAY, TUESDAY):
        found = step.slice.quote_bars.get(call)
        if found is not None:
            seen[local(run, step)] = (found.bid and found.bid.close, found.ask.close, found.close,
                                      holder.cache.bid_price, holder.cache.ask_price, holder.cache.price)
    day = datetime(2024, 3, 11, 9, 30)
    assert seen[day + timedelta(minutes=1)] == (None, 5, 5, 0, 5, 5)
    assert seen[day + timedelta(minutes=2)] == (2, 6, 4, 2, 6, 4)
    assert seen[day + timedelta(minutes=3)] == (2, 7, 4.5, 2, 7, 4.5)
    assert seen[day + timedelta(days=1, minutes=1)] == (2, 8, 5, 2, 8, 5)


def test_a_stocks_price_is_its_trade_and_an_options_the_later_of_both(folder: Any, run: Any, stock: Symbol,
                                                                      call: Symbol) -> None:
    """Quotes give a stock bid and ask only; an option's price is the quote's middle unless a trade is newer."""
    folder.trades("abc", MONDAY, [bar(0, 10)])
    folder.quotes("abc", MONDAY, [quote(0, 20, 22)])
    folder.options("abc", MONDAY, "trade", {call: [bar(0, 3), bar(2, 9)]})
    folder.options("abc", MONDAY, "quote", {call: [quote(0, 4, 6), quote(1, 5, 7)]})
    shares, contract = run.add(stock), run.add(call)
    prices = [(shares.cache.price, shares.cache.bid_price, shares.cache.ask_price, contract.cache.price)
              for step in run.steps(MONDAY, MONDAY) if step.has_data][:3]
    assert prices == [(10, 20, 22, 5), (10, 20, 22, 6), (10, 20, 22, 9)]


def test_expiry_is_warned_of_and_ends_the_data(folder: Any, run: Any, stock: Symbol) -> None:
    """The warning comes at the first moment of the last day, the end at the following midnight if a day follows."""
    contract = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.CALL, 100,
                                    datetime(2024, 3, 12))
    folder.options("abc", MONDAY, "quote", {contract: [quote(0, 1, 2)]})
    run.add(contract)
    events, times = [], []
    for step in run.steps(MONDAY, WEDNESDAY):
        events += [(local(run, step), event.type) for event in step.delistings]
        if step.slice.quote_bars.count:
            times.append(local(run, step))
    assert events == [(datetime(2024, 3, 12), DelistingType.WARNING), (datetime(2024, 3, 13), DelistingType.DELISTED)]
    assert max(times) == datetime(2024, 3, 12, 16, 0)


def test_no_end_without_a_day_after_it(folder: Any, run: Any, stock: Symbol) -> None:
    """A run that ends on the expiry day never sees the delisting."""
    contract = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.CALL, 100,
                                    datetime(2024, 3, 12))
    run.add(contract)
    events = [event.type for step in run.steps(MONDAY, TUESDAY) for event in step.delistings]
    assert events == [DelistingType.WARNING]


def test_a_subscription_in_mid_run_begins_after_now(folder: Any, run: Any, stock: Symbol, call: Symbol) -> None:
    """It sees nothing of before, repeats nothing before its own first bar, and comes with a step of its own."""
    folder.trades("abc", MONDAY, [bar(0, 10)])
    folder.options("abc", MONDAY, "quote", {call: [quote(0, 1, 2), quote(9, 3, 4), quote(20, 5, 6)]})
    run.add(stock, TickType.TRADE)
    added, seen, changes = None, [], []
    for step in run.steps(MONDAY, MONDAY):
        if added is None and local(run, step).minute == 40:
            added = run.add(call, TickType.QUOTE)
        elif added is not None:
            if step.changes is not None:
                changes.append((local(run, step), [s.symbol for s in step.changes.added_securities], step.has_data))
            if step.slice.quote_bars.count:
                seen.append((local(run, step), added.cache.price))
    assert changes == [(datetime(2024, 3, 11, 9, 40), [call], False)]
    assert seen[0] == (datetime(2024, 3, 11, 9, 51), 5.5)


def test_a_removed_subscription_is_shown_no_more(folder: Any, run: Any, stock: Symbol) -> None:
    """Its price stays what it was."""
    folder.trades("abc", MONDAY, [bar(n, 10 + n) for n in range(30)])
    holder = run.add(stock, TickType.TRADE)
    other = Symbol.create("XYZ", SecurityType.EQUITY, "usa")
    folder.trades("xyz", MONDAY, [bar(0, 1)])
    run.add(other, TickType.TRADE)
    counts = []
    for step in run.steps(MONDAY, MONDAY):
        if local(run, step) == datetime(2024, 3, 11, 9, 40):
            run.feed.remove(stock)
        if step.has_data:
            counts.append(step.slice.bars.count)
    assert counts[:12] == [2] * 10 + [1] * 2
    assert holder.cache.price == 19


def test_prices_are_adjusted_for_what_came_later(folder: Any, run: Any, stock: Symbol) -> None:
    """A split halves the prices before it and doubles the volume; the split is told on its day, a dividend too."""
    folder.text("equity/usa/factor_files/abc.csv",
                "20240301,0.9,0.5,1\n20240311,0.9,0.5,20\n20240312,0.9,1,10\n20501231,1,1,0\n")
    folder.map_file("abc", ("20240101", "abc"), ("20501231", "abc"))
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        folder.trades("abc", day, [bar(0, 10)])
    symbol = Symbol.create("ABC", SecurityType.EQUITY, "usa")
    run.add(symbol, TickType.TRADE, mode=DataNormalizationMode.ADJUSTED)
    prices, splits, dividends = [], [], []
    for step in run.steps(MONDAY, WEDNESDAY):
        splits += [(local(run, step).date(), e.type.name, e.split_factor, e.reference_price) for e in step.splits]
        dividends += [(local(run, step).date(), e.distribution) for e in step.dividends]
        found = step.slice.bars.get(symbol)
        if found is not None and not found.is_fill_forward:
            prices.append((round(found.close, 8), found.volume))
    assert prices == [(4.5, 222), (9, 111), (10, 100)]
    assert splits == [(MONDAY, "WARNING", 0.5, 0), (TUESDAY, "SPLIT_OCCURRED", 0.5, 20)]
    assert dividends == [(WEDNESDAY, 1.0)]


def test_a_stock_is_read_under_the_ticker_of_the_day(folder: Any, run: Any) -> None:
    """Before a change of ticker the files of the old one are read."""
    folder.map_file("abc", ("20240101", "old"), ("20240311", "old"), ("20501231", "abc"))
    folder.trades("old", MONDAY, [bar(0, 10)])
    folder.trades("abc", TUESDAY, [bar(0, 11)])
    symbol = Symbol.create("ABC", SecurityType.EQUITY, "usa")
    assert symbol.id.symbol == "OLD"
    holder = run.add(symbol, TickType.TRADE)
    closes = {local(run, step).date(): holder.cache.price for step in run.steps(MONDAY, TUESDAY) if step.has_data}
    assert closes == {MONDAY: 10, TUESDAY: 11}


def test_missing_files_are_told_once(folder: Any, run: Any, stock: Symbol) -> None:
    """A file that is not there means no data, and one line that names it."""
    run.add(stock, TickType.TRADE)
    steps = [step for step in run.steps(MONDAY, MONDAY) if step.has_data]
    assert not steps
    assert len(run.notes) == 1
    assert run.notes[0].startswith("No data: ")
    assert run.notes[0].endswith("20240311_trade.zip does not exist")


def test_a_bad_line_ends_the_run(folder: Any, run: Any, stock: Symbol) -> None:
    """Nothing is guessed from a line that cannot be read."""
    folder.trades("abc", MONDAY, [bar(0, 10), [OPEN + MINUTE, "ten", 1, 1, 1, 1]])
    run.add(stock, TickType.TRADE)
    with pytest.raises(DataError, match=r"20240311_trade\.zip.*line 2"):
        list(run.steps(MONDAY, MONDAY))


rows = st.lists(st.tuples(st.integers(-30, 400), st.one_of(st.none(), st.integers(1, 50)),
                          st.one_of(st.none(), st.integers(51, 99))), max_size=25, unique_by=lambda row: row[0])


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.lists(rows, min_size=2, max_size=2), min_size=2, max_size=2))
def test_slices_and_caches_equal_a_plain_replay(folder: Any, run: Any, stock: Symbol, days: list[list[Any]]) -> None:
    """Counting, looking up, iterating and the price caches agree with a row-by-row replay of the files."""
    contracts = [Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, right, 100, datetime(2024, 3, 15))
                 for right in OptionRight]
    dates = (MONDAY, TUESDAY)
    for day, per_contract in zip(dates, days, strict=True):
        folder.options("abc", day, "quote", {
            contract: [quote(*row) for row in sorted(table)]
            for contract, table in zip(contracts, per_contract, strict=True)})
    from_scratch = type(run)(folder)
    holders = [from_scratch.add(contract, TickType.QUOTE) for contract in contracts]
    last: list[tuple[Any, Any] | None] = [None, None]
    known: list[tuple[Any, Any]] = [(None, None), (None, None)]
    shown: dict[datetime, list[Any]] = {}
    for day, per_contract in zip(dates, days, strict=True):
        tables = [{minute: (bid, ask) for minute, bid, ask in table} for table in per_contract]
        for minute in range(-30, 401):
            for which, table in enumerate(tables):
                if minute in table:
                    before = last[which] or (None, None)
                    bid, ask = table[minute]
                    last[which] = (before[0] if bid is None else bid, before[1] if ask is None else ask)
                    if 0 <= minute < 390:
                        known[which] = last[which]  # type: ignore[assignment]
            if 0 <= minute < 390:
                time = datetime(day.year, day.month, day.day, 9, 31) + timedelta(minutes=minute)
                shown[time] = [list(last), list(known)]
    for step in from_scratch.steps(*dates):
        expected = shown.get(local(from_scratch, step))
        bars = step.slice.quote_bars
        if expected is None:
            assert bars.count == 0
            continue
        count = sum(sides is not None for sides in expected[0])
        assert bars.count == count
        listed = dict(bars.items())
        assert list(listed) == sorted(listed, key=lambda symbol: symbol.value)
        assert len(listed) == bars.count == count
        for contract, holder, sides, real in zip(contracts, holders, *expected, strict=True):
            assert bars.get(contract) is listed.get(contract)
            if sides is not None:
                found = listed[contract]
                assert (found.bid and found.bid.close, found.ask and found.ask.close) == sides
            assert (holder.cache.bid_price or None, holder.cache.ask_price or None) == real


def test_a_slice_kept_for_later_shows_what_it_showed(folder: Any, run: Any, stock: Symbol) -> None:
    """Bars made on another day are those of the slice's own moment."""
    folder.trades("abc", MONDAY, [bar(0, 10)])
    folder.trades("abc", TUESDAY, [bar(0, 20)])
    run.add(stock, TickType.TRADE)
    kept = [step.slice for step in run.steps(MONDAY, TUESDAY) if step.has_data]
    assert [kept[0].bars[stock].close, kept[-1].bars[stock].close] == [10, 20]
    assert [bar.close for bar in kept[389].bars.values()] == [10]
    assert kept[0].bars[stock].end_time == datetime(2024, 3, 11, 9, 31)


def test_steps_are_freed_without_the_garbage_collector(folder: Any, run: Any, stock: Symbol, call: Symbol) -> None:
    """A looked-at slice is no part of a reference cycle, so that a long run needs no memory for what is over."""
    import gc
    import weakref
    folder.trades("abc", MONDAY, [bar(0, 10)])
    folder.options("abc", MONDAY, "quote", {call: [quote(0, 1, 2)]})
    run.add(stock, TickType.TRADE)
    run.add(call, TickType.QUOTE)
    alive: list[Any] = []

    class Marked:
        pass

    gc.disable()
    try:
        for step in run.steps(MONDAY, MONDAY):
            if not step.has_data:
                continue
            piece = step.slice
            for pair in piece.option_chains:
                assert pair.value.count == 1
            mark = Marked()
            piece.bars._data = dict.fromkeys(piece.bars.keys(), mark)
            alive.append(weakref.ref(mark))
            del mark, piece, pair
        del step
        assert sum(ref() is not None for ref in alive) <= 1
    finally:
        gc.enable()


def test_what_the_files_never_hold_is_named_at_the_end(folder: Any, run: Any, stock: Symbol, call: Symbol) -> None:
    """A stock without files, a contract no file knows and one that has expired; not what was quiet or came later."""
    other = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.CALL, 123, datetime(2024, 3, 15))
    quiet = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.PUT, 100, datetime(2024, 3, 15))
    past = Symbol.create_option(stock, "usa", OptionStyle.AMERICAN, OptionRight.PUT, 100, datetime(2024, 3, 8))
    folder.options("abc", MONDAY, "quote", {call: [quote(0, 1, 2)]})
    folder.options("abc", TUESDAY, "quote", {quiet: [quote(0, 1, 2)]})
    for symbol in (stock, call, other, quiet, past):
        run.add(symbol)
    for step in run.steps(MONDAY, TUESDAY):
        if local(run, step) == datetime(2024, 3, 11, 9, 31):
            run.add(Symbol.create("XYZ", SecurityType.EQUITY, "usa"))
    lines = run.feed.never_seen()
    assert [line.split(" in the whole run: ")[0] for line in lines] == [
        f"No data for {symbol.value}" for symbol in (stock, other, past)]
    assert lines[0].endswith("20240311_trade.zip does not exist")
    assert lines[2].endswith("it expired on 2024-03-08, before the run")
    assert "there is no such contract" in why_nothing(run.feed, other, [TickType.QUOTE])
