"""The account against the journal: one pure function for the start and for the sweep.

Theory of operation
-------------------
1. `identity` pairs our orders that may still fill with the broker's open ones. What cannot be told apart holds the
   groups it concerns.
2. `explain` gives the holdings difference of every contract to orders that may have filled unseen, if there is one
   way only. Contracts that ended or were assigned while nobody looked are settled for each group.
3. An order that the broker once had and does not show any more has ended. One that was never acknowledged is unknown:
   it counts as may-fill for `Policy.quiet_period` seconds from the start, then it is withdrawn.
4. What no order explains is foreign where it leaves the groups' shares whole (a new position of somebody else, or a
   reduction of one), else a break: the groups in that contract are HELD, nothing is sent, nothing opens in it.
5. Each group that is whole then follows its restart policy (start only).

A journal that may have lost its newest write (`View.stale`) knows less: unknown orders and differences in a group's
contracts are then attributed to nobody, and the groups in them are held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import (
    Accepted,
    BaseSet,
    Canceled,
    CancelRefused,
    Filled,
    Held,
    IllegalFact,
    Intended,
    Noted,
    Released,
    Withdrawn,
)
from ..journal import group_id_of
from ..model import ChildStatus, HoldCause, Phase, Purpose
from . import outside
from .explain import Candidate, explain
from .identity import Matched, identify
from .restart import after_restart, foreseen
from .terms import Adoption, Known, Verdict, View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import GroupState
    from ..ports import BrokerOrder
    from .identity import Match


class _Work:
    """One reconciliation in the making."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.verdict = Verdict()
        self.groups = {group.spec.group_id: group for group in view.groups if group.phase is not Phase.CLOSED}
        self.known = [Known(group, order) for group in self.groups.values() for order in group.live.values()]
        self.paired: dict[tuple[str, int], Match] = {}
        self.fills: dict[tuple[str, int], int] = {}
        self.held: dict[str, tuple[HoldCause, str]] = {}
        self.open_fate: list[Known] = []

    def unsettled(self, known: Known) -> bool:
        """True when this reconciliation has to find out what became of the order."""
        return self.view.start or known.key in self.view.unsettled

    def hold(self, group_id: str, cause: HoldCause, why: str) -> None:
        """The group will be held; the first cause counts."""
        self.held.setdefault(group_id, (cause, why))


def match(view: View) -> Verdict:
    """Compare what the account shows with what the journal says, and say what follows. Changes nothing."""
    work = _Work(view)
    matched = identify(work.known, view.orders, by_lean_id=not view.start)
    for pair in matched.pairs:
        work.paired[pair.known.key] = pair
    _ambiguous(work, matched)
    _others(work, matched.others)
    _differences(work)
    for known in work.known:
        if known.group.spec.group_id not in work.held or known.key in work.paired:
            _order(work, known)
        elif work.unsettled(known):
            work.open_fate.append(known)  # a later look may tell
    for group_id, (cause, why) in work.held.items():
        kind = "ambiguous" if cause is HoldCause.AMBIGUOUS else "quantity_break"
        work.verdict.find(kind, group_id, f"{group_id} is held: {why}")
        work.verdict.add(group_id, Held(view.now, cause, why))
    if view.start:
        for group in work.groups.values():
            _restart(work, group)
    work.verdict.unsettled = frozenset(known.key for known in work.open_fate)
    ends = [
        view.started + known.group.spec.policy.quiet_period
        for known in work.open_fate
        if known.group.spec.group_id not in work.held
    ]
    work.verdict.look_again = min(ends, default=0.0)
    return work.verdict


# --- orders ------------------------------------------------------------------------------------------------------


def _ambiguous(work: _Work, matched: Matched) -> None:
    for members, orders in matched.ambiguous:
        ids = sorted({known.group.spec.group_id for known in members})
        why = f"{len(orders)} open orders in {members[0].symbol} could be {len(members)} orders of {', '.join(ids)}"
        for group_id in ids:
            work.hold(group_id, HoldCause.AMBIGUOUS, why)


def _others(work: _Work, others: Iterable[BrokerOrder]) -> None:
    """Broker orders that are none of our living ones."""
    verdict, view = work.verdict, work.view
    for order in others:
        group_id = group_id_of(order.tag)
        group = work.groups.get(group_id or "") or view.ended.get(group_id or "")
        if group_id is None or (group is None and not _ours(group_id, view)):
            _foreign(work, order)
            continue
        number = _number(order.tag)
        text = f"open order {_terms(order)} carries {order.tag!r}"
        if group is None:
            verdict.strangers.append(order)
            verdict.find("orphan", group_id, f"{text}, but there is no such group: cancel it by hand", tag=order.tag)
        elif number in group.live:
            if (group_id, number) not in work.paired or work.paired[(group_id, number)].order is not order:
                work.hold(group_id, HoldCause.AMBIGUOUS, f"{text}, and so does another one")
        elif number in group.orders and group.legs[group.orders[number].leg].spec.symbol == order.symbol:
            known = group.orders[number]
            verdict.adopt.append(Adoption(group_id, number, order, "tag"))
            verdict.cancel.append(verdict.adopt[-1])
            verdict.find("orphan", group_id, f"{text}, but ended ({known.status}): it is cancelled", tag=order.tag)
        elif number == group.next_number and group_id in work.groups:
            _lost_intent(work, group, number, order, text)
        else:
            verdict.strangers.append(order)
            verdict.find("orphan", group_id, f"{text}, which the group never sent: cancel it by hand", tag=order.tag)


def _ours(group_id: str, view: View) -> bool:
    """True when the id looks like one that this journal gave."""
    names = {group.spec.group_id.rpartition("-")[0] for group in (*view.groups, *view.ended.values())}
    return group_id.rpartition("-")[0] in names


def _number(tag: str) -> int:
    """The order number in one of our tags; 0 when there is none."""
    digits = "".join(part for part in tag.split(":")[1:2] if part.isdigit())
    return int(digits) if digits else 0


def _foreign(work: _Work, order: BrokerOrder) -> None:
    text = f"open order {_terms(order)} is not ours: it is left alone"
    work.verdict.find("foreign", "", text, tag=order.tag)
    if work.view.stale:
        for group in work.groups.values():
            if any(leg.spec.symbol == order.symbol and not leg.settled for leg in group.legs):
                why = f"the journal lost its newest write, and order {_terms(order)} may be the group's"
                work.hold(group.spec.group_id, HoldCause.AMBIGUOUS, why)


def _lost_intent(work: _Work, group: GroupState, number: int, order: BrokerOrder, text: str) -> None:
    """The journal lost the write with this order's intent, but the tag says what it was."""
    group_id = group.spec.group_id
    legs = [i for i, leg in enumerate(group.legs) if leg.spec.symbol == order.symbol]
    word = order.tag.rpartition(":")[2]
    prefix = order.tag.split("-", 1)[0]
    purposes = {"entry": Purpose.ENTRY, "sl": Purpose.STOP, "tp": Purpose.TARGET}
    purpose = purposes.get(prefix) or (Purpose(word) if word in {p.value for p in Purpose} else None)
    if not legs or purpose is None or group.phase in (Phase.PLANNED, Phase.HELD) or order.type not in _TYPES:
        work.hold(group_id, HoldCause.AMBIGUOUS, f"{text}, whose intent the journal lost")
        return
    now = work.view.now
    work.verdict.add(
        group_id,
        Intended(now, number, legs[0], purpose, 0, order.quantity, order.type, order.limit, order.stop, order.tag, 0),
        Accepted(now, number),
    )
    work.verdict.adopt.append(Adoption(group_id, number, order, "lost_intent"))
    work.verdict.find("adopted", group_id, f"{text}: its intent was lost with the newest write", tag=order.tag)


_TYPES = ("market", "limit", "stop_market", "stop_limit")


def _terms(order: BrokerOrder) -> str:
    price = f" limit {order.limit:g}" if order.limit else ""
    price += f" stop {order.stop:g}" if order.stop else ""
    return f"{order.quantity:+d} {order.symbol} {order.type}{price}"


def _order(work: _Work, known: Known) -> None:
    """The facts of one order that may still fill."""
    verdict, now = work.verdict, work.view.now
    group_id, number = known.key
    order = known.order
    pair = work.paired.get(known.key)
    if not work.unsettled(known):
        if pair is None and known.acknowledged:
            verdict.find("missing", group_id, f"order {number} of {group_id} is not among the open orders")
        return
    cum = order.cum_qty + work.fills.get(known.key, 0)
    if cum > order.cum_qty:
        price = order.limit or work.view.prices.get(known.symbol, 0.0) or order.avg_px
        average = (order.avg_px * order.cum_qty + price * (cum - order.cum_qty)) / cum
        verdict.add(group_id, Filled(now, number, cum, average, order.fees))
        text = f"order {number} of {group_id} filled {cum - order.cum_qty} while nobody looked (price estimated)"
        verdict.find("resumed", group_id, text, cum_qty=cum, evidence="holdings")
    if pair is not None:
        _take_over(work, known, pair, cum)
    elif known.acknowledged:
        if cum < order.order_qty:
            verdict.add(group_id, Canceled(now, number, "the broker does not show it any more"))
        verdict.find("missing", group_id, f"order {number} of {group_id} has ended: it is not among the open orders")
        if order.status is ChildStatus.QUARANTINED and known.group.held is HoldCause.QUARANTINE:
            verdict.add(group_id, Released(now, f"order {number} has ended"))
    elif cum >= order.order_qty:
        return
    elif now >= work.view.started + known.group.spec.policy.quiet_period:
        why = "found nowhere after the quiet period"
        verdict.add(group_id, Canceled(now, number, why) if cum else Withdrawn(now, number, why))
        verdict.find("missing", group_id, f"order {number} of {group_id} was {why}: it never left, or has ended")
    else:
        work.open_fate.append(known)


def _take_over(work: _Work, known: Known, pair: Match, cum: int) -> None:
    verdict, now = work.verdict, work.view.now
    group_id, number = known.key
    base = cum - pair.order.filled
    verdict.add(group_id, BaseSet(now, number, base))
    status = known.order.status
    if status in (ChildStatus.INTENDED, ChildStatus.SENT) and cum < known.order.order_qty:
        verdict.add(group_id, Accepted(now, number))
    elif status is ChildStatus.CANCELING and work.view.start:
        verdict.add(group_id, CancelRefused(now, number, 0, "the broker still shows it after a restart"))
    verdict.adopt.append(Adoption(group_id, number, pair.order, pair.how))
    text = f"order {number} of {group_id} is {_terms(pair.order)} (by {pair.how}, {cum} filled)"
    verdict.find("adopted", group_id, text, how=pair.how, base=base, lean_id=pair.order.lean_id)


# --- holdings ----------------------------------------------------------------------------------------------------


def _differences(work: _Work) -> None:
    """Every contract's difference, given to orders, to what happened from outside, or called a break."""
    view = work.view
    nets: dict[str, int] = {}
    for group in work.groups.values():
        for leg in group.legs:
            if not leg.settled:
                nets[leg.spec.symbol] = nets.get(leg.spec.symbol, 0) + leg.net
    candidates: dict[str, list[Candidate]] = {symbol: [] for symbol in nets}
    for known in work.known:
        if work.unsettled(known):
            candidates[known.symbol].append(_candidate(work, known))
    symbols = nets if view.start else [symbol for symbol in nets if candidates[symbol]]
    rests: dict[str, int] = {}
    for symbol in symbols:
        difference = view.holdings.get(symbol, 0) - view.baseline.get(symbol, 0) - nets[symbol]
        rest = _explain(work, symbol, difference, candidates[symbol])
        if rest:
            rests[symbol] = rest
    if view.start:
        rests = outside.settle(view, work.groups, work.verdict, rests, nets)
    for symbol, rest in rests.items():
        _unexplained(work, symbol, rest, nets[symbol], candidates[symbol])


def _candidate(work: _Work, known: Known) -> Candidate:
    """How much of an order may have filled unseen."""
    order, pair = known.order, work.paired.get(known.key)
    if pair is None:
        return Candidate(known, 0, order.leaves_qty, alive=False)
    shown = pair.order
    least = max(0, shown.filled - order.cum_qty)
    if abs(shown.quantity) < order.order_qty and order.asked is None and order.cum_qty:
        return Candidate(known, least, least, alive=True)  # the broker shows what is left: nothing filled since
    return Candidate(known, least, max(least, order.leaves_qty - 1), alive=True)


def _explain(work: _Work, symbol: str, difference: int, candidates: list[Candidate]) -> int:
    """Give a difference to orders; returns what is left of it."""
    found = explain(difference, candidates)
    if found.rest and not found.torn:
        # an order may be shown and be complete all the same: the account is read after the orders
        wider = [c._replace(most=max(c.least, c.known.order.leaves_qty)) if c.alive else c for c in candidates]
        again = explain(difference, wider)
        found = again if not again.rest and not again.torn else found
    if found.torn:
        ids = sorted({c.known.group.spec.group_id for c in found.torn})
        numbers = ", ".join(f"{c.known.key[0]}:{c.known.key[1]}" for c in found.torn)
        why = f"the account moved by {found.rest:+d} {symbol}, which orders {numbers} explain in more than one way"
        for group_id in ids:
            work.hold(group_id, HoldCause.AMBIGUOUS, why)
        return 0
    work.fills.update(found.fills)
    return found.rest


def _unexplained(work: _Work, symbol: str, rest: int, net: int, candidates: list[Candidate]) -> None:
    view, verdict = work.view, work.verdict
    baseline = view.baseline.get(symbol, 0)
    lost = any(c.most > c.least for c in candidates)
    whole = not lost and not view.stale and net * (net + rest) >= net * net  # the groups' shares are still there
    if whole or (not view.stale and not lost and baseline * rest < 0 and abs(rest) <= abs(baseline)):
        verdict.baseline[symbol] = baseline + rest
        text = f"{rest:+d} {symbol} moved that belongs to no group: foreign, left alone"
        verdict.find("foreign", "", text, difference=rest, baseline=baseline + rest)
        return
    holding = view.holdings.get(symbol, 0)
    why = (
        f"the account holds {holding:+d} {symbol}, the journal accounts for {baseline + net:+d} "
        f"({net:+d} of groups, {baseline:+d} foreign)"
    )
    verdict.breaks[symbol] = why
    for group in work.groups.values():
        if any(leg.spec.symbol == symbol and not leg.settled and (leg.net or leg.buying or leg.selling)
               for leg in group.legs):  # fmt: skip
            work.hold(group.spec.group_id, HoldCause.BREAK, why)


# --- policy ------------------------------------------------------------------------------------------------------


def _restart(work: _Work, group: GroupState) -> None:
    """The restart policy of a group that is whole."""
    verdict, now = work.verdict, work.view.now
    group_id = group.spec.group_id
    if group_id in work.held:
        return
    facts: list[Any] = verdict.facts.get(group_id, [])
    try:
        after = foreseen(group, facts)
    except IllegalFact as error:
        verdict.facts[group_id] = [Held(now, HoldCause.FAULT, f"what the account shows cannot follow: {error}")]
        verdict.find("ambiguous", group_id, f"{group_id} is held: {error}")
        return
    kind, text, more = after_restart(after, now)
    verdict.find(kind, group_id, text, orders=len(group.live))
    if facts or more:
        evidence = [finding.row() for finding in verdict.findings if finding.group_id == group_id]
        verdict.add(group_id, *more, Noted(now, "restart", evidence))
