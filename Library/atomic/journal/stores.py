"""Where journals are kept: a folder of files, or memory. LEAN's ObjectStore is a third, in `bridge`."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from ..ports import StoreError

#: what LEAN's ObjectStore takes as a key (LocalObjectStore.cs: ``_pathRegex``)
_LEGAL = re.compile(r"^\.?[a-zA-Z0-9\\/_#\-$= ]+\.?[a-zA-Z0-9]*$")


def check_key(key: str) -> None:
    """Raise StoreError unless LEAN's ObjectStore would take the key and it stays inside the store's folder."""
    if not _LEGAL.match(key) or key.endswith("\n") or key.startswith(("/", "\\")):
        raise StoreError(f"key {key!r} is not legal: use letters, digits, / _ - # $ = and at most one dot")


class MemoryStore:
    """A store in memory that forgets like a disk: what was not flushed is gone after `crash`.

    Attributes:
        now: what a reader of the same process sees.
        disk: what survives a crash.
        capacity: characters it holds in all; writes beyond are refused.
        read_only: refuse writes and deletes.
        write_through: a write is on disk at once, as with a store that does not write behind.
        writes: successful writes so far, flushes: the same for flushes.
    """

    def __init__(self, disk: dict[str, str] | None = None, *, write_through: bool = False) -> None:
        self.disk: dict[str, str] = dict(disk or {})
        self.now: dict[str, str] = dict(self.disk)
        self.capacity: int | None = None
        self.read_only = False
        self.write_through = write_through
        self.writes = 0
        self.flushes = 0

    def read(self, key: str) -> str | None:
        """The newest text of this process, or None."""
        return self.now.get(key)

    def write(self, key: str, text: str) -> None:
        """Keep the text until a crash. Raises StoreError when read-only, full, or the key is not legal."""
        if key not in self.now:
            check_key(key)
        if self.read_only:
            raise StoreError(f"{key}: the store is read-only; allow writing to it")
        if self.capacity is not None:
            used = sum(len(held) for name, held in self.now.items() if name != key)
            if used + len(text) > self.capacity:
                raise StoreError(f"{key}: the store is full ({used + len(text)} > {self.capacity}); make room in it")
        self.now[key] = text
        if self.write_through:
            self.disk[key] = text
        self.writes += 1

    def flush(self, key: str) -> None:
        """From now on the newest text of the key survives a crash."""
        if self.read_only:
            raise StoreError(f"{key}: the store is read-only; allow writing to it")
        if key in self.now:
            self.disk[key] = self.now[key]
        self.flushes += 1

    def delete(self, key: str) -> None:
        """Forget the key, at once."""
        if self.read_only:
            raise StoreError(f"{key}: the store is read-only; allow writing to it")
        self.now.pop(key, None)
        self.disk.pop(key, None)

    def keys(self, prefix: str) -> list[str]:
        """Keys that start with the prefix, sorted."""
        return sorted(key for key in self.now if key.startswith(prefix))

    def crash(self) -> MemoryStore:
        """The store that the next process finds: only what reached the disk."""
        return MemoryStore(self.disk, write_through=self.write_through)


class FileStore:
    """A store over a folder: one file for each key, replaced as a whole.

    The folder may be the ``storage`` folder of a LEAN workspace: a key is the file's path below it, as LEAN's
    LocalObjectStore has it.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def _path(self, key: str) -> str:
        check_key(key)
        return os.path.join(self.root, *key.replace("\\", "/").split("/"))

    def read(self, key: str) -> str | None:
        """The text, or None when there is no such file. Bytes that are no UTF-8 come as lone surrogates."""
        try:
            with open(self._path(key), "rb") as file:
                return file.read().decode("utf-8", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{key}: cannot be read from {self.root} ({error.strerror})") from error

    def write(self, key: str, text: str) -> None:
        """Write a temporary file beside the old one and put it in its place."""
        path = self._path(key)
        temporary = f"{path}.{os.getpid()}tmp"
        data = text.encode("utf-8", "surrogateescape")
        try:
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            cure = "free space, or allow writing"
            raise StoreError(f"{key}: cannot be written to {self.root} ({error.strerror}); {cure}") from error

    def flush(self, key: str) -> None:
        """Force the file and its folder's entry to disk."""
        path = self._path(key)
        try:
            _sync(path)
            if os.name == "posix":  # a folder cannot be opened for this elsewhere
                _sync(os.path.dirname(path))
        except OSError as error:
            raise StoreError(f"{key}: cannot be flushed to {self.root} ({error.strerror}); check the disk") from error

    def delete(self, key: str) -> None:
        """Remove the file; a missing one is fine."""
        try:
            os.unlink(self._path(key))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StoreError(f"{key}: cannot be deleted from {self.root} ({error.strerror})") from error

    def keys(self, prefix: str) -> list[str]:
        """Keys that start with the prefix, sorted; unfinished temporary files are not among them."""
        folder = os.path.join(self.root, *prefix.split("/")[:-1])
        found = []
        for path, _, names in os.walk(folder, onerror=_unreadable):
            below = Path(path).relative_to(self.root).as_posix()
            stem = "" if below == "." else f"{below}/"
            found += [stem + name for name in names if not name.endswith("tmp")]
        return sorted(key for key in found if key.startswith(prefix))


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise StoreError(f"{error.filename}: cannot be listed ({error.strerror})") from error
