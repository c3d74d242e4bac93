"""LEAN's own `liquidate` beside groups, on the engine: what it sells is gone, and nothing is left working."""

from __future__ import annotations

from typing import Any

from card_play import Script

from atomic.vocabulary import Phase


def bracket(a: Any) -> None:
    price = a.securities[a.goog].price
    a.kept["bracket"] = a.atomic.bracket_order(
        a.goog, 100, stop_loss_price=round(price - 20, 2), take_profit_price=round(price + 20, 2)
    )


def test_a_liquidated_bracket_ends_with_its_exits(play: Any) -> None:
    """LEAN cancels the exits one by one and sells: they come back while shares are held, then they go."""
    played = play(Script(steps={"10:00:00": bracket, "10:05:00": lambda a: a.liquidate(a.goog)}))
    a = played.algorithm
    group = a.kept["bracket"]
    assert (group.state, a.held(a.goog)) == (Phase.CLOSED, 0)
    assert not [order for order in group.orders if order.may_fill]
    assert not list(a.transactions.get_open_order_tickets())
    assert [alert.code for alert in a.alerts] == ["moved-by-foreign"]


def test_a_liquidated_condor_is_flat_and_stays_so(play: Any) -> None:
    """The first leg that goes takes the group with it; what LEAN sells afterwards is not sold twice."""
    played = play(Script(steps={"10:00:00": lambda a: a.condor(), "10:30:00": lambda a: a.liquidate()}))
    a = played.algorithm
    assert a.groups["condor"].state is Phase.CLOSED
    assert [a.held(leg) for leg in (a.lp, a.sp, a.sc, a.lc)] == [0, 0, 0, 0]
    assert "holdings-break" not in [alert.code for alert in a.alerts]
