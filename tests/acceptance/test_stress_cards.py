"""Cards AOE-53 and AOE-54: a broker that takes one closing order (scenario 6), a hundred fills at once (scenario 8)."""

from __future__ import annotations

from typing import Any

import pytest
from card_play import Script

from atomic import Phase
from atomic.policy import Breaker, Settings
from atomic.vocabulary import Purpose


def one_closing_order(a: Any) -> None:
    """A brokerage that reserves the shares for the first closing order and refuses a second one, as Alpaca does."""
    from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType, DefaultBrokerageModel

    class Reserves(DefaultBrokerageModel):
        def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
            held = a.held(order.symbol)
            if order.quantity * held >= 0:
                return True, None
            others = [t for t in a.transactions.get_open_order_tickets(order.symbol) if t.order_id != order.id]
            taken = sum(abs(t.quantity) - abs(t.quantity_filled) for t in others if t.quantity * held < 0)
            if taken + abs(order.quantity) <= abs(held):
                return True, None
            a.kept["refused"] = a.kept.get("refused", 0) + 1
            text = f"insufficient qty available for order: {taken:g} shares are held for orders"
            return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "Reserved", text)

    a.set_brokerage_model(Reserves())


def nets(a: Any, event: Any) -> None:
    """The account's position after each event."""
    a.kept.setdefault("nets", []).append(a.held(a.goog))


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("how", ["target", "stop", "close"])
def test_aoe_53_a_broker_that_reserves_quantity(play: Any, how: str, side: int) -> None:
    """AOE-53 (X1, X10, scenario 6) Second closing order refused: bracket, move_stop and target work all the same.

    Prerequisite: a brokerage model that refuses every closing order beyond the shares that are not held for another.
    Action: bracket of 100 at 10:00; the stop moved at 10:10; from 11:00 target or stop within reach, or a close.
    Events: the target refused once, watched from then on; the stop rests alone; on the trigger the stop is cancelled
    and, when that is confirmed, the exit sent.
    Pass: the stop rests at the moved level for all 100; the net never crosses zero; one refusal at most per exit;
    flat; the seconds without a working exit are on record in `gap_seconds`, 0 when the stop itself filled.
    """

    def bracket(a: Any) -> None:
        price = a.securities[a.goog].price
        a.groups["bracket"] = a.atomic.bracket_order(
            a.goog, side * 100, stop_loss_price=round(price - side * 20, 2),
            take_profit_price=round(price + side * 20, 2),
        )  # fmt: skip

    def moved(a: Any) -> None:
        group = a.groups["bracket"]
        a.kept["level"] = round(group.stop_prices[0] + side * 0.5, 2)
        group.move_stop(a.kept["level"])

    def look(a: Any) -> None:
        group = a.groups["bracket"]
        a.kept["rests"] = [(o.purpose, o.leaves_qty, o.stop) for o in group.stops + group.targets]

    def end(a: Any) -> None:
        group, price = a.groups["bracket"], a.securities[a.goog].price
        if how == "target":
            group.move_target(round(price - side * 3, 2))  # already beyond: two sightings trigger it
        elif how == "stop":
            group.move_stop(round(price + side * 3, 2))
        else:
            group.close("end of the card")

    steps = {"10:00:00": bracket, "10:10:00": moved, "10:20:00": look, "11:00:00": end}
    played = play(Script(steps=steps, before=one_closing_order, on_order_event=nets))
    a = played.algorithm
    group = a.groups["bracket"]
    assert a.kept["rests"] == [(Purpose.STOP, 100, a.kept["level"])]
    assert min(side * net for net in a.kept["nets"]) >= 0
    assert a.kept["refused"] == 1
    assert group.state is Phase.CLOSED, group.summary()
    purpose = {"target": Purpose.TARGET, "stop": Purpose.STOP, "close": Purpose.CLOSE}[how]
    assert {o.purpose for o in group.orders if o.cum_qty} == {Purpose.ENTRY, purpose}
    assert group.gap_seconds == 0 if how == "stop" else 0 <= group.gap_seconds <= 120
    assert not played.holdings()


HUNDRED = 100


@pytest.mark.parametrize("stops", [True, False], ids=["stops-taken", "stops-refused"])
def test_aoe_54_a_hundred_fills_with_everything_shut(play_live: Any, stops: bool) -> None:
    """AOE-54 (C5, X14, scenario 8) Breaker open, rate limit full, trading paused: 100 entries fill on one bar.

    Prerequisite: a live session; entries that rest until 09:43; four orders a second may open, eight more are kept for
    what protects; a breaker that one refusal opens; a brokerage that takes the stops, or refuses every one.
    Action: 100 brackets of 10 at 09:40; at 09:42 one entry is refused (breaker), trading paused; all entries fill.
    Events: stops at the rate that is left; where they are refused, an emergency close for each.
    Pass: every entry protected, or closed, within the seconds that the rate needs and no order faster than the rate;
    nothing new opened; after the close-all at 09:46 nothing is held.
    """
    rate, reserved = 4.0, 8.0

    def before(a: Any) -> None:
        from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType, DefaultBrokerageModel

        class Refuses(DefaultBrokerageModel):
            def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
                entry = a.kept.get("refuse entries") and order.tag.startswith("entry-")
                if entry or (not stops and order.tag.startswith("sl-")):
                    return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "No", "not today")
                return True, None

        a.set_brokerage_model(Refuses())

    def setup(a: Any) -> None:
        from AlgorithmImports import FillModel, OrderStatus

        class Waits(FillModel):
            def limit_fill(self, asset: Any, order: Any) -> Any:
                event = super().limit_fill(asset, order)
                event.fill_quantity, event.status = 0, order.status
                if order.tag.startswith("entry-") and asset.local_time.strftime("%H:%M") >= "09:43":
                    event.fill_quantity, event.fill_price = order.quantity, order.limit_price
                    event.status = OrderStatus.FILLED
                return event

        a.securities[a.goog].set_fill_model(Waits())

    def bracket(a: Any) -> Any:
        price = a.securities[a.goog].price
        return a.atomic.bracket_order(
            a.goog, 10, limit_price=round(price, 2), stop_loss_price=round(price - 50, 2),
            take_profit_price=round(price + 50, 2),
        )  # fmt: skip

    def place(a: Any) -> None:
        a.kept["all"] = [bracket(a) for _ in range(HUNDRED)]

    def shut(a: Any) -> None:
        a.kept["resting"] = sum(1 for g in a.kept["all"] for o in g.orders if o.may_fill)
        a.kept["refuse entries"] = True
        a.kept["trips"] = bracket(a)
        a.atomic.pause()

    def late(a: Any) -> None:
        a.kept["breaker"] = a.atomic.operations.get_circuit_breaker_status()["state"]
        a.kept["late"] = bracket(a)

    def look(a: Any) -> None:
        a.kept["safe"] = [g.is_protected for g in a.kept["all"]]
        a.kept["held"] = a.held(a.goog)
        a.kept["open"] = [g.open_quantity for g in a.kept["all"]]

    steps = {
        "09:40:00": place,
        "09:42:00": shut,
        "09:42:30": late,
        "09:45:00": look,
        "09:46:00": lambda a: [g.close("end of the card") for g in a.kept["all"] if not g.is_done],
    }
    played = play_live(
        Script(
            steps=steps, before=before, setup=setup, cash=10_000_000.0,
            executor_options={
                "settings": Settings(rate_per_second=rate, reserved_rate=reserved),
                "breaker": Breaker(failures=1, reset=3600.0),
            },
        ),
        until="09:49",
    )  # fmt: skip
    a = played.algorithm
    kept = a.kept
    assert kept["resting"] == HUNDRED
    assert kept["breaker"] == "open"
    assert kept["late"].outcome == "refused"
    assert all(kept["safe"])
    assert kept["held"] == (10 * HUNDRED if stops else 0) == sum(kept["open"])
    sent: dict[float, int] = {}
    for group in kept["all"]:
        for order in group.orders:
            sent[order.sent_at // 1] = sent.get(order.sent_at // 1, 0) + 1
    assert max(sent.values()) <= 2 * (rate + reserved)
    protection = [
        min(o.sent_at for o in g.orders if o.purpose in (Purpose.STOP, Purpose.EMERGENCY)) for g in kept["all"]
    ]
    needed = 2 * HUNDRED / (rate + reserved)  # a stop and a target each
    assert max(protection) - min(protection) <= needed + 2
    assert all(g.is_done for g in kept["all"])
    assert not played.holdings()
