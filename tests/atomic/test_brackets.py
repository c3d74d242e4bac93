"""Brackets and contingent sets through the executor: terms, levels, handles."""

from __future__ import annotations

from typing import Any

import pytest

from atomic.bracket_terms import ContingentOrder, ExitDefaults, exit_defaults
from atomic.model import Quote
from atomic.policy import Policy
from atomic.protect import Level
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import ENTRY, SPY, STOP, TARGET, Venue, start, working
from tests.atomic.fake_gateway import option


def test_one_transaction_id_links_entry_stop_and_target_in_the_tags():
    """Tags are entry-, sl- and tp- with the group's id (B1)."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    tags = [tag for what, tag, *_ in venue.calls if what == "submit"]

    assert sorted(tags) == [f"entry-{group.id}:1", f"sl-{group.id}:2", f"tp-{group.id}:3"]
    assert working(group) == [("sl", -100, 99.0), ("tp", -100, 102.0)]
    assert group.is_protected


def test_without_levels_the_defaults_of_the_strategy_apply():
    """Two targets at +1 % and +2 % with half each and a stop at -1 %, or what the strategy was given (C2, C3)."""
    executor, _ = start()
    group = executor.bracket_order(SPY, 100)
    assert working(group) == [("sl", -50, 99.02), ("sl", -50, 99.02), ("tp", -50, 101.02), ("tp", -50, 102.02)]

    executor.exit_defaults.update(exit_defaults({"breakout": ([0.03], 0.02)}))
    other = executor.bracket_order(SPY, 10, strategy="breakout")
    assert working(other) == [("sl", -10, 98.02), ("tp", -10, 103.02)]


def test_volatility_sets_the_distances():
    """A stop two ATR below and a target three above (C3)."""
    executor, _ = start()
    atr = 0.5
    group = executor.bracket_order(SPY, 10, stop_loss=Level(offset=2 * atr), targets=[Level(offset=3 * atr)])

    assert working(group) == [("sl", -10, 99.02), ("tp", -10, 101.52)]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda e: e.bracket_order(SPY, 0), "whole number other than 0"),
        (lambda e: e.bracket_order(SPY, 1.5), "whole number other than 0"),
        (lambda e: e.bracket_order(SPY, 5, limit_price=100, stop_loss_price=101), "is not below the entry"),
        (lambda e: e.bracket_order(SPY, -5, limit_price=100, take_profit_price=101), "is not below the entry"),
        (lambda e: e.bracket_order(SPY, 5, take_profit_price=98, stop_loss_price=99), "wrong sides"),
        (lambda e: e.bracket_order(SPY, 5, take_profit_price=1, targets=[2.0]), "not both"),
        (lambda e: e.protect_position(SPY, 5, stop_loss_price=99), "belong to no group"),
        (lambda e: e.one_cancels_other([ContingentOrder(SPY, 5, 99.0)]), "at least two"),
        (lambda e: ExitDefaults(stop=-1).pairs(), "positive number"),
    ],
)
def test_terms_without_meaning_are_refused_before_anything_is_sent(call, match):
    """Each bad term is named with the cure; nothing leaves."""
    executor, venue = start()
    with pytest.raises(ValueError, match=match):
        call(executor)
    assert venue.calls == []


def test_move_cancel_and_resize_through_the_handle():
    """move_stop, move_target, cancel_target and resize do what they say; the stop is never lost (X10)."""
    executor, venue = start()
    venue.fill_entries = 40
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    group.move_stop(99.5)
    group.move_target(103.0)
    assert working(group) == [("entry", 60, 0.0), ("sl", -40, 99.5), ("tp", -40, 103.0)]
    group.cancel_target()
    assert working(group) == [("entry", 60, 0.0), ("sl", -40, 99.5)]
    group.cancel_entry()

    assert working(group) == [("sl", -40, 99.5)]
    with pytest.raises(ValueError, match="not working any more"):
        group.resize(50)
    with pytest.raises(ValueError, match="counted from 0"):
        group.move_stop(99.0, pair=3)


def test_exits_for_a_position_that_stood_already():
    """protect_position takes over what belongs to no group; one_cancels_other semantics hold on it (D1)."""
    executor, venue = start()
    venue.holdings[SPY.symbol] = 50
    group = executor.place_oco(SPY, target_price=102.0, stop_price=99.0)
    assert working(group) == [("sl", -50, 99.0), ("tp", -50, 102.0)]
    venue.later(group, TARGET, 20)
    assert working(group) == [("sl", -30, 99.0), ("tp", -30, 102.0)]
    venue.later(group, STOP, 30)

    assert group.is_done
    assert venue.holdings[SPY.symbol] == 0


def test_only_the_part_of_a_position_that_is_asked_for_is_taken_over():
    """Hand-made shares beyond the protected ones stay foreign and untouched (own-share)."""
    executor, venue = start()
    venue.holdings[SPY.symbol] = 50
    group = executor.protect_position(SPY, 20, stop_loss_price=99.0)
    group.close("enough")

    assert venue.holdings[SPY.symbol] == 30
    assert group.is_done


def test_contingent_sets_by_name():
    """OCO, OUO and OTO of ordinary orders."""
    executor, venue = start()
    high, low = ContingentOrder(SPY, 10, stop_price=101.0), ContingentOrder(SPY, -10, stop_price=99.0)
    oco = executor.one_cancels_other([high, low])
    assert working(oco) == [("entry", -10, 99.0), ("entry", 10, 101.0)]
    venue.later(oco, ENTRY, 4, rung=0)
    assert working(oco) == [("entry", 6, 101.0)]
    oto = executor.one_triggers_other(ContingentOrder(SPY, 10, 99.5), [ContingentOrder(SPY, -10, 103.0)])
    venue.later(oto, ENTRY, 5, rung=0)

    assert working(oto) == [("entry", -5, 103.0), ("entry", 5, 99.5)]


def test_a_bracket_around_a_group_closes_on_its_net_price_after_two_sightings():
    """Target and stop on the net price of a whole group, watched (part of X7's vocabulary)."""
    executor, venue = start(policy=Policy(native="never"))
    long, short = option("P", 95.0), option("P", 100.0)
    venue.quotes[long.symbol] = Quote(0.5, 0.6, 0.55, venue.clock)
    venue.quotes[short.symbol] = Quote(1.5, 1.6, 1.55, venue.clock)
    group = executor.execute_put_spread_atomic(short, long, quantity=1)
    assert group.is_open
    executor.protect_group(group, stop_loss=0.5, take_profit=0.5)

    def quote(ask: float) -> None:
        venue.clock += 60
        venue.quotes[long.symbol] = Quote(0.5, 0.6, 0.55, venue.clock)
        venue.quotes[short.symbol] = Quote(ask - 0.1, ask, ask, venue.clock)
        executor.on_data()

    quote(2.0)
    assert group.is_open
    quote(1.6)
    quote(2.0)
    assert group.is_open
    quote(2.1)

    assert group.state is Phase.CLOSED
    assert "stop on the net price" in group.reason


def test_native_contingent_sets_are_used_only_where_asked_for_and_present():
    """With native=True and a LEAN that has them, both exits of a pair leave as one set (X7)."""
    from atomic.plan import Env

    sets: list[list[str]] = []

    class Linked(Venue):
        def submit_linked(self, requests: Any) -> None:
            sets.append([r.tag.split("-")[0] for r in requests])
            for request in requests:
                self.submit(request)

    executor, _ = start(Linked(), env=Env(takes_linked=True))
    plain = executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0)
    assert sets == []
    native = executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0, native=True)
    assert sets == [["sl", "tp"]]
    assert working(native) == working(plain)
    without, _ = start()
    assert working(without.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0, native=True)) == [
        ("sl", -10, 99.0),
        ("tp", -10, 102.0),
    ]
