from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from workbench.engine.bars import Bar, QuoteBar, TradeBar
from workbench.engine.exceptions import InvalidOperationException, KeyNotFoundException
from workbench.engine.slices import DataDictionary, QuoteBars, Slice, TradeBars
from workbench.engine.symbols import Symbol, SymbolCache

NOON = datetime(2024, 3, 11, 12)


@pytest.fixture
def piece(folder: Any, stock: Symbol, call: Symbol) -> Slice:
    trades = {symbol: TradeBar(NOON, symbol, 1, 2, 0.5, 1.5, 10) for symbol in (stock, call)}
    quotes = {symbol: QuoteBar(NOON, symbol, Bar(1, 1, 1, 1), 5, Bar(3, 3, 3, 3), 6) for symbol in (stock, call)}
    return Slice(NOON, NOON, bars=TradeBars(trades), quote_bars=QuoteBars(quotes))


def test_a_stock_is_its_trades_and_an_option_its_quotes(piece: Slice, stock: Symbol, call: Symbol) -> None:
    """Indexing a slice gives LEAN's default data of the security."""
    assert isinstance(piece[stock], TradeBar)
    assert isinstance(piece[call], QuoteBar)
    assert piece.get(TradeBar) is piece.bars
    assert piece.get(QuoteBar, call) is piece.quote_bars[call]
    assert {pair.key: type(pair.value) for pair in piece} == {stock: TradeBar, call: QuoteBar}


def test_a_stock_with_quotes_only_is_not_there(folder: Any, stock: Symbol) -> None:
    """A stock's quotes are found under `quote_bars` alone."""
    only = Slice(NOON, NOON, quote_bars=QuoteBars({stock: QuoteBar(NOON, stock, Bar(1, 1, 1, 1), 5, None, 0)}))
    assert stock not in only
    assert stock in only.quote_bars
    with pytest.raises(KeyNotFoundException, match="likely because there was no-data at this moment"):
        only[stock]


def test_a_dictionary_answers_as_leans(piece: Slice, stock: Symbol, call: Symbol) -> None:
    """Symbols, securities and known tickers are keys; iteration gives pairs; nothing can be written."""
    SymbolCache.set("ABC", stock)
    bars = piece.bars
    assert bars["ABC"] is bars[stock] is bars.get(stock)
    assert bars.contains_key(call)
    assert bars.get("XYZ") is None
    assert (bars.count, len(bars), len(bars.keys()), len(bars.values()), bool(TradeBars({}))) == (2, 2, 2, 2, True)
    assert [pair.value for pair in bars] == bars.values() == [value for _, value in bars.items()]
    with pytest.raises(KeyNotFoundException, match="was not found in the SymbolCache"):
        bars["XYZ"]
    with pytest.raises(InvalidOperationException, match="read-only"):
        bars[stock] = bars[call]


def test_a_dictionary_is_filled_when_looked_at(stock: Symbol) -> None:
    """Nothing is made for a step nobody looks at, and it is made once."""
    calls: list[int] = []

    def load() -> dict[Symbol, int]:
        calls.append(1)
        return {stock: 7}
    lazy = DataDictionary(load=load)
    assert not calls
    assert (lazy[stock], lazy.count, len(calls)) == (7, 1, 1)


@pytest.mark.parametrize(("bid", "ask", "middle"), [
    (1.0, 2.0, 1.5), (1.0, None, 1.0), (None, 2.0, 2.0), (None, None, 0)])
def test_a_quotes_price_is_the_middle_or_the_side_there_is(stock: Symbol, bid: float | None, ask: float | None,
                                                          middle: float) -> None:
    """A missing side is None, not zero."""
    sides = [None if price is None else Bar(price, price, price, price) for price in (bid, ask)]
    bar = QuoteBar(NOON, stock, sides[0], 1, sides[1], 2)
    assert (bar.close, bar.value, bar.price, bar.high) == (middle,) * 4
    assert (bar.bid and bar.bid.close, bar.ask and bar.ask.close) == (bid, ask)
    row = [price or 0.0 for price in (bid, bid, bid, bid, 1.0, ask, ask, ask, ask, 2.0)]
    made = QuoteBar.of_row(stock, row, NOON, NOON)
    assert (made.bid and made.bid.close, made.ask and made.ask.close, made.close) == (bid, ask, middle)
    assert made.bid is made.bid
