"""Margin of each strategy, computed by hand from LEAN's rule; what orders take and free."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.margin import (
    Group,
    Holding,
    Instrument,
    MarginNotModelledError,
    contemplate,
    impact_delta,
    initial_margin,
    is_group_order,
    maintenance_margin,
    margin_delta,
    margin_used,
    order_initial,
    resolve,
    strategy_groups,
)

NEAR, FAR = "2015-12-24", "2015-12-31"
SHARES = 100.0  # price of the underlying in all examples


def option(text: str, price: float = 2.0, *, index: bool = False, bid: float = 0.0, ask: float = 0.0) -> Instrument:
    """`C 105` or `P 95 far`."""
    right, strike, *far = text.split()
    return Instrument(
        text, "XYZ", is_option=True, is_equity_option=not index, right=right, strike=float(strike),
        expiry=FAR if far else NEAR, multiplier=100.0, unit=100.0, price=price, bid=bid, ask=ask,
        underlying_price=SHARES,
    )  # fmt: skip


STOCK = Instrument("XYZ", "XYZ", price=SHARES)


def book(*holdings: tuple[Instrument, float]) -> list[Holding]:
    return [Holding(*holding) for holding in holdings]


def only(holdings: list[Holding]) -> Group:
    groups = resolve(holdings)
    assert len(groups) == 1, groups
    return groups[0]


@pytest.mark.parametrize(
    ("holdings", "name", "held", "opening", "premium"),
    [
        # a naked call: its value + the larger of 10 % of the shares and 20 % less what it is out of the money
        (book((option("C 105", 2.0), -1)), "Naked Call", 200 + 1500, 1700, -200),
        (book((option("C 115", 0.5), -2)), "Naked Call", 100 + 2 * 1000, 2100, -100),
        (book((option("P 90", 1.0), -1)), "Naked Put", 100 + 1000, 1100, -100),
        (book((option("P 85", 1.0), -1)), "Naked Put", 100 + 850, 950, -100),
        (book((option("C 105", 2.0, index=True), -1)), "Naked Call", 200 + 1000, 1200, -200),
        (book((option("C 102", 2.0, index=True), -1)), "Naked Call", 200 + 1300, 1500, -200),
        (book((option("C 105", 2.0), 3)), "Naked Call", 0, 0, 600),
        # spreads: the width where it can be lost, nothing where it was paid
        (book((option("C 105", 2), -1), (option("C 110", 1), 1)), "Bear Call Spread", 500, 500, -100),
        (book((option("C 105", 2), 2), (option("C 110", 1), -2)), "Bull Call Spread", 0, 0, 200),
        (book((option("P 95", 2), -2), (option("P 90", 1), 2)), "Bull Put Spread", 1000, 1000, -200),
        (book((option("P 95", 2), 1), (option("P 90", 1), -1)), "Bear Put Spread", 0, 0, 100),
        # two-sided: the larger naked margin and the other's premium
        (book((option("C 105", 2), 1), (option("P 95", 1), 1)), "Strangle", 0, 0, 300),
        (book((option("C 100", 2), 1), (option("P 100", 1), 1)), "Straddle", 0, 0, 300),
        (book((option("C 105", 2), -1), (option("P 95", 1), -1)), "Short Strangle", 1700 + 100, 1800, -300),
        (book((option("C 105", 1), -1), (option("P 95", 2), -1)), "Short Strangle", 1700 + 100, 1800, -300),
        (book((option("C 100", 3), -1), (option("P 100", 2), -1)), "Short Straddle", 2300 + 200, 2500, -500),
        # condors and butterflies: the put side alone, whatever the call side
        (
            book((option("P 90", 1), 1), (option("P 95", 2), -1), (option("C 105", 2), -1), (option("C 115", 1), 1)),
            "Iron Condor", 500, 500, -200,
        ),
        (
            book((option("P 90", 1), 3), (option("P 100", 2), -3), (option("C 100", 2), -3), (option("C 110", 1), 3)),
            "Iron Butterfly", 3000, 3000, -600,
        ),
        (
            book((option("P 90", 1), -1), (option("P 95", 2), 1), (option("C 105", 2), 1), (option("C 110", 1), -1)),
            "Short Iron Condor", 0, 0, 200,
        ),
        (
            book((option("P 90", 1), -1), (option("P 100", 2), 1), (option("C 100", 2), 1), (option("C 110", 1), -1)),
            "Short Iron Butterfly", 0, 0, 200,
        ),
        (book((option("C 95"), 1), (option("C 100"), -2), (option("C 105"), 1)), "Butterfly Call", 0, 0, 0),
        (book((option("P 95"), 1), (option("P 100"), -2), (option("P 105"), 1)), "Butterfly Put", 0, 0, 0),
        (
            book((option("C 95"), -2), (option("C 100"), 4), (option("C 105"), -2)),
            "Short Butterfly Call", 1000, 1000, 0,
        ),
        (book((option("P 95"), -1), (option("P 100"), 2), (option("P 105"), -1)), "Short Butterfly Put", 500, 500, 0),
        # calendars: nothing for the long, the naked short for the short one
        (book((option("C 100", 2), -1), (option("C 100 far", 3), 1)), "Call Calendar Spread", 0, 0, 100),
        (book((option("P 100", 2), -1), (option("P 100 far", 3), 1)), "Put Calendar Spread", 0, 0, 100),
        (book((option("C 105", 2), 1), (option("C 105 far", 3), -1)), "Short Call Calendar Spread", 1800, 1800, -100),
        (book((option("P 95", 2), 1), (option("P 95 far", 3), -1)), "Short Put Calendar Spread", 1800, 1800, -100),
        # with shares (half of 10,000 dollars for a hundred)
        (book((STOCK, 100), (option("C 105", 2), -1)), "Covered Call", 5000, 160 + 5000, -200),
        (book((STOCK, 100), (option("C 90", 11), -1)), "Covered Call", 1000 + 4500, 880 + 5000, -1100),
        (book((STOCK, -100), (option("C 105", 2), 1)), "Protective Call", 1050 + 500, 5000, 200),
        (book((STOCK, 100), (option("P 95", 2), 1)), "Protective Put", 950 + 500, 5000, 200),
        (book((STOCK, 100), (option("P 50", 1), 1)), "Protective Put", 5000, 5000, 100),
        (book((STOCK, -100), (option("P 105", 6), -1)), "Covered Put", 5000 + 500, 5500, -600),
        (
            book((STOCK, 100), (option("C 105", 2), -1), (option("P 95", 1), 1)),
            "Protective Collar", min(9.5 + 5, 26.25) * 100, 5000, -100,
        ),
        (
            book((STOCK, -200), (option("C 95", 6), 2), (option("P 90", 1), -2)),
            "Protective Collar", min(9.0 + 10, 23.75) * 200, 10_000 + 1000, 1000,
        ),
        (book((STOCK, 100), (option("C 95", 6), -1), (option("P 95", 1), 1)), "Conversion", 950 + 500, 5500, -500),
        (
            book((STOCK, -100), (option("C 105", 1), 1), (option("P 105", 6), -1)),
            "Reverse Conversion", 1050 + 500, 5500, -500,
        ),
        # boxes, rolls, ladders
        (
            book((option("P 110"), 1), (option("P 90"), -1), (option("C 90"), 1), (option("C 110"), -1)),
            "Box Spread", 0, 0, 0,
        ),
        (
            book(
                (option("P 110", 10, bid=9.8, ask=10.4), -1), (option("P 90", 1, bid=0.9, ask=1.1), 1),
                (option("C 90", 11, bid=10.8, ask=11.5), -1), (option("C 110", 1, bid=0.8, ask=1.2), 1),
            ),
            "Short Box Spread", 1.02 * (4 + (11.5 - 0.8 + 10.4 - 0.9) * 100), 1.02 * (4 + 2020), -1900,
        ),
        (
            book((option("C 100"), -1), (option("C 100 far"), 1), (option("P 100"), 1), (option("P 100 far", 3), -1)),
            "Jelly Roll", 300 + 2000, 2300, -100,
        ),
        (
            book((option("C 100"), 1), (option("C 100 far", 3), -1), (option("P 100"), -1), (option("P 100 far"), 1)),
            "Short Jelly Roll", 300 + 2000, 2300, -100,
        ),
        (book((option("C 95"), -1), (option("C 100"), 1), (option("C 110"), 1)), "Bear Call Ladder", 500, 500, 200),
        (book((option("P 105"), -1), (option("P 100"), 1), (option("P 90"), 1)), "Bull Put Ladder", 500, 500, 200),
        (
            book((option("C 95"), 1), (option("C 100"), -1), (option("C 110"), -1)),
            "Bull Call Ladder", 200 + 1000, 1200, -200,
        ),
        (
            book((option("P 105"), 1), (option("P 100"), -1), (option("P 90"), -1)),
            "Bear Put Ladder", 200 + 1000, 1200, -200,
        ),
        # shares on their own
        (book((STOCK, 100)), "", 5000, 5000, 0),
        (book((STOCK, -100)), "", 5000, -5000, 0),
    ],
)  # fmt: skip
def test_margin_by_hand(holdings: list[Holding], name: str, held: float, opening: float, premium: float) -> None:
    """Margin to hold, margin to open and premium of each strategy, by the rule that its line shows."""
    group = only(holdings)
    assert group.name == name
    assert maintenance_margin(group) == pytest.approx(held)
    needed = initial_margin(group)
    assert needed.value == pytest.approx(opening)
    assert needed.premium == pytest.approx(premium)
    assert needed.total == pytest.approx(opening + max(premium, 0))


def test_a_strategy_without_a_rule_stops_with_leans_words() -> None:
    """LEAN knows backspreads by name only."""
    group = Group("Call Backspread", (Holding(option("C 100"), -1), Holding(option("C 105"), 2)), 1.0)
    for ask in (maintenance_margin, initial_margin):
        with pytest.raises(
            MarginNotModelledError, match="Option strategy Call Backspread margin modeling has yet to be"
        ):
            ask(group)


def test_without_a_price_there_is_no_margin() -> None:
    """A contract or underlying that has no price yet reserves nothing, as in LEAN."""
    unpriced = option("C 105", 0.0)
    assert margin_used(resolve(book((unpriced, -1)))) == 0.0
    stray = Instrument("c", "XYZ", is_option=True, right="C", strike=105.0, multiplier=100.0, unit=100.0, price=2.0)
    assert margin_used(resolve(book((stray, -1)))) == 0.0


def test_odd_shares_beside_a_covered_call_are_margined_on_their_own() -> None:
    """Of 150 shares a hundred cover the call; fifty stand alone."""
    groups = resolve(book((STOCK, 150), (option("C 105"), -1)))
    assert [(g.name, [h.quantity for h in g.holdings]) for g in groups] == [
        ("Covered Call", [-1.0, 100.0]),
        ("", [50.0]),
    ]
    assert margin_used(groups) == 5000 + 2500


def test_first_order_of_an_empty_book_is_judged_on_its_own() -> None:
    """One order on an empty account: no group; with its fee and LEAN's sign."""
    short = option("C 105")
    assert not is_group_order([], book((short, -1)))
    assert order_initial(short, -1, -200.0, 1.0) == -1701.0
    assert order_initial(short, 2, 400.0, 1.3) == 401.3
    assert order_initial(STOCK, -100, -10_000.0, 1.0) == -5001.0
    assert not is_group_order(resolve(book((short, -1))), book((Instrument("ABC", "ABC", price=10.0), 5)))


def test_wings_first_frees_and_shorts_first_takes() -> None:
    """Selling under a wing takes the width; selling the wing from under the short takes the naked margin."""
    wing, short = option("C 110", 1.0), option("C 105", 2.0)
    held = resolve(book((wing, 1)))
    assert margin_delta(held, book((short, -1))) == 500.0
    both = resolve(book((wing, 1), (short, -1)))
    assert margin_delta(both, book((wing, -1))) == 1700.0 - 500.0
    assert margin_delta(both, book((short, 1))) == -500.0 + 200.0
    assert margin_delta(both, book((short, 1), (wing, -1))) == -500.0 + 100.0


def test_premium_counts_only_when_it_is_paid() -> None:
    """A debit of the order is added to what its groups need; a credit is not taken off."""
    held = resolve(book((STOCK, 100)))
    assert margin_delta(held, book((option("C 105", 2.0), 1))) == 200.0
    assert margin_delta(held, book((option("C 105", 2.0), -1))) == pytest.approx(160 + 5000 - 5000)


def test_closing_everything_is_free() -> None:
    """An order that leaves nothing of an underlying makes an empty group and frees what was held."""
    short = option("C 105")
    held = resolve(book((short, -2)))
    impact = contemplate(held, book((short, 2)))
    assert impact.grouped
    assert impact_delta(impact) == -3400.0 + 400.0


CONTRACTS = [option(f"{right} {strike}", price=1.0 + index) for index, (right, strike) in enumerate(
    (right, strike) for right in "CP" for strike in (90, 95, 100, 105, 110)
)]  # fmt: skip
POSITIONS = st.dictionaries(st.sampled_from(range(len(CONTRACTS) + 1)), st.integers(-3, 3).filter(bool), max_size=6)


def holdings_of(positions: dict[int, int]) -> list[Holding]:
    return [
        Holding(CONTRACTS[index], quantity) if index < len(CONTRACTS) else Holding(STOCK, quantity * 100)
        for index, quantity in positions.items()
    ]


@settings(max_examples=300)
@given(POSITIONS)
def test_groups_hold_exactly_what_is_held(positions: dict[int, int]) -> None:
    """Resolving a book into groups loses and invents nothing, and no group reserves a negative margin."""
    total: dict[object, float] = {}
    for group in resolve(holdings_of(positions)):
        for holding in group.holdings:
            total[holding.instrument.key] = total.get(holding.instrument.key, 0.0) + holding.quantity
        assert maintenance_margin(group) >= 0
    assert total == {h.instrument.key: h.quantity for h in holdings_of(positions)}


@settings(max_examples=300)
@given(POSITIONS, st.randoms())
def test_margin_does_not_depend_on_the_order_of_the_book(positions: dict[int, int], random: Random) -> None:
    """The same holdings in another order reserve the same."""
    holdings = holdings_of(positions)
    once = margin_used(resolve(holdings))
    random.shuffle(holdings)
    assert margin_used(resolve(holdings)) == pytest.approx(once)


PARTS = st.lists(st.tuples(st.integers(0, 2), st.integers(-2, 2)), max_size=5)


@settings(max_examples=500)
@given(PARTS, PARTS)
def test_orders_are_grouped_exactly_when_they_leave_a_group(
    held: list[tuple[int, int]], ordered: list[tuple[int, int]]
) -> None:
    """Whether LEAN looks at groups: when any strategy, or an empty group, comes out of what is held and ordered."""

    def holdings(parts: list[tuple[int, int]]) -> list[Holding]:
        total: dict[int, int] = {}
        for index, quantity in parts:
            total[index] = total.get(index, 0) + quantity
        return [
            Holding(CONTRACTS[index], quantity) if index else Holding(STOCK, quantity * 50)
            for index, quantity in total.items()
            if quantity
        ]

    groups, orders = resolve(holdings(held)), holdings(ordered)
    together = [*orders, *(h for g in groups for h in g.holdings)] if orders else []
    expected = bool(orders) and not (not groups and len(orders) == 1) and bool(strategy_groups(together))
    assert contemplate(groups, orders).grouped == expected
