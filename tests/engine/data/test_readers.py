from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.exceptions import DataError
from workbench.engine.feed.readers import ZipFiles, parse_digits

cells = st.one_of(st.just(""), st.integers(0, 10**16 - 1).map(str),
                  st.integers(0, 99_999_999).map(lambda n: f"{n:08d}"))


def plain(text: str) -> list[list[float]]:
    """Cells of a csv text, an empty one as 0."""
    return [[float(cell) if cell else 0.0 for cell in line.split(",")] for line in text.splitlines() if line]


@given(st.integers(1, 11).flatmap(
    lambda columns: st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=1, max_size=40)))
def test_digits_equal_a_plain_csv_parse(rows: list[list[str]]) -> None:
    """Reading all cells at once gives what reading them one by one gives."""
    text = "".join(",".join(row) + "\n" for row in rows)
    if "\n\n" in "\n" + text:
        return  # a line of one empty cell is an empty line
    read = parse_digits(text.encode(), len(rows[0]))
    assert read is not None
    assert np.array_equal(read, plain(text))


@given(st.text("0123456789,\n.-e", max_size=60), st.integers(1, 4))
def test_only_complete_lines_of_digits_are_taken(text: str, columns: int) -> None:
    """Whatever the fast reader accepts is what it says: lines of digits with the right number of cells."""
    rows = parse_digits(text.encode(), columns)
    if rows is None:
        return
    lines = text.split("\n")
    assert lines[-1] == ""
    assert all(len(line.split(",")) == columns for line in lines[:-1])
    assert np.array_equal(rows, np.array([[float(c or 0) for c in line.split(",")] for line in lines[:-1]]).reshape(
        -1, columns))


def test_entries_are_read_below_each_other(folder: object, tmp_path: Path) -> None:
    """Several entries come as one table with the rows of each counted; an entry that is not there has none."""
    path = folder.zip("a.zip", {"one.csv": [[1, 2], [3, 4]], "two.csv": [[5, 6]]})  # type: ignore[attr-defined]
    rows, counts = ZipFiles().read(path, ["two.csv", "none.csv", "one.csv"], 2)
    assert rows.tolist() == [[5, 6], [1, 2], [3, 4]]
    assert counts == [1, 0, 2]


def test_fractions_line_ends_and_empty_lines_are_read(folder: object) -> None:
    """Index prices with decimals, Windows line ends and blank lines are no obstacle."""
    path = folder.root / "b.zip"  # type: ignore[attr-defined]
    import zipfile
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "1,2.5\r\n\r\n3,-4\r\n5,")
    rows, counts = ZipFiles().read(path, ["a.csv"], 2)
    assert rows.tolist() == [[1, 2.5], [3, -4], [5, 0]]
    assert counts == [3]


@pytest.mark.parametrize("bad", ["1,x,3", "1,2", "nan,1,2"])
def test_a_bad_line_is_named(folder: object, bad: str) -> None:
    """A line that is not numbers ends the reading with file, entry and line."""
    path = folder.zip("c.zip", {"a.csv": [[1, 2, 3], bad.split(","), [4, 5, 6]]})  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=rf"c\.zip/a\.csv, line 2: .*{bad}"):
        ZipFiles().read(path, ["a.csv"], 3)


def test_a_missing_file_has_no_rows_and_is_noted(tmp_path: Path) -> None:
    """No file means no data, as on LEAN, but the run can say so."""
    zips = ZipFiles()
    rows, counts = zips.read(tmp_path / "no.zip", ["a.csv"], 3)
    assert rows.shape == (0, 3)
    assert counts == [0]
    assert zips.missing == [tmp_path / "no.zip"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A file that is not a zip raises with its name."""
    (tmp_path / "x.zip").write_bytes(b"PK but not really")
    with pytest.raises(DataError, match=r"x\.zip: not a readable zip file"):
        ZipFiles().find(tmp_path / "x.zip")


def test_old_files_are_closed_and_opened_again(folder: object) -> None:
    """Many files are read one after the other, and the first once more, with few of them open at a time."""
    paths = [folder.zip(f"{n}.zip", {"a.csv": [[n, 1]]}) for n in range(80)]  # type: ignore[attr-defined]
    zips = ZipFiles()
    assert [int(zips.read(path, ["a.csv"], 2)[0][0, 0]) for path in [*paths, paths[0]]] == [*range(80), 0]
    assert sum(archive is not None for archive in zips._open.values()) <= 32
