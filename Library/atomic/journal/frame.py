"""The envelope of what is written: version, sequence number, length and checksum, so that damage is seen.

First line: ``atomic-journal <schema> <seq> <length> <crc32>``; the checksum covers the three numbers before it
and everything after the line. Lines of an archive carry a checksum each, so that a torn chunk keeps its head.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

_MAGIC = "atomic-journal"


class Damaged(ValueError):  # noqa: N818 - what was read is damaged; the reader decides what that means
    """What was read is not what was written; the text says how it shows."""


class Frame(NamedTuple):
    """A slot's content after its checksum was found right."""

    schema: int
    seq: int
    body: str


def pack(schema: int, seq: int, body: str) -> str:
    """The text of a slot. `body` must be ASCII."""
    head = f"{schema} {seq} {len(body)}"
    check = crc32(body.encode("ascii"), crc32(head.encode("ascii")))
    return f"{_MAGIC} {head} {check:08x}\n{body}"


def unpack(text: str) -> Frame:
    """The inverse of `pack`. Raises Damaged."""
    line, newline, body = text.partition("\n")
    words = line.split(" ")
    if not newline or len(words) != 5 or words[0] != _MAGIC:
        raise Damaged("it does not begin like a journal" if text else "it is empty")
    head = " ".join(words[1:4])
    try:
        schema, seq, length = (int(word) for word in words[1:4])
        if len(body) != length:
            raise Damaged(f"it has {len(body)} characters of {length}")
        check = crc32(body.encode("ascii"), crc32(head.encode("ascii")))
    except (UnicodeEncodeError, ValueError) as error:
        if isinstance(error, Damaged):
            raise
        raise Damaged("it holds characters that were never written") from None
    if f"{check:08x}" != words[4]:
        raise Damaged("its checksum is wrong")
    return Frame(schema, seq, body)


def pack_line(schema: int, text: str) -> str:
    """One line of an archive, with its newline. `text` must be ASCII without newlines."""
    line = f"{schema} {text}"
    return f"{crc32(line.encode('ascii')):08x} {line}\n"


def unpack_line(line: str) -> tuple[int, str]:
    """The inverse of `pack_line`, without the newline: schema and text. Raises Damaged."""
    check, _, rest = line.partition(" ")
    schema, _, content = rest.partition(" ")
    try:
        good = f"{crc32(rest.encode('ascii')):08x}" == check
    except UnicodeEncodeError:
        good = False
    if not good or not schema.isdigit():
        raise Damaged("its checksum is wrong")
    return int(schema), content


def unpack_lines(text: str) -> tuple[list[tuple[int, str]], int]:
    """The lines (schema, text) that are whole, and the number of those that are not."""
    whole: list[tuple[int, str]] = []
    damaged = 0
    for line in text.split("\n"):
        if not line:
            continue
        try:
            whole.append(unpack_line(line))
        except Damaged:
            damaged += 1
    return whole, damaged
