from __future__ import annotations

import gc

import pytest

from workbench.engine.collector import THRESHOLDS, patient_collector


def test_the_collector_is_set_back_after_a_run() -> None:
    """Inside it waits longer, afterwards it is as before, also after an error."""
    before = gc.get_threshold()
    inside = []

    def run() -> None:
        with patient_collector():
            inside.append(gc.get_threshold())
            raise ValueError("run")
    with pytest.raises(ValueError, match="run"):
        run()
    assert inside == [tuple(max(pair) for pair in zip(THRESHOLDS, before, strict=True))]
    assert gc.get_threshold() == before
