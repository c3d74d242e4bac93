"""Runs that once broke a rule, whole: what each found is in docs/reliability.md."""

from __future__ import annotations

import pytest

from workbench.campaign.drivers import shell
from workbench.campaign.runs import one

STORMS = (600035484, 600056956)
RESTARTS = (50003776, 60000129, 70008491, 400001813, 400001993, 400009013, 1430003522)
BRACKETS = (9001983, 20097135, 140011907, 140024232, 140027688)
BRACKETS_AND_RESTARTS = (
    89, 91, 168, 880, 1316, 1340, 1520, 1667, 2621, 2675, 2776, 3013, 10324, 12089, 17007, 31900, 34134, 38135,
    40552, 56132, 59837, 60104, 67344, 202376, 206950, 208563, 217182, 306595, 315140, 720011219, 720025497,
    720029423, 800016224, 800025281, 800029696, 900012938, 1630024024, 1630024976, 1630032900, 1630035063, 1630038832,
    1640042982, 1660002973, 1660050587, 1660057805, 1810002866,
    1860012681, 1860014732, 1870021336, 1660027550,
    1900045719, 1870054265, 900020295,
)  # fmt: skip
SETS = (34, 51, 56, 70, 127, 249, 256, 268, 357, 366, 610, 931, 2714)
#: linked in a contract whose holdings did not add up
LINKED_AND_RESTARTS = (4200003451, 4210000881, 4210008493)
SETS_AND_RESTARTS = (100099, 100374, 100667, 101101, 101881, 102184, 108357, 117824, 2480000588)


@pytest.mark.parametrize(
    ("seeds", "kind", "restarts"),
    [
        pytest.param(STORMS, "groups", False, id="storms"),
        pytest.param(RESTARTS, "groups", True, id="restarts"),
        pytest.param(BRACKETS, "brackets", False, id="brackets"),
        pytest.param(BRACKETS_AND_RESTARTS, "brackets", True, id="brackets-and-restarts"),
        pytest.param(SETS, "sets", False, id="sets"),
        pytest.param(SETS_AND_RESTARTS, "sets", True, id="sets-and-restarts"),
        pytest.param(LINKED_AND_RESTARTS, "linked", True, id="linked-and-restarts"),
    ],
)
def test_a_run_that_once_broke_a_rule_breaks_none(seeds: tuple[int, ...], kind: str, restarts: bool) -> None:
    """Every seed that found a fault is played again, its storm, its calm and its end."""
    for seed in seeds:
        result, _, _ = one(seed, shell, crash=restarts, kind=kind)
        assert result.violations == [], (seed, result.violations)
