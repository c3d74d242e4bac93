"""Refused and unfilled reductions: back-off, ladder, emergency, a person (DESIGN §3 "When we give up")."""

from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.policy import Ladder, Policy
from atomic.vocabulary import HoldCause, Phase, Purpose
from tests.atomic.desk import CLOSING, C, Desk, close, leg, opened, rejects, resting


def test_rejected_reductions_are_backed_off() -> None:
    """Half a second, then a second."""
    desk = opened()
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    assert desk.wake == 0.5
    desk.at(0.4)
    assert sum(o.leg == 0 for o in desk.sent) == 1
    desk.at(0.5)
    assert sum(o.leg == 0 for o in desk.sent) == 2
    assert desk.wake == 1.5


def test_three_failures_lead_to_the_emergency_and_three_more_to_a_person() -> None:
    """Emergency orders are market orders; HELD comes with a P0 alert and names the refusal."""
    desk = opened()
    desk.script = rejects(0, purposes=(*CLOSING, "emergency"))
    close(desk)
    for second in range(1, 60):
        desk.at(second / 2)

    assert [str(o.purpose) for o in desk.sent if o.leg == 0] == ["close"] * 3 + ["emergency"] * 3
    assert desk.phase is Phase.HELD
    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert desk.nets == [-1, 1, 0, 0]  # what could go has gone, the cover stays
    assert desk.alerts[-1].severity == 0
    assert len(desk.sent) < 12


def test_a_hold_that_a_person_decides_is_not_overtaken_by_the_emergency() -> None:
    """Where two histories fit, the last order's failure must not sell what may be somebody else's."""
    desk = opened([leg(1, C, 105)])
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    desk.at(0.5)
    desk.script = resting
    desk.at(1.5)
    third = desk.sent[-1].number
    desk.tell(f.Held(desk.now, HoldCause.AMBIGUOUS, "more than one history fits"))
    desk.tell(f.Canceled(desk.now, third, "complete at the broker"))
    for second in range(2, 20):
        desk.at(second)

    assert len(desk.sent) == 3
    assert desk.group.held is HoldCause.AMBIGUOUS
    assert not desk.group.emergency


@pytest.mark.parametrize("cause", [HoldCause.AMBIGUOUS, HoldCause.BREAK])
def test_an_emergency_under_way_ends_where_the_position_is_not_known(cause: HoldCause) -> None:
    """Nothing more is sold on books that are in doubt, until an operator flattens."""
    desk = opened([leg(1, C, 105)])
    desk.script = rejects(0, purposes=(*CLOSING, "emergency"))
    close(desk)
    while not desk.group.emergency:
        desk.at(desk.now + 0.5)
    sent = len(desk.sent)
    desk.tell(f.Held(desk.now, cause, "the account shows something else"))
    desk.script = lambda o: None
    for _ in range(20):
        desk.at(desk.now + 1.0)
    assert len(desk.sent) == sent

    desk.tell(f.CloseAsked(desk.now, "flatten"), f.Emergency(desk.now, "flatten"))
    assert desk.nets == [0]


def test_without_emergency_flatten_a_person_decides_after_three() -> None:
    """The switch of REQUIREMENTS A4."""
    desk = opened(policy=Policy(emergency_flatten=False))
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    for second in range(1, 20):
        desk.at(second)

    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert {str(o.purpose) for o in desk.sent} == {"close"}


def test_a_released_group_tries_again() -> None:
    """The operator's release clears the attempts."""
    desk = opened(policy=Policy(emergency_flatten=False))
    desk.script = rejects(0, purposes=CLOSING)
    close(desk)
    for second in range(1, 20):
        desk.at(second)
    desk.script = lambda o: None
    desk.tell(f.Released(desk.now, "broker is back"))

    assert desk.phase is Phase.CLOSED


def closed_in_a_falling_market(policy: Policy) -> Desk:
    """A long call whose close rests at every price while the market falls a cent a second for a minute."""
    desk = opened([leg(1, C, 105)], policy=policy)
    desk.script = resting
    close(desk)
    for second in range(1, 60):
        desk.quote(0, 1.0 - second / 100, 1.2 - second / 100)
        desk.at(second)
    return desk


def test_unwinding_walks_its_ladder_and_ends_in_the_emergency() -> None:
    """Mid, natural, and at the top new prices; after three of these: at market."""
    policy = Policy(unwind_ladder=Ladder(steps=1, step_seconds=1.0, last="natural"))
    desk = closed_in_a_falling_market(policy)

    kinds = [(str(o.type), str(o.purpose)) for o in desk.sent]
    assert kinds[:2] == [("limit", "close")] * 2
    assert kinds[-1] == ("market", "emergency")
    assert desk.sent[0].limit == 1.1
    assert desk.sent[1].limit < 1.0
    assert len(kinds) == 5


def test_without_the_emergency_the_last_price_is_left_standing() -> None:
    """A person decides; the order at the last price may still fill."""
    policy = Policy(unwind_ladder=Ladder(steps=1, step_seconds=1.0, last="natural"), emergency_flatten=False)
    desk = closed_in_a_falling_market(policy)

    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert len(desk.working) == 1
    desk.tell(*desk.fill(desk.sent[-1].number))
    assert desk.phase is Phase.CLOSED


def test_an_order_at_the_top_stays_while_its_price_is_still_right() -> None:
    """No cancel and no send when nothing would change."""
    policy = Policy(unwind_ladder=Ladder(steps=1, step_seconds=1.0, last="natural"))
    desk = opened([leg(1, C, 105)], policy=policy)
    desk.script = resting
    close(desk)
    for second in range(1, 60):
        desk.at(second)

    assert [o.limit for o in desk.sent] == [1.1, 1.0]


def test_reducing_orders_have_a_cap_of_their_own() -> None:
    """A broker that ends every order unasked cannot make us send for ever."""
    desk = opened(policy=Policy(max_sends=10, rollback_attempts=100))
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Canceled(desk.now, o.number, "broker")]
    close(desk)
    for second in range(1, 2000, 5):
        desk.at(second)

    assert desk.phase is Phase.HELD
    assert desk.group.held is HoldCause.REFUSED_BEYOND_CAPS
    assert len(desk.sent) <= 12


def test_a_refused_kind_of_order_does_not_use_up_the_attempts() -> None:
    """Two refusals, then one for being at market: with a limit the unwinding goes on, it does not stand still."""
    reasons = ["unknown", "unknown", "capability"]
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], policy=Policy(rollback_attempts=3))
    desk.script = lambda o: (
        [f.Rejected(desk.now, o.number, reasons.pop(0), "scripted")]
        if o.purpose is Purpose.UNWIND and reasons
        else [f.Rejected(desk.now, o.number, "unknown", "scripted")] if o.leg == 1 else None
    )
    desk.open()
    for later in (1.0, 3.0, 6.0, 12.0):
        desk.at(later)

    assert [str(o.type) for o in desk.sent if o.purpose is Purpose.UNWIND] == ["market", "market", "market", "limit"]
