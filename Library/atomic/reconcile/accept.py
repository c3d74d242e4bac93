"""A person says: the account is right. What a held group must believe then, as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..facts import Adjusted, Canceled, Noted, Released, Remembered, TargetSet, Withdrawn
from ..vocabulary import ChildStatus, Phase
from .terms import DOUBT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..model import GroupState, LegState
    from ..ports import BrokerOrder


def accept_account(
    group: GroupState, book: Sequence[GroupState], orders: Sequence[BrokerOrder], holdings: Mapping[str, int],
    baseline: Mapping[str, int], prices: Mapping[str, float], now: float, why: str,
) -> tuple[list[Any], dict[str, int]]:  # fmt: skip
    """Facts that end a hold by taking over what the account shows, and foreign positions that change with it.

    Each leg gets what the account holds beyond the other groups and the foreign position, as far as the group could
    have it (never more than was asked for, never the other side); the rest is foreign. Its orders that LEAN does not
    show have ended. What is left is an incomplete group: it goes back by policy, it never opens further.

    Args:
        group: a HELD group.
        book: all groups that are not archived.
        orders: open orders that the account shows.
        holdings: signed contracts by symbol.
        baseline: foreign positions by symbol.
        prices: dollars per share by symbol, for what moved.
        now: seconds UTC.
        why: the person's words.

    Raises:
        ValueError: the group is not held, or an order of another group works in the same contract.
    """
    group_id = group.spec.group_id
    if group.phase is not Phase.HELD:
        raise ValueError(f"{group_id} is {group.phase}, not held: there is nothing to accept")
    facts: list[Any] = []
    foreign: dict[str, int] = {}
    shown = {(order.symbol, order.lean_id) for order in orders}
    for order in group.live.values():
        if (group.legs[order.leg].spec.symbol, order.lean_id) not in shown:
            never = order.status in (ChildStatus.INTENDED, ChildStatus.SENT) and not order.cum_qty
            facts.append((Withdrawn if never else Canceled)(now, order.number, f"account accepted: {why}"))
    held: dict[int, int] = {}
    for i, leg in enumerate(group.legs):
        if leg.settled:
            continue
        symbol = leg.spec.symbol
        nets = 0
        for other in book:
            if other is group or other.phase is Phase.CLOSED:
                continue
            nets += sum(leg.net for leg in other.legs if leg.spec.symbol == symbol and not leg.settled)
            for order in other.live.values():
                if other.legs[order.leg].spec.symbol == symbol and (symbol, order.lean_id) in shown:
                    text = f"order {order.number} of {other.spec.group_id} works in {symbol}"
                    raise ValueError(f"{text}: wait until it has ended, then accept again")
        own = holdings.get(symbol, 0) - baseline.get(symbol, 0) - nets
        held[i] = _possible(leg, own, group.spec.units)
        if own != held[i]:
            foreign[symbol] = baseline.get(symbol, 0) + own - held[i]
        if held[i] != leg.net:
            text = f"account accepted: {why}"
            facts.append(Adjusted(now, i, held[i] - leg.net, prices.get(symbol, 0.0), "reconcile", text))
    ratios = [(leg.spec.ratio, held.get(i, 0)) for i, leg in enumerate(group.legs) if leg.spec.ratio]
    units = min((net // ratio if net * ratio > 0 else 0 for ratio, net in ratios), default=0)
    keeps = group.spec.policy.keep_units or group.spec.policy.on_restart == "adopt" or group.held_from is Phase.OPEN
    target = units if keeps else 0
    if target < group.target:
        facts.append(TargetSet(now, target, f"account accepted: {why}"))
    if DOUBT in group.memory:
        facts.append(Remembered(now, DOUBT, []))
    facts += [Noted(now, "accepted", {"held": {str(i): net for i, net in held.items()}}), Released(now, why)]
    return facts, foreign


def _possible(leg: LegState, own: int, units: int) -> int:
    """The part of `own` that the group can have: on its side and not beyond what it asked for or holds."""
    most = leg.spec.ratio * units or leg.net
    low, high = min(0, most, leg.net), max(0, most, leg.net)
    return max(low, min(high, own))
