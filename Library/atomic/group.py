"""`AtomicGroup`: what the owner of a group holds in hand. It reads the group's state and asks; it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import facts as f
from .audit import timeline
from .plan import trouble
from .vocabulary import HoldCause, Outcome, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .model import ChildOrder, GroupState
    from .ports import GroupEvent
    from .shell import Shell

#: which callbacks an event of a group calls
CALLBACK_OF = {"open": "open", "closed": "closed", "refused": "closed", "held": "held"}


class LegView(NamedTuple):
    """One leg as its owner sees it."""

    #: LEAN's security identifier text
    symbol: str
    name: str
    #: signed contracts in one unit
    ratio: int
    #: signed contracts the group holds: its own share, not the account's
    net: int
    #: signed contracts promised
    promised: int
    #: average price of the opening fills, dollars per share; 0 before the first
    open_price: float
    #: average price of the fills that took it back; 0 before the first
    close_price: float
    #: ended by expiry, exercise or assignment
    settled: bool


class LegFill(NamedTuple):
    """One fill of a group's own order."""

    #: seconds UTC
    at: float
    #: index into the group's legs
    leg: int
    #: signed contracts
    quantity: int
    #: dollars per share
    price: float
    #: number of the child order
    order: int


class AtomicGroup:
    """Live handle on one group.

    Callbacks are called with this handle, also at once when their moment has passed already; an exception in one is
    logged and alerted, never raised.
    """

    __slots__ = ("_calls", "_group", "_shell")

    def __init__(self, group: GroupState, shell: Shell) -> None:
        self._group = group
        self._shell = shell
        self._calls: dict[str, list[Callable[[AtomicGroup], Any]]] = {}

    # --- what is known ----------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The group's id, unique over restarts; part of every order's tag."""
        return self._group.spec.group_id

    @property
    def strategy(self) -> str:
        """What it is called, such as "iron_condor"."""
        return self._group.spec.strategy

    @property
    def state(self) -> Phase:
        """planned, opening, open, unwinding, closing, closed or held."""
        return self._group.phase

    @property
    def outcome(self) -> Outcome:
        """How it ended or stands; empty while undecided, failed while held because the broker refused too often."""
        return self._group.stands_as

    @property
    def reason(self) -> str:
        """Why it was refused, went back, was closed or is held."""
        return self._group.held_why if self._group.phase is Phase.HELD else self._group.reason

    @property
    def quantity(self) -> int:
        """Units asked for."""
        return self._group.spec.units

    @property
    def units(self) -> int:
        """Complete units held now."""
        return self._group.units_held

    @property
    def legs(self) -> tuple[LegView, ...]:
        """The legs with what is held and at what prices they traded."""
        group = self._group
        opened, closed = _prices(group)
        return tuple(
            LegView(
                leg.spec.symbol, leg.spec.name, leg.spec.ratio, leg.net, leg.spec.ratio * group.spec.units,
                opened[i], closed[i], leg.settled,
            )
            for i, leg in enumerate(group.legs)
        )  # fmt: skip

    @property
    def fills(self) -> tuple[LegFill, ...]:
        """Every fill of its orders, oldest first; what expired, was assigned or moved from outside: see `timeline`."""
        found: list[LegFill] = []
        seen: dict[int, tuple[int, float]] = {}
        for fact in self._group.facts:
            if type(fact) is f.Filled:
                order = self._group.orders[fact.order]
                before, paid = seen.get(fact.order, (0, 0.0))
                size, total = fact.cum_qty - before, fact.cum_qty * fact.avg_px
                seen[fact.order] = fact.cum_qty, total
                price = round((total - paid) / size, 6)
                found.append(LegFill(fact.at, order.leg, order.side * size, price, fact.order))
        return tuple(found)

    @property
    def net_price(self) -> float:
        """Net price of one opened unit, dollars per share of the option: debit positive, credit negative."""
        group = self._group
        opened, _ = _prices(group)
        scale = max((leg.spec.multiplier for leg in group.legs if leg.spec.ratio), default=1.0)
        return sum(o * leg.spec.ratio * leg.spec.multiplier for o, leg in zip(opened, group.legs, strict=True)) / scale

    @property
    def profit(self) -> float:
        """Dollars gained (or lost) by what is closed again, fees included; meaningful once the group is flat."""
        return round(-sum(leg.cost for leg in self._group.legs) - self._group.fees, 10) + 0.0

    @property
    def fees(self) -> float:
        """Dollars."""
        return self._group.fees

    @property
    def rollback_cost(self) -> float:
        """Dollars that going back after a failure cost, fees included; negative when it gained."""
        return self._group.rollback_cost

    @property
    def orders(self) -> tuple[ChildOrder, ...]:
        """Every child order, oldest first; read only."""
        return tuple(self._group.orders.values())

    @property
    def timeline(self) -> list[dict[str, Any]]:
        """Everything that happened, oldest first: time (ISO, UTC), kind, and the fact's own fields."""
        return timeline(self._group)

    @property
    def record(self) -> GroupState:
        """The state itself; read only."""
        return self._group

    @property
    def is_open(self) -> bool:
        """True while every leg holds what was promised (of the units that are kept)."""
        return self._group.phase is Phase.OPEN

    @property
    def is_done(self) -> bool:
        """True when nothing may fill any more and its own share is settled."""
        return self._group.phase is Phase.CLOSED

    # --- what may be asked ------------------------------------------------------------------------------------

    def close(self, why: str = "closed by its owner") -> None:
        """Take the group to zero; before it is open this cancels it. Asking again changes nothing."""
        self._shell.do(lambda: close(self._shell, self._group, why))

    def cancel(self, why: str = "cancelled by its owner") -> bool:
        """Stop opening and go back; False when it is not opening any more (then use `close`)."""
        if self._group.phase not in (Phase.PLANNED, Phase.OPENING, Phase.UNWINDING):
            return False
        self._shell.do(
            lambda: close(self._shell, self._group, why) if self._group.phase is not Phase.OPEN else None
        )
        return True

    def hold(self, why: str = "held by its owner") -> None:
        """Only what protects or reduces is sent until it is released."""
        self._shell.do(lambda: hold(self._shell, self._group, why))

    def release(self, why: str = "released by its owner") -> None:
        """End a hold: the group goes on where it was."""
        self._shell.do(lambda: release(self._shell, self._group, why))

    def on_open(self, call: Callable[[AtomicGroup], Any]) -> AtomicGroup:
        """Call this when the group stands (complete, or with the units that were kept)."""
        return self._register("open", call, self._group.phase is Phase.OPEN or self._group.opened_at > 0)

    def on_closed(self, call: Callable[[AtomicGroup], Any]) -> AtomicGroup:
        """Call this when the group has ended: closed, rolled back, expired or refused."""
        return self._register("closed", call, self._group.phase is Phase.CLOSED)

    def on_held(self, call: Callable[[AtomicGroup], Any]) -> AtomicGroup:
        """Call this when a person must decide."""
        return self._register("held", call, self._group.phase is Phase.HELD)

    def _register(self, what: str, call: Callable[[AtomicGroup], Any], passed: bool) -> AtomicGroup:
        self._calls.setdefault(what, []).append(call)
        self._shell.followed.add(self.id)
        if passed:
            self._call(call)
        return self

    def _call(self, call: Callable[[AtomicGroup], Any]) -> None:
        """A callback of the owner's: its fault is told, it reaches neither trading nor the caller."""
        try:
            call(self)
        except Exception as error:
            self._shell.report_callback(self.id, error)

    def tell(self, event: GroupEvent) -> None:
        """Call the callbacks of an event; used by the executor."""
        if self._calls:
            for call in self._calls.get(CALLBACK_OF.get(event.kind, ""), ()):
                self._call(call)

    def summary(self) -> str:
        """One line: id, strategy, state, outcome, price, cost, reason."""
        group = self._group
        head = f"{self.id} {self.strategy} x{self.quantity}: {self.outcome or self.state}"
        parts = [f"net {self.net_price:+.2f}"] if group.opened_at else []
        if group.phase is Phase.CLOSED and group.outcome is not Outcome.REFUSED:
            parts.append(f"profit {self.profit:+.2f}")
        if group.rollback_cost:
            parts.append(f"rollback cost {group.rollback_cost:.2f}")
        if group.fees:
            parts.append(f"fees {group.fees:.2f}")
        if self.reason:
            parts.append(self.reason)
        left = [f"{leg.net:+d} {leg.spec.name or leg.spec.symbol}" for leg in group.legs if leg.net]
        if left and group.phase is not Phase.OPEN:
            parts.append("holds " + ", ".join(left))
        return f"{head} ({'; '.join(parts)})" if parts else head

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.summary()}>"


class Groups:
    """The executor's groups by state."""

    def __init__(self, shell: Shell, handle: Callable[[GroupState], AtomicGroup]) -> None:
        self._shell = shell
        self._handle = handle

    @property
    def open(self) -> list[AtomicGroup]:
        """Groups that have not ended, oldest first: planned, opening, open, unwinding, closing or held."""
        groups = self._shell.groups
        return [self._handle(g) for g in list(groups.values()) if g.phase is not Phase.CLOSED] if groups else []

    @property
    def all(self) -> list[AtomicGroup]:
        """Those and the ended ones still in memory, oldest first."""
        ended = [self._handle(g) for g in list(self._shell.recent.values())]
        return ended + [self._handle(g) for g in list(self._shell.groups.values())]

    def get(self, group_id: str) -> AtomicGroup | None:
        """The group with this id, from memory or the archive; None when there is none."""
        group = self._shell.groups.get(group_id) or self._shell.recent.get(group_id)
        if group is None:
            group = self._shell.journal.recent(str(group_id))
        return self._handle(group) if group is not None else None

    def __len__(self) -> int:
        return len(self._shell.groups)

    def __repr__(self) -> str:
        return f"<Groups {[group.id for group in self.open]}>"

    def __iter__(self) -> Iterator[AtomicGroup]:
        return iter(self.open)


def close(shell: Shell, group: GroupState, why: str) -> None:
    """Ask for zero; inside the pump only."""
    if group.phase is Phase.PLANNED:
        shell.apply(group, f.Refused(shell.now, str(why)))
    elif group.phase in (Phase.OPENING, Phase.OPEN, Phase.UNWINDING, Phase.HELD):
        shell.apply(group, f.CloseAsked(shell.now, str(why)))


def hold(shell: Shell, group: GroupState, why: str) -> None:
    """Hold on request; inside the pump only. A hold that only a person can end keeps its cause, and its doubt."""
    if group.phase is not Phase.CLOSED:
        for fact in trouble.hold(group, shell.now, HoldCause.REQUESTED, str(why)):
            shell.apply(group, fact)


def release(shell: Shell, group: GroupState, why: str) -> None:
    """End a hold; inside the pump only."""
    if group.phase is Phase.HELD:
        shell.apply(group, f.Released(shell.now, str(why)))


def _prices(group: GroupState) -> tuple[list[float], list[float]]:
    """Average opening and reducing price of every leg."""
    sums = [[0, 0.0, 0, 0.0] for _ in group.legs]
    for order in group.orders.values():
        if order.cum_qty:
            at = 0 if order.purpose in ("open", "entry") else 2
            sums[order.leg][at] += order.cum_qty
            sums[order.leg][at + 1] += order.cum_qty * order.avg_px
    return [s[1] / s[0] if s[0] else 0.0 for s in sums], [s[3] / s[2] if s[2] else 0.0 for s in sums]
