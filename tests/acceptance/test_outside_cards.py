"""Cards AOE-17 to AOE-19, AOE-22 and AOE-23: expiry, assignment, session, rates, wiring."""

from __future__ import annotations

from typing import Any

from card_play import Script

from atomic import Phase, Policy, Settings

LEGGED = {"policy": Policy(native="never")}
DAY_AFTER = (2015, 12, 28)


def spot_at_close(a: Any) -> float:
    """The underlying's last price of the day."""
    return float(a.kept["spot"])


def watch_spot(a: Any, slice: Any) -> None:
    """Remember the last price of the day that the contracts expire on."""
    if str(a.time.date()) == "2015-12-24" and a.securities[a.goog].price:
        a.kept["spot"] = a.securities[a.goog].price


def test_aoe_17_expiry_is_an_event_of_each_group(play: Any) -> None:
    """AOE-17 (X13) Each leg held through expiry settles at its exercise value; shares are the group's.

    Prerequisite: a condor with one short leg in the money at the close.
    Action: hold it through expiry.
    Events: settled for each leg, delivery of the shares, which are closed by policy when the market opens.
    Pass: outcome EXPIRED or the shares still held by the group and named; settlement prices are the exercise values at
    the last price; nothing of the account is unaccounted for.
    """

    def subscribe(a: Any) -> None:
        a.kept["legs"] = [(a.option(730.0, 0), 1), (a.option(720.0, 0), -1)]

    def act(a: Any) -> None:
        a.groups["spread"] = a.atomic.execute_atomic(a.kept["legs"], 1, "bear_call")

    played = play(
        Script(
            steps={"10:00:00": act}, end=DAY_AFTER, setup=subscribe, on_data=watch_spot, executor_options=LEGGED
        )
    )
    a = played.algorithm
    group = a.groups["spread"]
    settled = [line for line in group.timeline if line["kind"] == "settled"]
    assert len(settled) == 2, group.summary()
    spot = spot_at_close(a)
    for line, strike in zip(sorted(settled, key=lambda line: line["leg"]), (730.0, 720.0), strict=True):
        assert abs(line["price"] - max(0.0, spot - strike)) < 0.02
    shares = [line["quantity"] for line in group.timeline if line["kind"] == "delivered"]
    assert sorted(shares) in ([], [-100, 100]), shares
    assert not a.atomic.shell.outside.closed_contracts
    held = played.holdings()
    assert sum(leg.net for leg in group.legs) == sum(held.values())
    if not held:
        assert group.outcome == "expired", group.summary()


def test_aoe_18_session_gate_caps_and_rates(play: Any) -> None:
    """AOE-18 (X14) Outside the session nothing opens and nothing is retried; sends are capped; the rate holds.

    Prerequisite: market closed at 09:00; a leg that is refused again and again; one order a second may open.
    Action: open before the bell; open with a leg that is always refused; open under the rate limit.
    Events: refusal for the session; attempts with back-off; one opening order per second.
    Pass: nothing sent before 09:30; at most `max_sends` orders; the condor under the rate limit is never sent faster
    than the rate and ends complete or rolled back.
    """
    early = play(Script(steps={"09:00:00": lambda a: a.condor("early")}, executor_options=LEGGED)).algorithm
    assert early.groups["early"].outcome == "refused"
    assert not early.seen
    stubborn = play(
        Script(
            steps={"10:00:00": lambda a: a.condor("condor", 1)}, fault="reject-leg",
            fault_options={"leg": "any", "reducing": True, "after": "10:00", "times": 40},
            executor_options={"policy": Policy(native="never", max_sends=10)},
        )
    ).algorithm  # fmt: skip
    assert len(stubborn.groups["condor"].orders) <= 20
    assert stubborn.groups["condor"].state in (Phase.CLOSED, Phase.HELD)
    slow = play(
        Script(
            steps={"10:00:00": lambda a: a.condor("condor", 1)},
            executor_options={
                "policy": Policy(native="never", order_timeout=120.0), "settings": Settings(rate_per_second=1.0),
            },
        )
    ).algorithm  # fmt: skip
    group = slow.groups["condor"]
    times = [line["time"] for line in group.timeline if line["kind"] == "sent" and line["purpose"] == "open"]
    assert len(set(times)) == len(times), times
    assert group.outcome == "complete", group.summary()


def test_aoe_19_groups_against_each_other_through_expiry(play: Any) -> None:
    """AOE-19 (scenario 2) Group A +1 and group B -1 in one contract through expiry; C -1 and D -2 in another.

    Prerequisite: LEAN nets A and B to zero and sends no event for it; it sends one event of three for C and D.
    Action: hold all four through expiry.
    Events: settled for A and B although LEAN is silent; one assignment, split by the recorded rule.
    Pass: A and B end EXPIRED with the exercise value; C and D settle with the same price and get 100 and 200 shares of
    the delivery (none when they expire worthless).
    """

    def subscribe(a: Any) -> None:
        a.kept["single"], a.kept["other"] = a.option(725.0, 0), a.option(720.0, 0)

    def act(a: Any) -> None:
        naked = Policy(native="never", allow_naked=True)
        single, other = a.kept["single"], a.kept["other"]
        for name, symbol, quantity in (("a", single, 1), ("b", single, -1), ("c", other, -1), ("d", other, -2)):
            a.groups[name] = a.atomic.execute_atomic([(symbol, quantity)], 1, name, policy=naked)
            assert a.groups[name].is_open, a.groups[name].summary()

    played = play(
        Script(
            steps={"10:00:00": act}, end=DAY_AFTER, cash=1_000_000.0, setup=subscribe, on_data=watch_spot,
            executor_options=LEGGED,
        )
    )  # fmt: skip
    a = played.algorithm
    spot = spot_at_close(a)
    worth = {name: max(0.0, spot - strike) for name, strike in (("a", 725), ("b", 725), ("c", 720), ("d", 720))}
    for name, group in a.groups.items():
        (line,) = [line for line in group.timeline if line["kind"] == "settled"]
        assert abs(line["price"] - worth[name]) < 0.02, (name, line)
    assert a.groups["a"].outcome == a.groups["b"].outcome == "expired"
    exercises = [entry for entry in a.seen if entry[0] == "FILLED" and not entry[1]]
    assert [entry[3] for entry in exercises if len(entry[2]) > 8] == [3]
    delivered = {
        name: sum(line["quantity"] for line in group.timeline if line["kind"] == "delivered")
        for name, group in a.groups.items()
    }
    assert delivered == {"a": 0, "b": 0, "c": -100, "d": -200}


def test_aoe_22_early_assignment_while_the_close_rests(play: Any) -> None:
    """AOE-22 (scenario 10) Early assignment of a short leg while its buy-to-close rests.

    Prerequisite: a put spread that is closing with a resting limit order on the short leg.
    Action: the short leg is assigned.
    Events: adjusted for the leg, delivery of shares to the group, alert; the resting order is cancelled.
    Pass: the short leg's net is never above zero, the shares belong to the group, nothing flips afterwards, the
    account is what the groups account for.
    """
    from atomic import Ladder

    rests = Policy(
        native="never", close_ladder=Ladder(steps=1, first="mid", step_seconds=3600.0, last="natural"),
        on_outside="unwind",
    )  # fmt: skip

    def subscribe(a: Any) -> None:
        a.kept["short"], a.kept["long"] = a.option(760.0, 1), a.option(755.0, 1)

    def act(a: Any) -> None:
        short, long = a.kept["short"], a.kept["long"]
        a.groups["spread"] = a.atomic.execute_put_spread_atomic(short, long, quantity=1, policy=rests)

    def assign(a: Any) -> None:
        from AlgorithmImports import DefaultOptionAssignmentModel, OptionAssignmentResult

        class Assign(DefaultOptionAssignmentModel):
            def get_assignment(self, parameters: Any) -> Any:
                done, a.kept["assigned"] = a.kept.get("assigned"), True
                return OptionAssignmentResult(0 if done else 1, "Simulated option assignment before expiration")

        a.securities[a.kept["short"]].set_option_assignment_model(Assign())

    played = play(
        Script(
            steps={"10:00:00": act, "10:58:00": assign, "10:59:30": lambda a: a.groups["spread"].close("test")},
            cash=1_000_000.0, setup=subscribe,
        )
    )  # fmt: skip
    a = played.algorithm
    group = a.groups["spread"]
    adjusted = [line for line in group.timeline if line["kind"] == "adjusted"]
    assert [(line["delta"], line["cause"]) for line in adjusted] == [(1, "assignment")], group.timeline
    assert [line["quantity"] for line in group.timeline if line["kind"] == "delivered"] == [100]
    net = 0
    for _, _, symbol, fill, *_ in a.seen:
        if symbol == str(a.kept["short"].value):
            net += fill
            assert net <= 0, "the short leg flipped"
    assert "moved-by-assignment" in {alert.code for alert in a.alerts}
    assert group.state in (Phase.CLOSED, Phase.CLOSING, Phase.UNWINDING), group.summary()
    assert sum(leg.net for leg in group.legs) == sum(played.holdings().values())
    assert not a.atomic.shell.outside.closed_contracts


def test_aoe_23_wrong_wiring_is_named(play: Any) -> None:
    """AOE-23 (X19) Order events that are not forwarded are found with the first order and named with the cure.

    Prerequisite: an algorithm that does not forward `on_order_event`.
    Action: open a condor.
    Events: alert events-not-forwarded; the gate closes.
    Pass: the group is accounted for all the same (its tickets are read), the alert has the line to add, a second
    group is refused.
    """

    def second(a: Any) -> None:
        a.condor("second")

    played = play(
        Script(steps={"10:00:00": lambda a: a.condor("first"), "10:05:00": second}, forward=False,
               executor_options=LEGGED)
    )  # fmt: skip
    a = played.algorithm
    alerts = [alert for alert in a.alerts if alert.code == "events-not-forwarded"]
    assert len(alerts) == 1
    assert "self.atomic.on_order_event(order_event)" in alerts[0].text
    assert a.groups["first"].state in (Phase.OPEN, Phase.CLOSED), a.groups["first"].summary()
    assert sum(abs(leg.net) for leg in a.groups["first"].legs) == sum(abs(q) for q in played.holdings().values())
    assert a.groups["second"].outcome == "refused"
    assert not a.atomic.ready
