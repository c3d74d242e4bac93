"""Card AOE-24: two live instances on one journal (scenario 9)."""

from __future__ import annotations

from functools import partial
from typing import Any

import card_registry
import pytest
from card_play import Script

from atomic import Phase
from atomic.lease import TTL, Lease


def instance(monkeypatch: pytest.MonkeyPatch, host: str, begins: float) -> None:
    """The next session runs on this host; leases are counted in the data's time, which all hosts share here."""

    def clock() -> float:
        return max(begins, float(card_registry.algorithm.utc_time.timestamp()))

    monkeypatch.setattr("atomic.executor.Lease", partial(Lease, clock=clock, host=host, pid=1))


def test_aoe_24_one_instance_trades_and_the_other_takes_over(play_live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """AOE-24 (X18, scenario 9) Two instances on one store: only one trades; it is killed, the other takes over.

    Prerequisite: a live session on host A with a condor open; its process is gone at 09:45 without a word.
    Action: host B starts on the same store and account at once, asks for a condor after 10 seconds; at 09:50 it closes
    every open group.
    Events: refusal naming host A; after the lease alert one-writer, the condor found complete; then closed.
    Pass: no order of B while A's lease runs; B's condor REFUSED; A's group is known to B and closed by it; flat; no
    order was sent twice.
    """
    instance(monkeypatch, "a", 0.0)
    first = play_live(Script(steps={"09:41:00": lambda a: a.condor()}), until="09:45")
    died = first.algorithm.utc_time.timestamp()
    assert first.algorithm.groups["condor"].is_open
    assert len(first.holdings()) == 4

    def early(a: Any) -> None:
        a.condor("early")
        a.kept["early"] = (a.atomic.ready, a.groups["early"].outcome, a.groups["early"].reason)

    def close_all(a: Any) -> None:
        a.kept["found"] = [group.id for group in a.atomic.groups.open]
        for group in a.atomic.groups.open:
            group.close("end of the card")

    instance(monkeypatch, "b", died)
    steps = {"09:45:10": early, "09:50:00": close_all}
    second = play_live(Script(steps=steps), until="09:55")
    a = second.algorithm
    ready, outcome, reason = a.kept["early"]
    assert (ready, outcome) == (False, "refused")
    assert "on a" in reason
    assert a.kept["found"] == ["card-000001"]
    sent = [order.sent_at for group in second.journaled(live=True).values() for order in group.orders.values()]
    later = [at for at in sent if at > died]
    assert later
    assert min(later) >= died + TTL - 11.0  # its last beat is at most ten seconds older
    assert second.journaled(live=True)["card-000001"].phase is Phase.CLOSED
    assert not second.holdings()
    fills = [fill for run in (first, second) for _, _, _, fill, *_ in run.algorithm.seen if fill]
    assert sorted(fills) == [-1, -1, -1, -1, 1, 1, 1, 1]
