"""A card's script and what is left of a run that played it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atomic.journal import FileStore, read_groups


@dataclass
class Script:
    """What a card prepares and does; times are New York, "HH:MM:SS" or "DD HH:MM:SS" in December 2015."""

    steps: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    cash: float = 100_000.0
    end: tuple[int, int, int] = (2015, 12, 24)
    fault: str = ""
    fault_options: Mapping[str, Any] = field(default_factory=dict)
    executor: bool = True
    executor_options: Mapping[str, Any] = field(default_factory=dict)
    forward: bool = True
    feed: bool = True
    before: Callable[[Any], Any] = lambda algorithm: None
    setup: Callable[[Any], Any] = lambda algorithm: None
    on_order_event: Callable[[Any, Any], Any] = lambda algorithm, event: None
    on_data: Callable[[Any, Any], Any] = lambda algorithm, slice: None


@dataclass
class Market:
    """The data of a session and the strikes (long put, short put, short call, long call) that quote in it."""

    data: Path
    strikes: str
    real: bool


@dataclass
class Played:
    """A finished run."""

    result: Any
    algorithm: Any
    store: Path

    def journaled(self, *, live: bool = False) -> dict[str, Any]:
        """Groups as a later process would read them from the journal, by id."""
        store = FileStore(self.store)
        found: dict[str, Any] = {}
        for group in read_groups(store, "card", live=live, run="" if live else "card"):
            found[group.group_id] = group
        return found

    def holdings(self) -> dict[str, float]:
        """What the account holds at the end."""
        return {held["symbol"]: held["quantity"] for held in self.result.account["holdings"] if held["quantity"]}
