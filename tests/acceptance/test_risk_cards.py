"""Cards AOE-60 to AOE-64: pre-trade checks, limits that act and what a restart keeps of them, the operator's hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from card_play import Script

from atomic import Policy
from atomic.parameters import Parameters
from risk.alerts import AlertDesk, CallRoute
from risk.configure import LIMITS, gate_from, session_close
from risk.gate import Gate
from risk.limits import LimitBook

LEGGED = Policy(native="never")
#: times at which a limit's other side is seen as well
TOGETHER = Policy(native="never", sequence="together", order_timeout=600.0, max_time_to_open=900.0)


def read(values: Mapping[str, str]) -> Parameters:
    return Parameters(SimpleNamespace(get_parameter=lambda name, default="": values.get(name, default)))


def gate(values: Mapping[str, str], algorithm: Any = None) -> Gate:
    """The gate that an algorithm with these parameters would have."""
    made = gate_from(read(values), session_close(algorithm, algorithm.goog) if algorithm is not None else None)
    assert made is not None
    return made


def command(a: Any, action: str, **fields: str) -> Any:
    """An operator's command and its answer."""
    return a.atomic.control.handle({"action": action, **fields})


def condor(a: Any, name: str) -> Any:
    return a.condor(name)


def many(a: Any, name: str) -> Any:
    return a.condor(name, 1_000_000 if name == "refused" else 1)


def strangle(a: Any, name: str) -> Any:
    a.groups[name] = a.atomic.execute_strangle_atomic(a.lc, a.lp, quantity=1)
    return a.groups[name]


Open = Callable[[Any, str], Any]

CHECKS: list[tuple[dict[str, str], dict[str, str], str, str, bool, Open]] = [
    ({"max-group-loss": "1"}, {"max-group-loss": "100000"}, "max-loss-group", "limit at most 1.00", False, condor),
    ({"max-underlying-loss": "1"}, {"max-underlying-loss": "100000"}, "max-loss-underlying", "limit at most 1.00",
     False, condor),
    ({"max-account-loss": "1"}, {"max-account-loss": "100000"}, "max-loss-account", "limit at most 1.00",
     False, condor),
    ({"max-account-loss-percent": "0.001"}, {"max-account-loss-percent": "50"}, "max-loss-account",
     "limit at most 1.00",
     False, condor),
    ({"max-contracts": "3"}, {"max-contracts": "4"}, "max-contracts", "is 4, limit at most 3 in a group",
     False, condor),
    ({"max-contracts-in-all": "7"}, {"max-contracts-in-all": "8"}, "max-contracts",
     "is 8, limit at most 7 in all groups", True, condor),
    ({"max-groups": "1"}, {"max-groups": "2"}, "max-groups", "is 1, limit fewer than 1", True, condor),
    ({"max-groups-of-strategy": "1"}, {"max-groups-of-strategy": "2"}, "max-groups",
     "is 1, limit fewer than 1 of a strategy", True, condor),
    ({"no-duplicate": "1"}, {"no-duplicate": "0", "max-groups": "9"}, "duplicate-strategy", "limit one at a time", True,
     condor),
    ({"short-strike-distance": "1"}, {"max-groups": "9"}, "short-strike-distance", "is 0.00%, limit at least 1.00%",
     True, condor),
    ({"buying-power": "1", "margin-reserve": "99900"}, {"buying-power": "1", "margin-reserve": "100"}, "buying-power",
     "after a reserve of 99900.00", False, condor),
    ({"max-quote-age": "20"}, {"max-quote-age": "3600"}, "quote-age", "limit at most 20 s", False, condor),
    ({"max-spread": "0.01"}, {"max-spread": "50"}, "quote-spread", "limit at most 0.01", False, condor),
    ({"max-spread-percent": "0.1"}, {"max-spread-percent": "1000"}, "quote-spread", "limit at most 0.1%",
     False, condor),
    ({"max-spread-ticks": "1"}, {"max-spread-ticks": "10000"}, "quote-spread", "ticks, limit at most 1 ticks", False,
     condor),
    ({"quote-size": "1"}, {"quote-size": "1"}, "quote-size", "limit at least 1000000", False, many),
    ({"max-unit-debit": "0.01"}, {"max-unit-debit": "100"}, "unit-price", "limit at most 0.01", False, strangle),
    ({"min-unit-credit": "50"}, {"min-unit-credit": "0"}, "unit-price", "limit at least 50.00", False, condor),
    ({"minutes-to-close": "400"}, {"minutes-to-close": "10"}, "minutes-to-close", "limit at least 400", False, condor),
    ({"min-days-to-expiry": "1"}, {"min-days-to-expiry": "0", "max-days-to-expiry": "0"}, "days-to-expiry",
     "is 0, limit at least 1", False, condor),
    ({"event-days": "GOOG:2015-12-24"}, {"event-days": "GOOG:2015-12-28"}, "event-day", "is 0 days ahead",
     False, condor),
    ({"event-days": "GOOG:2015-12-28", "event-days-before": "4"},
     {"event-days": "GOOG:2015-12-28", "event-days-before": "3"}, "event-day", "is 4 days ahead, limit more than 4",
     False, condor),
]  # fmt: skip


@pytest.mark.parametrize(
    ("refuses", "passes", "rule", "shown", "beside", "opens"), CHECKS, ids=["+".join(case[0]) for case in CHECKS]
)
def test_aoe_60_a_check_refuses_and_passes(
    play: Any, refuses: dict[str, str], passes: dict[str, str], rule: str, shown: str, beside: bool, opens: Open
) -> None:
    """AOE-60 Each pre-trade check, set by a LEAN parameter, refuses beyond its limit and passes within it.

    Prerequisite: real quotes; where the check looks at the book, a condor that is open already.
    Action: open under the tight limit, then under the wide one.
    Pass: REFUSED before any order, with rule, value and limit in the reason; then COMPLETE.
    """

    def tight(a: Any) -> None:
        a.risk.checks = gate(refuses, a).checks
        a.sent = len(a.seen)
        opens(a, "refused")
        assert len(a.seen) == a.sent, "nothing was sent"
        a.risk.checks = gate(passes, a).checks
        opens(a, "passed")

    def first(a: Any) -> None:
        if beside:
            a.condor("beside")

    guard = Gate([])
    played = play(
        Script(
            steps={"09:50:00": first, "10:00:30": tight}, setup=lambda a: setattr(a, "risk", guard),
            executor_options={"policy": LEGGED, "risk": guard},
        )
    )  # fmt: skip
    refused, passed = played.algorithm.groups["refused"], played.algorithm.groups["passed"]
    assert refused.outcome == "refused"
    assert not refused.orders
    assert refused.reason.startswith(f"{rule}: ")
    assert "is " in refused.reason
    assert shown in refused.reason, refused.reason
    assert passed.is_open, passed.reason


def trading(a: Any) -> None:
    a.condor("first")


#: limit -> its parameters, name of what trips, what makes it trip, whether the account is flat afterwards
TRIPS: dict[str, tuple[dict[str, str], str, dict[str, Any], bool]] = {
    "daily-loss": ({"daily-loss": "1"}, "daily-loss", {}, True),
    "drawdown": ({"drawdown": "0.001"}, "drawdown", {}, True),
    "max-failures": (
        {"max-failures": "1", "breaker-reset": "90000"}, "failures",
        {"fault": "reject-leg", "fault_options": {"until": "10:15"}}, True,
    ),
    "max-rejections": (
        {"max-rejections": "1"}, "rejections", {"fault": "reject-leg", "fault_options": {"until": "10:15"}}, True,
    ),
    "naked-seconds": (
        {"naked-seconds": "90"}, "naked-seconds",
        {"fault": "never-fill", "fault_options": {"leg": "long", "until": "10:15"}}, True,
    ),
    "margin-usage": ({"margin-usage": "0.01"}, "margin-usage", {}, False),
}  # fmt: skip


@pytest.mark.parametrize("limit", LIMITS)
def test_aoe_61_a_limit_trips_survives_a_kill_and_is_reset(play: Any, limit: str) -> None:
    """AOE-61 Each limit trips, acts, is remembered by the next process, and ends only by an operator's command.

    Prerequisite: the limit set by its parameter; quotes of a whole morning.
    Action: trade until it trips, kill, start again, try to open, reset it by command (and resume), open.
    Events: alert limit-<name> with value and limit; REFUSED in both processes with the same figures; then COMPLETE.
    Pass: nothing opens between trip and reset; a command with a wrong name changes nothing and lists the right ones.
    """
    values, name, trouble, flat = TRIPS[limit]
    policy = TOGETHER if limit == "naked-seconds" else LEGGED
    options = {"policy": policy, "risk": gate(values)}
    first = play(
        Script(
            steps={"10:00:00": trading, "10:10:00": lambda a: a.condor("second")}, executor_options=options, **trouble
        ),
        stop_at="10:20:00", durable="1",
    )  # fmt: skip
    a = first.algorithm
    told = [alert for alert in a.alerts if alert.code == f"limit-{name}"]
    assert len(told) == 1, [alert.code for alert in a.alerts]
    assert "limit " in told[0].text
    refused = a.groups["second"]
    assert refused.outcome == "refused"
    assert name in refused.reason or "paused" in refused.reason
    assert (not first.holdings()) is flat

    def hands(a: Any) -> None:
        a.paused = a.condor("paused") if flat else None
        command(a, "resume", reason="anna")
        a.early = a.condor("early")
        assert not command(a, "reset", limit="no such limit").ok
        if not flat:
            for group in a.atomic.groups.open:
                command(a, "close", group_id=group.id)
        a.answer = command(a, "reset", limit=name, reason="anna")
        a.condor("late")

    second = play(
        Script(steps={"10:30:00": hands}, executor_options={"policy": LEGGED, "risk": gate(values)}),
        start_at="10:20:00", account=first.result.account, store=first.store, resume="1",
    )  # fmt: skip
    b = second.algorithm
    assert b.early.outcome == "refused"
    assert f"{name}: " in b.early.reason
    assert told[0].text.split(" is ")[1].split(",")[0] in b.early.reason, "the figures of the first process"
    assert b.answer.ok
    assert "reset (was" in b.answer.text
    assert b.groups["late"].orders, b.groups["late"].reason


def test_aoe_62_pause_and_kill_switch_survive_a_kill(play: Any) -> None:
    """AOE-62 What an operator or a limit shut stays shut in the next process, until it is lifted by command.

    Prerequisite: a limit with the action kill.
    Action: it trips; kill; start; resume alone; reset the switch and the limit; pause; kill; start; resume.
    Pass: nothing opens while anything is shut, the log of each start says so, and afterwards a condor opens.
    """
    values = {"daily-loss": "1", "daily-loss-action": "kill"}

    def options() -> dict[str, Any]:
        return {"policy": LEGGED, "risk": gate(values)}

    first = play(Script(steps={"10:00:00": trading}, executor_options=options()), stop_at="10:10:00", durable="1")
    assert not first.holdings()
    assert "kill-switch" in first.algorithm.atomic.health()["shut"]

    def lift(a: Any) -> None:
        assert command(a, "resume").ok
        a.still = a.condor("still")
        for limit in ("kill-switch", "daily-loss"):
            assert command(a, "reset", limit=limit, reason="anna").ok
        assert command(a, "pause", reason="lunch").ok

    second = play(
        Script(steps={"10:20:00": lift}, executor_options=options()), start_at="10:10:00", stop_at="10:21:00",
        account=first.result.account, store=first.store, resume="1",
    )  # fmt: skip
    assert "kill-switch" in second.algorithm.still.reason
    assert any("kill-switch was thrown before the restart" in text for _, text in second.result.log)

    def lunch_is_over(a: Any) -> None:
        a.paused = a.condor("paused")
        assert command(a, "resume").ok
        a.condor("open")

    third = play(
        Script(steps={"10:30:00": lunch_is_over}, executor_options=options()), start_at="10:21:00",
        account=second.result.account, store=first.store, resume="1",
    )  # fmt: skip
    assert any("stays paused" in text for _, text in third.result.log)
    assert "pause" in third.algorithm.paused.reason
    assert third.algorithm.groups["open"].orders


def test_aoe_63_a_limit_never_stops_what_reduces_or_protects(play: Any) -> None:
    """AOE-63 With everything shut, an open condor is closed and a filled entry keeps and uses its stop.

    Prerequisite: a condor and a bracket in shares, both open.
    Action: throw the kill switch, pause, trip the limit; then close the condor by command and move the bracket's stop.
    Pass: the closing orders leave, the stop stands at its new level, nothing else opens.
    """
    guard = gate({"margin-usage": "0.01"})

    def opened(a: Any) -> None:
        a.condor("condor")
        price = a.securities[a.goog].price
        exits = {"take_profit_price": price + 20, "stop_loss_price": price - 20}
        a.groups["bracket"] = a.atomic.bracket_order(a.goog, 10, **exits)

    def shut(a: Any) -> None:
        assert "margin-usage" in guard.limits.tripped
        command(a, "pause")
        a.atomic.shell.gates.shut["kill-switch"] = "drill"
        assert command(a, "close", group_id=a.groups["condor"].id).ok
        a.moved_to = round(a.securities[a.goog].price - 10, 2)
        a.groups["bracket"].move_stop(a.moved_to)
        a.condor("no")

    played = play(
        Script(
            steps={"10:00:00": opened, "10:10:00": shut}, executor_options={"policy": LEGGED, "risk": guard}
        )
    )  # fmt: skip
    a = played.algorithm
    assert a.groups["condor"].is_done
    assert a.groups["no"].outcome == "refused"
    bracket = a.groups["bracket"]
    assert bracket.is_protected
    assert bracket.stop_prices == (a.moved_to,)


def test_aoe_64_a_day_on_which_each_limit_trips_in_turn(play: Any) -> None:
    """AOE-64 One morning, all six limits, faults injected, commands in between: it ends flat, with the right alerts.

    Prerequisite: one executor with every limit; an alert desk with a route.
    Action: rejected legs (failures, rejections), longs that never fill (margin, naked seconds), five condors (margin
        again), losses (daily loss flattens), more losses (drawdown throws the kill switch); commands reset, resume,
        close, flatten.
    Events: limit-<name> for each in this order, a refusal after each trip, an answer to each command.
    Pass: flat at the end, or nothing held but bid-less longs that a group names; every alert reached the route.
    """
    values = {
        "max-failures": "1", "breaker-reset": "90000", "max-rejections": "1", "naked-seconds": "90",
        "margin-usage": "2", "daily-loss": "1000", "drawdown": "4", "drawdown-action": "kill",
    }  # fmt: skip
    guard = gate(values)
    got: list[Any] = []
    desk = AlertDesk([CallRoute(got.append)], window=0.0, per_minute=1000)

    def prepare(a: Any) -> None:
        from atomic.testing import install_fault  # needs the engine's AlgorithmImports

        a.faults = install_fault(a, "never-fill", until="00:01")
        a.atomic.on_alert(desk)
        a.answers = []

    def fault(a: Any, name: str, **options: Any) -> None:
        a.faults.fault = type(a.faults.fault)(name, **options)

    def rejected(a: Any) -> None:
        fault(a, "reject-leg", leg="short-put")
        a.condor("rejected")

    def lift(*names: str) -> Callable[[Any], None]:
        def step(a: Any) -> None:
            a.condor(f"refused by {names[0]}")
            fault(a, "never-fill", until="00:01")
            a.answers += [command(a, "reset", limit=name, reason="anna") for name in names]
            a.answers.append(command(a, "resume", reason="anna"))

        return step

    def naked(a: Any) -> None:
        fault(a, "never-fill", leg="long")
        a.condor("naked", 1, policy=TOGETHER)

    def middling(a: Any) -> None:
        a.condor("middling", 5)

    def large(a: Any) -> None:
        a.condor("large", 50)

    def close(a: Any) -> None:
        a.answers += [command(a, "close", group_id=group.id) for group in a.atomic.groups.open]

    def after(a: Any) -> None:
        a.condor("after")
        a.answers.append(command(a, "flatten", reason="end of the drill"))
        a.shown = command(a, "status")

    played = play(
        Script(
            steps={
                "09:45:00": rejected, "09:50:00": lift("failures", "rejections"),
                "10:00:00": naked, "10:10:00": lift("naked-seconds", "failures", "margin-usage"),
                "10:20:00": middling, "10:25:00": lambda a: (close(a), lift("margin-usage")(a)),
                "10:40:00": large, "10:50:00": lift("daily-loss", "margin-usage"),
                "11:00:00": large, "11:30:00": after,
            },
            setup=prepare, executor_options={"policy": LEGGED, "risk": guard},
        )
    )  # fmt: skip
    a = played.algorithm
    trips = [alert.code for alert in a.alerts if alert.code.startswith("limit-")]
    assert [code for at, code in enumerate(trips) if code not in trips[:at]] == [
        "limit-failures", "limit-rejections", "limit-margin-usage", "limit-naked-seconds", "limit-daily-loss",
        "limit-drawdown",
    ], "margin before naked time: naked shorts need it at once"  # fmt: skip
    resets = [answer.text for answer in a.answers if answer.action == "reset"]
    assert all("reset (was" in text for text in resets), resets
    assert all(answer.ok for answer in a.answers), [answer.text for answer in a.answers if not answer.ok]
    for name, group in a.groups.items():
        if name.startswith("refused by") or name == "after":
            assert group.outcome == "refused", name
            assert not group.orders
            limits = ("failures", "margin-usage", "pause", "kill-switch")
            assert any(limit in group.reason for limit in limits), group.reason
    assert "kill-switch" in a.shown.data["shut"]
    assert a.shown.data["why_not"]
    named = {(leg.symbol, leg.net) for group in a.groups.values() for leg in group.legs if leg.net}
    assert all(net > 0 for _, net in named)
    assert len(played.holdings()) == len(named)
    assert [alert.code for alert in got] == [alert.code for alert in a.alerts]
    assert isinstance(guard.limits, LimitBook)
