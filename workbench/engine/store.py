"""The object store: write-behind, LEAN's key rules, `get_file_path` as flush barrier (LocalObjectStore.cs).

A save reaches the disk with the next `get_file_path` of an existing key, `clear`, the end of the run, or five seconds
of wall-clock time after the first unsaved write; a killed run loses what was not flushed.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.exceptions import ArgumentException, ArgumentNullException, KeyNotFoundException
from workbench.engine.members import lean_class

_KEY: Final = re.compile(r"^\.?[a-zA-Z0-9\\/_#\-\$= ]+\.?[a-zA-Z0-9]*$")
FLUSH_SECONDS: Final = 5.0


def normalize(key: str) -> str:
    """The key without leading dots and slashes, with forward slashes."""
    return key.lstrip(".").lstrip("/\\").replace("\\", "/")


@lru_cache(maxsize=4096)
def _key_to_write(path: str) -> str:
    """The key of a path that is written to; raises ArgumentException for one that LEAN does not take."""
    if path is None:
        raise ArgumentNullException("Value cannot be null. (Parameter 'path')")
    if not _KEY.match(path) or path.count("/") > 100 or path.count("\\") > 100:
        raise ArgumentException(f"LocalObjectStore: path is not supported: '{path}'")
    return normalize(path)


class _Entry:
    """A key's contents; None when they are on disk only."""

    __slots__ = ("data", "dirty", "size")

    def __init__(self, data: bytes | None, size: int = 0) -> None:
        self.data = data
        self.dirty = False
        self.size = size if data is None else len(data)


@lean_class("ObjectStore")
class ObjectStore:
    """Named texts and bytes that outlive the run.

    Args:
        root: folder of the files; without one a temporary folder that goes away with the run.
        on_error: told when a limit is exceeded or a file cannot be written.
    """

    max_size: int = 10 * 1024 ** 3
    max_files: int = 10_000

    def __init__(self, root: Path | None = None, on_error: Callable[[str], None] | None = None) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._root = root
        self._tell = on_error
        self._entries: dict[str, _Entry] = {}
        self._listed = False
        self._dirty_since: float | None = None
        self._closed = False

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    @property
    def root(self) -> Path:
        """Folder of the files."""
        if self._root is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="object-store-")
            self._root = Path(self._temporary.name)
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root

    def _list(self) -> None:
        """Know the files that are on disk, once."""
        if not self._listed:
            self._listed = True
            if self._root is not None and self._root.is_dir():
                for file in sorted(self._root.rglob("*")):
                    if file.is_file():
                        key = file.relative_to(self._root).as_posix()
                        self._entries.setdefault(key, _Entry(None, file.stat().st_size))

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def keys(self) -> list[str]:
        self._listed = False  # LEAN looks at the folder each time: other processes write there, too
        self._list()
        return list(self._entries)

    def contains_key(self, path: str) -> bool:
        """Whether there is anything under the key."""
        if path is None:
            raise ArgumentNullException("Value cannot be null. (Parameter 'path')")
        key = normalize(path)
        if key in self._entries:
            return True
        if key and self._root is not None and (self._root / key).is_file():
            self._entries[key] = _Entry(None, (self._root / key).stat().st_size)
            return True
        return False

    def read_bytes(self, path: str) -> bytes | None:
        """Contents of a key."""
        if not self.contains_key(path):
            raise KeyNotFoundException(
                f"Object with path '{path}' was not found in the current project. Please use "
                "ObjectStore.ContainsKey(key) to check if an object exists before attempting to read.")
        entry = self._entries[normalize(path)]
        if entry.data is None:
            file = self.root / normalize(path)
            if not file.is_file():
                return None
            entry.data = file.read_bytes()
        return entry.data

    def read(self, path: str, encoding: str = "utf-8") -> str | None:
        """Text of a key."""
        data = self.read_bytes(path)
        return None if data is None else data.decode(encoding)

    def read_string(self, path: str, encoding: str = "utf-8") -> str | None:
        """Text of a key."""
        return self.read(path, encoding)

    def read_json(self, path: str) -> Any:
        """Parsed JSON text of a key."""
        text = self.read(path)
        return None if text is None else json.loads(text)

    def __iter__(self) -> Iterator[Any]:
        from workbench.engine.slices import KeyValuePair
        for key in self.keys:
            yield KeyValuePair(key, self.read_bytes(key))  # type: ignore[arg-type]

    # -- writing --------------------------------------------------------------------------------------------------

    def save(self, path: str, text: str | None = None, encoding: str = "utf-8") -> bool:
        """Keep a text; without one, take over the file at `get_file_path(path)`."""
        if text is None:
            file = Path(self.get_file_path(path))
            if not file.is_file():
                raise ArgumentException(f"There is no file associated with path {path} in '{file}'")
            return self.save_bytes(path, file.read_bytes())
        if not isinstance(text, str):
            raise TypeError(f"object_store.save: {type(text).__name__} given where a text is expected; use save_bytes")
        return self._keep(_key_to_write(path), _Entry(text.encode(encoding)))

    def save_string(self, path: str, text: str, encoding: str = "utf-8") -> bool:
        """Keep a text."""
        return self.save(path, text, encoding)

    def save_json(self, path: str, value: Any) -> bool:
        """Keep a value as JSON text."""
        return self.save(path, json.dumps(value))

    def save_bytes(self, path: str, contents: bytes | list[int] | None) -> bool:
        """Keep bytes; False when a limit of the store is exceeded."""
        return self._keep(_key_to_write(path), _Entry(None if contents is None else bytes(contents)))

    def _keep(self, key: str, entry: _Entry) -> bool:
        if not self._within_limits(key, entry):
            return False
        entry.dirty = True
        self._entries[key] = entry
        if entry.data is None:
            return False
        if self._dirty_since is None:
            self._dirty_since = monotonic()
        return True

    def _within_limits(self, key: str, entry: _Entry) -> bool:
        if not self._listed:
            self._list()
        files = len(self._entries) + (key not in self._entries)
        if files > self.max_files:
            self._complain(f"You have reached the ObjectStore limit for files it can save: {files}/{self.max_files}. "
                           "Unable to save the new file. You can find the limit with the ObjectStore.MaxFiles "
                           "property.")
            return False
        if entry.size > self.max_size // 2:
            size = entry.size + sum(e.size for k, e in self._entries.items() if k != key)
            if size > self.max_size:
                self._complain("You have reached the ObjectStore storage capacity limit: "
                               f"{size / 2**20:g}MB/{self.max_size / 2**20:g}MB. Unable to save the new file. You can "
                               "find the limit with the ObjectStore.MaxSize property.")
                return False
        return True

    def on_error(self, tell: Callable[[str], None]) -> None:
        """Report limits and write errors to somebody."""
        self._tell = tell

    def _complain(self, message: str) -> None:
        if self._tell is not None:
            self._tell(f"ObjectStore Persistence Error: {message}")

    def delete(self, path: str) -> bool:
        """Remove a key from memory and disk."""
        if path is None:
            raise ArgumentNullException("Value cannot be null. (Parameter 'path')")
        key = normalize(path)
        was_known = self._entries.pop(key, None) is not None
        if key and self._root is not None:
            file = self._root / key
            if file.is_file():
                file.unlink()
                return True
        return was_known

    def get_file_path(self, path: str) -> str:
        """The file of a key; writes everything unsaved to disk when the key exists."""
        if not self.contains_key(path):
            self.save_bytes(path, None)
        else:
            self.flush()
        file = self.root / normalize(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        return str(file)

    def clear(self) -> None:
        """Write what is unsaved and forget what is in memory."""
        self.flush()
        self._entries.clear()
        self._listed = False

    # -- the disk -------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write every unsaved entry; an error is reported, not raised, as on LEAN."""
        if self._dirty_since is None:
            return
        self._dirty_since = None
        try:
            root = self.root
            for key, entry in self._entries.items():
                if entry.dirty and entry.data is not None:
                    file = root / key
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(entry.data)
                    entry.dirty = False
        except OSError as error:
            self._dirty_since = monotonic()
            self._complain(str(error))

    def tick(self) -> None:
        """Called by the time loop: the write-behind timer."""
        if self._dirty_since is not None and monotonic() - self._dirty_since >= FLUSH_SECONDS:
            self.flush()

    def close(self, *, keep_unsaved: bool = True) -> None:
        """End of the run; a kill (`keep_unsaved=False`) loses what was not flushed."""
        if self._closed:
            return
        self._closed = True
        if keep_unsaved and (self._root is not None or self._dirty_since is None):
            self.flush()
        if self._temporary is not None:
            self._temporary.cleanup()

    def snapshot(self) -> dict[str, bytes]:
        """Everything in memory, for tests and for runs without a folder."""
        return {key: entry.data for key, entry in self._entries.items() if entry.data is not None}
