"""Against all histories: what is attributed is true in every history that fits, and only real doubt holds a group."""

import itertools
from collections import Counter
from typing import Any, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from atomic.facts import Filled, apply
from atomic.model import GroupState
from atomic.ports import BrokerOrder
from atomic.reconcile import match
from atomic.vocabulary import HoldCause
from tests.atomic.reconcile.world import CALL, NOW, fold, group_of, order_of, shown, view_of

STATUSES = ("intended", "sent", "working", "canceling")

#: (alive, filled beyond what the journal knows)
Fate = tuple[bool, int]


def fates(order: Any) -> list[Fate]:
    """All that can have become of an order while nobody looked; a living order is never complete."""
    left = order.leaves_qty
    return [(True, n) for n in range(left)] + [(False, n) for n in range(left + 1)]


def faces(order: Any, fate: Fate) -> list[tuple[int, int]]:
    """How a broker may show it: (signed quantity, filled): the order whole, or what is left of it."""
    if not fate[0]:
        return []
    left = order.leaves_qty - fate[1]
    whole = (order.quantity, 0)
    return [whole] if left == order.order_qty else [whole, (order.side * left, 0)]


class World(NamedTuple):
    """Groups at the crash, and what the account shows after it."""

    groups: list[GroupState]
    truth: list[Fate]
    shows: list[BrokerOrder]
    holding: int

    def __repr__(self) -> str:
        orders = [
            f"{g.spec.group_id[-1]}:{o.number} {o.quantity:+d} {o.status} cum {o.cum_qty}"
            for g in self.groups
            for o in g.live.values()
        ]
        shows = [(o.quantity, o.filled, o.tag) for o in self.shows]
        return f"World({orders}, truth={self.truth}, shows={shows}, holding={self.holding})"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Groups with orders in one contract, their true fates, and what the account shows of them."""
    groups = [group_of(f"condor-{n:06d}", 4, [CALL]) for n in range(1, draw(st.integers(1, 3)) + 1)]
    orders = []
    for _ in range(draw(st.integers(1, 4))):
        group = draw(st.sampled_from(groups))
        quantity = draw(st.sampled_from([1, 2, -1, -2]))
        status = draw(st.sampled_from(STATUSES))
        cum = draw(st.integers(0, abs(quantity) - 1)) if status in ("working", "canceling") else 0
        number = order_of(group, quantity, status, cum, purpose="open" if quantity > 0 else "unwind")
        orders.append((group, group.orders[number]))
    truth = [draw(st.sampled_from(fates(order))) for _, order in orders]
    lost_tags = draw(st.booleans())
    shows = []
    for number, ((_, order), fate) in enumerate(zip(orders, truth, strict=True)):
        choices = faces(order, fate)
        if choices:
            quantity, filled = draw(st.sampled_from(choices))
            tag = "" if lost_tags else order.tag
            shows.append(shown("C750", quantity, filled=filled, tag=tag, lean_id=number + 1))
    shows = draw(st.permutations(shows))
    net = sum(group.legs[0].net for group in groups)
    moved = sum(order.side * fate[1] for (_, order), fate in zip(orders, truth, strict=True))
    return World(groups, truth, list(shows), net + moved)


class History(NamedTuple):
    """What may have become of every order, and what each shown order can still fill in that case."""

    fates: dict[Any, Fate]
    left: tuple[int, ...]


def histories(groups: list[GroupState], shows: list[BrokerOrder], holding: int) -> list[History]:
    """Every history that shows exactly this account."""
    keyed = [((g.spec.group_id, n), o) for g in groups for n, o in g.live.items()]
    known = sum(group.legs[0].net for group in groups)
    found = []
    for combo in itertools.product(*(fates(order) for _, order in keyed)):
        moved = sum(order.side * fate[1] for (_, order), fate in zip(keyed, combo, strict=True))
        if known + moved == holding:
            fate_of = {key: fate for (key, _), fate in zip(keyed, combo, strict=True)}
            found += [History(fate_of, left) for left in _lefts(keyed, combo, shows)]
    return found


def _lefts(keyed: list[Any], combo: tuple[Fate, ...], shows: list[BrokerOrder]) -> set[tuple[int, ...]]:
    """What the shown orders can still fill, for every way to say which is which."""
    alive = [(order, fate) for (_, order), fate in zip(keyed, combo, strict=True) if fate[0]]
    found = set()
    if len(alive) == len(shows):
        for arrangement in itertools.permutations(alive):
            if all(
                (b.quantity, b.filled) in faces(order, fate) and b.tag in ("", order.tag)
                for (order, fate), b in zip(arrangement, shows, strict=True)
            ):
                found.add(tuple(order.side * (order.leaves_qty - fate[1]) for order, fate in arrangement))
    return found


def consequence(group: GroupState, history: History) -> tuple[int, Counter[Any]]:
    """What decides the next step: the leg's net, and what living orders may still fill."""
    net = group.legs[0].net
    alive: Counter[Any] = Counter()
    for number, order in group.live.items():
        lives, filled = history.fates[(group.spec.group_id, number)]
        net += order.side * filled
        if lives:
            alive[order.side * (order.leaves_qty - filled)] += 1
    return net, alive


@given(worlds())
@settings(max_examples=1500, deadline=None)
def test_attribution_is_true_in_every_history_that_fits(world: World) -> None:
    """And a group is held as ambiguous only when two histories that fit differ for it, or cannot be told apart."""
    groups, _, shows, holding = world
    fitting = histories(groups, shows, holding)
    assert fitting, "the truth itself fits"
    views = {
        g.spec.group_id: {(net, tuple(sorted(alive.items()))) for net, alive in (consequence(g, h) for h in fitting)}
        for g in groups
    }
    lefts = {history.left for history in fitting}
    verdict = match(view_of(groups, shows, {"C750": holding}, now=NOW + 100.0, started=NOW - 1000.0))
    assert not verdict.unsettled or any(g.spec.group_id in {f.group_id for f in verdict.findings} for g in groups)
    fold(verdict, groups)
    for group in groups:
        mine = views[group.spec.group_id]
        if group.held is HoldCause.AMBIGUOUS:
            event("held")
            assert len(mine) > 1 or len(lefts) > 1, (group.spec.group_id, group.held_why, mine)
        elif group.held is None:
            alive = Counter(order.side * order.leaves_qty for order in group.live.values())
            assert (group.legs[0].net, tuple(sorted(alive.items()))) in mine
            assert len(mine) == 1, (group.spec.group_id, mine)
            for adoption in verdict.adopt:
                if adoption.group_id == group.spec.group_id:
                    child, at = group.orders[adoption.number], shows.index(adoption.order)
                    assert {left[at] for left in lefts} == {child.side * child.leaves_qty}
        else:
            raise AssertionError(f"{group.held}: {group.held_why}")
    if all(group.held is None for group in groups):
        assert sum(group.legs[0].net for group in groups) == holding
        for adoption in verdict.adopt:
            group = next(g for g in groups if g.spec.group_id == adoption.group_id)
            child = group.orders[adoption.number]
            # the ticket counts from its own start: whole order or remainder, both end at the order's quantity
            if abs(adoption.order.quantity) == child.order_qty - child.base or child.base == child.cum_qty:
                apply_rest(group, child)


def apply_rest(group: GroupState, child: Any) -> None:
    """The rest of a living order fills: the group ends up with the whole order."""
    before = group.legs[0].net
    left = child.leaves_qty
    apply(group, Filled(NOW + 200.0, child.number, child.order_qty, 1.0, 0.0))
    assert group.legs[0].net == before + child.side * left
