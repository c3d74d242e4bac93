"""What can happen to a group, and the only code that changes one.

Theory of operation
-------------------
A fact is one thing that happened: the broker said something, something moved the position from outside,
or we took a decision that must be remembered. Facts are appended to ``group.facts`` and folded into the
other fields by `apply`; a restart folds the same list again (`replay`). Nothing else may write a field of
`GroupState`, `LegState` or `ChildOrder`.

Two tables decide what is legal, as literal data: a child order moves by `ORDER_TABLE`
(status, trigger) -> status; a decision is allowed in a phase by `DECISION_TABLE`. A missing key is an
illegal fact: `IllegalFact` is raised and nothing changes. The phase itself is not in a table of events: it
is the joint result of the child orders and the target, computed at a fixed point after every fact
(`_settle`), as h11 computes a connection's state from its two peers.

What the broker reports is cumulative (`cum_qty`), so a duplicate or late event is a no-op: `apply` returns
False and records nothing. "Fill beats cancel": rows that look odd carry their reason.
"""

from .broker import IllegalFact
from .fold import BY_KIND, apply, decode, encode, replay
from .kinds import (
    Accepted,
    Adjusted,
    Attempt,
    BaseSet,
    CancelAsked,
    Canceled,
    CancelRefused,
    CloseAsked,
    Delivered,
    Emergency,
    Expired,
    Filled,
    Held,
    Identified,
    Intended,
    NativeRefused,
    Noted,
    Opening,
    Quarantined,
    Refused,
    Rejected,
    Released,
    Remembered,
    ReplaceAsked,
    Replaced,
    ReplaceRefused,
    Rung,
    Sent,
    Settled,
    Taken,
    TargetSet,
    Wave,
    Withdrawn,
)
from .tables import DECISION_TABLE, ORDER_TABLE

__all__ = [
    "BY_KIND",
    "DECISION_TABLE",
    "ORDER_TABLE",
    "Accepted",
    "Adjusted",
    "Attempt",
    "BaseSet",
    "CancelAsked",
    "CancelRefused",
    "Canceled",
    "CloseAsked",
    "Delivered",
    "Emergency",
    "Expired",
    "Filled",
    "Held",
    "Identified",
    "IllegalFact",
    "Intended",
    "NativeRefused",
    "Noted",
    "Opening",
    "Quarantined",
    "Refused",
    "Rejected",
    "Released",
    "Remembered",
    "ReplaceAsked",
    "ReplaceRefused",
    "Replaced",
    "Rung",
    "Sent",
    "Settled",
    "Taken",
    "TargetSet",
    "Wave",
    "Withdrawn",
    "apply",
    "decode",
    "encode",
    "replay",
]
