"""One day of bars of many symbols of one file, ready to be looked at by minute.

A block knows, for every open minute and every symbol, which row of the file is shown in a slice (fill-forward) and
which one is the last that really happened. Nothing is computed per symbol and minute while the algorithm runs.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.engine.enums import TickType
from workbench.engine.feed.readers import Floats, Ints
from workbench.engine.symbols import Symbol

Index = NDArray[np.int32]
NEVER: Final = 1 << 62


class Track:
    """Data of one kind (trades, quotes or open interest) of one symbol.

    `start` is the first moment, in microseconds of UTC, from which rows count. `block` and `column` say where its rows
    are today; `carry_shown` and `carry_known` are its last rows of the days before.
    """

    __slots__ = ("block", "carry_known", "carry_shown", "column", "internal", "mode", "removed", "start", "symbol",
                 "tick_type")

    def __init__(self, symbol: Symbol, tick_type: TickType, start: int, mode: int, internal: bool) -> None:
        self.symbol = symbol
        self.tick_type = tick_type
        self.start = start
        self.mode = mode
        self.internal = internal
        self.removed = False
        self.block: Block | None = None
        self.column = -1
        self.carry_shown: Carry | None = None
        self.carry_known: Carry | None = None


class Carry:
    """A row kept from an earlier day: its end in microseconds and its numbers."""

    __slots__ = ("end", "row")

    def __init__(self, end: int, row: list[float]) -> None:
        self.end = end
        self.row = row


class Block:
    """Rows of some tracks on one day.

    Args:
        tracks: whose rows these are, in the order of the slice.
        rows: numbers without the time column, prices in dollars; the rows of a track are together and in time order.
        ends: end of each row's period, microseconds of UTC.
        counts: number of rows of each track.
        grid: end of every open minute of the day, microseconds of UTC.
        fill_forward: whether slices repeat the last row.
    """

    __slots__ = ("_known", "_now", "columns", "counts", "ends", "fill_forward", "grid", "minutes", "position", "rows",
                 "sequence", "shown", "symbols", "tracks")

    def __init__(self, tracks: Sequence[Track], rows: Floats, ends: Ints, counts: Sequence[int], grid: Ints,
                 fill_forward: bool) -> None:
        self.tracks = list(tracks)
        self.symbols = [track.symbol for track in tracks]
        self.columns = {symbol: column for column, symbol in enumerate(self.symbols)}
        self.grid = grid
        self.minutes: list[int] = grid.tolist()
        self.fill_forward = fill_forward
        self.position = 0
        self.sequence = 0
        self._now = -1
        columns = np.repeat(np.arange(len(self.tracks)), counts)
        starts = np.array([track.start for track in self.tracks], dtype=np.int64)
        keep = ends >= starts[columns]
        if ends.size > 1:  # times that do not advance are dropped, as LEAN's reader does
            back = np.flatnonzero((np.diff(ends) <= 0) & (np.diff(columns) == 0))
            if back.size:
                keep &= _advancing(ends, columns)
        if not keep.all():
            rows, ends, columns = rows[keep], ends[keep], columns[keep]
        self._assemble(rows, ends, columns)

    def _assemble(self, rows: Floats, ends: Ints, columns: Any) -> None:
        carried: list[list[float]] = []
        carried_ends: list[int] = []
        n, minutes = len(self.tracks), len(self.minutes)
        first_shown = np.full(n, -1, dtype=np.int32)
        first_known = np.full(n, -1, dtype=np.int32)
        for column, track in enumerate(self.tracks):
            for carry, first in ((track.carry_known, first_known), (track.carry_shown, first_shown)):
                if carry is None:
                    continue
                if first is first_shown and carry is track.carry_known:
                    first[column] = first_known[column]
                    continue
                first[column] = len(carried)
                carried.append(carry.row)
                carried_ends.append(carry.end)
        base = len(carried)
        width = rows.shape[1]
        if self.tracks[0].tick_type == TickType.QUOTE:
            _fill_sides(rows, columns, np.array(carried, dtype=np.float64).reshape(-1, width), first_shown)
        if base:
            rows = np.concatenate((np.array(carried, dtype=np.float64), rows))
        self.rows: Floats = rows
        self.ends: Ints = np.concatenate((np.array(carried_ends, dtype=np.int64), ends)) if base else ends
        at = np.searchsorted(self.grid, ends, side="left")
        inside = at < minutes
        ids = np.arange(base, base + ends.size, dtype=np.int32)
        on_grid = np.zeros(ends.size, dtype=bool)
        on_grid[inside] = self.grid[at[inside]] == ends[inside]
        self.shown = _latest(minutes, first_shown, at[inside], columns[inside], ids[inside])
        if self.tracks[0].tick_type == TickType.OPEN_INTEREST or (
                on_grid.sum() == inside.sum() and np.array_equal(first_known, first_shown)):
            self._known = self.shown  # open interest is published while the market is closed
        else:
            self._known = _latest(minutes, first_known, at[on_grid], columns[on_grid], ids[on_grid])
        if not self.fill_forward:
            known = self._known
            fresh = np.full_like(self.shown, -1)
            fresh[at[on_grid] + 1, columns[on_grid]] = ids[on_grid]
            self.shown, self._known = fresh, known
        self._count()
        last = np.full(n, -1, dtype=np.int64)
        last[columns] = ids  # the last assignment of a column stays: rows are in time order
        for column, track in enumerate(self.tracks):
            row = int(last[column])
            if row >= 0:
                track.carry_shown = self._carry(row)
            known_row = int(self._known[-1, column])
            if known_row >= base:
                track.carry_known = (track.carry_shown if known_row == row else self._carry(known_row))
            track.block = self
            track.column = column

    def _carry(self, row: int) -> Carry:
        return Carry(int(self.ends[row]), self.rows[row].tolist())

    def _count(self) -> None:
        self.counts: list[int] = (self.shown >= 0).sum(axis=1).tolist()

    # -- time -------------------------------------------------------------------------------------------------

    def at(self, now: int) -> int:
        """Position of a moment: 0 before the first open minute has ended, then its number."""
        if self._now != now:
            self.position = bisect_right(self.minutes, now)
            self._now = now
        return self.position

    def emits(self, now: int) -> int:
        """Number of bars shown in the slice of exactly this moment."""
        position = self.at(now)
        return self.counts[position] if position and self.minutes[position - 1] == now else 0

    def emission_times(self) -> Ints:
        """Moments at which something of the block is due."""
        shown = self.grid[np.array(self.counts[1:], dtype=np.int64) > 0]
        if self.tracks[0].tick_type == TickType.OPEN_INTEREST:
            return np.concatenate((shown, self.ends))
        return shown

    # -- rows -------------------------------------------------------------------------------------------------

    def known_row(self, column: int, now: int) -> int:
        """Last row that really happened, -1 when there is none."""
        return int(self._known[self.at(now), column])

    def shown_row(self, column: int, now: int) -> int:
        """Row shown in the slice of exactly this moment, -1 when there is none."""
        position = self.at(now)
        if not position or self.minutes[position - 1] != now:
            return -1
        return int(self.shown[position, column])

    def drop(self, column: int, now: int) -> None:
        """End a track: it is shown no more, and what is known of it stays as it is."""
        position = bisect_right(self.minutes, now)
        if self._known is self.shown:
            self._known = self.shown.copy()
        self._known[position:, column] = self._known[position, column]
        self.shown[position + 1:, column] = -1
        self._count()


def _advancing(ends: Ints, columns: Any) -> NDArray[np.bool_]:
    keep = np.ones(ends.size, dtype=bool)
    last, column = -1, -1
    for index, (end, own) in enumerate(zip(ends.tolist(), columns.tolist(), strict=True)):
        if own != column:
            last, column = -1, own
        keep[index] = end > last
        last = max(last, end)
    return keep


def _latest(minutes: int, first: Index, at: Any, columns: Any, ids: Index) -> Index:
    """Matrix minute × track of the last row so far."""
    matrix = np.full((minutes + 1, first.size), -1, dtype=np.int32)
    matrix[0] = first
    matrix[at + 1, columns] = ids
    return np.maximum.accumulate(matrix, axis=0, out=matrix)


def _fill_sides(rows: Floats, columns: Any, carried: Floats, carry_of: Index) -> None:
    """Give a quote without a bid (or ask) the last one before it (LEAN `QuoteBarFillForwardEnumerator`)."""
    if not rows.size:
        return
    number = np.arange(columns.size)
    begin = np.searchsorted(columns, columns, side="left")  # first row of each row's track
    for side in (slice(0, 4), slice(5, 9)):
        present = rows[:, side].any(axis=1)
        source = np.maximum.accumulate(np.where(present, number, -1))
        missing = np.flatnonzero(~present)
        own = missing[source[missing] >= begin[missing]]
        rows[own, side] = rows[source[own], side]
        before = missing[source[missing] < begin[missing]]
        from_carry = carry_of[columns[before]]
        usable = from_carry >= 0
        if usable.any():
            rows[before[usable], side] = carried[from_carry[usable], side]
