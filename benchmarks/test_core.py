"""The pure core alone: a four-leg group opened and closed, every fact and command, its journal rows in memory.

Target: 250 µs for 8 orders and 8 fills. The second figure is the same run as a multiple of a fixed Python loop, which
says the same on a faster or slower machine.
"""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

from atomic import diff, plan
from atomic import facts as f
from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.policy import Policy
from atomic.vocabulary import Kind, Phase, Right

C, P = Right.CALL, Right.PUT
LEGS = tuple(
    LegSpec(f"GOOG  151224{right}{int(strike * 1000):08d}", ratio, right, strike, "2015-12-24", "GOOG", 100.0, 0.05)
    for right, strike, ratio in ((P, 745.0, -1), (P, 742.5, 1), (C, 752.5, -1), (C, 755.0, 1))
)
QUOTES = {leg.symbol: Quote(1.0, 1.2, 1.1, 0.0) for leg in LEGS}
ENV = plan.Env()
POLICY = Policy()
ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def turn(group: Any, now: float) -> bool:
    """One turn of the loop that an executor runs, over a broker that fills at once."""
    while facts := plan.decisions(group, now, QUOTES, ENV):
        for fact in facts:
            f.apply(group, fact)
    desired = plan.desired_orders(group, now, QUOTES, ENV)
    commands = diff.commands(group, desired, now, ENV)
    submits = [command for command in commands if type(command) is f.Intended]
    for command in submits:
        f.apply(group, command)
    for command in submits:
        number = command.order
        order = group.orders[number]
        if not plan.still_wanted(group, order, ENV):
            raise AssertionError("withdrawn")
        f.apply(group, f.Sent(now, number))
        f.apply(group, f.Accepted(now, number))
        f.apply(group, f.Filled(now, number, 1, 1.1, 0.65))
    return bool(submits)


def open_and_close(journal: list[str]) -> Any:
    """A condor's whole life; the rows of its journal are kept as text, one write per wave."""
    spec = GroupSpec("condor-000001", Kind.ALL_OR_NONE, "iron_condor", LEGS, 1, 0.0, POLICY)
    group = new_group(spec)
    f.apply(group, f.Opening(0.0))
    written = 0
    while turn(group, 1.0):
        journal.append(ENCODE(group.facts[written:]))
        written = len(group.facts)
    f.apply(group, f.CloseAsked(2.0, "bell"))
    while turn(group, 2.0):
        journal.append(ENCODE(group.facts[written:]))
        written = len(group.facts)
    return group


def fixed_loop() -> int:
    """A fixed piece of interpreter work to compare with."""
    total = 0
    for i in range(10_000):
        total += i % 7
    return total


def best(call: Any, rounds: int) -> float:
    """Shortest of many runs, seconds."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def test_four_legs_opened_and_closed(benchmark: Any) -> None:
    """A condor opens in two waves and closes in two, 8 orders and 8 fills."""
    group = benchmark(lambda: open_and_close([]))
    assert group.phase is Phase.CLOSED
    assert len(group.orders) == 8
    core, loop = best(lambda: open_and_close([]), 500), best(fixed_loop, 200)
    print(f"\ncore {core * 1e6:.0f} us, fixed loop of 10,000 {loop * 1e6:.0f} us, ratio {core / loop:.2f}")
    benchmark.extra_info["ratio_to_fixed_loop"] = round(core / loop, 3)
