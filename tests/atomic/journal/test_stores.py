"""One contract for every store: memory, files, and LEAN's ObjectStore (embedded; on LEAN the same code runs)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomic.journal import FileStore, Journal, MemoryStore
from atomic.object_store import ObjectStoreStore
from atomic.ports import Store, StoreError
from tests.atomic.journal.groups import make_group, open_up
from workbench.engine.store import ObjectStore


class LeanLikeObjectStore:
    """LEAN's LocalObjectStore as its source has it: write-behind, flushed by asking for a file path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.memory: dict[str, str | None] = {}
        self.dirty: set[str] = set()

    def contains_key(self, key: str) -> bool:
        return key in self.memory or (self.root / key).is_file()

    def save(self, key: str, text: str) -> bool:
        from atomic.journal import check_key

        try:
            check_key(key)
        except StoreError as error:
            raise ValueError(f"path is not supported: {key!r}") from error
        self.memory[key] = text
        self.dirty.add(key)
        return True

    def read(self, key: str) -> str | None:
        if self.memory.get(key) is None and (self.root / key).is_file():
            self.memory[key] = (self.root / key).read_bytes().decode()
        return self.memory.get(key)

    def get_file_path(self, key: str) -> str:
        for name in sorted(self.dirty):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((self.memory[name] or "").encode())
        self.dirty.clear()
        return str(self.root / key)

    def delete(self, key: str) -> bool:
        self.memory.pop(key, None)
        self.dirty.discard(key)
        (self.root / key).unlink(missing_ok=True)
        return True

    @property
    def keys(self) -> list[str]:
        disk = [path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()]
        return sorted({*self.memory, *disk})


MAKERS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "file": lambda root: FileStore(root),
    "object-store": lambda root: ObjectStoreStore(LeanLikeObjectStore(root), verify=True),
    "embedded": lambda root: ObjectStoreStore(ObjectStore(root), verify=True),
}


@pytest.fixture(params=list(MAKERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    tmp_path.joinpath("storage").mkdir()
    return MAKERS[request.param](tmp_path / "storage")


def test_a_key_never_written_reads_as_none(store: Store) -> None:
    """There is no difference between an empty store and one that never heard of the key."""
    assert store.read("atomic/x/live/open-a") is None
    assert store.keys("atomic/") == []


def test_the_newest_text_is_read_back(store: Store) -> None:
    """A write replaces the text as a whole, also with a shorter one."""
    store.write("atomic/x/live/open-a", "first, and longer\n")
    store.write("atomic/x/live/open-a", "second\nline")
    assert store.read("atomic/x/live/open-a") == "second\nline"
    store.flush("atomic/x/live/open-a")
    assert store.read("atomic/x/live/open-a") == "second\nline"


def test_keys_are_listed_by_prefix_and_sorted(store: Store) -> None:
    """A prefix may end inside a name and does not have to be a folder."""
    for key in ("atomic/b/live/open-a", "atomic/a/live/open-b", "atomic/a/live/archive-000002a", "other"):
        store.write(key, "x")
    assert store.keys("atomic/") == ["atomic/a/live/archive-000002a", "atomic/a/live/open-b", "atomic/b/live/open-a"]
    assert store.keys("atomic/a/live/arch") == ["atomic/a/live/archive-000002a"]
    assert store.keys("none/") == []


def test_deleting_is_final_and_may_be_repeated(store: Store) -> None:
    """A deleted key reads as None; deleting it again is no error."""
    store.write("k", "x")
    store.flush("k")
    store.delete("k")
    store.delete("k")
    assert store.read("k") is None
    assert store.keys("") == []


@pytest.mark.parametrize("key", ["a:b", "a.b.c", "a?", "", "ключ"])
def test_keys_that_lean_refuses_are_refused_everywhere(store: Store, key: str) -> None:
    """A journal that works in a test works on LEAN."""
    with pytest.raises(StoreError):
        store.write(key, "x")


def test_flush_of_a_key_never_written_is_harmless_or_a_store_error(store: Store) -> None:
    """Nothing but StoreError ever comes out of a store."""
    try:
        store.flush("atomic/none")
    except StoreError as error:
        assert "atomic/none" in str(error)  # noqa: PT017


def test_memory_forgets_what_was_not_flushed() -> None:
    """After a crash only flushed texts are there, as on LEAN's write-behind store."""
    store = MemoryStore()
    store.write("k", "old")
    store.flush("k")
    store.write("k", "new")
    assert store.crash().read("k") == "old"


def test_a_full_or_read_only_memory_store_says_so() -> None:
    """The text names the key and the cure."""
    store = MemoryStore()
    store.capacity = 10
    with pytest.raises(StoreError, match=r"k: the store is full .*make room"):
        store.write("k", "x" * 11)
    store.read_only = True
    for action in (lambda: store.write("k", "x"), lambda: store.flush("k"), lambda: store.delete("k")):
        with pytest.raises(StoreError, match="k: the store is read-only; allow writing"):
            action()


def test_files_survive_in_another_process_view(tmp_path: Path) -> None:
    """A key is the file's path below the folder, as LEAN's LocalObjectStore has it."""
    FileStore(tmp_path).write("atomic/x/live/open-a", "text")
    assert (tmp_path / "atomic/x/live/open-a").read_text() == "text"
    assert FileStore(tmp_path).read("atomic/x/live/open-a") == "text"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["open-a"]


def test_bytes_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    """A damaged file can be copied aside byte for byte."""
    (tmp_path / "k").write_bytes(b"\xff\x00 half")
    store = FileStore(tmp_path)
    text = store.read("k")
    assert text is not None
    store.write("copy", text)
    assert (tmp_path / "copy").read_bytes() == b"\xff\x00 half"


def test_a_file_where_a_folder_is_needed_is_a_store_error(tmp_path: Path) -> None:
    """The message names the key and the folder."""
    (tmp_path / "atomic").write_text("I am a file")
    store = FileStore(tmp_path)
    assert store.read("atomic/x") is None
    with pytest.raises(StoreError, match="atomic/x: cannot be written to"):
        store.write("atomic/x", "text")


def test_a_key_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    """Neither by dots nor by a leading slash."""
    store = FileStore(tmp_path / "storage")
    for key in ("../out", "a/../../out", "/etc/passwd"):
        with pytest.raises(StoreError):
            store.write(key, "x")


@pytest.mark.parametrize("which", ["object-store", "embedded"])
def test_what_another_process_wrote_is_seen_fresh(tmp_path: Path, which: str) -> None:
    """LEAN keeps what it has read; a heartbeat of another instance must be read from the disk, and found there."""
    mine = MAKERS[which](tmp_path)
    mine.write("atomic/x/live/open-a", "mine")
    mine.flush("atomic/x/live/open-a")
    theirs = FileStore(tmp_path)
    theirs.write("atomic/x/live/heartbeat-1", "first")
    assert mine.keys("atomic/x/live/heartbeat-") == ["atomic/x/live/heartbeat-1"]
    assert mine.read("atomic/x/live/heartbeat-1") == "first"
    theirs.write("atomic/x/live/heartbeat-1", "second")
    assert mine.read_fresh("atomic/x/live/heartbeat-1") == "second"
    assert mine.read("atomic/x/live/heartbeat-1") == "second"
    assert mine.read_fresh("atomic/x/live/none") is None


@pytest.mark.parametrize("which", ["object-store", "embedded"])
def test_who_takes_a_journal_over_sees_what_was_written_while_it_waited(tmp_path: Path, which: str) -> None:
    """A standby has read the journal at its start; the groups and the archive of its load later are the newest."""
    first, standby = (Journal(MAKERS[which](tmp_path), "condor", live=True) for _ in range(2))
    first.load()
    before, ended = open_up(make_group(first.next_id())), make_group(first.next_id())
    first.save([before, ended], flush=True)
    first.archive(ended)
    first.save(flush=True)
    assert [group.group_id for group in standby.load().groups] == [before.group_id]

    after, archived = make_group(first.next_id()), make_group(first.next_id())
    first.save([before, after, archived], flush=True)
    first.archive(archived)
    first.save(flush=True)

    assert {group.group_id for group in standby.load().groups} == {before.group_id, after.group_id}
    assert standby.recent(archived.group_id) is not None
    assert standby.next_id() == "condor-000005"


@pytest.mark.parametrize("which", ["object-store", "embedded"])
def test_a_flush_that_did_not_reach_the_disk_is_an_error(
    tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LEAN logs disk errors instead of raising them: what was flushed is read back."""
    store = MAKERS[which](tmp_path)
    store.write("k", "old")
    store.flush("k")
    store.write("k", "new")
    real = store._store.get_file_path  # type: ignore[attr-defined]

    def swallowed(key: str) -> str:
        path = real(key)
        Path(path).write_text("old")
        return str(path)

    monkeypatch.setattr(store._store, "get_file_path", swallowed)  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="'k' is not what was written"):
        store.flush("k")
