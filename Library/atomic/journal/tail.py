"""What changed since the open document was written: a short text beside it, for a journal that is not durable.

A document holds every open group and grows with them, a wave of orders changes one. In a backtest a save therefore
writes only the groups that changed since the newest document, under a key of its own and with that document's number;
the document is written again when groups went to the archive or when the tail has become long. A tail whose number is
not that of the document says nothing: it is older.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .frame import Damaged, pack, unpack
from .migrate import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..ports import Store

#: characters of a tail beyond which the document is written again, and the share of the document's that it may have
TAIL_BYTES = 8 * 1024
TAIL_SHARE = 1 / 8


class Found(NamedTuple):
    """A tail as read: values of the head that are newer than the document's, and the groups' records as JSON."""

    counter: int
    extra: dict[str, Any]
    records: list[str]


def tail_key(base: str) -> str:
    """The key of a journal's tail."""
    return f"{base}/tail"


def tail_text(seq: int, counter: int, extra: str, records: Iterable[str]) -> str:
    """The text of a tail that belongs to document `seq`; `extra` and the records are JSON."""
    return pack(SCHEMA, seq, "\n".join([f'{{"counter":{counter},"extra":{extra}}}', *records]))


def too_long(text: str, document: int) -> bool:
    """True when it is cheaper to write the document (`document` characters) again."""
    return len(text) > max(TAIL_BYTES, document * TAIL_SHARE)


def read_tail(store: Store, base: str, seq: int) -> Found | None:
    """The tail of document number `seq`; None when there is none, or only one of an older document or schema.

    Raises:
        Damaged: there is a tail, and what it says is lost.
        StoreError: the store cannot be read.
    """
    text = store.read(tail_key(base))
    if text is None:
        return None
    frame = unpack(text)
    if (frame.seq, frame.schema) != (seq, SCHEMA):
        return None
    head, *records = frame.body.split("\n")
    try:
        values = json.loads(head)
        return Found(int(values["counter"]), values["extra"], records)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"it is whole but cannot be read ({type(error).__name__}: {error})") from error
