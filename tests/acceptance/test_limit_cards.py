"""Cards AOE-61 to AOE-64, AOE-67 and AOE-68: limits that act, what a restart keeps of them, the operator's hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from card_play import Script
from card_risk import LEGGED, TOGETHER, command, gate

from atomic import Policy
from atomic.control import FORMS
from risk.alerts import AlertDesk, CallRoute
from risk.configure import LIMITS
from risk.gate import Gate
from risk.limits import ACTIONS, LimitBook


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
    """AOE-64 One morning, every limit, faults injected, every command: it ends flat, with the right alerts.

    Prerequisite: one executor with every limit; an alert desk with a route.
    Action: pause and resume, the same pause delivered twice, malformed commands; a condor held, accepted, held again,
        released, closed; then rejected legs (failures, rejections), longs that never fill (margin, naked seconds), an
        opening condor rolled back by hand (failures again), five condors (margin again), losses (daily loss flattens),
        more losses (drawdown throws the kill switch); after each trip reset and resume; flatten.
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

    def tell(a: Any, action: str, **fields: str) -> Any:
        a.answers.append(command(a, action, **fields))
        return a.answers[-1]

    def hands(a: Any) -> None:
        tell(a, "pause", reason="lunch", id="1")
        a.condor("refused by pause")
        tell(a, "resume", reason="anna")
        before = (dict(a.atomic.shell.gates.shut), a.atomic.shell.gates.paused, len(a.seen))
        assert tell(a, "pause", reason="lunch", id="1").text == a.answers[0].text, "delivered twice, done once"
        a.malformed = [command(a, *bad) for bad in (["explode"], [""], ["close"], ["reset"])]
        a.malformed += [a.atomic.control.handle(bad) for bad in (None, {"action": "close", "group_id": ["x"]})]
        a.malformed.append(command(a, "close", group_id="card-999999"))
        assert (dict(a.atomic.shell.gates.shut), a.atomic.shell.gates.paused, len(a.seen)) == before
        a.condor("by hand")

    def hold(a: Any) -> None:
        group = a.groups["by hand"]
        assert [row["outcome"] for row in tell(a, "groups").data] == [str(group.outcome)]
        assert tell(a, "hold", group_id=group.id, reason="look").text.endswith(": held")
        assert tell(a, "accept", group_id=group.id).text.endswith("is open now")
        tell(a, "hold", group_id=group.id)
        a.held_alert = [alert.code for alert in a.alerts]
        assert tell(a, "release", group_id=group.id).text.endswith(": open")
        tell(a, "acknowledge", group_id=group.id)
        tell(a, "close", group_id=group.id)

    def opening(a: Any) -> None:
        fault(a, "never-fill", leg="long")
        a.condor("rolled back", 1, policy=Policy(native="never", order_timeout=600.0, max_time_to_open=900.0))

    def roll_back(a: Any) -> None:
        assert tell(a, "rollback", group_id=a.groups["rolled back"].id).text.endswith(": unwinding")

    def rejected(a: Any) -> None:
        fault(a, "reject-leg", leg="short-put")
        a.condor("rejected")

    def lift(*names: str) -> Callable[[Any], None]:
        def step(a: Any) -> None:
            a.condor(f"refused by {names[0]} at {a.time:%H:%M}")
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
        tell(a, "flatten", reason="end of the drill")
        a.shown = tell(a, "status")

    played = play(
        Script(
            steps={
                "09:36:00": hands, "09:38:00": hold,
                "09:45:00": rejected, "09:50:00": lift("failures", "rejections"),
                "10:00:00": naked, "10:10:00": lift("naked-seconds", "failures", "margin-usage"),
                "10:12:00": opening, "10:13:00": roll_back, "10:15:00": lift("failures"),
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
    assert {code.removeprefix("limit-") for code in trips} == {limit.name for limit in guard.limits.limits}
    assert len(guard.limits.limits) == len(LIMITS), "every limit there is"
    assert {answer.action for answer in a.answers} == set(FORMS), "every command there is"
    assert [answer.ok for answer in a.malformed] == [False] * 7
    assert all(answer.text for answer in a.malformed)
    assert a.groups["by hand"].outcome == "closed"
    assert a.groups["rolled back"].outcome == "rolled_back"
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
