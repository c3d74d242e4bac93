"""What the judge knows of one group: what it was asked for, and what truly happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from atomic.model import GroupSpec, LegSpec

    from .account import SimOrder
    from .sets import SetTruth


class Violation(NamedTuple):
    """A broken invariant."""

    name: str
    group_id: str
    text: str


@dataclass(slots=True, eq=False)
class Truth:
    """What truly happened to one group."""

    spec: GroupSpec
    legs: dict[str, LegSpec]
    goal: dict[str, int]
    structural: int
    net: dict[str, int] = field(default_factory=dict)
    #: contracts per symbol that the broker or the outside moved against its word
    excuse: dict[str, int] = field(default_factory=dict)
    excused: int = 0
    live: dict[int, SimOrder] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    rejections: int = 0
    #: reducing orders that stood without a complete fill for as long as a price gets
    stood: set[int] = field(default_factory=set)
    overfilled: bool = False
    stuck: bool = False
    outside: bool = False
    restarted: bool = False
    #: a restart left two histories that fit; what the group believes is for a person to settle
    unclear: bool = False
    hold_asked: bool = False
    #: its owner wants the position without exits
    let_go: bool = False
    naked_seconds: float = 0.0
    sends: int = 0
    #: of a contingent set: its members
    set: SetTruth | None = None
