"""Cards AOE-01 to AOE-04: all legs or none, identity, schema, defaults."""

from __future__ import annotations

import json
from typing import Any

import pytest
from card_play import Script

from atomic import Phase, Policy, Settings
from atomic.audit import seed_record

LEGGED = {"policy": Policy(native="never")}


def test_aoe_01_all_legs_or_none(play: Any) -> None:
    """AOE-01 (A1) A condor, a put spread, a call spread and a strangle each open with all legs and close to nothing.

    Prerequisite: market open, all four contracts quoted.
    Action: open each structure by its name at 10:00 and close it at 11:00, one after the other.
    Events: per group planned, opening, open, closing, closed.
    Pass: every leg holds exactly ratio times quantity while open; the account is flat at the end; all fills carry
    the group's tag.
    """
    held: dict[str, list[int]] = {}

    def open_all(a: Any) -> None:
        a.condor("condor", 2)
        a.groups["put"] = a.atomic.execute_put_spread_atomic(a.sp, a.lp, quantity=1)
        a.groups["call"] = a.atomic.execute_call_spread_atomic(a.sc, a.lc, quantity=1)
        a.groups["strangle"] = a.atomic.execute_strangle_atomic(a.sc, a.sp, quantity=1)
        for name, group in a.groups.items():
            held[name] = [leg.net - leg.promised for leg in group.legs]

    def close_all(a: Any) -> None:
        for group in a.groups.values():
            group.close("end of the card")

    played = play(Script(steps={"10:00:00": open_all, "11:00:00": close_all}))
    assert all(not any(off) for off in held.values()), held
    assert all(group.is_done and group.outcome == "closed" for group in played.algorithm.groups.values())
    assert not played.holdings()
    assert all(tag.startswith("card-00000") for status, tag, *_ in played.algorithm.seen if status == "FILLED")
    for group in played.algorithm.groups.values():
        kinds = [kind for _, kind, group_id in played.algorithm.events if group_id == group.id]
        phases = [kind for kind in kinds if kind in ("opening", "open", "closing", "closed")]
        assert phases == ["opening", "open", "closing", "closed"]


def test_aoe_02_identity_and_write_ahead(play: Any) -> None:
    """AOE-02 (A2) A group's id is unique over restarts, in every tag, and on record before the first order leaves.

    Prerequisite: an empty store.
    Action: open a condor; at every order event look into the object store; stop; start again; open another.
    Events: intents journaled, then submitted.
    Pass: at every SUBMITTED event the order's tag stands in the stored journal; the second process gives a new id.
    """
    unrecorded: list[str] = []

    def look(a: Any, event: Any) -> None:
        if str(event.status) == "SUBMITTED":
            texts = [a.object_store.read(key) for key in a.object_store.keys if key.startswith("atomic/card/")]
            if not any(f'"{event.ticket.tag}"' in text for text in texts):
                unrecorded.append(event.ticket.tag)

    first = play(
        Script(steps={"10:00:00": lambda a: a.condor()}, on_order_event=look, executor_options=LEGGED),
        stop_at="10:30:00", durable="1",
    )  # fmt: skip
    tags = {tag for _, tag, *_ in first.algorithm.seen}
    assert not unrecorded
    assert len(tags) == 4
    assert all(tag.startswith("card-000001:") for tag in tags)
    second = play(
        Script(steps={"11:00:00": lambda a: a.condor("second")}),
        start_at="10:30:00", account=first.result.account, store=first.store, resume="1",
    )  # fmt: skip
    assert second.algorithm.groups["second"].id == "card-000002"


def test_aoe_03_seed_schema(play: Any) -> None:
    """AOE-03 (A3) The record of a group has the seed schema as a projection.

    Prerequisite: a run with one opened and closed condor.
    Action: read the journal back and project it.
    Events: none.
    Pass: {group_id, strategy, timestamp, status, legs[symbol, quantity, status]} with the true values, JSON-able.
    """
    played = play(Script(steps={"10:00:00": lambda a: a.condor(), "11:00:00": lambda a: a.groups["condor"].close()}))
    (group,) = played.journaled().values()
    record = json.loads(json.dumps(seed_record(group)))
    assert set(record) == {"group_id", "strategy", "timestamp", "status", "legs"}
    assert (record["group_id"], record["strategy"], record["status"]) == ("card-000001", "iron_condor", "closed")
    assert record["timestamp"] == "2015-12-24T15:00:00.000+00:00"
    assert [leg["quantity"] for leg in record["legs"]] == [1, -1, -1, 1]
    assert all(set(leg) == {"symbol", "quantity", "status"} and leg["status"] == "closed" for leg in record["legs"])


def test_aoe_04_defaults_and_limits(play: Any) -> None:
    """AOE-04 (A4) The seed's defaults hold and are enforced: legs, pending groups, time-out, attempts, flatten mode.

    Prerequisite: default policy and settings.
    Action: ask for seven legs; open three groups of which two cannot fill.
    Events: the third group is refused while two are pending.
    Pass: defaults are 5 s, 3, 0.5 s, 6, 2, on; seven legs raise ValueError naming the limit; the third group has
    outcome REFUSED and its reason names max-pending-groups.
    """
    policy, settings = Policy(), Settings()
    assert (policy.order_timeout, policy.rollback_attempts, policy.emergency_flatten) == (5.0, 3, True)
    assert (settings.fill_check, settings.max_legs, settings.max_pending_groups) == (0.5, 6, 2)

    def act(a: Any) -> None:
        strikes = {k: a.option(k, 1) for k in (700.0, 705.0, 710.0, 715.0, 720.0, 725.0, 730.0)}
        with pytest.raises(ValueError, match="7 legs: 1 to 6"):
            a.atomic.execute_atomic([(symbol, 1) for symbol in strikes.values()])
        for name in ("one", "two", "three"):
            a.condor(name)

    played = play(Script(steps={"10:00:00": act}, fault="never-fill", fault_options={"leg": "any"}))
    groups = played.algorithm.groups
    assert groups["three"].outcome == "refused"
    assert "max-pending-groups" in groups["three"].reason
    assert groups["one"].outcome == groups["two"].outcome == "rolled_back"
    assert groups["three"].state is Phase.CLOSED
    assert not played.holdings()
