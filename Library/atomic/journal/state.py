"""What a journal holds besides groups, and what was found when it was read."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .migrate import SCHEMA
from .records import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import GroupState


class Extra(MutableMapping[str, Any]):
    """Small states of other rooms, by name: JSON-able values, written with the next save.

    A change inside a value is seen when the value is assigned again.
    """

    def __init__(self) -> None:
        self._data: dict[str, Any] = {}
        self._text = "{}"
        #: something was assigned since the newest save
        self.pending = False

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = value
        self.pending = True

    def __delitem__(self, key: str) -> None:
        del self._data[key]
        self.pending = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def catch_up(self) -> bool:
        """Encode again if something was assigned; True when the text is another one now."""
        if not self.pending:
            return False
        text = encode(self._data)
        changed = text != self._text
        self._text, self.pending = text, False
        return changed

    @property
    def text(self) -> str:
        """The values as JSON, as of the newest `catch_up`."""
        return self._text


@dataclass(slots=True)
class LoadReport:
    """What was found at the start.

    Attributes:
        base: stem of the journal's keys.
        slot: key of the slot that was taken; "" when there was none.
        seq: its sequence number.
        schema: the schema it was written with.
        fresh: there was nothing to load.
        stale: the newest write may be lost (the other slot is damaged or gone).
        damaged: key -> how the damage shows.
        copies: keys under which damaged texts were kept.
        problems: other things a person should know.
        refuse: why nothing may be traded; "" when all is well.
    """

    base: str
    slot: str = ""
    seq: int = 0
    schema: int = SCHEMA
    fresh: bool = False
    stale: bool = False
    damaged: dict[str, str] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refuse: str = ""

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The state a journal was left in."""

    groups: list[GroupState]
    counter: int
    extra: Extra
    report: LoadReport
