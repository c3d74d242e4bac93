"""Gates and desks from parameters: what is absent is off, what does not fit stops the run."""

from __future__ import annotations

import inspect
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from atomic.parameters import Parameters
from risk import limits
from risk.alerts import CallRoute
from risk.configure import CHECKS, LIMITS, desk_from, gate_from, say_silence, session_close

EVERY = {
    "max-group-loss": "500", "max-underlying-loss": "900", "max-account-loss": "2000", "max-account-loss-percent": "2",
    "max-contracts": "8", "max-contracts-in-all": "40", "max-groups": "3", "max-groups-of-strategy": "1",
    "no-duplicate": "1", "short-strike-distance": "1.5", "buying-power": "1", "margin-reserve": "1000",
    "margin-reserve-percent": "10", "max-quote-age": "90", "max-spread": "0.4", "max-spread-percent": "60",
    "max-spread-ticks": "8", "quote-size": "1", "max-unit-debit": "2", "min-unit-credit": "0.5",
    "minutes-to-close": "45", "min-days-to-expiry": "0", "max-days-to-expiry": "30",
    "event-days": "goog:2015-12-28, SPY:2015-12-18", "event-days-before": "1",
    "daily-loss": "700", "drawdown": "10", "max-failures": "4", "max-rejections": "5", "naked-seconds": "20",
    "margin-usage": "60",
}  # fmt: skip


def reader(values: dict[str, str]) -> Parameters:
    return Parameters(SimpleNamespace(get_parameter=lambda name, default="": values.get(name, default)))


def test_every_parameter_makes_its_check_or_limit_with_its_value() -> None:
    """All parameters at once: each value stands in the check or limit it belongs to, per cent as fractions."""
    assert set(EVERY) == {*CHECKS, *LIMITS}
    gate = gate_from(reader(EVERY), closes_at=lambda now: now)
    assert gate is not None
    shown = " ".join(repr(check) for check in gate.checks)
    for text in (
        "MaxLossPerGroup(dollars=500.0)", "MaxLossPerUnderlying(dollars=900.0)",
        "MaxLossForAccount(dollars=2000.0, part_of_equity=0.02)", "MaxContracts(per_group=8, in_all=40)",
        "MaxGroups(groups=3, per_strategy=1)", "NoDuplicate(same_expiry_only=False)",
        "ShortStrikeDistance(part=0.015)", "BuyingPower(reserve=1000.0, reserve_part=0.1,",
        "QuoteQuality(max_age=90.0, max_spread=0.4, max_spread_part=0.6, max_spread_ticks=8.0, size=True)",
        "UnitPrice(max_debit=2.0, min_credit=0.5, cross=True)", "MinutesToClose(least=45.0,",
        "DaysToExpiry(least=0, most=30)", "{'GOOG': ['2015-12-28'], 'SPY': ['2015-12-18']}, days_before=1)",
    ):  # fmt: skip
        assert text in shown
    shown = " ".join(repr(limit) for limit in gate.limits.limits)
    for text in (
        "DailyLoss(dollars=700.0, action='flatten'", "Drawdown(fraction=0.1, action='flatten'",
        "BreakerLimit(failures=4, reset=300.0, action='no_new'", "Rejections(count=5, action='no_new'",
        "NakedSeconds(seconds=20.0, action='close_by_risk'", "MarginUsage(fraction=0.6, action='no_new'",
    ):  # fmt: skip
        assert text in shown


def test_every_limit_class_has_a_parameter() -> None:
    """A limit that is added to `risk.limits` has to be configurable; the cards go through all parameters."""
    gate = gate_from(reader(dict.fromkeys(LIMITS, "5")))
    assert gate is not None
    public = {
        name
        for name, kind in inspect.getmembers(limits, inspect.isclass)
        if kind.__module__ == limits.__name__ and "breach" in vars(kind) and name != "Limit"
    }
    assert public == {type(limit).__name__ for limit in gate.limits.limits}


def test_what_is_absent_is_off() -> None:
    """Without parameters there is no gate; with one there is that check and nothing else."""
    assert gate_from(reader({})) is None
    gate = gate_from(reader({"max-group-loss": "500"}))
    assert gate is not None
    assert len(gate.checks) == 1
    assert not gate.limits.limits
    assert gate_from(reader({"quote-size": "0", "no-duplicate": "off", "drawdown": "5"})).checks == ()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"max-group-loss": "a lot"}, "parameter max-group-loss is 'a lot': use a number"),
        ({"max-group-loss": "-1"}, "parameter max-group-loss is '-1'"),
        ({"drawdown": "120"}, "parameter drawdown is '120': use a number from 0.001 to 100"),
        ({"max-failures": "2.5"}, "use a whole number"),
        ({"daily-loss": "500", "daily-loss-action": "panic"}, "use one of warn, no_new, close_by_risk, flatten, kill"),
        ({"daily-loss-action": "kill"}, "daily-loss is not set: set daily-loss"),
        ({"breaker-reset": "60"}, "max-failures is not set"),
        ({"event-days": "GOOG 2015-12-24"}, "parameter event-days has 'GOOG': write TICKER:YYYY-MM-DD"),
        ({"event-days-before": "1"}, "event-days is not set"),
        ({"no-duplicate": "perhaps"}, "use 1 or 0"),
        ({"buying-power": "0", "margin-reserve": "500"}, "buying-power is off but margin-reserve is set"),
        ({"minutes-to-close": "30"}, "does not know when the session closes"),
    ],
)
def test_what_does_not_fit_names_parameter_value_and_cure(values: dict[str, str], match: str) -> None:
    """A limit that somebody misspelt stops the run before it starts."""
    with pytest.raises(ValueError, match=match):
        gate_from(reader(values))


def test_the_close_of_a_session_is_asked_of_the_exchange() -> None:
    """Seconds to the close at the exchange, added to the time asked with: half days are LEAN's knowledge."""
    hours = SimpleNamespace(get_next_market_close=lambda local, extended: datetime(2015, 12, 24, 13))
    security = SimpleNamespace(
        local_time=datetime(2015, 12, 24, 12, 15), exchange=SimpleNamespace(hours=hours)
    )
    algorithm = SimpleNamespace(securities={"GOOG": security})
    assert session_close(algorithm, "GOOG")(1000.0) == 1000.0 + 45 * 60


class Executor:
    """What a desk needs of an executor."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, str]] = []
        self.hooks: list[Any] = []

    def on_alert(self, hook: Any) -> None:
        self.hooks.append(hook)

    def alert_operator(self, text: str, *, severity: int, code: str) -> None:
        self.told.append((text, severity, code))


def algorithm(live: bool, target: str = "LocalPlatform") -> Any:
    return SimpleNamespace(
        live_mode=live, log=lambda text: None, utc_time=datetime(2015, 12, 24, 15), deployment_target=target,
        notify=SimpleNamespace(email=lambda *mail: SENT.append(mail)),
    )  # fmt: skip


SENT: list[Any] = []


def test_a_backtest_tells_nobody_unless_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Routes of a live deployment are not used by a backtest with the same parameters."""
    monkeypatch.setenv("ALERT_WEBHOOK", "http://127.0.0.1:9/never")
    executor = Executor()
    assert desk_from(algorithm(False), reader({}), executor) is None
    assert executor.hooks == []
    monkeypatch.delenv("ALERT_WEBHOOK")
    got: list[Any] = []
    desk = desk_from(algorithm(False), reader({"alert-in-backtest": "1"}), executor, [CallRoute(got.append)])
    assert executor.hooks == [desk]
    assert [alert.code for alert in got] == ["alert-route-test"]


def test_live_without_a_route_to_a_person_is_said_at_every_start() -> None:
    """The P1 alert comes with the start, once, and names the cure."""
    executor = Executor()
    desk = desk_from(algorithm(True), reader({}), executor)
    assert desk is not None
    ((text, severity, code),) = executor.told
    assert (severity, code) == (1, "alert-route")
    assert "alert-webhook" in text
    assert say_silence(desk, executor) == ""


def test_a_route_that_fails_its_test_is_told_when_the_answer_is_there() -> None:
    """The network answers later than the start: the next look tells it, without the address."""
    executor = Executor()
    values = {"alert-webhook": "http://127.0.0.1:9/secret-token"}
    desk = desk_from(algorithm(True), reader(values), executor)
    assert desk is not None
    assert desk.flush()
    say_silence(desk, executor)
    ((text, severity, _),) = executor.told
    assert severity == 1
    assert "webhook-json" in text
    assert "secret-token" not in text


def test_leans_own_notify_is_a_route_on_its_cloud_only() -> None:
    """Run locally LEAN's notify sends nothing, so the parameter is refused there."""
    values = {"alert-notify-mail": "desk@example.com"}
    with pytest.raises(ValueError, match="only on its cloud"):
        desk_from(algorithm(True), reader(values), Executor())
    SENT.clear()
    desk_from(algorithm(True, "CloudPlatform"), reader(values), Executor())
    assert SENT[0][0] == "desk@example.com"
    assert "alert-route-test" in SENT[0][1]
