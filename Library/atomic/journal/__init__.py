"""Durable record keeping: write-ahead, two checksummed slots, archive in bounded chunks."""

from .journal import Journal, JournalError, base_key
from .migrate import SCHEMA, UnknownSchema
from .records import Unreadable, group_from, group_id_of, group_text, spec_from, spec_text
from .state import Extra, Loaded, LoadReport
from .stores import FileStore, MemoryStore, check_key
from .tools import Verdict, bases, read_archive, read_groups, read_head, read_open, repair, verify

__all__ = [
    "SCHEMA",
    "Extra",
    "FileStore",
    "Journal",
    "JournalError",
    "LoadReport",
    "Loaded",
    "MemoryStore",
    "UnknownSchema",
    "Unreadable",
    "Verdict",
    "base_key",
    "bases",
    "check_key",
    "group_from",
    "group_id_of",
    "group_text",
    "read_archive",
    "read_groups",
    "read_head",
    "read_open",
    "repair",
    "spec_from",
    "spec_text",
    "verify",
]
