"""The judge: it sees the true history at the broker and says which invariant was broken, and when.

It shares no code with the core. What a group may do is judged on the truth, counting everything that may still
fill at the broker as filled; only what a broker did against its own word (a fill after the end, more than ordered)
or what came from outside widens a bound, by exactly that many contracts.

Invariants (names are used in messages): journal-before-send, no-double, own-share, covered, converges, conservation,
session, bidless, runaway, fault; `world.py` adds what is judged at the end of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import PROTECTED_KINDS, ChildStatus, ChildType, HoldCause, Kind, Phase, Purpose, Right

from .account import Fate
from .naked import naked
from .rate import RateCount
from .rest import rests_in_set, watched
from .sets import SetTruth
from .truth import Truth, Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from atomic.model import GroupSpec, GroupState
    from atomic.ports import OrderRequest

    from .account import SimOrder
    from .market import SimMarket


#: purposes that only reduce
_REDUCES = frozenset({"unwind", "close", "excess", "emergency"})
#: purposes that open
_OPENS = frozenset({"entry", "open"})
#: purposes that protect what is held
_PROTECTS = frozenset({Purpose.STOP, Purpose.CLOSE, Purpose.EMERGENCY, Purpose.EXCESS, Purpose.UNWIND})

#: the broker owes an answer
_OWED = frozenset({ChildStatus.SENT, ChildStatus.CANCELING, ChildStatus.QUARANTINED})
#: seconds after a refused cancel in which the next one is waited for
_PATIENCE = 31.0


class Oracle:
    """Judges every call and every broker event; `violations` is empty in a good run."""

    def __init__(self, market: SimMarket) -> None:
        self.market = market
        self.violations: list[Violation] = []
        #: seconds UTC; kept by the world
        self.now = 0.0
        self.groups: dict[str, Truth] = {}
        #: how many orders may leave; the world sets it
        self.rate = RateCount(0.0, 0.0)
        #: says whether an intent with this tag is on record (flushed when live); set by the world
        self.recorded: Callable[[str], bool] | None = None
        #: the specification of a group the oracle has not met; set by the world
        self.resolve: Callable[[str], GroupSpec | None] | None = None
        #: the group as the algorithm sees it; set by the world
        self.lookup: Callable[[str], GroupState | None] | None = None

    def add(self, spec: GroupSpec) -> None:
        """A group was asked for."""
        legs = {leg.symbol: leg for leg in spec.legs}
        goal = {leg.symbol: leg.ratio * spec.units for leg in spec.legs}
        unit = {leg.symbol: (max(0, -leg.ratio), max(0, leg.ratio)) for leg in spec.legs}
        structural = naked(spec.legs, unit) * spec.units
        truth = self.groups[spec.group_id] = Truth(spec, legs, goal, structural, dict.fromkeys(legs, 0))
        if spec.kind is Kind.CONTINGENT:
            members = spec.exits["members"]
            symbols = [spec.legs[member[0]].symbol for member in members]
            truth.set = SetTruth(spec.exits["form"], [member[1] for member in members], symbols)

    def resized(self, group_id: str, quantity: int) -> None:
        """The owner asked for another size of a bracket; what it may hold is the largest ever asked for."""
        truth = self._truth(group_id)
        if truth is not None:
            for symbol, goal in truth.goal.items():
                truth.goal[symbol] = max(abs(goal), quantity) * (1 if goal > 0 else -1)

    def let_go(self, group_id: str) -> None:
        """The owner wants a position without its exits."""
        if (truth := self._truth(group_id)) is not None:
            truth.let_go = True

    def unlinked(self, group_id: str) -> None:
        """The owner let the orders of a set go on by themselves."""
        if (terms := self.groups[group_id].set) is not None:
            terms.form = "free"

    def say(self, name: str, group_id: str, text: str) -> None:
        """A violation."""
        self.violations.append(Violation(name, group_id, text))

    # --- account.Witness ---------------------------------------------------------------------------------

    def on_send(self, request: OrderRequest, order: SimOrder) -> None:
        """Judge a call of LEAN as it is made."""
        truth = self._truth(request.group_id)
        if truth is None or request.symbol not in truth.legs:
            self.say("own-share", request.group_id, f"order {request.number} in {request.symbol}, not a leg")
            return
        prefix = request.tag.split("-", 1)[0]
        order.purpose = prefix if prefix in ("entry", "sl", "tp") else request.tag.rsplit(":", 1)[-1]
        if request.number in truth.numbers:
            self.say("no-double", request.group_id, f"order {request.number} was sent twice")
        truth.numbers.add(request.number)
        truth.sends += 1
        truth.live[order.id] = order
        if not self.rate.take(self.now, reduces=order.purpose not in _OPENS, combo=order.combo):
            self.say("rate", request.group_id, f"order {request.number} ({order.purpose}) left beyond the order rate")
        group = self.lookup(request.group_id) if self.lookup is not None else None
        if truth.set is not None and group is not None and order.purpose == "entry":
            truth.set.sent[order.id] = group.orders[request.number].rung
        if self.recorded is not None and not self.recorded(request.tag):
            self.say("journal-before-send", request.group_id, f"order {request.number} left without its intent")
        quote = self.market.quote(request.symbol)
        rests = truth.spec.kind is not Kind.ALL_OR_NONE and request.type is not ChildType.MARKET  # waits at the venue
        if not quote.open and not rests:
            self.say("session", request.group_id, f"order {request.number} sent while the market is closed")
        if truth.spec.kind is not Kind.ALL_OR_NONE:
            self._exits_only_what_is_held(truth, request, order)
        option = truth.legs[request.symbol].right is not Right.SHARE  # shares may have trade bars only
        if option and request.quantity < 0 and request.type is ChildType.MARKET and quote.bid <= 0:
            self.say("bidless", request.group_id, f"order {request.number} sells a long without a bid at market")
        self._judge(truth, f"order {request.number} ({order.purpose} {request.quantity} {request.symbol}) was sent")

    def on_joined(self, order: SimOrder) -> None:
        """An order of the algorithm's own is a member of a set now, as it stands."""
        truth = self._truth(order.group_id)
        if truth is not None and truth.set is not None:
            truth.numbers.add(order.number)
            truth.live[order.id] = order
            truth.set.sent[order.id] = order.number - 1

    def on_fill(self, order: SimOrder, qty: int, price: float, lie: bool) -> None:
        """Fold a true fill."""
        truth = self.groups.get(order.group_id)
        if not order.group_id:
            self.on_outside(order.symbol, order.side * qty, "by hand")
        if truth is None or order.symbol not in truth.net:
            return
        truth.net[order.symbol] += order.side * qty
        if lie:
            self._excuse(truth, order.symbol, qty)
            truth.overfilled = truth.overfilled or order.filled > abs(order.quantity)
        if truth.set is not None:
            truth.set.on_fill(order, qty)
        self._judge(truth, f"order {order.number} filled {qty}")

    def on_change(self, order: SimOrder) -> None:
        """Fold an end."""
        truth = self.groups.get(order.group_id)
        if truth is not None:
            truth.live.pop(order.id, None)
            if order.fate is Fate.REJECTED or order.fate is Fate.EXPIRED:
                truth.rejections += 1

    def on_outside(self, symbol: str, delta: int, cause: str) -> None:
        """The account moved without us: every group in the contract is excused by that much."""
        for truth in self.groups.values():
            if symbol in truth.net:
                truth.outside = True
                self._excuse(truth, symbol, abs(delta))

    def on_settled(self, symbol: str) -> None:
        """A contract ended: nobody holds it any more; what it covered is uncovered by no fault of ours."""
        for truth in self.groups.values():
            if symbol in truth.net:
                truth.outside = True
                self._excuse(truth, symbol, abs(truth.net[symbol]))
                truth.net[symbol] = 0

    def on_deaf(self, order: SimOrder) -> None:
        """A cancel was accepted and forgotten."""
        truth = self.groups.get(order.group_id)
        if truth is not None:
            truth.stuck = True

    def broken_combo(self, order: SimOrder) -> None:
        """The broker fills one leg of a combo and not the others: what may be uncovered by that is its doing."""
        truth = self.groups.get(order.group_id)
        if truth is not None:
            truth.excused += order.leaves

    # --- judging -------------------------------------------------------------------------------------------

    def _truth(self, group_id: str) -> Truth | None:
        if group_id not in self.groups and self.resolve is not None:
            spec = self.resolve(group_id)
            if spec is not None:
                self.add(spec)
        return self.groups.get(group_id)

    def _excuse(self, truth: Truth, symbol: str, qty: int) -> None:
        truth.excuse[symbol] = truth.excuse.get(symbol, 0) + qty
        truth.excused += qty

    def _exits_only_what_is_held(self, truth: Truth, request: OrderRequest, order: SimOrder) -> None:
        """An exit is never meant to be larger than what the group knows to hold."""
        group = self.lookup(request.group_id) if self.lookup is not None else None
        if group is not None and order.purpose in ("sl", "tp"):
            held = sum(leg.net for leg in group.legs if leg.spec.symbol == request.symbol)
            if request.quantity * held >= 0 or abs(request.quantity) > abs(held):
                text = f"exit {request.number} of {request.quantity:+d} while {held:+d} are held"
                self.say("own-share", request.group_id, text)

    def judge_protection(self, group: GroupState, now: float, *, at_rest: bool) -> None:
        """Every filled share is stopped or being closed.

        While the broker owes an answer to an exit (sent, to be cancelled, to be changed), while a back-off after a
        refusal counts down, or without a market, the rest may wait; nothing else may keep it bare.
        """
        if group.spec.kind not in PROTECTED_KINDS or group.phase is Phase.CLOSED or group.phase is Phase.HELD:
            return
        leg = group.legs[0]
        if not leg.net or leg.settled or watched(group):
            return
        if (truth := self._truth(group.group_id)) is not None and truth.let_go:
            return
        covering = sum(
            o.leaves_qty
            for o in group.live.values()
            if o.leg == 0 and o.quantity * leg.net < 0
            if o.purpose in _PROTECTS or o.type is ChildType.MARKET or group.memory.get(f"trigger.{o.rung}")
        )
        if covering < abs(leg.net):
            quote = self.market.quote(leg.spec.symbol)
            excused = (
                not quote.open
                or quote.bid <= 0
                or quote.ask <= 0
                or any(at > now for at in group.retry_at.values())
                or any(o.status in _OWED or o.asked is not None for o in group.live.values())
                or any(now - o.cancel_refused_at < _PATIENCE for o in group.live.values() if o.cancel_refused_at)
                or any(o.replace_refusals for o in group.live.values())
                or self.rate.used_up(now)
            )
            if not excused or at_rest:
                text = f"{leg.net:+d} {leg.spec.symbol} held, {covering} stopped or being closed"
                self.say("protected", group.group_id, text)

    def _judge(self, truth: Truth, what: str) -> None:
        if truth.set is not None:
            problem = truth.set.too_much(truth.live, truth.excused, restarted=truth.restarted)
            if problem:
                self.say("own-share", truth.spec.group_id, f"{problem}: {what}")
            return
        if truth.spec.kind is not Kind.ALL_OR_NONE:
            self._judge_entry(truth, what)
            return
        buys = dict.fromkeys(truth.net, 0)
        sells = dict.fromkeys(truth.net, 0)
        combo_sells = 0
        for order in truth.live.values():
            side = buys if order.quantity > 0 else sells
            side[order.symbol] += order.leaves
            if order.combo and order.quantity < 0:
                combo_sells += order.leaves
        held: dict[str, tuple[int, int]] = {}
        for symbol, net in truth.net.items():
            goal, slack = truth.goal[symbol], truth.excuse.get(symbol, 0)
            high, low = net + buys[symbol], net - sells[symbol]
            if high > max(0, goal) + slack:
                self.say("own-share", truth.spec.group_id, f"{symbol} may reach {high}, asked {goal}: {what}")
            if low < min(0, goal) - slack:
                self.say("own-share", truth.spec.group_id, f"{symbol} may reach {low}, asked {goal}: {what}")
            held[symbol] = (max(0, -low), max(0, low))
        if truth.spec.policy.sequence == "protected":
            worst = naked(truth.legs.values(), held)
            if worst > truth.structural + truth.excused + combo_sells:
                text = f"{worst} short contracts may be uncovered, the structure has {truth.structural}: {what}"
                self.say("covered", truth.spec.group_id, text)

    def _judge_entry(self, truth: Truth, what: str) -> None:
        """A bracket never holds more than was asked; its exits may overshoot together and are reversed."""
        for symbol, net in truth.net.items():
            goal, slack = truth.goal[symbol], truth.excuse.get(symbol, 0)
            side = 1 if goal > 0 else -1
            entering = sum(o.leaves for o in truth.live.values() if o.purpose == "entry" and o.symbol == symbol)
            if side * net + entering > abs(goal) + slack:
                text = f"{symbol} may reach {net + side * entering}, asked {goal}: {what}"
                self.say("own-share", truth.spec.group_id, text)

    def pass_time(self, seconds: float) -> None:
        """Naked seconds: contracts that are short beyond the structure's own, by time."""
        for truth in self.groups.values():
            for order in truth.live.values():
                if order.purpose in _REDUCES and self.now + seconds - order.born >= truth.spec.policy.order_timeout:
                    truth.stood.add(order.id)
            if not any(net < 0 for net in truth.net.values()):
                continue
            held = {s: (max(0, -n), max(0, n)) for s, n in truth.net.items()}
            extra = naked(truth.legs.values(), held) - truth.structural
            if extra > 0:
                truth.naked_seconds += extra * seconds

    def news_lost(self, symbol: str, surplus: int) -> None:
        """Filled beyond an order, or by none of ours, and nobody heard: it looks like a fill of any order there."""
        for truth in self.groups.values():
            if symbol in truth.net:
                truth.unclear = True
                self._excuse(truth, symbol, surplus)

    def on_exchange(self, one: SimOrder, other: SimOrder) -> bool:
        """What each has filled goes over to the group whose name it gets, unless a brokerage id was told of either."""
        for order in (one, other):
            group = self.lookup(order.group_id) if self.lookup is not None else None
            known = group.orders.get(order.number) if group is not None else None
            if known is None or known.broker_ids:
                return False
        mine, theirs = self.groups[one.group_id], self.groups[other.group_id]
        if mine.set is not None and theirs.set is not None:
            if one.id not in mine.set.sent or other.id not in theirs.set.sent:
                return False
            members = mine.set.sent.pop(one.id), theirs.set.sent.pop(other.id)
            mine.set.takes(other, members[0], other.filled - one.filled)
            theirs.set.takes(one, members[1], one.filled - other.filled)
        moved = one.side * (one.filled - other.filled)
        mine.net[one.symbol] -= moved
        theirs.net[one.symbol] += moved
        for order, source, target in ((one, mine, theirs), (other, theirs, mine)):
            if source.live.pop(order.id, None) is not None:
                target.live[order.id] = order
        return True

    def note_unclear(self, group: GroupState) -> None:
        """Remember that a restart left this group to a person; that it may be left is judged elsewhere."""
        truth = self.groups.get(group.group_id)
        if truth is not None and truth.restarted and group.held in (HoldCause.AMBIGUOUS, HoldCause.BREAK):
            truth.unclear = True

    def is_unclear(self, group: GroupState) -> bool:
        """True when only a person can say what the group holds."""
        truth = self.groups.get(group.group_id)
        return truth is not None and truth.unclear

    def judge_group(self, group: GroupState, *, settled: bool) -> None:
        """What the group believes against the truth; `settled`: everything was delivered, nothing may fill."""
        truth = self._truth(group.group_id)
        if truth is None:
            return
        if group.held is HoldCause.FAULT:
            self.say("fault", group.group_id, f"held for our own fault: {group.held_why}")
        if not settled:
            return
        if group.phase not in (Phase.OPEN, Phase.CLOSED, Phase.HELD) and not rests_in_set(group):
            self.say("converges", group.group_id, f"still {group.phase} after the broker answered everything")
        self.note_unclear(group)
        moved: dict[int, int] = {}
        for fact in group.facts:
            if fact.kind == "adjusted":
                moved[fact.leg] = moved.get(fact.leg, 0) + fact.delta
        for index, leg in enumerate(group.legs):
            if leg.spec.symbol not in truth.net or leg.settled or leg.spec.symbol in self.market.settled:
                continue
            true = truth.net[leg.spec.symbol] + moved.get(index, 0)
            if leg.net != true and not truth.unclear:
                text = f"{leg.spec.symbol}: believes {leg.net}, truly {true}"
                self.say("conservation", group.group_id, text)
        if group.phase is Phase.HELD:
            self._judge_hold(group, truth)
        elif truth.set is not None:
            # what was closed, or moved by hand or against the broker's word, is no longer as it was asked for; after a
            # restart the net of several members in one contract is known, and not whose fills made it
            guessed = truth.restarted and truth.set.crowded
            if group.target and group.phase is not Phase.CLOSED and not (truth.outside or truth.excused or guessed):
                problem = truth.set.broken(truth.net)
                if problem:
                    self.say("converges", group.group_id, problem)
        elif group.spec.kind is not Kind.ALL_OR_NONE:
            self.judge_protection(group, self.now, at_rest=True)
        elif group.phase is Phase.OPEN and not (truth.excused and group.spec.policy.on_outside == "hold"):
            for leg in group.legs:  # a broken word, held by policy and released by a person, may stand as it is
                if not leg.settled and leg.net != leg.spec.ratio * group.target and not truth.outside:
                    text = f"open at {leg.net} of {leg.spec.symbol}, target is {group.target} units"
                    self.say("converges", group.group_id, text)

    def _ambiguous(self, truth: Truth) -> bool:
        """Two histories can fit where others (or a set's own orders) trade the contract, or a word was broken."""
        shared = any(other is not truth and other.legs.keys() & truth.legs.keys() for other in self.groups.values())
        return shared or truth.outside or truth.excused > 0 or truth.set is not None

    def _judge_hold(self, group: GroupState, truth: Truth) -> None:
        cause, policy = group.held, group.spec.policy
        reasons = {
            HoldCause.REFUSED_BEYOND_CAPS: policy.cost_budget is not None
            or truth.rejections + len(truth.stood) >= policy.rollback_attempts,
            HoldCause.AMBIGUOUS: truth.restarted and self._ambiguous(truth),
            HoldCause.QUARANTINE: truth.stuck,
            HoldCause.BREAK: any(t.excused > 0 for t in self.groups.values() if t.legs.keys() & truth.legs.keys()),
            HoldCause.LEANED_ON: truth.rejections > 0,
            HoldCause.REQUESTED: truth.hold_asked,
            HoldCause.POLICY: "hold" in (policy.on_timeout, policy.on_outside, policy.on_restart, policy.on_expiry),
        }
        if cause is None or not reasons.get(cause, False):
            self.say("converges", group.group_id, f"held ({cause}: {group.held_why}) where the history allows no hold")
