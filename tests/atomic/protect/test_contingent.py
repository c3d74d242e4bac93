"""One cancels other, one updates other, one triggers other, over ordinary orders."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomic import facts as f
from atomic.diff import Cancel, Replace
from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.plan.terms import Env
from atomic.policy import Policy
from atomic.protect.allot import webster
from atomic.protect.contingent import Member, exits_row
from atomic.rules import RULES
from atomic.vocabulary import ChildType, Kind, Phase, Purpose, Right

A, B = "A R735QTJ8XC9X", "B R735QTJ8XC9X"
CONTINGENT = RULES[Kind.CONTINGENT]


class Set:
    """A contingent group and a venue that answers at once."""

    def __init__(self, form: str, *members: Member, refuse: set[int] = frozenset()) -> None:
        legs = tuple(LegSpec(s, 1, Right.SHARE, underlying=s, multiplier=1.0) for s in (A, B))
        self.group = new_group(
            GroupSpec("s-000001", Kind.CONTINGENT, form, legs, 1, 0.0, Policy(), exits_row(form, list(members)))
        )
        self.refuse = refuse
        self.tell(f.Opening(0.0))

    def tell(self, *facts: Any) -> None:
        for fact in facts:
            f.apply(self.group, fact)
        quotes = {s: Quote(10.0, 10.1, 10.0, 0.0) for s in (A, B)}
        for _ in range(100):
            found = CONTINGENT.decisions(self.group, 0.0, quotes, Env())
            for fact in found:
                f.apply(self.group, fact)
            if found:
                continue
            wanted = CONTINGENT.desired_orders(self.group, 0.0, quotes, Env())
            commands = CONTINGENT.commands(self.group, wanted, 0.0, Env())
            todo = [c for c in commands if isinstance(c, (f.Intended, Cancel, Replace))]
            if not todo:
                return
            for command in todo:
                self.carry_out(command)
        raise AssertionError("does not settle")

    def carry_out(self, command: Any) -> None:
        if isinstance(command, f.Intended):
            number = command.order
            f.apply(self.group, command)
            f.apply(self.group, f.Sent(0.0, number))
            refused = command.purpose is Purpose.ENTRY and command.rung in self.refuse
            f.apply(self.group, f.Rejected(0.0, number, "margin", "no") if refused else f.Accepted(0.0, number))
        elif isinstance(command, Cancel):
            f.apply(self.group, f.CancelAsked(0.0, command.number, command.why))
            f.apply(self.group, f.Canceled(0.0, command.number))
        else:
            terms = (0.0, command.number, command.quantity, command.limit, command.stop)
            f.apply(self.group, f.ReplaceAsked(*terms))
            f.apply(self.group, f.Replaced(*terms))

    def fill(self, rung: int, quantity: int, purpose: Purpose = Purpose.ENTRY) -> None:
        orders = [o for o in self.group.orders.values() if o.purpose is purpose and o.rung == rung]
        self.tell(f.Filled(0.0, orders[-1].number, orders[-1].cum_qty + quantity, 10.0, 0.0))

    @property
    def live(self) -> list[tuple[str, int, int]]:
        return sorted((str(o.purpose), o.rung, o.leaves_qty * o.side) for o in self.group.live.values())

    @property
    def nets(self) -> list[int]:
        return [leg.net for leg in self.group.legs]


def limit(leg: int, quantity: int) -> Member:
    return Member(leg, quantity, ChildType.LIMIT, limit=9.0)


def test_oco_the_first_fill_even_partial_cancels_the_other_and_keeps_its_rest():
    """The winner works on, the loser goes."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    assert orders.live == [("entry", 0, 10), ("entry", 1, 10)]
    orders.fill(0, 3)

    assert orders.live == [("entry", 0, 7)]


def test_oco_what_the_loser_filled_on_the_way_is_reversed():
    """Both fill: the second one's fill goes back at market."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    orders.fill(1, 4)

    assert orders.live == [("excess", 1, -4)]
    orders.fill(1, 4, Purpose.EXCESS)
    assert orders.nets == [10, 0]
    assert orders.group.phase is Phase.OPEN


def test_oco_a_member_refused_before_anything_filled_takes_the_placement_back():
    """All or none at placement: the other member is cancelled and the set ends rolled back."""
    orders = Set("oco", limit(0, 10), limit(1, 10), refuse={1})

    assert orders.live == []
    assert orders.group.phase is Phase.CLOSED


def test_ouo_a_fill_reduces_the_other_in_proportion():
    """Half of one filled leaves half of the other."""
    orders = Set("ouo", limit(0, 10), limit(1, -20))
    orders.fill(0, 5)

    assert orders.live == [("entry", 0, 5), ("entry", 1, -10)]


def test_oto_children_work_for_the_filled_part_of_the_parent_and_stay_when_it_is_cancelled():
    """LEAN cancels the children of a parent that was cancelled after a partial; here they stay for that part."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    assert orders.live == [("entry", 0, 10)]
    orders.fill(0, 4)
    assert orders.live == [("entry", 0, 6), ("entry", 1, -4)]
    parent = next(o for o in orders.group.live.values() if o.rung == 0)
    orders.tell(f.Canceled(0.0, parent.number))

    assert orders.live == [("entry", 1, -4)]


def test_closing_the_set_cancels_what_works_and_takes_every_leg_to_zero():
    """The owner's close ends flat."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(0.0, "owner"))

    assert orders.live == [("close", 0, -10)]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: exits_row("xor", [limit(0, 1), limit(1, 1)]), "give one of oco, ouo, oto"),
        (lambda: exits_row("oco", [limit(0, 1)]), "at least two"),
        (lambda: limit(0, 0), "other than 0"),
        (lambda: Member(0, 1, ChildType.STOP_MARKET), "give a positive price"),
    ],
)
def test_a_set_without_meaning_is_refused(make, match):
    """Bad members are refused with the value."""
    with pytest.raises(ValueError, match=match):
        make()


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
