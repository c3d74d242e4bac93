"""What a reconciliation sees and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..facts.broker import completes
from ..facts.kinds import GUESSED, LOOSE
from ..vocabulary import HoldCause, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..model import ChildOrder, GroupState
    from ..ports import BrokerOrder


#: key of `GroupState.memory`: contracts in doubt
DOUBT = "in_doubt"


def in_doubt(group: GroupState) -> list[str]:
    """Contracts whose history nobody could tell when the group was held; until a person decides."""
    if group.phase is Phase.HELD and group.held in (HoldCause.AMBIGUOUS, HoldCause.BREAK):
        symbols: list[str] = group.memory.get(DOUBT, [])
        return symbols
    return []


class Known(NamedTuple):
    """A child order that may still fill, and its group."""

    group: GroupState
    order: ChildOrder

    @property
    def key(self) -> tuple[str, int]:
        """(group id, order number)."""
        return self.group.spec.group_id, self.order.number

    @property
    def symbol(self) -> str:
        """The leg's contract."""
        return self.group.legs[self.order.leg].spec.symbol

    @property
    def divided(self) -> bool:
        """True when it lives and its fills were divided by guess: no count of them completes it (`facts.broker`)."""
        return self.order.number in self.group.memory.get(LOOSE, ())

    @property
    def guessed(self) -> bool:
        """True when it is believed filled because another order, or it, must have been."""
        return self.order.number in self.group.memory.get(GUESSED, ())

    @property
    def loose(self) -> bool:
        """True when what it has filled is a guess: any part of it may have, also what was put on another order."""
        return self.divided or self.guessed

    def completed_by(self, cum_qty: int) -> bool:
        """True when so many fills end it."""
        return completes(self.group, self.order, cum_qty)

    @property
    def acknowledged(self) -> bool:
        """True when the broker is known to have had it: its absence then means that it ended."""
        order = self.order
        if order.status == "canceling" and not order.broker_ids:
            return order.cum_qty > 0  # asked to end before it was known to have arrived
        return order.status not in ("intended", "sent") or order.cum_qty > 0

    @property
    def simulated(self) -> bool:
        """True when LEAN's own brokerage had it."""
        return is_simulated(self.order.lean_id, self.order.broker_ids)


def is_simulated(lean_id: int, broker_ids: Sequence[str]) -> bool:
    """True for an order of LEAN's paper brokerage: it gives LEAN's ids (BacktestingBrokerage.cs:651-658).

    It has no order any more after a restart, and nothing fills while the process is down.
    """
    return lean_id > 0 and tuple(broker_ids) == (str(lean_id),)


class Finding(NamedTuple):
    """One thing that was found, for the report.

    `kind`: complete, resumed, unwound, closing, held, adopted, orphan, missing, expired, assigned, quantity_break,
    ambiguous, foreign, refused.
    """

    kind: str
    #: "" when it concerns no group
    group_id: str
    text: str
    evidence: Mapping[str, Any]

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"kind": self.kind, "group_id": self.group_id, "text": self.text, "evidence": dict(self.evidence)}


class Adoption(NamedTuple):
    """This broker order is that child order. `how`: lean_id, tag, broker_id, fingerprint, lost_intent."""

    group_id: str
    number: int
    order: BrokerOrder
    how: str


@dataclass(frozen=True, slots=True)
class View:
    """What a start or a sweep knows.

    Attributes:
        groups: groups that are not archived.
        orders: open orders as the account shows them.
        holdings: signed contracts of the account by symbol; a symbol that is missing is 0.
        baseline: signed contracts that belong to no group, as journaled.
        now: seconds UTC.
        started: when this process began to look, seconds UTC; quiet periods run from here.
        start: True at a start (everything that may fill is unsettled), False in a sweep.
        unsettled: in a sweep: (group id, number) of the orders whose fate a start left open.
        stale: the journal may have lost its newest write: attribute nothing to strangers.
        ended: archived groups by id, as far as tags of broker orders name them.
        prices: dollars per share by symbol, for fills whose price nobody reported.
        worth: settlement value in dollars per share by symbol, for contracts that expired.
    """

    groups: Sequence[GroupState]
    orders: Sequence[BrokerOrder]
    holdings: Mapping[str, int]
    baseline: Mapping[str, int]
    now: float
    started: float
    start: bool = True
    unsettled: frozenset[tuple[str, int]] = frozenset()
    stale: bool = False
    ended: Mapping[str, GroupState] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    worth: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Verdict:
    """What follows from a view. Apply in this order: facts, adoptions, cancels, baseline, breaks.

    Attributes:
        findings: the report's lines.
        facts: facts to fold, in order, by group id.
        adopt: broker orders to take over (fold `facts` before: they carry the base).
        cancel: adopted orders that should not live any more; ask for their cancel after adopting them.
        strangers: orders that carry our tag but belong to no group that is known.
        baseline: foreign positions that changed, by symbol.
        breaks: contracts in which the account and the journal disagree -> why; nothing may open in them.
        unsettled: orders whose fate is open until their quiet period ends.
        look_again: when the first quiet period ends; 0 when nothing is unsettled.
    """

    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, list[Any]] = field(default_factory=dict)
    adopt: list[Adoption] = field(default_factory=list)
    cancel: list[Adoption] = field(default_factory=list)
    strangers: list[BrokerOrder] = field(default_factory=list)
    baseline: dict[str, int] = field(default_factory=dict)
    breaks: dict[str, str] = field(default_factory=dict)
    unsettled: frozenset[tuple[str, int]] = frozenset()
    look_again: float = 0.0

    def add(self, group_id: str, *facts: Any) -> None:
        """Facts for a group, after those it has already."""
        self.facts.setdefault(group_id, []).extend(facts)

    def find(self, kind: str, group_id: str, text: str, **evidence: Any) -> None:
        """One line of the report."""
        self.findings.append(Finding(kind, group_id, text, evidence))

    def count(self, kind: str) -> int:
        """Findings of this kind."""
        return sum(finding.kind == kind for finding in self.findings)


def terms_text(order: BrokerOrder) -> str:
    """What a person reads of an open order."""
    price = f" limit {order.limit:g}" if order.limit else ""
    price += f" stop {order.stop:g}" if order.stop else ""
    return f"{order.quantity:+d} {order.symbol} {order.type}{price}"
