"""Which misdeeds a broker is capable of in one run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .choices import Choices


@dataclass(frozen=True, slots=True)
class Faults:
    """Which misdeeds this run's broker is capable of; a run draws a subset (swarm testing)."""

    partial: bool = False
    reject_now: bool = False
    reject_later: bool = False
    cancel_refused: bool = False
    fill_beats_cancel: bool = False
    late_fill: bool = False
    duplicate: bool = False
    reorder: bool = False
    lost: bool = False
    stuck_cancel: bool = False
    halt: bool = False
    no_quote: bool = False
    overfill: bool = False
    combo_breaks: bool = False
    foreign: bool = False
    expiry: bool = False
    assignment: bool = False
    rests: bool = False

    @classmethod
    def drawn(cls, choices: Choices) -> Faults:
        """Each fault with even odds."""
        return cls(**{f.name: bool(choices.draw(2)) for f in fields(cls)})

    def names(self) -> list[str]:
        """The faults that are on."""
        return [f.name for f in fields(self) if getattr(self, f.name)]
