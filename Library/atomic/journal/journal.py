"""The open document: what is known of every group that has not ended, in two checksummed slots.

Theory of operation
-------------------
One text holds a head (counter, small states of other rooms) and one line for each group that is not archived;
a group is what was asked and its facts. Every save writes the whole text with the next sequence number into the
slot that does *not* hold the newest durable one, so a write that tears, at any byte, leaves the state before it.
A journal that is not durable adds what changed to a log beside it (`tail`), and writes the document now and then.
A save encodes only the facts that are new. In live mode only a flushed slot counts as durable; a save without
flush overwrites its own slot again until one is flushed.

Reading takes the newest slot whose checksum is right. When the other one is damaged, the newest write may be
lost: the report says `stale`, ids skip ahead, and who reconciles must not attribute what it cannot explain. When
neither is right, or the document is from a newer version or another algorithm, the report carries `refuse`:
copies of what was found are kept, and nothing may be traded or written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from ..model import GroupState
from ..ports import StoreError
from .archive import Archive
from .frame import Damaged, pack, unpack
from .migrate import SCHEMA
from .reading import Reading
from .records import Record, encode, group_id_of
from .state import Extra, Loaded, LoadReport
from .tail import Tail, change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..ports import Store

_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,39}$")
#: ends one group's line and begins the next
_GLUE = "]}\n"


class JournalError(RuntimeError):
    """The journal could not be written: nothing may be sent. `key` names what failed."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def legal(part: str) -> str:
    """A text as part of a key: what LEAN does not take is replaced, and a checksum keeps it apart from others."""
    kept = re.sub(r"[^A-Za-z0-9_-]", "-", part)
    return kept if kept == part else f"{kept}-{crc32(part.encode()):08x}"


def base_key(name: str, *, live: bool, run: str = "", account: str = "") -> str:
    """Stem of a journal's keys: by account in live mode (stable over restarts), by run in backtests.

    Raises:
        ValueError: the name cannot be part of a key and of an order's tag.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise ValueError(f"name {name!r} cannot be a key: use 1 to 40 letters, digits, _ or -")
    mode, of = ("live", account) if live else ("run", run)
    return f"atomic/{name}/{mode}-{legal(of)}" if of else f"atomic/{name}/{mode}"


class Journal(Reading):
    """The durable record of one algorithm's groups.

    Args:
        store: where it is kept.
        name: the executor's name; part of keys, group ids and tags.
        live: True keys by `account`; False keys by `run`.
        durable: save(flush=True) reaches the disk; always so in live mode, in a backtest only when asked for (a run
            that will be stopped and taken up again).
        run: names a backtest.
        account: the broker's account, so that two accounts in one store stay apart.
        chunk_bytes: size at which an archive chunk is closed.
        archive_bytes: size of the archive beyond which its oldest chunks go.
        document_bytes: size of the open document above which `over_budget` is true.
    """

    def __init__(
        self, store: Store, name: str, *, live: bool, run: str = "", account: str = "", durable: bool = False,
        chunk_bytes: int = 32 * 1024, archive_bytes: int = 32 * 1024 * 1024, document_bytes: int = 4 * 1024 * 1024,
    ) -> None:  # fmt: skip
        self.store = store
        self.name = name
        self.live = live
        self.durable = live or durable
        self.base = base_key(name, live=live, run=run, account=account)
        self.extra = Extra()
        self.counter = 0
        self.report = LoadReport(self.base)
        self.archived = Archive(store, self.base, live=self.durable, chunk_bytes=chunk_bytes, total_bytes=archive_bytes)
        #: says why this instance may not write (another one does); None for no such check
        self.guard: Callable[[], str] | None = None
        #: why the newest save failed; "" while all is well
        self.failing = ""
        #: characters of the newest document
        self.size = 0
        self._document_bytes = document_bytes
        self._records: dict[str, Record] = {}
        self._seq = 0
        #: slot of the next write; the other one holds the newest durable text, with this number
        self._slot = "a"
        self._durable_seq = 0
        self._dirty = True
        self._unflushed = False
        self._saved_counter = -1
        #: what changed since the document was written, and whether that is to be written next
        self._tail = Tail(store, self.base)
        self._whole = True
        #: ids of groups that went to the archive since the newest save
        self._gone: list[str] = []
        self._head = {}
        self._lines = []
        self._entries = []
        self._steps = []

    # --- reading ---------------------------------------------------------------------------------------

    def load(self, *, fresh: bool = False) -> Loaded:
        """Read the state back. Never raises for what it finds: `Loaded.report.refuse` says why not to trade.

        Args:
            fresh: begin empty, whatever is there: it is another run's.
        """
        report = self.report = LoadReport(self.base)
        groups: list[GroupState] = []
        self._records.clear()
        self.extra.clear()
        self.counter = self._seq = self._durable_seq = 0
        self._dirty, self._unflushed, self._saved_counter = True, False, -1
        self._whole = True
        self._gone.clear()
        if fresh:
            report.fresh = True
            return Loaded(groups, self.counter, self.extra, report)
        try:
            self.archived.open()
            frames = self._read_slots(report)
            chosen = self._choose(frames, report)
            if chosen is not None:
                self._add_tail(report)
                groups = self._restore(chosen, report)
            if self.archived.damaged:
                report.problems.append(f"{self.archived.damaged} damaged lines in the newest archive chunk")
        except StoreError as error:
            report.refuse = str(error)
        if report.refuse:
            groups = []
            self._records.clear()
        return Loaded(groups, self.counter, self.extra, report)

    # --- writing ---------------------------------------------------------------------------------------

    def next_id(self, name: str = "") -> str:
        """A group id never given before: name and counter. It is on record with the next save."""
        self.counter += 1
        return f"{name or self.name}-{self.counter:06d}"

    def save(self, groups: Iterable[GroupState] = (), *, flush: bool = False) -> bool:
        """Write what is new of these groups, and all others as they were written last.

        Args:
            groups: the groups that changed or are new.
            flush: return only when it is on disk (ignored unless the journal is `durable`).

        Returns:
            False when there was nothing to write.

        Raises:
            JournalError: it was refused to load, or the store failed; the next save tries again.
        """
        if self.guard is not None or self.report.refuse:
            self._check()
        flush = flush and self.durable
        tail = self._tail
        key = tail.key
        try:
            changes = self._catch_up(groups)
            extra = self.extra.pending and self.extra.catch_up()
            if changes or extra or self._gone:
                self._dirty = True
            if not self._whole and not tail.crowded:
                if not self._dirty and self.counter == self._saved_counter:
                    return False
                gone = encode(self._gone) if self._gone else ""
                tail.add(self.counter, self.extra.text if extra else "", changes, gone)
                self._gone.clear()
                self._dirty, self._saved_counter, self.failing = False, self.counter, ""
                return True
            key = self._key(self._slot)
            if self._dirty or self.counter != self._saved_counter or not self.durable:
                text = self._render()
                self.store.write(key, text)
                self._seq += 1
                self._dirty = False
                self._saved_counter, self.size, self._unflushed = self.counter, len(text), True
                self._whole = self.durable
                self._gone.clear()
                tail.begin(self._seq, len(text))
            elif not (flush and self._unflushed):
                return False
            if flush:
                self.store.flush(key)
        except (StoreError, TypeError, ValueError, RecursionError) as error:
            # whatever of it was encoded is in the records: the next write is the document
            self._dirty = self._whole = True
            self.failing = str(error) if isinstance(error, StoreError) else f"{key}: {type(error).__name__}: {error}"
            raise JournalError(key, self.failing) from error
        self.failing = ""
        if flush or not self.durable:
            # this slot now holds the newest durable text: the next write goes to the other one
            self._slot = "b" if self._slot == "a" else "a"
            self._durable_seq = self._seq
            self._unflushed = False
        return True

    @property
    def crowded(self) -> bool:
        """True when so much has changed since the document that the next save writes it again."""
        return self._tail.crowded

    def _check(self) -> None:
        """Raise JournalError when nothing may be written."""
        refusal = self.report.refuse or (self.guard() if self.guard is not None else "")
        if refusal:
            self.failing = refusal
            raise JournalError(self.base, refusal)

    def intruder(self) -> str:
        """What shows that somebody else wrote to this journal since this instance did; "" when nothing does."""
        read = getattr(self.store, "read_fresh", self.store.read)
        for slot in "ab":
            try:
                frame = unpack(read(self._key(slot)) or "")
            except (Damaged, StoreError):
                continue
            if frame.seq > self._seq:
                return f"{self._key(slot)} was written by another instance (number {frame.seq}): restart the algorithm"
        return ""

    def _catch_up(self, groups: Iterable[GroupState]) -> list[str]:
        """Encode what is new of these groups: records of those that are new, facts of the others."""
        records = self._records
        changes = []
        for group in groups:
            group_id = group.spec.group_id
            record = records.get(group_id)
            if record is None or record.group is not group:
                record = records[group_id] = Record(group)
                changes.append(record.whole)
                continue
            first = record.count
            new = record.catch_up()
            if new:
                changes.append(change(group_id, first, new))
        return changes

    def _render(self) -> str:
        head = (
            f'{{"of":{encode(self.base)},"before":{self._durable_seq},"counter":{self.counter},'
            f'"extra":{self.extra.text}}}'
        )
        lines = [record.text for record in self._records.values()]
        body = f"{head}\n{_GLUE.join(lines)}]}}" if lines else head
        return pack(SCHEMA, self._seq + 1, body)

    @property
    def over_budget(self) -> bool:
        """True when the open document is larger than `document_bytes`: open no new groups."""
        return self.size > self._document_bytes

    # --- groups that ended -----------------------------------------------------------------------------

    def archive(self, *groups: GroupState) -> None:
        """Move ended groups to the archive; the open document forgets them with the next save.

        Raises:
            JournalError: the store failed; the groups stay in the open document.
        """
        self._check()
        texts = []
        try:
            for group in groups:
                record = self._records.get(group.spec.group_id)
                if record is None or record.group is not group:
                    record = Record(group)
                else:
                    record.catch_up()
                texts.append(record.whole)
            self.archived.add(*texts)
        except (StoreError, TypeError, ValueError) as error:
            self.failing = str(error)
            raise JournalError(self.base, str(error)) from error
        for group in groups:
            if self._records.pop(group.spec.group_id, None) is not None:
                self._gone.append(group.spec.group_id)

    def recent(self, tag: str) -> GroupState | None:
        """The ended group that a group id or an order's tag belongs to, from the newest chunks of the archive."""
        group_id = group_id_of(tag)
        if group_id is None:
            return None
        try:
            return self.archived.find(group_id)
        except StoreError:
            return None

