"""A long that another group's short leans on: LEAN margins the book, not the group."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.group import AtomicGroup
from atomic.journal import MemoryStore
from atomic.policy import Policy
from atomic.vocabulary import HoldCause, Outcome, Phase
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP, LOW, SC = option("P", 90), option("P", 95), option("P", 80), option("C", 105)
NAKED = Policy(allow_naked=True)


class Margined(FakeGateway):
    """Refuses to sell the long put while its other put is sold."""

    def submit(self, request: Any) -> None:
        leans = self.holdings.get(LOW.symbol, 0) < 0
        if leans and request.symbol == LP.symbol and request.quantity < 0:
            self.calls.append(("submit", request.tag, request.quantity))
            fact = f.Rejected(self.clock, request.number, "margin", "Insufficient buying power")
            self.sink.on_fact(request.group_id, fact)
            return
        super().submit(request)


def book() -> tuple[AtomicOrderExecutor, FakeGateway, AtomicGroup]:
    """A put spread that stands."""
    gateway = Margined()
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore())
    executor.start()
    return executor, gateway, executor.execute_put_spread_atomic(SP, LP)


def test_the_other_group_is_named_and_the_close_goes_on_when_it_is_gone() -> None:
    """The short is bought back, the long is kept and named with who leans on it; no emergency; later it is sold."""
    executor, gateway, spread = book()
    other = executor.execute_strangle_atomic(SC, LOW, -1, policy=NAKED)
    spread.close()
    assert spread.record.held is HoldCause.LEANED_ON
    assert other.id in spread.reason
    assert [leg.net for leg in spread.legs] == [0, 1]
    assert not spread.record.emergency
    assert executor.alerts.raised["held-leaned_on"] == 1
    other.close()
    for _ in range(40):
        gateway.pass_seconds(1.0)
        executor.on_data()
    assert (spread.state, spread.outcome) == (Phase.CLOSED, Outcome.CLOSED)
    assert not any(gateway.holdings.values())


@pytest.mark.parametrize("low", [option("P", 80, "2030-02-15"), option("C", 120)])
def test_a_short_that_our_long_cannot_cover_does_not_lean_on_it(low: Any) -> None:
    """One that lives longer, or is of the other right: refused as by anybody, tried three times, then the emergency."""
    executor, gateway, spread = book()
    executor.execute_atomic([(low, -1)], policy=NAKED)
    gateway.holdings[LOW.symbol] = -1
    spread.close()
    assert spread.record.held is None


def test_a_short_that_its_own_group_covers_leans_on_nobody() -> None:
    """Another spread of the same right is no reason."""
    executor, gateway, spread = book()
    executor.execute_put_spread_atomic(option("P", 85), option("P", 75))
    gateway.holdings[LOW.symbol] = -1
    spread.close()
    assert spread.record.held is None
