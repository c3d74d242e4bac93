"""Contingent sets at venues that refuse: updates, cancels, market orders."""

import pytest

from atomic import facts as f
from atomic.facts.kinds import GONE
from atomic.plan.terms import Env
from atomic.vocabulary import ChildStatus, HoldCause, Purpose
from tests.atomic.protect.set_rig import Set, limit


def test_where_the_venue_takes_no_update_a_member_is_sent_anew_at_its_new_size():
    """Half of the other filled: the order goes, and comes back with half of its size."""
    orders = Set("ouo", limit(0, 10), limit(1, -20), replaces=False)
    orders.fill(0, 5)

    assert orders.live == [("entry", 0, 5), ("entry", 1, -10)]


def test_a_member_whose_cancel_was_refused_is_cancelled_again_for_its_new_size():
    """Neither update nor first cancel was taken: it is asked again after the back-off, not left at its old size."""
    orders = Set("ouo", limit(0, 10), limit(1, -20), replaces=False, stuck=True)
    orders.fill(0, 5)
    orders.tell(f.CancelRefused(orders.now, 2, -4, "not now"))
    assert orders.cancels == [2]
    orders.now += 60.0
    orders.tell()
    assert orders.cancels == [2, 2]


def test_a_member_in_quarantine_is_asked_to_end_again_although_it_is_wanted_smaller():
    """Its cancel for the new size brought no end; the venue may have found its voice again."""
    orders = Set("ouo", limit(0, 10), limit(1, -20), replaces=False, stuck=True)
    orders.fill(0, 5)
    orders.now += 60.0
    orders.tell()
    assert orders.group.orders[2].status is ChildStatus.QUARANTINED
    asked = len(orders.cancels)
    orders.now += 3600.0
    orders.tell()
    assert len(orders.cancels) > asked


@pytest.mark.parametrize(
    ("end", "again"),
    [
        ([f.Withdrawn(1.0, 2, "the journal could not be written")], True),
        ([f.Sent(1.0, 2), f.Withdrawn(1.0, 2, "found nowhere after the quiet period")], False),
        ([f.Sent(1.0, 2), f.CancelAsked(1.0, 2, ""), f.Canceled(1.0, 2, GONE)], False),
    ],
)
def test_a_member_is_sent_again_only_where_it_cannot_have_filled(end, again):
    """One that never left is; one that a restart did not find any more is not."""
    orders = Set("oco", limit(0, 10), limit(1, 10), unsent={1})
    for fact in end:
        f.apply(orders.group, fact)
    orders.unsent = set()
    orders.tell()

    assert (("entry", 1, 10) in orders.live) is again


def test_a_loser_that_cannot_be_ended_is_quarantined_and_named():
    """Its cancel brings no end by the deadline: the set is held until the venue ends the order after all."""
    orders = Set("oco", limit(0, 10), limit(1, 10), stuck=True)
    orders.fill(0, 10)
    orders.now += 60.0
    orders.tell()
    assert orders.group.held is HoldCause.QUARANTINE
    loser = orders.group.orders[2]
    assert loser.status is ChildStatus.QUARANTINED
    orders.tell(f.Canceled(orders.now, 2))

    assert orders.group.held is None
    assert orders.nets == [10, 0]


def test_where_the_venue_takes_no_market_orders_a_set_closes_at_limits():
    """The parent filled; closed by its owner, the position leaves two ticks beyond the bid."""
    orders = Set("oto", limit(0, 10), limit(0, -10))
    orders.env = Env(takes_market=False)
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(orders.now, "owner"))
    closes = [o for o in orders.group.live.values() if o.purpose is Purpose.CLOSE]

    assert [(str(o.type), o.quantity, o.limit > 0) for o in closes] == [("limit", -10, True)]


def test_a_set_learns_that_the_venue_takes_no_market_orders():
    """The close was refused for having no price: the next one has one."""
    orders = Set("oto", limit(0, 10), limit(0, -10), priced=True)
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(orders.now, "owner"))
    orders.now += 1.0
    orders.tell()
    closes = [o for o in orders.group.live.values() if o.purpose is Purpose.CLOSE]

    assert [str(o.type) for o in closes] == ["limit"]
