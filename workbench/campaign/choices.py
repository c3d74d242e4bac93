"""Where every answer of the adversary comes from: a sequence of small integers that can be kept and cut.

A run is a function of its choices alone. Each step of a run takes its own short list of them, so a run is
recorded as a list of lists, replayed exactly, and shrunk by dropping steps and lowering numbers. 0 is always the
kindest answer, so a shortened run is a kinder run.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Choices(Protocol):
    """A source of answers."""

    def begin(self) -> bool:
        """A new step starts; False when the source has no more steps."""

    def draw(self, n: int) -> int:
        """A number in 0 .. n-1; 0 is the kindest."""


class SeededChoices:
    """Answers from a seed, recorded as they are given."""

    def __init__(self, seed: int, steps: int) -> None:
        self._random = random.Random(seed)
        self._left = steps
        self.taken: list[list[int]] = []

    def begin(self) -> bool:
        """A new step, until the number of steps is reached."""
        if self._left <= 0:
            return False
        self._left -= 1
        self.taken.append([])
        return True

    def draw(self, n: int) -> int:
        """A uniform number below n, kept in `taken`."""
        value = int(self._random.random() * n)
        self.taken[-1].append(value)
        return value


class ReplayedChoices:
    """Answers from a recorded list of steps; a step that runs out answers 0, a number too large is folded."""

    def __init__(self, steps: Sequence[Sequence[int]]) -> None:
        self._steps = steps
        self._next = 0
        self._step: Sequence[int] = ()
        self._at = 0

    def begin(self) -> bool:
        """The next recorded step."""
        if self._next >= len(self._steps):
            return False
        self._step = self._steps[self._next]
        self._next += 1
        self._at = 0
        return True

    def draw(self, n: int) -> int:
        """The next recorded number of this step, folded below n."""
        if self._at >= len(self._step):
            return 0
        value = self._step[self._at]
        self._at += 1
        return value % n


def shrink(
    steps: Sequence[Sequence[int]], fails: Callable[[Sequence[Sequence[int]]], bool], *, budget: int = 2000
) -> list[list[int]]:
    """The shortest list of steps found that still fails.

    Drops blocks of steps from long to short, then cuts and lowers single numbers. The first step (the setting of
    the run) is never dropped.

    Args:
        steps: a failing run.
        fails: runs a candidate and says whether it fails the same way.
        budget: how many candidates may be run.
    """
    best = [list(step) for step in steps]
    spent = 0

    def better(candidate: list[list[int]]) -> bool:
        nonlocal best, spent
        if spent >= budget or candidate == best:
            return False
        spent += 1
        if fails(candidate):
            best = candidate
            return True
        return False

    progress = True
    while progress and spent < budget:
        progress = False
        size = max(1, (len(best) - 1) // 2)
        while size:
            at = len(best) - size
            while at >= 1:
                if better(best[:at] + best[at + size :]):
                    progress = True
                at -= size
            size //= 2
        for index in range(len(best)):
            for position in range(len(best[index]) - 1, -1, -1):
                if position >= len(best[index]):
                    continue
                if position == len(best[index]) - 1:
                    cut = [*best[:index], best[index][:-1], *best[index + 1 :]]
                    if better(cut):
                        progress = True
                        continue
                value = best[index][position]
                for lower in (0, value // 2, value - 1):
                    if 0 <= lower < best[index][position]:
                        step = [*best[index][:position], lower, *best[index][position + 1 :]]
                        if better([*best[:index], step, *best[index + 1 :]]):
                            progress = True
                            break
    return best
