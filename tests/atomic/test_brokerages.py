"""The capability table against the facts and against what LEAN recorded (trace p14)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atomic.brokerages import TABLE, UNKNOWN, Capabilities, capabilities_of
from tests.recordings import TRACES, needs_traces

RECORDED = ("DEFAULT", "INTERACTIVE_BROKERS_BROKERAGE", "TRADE_STATION", "CHARLES_SCHWAB", "TASTYTRADE", "ALPACA",
            "TRADIER_BROKERAGE")  # fmt: skip


def statuses(name: str) -> dict[str, str]:
    """What became of each labelled order: its ticket's status right after the call."""
    entries: list[Any] = json.loads((TRACES / f"p14_brokerages__{name}.json").read_text())["entries"]
    return {fields["label"]: fields["status"] for _, kind, fields in entries if kind == "ticket"}


@needs_traces
@pytest.mark.parametrize("name", RECORDED)
def test_the_table_says_what_lean_recorded(name: str) -> None:
    """Every order type that the probe sent was taken or refused as the table says."""
    known, seen = capabilities_of(name), statuses(name)
    expected = {
        "combo-market-2": known.combo_market,
        "combo-market-4": known.combo_market,
        "combo-limit-4": known.combo_limit,
        "leg-limit-2": known.leg_limit_legs >= 2,
        "leg-limit-4": known.leg_limit_legs >= 4,
        "option-market": known.market,
        "option-limit": known.limit,
        "option-stop": known.stop,
        "option-stop-limit": known.stop,
        "equity-trailing": known.trailing,
    }

    assert expected == {label: seen[label] != "INVALID" for label in expected}


def test_only_six_live_brokers_take_combos_two_of_them_only_with_a_limit() -> None:
    """Facts, LEAN 2.5."""
    live = {m for m, c in TABLE.items() if c.combo_limit} - {"DefaultBrokerageModel", "AlphaStreamsBrokerageModel"}

    assert live == {
        "InteractiveBrokersBrokerageModel", "InteractiveBrokersFixModel", "TradeStationBrokerageModel",
        "CharlesSchwabBrokerageModel", "TastytradeBrokerageModel", "PublicBrokerageModel",
    }  # fmt: skip
    assert {m for m in live if not TABLE[m].combo_market} == {"TastytradeBrokerageModel", "PublicBrokerageModel"}


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("Default", "DefaultBrokerageModel"),
        ("INTERACTIVE_BROKERS_BROKERAGE", "InteractiveBrokersBrokerageModel"),
        ("BrokerageName.INTERACTIVE_BROKERS_FIX", "InteractiveBrokersFixModel"),
        ("TradierBrokerage", "TradierBrokerageModel"),
        ("CharlesSchwabBrokerageModel", "CharlesSchwabBrokerageModel"),
        ("AXOS", "AxosClearingBrokerageModel"),
        ("dYdX", "dYdXBrokerageModel"),
    ],
)
def test_a_brokerage_is_found_by_lean_s_names(text: str, model: str) -> None:
    """BrokerageName members in either spelling, class names."""
    assert capabilities_of(text).model == model


def test_a_subclass_has_the_capabilities_of_its_lean_model() -> None:
    """A refusing fault model over the default one."""
    base = type("TastytradeBrokerageModel", (), {})
    fault = type("RefusesLeg", (base,), {})

    assert capabilities_of(fault()).model == "TastytradeBrokerageModel"


def test_a_model_written_in_python_is_seen_through_leans_wrapper() -> None:
    """`algorithm.brokerage_model` is then a BrokerageModelPythonWrapper around the Python object."""
    base = type("InteractiveBrokersBrokerageModel", (), {})
    wrapper = type("BrokerageModelPythonWrapper", (), {"instance": type("Mine", (base,), {})()})

    assert capabilities_of(wrapper()).model == "InteractiveBrokersBrokerageModel"


def test_an_unknown_brokerage_takes_no_combo() -> None:
    """Independent legs are always possible."""
    found = capabilities_of(object())

    assert found is UNKNOWN
    assert not found.takes_combo(4, True)
    assert not found.takes_combo(4, False)


def test_a_combo_has_at_least_two_legs() -> None:
    """One leg is an order."""
    every = Capabilities("x", combo_market=True, combo_limit=True)

    assert not every.takes_combo(1, False)
    assert every.takes_combo(2, False)
    assert every.takes_combo(6, True)
