"""Older schemas made readable: one step for each version, on parsed JSON, before anything is replayed.

`SCHEMA` changes with every change of a record's fields or of a fact's (a test pins both). The change comes with
a `Step` that lifts what the version before wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: what this version writes
SCHEMA = 1


class Step(NamedTuple):
    """From schema n to n + 1: `head` lifts the document's head, `group` one group's record."""

    head: Callable[[dict[str, Any]], dict[str, Any]]
    group: Callable[[dict[str, Any]], dict[str, Any]]


#: n -> the step to n + 1
STEPS: Mapping[int, Step] = {}


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
