"""A minimal desk for tests of the pure core: one group, its loop, and a broker that does what the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from atomic import diff
from atomic import facts as f
from atomic.model import ChildOrder, GroupSpec, GroupState, LegSpec, Quote, new_group
from atomic.plan import Env
from atomic.policy import Policy
from atomic.ports import Alert
from atomic.rules import rules_of
from atomic.vocabulary import Kind, Phase, Right

C, P, S = Right.CALL, Right.PUT, Right.SHARE


def leg(ratio: int, right: Right, strike: float = 0.0, expiry: str = "2015-12-24") -> LegSpec:
    """One leg on XYZ."""
    if right is S:
        return LegSpec("XYZ", ratio, S, 0.0, "", "XYZ", 1.0, 0.01, "XYZ")
    name = f"XYZ {expiry} {right}{strike:g}"
    return LegSpec(name, ratio, right, strike, expiry, "XYZ", 100.0, 0.01, name)


def condor() -> tuple[LegSpec, ...]:
    """Short put, long put, short call, long call."""
    return (leg(-1, P, 95), leg(1, P, 90), leg(-1, C, 105), leg(1, C, 110))


class Desk:
    """Runs one group to its fixed point over a scripted broker.

    The broker fills market orders at the natural price at once unless `script` says otherwise: it is called with each
    order that is sent and returns the facts of the answer (None = the default).
    """

    def __init__(self, legs: Iterable[LegSpec], units: int = 1, *, policy: Policy | None = None,
                 env: Env | None = None, limit_net: float | None = None) -> None:  # fmt: skip
        self.now = 1000.0
        self.legs = tuple(legs)
        spec = GroupSpec("g-1", Kind.ALL_OR_NONE, "test", self.legs, units, self.now, policy or Policy(),
                         limit_net=limit_net)  # fmt: skip
        self.group: GroupState = new_group(spec)
        self.env = env or Env()
        self.quotes = {s.symbol: Quote(1.0, 1.2, 1.1, self.now) for s in self.legs}
        self.script: Callable[[ChildOrder], list[Any] | None] = lambda order: None
        self.sent: list[ChildOrder] = []
        self.alerts: list[Alert] = []
        self.wake = 0.0
        self.cancels: list[int] = []
        self.on_cancel: Callable[[ChildOrder], list[Any]] = lambda o: [
            f.CancelAsked(self.now, o.number, "x"), f.Canceled(self.now, o.number)]  # fmt: skip

    # -- what a test does ---------------------------------------------------------------------------------

    def open(self) -> Desk:
        """Start opening and run."""
        f.apply(self.group, f.Opening(self.now))
        return self.pump()

    def tell(self, *facts: Any) -> Desk:
        """Facts from outside, then run."""
        for fact in facts:
            f.apply(self.group, fact)
        return self.pump()

    def at(self, now: float) -> Desk:
        """Let time pass to `now` (seconds since the start) and run."""
        self.now = 1000.0 + now
        return self.pump()

    def quote(self, index: int, bid: float, ask: float, *, open: bool = True) -> Desk:
        """A new quote for a leg, now."""
        self.quotes[self.group.legs[index].spec.symbol] = Quote(bid, ask, 0.0, self.now, open)
        return self

    def fill(self, number: int, quantity: int | None = None, price: float = 1.0) -> list[Any]:
        """Facts of a (partial) fill of an order."""
        order = self.group.orders[number]
        return [f.Filled(self.now, number, order.order_qty if quantity is None else quantity, price, 0.0)]

    # -- the loop -----------------------------------------------------------------------------------------

    def pump(self) -> Desk:
        """decisions, desired orders, difference, until nothing changes."""
        for _ in range(200):
            if not self._turn():
                return self
        raise AssertionError("the core does not come to rest")

    def _turn(self) -> bool:
        group = self.group
        rules = rules_of(group)
        for _ in range(100):
            facts = rules.decisions(group, self.now, self.quotes, self.env)
            if not facts:
                break
            for fact in facts:
                f.apply(group, fact)
        else:
            raise AssertionError(f"decisions do not end: {facts}")
        desired = rules.desired_orders(group, self.now, self.quotes, self.env)
        commands = rules.commands(group, desired, self.now, self.env)
        self.wake = 0.0
        submits = [c for c in commands if isinstance(c, f.Intended)]
        for command in submits:
            f.apply(group, command)
        busy = bool(submits)
        for command in commands:
            if isinstance(command, diff.Cancel):
                busy = True
                self.cancels.append(command.number)
                for fact in self.on_cancel(group.orders[command.number]):
                    f.apply(group, fact)
            elif isinstance(command, diff.Raise):
                self.alerts.append(command.alert)
            elif isinstance(command, diff.WakeAt):
                self.wake = command.at - 1000.0
        for command in submits:
            order = group.orders[command.order]
            if not rules.still_wanted(group, order, self.env):
                f.apply(group, f.Withdrawn(self.now, order.number, "not wanted any more"))
                continue
            f.apply(group, f.Sent(self.now, order.number))
            self.sent.append(order)
            answer = self.script(order)
            if answer is None:
                quote = self.quotes[group.legs[order.leg].spec.symbol]
                answer = [f.Accepted(self.now, order.number)]
                if order.type == "market":
                    price = quote.ask if order.quantity > 0 else quote.bid
                    answer.append(f.Filled(self.now, order.number, order.order_qty, price, 0.0))
            for fact in answer:
                f.apply(group, fact)
        return busy

    # -- what a test looks at -----------------------------------------------------------------------------

    @property
    def nets(self) -> list[int]:
        """Own share per leg."""
        return [state.net for state in self.group.legs]

    @property
    def phase(self) -> Phase:
        """The group's phase."""
        return self.group.phase

    @property
    def working(self) -> list[tuple[int, str, int, float]]:
        """(leg, purpose, signed leaves, limit) of what may fill."""
        return [
            (o.leg, str(o.purpose), o.leaves_qty if o.quantity > 0 else -o.leaves_qty, o.limit)
            for o in self.group.live.values()
        ]


def rejects(*legs: int, reason: str = "margin", purposes: tuple[str, ...] = ("open",)) -> Callable[[ChildOrder], Any]:
    """A broker that rejects orders of these legs and purposes."""

    def answer(order: ChildOrder) -> list[Any] | None:
        if order.leg in legs and order.purpose in purposes:
            return [f.Rejected(order.sent_at, order.number, reason, f"{reason} refused")]
        return None

    return answer


def rests(*legs: int) -> Callable[[ChildOrder], Any]:
    """A broker at which opening orders of these legs (all, when none is named) rest unfilled."""

    def answer(order: ChildOrder) -> list[Any] | None:
        rests = order.purpose == "open" and (not legs or order.leg in legs)
        return [f.Accepted(order.sent_at, order.number)] if rests else None

    return answer


#: purposes of orders that reduce by the owner's or the group's own wish
CLOSING = ("close", "unwind")


def opened(legs: Iterable[LegSpec] | None = None, units: int = 1, **options: Any) -> Desk:
    """A group that stands open, with its record of sends emptied."""
    desk = Desk(legs or condor(), units, **options).open()
    assert desk.phase is Phase.OPEN
    desk.sent.clear()
    return desk


def close(desk: Desk) -> Desk:
    """The owner asks for the close."""
    return desk.tell(f.CloseAsked(desk.now, "bell"))


def resting(order: ChildOrder) -> list[Any]:
    """A broker at which everything rests."""
    return [f.Accepted(order.sent_at, order.number)]
