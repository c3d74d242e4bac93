from __future__ import annotations

import gc

import pytest

from workbench.engine.collector import THRESHOLDS, patient_collector


def test_the_collector_is_set_back_after_a_run() -> None:
    """Inside it waits longer, afterwards it is as before, also after an error."""
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="run"), patient_collector():
        assert gc.get_threshold() == tuple(max(pair) for pair in zip(THRESHOLDS, before, strict=True))
        raise ValueError("run")
    assert gc.get_threshold() == before
