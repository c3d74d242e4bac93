"""Exits of a whole group on its net price: what the mark is, two sightings, the underlying where there is no mark."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.model import Quote
from atomic.plan.watch import NetExits, unit_profit
from atomic.vocabulary import Phase, Right
from tests.atomic.desk import C, Desk, P, leg, opened

SPREAD = (leg(1, C, 105), leg(-1, C, 110))


def watched(legs: Any = SPREAD, units: int = 2, **exits: float) -> Desk:
    """An open group, bought at 1.20 and sold at 1.00 a leg, with these exits."""
    desk = opened(legs, units)
    return desk.tell(f.Remembered(desk.now, "net", NetExits(**exits).row()["net"]))


def see(desk: Desk, seconds: float, *quotes: tuple[float, float], underlying: float = 0.0) -> Desk:
    """New quotes of all legs (and of the underlying), so many seconds after the start."""
    desk.now = 1000.0 + seconds
    for index, (bid, ask) in enumerate(quotes):
        desk.quote(index, bid, ask)
    if underlying:
        desk.quotes["XYZ"] = Quote(underlying, underlying, underlying, desk.now)
    return desk.pump()


def test_the_mark_is_what_closing_would_bring() -> None:
    """Longs at their bid (nothing without one), shorts at their ask; no mark while a short has none."""
    desk = see(watched(take_profit=9.0), 60, (1.50, 1.70), (0.40, 0.60))

    assert unit_profit(desk.group, desk.quotes) == pytest.approx(1.50 - 0.60 - 0.20)
    see(desk, 120, (0.0, 0.10), (0.40, 0.60))
    assert unit_profit(desk.group, desk.quotes) == pytest.approx(-0.60 - 0.20)
    see(desk, 180, (1.50, 1.70), (0.40, 0.0))
    assert unit_profit(desk.group, desk.quotes) is None


@pytest.mark.parametrize(("exits", "beyond"), [
    ({"stop_loss": 0.5}, ((0.60, 0.70), (0.80, 0.90))),
    ({"take_profit": 0.5}, ((1.50, 1.60), (0.50, 0.60))),
])  # fmt: skip
def test_a_level_counts_when_two_different_quotes_show_it(exits: dict[str, float], beyond: Any) -> None:
    """One of the two levels is enough; a sighting that is not confirmed is forgotten."""
    desk = see(watched(**exits), 60, (1.00, 1.20), (0.90, 1.10))
    see(desk, 120, *beyond)
    desk.pump()
    assert desk.phase is Phase.OPEN
    see(desk, 180, (1.00, 1.20), (0.90, 1.10))
    see(desk, 240, *beyond)
    assert desk.phase is Phase.OPEN
    see(desk, 300, *beyond)

    assert desk.phase is Phase.CLOSED


@pytest.mark.parametrize(("right", "strikes", "near", "said"), [
    (P, (90, 95, 85), (95.5, 95.0), "at or below 95"),
    (C, (110, 105, 115), (104.5, 105.0), "at or above 105"),
])  # fmt: skip
def test_where_a_short_has_no_ask_the_nearest_of_their_strikes_decides(
    right: Right, strikes: tuple[float, ...], near: tuple[float, float], said: str
) -> None:
    """Of two short options without an ask the one that starts to cost first. A person is told once."""
    legs = [leg(ratio, right, strike) for ratio, strike in zip((-1, -1, 2), strikes, strict=True)]
    desk = watched(legs, 1, stop_loss=50.0)
    none = ((0.0, 0.0), (0.0, 0.0), (1.0, 1.2))
    for at in (60, 120):
        see(desk, at, *none, underlying=near[0])
    assert desk.phase is Phase.OPEN
    assert [fact.data["alert"] for fact in desk.group.facts if fact.kind == "noted"] == ["no-mark"]
    for at in (180, 240):
        see(desk, at, *none, underlying=near[1])

    assert desk.phase is Phase.CLOSING
    assert said in desk.group.reason


def test_while_every_short_has_an_ask_only_a_given_level_of_the_underlying_counts() -> None:
    """The strikes stand in for a mark that is missing, not for one that is there."""
    quotes = ((2.0, 2.2), (1.0, 1.2))
    desk = watched(units=1, stop_loss=50.0)
    for at in (60, 120):
        see(desk, at, *quotes, underlying=150.0)
    assert desk.phase is Phase.OPEN
    desk = watched(units=1, underlying_high=112.0)
    for at in (60, 120):
        see(desk, at, *quotes, underlying=112.0)

    assert desk.phase is Phase.CLOSED
