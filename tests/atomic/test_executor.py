from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.group import LegFill
from atomic.journal import MemoryStore
from atomic.model import Quote
from atomic.policy import Settings
from atomic.vocabulary import Outcome, Phase
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP, SC, LC = option("P", 90), option("P", 95), option("C", 105), option("C", 110)
CONDOR = [(LP, 1), (SP, -1), (SC, -1), (LC, 1)]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def started(gateway: FakeGateway, **more: object) -> AtomicOrderExecutor:
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore(), **more)  # type: ignore[arg-type]
    executor.start()
    return executor


def test_condor_opens_longs_first_and_closes_shorts_first(gateway: FakeGateway) -> None:
    """A condor buys its wings before it sells, and buys its shorts back before it sells the wings."""
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 2, "iron_condor")
    assert group.is_open
    assert group.outcome is Outcome.COMPLETE
    assert [q for _, _, q in gateway.calls] == [2, 2, -2, -2]
    gateway.calls.clear()
    group.close("done")
    assert group.is_done
    assert group.outcome is Outcome.CLOSED
    assert [q for _, _, q in gateway.calls] == [2, 2, -2, -2]
    assert not any(gateway.holdings.values())
    assert not executor.groups.open


def test_rejected_leg_withdraws_its_siblings_and_reverses_what_filled(gateway: FakeGateway) -> None:
    """When one short is refused the other is not sent, and the longs that filled are sold again."""
    gateway.script[SP.symbol] = "reject"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    assert group.outcome is Outcome.ROLLED_BACK
    assert not any(gateway.holdings.values())
    assert [c[2] for c in gateway.calls if c[0] == "submit"] == [1, 1, -1, -1, -1]
    kinds = [line["kind"] for line in group.timeline]
    assert "withdrawn" in kinds
    assert group.rollback_cost > 0


def test_timeout_cancels_and_reverses(gateway: FakeGateway) -> None:
    """A leg that does not fill within the order time-out is cancelled and the filled legs are reversed."""
    gateway.script[SC.symbol] = "rest"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 1)
    assert group.state is Phase.OPENING
    gateway.pass_seconds(4.9)
    assert group.state is Phase.OPENING
    gateway.pass_seconds(0.2)
    assert group.outcome is Outcome.ROLLED_BACK
    assert not any(gateway.holdings.values())


def test_partial_fill_is_reversed_exactly(gateway: FakeGateway) -> None:
    """Three of five contracts of a leg filled: after the time-out exactly three go back."""
    gateway.script[LP.symbol] = "partial:3"
    executor = started(gateway)
    group = executor.execute_atomic(CONDOR, 5)
    gateway.pass_seconds(6)
    assert group.is_done
    assert not any(gateway.holdings.values())


def test_what_expired_while_nobody_looked_is_settled_at_its_worth(gateway: FakeGateway) -> None:
    """The next process finds the contract gone: a call at 105 is worth five dollars where the underlying is at 110."""
    store = MemoryStore()
    first = AtomicOrderExecutor(None, "t", gateway=gateway, store=store)
    first.start()
    group = first.execute_atomic([(SC, 1)], 2)
    later = FakeGateway()
    later.clock = datetime(2030, 1, 21, 15, tzinfo=UTC).timestamp()
    later.quotes["X"] = Quote(109.9, 110.1, 110.0, later.clock)
    executor = AtomicOrderExecutor(None, "t", gateway=later, store=store)
    report = executor.start()

    ended = executor.groups.get(group.id)
    assert ended is not None
    assert (ended.outcome, ended.record.legs[0].settlement) == (Outcome.EXPIRED, 5.0)
    assert (report.found, report.count("expired"), executor.metrics()["orphans"]) == (1, 1, 0)


def test_what_a_start_leaves_open_is_looked_at_when_its_quiet_period_ends(gateway: FakeGateway) -> None:
    """An order that never was acknowledged and is not shown: without any data it is given up in time."""
    store = MemoryStore()
    gateway.submit = lambda request: gateway.calls.append(("submit", request.tag))  # type: ignore[method-assign]
    gateway.live = True
    first = AtomicOrderExecutor(None, "t", gateway=gateway, store=store)
    first.start()
    group = first.execute_atomic([(LC, 1)], 1)
    later = FakeGateway(live=True)
    later.cancel = lambda group_id, number: None  # type: ignore[method-assign]
    executor = AtomicOrderExecutor(None, "t", gateway=later, store=store)
    executor.start()
    quiet = group.record.spec.policy.quiet_period
    assert [order.may_fill for order in executor.groups.open[0].orders] == [True]
    while later.wake is not None and later.wake <= gateway.clock + quiet:
        later.pass_seconds(later.wake - later.clock)

    ended = executor.groups.get(group.id)
    assert ended is not None
    assert ended.outcome is Outcome.ROLLED_BACK


def test_an_order_that_the_account_does_not_show_is_asked_for(gateway: FakeGateway) -> None:
    """Its end may have been told to nobody: a look at the account reads its ticket."""
    gateway.script[LC.symbol] = "rest"
    executor = started(gateway)
    executor.execute_atomic([(LC, 1)], 1)
    gateway.calls.clear()
    executor.check_and_recover_incomplete_orders()

    assert gateway.calls == [("poll", 1)]


def test_a_recovery_on_request_reports_what_it_found_and_reads_every_ticket():
    """Not what the start found: an order with our tag that nobody asked for is in the answer; resting ones are read."""
    from atomic.ports import BrokerOrder
    from tests.atomic.bracket_venue import SPY, Venue, start

    class Shows(Venue):
        shown: tuple[BrokerOrder, ...] = ()

        def open_orders(self) -> list[BrokerOrder]:
            return list(self.shown)

    executor, venue = start(Shows(live=True))
    group = executor.bracket_order(SPY, 10, limit_price=90.0, stop_loss_price=80.0)
    tag = f"sl-{group.id}:99"
    venue.shown = (BrokerOrder(77, (), SPY.symbol, -5, 0, "limit", 90.0, 0.0, tag, venue.clock, None),)
    venue.clock += 10
    report = executor.check_and_recover_incomplete_orders()
    assert report is not executor.report
    assert (report.found, report.count("orphan"), report.at) == (1, 1, venue.clock)
    assert ("poll", 1) in venue.calls
    assert executor.report.count("orphan") == 0


def test_limits_per_underlying_are_named_and_a_hold_is_called_out(gateway: FakeGateway) -> None:
    """Groups and contracts of one underlying; `on_held` is called with the hold, and at once where it has passed."""
    limits = Settings(max_groups_per_underlying=2, max_contracts_per_underlying=5)
    executor = started(gateway, settings=limits)
    first = executor.execute_put_spread_atomic(SP, LP)
    too_large = executor.execute_call_spread_atomic(SC, LC, 2)
    assert too_large.outcome is Outcome.REFUSED
    assert "max-contracts-per-underlying" in too_large.reason
    assert "max-groups" not in too_large.reason
    assert executor.execute_call_spread_atomic(SC, LC).is_open
    assert "max-groups-per-underlying" in executor.execute_put_spread_atomic(SP, LP).reason
    held: list[str] = []
    first.on_held(lambda group: held.append(group.id))
    first.hold("look")
    first.on_held(lambda group: held.append("late"))
    assert held == [first.id, "late"]


def test_a_handle_shows_its_fills_one_by_one(gateway: FakeGateway) -> None:
    """When, which leg, how many and at what price, also where a later fill is told as a new average."""
    executor = started(gateway)
    gateway.script[LP.symbol] = "partial:1"
    group = executor.execute_atomic([(LP, 1)], 3)
    gateway.quotes[LP.symbol] = Quote(1.0, 1.5, 1.1, gateway.clock)
    order = group.orders[0]
    gateway.clock += 1
    executor.shell.on_fact(group.id, f.Filled(gateway.clock, order.number, 3, 1.4, 2.0))
    assert group.is_open
    assert group.fills == (
        LegFill(gateway.clock - 1, 0, 1, 1.2, order.number),
        LegFill(gateway.clock, 0, 2, 1.5, order.number),
    )


def test_a_fill_after_the_end_is_counted_and_taken_back(gateway: FakeGateway) -> None:
    """The group lives again until the late contract is gone; the counter that Prometheus shows says so once."""
    gateway.script[SP.symbol] = "rest"
    executor = started(gateway)
    group = executor.execute_put_spread_atomic(SP, LP)
    short = next(order for order in group.orders if order.quantity < 0)
    group.cancel()
    assert group.is_done
    assert executor.metrics()["late_reopened"] == 0
    gateway.fill((group.id, short.number), 1)
    assert group.is_done
    assert not any(gateway.holdings.values())
    assert executor.metrics()["late_reopened"] == 1
