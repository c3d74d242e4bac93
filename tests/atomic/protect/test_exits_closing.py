"""Closing a bracket: by the owner, by time, under its stop until it is gone."""

from atomic import facts as f
from atomic.vocabulary import Phase, Purpose
from tests.atomic.protect.rig import ENTRY, Rig, one, plan


def test_the_owners_close_is_sent_before_the_stop_goes():
    """A close works before the stop is cancelled; the stop never leaves a gap."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.log.clear()
    rig.tell(f.CloseAsked(rig.now, "owner"))

    assert rig.log[0].startswith("cancel tp") or rig.log[0].startswith("submit close")
    assert rig.log.index("submit close.0 -100 @0") < rig.log.index("cancel sl.0")
    rig.fill(Purpose.CLOSE, 100, 100.5)
    assert rig.done


def test_closing_waits_for_the_session_under_its_stop():
    """Market closed: the close waits, the stop stays."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.quote = rig.quote._replace(open=False)
    rig.tell(f.CloseAsked(rig.now, "owner"))

    assert rig.live(Purpose.CLOSE) == []
    assert rig.stopped == 100


def test_a_long_option_without_a_bid_is_kept_and_named_not_sold_at_market():
    """No bid: no market sale that would rest and fill later (trace p17); with a bid it is closed."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.group.legs[0].spec = rig.option_terms()
    rig.quote = rig.quote._replace(bid=0.0)
    rig.tell(f.CloseAsked(rig.now, "owner"))
    assert rig.live(Purpose.CLOSE) == []
    assert "bidless-long" in rig.alerts
    rig.after(60, bid=100.0)

    assert [o.quantity for o in rig.live(Purpose.CLOSE)] == [-100]


def test_a_time_exit_closes_at_its_moment():
    """At the given time the position is closed at market."""
    rig = Rig(plan((1.0, 102.0, 99.0), time_exit=500.0))
    rig.fill(ENTRY, 100)
    rig.after(600)

    assert [o.quantity for o in rig.live(Purpose.CLOSE)] == [-100]


def test_a_close_that_filled_in_part_is_still_a_close():
    """What is left of a position that is being closed does not make the bracket open again."""
    rig = one()
    rig.fill(ENTRY, 100)
    rig.tell(f.CloseAsked(rig.now, "owner"))
    rig.fill(Purpose.CLOSE, 40, 100.5)

    assert (rig.open, rig.group.phase) == (60, Phase.CLOSING)


def test_a_close_that_waits_for_a_reservation_is_not_given_up():
    """Another bracket's exits hold the shares: a person is told once, and it is tried until they are free."""
    rig = one(refuse={Purpose.CLOSE: ["reserved"] * 6})
    rig.fill(ENTRY, 100)
    rig.tell(f.CloseAsked(rig.now, "owner"))
    for _ in range(6):
        rig.after(31)

    assert rig.alerts.count("unprotected") == 1
    assert [order.quantity for order in rig.live(Purpose.CLOSE)] == [-100]
    assert rig.group.phase is Phase.CLOSING
