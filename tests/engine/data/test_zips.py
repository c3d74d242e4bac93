from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine.feed.zips import ZipArchive

names = st.text("abc_.", min_size=1, max_size=8).filter(lambda name: not name.startswith("."))


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(names, st.tuples(st.binary(max_size=200), st.sampled_from([0, 8])), max_size=90), st.data())
def test_entries_equal_zipfiles(tmp_path_factory: pytest.TempPathFactory, entries: dict[str, tuple[bytes, int]],
                                data: st.DataObject) -> None:
    """Names and contents are those `zipfile` wrote, stored or deflated, in any order of asking, few or many."""
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, (content, method) in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
        archive.comment = b"a comment"
    opened = ZipArchive(path)
    for name in data.draw(st.permutations(sorted(entries))):
        assert opened.read(name) == entries[name][0]
    assert opened.read("abc_abc_abc") is None
    assert opened.namelist() == list(entries)
    opened.close()


def test_a_name_inside_another_is_not_mistaken(tmp_path: Path) -> None:
    """An entry is found by its whole name."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_abc.csv", "long")
        archive.writestr("abc.csv", "short")
    assert ZipArchive(path).read("abc.csv") == b"short"
    assert ZipArchive(path).read("bc.csv") is None


def test_damage_is_seen(tmp_path: Path) -> None:
    """A changed byte of an entry, a cut file and a file that is no zip raise."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.csv", "1,2,3\n")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"1,2,3", b"1,2,4"))
    with pytest.raises(zipfile.BadZipFile, match="checksum"):
        ZipArchive(path).read("a.csv")
    for broken in (whole[:-10], b"PK", b""):
        path.write_bytes(broken)
        with pytest.raises(zipfile.BadZipFile):
            ZipArchive(path)
    with pytest.raises(FileNotFoundError):
        ZipArchive(tmp_path / "none.zip")
