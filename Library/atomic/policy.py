"""How a group is priced, retried, timed out and given up: small frozen objects that compose.

Everything here is data: `plan` reads it, the journal keeps it with the group (`Policy.row`), so that a restart
decides by the policy the group was opened with, whatever the defaults of the program are by then. Bad values
raise `ValueError` naming value, rule and cure.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from math import isfinite
from typing import Any

from . import given


def _known(owner: str, name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{owner}.{name} is {value!r}: use one of {', '.join(map(repr, allowed))}")


def _at_least(owner: str, low: float, **values: float) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < low:
            raise ValueError(f"{owner}.{name} is {value!r}: use a finite number of at least {low:g}")


def _from_row(cls: type[Any], row: dict[str, Any]) -> Any:
    unknown = set(row) - {f.name for f in fields(cls)}
    if unknown:
        raise ValueError(f"{cls.__name__} has no {', '.join(sorted(unknown))}: written by a newer version?")
    return cls(**row)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The prices an order walks, one rung at a time.

    Rungs: with ``first="mid"`` a limit at mid, then `steps` moves to the natural price (the ask for a buy, the bid
    for a sale); with ``first="natural"`` a limit at the natural price; with ``first="market"`` a market order and
    nothing else. ``last="market"`` adds a market order at the end. Where a venue takes no market order, a limit
    `through_ticks` beyond the natural price stands in for it.

    Attributes:
        steps: moves from mid to the natural price, at least 1.
        first: "mid", "natural" or "market".
        step_seconds: time a rung gets, counted from its order's submission (with bar data: at least one new bar).
        last: "market" or "natural" (stay there).
        through_ticks: ticks beyond the natural price where a market order cannot be used.
    """

    steps: int = 2
    first: str = "mid"
    step_seconds: float = 1.0
    last: str = "market"
    through_ticks: int = 2

    def __post_init__(self) -> None:
        _known("Ladder", "first", self.first, ("mid", "natural", "market"))
        _known("Ladder", "last", self.last, ("market", "natural"))
        _at_least("Ladder", 1, steps=self.steps)
        _at_least("Ladder", 0, step_seconds=self.step_seconds, through_ticks=self.through_ticks)

    @property
    def top(self) -> int:
        """Index of the last rung."""
        if self.first == "market":
            return 0
        natural = self.steps if self.first == "mid" else 0
        return natural + (self.last == "market")

    def is_market(self, rung: int) -> bool:
        """True when this rung is a market order."""
        return self.first == "market" or (self.last == "market" and rung >= self.top)

    def share(self, rung: int) -> float:
        """How far this rung is from mid (0) to the natural price (1)."""
        return min(1.0, rung / self.steps) if self.first == "mid" else 1.0

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Ladder:
        """The inverse of `row`. Raises ValueError for unknown or bad values."""
        return _from_row(cls, row)  # type: ignore[no-any-return]


#: a market order at once
MARKET = Ladder(first="market")
#: a limit at mid that stays there until the deadline
AT_MID = Ladder(steps=1, first="mid", step_seconds=1e9, last="natural")


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential back-off: `first` seconds, then times `factor`, never more than `cap` seconds."""

    attempts: int = 5
    first: float = 0.5
    factor: float = 2.0
    cap: float = 30.0

    def __post_init__(self) -> None:
        _at_least("Retry", 1, attempts=self.attempts, factor=self.factor)
        _at_least("Retry", 0, first=self.first, cap=self.cap)

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th failure (1 is the first)."""
        return float(min(self.cap, self.first * self.factor ** min(max(0, attempt - 1), 60)))

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Retry:
        """The inverse of `row`. Raises ValueError for unknown or bad values."""
        return _from_row(cls, row)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a group opens, gives up and closes.

    Attributes:
        sequence: "protected" sends long legs first and a short leg only up to what filled longs of the group
            cover; "together" sends all at once, longs first.
        ladder: prices while opening.
        unwind_ladder: prices while going back after a failure.
        close_ladder: prices while closing on request; None uses `unwind_ladder`.
        order_timeout: seconds from the submission of a wave to its deadline.
        on_timeout: "roll_back", "complete" (cross the spread once, then roll back) or "hold".
        keep_units: keep the complete units that are held instead of going back to none.
        max_time_to_open: seconds from the group's creation after which opening ends in any case.
        cancel_deadline: seconds an accepted cancel may take; beyond it the order is quarantined. At least 45 where
            the venue buffers fills of combos (InteractiveBrokers: 30 s).
        rollback_attempts: failures of one leg while reducing before the emergency (and again before HELD).
        emergency_flatten: after the attempts: reduce at market, budget ignored; False holds at once.
        cost_budget: dollars that unwinding may give up before it rests at the price that keeps it; None for no
            limit. Never blocks what reduces naked quantity, nor the emergency.
        allow_naked: structures with uncovered shorts may be opened.
        native: "first" uses a native combo where the brokerage takes it, "never" always uses independent legs.
        on_restart: what an incomplete group becomes: "roll_back", "complete", "resume", "adopt" or "hold".
        on_outside: what a foreign trade, margin call, exercise or assignment in a leg leads to: "adjust" (keep the
            units that are still complete, unwind the rest), "unwind" (everything) or "hold".
        on_expiry: what the end of some legs leads to when others live on: "unwind", "keep" or "hold".
        bidless: a long without a bid is kept until a bid returns or it expires ("keep"), or rests at one tick
            ("offer"); never sold at market.
        max_sends: orders a group may ever send to open; reducing orders have a cap of their own of the same size.
        quiet_period: seconds after a restart during which an intent that is not seen counts as may-fill.
        retry: back-off between attempts.
    """

    sequence: str = "protected"
    ladder: Ladder = MARKET
    unwind_ladder: Ladder = MARKET
    close_ladder: Ladder | None = None
    order_timeout: float = 5.0
    on_timeout: str = "roll_back"
    keep_units: bool = False
    max_time_to_open: float = 600.0
    cancel_deadline: float = 45.0
    rollback_attempts: int = 3
    emergency_flatten: bool = True
    cost_budget: float | None = None
    allow_naked: bool = False
    native: str = "first"
    on_restart: str = "roll_back"
    on_outside: str = "adjust"
    on_expiry: str = "unwind"
    bidless: str = "keep"
    max_sends: int = 60
    quiet_period: float = 30.0
    retry: Retry = field(default_factory=Retry)

    def __post_init__(self) -> None:
        for name, ladder in (("ladder", self.ladder), ("unwind_ladder", self.unwind_ladder)):
            given.one_of(ladder, Ladder, f"Policy.{name}")
        if self.close_ladder is not None:
            given.one_of(self.close_ladder, Ladder, "Policy.close_ladder")
        given.one_of(self.retry, Retry, "Policy.retry")
        _known("Policy", "sequence", self.sequence, ("protected", "together"))
        _known("Policy", "on_timeout", self.on_timeout, ("roll_back", "complete", "hold"))
        _known("Policy", "native", self.native, ("first", "never"))
        _known("Policy", "on_restart", self.on_restart, ("roll_back", "complete", "resume", "adopt", "hold"))
        _known("Policy", "on_outside", self.on_outside, ("adjust", "unwind", "hold"))
        _known("Policy", "on_expiry", self.on_expiry, ("unwind", "keep", "hold"))
        _known("Policy", "bidless", self.bidless, ("keep", "offer"))
        _at_least("Policy", 0, quiet_period=self.quiet_period, cancel_deadline=self.cancel_deadline)
        _at_least("Policy", 0.001, order_timeout=self.order_timeout)
        _at_least("Policy", self.order_timeout, max_time_to_open=self.max_time_to_open)
        _at_least("Policy", 1, rollback_attempts=self.rollback_attempts, max_sends=self.max_sends)
        if self.cost_budget is not None:
            _at_least("Policy", 0, cost_budget=self.cost_budget)

    def __hash__(self) -> int:
        return hash((self.sequence, self.order_timeout, self.on_timeout, self.native, self.on_restart))

    def row(self) -> dict[str, Any]:
        """JSON-able form; shared, do not change it."""
        return _policy_row(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Policy:
        """The inverse of `row`. Raises ValueError for unknown or bad values."""
        row = dict(row)
        for name in ("ladder", "unwind_ladder", "close_ladder"):
            if row.get(name) is not None:
                row[name] = Ladder.from_row(row[name])
        if row.get("retry") is not None:
            row["retry"] = Retry.from_row(row["retry"])
        return _from_row(cls, row)  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def _policy_row(policy: Policy) -> dict[str, Any]:
    return asdict(policy)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an executor allows over all its groups.

    Attributes:
        max_legs: legs a group may have.
        max_pending_groups: groups that may be opening or unwinding at once.
        fill_check: seconds between looks at tickets while something rests (live; a safety net, not the trigger).
        rate_per_second: orders per second that may open; 0 for no limit.
        reserved_rate: further orders per second kept for what reduces or protects; 0 for no limit.
        max_groups_per_underlying: groups not closed per underlying; 0 for no limit.
        max_contracts_per_underlying: contracts of all groups not closed per underlying; 0 for no limit.
        sweep_interval: seconds between the sweeps for orphans and breaks.
        protection_sweep: seconds between the sweeps for filled entries without exits.
        recent_ends: ended groups whose late fills are still found in memory.
        history: ended groups kept for statistics and the report.
    """

    max_legs: int = 6
    max_pending_groups: int = 2
    fill_check: float = 0.5
    rate_per_second: float = 0.0
    reserved_rate: float = 0.0
    max_groups_per_underlying: int = 0
    max_contracts_per_underlying: int = 0
    sweep_interval: float = 60.0
    protection_sweep: float = 300.0
    recent_ends: int = 256
    history: int = 1000

    def __post_init__(self) -> None:
        _at_least("Settings", 1, max_legs=self.max_legs, max_pending_groups=self.max_pending_groups)
        _at_least("Settings", 0.001, fill_check=self.fill_check, sweep_interval=self.sweep_interval,
                  protection_sweep=self.protection_sweep)  # fmt: skip
        _at_least("Settings", 0, rate_per_second=self.rate_per_second, reserved_rate=self.reserved_rate,
                  max_groups_per_underlying=self.max_groups_per_underlying,
                  max_contracts_per_underlying=self.max_contracts_per_underlying,
                  recent_ends=self.recent_ends, history=self.history)  # fmt: skip

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Settings:
        """The inverse of `row`. Raises ValueError for unknown or bad values."""
        return _from_row(cls, row)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Breaker:
    """Circuit breaker: after `failures` in a row nothing opens for `reset` seconds; what reduces always may."""

    failures: int = 10
    reset: float = 300.0

    def __post_init__(self) -> None:
        _at_least("Breaker", 1, failures=self.failures)
        _at_least("Breaker", 0, reset=self.reset)

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Breaker:
        """The inverse of `row`. Raises ValueError for unknown or bad values."""
        return _from_row(cls, row)  # type: ignore[no-any-return]
