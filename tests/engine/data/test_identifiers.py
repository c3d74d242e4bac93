from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine import identifiers
from workbench.engine.enums import OptionRight, OptionStyle, SecurityType
from workbench.engine.exceptions import ArgumentException, FormatException
from workbench.engine.identifiers import SecurityIdentifier, use_map_files
from workbench.engine.symbols import Symbol, SymbolCache, parse_osi

tickers = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=5)
expiries = st.integers(0, 36_000).map(lambda days: datetime(1998, 1, 2) + timedelta(days=days))
strikes = st.integers(1, 47_570).flatmap(lambda n: st.sampled_from([n, n / 2, n / 10, n / 100, n / 1000]))


def option(ticker: str, expiry: datetime, strike: float, right: OptionRight, style: OptionStyle) -> Symbol:
    return Symbol.create_option(Symbol.create(ticker, SecurityType.EQUITY, "usa"), "usa", style, right, strike, expiry)


@given(tickers, expiries, strikes, st.sampled_from(OptionRight), st.sampled_from(OptionStyle))
def test_a_contract_reads_back_from_its_text(ticker: str, expiry: datetime, strike: float, right: OptionRight,
                                             style: OptionStyle) -> None:
    """Every term of a contract survives its identifier's text."""
    symbol = option(ticker, expiry, strike, right, style)
    identifiers._parsed.clear()
    back = SecurityIdentifier.parse(str(symbol.id))
    assert back == symbol.id
    assert hash(back) == hash(symbol.id)
    assert (back.symbol, back.date, back.strike_price, back.option_right, back.option_style, back.market) == (
        ticker, expiry, strike, right, style, "usa")
    assert back.security_type == SecurityType.OPTION
    assert back.underlying == symbol.underlying.id if symbol.underlying else False


@given(tickers, expiries, st.integers(1, 99_999_000), st.sampled_from(OptionRight))
def test_an_osi_text_holds_the_terms(ticker: str, expiry: datetime, thousandths: int, right: OptionRight) -> None:
    """OSI text made of terms is split into the same terms."""
    strike = thousandths / 1000
    if expiry.year > 2068 or expiry.year < 1969:
        return
    try:
        symbol = option(ticker, expiry, strike, right, OptionStyle.AMERICAN)
    except ArgumentException:
        return  # more digits than an identifier holds
    assert parse_osi(symbol.value) == (ticker, expiry, right, strike)


@pytest.mark.parametrize(("ticker", "text"), [
    ("GOOCV 151224C00750000", "GOOCV W6NBKMCS6GQU|GOOCV VP83T1ZUHROL"),
    ("SPY   261218P00500000", "SPY 337HP95LLPVQE|SPY R735QTJ8XC9X"),
    ("SPXW  210115P03800000", "SPXW 31KC0UJGOI3XQ|SPX 31"),
    ("AAPL  300118C00000500", "AAPL 1037DX2VMHWQU|AAPL R735QTJ8XC9X"),
])
def test_identifiers_are_leans(ticker: str, text: str) -> None:
    """Identifiers that LEAN printed give the ticker LEAN printed."""
    sid = SecurityIdentifier.parse(text)
    assert str(sid) == text
    assert Symbol(sid, "ignored").value == ticker


def test_a_stock_is_identified_by_its_first_ticker() -> None:
    """With map files a stock's identifier holds its first ticker and date, its symbol today's ticker."""
    use_map_files(lambda ticker, market: ("GOOCV", datetime(2014, 3, 27)) if ticker == "GOOG" else None)
    try:
        goog = Symbol.create("GOOG", SecurityType.EQUITY, "usa")
    finally:
        use_map_files(None)
    assert (goog.value, str(goog.id)) == ("GOOG", "GOOCV VP83T1ZUHROL")
    contract = Symbol.create_option(goog, "usa", OptionStyle.AMERICAN, OptionRight.CALL, 750, datetime(2015, 12, 24))
    assert (contract.value, str(contract.id)) == ("GOOG  151224C00750000", "GOOCV W6NBKMCS6GQU|GOOCV VP83T1ZUHROL")
    assert contract.canonical.value == "?GOOG"
    assert contract == Symbol(SecurityIdentifier.parse(str(contract.id)), "")


def test_symbols_are_equal_by_identifier_and_print_their_ticker_when_it_is_known() -> None:
    """A symbol equals another ticker of the same security, its identifier, and its cached ticker."""
    SymbolCache.clear()
    one = Symbol.create("ABC", SecurityType.EQUITY, "usa")
    other = Symbol(one.id, "XYZ")
    assert one == other
    assert one == one.id
    assert one != "ABC"
    assert str(one) == str(one.id)
    SymbolCache.set("ABC", one)
    assert one == "ABC"
    assert str(one) == "ABC"
    assert SymbolCache.get_symbol(str(one.id)) == one
    SymbolCache.clear()


def test_an_index_option_keeps_its_own_ticker() -> None:
    """SPXW options are listed under SPXW and have SPX as underlying."""
    spx = Symbol.create("SPX", SecurityType.INDEX, "usa")
    put = Symbol.create_option(spx, "SPXW", "usa", OptionStyle.EUROPEAN, OptionRight.PUT, 3800, datetime(2021, 1, 15))
    assert (put.value, put.security_type, put.canonical.value) == (
        "SPXW  210115P03800000", SecurityType.INDEX_OPTION, "?SPXW")
    assert put.canonical == Symbol.create_canonical_option(spx, "SPXW", "usa")
    assert put.underlying == spx


@pytest.mark.parametrize("text", ["GOOG", "GOOG !!", "A B C", "A 31|B"])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    """A text without ticker and number raises, or is not found when only tried."""
    with pytest.raises(FormatException):
        SecurityIdentifier.parse(text)
    assert SecurityIdentifier.try_parse(text) is None


def test_a_strike_with_too_many_digits_is_refused() -> None:
    """An identifier holds six digits of a strike."""
    with pytest.raises(ArgumentException, match=r"precision is too high: 123456\.789"):
        option("ABC", datetime(2024, 1, 19), 123456.789, OptionRight.CALL, OptionStyle.AMERICAN)
