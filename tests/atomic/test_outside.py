from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import LegSpec, Quote
from atomic.policy import Policy, Settings
from atomic.reconcile.terms import DOUBT
from atomic.vocabulary import HoldCause, Outcome, Phase, Right
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP = option("P", 90), option("P", 95)
CALL = option("C", 105)
NAKED = Policy(allow_naked=True)


@pytest.fixture
def gateway() -> FakeGateway:
    gateway = FakeGateway()
    gateway.quotes["X"] = Quote(100.0, 100.2, 100.1, gateway.clock)
    return gateway


@pytest.fixture
def executor(gateway: FakeGateway) -> AtomicOrderExecutor:
    made = AtomicOrderExecutor(
        None, "t", gateway=gateway, store=MemoryStore(), settings=Settings(max_pending_groups=9),
        policy=Policy(on_outside="adjust"),
    )  # fmt: skip
    made.start()
    return made


def foreign(executor: AtomicOrderExecutor, gateway: FakeGateway, leg: LegSpec, delta: int) -> None:
    gateway.holdings[leg.symbol] = gateway.holdings.get(leg.symbol, 0) + delta
    executor.shell.on_foreign(leg.symbol, delta, 1.0, "foreign", "by hand")


def test_a_foreign_reduction_takes_the_foreign_position_first(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """Two contracts by hand and one of a group: selling two by hand leaves the group's alone."""
    gateway.holdings[LP.symbol] = 2
    group = executor.execute_atomic([(LP, 1)], 1)
    foreign(executor, gateway, LP, -2)
    assert [leg.net for leg in group.legs] == [1]
    assert executor.shell.outside.baseline(LP.symbol) == 0
    foreign(executor, gateway, LP, -1)
    assert [leg.net for leg in group.legs] == [0]


def test_a_foreign_reduction_takes_the_newest_group_first(executor: AtomicOrderExecutor, gateway: FakeGateway) -> None:
    """What no foreign position covers is taken from the newest group, then from the older one."""
    old = executor.execute_atomic([(LP, 1)], 2)
    gateway.clock += 1
    new = executor.execute_atomic([(LP, 1)], 1)
    foreign(executor, gateway, LP, -2)
    assert new.legs[0].net == 0
    assert old.legs[0].net == 1
    assert any(line["kind"] == "adjusted" and line["cause"] == "foreign" for line in new.timeline)


def test_a_foreign_increase_belongs_to_nobody(executor: AtomicOrderExecutor, gateway: FakeGateway) -> None:
    """More of the same by hand is a foreign position, and closing the group leaves it there."""
    group = executor.execute_atomic([(LP, 1)], 1)
    foreign(executor, gateway, LP, 3)
    group.close()
    assert group.is_done
    assert gateway.holdings[LP.symbol] == 3


def test_what_moves_in_doubt_belongs_to_the_group_held_for_it(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """What an order trades that a restart could not tell apart is not taken from a group that is not held for it."""
    old = executor.execute_atomic([(LP, 1), (SP, -1)], 2)
    shell = executor.shell
    shell.apply(old.record, f.Remembered(gateway.clock, DOUBT, [SP.symbol]))
    shell.apply(old.record, f.Held(gateway.clock, HoldCause.AMBIGUOUS, "more than one history fits"))
    gateway.clock += 1
    new = executor.execute_atomic([(LP, 1), (SP, -1)], 2)
    foreign(executor, gateway, SP, 2)
    assert [leg.net for leg in new.legs] == [2, -2]
    assert [leg.net for leg in old.legs] == [2, 0]
    assert executor.shell.outside.baseline(SP.symbol) == 0
    assert "moved-in-doubt" in {alert.code for alert in executor.alerts.recent}
    foreign(executor, gateway, LP, -2)  # nothing is in doubt about this contract
    assert [leg.net for leg in new.legs] != [2, -2]


def test_assignment_brings_its_shares_to_the_group(executor: AtomicOrderExecutor, gateway: FakeGateway) -> None:
    """A short put that is assigned early loses the contract and gains a hundred shares at the underlying's price."""
    group = executor.execute_atomic([(SP, -1), (LP, 1)], 1, policy=Policy(on_outside="hold"))
    gateway.holdings[SP.symbol] = 0
    executor.shell.on_foreign(SP.symbol, 1, 2.0, "assignment", "assigned")
    gateway.holdings["X"] = 100
    executor.shell.on_foreign("X", 100, 95.0, "assignment", "assigned")
    shares = group.record.legs[-1]
    assert (shares.spec.right, shares.net) == (Right.SHARE, 100)
    assert shares.cost == pytest.approx(93.0 * 100)
    assert executor.shell.outside.baseline("X") == 0


@pytest.mark.parametrize("parts", [[200], [100, 100], [150, 50]])
def test_shares_of_a_foreign_contract_stay_foreign(
    executor: AtomicOrderExecutor, gateway: FakeGateway, parts: list[int]
) -> None:
    """A put sold by hand and one of a group are assigned together: each gets its hundred, however they arrive."""
    gateway.holdings[SP.symbol] = -1
    group = executor.execute_atomic([(SP, -1), (LP, 1)], 1, policy=Policy(on_outside="hold"))
    gateway.holdings[SP.symbol] = 0
    executor.shell.on_foreign(SP.symbol, 2, 2.0, "assignment", "assigned")
    for part in parts:
        gateway.holdings["X"] = gateway.holdings.get("X", 0) + part
        executor.shell.on_foreign("X", part, 95.0, "assignment", "assigned")
    assert [leg.net for leg in group.legs] == [0, 1, 100]
    assert executor.shell.outside.baseline("X") == 100


def test_an_assigned_call_takes_its_shares_at_what_they_are_worth(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """A short call assigned two dollars in the money: a hundred shares short at the strike and those two dollars."""
    group = executor.execute_atomic([(CALL, -1), (option("C", 110), 1)], 1, policy=Policy(on_outside="hold"))
    gateway.holdings[CALL.symbol] = 0
    executor.shell.on_foreign(CALL.symbol, 1, 2.0, "assignment", "assigned")
    gateway.holdings["X"] = -100
    executor.shell.on_foreign("X", -100, 105.0, "assignment", "assigned")
    shares = group.record.legs[-1]
    assert (shares.spec.right, shares.net) == (Right.SHARE, -100)
    assert shares.cost == pytest.approx(-107.0 * 100)


def test_expiry_settles_every_group_also_when_the_net_is_zero(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """A long and a short group in one contract both end EXPIRED although the account holds nothing."""
    long = executor.execute_atomic([(CALL, 1)], 1)
    short = executor.execute_atomic([(CALL, -1)], 1, policy=NAKED)
    assert gateway.holdings[CALL.symbol] == 0
    executor.shell.on_delisted(CALL.symbol, 4.0, "expiry")
    assert long.outcome is short.outcome is Outcome.EXPIRED
    assert long.profit == pytest.approx((4.0 - 1.2) * 100 - 1.0)
    assert short.profit == pytest.approx((1.0 - 4.0) * 100 - 1.0)


def test_delivery_is_split_newest_first_and_the_rest_is_cash(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """+1, -1, -2 in one contract: LEAN assigns the net of two; the newest short gets both deliveries."""
    groups = []
    for quantity in (1, -1, -2):
        groups.append(executor.execute_atomic([(CALL, quantity)], 1, policy=NAKED))
        gateway.clock += 1
    gateway.holdings[CALL.symbol] = 0
    executor.shell.on_delisted(CALL.symbol, 5.0, "assignment")
    gateway.holdings["X"] = -200
    executor.shell.on_foreign("X", -200, 105.0, "assignment", "assigned")
    shares = [sum(leg.net for leg in group.legs if leg.symbol == "X") for group in groups]
    traded = sum(call[2] for call in gateway.calls if call[0] == "submit" and gateway.holdings.get("X") is not None)
    assert shares[:2] == [0, 0]
    assert groups[2].record.legs[-1].cost != 0
    assert traded or shares[2] == -200
    assert groups[0].outcome is groups[1].outcome is Outcome.EXPIRED


def test_expiry_by_the_clock(executor: AtomicOrderExecutor, gateway: FakeGateway) -> None:
    """A contract that nobody reports as ended settles at noon after its day, at the underlying's price."""
    soon = option("C", 95, "2020-09-14")
    group = executor.execute_atomic([(soon, 1)], 1)
    gateway.clock += 3 * 86400
    gateway.holdings[soon.symbol] = 0
    executor.on_data()
    assert group.outcome is Outcome.EXPIRED
    assert group.record.legs[0].settlement == pytest.approx(5.1)


def test_a_difference_closes_the_contract_until_it_is_gone(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """The account against the groups: seen twice it is a break; nothing opens in it; explained, it opens again."""
    group = executor.execute_atomic([(LP, 1)], 1)
    gateway.holdings[LP.symbol] = 2
    for _ in range(2):
        gateway.clock += 301
        executor.on_data()
    assert "holdings-break" in executor.alerts.raised
    assert "holdings-break" in executor.execute_atomic([(LP, 1)], 1).reason
    assert group.state is Phase.OPEN
    gateway.holdings[LP.symbol] = 1
    gateway.clock += 301
    executor.on_data()
    assert executor.execute_atomic([(LP, 1)], 1).is_open


def test_an_assignment_of_a_contract_without_groups_is_not_counted_twice(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """What stands in a contract is learned when a group joins: a movement before that is in it already."""
    gateway.holdings[CALL.symbol] = -1
    gateway.holdings[CALL.symbol] += 1
    executor.shell.on_foreign(CALL.symbol, 1, 1.0, "assignment", "a short call by hand")
    group = executor.execute_atomic([(CALL, 1)], 1)
    assert [leg.net for leg in group.legs] == [1]
    assert executor.shell.outside.baseline(CALL.symbol) == 0


def test_a_contract_that_does_not_add_up_stops_only_what_would_trade_in_it(
    executor: AtomicOrderExecutor, gateway: FakeGateway
) -> None:
    """Nothing opens in it, and the refusal says why; other contracts open as before."""
    executor.shell.outside.close_contract(SP.symbol, "the account holds something else")
    refused = executor.execute_atomic([(LP, 1), (SP, -1)], 1)
    assert refused.outcome is Outcome.REFUSED
    assert "the account holds something else" in refused.reason
    assert executor.execute_atomic([(CALL, 1)], 1).is_open
