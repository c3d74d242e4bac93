"""A contingent group and a venue that answers at once, for tests of the pure core."""

from typing import Any

from atomic import facts as f
from atomic.diff import Cancel, Replace
from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.plan.terms import Env
from atomic.policy import Policy
from atomic.protect.contingent import Member, exits_row
from atomic.rules import RULES
from atomic.vocabulary import ChildType, Kind, Purpose, Right

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
