"""Vectorised reading of the csv files inside LEAN's zip files.

A csv cell is one to eight digits or nothing in almost every option, equity and index option file, so eight characters
are read as one 64-bit number and turned into their value with three multiplications, for all cells at once. Files with
longer or fractional cells (an index) take the plain way, which also finds the line that is wrong.
"""
from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.engine.exceptions import DataError
from workbench.engine.feed.zips import ZipArchive

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUOTE_COLUMNS: Final = 11  # ms, bid o h l c, size, ask o h l c, size
TRADE_COLUMNS: Final = 6  # ms, o h l c, volume
OPEN_INTEREST_COLUMNS: Final = 2

_PAD: Final = 8
_KEPT_OPEN: Final = 32
_CHUNK: Final = 1 << 19  # bytes parsed at a time: the temporary arrays stay in the cache
_U = np.uint64


class ZipFiles:
    """Zip files of a data folder, each opened once; entries are read on request."""

    def __init__(self) -> None:
        self._open: dict[Path, ZipArchive | None] = {}
        self.missing: list[Path] = []

    def find(self, path: Path) -> ZipArchive | None:
        """Open a zip, or note that it is missing and return None.

        Raises:
            DataError: the file is there but is not a zip file.
        """
        if path not in self._open:
            try:
                self._open[path] = ZipArchive(path)
                self._close_oldest()
            except FileNotFoundError:
                self._open[path] = None
                self.missing.append(path)
            except (zipfile.BadZipFile, OSError) as error:
                raise DataError(path, f"not a readable zip file ({error}); download or generate it again") from error
        return self._open[path]

    def _close_oldest(self) -> None:
        """Keep the files of a day or two: a run over years must not hold the lists of all their entries."""
        opened = [path for path, archive in self._open.items() if archive is not None]
        for path in opened[:-_KEPT_OPEN]:
            archive = self._open.pop(path)
            if archive is not None:
                archive.close()

    def names(self, path: Path) -> list[str]:
        opened = self.find(path)
        return [] if opened is None else opened.namelist()

    def read(self, path: Path, names: Sequence[str], columns: int) -> tuple[Floats, list[int]]:
        """Read entries of a zip below each other.

        Returns:
            All rows, and how many of them each entry has (0 for an entry the zip does not hold). Empty cells are 0.

        Raises:
            DataError: a line does not hold `columns` numbers.
        """
        opened = self.find(path)
        if opened is None:
            return np.empty((0, columns)), [0] * len(names)
        counts = []
        blocks: list[Floats] = []
        chunk: list[tuple[str, bytes]] = []
        size = 0
        for name in names:
            text = self._entry(path, opened, name) or b""
            if text and not text.endswith(b"\n"):
                text += b"\n"
            if b"\r" in text or b"\n\n" in text or text.startswith(b"\n"):
                text = b"".join(line + b"\n" for line in text.replace(b"\r", b"").split(b"\n") if line)
            counts.append(text.count(b"\n"))
            chunk.append((name, text))
            size += len(text)
            if size > _CHUNK:
                blocks.append(_parse(path, chunk, columns))
                chunk, size = [], 0
        blocks.append(_parse(path, chunk, columns))
        return np.concatenate(blocks), counts

    def read_dated(self, path: Path, name: str) -> list[tuple[datetime, list[float]]]:
        """Read hour or daily bars: `yyyyMMdd HH:mm,open,high,low,close,volume` in file units.

        Raises:
            DataError: a line is anything else.
        """
        opened = self.find(path)
        text = None if opened is None else self._entry(path, opened, name)
        if text is None:
            return []
        found = []
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
            if not line:
                continue
            cells = line.split(",")
            try:
                found.append((datetime.strptime(cells[0], "%Y%m%d %H:%M"), [float(cell) for cell in cells[1:6]]))
                if len(cells) < 6:
                    raise ValueError(f"{len(cells)} columns")
            except ValueError as error:
                raise DataError(path / name, f"expected 'yyyyMMdd HH:mm' and five numbers, found '{line}' ({error})",
                                number) from error
        return found

    @staticmethod
    def _entry(path: Path, opened: ZipArchive, name: str) -> bytes | None:
        try:
            return opened.read(name)
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(path / name, f"cannot be read ({error}); download or generate the file again") from error

    def close(self) -> None:
        for opened in self._open.values():
            if opened is not None:
                opened.close()
        self._open.clear()


def _parse(path: Path, entries: Sequence[tuple[str, bytes]], columns: int) -> Floats:
    rows = parse_digits(b"".join(text for _, text in entries), columns)
    return _parse_plain(path, entries, columns) if rows is None else rows


def parse_digits(data: bytes, columns: int) -> Floats | None:
    """Read lines of `columns` cells of up to 16 digits; None when a cell or line is anything else."""
    if not data:
        return np.empty((0, columns))
    if not data.endswith(b"\n"):
        return None
    raw = np.frombuffer(b"0" * _PAD * 2 + data, dtype=np.uint8)
    ends = np.flatnonzero((raw == 44) | (raw == 10))
    if ends.size % columns:
        return None
    newline = raw[ends] == 10
    if int(newline.sum()) * columns != ends.size or not newline[columns - 1::columns].all():
        return None
    starts = np.empty_like(ends)
    starts[0] = _PAD * 2
    starts[1:] = ends[:-1] + 1
    lengths = ends - starts
    if int(lengths.max()) > 16:
        return None
    words = np.ndarray((raw.size - 7,), dtype="<u8", buffer=raw, strides=(1,))
    values = _eight_digits(words[ends - 8], np.minimum(lengths, 8))
    if values is None:
        return None
    long = np.flatnonzero(lengths > 8)
    if long.size:
        upper = _eight_digits(words[ends[long] - 16], lengths[long] - 8)
        if upper is None:
            return None
        values[long] += upper * _U(100_000_000)
    return values.astype(np.float64).reshape(-1, columns)


def _eight_digits(words: NDArray[np.uint64], lengths: Any) -> NDArray[np.uint64] | None:
    """Value of the last `lengths` characters of each word (the last character is the highest byte)."""
    shift = ((8 - np.maximum(lengths, 1)) * 8).astype(np.uint64)
    digits: NDArray[np.uint64] = ((words ^ _U(0x3030303030303030)) >> shift) << shift
    digits[lengths == 0] = 0
    if np.any((digits + _U(0x7676767676767676) | digits) & _U(0x8080808080808080)):
        return None
    digits = (digits * _U(2561)) >> _U(8)
    digits = ((digits & _U(0x00FF00FF00FF00FF)) * _U(6553601)) >> _U(16)
    pairs: NDArray[np.uint64] = (digits & _U(0x0000FFFF0000FFFF)) * _U(42949672960001)
    return pairs >> _U(32)


def _parse_plain(path: Path, entries: Sequence[tuple[str, bytes]], columns: int) -> Floats:
    """Read any numbers line by line and name the first line that is wrong."""
    rows: list[list[float]] = []
    for name, text in entries:
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
            if not line:
                continue
            cells = line.split(",")
            try:
                if len(cells) < columns:
                    raise ValueError(f"{len(cells)} columns")
                row = [float(cell) if cell else 0.0 for cell in cells[:columns]]
                if not np.isfinite(row).all():
                    raise ValueError("not a finite number")
            except ValueError as error:
                raise DataError(path / name, f"expected {columns} numbers, found '{line}' ({error})", number) from error
            rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(-1, columns)
