"""Two executors of one algorithm in one contract, on the engine: each keeps its own share."""

from __future__ import annotations

from typing import Any

from card_play import Script

from atomic import AtomicOrderExecutor


def start_other(a: Any) -> None:
    """A second executor, wired as the first one."""
    a.other = AtomicOrderExecutor(a, name="other")
    a.other_alerts = []
    a.other.on_alert(a.other_alerts.append)


def wired(**script: Any) -> Script:
    return Script(
        setup=start_other,
        on_order_event=lambda a, event: a.other.on_order_event(event),
        on_data=lambda a, slice: a.other.on_data(slice),
        **script,
    )


def long(a: Any) -> None:
    price = a.securities[a.goog].price
    a.kept["long"] = a.atomic.bracket_order(
        a.goog, 100, stop_loss_price=round(price - 20, 2), take_profit_price=round(price + 20, 2)
    )


def short(a: Any) -> None:
    price = a.securities[a.goog].price
    a.kept["short"] = a.other.bracket_order(
        a.goog, -100, stop_loss_price=round(price + 20, 2), take_profit_price=round(price - 20, 2)
    )


def look(a: Any) -> None:
    a.kept["seen"] = [
        (a.kept[side].open_quantity, a.kept[side].is_protected, sorted(abs(o.leaves_qty) for o in a.kept[side].stops))
        for side in ("long", "short")
    ]
    a.kept["account"] = a.held(a.goog)
    a.kept["shown"] = [{o.tag.split("-")[1] for o in e.shell.gateway.open_orders()} for e in (a.atomic, a.other)]


def close(a: Any) -> None:
    a.kept["long"].close("done")
    a.kept["halved"] = a.held(a.goog), a.kept["short"].open_quantity
    a.kept["short"].close("done")


def test_the_trade_of_another_executor_takes_nothing_from_a_group(play: Any) -> None:
    """One holds a hundred shares, the other sells a hundred short: both stay protected, and each closes its own."""
    played = play(wired(steps={"10:00:00": long, "10:05:00": short, "10:10:00": look, "10:20:00": close}))
    kept, a = played.algorithm.kept, played.algorithm
    assert kept["seen"] == [(100, True, [100]), (-100, True, [100])]
    assert (kept["account"], kept["halved"]) == (0, (-100, -100))
    assert kept["shown"] == [{"card"}, {"other"}], "open orders of the other one are not looked at"
    assert a.held(a.goog) == 0
    codes = [alert.code for alert in (*a.alerts, *a.other_alerts)]
    assert not {"moved-by-foreign", "holdings-break", "exit-excess"} & set(codes), codes


def test_a_contract_that_two_executors_trade_is_named(play: Any) -> None:
    """Assignments and restarts cannot tell whose share moved: one alert says so, with the cure."""
    played = play(wired(steps={"10:00:00": long, "10:05:00": short, "10:10:00": short}))
    told = [alert for alert in played.algorithm.other_alerts if alert.code == "shared-contract"]
    assert len(told) == 1
    assert "Share one executor" in told[0].text
    assert not [alert for alert in played.algorithm.alerts if alert.code == "shared-contract"]
