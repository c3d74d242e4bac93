"""Where a venue takes no market orders, what closes leaves as a limit beyond the quote and follows it."""

import pytest

from atomic import facts as f
from atomic.protect import EntryPlan
from atomic.vocabulary import ChildType, Purpose
from tests.atomic.protect.rig import ENTRY, STOP, TARGET, Rig, one, plan


def closing(**env: bool) -> Rig:
    """A hundred shares held, asked to close."""
    rig = one(**env)
    rig.fill(ENTRY, 100)
    rig.tell(f.CloseAsked(rig.now, "owner"))
    return rig


def limits(rig: Rig, purpose: Purpose) -> list[float]:
    """Limits of the orders of this purpose that may fill."""
    assert all(order.type is ChildType.LIMIT for order in rig.live(purpose))
    return [order.limit for order in rig.live(purpose)]


def test_a_close_leaves_two_ticks_beyond_the_bid():
    """The venue refuses orders without a price (LEAN's Exante model): nothing is sent at market."""
    rig = closing(takes_market=False)

    assert limits(rig, Purpose.CLOSE) == [99.98]
    rig.fill(Purpose.CLOSE, 100, 100.0)
    assert rig.done


@pytest.mark.parametrize("replaces", [True, False])
def test_a_close_that_the_market_left_behind_follows_it_after_the_order_time_out(replaces: bool):
    """Five seconds at its price, then two ticks beyond the new bid; by update or by a new order."""
    rig = closing(takes_market=False, takes_replace=replaces)
    rig.after(2.0, bid=99.5, ask=99.52)
    assert limits(rig, Purpose.CLOSE) == [99.98]
    rig.after(3.0, bid=99.5, ask=99.52)

    assert limits(rig, Purpose.CLOSE) == [99.48]


def test_a_close_that_the_quote_would_fill_keeps_its_price():
    """A bid above the limit: changing it would only lose its place."""
    rig = closing(takes_market=False)
    rig.after(60.0, bid=101.0, ask=101.02)

    assert limits(rig, Purpose.CLOSE) == [99.98]


def test_a_venue_that_refuses_a_market_order_for_its_kind_gets_a_limit_next():
    """Learned from the refusal of the close; its attempts begin anew."""
    rig = one(refuse={Purpose.CLOSE: ["unknown", "unknown", "capability"]})
    rig.fill(ENTRY, 100)
    rig.tell(f.CloseAsked(rig.now, "owner"))
    for _ in range(3):
        rig.after(5.0)

    assert limits(rig, Purpose.CLOSE) == [99.98]
    assert "no-market" in rig.alerts
    assert not rig.group.emergency


@pytest.mark.parametrize(("purpose", "bid"), [(TARGET, 102.2), (STOP, 98.5)])
def test_a_level_that_we_watch_is_taken_at_a_limit(purpose: Purpose, bid: float):
    """Trigger "last": target and stop leave as limits beyond the bid that reached them, one order each."""
    rig = Rig(plan((1.0, 102.0, 99.0), trigger="last", target_market=True), takes_market=False)
    rig.fill(ENTRY, 100)
    for _ in range(2):
        rig.after(60.0, bid=bid, ask=bid + 0.02, last=bid)

    assert limits(rig, purpose) == [pytest.approx(bid - 0.02)]
    rig.fill(purpose, 100, bid)
    assert rig.done


def test_an_entry_at_market_enters_at_a_limit_that_follows():
    """Two ticks beyond the ask, again after the order time-out."""
    rig = Rig(plan((1.0, 102.0, 99.0), entry=EntryPlan()), takes_market=False)
    assert limits(rig, ENTRY) == [100.04]
    rig.after(6.0, bid=100.5, ask=100.52)

    assert limits(rig, ENTRY) == [100.54]


def test_no_second_limit_leaves_while_the_first_may_still_fill():
    """A triggered stop at a limit whose cancel is on its way: two of them could both fill."""
    rig = Rig(plan((1.0, None, 99.0), trigger="last"), takes_market=False, takes_replace=False)
    rig.fill(ENTRY, 100)
    rig.stuck.add(STOP)
    for bid in (98.5, 98.5, 97.0):
        rig.after(60.0, bid=bid, ask=bid + 0.02, last=bid)

    assert limits(rig, STOP) == [98.48]
