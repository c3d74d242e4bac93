"""Market, account, broker, oracle and driver of one executor's life under an adversarial broker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atomic.vocabulary import HoldCause

from .account import Account, Fate
from .broker import AdversarialBroker
from .market import START, SimMarket
from .oracle import Oracle
from .rate import RateCount
from .scenarios import DRAWN, Setting
from .truth import Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from .choices import Choices
    from .drivers import Driver


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
    outcomes: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)


class World:
    """Market, account, broker, oracle and driver of one run."""

    def __init__(
        self, choices: Choices, drive: Callable[[AdversarialBroker], Driver], setting: Setting | None = None, *,
        crash: bool = False, kind: str = "groups",
    ) -> None:  # fmt: skip
        choices.begin()
        self.choices = choices
        self.setting = setting if setting is not None else DRAWN[kind](choices)
        self.crash = crash
        self.now = START
        self.market = SimMarket()
        self.oracle = Oracle(self.market)
        self.oracle.rate = RateCount(self.setting.house.rate, self.setting.house.reserved_rate)
        self.oracle.now = self.now
        self.account = Account(self.oracle, self.setting.house.reserves, self.setting.house.forgets)
        self.script: list[str] = []
        self.result = RunResult()
        self._opened = 0
        self.broker = self._process()
        self.driver = drive(self.broker)
        self._wire()
        self.boot()

    def boot(self) -> None:
        """The first process starts and its owner opens a group."""
        self.driver.start()
        self.open()

    def point(self, what: str) -> None:
        """The process could stop here; crash tests stop it."""

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

    # --- the process ---------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Stop here; things happen while down; start from the journal's bytes and the broker's state."""
        if self.account.forgets:
            # it lives in the process: what it does is told within the same call, so a stop can lose one fact only
            unheard = self.choices.draw(2)
            while len(self.broker.queue) > unheard and not self.oracle.violations:
                self.broker.deliver(0)
        all_heard = self.account.forgets and not self.broker.queue
        in_doubt = any(group.held is HoldCause.AMBIGUOUS for group in self.driver.groups())
        self.script.append("the process stops and starts again")
        self.result.restarts += 1
        for index in [i for i, (order, _) in enumerate(self.broker.queue) if order.late][::-1]:
            self.broker.deliver(index)  # nobody could know of it any more
        for order, fact in self.broker.queue:
            if fact.kind == "filled" and order.filled > abs(order.quantity):
                self.oracle.news_lost(order.symbol, order.filled - abs(order.quantity))
            elif fact.kind == "filled" and not order.group_id:
                self.oracle.news_lost(order.symbol, order.filled)
        self.while_down()
        for truth in self.oracle.groups.values():
            truth.restarted = True
        self.oracle.rate.restart()
        self.broker = self._process()
        self.driver = self.driver.reborn(self.broker)
        self._wire()
        self.driver.start()
        for group in self.driver.groups():
            if all_heard and not in_doubt and group.held is HoldCause.AMBIGUOUS:
                text = f"in doubt after a restart on paper that lost no news: {group.held_why}"
                self.oracle.say("restart-equals-continue", group.group_id, text)
            self.oracle.note_unclear(group)

    def while_down(self) -> None:
        """What the broker does while nobody looks, as drawn."""
        if self.account.forgets:
            for order in list(self.account.live.values()):
                self.script.append(f"order {order.group_id}:{order.number} is forgotten")
                self.account.end(order, Fate.CANCELED)
            return
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

    def _process(self) -> AdversarialBroker:
        setting = self.setting
        return AdversarialBroker(
            self.account, self.market, self.choices, self.now, setting.faults,
            live=not setting.sync, sync=setting.sync, combos=setting.combos, house=setting.house, point=self.point,
        )  # fmt: skip

    def _wire(self) -> None:
        driver = self.driver
        self.oracle.recorded = driver.recorded
        self.oracle.lookup = driver.group
        self.oracle.resolve = lambda group_id: g.spec if (g := driver.group(group_id)) is not None else None

    # --- what the parts are made of ------------------------------------------------------------------------

    def open(self) -> None:
        """The owner opens one more group, up to the number the setting allows."""
        if self._opened >= self.setting.max_groups:
            return
        self._opened += 1
        self.script.append(f"the owner opens {self.setting.units} x {self.setting.strategy}")
        self.driver.open_group(self.setting)

    def pass_time(self, seconds: float, *, fresh: bool, wake: bool) -> None:
        """Time passes: the clock, `fresh` data, what the broker worked off, the `wake`-up when it is due."""
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

    def deliver_all(self) -> None:
        """Every waiting fact arrives, in order."""
        while self.broker.queue and not self.oracle.violations:
            self.broker.deliver(0)

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
