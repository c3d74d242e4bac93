"""All-or-nothing option groups and brackets that never leave a filled share unprotected, for QuantConnect LEAN."""

from .executor import AtomicOrderExecutor
from .group import AtomicGroup
from .policy import AT_MID, MARKET, Breaker, Ladder, Policy, Retry, Settings
from .ports import Alert, Severity
from .vocabulary import ChildStatus, HoldCause, Outcome, Phase

__all__ = [
    "AT_MID",
    "MARKET",
    "Alert",
    "AtomicGroup",
    "AtomicOrderExecutor",
    "Breaker",
    "ChildStatus",
    "HoldCause",
    "Ladder",
    "Outcome",
    "Phase",
    "Policy",
    "Retry",
    "Settings",
    "Severity",
]
