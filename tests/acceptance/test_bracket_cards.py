"""Cards AOE-40 to AOE-48: brackets on real bars, and the four behaviour probes on which peers end naked or flipped.

The probes are those of docs/why.md: NautilusTrader, backtrader and LEAN's own contingent orders were measured or read
on the same four situations. Here every one ends protected or flat.
"""

from __future__ import annotations

from typing import Any

import pytest
from card_play import Script

from atomic import Outcome, Phase
from atomic.vocabulary import Purpose


def scripted_fills(plan: dict[str, int]) -> Any:
    """A LEAN equity fill model that lets orders whose tag starts with a prefix fill so many shares and no more."""
    from AlgorithmImports import FillModel, OrderStatus

    class Scripted(FillModel):
        def __init__(self) -> None:
            super().__init__()
            self.done: dict[int, int] = {}

        def part(self, fill: Any, order: Any) -> Any:
            prefix = next((p for p in plan if order.tag.startswith(p)), None)
            if prefix is None or fill.fill_quantity == 0:
                return fill
            done = self.done.get(order.id, 0)
            take = min(plan[prefix], int(abs(order.quantity))) - done
            if take <= 0:
                fill.fill_quantity, fill.status = 0, order.status
                return fill
            self.done[order.id] = done + take
            fill.fill_quantity = take if order.quantity > 0 else -take
            whole = done + take == int(abs(order.quantity))
            fill.status = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
            return fill

        def market_fill(self, asset: Any, order: Any) -> Any:
            return self.part(super().market_fill(asset, order), order)

        def limit_fill(self, asset: Any, order: Any) -> Any:
            return self.part(super().limit_fill(asset, order), order)

        def stop_market_fill(self, asset: Any, order: Any) -> Any:
            return self.part(super().stop_market_fill(asset, order), order)

    return Scripted()


def bracket(a: Any, quantity: int = 100, stop: float = 5.0, target: float = 5.0, **terms: Any) -> None:
    """A market bracket on GOOG with exits so many dollars away."""
    price = a.securities[a.goog].price
    side = 1 if quantity > 0 else -1
    a.groups["bracket"] = a.atomic.bracket_order(
        a.goog, quantity, stop_loss_price=round(price - side * stop, 2),
        take_profit_price=round(price + side * target, 2), **terms,
    )  # fmt: skip


def watch(a: Any, slice: Any) -> None:
    """Note at every bar what is open and what protects it."""
    group = a.groups.get("bracket")
    if group is not None:
        stops = sum(o.leaves_qty for o in group.stops)
        a.kept.setdefault("seen", []).append((group.open_quantity, stops, group.is_protected))


def with_fills(plan: dict[str, int]) -> Any:
    def setup(a: Any) -> None:
        a.securities[a.goog].set_fill_model(scripted_fills(plan))

    return setup


def check_protected(played: Any) -> None:
    seen = played.algorithm.kept["seen"]
    assert seen
    assert all(protected for _, _, protected in seen), [row for row in seen if not row[2]][:3]


def test_aoe_40_probe_entry_partially_filled_then_cancelled(play: Any) -> None:
    """AOE-40 (X1, probe 1) 30 of 100 fill, the rest is cancelled: the exits stay for the 30.

    Prerequisite: a fill model that gives the entry 30 shares and no more.
    Action: bracket of 100 at 10:00; the owner cancels the entry at 10:10; exits follow; closed at 12:00.
    Events: entry partially filled, stop and target for 30, entry cancelled, exits unchanged.
    Pass: at every bar the stop covers what is open; nothing is held at the end. (NautilusTrader, backtrader and LEAN
    cancel the exits with the entry and leave the filled part naked.)
    """
    played = play(
        Script(
            steps={
                "10:00:00": bracket,
                "10:10:00": lambda a: a.groups["bracket"].cancel_entry(),
                "10:30:00": lambda a: a.kept.update(
                    state=a.groups["bracket"].state, open=a.groups["bracket"].open_quantity,
                    stops=sum(o.leaves_qty for o in a.groups["bracket"].stops),
                ),
                "12:00:00": lambda a: a.groups["bracket"].close("end of the card"),
            },
            setup=with_fills({"entry-": 30}),
            on_data=watch,
        )
    )  # fmt: skip
    kept = played.algorithm.kept
    assert (kept["state"], kept["open"], kept["stops"]) == (Phase.OPEN, 30, 30)
    check_protected(played)
    assert not played.holdings()


def test_aoe_41_probe_target_partially_filled_then_stopped(play: Any) -> None:
    """AOE-41 (X1, probe 2) The target fills 40 of 100: the stop shrinks to 60 and stays.

    Prerequisite: a fill model that gives the target 40 shares and no more.
    Action: bracket of 100 with a near target; at 11:31 the stop is moved above the market: its level trades.
    Events: target partially filled, stop resized, stop filled, target cancelled.
    Pass: stop and open quantity agree after the partial; the stop sells exactly the 60 that are open; flat without
    another order, never short. (Peers cancel the stop, or flip.)
    """

    def near(a: Any) -> None:
        bracket(a, target=0.05)

    played = play(
        Script(
            steps={
                "10:00:00": near,
                "11:30:00": lambda a: a.kept.update(
                    open=a.groups["bracket"].open_quantity,
                    stops=sum(o.leaves_qty for o in a.groups["bracket"].stops),
                ),
                "11:31:00": lambda a: a.groups["bracket"].move_stop(round(a.securities[a.goog].price + 3, 2)),
            },
            setup=with_fills({"tp-": 40}),
            on_data=watch,
        )
    )
    group = played.algorithm.groups["bracket"]
    filled = {o.purpose: o.side * o.cum_qty for o in group.orders if o.cum_qty}
    assert filled == {Purpose.ENTRY: 100, Purpose.TARGET: -40, Purpose.STOP: -60}
    assert group.state is Phase.CLOSED
    assert min(row[0] for row in played.algorithm.kept["seen"]) >= 0
    assert (played.algorithm.kept["open"], played.algorithm.kept["stops"]) == (60, 60)
    check_protected(played)
    assert not played.holdings()


def test_aoe_42_probe_stop_level_trades_while_the_entry_is_partial(play: Any) -> None:
    """AOE-42 (X1, probe 3) The stop level trades while the entry is still filling: the filled part is stopped out.

    Prerequisite: a fill model that gives the entry 30 shares and no more.
    Action: bracket of 100 whose stop lies just below the market.
    Events: entry partially filled, stop for 30 filled.
    Pass: the stop filled what was open, and nothing is held at the end. (Peers hold the exits back until the entry is
    complete.)
    """
    played = play(
        Script(
            steps={
                "10:00:00": lambda a: bracket(a, stop=0.05, target=50),
                "12:00:00": lambda a: a.groups["bracket"].close("end of the card"),
            },
            setup=with_fills({"entry-": 30}),
            on_data=watch,
        )
    )
    group = played.algorithm.groups["bracket"]
    stopped = sum(o.cum_qty for o in group.orders if o.purpose is Purpose.STOP)
    assert stopped == 30
    check_protected(played)
    assert not played.holdings()


def test_aoe_43_probe_one_bar_covers_both_exits(play: Any) -> None:
    """AOE-43 (X1, probe 4) One bar trades through stop and target: both may fill; the end is flat at once.

    Prerequisite: none. LEAN fills both orders of a hand-made OCO on one bar (trace p03).
    Action: brackets whose stop and target lie a cent around the market, one after the other.
    Events: stop and target filled on one bar for at least one of them, the excess reversed.
    Pass: nothing is held at the end of any of them; an excess is alerted and was reversed in the same minute.
    """

    def tight(a: Any) -> None:
        group = a.groups.get("bracket")
        if group is None or group.is_done:
            bracket(a, quantity=10, stop=0.02, target=0.02)
            a.kept.setdefault("all", []).append(a.groups["bracket"])

    minutes = {f"{10 + m // 60:02d}:{m % 60:02d}:00": tight for m in range(0, 120, 2)}
    played = play(
        Script(steps={**minutes, "12:30:00": lambda a: a.groups["bracket"].close("end of the card")}, on_data=watch)
    )
    groups = played.algorithm.kept["all"]
    both = [
        g for g in groups
        if {o.purpose for o in g.orders if o.cum_qty} >= {Purpose.STOP, Purpose.TARGET, Purpose.EXCESS}
    ]  # fmt: skip
    assert len(groups) > 10
    assert both, "no bar covered both exits: the card has shown nothing"
    assert all(g.is_done for g in groups)
    assert not played.holdings()
    for group in both:
        exits = [o for o in group.orders if o.purpose in (Purpose.STOP, Purpose.TARGET) and o.cum_qty]
        reverse = next(o for o in group.orders if o.purpose is Purpose.EXCESS)
        assert reverse.intended_at == max(o.ended_at for o in exits)
    assert any(alert.code == "exit-excess" for alert in played.algorithm.alerts)


def test_aoe_44_target_rejected_for_good_the_stop_survives(play: Any) -> None:
    """AOE-44 (scenario 5) The brokerage refuses every target: the stop stays, a person is told.

    Prerequisite: a brokerage model that refuses orders tagged tp-.
    Action: bracket of 100 at 10:00, closed at 12:00.
    Events: entry filled, stop working, target refused three times, given up.
    Pass: alert target-given-up; protected at every bar; flat at the end.
    """
    from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType, DefaultBrokerageModel

    class NoTargets(DefaultBrokerageModel):
        def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
            if order.tag.startswith("tp-"):
                return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "NoTargets", "no targets today")
            return True, None

    played = play(
        Script(
            steps={"10:00:00": bracket, "12:00:00": lambda a: a.groups["bracket"].close("end of the card")},
            before=lambda a: a.set_brokerage_model(NoTargets()),
            on_data=watch,
        )
    )
    assert "target-given-up" in [alert.code for alert in played.algorithm.alerts]
    check_protected(played)
    assert not played.holdings()


def test_aoe_45_stop_rejected_for_good_ends_in_an_emergency_close(play: Any) -> None:
    """AOE-45 (E5, C1) The brokerage refuses every stop: the position is closed at market with a P0 alert.

    Prerequisite: a brokerage model that refuses orders tagged sl-.
    Action: bracket of 100 at 10:00.
    Events: entry filled, stop refused three times with back-off, emergency close filled.
    Pass: nothing is held two minutes later; alert emergency-close.
    """
    from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType, DefaultBrokerageModel

    class NoStops(DefaultBrokerageModel):
        def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
            if order.tag.startswith("sl-"):
                return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "NoStops", "no stops today")
            return True, None

    played = play(
        Script(
            steps={
                "10:00:00": bracket,
                "10:02:00": lambda a: a.kept.update(held=a.held(a.goog)),
            },
            before=lambda a: a.set_brokerage_model(NoStops()),
        )
    )
    assert played.algorithm.kept["held"] == 0
    assert "emergency-close" in [alert.code for alert in played.algorithm.alerts]
    assert played.algorithm.groups["bracket"].outcome is Outcome.CLOSED


def test_aoe_46_move_stop_keeps_the_position_stopped(play: Any) -> None:
    """AOE-46 (X10) The stop is moved five times and a target cancelled: protected at every event.

    Prerequisite: none.
    Action: bracket at 10:00; move_stop every ten minutes; cancel_target; close at 12:00.
    Events: updates of the stop.
    Pass: after every order event the working stop covers what is open; one stop order all along.
    """
    bare: list[str] = []

    def look(a: Any, event: Any) -> None:
        group = a.groups.get("bracket")
        if group is not None and group.state is Phase.OPEN and not group.is_protected:
            bare.append(str(a.time))

    def move(cents: int) -> Any:
        return lambda a: a.groups["bracket"].move_stop(a.groups["bracket"].stop_prices[0] + cents / 100)

    steps: dict[str, Any] = {f"10:{10 * n:02d}:00": move(5 * n) for n in range(1, 6)}
    steps |= {
        "10:00:00": bracket,
        "11:00:00": lambda a: a.groups["bracket"].cancel_target(),
        "11:01:00": lambda a: a.kept.update(targets=len(a.groups["bracket"].targets)),
        "12:00:00": lambda a: a.groups["bracket"].close("end of the card"),
    }
    played = play(Script(steps=steps, on_order_event=look))
    group = played.algorithm.groups["bracket"]
    assert not bare
    assert played.algorithm.kept["targets"] == 0
    assert sum(1 for o in group.orders if o.purpose is Purpose.STOP) == 1
    assert not played.holdings()


@pytest.mark.parametrize("quantity", [100, -100])
def test_aoe_47_restart_with_a_bracket_open(play: Any, quantity: int) -> None:
    """AOE-47 (C1, C2, X2) The process dies with a bracket open: the levels come back, the exits are placed again.

    Prerequisite: a journal that is flushed.
    Action: bracket at 10:00; kill at 10:30; start with that account, without open orders, ids or tags.
    Events: start report, exits placed from the journaled levels.
    Pass: within the first bars after the quiet period stop and target stand at the old levels; no second entry; flat
    at the end.
    """
    first = play(Script(steps={"10:00:00": lambda a: bracket(a, quantity)}), stop_at="10:30:00", durable="1")
    levels = first.algorithm.groups["bracket"].stop_prices
    second = play(
        Script(
            steps={
                "10:40:00": lambda a: a.kept.update(
                    stops=[(o.leaves_qty, o.stop) for o in a.atomic.groups.open[0].stops],
                    entries=sum(1 for o in a.atomic.groups.open[0].orders if o.purpose is Purpose.ENTRY),
                ),
                "12:00:00": lambda a: [g.close("end of the card") for g in a.atomic.groups.open],
            }
        ),
        start_at="10:30:00", account=first.result.account, store=first.store, resume="1",
    )  # fmt: skip
    kept = second.algorithm.kept
    assert kept["stops"] == [(100, levels[0])]
    assert kept["entries"] == 1
    assert not second.holdings()


def test_aoe_48_a_watched_exit_on_the_net_price_of_a_condor(play: Any) -> None:
    """AOE-48 (X7) A condor is closed by its stop on the net price after two sightings.

    Prerequisite: four quoted legs.
    Action: condor at 10:00; a stop that any mark breaches.
    Events: open, two sightings, closing, closed.
    Pass: closed on the second bar after the stop was set, for the named reason; flat.
    """
    played = play(
        Script(
            steps={
                "10:00:00": lambda a: a.condor(),
                "10:05:00": lambda a: a.atomic.protect_group(a.groups["condor"], stop_loss=0.01),
            }
        )
    )
    group = played.algorithm.groups["condor"]
    assert group.is_done
    assert "stop on the net price" in group.reason
    assert not played.holdings()
