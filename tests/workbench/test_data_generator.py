"""The generated day has LEAN's layout, the features that break naive code, and the same bytes every time."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from workbench import us_holidays as holidays
from workbench.data import databases, leanfiles, manifest, market
from workbench.data.generate import generate
from workbench.data.manifest import DataError

QUOTES = "option/usa/minute/goog/20151224_quote_american.zip"


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def entries(folder: Path, name: str) -> dict[str, list[list[str]]]:
    with zipfile.ZipFile(folder / name) as archive:
        assert archive.testzip() is None
        return {n: [line.split(",") for line in archive.read(n).decode().splitlines()] for n in archive.namelist()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data")
    generate(path)
    return path


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Two runs with one seed write the same bytes, another seed writes others."""
    generate(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)
    generate(tmp_path / "other", seed=8)
    assert contents(tmp_path / "other")[QUOTES] != contents(folder)[QUOTES]


def test_bytes_do_not_change_between_machines(folder: Path) -> None:
    """The default day has the checksum that it had when it was written down."""
    assert contents(folder)[QUOTES] == DEFAULT_QUOTES_CHECKSUM


def test_files_are_named_as_lean_names_them(folder: Path) -> None:
    """Every file of LEAN's layout is there under its name, and nothing else."""
    assert set(contents(folder)) == {
        manifest.NAME,
        databases.MARKET_HOURS,
        databases.SYMBOL_PROPERTIES,
        databases.INTEREST_RATE,
        "equity/usa/daily/goog.zip",
        "equity/usa/factor_files/goog.csv",
        "equity/usa/map_files/goog.csv",
        "equity/usa/minute/goog/20151224_quote.zip",
        "equity/usa/minute/goog/20151224_trade.zip",
        "option/usa/minute/goog/20151224_openinterest_american.zip",
        QUOTES,
        "option/usa/minute/goog/20151224_trade_american.zip",
        "option/usa/universes/goog/20151223.csv",
        "option/usa/universes/goog/20151224.csv",
    }


def test_layout_equals_lean_sample_data(folder: Path, lean_data: Path) -> None:
    """Names inside the zips, column counts, line ends and headers equal those of LEAN's own GOOG files."""
    for name in contents(folder):
        if name in {manifest.NAME, databases.MARKET_HOURS}:
            continue
        ours, theirs = (folder / name).read_bytes(), (lean_data / name).read_bytes()
        if name.endswith(".zip"):
            mine, real = leanfiles.unzipped(ours), leanfiles.unzipped(theirs)
            assert len(mine) == 1 or set(mine) & set(real), name
            assert {len(n.split("_")) for n in mine} == {len(n.split("_")) for n in real}
            ours, theirs = next(iter(mine.values())).encode(), next(iter(real.values())).encode()
            assert (ours[-1:] == b"\n") == (theirs[-1:] == b"\n"), name
        mine_line, real_line = ours.decode().splitlines()[0], theirs.decode().splitlines()[0]
        assert mine_line.count(",") == real_line.count(","), name
        if name.endswith("universes/goog/20151223.csv"):
            assert mine_line == real_line


def test_session_ends_early_on_a_half_day(folder: Path) -> None:
    """Option rows of 2015-12-24 lie between 09:30 and 13:00 New York time."""
    starts = [int(row[0]) for rows in entries(folder, QUOTES).values() for row in rows]
    assert min(starts) == 34_200_000
    assert max(starts) == 46_800_000 - 60_000


def test_quotes_stand_in_order(folder: Path) -> None:
    """Every bar has low at most open and close, high at least, and a bid below its ask, in whole scaled prices."""
    for name, rows in entries(folder, QUOTES).items():
        for row in rows:
            assert len(row) == 11, name
            for side in (row[1:5], row[6:10]):
                if side[0]:
                    o, h, low, c = map(int, side)
                    assert low <= min(o, c), (name, row)
                    assert h >= max(o, c), (name, row)
                    assert low > 0, (name, row)
            if row[1] and row[6]:
                assert int(row[4]) < int(row[9]), (name, row)


def test_features_that_break_naive_code_are_there(folder: Path) -> None:
    """There are far wings without a bid, missing sides and minutes, contracts that stop, and a wide first minute."""
    books = entries(folder, QUOTES)
    no_bid = [name for name, rows in books.items() if not any(row[1] for row in rows)]
    assert 10 < len(no_bid) < len(books) / 2
    near = books["20151224_goog_minute_quote_american_call_7475000_20151224.csv"]
    assert any(not row[1] for row in near)
    assert any(not row[6] for row in near)
    assert 150 < len(near) < 210
    last = {name: int(rows[-1][0]) for name, rows in books.items()}
    assert sum(stamp < 45_000_000 for stamp in last.values()) >= 3
    wide = int(near[0][6]) - int(near[0][1])
    usual = sorted(int(row[6]) - int(row[1]) for row in near[1:] if row[1] and row[6])
    assert wide > 2 * usual[len(usual) // 2]


def test_spreads_widen_away_from_the_money() -> None:
    """Half a spread grows with the distance from the money and with the price."""
    near, far = (market.half_spread(1.0, 748.0, 750.0, deviations) for deviations in (0.5, 3.0))
    assert far > near
    assert market.half_spread(150.0, 748.0, 600.0, 3.0) > market.half_spread(1.0, 748.0, 750.0, 3.0)


def test_the_smile_has_a_skew() -> None:
    """Wings are dearer in volatility than the middle, puts dearer than calls."""
    put, middle, call = (market.volatility(748.0, strike, 0.002) for strike in (730.0, 748.0, 766.0))
    assert put > call > middle


def test_the_underlying_jumps_once() -> None:
    """One minute of the default day moves more than three times as far as any usual one."""
    minutes = market.underlying(market.Day("GOOG", date(2015, 12, 24), date(2015, 12, 24), 748.4, 7))
    moves = sorted(minute.high - minute.low for minute in minutes[1:])
    assert moves[-1] > 2.5
    assert moves[-1] > 3 * moves[len(moves) // 2]


def test_daily_history_keeps_earlier_days(tmp_path: Path) -> None:
    """A second day of the same ticker is added to the daily file without losing the first."""
    generate(tmp_path)
    generate(tmp_path, day=date(2015, 12, 28))
    days = [row[0][:8] for row in entries(tmp_path, "equity/usa/daily/goog.zip")["goog.csv"]]
    assert days == sorted(set(days))
    assert {"20151224", "20151228"} <= set(days)
    assert (tmp_path / QUOTES).exists()


def test_a_later_expiry_is_listed_on_the_day_itself(tmp_path: Path) -> None:
    """With a later expiry the universe of the day itself lists the contracts, too."""
    generate(tmp_path, expiry=date(2015, 12, 31))
    rows = (tmp_path / "option/usa/universes/goog/20151224.csv").read_text().splitlines()
    assert rows[2].startswith("20151231,")
    delta = float(rows[2].split(",")[10])
    assert 0.9 < delta <= 1.0


def test_runs_again_over_its_own_files(tmp_path: Path) -> None:
    """Generating again, also after a cut between manifest and files, ends with the same bytes."""
    generate(tmp_path)
    before = contents(tmp_path)
    (tmp_path / QUOTES).unlink()
    generate(tmp_path)
    assert contents(tmp_path) == before
    generate(tmp_path, seed=9)
    generate(tmp_path)
    assert contents(tmp_path)[QUOTES] == before[QUOTES]


def test_a_cut_run_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with another seed that dies between two files leaves a folder in which it can run again."""
    generate(tmp_path)
    replace: Callable[..., None] = os.replace
    left = 3

    def dying(*args: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        replace(*args)

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, seed=9)
    monkeypatch.undo()
    generate(tmp_path, seed=9)
    generate(tmp_path / "fresh", seed=9)
    assert contents(tmp_path)[QUOTES] == contents(tmp_path / "fresh")[QUOTES]


@pytest.mark.parametrize("change", ["foreign", "edited"])
def test_files_of_others_are_left_alone(tmp_path: Path, change: str) -> None:
    """A file that the generator did not write, or that was changed since, stops it before anything is written."""
    path = tmp_path / QUOTES
    if change == "edited":
        generate(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"somebody's")
    before = contents(tmp_path)
    with pytest.raises(DataError, match=r"20151224_quote_american\.zip was not written by the generator.*--out"):
        generate(tmp_path, seed=9)
    assert contents(tmp_path) == before


def test_databases_of_others_are_kept(tmp_path: Path) -> None:
    """LEAN's own market-hours file stays as it is; the rest is generated beside it."""
    path = tmp_path / databases.MARKET_HOURS
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert generate(tmp_path).kept == [databases.MARKET_HOURS]
    assert path.read_text() == "{}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"day": date(2015, 12, 25)}, r"2015-12-25 is not a US trading day: the one before it is 2015-12-24"),
        ({"day": date(2015, 12, 26)}, r"not a US trading day"),
        ({"expiry": date(2015, 12, 23)}, r"expiry 2015-12-23 is before the date"),
        ({"ticker": "../x"}, r"'../x' is not a plain US ticker"),
        ({"price": 0.0}, r"price 0.0 is out of range"),
        ({"day": date(1980, 1, 2)}, r"out of range"),
    ],
)
def test_bad_values_are_named(tmp_path: Path, options: dict[str, object], message: str) -> None:
    """A value that cannot be used is named with its cure, and nothing is written."""
    with pytest.raises(DataError, match=message):
        generate(tmp_path, **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_unreadable_manifest_is_named(tmp_path: Path) -> None:
    """A manifest that cannot be read stops the generator with the path and the cure."""
    (tmp_path / manifest.NAME).write_text("{")
    with pytest.raises(DataError, match=r"atomic-generated\.json cannot be read.*--out"):
        generate(tmp_path)


def test_holidays_agree_with_lean(lean_data: Path) -> None:
    """The exchange's closed and short days of 1999 to 2026 are those of LEAN's database."""
    entry = json.loads((lean_data / databases.MARKET_HOURS).read_text())["entries"]["Equity-usa-[*]"]

    def parsed(rows: list[str]) -> set[date]:
        return {date(int(y), int(m), int(d)) for m, d, y in (row.split("/") for row in rows)}

    closed, early = parsed(entry["holidays"]), parsed(entry["earlyCloses"])
    for year in range(1999, 2027):
        assert {day for day in closed if day.year == year and day.weekday() < 5} == holidays.holidays(year)
        assert {day for day in early if day.year == year and day.weekday() < 5} == holidays.early_closes(year)


DEFAULT_QUOTES_CHECKSUM = "407cb9fdc64df8c223710dc3e46f00dbacea207e33ea3f7424e2aea5978199a0"
