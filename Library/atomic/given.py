"""What an owner gives, checked: any kind of number becomes Python's own, everything else is refused by name.

Numbers from a history or an indicator are often numpy's. They are no JSON: let into a group's record they would keep
the journal from being written, and what cannot be written is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

#: what `float` would take although nobody means a number by it
_NO_NUMBERS = (bool, str, bytes, bytearray)


def whole(value: Any, what: str, *, low: float = -inf) -> int:
    """A whole number of at least `low`. Raises ValueError, which calls it `what`."""
    found = value if type(value) is int else _float(value)
    if found < low or not isfinite(found) or found != int(found):
        raise ValueError(f"{what} {value!r}: give a whole number{_from(low)}")
    return int(found)


def number(value: Any, what: str, *, low: float = -inf) -> float:
    """A finite number of at least `low`. Raises ValueError, which calls it `what`."""
    found = value if type(value) is float else _float(value)
    if not (isfinite(found) and found >= low):
        raise ValueError(f"{what} {value!r}: give a finite number{_from(low)}")
    return found


def positive(value: Any, what: str) -> float:
    """A finite number above 0. Raises ValueError, which calls it `what`."""
    found = value if type(value) is float else _float(value)
    if not 0.0 < found < inf:
        raise ValueError(f"{what} {value!r}: give a positive number")
    return found


def one_of(value: Any, kind: type[T], what: str) -> T:
    """The value itself, when it is one of this class. Raises ValueError, which calls it `what`."""
    if not isinstance(value, kind):
        raise ValueError(f"{what} {value!r}: give {'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}")
    return value


def many(values: Any, what: str) -> Sequence[Any]:
    """The values as a list. Raises ValueError, which calls them `what`, for a text or what is no collection."""
    if not isinstance(values, (list, tuple)):
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise ValueError(f"{what} {values!r}: give a list")
        return list(values)
    return values


def pair(value: Any, what: str) -> tuple[Any, Any]:
    """Two values. Raises ValueError, which calls them `what`."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{what} {value!r}: give (contract, ratio)")
    return value[0], value[1]


def _float(value: Any) -> float:
    """The number as Python's float; infinite when it is none."""
    if isinstance(value, _NO_NUMBERS):
        return inf
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return inf


def _from(low: float) -> str:
    return f" of at least {low:g}" if low != -inf else ""
