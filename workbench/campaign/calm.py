"""The calm: the market is open and quoted, every fact is delivered, every order answered; groups must come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import Phase

from .account import Fate
from .rest import rests_by_budget, rests_in_set, rests_protected, stands, waits_to_enter

if TYPE_CHECKING:
    from .account import SimOrder
    from .world import World

#: rounds of the calm in which every group must come to rest
CALM_ROUNDS = 400
#: rounds after which an unwinding that rests at the price its cost budget allows counts as at rest
BUDGET_ROUNDS = 60


def calm(world: World) -> None:
    """Answer everything until every group rests; what does not come to rest is a violation."""
    world.broker.kind = True
    if world.setting.rests and not world.oracle.violations:
        # what rests at the venue is looked at from time to time: lost news is found by then
        for seconds in (6.0, 61.0):
            world.market.heal(world.now)
            world.deliver_all()
            world.pass_time(seconds, fresh=True, wake=True)
    for turn in range(CALM_ROUNDS):
        world.result.rounds += 1
        world.market.heal(world.now)
        world.deliver_all()
        for order in list(world.account.live.values()):
            _answer_kindly(world, order)
        world.deliver_all()
        if world.oracle.violations:
            return
        if _rests(world, late=turn > BUDGET_ROUNDS):
            break
        wake = world.broker.wake
        delay = 1.0 if wake is None else min(60.0, max(0.25, wake - world.now))
        world.pass_time(delay, fresh=True, wake=True)
    for group in world.driver.groups():
        if not rests_by_budget(group) and not waits_to_enter(group):
            world.oracle.judge_group(group, settled=True)
    _judge_account(world)
    world.broker.kind = False


def _judge_account(world: World) -> None:
    """All groups and what belongs to none of them explain the account, or the difference is named (invariant 8)."""
    if world.broker.queue:
        return
    for symbol in {leg.spec.symbol for group in world.driver.groups() for leg in group.legs}:
        explained, held = world.driver.explained(symbol), world.broker.holding(symbol)
        if symbol not in world.market.settled and explained is not None and explained != held:
            world.oracle.say("conservation", "", f"{symbol}: the account holds {held}, groups and others {explained}")


def _answer_kindly(world: World, order: SimOrder) -> None:
    if not order.fate.alive or (order.hidden_until and _unseen(world, order)):
        return
    if order.fate is Fate.NEW:
        world.broker.accept(order)
    if order.symbol in world.market.settled:
        world.broker.expire(order)
    elif order.asked is not None:
        world.broker.end_update(order)
    elif order.cancel_pending:
        world.broker.end_cancel(order)
    elif order.combo:
        orders = [o for o in world.account.live.values() if o.combo == order.combo]
        if all(world.market.marketable(o) for o in orders):
            for one in orders:
                world.broker.fill(one, one.leaves)
    elif world.market.marketable(order):
        world.broker.fill(order, order.leaves)


def _unseen(world: World, order: SimOrder) -> bool:
    """In flight when a process stopped: it is not answered before the next process had time to find it."""
    return not world.broker.view.knows(order) and world.now < order.hidden_until + 120.0


def _rests(world: World, *, late: bool) -> bool:
    """Nothing is on its way and every group stands where it should (or, `late`, where its policy lets it rest)."""
    rests = world.setting.rests
    if world.oracle.rate.used_up(world.now):
        return False  # what may be wanted still has to wait
    if world.broker.queue or (world.account.live and not late and not rests):
        return False
    if rests:
        if any(o.fate is Fate.NEW or o.cancel_pending or o.asked for o in world.account.live.values()):
            return False
        return all(
            g.phase is Phase.CLOSED
            or waits_to_enter(g)
            or rests_in_set(g)
            or (g.phase in (Phase.OPEN, Phase.HELD) and rests_protected(g))
            for g in world.driver.groups()
        )
    return all(
        (g.phase in (Phase.CLOSED, Phase.HELD) and not g.live)
        or (g.phase is Phase.OPEN and not g.live and (late or stands(g)))
        or (late and rests_by_budget(g))
        for g in world.driver.groups()
    )
