"""Cards AOE-13 to AOE-16 and AOE-20, AOE-21: native first, unit balance, cost, own shares, ladders over bars."""

from __future__ import annotations

from typing import Any

from card_play import Script

from atomic import AT_MID, Ladder, Policy

LEGGED = {"policy": Policy(native="never")}


def test_aoe_13_native_first(play: Any) -> None:
    """AOE-13 (X7) The native combo first; independent legs after a refusal for capability, same group, same events.

    Prerequisite: LEAN's default brokerage model; then one that refuses combo orders although its table takes them.
    Action: open and close a condor under each.
    Events: one combo of four orders under one tag; under the second: combo refused, then four orders.
    Pass: both groups complete and close; the first opened with a bundle, the second with independent legs.
    """

    def refuse_combos(a: Any) -> None:
        from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType, DefaultBrokerageModel

        class NoCombos(DefaultBrokerageModel):
            def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
                if "COMBO" in str(order.type):
                    text = "this brokerage does not support combo orders"
                    return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "NotSupported", text)
                return True, None

        a.set_brokerage_model(NoCombos())

    steps = {"10:00:00": lambda a: a.condor("condor", 2), "11:00:00": lambda a: a.groups["condor"].close()}
    native = play(Script(steps=steps)).algorithm.groups["condor"]
    assert native.outcome == "closed"
    opening = [order for order in native.orders if order.purpose == "open"]
    assert len({order.bundle for order in opening}) == 1
    assert opening[0].bundle
    played = play(Script(steps=steps, before=refuse_combos))
    legged = played.algorithm.groups["condor"]
    assert legged.outcome == "closed", legged.summary()
    opening = [order for order in legged.orders if order.purpose == "open" and order.cum_qty]
    assert len(opening) == 4
    assert not any(order.bundle for order in opening)
    assert not played.holdings()


def test_aoe_14_unit_balanced_unwind(play: Any) -> None:
    """AOE-14 (X8) Keep the complete units, unwind the rest, never leave a short uncovered.

    Prerequisite: policy keeps complete units.
    Action: open four condors; one short fills only half.
    Events: time-out; the excess of every leg goes back.
    Pass: PARTIAL_UNITS with two complete units; every leg holds two; no moment with more shorts than longs per right.
    """
    policy = Policy(native="never", keep_units=True)
    played = play(
        Script(
            steps={"10:00:00": lambda a: a.condor("condor", 4)}, fault="partial-fill",
            fault_options={"leg": "short-call"}, executor_options={"policy": policy},
        )
    )  # fmt: skip
    a = played.algorithm
    group = a.groups["condor"]
    assert group.outcome == "partial_units"
    assert group.units == 2
    assert [abs(leg.net) for leg in group.legs] == [2, 2, 2, 2]
    for right in "PC":
        net = 0
        for _, _, symbol, fill, *_ in a.seen:
            if fill and symbol[-9] == right:
                net += fill
                assert net >= 0, "a short stood uncovered"


def test_aoe_15_cost_bounded_rollback(play: Any) -> None:
    """AOE-15 (X9) Going back walks a ladder of prices and reports what it cost; a budget keeps it from paying more.

    Prerequisite: one policy with a ladder from mid to the natural price, the same with a budget of one dollar.
    Action: open a condor whose short call is rejected.
    Events: rungs of the reversal at their prices.
    Pass: flat, cost on record; with the budget the long wings are not given away: cost stays within the budget plus
    fees as long as nothing is naked.
    """

    def run(policy: Policy) -> Any:
        return play(
            Script(
                steps={"10:00:00": lambda a: a.condor("condor", 2)}, fault="reject-leg",
                fault_options={"leg": "short-call"}, executor_options={"policy": policy},
            )
        )  # fmt: skip

    ladder = Ladder(steps=2, first="mid", step_seconds=60.0)
    walked = run(Policy(native="never", unwind_ladder=ladder))
    group = walked.algorithm.groups["condor"]
    assert group.outcome == "rolled_back", group.summary()
    assert not walked.holdings()
    assert any(line["kind"] == "rung" and line["purpose"] == "unwind" and line["price"] for line in group.timeline)
    assert group.rollback_cost > 0
    bounded = run(Policy(native="never", unwind_ladder=ladder, cost_budget=1.0)).algorithm.groups["condor"]
    assert bounded.rollback_cost - bounded.fees <= 1.0 + 1e-9, bounded.summary()
    assert not any(leg.net < 0 for leg in bounded.legs)


def test_aoe_16_several_groups_in_one_contract(play: Any) -> None:
    """AOE-16 (X11) Several groups in the same contracts, each with its own share.

    Prerequisite: LEAN only knows the net.
    Action: open condor A with 2 units and B with 3 in the same contracts; close A only.
    Events: A's orders trade exactly its own share.
    Pass: B still holds 3 units of every leg and is open; the account holds exactly B.
    """

    def act(a: Any) -> None:
        a.condor("a", 2)
        a.condor("b", 3)

    played = play(Script(steps={"10:00:00": act, "11:00:00": lambda a: a.groups["a"].close()}))
    a = played.algorithm
    assert a.groups["a"].outcome == "closed"
    assert a.groups["b"].is_open
    assert [leg.net for leg in a.groups["b"].legs] == [3, -3, -3, 3]
    assert [a.held(s) for s in (a.lp, a.sp, a.sc, a.lc)] == [3, -3, -3, 3]


def test_aoe_20_limit_orders_over_minute_bars(play: Any) -> None:
    """AOE-20 (scenario 3) Minute data, protected condor at limit prices, each leg fills one bar after it was sent.

    Prerequisite: a ladder that starts at the natural price: a limit can fill with the next bar only.
    Action: open the condor at 10:00.
    Events: longs rest, fill with a later bar; then shorts rest and fill with a later bar.
    Pass: COMPLETE without roll-back although the order time-out is five seconds; no fill in the minute of its order.
    """
    policy = Policy(native="never", ladder=Ladder(steps=1, first="natural", step_seconds=1.0, last="market"))
    played = play(Script(steps={"10:00:00": lambda a: a.condor("condor", 1)}, executor_options={"policy": policy}))
    group = played.algorithm.groups["condor"]
    assert group.outcome == "complete", group.summary()
    sent = {line["order"]: line["time"] for line in group.timeline if line["kind"] == "sent"}
    limits = {order.number for order in group.orders if order.type == "limit"}
    assert limits
    for line in group.timeline:
        if line["kind"] == "filled" and line["order"] in limits:
            assert line["time"] > sent[line["order"]]
    assert not any(line["kind"] == "target" for line in group.timeline)


def test_aoe_21_late_fill_of_a_cancelled_short(play: Any) -> None:
    """AOE-21 (scenario 4) Three units, longs filled, shorts in part; a cancel is pending when the short fills late.

    Prerequisite: a short call that fills one of three at once, the rest while its cancel is queued: LEAN scans after
    each cancel it works off (trace p02), and an order by hand is cancelled just before.
    Action: open three condors; time-out; the cancel of the call is answered by fills.
    Events: longs 3, call 1, cancel asked, call 3, reversal.
    Pass: no naked moment, the target never rises, no long is bought again, the end is flat.
    """

    def install(a: Any) -> None:
        from AlgorithmImports import FillModel, OrderStatus

        class LateFill(FillModel):
            def market_fill(self, asset: Any, order: Any) -> Any:
                event = super().market_fill(asset, order)
                if not order.tag.endswith(":open") or order.quantity > 0 or not event.fill_quantity:
                    return event
                done = a.kept.setdefault(order.id, 0)
                late = order.status == OrderStatus.CANCEL_PENDING
                take = 1 if not done else (2 if late and done == 1 else 0)
                a.kept[order.id] = done + take
                event.fill_quantity = -take
                event.status = order.status
                if take:
                    event.status = OrderStatus.FILLED if done + take == 3 else OrderStatus.PARTIALLY_FILLED
                return event

        a.securities[a.sc].set_fill_model(LateFill())

    def by_hand(a: Any) -> None:
        a.kept["ticket"] = a.limit_order(a.goog, 1, 1.0, tag="by hand")

    steps = {
        "09:50:00": by_hand,
        "10:00:00": lambda a: a.condor("condor", 3),
        "10:00:04": lambda a: a.kept["ticket"].cancel(),
    }
    played = play(Script(steps=steps, setup=install, executor_options=LEGGED))
    a = played.algorithm
    group = a.groups["condor"]
    call = str(a.sc.value)
    fills = [fill for _, tag, symbol, fill, *_ in a.seen if fill and tag.endswith(":open") and symbol == call]
    assert fills == [-1, -2], "the late fill must have come after the cancel was asked for"
    assert group.outcome == "rolled_back", group.summary()
    assert not played.holdings()
    for right in "PC":
        net = 0
        for _, _, symbol, fill, *_ in a.seen:
            net += fill if symbol[-9:-8] == right else 0
            assert net >= 0, "a short stood uncovered"
    bought = [fill for _, _, symbol, fill, *_ in a.seen if fill > 0 and symbol == str(a.lc.value)]
    assert bought == [3]
    targets = [line["units"] for line in group.timeline if line["kind"] == "target"]
    assert targets == sorted(targets, reverse=True)


def test_at_mid_rests_until_the_deadline(play: Any) -> None:
    """A condor at mid prices ends complete or rolled back, never in between."""
    policy = Policy(native="never", ladder=AT_MID)
    played = play(Script(steps={"10:00:00": lambda a: a.condor("condor", 1)}, executor_options={"policy": policy}))
    group = played.algorithm.groups["condor"]
    assert group.outcome in ("complete", "rolled_back"), group.summary()
    assert bool(played.holdings()) == (group.outcome == "complete")


def test_a_brokerage_that_sells_by_day_only(play: Any) -> None:
    """Under Tradier's model (no combos, short sales as day orders above 5 dollars) a put spread opens and closes."""

    def tradier(a: Any) -> None:
        from AlgorithmImports import AccountType, BrokerageName

        a.set_brokerage_model(BrokerageName.TRADIER_BROKERAGE, AccountType.MARGIN)

    def subscribe(a: Any) -> None:
        a.kept["short"], a.kept["long"] = a.option(760.0, 1), a.option(755.0, 1)

    def act(a: Any) -> None:
        a.groups["spread"] = a.atomic.execute_put_spread_atomic(a.kept["short"], a.kept["long"], quantity=1)

    steps = {"10:00:00": act, "11:00:00": lambda a: a.groups["spread"].close()}
    played = play(Script(steps=steps, before=tradier, setup=subscribe))
    group = played.algorithm.groups["spread"]
    assert group.outcome == "closed", group.summary()
    assert not any(order.bundle for order in group.orders)
    assert not played.holdings()


def test_open_orders_are_read_with_their_terms_and_a_silent_hour_is_no_fault(play: Any) -> None:
    """What rests is shown as it was sent; that nothing is told of it says nothing about the wiring of events."""

    def rest(a: Any) -> None:
        price = a.securities[a.goog].price
        a.kept["limit"] = round(price - 50, 2)
        a.atomic.bracket_order(a.goog, 100, limit_price=a.kept["limit"], stop_loss_price=round(price - 60, 2))

    def look(a: Any) -> None:
        a.atomic.check_and_recover_incomplete_orders()
        for group in a.atomic.groups.open:
            for order in group.orders:
                a.atomic.shell.gateway.poll(group.id, order.number)
        a.kept["shown"] = [(o.type, o.quantity, o.limit, o.stop) for o in a.atomic.shell.gateway.open_orders()]
        a.kept["ready"] = a.atomic.ready

    a = play(Script(steps={"10:00:00": rest, "11:00:00": look}), stop_at="11:30").algorithm
    assert a.kept["shown"] == [("limit", 100, a.kept["limit"], 0.0)]
    assert a.kept["ready"]
