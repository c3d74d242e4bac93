"""LEAN parameters are read strictly: a text that does not fit is named, never replaced by the default."""

from datetime import date, time

import pytest

from atomic.parameters import PRICING, Parameters
from atomic.policy import Policy


class Algorithm:
    """Answers as LEAN's `get_parameter` with a text default does."""

    def __init__(self, **texts: str) -> None:
        self.texts = {name.replace("_", "-"): text for name, text in texts.items()}

    def get_parameter(self, name: str, default_value: str) -> str:
        return self.texts.get(name, default_value)


def test_absent_and_empty_parameters_give_the_default() -> None:
    """A parameter that is not there, or is empty, is the default in code."""
    read = Parameters(Algorithm(width=" "))
    assert read.number("width", 5.0) == 5.0
    assert read.whole("units", 3) == 3
    assert read.text("ticker", "GOOG") == "GOOG"
    assert read.flag("on") is False
    assert read.day("date", date(2015, 12, 24)) == date(2015, 12, 24)
    assert read.clock("entry", time(10)) == time(10)
    assert read.choice("by", "a", ("a", "b")) == "a"


def test_values_are_read() -> None:
    """Numbers, dates, times, flags and words are read as they are written."""
    read = Parameters(Algorithm(a="2.5", b="5.0", c="2016-01-04", d="09:45", e="yes", f="0", g="b"))
    assert read.number("a", 1.0) == 2.5
    assert read.whole("b", 1) == 5
    assert read.day("c", date(2015, 12, 24)) == date(2016, 1, 4)
    assert read.clock("d", time(10)) == time(9, 45)
    assert read.flag("e") is True
    assert read.flag("f", True) is False
    assert read.choice("g", "a", ("a", "b")) == "b"


@pytest.mark.parametrize("text", ["five", "nan", "inf", "-1", "1e13"])
def test_a_number_that_does_not_fit_is_named(text: str) -> None:
    """Words, not-a-number, infinities and numbers outside the limits stop with name, value and cure."""
    with pytest.raises(ValueError, match=rf"parameter width is '{text}': use a number of at least 0, such as 5"):
        Parameters(Algorithm(width=text)).number("width", 5.0)


def test_other_misfits_are_named() -> None:
    """A broken whole number, flag, word, date or time stops with name, value and cure."""
    read = Parameters(Algorithm(a="0.5", b="maybe", c="x", d="24.12.2015", e="25:00", f="10:00+01:00", g="7"))
    with pytest.raises(ValueError, match=r"parameter a is '0.5': use a whole number, such as 2"):
        read.whole("a", 2)
    with pytest.raises(ValueError, match=r"parameter b is 'maybe': use 1 or 0"):
        read.flag("b")
    with pytest.raises(ValueError, match=r"parameter c is 'x': use one of a, b"):
        read.choice("c", "a", ("a", "b"))
    with pytest.raises(ValueError, match=r"parameter d is '24.12.2015': write a date as 2015-12-24"):
        read.day("d", date(2015, 12, 24))
    for name in ("e", "f"):
        with pytest.raises(ValueError, match=rf"parameter {name} is .*: write a time as 10:00"):
            read.clock(name, time(10))
    with pytest.raises(ValueError, match=r"parameter g is '7': use a number from 0 to 5, such as 1"):
        read.number("g", 1.0, high=5)


def test_the_policy_defaults_are_those_of_the_library() -> None:
    """Without parameters the policy is the library's default."""
    assert Parameters(Algorithm()).policy() == Policy()


def test_the_policy_follows_the_parameters() -> None:
    """Each parameter sets its part of the policy."""
    policy = Parameters(
        Algorithm(
            sequence="together",
            pricing="mid",
            order_timeout="30",
            on_timeout="hold",
            keep_units="1",
            cost_budget="25",
            rollback_attempts="5",
            on_restart="resume",
            native="never",
        )
    ).policy()
    assert policy == Policy(
        sequence="together",
        ladder=PRICING["mid"],
        order_timeout=30.0,
        on_timeout="hold",
        keep_units=True,
        cost_budget=25.0,
        rollback_attempts=5,
        on_restart="resume",
        native="never",
    )


def test_a_long_timeout_lengthens_the_time_to_open() -> None:
    """A sweep over long timeouts does not run into the cap on the time to open."""
    assert Parameters(Algorithm(order_timeout="900")).policy().max_time_to_open == 900
    with pytest.raises(ValueError, match=r"parameter max-time-to-open is '60'"):
        Parameters(Algorithm(order_timeout="900", max_time_to_open="60")).policy()
