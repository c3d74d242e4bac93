"""Brackets, OCO and operations through the executor, on a small broker that answers as it is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from atomic import facts as f
from atomic.brackets import ContingentOrder, ExitDefaults, exit_defaults
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import ChildType, LegSpec, Outcome, Phase, Purpose, Quote, Right
from atomic.operations import OperationState, OperationType
from atomic.policy import Breaker, Policy, Settings
from atomic.protect import Level

sys.path.insert(0, str(Path(__file__).parent))
from fake_gateway import FakeGateway, option

SPY = LegSpec("SPY R735QTJ8XC9X", 1, Right.SHARE, underlying="SPY R735QTJ8XC9X", multiplier=1.0, name="SPY")
ENTRY, STOP, TARGET = Purpose.ENTRY, Purpose.STOP, Purpose.TARGET


class Venue(FakeGateway):
    """Entries fill as told; refusals by purpose; optionally reserves the position for one closing order."""

    def __init__(self, live: bool = False) -> None:
        super().__init__(live)
        self.quotes[SPY.symbol] = Quote(100.0, 100.02, 100.01, self.clock)
        self.fill_entries: int | None = None
        self.refuse: dict[str, list[str]] = {}
        self.reserves = False
        self.silent = False

    def submit(self, request: Any) -> None:
        key = (request.group_id, request.number)
        kind = request.tag.split("-", 1)[0] if request.tag[:3] in ("ent", "sl-", "tp-") else request.tag.rsplit(":")[-1]
        self.calls.append(("submit", request.tag, request.quantity))
        self.requests[key] = request
        reasons = self.refuse.get(kind)
        resting = sum(
            abs(r.quantity) - self.filled.get(k, 0)
            for k, r in self.requests.items()
            if k not in self.ended and k != key and r.symbol == request.symbol and r.quantity * request.quantity > 0
        )
        held = abs(self.holdings.get(request.symbol, 0))
        if self.reserves and kind != "entry" and resting + abs(request.quantity) > held:
            reasons = ["reserved"]
        if reasons:
            self.ended.add(key)
            self.sink.on_fact(request.group_id, f.Rejected(self.clock, request.number, reasons.pop(0), "scripted"))
            return
        self.sink.on_fact(request.group_id, f.Accepted(self.clock, request.number))
        if request.type is ChildType.MARKET:
            part = self.fill_entries if kind == "entry" and self.fill_entries is not None else abs(request.quantity)
            if part:
                self.fill(key, part)

    def later(self, group: Any, purpose: Purpose, quantity: int, rung: int = 0) -> None:
        """Fill more of the oldest order of a slot."""
        order = next(o for o in group.orders if o.purpose is purpose and o.rung == rung and o.may_fill)
        self.fill((group.id, order.number), quantity)

    def price(self, bid: float) -> None:
        """A new quote, a second later."""
        self.clock += 60
        self.quotes[SPY.symbol] = Quote(bid, bid + 0.02, bid, self.clock)


def start(venue: Venue | None = None, **options: Any) -> tuple[AtomicOrderExecutor, Venue]:
    venue = venue if venue is not None else Venue()
    store = options.pop("store", None) or MemoryStore()
    executor = AtomicOrderExecutor(None, "bracket", gateway=venue, store=store, **options)
    executor.alerts_seen = []
    executor.on_alert(lambda alert: executor.alerts_seen.append(alert.code))
    executor.start()
    return executor, venue


def working(group: Any) -> list[tuple[str, int, float]]:
    return sorted((str(o.purpose), o.side * o.leaves_qty, o.limit or o.stop) for o in group.orders if o.may_fill)


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


def test_aoe_scenario_6_a_broker_that_reserves_quantity():
    """Second closing order refused: target and move_stop work, the net is never negative, the gap is reported."""
    executor, venue = start()
    venue.reserves = True
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    assert working(group) == [("sl", -100, 99.0)]
    group.move_stop(99.5)
    assert working(group) == [("sl", -100, 99.5)]
    nets = []
    for bid in (102.1, 102.2):
        venue.price(bid)
        executor.on_data()
        nets.append(group.open_quantity)

    assert group.is_done
    assert venue.holdings[SPY.symbol] == 0
    assert min(nets) >= 0
    assert group.gap_seconds >= 0.0


def test_a_hundred_placements_in_a_row_all_protected_and_closed():
    """100 consecutive brackets: every one protected, every one ends flat, ids differ (B6)."""
    executor, venue = start()
    groups = [executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0) for _ in range(100)]
    assert all(g.is_protected for g in groups)
    assert len({g.id for g in groups}) == 100
    assert executor.coverage.rate == 1.0
    for group in groups:
        venue.later(group, STOP if int(group.id[-1]) % 2 else TARGET, 10)

    assert all(g.is_done for g in groups)
    assert venue.holdings[SPY.symbol] == 0


def test_a_hundred_fills_at_once_under_breaker_rate_limit_and_pause_are_all_protected():
    """Breaker open, rate limit full, trading paused: entries that fill late are protected all the same (scenario 8)."""
    settings = Settings(rate_per_second=1000.0, reserved_rate=1000.0)
    executor, venue = start(settings=settings, breaker=Breaker(failures=1, reset=300.0))
    venue.fill_entries = 0
    groups = [executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0) for _ in range(100)]
    venue.refuse["entry"] = ["unknown"]
    executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0)
    executor.pause()
    assert executor.operations.get_circuit_breaker_status()["state"] == "open"
    for group in groups:
        venue.later(group, ENTRY, 10)
    for _ in range(10):
        venue.pass_seconds(1.0)

    assert all(g.is_protected for g in groups)
    assert executor.bracket_order(SPY, 10).outcome is Outcome.REFUSED


def test_a_rate_limit_delays_exits_by_seconds_and_loses_none():
    """With two orders a second, 30 fills at once are all protected within the time the rate allows (C5)."""
    executor, venue = start(settings=Settings(rate_per_second=2.0, reserved_rate=5.0))
    venue.fill_entries = 0
    groups = []
    for _ in range(30):
        groups.append(executor.bracket_order(SPY, 10, stop_loss_price=99.0))
        venue.pass_seconds(1.0)
    for group in groups:
        venue.later(group, ENTRY, 10)
    for _ in range(15):
        venue.pass_seconds(1.0)

    assert all(g.is_protected for g in groups)


def test_insufficient_margin_and_an_unknown_instrument_end_the_placement():
    """An entry that is refused ends the bracket with the reason; no exit was ever sent (B6)."""
    executor, venue = start()
    for reason in ("margin", "instrument"):
        venue.refuse["entry"] = [reason]
        group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
        assert (group.outcome, group.is_done) == (Outcome.ROLLED_BACK, True)

    assert not any(tag.startswith("sl-") for what, tag, *_ in venue.calls if what == "submit")


def test_a_connection_timeout_is_looked_at_again_and_not_sent_twice():
    """Silence after a submit: the ticket is polled, the order is not resent (B6, no-double)."""
    executor, venue = start(Venue(live=True))

    def swallow(request: Any) -> None:
        venue.calls.append(("submit", request.tag, request.quantity))

    venue.submit = swallow  # type: ignore[method-assign]
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(20):
        venue.pass_seconds(1.0)

    assert [c for c in venue.calls if c[0] == "submit"] == [("submit", f"entry-{group.id}:1", 10)]
    assert ("poll", 1) in venue.calls


def test_the_circuit_breaker_opens_and_closes_again():
    """Ten refusals in a row open it for 300 s, then entries are taken again (E2)."""
    executor, venue = start(breaker=Breaker())
    venue.refuse["entry"] = ["unknown"] * 10
    for _ in range(10):
        executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    refused = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert refused.outcome is Outcome.REFUSED
    assert "circuit-breaker" in refused.reason
    venue.clock += 301
    venue.quotes[SPY.symbol] = Quote(100.0, 100.02, 100.01, venue.clock)

    assert executor.bracket_order(SPY, 10, stop_loss_price=99.0).is_protected


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


def test_a_restart_keeps_the_levels_and_places_what_is_missing_by_the_sweep():
    """Levels come from the journal; the start's sweep places the exits, without a second entry (C1, C2)."""
    store = MemoryStore()
    executor, venue = start(store=store)
    venue.refuse["sl"] = ["unknown"]
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    group.move_stop(99.4)
    after = Venue()
    after.holdings = dict(venue.holdings)
    again, _ = start(after, store=store)
    again.sweep_protection(force=True)
    for _ in range(60):
        after.pass_seconds(1.0)
    restored = again.groups.get(group.id)

    assert ("sl", -100, 99.4) in working(restored)
    assert not any(tag.startswith("entry-") for what, tag, *_ in after.calls if what == "submit")


def test_coverage_counts_layers_and_raises_its_alerts():
    """Placement by source, rate and latency; below 100 % for two minutes P1, ten minutes unprotected P0 (C4)."""
    executor, venue = start(policy=Policy(emergency_flatten=False, rollback_attempts=1000))
    executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.fill_entries = 0
    late = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.clock += 5
    venue.later(late, ENTRY, 10)
    assert executor.coverage.placed == {"direct": 1, "event": 1, "sweep": 0}
    assert executor.coverage.rate == 1.0
    venue.fill_entries = None
    venue.refuse["sl"] = ["unknown"] * 1000
    executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(12):
        venue.pass_seconds(60.0)
        executor.on_data()

    assert executor.coverage.rate == pytest.approx(2 / 3)
    assert "coverage" in executor.alerts_seen
    assert "unprotected" in executor.alerts_seen


def test_operations_are_seen_counted_and_rolled_back():
    """Types, states, statistics, forced rollback, hooks and clean-up (E1, E3)."""
    executor, venue = start()
    seen: list[str] = []
    executor.operations.on_operation(OperationType.BRACKET, lambda op, state: seen.append(state))
    venue.fill_entries = 40
    group = executor.bracket_order(SPY, 100, stop_loss_price=99.0)
    status = executor.operations.get_operation_status(group.id)
    assert (status["type"], status["state"]) == (OperationType.BRACKET, OperationState.PARTIALLY_COMPLETED)
    assert executor.operations.get_recovery_statistics()["active"] == 1
    assert executor.operations.force_rollback_operation(group.id)

    assert group.is_done
    assert venue.holdings[SPY.symbol] == 0
    assert executor.operations.get_recovery_statistics()["completed"] == 1
    assert not executor.operations.force_rollback_operation(group.id)
    assert OperationState.COMPLETED in seen
    venue.clock += 90_000
    assert executor.operations.cleanup_stale_operations() == 1
    with pytest.raises(ValueError, match="no operation"):
        executor.operations.get_operation_status(group.id)


def test_cancelling_the_orders_of_a_position_counts_by_purpose_and_the_stop_comes_back():
    """Counts for entry, stop, target and failures; what is open is protected again at once (E4)."""
    executor, venue = start()
    venue.fill_entries = 40
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    counts = executor.cancel_position_orders(SPY)

    assert (counts.entry, counts.stop, counts.target, counts.failed) == (1, 1, 1, 0)
    assert ("sl", -40, 99.0) in working(group)
    assert "stops-cancelled" in executor.alerts_seen


def test_closing_a_position_takes_its_orders_along():
    """close_position_with_cleanup by symbol ends every group that holds it."""
    executor, venue = start()
    groups = [executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0) for _ in range(3)]
    operation = executor.close_position_with_cleanup(SPY)

    assert all(g.is_done for g in groups)
    assert executor.operations.get_operation_status(operation)["state"] is OperationState.COMPLETED
    assert venue.holdings[SPY.symbol] == 0
    with pytest.raises(ValueError, match="no group holds"):
        executor.close_position_with_cleanup(SPY)


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
