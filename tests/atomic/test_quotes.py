"""Quotes of one moment: asked for once, again when nothing was known."""

from __future__ import annotations

from atomic.model import Quote
from atomic.quotes import QuoteBook


def test_a_quote_is_asked_for_once_a_moment() -> None:
    """What is known is not asked for again before the book is cleared; `get` asks, too."""
    asked: list[str] = []

    def ask(symbol: str) -> Quote:
        asked.append(symbol)
        return Quote(1.0, 1.2, 1.1, 5.0)

    book = QuoteBook(ask)
    assert book["A"] is book["A"] is book.get("A")
    assert asked == ["A"]
    book.clear()
    assert book.get("A").bid == 1.0
    assert asked == ["A", "A"]


def test_a_contract_without_a_price_is_asked_for_again() -> None:
    """It may be subscribed to and get its price within the same moment."""
    prices = {"A": Quote(0.0, 0.0, 0.0, 0.0, open=False)}
    book = QuoteBook(prices.__getitem__)
    assert not book["A"].open
    prices["A"] = Quote(1.0, 1.2, 1.1, 5.0)
    assert book["A"].bid == 1.0
