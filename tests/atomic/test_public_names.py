"""What a user imports, and what a handle or an executor shows of itself."""

from __future__ import annotations

import pytest

import atomic
from atomic.model import Quote
from tests.atomic.bracket_venue import SPY, start
from tests.atomic.fake_gateway import option


def test_what_the_executors_methods_take_is_imported_from_the_package():
    """Orders of a set, distances, defaults and what is annotated need no knowledge of the modules."""
    executor, _ = start()
    executor.exit_defaults["breakout"] = atomic.ExitDefaults(targets=(0.03,), stop=0.02)
    bracket = executor.bracket_order(SPY, 10, stop_loss=atomic.Level(percent=0.01))
    executor.one_cancels_other([atomic.ContingentOrder(SPY, 10, 99.0), atomic.ContingentOrder(SPY, 10, 98.0)])
    executor.operations.on_operation(atomic.OperationType.BRACKET, lambda operation, state: None)
    assert isinstance(bracket, atomic.AtomicBracket)
    assert isinstance(executor.report, atomic.StartReport)
    assert all(hasattr(atomic, name) for name in atomic.__all__)


def test_handles_and_executors_say_what_they_are():
    """A bracket is not called a group; the executor shows its name, whether it is ready, and how many groups live."""
    executor, _ = start()
    bracket = executor.bracket_order(SPY, 10)
    assert repr(bracket).startswith(f"<AtomicBracket {bracket.id} bracket x10: complete")
    assert repr(executor) == "<AtomicOrderExecutor 'bracket': ready, 1 groups>"
    assert repr(executor.groups) == f"<Groups ['{bracket.id}']>"
    executor.pause()
    assert "not ready" in repr(executor)


@pytest.mark.parametrize("term", ["strategy", "kind", "exits", "limit_price"])
def test_a_strategy_takes_no_keywords_but_its_own(term):
    """What `execute_atomic` does not take is not handed on to the executor's inside."""
    executor, venue = start()
    low, high = option("C", 100.0), option("C", 105.0)
    venue.quotes.update({leg.symbol: Quote(1.0, 1.1, 1.05, venue.clock) for leg in (low, high)})
    with pytest.raises(TypeError, match=f"bull_call_spread takes no {term}: use policy, limit_net, note"):
        executor.execute_call_spread_atomic(high, low, **{term: "x"})
    assert venue.calls == []
