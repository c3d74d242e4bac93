"""The transition tables, by enumeration: every illegal pair raises and changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from atomic import facts as f
from atomic.model import new_group
from atomic.vocabulary import TERMINAL, ChildStatus, Phase
from tests.atomic.desk import Desk, condor

#: every trigger as a fact about order 1 (10 contracts)
TRIGGERS: dict[str, Any] = {
    "sent": f.Sent(9.0, 1),
    "accepted": f.Accepted(9.0, 1),
    "partial": f.Filled(9.0, 1, 5, 1.0, 0.0),
    "fill": f.Filled(9.0, 1, 10, 1.0, 0.0),
    "cancel_asked": f.CancelAsked(9.0, 1, "x"),
    "cancel_refused": f.CancelRefused(9.0, 1, -4, "x"),
    "canceled": f.Canceled(9.0, 1),
    "rejected": f.Rejected(9.0, 1, "margin", "x"),
    "expired": f.Expired(9.0, 1),
    "withdrawn": f.Withdrawn(9.0, 1, "x"),
    "quarantined": f.Quarantined(9.0, 1, "x"),
    "replace_asked": f.ReplaceAsked(9.0, 1, 12, 2.0, 0.0),
    "replace_refused": f.ReplaceRefused(9.0, 1, "x"),
    "replaced": f.Replaced(9.0, 1, 12, 2.0, 0.0),
}
#: a way to each status
PATHS: dict[ChildStatus, list[str]] = {
    ChildStatus.INTENDED: [],
    ChildStatus.SENT: ["sent"],
    ChildStatus.WORKING: ["sent", "accepted"],
    ChildStatus.PARTIAL: ["sent", "partial"],
    ChildStatus.CANCELING: ["sent", "accepted", "cancel_asked"],
    ChildStatus.FILLED: ["sent", "fill"],
    ChildStatus.CANCELED: ["sent", "canceled"],
    ChildStatus.REJECTED: ["sent", "rejected"],
    ChildStatus.EXPIRED: ["sent", "expired"],
    ChildStatus.WITHDRAWN: ["withdrawn"],
    ChildStatus.QUARANTINED: ["sent", "quarantined"],
}
ILLEGAL = [
    (status, trigger) for status in ChildStatus for trigger in TRIGGERS if trigger not in f.ORDER_TABLE[status]
]  # fmt: skip
LEGAL = [(status, trigger) for status in ChildStatus for trigger in f.ORDER_TABLE[status]]


def with_order(status: ChildStatus) -> Any:
    """A group in OPENING whose order 1 has this status."""
    group = Desk(condor(), 10).group
    f.apply(group, f.Opening(1.0))
    f.apply(group, f.Intended(1.0, 1, 1, "open", 0, 10, "limit", 1.0, 0.0, "t", 0))
    for trigger in PATHS[status]:
        fact = TRIGGERS[trigger]
        if trigger == "partial":
            fact = f.Filled(9.0, 1, 3, 1.0, 0.0)
        f.apply(group, fact)
    assert group.orders[1].status is status
    return group


def picture(group: Any) -> Any:
    """Everything there is to know of a group."""
    group = copy.copy(group)
    group.shape = None
    return copy.deepcopy([getattr(group, name) for name in group.__slots__])


def test_every_status_has_a_row_and_every_trigger_is_covered() -> None:
    """The table names every status, and no trigger that the enumeration does not know."""
    assert set(f.ORDER_TABLE) == set(ChildStatus)
    assert {trigger for row in f.ORDER_TABLE.values() for trigger in row} == set(TRIGGERS)


@pytest.mark.parametrize(("status", "trigger"), ILLEGAL)
def test_an_illegal_pair_raises_and_changes_nothing(status: ChildStatus, trigger: str) -> None:
    """A fact that the table has no row for is refused and leaves the group as it was."""
    group = with_order(status)
    before = repr(picture(group))

    with pytest.raises(f.IllegalFact, match=f"order 1: {status} -> {trigger}"):
        f.apply(group, TRIGGERS[trigger])

    assert repr(picture(group)) == before


@pytest.mark.parametrize(("status", "trigger"), LEGAL)
def test_a_legal_pair_leads_where_the_table_says_or_is_a_duplicate(status: ChildStatus, trigger: str) -> None:
    """A legal fact moves the order to the table's status; news that changes nothing is not recorded."""
    group = with_order(status)
    known = len(group.facts)

    changed = f.apply(group, TRIGGERS[trigger])

    order = group.orders[1]
    expected = f.ORDER_TABLE[status][trigger]
    if changed:
        assert len(group.facts) == known + 1
        if trigger == "cancel_refused" and order.cum_qty:
            expected = ChildStatus.PARTIAL
        assert order.status is expected
    else:
        assert len(group.facts) == known
        assert order.status is status
    assert (1 in group.live) is (order.status not in TERMINAL)
    assert group.legs[1].buying == order.leaves_qty


def test_the_sums_of_what_may_fill_are_the_sums_of_the_live_orders() -> None:
    """Whatever order of legal facts arrives, a leg's buying is what its live orders may still buy."""
    for status, trigger in LEGAL:
        group = with_order(status)
        f.apply(group, TRIGGERS[trigger])
        for second in f.ORDER_TABLE[group.orders[1].status]:
            twin = f.replay(group.spec, group.facts)
            f.apply(twin, TRIGGERS[second])
            assert twin.legs[1].buying == sum(o.leaves_qty for o in twin.live.values())
            assert twin.legs[1].selling == 0


DECISIONS: dict[str, Any] = {
    "opening": f.Opening(9.0),
    "refused": f.Refused(9.0, "x"),
    "wave": f.Wave(9.0, 2, 14.0),
    "rung": f.Rung(9.0, 0, "open", 0, 1.0),
    "intended": f.Intended(9.0, 1, 1, "unwind", 0, -1, "market", 0.0, 0.0, "t", 0),
    "target": f.TargetSet(9.0, 0, "x"),
    "close": f.CloseAsked(9.0, "x"),
    "attempt": f.Attempt(9.0, 0, "open", 10.0, "x"),
    "emergency": f.Emergency(9.0, "x"),
    "native_refused": f.NativeRefused(9.0, "x"),
    "held": f.Held(9.0, "policy", "x"),
    "released": f.Released(9.0, "x"),
    "remembered": f.Remembered(9.0, "k", 1),
    "noted": f.Noted(9.0, "x", None),
    "adjusted": f.Adjusted(9.0, 0, 1, 1.0, "foreign", "x"),
    "settled": f.Settled(9.0, 0, 0.0, "expiry"),
    "delivered": f.Delivered(9.0, ["XYZ", 0, "S", 0.0, "", "XYZ", 1.0, 0.01, "XYZ"], 100, 95.0, "x"),
}


def in_phase(phase: Phase) -> Any:
    """A group in this phase, reached by facts."""
    desk = Desk(condor(), 2)
    group = desk.group
    if phase is Phase.PLANNED:
        return group
    f.apply(group, f.Opening(1.0))
    if phase is Phase.OPENING:
        return group
    if phase is Phase.HELD:
        f.apply(group, f.Held(2.0, "requested", "x"))
        return group
    desk.group = new_group(group.spec)
    desk.open()
    if phase is Phase.CLOSING:
        f.apply(desk.group, f.CloseAsked(2.0, "x"))
    elif phase is Phase.UNWINDING:
        f.apply(desk.group, f.TargetSet(2.0, 1, "x"))
    elif phase is Phase.CLOSED:
        desk.tell(f.CloseAsked(2.0, "x"))
    assert desk.group.phase is phase
    return desk.group


@pytest.mark.parametrize(
    ("phase", "kind"), [(p, k) for p in Phase for k in DECISIONS if p not in f.DECISION_TABLE[k]]
)
def test_an_illegal_decision_raises_and_changes_nothing(phase: Phase, kind: str) -> None:
    """A decision taken in a phase that the table does not list is refused and leaves the group as it was."""
    group = in_phase(phase)
    before = repr(picture(group))

    with pytest.raises(f.IllegalFact, match=f"'{kind}' while {phase}"):
        f.apply(group, DECISIONS[kind])

    assert repr(picture(group)) == before


def test_the_decision_table_is_enumerated_whole() -> None:
    """Every kind of decision in the table has a specimen here."""
    assert set(f.DECISION_TABLE) == set(DECISIONS)


@pytest.mark.parametrize("order", [f.Sent(9.0, 99), f.Filled(9.0, 99, 1, 1.0, 0.0), f.Identified(9.0, 99, 5, ("b",))])
def test_a_fact_about_an_unknown_order_raises(order: Any) -> None:
    """Nothing is known of order 99."""
    with pytest.raises(f.IllegalFact, match="no child order 99"):
        f.apply(in_phase(Phase.OPENING), order)


def test_opening_orders_are_illegal_while_held() -> None:
    """A held group may intend what reduces, never what opens."""
    group = in_phase(Phase.HELD)

    with pytest.raises(f.IllegalFact, match="open while held"):
        f.apply(group, f.Intended(9.0, 1, 1, "open", 0, 1, "market", 0.0, 0.0, "t", 0))



def test_a_target_never_rises_while_unwinding() -> None:
    """k goes down only."""
    group = in_phase(Phase.UNWINDING)

    with pytest.raises(f.IllegalFact, match="target 2 from 1"):
        f.apply(group, f.TargetSet(9.0, 2, "x"))


def test_a_journal_row_reads_back_and_an_unknown_one_is_named() -> None:
    """Facts survive JSON; a row of a newer program is refused by name."""
    for fact in [*TRIGGERS.values(), *DECISIONS.values()]:
        assert f.decode(f.encode(fact)) == fact
    with pytest.raises(f.IllegalFact, match="unknown fact"):
        f.decode([1.0, "no_such_kind"])
    with pytest.raises(f.IllegalFact, match="malformed fact"):
        f.decode([1.0, "sent"])


def test_replaying_the_facts_gives_the_same_group() -> None:
    """A restart folds the same list to the same state."""
    for phase in Phase:
        group = in_phase(phase)
        assert repr(picture(f.replay(group.spec, group.facts))) == repr(picture(group))


def test_fees_that_were_booked_stay_booked() -> None:
    """A later fill that names fewer fees (none were told with it) takes nothing back."""
    group = with_order(ChildStatus.WORKING)
    f.apply(group, f.Filled(9.0, 1, 3, 1.0, 3.9))
    f.apply(group, f.Filled(9.5, 1, 5, 1.0, 0.0))

    assert (group.orders[1].fees, group.fees, group.orders[1].cum_qty) == (3.9, 3.9, 5)


def test_a_doubt_that_is_told_again_leaves_the_flatten_that_was_ordered_since() -> None:
    """A sweep finds the same contract in doubt as before: what an operator decided after the first look stands."""
    group = in_phase(Phase.OPEN)
    f.apply(group, f.Emergency(3.0, "before the doubt"))
    f.apply(group, f.Held(4.0, "ambiguous", "more than one history fits"))
    assert not group.emergency
    f.apply(group, f.Emergency(5.0, "flatten"))

    assert not f.apply(group, f.Held(6.0, "ambiguous", "more than one history fits"))
    assert group.emergency


def test_what_is_remembered_already_is_not_recorded_again() -> None:
    """An owner who says the same level with every bar neither fills the journal nor gives its stop new attempts."""
    group = in_phase(Phase.OPEN)
    assert f.apply(group, f.Remembered(3.0, "stop.0", 99.0))
    f.apply(group, f.Attempt(4.0, 0, "sl", 8.0, "refused"))

    assert not f.apply(group, f.Remembered(5.0, "stop.0", 99.0))
    assert group.retry_at == {(0, "sl"): 8.0}
