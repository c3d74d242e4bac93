"""New prices reach every bracket that they can change, and only the venue's own exits are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.bracket_terms import ContingentOrder
from atomic.executor import AtomicOrderExecutor
from atomic.model import Quote
from atomic.plan import Env
from atomic.policy import Settings
from atomic.protect import Level
from atomic.vocabulary import Purpose
from tests.atomic.bracket_venue import SPY, Venue, start, working
from tests.atomic.fake_gateway import option

CALL = option("C", 105)


def bars(executor: AtomicOrderExecutor, venue: Venue, *bids: float) -> None:
    """A minute for each price, handed to the executor as LEAN hands out data."""
    for bid in bids:
        venue.price(bid)
        executor.on_data()


@pytest.mark.parametrize(
    ("terms", "bids"),
    [
        ({"trigger": "last"}, (98.5, 98.4)),
        ({"trigger": "mid"}, (98.5, 98.4)),
        ({"trigger": "last"}, (102.5, 102.6)),
        ({"target_market": True}, (102.5, 102.6)),
    ],
)
def test_a_level_that_we_watch_is_seen_on_two_bars(terms: dict[str, Any], bids: tuple[float, float]) -> None:
    """Stop or target watched by us: one bar beyond the level is not enough, the second closes the position."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0, take_profit_price=102.0, **terms)
    bars(executor, venue, 100.5, bids[0])
    assert venue.holding(SPY.symbol) == 10
    bars(executor, venue, bids[1])
    assert venue.holding(SPY.symbol) == 0
    assert group.is_done


def test_an_option_is_closed_by_its_underlyings_price() -> None:
    """`trigger="underlying"`: the stop of an option at a price of the share it is written on."""
    executor, venue = start()
    venue.quotes[CALL.symbol] = Quote(2.0, 2.1, 2.05, venue.clock)
    venue.quotes["X"] = Quote(106.0, 106.02, 106.0, venue.clock)
    group = executor.bracket_order(CALL, 2, stop_loss_price=104.0, trigger="underlying")
    for price in (105.0, 103.9, 103.8):
        assert not group.is_done
        venue.clock += 60.0
        venue.quotes["X"] = Quote(price, price + 0.02, price, venue.clock)
        executor.on_data()
    assert group.is_done


def test_a_trailing_stop_follows_bar_by_bar() -> None:
    """The first bar in our favour and every one after it move the stop; one against us does not."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0, trail=Level(offset=1.0))
    stops = []
    for bid in (100.6, 101.4, 101.0, 102.0):
        bars(executor, venue, bid)
        stops += [price for purpose, _, price in working(group) if purpose == "sl"]
    assert stops == [99.6, 100.4, 100.4, 101.0]


def test_a_stop_that_the_venue_does_not_take_is_watched_bar_by_bar() -> None:
    """Refused for capability, the stop is ours to watch from then on."""
    executor, venue = start()
    venue.refuse["sl"] = ["capability"]
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0, take_profit_price=102.0)
    bars(executor, venue, 100.0, 98.9, 98.8)
    assert venue.holding(SPY.symbol) == 0
    assert group.is_done


def test_where_the_broker_reserves_the_target_is_watched_bar_by_bar() -> None:
    """Only the stop may rest there: the target is ours to watch."""
    executor, venue = start(env=Env(reserves_quantity=True))
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0, take_profit_price=102.0)
    assert [purpose for purpose, *_ in working(group)] == ["sl"]
    bars(executor, venue, 102.1, 102.2, 102.2)
    assert venue.holding(SPY.symbol) == 0
    assert group.is_done


def closed(venue: Venue, symbol: str, *, open: bool) -> None:
    venue.clock += 60.0
    venue.quotes[symbol] = venue.quotes[symbol]._replace(open=open, at=venue.clock)


def test_an_excess_is_reversed_when_the_market_opens() -> None:
    """Both exits filled before the close: what is sold too much is bought back with the first bar of the session."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0, take_profit_price=102.0)
    closed(venue, SPY.symbol, open=False)
    venue.cancel = lambda group_id, number: venue.sink.on_fact(group_id, f.CancelAsked(venue.clock, number, ""))  # type: ignore[method-assign]
    venue.later(group, Purpose.TARGET, 10)
    venue.later(group, Purpose.STOP, 10)
    executor.on_data()
    assert venue.holding(SPY.symbol) == -10
    closed(venue, SPY.symbol, open=True)
    executor.on_data()
    assert venue.holding(SPY.symbol) == 0
    assert group.is_done


def test_delivered_shares_are_closed_when_the_market_opens() -> None:
    """An exercise while the market is closed leaves shares beside the exits: sold with the session's first bar."""
    executor, venue = start()
    venue.quotes[CALL.symbol] = Quote(2.0, 2.1, 2.05, venue.clock)
    group = executor.bracket_order(CALL, 2, stop_loss_price=1.0, take_profit_price=4.0)
    venue.quotes[SPY.symbol] = venue.quotes[SPY.symbol]._replace(open=False)
    venue.holdings[SPY.symbol] = 100
    fact = f.Delivered(venue.clock, SPY.row(), 100, 100.0, "exercise")
    executor.shell.do(lambda: executor.shell.apply(group.record, fact))
    executor.on_data()
    assert venue.holding(SPY.symbol) == 100
    closed(venue, SPY.symbol, open=True)
    executor.on_data()
    assert venue.holding(SPY.symbol) == 0


def test_a_contingent_set_waits_for_the_session_to_take_its_legs_to_zero() -> None:
    """Closed by its owner at night: sold with the first bar of the session."""
    executor, venue = start()
    group = executor.one_triggers_other(ContingentOrder(SPY, 10), [ContingentOrder(SPY, -10, stop_price=99.0)])
    assert venue.holding(SPY.symbol) == 10
    closed(venue, SPY.symbol, open=False)
    group.close()
    executor.on_data()
    assert venue.holding(SPY.symbol) == 10
    closed(venue, SPY.symbol, open=True)
    executor.on_data()
    assert venue.holding(SPY.symbol) == 0
    assert group.is_done


def test_an_entry_that_grows_at_night_is_sent_with_the_session() -> None:
    """`resize` of a market entry while the market is closed: what works stays, what is missing leaves at the open."""
    executor, venue = start()
    venue.fill_entries = 4
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    closed(venue, SPY.symbol, open=False)
    group.resize(15)
    executor.on_data()
    assert [(purpose, size) for purpose, size, _ in working(group)] == [("entry", 6), ("sl", -4)]
    closed(venue, SPY.symbol, open=True)
    executor.on_data()
    assert sum(size for purpose, size, _ in working(group) if purpose == "entry") + 4 + 4 >= 15


def test_a_set_with_a_market_order_is_refused_while_the_market_is_closed() -> None:
    """As a bracket with a market entry is; a parent that rests at its price is taken, and its child waits for it."""
    executor, venue = start()
    closed(venue, SPY.symbol, open=False)
    child = ContingentOrder(SPY, -10, stop_price=99.0)
    refused = executor.one_triggers_other(ContingentOrder(SPY, 10), [child])
    assert refused.outcome == "refused"
    assert refused.reason == "session: the market of SPY is closed (is closed, limit open)"
    taken = executor.one_triggers_other(ContingentOrder(SPY, 10, limit_price=99.5), [child])
    assert working(taken) == [("entry", 10, 99.5)]


def test_a_set_whose_first_order_sells_an_option_at_market_needs_a_bid() -> None:
    """As every leg that is to be sold: refused with the quote, not left waiting."""
    executor, venue = start()
    venue.quotes[CALL.symbol] = Quote(0.0, 2.1, 2.0, venue.clock)
    group = executor.one_triggers_other(ContingentOrder(CALL, -2), [ContingentOrder(CALL, 2, stop_price=4.0)])
    assert group.outcome == "refused"
    assert "is to be sold" in group.reason


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.entry_price,
        lambda s: s.stop_prices,
        lambda s: s.target_prices,
        lambda s: s.move_stop(99.0),
        lambda s: s.move_target(99.0),
        lambda s: s.cancel_target(),
        lambda s: s.resize(5),
    ],
)
def test_a_contingent_set_has_no_exits_of_its_own_and_says_so(ask: Any) -> None:
    """What only a bracket has is refused with the cure, not ignored."""
    executor, _ = start()
    orders = [ContingentOrder(SPY, 10, limit_price=98.0), ContingentOrder(SPY, 10, stop_price=103.0)]
    group = executor.one_cancels_other(orders)
    with pytest.raises(ValueError, match="is an OCO set: cancel it and place a new one"):
        ask(group)
    group.cancel_entry()
    assert group.is_done


@pytest.mark.parametrize(
    ("terms", "prices"),
    [
        ({"stop_loss_price": 96.0}, (95.0, 96.2, 96.3)),
        ({"take_profit_price": 92.0}, (95.0, 91.8, 91.7)),
    ],
)
def test_a_put_gains_where_its_underlying_falls(terms: dict[str, float], prices: tuple[float, ...]) -> None:
    """Of a long put by its underlying the stop is above and the target below: neither is reached where it stands."""
    executor, venue = start()
    put = option("P", 95)
    venue.quotes[put.symbol] = Quote(2.0, 2.1, 2.05, venue.clock)
    venue.quotes["X"] = Quote(95.0, 95.02, 95.0, venue.clock)
    group = executor.bracket_order(put, 2, trigger="underlying", **terms)
    for price in prices:
        assert not group.is_done
        venue.clock += 60.0
        venue.quotes["X"] = Quote(price, price + 0.02, price, venue.clock)
        executor.on_data()
    assert group.is_done


def test_a_limit_entry_of_an_option_with_exits_by_its_underlying_is_no_mistake() -> None:
    """The stop at 104 is a price of the share, the entry at 2 one of the option: they are not compared."""
    executor, venue = start()
    venue.quotes[CALL.symbol] = Quote(2.0, 2.1, 2.05, venue.clock)
    venue.quotes["X"] = Quote(105.0, 105.02, 105.0, venue.clock)
    group = executor.bracket_order(CALL, 1, limit_price=2.0, stop_loss_price=104.0, trigger="underlying")
    assert working(group) == [("entry", 1, 2.0)]


def test_an_entry_cancelled_before_it_could_leave_ends_the_bracket() -> None:
    """It waits for the order rate and its owner changes his mind: nothing is left open for ever."""
    executor, _ = start(settings=Settings(rate_per_second=1.0))
    executor.bracket_order(SPY, 10, limit_price=90.0, stop_loss_price=80.0)
    waiting = executor.bracket_order(SPY, 10, limit_price=90.0, stop_loss_price=80.0)
    assert not waiting.orders
    waiting.cancel_entry("changed my mind")
    assert waiting.is_done
    assert waiting.reason == "changed my mind"


def test_a_contract_that_expires_before_the_entry_could_leave_ends_the_bracket() -> None:
    """It waits for the order rate until the contract is gone."""
    executor, venue = start(settings=Settings(rate_per_second=0.01))
    venue.quotes[CALL.symbol] = Quote(2.0, 2.1, 2.05, venue.clock)
    executor.bracket_order(CALL, 1, limit_price=1.0, stop_loss_price=0.5)
    waiting = executor.bracket_order(CALL, 1, limit_price=1.0, stop_loss_price=0.5)
    assert not waiting.orders
    executor.shell.on_delisted(CALL.symbol, 0.0, "expiry")
    assert (waiting.is_done, waiting.outcome) == (True, "expired")


def test_what_one_bracket_is_refused_another_one_lets_go_of() -> None:
    """The broker reserves: the resting target of a bracket in the same contract would hold what the next stop needs."""
    executor, venue = start()
    first = executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0)
    assert [purpose for purpose, _, _ in working(first)] == ["sl", "tp"]
    venue.refuse["tp"] = ["reserved"]
    second = executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0)
    assert [purpose for purpose, _, _ in working(second)] == ["sl"]
    assert [purpose for purpose, _, _ in working(first)] == ["sl"]
    bars(executor, venue, 102.1, 102.2)
    assert venue.holding(SPY.symbol) == 0


def test_a_time_exit_that_has_passed_closes_nothing_by_mistake() -> None:
    """New York's time taken for UTC would close at once what was to be protected: it is named instead."""
    executor, venue = start()
    venue.holdings[SPY.symbol] = 10
    with pytest.raises(ValueError, match=r"has passed, it is .* taken as UTC"):
        executor.protect_position(SPY, 10, stop_loss_price=99.0, time_exit=venue.clock - 5 * 3600)
    group = executor.execute_atomic([(CALL, 1)], 1)
    with pytest.raises(ValueError, match="has passed"):
        executor.protect_group(group, time_exit=venue.clock - 1.0)
    assert not group.is_done


def test_a_bracket_without_a_stop_is_named() -> None:
    """Target only is possible; that nothing protects the position is said once, when it is asked for."""
    executor, _ = start()
    executor.bracket_order(SPY, 10, stop_loss_price=90.0)
    executor.bracket_order(SPY, 10)
    assert "no-stop" not in executor.alerts_seen
    executor.bracket_order(SPY, 10, take_profit_price=102.0)
    assert executor.alerts_seen.count("no-stop") == 1
