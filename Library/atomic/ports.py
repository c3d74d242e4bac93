"""The protocols between the core and what surrounds it: gateway, store, risk gate, alerts.

The core asks for nothing but these. `bridge.py` is the gateway on LEAN, the tests have an adversarial one;
`journal` knows three stores; the risk package is one implementation of `RiskGate` and may be absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import GroupSpec, GroupState, Quote
    from .vocabulary import ChildType


class Severity(IntEnum):
    """How loud an alert is; smaller is louder."""

    #: money is at risk now: unprotected, naked, given up
    P0 = 0
    #: will be at risk soon, or an operator must decide
    P1 = 1
    #: degraded, handled by itself
    P2 = 2
    #: for the record
    P3 = 3


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing a person should know.

    Attributes:
        at: seconds UTC.
        severity: P0 to P3.
        code: stable, machine-readable ("orphan-order", "naked-short"); the de-duplication key with `group_id`.
        group_id: the group, or "" for the whole executor.
        text: one sentence, with the cure where there is one.
        facts: what it rests on (JSON-able).
    """

    at: float
    severity: Severity
    code: str
    group_id: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class GroupEvent(NamedTuple):
    """A change of a group that somebody may want to know of (callbacks, metrics, risk, report)."""

    at: float
    #: opening, open, unwinding, closing, closed, held, released, fill, rejected, adjusted, settled, refused
    kind: str
    group: GroupState
    #: the fact that caused it
    fact: Any


class OrderRequest(NamedTuple):
    """One order for the gateway: `quantity` signed, prices in dollars per share, 0 where not used."""

    group_id: str
    number: int
    symbol: str
    quantity: int
    type: ChildType
    limit: float
    stop: float
    tag: str


class BrokerOrder(NamedTuple):
    """An open order as the broker shows it (LEAN tickets after a restart)."""

    lean_id: int
    broker_ids: tuple[str, ...]
    symbol: str
    quantity: int
    #: unsigned; may restart at 0 after a restart (LEAN BSH:516)
    filled: int
    type: str
    limit: float
    stop: float
    tag: str
    at: float
    #: opaque to the core: what the gateway needs to cancel it
    handle: Any


#: why the account moved: an order of another executor of the same algorithm
SIBLING = "another_executor"


class Sink(Protocol):
    """Where a gateway reports; the executor is one. Never raises; may be called re-entrantly, from any thread."""

    def on_fact(self, group_id: str, fact: Any) -> None:
        """A fact about a child order of a group."""

    def on_foreign(self, symbol: str, delta: int, price: float, cause: str, why: str) -> None:
        """The account moved in a symbol by something that is no order of ours (signed contracts).

        `cause`: foreign, assignment, exercise, split, margin_call, or `SIBLING`.
        """

    def on_delisted(self, symbol: str, settlement: float, cause: str) -> None:
        """A contract ended; `settlement` is its worth in dollars per share."""

    def on_wake(self) -> None:
        """The wake-up asked for by `Gateway.wake_at` has come."""

    def on_alarm(self, severity: Severity, code: str, text: str) -> None:
        """The gateway found something wrong that is no fact of a group (wiring, an event nobody owns)."""


class Gateway(Protocol):
    """The market side. All calls return at once; answers come through the `Sink`, also re-entrantly."""

    #: True for live trading: journal is flushed, orders go out asynchronously
    live: bool

    def attach(self, sink: Sink) -> None:
        """From now on report to this sink; called once, before anything else."""

    def now(self) -> float:
        """Algorithm time, seconds UTC."""

    def quote(self, symbol: str) -> Quote:
        """Newest quote; a missing side is 0, an unknown symbol is all zeros and closed."""

    def submit(self, request: OrderRequest) -> tuple[int, ...] | None:
        """Send one order. Its facts (accepted, filled, rejected ...) may arrive before this returns.

        In a backtest the numbers of orders of which the call said that the broker has them, and nothing else, may be
        returned instead of a fact for each.
        """

    def submit_combo(
        self, requests: Sequence[OrderRequest], units: int, limit_net: float | None
    ) -> tuple[int, ...] | None:
        """Send one native combo: one request per leg, all with the same ratio times `units`. Answers as `submit`."""

    def submit_linked(self, requests: Sequence[OrderRequest]) -> tuple[int, ...] | None:
        """Send exits as one native set that resizes siblings; asked only where `plan.Env.takes_linked` is set.

        Answers as `submit`.
        """

    def cancel(self, group_id: str, number: int) -> None:
        """Ask for a cancel. Reports CancelAsked or CancelRefused, later the end."""

    def replace(self, group_id: str, number: int, quantity: int, limit: float, stop: float) -> None:
        """Ask for an update in place. Reports ReplaceAsked or ReplaceRefused, later Replaced."""

    def poll(self, group_id: str, number: int) -> None:
        """Report again what the ticket shows now (finds lost events)."""

    def holding(self, symbol: str) -> int:
        """Signed net of the whole account in this symbol, as the algorithm sees it."""

    def open_orders(self) -> Sequence[BrokerOrder]:
        """All open orders of the account that the algorithm can see."""

    def adopt(self, group_id: str, number: int, order: BrokerOrder) -> None:
        """From now on this broker order is child order `number`.

        Its fills are reported as its ticket counts them; the sink adds what had filled before (`BaseSet`).
        """

    def wake_at(self, at: float | None) -> None:
        """One wake-up for the whole executor; None cancels it."""

    def takes_combo(self, legs: int, limit: bool) -> bool:
        """True when the brokerage takes a native combo of this many legs (market or net limit)."""

    def log(self, text: str) -> None:
        """A line in the algorithm's log."""


class RefusalLike(Protocol):
    """Why a check said no, in whatever form a risk gate says it; all of it text for people."""

    @property
    def check(self) -> str:
        """Stable name of the check."""

    @property
    def limit(self) -> str:
        """What is allowed."""

    @property
    def value(self) -> str:
        """What was found."""

    @property
    def reason(self) -> str:
        """One sentence."""


class Refusal(NamedTuple):
    """Why a check said no."""

    check: str
    limit: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A group that wants to open, and what is known of the market and the book."""

    spec: GroupSpec
    quotes: Mapping[str, Quote]
    now: float
    #: groups that are not closed
    book: Sequence[GroupState]
    #: dollars; NaN when unknown
    equity: float
    margin_remaining: float


class RiskGate(Protocol):
    """What the executor asks the risk package; any object with these three methods will do."""

    def approve(self, proposal: Proposal) -> Sequence[RefusalLike]:
        """Empty when the group may open."""

    def on_event(self, event: GroupEvent) -> None:
        """Every group event, for limits that count."""

    def may_open(self, now: float) -> RefusalLike | None:
        """None while new groups are allowed; asked before every opening order. Never asked for orders that reduce."""


class Reading(NamedTuple):
    """The account as limits see it; dollars and seconds, NaN when unknown."""

    at: float
    equity: float
    margin_used: float
    margin_remaining: float
    #: longest time any open group has been naked beyond its structure without a break, seconds
    naked_seconds: float
    #: groups that are not closed
    open_groups: int


class Directive(NamedTuple):
    """What a tripped limit wants done: warn, no_new, close_by_risk, flatten or kill."""

    action: str
    limit: str
    reason: str


class RiskGuard(RiskGate, Protocol):
    """A risk gate that also acts and remembers; the executor uses these when they are there."""

    def directives(self, reading: Reading) -> Sequence[Directive]:
        """Limits that tripped with this reading, each once; called when a step ends."""

    def state(self) -> Mapping[str, Any]:
        """What must survive a restart, JSON-able; journaled with the open groups."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""

    def reset(self, limit: str, by: str, now: float) -> str:
        """An operator resets a tripped limit; answers what was done, raises ValueError for an unknown name."""


class StoreError(OSError):
    """The store did not do what was asked; the text names the key and the cure."""


class Store(Protocol):
    """Keys and texts. LEAN's ObjectStore, a folder of files, or memory."""

    def read(self, key: str) -> str | None:
        """The text, or None when there is none. Raises StoreError when it cannot be read."""

    def write(self, key: str, text: str) -> None:
        """Keep the text; durable only after `flush`. Raises StoreError (read-only, full, illegal key)."""

    def flush(self, key: str) -> None:
        """Return only when the newest text of the key is on disk. Raises StoreError."""

    def delete(self, key: str) -> None:
        """Forget the key; a missing one is fine."""

    def keys(self, prefix: str) -> Sequence[str]:
        """All keys that start with the prefix, sorted."""


