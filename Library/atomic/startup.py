"""What the account shows against what the journal says: at the start, while fates are open, and in every sweep.

LEAN shows holdings and takes orders from `on_warmup_finished` on. `reconcile.match` is the judgement; here its view is
collected and its verdict carried out, inside the pump: facts first, then adoptions, cancels, baseline, breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .journal import group_id_of
from .ports import Severity
from .reconcile import View, accept_account, match
from .vocabulary import Phase, Right

if TYPE_CHECKING:
    from .journal import Loaded
    from .model import GroupState
    from .reconcile import Verdict
    from .shell import Shell

#: findings that a person must look at, by severity
_LOUD = {"orphan": Severity.P1, "missing": Severity.P2, "refused": Severity.P2, "assigned": Severity.P1}


@dataclass(slots=True)
class StartReport:
    """What the start found and did; `str()` is one line for the log.

    Attributes:
        at: seconds UTC.
        found: groups the journal held.
        findings: what matching journal and account showed, one row each: kind, group_id, text, evidence.
        journal: what loading the journal showed.
        refuse: why nothing may be traded; "" when all is well.
    """

    at: float = 0.0
    found: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)
    journal: dict[str, Any] = field(default_factory=dict)
    refuse: str = ""

    def count(self, kind: str) -> int:
        """Findings of a kind: complete, resumed, unwound, adopted, orphan, missing, ambiguous, quantity_break ..."""
        return sum(finding["kind"] == kind for finding in self.findings)

    def __str__(self) -> str:
        if self.refuse:
            return f"atomic: not started: {self.refuse}"
        kinds = sorted({finding["kind"] for finding in self.findings})
        counted = ", ".join(f"{self.count(kind)} {kind}" for kind in kinds)
        groups = f"{self.found} group{'' if self.found == 1 else 's'} of an earlier run"
        return f"atomic: started with {groups}{f' ({counted})' if counted else ''}"

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return {name: getattr(self, name) for name in self.__slots__}


class Reconciler:
    """Matches account and journal; keeps what a start left open until it is settled."""

    def __init__(self, shell: Shell, loaded: Loaded) -> None:
        self._shell = shell
        self._loaded = loaded
        self._started = 0.0
        self._unsettled: frozenset[tuple[str, int]] = frozenset()
        self.look_again = 0.0
        #: what the newest look showed, as rows
        self.findings: list[dict[str, Any]] = []

    def reload(self, loaded: Loaded) -> None:
        """The journal was read again, before the start."""
        self._loaded = loaded

    def lacking(self) -> str:
        """Underlyings of expired contracts that have no price yet: without one their worth is unknown."""
        shell = self._shell
        missing = {
            spec.underlying
            for group in shell.groups.values()
            for spec in (leg.spec for leg in group.legs if leg.net and not leg.settled)
            if spec.expiry and spec.right is not Right.SHARE and shell.outside.is_past(spec)
            and shell.outside.price(spec.underlying) <= 0
        }  # fmt: skip
        return ", ".join(sorted(missing))

    def start(self) -> StartReport:
        """Settle what an earlier process left; inside the pump."""
        shell = self._shell
        self._started = shell.now
        loaded = self._loaded
        report = StartReport(at=shell.now, found=len(loaded.groups), journal=loaded.report.row())
        shell.outside.forget_unused()  # what stands in a contract without groups is learned anew
        if not shell.groups:
            return report
        verdict = match(self._view(start=True))
        self._carry_out(verdict)
        report.findings = [finding.row() for finding in verdict.findings]
        for group_id in list(shell.groups):
            shell.touch(group_id)
        return report

    def sweep(self) -> None:
        """Orphans, missing orders, and what a start left open; inside the pump."""
        verdict = match(self._view(start=False))
        self._carry_out(verdict)
        self.findings = [finding.row() for finding in verdict.findings]
        shell = self._shell
        for finding in verdict.findings:
            if finding.kind == "missing":
                group = shell.groups.get(finding.group_id)
                for number in list(group.live) if group is not None else ():
                    shell.gateway.poll(finding.group_id, number)

    def accept(self, group: GroupState, why: str) -> str:
        """A person says that the account is right for a held group. Raises ValueError with the cure."""
        shell = self._shell
        symbols = [leg.spec.symbol for leg in group.legs]
        facts, foreign = accept_account(
            group, list(shell.groups.values()), shell.gateway.open_orders(),
            {symbol: shell.gateway.holding(symbol) for symbol in symbols},
            dict(shell.journal.extra.get("baseline", {})),
            {symbol: shell.outside.price(symbol) for symbol in symbols}, shell.now, why,
        )  # fmt: skip

        def act() -> None:
            for fact in facts:
                shell.fold(group, fact)
            for symbol, quantity in foreign.items():
                shell.outside.set_baseline(symbol, quantity)
            for symbol in symbols:
                shell.outside.closed_contracts.pop(symbol, None)
            shell.touch(group.spec.group_id)

        shell.do(act)
        nets = ", ".join(f"{leg.net:+d} {leg.spec.name or leg.spec.symbol}" for leg in group.legs)
        return f"{group.spec.group_id} holds {nets} and is {group.phase} now"

    def _view(self, *, start: bool) -> View:
        shell = self._shell
        gateway, outside = shell.gateway, shell.outside
        orders = list(gateway.open_orders())
        groups = [group for group in shell.groups.values() if group.phase is not Phase.CLOSED]
        holdings: dict[str, int] = {}
        prices: dict[str, float] = {}
        worth: dict[str, float] = {}
        if start or self._unsettled:
            for spec in {leg.spec.symbol: leg.spec for group in groups for leg in group.legs}.values():
                holdings[spec.symbol] = gateway.holding(spec.symbol)
                holdings.setdefault(spec.underlying, gateway.holding(spec.underlying))
                prices[spec.symbol] = outside.price(spec.symbol)
                prices[spec.underlying] = outside.price(spec.underlying)
                if spec.expiry and outside.is_past(spec):
                    worth[spec.symbol] = outside.worth(spec)
        return View(
            groups=groups,
            orders=orders,
            holdings=holdings,
            baseline=dict(shell.journal.extra.get("baseline", {})),
            now=shell.now,
            started=self._started,
            start=start,
            unsettled=self._unsettled,
            stale=start and self._loaded.report.stale,
            ended=self._ended(order.tag for order in orders),
            prices=prices,
            worth=worth,
        )

    def _ended(self, tags: Any) -> dict[str, GroupState]:
        """Ended groups that tags of open orders name."""
        found: dict[str, GroupState] = {}
        for tag in tags:
            group_id = group_id_of(tag)
            if group_id is not None and group_id not in self._shell.groups and group_id not in found:
                group = self._shell.recent.get(group_id) or self._shell.journal.recent(group_id)
                if group is not None:
                    found[group_id] = group
        return found

    def _carry_out(self, verdict: Verdict) -> None:
        shell = self._shell
        for group_id, facts in verdict.facts.items():
            group = shell.find(group_id)
            if group is not None:
                for fact in facts:
                    shell.fold(group, fact)
        for adoption in verdict.adopt:
            group = shell.find(adoption.group_id)
            if group is not None:
                shell.adopted(group, adoption.number)
                shell.gateway.adopt(adoption.group_id, adoption.number, adoption.order)
        for adoption in verdict.cancel:
            shell.gateway.cancel(adoption.group_id, adoption.number)
        for symbol, quantity in verdict.baseline.items():
            shell.outside.set_baseline(symbol, quantity)
        for symbol, why in verdict.breaks.items():
            shell.outside.close_contract(symbol, why)
        for finding in verdict.findings:
            if finding.kind == "orphan":
                shell.observer.counts["orphans"] += 1
            severity = _LOUD.get(finding.kind)
            if severity is not None:
                shell.alerts.raise_(shell.now, severity, finding.kind, finding.group_id, finding.text)
        self._unsettled = verdict.unsettled
        self.look_again = verdict.look_again
        if verdict.look_again:
            shell.wake_for("reconcile", verdict.look_again)

