"""Card AOE-64: a day on which each limit trips in turn, with the operator's hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from card_play import Script
from card_risk import LEGGED, TOGETHER, command, gate

from atomic import Policy
from atomic.commands import FORMS
from risk.alerts import AlertDesk, CallRoute
from risk.configure import LIMITS
from risk.limits import LimitBook


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
