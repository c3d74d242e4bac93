"""General contingent orders: one cancels other, one updates other, one triggers other.

Members are ordinary orders, each on a leg of the group; `Purpose.ENTRY` with the member's index as rung. What each
member should still have working follows from how much of every member has filled:

* OCO: the first member that fills wins; the others are cancelled, and what they filled on the way is reversed.
* OUO: a fill of one member reduces the others in proportion, rounded to whole contracts; what came later than that and
  is too much is reversed.
* OTO: a child works for the share of its quantity that corresponds to the filled part of the parent (member 0), so a
  parent that is cancelled after a partial fill keeps its children for that part (LEAN cancels them, facts/PEERS §0.2).

A member refused before anything filled takes the placement back. While the set is held no member is sent anew. Market
orders wait for the session and for a price, as those of brackets do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import facts as f
from ..facts.decided import UNKNOWN
from ..facts.kinds import GONE
from ..model import Deadline, GroupState
from ..plan import trouble
from ..plan.terms import NOTHING, Desired, Want
from ..vocabulary import ChildStatus, ChildType, HoldCause, Phase, Purpose
from . import at_limit, placement
from .decide import release, stuck
from .desired import may_trade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import ChildOrder, Quote
    from ..plan.terms import Env

#: one cancels other, one updates other, one triggers other
FORMS = ("oco", "ouo", "oto")


@dataclass(frozen=True, slots=True)
class Member:
    """One order of a contingent group.

    Attributes:
        leg: index into the group's legs.
        quantity: signed contracts or shares.
        type: order type.
        limit: limit price, dollars per share; 0 where not used.
        stop: trigger price, dollars per share; 0 where not used.
    """

    leg: int
    quantity: int
    type: ChildType
    limit: float = 0.0
    stop: float = 0.0

    def __post_init__(self) -> None:
        if self.quantity == 0:
            raise ValueError("a contingent order needs a quantity other than 0")
        if self.type in (ChildType.LIMIT, ChildType.STOP_LIMIT) and self.limit <= 0:
            raise ValueError(f"{self.type}: limit={self.limit!r}, give a positive price")
        if self.type in (ChildType.STOP_MARKET, ChildType.STOP_LIMIT) and self.stop <= 0:
            raise ValueError(f"{self.type}: stop={self.stop!r}, give a positive price")


def exits_row(form: str, members: list[Member]) -> dict[str, Any]:
    """The group's plan as a JSON mapping; goes into ``GroupSpec.exits``.

    Raises:
        ValueError: unknown form, or fewer than two members.
    """
    if form not in FORMS:
        raise ValueError(f"form={form!r}: give one of {', '.join(FORMS)}")
    if len(members) < 2:
        raise ValueError(f"{form} needs at least two orders, got {len(members)}")
    return {"form": form, "members": [[m.leg, m.quantity, m.type, m.limit, m.stop] for m in members]}


def _members(group: GroupState) -> list[Member]:
    return [Member(leg, q, ChildType(t), lim, stp) for leg, q, t, lim, stp in group.spec.exits["members"]]


@dataclass(slots=True)
class _Standing:
    """What became of one member: contracts, unsigned.

    Attributes:
        cum: filled by its orders.
        kept: of what filled, what the set's form allows.
        total: what it may have in all, the filled part included.
        newest: its newest order; None before the first.
    """

    cum: int = 0
    kept: int = 0
    total: int = 0
    newest: ChildOrder | None = None


def _standings(group: GroupState, members: list[Member]) -> list[_Standing]:
    """Every member's fills, and what the form makes of them."""
    found = [_Standing() for _ in members]
    for order in group.orders.values():
        if order.purpose is Purpose.ENTRY:
            found[order.rung].cum += order.cum_qty
            found[order.rung].newest = order
    sizes = [abs(member.quantity) for member in members]
    form = group.spec.exits["form"]
    if group.memory.get("unlinked"):
        for standing, size in zip(found, sizes, strict=True):
            standing.total, standing.kept = size, min(standing.cum, size)
        return found
    if form == "ouo":
        _share(group, sizes, found)
        return found
    winner = group.memory.get("winner")
    parent = min(1.0, found[0].cum / sizes[0])
    for i, (standing, size) in enumerate(zip(found, sizes, strict=True)):
        if form == "oto":
            standing.total = int(size * parent + 1e-9) if i else size
        else:
            standing.total = size if winner is None or i == winner else 0
        standing.kept = min(standing.cum, standing.total)
    return found


def _share(group: GroupState, sizes: list[int], found: list[_Standing]) -> None:
    """OUO: fills take their part of the whole in the order in which they came; each member has what is left of it."""
    left = 1.0
    seen: dict[int, int] = {}
    for fact in group.facts:
        if type(fact) is f.Filled:
            order = group.orders[fact.order]
            if order.purpose is Purpose.ENTRY:
                filled = fact.cum_qty - seen.get(fact.order, 0)
                seen[fact.order] = fact.cum_qty
                kept = min(filled, _part(sizes[order.rung], left))
                found[order.rung].kept += kept
                left -= kept / sizes[order.rung]
    for standing, size in zip(found, sizes, strict=True):
        standing.total = min(size, standing.kept + _part(size, left))


def _part(size: int, share: float) -> int:
    """Whole contracts of a member for a share of the set."""
    return max(0, round(size * share))


def decisions(group: GroupState, now: float, quotes: Mapping[str, Quote], env: Env) -> list[Any]:
    """Refusals, cancels without an end, giving up, and the winner of an OCO: the member whose fill came first."""
    if group.phase in (Phase.PLANNED, Phase.CLOSED):
        return []
    if group.failures:
        return _failures(group, now)
    found = stuck(group, now, env) or placement.set_overdue(group, now, env) or placement.left_over(group, now)
    if found:
        return found
    policy = group.spec.policy
    for (leg, purpose), tried in group.attempts.items():
        if purpose is not Purpose.ENTRY and tried >= policy.rollback_attempts and group.phase is not Phase.HELD:
            text = f"{purpose} of leg {leg} refused {tried} times; net {group.legs[leg].net:+d}"
            return [
                f.Held(now, HoldCause.REFUSED_BEYOND_CAPS, text),
                f.Noted(now, text, {"alert": "unprotected", "severity": 0}),
            ]
    if group.spec.exits["form"] == "oco" and "winner" not in group.memory and "unlinked" not in group.memory:
        for fact in group.facts:
            if type(fact) is f.Filled and group.orders[fact.order].purpose is Purpose.ENTRY:
                return [f.Remembered(now, "winner", group.orders[fact.order].rung)]
    return release(group, now) if group.phase is Phase.HELD else []


def _failures(group: GroupState, now: float) -> list[Any]:
    """A member refused before anything filled takes the placement back; a refused reversal is tried again."""
    out: list[Any] = []
    counted: set[Any] = set()
    for order in group.failures.values():
        key = (order.leg, order.purpose)
        if key in counted:
            continue
        counted.add(key)
        delay = group.spec.policy.retry.delay(group.attempts.get(key, 0) + 1)
        if trouble.takes_no_market(order) and not group.memory.get("no_market"):
            out.append(f.Remembered(now, "no_market", True))
        out.append(f.Attempt(now, order.leg, order.purpose, now + delay, order.reason))
        linked = order.purpose is Purpose.ENTRY and not group.memory.get("unlinked")
        if linked and group.target and not any(o.cum_qty for o in group.orders.values()):
            why = f"order {order.rung + 1} of the set {order.status}: {order.reason or 'no reason given'}"
            out.append(f.CloseAsked(now, why))
            out.append(f.Noted(now, why, {"alert": "set-rolled-back", "severity": 1}))
            break
    return out


def _works(group: GroupState, form: str, member: int, standing: _Standing) -> bool:
    """True when the member has an order at the venue or may be sent.

    One that ended is not sent again, but for a child that filled and whose parent filled more since, for an intent that
    never left, and for an order that was cancelled because the venue does not take its new size as an update. One that
    a restart did not find any more may have filled.
    """
    newest = standing.newest
    if newest is not None and newest.number in group.live:
        return True
    if group.phase is Phase.HELD:
        return False
    if newest is None:
        return True
    if newest.status is ChildStatus.WITHDRAWN:
        return not newest.sent_at
    if newest.status is ChildStatus.CANCELED:
        return newest.cancel_at > 0 and newest.reason != GONE
    return form == "oto" and member > 0 and newest.status is ChildStatus.FILLED


def _to_zero(group: GroupState) -> bool:
    return group.target == 0 or group.emergency or group.phase is Phase.CLOSING


def _wants(group: GroupState) -> list[Want]:
    """What should be working whatever the prices are."""
    if _to_zero(group):
        return _closes(group)
    members = _members(group)
    standings = _standings(group, members)
    form = group.spec.exits["form"]
    wants: list[Want] = []
    surplus = [0] * len(group.legs)
    ending = bool(group.memory.get("entry_cancel"))
    for i, (member, standing) in enumerate(zip(members, standings, strict=True)):
        side = 1 if member.quantity > 0 else -1
        surplus[member.leg] += side * (standing.cum - standing.kept)
        leaves = 0 if ending or group.legs[member.leg].settled else standing.total - standing.cum
        if leaves > 0 and _works(group, form, i, standing):
            wants.append(
                Want(member.leg, Purpose.ENTRY, i, side * leaves, member.type, member.limit, member.stop, 0)
            )
    return wants if group.held in UNKNOWN else _reversals(group, surplus) + wants


def _reversals(group: GroupState, surplus: list[int]) -> list[Want]:
    """What is too much goes back, leg by leg, less what was reversed already or taken back by others."""
    for order in group.orders.values():
        if order.purpose is Purpose.EXCESS:
            surplus[order.leg] += order.net
    wants: list[Want] = []
    for i, (leg, over) in enumerate(zip(group.legs, surplus, strict=True)):
        if leg.moved * over < 0:
            over = 0 if abs(leg.moved) >= abs(over) else over + leg.moved
        if over and not leg.settled:
            wants.append(_market(i, Purpose.EXCESS, 0, -over))
    return wants


def _closes(group: GroupState) -> list[Want]:
    """Every leg to zero; a reversal that is on its way counts as done."""
    wants: list[Want] = []
    for i, leg in enumerate(group.legs):
        coming = 0
        for order in group.live.values():
            if order.leg == i and order.purpose is Purpose.EXCESS:
                coming += order.side * order.leaves_qty
                wants.append(_market(i, Purpose.EXCESS, order.rung, order.side * order.leaves_qty))
        if not leg.settled and leg.net + coming:
            wants.append(_market(i, Purpose.CLOSE, 0, -(leg.net + coming)))
    return wants


def _market(leg: int, purpose: Purpose, rung: int, quantity: int) -> Want:
    return Want(leg, purpose, rung, quantity, ChildType.MARKET, 0.0, 0.0, 0)


def desired_orders(group: GroupState, now: float, quotes: Mapping[str, Quote], env: Env) -> Desired:
    """What every member should still have working, and what is taken back."""
    if group.phase in (Phase.PLANNED, Phase.CLOSED):
        return NOTHING
    ready = tuple(
        want
        for want in _wants(group)
        if (want.purpose is Purpose.ENTRY or now >= group.retry_at.get((want.leg, want.purpose), 0.0))
        and (want.type is not ChildType.MARKET or may_trade(group, quotes, want.quantity, want.leg))
    )
    later = [at for at in group.retry_at.values() if at > now]
    due = placement.answer_due(group, now, env, sends=len(ready) > len(group.live))
    later += [due] if due else []
    if at_limit.needed(group, env):
        at_limits, again = at_limit.priced(group, ready, now, quotes)
        ready = tuple(at_limits)
        later += [again] if again else []
    return Desired(ready, Deadline(min(later), "retry or answer") if later else None)


def rests(group: GroupState) -> bool:
    """True when new prices cannot change the answer: nothing is tried again or waits for its market."""
    if group.phase is Phase.CLOSED:
        return True
    if group.failures or group.retry_at or _to_zero(group):
        return False
    return all(want.type is not ChildType.MARKET for want in _wants(group))
