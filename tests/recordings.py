"""Where LEAN's sample data, recordings and timed algorithms are: beside the project, they are no part of it.

`LEAN_DATA_FOLDER` and `LEAN_TRACES` name other places; an empty variable counts as not set.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
#: LEAN's sample data
DATA = Path(os.environ.get("LEAN_DATA_FOLDER") or SHARED / "lean_data")
#: what LEAN did with the probe algorithms
RECORDINGS = Path(os.environ.get("LEAN_TRACES") or SHARED / "lean_traces")
TRACES = RECORDINGS / "traces"
PROBES = RECORDINGS / "algorithms"
#: algorithms that were timed on LEAN
TIMED = SHARED / "lean_benchmarks"

GOOG_QUOTES = DATA / "option" / "usa" / "minute" / "goog" / "20151224_quote_american.zip"

NO_DATA = f"LEAN's sample data is not at {DATA} (set LEAN_DATA_FOLDER)"
NO_TRACES = f"LEAN's recordings are not at {RECORDINGS} (set LEAN_TRACES)"
NO_TIMED = f"the algorithms that were timed on LEAN are not at {TIMED}"
needs_quotes = pytest.mark.skipif(not GOOG_QUOTES.is_file(), reason=NO_DATA)
needs_traces = pytest.mark.skipif(not TRACES.is_dir(), reason=NO_TRACES)
needs_timed = pytest.mark.skipif(not TIMED.is_dir(), reason=NO_TIMED)


def goog_day(folder: Path) -> tuple[Path, str]:
    """A day of GOOG options and four strikes of it: the real one where it is, else one generated into `folder`."""
    if GOOG_QUOTES.is_file():
        return DATA, "740,745,750,755"
    from workbench.data.generate import generate

    generate(folder)
    return folder, "735,740,745,750"
