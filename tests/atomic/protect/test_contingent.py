"""One cancels other, one updates other, one triggers other, over ordinary orders."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomic import facts as f
from atomic.diff import Cancel, Replace
from atomic.facts.kinds import GONE
from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.plan.terms import Env
from atomic.policy import Policy
from atomic.protect.allot import webster
from atomic.protect.contingent import Member, exits_row
from atomic.rules import RULES
from atomic.vocabulary import ChildStatus, ChildType, HoldCause, Kind, Phase, Purpose, Right

A, B = "A R735QTJ8XC9X", "B R735QTJ8XC9X"
CONTINGENT = RULES[Kind.CONTINGENT]


class Set:
    """A contingent group and a venue that answers at once."""

    def __init__(
        self, form: str, *members: Member, refuse: set[int] = frozenset(), unsent: set[int] = frozenset(),
        open: bool = True, replaces: bool = True, stuck: bool = False, priced: bool = False,
    ) -> None:  # fmt: skip
        legs = tuple(LegSpec(s, 1, Right.SHARE, underlying=s, multiplier=1.0) for s in (A, B))
        self.group = new_group(
            GroupSpec("s-000001", Kind.CONTINGENT, form, legs, 1, 0.0, Policy(), exits_row(form, list(members)))
        )
        self.refuse, self.unsent = refuse, unsent
        self.open, self.stuck, self.now = open, stuck, 1.0
        self.env = Env(takes_replace=replaces)
        #: the venue refuses orders without a price
        self.priced = priced
        self.cancels: list[int] = []
        self.tell(f.Opening(1.0))

    def tell(self, *facts: Any) -> None:
        for fact in facts:
            f.apply(self.group, fact)
        quotes = {s: Quote(10.0, 10.1, 10.0, 0.0, open=self.open) for s in (A, B)}
        for _ in range(100):
            found = CONTINGENT.decisions(self.group, self.now, quotes, self.env)
            for fact in found:
                f.apply(self.group, fact)
            if found:
                continue
            wanted = CONTINGENT.desired_orders(self.group, self.now, quotes, self.env)
            commands = CONTINGENT.commands(self.group, wanted, self.now, self.env)
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
            if command.rung in self.unsent:
                return
            f.apply(self.group, f.Sent(1.0, number))
            refused = command.purpose is Purpose.ENTRY and command.rung in self.refuse
            unpriced = self.priced and command.type is ChildType.MARKET
            why = "margin" if refused else "capability" if unpriced else ""
            f.apply(self.group, f.Rejected(1.0, number, why, "no") if why else f.Accepted(1.0, number))
        elif isinstance(command, Cancel):
            self.cancels.append(command.number)
            f.apply(self.group, f.CancelAsked(self.now, command.number, command.why))
            if not self.stuck:
                f.apply(self.group, f.Canceled(1.0, command.number))
        else:
            terms = (1.0, command.number, command.quantity, command.limit, command.stop)
            f.apply(self.group, f.ReplaceAsked(*terms))
            f.apply(self.group, f.Replaced(*terms))

    def fill(self, rung: int, quantity: int, purpose: Purpose = Purpose.ENTRY) -> None:
        orders = [o for o in self.group.orders.values() if o.purpose is purpose and o.rung == rung]
        self.tell(f.Filled(1.0, orders[-1].number, orders[-1].cum_qty + quantity, 10.0, 0.0))

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

    assert orders.live == [("excess", 0, -4)]
    orders.fill(0, 4, Purpose.EXCESS)
    assert orders.nets == [10, 0]
    assert orders.group.phase is Phase.OPEN


def test_oco_a_member_refused_before_anything_filled_takes_the_placement_back():
    """All or none at placement: the other member is cancelled and the set ends rolled back."""
    orders = Set("oco", limit(0, 10), limit(1, 10), refuse={1})

    assert orders.live == []
    assert orders.group.phase is Phase.CLOSED


def test_oco_a_loser_that_fills_in_parts_is_reversed_to_the_last_contract():
    """Each late fill goes back, also after the first was reversed."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    for part in (1, 2):
        orders.fill(1, part)
        orders.fill(0, part, Purpose.EXCESS)

    assert orders.nets == [10, 0]
    assert orders.live == []


def test_what_two_members_filled_too_much_in_one_contract_is_netted():
    """One bought and one sold beside the winner: nothing is left to take back, nothing is sent."""
    orders = Set("oco", limit(1, 5), limit(0, 3), limit(0, -3))
    orders.fill(0, 5)
    orders.fill(1, 3)
    orders.tell(f.Filled(1.0, 3, 3, 10.0, 0.0))

    assert orders.nets == [0, 5]
    assert [purpose for purpose, *_ in orders.live] in ([], ["excess"])
    bought = [o for o in orders.group.orders.values() if o.purpose is Purpose.EXCESS]
    assert sum(o.quantity for o in bought if o.may_fill or o.cum_qty) == 0


def test_a_reversal_counts_what_others_have_taken_back():
    """The loser's fill was sold by hand meanwhile: it is not sold a second time."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.open = False
    orders.fill(0, 10)
    orders.fill(1, 4)
    assert orders.live == []
    orders.tell(f.Adjusted(1.0, 1, -3, 10.0, "foreign", "by hand"))
    orders.open = True
    orders.tell()

    assert orders.live == [("excess", 0, -1)]


def test_market_orders_of_a_set_wait_for_the_session_and_a_price():
    """Neither a reversal nor a close leaves while the market is closed or nobody bids for an option."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.open = False
    orders.fill(0, 10)
    orders.fill(1, 4)
    assert orders.live == []
    orders.tell(f.CloseAsked(1.0, "owner"))
    assert orders.live == []
    assert orders.group.phase is not Phase.CLOSED
    orders.open = True
    orders.tell()

    assert orders.live == [("close", 0, -10), ("close", 0, -4)]


def test_a_set_at_rest_waits_for_no_price_and_one_with_a_reversal_to_send_does():
    """New data is for sets that have something to send at market."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    assert CONTINGENT.at_rest(orders.group)
    orders.open = False
    orders.fill(0, 10)
    assert CONTINGENT.at_rest(orders.group)
    orders.fill(1, 4)
    assert not CONTINGENT.at_rest(orders.group)
    orders.tell(f.CloseAsked(1.0, "owner"))
    assert not CONTINGENT.at_rest(orders.group)


def test_a_held_set_sends_no_member_and_keeps_those_that_work():
    """The parent fills while its owner holds the set: the child is sent when it is released."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    orders.tell(f.Held(1.0, "requested", "a look"))
    orders.fill(0, 4)
    assert orders.live == [("entry", 0, 6)]
    orders.tell(f.Released(1.0, "seen"))

    assert orders.live == [("entry", 0, 6), ("entry", 1, -4)]


def test_nothing_is_sold_of_what_a_set_in_doubt_may_not_hold():
    """Held because two histories fit: a surplus may be none."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    orders.tell(f.Held(1.0, "ambiguous", "two histories fit"))
    orders.fill(1, 4)

    assert orders.live == []


def test_a_fill_after_the_set_was_taken_back_goes_back_too():
    """One member was refused, the other filled after its end: the set closes what came."""
    orders = Set("oco", limit(0, 10), limit(1, 10), refuse={1})
    assert orders.group.phase is Phase.CLOSED
    orders.fill(0, 4)

    assert orders.live == [("close", 0, -4)]


def test_a_set_that_is_closed_before_anything_was_sent_ends():
    """Its owner closes it while its parent waits for the session."""
    orders = Set("oto", Member(0, 10, ChildType.MARKET), limit(1, -10), open=False)
    assert orders.live == []
    orders.tell(f.CloseAsked(1.0, "owner"))

    assert orders.group.phase is Phase.CLOSED


def test_a_close_waits_for_no_reversal_and_sends_nothing_twice():
    """A reversal on its way counts as done."""
    orders = Set("oco", limit(0, 10), limit(1, 10))
    orders.fill(0, 10)
    orders.fill(1, 4)
    orders.tell(f.CloseAsked(1.0, "owner"))
    assert orders.live == [("close", 0, -10), ("excess", 0, -4)]
    orders.fill(0, 4, Purpose.EXCESS)
    orders.fill(0, 10, Purpose.CLOSE)

    assert orders.nets == [0, 0]
    assert orders.group.phase is Phase.CLOSED


def test_where_the_venue_takes_no_update_a_member_is_sent_anew_at_its_new_size():
    """Half of the other filled: the order goes, and comes back with half of its size."""
    orders = Set("ouo", limit(0, 10), limit(1, -20), replaces=False)
    orders.fill(0, 5)

    assert orders.live == [("entry", 0, 5), ("entry", 1, -10)]


def test_a_member_whose_cancel_was_refused_is_cancelled_again_for_its_new_size():
    """Neither update nor first cancel was taken: it is asked again after the back-off, not left at its old size."""
    orders = Set("ouo", limit(0, 10), limit(1, -20), replaces=False, stuck=True)
    orders.fill(0, 5)
    orders.tell(f.CancelRefused(orders.now, 2, -4, "not now"))
    assert orders.cancels == [2]
    orders.now += 60.0
    orders.tell()
    assert orders.cancels == [2, 2]


def test_a_member_in_quarantine_is_asked_to_end_again_although_it_is_wanted_smaller():
    """Its cancel for the new size brought no end; the venue may have found its voice again."""
    orders = Set("ouo", limit(0, 10), limit(1, -20), replaces=False, stuck=True)
    orders.fill(0, 5)
    orders.now += 60.0
    orders.tell()
    assert orders.group.orders[2].status is ChildStatus.QUARANTINED
    asked = len(orders.cancels)
    orders.now += 3600.0
    orders.tell()
    assert len(orders.cancels) > asked


@pytest.mark.parametrize(
    ("end", "again"),
    [
        ([f.Withdrawn(1.0, 2, "the journal could not be written")], True),
        ([f.Sent(1.0, 2), f.Withdrawn(1.0, 2, "found nowhere after the quiet period")], False),
        ([f.Sent(1.0, 2), f.CancelAsked(1.0, 2, ""), f.Canceled(1.0, 2, GONE)], False),
    ],
)
def test_a_member_is_sent_again_only_where_it_cannot_have_filled(end, again):
    """One that never left is; one that a restart did not find any more is not."""
    orders = Set("oco", limit(0, 10), limit(1, 10), unsent={1})
    for fact in end:
        f.apply(orders.group, fact)
    orders.unsent = set()
    orders.tell()

    assert (("entry", 1, 10) in orders.live) is again


def test_a_loser_that_cannot_be_ended_is_quarantined_and_named():
    """Its cancel brings no end by the deadline: the set is held until the venue ends the order after all."""
    orders = Set("oco", limit(0, 10), limit(1, 10), stuck=True)
    orders.fill(0, 10)
    orders.now += 60.0
    orders.tell()
    assert orders.group.held is HoldCause.QUARANTINE
    loser = orders.group.orders[2]
    assert loser.status is ChildStatus.QUARANTINED
    orders.tell(f.Canceled(orders.now, 2))

    assert orders.group.held is None
    assert orders.nets == [10, 0]


def test_ouo_what_filled_first_stays_and_what_came_too_late_goes_back():
    """Both members fill whole: one of them stands."""
    orders = Set("ouo", limit(0, 10), limit(1, -20))
    orders.fill(0, 10)
    orders.fill(1, 20)
    orders.fill(0, 20, Purpose.EXCESS)

    assert orders.nets == [10, 0]
    assert orders.live == []


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
    orders.tell(f.Canceled(1.0, parent.number))

    assert orders.live == [("entry", 1, -4)]


def test_closing_the_set_cancels_what_works_and_takes_every_leg_to_zero():
    """The owner's close ends flat."""
    orders = Set("oto", limit(0, 10), limit(1, -10))
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(1.0, "owner"))

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


def test_where_the_venue_takes_no_market_orders_a_set_closes_at_limits():
    """The parent filled; closed by its owner, the position leaves two ticks beyond the bid."""
    orders = Set("oto", limit(0, 10), limit(0, -10))
    orders.env = Env(takes_market=False)
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(orders.now, "owner"))
    closes = [o for o in orders.group.live.values() if o.purpose is Purpose.CLOSE]

    assert [(str(o.type), o.quantity, o.limit > 0) for o in closes] == [("limit", -10, True)]


def test_a_set_learns_that_the_venue_takes_no_market_orders():
    """The close was refused for having no price: the next one has one."""
    orders = Set("oto", limit(0, 10), limit(0, -10), priced=True)
    orders.fill(0, 10)
    orders.tell(f.CloseAsked(orders.now, "owner"))
    orders.now += 1.0
    orders.tell()
    closes = [o for o in orders.group.live.values() if o.purpose is Purpose.CLOSE]

    assert [str(o.type) for o in closes] == ["limit"]
