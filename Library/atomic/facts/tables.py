"""What is legal, as literal data: child orders by (status, trigger), decisions by phase.

A missing key is an illegal fact. Rows that look odd carry their reason.
"""

from __future__ import annotations

from ..vocabulary import ChildStatus, Phase

C = ChildStatus

#: (status, trigger) -> status. Triggers are the kinds of the facts above; "filled" arrives as "partial" or "fill".
ORDER_TABLE: dict[ChildStatus, dict[str, ChildStatus]] = {
    C.INTENDED: {
        "sent": C.SENT,
        "withdrawn": C.WITHDRAWN,
        # after a restart an intent's fate is unknown: any of the broker's answers may be found for it
        "accepted": C.WORKING,
        "partial": C.PARTIAL,
        "fill": C.FILLED,
        "canceled": C.CANCELED,
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
        "quarantined": C.QUARANTINED,
    },
    C.SENT: {
        "accepted": C.WORKING,
        "partial": C.PARTIAL,
        "fill": C.FILLED,
        "cancel_asked": C.CANCELING,
        # LEAN live answers -32 while NEW; the order goes on (lean_traces/live)
        "cancel_refused": C.SENT,
        "canceled": C.CANCELED,
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
        "quarantined": C.QUARANTINED,
        # after a restart: found nowhere, quiet period over
        "withdrawn": C.WITHDRAWN,
    },
    C.WORKING: {
        "accepted": C.WORKING,
        "replace_asked": C.WORKING,
        "replace_refused": C.WORKING,
        "replaced": C.WORKING,
        "partial": C.PARTIAL,
        "fill": C.FILLED,
        "cancel_asked": C.CANCELING,
        "cancel_refused": C.WORKING,
        "canceled": C.CANCELED,
        # LEAN checks margin again at fill time: SUBMITTED -> INVALID on any later bar (trace p05)
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
        "quarantined": C.QUARANTINED,
    },
    C.PARTIAL: {
        "accepted": C.PARTIAL,
        "replace_asked": C.PARTIAL,
        "replace_refused": C.PARTIAL,
        "replaced": C.PARTIAL,
        "partial": C.PARTIAL,
        "fill": C.FILLED,
        "cancel_asked": C.CANCELING,
        "cancel_refused": C.PARTIAL,
        "canceled": C.CANCELED,
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
        "quarantined": C.QUARANTINED,
    },
    C.CANCELING: {
        # the acknowledgement was overtaken by the cancel
        "accepted": C.CANCELING,
        "replaced": C.CANCELING,
        "replace_refused": C.CANCELING,
        # fill beats cancel: the order may fill until the broker ends it (trace p02, race-2)
        "partial": C.CANCELING,
        "fill": C.FILLED,
        "cancel_asked": C.CANCELING,
        "cancel_refused": C.WORKING,
        "canceled": C.CANCELED,
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
        "quarantined": C.QUARANTINED,
    },
    C.FILLED: {
        # late or reordered news of an order that is complete changes nothing
        "accepted": C.FILLED,
        "replaced": C.FILLED,
        "replace_refused": C.FILLED,
        "canceled": C.FILLED,
        "cancel_refused": C.FILLED,
        "rejected": C.FILLED,
        "expired": C.FILLED,
        # more filled than ordered is legal and a break (trace p15)
        "partial": C.FILLED,
        "fill": C.FILLED,
    },
    C.CANCELED: {
        # fill beats cancel, also after the end; the remainder stays canceled
        "partial": C.CANCELED,
        "fill": C.FILLED,
        "accepted": C.CANCELED,
        "replaced": C.CANCELED,
        "replace_refused": C.CANCELED,
        "canceled": C.CANCELED,
        "cancel_refused": C.CANCELED,
        "rejected": C.CANCELED,
        "expired": C.CANCELED,
    },
    C.REJECTED: {
        # a broker that rejects and then fills contradicts itself; the fill is real money
        "partial": C.REJECTED,
        "fill": C.FILLED,
        "accepted": C.REJECTED,
        "replaced": C.REJECTED,
        "replace_refused": C.REJECTED,
        "rejected": C.REJECTED,
        "canceled": C.REJECTED,
        "cancel_refused": C.REJECTED,
        "expired": C.REJECTED,
    },
    C.EXPIRED: {
        "partial": C.EXPIRED,
        "fill": C.FILLED,
        "accepted": C.EXPIRED,
        "replaced": C.EXPIRED,
        "replace_refused": C.EXPIRED,
        "expired": C.EXPIRED,
        "canceled": C.EXPIRED,
        "cancel_refused": C.EXPIRED,
        "rejected": C.EXPIRED,
    },
    C.WITHDRAWN: {
        # it was out after all: adopted late, never resent
        "accepted": C.WORKING,
        "partial": C.PARTIAL,
        "fill": C.FILLED,
        "canceled": C.CANCELED,
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
    },
    C.QUARANTINED: {
        # its late fill is accounted for; only an end that the broker confirms frees the slot
        "accepted": C.QUARANTINED,
        "replaced": C.QUARANTINED,
        "replace_refused": C.QUARANTINED,
        "partial": C.QUARANTINED,
        "fill": C.FILLED,
        "cancel_asked": C.QUARANTINED,
        # the cancel is asked for again from time to time (`diff`); no flapping between works and quarantine
        "cancel_refused": C.QUARANTINED,
        "canceled": C.CANCELED,
        "rejected": C.REJECTED,
        "expired": C.EXPIRED,
    },
}

_ALIVE = (Phase.OPENING, Phase.OPEN, Phase.UNWINDING, Phase.CLOSING, Phase.HELD)
_ANY = (Phase.PLANNED, *_ALIVE, Phase.CLOSED)

#: decision -> phases in which it may be taken.
DECISION_TABLE: dict[str, frozenset[Phase]] = {
    "opening": frozenset({Phase.PLANNED}),
    "refused": frozenset({Phase.PLANNED}),
    "wave": frozenset({Phase.OPENING}),
    "rung": frozenset(_ALIVE),
    "intended": frozenset(_ALIVE),
    "target": frozenset({Phase.OPENING, Phase.OPEN, Phase.UNWINDING, Phase.HELD}),
    "close": frozenset({Phase.OPENING, Phase.OPEN, Phase.UNWINDING, Phase.CLOSING, Phase.HELD}),
    "attempt": frozenset(_ALIVE),
    "emergency": frozenset({Phase.OPEN, Phase.OPENING, Phase.UNWINDING, Phase.CLOSING, Phase.HELD}),
    # a combo may be refused while the group is held already
    "native_refused": frozenset({Phase.OPENING, Phase.HELD}),
    "held": frozenset({Phase.PLANNED, Phase.OPENING, Phase.OPEN, Phase.UNWINDING, Phase.CLOSING, Phase.HELD}),
    "released": frozenset({Phase.HELD}),
    "remembered": frozenset(_ANY),
    "noted": frozenset(_ANY),
    "adjusted": frozenset(_ANY),
    "settled": frozenset(_ANY),
    "delivered": frozenset(_ANY),
}
