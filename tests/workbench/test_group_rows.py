"""What a person sees of a group is a fold of its facts, read from the journal's files."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from atomic.facts import (
    Accepted,
    CloseAsked,
    Filled,
    Held,
    Intended,
    Opening,
    Rejected,
    Sent,
    Settled,
    TargetSet,
    apply,
)
from atomic.journal import FileStore, Journal
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.policy import Policy
from atomic.vocabulary import Kind, Right
from workbench import group_rows, render

#: 2015-12-24 10:00 New York
TEN = 1_450_969_200.0


def leg(right: Right, strike: float, ratio: int) -> LegSpec:
    return LegSpec(f"GOOG {right.value}{strike:g}", ratio, right, strike, "2015-12-24", "GOOG")


def group(units: int = 2, group_id: str = "spread-000001") -> GroupState:
    legs = (leg(Right.PUT, 740.0, 1), leg(Right.PUT, 745.0, -1))
    return new_group(GroupSpec(group_id, Kind.ALL_OR_NONE, "put_spread", legs, units, TEN, Policy()))


def order(state: GroupState, number: int, leg: int, purpose: str, quantity: int, price: float, at: float) -> None:
    """Fold one market order from its intent to its fill; a price of 0 rejects it."""
    for fact in (
        Intended(at, number, leg, purpose, 0, quantity, "market", 0.0, 0.0, f"{state.group_id}:{number}", 0),
        Sent(at, number),
    ):
        assert apply(state, fact)
    if not price:
        assert apply(state, Rejected(at, number, "margin", "Insufficient buying power"))
        return
    assert apply(state, Accepted(at, number))
    assert apply(state, Filled(at, number, abs(quantity), price, 1.0))


def opened() -> GroupState:
    state = group()
    assert apply(state, Opening(TEN))
    order(state, 1, 0, "open", 2, 0.20, TEN)
    order(state, 2, 1, "open", -2, 0.80, TEN + 1)
    return state


def closed() -> GroupState:
    state = opened()
    assert apply(state, CloseAsked(TEN + 60, "before the bell"))
    order(state, 3, 1, "close", 2, 0.30, TEN + 60)
    order(state, 4, 0, "close", -2, 0.05, TEN + 61)
    return state


def rolled_back() -> GroupState:
    state = group(group_id="spread-000002")
    assert apply(state, Opening(TEN))
    order(state, 1, 0, "open", 2, 0.20, TEN)
    order(state, 2, 1, "open", -2, 0.0, TEN + 1)
    assert apply(state, TargetSet(TEN + 1, 0, "leg 1 rejected"))
    order(state, 3, 0, "unwind", -2, 0.10, TEN + 2)
    return state


def printed(*groups: GroupState) -> str:
    out = io.StringIO()
    rows = [group_rows.GroupRow(state) for state in groups]
    Console(file=out, width=80).print(render.groups_table(rows))
    return out.getvalue() + "\n".join(render.reasons(rows))


def test_a_closed_group_shows_both_ways() -> None:
    """The row of a closed group has the average price of each leg on the way in and out, and the cash of it all."""
    row = group_rows.GroupRow(closed())
    put, short = row.legs
    assert (put.entered, put.entry_price, put.left, put.exit_price, put.net) == (2, 0.20, -2, 0.05, 0)
    assert (short.entered, short.entry_price, short.left, short.exit_price, short.net) == (-2, 0.80, 2, 0.30, 0)
    assert row.result == pytest.approx((-0.20 + 0.80 - 0.30 + 0.05) * 200 - 4.0)
    document = row.row()
    assert (document["status"], document["outcome"]) == ("closed", "closed")
    assert document["orders"][0]["tag"] == "spread-000001:1"
    assert document["timeline"][0] == {"time": "2015-12-24T15:00:00.000+00:00", "why": "", "kind": "opening"}
    assert json.loads(json.dumps(document)) == document


def test_the_table_names_everything_a_person_asks_for() -> None:
    """Id, strategy, legs with prices, state, outcome, times, cost and the reason stand in the table."""
    text = printed(closed(), rolled_back())
    for word in (
        *("spread-000001", "put_spread × 2", "+2 P740 0.2 → 0.05", "-2 P745 0.8 → 0.3", "2015-12-24", "New York"),
        *("made 10:00:00", "end  10:01:01", "closed", "rolled_back", "spread-000002: leg 1 rejected", "21.00"),
    ):
        assert word in text, word


def test_what_is_still_held_is_named() -> None:
    """A held group shows why, what it holds, and what was settled."""
    state = opened()
    assert apply(state, Settled(TEN + 9, 1, 0.0, "expiry"))
    assert apply(state, Held(TEN + 10, "requested", "look at it"))
    text = printed(state)
    assert "held" in text
    assert "look at it" in text
    assert "+2 P740 0.2" in text
    assert "-2 P745 0.8 → settled 0" in text


def test_groups_of_one_run_are_read_from_the_store(tmp_path: Path) -> None:
    """Archived and open groups of all executors of a run are found; those of another run and of live are not."""
    store = FileStore(tmp_path)
    first = Journal(store, "spread", live=False, run="one")
    first.load()
    ended, still = closed(), group(group_id="spread-000003")
    first.save([ended, still])
    first.archive(ended)
    first.save()
    for name, live, run in (("other", False, "one"), ("spread", False, "two"), ("spread", True, "")):
        journal = Journal(store, name, live=live, run=run)
        journal.load()
        journal.save([group(group_id=f"{name}-{run or 'live'}-000009")])
    groups, unread = group_rows.read_groups(tmp_path, group_rows.journals(tmp_path, "one"))
    assert sorted(row.state.group_id for row in groups) == ["other-one-000009", "spread-000001", "spread-000003"]
    assert unread == []


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    """What cannot be read is named with the key; the newest sound groups are shown all the same."""
    journal = Journal(FileStore(tmp_path), "spread", live=False, run="one", durable=True)
    journal.load()
    journal.save([group()], flush=True)
    journal.save([closed()], flush=True)
    damaged = next(tmp_path.rglob("open-a"))
    damaged.write_text(damaged.read_text()[:-20])
    groups, unread = group_rows.read_groups(tmp_path, group_rows.journals(tmp_path, "one"))
    assert len(groups) == 1
    assert len(unread) == 1
    assert "open-a" in unread[0]


def test_the_account_is_written_in_lines() -> None:
    """Cash, value and every holding stand in the account's lines; none is said so."""
    assert render.account_lines({"cash": 99_000.5, "value": 100_000, "holdings": []}) == [
        "account: cash 99,000.50, value 100,000.00",
        "holdings: none",
    ]
    lines = render.account_lines(
        {"cash": 1.0, "value": 2.0, "holdings": [{"symbol": "GOOG", "quantity": 2.0, "average_price": 0.5}]}
    )
    assert lines[1] == "holds 2 GOOG at 0.5"
