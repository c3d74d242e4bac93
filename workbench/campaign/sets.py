"""Contingent sets in a run: what is drawn, and what their promise means in true fills.

Shares no code with the core. Of what the members filled the set keeps a part and takes the rest back, contract by
contract. What it holds must be explained by a part that its form allows:

* OCO: all of one member, once anything filled;
* OUO: shares of all members that add up to one at most, and to the largest share that filled at least, up to rounding;
* OTO: all of the parent, and of each child no more than the parent's share;
* unlinked by its owner: all of every member.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from .market import CHAIN, UNDERLYING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .account import SimOrder
    from .choices import Choices

#: what a member may trade
_SYMBOLS = (UNDERLYING, next(name for name in CHAIN if name.endswith("C105")))


@dataclass(frozen=True, slots=True)
class MemberTerms:
    """One order: `quantity` signed, `type` market, limit or stop at a distance (fraction) from the last price."""

    symbol: str
    quantity: int
    type: str
    distance: float


@dataclass(frozen=True, slots=True)
class SetTerms:
    """A set to run: "oco", "ouo" or "oto" (whose first member is the parent).

    `linked`: the algorithm sent the orders by itself, and they become a set afterwards.
    """

    form: str
    members: tuple[MemberTerms, ...]
    linked: bool = False


def draw_terms(choices: Choices) -> SetTerms:
    """A set at random; 0 everywhere is an OCO of two limit orders to buy shares."""
    form = ("oco", "ouo", "oto")[choices.draw(3)]
    members = []
    for number in range(2 + choices.draw(2)):
        types = ("limit", "stop", "market") if form == "oto" and number == 0 else ("limit", "stop")
        members.append(
            MemberTerms(
                _SYMBOLS[choices.draw(2)],
                (1, -1)[choices.draw(2)] * (1 + choices.draw(12)),
                types[choices.draw(len(types))],
                (0.0, 0.01, 0.03)[choices.draw(3)],
            )
        )
    return SetTerms(form, tuple(members))


@dataclass(slots=True)
class SetTruth:
    """What truly happened to the members of one set.

    Attributes:
        form: "oco", "ouo" or "oto"; "free" once it was unlinked.
        quantities: signed contracts of each member.
        symbols: what each member trades.
    """

    form: str
    quantities: Sequence[int]
    symbols: Sequence[str]
    #: member of each entry order, by the account's id
    sent: dict[int, int] = field(default_factory=dict)
    filled: list[int] = field(default_factory=list)
    #: contracts that reversals bought and sold, by contract
    reversed: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.filled = [0] * len(self.quantities)

    @property
    def crowded(self) -> bool:
        """True where several members trade one contract."""
        return len(set(self.symbols)) < len(self.symbols)

    def on_fill(self, order: SimOrder, qty: int) -> None:
        """A true fill."""
        if order.purpose == "entry":
            self.filled[self.sent[order.id]] += qty
        elif order.purpose == "excess":
            self.reversed[(order.symbol, order.quantity > 0)] += qty

    def takes(self, order: SimOrder, member: int, more: int) -> None:
        """An order gets the name of its equal, which was sent for this member, and has filled so much more."""
        self.sent[order.id] = member
        self.filled[member] += more

    def too_much(self, live: Mapping[int, SimOrder], slack: int, *, restarted: bool) -> str:
        """How more may fill than was asked for, or be taken back than filled; "" when that cannot be.

        After a restart all that buys (or sells) one contract counts together: nobody can tell its orders apart then.
        """
        asked, may, back = Counter[object](), Counter[object](), self.reversed.copy()
        for order in live.values():
            if order.purpose == "excess":
                back[(order.symbol, order.quantity > 0)] += order.leaves
        for member, (quantity, symbol) in enumerate(zip(self.quantities, self.symbols, strict=True)):
            which: object = (symbol, quantity > 0) if restarted else member
            asked[which] += abs(quantity)
            may[which] += self.filled[member]
            may[which] += sum(o.leaves for o in live.values() if self.sent.get(o.id, -1) == member)
            back[(symbol, quantity < 0)] -= self.filled[member]
        if restarted:
            may.update(back)
            back.clear()
        for which, contracts in may.items():
            if contracts > asked[which] + slack:
                return f"{which} may fill {contracts} of {asked[which]}"
        for (symbol, buys), more in back.items():
            if more > slack:
                return f"{more} more of {symbol} {'bought' if buys else 'sold'} back than filled"
        return ""

    def broken(self, nets: Mapping[str, int]) -> str:
        """How the set's promise is broken by what it truly holds, everything answered; "" when it holds."""
        for kept in product(*(range(filled + 1) for filled in self.filled)):
            if self._allowed(kept):
                held = Counter[str]()
                for symbol, quantity, n in zip(self.symbols, self.quantities, kept, strict=True):
                    held[symbol] += n if quantity > 0 else -n
                if all(held[symbol] == net for symbol, net in nets.items()):
                    return ""
        return f"members filled {self.filled} of {list(self.quantities)}, {dict(nets)} are held"

    def _allowed(self, kept: Sequence[int]) -> bool:
        """True when the form lets the members stand at these fills, having filled what they have."""
        sizes = [abs(quantity) for quantity in self.quantities]
        if self.form == "free":
            return all(n == min(f, size) for n, f, size in zip(kept, self.filled, sizes, strict=True))
        if self.form == "oco":
            standing = [n for n in kept if n]
            whole = all(n in (0, filled) for n, filled in zip(kept, self.filled, strict=True))
            return whole and len(standing) == min(1, sum(self.filled))
        if self.form == "oto":
            parent = self.filled[0]
            rest = zip(kept[1:], self.filled[1:], sizes[1:], strict=True)
            return kept[0] == parent and all(n == min(f, size * parent // sizes[0]) for n, f, size in rest)
        rounding = sum(0.5 / size for size in sizes) + 1e-9
        largest = max(filled / size for filled, size in zip(self.filled, sizes, strict=True))
        together = sum(n / size for n, size in zip(kept, sizes, strict=True))
        return min(1.0, largest) - rounding <= together <= 1 + rounding
