"""Limits that act, and what a restart must not forget: pause, kill switch, tripped limits."""

from __future__ import annotations

from typing import Any

import pytest

from atomic.executor import AtomicOrderExecutor
from atomic.guard import LOOK_SECONDS
from atomic.journal import MemoryStore
from atomic.policy import Breaker
from atomic.vocabulary import Outcome
from risk.gate import Gate
from risk.limits import BreakerLimit, DailyLoss, Drawdown, LimitBook, MarginUsage
from tests.atomic.fake_gateway import FakeGateway, option

LP, SP, SC, LC = option("P", 90), option("P", 95), option("C", 105), option("C", 110)
CONDOR = [(LP, 1), (SP, -1), (SC, -1), (LC, 1)]
WIDE = [(option("P", 70), 1), (SP, -1), (SC, -1), (LC, 1)]


class Account:
    """Equity and free margin that a test sets."""

    def __init__(self, equity: float = 100_000.0, free: float = 100_000.0) -> None:
        self.equity, self.free = equity, free

    def __call__(self) -> tuple[float, float]:
        return self.equity, self.free


def started(gateway: FakeGateway, store: MemoryStore, account: Account, *limits: Any) -> AtomicOrderExecutor:
    """An executor with limits; a later one on the same store is its next process."""
    risk = Gate([], LimitBook(list(limits)))
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=store, risk=risk)
    executor.account = account  # type: ignore[method-assign]
    executor.start()
    executor.on_data()
    return executor


def bar(gateway: FakeGateway, executor: AtomicOrderExecutor, seconds: float = 60.0) -> None:
    gateway.pass_seconds(seconds)
    executor.on_data()


def loud(executor: AtomicOrderExecutor) -> list[tuple[int, str]]:
    return [(int(alert.severity), alert.code) for alert in executor.alerts.recent]


def test_a_pause_survives_a_kill_and_only_resume_ends_it() -> None:
    """Paused, killed without a goodbye, started again: still paused, said in the log, until `resume`."""
    gateway, store = FakeGateway(), MemoryStore()
    started(gateway, store, Account()).pause()
    again = started(gateway, store, Account())
    assert again.execute_atomic(CONDOR, 1).outcome is Outcome.REFUSED
    assert any("stays paused" in text for text in gateway.lines)
    again.resume()
    assert started(gateway, store, Account()).ready


def test_a_kill_switch_survives_a_kill_until_it_is_reset_by_name() -> None:
    """What a limit with the action kill shut stays shut over a restart; resume alone does not open it."""
    gateway, store, account = FakeGateway(), MemoryStore(), Account()
    first = started(gateway, store, account, DailyLoss(500.0, "kill"))
    first.execute_atomic(CONDOR, 1)
    account.equity = 99_400.0
    bar(gateway, first)
    assert not any(gateway.holdings.values())
    second = started(gateway, store, account, DailyLoss(500.0, "kill"))
    second.resume()
    refused = second.execute_atomic(CONDOR, 1)
    assert "kill-switch" in refused.reason
    assert "daily-loss is 600.00, limit 500.00" in refused.reason
    assert "was lifted by anna" in second.reset_limit("kill-switch", "anna")
    assert "daily-loss" in second.execute_atomic(CONDOR, 1).reason
    second.reset_limit("daily-loss", "anna")
    assert second.execute_atomic(CONDOR, 1).is_open
    third = started(gateway, store, account, DailyLoss(500.0, "kill"))
    assert third.ready
    assert not third.guard.restore()


def test_a_limit_that_trips_while_nothing_is_open_is_on_record_at_once() -> None:
    """No group, no order, no orderly end: the next process still knows the tripped limit."""
    gateway, store, account = FakeGateway(), MemoryStore(), Account()
    first = started(gateway, store, account, Drawdown(0.1, "no_new"))
    account.equity = 80_000.0
    bar(gateway, first)
    account.equity = 100_000.0
    second = started(gateway, store, account, Drawdown(0.1, "no_new"))
    refused = second.execute_atomic(CONDOR, 1)
    assert refused.outcome is Outcome.REFUSED
    assert "drawdown" in refused.reason
    assert "0.2000" in refused.reason


@pytest.mark.parametrize(
    ("action", "severity", "opens", "open_groups"),
    [("warn", 2, True, 1), ("no_new", 1, False, 1), ("close_by_risk", 1, False, 0), ("flatten", 0, False, 0),
     ("kill", 0, False, 0)],
)  # fmt: skip
def test_each_action_does_what_its_name_says(action: str, severity: int, opens: bool, open_groups: int) -> None:
    """From a warning to the kill switch: the alert's loudness, whether groups open, what stays open."""
    gateway, account = FakeGateway(), Account()
    executor = started(gateway, MemoryStore(), account, MarginUsage(0.5, action))
    executor.execute_atomic(CONDOR, 1)
    account.free = 40_000.0
    bar(gateway, executor)
    assert (severity, "limit-margin-usage") in loud(executor)
    assert len(executor.groups.open) == open_groups
    assert executor.execute_atomic(CONDOR, 1).is_open is opens
    assert executor.ready is (action not in ("flatten", "kill"))


@pytest.mark.parametrize("action", ["close_by_risk", "flatten", "kill"])
def test_what_a_kill_kept_from_being_done_is_done_by_the_next_process(action: str) -> None:
    """The limit tripped and is on record, the process dies before the first closing order: the next one closes."""
    gateway, store, account = FakeGateway(), MemoryStore(), Account()
    first = started(gateway, store, account, DailyLoss(500.0, action))
    first.execute_atomic(CONDOR, 1)
    account.equity = 99_000.0

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    first.emergency_flatten = first.groups.get = dies  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        bar(gateway, first)
    assert any(gateway.holdings.values())
    second = started(gateway, store, account, DailyLoss(500.0, action))
    assert not any(gateway.holdings.values())
    assert (0 if action != "close_by_risk" else 1, "limit-daily-loss") in loud(second)
    third = started(gateway, store, account, DailyLoss(500.0, action))
    assert "limit-daily-loss" not in [code for _, code in loud(third)], "done once"


def test_groups_are_closed_in_order_of_risk() -> None:
    """The group that can lose most is the first that leaves."""
    gateway, account = FakeGateway(), Account()
    executor = started(gateway, MemoryStore(), account, DailyLoss(500.0, "close_by_risk"))
    small = executor.execute_atomic(CONDOR, 1)
    large = executor.execute_atomic(WIDE, 1)
    closed: list[str] = []
    executor.on_event(lambda event: closed.append(event.group.group_id) if event.kind == "closed" else None)
    account.equity = 99_000.0
    bar(gateway, executor)
    assert closed == [large.id, small.id]


def test_the_limits_breaker_lets_a_trial_through_after_a_restart() -> None:
    """An open breaker is remembered with its time: after the pause one group is the trial, and closes it."""
    gateway, store, account = FakeGateway(), MemoryStore(), Account()
    first = started(gateway, store, account, BreakerLimit(2, 300.0))
    for _ in range(2):
        first.guard.told(_ended(first, "rolled_back"))
    bar(gateway, first)
    second = started(gateway, store, account, BreakerLimit(2, 300.0))
    assert "failures" in second.execute_atomic(CONDOR, 1).reason
    bar(gateway, second, 301.0)
    assert second.execute_atomic(CONDOR, 1).is_open
    third = started(gateway, store, account, BreakerLimit(2, 300.0))
    assert third.execute_atomic(WIDE, 1).is_open


def _ended(executor: AtomicOrderExecutor, outcome: str) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(at=executor.shell.now, kind="closed", group=SimpleNamespace(outcome=outcome))


def test_the_account_is_looked_at_once_in_a_while() -> None:
    """Two bars within the interval read the account once."""
    gateway, asked = FakeGateway(), []
    executor = started(gateway, MemoryStore(), Account(), DailyLoss(500.0))
    executor.account = lambda: asked.append(1) or (1.0, 1.0)  # type: ignore[method-assign,func-returns-value]
    for _ in range(6):
        bar(gateway, executor, LOOK_SECONDS / 3)
    assert len(asked) == 2


def test_an_unknown_limit_is_refused_with_the_known_names() -> None:
    """Reset of a limit that does not exist names those that do; one that only ends by itself stays."""
    executor = started(FakeGateway(), MemoryStore(), Account(), DailyLoss(500.0))
    with pytest.raises(ValueError, match="daily-loss"):
        executor.reset_limit("dayly-loss", "anna")
    executor.shell.gates.shut["journal"] = "the store is full"
    with pytest.raises(ValueError, match="no limit 'journal'"):
        executor.reset_limit("journal", "anna")


def test_ready_again_when_the_breaker_closes_while_nothing_is_open() -> None:
    """The executor's own breaker ends by the clock alone, without a group that keeps the pump running."""
    gateway = FakeGateway()
    executor = AtomicOrderExecutor(None, "t", gateway=gateway, store=MemoryStore(), breaker=Breaker(1, 300.0))
    executor.start()
    executor.shell.gates.fuse.failed(gateway.now())
    assert not executor.ready
    gateway.pass_seconds(301.0)
    assert executor.ready
