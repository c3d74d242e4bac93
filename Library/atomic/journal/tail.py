"""What was written since the open document: a log beside it, for a journal that is not durable.

A document holds every open group and grows with them, a wave of orders changes one. In a backtest a save therefore adds
one line to a text under a key of its own: the facts that are new, groups that are new as a whole, groups that went to
the archive. The first line names the document it belongs to; a log of another document says nothing, it is older. Each
line carries a checksum, as in the archive: damage costs what follows it. When the log has become long the document is
written again.
"""

from __future__ import annotations

import json
from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from .frame import Damaged, pack_line, unpack_line
from .migrate import SCHEMA, steps_from
from .records import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..ports import Store
    from .migrate import Step

#: characters that a log may have in any case
TAIL_BYTES = 2 * 1024
#: about what one entry has, in characters
_ENTRY = 600


def bound_of(document: int) -> int:
    """Characters of a log beyond which a document of so many is written again.

    Every entry writes the log as a whole (half the bound on average) and its share of the next document: together
    that is least where the bound is the root of twice an entry times the document.
    """
    return max(TAIL_BYTES, isqrt(2 * _ENTRY * document))


class Found(NamedTuple):
    """A log as read: its entries, parsed, oldest first, and how what follows them is damaged ("" when nothing is)."""

    entries: list[dict[str, Any]]
    damage: str


class Tail:
    """The log of one journal, as far as it was written.

    Args:
        store: where it is kept.
        base: stem of the journal's keys.
    """

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self.key = tail_key(base)
        self._text = ""
        self._bound = TAIL_BYTES
        #: it is cheaper to write the document again
        self.crowded = False

    def begin(self, seq: int, size: int) -> None:
        """A new document stands, number `seq` with `size` characters; its log is empty."""
        self._text = pack_line(SCHEMA, f'{{"document":{seq}}}')
        self._bound = bound_of(size)
        self.crowded = False

    def add(self, counter: int, extra: str, changes: Iterable[str], gone: str) -> None:
        """Write one more entry. Raises StoreError; it is as if it had not been tried then.

        Args:
            counter: the journal's counter of ids.
            extra: its small states as JSON; "" when none has changed.
            changes: records of new groups and `change`s of known ones.
            gone: ids of groups that went to the archive, as JSON; "" for none.
        """
        line = f'{{"counter":{counter},"groups":[{",".join(changes)}]'
        if extra:
            line += f',"extra":{extra}'
        if gone:
            line += f',"gone":{gone}'
        text = self._text + pack_line(SCHEMA, line + "}")
        self._store.write(self.key, text)
        self._text = text
        self.crowded = len(text) > self._bound


def tail_key(base: str) -> str:
    """The key of a journal's log."""
    return f"{base}/tail"


def change(group_id: str, first: int, facts: str) -> str:
    """Facts of a known group from number `first` on, `facts` being JSON without brackets."""
    return f'{{"id":"{group_id}","from":{first},"facts":[{facts}]}}'


def read_tail(store: Store, base: str, seq: int) -> Found:
    """The log of document number `seq`; nothing when there is none, or only one of another document.

    Raises:
        StoreError: the store cannot be read.
    """
    entries: list[dict[str, Any]] = []
    text = store.read(tail_key(base))
    if text is None:
        return Found(entries, "")
    for i, line in enumerate(text.removesuffix("\n").split("\n")):
        try:
            schema, content = unpack_line(line)
            entry = json.loads(content)
            steps = steps_from(schema)
            if i:
                groups = [_lifted(row, steps) for row in entry["groups"]]
                entries.append({**entry, "counter": int(entry["counter"]), "groups": groups})
            elif entry["document"] != seq:
                return Found([], "")
        except (Damaged, KeyError, TypeError, ValueError) as error:
            return Found(entries, f"line {i + 1} and what follows are lost ({type(error).__name__}: {error})")
    return Found(entries, "")


def _lifted(row: dict[str, Any], steps: Iterable[Step]) -> dict[str, Any]:
    """A new group or new facts of a known one, as the present schema has them."""
    for step in steps:
        row = step.group(row) if "spec" in row else {**row, "facts": step.facts(row["facts"])}
    return row


def joined(
    head: dict[str, Any], records: Iterable[dict[str, Any]], entries: Iterable[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Head and records of a document with what was written after it.

    Raises:
        Unreadable: an entry does not follow from what is before it.
    """
    known = {record["spec"]["id"]: record for record in records}
    head = dict(head)
    for entry in entries:
        head |= {name: entry[name] for name in ("counter", "extra") if name in entry}
        for group_id in entry.get("gone", ()):
            known.pop(group_id, None)
        for row in entry["groups"]:
            if "spec" in row:
                known[row["spec"]["id"]] = row
                continue
            record = known.get(row["id"])
            if record is None or len(record["facts"]) != row["from"]:
                raise Unreadable(f"{row['id']}: facts from number {row['from']} on, and not those before them")
            known[row["id"]] = {**record, "facts": [*record["facts"], *row["facts"]]}
    return head, list(known.values())
