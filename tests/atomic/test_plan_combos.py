"""Native combos: tried first, one fate, independent legs only where the venue cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from atomic import facts as f
from atomic.plan import Env
from atomic.policy import Ladder, Policy
from atomic.vocabulary import Outcome, Phase
from tests.atomic.desk import C, Desk, S, condor, leg

COMBO = Env(combo_market=True, combo_limit=True)


def test_a_native_combo_is_tried_first_as_one_bundle() -> None:
    """One intent, one order per leg, the same bundle number."""
    desk = Desk(condor(), 2, env=COMBO).open()

    assert [(o.leg, o.quantity, str(o.type)) for o in desk.sent] == [
        (1, 2, "market"), (3, 2, "market"), (0, -2, "market"), (2, -2, "market"),
    ]  # fmt: skip
    assert {o.bundle for o in desk.sent} == {1}
    assert desk.phase is Phase.OPEN


def test_a_capability_refusal_leads_to_independent_legs() -> None:
    """Only after every order of the bundle is terminal."""
    desk = Desk(condor(), env=COMBO)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)] if o.bundle else None
    desk.open()
    desk.tell(*[f.Rejected(desk.now, n, "capability", "no combos") for n in (1, 2, 3)])
    assert len(desk.sent) == 4
    desk.tell(f.Rejected(desk.now, 4, "capability", "no combos"))

    assert [(o.leg, o.bundle) for o in desk.sent[4:]] == [(1, 0), (3, 0), (0, 0), (2, 0)]
    assert desk.phase is Phase.OPEN


def test_a_margin_refusal_of_the_combo_does_not() -> None:
    """The account that cannot carry the combo cannot carry its legs."""
    desk = Desk(condor(), env=COMBO)
    desk.script = lambda o: [f.Rejected(desk.now, o.number, "margin", "no")] if o.bundle else None
    desk.open()

    assert desk.phase is Phase.CLOSED
    assert all(o.bundle for o in desk.sent)


def test_a_broken_combo_is_taken_back_leg_by_leg() -> None:
    """Trace p15: one leg filled, the other rejected."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=COMBO)

    def broken(order: Any) -> Any:
        if not order.bundle:
            return None
        return desk.fill(order.number) if order.leg == 0 else [f.Rejected(desk.now, order.number, "unknown", "x")]

    desk.script = broken
    desk.open()

    assert desk.nets == [0, 0]
    assert desk.group.outcome is Outcome.ROLLED_BACK


def test_a_combo_walks_its_net_price_and_is_cancelled_as_one() -> None:
    """Net mid, then net natural: a debit spread of 0.40 by 0.60."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=COMBO, policy=Policy(ladder=Ladder(steps=1, last="natural")))
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()
    assert {o.limit for o in desk.sent} == {0.4}
    desk.at(1)

    assert desk.cancels == [1, 2]
    assert {(o.limit, o.bundle) for o in desk.sent[2:]} == {(0.6, 3)}
    desk.at(5)
    assert desk.cancels == [1, 2, 3, 4]
    assert desk.phase is Phase.CLOSED


def test_a_group_with_shares_or_a_common_divisor_is_not_sent_as_a_combo() -> None:
    """LEAN refuses ratios with a common divisor; shares stay independent."""
    assert all(not o.bundle for o in Desk([leg(2, C, 105), leg(-2, C, 110)], env=COMBO).open().sent)
    assert all(not o.bundle for o in Desk([leg(100, S), leg(-1, C, 110)], env=COMBO).open().sent)


@pytest.mark.parametrize(("policy", "limit", "bundled"), [
    (Policy(), None, True), (Policy(), 0.50, False), (Policy(ladder=Ladder(last="natural")), None, False)])  # fmt: skip
def test_a_venue_that_takes_combos_at_market_only_gets_no_other(policy: Policy, limit: float, bundled: bool) -> None:
    """What needs a price of its own is sent leg by leg there."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=Env(combo_market=True), policy=policy, limit_net=limit).open()

    assert {bool(o.bundle) for o in desk.sent} == {bundled}


def test_a_combo_without_a_quote_starts_when_it_comes() -> None:
    """One leg has no price yet: nothing is sent, and nothing is given up before the deadline."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=COMBO)
    desk.quote(1, 0.0, 0.80).open()
    assert desk.sent == []
    desk.quote(1, 0.60, 0.80).at(2)

    assert [o.bundle for o in desk.sent] == [1, 1]
    assert desk.phase is Phase.OPEN


def test_a_combos_net_price_lies_on_the_finest_grid_of_its_legs() -> None:
    """Ticks of five cents and ten: a mid of 0.48 is bid at 0.45."""
    legs = [replace(leg(1, C, 105), tick=0.10), replace(leg(-1, C, 110), tick=0.05)]
    desk = Desk(legs, env=COMBO, policy=Policy(ladder=Ladder(steps=1, last="natural")))
    desk.quote(0, 1.00, 1.36).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()

    assert {o.limit for o in desk.sent} == {0.45}


def test_a_combo_that_filled_in_part_before_its_refusal_goes_back() -> None:
    """Somebody took it: that the venue knows no combos is no reason to open the rest leg by leg."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], 2, env=COMBO)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)] if o.bundle else None
    desk.open()
    desk.tell(*desk.fill(1, 1), *[f.Rejected(desk.now, n, "capability", "no combos") for n in (1, 2)])

    assert desk.nets == [0, 0]
    assert desk.group.outcome is Outcome.ROLLED_BACK


@pytest.mark.parametrize(("env", "limit_net", "limit"), [
    (COMBO, None, 0.0), (Env(combo_limit=True), None, 0.62), (COMBO, 0.50, 0.5)])  # fmt: skip
def test_a_combo_at_market_needs_a_venue_that_takes_it_and_no_limit_of_its_own(
    env: Env, limit_net: float | None, limit: float
) -> None:
    """Elsewhere a limit beyond its natural net price stands in for it, and the owner's net limit bounds that."""
    desk = Desk([leg(1, C, 105), leg(-1, C, 110)], env=env, limit_net=limit_net)
    desk.quote(0, 1.00, 1.20).quote(1, 0.60, 0.80)
    desk.script = lambda o: [f.Accepted(desk.now, o.number)]
    desk.open()

    assert {(o.bundle, o.limit) for o in desk.sent} == {(1, limit)}
