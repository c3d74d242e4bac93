"""One life of an executor under an adversarial broker: drawn steps, then a broker that answers everything.

A run has three parts. In the *storm* each step draws one thing to happen. In the *calm* the market is open and
quoted, every fact is delivered and every order answered: invariant 6 says that each group must come to rest in
bounded time and bounded sends. In the *end* the owner releases what is held and closes everything: each group must
end flat. The oracle judges all three.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from atomic.model import WORKING, ChildType, HoldCause, Kind, Outcome, Phase, Purpose

from .account import Account, Fate, SimOrder
from .broker import AdversarialBroker
from .market import CHAIN, START, SimMarket
from .oracle import Oracle, Violation
from .scenarios import Setting, draw_bracket, draw_setting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from atomic.model import GroupState

    from .choices import Choices

DELAYS = (0.5, 0.1, 1.0, 2.0, 5.0, 6.0, 31.0, 61.0)
#: rounds of the calm in which every group must come to rest
CALM_ROUNDS = 400


#: rounds after which an unwinding that rests at the price its cost budget allows counts as at rest
BUDGET_ROUNDS = 60


def rests_by_budget(group: GroupState) -> bool:
    """True when the owner's cost budget is why the group rests: a limit order at the price that keeps it."""
    if group.spec.policy.cost_budget is None or group.phase is not Phase.UNWINDING or not group.live:
        return False
    return all(o.purpose is Purpose.UNWIND and o.type is ChildType.LIMIT for o in group.live.values())


def rests_protected(group: GroupState) -> bool:
    """True for a bracket whose exits all work, with stops for exactly what is open; a held one may lack some."""
    if group.spec.kind is Kind.ALL_OR_NONE:
        return False
    exits = all(o.purpose in (Purpose.STOP, Purpose.TARGET) and o.status in WORKING for o in group.live.values())
    stops = sum(o.leaves_qty for o in group.live.values() if o.purpose is Purpose.STOP)
    return exits and (group.phase is Phase.HELD or stops == abs(group.legs[0].net))


def waits_to_enter(group: GroupState) -> bool:
    """True for a bracket whose entry (or what is left of it) rests away from the market, its fills protected."""
    if group.spec.kind is Kind.ALL_OR_NONE or group.phase is not Phase.OPENING or not group.live:
        return False
    entering = any(o.purpose is Purpose.ENTRY for o in group.live.values())
    works = all(o.purpose in (Purpose.ENTRY, Purpose.STOP, Purpose.TARGET) and o.status in WORKING
                for o in group.live.values())  # fmt: skip
    stops = sum(o.leaves_qty for o in group.live.values() if o.purpose is Purpose.STOP)
    return entering and works and stops == abs(group.legs[0].net)


def stands(group: GroupState) -> bool:
    """True when every leg holds what the target asks for, or has ended."""
    return all(leg.settled or leg.net == leg.spec.ratio * group.target for leg in group.legs)


class Driver(Protocol):
    """What turns facts into orders: the shell, or a bare pump over the pure core."""

    def start(self) -> None:
        """First legal moment: reconcile, open the gate."""

    def open_group(self, setting: Setting) -> str | None:
        """Ask for a group; its id, or None when refused."""

    def groups(self) -> Sequence[GroupState]:
        """Every group of this process, ended ones included as far as they are kept."""

    def group(self, group_id: str) -> GroupState | None:
        """One group."""

    def bar(self) -> None:
        """New data arrived (`on_data`)."""

    def close(self, group_id: str, why: str) -> None:
        """The owner closes."""

    def cancel(self, group_id: str, why: str) -> None:
        """The owner cancels an opening."""

    def hold(self, group_id: str, why: str) -> None:
        """The owner holds."""

    def release(self, group_id: str, why: str) -> None:
        """The owner releases."""

    def flatten(self, why: str) -> None:
        """Everything to zero at market, budgets ignored."""

    def recorded(self, tag: str) -> bool:
        """True when the intent with this tag is on record (flushed in live mode)."""

    def archived(self, group_id: str) -> GroupState | None:
        """A group that this process keeps no longer in memory, from the archive."""

    def reborn(self, broker: AdversarialBroker) -> Driver:
        """A new process on what the journal kept; no Python object survives."""


@dataclass(slots=True)
class RunResult:
    """What one run came to; figures are sums over its groups."""

    groups: int = 0
    sends: int = 0
    steps: int = 0
    rounds: int = 0
    restarts: int = 0
    naked_seconds: float = 0.0
    #: of groups that open protected and whose broker kept its word: the part that is ours
    naked_seconds_protected: float = 0.0
    rollback_cost: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)


class World:
    """Market, account, broker, oracle and driver of one run."""

    def __init__(
        self, choices: Choices, drive: Callable[[AdversarialBroker], Driver], setting: Setting | None = None, *,
        crash: bool = False, brackets: bool = False,
    ) -> None:  # fmt: skip
        choices.begin()
        self.choices = choices
        self.setting = setting if setting is not None else (draw_bracket if brackets else draw_setting)(choices)
        self.crash = crash
        self.now = START
        self.market = SimMarket()
        self.oracle = Oracle(self.market)
        self.oracle.now = self.now
        self.account = Account(self.oracle)
        self.script: list[str] = []
        self.result = RunResult()
        self._opened = 0
        self._drive = drive
        self.broker = self._process()
        self.driver = drive(self.broker)
        self._wire()
        self.boot()

    def boot(self) -> None:
        """The first process starts and its owner opens a group."""
        self.driver.start()
        self._open()

    def point(self, what: str) -> None:
        """The process could stop here; crash tests stop it."""

    # --- the three parts ---------------------------------------------------------------------------------

    def run(self, *, calm: bool = True) -> RunResult:
        """Storm until the choices end, then calm, then the end."""
        while not self.oracle.violations and self.choices.begin():
            self.step()
        if calm and not self.oracle.violations:
            self.finish()
        return self.tally()

    def finish(self) -> None:
        """Calm, verdict, end, verdict."""
        self.calm()
        if self.oracle.violations:
            return
        for group in self.driver.groups():
            outcome = group.outcome or group.phase
            self.result.outcomes[outcome] = self.result.outcomes.get(outcome, 0) + 1
            if group.held is not None:
                self.result.held[group.held] = self.result.held.get(group.held, 0) + 1
        for group in list(self.driver.groups()):
            if group.phase is not Phase.CLOSED:
                self.driver.close(group.group_id, "end of the run")
            if group.phase is Phase.HELD and not self.oracle.is_unclear(group):
                self.driver.release(group.group_id, "end of the run")
        self.calm()
        if any(rests_by_budget(group) for group in self.driver.groups()):
            self.driver.flatten("end of the run")
            self.calm()
        if not self.oracle.violations:
            for group in self.driver.groups():
                if (group.phase is not Phase.CLOSED or not group.is_flat) and not self.oracle.is_unclear(group):
                    nets = [leg.net for leg in group.legs]
                    text = f"{group.phase} ({group.held_why or group.reason}) with {nets} after the owner closed it"
                    self.oracle.say("converges", group.group_id, text)

    def tally(self) -> RunResult:
        """Sum up."""
        result = self.result
        result.violations = list(self.oracle.violations)
        result.groups = len(self.oracle.groups)
        for truth in self.oracle.groups.values():
            result.sends += truth.sends
            result.naked_seconds += truth.naked_seconds
            if truth.spec.policy.sequence == "protected" and not truth.excused:
                result.naked_seconds_protected += truth.naked_seconds
        result.rollback_cost = sum(g.rollback_cost for g in self.driver.groups())
        return result

    # --- the storm -----------------------------------------------------------------------------------------

    def step(self) -> None:
        """One thing happens, as drawn."""
        self.result.steps += 1
        _ACTIONS[self.choices.draw(len(_ACTIONS))](self)
        self.check()

    def do_tick(self) -> None:
        """Time passes; new data as drawn; the wake-up comes when due, or a little late."""
        delay = DELAYS[self.choices.draw(len(DELAYS))]
        fresh = self.choices.draw(4) != 3
        late = self.choices.draw(4) == 3
        self.script.append(f"{delay:g} s pass{'' if fresh else ', no data'}{', wake-up late' if late else ''}")
        self._pass(delay, fresh=fresh, wake=not late)

    def do_answer(self) -> None:
        """The broker does something with one of its orders."""
        live = [o for o in self.account.live.values() if not o.hidden_until or self.broker.knows(o)]
        if not live:
            self.do_tick()
            return
        order = live[self.choices.draw(len(live))]
        answer = self.choices.draw(8)
        faults = self.setting.faults
        name = f"order {order.group_id}:{order.number}"
        fillable = self.market.open and order.symbol not in self.market.settled
        if order.cancel_pending and answer < 4 and not order.deaf:
            if answer == 3 and faults.cancel_refused:
                self.script.append(f"{name}: the pending cancel fails")
                self.broker.fail_cancel(order)
            elif answer == 2 and faults.fill_beats_cancel and fillable:
                self._fill(order, order.leaves, "fills before its cancel")
            else:
                self.script.append(f"{name}: canceled")
                self.broker.end_cancel(order)
        elif order.asked is not None and answer < 3:
            self.script.append(f"{name}: updated")
            self.broker.end_update(order)
        elif answer <= 2 or order.cancel_pending:
            if order.fate is Fate.NEW and answer == 0:
                self.script.append(f"{name}: accepted")
                self.broker.accept(order)
            elif fillable and (not order.cancel_pending or faults.fill_beats_cancel):
                part = order.leaves
                if faults.partial and answer == 1:
                    part = 1 + self.choices.draw(order.leaves)
                self._fill(order, min(part, order.leaves), "fills")
        elif answer == 3 and faults.reject_later:
            self.script.append(f"{name}: rejected")
            self.broker.reject(order)
        elif answer == 4 and faults.overfill and fillable and not order.combo:
            self._fill(order, order.leaves + 1, "overfills")
        elif answer == 5 and faults.reject_later:
            self.script.append(f"{name}: expires")
            self.broker.expire(order)
        else:
            self.script.append(f"{name}: accepted")
            self.broker.accept(order)

    def _fill(self, order: SimOrder, qty: int, what: str) -> None:
        orders = [order]
        if order.combo and self.setting.faults.combo_breaks and self.choices.draw(3) == 2:
            self.oracle.broken_combo(order)
        elif order.combo:
            orders = [o for o in self.account.live.values() if o.combo == order.combo]
        for one in orders:
            amount = qty if one is order and not order.combo else one.leaves
            self.script.append(f"order {one.group_id}:{one.number}: {what} {amount} ({one.side:+d} {one.symbol})")
            self.broker.fill(one, amount)

    def do_late_fill(self) -> None:
        """An order that ended fills all the same."""
        ended = [
            o
            for o in self.account.orders
            if o.fate in (Fate.CANCELED, Fate.EXPIRED) and o.filled < abs(o.quantity)
            if o.symbol not in self.market.settled and self.broker.knows(o)
        ]
        if not (self.setting.faults.late_fill and ended and self.market.open):
            self.do_tick()
            return
        order = ended[self.choices.draw(len(ended))]
        self.script.append(f"order {order.group_id}:{order.number}: fills 1 after its end")
        order.late = True
        self.broker.fill(order, 1)

    def do_deliver(self) -> None:
        """A waiting fact arrives: in order, out of order, twice, or never."""
        queue, faults = self.broker.queue, self.setting.faults
        if not queue:
            self.do_answer()
            return
        index = self.choices.draw(len(queue)) if faults.reorder else 0
        how = self.choices.draw(6)
        order, fact = queue[index]
        what = f"{fact.kind} of {order.group_id}:{order.number}"
        if how == 5 and faults.lost and not order.late:
            self.script.append(f"lost: {what}")
            self.broker.lose(index)
        elif how == 4 and faults.duplicate:
            self.script.append(f"delivered, and will be again: {what}")
            self.broker.deliver(index, twice=True)
        else:
            self.script.append(f"delivered: {what}")
            self.broker.deliver(index)

    def do_market(self) -> None:
        """Quotes move, sides vanish, the session halts and resumes."""
        what, market, faults = self.choices.draw(8), self.market, self.setting.faults
        symbols = list(CHAIN)
        if what <= 2:
            market.spot = (100.0, 101.0, 98.0, 106.0, 94.0, 112.0)[self.choices.draw(6)]
            self.script.append(f"the underlying moves to {market.spot:g}")
        elif what == 3:
            market.heal(self.now)
            self.script.append("quotes and session are back")
        elif what == 4 and faults.halt:
            market.open = not market.open
            self.script.append("the session resumes" if market.open else "the session halts")
        elif what >= 5 and faults.no_quote:
            symbol = symbols[self.choices.draw(len(symbols))]
            sides = (market.no_bid, market.no_ask, market.frozen)[what - 5]
            sides.add(symbol)
            self.script.append(f"{symbol} has no {('bid', 'ask', 'fresh data')[what - 5]}")
        market.changed()
        self.driver.bar()

    def do_owner(self) -> None:
        """The owner opens another group, closes, cancels, holds, releases."""
        groups = self.driver.groups()
        what = self.choices.draw(6)
        if what == 0 or not groups:
            self._open()
            return
        group = groups[self.choices.draw(len(groups))]
        group_id = group.group_id
        if what == 1 or what == 2:
            self.script.append(f"the owner closes {group_id}")
            self.driver.close(group_id, "owner")
        elif what == 3:
            self.script.append(f"the owner cancels {group_id}")
            self.driver.cancel(group_id, "owner")
        elif what == 4 and self.setting.owner_holds:
            truth = self.oracle.groups.get(group_id)
            if truth is not None and group.phase is not Phase.CLOSED:
                truth.hold_asked = True
                self.script.append(f"the owner holds {group_id}")
                self.driver.hold(group_id, "owner")
        elif group.phase is Phase.HELD and not self.oracle.is_unclear(group):
            self.script.append(f"the owner releases {group_id}")
            self.driver.release(group_id, "owner")

    def do_outside(self) -> None:
        """A trade by hand, an assignment, an expiry."""
        faults = self.setting.faults
        what = self.choices.draw(4)
        symbols = [leg.symbol for leg in self.setting.legs]
        symbol = symbols[self.choices.draw(len(symbols))]
        price = self.market.fair(symbol)
        held = self.account.positions.get(symbol, 0)
        if symbol in self.market.settled:
            return
        if what <= 1 and faults.foreign:
            delta = (1, -1)[self.choices.draw(2)]
            self.script.append(f"somebody trades {delta:+d} {symbol}")
            self.broker.outside(symbol, delta, price, "foreign", "manual trade")
        elif what == 2 and faults.assignment and held < 0 and CHAIN[symbol].expiry:
            self.script.append(f"1 {symbol} is assigned")
            self.broker.outside(symbol, 1, 0.0, "assignment", "assigned")
        elif what == 3 and faults.expiry and CHAIN[symbol].expiry:
            day = min(leg.expiry for leg in CHAIN.values() if leg.expiry and leg.symbol not in self.market.settled)
            self.script.append(f"the contracts of {day} expire")
            for one in [leg.symbol for leg in CHAIN.values() if leg.expiry == day]:
                self.broker.settle(one, "expiry")
        else:
            self.do_tick()

    def do_restart(self) -> None:
        """The process stops and starts again, when the run is about that."""
        if not self.crash or self.setting.sync:
            self.do_answer()
            return
        self.restart()

    def restart(self) -> None:
        """Stop here; things happen while down; start from the journal's bytes and the broker's state."""
        self.script.append("the process stops and starts again")
        self.result.restarts += 1
        for index in [i for i, (order, _) in enumerate(self.broker.queue) if order.late][::-1]:
            self.broker.deliver(index)  # nobody could know of it any more
        for order, fact in self.broker.queue:
            if fact.kind == "filled" and order.filled > abs(order.quantity):
                self.oracle.overfill_unknown(order.symbol, order.filled - abs(order.quantity))
        self.while_down()
        for truth in self.oracle.groups.values():
            truth.restarted = True
        self.broker = self._process()
        self.driver = self.driver.reborn(self.broker)
        self._wire()
        self.driver.start()
        for group in self.driver.groups():
            self.oracle.note_unclear(group)

    def while_down(self) -> None:
        """What the broker does while nobody looks, as drawn."""
        for order in list(self.account.live.values()):
            if order.combo:
                self.account.accept(order)  # a combo arrives as one
                continue
            fate = self.choices.draw(5)
            name = f"order {order.group_id}:{order.number}"
            if order.fate is Fate.NEW:
                if fate == 3:
                    self.script.append(f"{name} never arrived")
                    self.account.end(order, Fate.REJECTED, "unknown", "never arrived")
                    continue
                self.account.accept(order)
                if fate == 4 and self.now - order.born <= 2.0:
                    self.script.append(f"{name} is shown 10 s later only")
                    order.hidden_until = self.now + 10.0
            elif fate >= 3 and self.market.open and order.symbol not in self.market.settled:
                qty = 1 + self.choices.draw(order.leaves) if self.setting.faults.partial else order.leaves
                order.hidden_until = 0.0
                self.script.append(f"{name} fills {qty} while down")
                self.account.fill(order, qty, self.market.fair(order.symbol))
            elif fate == 2 and order.cancel_pending:
                self.script.append(f"{name} is canceled while down")
                self.account.end(order, Fate.CANCELED)

    # --- the calm ------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Answer everything until every group rests; what does not come to rest is a violation."""
        self.broker.kind = True
        if self.setting.bracket is not None and not self.oracle.violations:
            # what rests at the venue is looked at from time to time: lost news is found by then
            for seconds in (6.0, 61.0):
                self._deliver_all()
                self._pass(seconds, fresh=True, wake=True)
        for turn in range(CALM_ROUNDS):
            self.result.rounds += 1
            self.market.heal(self.now)
            self._deliver_all()
            for order in list(self.account.live.values()):
                self._answer_kindly(order)
            self._deliver_all()
            if self.oracle.violations:
                return
            if self._rests(late=turn > BUDGET_ROUNDS):
                break
            wake = self.broker.wake
            delay = 1.0 if wake is None else min(60.0, max(0.25, wake - self.now))
            self._pass(delay, fresh=True, wake=True)
        for group in self.driver.groups():
            if not rests_by_budget(group) and not waits_to_enter(group):
                self.oracle.judge_group(group, settled=True)
        self.broker.kind = False

    def _answer_kindly(self, order: SimOrder) -> None:
        if not order.fate.alive or (order.hidden_until and self._unseen(order)):
            return
        if order.fate is Fate.NEW:
            self.broker.accept(order)
        if order.symbol in self.market.settled:
            self.broker.expire(order)
        elif order.asked is not None:
            self.broker.end_update(order)
        elif order.cancel_pending:
            self.broker.end_cancel(order)
        elif order.combo:
            orders = [o for o in self.account.live.values() if o.combo == order.combo]
            if all(self.broker.marketable(o) for o in orders):
                for one in orders:
                    self.broker.fill(one, one.leaves)
        elif self.broker.marketable(order):
            self.broker.fill(order, order.leaves)

    def _unseen(self, order: SimOrder) -> bool:
        """In flight when a process stopped: it is not answered before the next process had time to find it."""
        return not self.broker.knows(order) and self.now < order.hidden_until + 120.0

    def _deliver_all(self) -> None:
        while self.broker.queue and not self.oracle.violations:
            self.broker.deliver(0)

    def _rests(self, *, late: bool) -> bool:
        """Nothing is on its way and every group stands where it should (or, `late`, where its policy lets it rest)."""
        brackets = self.setting.bracket is not None
        if self.broker.queue or (self.account.live and not late and not brackets):
            return False
        if brackets:
            if any(o.fate is Fate.NEW or o.cancel_pending or o.asked for o in self.account.live.values()):
                return False
            return all(
                g.phase is Phase.CLOSED
                or waits_to_enter(g)
                or (g.phase in (Phase.OPEN, Phase.HELD) and rests_protected(g))
                for g in self.driver.groups()
            )
        return all(
            (g.phase in (Phase.CLOSED, Phase.HELD) and not g.live)
            or (g.phase is Phase.OPEN and not g.live and (late or stands(g)))
            or (late and rests_by_budget(g))
            for g in self.driver.groups()
        )

    # --- inside --------------------------------------------------------------------------------------------

    def _process(self) -> AdversarialBroker:
        setting = self.setting
        return AdversarialBroker(
            self.account, self.market, self.choices, self.now, setting.faults,
            live=not setting.sync, sync=setting.sync, combos=setting.combos, point=self.point,
        )  # fmt: skip

    def _wire(self) -> None:
        driver = self.driver
        self.oracle.recorded = driver.recorded
        self.oracle.lookup = driver.group
        self.oracle.resolve = lambda group_id: g.spec if (g := driver.group(group_id)) is not None else None

    def _open(self) -> None:
        if self._opened >= self.setting.max_groups:
            return
        self._opened += 1
        self.script.append(f"the owner opens {self.setting.units} x {self.setting.strategy}")
        self.driver.open_group(self.setting)

    def _pass(self, seconds: float, *, fresh: bool, wake: bool) -> None:
        self.oracle.pass_time(seconds)
        self.now += seconds
        self.broker.clock = self.oracle.now = self.now
        if fresh:
            self.market.bar(self.now)
        self.broker.time_step()
        due = self.broker.wake
        if wake and due is not None and due <= self.now and self.broker.sink is not None:
            self.broker.wake = None
            self.broker.sink.on_wake()
        if fresh:
            self.driver.bar()

    def check(self) -> None:
        """What is judged after every step."""
        limit = 60
        calls, self.broker.calls = self.broker.calls, 0
        if calls > limit:
            self.oracle.say("runaway", "", f"{calls} gateway calls in one step")
        for group in self.driver.groups():
            self.oracle.note_unclear(group)
            if self.broker.wake is None or self.broker.wake > self.now:  # else its timer is late
                self.oracle.judge_protection(group, self.now, at_rest=False)
            if group.held is HoldCause.FAULT:
                self.oracle.judge_group(group, settled=False)
            if group.outcome is Outcome.FAILED:
                self.result.outcomes["failed"] = self.result.outcomes.get("failed", 0) + 1


_ACTIONS: tuple[Callable[[World], None], ...] = (
    World.do_tick,
    World.do_answer,
    World.do_deliver,
    World.do_answer,
    World.do_deliver,
    World.do_tick,
    World.do_answer,
    World.do_deliver,
    World.do_market,
    World.do_late_fill,
    World.do_owner,
    World.do_outside,
    World.do_restart,
    World.do_answer,
)
