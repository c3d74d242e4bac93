"""Every strategy by name, through the executor: its legs, its name, and nothing is left when it is closed (A1)."""

from __future__ import annotations

from typing import Any

import pytest

from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import LegSpec
from atomic.plan import Env
from atomic.policy import Policy
from atomic.vocabulary import Outcome, Right
from tests.atomic.fake_gateway import FakeGateway, option

FAR = "2030-02-15"
X = LegSpec("X", 1, Right.SHARE, underlying="X", multiplier=1.0, name="X")
P90, P95, P100 = (option("P", strike) for strike in (90, 95, 100))
C100, C105, C110 = (option("C", strike) for strike in (100, 105, 110))
SOLD = Policy(allow_naked=True)


def executor(**more: Any) -> tuple[AtomicOrderExecutor, FakeGateway]:
    gateway = FakeGateway()
    made = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore(), **more)
    made.start()
    return made, gateway


@pytest.mark.parametrize(
    ("method", "contracts", "quantity", "name", "nets"),
    [
        ("iron_condor", (C105, C110, P95, P90), 2, "iron_condor", (2, -2, -2, 2)),
        ("iron_butterfly", (C100, C110, P100, P90), 1, "iron_butterfly", (1, -1, -1, 1)),
        ("put_spread", (P95, P90), 1, "bull_put_spread", (-1, 1)),
        ("call_spread", (C105, C110), 1, "bear_call_spread", (-1, 1)),
        ("strangle", (C105, P95), -1, "short_strangle", (-1, -1)),
        ("straddle", (C100, P100), 1, "long_straddle", (1, 1)),
        ("butterfly", (C100, C105, C110), 1, "butterfly", (1, -2, 1)),
        ("butterfly", (C100, C105, C110), -1, "butterfly", (-1, 2, -1)),
        ("calendar", (C105, option("C", 105, FAR)), 1, "calendar", (-1, 1)),
        ("diagonal", (C110, option("C", 105, FAR)), 1, "diagonal", (-1, 1)),
        ("ratio", (C105, C110), 1, "ratio_spread", (1, -2)),
        ("jade_lizard", (P95, C105, C110), 1, "jade_lizard", (-1, -1, 1)),
        ("covered_call", (X, C105), 1, "covered_call", (100, -1)),
        ("collar", (X, P95, C105), 1, "collar", (100, 1, -1)),
    ],
)
def test_a_strategy_opens_with_its_legs_and_closes_to_nothing(
    method: str, contracts: tuple[LegSpec, ...], quantity: int, name: str, nets: tuple[int, ...]
) -> None:
    """The method of that name takes the contracts in its own order and returns a live handle that stands."""
    made, gateway = executor(policy=SOLD)
    group = getattr(made, f"execute_{method}_atomic")(*contracts, quantity=quantity)
    assert group.outcome is Outcome.COMPLETE
    assert group.strategy == name
    assert sorted(leg.net for leg in group.legs) == sorted(nets)
    assert {leg.symbol for leg in group.legs} == {contract.symbol for contract in contracts}
    group.close()
    assert group.outcome is Outcome.CLOSED
    assert not any(gateway.holdings.values())


def test_options_are_refused_before_anything_is_sent_where_the_brokerage_has_none() -> None:
    """The brokerage model takes no options: a group of them ends refused and says so, shares open."""
    made, gateway = executor(env=Env(takes_options=False))
    spread = made.execute_put_spread_atomic(P95, P90)
    assert spread.outcome is Outcome.REFUSED
    assert "takes no options" in spread.reason
    assert not gateway.calls
    assert made.bracket_order(X, 10, stop_loss=0.5).outcome is Outcome.COMPLETE
