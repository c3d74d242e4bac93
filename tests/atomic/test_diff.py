"""The difference between desired and working orders, and its safety rules."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import diff, plan
from atomic import facts as f
from atomic.model import Deadline
from atomic.plan import Desired, Env, Want
from atomic.vocabulary import ChildType, Purpose
from tests.atomic.desk import C, Desk, condor, leg

LIMIT, MARKET = ChildType.LIMIT, ChildType.MARKET


def group_with(*facts: Any) -> Any:
    """A condor of 10 in OPENING, wave 1, with these facts folded."""
    group = Desk(condor(), 10).group
    for fact in (f.Opening(1.0), f.Wave(1.0, 1, 6.0), *facts):
        f.apply(group, fact)
    return group


INTENT = f.Intended(1.0, 1, 1, "open", 0, 10, "limit", 1.0, 0.0, "t", 0)
WORKS = (INTENT, f.Sent(1.0, 1), f.Accepted(1.0, 1))
WANT = Want(1, Purpose.OPEN, 0, 10, LIMIT, 1.0)


def kinds(commands: list[Any]) -> list[str]:
    """Names of the commands."""
    return [type(command).__name__ for command in commands]


def test_a_wanted_order_that_stands_needs_nothing() -> None:
    """Slot, leaves and prices agree."""
    assert diff.commands(group_with(*WORKS), Desired((WANT,), None), 2.0, Env()) == []


def test_a_partial_fill_needs_nothing() -> None:
    """A want means what may still fill."""
    group = group_with(*WORKS, f.Filled(2.0, 1, 3, 1.0, 0.0))

    assert diff.commands(group, Desired((WANT._replace(quantity=7),), None), 2.0, Env()) == []


@pytest.mark.parametrize(
    "facts",
    [(INTENT,), (INTENT, f.Sent(1.0, 1)), (*WORKS, f.CancelAsked(2.0, 1, "x")), (*WORKS, f.Quarantined(2.0, 1, "x"))],
)
def test_an_order_that_may_fill_occupies_its_slot(facts: Any) -> None:
    """Intent unknown, sent, cancel pending, quarantined: the want is not sent again."""
    found = diff.commands(group_with(*facts), Desired((WANT,), None), 2.0, Env())
    assert [command for command in found if type(command) is not diff.WakeAt] == []


def test_an_order_that_is_not_wanted_is_cancelled_before_anything_is_sent() -> None:
    """Cancels come first: LEAN drains its queue with the next submit."""
    group = group_with(*WORKS)

    commands = diff.commands(group, Desired((Want(3, Purpose.OPEN, 0, 10, MARKET),), Deadline(6.0, "x")), 2.0, Env())

    assert kinds(commands) == ["Cancel", "Intended", "WakeAt"]
    assert commands[1].tag == "g-1:2:open"


def test_a_pending_cancel_is_not_asked_again() -> None:
    """Only cancels that were answered with an error are repeated."""
    assert diff.commands(group_with(*WORKS, f.CancelAsked(2.0, 1, "x")), Desired((), None), 3.0, Env()) == []


def test_a_quarantined_order_is_asked_to_end_again_from_time_to_time() -> None:
    """A venue that was silent may answer later; 45 s between the requests."""
    group = group_with(*WORKS, f.CancelAsked(2.0, 1, "x"), f.Quarantined(47.0, 1, "x"))

    assert kinds(diff.commands(group, Desired((), None), 46.9, Env())) == ["WakeAt"]
    assert kinds(diff.commands(group, Desired((), None), 47.0, Env())) == ["Cancel"]
    f.apply(group, f.CancelAsked(47.0, 1, "x"))
    assert diff.commands(group, Desired((), None), 48.0, Env()) == [diff.WakeAt(92.0, "cancel again")]


def test_an_intent_that_has_not_left_is_not_cancelled() -> None:
    """It is withdrawn by whoever would send it."""
    assert diff.commands(group_with(INTENT), Desired((), None), 3.0, Env()) == []


def test_a_refused_cancel_is_repeated_after_its_pause() -> None:
    """Half a second, then one, then two."""
    group = group_with(*WORKS, f.CancelRefused(2.0, 1, -32, "new"))

    assert kinds(diff.commands(group, Desired((), None), 2.4, Env())) == ["WakeAt"]
    assert kinds(diff.commands(group, Desired((), None), 2.5, Env())) == ["Cancel"]


def test_submits_keep_to_the_rate_and_say_when_to_look_again() -> None:
    """Openings use the tokens only."""
    wants = tuple(Want(i, Purpose.OPEN, 0, 10, MARKET) for i in (1, 3))

    commands = diff.commands(group_with(), Desired(wants, None), 2.0, Env(tokens=1, token_at=2.5))

    assert kinds(commands) == ["Intended", "WakeAt"]
    assert commands[1].at == 2.5


def test_reducing_orders_use_the_reserved_share_of_the_rate() -> None:
    """A full rate does not stop them; their own share bounds them."""
    group = Desk(condor(), 10).open().group
    f.apply(group, f.CloseAsked(2.0, "x"))
    wants = tuple(Want(i, Purpose.CLOSE, 0, 10, MARKET) for i in (0, 2))

    assert kinds(diff.commands(group, Desired(wants, None), 2.0, Env(tokens=0, reserved=2))) == ["Intended", "Intended"]
    assert kinds(diff.commands(group, Desired(wants, None), 2.0, Env(tokens=0, reserved=1))) == ["Intended", "WakeAt"]


def test_a_bundle_leaves_whole_or_not_at_all() -> None:
    """Three tokens are not enough for four legs."""
    wants = tuple(Want(i, Purpose.OPEN, 0, 10, MARKET, 0.0, 0.0, 1) for i in range(4))

    assert kinds(diff.commands(group_with(), Desired(wants, None), 2.0, Env(tokens=3))) == ["WakeAt"]
    assert kinds(diff.commands(group_with(), Desired(wants, None), 2.0, Env(tokens=4))) == ["Intended"] * 4


def test_a_bundle_larger_than_the_rate_ever_allows_leaves_with_a_full_allowance() -> None:
    """Four legs at two orders a second: it would wait for ever for four."""
    wants = tuple(Want(i, Purpose.OPEN, 0, 10, MARKET, 0.0, 0.0, 1) for i in range(4))

    assert kinds(diff.commands(group_with(), Desired(wants, None), 2.0, Env(burst=2, tokens=1))) == ["WakeAt"]
    assert kinds(diff.commands(group_with(), Desired(wants, None), 2.0, Env(burst=2, tokens=2))) == ["Intended"] * 4


@pytest.mark.parametrize("quantity", [1, -11])
def test_own_share_a_reducing_order_never_goes_beyond_the_net(quantity: int) -> None:
    """The wrong side or more than held: an alert instead of an order."""
    group = Desk([leg(1, C, 105)], 10).open().group
    f.apply(group, f.CloseAsked(2.0, "x"))

    commands = diff.commands(group, Desired((Want(0, Purpose.CLOSE, 0, quantity, MARKET),), None), 2.0, Env())

    assert [c.alert.code for c in commands] == ["own-share"]


def test_polls_are_for_orders_whose_answer_is_overdue() -> None:
    """Five seconds after the send, or after the cancel."""
    group = group_with(*WORKS)

    assert diff.polls(group, 5.9) == []
    assert diff.polls(group, 6.0) == [diff.Poll(1)]
    f.apply(group, f.CancelAsked(6.0, 1, "x"))
    assert diff.polls(group, 10.9) == []
    assert diff.polls(group, 11.0) == [diff.Poll(1)]


def test_an_update_without_an_answer_is_looked_at() -> None:
    """Five seconds after it was asked for, although the order is known to work."""
    group = group_with(*WORKS, f.Accepted(1.5, 1), f.ReplaceAsked(10.0, 1, 11, 1.0, 0.0))

    assert diff.polls(group, 14.9, resting=False) == []
    assert diff.polls(group, 15.0, resting=False) == [diff.Poll(1)]
    f.apply(group, f.ReplaceRefused(15.0, 1, "no"))
    assert diff.polls(group, 30.0, resting=False) == []


def test_the_write_ahead_fact_is_the_submit() -> None:
    """What is journaled is what is sent."""
    group = group_with()
    submit = diff.commands(group, Desired((WANT,), None), 2.0, Env())[0]
    assert isinstance(submit, f.Intended)
    f.apply(group, submit)
    order = group.orders[1]

    assert (order.leg, order.purpose, order.quantity, order.type, order.limit) == (1, Purpose.OPEN, 10, LIMIT, 1.0)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (f.TargetSet(2.0, 0, "x"), False),
        (f.CloseAsked(2.0, "x"), False),
        (f.Held(2.0, "requested", "x"), False),
        (f.Filled(2.0, 1, 4, 1.0, 0.0), False),
        (f.Noted(2.0, "x", None), True),
    ],
)
def test_an_intent_is_checked_again_right_before_it_leaves(change: Any, wanted: bool) -> None:
    """Whatever arrived since may have taken its reason away."""
    group = Desk(condor(), 10).group
    for fact in (
        f.Opening(1.0),
        f.Wave(1.0, 1, 6.0),
        f.Intended(1.0, 1, 1, "open", 0, 4, "market", 0.0, 0.0, "t", 0),
        f.Sent(1.0, 1),
        f.Filled(1.5, 1, 2, 1.0, 0.0),
        f.Canceled(1.6, 1),
        f.Intended(1.7, 2, 1, "open", 0, 8, "market", 0.0, 0.0, "t", 0),
    ):
        f.apply(group, fact)
    group.failures.clear()
    assert plan.still_wanted(group, group.orders[2], Env())
    f.apply(group, change)

    assert plan.still_wanted(group, group.orders[2], Env()) is wanted


def test_an_opening_intent_does_not_leave_through_a_closed_gate() -> None:
    """Paused between intent and send."""
    group = group_with(INTENT)

    assert plan.still_wanted(group, group.orders[1], Env())
    assert not plan.still_wanted(group, group.orders[1], Env(paused=True))
