"""The order rate as the judge counts it: what left against what may leave."""

from __future__ import annotations


class RateCount:
    """Two allowances of orders, refilled by time and never above one second's worth (at least one order).

    An order that reduces or protects takes from the second when the first is used up. A native combo may leave when
    the first is full, however many orders it has; the surplus is owed.
    """

    def __init__(self, rate: float, reserved: float) -> None:
        self.rate, self.reserved = rate, reserved
        self._most, self._most_reserved = max(1.0, rate), max(1.0, reserved)
        self._left, self._spare = self._most, self._most_reserved
        self._at = 0.0
        self._combo = 0

    def restart(self) -> None:
        """A new process begins with full allowances."""
        self._left, self._spare, self._combo = self._most, self._most_reserved, 0

    def _refill(self, now: float) -> None:
        passed, self._at = max(0.0, now - self._at), now
        self._left = min(self._most, self._left + passed * self.rate)
        self._spare = min(self._most_reserved, self._spare + passed * self.reserved)

    def take(self, now: float, *, reduces: bool, combo: int) -> bool:
        """An order leaves; False when it was not allowed to."""
        if not self.rate:
            return True
        self._refill(now)
        goes_on = combo and combo == self._combo
        self._combo = combo
        if self._left >= 1.0 - 1e-6 or (goes_on and not reduces):
            self._left -= 1.0
            return True
        if reduces and (goes_on or not self.reserved or self._spare >= 1.0 - 1e-6):
            self._spare -= 1.0
            return True
        return False

    def used_up(self, now: float) -> bool:
        """True when not even an order that protects may leave now."""
        if not (self.rate and self.reserved):
            return False
        self._refill(now)
        return self._left < 1.0 - 1e-6 and self._spare < 1.0 - 1e-6
