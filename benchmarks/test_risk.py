"""The risk package: all pre-trade checks of a condor, and the what-if table of a hundred groups.

    .venv/bin/python -m pytest benchmarks/test_risk.py -s

Targets: 150 µs for thirteen checks of a condor beside no open group; 20 ms for 100 groups x 200 scenarios. Each line
ends with the time as a multiple of a fixed Python loop, which says the same on a faster or slower machine.
"""

from __future__ import annotations

from datetime import date
from time import perf_counter
from typing import Any

from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.policy import Policy
from atomic.ports import Proposal
from atomic.vocabulary import Kind, Right
from benchmarks.loop import loop_seconds
from risk.gate import Gate
from risk.greeks import option_value
from risk.group_margin import BuyingPower
from risk.pretrade import (
    DaysToExpiry,
    MaxContracts,
    MaxGroups,
    MaxLossForAccount,
    MaxLossPerGroup,
    MaxLossPerUnderlying,
    MinutesToClose,
    NoDuplicate,
    NoEventDay,
    QuoteQuality,
    ShortStrikeDistance,
    UnitPrice,
)
from risk.scenarios import ScenarioLeg, scenario_frame
from risk.structure import PayoffLeg

NOW = 1_450_969_200.0  # 2015-12-24 10:00 New York
C, P = Right.CALL, Right.PUT
LEGS = tuple(
    LegSpec(f"{right}{strike}", ratio, right, strike, "2015-12-24", "GOOG", 100.0, 0.05)
    for right, strike, ratio in ((P, 740.0, 1), (P, 745.0, -1), (C, 755.0, -1), (C, 760.0, 1))
)
QUOTES = {leg.symbol: Quote(0.9, 1.1, 1.0, NOW, True, 50, 50) for leg in LEGS} | {
    "GOOG": Quote(749.9, 750.1, 750.0, NOW)
}
CHECKS = Gate(
    [
        MaxLossPerGroup(1e4),
        MaxLossPerUnderlying(1e5),
        MaxLossForAccount(part_of_equity=0.5),
        MaxContracts(100, 1000),
        MaxGroups(50),
        NoDuplicate(),
        ShortStrikeDistance(0.0),
        QuoteQuality(max_age=100, max_spread_part=5, size=True),
        UnitPrice(min_credit=-1.0),
        MinutesToClose(1, lambda now: now + 3600),
        DaysToExpiry(0, 10),
        NoEventDay({"SPY": ["2016-01-01"]}),
        BuyingPower(),
    ]
)


def best(call: Any, times: int, rounds: int = 7) -> float:
    """Shortest seconds of one call over several rounds."""
    found = []
    for _ in range(rounds):
        start = perf_counter()
        for _ in range(times):
            call()
        found.append((perf_counter() - start) / times)
    return min(found)


def proposal(groups: int) -> Proposal:
    spec = GroupSpec("new", Kind.ALL_OR_NONE, "iron_condor", LEGS, 1, NOW, Policy())
    book = []
    for number in range(groups):
        group = new_group(GroupSpec(f"old-{number}", Kind.ALL_OR_NONE, "other", LEGS, 1, NOW, Policy()))
        group.target = 1
        for leg in group.legs:
            leg.net, leg.cost = leg.spec.ratio, 100.0 * leg.spec.ratio
        book.append(group)
    return Proposal(spec, QUOTES, NOW, book, 1e6, 1e6)


def test_checks_of_a_condor() -> None:
    """Thirteen checks of one condor, beside no and beside five open groups."""
    unit = loop_seconds()
    for groups in (0, 5):
        wanted = proposal(groups)
        assert CHECKS.approve(wanted) == []
        terms = (wanted.spec, wanted.quotes, wanted.now, wanted.book, wanted.equity, wanted.margin_remaining)
        seconds = best(lambda terms=terms: CHECKS.approve(Proposal(*terms)), 500)  # a new proposal: nothing remembered
        print(f"\nchecks, {groups} open groups: {seconds * 1e6:.0f} us, {seconds / unit:.4f} loops")


def test_scenarios_of_a_hundred_groups() -> None:
    """A hundred condors under twenty moves and ten changes of volatility, as a pandas frame."""
    unit = loop_seconds()
    today = date(2015, 12, 1)

    def marked(right: str, strike: float, quantity: int) -> ScenarioLeg:
        price = option_value(right, 750.0, strike, 23 / 365, 0.25)
        return ScenarioLeg.of(PayoffLeg(right, strike, quantity, 100.0, price, "2015-12-24"), 750.0, today)  # type: ignore[arg-type]

    condor = [marked("P", 700, 1), marked("P", 720, -1), marked("C", 780, -1), marked("C", 800, 1)]
    groups = {f"condor-{number}": condor for number in range(100)}
    moves, changes = [-0.2 + 0.02 * step for step in range(20)], [-0.1 + 0.02 * step for step in range(10)]
    assert scenario_frame(groups, moves, changes).shape == (101, 200)
    seconds = best(lambda: scenario_frame(groups, moves, changes), 5)
    print(f"\nscenarios, 100 groups x 200: {seconds * 1e3:.1f} ms, {seconds / unit:.3f} loops")
