"""What an owner gives: numbers of any kind, refusals by name, and faults of the owner's own callbacks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from atomic import given
from atomic.bracket_terms import ContingentOrder
from atomic.journal import MemoryStore
from atomic.journal.records import encode
from atomic.policy import Policy
from atomic.protect import Level
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import SPY, Venue, start, working
from tests.atomic.fake_gateway import option

LOW, HIGH = option("C", 100.0), option("C", 105.0)
NAN, INF = float("nan"), float("inf")
OTHER = ContingentOrder(SPY, 10, 98.0)


@pytest.mark.parametrize("bad", [NAN, INF, -INF, "1", "x", None, [], object(), True, 1.5])
def test_what_is_no_whole_number_is_refused_by_name(bad):
    """Quantity, ratio and count: ValueError with the value, whatever it is, and nothing is sent."""
    executor, venue = start()
    for ask in (
        lambda: executor.execute_call_spread_atomic(HIGH, LOW, bad),
        lambda: executor.execute_strangle_atomic(HIGH, option("P", 95.0), bad),
        lambda: executor.execute_ratio_atomic(LOW, HIGH, longs=bad),
        lambda: executor.execute_ratio_atomic(LOW, HIGH, shorts=bad),
        lambda: executor.bracket_order(SPY, bad),
        lambda: executor.one_cancels_other([ContingentOrder(SPY, bad, 99.0), OTHER]),
        lambda: executor.bracket_order(SPY, 10, break_even_after=bad),
    ):
        with pytest.raises(ValueError, match="whole number") as caught:
            ask()
        assert repr(bad) in str(caught.value)
    assert venue.calls == []


@pytest.mark.parametrize("bad", [NAN, INF, -1.0, "1", [], object(), True])
@pytest.mark.parametrize(
    "ask",
    [
        lambda e, x: e.bracket_order(SPY, 10, limit_price=x),
        lambda e, x: e.bracket_order(SPY, 10, stop_price=x),
        lambda e, x: e.bracket_order(SPY, 10, stop_limit_offset=x),
        lambda e, x: e.bracket_order(SPY, 10, trail_step=x),
        lambda e, x: e.bracket_order(SPY, 10, entry_timeout=x),
        lambda e, x: e.bracket_order(SPY, 10, time_exit=x),
        lambda e, x: e.bracket_order(SPY, 10, stop_loss_price=x),
        lambda e, x: e.bracket_order(SPY, 10, stop_loss=x),
        lambda e, x: e.bracket_order(SPY, 10, take_profit_price=x),
        lambda e, x: e.bracket_order(SPY, 10, targets=[(x, 101.0)]),
        lambda e, x: e.bracket_order(SPY, 10, trail=x),
        lambda e, x: e.one_cancels_other([ContingentOrder(SPY, 10, x or 1.0), OTHER] if x else [x, OTHER]),
        lambda e, x: e.one_cancels_other([ContingentOrder(SPY, 10, stop_price=x), OTHER] if x else [x, OTHER]),
    ],
)
def test_what_is_no_price_or_time_is_refused_by_name(ask, bad):
    """Prices, distances, weights and seconds: ValueError with the value, and nothing is sent."""
    executor, venue = start()
    with pytest.raises(ValueError, match="give") as caught:
        ask(executor, bad)
    assert repr(bad) in str(caught.value)
    assert venue.calls == []


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda e: e.execute_atomic(None), r"legs None: give a list"),
        (lambda e: e.execute_atomic("abc"), r"legs 'abc': give a list"),
        (lambda e: e.execute_atomic([LOW]), r"give \(contract, ratio\)"),
        (lambda e: e.execute_atomic([(LOW, 1, 1)]), r"give \(contract, ratio\)"),
        (lambda e: e.execute_atomic([(LOW, 1)], limit_net=NAN), r"limit_net nan: give a finite number"),
        (lambda e: e.execute_atomic([(LOW, 1)], limit_net="1"), r"limit_net '1': give a finite number"),
        (lambda e: e.execute_atomic([(LOW, 1)], policy={}), r"policy \{\}: give a Policy"),
        (lambda e: e.execute_atomic([(LOW, 1)], strategy=5), r"strategy 5: give a str"),
        (lambda e: e.bracket_order(SPY, 10, targets=5.0), r"targets 5.0: give a list"),
        (lambda e: e.bracket_order(SPY, 10, trail=1.0), r"trail 1.0: give a distance"),
        (lambda e: e.bracket_order(SPY, 10, trail=Level(price=1.0)), r"give a distance"),
        (lambda e: e.one_cancels_other(None), r"orders None: give a list"),
        (lambda e: e.one_updates_other([5, 6]), r"order 5: give a ContingentOrder"),
        (lambda e: e.one_triggers_other(None, [OTHER]), r"order None: give a ContingentOrder"),
        (lambda e: e.one_triggers_other(OTHER, OTHER), r"children .*: give a list"),
        (lambda e: e.protect_group("bracket-000001", take_profit=1.0), r"group 'bracket-000001': give an AtomicGroup"),
        (lambda e: e.operations.cleanup_stale_operations("1"), r"max_age '1': give a finite number"),
    ],
)
def test_what_is_of_another_sort_is_refused_by_name(ask, match):
    """Lists, pairs, policies, groups: ValueError with the value and the cure, and nothing is sent."""
    executor, venue = start()
    with pytest.raises(ValueError, match=match):
        ask(executor)
    assert venue.calls == []


@pytest.mark.parametrize("bad", [0, -1.0, NAN, INF, "1", None, [], True])
def test_exits_move_to_prices_only(bad):
    """`move_stop` and `move_target` name what is no price; the exits stay as they are, a cancelled target cancelled."""
    executor, _ = start()
    group = executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0)
    group.cancel_target()
    for move in (group.move_stop, group.move_target):
        with pytest.raises(ValueError, match="give a positive number"):
            move(bad)
    assert working(group) == [("sl", -10, 99.0)]
    with pytest.raises(ValueError, match="counted from 0"):
        group.move_stop(98.0, pair="0")


def test_numpys_numbers_are_numbers():
    """Quantities and prices from a history or an indicator are taken, and the journal holds them as plain numbers."""
    store = MemoryStore()
    executor, venue = start(store=store)
    group = executor.bracket_order(
        SPY, np.int64(10), limit_price=np.float32(100.0), stop_loss_price=np.int64(99),
        targets=[(np.int8(1), np.float64(102))],
        stop_limit_offset=np.float32(0.5), entry_timeout=np.int64(60), break_even_after=np.int64(1),
        target_market=np.bool_(True), note=np.int64(7),
    )  # fmt: skip
    spread = executor.execute_atomic([(LOW, 1)], np.int64(2), limit_net=np.float32(1.5))
    watched = executor.protect_group(spread, take_profit=np.float32(0.5), underlying_low=np.int64(90))
    oco = executor.one_cancels_other([ContingentOrder(SPY, np.int64(10), np.float32(99.0)), OTHER])
    group.resize(np.int64(20))
    group.move_stop(np.float32(98.5))

    assert (group.quantity, spread.quantity, watched, oco.is_done) == (10, 2, spread, False)
    assert executor.health()["journal"] == "ok"
    after = Venue()
    after.holdings = dict(venue.holdings)
    again, _ = start(after, store=store)
    assert {handle.id for handle in again.groups.all} == {group.id, spread.id, oco.id}


def test_a_value_that_json_does_not_have_keeps_no_journal_unwritten():
    """A reason that is an exception, a note that is an object: written as text; the other groups stay protected."""
    executor, venue = start()
    venue.fill_entries = 0
    waits = executor.bracket_order(SPY, 10, stop_loss_price=99.0, note=object())
    other = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    other.hold(RuntimeError("no signal"))
    other.close(RuntimeError("no signal"))
    executor.journal.extra["mine"] = {"level": np.float32(1.5), "why": RuntimeError("no signal")}
    venue.fill_entries = None
    venue.fill((waits.id, 1), 10)

    assert working(waits) == [("sl", -10, 99.0)]
    assert executor.health()["journal"] == "ok"
    assert "no signal" in other.summary()
    assert json.loads(encode([np.int64(1), np.float32(1.5), Decimal("2.5"), RuntimeError("x")])) == [1, 1.5, 2.5, "x"]


@pytest.mark.parametrize("moment", ["on_open", "on_closed"])
def test_a_callback_that_fails_does_not_reach_its_caller(moment):
    """Also when its moment has passed already: told as an alert, and the next callback is called."""
    executor, _ = start()
    called: list[Any] = []
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    if moment == "on_closed":
        group.on_closed(lambda g: 1 / 0)
        group.on_closed(called.append)
        group.close("enough")
    getattr(group, moment)(lambda g: 1 / 0)
    getattr(group, moment)(called.append)

    assert called == [group] * (2 if moment == "on_closed" else 1)
    assert "callback-failed" in executor.alerts_seen


def test_policy_settings_and_breaker_are_what_their_names_say():
    """An executor with a policy of another sort does not come to be."""
    for wrong in ({"policy": {}}, {"settings": {}}, {"breaker": 3}):
        with pytest.raises(ValueError, match=r"give a (Policy|Settings|Breaker)"):
            start(**wrong)


@pytest.mark.parametrize("bad", ["mid", 5, {}])
def test_a_ladder_is_a_ladder(bad):
    """`Policy(ladder="mid")` is refused by name; before, the first group with it was held by our own fault."""
    for field in ("ladder", "unwind_ladder", "close_ladder"):
        with pytest.raises(ValueError, match=rf"Policy.{field} .*: give a Ladder"):
            Policy(**{field: bad})
    with pytest.raises(ValueError, match=r"Policy.retry .*: give a Retry"):
        Policy(retry=bad)


def test_a_gate_that_raises_refuses():
    """A risk gate of the owner's that fails: the group is refused with the error, it does not stay planned for ever."""

    class Broken:
        def approve(self, proposal: Any) -> list[Any]:
            raise KeyError("spread")

        def on_event(self, event: Any) -> None: ...

        def may_open(self, now: float) -> None: ...

    executor, venue = start(risk=Broken())
    group = executor.bracket_order(SPY, 10)
    assert group.state is Phase.CLOSED
    assert "KeyError" in group.reason
    assert venue.calls == []


def test_the_helpers_say_what_is_wrong():
    """Whole, number, positive, one_of, many and pair name the value, the name and the cure."""
    assert given.whole(3.0, "a") == 3
    assert given.whole(np.int8(3), "a", low=3) == 3
    with pytest.raises(ValueError, match="a 2: give a whole number of at least 3"):
        given.whole(2, "a", low=3)
    assert given.many((x for x in (1, 2)), "a") == [1, 2]
