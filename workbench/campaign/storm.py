"""The storm: one thing happens at a time, drawn from everything a broker, a market and an owner may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import PROTECTED_KINDS, Phase

from .account import Fate
from .market import CHAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from atomic.model import GroupState

    from .account import SimOrder
    from .world import World

DELAYS = (0.5, 0.1, 1.0, 2.0, 5.0, 6.0, 31.0, 61.0)


def step(world: World) -> None:
    """One thing happens, as drawn, and is judged."""
    world.result.steps += 1
    _ACTIONS[world.choices.draw(len(_ACTIONS))](world)
    world.check()


def tick(world: World) -> None:
    """Time passes; new data as drawn; the wake-up comes when due, or a little late."""
    delay = DELAYS[world.choices.draw(len(DELAYS))]
    fresh = world.choices.draw(4) != 3
    late = world.choices.draw(4) == 3
    world.script.append(f"{delay:g} s pass{'' if fresh else ', no data'}{', wake-up late' if late else ''}")
    world.pass_time(delay, fresh=fresh, wake=not late)


def answer(world: World) -> None:
    """The broker does something with one of its orders."""
    live = [o for o in world.account.live.values() if not o.hidden_until or world.broker.view.knows(o)]
    if not live:
        tick(world)
        return
    order = live[world.choices.draw(len(live))]
    drawn = world.choices.draw(8)
    faults = world.setting.faults
    name = f"order {order.group_id}:{order.number}"
    fillable = world.market.open and order.symbol not in world.market.settled
    if order.cancel_pending and drawn < 4 and not order.deaf:
        if drawn == 3 and faults.cancel_refused:
            world.script.append(f"{name}: the pending cancel fails")
            world.broker.fail_cancel(order)
        elif drawn == 2 and faults.fill_beats_cancel and fillable:
            _fill(world, order, order.leaves, "fills before its cancel")
        else:
            world.script.append(f"{name}: canceled")
            world.broker.end_cancel(order)
    elif order.asked is not None and drawn < 3:
        world.script.append(f"{name}: updated")
        world.broker.end_update(order)
    elif drawn <= 2 or order.cancel_pending:
        if order.fate is Fate.NEW and drawn == 0:
            world.script.append(f"{name}: accepted")
            world.broker.accept(order)
        elif fillable and (not order.cancel_pending or faults.fill_beats_cancel):
            part = order.leaves
            if faults.partial and drawn == 1:
                part = 1 + world.choices.draw(order.leaves)
            _fill(world, order, min(part, order.leaves), "fills")
    elif drawn == 3 and faults.reject_later:
        world.script.append(f"{name}: rejected")
        world.broker.reject(order)
    elif drawn == 4 and faults.overfill and fillable and not order.combo:
        _fill(world, order, order.leaves + 1, "overfills")
    elif drawn == 5 and faults.reject_later:
        world.script.append(f"{name}: expires")
        world.broker.expire(order)
    else:
        world.script.append(f"{name}: accepted")
        world.broker.accept(order)


def _fill(world: World, order: SimOrder, qty: int, what: str) -> None:
    orders = [order]
    if order.combo and world.setting.faults.combo_breaks and world.choices.draw(3) == 2:
        world.oracle.broken_combo(order)
    elif order.combo:
        orders = [o for o in world.account.live.values() if o.combo == order.combo]
    for one in orders:
        amount = qty if one is order and not order.combo else one.leaves
        world.script.append(f"order {one.group_id}:{one.number}: {what} {amount} ({one.side:+d} {one.symbol})")
        world.broker.fill(one, amount)


def late_fill(world: World) -> None:
    """An order that ended fills all the same."""
    ended = [
        o
        for o in world.account.orders
        if o.fate in (Fate.CANCELED, Fate.EXPIRED) and o.filled < abs(o.quantity)
        if o.symbol not in world.market.settled and world.broker.view.knows(o)
    ]
    if not (world.setting.faults.late_fill and ended and world.market.open):
        tick(world)
        return
    order = ended[world.choices.draw(len(ended))]
    world.script.append(f"order {order.group_id}:{order.number}: fills 1 after its end")
    order.late = True
    world.broker.fill(order, 1)


def deliver(world: World) -> None:
    """A waiting fact arrives: in order, out of order, twice, or never."""
    queue, faults = world.broker.queue, world.setting.faults
    if not queue:
        answer(world)
        return
    index = world.choices.draw(len(queue)) if faults.reorder else 0
    how = world.choices.draw(6)
    order, fact = queue[index]
    what = f"{fact.kind} of {order.group_id}:{order.number}"
    if how == 5 and faults.lost and not order.late and order.group_id:  # nobody reads the ticket of a stranger's order
        world.script.append(f"lost: {what}")
        world.broker.lose(index)
    elif how == 4 and faults.duplicate:
        world.script.append(f"delivered, and will be again: {what}")
        world.broker.deliver(index, twice=True)
    else:
        world.script.append(f"delivered: {what}")
        world.broker.deliver(index)


def market(world: World) -> None:
    """Quotes move, sides vanish, the session halts and resumes."""
    what, sim, faults = world.choices.draw(8), world.market, world.setting.faults
    symbols = list(CHAIN)
    if what <= 2:
        sim.spot = (100.0, 101.0, 98.0, 106.0, 94.0, 112.0)[world.choices.draw(6)]
        world.script.append(f"the underlying moves to {sim.spot:g}")
    elif what == 3:
        sim.heal(world.now)
        world.script.append("quotes and session are back")
    elif what == 4 and faults.halt:
        sim.open = not sim.open
        world.script.append("the session resumes" if sim.open else "the session halts")
    elif what >= 5 and faults.no_quote:
        symbol = symbols[world.choices.draw(len(symbols))]
        sides = (sim.no_bid, sim.no_ask, sim.frozen)[what - 5]
        sides.add(symbol)
        world.script.append(f"{symbol} has no {('bid', 'ask', 'fresh data')[what - 5]}")
    sim.changed()
    world.driver.bar()


def owner(world: World) -> None:
    """The owner opens another group, closes, cancels, holds, releases."""
    groups = world.driver.groups()
    if world.setting.managed and groups and world.choices.draw(3):
        _change(world, groups[world.choices.draw(len(groups))])
        return
    if world.setting.house.operator and world.choices.draw(3) == 2:
        _operate(world)
        return
    what = world.choices.draw(6)
    if what == 0 or not groups:
        world.open()
        return
    group = groups[world.choices.draw(len(groups))]
    group_id = group.group_id
    if what == 1 or what == 2:
        world.script.append(f"the owner closes {group_id}")
        world.driver.close(group_id, "owner")
    elif what == 3:
        world.script.append(f"the owner cancels {group_id}")
        world.driver.cancel(group_id, "owner")
    elif what == 4 and world.setting.owner_holds:
        truth = world.oracle.groups.get(group_id)
        if truth is not None and group.phase is not Phase.CLOSED:
            truth.hold_asked = True
            world.script.append(f"the owner holds {group_id}")
            world.driver.hold(group_id, "owner")
    elif group.phase is Phase.HELD and not world.oracle.is_unclear(group):
        world.script.append(f"the owner releases {group_id}")
        world.driver.release(group_id, "owner")


def _operate(world: World) -> None:
    """Somebody at the desk pauses, resumes, cancels orders or cleans up."""
    sets = [group_id for group_id, truth in world.oracle.groups.items() if truth.set is not None]
    if sets and world.choices.draw(2):
        group_id = sets[world.choices.draw(len(sets))]
        if world.driver.change(group_id, "unlink", 0.0):
            world.script.append(f"the owner unlinks {group_id}")
            world.oracle.unlinked(group_id)
        return
    brackets = [g for g in world.driver.groups() if g.spec.kind in PROTECTED_KINDS and g.phase is not Phase.CLOSED]
    if brackets and world.choices.draw(4) == 3:
        group = brackets[world.choices.draw(len(brackets))]
        if world.driver.change(group.group_id, "let_go", 0.0):
            world.script.append(f"the owner lets {group.group_id} go")
            world.oracle.let_go(group.group_id)
        return
    what = ("pause", "resume", "cancel", "close", "flatten")[world.choices.draw(5)]
    symbols = [leg.symbol for leg in world.setting.legs]
    symbol = symbols[world.choices.draw(len(symbols))]
    world.script.append(f"the operator: {what}{f' {symbol}' if what in ('cancel', 'close') else ''}")
    if what == "flatten":
        world.driver.flatten("operator")
    else:
        world.driver.operate(what, symbol)


def _change(world: World, group: GroupState) -> None:
    """The owner moves a stop or a target, takes a target or the entry away, or changes the size."""
    what = ("move_stop", "move_target", "resize", "cancel_target", "cancel_entry")[world.choices.draw(5)]
    if what == "resize":
        value = float(1 + world.choices.draw(14))
    else:
        spec = group.legs[0].spec
        price = world.market.fair(spec.underlying if group.spec.exits.get("trigger") == "underlying" else spec.symbol)
        value = round(price * (0.97, 0.99, 0.998, 1.002, 1.01, 1.03)[world.choices.draw(6)], 2)
    if what == "resize":
        world.oracle.resized(group.group_id, int(value))
    if world.driver.change(group.group_id, what, value):
        world.script.append(f"the owner: {what} {value:g} of {group.group_id}")


def outside(world: World) -> None:
    """A trade by hand, an assignment, an expiry."""
    faults = world.setting.faults
    what = world.choices.draw(4)
    symbols = [leg.symbol for leg in world.setting.legs]
    symbol = symbols[world.choices.draw(len(symbols))]
    price = world.market.fair(symbol)
    held = world.account.positions.get(symbol, 0)
    if symbol in world.market.settled:
        return
    if what <= 1 and faults.foreign:
        delta = (1, -1)[world.choices.draw(2)]
        world.script.append(f"somebody trades {delta:+d} {symbol}")
        world.broker.outside(symbol, delta, price, "foreign", "manual trade")
    elif what == 2 and faults.assignment and held < 0 and CHAIN[symbol].expiry:
        world.script.append(f"1 {symbol} is assigned")
        world.broker.outside(symbol, 1, 0.0, "assignment", "assigned")
    elif what == 3 and faults.expiry and CHAIN[symbol].expiry:
        day = min(leg.expiry for leg in CHAIN.values() if leg.expiry and leg.symbol not in world.market.settled)
        world.script.append(f"the contracts of {day} expire")
        for one in [leg.symbol for leg in CHAIN.values() if leg.expiry == day]:
            world.broker.settle(one, "expiry")
    else:
        tick(world)


def restart(world: World) -> None:
    """The process stops and starts again, when the run is about that."""
    if not world.crash or world.setting.sync:
        answer(world)
        return
    world.restart()


_ACTIONS: tuple[Callable[[World], None], ...] = (
    tick,
    answer,
    deliver,
    answer,
    deliver,
    tick,
    answer,
    deliver,
    market,
    late_fill,
    owner,
    outside,
    restart,
    answer,
)
