"""A group as rows for people and files: its legs, the prices at which it went in and out, what happened when.

Everything is a fold of the group's facts; nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomic.audit import iso, timeline
from atomic.model import GroupState, LegSpec, LegState
from atomic.vocabulary import Purpose, Right

#: purposes of orders that take a group into its position; all others take it out
ENTERING = frozenset({Purpose.OPEN, Purpose.ENTRY})


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg: contracts asked for, bought or sold on the way in and out, average prices in dollars per share."""

    name: str
    symbol: str
    ratio: int
    wanted: int
    net: int
    entered: int
    entry_price: float
    left: int
    exit_price: float
    settled: bool
    settlement: float

    def row(self) -> dict[str, Any]:
        """The leg as JSON, in field order."""
        return {name: getattr(self, name) for name in self.__slots__}


def short_name(spec: LegSpec) -> str:
    """What a person calls a leg: right and strike, or the symbol of shares."""
    return spec.name or spec.symbol if spec.right is Right.SHARE else f"{spec.right.value}{spec.strike:g}"


def _leg(group: GroupState, index: int, leg: LegState) -> LegRow:
    totals = {True: [0, 0.0], False: [0, 0.0]}
    for order in group.orders.values():
        if order.leg == index and order.cum_qty:
            total = totals[order.purpose in ENTERING]
            total[0] += order.net
            total[1] += order.net * order.avg_px
    entered, left = totals[True], totals[False]
    return LegRow(
        name=short_name(leg.spec),
        symbol=leg.spec.symbol,
        ratio=leg.spec.ratio,
        wanted=leg.spec.ratio * group.spec.units,
        net=leg.net,
        entered=int(entered[0]),
        entry_price=round(entered[1] / entered[0], 6) if entered[0] else 0.0,
        left=int(left[0]),
        exit_price=round(left[1] / left[0], 6) if left[0] else 0.0,
        settled=leg.settled,
        settlement=leg.settlement,
    )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group that was replayed from the journal."""

    state: GroupState

    @property
    def legs(self) -> list[LegRow]:
        """Its legs in the order of the structure."""
        return [_leg(self.state, index, leg) for index, leg in enumerate(self.state.legs)]

    @property
    def why(self) -> str:
        """Why it is held, was refused or went back; empty for a group that went as planned."""
        return self.state.held_why or self.state.reason

    @property
    def result(self) -> float:
        """Dollars gained (+) or lost (-) by fills and settlements of what is no longer held, fees included."""
        return round(-sum(leg.cost for leg in self.state.legs) - self.state.fees, 2) + 0.0  # never -0.0

    def row(self) -> dict[str, Any]:
        """The group as JSON: what was asked, what became of it, its orders and its timeline."""
        state, spec = self.state, self.state.spec
        return {
            "group_id": spec.group_id,
            "strategy": spec.strategy,
            "kind": spec.kind.value,
            "timestamp": iso(spec.created_at),
            "status": state.phase.value,
            "outcome": state.stands_as.value,
            "reason": self.why,
            "held": state.held.value if state.held else "",
            "units": spec.units,
            "units_held": state.units_held,
            "limit_net": spec.limit_net,
            "note": spec.note,
            "opened_at": iso(state.opened_at),
            "ended_at": iso(state.ended_at),
            "fees": round(state.fees, 2),
            "rollback_cost": round(state.rollback_cost, 2),
            "cash": self.result,
            "sends": state.sends,
            "legs": [leg.row() for leg in self.legs],
            "orders": [
                {
                    "number": order.number,
                    "leg": order.leg,
                    "purpose": order.purpose.value,
                    "type": order.type.value,
                    "quantity": order.quantity,
                    "limit": order.limit,
                    "stop": order.stop,
                    "status": order.status.value,
                    "filled": order.net,
                    "price": order.avg_px,
                    "fees": order.fees,
                    "tag": order.tag,
                    "reason": order.reason,
                }
                for order in state.orders.values()
            ],
            "timeline": timeline(state),
        }


def journals(store: Path, run: str) -> list[str]:
    """Stems of the journals that one run keeps in an object store, whatever its executors are called."""
    from atomic import journal

    bases = journal.bases(journal.FileStore(store))
    return [base for base in bases if base == journal.base_key(base.split("/")[1], live=False, run=run)]


def read_groups(store: Path, stems: Iterable[str]) -> tuple[list[GroupRow], list[str]]:
    """Read all groups of some journals of an object store, without touching anything.

    Returns:
        The groups in the order in which they were made, and what could not be read.
    """
    from atomic import journal

    groups: dict[str, GroupState] = {}
    unread: list[str] = []
    files = journal.FileStore(store)
    for stem in stems:
        try:
            groups.update((group.group_id, group) for group in journal.read_archive(files, stem))
            groups.update((group.group_id, group) for group in journal.read_open(files, stem))
        except ValueError as error:
            unread.append(f"{stem}: {error} (look at it with: atomic groups verify)")
        unread.extend(problem for problem in journal.verify(files, stem).problems if problem not in unread)
    ordered = sorted(groups.values(), key=lambda group: (group.spec.created_at, group.group_id))
    return [GroupRow(group) for group in ordered], unread
