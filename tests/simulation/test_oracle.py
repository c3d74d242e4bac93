"""The judge is judged: each invariant is broken by hand once, and the oracle says so."""

from __future__ import annotations

from typing import Any

import pytest

from atomic.facts import Canceled, Filled, Identified, Intended, Opening, Sent, apply
from atomic.model import GroupSpec, new_group
from atomic.policy import Policy
from atomic.ports import OrderRequest
from atomic.vocabulary import ChildType, HoldCause, Kind, Phase
from workbench.campaign.account import Account, Fate, SimOrder
from workbench.campaign.broker import AdversarialBroker
from workbench.campaign.choices import ReplayedChoices
from workbench.campaign.faults import Faults
from workbench.campaign.market import START, SimMarket
from workbench.campaign.naked import naked
from workbench.campaign.oracle import Oracle
from workbench.campaign.rate import RateCount
from workbench.campaign.scenarios import C105, C110, P90, P95, P95_FAR, STRUCTURES


class Listener:
    """A sink that only listens."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, Any]] = []

    def on_fact(self, group_id: str, fact: Any) -> None:
        self.facts.append((group_id, fact))

    def on_foreign(self, symbol: str, delta: int, price: float, cause: str, why: str) -> None:
        self.facts.append(("", (symbol, delta)))

    def on_delisted(self, symbol: str, settlement: float, cause: str) -> None: ...

    def on_wake(self) -> None: ...

    def on_alarm(self, severity: Any, code: str, text: str) -> None: ...


class Bench:
    """A broker, an oracle and one group, driven by hand."""

    def __init__(
        self, strategy: str = "iron_condor", units: int = 1, *, sync: bool = False, policy: Policy | None = None
    ) -> None:
        self.market = SimMarket()
        self.oracle = Oracle(self.market)
        self.account = Account(self.oracle)
        choices = ReplayedChoices([])
        self.broker = AdversarialBroker(
            self.account, self.market, choices, START, Faults(), live=not sync, sync=sync
        )  # fmt: skip
        self.sink = Listener()
        self.broker.attach(self.sink)
        self.spec = GroupSpec(
            "g-1", Kind.ALL_OR_NONE, strategy, STRUCTURES[strategy], units, START, policy or Policy(allow_naked=True)
        )
        self.oracle.add(self.spec)

    def send(self, number: int, symbol: str, quantity: int, purpose: str = "open", **more: Any) -> None:
        kind = more.get("type", ChildType.MARKET)
        limit = more.get("limit", 0.0)
        request = OrderRequest("g-1", number, symbol, quantity, kind, limit, 0.0, f"g-1:{number}:{purpose}")
        self.broker.submit(request)

    def fill(self, number: int, qty: int = 1) -> None:
        self.broker.fill(self.account.orders[number - 1], qty)

    @property
    def names(self) -> list[str]:
        return [v.name for v in self.oracle.violations]


def test_a_protected_opening_in_order_breaks_nothing() -> None:
    """Longs first, shorts after they filled: no violation."""
    bench = Bench()
    bench.send(1, C110, 1)
    bench.send(2, P90, 1)
    bench.fill(1)
    bench.fill(2)
    bench.send(3, C105, -1)
    bench.send(4, P95, -1)
    assert bench.names == []


def test_a_short_before_its_cover_has_filled_is_not_covered() -> None:
    """A short that may fill while its long only may fill counts as naked."""
    bench = Bench()
    bench.send(1, C110, 1)
    bench.send(2, C105, -1)
    assert bench.names == ["covered"]


def test_cover_sold_while_the_short_may_stand_is_not_covered() -> None:
    """A long sold while the buy-back of its short has not filled counts as naked."""
    bench = Bench("call_spread")
    for number, (symbol, quantity) in enumerate(((C110, 1), (C105, -1)), 1):
        bench.send(number, symbol, quantity)
        bench.fill(number)
    bench.send(3, C105, 1, "close")
    assert bench.names == []
    bench.send(4, C110, -1, "close")
    assert bench.names == ["covered"]


def test_the_same_number_twice_is_a_double() -> None:
    """LEAN is called at most once per intent."""
    bench = Bench("long_strangle", units=2)
    bench.send(1, C105, 1)
    bench.send(1, C105, 1)
    assert bench.names == ["no-double"]


def test_more_than_asked_is_not_the_groups_own_share() -> None:
    """Two orders of one contract for a leg of one unit may fill both."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    bench.send(2, C105, 1)
    assert bench.names == ["own-share"]


def test_selling_more_than_held_is_not_the_groups_own_share() -> None:
    """A second closing order of the same contract could turn the leg short."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    bench.fill(1)
    bench.send(2, C105, -1, "unwind")
    bench.send(3, C105, -1, "unwind")
    assert bench.names[0] == "own-share"


def test_a_contract_that_is_no_leg_is_not_the_groups_own_share() -> None:
    """An order in a contract that the group does not have is named."""
    bench = Bench("call_spread")
    bench.send(1, P90, 1)
    assert bench.names == ["own-share"]


def test_a_fill_after_the_end_excuses_exactly_its_contracts() -> None:
    """What the broker filled against its own word widens the bound by that much and no more."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    order = bench.account.orders[0]
    bench.broker.accept(order)
    bench.broker.end_cancel(order)
    bench.send(2, C105, 1)
    bench.fill(2)
    bench.broker.fill(order, 1)
    assert bench.names == []
    bench.send(3, C105, 1)
    assert bench.names == ["own-share"]


def test_an_order_without_its_intent_on_record_is_named() -> None:
    """Journal before send."""
    bench = Bench("long_strangle")
    bench.oracle.recorded = lambda tag: tag == "g-1:1:open"
    bench.send(1, C105, 1)
    assert bench.names == []
    bench.send(2, P95, 1)
    assert bench.names == ["journal-before-send"]


def test_an_order_into_a_closed_market_is_named() -> None:
    """The session gate."""
    bench = Bench("long_strangle")
    bench.market.open = False
    bench.market.changed()
    bench.send(1, C105, 1)
    assert bench.names == ["session"]


def test_a_long_without_a_bid_sold_at_market_is_named() -> None:
    """LEAN's market sale of a bid-less wing rests and flips the position later (trace p17)."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    bench.fill(1)
    bench.market.no_bid.add(C105)
    bench.market.changed()
    bench.send(2, C105, -1, "unwind")
    assert bench.names == ["bidless"]


def test_a_hold_is_a_violation_where_the_history_gives_no_reason() -> None:
    """Always holding must not pass."""
    bench = Bench("long_strangle")
    group = new_group(bench.spec)
    group.phase, group.held = Phase.HELD, HoldCause.REFUSED_BEYOND_CAPS
    bench.oracle.judge_group(group, settled=True)
    assert bench.names == ["converges"]


def test_a_group_that_believes_something_else_breaks_conservation() -> None:
    """What a group holds is what its orders truly filled."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    bench.fill(1)
    group = new_group(bench.spec)
    group.phase = Phase.CLOSED
    bench.oracle.judge_group(group, settled=True)
    assert "conservation" in bench.names


def test_a_group_still_working_after_the_calm_does_not_converge() -> None:
    """Every group comes to rest when the broker answers everything."""
    bench = Bench("long_strangle")
    group = new_group(bench.spec)
    group.phase = Phase.UNWINDING
    bench.oracle.judge_group(group, settled=True)
    assert bench.names == ["converges"]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({C105: (1, 0), C110: (0, 1)}, 0),
        ({C105: (2, 0), C110: (0, 1)}, 1),
        ({C105: (1, 0), P90: (0, 1)}, 1),
        ({P95: (1, 0), P95_FAR: (0, 1)}, 0),
        ({P95_FAR: (1, 0), P95: (0, 1)}, 1),
        ({"SIM": (0, 100), C105: (1, 0)}, 0),
        ({"SIM": (0, 100), P95: (1, 0)}, 1),
    ],
)
def test_cover_is_of_the_same_right_and_lives_as_long(held: dict[str, tuple[int, int]], expected: int) -> None:
    """Calls do not cover puts, what expires before the short does not cover it, shares cover calls."""
    from workbench.campaign.market import CHAIN

    assert naked([CHAIN[s] for s in held], held) == expected


def test_naked_seconds_count_what_the_structure_does_not_have() -> None:
    """A condor with a short and no wing counts one contract for each second."""
    bench = Bench("call_spread")
    bench.send(1, C105, -1)
    bench.fill(1)
    bench.oracle.pass_time(3.0)
    assert bench.oracle.groups["g-1"].naked_seconds == 3.0


def test_a_lost_fact_is_found_by_looking_at_the_ticket() -> None:
    """An end whose event never came is reported by `poll`."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    order = bench.account.orders[0]
    bench.broker.accept(order)
    bench.broker.end_cancel(order)
    while bench.broker.queue:
        bench.broker.lose(0)
    bench.broker.poll("g-1", 1)
    assert any(isinstance(fact, Canceled) for _, fact in bench.sink.facts)


def test_a_cancel_while_new_is_refused_and_the_order_works_on() -> None:
    """LEAN live answers -32 while the order is NEW."""
    bench = Bench("long_strangle")
    bench.send(1, C105, 1)
    bench.broker.cancel("g-1", 1)
    kinds = [fact.kind for _, fact in bench.sink.facts]
    assert kinds[-2:] == ["cancel_asked", "cancel_refused"]
    assert bench.account.orders[0].fate is Fate.NEW


def test_synchronous_mode_reports_inside_the_call() -> None:
    """A LEAN backtest fills a market order before the submit call returns; ids are kept in live mode only."""
    bench = Bench("long_strangle", sync=True)
    bench.send(1, C105, 1)
    assert [fact.kind for _, fact in bench.sink.facts] == ["accepted", "filled"]


def test_a_restored_ticket_counts_from_zero() -> None:
    """After a restart a ticket shows only what filled since it was adopted, under another LEAN id, without its tag."""
    bench = Bench("long_strangle", units=3)
    bench.send(1, C105, 3)
    bench.fill(1, 2)
    second = AdversarialBroker(
        bench.account, bench.market, ReplayedChoices([]), START, Faults(), live=True, sync=False
    )  # fmt: skip
    sink = Listener()
    second.attach(sink)
    shown = second.open_orders()[0]
    assert (shown.tag, shown.filled, shown.broker_ids) == ("", 0, ("B1",))
    second.adopt("g-1", 1, shown)
    second.fill(bench.account.orders[0], 1)
    second.deliver(0)
    filled = [fact for _, fact in sink.facts if isinstance(fact, Filled)]
    assert filled[-1].cum_qty == 1
    assert bench.account.orders[0].filled == 3


def two_equal_orders(ids: tuple[str, ...] = ()) -> tuple[Bench, SimOrder, SimOrder]:
    """Groups g-1 and g-2 with equal orders at work; the algorithm knows these brokerage ids of the second one."""
    bench = Bench("long_strangle")
    other = GroupSpec("g-2", Kind.ALL_OR_NONE, "long_strangle", bench.spec.legs, 1, START, bench.spec.policy)
    bench.oracle.add(other)
    states = {}
    for spec in (bench.spec, other):
        group = states[spec.group_id] = new_group(spec)
        apply(group, Opening(START))
        tag = f"{spec.group_id}:1:open"
        apply(group, Intended(START, 1, 0, "open", 0, 1, ChildType.MARKET, 0.0, 0.0, tag, 0))
        apply(group, Sent(START, 1))
        bench.broker.submit(OrderRequest(spec.group_id, 1, C105, 1, ChildType.MARKET, 0.0, 0.0, tag))
    if ids:
        apply(states["g-2"], Identified(START, 1, 2, ids))
    bench.oracle.lookup = states.get
    first, second = bench.account.orders[-2:]
    return bench, first, second


def test_orders_that_nobody_can_tell_apart_trade_names() -> None:
    """One of two equal orders of two groups is taken for the other: what each filled goes with the name."""
    bench, first, second = two_equal_orders()
    bench.broker.fill(second, 1)
    bench.account.exchange(second, "g-1", 1)
    assert (first.group_id, second.group_id) == ("g-2", "g-1")
    assert (bench.oracle.groups["g-1"].net[C105], bench.oracle.groups["g-2"].net[C105]) == (1, 0)
    assert list(bench.oracle.groups["g-2"].live) == [first.id]


def test_orders_with_a_known_brokerage_id_do_not() -> None:
    """Whoever was told an id can tell them apart: the truth stays, and a wrong match is judged."""
    bench, first, second = two_equal_orders(("B7",))
    bench.broker.fill(second, 1)
    bench.account.exchange(second, "g-1", 1)
    assert (first.group_id, second.group_id) == ("g-1", "g-2")
    assert (bench.oracle.groups["g-1"].net[C105], bench.oracle.groups["g-2"].net[C105]) == (0, 1)


def test_an_order_beyond_the_rate_is_named() -> None:
    """Two a second: the third at once is one too many, unless it reduces and the reserve has one."""
    bench = Bench()
    bench.oracle.rate = RateCount(2.0, 1.0)
    for number in (1, 2, 3):
        bench.send(number, P90, 1)
    assert "rate" in bench.names


def test_the_reserve_is_for_what_reduces() -> None:
    """An opening order never takes from it; a combo goes on although its first orders used everything up."""
    count = RateCount(1.0, 1.0)
    assert count.take(0.0, reduces=False, combo=0)
    assert not count.take(0.0, reduces=False, combo=0)
    assert count.take(0.0, reduces=True, combo=0)
    assert count.used_up(0.0)
    assert not count.used_up(1.0)
    combo = RateCount(1.0, 1.0)
    assert all(combo.take(0.0, reduces=False, combo=7) for _ in range(4))
    assert not combo.take(3.5, reduces=False, combo=0)
    assert combo.take(4.0, reduces=False, combo=0)
