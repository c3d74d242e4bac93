"""Bars of one time step, made only when the algorithm looks at them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from workbench.engine.bars import QuoteBar, TradeBar
from workbench.engine.feed.blocks import Block
from workbench.engine.feed.caches import to_local
from workbench.engine.slices import DataDictionary, QuoteBars, TradeBars
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.feed.groups import Group

MINUTE = timedelta(minutes=1)
Bar = TypeVar("Bar", QuoteBar, TradeBar)


class StepBars:
    """The blocks that show bars of one kind at one moment, with the group each belongs to."""

    __slots__ = ("blocks", "now")

    def __init__(self, now: int, blocks: list[tuple[Group, Block]]) -> None:
        self.now = now
        self.blocks = blocks

    def count(self) -> int:
        return sum(block.emits(self.now) for _, block in self.blocks)

    def find(self, symbol: Symbol) -> tuple[list[float], int, ZoneInfo] | None:
        """Row of a symbol, its end, and the exchange's zone."""
        for group, block in self.blocks:
            column = block.columns.get(symbol)
            if column is not None:
                row = block.shown_row(column, self.now)
                if row >= 0:
                    return block.rows[row].tolist(), int(block.ends[row]), group.zone
        return None


def _visible(block: Block, now: int) -> tuple[list[Symbol], list[list[float]], list[bool]]:
    """Symbols with a bar, their rows, and which of them repeat an older bar."""
    position = block.at(now)
    if not position or block.minutes[position - 1] != now:
        return [], [], []
    shown = block.shown[position]
    if block.counts[position] == shown.size:
        rows, symbols = shown, block.symbols
    else:
        columns = np.flatnonzero(shown >= 0)
        rows = shown[columns]
        symbols = [block.symbols[column] for column in columns.tolist()]
    return symbols, block.rows[rows].tolist(), (block.ends[rows] != now).tolist()


class _Lazy(DataDictionary[Bar]):
    """Bars of a step: one that is asked for alone is made alone, and handed out once it stays the same object."""

    __slots__ = ("_found", "_step")
    #: makes a bar of (symbol, row, start, end, whether it repeats an older one)
    _bar: ClassVar[Callable[..., Any]]

    def __init__(self, step: StepBars, time: datetime) -> None:
        super().__init__(None, time)
        self._step = step
        self._found: dict[Symbol, Bar | None] = {}

    @property
    def count(self) -> int:
        return self._step.count() if self._data is None else len(self._data)

    def _find(self, symbol: Symbol) -> Bar | None:
        if self._data is not None:
            return self._data.get(symbol)
        if symbol not in self._found:
            found = self._step.find(symbol)
            if found is None:
                self._found[symbol] = None
            else:
                row, end, zone = found
                local = to_local(self._step.now, zone)
                self._found[symbol] = self._bar(symbol, row, local - MINUTE, local, end != self._step.now)
        return self._found[symbol]


class LazyQuoteBars(_Lazy[QuoteBar], QuoteBars):
    """Quote bars of a step."""

    __slots__ = ()
    _bar = staticmethod(QuoteBar.of_row)

    def _dict(self) -> dict[Symbol, QuoteBar]:
        if self._data is None:
            step = self._step
            data: dict[Symbol, QuoteBar] = {}
            new = QuoteBar.__new__
            for group, block in step.blocks:
                end = to_local(step.now, group.zone)
                start = end - MINUTE
                symbols, rows, repeats = _visible(block, step.now)
                for symbol, row, repeat in zip(symbols, rows, repeats, strict=True):
                    # QuoteBar.of_row without the call: this runs for every contract and minute
                    bar = data[symbol] = new(QuoteBar)
                    bar.symbol = symbol
                    bar.time = start
                    bar.end_time = end
                    bar._row = row
                    bar._bid = bar._ask = None
                    bar.is_fill_forward = repeat
            # a bar handed out once stays the same object
            data.update((symbol, bar) for symbol, bar in self._found.items() if bar is not None)
            self._data = _in_order(data, step.blocks)
        return self._data


def _trade_bar(symbol: Symbol, row: Sequence[float], start: datetime, end: datetime, repeat: bool) -> TradeBar:
    """A repeated bar has no volume (LEAN `TradeBar.Clone`)."""
    return TradeBar(start, symbol, row[0], row[1], row[2], row[3], 0.0 if repeat else row[4], end_time=end,
                    is_fill_forward=repeat)


class LazyTradeBars(_Lazy[TradeBar], TradeBars):
    """Trade bars of a step."""

    __slots__ = ()
    _bar = staticmethod(_trade_bar)

    def _dict(self) -> dict[Symbol, TradeBar]:
        if self._data is None:
            step = self._step
            data: dict[Symbol, TradeBar] = {}
            for group, block in step.blocks:
                end = to_local(step.now, group.zone)
                start = end - MINUTE
                symbols, rows, repeats = _visible(block, step.now)
                for symbol, row, repeat in zip(symbols, rows, repeats, strict=True):
                    data[symbol] = _trade_bar(symbol, row, start, end, repeat)
            data.update((symbol, bar) for symbol, bar in self._found.items() if bar is not None)
            self._data = _in_order(data, step.blocks)
        return self._data


_BY_TYPE_AND_TICKER = attrgetter("security_type", "value")


def _in_order(data: dict[Symbol, Any], blocks: list[tuple[Group, Block]]) -> dict[Symbol, Any]:
    """LEAN's order: by security type, then by ticker. Blocks come in the order of types, symbols of a block sorted."""
    types = [group.order for group, _ in blocks]
    if len(set(types)) == len(types):
        return data
    return {symbol: data[symbol] for symbol in sorted(data, key=_BY_TYPE_AND_TICKER)}
