from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomic.gates import Bucket, Fuse, Gates
from atomic.observe import ALERTS_PER_MINUTE, Alerts
from atomic.plan import Env
from atomic.policy import Breaker
from atomic.ports import Severity
from atomic.rejects import classify_reject
from atomic.vocabulary import RejectReason
from atomic.wiring import env_of
from tests.atomic.fake_gateway import FakeGateway
from workbench.engine import imports


def test_a_bucket_refills_with_its_rate() -> None:
    """Two a second: two at once, then one every half second."""
    bucket = Bucket(2.0)
    assert bucket.tokens(100.0) == 2
    bucket.take(100.0)
    bucket.take(100.0)
    assert bucket.tokens(100.0) == 0
    assert bucket.next_at(100.0) == pytest.approx(100.5)
    assert bucket.tokens(100.5) == 1
    assert bucket.tokens(200.0) == 2


def test_a_bucket_says_when_one_more_may_leave_than_now() -> None:
    """Part of an order is there already; a full bucket has one more again an interval after one left."""
    bucket = Bucket(2.0)
    assert bucket.next_at(100.0) == pytest.approx(100.5)
    bucket.take(100.0)
    assert bucket.tokens(100.2) == 1
    assert bucket.next_at(100.2) == pytest.approx(100.5)


def test_a_combo_larger_than_the_rate_is_owed() -> None:
    """Four orders at two a second: the next may leave when the two too many are made up for."""
    bucket = Bucket(2.0)
    for _ in range(4):
        bucket.take(100.0)
    assert bucket.tokens(101.0) == 0
    assert bucket.tokens(101.5) == 1


def test_no_rate_is_no_limit() -> None:
    """A rate of 0 never runs out."""
    bucket = Bucket(0.0)
    for _ in range(1000):
        bucket.take(1.0)
    assert bucket.tokens(1.0) > 1000
    assert bucket.next_at(1.0) == 0.0


def test_a_fuse_opens_after_failures_in_a_row() -> None:
    """A fill in between starts the count anew; the state survives a restart."""
    fuse = Fuse(Breaker(failures=3, reset=10.0))
    assert not fuse.failed(1.0)
    assert not fuse.failed(2.0)
    fuse.failures = 0
    assert not fuse.failed(3.0)
    assert not fuse.failed(4.0)
    assert fuse.failed(5.0)
    other = Fuse(Breaker(failures=3, reset=10.0))
    other.restore(fuse.row())
    assert other.is_open(14.9)
    assert not other.is_open(15.1)


def test_what_the_venue_can_do_is_in_the_environment_of_every_moment() -> None:
    """Whatever stands in the base is passed on; only what the gates themselves decide is set anew."""
    base = Env(live=True, bar_data=True, bar_seconds=3600.0, stale_after=7200.0, takes_market=False, combo_market=True,
               combo_limit=True, reserves_quantity=True, takes_replace=False, takes_linked=True, takes_options=False,
               leaned_on={"X": "g-1"})  # fmt: skip
    gates = Gates(Env(), Breaker(), 0.0, 0.0, None)
    gates.set_base(base)

    assert asdict(gates.env(1.0, opens=True)) == asdict(base)
    gates.paused = True
    assert asdict(gates.env(2.0, opens=True)) == {**asdict(base), "paused": True}


@given(st.lists(st.tuples(st.sampled_from(["pause", "resume", "shut", "open", "trip", "base", "wait"]), st.booleans())))
def test_the_environment_that_is_kept_is_the_one_that_would_be_made(steps: list[tuple[str, bool]]) -> None:
    """Whatever was held back before: what is handed out again equals what gates in that state make anew."""
    kept = Gates(Env(), Breaker(failures=1, reset=10.0), 0.0, 0.0, None)
    base, now = Env(), 0.0
    for step, opens in steps:
        now += 4.0
        if step in ("pause", "resume"):
            kept.paused = step == "pause"
        elif step == "shut":
            kept.shut["store"] = "failing"
        elif step == "open":
            kept.shut.clear()
        elif step == "trip":
            kept.fuse.failed(now)
        elif step == "base":
            base = Env(live=not base.live)
            kept.set_base(base)
        made = Gates(base, Breaker(), 0.0, 0.0, None)
        made.paused, made.shut = kept.paused, kept.shut
        made.fuse.restore(kept.fuse.row())
        assert kept.env(now, opens=opens) == made.env(now, opens=opens)


def test_a_span_that_the_algorithm_gives_its_prices_holds_for_decisions_too() -> None:
    """`Settings.StalePriceTimeSpan` of two hours: LEAN fills at such a price, so it is one here."""
    imports.install()
    from atomic.bridge import LeanGateway

    settings = SimpleNamespace(stale_price_time_span=timedelta(hours=2))
    gateway = LeanGateway(SimpleNamespace(live_mode=False, settings=settings, brokerage_model=None))
    assert env_of(gateway).stale_after == 7200.0
    assert env_of(FakeGateway()).stale_after == 3600.0

@pytest.mark.parametrize(
    ("right", "strike", "worth"), [(0, 105.0, 5.0), (0, 115.0, 0.0), (1, 115.0, 5.0), (1, 105.0, 0.0)]
)
def test_what_an_exercise_is_worth_depends_on_the_right(
    right: int, strike: float, worth: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LEAN's calls are 0 and its puts 1; the underlying is at 110."""
    imports.install()
    from atomic.bridge.contracts import Contracts

    settings = SimpleNamespace(stale_price_time_span=timedelta(hours=1))
    contracts = Contracts(SimpleNamespace(live_mode=False, settings=settings))
    sid = SimpleNamespace(has_underlying=True, underlying="X", strike_price=strike, option_right=right)
    monkeypatch.setattr(contracts, "symbol", lambda text: SimpleNamespace(id=sid))
    monkeypatch.setattr(contracts, "security", lambda text: SimpleNamespace(price=110.0) if text == "X" else None)

    assert contracts.intrinsic("an option") == worth


def test_alerts_hold_back_repeats_and_floods_but_never_the_loudest() -> None:
    """The same alert is told once in its quiet time, no more than so many a minute; P0 always."""
    lines: list[str] = []
    alerts = Alerts(lines.append)
    assert alerts.raise_(0.0, Severity.P1, "x", "g", "one")
    assert not alerts.raise_(1.0, Severity.P1, "x", "g", "two")
    assert alerts.raise_(301.0, Severity.P1, "x", "g", "three")
    told = sum(alerts.raise_(400.0, Severity.P2, f"c{i}", "", "flood") for i in range(100))
    assert told == ALERTS_PER_MINUTE
    assert all(alerts.raise_(401.0, Severity.P0, "fire", "", "always") for _ in range(50))
    assert alerts.held_back == 1 + 100 - told


def test_a_failing_alert_hook_does_not_stop_the_others() -> None:
    """Hooks that raise are counted and logged."""
    lines: list[str] = []
    alerts = Alerts(lines.append)
    told: list[str] = []

    def fail(alert: object) -> None:
        raise RuntimeError("a user's hook")

    alerts.hook(fail)
    alerts.hook(lambda alert: told.append(alert.code))
    alerts.raise_(0.0, Severity.P1, "x", "", "text")
    assert told == ["x"]
    assert alerts.failing_hooks == 1
    assert any("a user's hook" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("Order Error: ids: [4], Insufficient buying power to complete orders", 0, RejectReason.MARGIN),
        (("BrokerageModel declared unable to submit order: [1] Warning - Code: NotSupported - The "
         "AlpacaBrokerageModel does not support ComboMarket order type."), 0, RejectReason.CAPABILITY),
        (("BrokerageModel declared unable to submit order: [1] Warning - Code: ShortOrderIsGtc - You cannot place "
         "short stock orders with GTC, only day orders are allowed"), 0, RejectReason.CAPABILITY),
        ("rejected by the fault script", 0, RejectReason.UNKNOWN),
        ("", -16, RejectReason.PRICE),
        ("", -24, RejectReason.SESSION),
        ("", -28, RejectReason.INSTRUMENT),
        ("Too many requests, slow down", 0, RejectReason.RATE),
        ("The quantity is reserved by another closing order", 0, RejectReason.RESERVED),
        ("Exchange is closed", 0, RejectReason.SESSION),
    ],
)  # fmt: skip
def test_refusals_are_told_apart(text: str, code: int, reason: RejectReason) -> None:
    """LEAN's codes and words, as recorded, give the reason that decides what happens next."""
    assert classify_reject(text, code) is reason
