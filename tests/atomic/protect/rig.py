"""A venue in a few lines: carries out what the core asks of a protected group, fills what a test says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from atomic import facts as f
from atomic.diff import Cancel, Poll, Raise, Replace, WakeAt
from atomic.model import ChildOrder, GroupSpec, LegSpec, Quote, new_group
from atomic.plan.terms import Env
from atomic.policy import Policy
from atomic.protect import EntryPlan, ExitPair, ExitPlan, Level
from atomic.rules import EXITS
from atomic.vocabulary import WORKING, Kind, Phase, Purpose, Right

SPY = "SPY R735QTJ8XC9X"
ENTRY, STOP, TARGET = Purpose.ENTRY, Purpose.STOP, Purpose.TARGET


def plan(*pairs: tuple[float, float | None, float | None], **more: Any) -> ExitPlan:
    """Exit plan from (share, target price, stop price) triples with a market entry."""
    more.setdefault("entry", EntryPlan())
    return ExitPlan(
        tuple(ExitPair(s, t and Level(price=t), p and Level(price=p)) for s, t, p in pairs), **more
    )


class Rig:
    """One bracket group with a venue that answers at once unless told otherwise."""

    def __init__(self, exits: ExitPlan, units: int = 100, policy: Policy | None = None,
                 refuse: dict[Purpose, list[str]] | None = None, **env: Any) -> None:  # fmt: skip
        leg = LegSpec(SPY, 1 if units > 0 else -1, Right.SHARE, underlying=SPY, multiplier=1.0, name="SPY")
        spec = GroupSpec("b-000001", Kind.BRACKET, "bracket", (leg,), abs(units), 0.0, policy or Policy(), exits.row())
        self.group = new_group(spec)
        self.now = 1.0
        self.quote = Quote(100.0, 100.02, 100.01, 1.0)
        self.env = Env(**env)
        #: purposes whose next orders are refused, with the reason
        self.refuse: dict[Purpose, list[str]] = refuse or {}
        #: purposes whose cancels never end
        self.stuck: set[Purpose] = set()
        self.refuse_updates = False
        self.alerts: list[str] = []
        self.log: list[str] = []
        self.tell(f.Opening(self.now))

    def tell(self, *facts: Any) -> None:
        """Fold facts and settle."""
        for fact in facts:
            f.apply(self.group, fact)
        self.settle()

    def settle(self) -> None:
        """Decide, difference, carry out, until nothing changes."""
        for _ in range(200):
            quotes = {SPY: self.quote}
            found = EXITS.decisions(self.group, self.now, quotes, self.env)
            if found:
                for fact in found:
                    f.apply(self.group, fact)
                    if type(fact) is f.Noted and "alert" in (fact.data or {}):
                        self.alerts.append(fact.data["alert"])
                continue
            desired = EXITS.desired_orders(self.group, self.now, quotes, self.env)
            commands = EXITS.commands(self.group, desired, self.now, self.env)
            todo = [command for command in commands if not isinstance(command, (WakeAt, Poll))]
            if not todo:
                return
            for command in todo:
                self._do(command)
        raise AssertionError(f"does not settle: {self.log[-12:]}")

    def _do(self, command: Any) -> None:
        group, now = self.group, self.now
        if isinstance(command, f.Intended):
            f.apply(group, command)
            f.apply(group, f.Sent(now, command.order))
            order = group.orders[command.order]
            self.log.append(f"submit {order.purpose}.{order.rung} {order.quantity:+d} @{order.limit or order.stop:g}")
            reasons = self.refuse.get(order.purpose)
            if reasons:
                f.apply(group, f.Rejected(now, command.order, reasons.pop(0), "scripted"))
                return
            f.apply(group, f.Accepted(now, command.order))
        elif isinstance(command, Cancel):
            order = group.orders[command.number]
            self.log.append(f"cancel {order.purpose}.{order.rung}")
            f.apply(group, f.CancelAsked(now, command.number, command.why))
            if order.purpose not in self.stuck:
                f.apply(group, f.Canceled(now, command.number))
        elif isinstance(command, Replace):
            order = group.orders[command.number]
            price = command.limit or command.stop
            self.log.append(f"replace {order.purpose}.{order.rung} {command.quantity:+d} @{price:g}")
            asked = (now, command.number, command.quantity, command.limit, command.stop)
            f.apply(group, f.ReplaceAsked(*asked))
            if self.refuse_updates:
                f.apply(group, f.ReplaceRefused(now, command.number, "scripted"))
            else:
                f.apply(group, f.Replaced(*asked))
        elif isinstance(command, Raise):
            self.alerts.append(command.alert.code)

    def live(self, purpose: Purpose) -> list[ChildOrder]:
        """Orders of this purpose that may still fill."""
        return [o for o in self.group.live.values() if o.purpose is purpose]

    def fill(self, purpose: Purpose, quantity: int, price: float = 100.0, rung: int = 0) -> None:
        """Fill `quantity` more contracts of the oldest order of this slot (also one that ended)."""
        orders = [o for o in self.group.orders.values() if o.purpose is purpose and o.rung == rung]
        order = next((o for o in orders if o.may_fill), orders[-1])
        cum = order.cum_qty + quantity
        average = (order.avg_px * order.cum_qty + price * quantity) / cum
        self.tell(f.Filled(self.now, order.number, cum, average, 0.0))

    def end(self, purpose: Purpose, status: str = "canceled", rung: int = 0) -> None:
        """The broker ends the working order of this slot unasked."""
        order = next(o for o in self.live(purpose) if o.rung == rung)
        fact = f.Canceled(self.now, order.number) if status == "canceled" else f.Expired(self.now, order.number)
        self.tell(fact)

    def after(self, seconds: float, **quote: float) -> None:
        """Time passes, prices change."""
        self.now += seconds
        self.quote = self.quote._replace(at=self.now, **quote)
        self.settle()

    def environment(self, **changes: Any) -> None:
        """Change what the shell knows."""
        self.env = replace(self.env, **changes)
        self.settle()

    def option_terms(self) -> LegSpec:
        """The leg's terms as an option on the same symbol."""
        leg = self.group.legs[0].spec
        return LegSpec(leg.symbol, leg.ratio, Right.CALL, 95.0, "2030-01-18", "X", 100.0, leg.tick, leg.name)

    @property
    def open(self) -> int:
        """Filled-not-closed contracts, signed."""
        return self.group.legs[0].net

    @property
    def stopped(self) -> int:
        """Contracts of confirmed stops."""
        return sum(o.leaves_qty for o in self.live(Purpose.STOP) if o.status in WORKING)

    @property
    def done(self) -> bool:
        """The group ended flat."""
        return self.group.phase is Phase.CLOSED and self.group.is_flat


def one(**more: Any) -> Rig:
    """A rig with one pair: target at 102, stop at 99."""
    return Rig(plan((1.0, 102.0, 99.0)), **more)
