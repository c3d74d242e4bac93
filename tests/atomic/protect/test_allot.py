"""Shares of a whole number: Webster's method, which never takes back."""

from hypothesis import given
from hypothesis import strategies as st

from atomic.protect.allot import webster

shares = st.lists(st.floats(0.05, 10), min_size=1, max_size=5)


@given(st.integers(0, 3000), shares)
def test_webster_splits_all_and_never_takes_back_when_the_entry_grows(total, weights):
    """The split sums to the total, and one contract more never lowers anybody's part."""
    now, more = webster(total, weights), webster(total + 1, weights)

    assert sum(now) == total
    assert all(b >= a for a, b in zip(now, more, strict=True))


@given(st.integers(0, 400), st.lists(st.tuples(st.floats(0.05, 10), st.integers(0, 60)), min_size=1, max_size=5))
def test_webster_never_goes_below_what_was_closed_and_equals_the_step_by_step_method(total, pairs):
    """The fast start gives exactly what awarding one contract after the other gives."""
    weights, floor = [w for w, _ in pairs], [n for _, n in pairs]
    slow = list(floor)
    for _ in range(total - sum(slow)):
        slow[max(range(len(weights)), key=lambda i: (weights[i] / (2 * slow[i] + 1), -i))] += 1

    assert webster(total, weights, floor) == slow
