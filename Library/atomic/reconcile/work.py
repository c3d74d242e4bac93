"""One reconciliation in the making: what it looks at, and what it has found out so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..facts.kinds import GUESSED, LOOSE
from ..vocabulary import Phase
from .terms import Known, Verdict, in_doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import ChildOrder, GroupState
    from ..ports import BrokerOrder
    from ..vocabulary import HoldCause
    from .identity import Match
    from .terms import View


class Work:
    """One reconciliation in the making."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.verdict = Verdict()
        self.groups = {group.spec.group_id: group for group in view.groups if group.phase is not Phase.CLOSED}
        self.known = [Known(group, order) for group in self.groups.values() for order in _may_live(group, view)]
        self.paired: dict[tuple[str, int], Match] = {}
        #: broker orders that are not (yet) known to be ours
        self.shown: list[BrokerOrder] = []
        self.fills: dict[tuple[str, int], int] = {}
        self.held: dict[str, tuple[HoldCause, str]] = {}
        #: contracts in doubt by group: what was torn once is not explained later by what ends in the meantime
        self.doubts: dict[str, set[str]] = {}
        self.doubtful = {symbol for group in self.groups.values() for symbol in in_doubt(group)}
        self.open_fate: list[Known] = []
        #: orders that were believed filled in this look, by group
        self.guesses: dict[str, list[int]] = {}
        #: guesses about which more is known now
        self.resolved: set[tuple[str, int]] = set()
        #: orders that were added to a group in this look
        self.added: dict[str, int] = {}
        #: living orders whose fills were divided by guess in this look, by group
        self.divided: dict[str, list[int]] = {}
        #: orders that ended with the process before, unfilled
        self.forgotten: set[tuple[str, int]] = set()
        #: brackets whose living orders are replaced by ones of known size
        self.loose: set[str] = set()

    def divide(self, group_id: str, number: int) -> None:
        """The order lives, and what it has filled is a guess."""
        self.divided.setdefault(group_id, []).append(number)

    def unsettled(self, known: Known) -> bool:
        """True when this reconciliation has to find out what became of the order."""
        return self.view.start or known.key in self.view.unsettled

    def hold(self, group_id: str, cause: HoldCause, why: str, symbol: str) -> None:
        """The group will be held for a doubt about a contract; the first cause counts."""
        self.held.setdefault(group_id, (cause, why))
        self.doubts.setdefault(group_id, set()).add(symbol)


def _may_live(group: GroupState, view: View) -> Iterator[ChildOrder]:
    """Orders that may fill; at a start also those that ought to have ended as far as a guess goes."""
    yield from group.live.values()
    if view.start:
        numbers = {*group.memory.get(LOOSE, ()), *group.memory.get(GUESSED, ())}
        yield from (group.orders[n] for n in sorted(numbers) if n not in group.live)
