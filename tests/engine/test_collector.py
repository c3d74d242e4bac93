"""The garbage collector during a run: patient where there is nothing to find, as before where there is."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from workbench.engine.collector import FIRST, MOST, patient_collector


def waited_for() -> int:
    return gc.get_threshold()[0]


def test_it_is_set_back_after_a_run_that_failed() -> None:
    """Afterwards it is as before, and nobody listens to it any more."""
    before, callbacks = gc.get_threshold(), len(gc.callbacks)

    def run() -> None:
        with patient_collector():
            assert gc.get_threshold() > before
            raise ValueError("run")

    with pytest.raises(ValueError, match="run"):
        run()
    assert (gc.get_threshold(), len(gc.callbacks)) == (before, callbacks)


def test_patience_grows_while_nothing_is_found() -> None:
    """Objects that stay are looked through ever more rarely, up to a bound."""
    before = gc.get_threshold()
    kept: list[Any] = []
    with patient_collector():
        assert waited_for() == max(FIRST, before[0])
        kept += [[n] for n in range(3 * MOST)]
        assert waited_for() == MOST
    assert gc.get_threshold() == before


def test_cycles_are_collected_as_often_as_ever() -> None:
    """An algorithm that makes cycles does not fill the memory: a look that finds them takes the patience back."""
    before, callbacks = gc.get_threshold(), len(gc.callbacks)
    with patient_collector():
        kept = [[n] for n in range(20 * FIRST)]
        patient = waited_for()
        for _ in range(4 * patient):
            cycle: list[Any] = []
            cycle.append(cycle)
        assert patient > FIRST
        assert waited_for() == max(FIRST, before[0])
        assert kept
    assert (gc.get_threshold(), len(gc.callbacks)) == (before, callbacks)
