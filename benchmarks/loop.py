"""A fixed Python loop: times as its multiples say the same on a faster or slower machine."""

from __future__ import annotations

from time import perf_counter


def loop_seconds() -> float:
    """Seconds of the loop."""
    begin = perf_counter()
    total, table = 0, {}
    for number in range(1_000_000):
        total += number & 7
        table[number & 1023] = total
    return perf_counter() - begin
