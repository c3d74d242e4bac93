"""A half day of 2,192 GOOG contracts: LEAN's chain benchmark unmodified, and a variant that reads every new quote.

    .venv/bin/python -m pytest benchmarks/test_chain.py -s

Targets: 300,000 quote bars per second as the algorithm counts them (LEAN: 84,000), in both; under 250 MB. The variant's
sums are compared with a plain reading of the zip file. Each line ends with the time as a multiple of a fixed Python
loop (`loop`), which says the same on a faster or slower machine.
"""
from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.loop import loop_seconds
from tests.recordings import DATA, GOOG_QUOTES, ROOT, TIMED, needs_quotes, needs_timed

LEAN_CHAIN = TIMED / "chain.py"
HALF_DAY = range(34_200_000, 46_800_000)  # milliseconds of the open minutes, 09:30 to 13:00

RUN = """
import resource, sys
from pathlib import Path
from workbench.engine.run import run_backtest
result = run_backtest(Path(sys.argv[1]), data=Path(sys.argv[2]), library_paths=[])
print(result.status, result.error)
for _, line in result.log:
    if line.startswith("BENCH"):
        print(line)
print("MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def run(algorithm: Path) -> dict[str, float]:
    """Figures of a run in a process of its own."""
    done = subprocess.run([sys.executable, "-c", RUN, str(algorithm), str(DATA)], cwd=ROOT, capture_output=True,
                          text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("completed"), done.stdout
    found = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", done.stdout)}
    found["MB"] = float(done.stdout.rsplit("MB", 1)[1])
    return found


def report(name: str, figures: dict[str, float]) -> None:
    rate = figures["quotes"] / figures["loop_s"]
    loop = min(loop_seconds() for _ in range(3))
    print(f"\n{name}: {figures['quotes']:,.0f} quote bars in {figures['loop_s']:.3f} s = {rate:,.0f}/s, "
          f"{figures['MB']:.0f} MB, {figures['loop_s'] / loop:.2f} loops")


def plain_sums() -> tuple[int, float, float]:
    """New bars of the open minutes and the sums of their closes, a missing side being the last one before it."""
    count, bids, asks = 0, 0, 0
    with zipfile.ZipFile(GOOG_QUOTES) as archive:
        for name in archive.namelist():
            bid = ask = 0
            for line in archive.read(name).decode().splitlines():
                cells = line.split(",")
                bid = int(cells[4]) if cells[4] else bid
                ask = int(cells[9]) if cells[9] else ask
                if int(cells[0]) in HALF_DAY:
                    count += 1
                    bids += bid
                    asks += ask
    return count, bids / 10_000, asks / 10_000


@needs_quotes
@needs_timed
def test_counting() -> None:
    """LEAN's own benchmark file counts LEAN's own number of quote bars."""
    figures = run(LEAN_CHAIN)
    assert (figures["quotes"], figures["securities"]) == (460_472, 2_194)
    report("chain.py", figures)


@needs_quotes
def test_reading() -> None:
    """Bid and ask of every new bar sum up to what the files hold."""
    figures = run(ROOT / "benchmarks" / "algorithms" / "chain_read.py")
    count, bids, asks = plain_sums()
    assert figures["quotes"] == 460_472
    assert figures["new"] == count
    assert abs(figures["bids"] - bids) < 0.01
    assert abs(figures["asks"] - asks) < 0.01
    report("chain_read.py", figures)
