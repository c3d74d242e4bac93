"""A store seen from outside: which journals it holds, what they say, whether they are sound, and their repair."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from . import archive
from .frame import Damaged, pack, unpack
from .journal import base_key
from .migrate import SCHEMA, UnknownSchema, steps_from
from .reading import ID_SKIP
from .records import Unreadable, encode, group_from
from .tail import joined, read_tail, tail_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import GroupState
    from ..ports import Store

_ROOT = "atomic/"


class SlotState(NamedTuple):
    """One slot as found: `seq` 0 and a reason in `damage` when it is not sound."""

    key: str
    present: bool
    seq: int
    schema: int
    groups: int
    damage: str


class Verdict(NamedTuple):
    """What `verify` found for one journal; `sound` when it can be loaded and nothing is damaged."""

    base: str
    slots: list[SlotState]
    archived: int
    #: damaged archive lines by key
    damaged_lines: dict[str, int]
    problems: list[str]

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def bases(store: Store) -> list[str]:
    """Stems of all journals in the store, sorted."""
    split = (key.rpartition("/") for key in store.keys(_ROOT))
    return sorted({base for base, _, name in split if name.startswith(("open-", "archive-"))})


class _Document(NamedTuple):
    key: str
    seq: int
    head: dict[str, Any]
    lines: list[dict[str, Any]]


def _keys(base: str) -> list[str]:
    return [f"{base}/open-a", f"{base}/open-b"]


def _document(store: Store, keys: list[str]) -> _Document | None:
    """The newest of these slots whose checksum is right, parsed and lifted to the present schema."""
    best: _Document | None = None
    for key in keys:
        text = store.read(key)
        if text is None:
            continue
        try:
            frame = unpack(text)
            steps = steps_from(frame.schema)
            head, *lines = (json.loads(line) for line in frame.body.split("\n"))
        except (Damaged, UnknownSchema, ValueError):
            continue
        for step in steps:
            head = step.head(head)
            lines = [step.group(line) for line in lines]
        if best is None or frame.seq > best.seq:
            best = _Document(key, frame.seq, head, lines)
    return best


def _with_tail(store: Store, base: str, document: _Document | None) -> tuple[_Document | None, str]:
    """The document with what was written after it, and how that is damaged ("" when it is not)."""
    found = read_tail(store, base, document.seq if document is not None else 0)
    if document is None:
        return None, found.damage
    try:
        head, lines = joined(document.head, document.lines, found.entries)
    except (KeyError, TypeError, ValueError) as error:
        return document, str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"
    return document._replace(head=head, lines=lines), found.damage


def read_head(store: Store, base: str) -> dict[str, Any]:
    """Head of the newest sound slot ("of", "counter", "extra"); empty when there is none."""
    document, _ = _with_tail(store, base, _document(store, _keys(base)))
    return document.head if document else {}


def read_open(store: Store, base: str) -> list[GroupState]:
    """Groups of the newest sound slot, without touching anything.

    Raises:
        Unreadable: a record does not make a group.
    """
    document, _ = _with_tail(store, base, _document(store, _keys(base)))
    return [group_from(record) for record in document.lines] if document else []


def read_archive(store: Store, base: str) -> Iterator[GroupState]:
    """Ended groups, oldest first; of a group that was reopened, its last end.

    Raises:
        Unreadable: a record does not make a group.
    """
    for record in archive.records(store, base):
        yield group_from(record)


def read_groups(store: Store, name: str, *, live: bool = False, run: str = "", account: str = "") -> list[GroupState]:
    """All groups of one algorithm, archived and open, in the order of their ids' creation."""
    base = base_key(name, live=live, run=run, account=account)
    groups = {group.group_id: group for group in read_archive(store, base)}
    groups.update((group.group_id, group) for group in read_open(store, base))
    return sorted(groups.values(), key=lambda group: (group.spec.created_at, group.group_id))


def _slot(store: Store, key: str) -> SlotState:
    text = store.read(key)
    if text is None:
        return SlotState(key, False, 0, 0, 0, "")
    try:
        frame = unpack(text)
    except Damaged as error:
        return SlotState(key, True, 0, 0, 0, str(error))
    try:
        steps = steps_from(frame.schema)
        lines = frame.body.split("\n")[1:]
        for line in lines:
            record = json.loads(line)
            for step in steps:
                record = step.group(record)
            group_from(record)
    except (UnknownSchema, Unreadable, ValueError) as error:
        return SlotState(key, True, frame.seq, frame.schema, 0, str(error))
    return SlotState(key, True, frame.seq, frame.schema, len(lines), "")


def verify(store: Store, base: str) -> Verdict:
    """Check both slots and the archive of one journal: checksums, schema, and that every group can be rebuilt."""
    slots = [_slot(store, key) for key in _keys(base)]
    problems = [f"{slot.key}: {slot.damage}" for slot in slots if slot.damage]
    if not any(slot.present for slot in slots):
        problems.append(f"{base}: there is no open document")
    elif all(not slot.present or slot.damage for slot in slots):
        problems.append(f"{base}: no slot is sound; it will not trade")
    damage = _with_tail(store, base, _document(store, _keys(base)))[1]
    if damage:
        problems.append(f"{tail_key(base)}: {damage}")
    lines = archive.damage(store, base)
    problems += [f"{key}: {count} damaged lines" for key, count in lines.items()]
    count = 0
    try:
        for record in archive.records(store, base):
            count += 1
            group_from(record)
    except (UnknownSchema, Unreadable, KeyError, ValueError) as error:
        problems.append(f"{base}/archive: {error}")
    return Verdict(base, slots, count, lines, problems)


def repair(store: Store, base: str) -> list[str]:
    """Copy damaged slots aside and write the newest sound one in their place; without one, an empty document.

    Ids skip ahead and the next start is told that something was lost: it attributes nothing it cannot explain.
    What groups of an empty document held is a foreign position to the next start, which reports it.

    Returns:
        What was done, one sentence each; empty when there was nothing to do.

    Raises:
        StoreError: the store failed; nothing sound was overwritten.
        ValueError: a slot is from a newer version: it is left alone.
    """
    slots = [_slot(store, key) for key in _keys(base)]
    newer = [slot for slot in slots if slot.present and slot.schema > SCHEMA]
    if newer:
        raise ValueError(f"{newer[0].key} was written by a newer version (schema {newer[0].schema}): use that version")
    sound = [slot.key for slot in slots if slot.present and not slot.damage]
    document, damage = _with_tail(store, base, _document(store, sound))
    broken = [slot for slot in slots if slot.present and slot.damage]
    if damage:
        broken.append(SlotState(tail_key(base), True, 0, 0, 0, damage))
    if not broken and (document is not None or not archive.chunk_keys(store, base)):
        return []
    log = tail_key(base)
    if document is None and not damage and store.read(log) is not None:  # it must not be read as the new one's
        broken.append(SlotState(log, True, 0, 0, 0, "it goes on from a document that is lost"))
    done = []
    for slot in broken:
        text = store.read(slot.key) or ""
        copy = f"{slot.key}-damaged-{crc32(text.encode('utf-8', 'surrogateescape')):08x}"
        store.write(copy, text)
        store.flush(copy)
        done.append(f"{slot.key} ({slot.damage}) was copied to {copy}")
    empty: dict[str, Any] = {"extra": {}, "counter": _highest_id(store, base)}
    key, seq, head, lines = document or _Document("", 0, empty, [])
    lost = "; ".join(done) or "all slots were gone"
    head |= {"of": base, "before": seq, "counter": int(head["counter"]) + ID_SKIP, "lost": lost}
    target = f"{base}/open-b" if key.endswith("a") else f"{base}/open-a"
    body = "\n".join([encode(head), *(encode(line) for line in lines)])
    store.write(target, pack(SCHEMA, seq + 1, body))
    store.flush(target)
    for slot in broken:
        if slot.key == log:
            store.delete(slot.key)
    if document is not None:
        done.append(f"{target} was written again from {key} (number {seq}, {len(lines)} groups)")
    else:
        for slot in broken:
            if slot.key != target:
                store.delete(slot.key)
        done.append(f"no slot was sound: {target} is empty now; what lost groups hold is a foreign position")
    return done


def _highest_id(store: Store, base: str) -> int:
    ids = (str(record["spec"]["id"]).rpartition("-")[2] for record in archive.records(store, base))
    return max((int(digits) for digits in ids if digits.isdigit()), default=0)
