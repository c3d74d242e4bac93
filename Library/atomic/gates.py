"""What may leave now: order rate, circuit breaker, pause, risk. Joined into the `Env` that decisions rest on.

None of these ever stops an order that reduces or protects; those have a reserved share of the rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plan import Env
from .plan.terms import UNLIMITED
from .ports import Refusal

if TYPE_CHECKING:
    from .policy import Breaker
    from .ports import RefusalLike, RiskGate


class Bucket:
    """So many orders a second, at most one second's worth at once; a rate of 0 is no limit."""

    __slots__ = ("at", "level", "rate")

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.level = max(1.0, rate)
        self.at = 0.0

    @property
    def most(self) -> int:
        """Orders that ever may leave at once."""
        return int(max(1.0, self.rate)) if self.rate else UNLIMITED

    def tokens(self, now: float) -> int:
        """Orders that may leave now; negative while those of a larger combo are owed."""
        if not self.rate:
            return UNLIMITED
        self.level = min(max(1.0, self.rate), self.level + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)
        return int(self.level + 1e-9)

    def take(self, now: float) -> None:
        """One order leaves."""
        if self.rate:
            self.tokens(now)
            self.level -= 1.0

    def next_at(self, now: float) -> float:
        """When one order more may leave than now (from a full bucket: once one has left); 0 without a limit."""
        if not self.rate:
            return 0.0
        more = self.tokens(now) + 1.0 - self.level
        return now + (more if 1e-9 < more < 1.0 else 1.0) / self.rate


class Fuse:
    """Circuit breaker: after so many refusals in a row nothing opens for a while.

    Who books a fill sets `failures` to 0. `row` and `restore` keep it over a restart.
    """

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self.failures = 0
        self.open_until = 0.0

    def failed(self, now: float) -> bool:
        """An order was refused; True when the breaker opens with it."""
        self.failures += 1
        if self.failures >= self._breaker.failures and now >= self.open_until:
            self.open_until = now + self._breaker.reset
            self.failures = 0
            return True
        return False

    def is_open(self, now: float) -> bool:
        """True while nothing may open."""
        return now < self.open_until

    def row(self) -> list[float]:
        """JSON-able state."""
        return [self.failures, self.open_until]

    def restore(self, row: Any) -> None:
        """The inverse of `row`; anything else is ignored."""
        if isinstance(row, list) and len(row) == 2:
            self.failures, self.open_until = int(row[0]), float(row[1])


class Gates:
    """Makes the `Env` of a moment; the same object again while nothing changed."""

    def __init__(self, base: Env, breaker: Breaker, rate: float, reserved: float, risk: RiskGate | None) -> None:
        self.fuse = Fuse(breaker)
        self.opening = Bucket(rate)
        self.reserved = Bucket(reserved)
        self.paused = False
        self.risk = risk
        #: why nothing may open for now (start not done, store failing, wiring, kill switch); "" = open
        self.shut: dict[str, str] = {}
        #: a rate is set: sends are counted
        self.limited = bool(rate or reserved)
        #: what may leave depends on more than pauses and the breaker
        self._asks = self.limited or risk is not None
        self._base = base
        self._env = base
        self._key: tuple[Any, ...] = ()
        #: the environment while nothing is held back or limited; None until it is asked for
        self._free: Env | None = None

    def set_base(self, base: Env) -> None:
        """What the venue can do became known."""
        self._base = base
        self._key = ()
        self._free = None

    @property
    def takes_options(self) -> bool:
        """True where the venue takes options."""
        return self._base.takes_options

    def refusal(self, now: float) -> RefusalLike | None:
        """Why the risk gate lets nothing open now; a gate that raises lets nothing open."""
        if self.risk is None:
            return None
        try:
            return self.risk.may_open(now)
        except Exception as error:
            return Refusal("risk-gate", "an answer", type(error).__name__, f"the gate failed: {error}")

    def env(self, now: float, *, opens: bool) -> Env:
        """The environment of a decision; `opens` asks the risk gate, too."""
        free = not (self._asks or self.paused or self.shut) and now >= self.fuse.open_until
        if free and self._free is not None:
            return self._free
        refused = self.refusal(now) if opens and self.risk is not None else None
        tokens = spare = UNLIMITED
        if self.limited:
            tokens, spare = self.opening.tokens(now), self.reserved.tokens(now)
        paused = self.paused or bool(self.shut)
        token_at = self._next_token(now) if self.limited else 0.0
        key = (paused, now < self.fuse.open_until, refused, tokens, spare, token_at)
        if key != self._key:
            self._key = key
            base = self._base
            self._env = Env(
                live=base.live,
                bar_data=base.bar_data,
                bar_seconds=base.bar_seconds,
                long_bars=base.long_bars,
                stale_after=base.stale_after,
                takes_options=base.takes_options,
                takes_market=base.takes_market,
                combo_market=base.combo_market,
                combo_limit=base.combo_limit,
                reserves_quantity=base.reserves_quantity,
                takes_replace=base.takes_replace,
                takes_linked=base.takes_linked,
                paused=paused,
                breaker_open=key[1],
                may_open=refused,
                burst=self.opening.most,
                tokens=tokens,
                reserved=spare,
                token_at=token_at,
                leaned_on=base.leaned_on,
            )
        if free:
            self._free = self._env
        return self._env

    def _next_token(self, now: float) -> float:
        """When one more may leave from either bucket than now. Too early a look costs nothing."""
        waits = [at for at in (self.opening.next_at(now), self.reserved.next_at(now)) if at]
        return min(waits, default=0.0)

    def took(self, now: float, *, reduces: bool) -> None:
        """An order left."""
        if self.opening.tokens(now) > 0 or not reduces:
            self.opening.take(now)
        else:
            self.reserved.take(now)
