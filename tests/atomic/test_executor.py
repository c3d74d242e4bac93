from __future__ import annotations

import pytest

from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.vocabulary import Outcome, Phase
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP, SC, LC = option("P", 90), option("P", 95), option("C", 105), option("C", 110)
CONDOR = [(LP, 1), (SP, -1), (SC, -1), (LC, 1)]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def started(gateway: FakeGateway, **more: object) -> AtomicOrderExecutor:
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore(), **more)  # type: ignore[arg-type]
    executor.start()
    return executor


def test_condor_opens_longs_first_and_closes_shorts_first(gateway: FakeGateway) -> None:
    """A condor buys its wings before it sells, and buys its shorts back before it sells the wings."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 2, "iron_condor")
    assert group.is_open
    assert group.outcome is Outcome.COMPLETE
    assert [q for _, _, q in gateway.calls] == [2, 2, -2, -2]
    gateway.calls.clear()
    group.close("done")
    assert group.is_done
    assert group.outcome is Outcome.CLOSED
    assert [q for _, _, q in gateway.calls] == [2, 2, -2, -2]
    assert not any(gateway.holdings.values())
    assert not executor.groups.open


def test_rejected_leg_withdraws_its_siblings_and_reverses_what_filled(gateway: FakeGateway) -> None:
    """When one short is refused the other is not sent, and the longs that filled are sold again."""
    gateway.script[SP.symbol] = "reject"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    assert group.outcome is Outcome.ROLLED_BACK
    assert not any(gateway.holdings.values())
    assert [c[2] for c in gateway.calls if c[0] == "submit"] == [1, 1, -1, -1, -1]
    kinds = [line["kind"] for line in group.timeline]
    assert "withdrawn" in kinds
    assert group.rollback_cost > 0


def test_timeout_cancels_and_reverses(gateway: FakeGateway) -> None:
    """A leg that does not fill within the order time-out is cancelled and the filled legs are reversed."""
    gateway.script[SC.symbol] = "rest"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    assert group.state is Phase.OPENING
    gateway.pass_seconds(4.9)
    assert group.state is Phase.OPENING
    gateway.pass_seconds(0.2)
    assert group.outcome is Outcome.ROLLED_BACK
    assert not any(gateway.holdings.values())


def test_partial_fill_is_reversed_exactly(gateway: FakeGateway) -> None:
    """Three of five contracts of a leg filled: after the time-out exactly three go back."""
    gateway.script[LP.symbol] = "partial:3"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 5)
    gateway.pass_seconds(6)
    assert group.is_done
    assert not any(gateway.holdings.values())
