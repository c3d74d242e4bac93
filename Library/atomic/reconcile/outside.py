"""Contracts that ended, were exercised or were assigned while nobody looked, settled for each group."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..facts import Adjusted, Delivered, Settled
from ..model import LegSpec
from ..vocabulary import Right

if TYPE_CHECKING:
    from ..model import GroupState
    from .terms import Verdict, View


def settle(
    view: View, groups: dict[str, GroupState], verdict: Verdict, rests: dict[str, int], nets: dict[str, int]
) -> dict[str, int]:
    """Take out of the unexplained differences what expiry and assignment explain; returns what is left of them."""
    rests = dict(rests)
    today = datetime.fromtimestamp(view.now, UTC).date().isoformat()
    due: dict[str, list[tuple[str, int, float, str]]] = {}
    for group_id, group in groups.items():
        for i, leg in enumerate(group.legs):
            spec = leg.spec
            if leg.settled or spec.right is Right.SHARE or not spec.expiry:
                continue
            if spec.expiry < today and view.holdings.get(spec.symbol, 0) == 0:
                worth = view.worth.get(spec.symbol, 0.0)
                verdict.add(group_id, Settled(view.now, i, worth, "expiry"))
                text = f"{leg.net:+d} {spec.name or spec.symbol} of {group_id} expired worth {worth:g}"
                verdict.find("expired", group_id, text, settlement=worth)
                rests.pop(spec.symbol, None)
                if worth > 0 and leg.net:
                    _expect(due, spec, group_id, leg.net, worth)
    _assigned(view, groups, verdict, rests, nets, due)
    _deliver(view, verdict, rests, nets, due)
    return rests


def _expect(
    due: dict[str, list[tuple[str, int, float, str]]], spec: LegSpec, group_id: str, contracts: int, worth: float
) -> None:
    """Shares that the exercise of `contracts` (signed, as held) brings, at the underlying's price."""
    sign = 1 if spec.right is Right.CALL else -1
    price = spec.strike + sign * worth
    row = (group_id, sign * contracts * round(spec.multiplier), price, spec.name or spec.symbol)
    due.setdefault(spec.underlying, []).append(row)


def _assigned(
    view: View, groups: dict[str, GroupState], verdict: Verdict, rests: dict[str, int], nets: dict[str, int],
    due: dict[str, list[tuple[str, int, float, str]]],
) -> None:  # fmt: skip
    """Early assignment: a leg shrank, and the underlying moved by exactly the shares that this brings."""
    for symbol in list(rests):
        legs = [
            (group, i, leg)
            for group in groups.values()
            for i, leg in enumerate(group.legs)
            if leg.spec.symbol == symbol and not leg.settled and leg.net
        ]
        legs.sort(key=lambda item: (item[0].spec.created_at, item[0].spec.group_id), reverse=True)
        rest = rests[symbol]
        if not legs or legs[0][2].spec.right is Right.SHARE or nets[symbol] * rest >= 0:
            continue
        spec = legs[0][2].spec
        sign = 1 if spec.right is Right.CALL else -1
        moved = _moved(view, spec.underlying, rests, nets)
        expected = sum(row[1] for row in due.get(spec.underlying, ()))
        if abs(rest) > abs(nets[symbol]) or moved != expected - sign * rest * round(spec.multiplier):
            continue
        price = view.prices.get(spec.underlying, 0.0)
        worth = max(0.0, sign * (price - spec.strike))
        for group, i, leg in legs:
            part = max(rest, -leg.net) if rest < 0 else min(rest, -leg.net)
            if leg.net * rest >= 0 or not part:
                continue
            why = f"{part:+d} {spec.name or symbol} while nobody looked, with the shares to match"
            verdict.add(group.spec.group_id, Adjusted(view.now, i, part, worth, "assignment", why))
            verdict.find("assigned", group.spec.group_id, f"{group.spec.group_id}: assigned {why}", contracts=part)
            _expect(due, spec, group.spec.group_id, -part, worth)
            rest -= part
        del rests[symbol]


def _moved(view: View, underlying: str, rests: dict[str, int], nets: dict[str, int]) -> int:
    """Shares that nothing explains yet."""
    if underlying in nets:
        return rests.get(underlying, 0)
    return view.holdings.get(underlying, 0) - view.baseline.get(underlying, 0)


def _deliver(
    view: View, verdict: Verdict, rests: dict[str, int], nets: dict[str, int],
    due: dict[str, list[tuple[str, int, float, str]]],
) -> None:  # fmt: skip
    """Shares that came exactly as exercise and assignment bring them belong to the groups they came from."""
    for underlying, rows in due.items():
        expected = sum(row[1] for row in rows)
        moved = _moved(view, underlying, rests, nets)
        if expected == 0 or moved != expected:
            if moved == 0:
                continue  # settled in cash, or already sold
            for group_id, shares, _, name in rows:
                text = f"{group_id}: {shares:+d} {underlying} were due from {name}, the account moved by {moved:+d}"
                verdict.find("quantity_break", group_id, text, due=shares, moved=moved)
            verdict.breaks.setdefault(underlying, f"{moved:+d} {underlying} moved, {expected:+d} were due")
            continue
        for group_id, shares, price, name in rows:
            leg = LegSpec(underlying, 0, Right.SHARE, 0.0, "", underlying, 1.0, 0.01, underlying.split(" ")[0])
            verdict.add(group_id, Delivered(view.now, leg.row(), shares, price, f"exercise of {name}"))
            verdict.find("assigned", group_id, f"{group_id}: {shares:+d} {leg.name} delivered from {name}")
        rests.pop(underlying, None)
