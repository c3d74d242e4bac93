"""Securities by identifier text, on an algorithm that shows what it was asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from atomic.model import LegSpec
from atomic.vocabulary import Right

#: Time Warner's: identifiers carry the first ticker, which was AOL's
TWX = "AOL R735QTJ8XC9X"


@pytest.fixture
def made() -> Any:
    from workbench.engine.imports import install

    install()
    from atomic.bridge.contracts import Contracts

    asked: list[tuple[str, Any]] = []
    # hashable, as a dictionary of symbols needs it
    symbol = type("Symbol", (), {"id": SimpleNamespace(has_underlying=False, security_type=1), "value": "AOL"})()
    algorithm = SimpleNamespace(
        live_mode=True,
        symbol=lambda text: symbol,
        securities=SimpleNamespace(contains_key=lambda symbol: False),
        add_security=lambda symbol: asked.append(("security", symbol)),
        add_equity=lambda ticker: asked.append(("equity", ticker)),
    )
    return SimpleNamespace(contracts=Contracts(algorithm), asked=asked, symbol=symbol)


def test_shares_of_an_earlier_process_are_subscribed_by_identifier(made: Any) -> None:
    """The ticker that a symbol made from text shows may be another company's by now."""
    made.contracts.subscribe(LegSpec(TWX, 1, Right.SHARE, 0.0, "", TWX, 1.0, 0.01, "TWX"))

    assert made.asked == [("security", made.symbol)]
