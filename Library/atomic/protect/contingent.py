"""General contingent orders: one cancels other, one updates other, one triggers other.

Members are ordinary orders, each on a leg of the group; `Purpose.ENTRY` with the member's index as rung. What each
member should still have working follows from how much of every member has filled:

* OCO: the first member that fills wins; the others are cancelled, and what they filled on the way is reversed.
* OUO: a fill of one member reduces the others in proportion, rounded to whole contracts.
* OTO: a child works for the share of its quantity that corresponds to the filled part of the parent (member 0), so a
  parent that is cancelled after a partial fill keeps its children for that part (LEAN cancels them, facts/PEERS §0.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import facts as f
from ..model import Deadline, GroupState
from ..plan.terms import Desired, Want
from ..vocabulary import ChildStatus, ChildType, HoldCause, Phase, Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import Quote
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


def _filled(group: GroupState, count: int) -> tuple[list[int], list[int], list[int]]:
    """Per member: contracts filled, contracts reversed again (unsigned), newest order number (0 = never sent)."""
    cum, back, newest = [0] * count, [0] * count, [0] * count
    for order in group.orders.values():
        if order.rung >= count:
            continue
        if order.purpose is Purpose.ENTRY:
            cum[order.rung] += order.cum_qty
            newest[order.rung] = order.number
        elif order.purpose is Purpose.EXCESS:
            back[order.rung] += order.cum_qty
    return cum, back, newest


def allowed(form: str, members: list[Member], cum: list[int], winner: int | None) -> list[int]:
    """Contracts (unsigned, filled ones included) that every member may have in all."""
    sizes = [abs(m.quantity) for m in members]
    if form == "oco":
        return sizes if winner is None else [size if i == winner else 0 for i, size in enumerate(sizes)]
    if form == "oto":
        parent = min(1.0, cum[0] / sizes[0])
        return [sizes[0], *(int(size * parent + 1e-9) for size in sizes[1:])]
    total = []
    for i, size in enumerate(sizes):
        others = sum(min(1.0, cum[k] / sizes[k]) for k in range(len(sizes)) if k != i)
        total.append(max(0, round(size * (1 - others))))
    return total


def decisions(group: GroupState, now: float, quotes: Mapping[str, Quote], env: Env) -> list[Any]:
    """Refusals, giving up, and the winner of an OCO: the member whose fill came first."""
    if group.phase in (Phase.PLANNED, Phase.CLOSED):
        return []
    if group.failures:
        return _failures(group, now)
    policy = group.spec.policy
    for (leg, purpose), tried in group.attempts.items():
        if purpose is not Purpose.ENTRY and tried >= policy.rollback_attempts and group.phase is not Phase.HELD:
            text = f"{purpose} of leg {leg} refused {tried} times; net {group.legs[leg].net:+d}"
            return [
                f.Held(now, HoldCause.REFUSED_BEYOND_CAPS, text),
                f.Noted(now, text, {"alert": "unprotected", "severity": 0}),
            ]
    if group.spec.exits["form"] != "oco" or "winner" in group.memory:
        return []
    for fact in group.facts:
        if type(fact) is f.Filled and group.orders[fact.order].purpose is Purpose.ENTRY:
            return [f.Remembered(now, "winner", group.orders[fact.order].rung)]
    return []


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
        out.append(f.Attempt(now, order.leg, order.purpose, now + delay, order.reason))
        if order.purpose is Purpose.ENTRY and not any(o.cum_qty for o in group.orders.values()):
            why = f"order {order.rung + 1} of the set {order.status}: {order.reason or 'no reason given'}"
            out.append(f.Remembered(now, "entry_cancel", why))
            out.append(f.Noted(now, why, {"alert": "set-rolled-back", "severity": 1}))
    return out


def _may_work(group: GroupState, form: str, member: int, newest: int) -> bool:
    """A member that ended is not sent again, except a child that filled and whose parent filled more since."""
    if not newest or newest in group.live:
        return True
    return form == "oto" and member > 0 and group.orders[newest].status is ChildStatus.FILLED


def desired_orders(group: GroupState, now: float, quotes: Mapping[str, Quote], env: Env) -> Desired:
    """What every member should still have working."""
    if group.phase in (Phase.PLANNED, Phase.CLOSED):
        return Desired((), None)
    members = _members(group)
    cum, back, newest = _filled(group, len(members))
    form = group.spec.exits["form"]
    total = allowed(form, members, cum, group.memory.get("winner"))
    ending = group.target == 0 or group.emergency or bool(group.memory.get("entry_cancel"))
    wants: list[Want] = []
    for i, member in enumerate(members):
        side = 1 if member.quantity > 0 else -1
        surplus = cum[i] - back[i] - max(total[i], 0 if group.target == 0 else back[i])
        if surplus > 0:
            wants.append(Want(member.leg, Purpose.EXCESS, i, -side * surplus, ChildType.MARKET, 0.0, 0.0, 0))
        leaves = 0 if ending else total[i] - cum[i]
        if leaves > 0 and _may_work(group, form, i, newest[i]):
            wants.append(
                Want(member.leg, Purpose.ENTRY, i, side * leaves, member.type, member.limit, member.stop, 0)
            )
    if group.target == 0:
        wants += [
            Want(i, Purpose.CLOSE, 0, -leg.net, ChildType.MARKET, 0.0, 0.0, 0)
            for i, leg in enumerate(group.legs)
            if leg.net and not any(w.leg == i and w.purpose is Purpose.EXCESS for w in wants)
        ]
    ready = tuple(w for w in wants if w.purpose is Purpose.ENTRY or now >= group.retry_at.get((w.leg, w.purpose), 0.0))
    later = [at for at in group.retry_at.values() if at > now]
    return Desired(ready, Deadline(min(later), "retry") if later else None)
