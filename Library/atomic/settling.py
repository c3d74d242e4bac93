"""One group at a time: what must be remembered, what should be working, the difference, and its way to the market.

`plan` decides, `diff` makes commands of it, `_send_wave` puts the intents on record and sends them one by one, each
looked at again right before it leaves. Runs inside the pump (`shell`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import diff
from . import facts as f
from .facts import apply as apply_fact
from .facts.kinds import ANSWERING
from .leaning import leaned_on
from .ledger import Ledger
from .ports import OrderRequest, Severity
from .quotes import QuoteBook
from .rules import RULES
from .vocabulary import PROTECTED_KINDS, REDUCING, ChildStatus, HoldCause, Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .gates import Gates
    from .journal import Journal
    from .model import ChildOrder, GroupState
    from .observe import Alerts, Observer
    from .plan import Env
    from .policy import Settings
    from .ports import Gateway

#: makes a named tuple without the Python function that its class calls; for what is made with every order
_new = tuple.__new__
# asked for with every decision and send; see `facts.settle`
_OPENING, _CLOSED, _WHOLE, _INTENDED = Phase.OPENING, Phase.CLOSED, Kind.ALL_OR_NONE, ChildStatus.INTENDED
_INTENT, _FAULT = f.Intended, HoldCause.FAULT
#: what says that orders were taken
_TAKEN = frozenset({f.Accepted, f.Taken})
#: rounds of decisions one group may take at one moment
ROUNDS = 200
#: orders of one group within a second that no plan needs: sending and cancelling in circles ends here
RUNAWAY = 150
#: the algorithm does not pass LEAN's order events on
UNWIRED = "events-not-forwarded"


class Settler(Ledger):
    """Decides for groups and sends; base of `Shell`, whose docstring has the arguments."""

    __slots__ = ("_decided", "_decided_at", "_priced", "quotes")

    def __init__(
        self, gateway: Gateway, journal: Journal, settings: Settings, gates: Gates, alerts: Alerts, observer: Observer
    ) -> None:
        super().__init__(gateway, journal, settings, gates, alerts, observer)
        self.quotes = QuoteBook(gateway.quote)
        #: the group that a wave was decided for last, and the number of its facts then
        self._decided: GroupState | None = None
        self._decided_at = 0
        #: contracts that had a price once, as far as groups of one leg asked
        self._priced: set[str] = set()

    @property
    def _may_be_deaf(self) -> bool:
        """True where an answer may come without an event: live, or while the algorithm keeps events to itself."""
        return self.gateway.live or UNWIRED in self.gates.shut

    # --- deciding ---------------------------------------------------------------------------------------------

    def _settle(self, group: GroupState) -> None:
        """Bring one group to where nothing more is to be done now."""
        group_id = group.spec.group_id
        if group.phase is _CLOSED:
            self._wakes.pop(group_id, None)
            return
        if self._broken and group_id in self._broken:
            if group.held is _FAULT:
                return
            self._broken.discard(group_id)
        if self.gateway.live:
            self.now = self.gateway.now()
        rules = RULES[group.spec.kind]
        try:
            env = self._decide(group)
            # CPython 3.11 looks up what is called at an attribute slowly, the attribute by itself fast
            desire, differ, at_rest = rules.desired_orders, rules.commands, rules.at_rest
            desired = desire(group, self.now, self.quotes, env)
            commands = differ(group, desired, self.now, env)
            self._wakes.pop(group_id, None)
            done = not commands or self._carry_out(group, commands, env)
            if self._inbox:
                self._fold_waiting()  # what the sends brought
            if done and group_id not in self._touched and at_rest(group):
                until = diff.owed_at(group, heard=not self._may_be_deaf)
                if until:
                    self.asleep[group_id] = until
        except Exception as error:
            self.report_fault(group, error)

    def _decide(self, group: GroupState) -> Env:
        """Fold decisions until there are no more; the environment they rest on."""
        env = self.gates.env(self.now, opens=group.phase is _OPENING)
        if group.failures and group.spec.kind is _WHOLE:
            env = replace(env, leaned_on=leaned_on(group, self.groups.values()))
        decisions = RULES[group.spec.kind].decisions
        for _ in range(ROUNDS):
            decided = decisions(group, self.now, self.quotes, env)
            if not decided:
                break
            for fact in decided:
                self.apply(group, fact)
        else:
            raise RuntimeError(f"{group.spec.group_id} decides without end: {decided!r}")
        return env

    def _carry_out(self, group: GroupState, commands: Iterable[Any], env: Env) -> bool:
        """Cancels and updates first, then one wave of new orders; False when that had to wait."""
        submits: list[f.Intended] = []
        for command in commands:
            kind = type(command)
            if kind is _INTENT:
                submits.append(command)
            elif kind is diff.WakeAt:
                self._wakes[group.spec.group_id] = command.at
            else:
                self._command(group, command)
        if submits:
            if self.now < self._silent_until:
                return False
            legs = group.legs
            if group.spec.kind is not _WHOLE and (len(legs) > 1 or legs[0].spec.symbol not in self._priced):
                sent = self._with_prices(group, submits)
                if sent:
                    self._send_wave(group, sent, env)
                return len(sent) == len(submits)
            self._send_wave(group, submits, env)
        return True

    def _with_prices(self, group: GroupState, submits: list[f.Intended]) -> list[f.Intended]:
        """Those that may leave: LEAN refuses all before a contract's first data (Trading.cs: SecurityPriceZero)."""
        for some, intent in enumerate(submits):
            leg = group.legs[intent.leg]
            quote = self.quotes[leg.spec.symbol]
            if not (quote.last or quote.bid or quote.ask):
                name = leg.spec.name or leg.spec.symbol
                said = (group.spec.group_id, "no-price")
                if leg.net and self._said.get(said) != name:
                    self._said[said] = name
                    text = f"{leg.net:+d} {name} waits for its exits: LEAN has no price yet and refuses every order"
                    self.alerts.raise_(self.now, Severity.P1, said[1], said[0], text)
                return submits[:some]
        if len(group.legs) == 1:  # LEAN keeps the last price there ever was
            self._priced.add(group.legs[0].spec.symbol)
        return submits

    def _command(self, group: GroupState, command: Any) -> None:
        group_id = group.spec.group_id
        if type(command) is diff.Cancel:
            self.gateway.cancel(group_id, command.number)
        elif type(command) is diff.Replace:
            self.gateway.replace(group_id, command.number, command.quantity, command.limit, command.stop)
        elif type(command) is diff.Poll:
            self.gateway.poll(group_id, command.number)
        elif type(command) is diff.Raise and command.alert.code != "held":  # said once, when it happens
            alert = command.alert
            if self._said.get((group_id, alert.code)) != alert.text:
                self._said[(group_id, alert.code)] = alert.text
                self.alerts.raise_(alert.at, alert.severity, alert.code, alert.group_id, alert.text, alert.facts)

    # --- sending ----------------------------------------------------------------------------------------------

    def _send_wave(self, group: GroupState, submits: list[f.Intended], env: Env) -> None:
        group_id = group.spec.group_id
        first = submits[0].order
        if first > RUNAWAY and self.now - group.orders[first - RUNAWAY].intended_at < 1.0:
            raise RuntimeError(f"{RUNAWAY} orders within a second: nothing more is sent for {group_id}")
        for intent in submits:
            apply_fact(group, intent)
        self._dirty[group_id] = group
        self.asleep.pop(group_id, None)
        if group.spec.kind not in PROTECTED_KINDS or group.attempts:
            self._touched[group_id] = None
        self.observer.counts["orders"] += len(submits)
        if not self._record(ends=bool(self._ended) and self._due):
            for intent in submits:
                self.apply(group, f.Withdrawn(self.now, intent.order, "the journal could not be written"))
            return
        self._decided, self._decided_at = group, len(group.facts)
        sent = 0
        for intent in submits:
            order = group.orders[intent.order]
            if not order.bundle:
                self._send_next(group, [order], env)
            elif order.bundle != sent:
                sent = order.bundle
                self._send_next(group, [group.orders[i.order] for i in submits if i.bundle == sent], env)

    def _send_next(self, group: GroupState, orders: list[ChildOrder], env: Env) -> None:
        """Fold what waits, look again whether this is still wanted, and send it or withdraw it."""
        gateway = self.gateway
        live = gateway.live
        if self._inbox and (live or not self._only_taken(group)):
            self._fold_waiting()
        at = gateway.now() if live else self.now
        # where something has happened since it was decided upon, it is looked at again
        same = self._decided_at == len(group.facts) and self._decided is group
        if not same and not self._still_wanted(group, orders, env):
            for order in orders:
                if order.status is _INTENDED:
                    self.apply(group, f.Withdrawn(at, order.number, "no longer wanted"))
            return
        if live:  # answers come from another thread, at any time
            for order in orders:
                self._sent(group, order, at)
        first = orders[0]
        if not first.bundle:
            taken = gateway.submit(self._request(group, first, at))
        else:
            taken = self._submit_set(group, orders, at)
        if taken:
            self._take(group.spec.group_id, at, taken)
            if len(taken) == len(orders):
                return
        if not live:
            for order in orders:
                if not (taken and order.number in taken) and not self._answered(group.spec.group_id, order.number):
                    self._sent(group, order, at)

    def _take(self, group_id: str, at: float, numbers: tuple[int, ...]) -> None:
        """Orders were taken within their call: one fact for all of a wave of which nothing else is heard between."""
        inbox = self._inbox
        if inbox and type(inbox[-1][1]) is f.Taken and inbox[-1][0] == group_id:
            numbers = (*inbox.pop()[1].orders, *numbers)
        inbox.append((group_id, f.Taken(at, numbers)))

    def _sent(self, group: GroupState, order: ChildOrder, at: float) -> None:
        apply_fact(group, f.Sent(at, order.number))
        self._dirty[group.spec.group_id] = group

    def _submit_set(self, group: GroupState, orders: list[ChildOrder], at: float) -> tuple[int, ...] | None:
        """A native combo, or the exits of a pair as one native set."""
        requests = [self._request(group, order, at) for order in orders]
        if group.spec.kind is not _WHOLE:
            return self.gateway.submit_linked(requests)
        first = orders[0]
        units = abs(first.quantity // group.legs[first.leg].spec.ratio)
        limit = None if first.type == "market" else first.limit
        return self.gateway.submit_combo(requests, units, limit)

    def _only_taken(self, group: GroupState) -> bool:
        """True when nothing waits but that orders of this group were taken: `still_wanted` does not ask for that.

        It is folded when the wave has left. A group that is looked at again anyway folds it at once.
        """
        group_id = group.spec.group_id
        if group_id in self._touched:
            return False
        for of, fact in self._inbox:  # noqa: SIM110 - a generator costs three times the loop
            if of != group_id or type(fact) not in _TAKEN:
                return False
        return True

    def _answered(self, group_id: str, number: int) -> bool:
        """True when the call that sent an order brought an answer, which says itself that it was sent."""
        for of, fact in self._inbox:  # noqa: SIM110 - a generator costs three times the loop
            if of == group_id and fact.kind in ANSWERING and fact.order == number:
                return True
        return False

    def _request(self, group: GroupState, order: ChildOrder, at: float) -> OrderRequest:
        if self.gates.limited:
            self.gates.took(at, reduces=order.purpose in REDUCING)
        symbol = group.legs[order.leg].spec.symbol
        return _new(OrderRequest, (
            group.spec.group_id, order.number, symbol, order.quantity, order.type, order.limit, order.stop, order.tag,
        ))  # fmt: skip

    def _still_wanted(self, group: GroupState, orders: list[ChildOrder], env: Env) -> bool:
        """Look again right before the send, with what was folded since the decision."""
        try:
            if group.spec.kind is not _WHOLE and group.spec.group_id in self._touched:
                env = self._decide(group)
            still_wanted = RULES[group.spec.kind].still_wanted
            for order in orders:
                if order.status is not _INTENDED or not still_wanted(group, order, env):
                    return False
        except Exception as error:
            self.report_fault(group, error)
            return False
        return True
