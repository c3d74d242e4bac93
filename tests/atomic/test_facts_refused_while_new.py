"""What LEAN answers while an order is NEW says nothing about the broker having it (lean_traces/live: -32)."""

from __future__ import annotations

import pytest

from atomic.facts import (
    Accepted,
    CancelAsked,
    Canceled,
    CancelRefused,
    Held,
    Intended,
    NativeRefused,
    Opening,
    Sent,
    apply,
)
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.policy import Policy
from atomic.vocabulary import ChildStatus, Kind, Right


def _sent() -> GroupState:
    leg = LegSpec("C1", 1, Right.CALL, 105.0, "2026-01-16", "U")
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "custom", (leg,), 1, 0.0, Policy()))
    apply(group, Opening(0.0))
    apply(group, Intended(0.0, 1, 0, "open", 0, 1, "market", 0.0, 0.0, "g-1:1:open", 0))
    apply(group, Sent(0.0, 1))
    return group


def test_a_cancel_refused_while_new_leaves_the_order_unacknowledged() -> None:
    """After -32 the order is SENT again: a restart must not take it for one that the broker once had."""
    group = _sent()
    apply(group, CancelAsked(1.0, 1, ""))
    apply(group, CancelRefused(1.0, 1, -32, "order is new"))
    assert group.orders[1].status is ChildStatus.SENT


def test_a_cancel_refused_while_working_leaves_the_order_working() -> None:
    """Every other refusal comes from somebody who has the order."""
    group = _sent()
    apply(group, Accepted(0.5, 1))
    apply(group, CancelAsked(1.0, 1, ""))
    apply(group, CancelRefused(1.0, 1, -4, "failed"))
    assert group.orders[1].status is ChildStatus.WORKING


def test_that_a_venue_takes_no_combo_may_be_learnt_while_held() -> None:
    """A combo refused after a hold is remembered; it is no fault of ours."""
    group = _sent()
    apply(group, Held(1.0, "policy", "not filled in time"))
    assert apply(group, NativeRefused(2.0, "no combos"))
    assert group.native_refused


def test_refusals_while_new_do_not_count_once_the_broker_has_the_order() -> None:
    """Cancels that were answered while the order was NEW are no reason to quarantine one that works."""
    group = _sent()
    for at in (1.0, 2.0, 3.0, 4.0, 5.0):
        apply(group, CancelAsked(at, 1, ""))
        apply(group, CancelRefused(at, 1, -32, "order is new"))
    apply(group, Accepted(6.0, 1))
    assert group.orders[1].cancel_refusals == 0


@pytest.mark.parametrize("asked", [True, False])
def test_an_end_that_was_asked_for_is_no_failure_even_if_the_cancel_was_refused_first(asked: bool) -> None:
    """A restart takes the cancel of the process before it for refused; the end it brings about is no failed attempt."""
    group = _sent()
    apply(group, Accepted(0.5, 1))
    if asked:
        apply(group, CancelAsked(1.0, 1, ""))
        apply(group, CancelRefused(2.0, 1, 0, "the broker still shows it after a restart"))
    apply(group, Canceled(3.0, 1))
    assert list(group.failures) == ([] if asked else [1])
