"""All-or-nothing option groups and brackets that never leave a filled share unprotected, for QuantConnect LEAN."""

from .bracket import AtomicBracket
from .bracket_terms import ContingentOrder, ExitDefaults
from .executor import AtomicOrderExecutor
from .group import AtomicGroup
from .operation import OperationState, OperationType
from .policy import AT_MID, MARKET, Breaker, Ladder, Policy, Retry, Settings
from .ports import Alert, GroupEvent, Severity
from .protect import Level
from .startup import StartReport
from .vocabulary import ChildStatus, HoldCause, Outcome, Phase

__all__ = [
    "AT_MID",
    "MARKET",
    "Alert",
    "AtomicBracket",
    "AtomicGroup",
    "AtomicOrderExecutor",
    "Breaker",
    "ChildStatus",
    "ContingentOrder",
    "ExitDefaults",
    "GroupEvent",
    "HoldCause",
    "Ladder",
    "Level",
    "OperationState",
    "OperationType",
    "Outcome",
    "Phase",
    "Policy",
    "Retry",
    "Settings",
    "Severity",
    "StartReport",
]
