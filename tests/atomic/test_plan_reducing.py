"""Unwinding and closing: what goes first, and what never blocks it (DESIGN §3 "Unwinding and closing")."""

from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.plan import Env
from atomic.policy import Policy
from atomic.vocabulary import HoldCause, Outcome, Phase
from tests.atomic.desk import CLOSING, C, Desk, P, S, close, condor, leg, opened, rejects, resting, rests


def test_shorts_are_bought_back_before_their_cover_is_sold() -> None:
    """Purchases first; a long leaves only when the short it covers is terminal."""
    desk = opened(units=2)
    desk.script = lambda o: resting(o) if o.leg == 0 else None
    close(desk)

    assert [(o.leg, o.quantity) for o in desk.sent] == [(0, 2), (2, 2), (3, -2)]
    assert desk.nets == [-2, 2, 0, 0]
    desk.tell(*desk.fill(5, 1))
    assert desk.nets == [-1, 1, 0, 0]  # one short back, one cover gone
    desk.tell(*desk.fill(5, 2))

    assert desk.nets == [0, 0, 0, 0]
    assert desk.group.outcome is Outcome.CLOSED


def test_a_group_ends_only_when_its_own_fills_say_so() -> None:
    """A close that was sent is not a close."""
    desk = opened()
    desk.script = resting
    close(desk)

    assert desk.phase is Phase.CLOSING
    assert desk.group.outcome is Outcome.COMPLETE


def test_a_closed_session_is_waited_for() -> None:
    """Outside market hours it waits, it does not retry."""
    desk = opened()
    for symbol, quote in desk.quotes.items():
        desk.quotes[symbol] = quote._replace(open=False)
    close(desk).at(3600)
    assert desk.sent == []
    assert desk.phase is Phase.CLOSING
    for symbol, quote in desk.quotes.items():
        desk.quotes[symbol] = quote._replace(open=True)
    desk.at(7200)

    assert desk.phase is Phase.CLOSED


def test_where_no_market_order_is_taken_a_reduction_goes_through_the_natural_price() -> None:
    """As far beyond the ask (the bid) as the ladder says, so that it trades like one."""
    desk = opened([leg(1, C, 105), leg(-1, C, 110)])
    desk.env = Env(takes_market=False)
    close(desk)
    desk.tell(*desk.fill(3))

    assert [(o.quantity, o.limit) for o in desk.sent] == [(1, 1.22), (-1, 0.98)]


def test_a_margin_refusal_that_leans_on_our_long_names_the_other_group() -> None:
    """LEAN margins the book: another group's short leans on our long."""
    long = condor()[1].symbol
    desk = opened(env=Env(leaned_on={long: "strangle-000004"}))
    desk.script = rejects(1, purposes=CLOSING)
    close(desk)

    assert desk.group.held is HoldCause.LEANED_ON
    assert "strangle-000004" in desk.group.held_why
    assert desk.nets == [0, 1, 0, 0]


@pytest.mark.parametrize("env", [Env(paused=True), Env(breaker_open=True), Env(tokens=0)])
def test_what_reduces_is_never_blocked(env: Env) -> None:
    """Pause, breaker and a full rate stop openings only."""
    desk = opened()
    desk.env = env
    close(desk)

    assert desk.phase is Phase.CLOSED


def test_an_owner_can_close_while_opening() -> None:
    """Before it is open a close is a rollback."""
    desk = Desk(condor())
    desk.script = rests(3)
    desk.open()
    close(desk)

    assert desk.phase is Phase.CLOSED
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_a_requested_hold_sends_nothing() -> None:
    """The owner's hold: reducing orders that stand stay, nothing new leaves."""
    desk = opened()
    desk.script = lambda o: resting(o) if o.leg == 0 else None
    close(desk)
    desk.tell(f.Held(desk.now, "requested", "wait"))
    sent = len(desk.sent)
    desk.at(100)

    assert len(desk.sent) == sent
    assert desk.working == [(0, "close", 1, 0.0)]


def test_shares_are_kept_until_the_calls_they_cover_are_back() -> None:
    """Closing a covered call: the call first."""
    desk = opened([leg(100, S), leg(-1, C, 105)], 2)
    close(desk)

    assert [(o.leg, o.quantity) for o in desk.sent] == [(1, 2), (0, -200)]


def test_short_shares_are_kept_until_the_puts_they_cover_are_back() -> None:
    """Closing a covered put: the put first."""
    desk = opened([leg(-100, S), leg(-1, P, 95)], policy=Policy(allow_naked=True))
    close(desk)

    assert [(o.leg, o.quantity) for o in desk.sent] == [(1, 1), (0, 100)]
