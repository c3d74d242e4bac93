"""What an operator may do to a running executor; `commands` checks them, LEAN or the command line brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import facts as f
from .audit import seed_record
from .vocabulary import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .executor import AtomicOrderExecutor
    from .group import AtomicGroup


class OperatorDesk:
    """Commands on the executor's groups: each answers one sentence; a bad request raises ValueError with the cure."""

    def __init__(self, executor: AtomicOrderExecutor) -> None:
        self._executor = executor

    def status(self) -> Mapping[str, Any]:
        """Health, counts, limits; JSON-able."""
        shown = self._executor.snapshot()
        return {**shown.health(), "metrics": shown.metrics()}

    def list_groups(self, which: str) -> list[Mapping[str, Any]]:
        """Groups as records; `which` is open or all."""
        groups = self._executor.groups
        return [
            {**seed_record(h.record), "outcome": str(h.outcome), "reason": h.reason, "units": h.quantity}
            for h in (groups.all if which == "all" else groups.open)
        ]

    def _find(self, group_id: str) -> AtomicGroup:
        handle = self._executor.groups.get(group_id)
        if handle is None:
            known = ", ".join(h.id for h in self._executor.groups.open[:6]) or "none is open"
            raise ValueError(f"no group {group_id!r}: {known}")
        return handle

    def close_group(self, group_id: str, why: str) -> str:
        """Take an open group to zero."""
        handle = self._find(group_id)
        if handle.is_done:
            return f"{group_id} is closed already"
        handle.close(why or "closed by an operator")
        return f"{group_id}: {handle.state}"

    def roll_back_group(self, group_id: str, why: str) -> str:
        """Take an opening group back to nothing."""
        handle = self._find(group_id)
        if not handle.cancel(why or "rolled back by an operator"):
            raise ValueError(f"{group_id} is {handle.state}, not opening: close it instead")
        return f"{group_id}: {handle.state}"

    def hold_group(self, group_id: str, why: str) -> str:
        """Only what protects or reduces is sent for it."""
        handle = self._find(group_id)
        if handle.is_done:
            raise ValueError(f"{group_id} is closed: there is nothing to hold")
        handle.hold(why or "held by an operator")
        return f"{group_id}: {handle.state}"

    def release_group(self, group_id: str, why: str) -> str:
        """End a hold."""
        handle = self._find(group_id)
        if handle.state is not Phase.HELD:
            return f"{group_id} is not held"
        handle.release(why or "released by an operator")
        return f"{group_id}: {handle.state}"

    def accept_account(self, group_id: str, why: str) -> str:
        """The account is right: the held group takes over what it shows, and goes back by policy."""
        handle = self._find(group_id)
        return self._executor.accept_account(handle.record, why or "accepted by an operator")

    def pause(self, why: str) -> str:
        """No group opens until `resume`."""
        self._executor.pause()
        return f"paused{f' ({why})' if why else ''}: no group opens until resume"

    def resume(self, why: str) -> str:
        """Groups may open again."""
        self._executor.resume()
        return f"resumed{f' ({why})' if why else ''}"

    def flatten_all(self, why: str) -> str:
        """Every group to zero, nothing opens until `resume`."""
        count = self._executor.emergency_flatten(why or "flattened by an operator")
        return f"{count} groups go to zero; nothing opens until resume"

    def reset_limit(self, limit: str, by: str) -> str:
        """A tripped limit starts again."""
        return self._executor.reset_limit(limit, by)

    def acknowledge(self, group_id: str, why: str) -> str:
        """The operator has seen the newest alert of a group (or of all: empty id)."""
        handles = [self._find(group_id)] if group_id else self._executor.groups.open
        shell = self._executor.shell

        def note() -> None:
            for handle in handles:
                shell.apply(handle.record, f.Noted(shell.now, f"acknowledged {why}".strip(), {}))

        shell.do(note)
        return f"acknowledged for {len(handles)} groups"
