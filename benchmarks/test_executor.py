"""The executor on the embedded engine against the same eight raw orders, and over 10,000 groups.

Targets: at most 500 µs per condor above the raw orders; time per group at the end of a long run within 20 % of its
start; memory bounded by open groups. The fastest twentieth of the condors counts, of the best of four runs in turns,
so that a loaded machine shows the same figures as an idle one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.recordings import ROOT, goog_day


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return goog_day(tmp_path_factory.mktemp("data"))


def run(market: tuple[Path, str], mode: str, per: int = 5) -> tuple[list[float], tuple[int, int]]:
    """Microseconds of each condor, and (groups in memory, groups in all) at the end."""
    from workbench.engine.run import run_backtest

    data, strikes = market
    result = run_backtest(
        ROOT / "benchmarks" / "condors_algorithm.py", data=data, library_paths=[ROOT / "Library"],
        parameters={"mode": mode, "per": str(per), "strikes": strikes},
    )  # fmt: skip
    assert result.status == "completed", result.error
    lines = [text for _, text in result.log]
    times = next(line for line in lines if line.startswith("TIMES "))[6:]
    kept = next((line for line in lines if line.startswith("KEPT ")), "KEPT 0 0").split()
    return [float(t) for t in times.split(",")], (int(kept[1]), int(kept[2]))


def fast(times: list[float]) -> float:
    """Mean of the fastest twentieth."""
    best = sorted(times)[: max(1, len(times) // 20)]
    return sum(best) / len(best)


@pytest.mark.parametrize("mode", ["legs", "native"])
def test_condors_above_raw_orders(benchmark: Any, market: tuple[Path, str], mode: str) -> None:
    """A condor opened and closed by the executor, and the eight raw orders it stands for."""
    run(market, mode, 1)
    raws: list[float] = []
    owns: list[float] = []

    def both() -> None:  # in turns, so that a loaded moment meets both
        raws.append(fast(run(market, "raw")[0]))
        owns.append(fast(run(market, mode)[0]))

    benchmark.pedantic(both, rounds=4)
    raw, own = min(raws), min(owns)
    print(f"\n{mode}: {own:.0f} us, raw {raw:.0f} us, above raw {own - raw:.0f} us per condor")
    benchmark.extra_info.update(condor_us=round(own), raw_us=round(raw), above_raw_us=round(own - raw))


def test_ten_thousand_groups(benchmark: Any, market: tuple[Path, str]) -> None:
    """10,000 groups in one run: time per group stays flat, memory holds open groups and recent ends only."""
    times, (kept, groups) = benchmark.pedantic(lambda: run(market, "legs", 84), rounds=1)
    tenth = len(times) // 10
    first, last = fast(times[tenth : 2 * tenth]), fast(times[-tenth:])
    print(f"\n{groups} groups, {kept} in memory, first tenth {first:.0f} us, last tenth {last:.0f} us, "
          f"ratio {last / first:.2f}")  # fmt: skip
    benchmark.extra_info.update(groups=groups, kept=kept, ratio=round(last / first, 3))
