"""LEAN parameters, read strictly.

LEAN's own ``get_parameter(name, 5)`` falls back to the default without a word when the text is not a whole number
("5.0", "five": QCAlgorithm.cs:878). Here a text that does not fit stops the run with one line that names parameter,
value and cure; an absent parameter gives the default.
"""

from __future__ import annotations

from datetime import date, time
from math import isfinite
from typing import Protocol

from .policy import AT_MID, MARKET, Ladder, Policy


class HasParameters(Protocol):
    """The part of `QCAlgorithm` that is used here."""

    def get_parameter(self, name: str, default_value: str) -> str:
        """The text of a parameter, or the default."""


#: prices while opening, by the name that the parameter `pricing` takes
PRICING = {"market": MARKET, "mid": AT_MID, "ladder": Ladder(steps=2, first="mid", last="market")}


class Parameters:
    """Typed reading of one algorithm's parameters. Every method raises ValueError for a text that does not fit."""

    __slots__ = ("_algorithm",)

    def __init__(self, algorithm: HasParameters) -> None:
        self._algorithm = algorithm

    def text(self, name: str, default: str = "") -> str:
        """The text as it stands, without spaces around it; the default when it is absent or empty."""
        return str(self._algorithm.get_parameter(name, "") or "").strip() or default

    def number(self, name: str, default: float, *, low: float = 0.0, high: float = 1e12) -> float:
        """A finite number from `low` to `high`."""
        text = self.text(name)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not (isfinite(value) and low <= value <= high):
            limit = f"from {low:g} to {high:g}" if high < 1e12 else f"of at least {low:g}"
            raise ValueError(f"parameter {name} is {text!r}: use a number {limit}, such as {default:g}")
        return value

    def whole(self, name: str, default: int, *, low: int = 0, high: int = 10**12) -> int:
        """A whole number; "5.0" is one (an optimizer writes them so)."""
        value = self.number(name, default, low=low, high=high)
        if value != int(value):
            raise ValueError(f"parameter {name} is {self.text(name)!r}: use a whole number, such as {default}")
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """1, true, yes, on or 0, false, no, off."""
        text = self.text(name).lower()
        if not text:
            return default
        if text in {"1", "1.0", "true", "yes", "on"}:
            return True
        if text in {"0", "0.0", "false", "no", "off"}:
            return False
        raise ValueError(f"parameter {name} is {text!r}: use 1 or 0")

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words."""
        text = self.text(name, default)
        if text not in allowed:
            raise ValueError(f"parameter {name} is {text!r}: use one of {', '.join(allowed)}")
        return text

    def day(self, name: str, default: date) -> date:
        """A date written as 2015-12-24."""
        text = self.text(name)
        try:
            return date.fromisoformat(text) if text else default
        except ValueError:
            raise ValueError(f"parameter {name} is {text!r}: write a date as {default.isoformat()}") from None

    def clock(self, name: str, default: time) -> time:
        """A time of day written as 10:00 or 10:00:30."""
        text = self.text(name)
        try:
            value = time.fromisoformat(text) if text else default
        except ValueError:
            value = None
        if value is None or value.tzinfo is not None:
            raise ValueError(f"parameter {name} is {text!r}: write a time as {default:%H:%M}")
        return value

    def policy(self) -> Policy:
        """How groups are opened and given up.

        `sequence`, `pricing` (market, mid, ladder), `order-timeout` and `max-time-to-open` (seconds), `on-timeout`,
        `keep-units`, `rollback-attempts`, `cost-budget` (dollars), `on-restart`, `native`: see `policy.Policy`.
        """
        default = Policy()
        timeout = self.number("order-timeout", default.order_timeout, low=0.001)
        budget = self.number("cost-budget", -1.0, low=0.0)
        return Policy(
            sequence=self.choice("sequence", default.sequence, ("protected", "together")),
            ladder=PRICING[self.choice("pricing", "market", tuple(PRICING))],
            order_timeout=timeout,
            max_time_to_open=self.number("max-time-to-open", max(default.max_time_to_open, timeout), low=timeout),
            on_timeout=self.choice("on-timeout", default.on_timeout, ("roll_back", "complete", "hold")),
            keep_units=self.flag("keep-units", default.keep_units),
            rollback_attempts=self.whole("rollback-attempts", default.rollback_attempts, low=1),
            cost_budget=None if budget < 0 else budget,
            on_restart=self.choice(
                "on-restart", default.on_restart, ("roll_back", "complete", "resume", "adopt", "hold")
            ),
            native=self.choice("native", default.native, ("first", "never")),
        )
