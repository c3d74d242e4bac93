"""Groups as text and back: a record is what was asked (`spec`) and the facts; state is replayed from them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..facts import BY_KIND, IllegalFact, replay
from ..facts import decode as decode_fact
from ..model import GroupSpec, GroupState, LegSpec
from ..policy import Policy
from ..vocabulary import Kind
from .migrate import PLAIN_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable


def _plain(value: Any) -> Any:
    """What JSON does not have: numbers of other kinds as numbers, the rest as text.

    What cannot be written is not sent, stops included: no single value may have that power.
    """
    if hasattr(value, "__index__"):
        return int(value)
    if hasattr(value, "__float__"):
        return float(value)
    return str(value)


def _encoder() -> Callable[[Any], str]:
    """`JSONEncoder.encode` with its C encoder made once: half the time for the small pieces written here."""
    plain = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=_plain)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # not CPython
        return plain.encode
    pieces = make(None, plain.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
    return lambda value: "".join(pieces(value, 0))


#: compact JSON, ASCII only; named tuples and string enumerations come out as lists and texts
encode: Callable[[Any], str] = _encoder()

#: a field that `PLAIN_POLICY` does not have
_NEW = object()
#: an id as `Journal.next_id` makes it, inside any tag that begins with it or with a purpose and a dash
_TAGGED = re.compile(r"^(?:[a-z]+-)?(?P<id>[A-Za-z0-9_-]*?[A-Za-z0-9_]-\d{6,})(?![0-9])(?:[-:](?P<number>\d+))?")


class Unreadable(ValueError):  # noqa: N818 - a property of what was read
    """The record is whole but does not make a group; the text says why."""


@lru_cache(maxsize=64)
def _policy_text(policy: Policy) -> str:
    """What it has of its own."""
    return encode({name: value for name, value in policy.row().items() if PLAIN_POLICY.get(name, _NEW) != value})


@lru_cache(maxsize=256)
def _leg_text(leg: LegSpec) -> str:
    return encode(leg.row())


def spec_text(spec: GroupSpec) -> str:
    """The spec as a JSON object; its id comes first, so that a record can be found by it."""
    plain = {
        "id": spec.group_id, "kind": spec.kind, "strategy": spec.strategy, "units": spec.units,
        "created_at": spec.created_at, "limit_net": spec.limit_net, "note": spec.note,
        "exits": spec.exits if type(spec.exits) is dict else dict(spec.exits),
    }  # fmt: skip
    legs = ",".join([_leg_text(leg) for leg in spec.legs])
    return f'{encode(plain)[:-1]},"legs":[{legs}],"policy":{_policy_text(spec.policy)}}}'


def spec_from(row: dict[str, Any]) -> GroupSpec:
    """The inverse of `spec_text`, parsed. Raises KeyError, TypeError or ValueError."""
    return GroupSpec(
        group_id=row["id"],
        kind=Kind(row["kind"]),
        strategy=row["strategy"],
        legs=tuple(LegSpec.from_row(leg) for leg in row["legs"]),
        units=int(row["units"]),
        created_at=float(row["created_at"]),
        policy=Policy.from_row({**PLAIN_POLICY, **row["policy"]}),
        exits=row["exits"],
        limit_net=row["limit_net"],
        note=row["note"],
    )


def group_from(record: dict[str, Any]) -> GroupState:
    """A group replayed from its parsed record.

    Raises:
        Unreadable: a field is missing or wrong, or a fact does not follow from those before it.
    """
    try:
        group_id = record["spec"]["id"]
    except (KeyError, TypeError):
        raise Unreadable("a record without an id") from None
    try:
        return replay(spec_from(record["spec"]), [decode_fact(row) for row in record["facts"]])
    except IllegalFact as error:
        raise Unreadable(str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Unreadable(f"{group_id}: {type(error).__name__}: {error}") from error


def group_text(group: GroupState) -> str:
    """The whole record of a group as one line of JSON."""
    return f'{{"spec":{spec_text(group.spec)},"facts":{encode(group.facts)}}}'


class Record:
    """A group's text as far as it was encoded."""

    __slots__ = ("count", "group", "text")

    def __init__(self, group: GroupState) -> None:
        self.group = group
        self.count = len(group.facts)
        self.text = f'{{"spec":{spec_text(group.spec)},"facts":{encode(group.facts)[:-1]}'

    def catch_up(self) -> str:
        """Encode the facts that are new: their JSON without brackets, "" when there were none."""
        facts, count = self.group.facts, self.count
        now = len(facts)
        if now == count:
            return ""
        new = encode(facts[count:])[1:-1]
        self.text += "," + new if count else new
        self.count = now
        return new

    @property
    def whole(self) -> str:
        """The group as one line of JSON, as of the newest `catch_up`."""
        return self.text + "]}"


def group_id_of(tag: str) -> str | None:
    """The group id a tag carries, or None when it is no tag of ours.

    Tags are ``<group_id>:<number>:<purpose>`` for all-or-none groups and ``<purpose>-<group_id>...`` for brackets.
    """
    found = _TAGGED.match(tag)
    return found["id"] if found else None


def shape_of_facts() -> dict[str, tuple[str, ...]]:
    """Field names of every kind of fact: what a schema number stands for (a test pins it)."""
    return {kind: cls._fields[:-1] for kind, cls in sorted(BY_KIND.items())}  # type: ignore[attr-defined]
