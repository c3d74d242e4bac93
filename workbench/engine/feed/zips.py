"""Zip files with thousands of small entries, of which a few are wanted.

`zipfile` makes an object of every entry before the first is read; an option file has two thousand. Here the list of
entries stays bytes and is searched; what this reader does not know (zip64, encryption) is left to `zipfile`.
"""
from __future__ import annotations

import mmap
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

_END: Final = b"PK\x05\x06"
_ENTRY: Final = b"PK\x01\x02"
_ENTRY_SIZE: Final = 46
_FIELDS: Final = struct.Struct("<4s6H3I5H2I")  # of an entry in the directory, up to its name
_MANY: Final = 64


class ZipArchive:
    """An open zip file.

    Raises:
        FileNotFoundError: there is no such file.
        zipfile.BadZipFile: it is not a zip file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            try:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise zipfile.BadZipFile("the file is empty") from None
        self._slow: zipfile.ZipFile | None = None
        self._entries: dict[bytes, tuple[int, int, int, int, int]] | None = None
        self._asked = 0
        self._directory = self._read_directory()

    def _read_directory(self) -> bytes:
        data = self._data
        at = data.rfind(_END, max(0, len(data) - 65_557))
        if at < 0 or len(data) < at + 22:
            raise zipfile.BadZipFile("no end of directory")
        disk, start_disk, _, total, length, offset = struct.unpack_from("<4H2I", data, at + 4)
        if disk or start_disk or total == 0xFFFF or 0xFFFFFFFF in (length, offset):
            self._slow = zipfile.ZipFile(self._path)
            return b""
        directory = data[offset:offset + length]
        if len(directory) != length or (total and not directory.startswith(_ENTRY)):
            raise zipfile.BadZipFile("the directory of entries is damaged")
        return directory

    def namelist(self) -> list[str]:
        """Names of all entries, in the file's order."""
        if self._slow is not None:
            return self._slow.namelist()
        return [name.decode("utf-8", "replace") for name in self._all()]

    def _all(self) -> dict[bytes, tuple[int, int, int, int, int]]:
        if self._entries is None:
            self._entries = {}
            at = 0
            while at + _ENTRY_SIZE <= len(self._directory):
                name, found, following = self._entry(at)
                self._entries[name] = found
                at = following
        return self._entries

    def _entry(self, at: int) -> tuple[bytes, tuple[int, int, int, int, int], int]:
        """Name of an entry of the directory; its flags, method, checksum, size and offset; the next entry's place."""
        fields = _FIELDS.unpack_from(self._directory, at)
        if fields[0] != _ENTRY:
            raise zipfile.BadZipFile("the directory of entries is damaged")
        name_size, extra, comment = fields[10], fields[11], fields[12]
        begin = at + _ENTRY_SIZE
        name = self._directory[begin:begin + name_size]
        return name, (fields[3], fields[4], fields[7], fields[8], fields[16]), begin + name_size + extra + comment

    def _find(self, name: bytes) -> tuple[int, int, int, int, int] | None:
        self._asked += 1
        if self._entries is not None or self._asked > _MANY:
            return self._all().get(name)
        at = self._directory.find(name)
        while at >= 0:
            begin = at - _ENTRY_SIZE
            if begin >= 0 and self._directory[begin:begin + 4] == _ENTRY:
                found, entry, _ = self._entry(begin)
                if found == name:
                    return entry
            at = self._directory.find(name, at + 1)
        return None

    def read(self, name: str) -> bytes | None:
        """Content of an entry; None when there is none of the name.

        Raises:
            zipfile.BadZipFile: the entry is damaged.
        """
        if self._slow is not None:
            return self._slow.read(name) if name in self._slow.NameToInfo else None
        entry = self._find(name.encode())
        if entry is None:
            return None
        flags, method, checksum, size, offset = entry
        if flags & 1 or method not in (0, 8) or 0xFFFFFFFF in (size, offset):
            self._slow = zipfile.ZipFile(self._path)
            return self.read(name)
        data = self._data
        if data[offset:offset + 4] != b"PK\x03\x04":
            raise zipfile.BadZipFile(f"entry {name} is damaged")
        name_size, extra = struct.unpack_from("<2H", data, offset + 26)
        begin = offset + 30 + name_size + extra
        content = data[begin:begin + size]
        try:
            content = zlib.decompress(content, -15) if method else content
        except zlib.error as error:
            raise zipfile.BadZipFile(f"entry {name} is damaged ({error})") from error
        if zlib.crc32(content) != checksum:
            raise zipfile.BadZipFile(f"entry {name} is damaged (checksum)")
        return content

    def close(self) -> None:
        self._data.close()
        if self._slow is not None:
            self._slow.close()
