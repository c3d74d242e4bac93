"""The smallest pump over the pure core: facts, decisions, desired orders, difference, at one depth.

For exhaustive search and for mutants of the core, where the shell's threads, journal and alerts would only blur what
is searched. It does what the shell does, in the same order: fold, decide to a fixed point, intend all, then send one
by one with a check before each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from atomic import diff
from atomic.facts import Intended, Sent, Withdrawn, apply
from atomic.plan import Env
from atomic.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atomic.model import ChildOrder, GroupState, Quote

#: rounds at one moment beyond which the core is said to oscillate
ROUNDS = 100


class Port(Protocol):
    """The market side of the pump; every call answers with the facts that came back inside it."""

    def submit(self, order: ChildOrder) -> list[Any]:
        """Send a new order."""

    def cancel(self, number: int) -> list[Any]:
        """Ask for a cancel."""

    def poll(self, number: int) -> list[Any]:
        """Look at the ticket."""


class OscillationError(RuntimeError):
    """The core did not come to a fixed point at one moment."""


def settle(group: GroupState, now: float, quotes: Mapping[str, Quote], port: Port, env: Env | None = None,
           *, look: bool = False) -> float | None:  # fmt: skip
    """Decide and send until nothing changes.

    Args:
        group: the group; its waiting facts are folded already.
        now: seconds UTC.
        quotes: newest quotes.
        port: the market side.
        env: what only a shell knows; live trading without limits unless given.
        look: poll what is overdue first, as the shell's timer does.

    Returns:
        The next moment at which the group must be looked at, None when only the broker can move it.

    Raises:
        IllegalFact: the core met a fact it has no row for.
        OscillationError: no fixed point after `ROUNDS` rounds.
    """
    env = env or _LIVE
    if look:
        for poll in diff.polls(group, now):
            _fold(group, port.poll(poll.number))
    rules = rules_of(group)
    for _ in range(ROUNDS):
        facts = rules.decisions(group, now, quotes, env)
        if facts:
            for fact in facts:
                apply(group, fact)
            continue
        desired = rules.desired_orders(group, now, quotes, env)
        submits: list[Intended] = []
        wake: float | None = None
        acted = False
        for command in rules.commands(group, desired, now, env):
            if isinstance(command, Intended):
                submits.append(command)
            elif isinstance(command, diff.Cancel):
                _fold(group, port.cancel(command.number))
                acted = True
            elif isinstance(command, diff.WakeAt):
                wake = command.at
        for submit in submits:
            apply(group, submit)
        for submit in submits:
            order = group.orders[submit.order]
            if rules.still_wanted(group, order, env):
                apply(group, Sent(now, submit.order))
                _fold(group, port.submit(order))
            else:
                apply(group, Withdrawn(now, submit.order, "not wanted any more"))
            acted = True
        if not acted:
            return wake
    raise OscillationError(f"{group.group_id}: no fixed point after {ROUNDS} rounds while {group.phase}")


def _fold(group: GroupState, facts: list[Any]) -> None:
    for fact in facts:
        apply(group, fact)


_LIVE = Env(live=True)
