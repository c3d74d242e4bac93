"""Wiring mistakes in `initialize`, on the engine: nothing is done too early, and no two executors share a journal."""

from __future__ import annotations

from typing import Any

import pytest
from card_play import Script

from atomic import AtomicOrderExecutor


def test_a_start_in_initialize_waits_for_the_first_legal_moment(play: Any) -> None:
    """LEAN shows no account yet (live) and trades nothing: the report says so, an alert too, the gate stays closed."""
    kept: dict[str, Any] = {}

    def early(a: Any) -> None:
        kept.update(report=a.atomic.start(), again=a.atomic.check_and_recover_incomplete_orders(), ready=a.atomic.ready)

    played = play(Script(steps={"10:00:00": lambda a: a.condor()}, setup=early))
    assert "on_warmup_finished" in kept["report"].refuse
    assert "on_warmup_finished" in kept["again"].refuse
    assert not kept["ready"]
    assert "not-started" in [alert.code for alert in played.algorithm.alerts]
    assert played.algorithm.start_report.refuse == ""
    assert played.algorithm.groups["condor"].is_open


def test_two_executors_of_one_algorithm_have_two_names(play: Any) -> None:
    """The second would delete and write over the journal of the first: it is refused by name, the first one trades."""
    kept: dict[str, str] = {}

    def twice(a: Any) -> None:
        with pytest.raises(ValueError, match=r"atomic/card/.* another executor of this algorithm"):
            AtomicOrderExecutor(a, name="card")
        kept["other"] = AtomicOrderExecutor(a, name="other").name

    played = play(Script(steps={"10:00:00": lambda a: a.condor()}, setup=twice))
    assert kept == {"other": "other"}
    assert played.algorithm.groups["condor"].is_open
