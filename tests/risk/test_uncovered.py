import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from risk import Naked, PayoffLeg, iron_condor_legs, naked, worst_naked

CONDOR = iron_condor_legs(long_put=740, short_put=745, short_call=755, long_call=760, quantity=2)


def leg(right: str, quantity: int, expiry: str = "") -> PayoffLeg:
    return PayoffLeg(right, 100.0, quantity, 1.0 if right == "S" else 100.0, 1.0, expiry)  # type: ignore[arg-type]


def test_a_condor_is_covered_but_its_shorts_alone_are_not() -> None:
    """Filled it has no naked short; while its legs fill in any order both shorts may stand alone."""
    assert not naked(CONDOR)
    assert worst_naked(CONDOR) == Naked(calls=200.0, puts=200.0, shares=0.0)
    assert worst_naked(CONDOR).contracts() == 4.0
    assert not worst_naked(CONDOR, "protected")


def test_cover_must_live_as_long_as_the_short() -> None:
    """A long that expires before the short does not cover it, one that expires with or after it does."""
    assert naked([leg("C", -1, "2026-02-20"), leg("C", 1, "2026-01-16")]).calls == 100.0
    assert naked([leg("C", -1, "2026-01-16"), leg("C", 1, "2026-02-20")]).calls == 0.0
    assert naked([leg("P", -1, "2026-01-16"), leg("P", 1, "2026-01-16")]).puts == 0.0


def test_shares_cover_calls_and_short_shares_cover_puts() -> None:
    """Long shares cover short calls only, short shares cover short puts, long calls cover short shares."""
    assert not naked([leg("S", 100), leg("C", -1)])
    assert naked([leg("S", 100), leg("C", -2)]).calls == 100.0
    assert naked([leg("S", 100), leg("P", -1)]).puts == 100.0
    assert naked([leg("S", -100), leg("P", -1)]) == Naked(calls=0.0, puts=0.0, shares=100.0)
    assert not naked([leg("S", -100), leg("C", 1)])


LEGS = st.lists(
    st.builds(
        leg, st.sampled_from("CP"), st.integers(-2, 2).filter(bool), st.sampled_from(["2026-01", "2026-02", "2026-03"])
    ),
    max_size=6,
)


def uncovered_by_search(legs: list[PayoffLeg], right: str) -> float:
    """Try each assignment of single long contracts to single short contracts."""
    longs = [one.expiry for one in legs if one.right == right and one.quantity > 0 for _ in range(one.quantity)]
    shorts = [one.expiry for one in legs if one.right == right and one.quantity < 0 for _ in range(-one.quantity)]

    def most(index: int, free: tuple[str, ...]) -> int:
        if index == len(shorts):
            return 0
        best = most(index + 1, free)
        for position, expiry in enumerate(free):
            if expiry >= shorts[index]:
                best = max(best, 1 + most(index + 1, free[:position] + free[position + 1 :]))
                break
        return best

    found = max((most(0, order) for order in set(itertools.permutations(longs))), default=0)
    return 100.0 * (len(shorts) - found)


@settings(max_examples=150, deadline=None)
@given(LEGS.filter(lambda legs: sum(abs(one.quantity) for one in legs) <= 7))
def test_cover_is_matched_as_well_as_any_search_finds(legs: list[PayoffLeg]) -> None:
    """No assignment of longs to shorts leaves fewer shorts uncovered."""
    found = naked(legs)
    assert (found.calls, found.puts) == (uncovered_by_search(legs, "C"), uncovered_by_search(legs, "P"))
