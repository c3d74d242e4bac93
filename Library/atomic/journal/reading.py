"""What a journal finds in its store at the start: which slot counts, what the tail adds, and why not to trade."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ..ports import StoreError
from .frame import Damaged, Frame, pack, unpack
from .migrate import Step, UnknownSchema, steps_from
from .records import Record, Unreadable, group_from
from .tail import joined, read_tail, tail_key

if TYPE_CHECKING:
    from ..model import GroupState
    from ..ports import Store
    from .archive import Archive
    from .state import Extra, LoadReport

#: ids skip this far when the newest write may be lost: an id that was in it is never given twice
ID_SKIP = 1000


class Reading:
    """The part of a `Journal` that reads it back."""

    store: Store
    name: str
    base: str
    counter: int
    extra: Extra
    archived: Archive
    _records: dict[str, Record]
    _seq: int
    _slot: str
    _durable_seq: int
    _head: dict[str, Any]
    _lines: list[str]
    _entries: list[dict[str, Any]]
    _steps: list[Step]

    def _key(self, slot: str) -> str:
        return f"{self.base}/open-{slot}"

    def _read_slots(self, report: LoadReport) -> dict[str, Frame]:
        frames: dict[str, Frame] = {}
        for slot in "ab":
            key = self._key(slot)
            text = self.store.read(key)
            if text is None:
                continue
            try:
                frames[slot] = unpack(text)
            except Damaged as error:
                report.damaged[key] = str(error)
                self._keep(key, text, report)
        return frames

    def _keep(self, key: str, text: str, report: LoadReport) -> None:
        """Keep a copy of a damaged text under a key of its own."""
        copy = f"{key}-damaged-{crc32(text.encode('utf-8', 'surrogateescape')):08x}"
        try:
            if self.store.read(copy) is None:
                self.store.write(copy, text)
                self.store.flush(copy)
            report.copies.append(copy)
        except (StoreError, UnicodeError) as error:
            report.problems.append(f"no copy of {key}: {error}")

    def _choose(self, frames: dict[str, Frame], report: LoadReport) -> str | None:
        """The slot to restore from, parsed into the report's terms; None for a fresh start or a refusal."""
        if not frames:
            if report.damaged:
                report.refuse = f"both slots of {self.base} are damaged: see the copies, then `atomic groups repair`"
            elif not self.archived.empty:
                report.refuse = f"{self.base} lost its open document: restore it, or `atomic groups repair`"
            else:
                report.fresh = True
            return None
        slot = max(frames, key=lambda name: frames[name].seq)
        other = "b" if slot == "a" else "a"
        frame = frames[slot]
        report.slot, report.seq, report.schema = self._key(slot), frame.seq, frame.schema
        try:
            self._steps = steps_from(frame.schema)
            head_text, *self._lines = frame.body.split("\n")
            head = json.loads(head_text)
            for step in self._steps:
                head = step.head(head)
            if head["of"] != self.base:
                report.refuse = f"{report.slot} belongs to {head['of']}, not to {self.base}: use another name"
                return None
            self._head, before = head, int(head["before"])
        except UnknownSchema as error:
            report.refuse = f"{report.slot}: {error}"
            self._keep(report.slot, pack(*frame), report)
            return None
        except (KeyError, TypeError, ValueError) as error:
            report.refuse = f"{report.slot} is whole but cannot be read ({type(error).__name__}: {error})"
            self._keep(report.slot, pack(*frame), report)
            return None
        if other not in frames:
            report.stale = bool(before) or self._key(other) in report.damaged
            if not report.damaged and report.stale:
                report.problems.append(f"{self._key(other)} is gone")
        elif frames[other].seq == frame.seq and frames[other] != frame:
            report.stale = True
            report.problems.append(f"both slots have number {frame.seq}: two processes wrote to {self.base}")
        elif frames[other].seq != before:
            report.problems.append(f"{self._key(other)} has number {frames[other].seq}, expected {before}")
        if head.get("lost"):
            report.stale = True
            report.problems.append(f"it was repaired: {head['lost']}")
        self._slot, self._seq, self._durable_seq = other, frame.seq, frame.seq
        return slot

    def _add_tail(self, report: LoadReport) -> None:
        """What a journal that is not durable wrote after its document, joined to that."""
        key = tail_key(self.base)
        self._entries, damage = read_tail(self.store, self.base, self._seq)
        if damage:
            report.damaged[key], report.stale = damage, True
            self._keep(key, self.store.read(key) or "", report)

    def _restore(self, slot: str, report: LoadReport) -> list[GroupState]:
        groups: list[GroupState] = []
        try:
            records = [json.loads(line) for line in self._lines]
            for step in self._steps:
                records = [step.group(record) for record in records]
            self._head, records = joined(self._head, records, self._entries)
            groups = [group_from(record) for record in records]
        except (KeyError, TypeError, ValueError) as error:  # Unreadable is a ValueError
            what = str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"
            report.refuse = f"{self._key(slot)} holds a group that cannot be rebuilt ({what})"
            self._keep(self._key(slot), self.store.read(self._key(slot)) or "", report)
            return []
        self.extra.clear()
        self.extra.update(self._head["extra"])
        self.counter = int(self._head["counter"])
        if report.stale:
            self.counter = max(self.counter, self.archived.highest(self.name)) + ID_SKIP
        for group in groups:
            self._records[group.group_id] = Record(group)
        return groups
