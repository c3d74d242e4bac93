"""What the cards of the risk package share: gates from parameters, and the operator's commands."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from atomic import Policy
from atomic.parameters import Parameters
from risk.configure import gate_from, session_close
from risk.gate import Gate

LEGGED = Policy(native="never")
#: times at which a limit's other side is seen as well
TOGETHER = Policy(native="never", sequence="together", order_timeout=600.0, max_time_to_open=900.0)


def read(values: Mapping[str, str]) -> Parameters:
    return Parameters(SimpleNamespace(get_parameter=lambda name, default="": values.get(name, default)))


def gate(values: Mapping[str, str], algorithm: Any = None, answer: Any = None) -> Gate:
    """The gate that an algorithm with these parameters would have; `answer`: the brokerage's own on margin."""
    closes_at = session_close(algorithm, algorithm.goog) if algorithm is not None else None
    made = gate_from(read(values), closes_at, answer)
    assert made is not None
    return made


def command(a: Any, action: str, **fields: str) -> Any:
    """An operator's command and its answer."""
    return a.atomic.control.handle({"action": action, **fields})
