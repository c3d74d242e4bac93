"""Cover as linear inequalities, against matching contract by contract."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomic.model import LegSpec, LegState
from atomic.plan.cover import covered_units, movable, shape_of_legs, slack
from atomic.vocabulary import Right
from tests.atomic.desk import C, P, S, condor, leg

EXPIRIES = ("2015-12-24", "2016-01-15", "2016-02-19")


def states(legs: tuple[LegSpec, ...], nets: tuple[int, ...]) -> list[LegState]:
    """Legs that hold these nets and have nothing working."""
    return [LegState(spec, net=net) for spec, net in zip(legs, nets, strict=True)]


def naked_by_matching(legs: tuple[LegSpec, ...], nets: tuple[int, ...], right: Right) -> int:
    """Uncovered shorts of one right, in contracts: pair each short with the shortest-lived long that covers it."""
    longs = sorted(
        spec.expiry for spec, net in zip(legs, nets, strict=True) if spec.right is right for _ in range(max(0, net))
    )
    naked = 0
    shorts = sorted(
        spec.expiry for spec, net in zip(legs, nets, strict=True) if spec.right is right for _ in range(max(0, -net))
    )
    for expiry in reversed(shorts):  # the longest-lived short has the smallest choice
        fitting = [other for other in longs if other >= expiry]
        if fitting:
            longs.remove(fitting[-1])
        else:
            naked += 1
    return naked


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_the_inequalities_agree_with_matching_contract_by_contract(data: st.DataObject) -> None:
    """For options of one right over three expiries: the worst line's deficit is the number of naked contracts."""
    count = data.draw(st.integers(2, 6))
    legs = tuple(
        replace(leg(data.draw(st.sampled_from([-2, -1, 1, 2])), C, 100 + i, data.draw(st.sampled_from(EXPIRIES))))
        for i in range(count)
    )
    # every leg stands on the side it was asked for
    nets = tuple(data.draw(st.integers(0, 4)) * (1 if spec.ratio > 0 else -1) for spec in legs)
    shape = shape_of_legs(legs)

    worst = max((-slack(line, states(legs, nets), 0) for line in shape.lines), default=0.0)

    assert max(0.0, worst) / 100 == naked_by_matching(legs, nets, C)


def test_a_condor_has_one_line_for_each_side() -> None:
    """Puts and calls are covered apart, and nothing is naked."""
    shape = shape_of_legs(condor())

    assert len(shape.lines) == 2
    assert not shape.naked
    assert shape.longs == (1, 3)
    assert shape.shorts == (0, 2)
    assert [len(numbers) for numbers in shape.sale_lines] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("legs", "allowance"),
    [
        ((leg(-1, C, 105), leg(-1, P, 95)), [100.0, 100.0]),
        ((leg(1, C, 105), leg(-2, C, 110)), [100.0]),
        ((leg(2, C, 105), leg(-1, C, 110)), [0.0]),
        ((leg(-1, P, 95), leg(-1, C, 105), leg(1, C, 110)), [0.0, 100.0]),
        ((leg(100, S), leg(-1, C, 105)), [0.0]),
        ((leg(100, S), leg(1, P, 95), leg(-1, C, 105)), [0.0]),
        ((leg(-100, S), leg(-1, P, 95)), [100.0, 0.0]),
        ((leg(-100, S), leg(1, C, 105)), [0.0]),
    ],
)
def test_what_a_structure_leaves_naked_itself(legs: tuple[LegSpec, ...], allowance: list[float]) -> None:
    """Shares per unit, line by line (calls first)."""
    assert [line.allowance for line in shape_of_legs(legs).lines] == allowance


def test_long_shares_do_not_cover_a_put() -> None:
    """Nor do they make it worse."""
    legs = (leg(100, S), leg(-1, P, 95), leg(-1, C, 105))
    shape = shape_of_legs(legs)
    puts = shape.lines[1]

    assert slack(puts, states(legs, (100, -1, 0)), 0) == -100
    assert slack(puts, states(legs, (-100, -1, 0)), 0) == 0


def test_what_may_sell_counts_as_sold_and_what_may_buy_does_not_count() -> None:
    """Safety is judged with everything that may fill."""
    legs = (leg(1, C, 110), leg(-1, C, 105))
    shape = shape_of_legs(legs)
    group = states(legs, (2, -1))
    assert slack(shape.lines[0], group, 0) == 100
    group[1].selling = 1
    assert slack(shape.lines[0], group, 0) == 0
    group[0].selling = 1
    assert slack(shape.lines[0], group, 0) == -100
    group[0].buying = group[1].buying = 5
    assert slack(shape.lines[0], group, 0) == -100


def test_sales_of_one_answer_share_the_slack() -> None:
    """Two longs cover one short: one of them may go, not both."""
    legs = (leg(1, C, 110), leg(1, C, 115), leg(-1, C, 105))
    shape, group, room = shape_of_legs(legs), states(legs, (1, 1, -1)), dict[int, float]()

    assert movable(shape, group, 0, -1, room, 0, False) == -1
    assert movable(shape, group, 1, -1, room, 0, False) == 0


def test_purchases_of_shorts_are_always_free() -> None:
    """Nothing is uncovered by buying, except where short shares cover a put."""
    legs = (leg(-100, S), leg(-1, P, 95))
    shape = shape_of_legs(legs)

    assert movable(shape, states(legs, (-100, -1)), 1, 1, {}, 0, False) == 1
    assert movable(shape, states(legs, (-100, -1)), 0, 100, {}, 0, False) == 0
    assert movable(shape, states(legs, (-100, 0)), 0, 100, {}, 0, False) == 100


def test_opening_scales_the_naked_part_with_the_filled_covers() -> None:
    """A ratio spread of which one long of three has filled may sell two."""
    legs = (leg(1, C, 105), leg(-2, C, 110))
    shape, group = shape_of_legs(legs), states((legs), (1, 0))

    assert covered_units(shape.lines[0], group, 3) == 1
    assert movable(shape, group, 1, -6, {}, 3, True) == -2
    assert movable(shape, group, 1, -6, {}, 3, False) == -4  # as if all three units stood


def test_without_covers_all_that_was_asked_for_may_be_sold() -> None:
    """A short strangle."""
    legs = (leg(-1, C, 105), leg(-1, P, 95))
    shape = shape_of_legs(legs)

    assert movable(shape, states(legs, (0, 0)), 0, -3, {}, 3, True) == -3
