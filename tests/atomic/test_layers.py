"""The layers of protection and what is counted of them (C1 to C5), and what a broker's rate limit does (B6)."""

from __future__ import annotations

from typing import Any

import pytest

from atomic import facts as f
from atomic.journal import MemoryStore
from atomic.layers import Coverage, protection
from atomic.policy import Settings
from atomic.ports import Severity
from atomic.protect import Level
from atomic.shell import Shell
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import ENTRY, SPY, Venue, start, working
from tests.atomic.protect import rig as rigs


def submits(venue: Venue, prefix: str) -> list[str]:
    return [tag for what, tag, *_ in venue.calls if what == "submit" and tag.startswith(prefix)]


def test_layer_1_places_exits_from_the_fill_event_and_layer_3_inside_the_submit():
    """An entry that fills inside the submit call is counted direct, one that fills later by its event (C1)."""
    executor, venue = start()
    direct = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.fill_entries = 0
    late = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert submits(venue, f"sl-{late.id}") == []
    venue.clock += 5
    venue.later(late, ENTRY, 10)

    assert direct.is_protected
    assert late.is_protected
    assert executor.coverage.placed == {"direct": 1, "event": 1, "sweep": 0}


@pytest.mark.parametrize("how", ["start", "timer"])
def test_layer_2_finds_a_filled_entry_without_exits_and_places_them_once(how):
    """A fill that nobody acted on is found by the sweep, at the start or after five minutes, and once (C1)."""
    store = MemoryStore()
    executor, venue = start(store=store)
    venue.fill_entries = 0
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    if how == "start":
        venue.holdings[SPY.symbol] = 10
        executor.shell.do(lambda: executor.shell.fold(group._group, f.Filled(venue.clock, 1, 10, 100.0, 0.0)))
        after = Venue()
        after.holdings = dict(venue.holdings)
        executor, venue = start(after, store=store)
        group = executor.groups.get(group.id)
    else:
        state, apply = group._group, Shell.apply

        def deaf(shell: Shell, group: Any, fact: Any) -> bool:
            changed = apply(shell, group, fact)
            shell._touched.clear()
            return changed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Shell, "apply", deaf)
            patch.setattr(Shell, "touch", lambda shell, group_id: None)
            venue.later(group, ENTRY, 10)
        assert state.legs[0].net == 10
        assert not group.is_protected
        venue.clock += 301
        executor.sweep_protection()
        assert executor.coverage.placed == {"direct": 0, "event": 0, "sweep": 1}
    for _ in range(40):
        venue.pass_seconds(1.0)
        executor.sweep_protection(force=True)

    assert group.is_protected
    assert working(group) == [("sl", -10, 99.0)]
    assert len(submits(venue, "sl-")) == 1


def test_the_second_pair_gets_what_is_left_and_levels_are_whole_ticks():
    """Seven shares: four and three, each with its stop; a third of a cent is rounded to the tick (C2)."""
    executor, _ = start()
    group = executor.bracket_order(SPY, 7, targets=[(0.5, 101.003), (0.5, 102.006)], stop_loss=Level(percent=0.01))

    assert working(group) == [("sl", -4, 99.02), ("sl", -3, 99.02), ("tp", -4, 101.0), ("tp", -3, 102.01)] or (
        working(group) == [("sl", -3, 99.02), ("sl", -4, 99.02), ("tp", -3, 102.01), ("tp", -4, 101.0)]
    )


def test_more_than_five_per_cent_by_the_sweep_is_told():
    """Two of thirty placements by the sweep raise it, one does not (C4)."""
    told: list[tuple[Severity, str]] = []
    coverage = Coverage(lambda at, severity, code, group, text: told.append((severity, code)))
    coverage.placed.update(event=29, sweep=1)
    coverage.check(1000.0, [])
    assert told == []
    coverage.placed.update(event=28, sweep=2)
    coverage.check(1060.0, [])

    assert told == [(Severity.P1, "sweep-share")]


def test_coverage_alerts_come_after_two_and_ten_minutes_and_not_before(monkeypatch):
    """Below 100 % for two minutes: P1; an entry unprotected for ten: P0 that names it (C4)."""
    executor, venue = start()
    told: list[tuple[float, Severity, str, str]] = []
    executor.on_alert(lambda alert: told.append((alert.at, alert.severity, alert.code, alert.group_id)))
    venue.fill_entries = 0
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    shell = executor.shell
    monkeypatch.setattr(Shell, "_settle", lambda shell, group: None)  # nothing acts any more
    venue.later(group, ENTRY, 10)
    began = venue.clock
    executor.coverage.check(began, [group._group])
    for seconds in (60, 119, 121, 300, 599, 601):
        venue.clock = shell.now = began + seconds
        executor.coverage.check(began + seconds, [group._group])
    first = {code: (round(at - began), severity, name) for at, severity, code, name in reversed(told)}

    assert first["coverage"] == (121, Severity.P1, "")
    assert first["unprotected"] == (601, Severity.P0, group.id)
    for seconds in (601, 700, 1200, 1201):  # said again after another ten minutes, not with every look
        executor.coverage.check(began + seconds, [group._group])
    assert [round(at - began) for at, _, code, _ in told if code == "unprotected"] == [601, 1201]


def test_a_hundred_and_twenty_fills_at_once_under_a_rate_limit_are_protected_in_the_seconds_it_takes():
    """At ten exits a second 120 fills have their stops after twelve seconds; nothing leaves faster (C5)."""
    executor, venue = start(settings=Settings(rate_per_second=0.001, reserved_rate=10.0))
    executor.shell.gates.opening.rate = 0.0  # the entries are out already
    venue.fill_entries = 0
    groups = [executor.bracket_order(SPY, 10, stop_loss_price=99.0) for _ in range(120)]
    executor.shell.gates.opening.rate = 0.001
    executor.shell.gates.opening.level = 0.0
    venue.calls.clear()
    for group in groups:
        venue.later(group, ENTRY, 10)
    seconds = 0
    while not all(g.is_protected for g in groups):
        before = len(submits(venue, "sl-"))
        venue.pass_seconds(1.0)
        seconds += 1
        assert len(submits(venue, "sl-")) - before <= 11
        assert seconds < 15

    assert len(submits(venue, "sl-")) == 120


def test_exits_that_the_balance_does_not_carry_are_tried_again_then_closed():
    """Insufficient balance for the stop: three attempts, then the position is closed, never left bare (C5)."""
    executor, venue = start()
    venue.refuse["sl"] = ["margin"] * 2
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(10):
        venue.pass_seconds(1.0)
    assert group.is_protected
    assert group.state is Phase.OPEN
    venue.refuse["sl"] = ["margin"] * 9
    other = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(10):
        venue.pass_seconds(1.0)

    assert other.is_done
    assert venue.holdings[SPY.symbol] == 10
    assert "emergency-close" in executor.alerts_seen


def test_a_position_reduced_by_hand_shrinks_stop_and_target_through_the_executor():
    """Forty of a hundred sold by hand: both exits protect sixty; all sold: they go (C5)."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    venue.holdings[SPY.symbol] -= 40
    executor.shell.on_foreign(SPY.symbol, -40, 100.0, "trade", "sold by hand")
    assert working(group) == [("sl", -60, 99.0), ("tp", -60, 102.0)]
    venue.holdings[SPY.symbol] -= 60
    executor.shell.on_foreign(SPY.symbol, -60, 100.0, "trade", "sold by hand")

    assert working(group) == []
    assert group.is_done
    assert venue.holdings[SPY.symbol] == 0


def test_a_brokers_rate_limit_delays_a_stop_and_loses_none():
    """Refused twice with "too many requests": sent again with back-off, no emergency, no second stop (B6)."""
    executor, venue = start()
    venue.refuse["sl"] = ["rate", "rate"]
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert not group.is_protected
    for _ in range(5):
        venue.pass_seconds(1.0)

    assert working(group) == [("sl", -10, 99.0)]
    assert "emergency-close" not in executor.alerts_seen


def test_a_pair_that_promises_no_stop_covers_nothing_of_another() -> None:
    """Half of a position runs free, the other half has lost its stop: that half is without protection."""
    rig = rigs.Rig(rigs.plan((0.5, 102.0, 99.0), (0.5, 104.0, None)))
    rig.fill(rigs.ENTRY, 100)
    assert protection(rig.group) == (100, 100, False)
    rig.fill(rigs.TARGET, 10, 102.0)
    assert protection(rig.group) == (90, 90, False)
    rig.refuse[rigs.STOP] = ["unknown"]
    rig.end(rigs.STOP)

    assert protection(rig.group) == (90, 50, False)


def test_what_is_merely_remembered_is_no_watched_stop() -> None:
    """A group that knows of a broker's reservations and has lost its stop is without protection."""
    rig = rigs.Rig(rigs.plan((1.0, None, 99.0)), reserves_quantity=True)
    rig.fill(rigs.ENTRY, 100)
    assert rig.group.memory["reserves"]
    rig.refuse[rigs.STOP] = ["unknown"] * 2
    rig.end(rigs.STOP)

    assert protection(rig.group) == (100, 0, False)
