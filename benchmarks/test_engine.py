"""What a run, a bracket and a condor cost, with the algorithms that were timed on LEAN, unmodified.

    .venv/bin/python -m pytest benchmarks/test_engine.py -s

Targets on two cores with Python 3.11: p04 start to finish as a whole process under 0.6 s; under 250 us per bracket life
(three orders, two fills, one cancel; LEAN 2,240 to 2,430); under 600 us per condor opened and closed in eight market
orders (LEAN 5,070); a run twice as long at most 2.2 times as long. The best of three runs counts. Each line ends with
the time as a multiple of a fixed Python loop (`loop`), which says the same on a faster or slower machine.
"""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

from benchmarks.loop import loop_seconds
from tests.recordings import DATA, PROBES, ROOT, TIMED, needs_quotes, needs_timed

RUN = """
import sys
from pathlib import Path
from workbench.engine.run import run_backtest
parameters = dict(pair.split("=") for pair in sys.argv[4:])
result = run_backtest(Path(sys.argv[1]), data=Path(sys.argv[2]), parameters=parameters,
                      library_paths=[Path(sys.argv[3])])
print(result.status, result.error)
for _, line in result.log:
    if line.startswith("BENCH"):
        print(line)
"""

pytestmark = [needs_quotes, needs_timed]


LOOP = min(loop_seconds() for _ in range(3))


def run(algorithm: Path, *parameters: str) -> dict[str, float]:
    """Figures of a run in a process of its own; `process_s` is its whole life."""
    begin = perf_counter()
    done = subprocess.run([sys.executable, "-c", RUN, str(algorithm), str(DATA), str(PROBES), *parameters], cwd=ROOT,
                          capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "PYTHONPATH": f"{ROOT / 'Library'}{os.pathsep}{ROOT}"})
    seconds = perf_counter() - begin
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("completed"), done.stdout
    found = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", done.stdout)}
    found["process_s"] = seconds
    return found


def best(figure: str, algorithm: Path, *parameters: str) -> dict[str, float]:
    return min((run(algorithm, *parameters) for _ in range(3)), key=lambda found: found[figure])


def test_half_day_with_four_contracts_as_a_whole_process() -> None:
    """p04 from the start of Python to its end."""
    seconds = best("process_s", PROBES / "p04_combos.py")["process_s"]
    print(f"\np04, whole process: {seconds:.2f} s, {seconds / LOOP:.1f} loops (target 0.6 s)")


def test_bracket_lives() -> None:
    """brackets.py with 1,000 and 1,900 brackets."""
    for count in (1000, 1900):
        seconds = best("loop_s", TIMED / "brackets.py", f"n={count}")["loop_s"]
        print(f"\nbrackets n={count}: {1e6 * seconds / count:.0f} us per life with the bars of five days, "
              f"{seconds / count / LOOP * 1000:.2f} loops per 1,000 lives (target 250 us)")


@pytest.mark.parametrize(("mode", "target"), [("raw", 600), ("combo", 600)])
def test_condors(mode: str, target: int) -> None:
    """condors.py: eight market orders, or two combos."""
    micro = best("us_per_condor", TIMED / "condors.py", f"mode={mode}")["us_per_condor"]
    print(f"\ncondors {mode}: {micro:.0f} us, {micro / 1e3 / LOOP:.2f} loops per 1,000 condors (target {target} us)")


def test_cost_is_linear_in_orders() -> None:
    """Twice as many condors, twice as long (at most 2.2 times)."""
    once = best("total", TIMED / "condors.py", "mode=raw", "per=5")
    twice = best("total", TIMED / "condors.py", "mode=raw", "per=10")
    print(f"\n{once['condors']:.0f} condors {once['total']:.2f} s, {twice['condors']:.0f} condors "
          f"{twice['total']:.2f} s: {twice['total'] / once['total']:.2f} times (target 2.2)")
