"""Prices: ladder and grid, net limit of the unit, cost budget."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomic import facts as f
from atomic.model import LegState, Quote
from atomic.plan.price import budget_price, fair, ladder_price, natural, on_grid, through
from atomic.policy import Ladder, Policy
from atomic.vocabulary import Phase
from tests.atomic.desk import C, Desk, P, S, condor, leg

CALL, SHARES = leg(1, C, 105), leg(100, S)


@pytest.mark.parametrize(
    ("price", "tick", "side", "expected"),
    [
        (1.07, 0.05, 1, 1.05), (1.07, 0.05, -1, 1.10), (1.10, 0.05, 1, 1.10), (1.10, 0.05, -1, 1.10),
        (0.01, 0.05, 1, 0.05), (0.0, 0.05, -1, 0.05), (0.1 + 0.2, 0.1, 1, 0.3), (0.1 + 0.2, 0.1, -1, 0.3),
    ],
)  # fmt: skip
def test_a_price_on_the_grid_is_never_worse_than_asked_for(
    price: float, tick: float, side: int, expected: float
) -> None:
    """A buy rounds down, a sale up, one tick at least."""
    assert on_grid(price, tick, side) == expected


def test_the_natural_price_of_an_option_needs_its_side() -> None:
    """Shares fall back to the last price when the data has no quotes at all; options never do."""
    assert natural(Quote(1.0, 1.2, 5.0, 0.0), 1, CALL) == 1.2
    assert natural(Quote(1.0, 1.2, 5.0, 0.0), -1, CALL) == 1.0
    assert natural(Quote(0.0, 0.0, 5.0, 0.0), -1, CALL) == 0.0
    assert natural(Quote(0.0, 0.0, 5.0, 0.0), -1, SHARES) == 5.0
    assert natural(Quote(0.0, 5.1, 5.0, 0.0), -1, SHARES) == 0.0


def test_rung_prices_walk_from_mid_to_natural() -> None:
    """Both sides; a one-sided market starts where it can."""
    ladder = Ladder(steps=2)
    quote = Quote(1.0, 1.4, 0.0, 0.0)

    assert [ladder_price(ladder, rung, 1, quote, CALL) for rung in range(3)] == [1.2, 1.3, 1.4]
    assert [ladder_price(ladder, rung, -1, quote, CALL) for rung in range(3)] == [1.2, 1.1, 1.0]
    assert ladder_price(ladder, 0, 1, Quote(0.0, 0.10, 0.0, 0.0), CALL) == 0.05
    assert ladder_price(ladder, 0, -1, Quote(1.0, 0.0, 0.0, 0.0), CALL) == 1.0
    assert ladder_price(ladder, 0, 1, Quote(1.0, 0.0, 0.0, 0.0), CALL) == 0.0


def test_a_stand_in_for_a_market_order_goes_through_the_natural_price() -> None:
    """By so many ticks; a sale never below one tick."""
    assert through(Quote(1.0, 1.2, 0.0, 0.0), 1, CALL, 2) == 1.22
    assert through(Quote(0.02, 0.05, 0.0, 0.0), -1, CALL, 5) == 0.01
    assert through(Quote(0.0, 0.05, 0.0, 0.0), -1, CALL, 5) == 0.0


def test_fair_is_mid_or_what_is_known() -> None:
    """Half the ask of a one-sided market."""
    assert fair(Quote(1.0, 1.2, 0.0, 0.0)) == pytest.approx(1.1)
    assert fair(Quote(0.0, 0.1, 0.0, 0.0)) == 0.05
    assert fair(Quote(1.0, 0.0, 1.3, 0.0)) == 1.3


@pytest.mark.parametrize(
    ("net", "avg", "quantity", "price", "left", "expected"),
    [
        (2, 1.2, -2, 1.15, 20.0, 1.15),  # 10 dollars lost of 20: as asked
        (2, 1.2, -2, 0.50, 20.0, 1.10),  # 20 dollars over 200 shares: ten cents below what was paid
        (2, 1.2, -2, 0.50, -20.0, 1.30),  # overdrawn: it would have to earn
        (-1, 1.0, 1, 1.50, 20.0, 1.20),
        (-1, 1.0, 1, 1.10, 20.0, 1.10),
    ],
)
def test_the_budget_moves_a_price_only_as_far_as_it_must(
    net: int, avg: float, quantity: int, price: float, left: float, expected: float
) -> None:
    """Average cost plus or minus what is left, per share."""
    assert budget_price(LegState(CALL, net=net, avg=avg), quantity, price, left) == pytest.approx(expected)


# --- the net limit, as a property ---------------------------------------------------------------------------

CENTS = st.integers(1, 300)
QUOTES = st.tuples(CENTS, st.integers(1, 40)).map(lambda x: (x[0] / 100, (x[0] + x[1]) / 100))
STRUCTURES = {
    "condor": condor(),
    "debit": (leg(1, C, 105), leg(-1, C, 110)),
    "ratio": (leg(1, C, 105), leg(-2, C, 110)),
    "strangle": (leg(1, C, 105), leg(1, P, 95)),
    "covered": (leg(100, S), leg(-1, C, 110)),
}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_fills_in_whatever_order_the_unit_never_costs_more_than_its_limit(data: Any) -> None:
    """Random quotes at every step, partial fills at the limit or better, any ladder, any sequence."""
    legs = STRUCTURES[data.draw(st.sampled_from(sorted(STRUCTURES)))]
    limit = data.draw(st.integers(-300, 300)) / 100
    policy = Policy(
        ladder=Ladder(
            steps=data.draw(st.integers(1, 3)), first=data.draw(st.sampled_from(["mid", "natural", "market"])),
            step_seconds=1.0, last=data.draw(st.sampled_from(["market", "natural"])),
        ),
        sequence=data.draw(st.sampled_from(["protected", "together"])),
        allow_naked=True,
    )  # fmt: skip
    desk = Desk(legs, 2, policy=policy, limit_net=limit)

    def answer(order: Any) -> list[Any]:
        facts: list[Any] = [f.Accepted(desk.now, order.number)]
        if order.purpose != "open":
            return [*facts, f.Filled(desk.now, order.number, order.order_qty, 1.0, 0.0)]
        part = data.draw(st.integers(0, order.order_qty))
        better = data.draw(st.integers(0, 1)) * order.side * 0.01
        if part:
            facts.append(f.Filled(desk.now, order.number, part, order.limit - better, 0.0))
        return facts

    desk.script = answer
    for second in range(6):
        desk.now = 1000.0 + second
        for index in range(len(legs)):
            bid, ask = data.draw(QUOTES)
            desk.quote(index, bid, ask)
        if second:
            desk.pump()
        else:
            desk.open()
        for order in list(desk.group.live.values()):
            if data.draw(st.booleans()):
                rest = data.draw(st.integers(order.cum_qty, order.order_qty))
                if rest > order.cum_qty:
                    avg = (order.avg_px * order.cum_qty + order.limit * (rest - order.cum_qty)) / rest
                    f.apply(desk.group, f.Filled(desk.now, order.number, rest, avg, 0.0))
        desk.pump()

    assert all(str(order.type) == "limit" for order in desk.sent if order.purpose == "open")
    if desk.phase is Phase.OPEN:
        scale = 100.0
        assert sum(state.cost for state in desk.group.legs) / scale / 2 <= limit + 1e-6
