"""Several executors and runs on one store, whole: nobody reads, settles or writes what is another one's."""

from __future__ import annotations

import pytest

from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP = option("P", 90), option("P", 95)
SPREAD = [(LP, 1), (SP, -1)]


def killed_half_open(store: MemoryStore, name: str, *, live: bool, **of: str) -> AtomicOrderExecutor:
    """An executor whose group stands half open when its process ends: the long filled, the short rests."""
    gateway = FakeGateway(live)
    gateway.script[SP.symbol] = "rest"
    executor = AtomicOrderExecutor(None, name, gateway=gateway, store=store, **of)  # type: ignore[arg-type]
    executor.start()
    executor.execute_atomic(SPREAD, 2)
    executor.journal.save(executor.shell.groups.values(), flush=True)
    return executor


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("condor", {"account": "DU1"}), ("strangle", {"account": "DU1"}), id="two-algorithms"),
        pytest.param(("condor", {"account": "DU1"}), ("condor", {"account": "DU2"}), id="two-accounts"),
        pytest.param(("condor", {"run": "a"}), ("condor", {"run": "b"}), id="two-runs"),
    ],
)
def test_a_restart_settles_its_own_groups_and_leaves_the_others_alone(
    one: tuple[str, dict[str, str]], other: tuple[str, dict[str, str]]
) -> None:
    """Both die half open; one starts again and finds its group only; the record of the other stays as it is."""
    store = MemoryStore()
    live = "account" in one[1]
    mine = killed_half_open(store, one[0], live=live, **one[1])
    theirs = killed_half_open(store, other[0], live=live, **other[1])
    assert mine.journal.base != theirs.journal.base
    before = {key: text for key, text in store.now.items() if key.startswith(f"{theirs.journal.base}/")}
    assert before

    gateway = FakeGateway(live)
    gateway.holdings[LP.symbol] = 4  # both of ours and both of theirs, in one account's eyes
    again = AtomicOrderExecutor(None, one[0], gateway=gateway, store=store, **one[1])  # type: ignore[arg-type]
    report = again.start()

    assert report.found == 1
    assert {group.spec.group_id for group in again.shell.groups.values()} <= {mine.groups.all[0].id}
    assert {key: text for key, text in store.now.items() if key.startswith(f"{theirs.journal.base}/")} == before
    assert all(tag.startswith(one[0]) for _, tag, _ in (c for c in gateway.calls if c[0] == "submit"))
