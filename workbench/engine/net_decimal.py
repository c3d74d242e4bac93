"""Arithmetic of .NET's decimal, for the numbers that LEAN prints.

A decimal is a 96-bit whole number with up to 28 decimal places; results are rounded half to even into that. A margin
such as 11448.92 may therefore be printed by LEAN as 11448.920000000000000000000001, and so it is here. The engine
computes in floats; only texts are computed again with this.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Union

_WIDE = Context(prec=120)
_LIMIT = 2**96
Number = Union["NetDecimal", float, int]


class NetDecimal:
    """A .NET decimal; mixes with floats and ints, which count as what they print."""

    __slots__ = ("value",)

    def __init__(self, value: Decimal | float) -> None:
        self.value = _fit(value if isinstance(value, Decimal) else _exact(value))

    @staticmethod
    def of(value: Number) -> NetDecimal:
        """The decimal of a number."""
        return value if isinstance(value, NetDecimal) else NetDecimal(value)

    def __add__(self, other: Number) -> NetDecimal:
        return NetDecimal(_WIDE.add(self.value, _raw(other)))

    __radd__ = __add__

    def __sub__(self, other: Number) -> NetDecimal:
        return NetDecimal(_WIDE.subtract(self.value, _raw(other)))

    def __rsub__(self, other: Number) -> NetDecimal:
        return NetDecimal(_WIDE.subtract(_raw(other), self.value))

    def __mul__(self, other: Number) -> NetDecimal:
        return NetDecimal(_WIDE.multiply(self.value, _raw(other)))

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> NetDecimal:
        return NetDecimal(_WIDE.divide(self.value, _raw(other)))

    def __rtruediv__(self, other: Number) -> NetDecimal:
        return NetDecimal(_WIDE.divide(_raw(other), self.value))

    def __neg__(self) -> NetDecimal:
        return NetDecimal(-self.value)

    def __abs__(self) -> NetDecimal:
        return NetDecimal(abs(self.value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NetDecimal | float | int) and self.value == _raw(other)

    def __lt__(self, other: Number) -> bool:
        return self.value < _raw(other)

    def __le__(self, other: Number) -> bool:
        return self.value <= _raw(other)

    def __gt__(self, other: Number) -> bool:
        return self.value > _raw(other)

    def __ge__(self, other: Number) -> bool:
        return self.value >= _raw(other)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        """All its places, trailing zeros included, as `ToStringInvariant` prints it."""
        return format(self.value, "f")

    def normalized(self) -> str:
        """Without trailing zeros, as `Normalize()` prints it."""
        text = format(self.value, "f")
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return "0" if text == "-0" else text


def _exact(value: float) -> Decimal:
    """What a float stands for: prices and money have at most ten places."""
    text = repr(round(value, 10)) if isinstance(value, float) else str(value)
    number = Decimal(text)
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _raw(value: Number) -> Decimal:
    return value.value if isinstance(value, NetDecimal) else _exact(value)


def _fit(value: Decimal) -> Decimal:
    """Round half to even into 96 bits and 28 places."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value}: not a number")
    whole = int("".join(map(str, digits)))
    places = -exponent
    if places < 0:
        whole, places = whole * 10**-places, 0
    if places <= 28 and whole < _LIMIT:
        return Decimal((sign, tuple(map(int, str(whole))), -places))
    drop = max(places - 28, 0)
    while True:
        quotient, rest = divmod(whole, 10**drop)
        half = 10**drop
        if 2 * rest > half or (2 * rest == half and quotient % 2):
            quotient += 1
        if drop > places:
            raise OverflowError(f"{value}: too large for a decimal")  # as System.OverflowException
        if quotient < _LIMIT:
            return Decimal((sign, tuple(map(int, str(quotient))), drop - places))
        drop += 1
