"""Greeks of LEAN's chain in the units of this package, held against the ones that LEAN recorded."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from risk.greeks import Greeks, chain_greeks, option_greeks, structure_greeks
from risk.structure import PayoffLeg
from tests.recordings import TRACES, needs_traces

RECORDED = TRACES / "p19_greeks_and_history.json"


def contract(theta: float, **rest: float) -> SimpleNamespace:
    """`contract.greeks`: theta per year, and LEAN's own theta per day."""
    return SimpleNamespace(theta=theta, theta_per_day=theta / 365, **rest)


@needs_traces
def test_recorded_greeks_have_our_units() -> None:
    """Of a day's options theta is -volatility x vega / (2 x time); in LEAN's tree about so, in ours exactly."""
    close = datetime(2015, 12, 24, 18)  # a half day, 13:00 in New York
    checked = 0
    for utc, kind, fields in json.loads(RECORDED.read_text())["entries"]:
        if kind != "greeks" or "151224" not in fields["symbol"] or fields["vega"] < 0.02:
            continue
        years = (close - datetime.fromisoformat(utc)) / timedelta(days=365)
        names = ("delta", "gamma", "theta", "vega")
        found = chain_greeks(contract(**{name: fields[name] for name in names}))
        assert found is not None
        expected = -fields["iv"] * 100 * found.vega / (2 * years) / 365
        assert found.theta == pytest.approx(expected, rel=0.2), fields["symbol"]
        checked += 1
    assert checked >= 10
    ours = option_greeks("C", 748.0, 745.0, 3 / 8760, 0.28)
    assert ours.theta == pytest.approx(-0.28 * 100 * ours.vega / (2 * 3 / 8760) / 365)


def test_a_chain_without_a_model_gives_none() -> None:
    """LEAN answers zeros then; the price's own volatility takes their place."""
    assert chain_greeks(contract(0.0, delta=0.0, gamma=0.0, vega=0.0)) is None
    legs = [PayoffLeg("C", 745.0, -1, 100.0, 5.0), PayoffLeg("C", 750.0, 1, 100.0, 2.0)]
    known = [chain_greeks(contract(-365.0, delta=0.6, gamma=0.1, vega=0.05)), None]
    net = structure_greeks(legs, known, 748.0, [0.01, 0.01])
    only = structure_greeks(legs[1:], [None], 748.0, [0.01])
    assert net == pytest.approx(Greeks(-60.0, -10.0, 100.0, -5.0) + only)
