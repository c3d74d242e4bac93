"""Early answers are the answers of the general way: asked of both in storms of brackets."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

import atomic.protect.desired as desired
import atomic.shell
from atomic.model import GroupState
from atomic.plan.terms import NOTHING, Desired
from atomic.protect.view import exposure, plan_of
from atomic.rules import EXITS, RULES
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import SPY, Venue, start
from workbench.campaign.drivers import shell
from workbench.campaign.runs import one

SEEDS = range(5_000, 5_060)


def test_nothing_is_wanted_of_a_flat_bracket(monkeypatch: pytest.MonkeyPatch) -> None:
    """`desired_orders` answers before it has looked at the exposure only where there is none and no clock runs."""
    early = 0

    def both(group: GroupState, now: float, quotes: Any, env: Any) -> Desired:
        nonlocal early
        answer = desired.desired_orders(group, now, quotes, env)
        if answer is NOTHING and group.phase not in (Phase.PLANNED, Phase.CLOSED):
            early += 1
            plan = plan_of(group)
            view = exposure(group, plan)
            assert view.open == 0
            assert group.phase is not Phase.OPENING
            assert desired._wake(group, plan, view, now) is None
            assert not desired._delivered(group, quotes)
        return answer

    for kind, rules in RULES.items():
        if rules is EXITS:
            monkeypatch.setitem(RULES, kind, replace(rules, desired_orders=both))
    for seed in SEEDS:
        result, _, _ = one(seed, shell, kind="brackets")
        assert not result.violations
    assert early > 20


def _story(seed: int) -> list[list[Any]]:
    """The facts of brackets that fill in parts, are refused, moved, stopped and closed, in a backtest."""
    draw = random.Random(seed)
    executor, venue = start(Venue())
    groups = []
    for _ in range(draw.randint(1, 3)):
        venue.fill_entries = draw.choice([None, 3, 7])
        venue.refuse = {draw.choice(["sl", "tp"]): ["margin"]} if draw.random() < 0.4 else {}
        levels: dict[str, Any] = {"stop_loss_price": 97.0, "take_profit_price": 103.0} if draw.random() < 0.5 else {}
        groups.append(executor.bracket_order(SPY, 10, **levels))
        for _ in range(draw.randint(0, 4)):
            group = groups[-1]
            alive = [order for order in group.orders if order.may_fill]
            what = draw.randrange(4)
            if what == 0 and alive:
                order = draw.choice(alive)
                venue.fill((group.id, order.number), draw.randint(1, order.leaves_qty))
            elif what == 1:
                group.close()
            elif what == 2 and group.is_open:
                group.move_stop(draw.choice([98.0, 98.5]))
            venue.price(draw.choice([99.5, 100.0, 101.0]))
            executor.on_data()
    return [list(group.record.facts) for group in groups]


def test_an_acceptance_may_wait_for_the_end_of_its_wave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded before the next send or after the last: the same facts in every group."""
    waited = 0
    only_taken = atomic.shell.Shell._only_taken

    def counted(self: Any, group: GroupState) -> bool:
        nonlocal waited
        found = only_taken(self, group)
        waited += found
        return found

    for seed in range(200):
        monkeypatch.setattr(atomic.shell.Shell, "_only_taken", counted)
        late = _story(seed)
        monkeypatch.setattr(atomic.shell.Shell, "_only_taken", lambda self, group: False)
        assert _story(seed) == late
    assert waited > 100
