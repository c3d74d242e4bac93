"""Wiring mistakes in `initialize`, on the engine: nothing is done too early, and no two executors share a journal."""

from __future__ import annotations

from typing import Any

import pytest
from card_play import Script

from atomic import AtomicOrderExecutor, Level


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


def trailing(a: Any) -> None:
    price = a.securities[a.goog].price
    stop = round(price - 9, 2)
    a.kept["bracket"] = a.atomic.bracket_order(a.goog, 100, stop_loss_price=stop, trail=Level(offset=9.0))


@pytest.mark.parametrize(("feed", "told"), [(False, 1), (True, 0)])
def test_data_that_does_not_reach_the_executor_is_missed(play: Any, feed: bool, told: int) -> None:
    """Nothing that we watch would ever be looked at: one alert within 20 minutes, with the line that is missing."""
    played = play(Script(steps={"10:00:00": trailing, "11:00:00": trailing, "11:30:00": trailing}, feed=feed))
    alerts = [alert for alert in played.algorithm.alerts if alert.code == "data-not-forwarded"]
    assert len(alerts) == told
    assert all("self.atomic.on_data(slice)" in alert.text for alert in alerts)


def test_no_data_before_the_market_opens_is_no_mistake(play: Any) -> None:
    """A group asked for hours before: the wait for its first data is as long as the night."""
    played = play(Script(steps={"05:00:00": lambda a: a.condor()}))
    assert "data-not-forwarded" not in [alert.code for alert in played.algorithm.alerts]
