"""The prices of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model import Quote

if TYPE_CHECKING:
    from collections.abc import Callable


class QuoteBook(dict[str, Quote]):
    """Quotes of one moment, asked for when needed."""

    def __init__(self, ask: Callable[[str], Quote]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, symbol: str) -> Quote:
        quote = self._ask(symbol)
        if quote.at:  # what has no price yet may get one without a new moment
            self[symbol] = quote
        return quote

    def get(self, symbol: str, default: Any = None) -> Quote:
        """The quote; asked from the gateway when it is not known yet."""
        return self[symbol]
