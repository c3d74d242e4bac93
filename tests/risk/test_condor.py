import math
import subprocess
import sys
from dataclasses import replace

import pytest

from risk import PayoffLeg, check_iron_condor, condor_figures, iron_condor_legs

GOOD = iron_condor_legs(
    long_put=740, short_put=745, short_call=755, long_call=765, prices=(0.4, 1.0, 0.9, 0.3), quantity=2
)


def test_a_condor_in_order_passes() -> None:
    """Ordered strikes, equal sizes and one expiry pass without limits."""
    assert check_iron_condor(GOOD) is None
    figures = condor_figures(GOOD)
    assert (figures.put_width, figures.call_width) == (5.0, 10.0)
    assert figures.credit == pytest.approx(1.20)
    assert figures.credit_ratio == pytest.approx(0.12)
    assert figures.max_loss == pytest.approx(1760.0)


def test_an_iron_butterfly_passes() -> None:
    """Short strikes may be equal."""
    legs = iron_condor_legs(long_put=740, short_put=750, short_call=750, long_call=760, prices=(0.4, 3.0, 3.0, 0.3))
    assert check_iron_condor(legs) is None


def bent(index: int, **changes: object) -> list[PayoffLeg]:
    legs = list(GOOD)
    legs[index] = replace(legs[index], **changes)  # type: ignore[arg-type]
    return legs


@pytest.mark.parametrize(
    ("legs", "rule", "value"),
    [
        (GOOD[:3], "leg-count", "3"),
        (bent(0, right="S"), "leg-kind", "S x 2"),
        (bent(0, quantity=0), "leg-kind", "P x 0"),
        (bent(0, right="C"), "leg-kind", "a second long C at 765"),
        (bent(1, quantity=-3), "equal-quantity", "200, 300"),
        (bent(1, expiry="2026-01-16"), "one-expiry", ", 2026-01-16"),
        (bent(0, strike=746.0), "strike-order", "746 745 755 765"),
        (bent(2, strike=744.0), "strike-order", "740 745 744 765"),
        (bent(3, strike=755.0), "strike-order", "740 745 755 755"),
    ],
)
def test_a_bent_condor_is_refused_with_rule_and_value(legs: list[PayoffLeg], rule: str, value: str) -> None:
    """Each broken term is refused under its rule, with the value that broke it."""
    refusal = check_iron_condor(legs)
    assert refusal is not None
    assert (refusal.rule, refusal.value) == (rule, value)


@pytest.mark.parametrize(
    ("limits", "rule", "value", "limit"),
    [
        ({"max_loss_limit": 1759.0}, "max-loss", "1760.00", "at most 1759.00"),
        ({"max_width": 7.5}, "wing-width", "10", "at most 7.5"),
        ({"min_credit": 1.5}, "min-credit", "1.20", "at least 1.50"),
    ],
)
def test_limits_refuse_with_value_and_limit(limits: dict[str, float], rule: str, value: str, limit: str) -> None:
    """A condor beyond a limit is refused with what it has and what is allowed; at the limit it passes."""
    refusal = check_iron_condor(GOOD, **limits)
    assert refusal is not None
    assert (refusal.rule, refusal.value, refusal.limit) == (rule, value, limit)
    assert value in str(refusal)
    assert limit in str(refusal)


def test_at_the_limit_it_passes() -> None:
    """A limit that is met exactly does not refuse."""
    legs = iron_condor_legs(long_put=740, short_put=745, short_call=755, long_call=765, prices=(0.5, 1.0, 1.0, 0.5))
    assert check_iron_condor(legs, max_loss_limit=900.0, max_width=10.0, min_credit=1.0) is None


def test_quotes_that_cannot_lose_are_refused() -> None:
    """A credit above the width is a quote error, not a gift."""
    legs = iron_condor_legs(long_put=740, short_put=745, short_call=755, long_call=760, prices=(0.0, 3.0, 3.0, 0.0))
    refusal = check_iron_condor(legs, max_loss_limit=math.inf)
    assert refusal is not None
    assert refusal.rule == "quotes"


def test_importing_the_package_loads_neither_numpy_nor_pandas() -> None:
    """An algorithm that only sizes and checks does not pay for numpy or pandas at start."""
    code = "import sys; import risk; assert not {'numpy', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "Library"})
