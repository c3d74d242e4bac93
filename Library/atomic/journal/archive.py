"""Groups that ended: append-only, in bounded chunks, the oldest of which are dropped.

The newest chunk is rewritten for each group that ends, in live mode into two alternating keys, so that a write
that tears loses nothing that was there before. Its cost is bounded by the chunk, whatever the archive's size.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

from ..ports import StoreError
from .frame import pack_line, unpack_lines
from .migrate import SCHEMA, steps_from
from .records import group_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import GroupState
    from ..ports import Store

#: chunks that are searched for a group that ended long ago
_SEARCHED = 32


def chunk_keys(store: Store, base: str) -> dict[int, list[str]]:
    """Keys of each chunk by its number, oldest first."""
    stem = f"{base}/archive-"
    found: dict[int, list[str]] = {}
    for key in store.keys(stem):
        number = key[len(stem) : -1]
        if number.isdigit() and key[-1] in "ab":
            found.setdefault(int(number), []).append(key)
    return dict(sorted(found.items()))


def _lines(store: Store, keys: list[str]) -> tuple[list[tuple[int, str]], int]:
    """The whole lines of one chunk from both of its keys, in order, and the number of damaged ones."""
    lines: dict[tuple[int, str], None] = {}
    damaged = 0
    for key in keys:
        whole, bad = unpack_lines(store.read(key) or "")
        lines.update(dict.fromkeys(whole))
        damaged += bad
    return list(lines), damaged


def _parse(schema: int, text: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(text)
    for step in steps_from(schema):
        record = step.group(record)
    return record


def records(store: Store, base: str) -> Iterator[dict[str, Any]]:
    """Parsed records of ended groups, oldest first; of a group that ended twice, only the last one."""
    last: dict[str, dict[str, Any]] = {}
    for keys in chunk_keys(store, base).values():
        for schema, text in _lines(store, keys)[0]:
            record = _parse(schema, text)
            group_id = record["spec"]["id"]
            last.pop(group_id, None)
            last[group_id] = record
    yield from last.values()


def damage(store: Store, base: str) -> dict[str, int]:
    """Damaged lines by key; only chunks that have any."""
    found = {}
    for keys in chunk_keys(store, base).values():
        for key in keys:
            bad = unpack_lines(store.read(key) or "")[1]
            if bad:
                found[key] = bad
    return found


class Archive:
    """The archive of one journal.

    Args:
        store: where it lives.
        base: stem of the keys.
        live: flush, and alternate between two keys.
        chunk_bytes: a chunk that reaches this size is closed.
        total_bytes: the oldest chunks beyond this size are dropped.
    """

    def __init__(self, store: Store, base: str, *, live: bool, chunk_bytes: int, total_bytes: int) -> None:
        self._store = store
        self._base = base
        self._live = live
        self._chunk_bytes = chunk_bytes
        self._chunks = max(1, total_bytes // chunk_bytes)
        self._number = 1
        self._numbers: list[int] = []
        self._slot = "a"
        self._lines = ""
        #: damaged lines found when it was opened
        self.damaged = 0

    @property
    def empty(self) -> bool:
        """True when nothing was ever archived, as far as the keys tell."""
        return not self._numbers

    def open(self) -> None:
        """Find the newest chunk. Raises StoreError."""
        chunks = chunk_keys(self._store, self._base)
        self._numbers = list(chunks)
        if not chunks:
            return
        self._number = self._numbers[-1]
        keys = chunks[self._number]
        lines, self.damaged = _lines(self._store, keys)
        self._lines = "".join(pack_line(schema, text) for schema, text in lines)
        if self.damaged:
            # what is damaged is kept as it is; go on in a new chunk
            self._number, self._lines = self._number + 1, ""
        elif self._live:
            sizes = {key[-1]: len(self._store.read(key) or "") for key in keys}
            self._slot = "a" if sizes.get("a", 0) <= sizes.get("b", 0) else "b"

    def add(self, *texts: str) -> None:
        """Append records in one write. Raises StoreError; nothing is lost then."""
        lines = self._lines + "".join([pack_line(SCHEMA, text) for text in texts])
        key = f"{self._base}/archive-{self._number:06d}"
        self._store.write(key + self._slot, lines)
        if self._live:
            self._store.flush(key + self._slot)
        self._lines = lines
        if not self._numbers or self._numbers[-1] != self._number:
            self._numbers.append(self._number)
        if self._live:
            self._slot = "b" if self._slot == "a" else "a"
        if len(lines) >= self._chunk_bytes:
            self._close_chunk(key)

    def _close_chunk(self, key: str) -> None:
        if self._live:
            self._drop(key + self._slot)  # the shorter one
        self._number, self._lines, self._slot = self._number + 1, "", "a"
        while len(self._numbers) > self._chunks:
            number = self._numbers.pop(0)
            for slot in "ab" if self._live else "a":
                self._drop(f"{self._base}/archive-{number:06d}{slot}")

    def _drop(self, key: str) -> None:
        with contextlib.suppress(StoreError):  # a store that may not delete only grows
            self._store.delete(key)

    def find(self, group_id: str) -> GroupState | None:
        """The ended group of this id, or None when the newest chunks do not have it."""
        needle = f'"{group_id}"'
        found = _find(unpack_lines(self._lines)[0], needle) if needle in self._lines else None
        for number in self._numbers[-_SEARCHED:][::-1]:
            if found is not None:
                break
            if number == self._number:
                continue
            keys = [f"{self._base}/archive-{number:06d}{slot}" for slot in "ab"]
            found = _find(_lines(self._store, keys)[0], needle)
        return found

    def highest(self, name: str) -> int:
        """The largest counter among the newest chunks' ids of this name; 0 when there is none."""
        pattern = re.compile(rf'"id": ?"{re.escape(name)}-(\d+)"')
        best = 0
        for number in self._numbers[-2:]:
            keys = [f"{self._base}/archive-{number:06d}{slot}" for slot in "ab"]
            for _, text in _lines(self._store, keys)[0]:
                best = max([best, *map(int, pattern.findall(text))])
        return best


def _find(lines: list[tuple[int, str]], needle: str) -> GroupState | None:
    """The newest group whose id is the quoted `needle`."""
    for schema, text in reversed(lines):
        if needle in text:
            try:
                group = group_from(_parse(schema, text))
            except ValueError:
                return None
            if group.spec.group_id == needle[1:-1]:
                return group
    return None
