from __future__ import annotations

import pytest

from atomic.crash_points import CrashingStore, SimulatedCrash
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.vocabulary import Outcome, Phase
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP = option("P", 90), option("P", 95)


def life(gateway: FakeGateway, store: CrashingStore | MemoryStore) -> AtomicOrderExecutor:
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=store)
    executor.start()
    executor.execute_atomic([(LP, 1), (SP, -1)], 1).close()
    return executor


@pytest.mark.parametrize("torn", [False, True])
def test_a_stop_at_every_write_ends_flat_or_whole(torn: bool) -> None:
    """A put spread's life is stopped at each write of its journal; after a restart it is flat, or whole, or held."""
    whole = CrashingStore(MemoryStore(), 0)
    life(FakeGateway(live=True), whole)
    assert whole.count > 8
    endings: set[str] = set()
    for at in range(1, whole.count + 1):
        gateway = FakeGateway(live=True)
        store = CrashingStore(MemoryStore(), at, torn=torn)
        with pytest.raises(SimulatedCrash):
            life(gateway, store)
        reborn = FakeGateway(live=True)
        reborn.holdings, reborn.clock = gateway.holdings, gateway.clock + 1.0
        second = AtomicOrderExecutor(None, "t", gateway=reborn, store=store.after())
        report = second.start()
        if report.refuse:  # the very first write tore: there is nothing to go on from, and nothing was sent
            assert torn
            assert not any(gateway.holdings.values())
            continue
        for _ in range(60):
            reborn.pass_seconds(1.0)
        second.on_data()
        nets = sorted(reborn.holdings.values())
        assert nets in ([], [0, 0], [-1, 1], [0]), (at, nets, str(report))
        for group in second.groups.all:
            assert group.state in (Phase.CLOSED, Phase.OPEN), (at, group.summary())
            endings.add(str(group.outcome))
    assert Outcome.ROLLED_BACK in endings
    assert Outcome.COMPLETE in endings or Outcome.CLOSED in endings
