"""One time step, phase by phase, in the order of LEAN's AlgorithmManager.Run (Engine/AlgorithmManager.cs).

`PHASES` is that order. Fills come before scheduled events, scheduled events before `on_data`; what is scheduled
between two steps fires first, at its own time and on the old prices.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

from workbench.engine.enums import DelistingType, SplitType

if TYPE_CHECKING:
    from workbench.engine.feed_contract import TimeStep
    from workbench.engine.runtime import Engine



class Verdict(Enum):
    """What a phase may decide about the run."""

    STOP = 1  # leave the loop; `on_end_of_algorithm` is called
    FAIL = 2  # leave the loop at once


Phase = Callable[["Engine", "TimeStep"], "Verdict | None"]


def check_state(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:194 and :213: stop when the algorithm quit, or when the account is worth nothing."""
    if engine.stopped and engine.failure is None:
        return Verdict.STOP
    if not engine.live_mode and engine.portfolio.total_portfolio_value <= 0:
        engine.error("Portfolio value is less than or equal to zero, stopping algorithm.")
        return Verdict.STOP
    return None


def past_events(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:225: scheduled events before this moment, each at its own time."""
    engine.events.scan_past(step.utc)
    return None


def clock(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:241: the clock moves; from now on it is this moment."""
    engine.clock.set(step.utc)
    engine.store.tick()
    return None


def security_changes(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:253: the slice becomes current, new securities get their end-of-day events."""
    engine.current_slice = step.slice
    engine.begin_changes(step)
    return None


def prices(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:265: prices of all securities."""
    step.apply()
    engine.steps_done += 1
    return None


def warm_up(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:314: `on_warmup_finished`, when this step reaches the start of the run."""
    return None if engine.check_warm_up() else Verdict.FAIL


def symbol_changes(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:318: ticker changes; open orders under the old ticker are cancelled."""
    changed = step.slice.symbol_changed_events
    if not changed.count:
        return None
    if not engine.call("on_symbol_changed_events", changed):
        return Verdict.FAIL
    for symbol in changed:
        for ticket in engine.transactions.get_open_order_tickets(symbol):
            ticket.cancel("Open order cancelled on symbol changed event")
    return None


def orders(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:343: queued cancels and updates, resting orders, then expiry, exercise and assignment."""
    engine.handler.process_synchronous_events()
    if step.delistings:
        engine.process_delistings(step.delistings)
    return None


def events(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:348: scheduled events of this moment."""
    engine.events.set_time(step.utc)
    return None


def check_errors(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:356: stop when the algorithm quit or failed in an event."""
    if engine.failure is not None:
        return Verdict.FAIL
    return Verdict.STOP if engine.stopped else None


def margin_calls(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:369: every five minutes, orders that reduce what the account cannot carry, or a warning."""
    try:
        engine.margin_calls.step(engine.algorithm, step.utc)
    except Exception as error:
        engine.fail(error, "on_margin_call")
        return Verdict.FAIL
    return None


def universe_changes(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:434: `on_securities_changed`."""
    changes = step.changes
    if changes is None or not changes.count:
        return None
    if not engine.call("on_securities_changed", changes):
        return Verdict.FAIL
    return None if engine.framework_changes(changes) else Verdict.FAIL


def corporate_actions(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:446 and :514: dividends and splits are booked, then told."""
    current = step.slice
    if current.dividends.count:
        for dividend in current.dividends.values():
            engine.apply_dividend(dividend)
    if current.splits.count:
        for split in current.splits.values():
            if split.type == SplitType.SPLIT_OCCURRED:
                engine.apply_split(split)
        if not engine.call("on_splits", current.splits):
            return Verdict.FAIL
    if current.dividends.count and not engine.call("on_dividends", current.dividends):
        return Verdict.FAIL
    return None


def delistings(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:540: `on_delistings`."""
    if not step.delistings:
        return None
    if not engine.call("on_delistings", step.slice.delistings):
        return Verdict.FAIL
    for delisting in step.delistings:
        if delisting.type == DelistingType.DELISTED:
            engine.feed.remove(delisting.symbol)
    return None


def data(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:582: `on_data`, when there is data, then the framework's models."""
    if not step.slice.has_data:
        return None
    try:
        engine.on_data(step.slice)
    except Exception as error:
        engine.fail(error, "on_data")
        return Verdict.FAIL
    if engine.has_framework and not engine.run_framework():
        return Verdict.FAIL
    return None


def orders_again(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:598: what `on_data` left in the queue, and a scan on unchanged prices."""
    engine.handler.process_synchronous_events()
    return None


def end_of_step(engine: Engine, step: TimeStep) -> Verdict | None:
    """AM:605: the end of the step."""
    if engine.tells_end_of_step and not engine.call("on_end_of_time_step"):
        return Verdict.FAIL
    return None


PHASES: Final[tuple[Phase, ...]] = (
    check_state, past_events, clock, security_changes, prices, warm_up, symbol_changes, orders, events, check_errors,
    margin_calls, universe_changes, corporate_actions, delistings, data, orders_again, end_of_step,
)
PULSE: Final[tuple[Phase, ...]] = (check_state, past_events, clock, warm_up)


def run_step(engine: Engine, step: TimeStep) -> Verdict | None:
    """All phases of a step, or of a pulse that only moves the clock (AM:244)."""
    for phase in PULSE if step.is_time_pulse else PHASES:
        verdict = phase(engine, step)
        if verdict is not None:
            return verdict
    return None


class Pulse:
    """A moment without data: the clock reaches the end of the warm-up."""

    is_time_pulse = True
    changes = None

    def __init__(self, utc: datetime) -> None:
        self.utc = utc

    def apply(self) -> None:
        """Nothing changes."""
