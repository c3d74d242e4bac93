"""What is searched: structures, units, policies and bounds, and the search of them all on all cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.policy import Policy

from .search import Exploration, Explorer
from .states import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TIGHT = Bounds(rejects=1, cancel_failures=1, late_fills=1, silences=2, closes=1)
_CLOSELY = Bounds(rejects=1, cancel_failures=1, late_fills=0, silences=2, closes=1, duplicates=0)
_STUBBORN = Bounds(rejects=3, cancel_failures=0, late_fills=0, silences=3, closes=0, duplicates=0)
_ONE_TRY = Policy(native="never", rollback_attempts=1)
#: structures, units, policy and bounds searched by `atomic chaos --exhaustive`
SCOPE: tuple[tuple[str, int, Policy | None, Bounds], ...] = (
    ("put_spread", 1, None, Bounds()),
    ("put_spread", 2, None, Bounds()),
    ("put_spread", 2, Policy(native="never", keep_units=True), _TIGHT),
    ("long_strangle", 1, None, _TIGHT),
    ("long_strangle", 2, None, _TIGHT),
    ("short_strangle", 1, Policy(native="never", sequence="together"), _TIGHT),
    ("backspread", 1, None, _TIGHT),
    ("put_spread", 1, _ONE_TRY, _STUBBORN),
    ("butterfly", 1, None, _CLOSELY),
    ("jade_lizard", 1, None, _CLOSELY),
)
#: the two-leg part that every change is checked with
QUICK = (
    ("put_spread", 1, None, Bounds()),
    ("put_spread", 2, None, _TIGHT),
    ("long_strangle", 1, None, _TIGHT),
    ("put_spread", 1, _ONE_TRY, _STUBBORN),
)


def explore_all(
    scope: Iterable[tuple[str, int, Policy | None, Bounds]], jobs: int | None = None
) -> Iterator[Exploration]:
    """Search every entry of a scope, on all cores; yields them in its order as they are done."""
    import os

    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs or os.cpu_count() or 1, return_as="generator")
    yield from parallel(delayed(_explore)(*entry) for entry in scope)


def _explore(name: str, units: int, policy: Policy | None, bounds: Bounds) -> Exploration:
    return Explorer(name, units, policy, bounds).run()
