"""Bracket lives with our helper against LEAN's benchmark file with three raw orders, on the embedded engine.

    .venv/bin/python -m pytest benchmarks/test_brackets.py -s

Target: at most 200 µs above the raw version, not growing with the number of brackets. LEAN itself needs 2,240 to
2,430 µs for a raw bracket life.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.loop import loop_seconds
from tests.recordings import DATA, ROOT, TIMED, needs_quotes, needs_timed
from workbench.engine.run import run_backtest

RAW = TIMED / "brackets.py"
OURS = ROOT / "benchmarks" / "algorithms" / "brackets_atomic.py"


def life(algorithm: Path, count: int, per: int = 1) -> float:
    """Microseconds of one bracket life, the bars taken off."""

    def seconds(n: int) -> float:
        result = run_backtest(
            algorithm, data=DATA, parameters={"n": str(n), "per": str(per)}, library_paths=[ROOT / "Library"]
        )
        assert result.status == "completed", result.error
        line = next(text for _, text in result.log if text.startswith("BENCH"))
        return float(re.findall(r"loop_s=([\d.]+)", line)[0])

    return 1e6 * (min(seconds(count) for _ in range(3)) - min(seconds(0) for _ in range(3))) / count


@needs_quotes
@needs_timed
def test_bracket_lives() -> None:
    """Ours against raw, and ours for ten times as many at the same pace (up to 120 are open at once)."""
    raw, ours = life(RAW, 1900), life(OURS, 1900)
    some = {count: life(OURS, count, per=6) for count in (1000, 3000, 10_000)}
    loop = 1e6 * min(loop_seconds() for _ in range(3))
    print(f"\nraw {raw:.0f} us, ours {ours:.0f} us, above raw {ours - raw:.0f} us (target 200), "
          f"{1e3 * ours / loop:.2f} thousandths of the loop")
    print("six a bar: " + ", ".join(f"{count:,} brackets {each:.0f} us each" for count, each in some.items()))
