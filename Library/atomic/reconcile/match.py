"""The account against the journal: one pure function for the start and for the sweep.

Theory of operation
-------------------
1. `identity` pairs our orders that may still fill with the broker's open ones by tag and brokerage id.
2. `histories` looks at what is left contract by contract: which open orders are ours by their looks, and which orders
   filled unseen, so that the account adds up. If histories that fit have different consequences for a group, it is
   held. Contracts that ended or were assigned while nobody looked are settled for each group.
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
    Noted,
    Remembered,
    Replaced,
    Withdrawn,
)
from ..facts.kinds import GONE
from ..journal import group_id_of
from ..vocabulary import PROTECTED_KINDS, ChildStatus, HoldCause, Purpose
from . import guesses, outside, strangers
from .histories import solve
from .identity import Match, identify, looks_like, spans
from .restart import after_restart, foreseen
from .terms import DOUBT, Adoption, Known, Verdict, View, in_doubt, is_simulated, terms_text
from .work import Work

if TYPE_CHECKING:

    from ..model import GroupState


def match(view: View) -> Verdict:
    """Compare what the account shows with what the journal says, and say what follows. Changes nothing."""
    work = Work(view)
    settled = frozenset(known.key for known in work.known if not work.unsettled(known))
    pairs, _, work.shown = identify(work.known, view.orders, of_this_process=settled)
    for pair in pairs:
        work.paired[pair.known.key] = pair
    strangers.shown_after_all(work)
    _contracts(work)
    strangers.others(work)
    for known in work.known:
        if known.group.spec.group_id not in work.held or known.key in work.paired:
            _order(work, known)
        elif work.unsettled(known):
            work.open_fate.append(known)  # a later look may tell
    guesses.remember(work)
    for group_id, (cause, why) in work.held.items():
        kind = "ambiguous" if cause is HoldCause.AMBIGUOUS else "quantity_break"
        work.verdict.find(kind, group_id, f"{group_id} is held: {why}")
        symbols = sorted(work.doubts[group_id].union(in_doubt(work.groups[group_id])))
        work.verdict.add(group_id, Remembered(view.now, DOUBT, symbols), Held(view.now, cause, why))
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


def _order(work: Work, known: Known) -> None:
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
    if pair is not None and number in known.group.live and order.asked is not None:
        size = abs(pair.order.quantity)
        if size == abs(order.asked[0]) != order.order_qty:  # the update was taken, its news was lost
            verdict.add(group_id, Replaced(now, number, *order.asked))
    if cum > order.cum_qty:
        price = order.limit or work.view.prices.get(known.symbol, 0.0) or order.avg_px
        average = (order.avg_px * order.cum_qty + price * (cum - order.cum_qty)) / cum
        verdict.add(group_id, Filled(now, number, cum, average, order.fees))
        text = f"order {number} of {group_id} filled {cum - order.cum_qty} while nobody looked (price estimated)"
        verdict.find("resumed", group_id, text, cum_qty=cum, evidence="holdings")
        if pair is None and not known.acknowledged and _has_rivals(work, known):
            work.guesses.setdefault(group_id, []).append(number)
    if number not in known.group.live:
        if pair is not None:
            strangers.shown_late(work, known.group, number, pair.order)
    elif pair is not None:
        _take_over(work, known, pair, cum)
    elif known.acknowledged or _had(work, known, cum):
        if not known.completed_by(cum):
            verdict.add(group_id, Canceled(now, number, GONE))
        verdict.find("missing", group_id, f"order {number} of {group_id} has ended: it is not among the open orders")
    elif known.completed_by(cum):
        return
    elif known.key in work.forgotten or now >= work.view.started + known.group.spec.policy.quiet_period:
        why = "forgotten by paper" if known.key in work.forgotten else "found nowhere after the quiet period"
        left = cum or order.status is ChildStatus.CANCELING
        verdict.add(group_id, Canceled(now, number, why) if left else Withdrawn(now, number, why))
        verdict.find("missing", group_id, f"order {number} of {group_id} was {why}: it never left, or has ended")
    else:
        work.open_fate.append(known)


def _has_rivals(work: Work, known: Known) -> bool:
    """True when another order of the group may have made the same trade: one that sells explains no purchase.

    Where all of them are complete, each has made its own.
    """
    alike = [
        other for other in work.known
        if other.group is known.group and other.order.leg == known.order.leg
        if other.order.side == known.order.side and work.unsettled(other)
    ]  # fmt: skip
    whole = all(not other.loose and other.order.leaves_qty == work.fills.get(other.key, 0) for other in alike)
    return len(alike) > 1 and not whole


def _had(work: Work, known: Known, cum: int) -> bool:
    """True for an exit that the broker had without telling: only this order explains what the account moved.

    What is left of it is not waited for, so that it is stopped again at once. Other orders are waited for all the same.
    """
    order = known.order
    if known.group.spec.kind not in PROTECTED_KINDS or order.purpose is Purpose.ENTRY:
        return False
    return cum > order.cum_qty and order.number not in work.guesses.get(known.group.spec.group_id, ())


def _take_over(work: Work, known: Known, pair: Match, cum: int) -> None:
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
    if group_id in work.loose:
        verdict.cancel.append(verdict.adopt[-1])
    believed = known.loose or _at_its_most(work, known, pair)
    if group_id in work.loose or believed:  # also one that was believed filled in part, and is shown whole
        work.divide(group_id, number)
    text = f"order {number} of {group_id} is {terms_text(pair.order)} (by {pair.how}, {cum} filled)"
    verdict.find("adopted", group_id, text, how=pair.how, base=base, lean_id=pair.order.lean_id)


def _at_its_most(work: Work, known: Known, pair: Match) -> bool:
    """True for a bracket's order that lives and must have filled all but one, beside others, for the sum to fit.

    If the broker filled one of the others beyond its size, more of this one is left.
    """
    filled = work.fills.get(known.key, 0)
    if known.group.spec.kind not in PROTECTED_KINDS or not any(
        least < most == filled for least, most in spans(known, pair.order)
    ):
        return False
    return any(
        other.symbol == known.symbol and other.order.side == known.order.side
        for other in work.known
        if other.order is not known.order and work.fills.get(other.key)
    )


# --- holdings ----------------------------------------------------------------------------------------------------


def _contracts(work: Work) -> None:
    """Judge every contract: whose orders are shown, what filled unseen, what nobody can explain."""
    view = work.view
    nets: dict[str, int] = {}
    for group in work.groups.values():
        for leg in group.legs:
            if not leg.settled:
                nets[leg.spec.symbol] = nets.get(leg.spec.symbol, 0) + leg.net
    rests: dict[str, int] = {}
    for symbol, net in nets.items():
        orders = [known for known in work.known if known.symbol == symbol and work.unsettled(known)]
        if not orders and not view.start:
            continue
        paired = [(known, work.paired[known.key].order) for known in orders if known.key in work.paired]
        free = [known for known in orders if known.key not in work.paired]
        shown = [
            order for order in work.shown
            if group_id_of(order.tag) is None and any(looks_like(known, order) for known in free)
        ]  # fmt: skip
        difference = view.holdings.get(symbol, 0) - view.baseline.get(symbol, 0) - net
        if symbol in work.doubtful:
            # shown, but filled in part perhaps: only the holdings could tell, and they are in doubt
            _still_in_doubt(work, symbol, [*free, *(known for known, _ in paired if known.order.leaves_qty > 1)])
            continue
        if not (difference or paired or shown) and _forgotten(view, orders):
            work.forgotten.update(known.key for known in orders)
            continue
        solution = solve(paired, free, shown, difference)
        for known, order in solution.pairs:
            work.paired[known.key] = Match(known, order, "fingerprint")
            work.shown.remove(order)
        work.fills.update(solution.fills)
        work.loose |= solution.loose
        for group_id in sorted(solution.torn):
            why = (
                f"the account moved by {difference:+d} {symbol} and shows {len(paired) + len(shown)} of our "
                f"{len(orders)} orders: more than one history fits"
            )
            work.hold(group_id, HoldCause.AMBIGUOUS, why, symbol)
        if solution.torn:
            work.shown = [order for order in work.shown if order not in shown]
        if solution.rest:
            rests[symbol] = solution.rest
    if view.start:
        rests = outside.settle(view, work.groups, work.verdict, rests, nets)
    for symbol, rest in rests.items():
        _unexplained(work, symbol, rest, nets[symbol])


def _forgotten(view: View, orders: list[Known]) -> bool:
    """True where LEAN's paper brokerage had these orders: they ended with the process, unfilled as the account says.

    At another brokerage two of them may have filled one against the other.
    """
    if not view.start or view.stale:
        return False
    had = [known for known in orders if known.acknowledged]
    return bool(had) and all(known.simulated for known in had) and all(
        is_simulated(order.lean_id, order.broker_ids) for order in view.orders
    )


def _still_in_doubt(work: Work, symbol: str, unknown: list[Known]) -> None:
    """A contract that was torn stays so until a person decides: nothing is attributed in it."""
    for known in unknown:
        group = known.group
        if symbol not in in_doubt(group):
            why = f"order {known.order.number} may have filled, and the history of {symbol} is in doubt already"
            work.hold(group.spec.group_id, HoldCause.AMBIGUOUS, why, symbol)
        else:
            work.hold(group.spec.group_id, group.held or HoldCause.AMBIGUOUS, group.held_why, symbol)


def _unexplained(work: Work, symbol: str, rest: int, net: int) -> None:
    view, verdict = work.view, work.verdict
    baseline = view.baseline.get(symbol, 0)
    lost = any(known.symbol == symbol and known.order.leaves_qty for known in work.known)
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
            work.hold(group.spec.group_id, HoldCause.BREAK, why, symbol)


# --- policy ------------------------------------------------------------------------------------------------------


def _restart(work: Work, group: GroupState) -> None:
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
