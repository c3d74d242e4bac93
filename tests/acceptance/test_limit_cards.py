"""Cards AOE-61 to AOE-63, AOE-67 and AOE-68: limits that act, and what a restart keeps of them."""

from __future__ import annotations

from typing import Any

import pytest
from card_play import Script
from card_risk import LEGGED, TOGETHER, command, gate

from atomic import Policy
from risk.configure import LIMITS
from risk.gate import Gate
from risk.limits import ACTIONS


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


#: action -> whether groups end, what refuses new ones
ACTS: dict[str, tuple[bool, str]] = {
    "warn": (False, ""), "no_new": (False, "margin-usage"), "close_by_risk": (True, "margin-usage"),
    "flatten": (True, "pause"), "kill": (True, "kill-switch"),
}  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
def test_aoe_67_what_a_limit_does(play: Any, action: str) -> None:
    """AOE-67 Each action of a limit: warn, no new groups, close in order of risk, flatten, kill switch.

    Prerequisite: a condor of one unit and one of three, open; then the limit.
    Action: the limit trips at the next look; open another condor.
    Pass: told once; only from closing on the groups end, by risk the one of three units first; refused for what shut.
    """
    guard = Gate([])

    def small_then_large(a: Any) -> None:
        a.condor("small")
        a.condor("large", 3)

    def limited(a: Any) -> None:
        guard.limits = gate({"margin-usage": "0.01", "margin-usage-action": action}).limits

    played = play(
        Script(
            steps={"10:00:00": small_then_large, "10:05:00": limited, "10:10:00": lambda a: a.condor("new")},
            executor_options={"policy": LEGGED, "risk": guard},
        )
    )  # fmt: skip
    a = played.algorithm
    ends, shut = ACTS[action]
    assert [alert.code for alert in a.alerts if alert.code.startswith("limit-")] == ["limit-margin-usage"]
    assert [a.groups[name].is_done for name in ("small", "large")] == [ends, ends]
    new = a.groups["new"]
    assert (new.outcome == "refused") is bool(shut)
    assert shut in new.reason
    assert (not played.holdings()) is ends
    if action == "close_by_risk":
        ids = [group for _, kind, group in a.events if kind == "closing"]
        assert ids == [a.groups["large"].id, a.groups["small"].id], "the group that can lose more first"


def test_aoe_68_the_circuit_breaker_tries_one_group(play: Any) -> None:
    """AOE-68 After its pause the breaker lets one group through; that one decides, also in the next process.

    Prerequisite: the breaker opens at one failure for five minutes.
    Action: a leg is rejected; kill; start; a trial that fails; after another pause one that stands, a second beside it.
    Pass: refused while open; a failed trial opens the breaker anew; one group at a time; then it is closed.
    """
    values = {"max-failures": "1", "breaker-reset": "300"}
    trouble = {"fault": "reject-leg", "fault_options": {"leg": "short-put"}}
    first = play(
        Script(
            steps={"09:45:00": lambda a: a.condor("failed"), "09:46:30": lambda a: a.condor("open")},
            executor_options={"policy": LEGGED, "risk": gate(values)}, **trouble,
        ),
        stop_at="09:47:00", durable="1",
    )  # fmt: skip
    assert first.algorithm.groups["failed"].outcome in ("rolled_back", "failed")
    assert first.algorithm.groups["open"].reason.startswith("failures: ")
    guard = gate(values)

    def slow(a: Any) -> None:
        a.faults.fault = type(a.faults.fault)("delay-fill", leg="long", seconds=120.0)
        a.condor("trial", 1, policy=Policy(native="never", order_timeout=600.0, max_time_to_open=900.0))

    def after(a: Any) -> None:
        a.faults.fault = type(a.faults.fault)("never-fill", until="00:01")
        a.condor("after")

    def prepare(a: Any) -> None:
        from atomic.testing import install_fault  # needs the engine's AlgorithmImports

        a.faults = install_fault(a, "reject-leg", leg="short-put")

    second = play(
        Script(
            steps={
                "09:48:00": lambda a: a.condor("still open"), "09:52:00": lambda a: a.condor("failed trial"),
                "09:55:00": lambda a: a.condor("open anew"), "10:00:00": slow,
                "10:01:00": lambda a: a.condor("beside"), "10:05:00": after,
            },
            setup=prepare, executor_options={"policy": LEGGED, "risk": guard},
        ),
        start_at="09:47:00", account=first.result.account, store=first.store, resume="1",
    )  # fmt: skip
    groups = second.algorithm.groups
    outcomes = {name: str(group.outcome) for name, group in groups.items()}
    assert outcomes["still open"] == outcomes["open anew"] == "refused", outcomes
    assert groups["failed trial"].outcome in ("rolled_back", "failed")
    assert groups["trial"].is_open, "its shorts are sent two minutes after its longs"
    assert groups["after"].is_open
    assert "failures" not in guard.limits.tripped
    assert groups["beside"].outcome == "refused"
    assert "trial under way" in groups["beside"].reason
