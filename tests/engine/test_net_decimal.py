"""Decimals as .NET computes them: 96 bits, 28 places, half to even."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.engine.net_decimal import NetDecimal

LIMIT = 2**96


def nearest(exact: Fraction) -> Fraction:
    """The closest decimal with the most places that still fits."""
    for places in range(28, -1, -1):
        scaled = abs(exact) * 10**places
        whole, rest = divmod(scaled.numerator, scaled.denominator)
        twice = 2 * rest
        if twice > scaled.denominator or (twice == scaled.denominator and whole % 2):
            whole += 1
        if whole < LIMIT:
            return Fraction(whole, 10**places) * (1 if exact >= 0 else -1)
    raise OverflowError


def exact(value: NetDecimal) -> Fraction:
    return Fraction(value.value)


NUMBERS = st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 8)).map(lambda p: Decimal(p[0]).scaleb(-p[1]))


@settings(max_examples=500)
@given(NUMBERS, NUMBERS)
def test_each_operation_is_the_exact_result_rounded_once(left: Decimal, right: Decimal) -> None:
    """Sum, difference, product and quotient are the nearest numbers that .NET can hold."""
    a, b = NetDecimal(left), NetDecimal(right)
    x, y = Fraction(left), Fraction(right)
    assert exact(a + b) == nearest(x + y)
    assert exact(a - b) == nearest(x - y)
    assert exact(a * b) == nearest(x * y)
    if right:
        assert exact(a / b) == nearest(x / y)


@settings(max_examples=200)
@given(NUMBERS, NUMBERS.filter(bool), NUMBERS.filter(bool))
def test_long_results_stay_within_what_dotnet_can_hold(left: Decimal, right: Decimal, third: Decimal) -> None:
    """Products and quotients of quotients are rounded again, never longer than 28 places or 96 bits."""
    assume(abs(Fraction(left) / Fraction(right) * Fraction(third)) < LIMIT - 1)
    assume(abs(Fraction(left) / Fraction(right) * Fraction(third) / Fraction(right)) < LIMIT - 1)
    value = NetDecimal(left) / right * third / right
    _, digits, exponent = value.value.as_tuple()
    assert isinstance(exponent, int)
    assert -28 <= exponent <= 0
    assert int("".join(map(str, digits))) < LIMIT
    assert exact(value) == nearest(
        nearest(nearest(Fraction(left) / Fraction(right)) * Fraction(third)) / Fraction(right)
    )


@pytest.mark.parametrize(
    ("value", "text", "short"),
    [
        (NetDecimal(16.5) * 1 * 100, "1650.0", "1650"),
        (NetDecimal(96.0) * 2 * 100, "19200", "19200"),
        (NetDecimal(0.05) * 100, "5.00", "5"),
        (NetDecimal(Decimal("748.4000")), "748.4000", "748.4"),
        (NetDecimal(1) / 3, "0.3333333333333333333333333333", "0.3333333333333333333333333333"),
        (NetDecimal(2) / 3 * 1000, "666.66666666666666666666666670", "666.6666666666666666666666667"),
        (NetDecimal(0.0), "0", "0"),
        (-NetDecimal(Decimal("0.00")), "0.00", "0"),
        (NetDecimal(-12.5), "-12.5", "-12.5"),
    ],
)
def test_texts_keep_the_places_of_the_arithmetic(value: NetDecimal, text: str, short: str) -> None:
    """A product has the places of its factors; `normalized` drops trailing zeros."""
    assert str(value).replace("-0.00", "0.00") == text
    assert value.normalized() == short


def test_a_margin_that_lean_prints_with_a_long_tail() -> None:
    """0.1 of the underlying's ratio times the value: the digits after the cents come from rounding, as on LEAN."""
    value, price = NetDecimal(62.5), NetDecimal(752.4946)
    ratio = NetDecimal(1) / 100 * 100 * (price / (value / 100))
    margin = value * (1 + 1 * (0.1 * ratio))
    with localcontext() as context:
        context.prec = 60
        expected = Decimal("62.5") + Decimal("0.1") * Decimal("75249.46")
    assert abs(margin.value - expected) < Decimal("1e-20")
    assert float(margin) == pytest.approx(7587.446)


def test_it_mixes_with_plain_numbers() -> None:
    """Floats and ints count as what they print; comparison and hashing agree with them."""
    half = NetDecimal(0.5)
    assert half + 1 == 1.5
    assert 1 - half == half
    assert 2 * half == 1
    assert 1 / NetDecimal(4) == 0.25
    assert max(half, 0.25) == half
    assert sum([half, half]) == 1
    assert abs(-half) == half
    assert int(NetDecimal(7.9)) == 7
    assert hash(NetDecimal(742.5)) == hash(742.5)
    assert not NetDecimal(0.0)
    with pytest.raises(ValueError, match="not a number"):
        NetDecimal(Decimal("NaN"))
