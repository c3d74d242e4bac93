"""Python's garbage collector during a run.

A time step makes thousands of short-lived objects that are freed by reference counting alone, and a run keeps orders,
tickets and events that live as long as itself; with its usual patience the collector looks through all of them again
and again to find nothing (two thirds of the time of a run that reads every quote of 2,000 contracts; a fifth of one
that sends 30,000 orders, more the longer it gets). It learns here: each look that finds next to nothing doubles what
is waited for, one that finds something starts again, so that an algorithm that makes cycles is cleaned up after.
"""
from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

#: new objects between two looks, at first and at most
FIRST: Final = 10_000
MOST: Final = 1_000_000
#: looks at the young between two at those that survived one, and of these between two at all
OLDER: Final = (20, 50)
#: share of what was waited for that a look must free to be worth it
WORTH: Final = 0.05


@contextmanager
def patient_collector() -> Iterator[None]:
    """Let the collector wait longer, and set it back afterwards."""
    before = gc.get_threshold()
    first = max(FIRST, before[0])
    waited = first

    def learn(phase: str, info: dict[str, Any]) -> None:
        nonlocal waited
        if phase == "stop":
            worth = info["collected"] > WORTH * waited
            waited = first if worth else min(2 * waited, max(MOST, first))
            gc.set_threshold(waited, *OLDER)

    gc.set_threshold(first, *OLDER)
    gc.callbacks.append(learn)
    try:
        yield
    finally:
        gc.callbacks.remove(learn)
        gc.set_threshold(*before)
