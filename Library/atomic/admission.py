"""How a group comes to be: its legs, its specification, the checks at the door, its first fact.

Base of what the executor offers by name (strategies, brackets, contingent sets); they make terms, this makes the group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import facts as f
from . import given
from .bracket import handle_of
from .entry import check_terms, refusals
from .model import GroupSpec, new_group
from .policy import Policy
from .vocabulary import Kind
from .wiring import subscribed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .data_watch import DataWatch
    from .gates import Gates
    from .group import AtomicGroup
    from .journal import Journal
    from .model import GroupState, LegSpec
    from .policy import Settings
    from .shell import Shell

_NAN = float("nan")


class Admission:
    """The part of the executor that makes and admits groups."""

    if TYPE_CHECKING:
        shell: Shell
        journal: Journal
        policy: Policy
        settings: Settings
        _algorithm: Any
        _gateway: Any
        _gates: Gates
        _handles: dict[str, AtomicGroup]
        _unfed: DataWatch | None

    def leg(self, contract: Any, ratio: int = 1) -> LegSpec:
        """A leg from a Symbol, OptionContract, Security or LegSpec. Raises ValueError for anything else."""
        leg: LegSpec = self._gateway.leg(contract, ratio)
        return leg

    def _open(
        self, legs: Sequence[LegSpec], quantity: int, strategy: str, policy: Policy | None = None,
        limit_net: float | None = None, note: str = "", kind: Kind = Kind.ALL_OR_NONE,
        exits: Mapping[str, Any] | None = None,
    ) -> AtomicGroup:  # fmt: skip
        group, handle = self._new_group(
            legs, quantity, strategy, policy=policy, limit_net=limit_net, note=note, kind=kind, exits=exits
        )
        self._begin_group(group)
        return handle

    def _begin_group(self, group: GroupState) -> None:
        self.shell.do(lambda: self._admit(group))

    def _new_group(
        self, legs: Sequence[LegSpec], quantity: int, strategy: str, *, policy: Policy | None = None,
        limit_net: float | None = None, note: str = "", kind: Kind = Kind.ALL_OR_NONE,
        exits: Mapping[str, Any] | None = None,
    ) -> tuple[GroupState, AtomicGroup]:  # fmt: skip
        given.one_of(strategy, str, "strategy")
        checked = check_terms(legs, quantity, strategy, self.settings.max_legs)
        policy = self.policy if policy is None else given.one_of(policy, Policy, "policy")
        limit_net = None if limit_net is None else given.number(limit_net, "limit_net")
        spec = GroupSpec(
            self.journal.next_id(), kind, strategy, checked, int(quantity), self._gateway.now(), policy,
            exits or {}, limit_net, "" if note is None else str(note),
        )  # fmt: skip
        group = new_group(spec)
        handle = self._handles[spec.group_id] = handle_of(group, self.shell)
        return group, handle

    def _admit(self, group: GroupState) -> None:
        """Check and start a group; inside the pump."""
        shell = self.shell
        if self._unfed is not None:
            self._unfed.arm()
        problems = []
        for leg in group.spec.legs:
            problem = subscribed(self._gateway, leg)
            if problem:
                problems.append(problem)
        if problems:
            shell.add(group)
            shell.apply(group, f.Refused(shell.now, "; ".join(problems)))
            return
        found = refusals(group.spec, shell, self.account, group.exit_plan)
        shell.add(group)
        if found:
            why = "; ".join(f"{r.check}: {r.reason} (is {r.value}, limit {r.limit})" for r in found)
            shell.apply(group, f.Refused(shell.now, why))
        else:
            shell.apply(group, f.Opening(shell.now))

    def account(self) -> tuple[float, float]:
        """Equity and remaining margin in dollars; NaN when unknown. Only read when a risk gate asks for it."""
        if self._gates.risk is None or self._algorithm is None:
            return _NAN, _NAN
        portfolio = self._algorithm.portfolio
        return float(portfolio.total_portfolio_value), float(portfolio.margin_remaining)
