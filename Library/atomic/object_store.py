"""LEAN's ObjectStore as a `Store`: what it raises, swallows and delays becomes a clear answer or a `StoreError`.

LEAN keeps writes in memory and hands them to the disk up to 5.5 s later; asking for the file path of an existing
key forces it (LocalObjectStore.cs:484-497, trace p07). It logs disk errors instead of raising them, so in live mode
a flush is proved by reading the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ports import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ObjectStoreStore:
    """A `ports.Store` over ``algorithm.object_store``.

    Args:
        store: the object store of a QCAlgorithm.
        verify: read back what was flushed, and read from the disk (live).
    """

    def __init__(self, store: Any, *, verify: bool = False) -> None:
        self._store = store
        self._verify = verify
        #: newest text per key that is not yet known to be on disk
        self._dirty: dict[str, str] = {}

    def read(self, key: str) -> str | None:
        """The text, or None when there is none; live as it is on disk now. Raises StoreError when it cannot be read.

        A live instance may have waited for its journal while another one wrote to it.
        """
        return self.read_fresh(key) if self._verify else self._kept(key)

    def read_fresh(self, key: str) -> str | None:
        """The text as it is on disk now: LEAN keeps what it has read, another process may have written since.

        Where files cannot be opened (cloud), what LEAN has read is all there is.
        """
        try:
            if not self._store.contains_key(key):
                return None
            with open(str(self._store.get_file_path(key)), encoding="utf-8", newline="") as file:
                return file.read()
        except Exception:
            return self._kept(key)

    def _kept(self, key: str) -> str | None:
        """The text as LEAN has it: read once, then kept (LocalObjectStore.cs: ReadBytes)."""
        try:
            # a null entry left by get_file_path of a missing key reads as None (LocalObjectStore.cs:361-372)
            if not self._store.contains_key(key):
                return None
            text = self._store.read(key)
        except Exception as error:
            raise StoreError(f"cannot read {key!r} from the object store: {error}") from error
        return None if text is None else str(text)

    def write(self, key: str, text: str) -> None:
        """Keep the text. Raises StoreError: refused, read-only, full, or an illegal key."""
        try:
            kept = self._store.save(key, text)
        except Exception as error:
            raise StoreError(
                f"cannot write {key!r} to the object store: {error}; allow writing (storage-permissions)"
            ) from error
        if kept is False:
            raise StoreError(
                f"the object store refused {key!r} ({len(text)} characters): it is full "
                "(storage-limit, storage-file-count); delete old keys"
            )
        self._dirty[key] = text

    def flush(self, key: str) -> None:
        """Return only when the newest text of the key is on disk. Raises StoreError."""
        text = self._dirty.get(key)
        if text is None:
            return
        try:
            path = self._store.get_file_path(key)
            if self._verify:
                with open(str(path), encoding="utf-8", newline="") as file:
                    on_disk = file.read()
                if on_disk != text:
                    raise StoreError(
                        f"{key!r} is not what was written ({len(on_disk)} of {len(text)} characters on disk); "
                        "check free space and permissions of the storage folder"
                    )
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(f"cannot flush {key!r} of the object store: {error}") from error
        self._dirty.pop(key, None)

    def delete(self, key: str) -> None:
        """Forget the key; a missing one is fine. Raises StoreError when deleting is not allowed."""
        self._dirty.pop(key, None)
        try:
            if self._store.contains_key(key):
                self._store.delete(key)
        except Exception as error:
            raise StoreError(f"cannot delete {key!r} from the object store: {error}") from error

    def keys(self, prefix: str) -> Sequence[str]:
        """All keys that start with the prefix, sorted."""
        try:
            found = [str(key) for key in self._store.keys]
        except Exception as error:
            raise StoreError(f"cannot list the object store: {error}") from error
        return sorted(key for key in found if key.startswith(prefix))
