"""Small worlds: groups with orders at the moment of a crash, and the account a restart finds."""

from typing import Any

from atomic.facts import Accepted, CancelAsked, Filled, Intended, Opening, Sent, apply
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.policy import Policy
from atomic.ports import BrokerOrder
from atomic.protect import EntryPlan, ExitPair, ExitPlan, Level
from atomic.reconcile import Verdict, View
from atomic.vocabulary import Kind, Right

CALL = LegSpec("C750", 1, Right.CALL, 750.0, "2015-12-24", "GOOG", 100.0, 0.05, "C750")
SHORT = LegSpec("C755", -1, Right.CALL, 755.0, "2015-12-24", "GOOG", 100.0, 0.05, "C755")
#: 2015-12-24 15:00 UTC
NOW = 1450969200.0


def group_of(name: str = "condor-000001", units: int = 10, legs: Any = (CALL, SHORT), **policy: Any) -> GroupState:
    """A group that has begun to open."""
    spec = GroupSpec(name, Kind.ALL_OR_NONE, "vertical", tuple(legs), units, NOW - 60.0, Policy(**policy))
    group = new_group(spec)
    apply(group, Opening(NOW - 60.0))
    return group


def order_of(
    group: GroupState, quantity: int, status: str = "working", cum: int = 0, leg: int = 0, limit: float = 1.0,
    purpose: str = "open", at: float = NOW - 50.0,
) -> int:  # fmt: skip
    """An order of the group in this status; returns its number."""
    number = group.next_number
    tag = f"{group.spec.group_id}:{number}:{purpose}"
    kind = "limit" if limit else "market"
    apply(group, Intended(at, number, leg, purpose, 0, quantity, kind, limit, 0.0, tag, 0))
    if status == "intended":
        return number
    apply(group, Sent(at, number))
    if status == "sent":
        return number
    apply(group, Accepted(at, number))
    if cum:
        apply(group, Filled(at, number, cum, limit or 1.0, 0.65 * cum))
    if status == "canceling":
        apply(group, CancelAsked(at, number, "test"))
    return number


def shown(
    symbol: str, quantity: int, *, filled: int = 0, limit: float = 1.0, tag: str = "", lean_id: int = 1,
    ids: tuple[str, ...] = (), at: float = NOW - 50.0,
) -> BrokerOrder:  # fmt: skip
    """An open order as the account shows it."""
    kind = "limit" if limit else "market"
    return BrokerOrder(lean_id, ids, symbol, quantity, filled, kind, limit, 0.0, tag, at, None)


def view_of(groups: list[GroupState], orders: list[BrokerOrder], holdings: dict[str, int], **more: Any) -> View:
    """What a start sees, a second after it began."""
    more.setdefault("baseline", {})
    more.setdefault("now", NOW + 1.0)
    more.setdefault("started", NOW)
    return View(groups, orders, holdings, **more)


def fold(verdict: Verdict, groups: list[GroupState]) -> None:
    """Fold a verdict's facts into the groups, as the executor does."""
    by_id = {group.spec.group_id: group for group in groups}
    for group_id, facts in verdict.facts.items():
        for fact in facts:
            apply(by_id[group_id], fact)


def kinds(verdict: Verdict, group_id: str = "condor-000001") -> set[str]:
    """Kinds of findings of a group."""
    return {finding.kind for finding in verdict.findings if finding.group_id == group_id}


def bracket_of(
    units: int = 10, name: str = "bracket-000001", filled: int = 0, *, entered: bool = True, **policy: Any
) -> GroupState:
    """A bracket whose entry of this many contracts has filled (or `filled` of them); its exits are to be ordered.

    With `entered` false its entry is to be ordered, too.
    """
    plan = ExitPlan((ExitPair(1.0, Level(percent=0.02), Level(percent=0.01)),), entry=EntryPlan())
    spec = GroupSpec(name, Kind.BRACKET, "bracket", (CALL,), units, NOW - 60.0, Policy(**policy), plan.row())
    group = new_group(spec)
    apply(group, Opening(NOW - 60.0))
    if entered:
        order_of(group, units, cum=filled or units, limit=0.0, purpose="entry")
    return group
