"""Opening prices over time: the ladder's rungs, missing prices, the unit's net limit."""

from __future__ import annotations

from atomic import facts as f
from atomic.policy import AT_MID, Ladder, Policy
from atomic.vocabulary import Phase
from tests.atomic.desk import C, Desk, condor, leg, rests


def test_the_ladder_walks_from_mid_to_natural_to_market() -> None:
    """Rungs by time, each order cancelled before the next is sent."""
    desk = Desk([leg(1, C, 105)], policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    for second in (1, 2, 3):
        desk.at(second)

    assert [(str(o.type), o.limit) for o in desk.sent] == [
        ("limit", 1.1), ("limit", 1.15), ("limit", 1.2), ("market", 0.0),
    ]  # fmt: skip
    assert desk.cancels == [1, 2, 3]


def test_quotes_never_move_an_order_that_stands() -> None:
    """Only a new rung looks at the quote."""
    desk = Desk([leg(1, C, 105)], policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.script = rests()
    desk.open()
    for second in range(9):
        desk.now = 1000.0 + second / 10
        desk.quote(0, 1.0 + second, 1.2 + second)
        desk.pump()

    assert len(desk.sent) == 1
    assert desk.cancels == []


def test_a_new_rung_waits_for_the_end_of_the_old_order_and_takes_what_is_left() -> None:
    """Fill beats cancel: the partial that arrives with the cancel is not bought again."""
    desk = Desk([leg(1, C, 105)], 10, policy=Policy(ladder=Ladder(steps=2, step_seconds=1.0)))
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    desk.on_cancel = lambda o: [f.CancelAsked(desk.now, o.number, "x")]
    desk.at(1)
    assert len(desk.sent) == 1

    desk.tell(*desk.fill(1, 7), f.Canceled(desk.now, 1))

    assert [o.quantity for o in desk.sent] == [10, 3]


def test_a_missing_price_is_waited_for() -> None:
    """No ask, no purchase; it is sent when the quote returns."""
    desk = Desk([leg(1, C, 105)])
    desk.quote(0, 1.0, 0.0)
    desk.open()
    assert desk.sent == []

    desk.quote(0, 1.0, 1.2).at(2)
    assert desk.phase is Phase.OPEN


def net_of(desk: Desk) -> float:
    """What a unit cost, dollars per share."""
    return sum(state.cost for state in desk.group.legs) / 100 / desk.group.spec.units


def test_the_unit_is_never_paid_more_than_its_net_limit() -> None:
    """A debit spread at mid would cost 0.40; the limit is 0.30."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], limit_net=0.30, policy=Policy(ladder=Ladder(last="natural")))
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Filled(desk.now, o.number, 1, o.limit, 0.0)]
    desk.open()

    assert desk.phase is Phase.OPEN
    assert net_of(desk) <= 0.30 + 1e-9


def test_a_net_limit_that_is_met_leaves_the_ladder_alone() -> None:
    """Limits at the ladder's prices when they are good enough."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], limit_net=0.50, policy=Policy(ladder=AT_MID))
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number), f.Filled(desk.now, o.number, 1, o.limit, 0.0)]
    desk.open()

    assert [o.limit for o in desk.sent] == [1.1, 0.7]


def test_with_a_net_limit_nothing_is_sent_at_market() -> None:
    """A market ladder becomes limits through the natural price, inside the limit."""
    desk = Desk(condor(), limit_net=-0.10)
    desk.script = lambda o: [f.Accepted(desk.now, o.number), *desk.fill(o.number, price=o.limit)]
    desk.quote(0, 1.0, 1.1).quote(2, 1.0, 1.1).quote(1, 0.2, 0.3).quote(3, 0.2, 0.3)
    desk.open()

    assert {str(o.type) for o in desk.sent} == {"limit"}
    assert net_of(desk) <= -0.10 + 1e-9
