"""Every recorded LEAN trace is reproduced entry by entry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.recordings import DATA, PROBES, TRACES, needs_quotes, needs_traces
from workbench.engine.results import RunResult
from workbench.engine.run import run_backtest

NAMES = sorted(p.stem for p in TRACES.glob("*.json"))
MODEL_VALUES = {"iv", "delta", "gamma", "vega", "theta", "rho", "theoretical"}
DOLLARS = {"cash", "value", "margin_used", "margin_remaining", "used"}


def run_probe(trace: dict[str, Any]) -> RunResult:
    main = PROBES / trace["algorithm"]
    return run_backtest(main, data=DATA, parameters=trace["parameters"], library_paths=[PROBES])


def same(expected: Any, actual: Any, field: str = "") -> bool:
    """Equal; account figures to the cent, model values within 1 % or 0.005."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        if field in MODEL_VALUES:
            return abs(expected - actual) <= max(0.005, 0.01 * abs(expected))
        if field in DOLLARS:
            return abs(expected - actual) < 0.005
        return abs(expected - actual) < 1e-7
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(same(e, a, field) for e, a in zip(expected, actual, strict=True))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(expected[k], actual[k], k) for k in expected)
    return bool(expected == actual)


def first_difference(expected: list[Any], actual: list[Any]) -> str:
    """The first entry that differs with its neighbours, or an empty text."""
    for index in range(max(len(expected), len(actual))):
        one = expected[index] if index < len(expected) else None
        other = actual[index] if index < len(actual) else None
        if one is None or other is None or not same(one[:2], other[:2]) or not same(one[2], other[2]):
            lines = [f"entry {index} of {len(expected)} (engine: {len(actual)}) differs"]
            lines += [f"        both  {json.dumps(e)}" for e in expected[max(0, index - 3):index]]
            lines.append(f"  LEAN  {json.dumps(one)}")
            lines.append(f"  here  {json.dumps(other)}")
            lines += [f"  LEAN, then  {json.dumps(e)}" for e in expected[index + 1:index + 4]]
            lines += [f"  here, then  {json.dumps(e)}" for e in actual[index + 1:index + 4]]
            return "\n".join(lines)
    return ""


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@needs_traces
@needs_quotes
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_trace(name: str) -> None:
    """The engine records what LEAN recorded, in the same order, with the same figures."""
    trace = json.loads((TRACES / f"{name}.json").read_text(encoding="utf-8"))
    result = run_probe(trace)
    entries = json.loads(json.dumps(getattr(result.algorithm, "entries", [])))
    difference = first_difference(trace["entries"], entries)
    assert not difference, f"{name}: {difference}\nstatus {result.status}: {result.error}\n{result.traceback}"
    assert result.status == "completed", f"{result.error}\n{result.traceback}"
