"""Older schemas made readable: one step for each version, on parsed JSON, before anything is replayed.

`SCHEMA` changes with every change of a record's fields or of a fact's (a test pins both). The change comes with
a `Step` that lifts what the version before wrote.

1: every record carries its whole policy. 2: a record leaves out what of its policy is as in `PLAIN_POLICY`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: what this version writes
SCHEMA = 2

#: what schema 2 takes for granted of a policy, whatever the program's defaults are by then; never changed
PLAIN_POLICY: Mapping[str, Any] = {
    "sequence": "protected",
    "ladder": {"steps": 2, "first": "market", "step_seconds": 1.0, "last": "market", "through_ticks": 2},
    "unwind_ladder": {"steps": 2, "first": "market", "step_seconds": 1.0, "last": "market", "through_ticks": 2},
    "close_ladder": None,
    "order_timeout": 5.0,
    "on_timeout": "roll_back",
    "keep_units": False,
    "max_time_to_open": 600.0,
    "cancel_deadline": 45.0,
    "rollback_attempts": 3,
    "emergency_flatten": True,
    "cost_budget": None,
    "allow_naked": False,
    "native": "first",
    "on_restart": "roll_back",
    "on_outside": "adjust",
    "on_expiry": "unwind",
    "bidless": "keep",
    "max_sends": 60,
    "quiet_period": 30.0,
    "retry": {"attempts": 5, "first": 0.5, "factor": 2.0, "cap": 30.0},
}


class Step(NamedTuple):
    """From schema n to n + 1: `head` lifts the document's head, `group` one group's record, `facts` what a log adds."""

    head: Callable[[dict[str, Any]], dict[str, Any]]
    group: Callable[[dict[str, Any]], dict[str, Any]]
    facts: Callable[[list[Any]], list[Any]]


def _as_it_is(value: Any) -> Any:
    return value


#: n -> the step to n + 1
STEPS: Mapping[int, Step] = {1: Step(_as_it_is, _as_it_is, _as_it_is)}


class UnknownSchema(ValueError):  # noqa: N818 - names what was found
    """Written by a newer version, or by one so old that no step is left for it."""


def steps_from(schema: int, steps: Mapping[int, Step] = STEPS, target: int = SCHEMA) -> list[Step]:
    """The steps that lead from a schema to the target. Raises UnknownSchema."""
    if schema > target:
        raise UnknownSchema(f"schema {schema} is newer than {target}: run the version that wrote it, or a later one")
    missing = [number for number in range(schema, target) if number not in steps]
    if missing:
        raise UnknownSchema(f"schema {schema} is too old: there is no step from {missing[0]} to {missing[0] + 1}")
    return [steps[number] for number in range(schema, target)]
