"""One cancels other, one updates other, one triggers other, over ordinary orders."""

import pytest

from atomic import facts as f
from atomic.protect.contingent import Member, exits_row
from atomic.vocabulary import ChildType, Phase, Purpose
from tests.atomic.protect.set_rig import CONTINGENT, Set, limit


def test_oco_the_first_fill_even_partial_cancels_the_other_and_keeps_its_rest():
    """The winner works on, the loser goes."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    assert orders.live == [("entry", 0, 10), ("entry", 1, 10)]
    orders.fill(0, 3)

    assert orders.live == [("entry", 0, 7)]


def test_oco_what_the_loser_filled_on_the_way_is_reversed():
    """Both fill: the second one's fill goes back at market."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    orders.fill(1, 4)

    assert orders.live == [("excess", 0, -4)]
    orders.fill(0, 4, Purpose.EXCESS)
    assert orders.nets == [10, 0]
    assert orders.group.phase is Phase.OPEN


def test_oco_a_member_refused_before_anything_filled_takes_the_placement_back():
    """All or none at placement: the other member is cancelled and the set ends rolled back."""
    orders = Set("oco", limit(0, 10), limit(1, 10), refuse={1})

    assert orders.live == []
    assert orders.group.phase is Phase.CLOSED


def test_oco_a_loser_that_fills_in_parts_is_reversed_to_the_last_contract():
    """Each late fill goes back, also after the first was reversed."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    for part in (1, 2):
        orders.fill(1, part)
        orders.fill(0, part, Purpose.EXCESS)

    assert orders.nets == [10, 0]
    assert orders.live == []


def test_what_two_members_filled_too_much_in_one_contract_is_netted():
    """One bought and one sold beside the winner: nothing is left to take back, nothing is sent."""
    orders = Set("oco", limit(1, 5), limit(0, 3), limit(0, -3))
    orders.fill(0, 5)
    orders.fill(1, 3)
    orders.tell(f.Filled(1.0, 3, 3, 10.0, 0.0))

    assert orders.nets == [0, 5]
    assert [purpose for purpose, *_ in orders.live] in ([], ["excess"])
    bought = [o for o in orders.group.orders.values() if o.purpose is Purpose.EXCESS]
    assert sum(o.quantity for o in bought if o.may_fill or o.cum_qty) == 0


def test_a_reversal_counts_what_others_have_taken_back():
    """The loser's fill was sold by hand meanwhile: it is not sold a second time."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.open = False
    orders.fill(0, 10)
    orders.fill(1, 4)
    assert orders.live == []
    orders.tell(f.Adjusted(1.0, 1, -3, 10.0, "foreign", "by hand"))
    orders.open = True
    orders.tell()

    assert orders.live == [("excess", 0, -1)]


def test_market_orders_of_a_set_wait_for_the_session_and_a_price():
    """Neither a reversal nor a close leaves while the market is closed or nobody bids for an option."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.open = False
    orders.fill(0, 10)
    orders.fill(1, 4)
    assert orders.live == []
    orders.tell(f.CloseAsked(1.0, "owner"))
    assert orders.live == []
    assert orders.group.phase is not Phase.CLOSED
    orders.open = True
    orders.tell()

    assert orders.live == [("close", 0, -10), ("close", 0, -4)]


def test_a_set_at_rest_waits_for_no_price_and_one_with_a_reversal_to_send_does():
    """New data is for sets that have something to send at market."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    assert CONTINGENT.at_rest(orders.group)
    orders.open = False
    orders.fill(0, 10)
    assert CONTINGENT.at_rest(orders.group)
    orders.fill(1, 4)
    assert not CONTINGENT.at_rest(orders.group)
    orders.tell(f.CloseAsked(1.0, "owner"))
    assert not CONTINGENT.at_rest(orders.group)


def test_a_held_set_sends_no_member_and_keeps_those_that_work():
    """The parent fills while its owner holds the set: the child is sent when it is released."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    orders.tell(f.Held(1.0, "requested", "a look"))
    orders.fill(0, 4)
    assert orders.live == [("entry", 0, 6)]
    orders.tell(f.Released(1.0, "seen"))

    assert orders.live == [("entry", 0, 6), ("entry", 1, -4)]


def test_nothing_is_sold_of_what_a_set_in_doubt_may_not_hold():
    """Held because two histories fit: a surplus may be none."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    orders.tell(f.Held(1.0, "ambiguous", "two histories fit"))
    orders.fill(1, 4)

    assert orders.live == []


def test_a_fill_after_the_set_was_taken_back_goes_back_too():
    """One member was refused, the other filled after its end: the set closes what came."""
    orders = Set("oco", limit(0, 10), limit(1, 10), refuse={1})
    assert orders.group.phase is Phase.CLOSED
    orders.fill(0, 4)

    assert orders.live == [("close", 0, -4)]


def test_a_set_that_is_closed_before_anything_was_sent_ends():
    """Its owner closes it while its parent waits for the session."""
    orders = Set("oto", Member(0, 10, ChildType.MARKET), limit(1, -10), open=False)
    assert orders.live == []
    orders.tell(f.CloseAsked(1.0, "owner"))

    assert orders.group.phase is Phase.CLOSED


def test_a_close_waits_for_no_reversal_and_sends_nothing_twice():
    """A reversal on its way counts as done."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    orders.fill(1, 4)
    orders.tell(f.CloseAsked(1.0, "owner"))
    assert orders.live == [("close", 0, -10), ("excess", 0, -4)]
    orders.fill(0, 4, Purpose.EXCESS)
    orders.fill(0, 10, Purpose.CLOSE)

    assert orders.nets == [0, 0]
    assert orders.group.phase is Phase.CLOSED


def test_ouo_what_filled_first_stays_and_what_came_too_late_goes_back():
    """Both members fill whole: one of them stands."""
    orders = Set("ouo", limit(0, 10), limit(1, -20))
    orders.fill(0, 10)
    orders.fill(1, 20)
    orders.fill(0, 20, Purpose.EXCESS)

    assert orders.nets == [10, 0]
    assert orders.live == []


def test_ouo_a_fill_reduces_the_other_in_proportion():
    """Half of one filled leaves half of the other."""
    orders = Set("ouo", limit(0, 10), limit(1, -20))
    orders.fill(0, 5)

    assert orders.live == [("entry", 0, 5), ("entry", 1, -10)]


def test_oto_children_work_for_the_filled_part_of_the_parent_and_stay_when_it_is_cancelled():
    """LEAN cancels the children of a parent that was cancelled after a partial; here they stay for that part."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    assert orders.live == [("entry", 0, 10)]
    orders.fill(0, 4)
    assert orders.live == [("entry", 0, 6), ("entry", 1, -4)]
    parent = next(o for o in orders.group.live.values() if o.rung == 0)
    orders.tell(f.Canceled(1.0, parent.number))

    assert orders.live == [("entry", 1, -4)]


def test_closing_the_set_cancels_what_works_and_takes_every_leg_to_zero():
    """The owner's close ends flat."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(1.0, "owner"))

    assert orders.live == [("close", 0, -10)]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: exits_row("xor", [limit(0, 1), limit(1, 1)]), "give one of oco, ouo, oto"),
        (lambda: exits_row("oco", [limit(0, 1)]), "at least two"),
        (lambda: limit(0, 0), "other than 0"),
        (lambda: Member(0, 1, ChildType.STOP_MARKET), "give a positive price"),
    ],
)
def test_a_set_without_meaning_is_refused(make, match):
    """Bad members are refused with the value."""
    with pytest.raises(ValueError, match=match):
        make()
