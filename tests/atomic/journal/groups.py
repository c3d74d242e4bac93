"""Groups as they look in the middle of a trading day."""

from atomic.facts import Accepted, CloseAsked, Filled, Identified, Intended, Opening, Sent, Wave, apply
from atomic.model import GroupSpec, GroupState, LegSpec, new_group
from atomic.policy import Policy
from atomic.vocabulary import Kind, Right

CONDOR = (
    LegSpec("GOOG P735 id", 1, Right.PUT, 735.0, "2015-12-24", "GOOG id", 100.0, 0.05, "GOOG  151224P00735000"),
    LegSpec("GOOG P740 id", -1, Right.PUT, 740.0, "2015-12-24", "GOOG id", 100.0, 0.05, "GOOG  151224P00740000"),
    LegSpec("GOOG C755 id", -1, Right.CALL, 755.0, "2015-12-24", "GOOG id", 100.0, 0.05, "GOOG  151224C00755000"),
    LegSpec("GOOG C760 id", 1, Right.CALL, 760.0, "2015-12-24", "GOOG id", 100.0, 0.05, "GOOG  151224C00760000"),
)


def make_group(group_id: str, at: float = 1000.0) -> GroupState:
    """A condor of which nothing happened yet."""
    return new_group(GroupSpec(group_id, Kind.ALL_OR_NONE, "iron_condor", CONDOR, 2, at, Policy(), note="für später"))


def intend(group: GroupState, leg: int, quantity: int, purpose: str = "open", at: float = 1001.0) -> int:
    """Journal-to-be intent of one market order; returns its number."""
    number = group.next_number
    tag = f"{group.group_id}:{number}:{purpose}"
    apply(group, Intended(at, number, leg, purpose, 0, quantity, "market", 0.0, 0.0, tag, 0))
    return number


def open_up(group: GroupState, at: float = 1001.0) -> GroupState:
    """All legs filled: the group is OPEN."""
    apply(group, Opening(at))
    apply(group, Wave(at, 1, at + 5))
    for leg, spec in enumerate(CONDOR):
        number = intend(group, leg, 2 * spec.ratio, at=at)
        apply(group, Sent(at, number))
        apply(group, Identified(at, number, number, (f"B{number}",)))
        apply(group, Accepted(at, number))
        apply(group, Filled(at + 0.5, number, 2, 1.25, 2.6))
    return group


def close_down(group: GroupState, at: float = 2000.0) -> GroupState:
    """Everything sold and bought back: the group is CLOSED."""
    apply(group, CloseAsked(at, "time"))
    for leg in range(4):
        number = intend(group, leg, -group.legs[leg].net, "close", at)
        apply(group, Sent(at, number))
        apply(group, Filled(at, number, 2, 0.5, 2.6))
    return group
