"""Operations on brackets: restart, coverage, statistics, cancelling and closing positions."""

from __future__ import annotations

import pytest

from atomic import facts as f
from atomic.bracket_terms import ContingentOrder
from atomic.journal import MemoryStore
from atomic.operation import OperationState, OperationType, going_back_since
from atomic.policy import Policy, Settings
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import ENTRY, SPY, Venue, start, working


def test_a_restart_keeps_the_levels_and_places_what_is_missing_by_the_sweep():
    """Levels come from the journal; the start's sweep places the exits, without a second entry (C1, C2)."""
    store = MemoryStore()
    executor, venue = start(store=store)
    venue.refuse["sl"] = ["unknown"]
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    group.move_stop(99.4)
    after = Venue()
    after.holdings = dict(venue.holdings)
    again, _ = start(after, store=store)
    again.sweep_protection(force=True)
    for _ in range(60):
        after.pass_seconds(1.0)
    restored = again.groups.get(group.id)

    assert ("sl", -100, 99.4) in working(restored)
    assert not any(tag.startswith("entry-") for what, tag, *_ in after.calls if what == "submit")


def test_coverage_counts_layers_and_raises_its_alerts():
    """Placement by source, rate and latency; below 100 % for two minutes P1, ten minutes unprotected P0 (C4)."""
    executor, venue = start(policy=Policy(emergency_flatten=False, rollback_attempts=1000))
    executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.fill_entries = 0
    late = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.clock += 5
    venue.later(late, ENTRY, 10)
    assert executor.coverage.placed == {"direct": 1, "event": 1, "sweep": 0}
    assert executor.coverage.rate == 1.0
    venue.fill_entries = None
    venue.refuse["sl"] = ["unknown"] * 1000
    executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(12):
        venue.pass_seconds(60.0)
        executor.on_data()

    assert executor.coverage.rate == pytest.approx(2 / 3)
    assert "coverage" in executor.alerts_seen
    assert "unprotected" in executor.alerts_seen


def test_an_entry_that_loses_its_stop_and_gets_another_counts_once():
    """The rate is entries with confirmed exits over entries that filled: it never makes up for one without any."""
    executor, venue = start(policy=Policy(emergency_flatten=False, rollback_attempts=1000))
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    assert (executor.coverage.entries, executor.coverage.protected) == (1, 1)
    venue.refuse["sl"] = ["unknown"] * 3
    stop = next(order for order in group.stops if order.may_fill)
    venue.ended.add((group.id, stop.number))
    venue.sink.on_fact(group.id, f.Canceled(venue.clock, stop.number, "by the broker"))
    executor.sweep_protection(force=True)
    assert executor.coverage.metrics()["unprotected_now"] == 1
    for _ in range(10):
        venue.pass_seconds(1.0)

    assert ("sl", -10, 99.0) in working(group)
    assert (executor.coverage.entries, executor.coverage.protected) == (1, 1)
    assert executor.coverage.metrics()["unprotected_now"] == 0


def test_an_operation_that_needed_another_try_is_won_once():
    """A leg refused for the rate that fills at the second try is one recovery, also when the group has closed."""
    executor, venue = start()
    venue.refuse["open"] = ["rate"]
    group = executor.execute_atomic([(SPY, 1)], 10)
    assert not group.is_open
    venue.pass_seconds(1.0)
    assert group.is_open
    group.close("done")

    found = executor.operations.get_recovery_statistics()
    assert (found["recovery_attempts"], found["recoveries_won"]) == (1, 1)
    assert executor.operations.get_operation_status(group.id)["ended_at"] > 0


def test_operations_are_seen_counted_and_rolled_back():
    """Types, states, statistics, forced rollback, hooks and clean-up (E1, E3)."""
    executor, venue = start()
    seen: list[str] = []
    executor.operations.on_operation(OperationType.BRACKET, lambda op, state: seen.append(state))
    venue.fill_entries = 40
    group = executor.bracket_order(SPY, 100, stop_loss_price=99.0)
    status = executor.operations.get_operation_status(group.id)
    assert (status["type"], status["state"]) == (OperationType.BRACKET, OperationState.PARTIALLY_COMPLETED)
    assert executor.operations.get_recovery_statistics()["active"] == 1
    assert executor.operations.force_rollback_operation(group.id)

    assert group.is_done
    assert venue.holdings[SPY.symbol] == 0
    assert executor.operations.get_recovery_statistics()["rolled_back"] == 1
    assert not executor.operations.force_rollback_operation(group.id)
    assert seen[-1] is OperationState.ROLLED_BACK
    venue.clock += 90_000
    assert executor.operations.cleanup_stale_operations() == 1
    with pytest.raises(ValueError, match="no operation"):
        executor.operations.get_operation_status(group.id)


def test_cancelling_the_orders_of_a_position_counts_by_purpose_and_the_stop_comes_back():
    """Counts for entry, stop, target and failures; what is open is protected again at once (E4)."""
    executor, venue = start()
    venue.fill_entries = 40
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    counts = executor.cancel_position_orders(SPY)

    assert (counts.entry, counts.stop, counts.target, counts.failed) == (1, 1, 1, 0)
    assert ("sl", -40, 99.0) in working(group)
    assert "stops-cancelled" in executor.alerts_seen


def test_closing_a_position_takes_its_orders_along():
    """close_position_with_cleanup by symbol ends every group that holds it."""
    executor, venue = start()
    groups = [executor.bracket_order(SPY, 10, take_profit_price=102.0, stop_loss_price=99.0) for _ in range(3)]
    operation = executor.close_position_with_cleanup(SPY)

    assert all(g.is_done for g in groups)
    assert executor.operations.get_operation_status(operation)["state"] is OperationState.COMPLETED
    assert venue.holdings[SPY.symbol] == 0
    with pytest.raises(ValueError, match="no group holds"):
        executor.close_position_with_cleanup(SPY)


def test_every_change_that_an_owner_asks_for_is_an_operation():
    """Moved exits, a cancelled target, entry or size: modifications with what was asked, done at once here (E1)."""
    executor, venue = start()
    venue.fill_entries = 40
    group = executor.bracket_order(SPY, 100, take_profit_price=102.0, stop_loss_price=99.0)
    group.resize(90)
    group.move_stop(99.5)
    group.move_target(103.0)
    group.cancel_target()
    group.cancel_entry("enough")
    rows = [row for row in executor.operations.all() if row["type"] is OperationType.MODIFICATION]
    assert [row["note"] for row in rows] == [
        "size to 90", "stop to 99.5", "target to 103", "target cancelled", "entry enough",
    ]  # fmt: skip
    assert {row["groups"][0] for row in rows} == {group.id}
    assert {row["state"] for row in rows} == {OperationState.COMPLETED}
    group.close()
    group.move_stop(98.0)
    assert len([row for row in executor.operations.all() if row["type"] is OperationType.MODIFICATION]) == 5


def test_a_change_is_in_progress_while_its_orders_are():
    """The update was sent and not answered yet: the modification goes on; it is done when the broker has taken it."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    asked = []

    def later(group_id, number, *terms):
        asked.append((number, terms))
        venue.sink.on_fact(group_id, f.ReplaceAsked(venue.clock, number, *terms))

    venue.replace = later
    group.move_stop(99.5)
    (row,) = executor.operations.all()[1:]
    assert (row["type"], row["state"]) == (OperationType.MODIFICATION, OperationState.IN_PROGRESS)
    ((number, terms),) = asked
    venue.sink.on_fact(group.id, f.Replaced(venue.clock, number, *terms))
    assert executor.operations.get_operation_status(row["id"])["state"] is OperationState.COMPLETED


def test_hooks_hear_of_closes_cancels_and_modifications_when_their_state_changes():
    """Each state once; a hook that fails is told and reaches nobody; an ended operation has its end (E6)."""
    executor, venue = start()
    told: list[tuple[str, str]] = []
    for kind in (OperationType.POSITION_CLOSE, OperationType.BULK_CANCEL, OperationType.MODIFICATION):
        executor.operations.on_operation(kind, lambda op, state: told.append((str(op.type), str(state))))
    executor.operations.on_operation(OperationType.POSITION_CLOSE, lambda op, state: 1 / 0)
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    group.move_stop(99.5)
    assert told == [("modification", "completed")]
    cancel, venue.cancel = venue.cancel, lambda group_id, number: venue.sink.on_fact(
        group_id, f.CancelAsked(venue.clock, number, "")
    )
    told.clear()
    name = executor.close_position_with_cleanup(SPY)
    assert told == [("position_close", "in_progress")]
    venue.cancel = cancel
    for order in group.stops:
        cancel(group.id, order.number)
    for _ in range(3):
        venue.pass_seconds(60.0)
        executor.on_data()
    assert group.is_done
    assert told == [("position_close", "in_progress"), ("position_close", "completed")]
    assert executor.operations.get_operation_status(name)["ended_at"] > 0
    assert "callback-failed" in executor.alerts_seen


def test_what_is_under_way_and_the_numbers_survive_a_restart():
    """A close that waits is known to the next process, its hooks hear its end, and no number is given twice (E6)."""
    store = MemoryStore()
    executor, venue = start(store=store)
    executor.bracket_order(SPY, 10, stop_loss_price=99.0).move_stop(99.5)
    venue.quotes[SPY.symbol] = venue.quotes[SPY.symbol]._replace(open=False)
    name = executor.close_position_with_cleanup(SPY, "enough")
    after = Venue()
    after.holdings, after.quotes = dict(venue.holdings), dict(venue.quotes)
    again, _ = start(after, store=store)
    told: list[tuple[str, str]] = []
    again.operations.on_operation(OperationType.POSITION_CLOSE, lambda op, state: told.append((op.id, str(state))))
    row = again.operations.get_operation_status(name)
    assert (row["type"], row["state"], row["note"]) == (OperationType.POSITION_CLOSE, "in_progress", "enough")
    after.price(100.0)
    for _ in range(60):
        after.pass_seconds(1.0)
        again.on_data()
    assert told[-1] == (name, "completed")
    assert name == "position_close-000002"
    assert again.bracket_order(SPY, 10, stop_loss_price=99.0).move_stop(99.5) is None
    assert again.operations.all()[-1]["id"] == "modification-000003"


def test_operations_of_another_version_are_named_and_do_not_stop_the_start():
    """What cannot be read is in the log."""
    store = MemoryStore()
    executor, _ = start(store=store)
    executor.journal.extra["operations"] = {"counter": 4, "under_way": [["x", "unheard_of", 0.0, [], [], [], ""]]}
    executor.shell.do(executor.shell.write_all)
    again, after = start(store=store)
    assert again.ready
    assert any("unheard_of" in line for line in after.lines)


def test_a_forced_rollback_ends_as_rolled_back():
    """Whatever had filled: rolling back while it goes on, rolled back at the end, and counted so (E1, E3)."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.quotes[SPY.symbol] = venue.quotes[SPY.symbol]._replace(open=False)
    operations = executor.operations
    assert operations.force_rollback_operation(group.id)
    assert operations.get_operation_status(group.id)["state"] is OperationState.ROLLING_BACK
    venue.price(100.0)
    executor.on_data()
    assert operations.get_operation_status(group.id)["state"] is OperationState.ROLLED_BACK
    assert operations.get_recovery_statistics()["rolled_back"] == 1


def test_a_rollback_is_timed_from_the_decision_that_ended_it():
    """A group that kept fewer units and is forced back much later took from then on."""
    executor, venue = start()
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    state = group.record
    state.opened_at = venue.clock + 100.0
    state.facts += [f.TargetSet(venue.clock + 5.0, 1, "fewer"), f.CloseAsked(venue.clock + 200.0, "forced")]
    assert going_back_since(state) == venue.clock + 200.0
    state.opened_at = 0.0
    assert going_back_since(state) == venue.clock + 5.0


@pytest.mark.parametrize(("seconds", "slow"), [(2.0, 0), (4.0, 1)])
def test_a_placement_that_goes_back_slowly_is_told(seconds: float, slow: int):
    """Taking an unfilled entry back is meant to take three seconds at most; the statistics keep what it took (B2)."""
    executor, venue = start(Venue(live=True))
    group = executor.bracket_order(SPY, 10, limit_price=99.0, stop_loss_price=98.0)
    venue.cancel = lambda group_id, number: venue.sink.on_fact(group_id, f.CancelAsked(venue.clock, number, ""))
    group.cancel()
    venue.pass_seconds(seconds)
    venue.sink.on_fact(group.id, f.Canceled(venue.clock, 1))
    executor.on_data()
    found = executor.operations.get_recovery_statistics()
    assert (group.state, found["rolled_back"], found["rollbacks_slow"]) == (Phase.CLOSED, 1, slow)
    assert found["rollback_seconds_max"] == found["rollback_seconds_median"] == seconds
    assert executor.alerts_seen.count("rollback-slow") == slow


def test_the_history_of_operations_is_bounded_by_its_setting():
    """The oldest ended ones go; what lives stays (E3)."""
    executor, _ = start(settings=Settings(history=3))
    kept = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    for _ in range(5):
        executor.bracket_order(SPY, 10, stop_loss_price=99.0).close()
    names = [row["id"] for row in executor.operations.all()]
    assert len(names) == 3
    living = executor.bracket_order(SPY, 10, limit_price=90.0, stop_loss_price=80.0)
    assert living.id in [row["id"] for row in executor.operations.all(active=True)]
    assert kept.id not in names


def test_an_operation_names_its_links():
    """Which orders cancel or shrink one another, by number: each pair of exits, each order of a set."""
    executor, _ = start()
    bracket = executor.bracket_order(SPY, 10)
    assert executor.operations.get_operation_status(bracket.id)["links"] == [[2, 3], [4, 5]]
    pair = executor.one_cancels_other([ContingentOrder(SPY, 10, 95.0), ContingentOrder(SPY, -10, 105.0)])
    assert executor.operations.get_operation_status(pair.id)["links"] == [[1, 2]]
    pair.unlink()
    assert executor.operations.get_operation_status(pair.id)["links"] == []


def test_operations_of_groups_that_live_are_known_after_a_restart():
    """They are read from the journal with what went wrong before (E6)."""
    store = MemoryStore()
    executor, venue = start(store=store)
    venue.refuse["sl"] = ["rate"]
    group = executor.bracket_order(SPY, 10, stop_loss_price=80.0)
    before = executor.operations.get_operation_status(group.id)
    again, _ = start(venue, store=store)
    after = again.operations.get_operation_status(group.id)
    assert [after[name] for name in ("type", "state", "started_at", "errors")] == [
        before[name] for name in ("type", "state", "started_at", "errors")
    ]
    assert after["errors"] == ["scripted"]
    assert again.operations.get_recovery_statistics()["started"] == 1


def test_a_stop_that_was_refused_and_works_again_is_a_recovery_that_was_won():
    """Of an open bracket; one whose stop was refused for good and that was closed in an emergency is not."""
    executor, venue = start()
    venue.refuse["sl"] = ["unknown"]
    executor.bracket_order(SPY, 100, stop_loss_price=99.0)
    found = executor.operations.get_recovery_statistics()
    assert (found["recovery_attempts"], found["recoveries_won"]) == (1, 0)
    venue.pass_seconds(5.0)
    found = executor.operations.get_recovery_statistics()
    assert (found["recovery_attempts"], found["recoveries_won"], found["recovery_success_rate"]) == (1, 1, 1.0)
    venue.refuse["sl"] = ["unknown"] * 9
    executor.bracket_order(SPY, 100, stop_loss_price=99.0)
    for _ in range(9):
        venue.pass_seconds(31.0)
    found = executor.operations.get_recovery_statistics()
    assert (found["recovery_attempts"], found["recoveries_won"]) == (4, 1)


def test_operations_of_groups_that_have_left_memory_keep_their_numbers():
    """State, times, errors and statistics are the same before and after; the counts go on."""
    executor, venue = start(settings=Settings(recent_ends=1))
    operations = executor.operations
    venue.refuse["sl"] = ["rate"]
    refused = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    venue.pass_seconds(5.0)
    plain = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    back = executor.bracket_order(SPY, 10, limit_price=90.0, stop_loss_price=80.0)
    opened = venue.clock
    for group in (refused, plain, back):
        venue.clock += 10
        group.close()
    before = [operations.get_operation_status(group.id) for group in (refused, plain, back)]
    found = operations.get_recovery_statistics()
    for _ in range(2):
        executor.bracket_order(SPY, 10, stop_loss_price=99.0).close()
    assert len(executor.shell.recent) == 1
    after = [operations.get_operation_status(group.id) for group in (refused, plain, back)]
    kept = ("id", "type", "state", "started_at", "ended_at", "errors", "groups", "note")
    assert [[row[name] for name in kept] for row in after] == [[row[name] for name in kept] for row in before]
    assert [row["state"] for row in after] == ["completed", "completed", "rolled_back"]
    assert [row["errors"] for row in after] == [["scripted"], [], []]
    assert after[1]["ended_at"] == opened
    again = operations.get_recovery_statistics()
    counts = ("started", "completed", "rolled_back", "recovery_attempts", "recoveries_won")
    assert [found[name] for name in counts] == [3, 2, 1, 1, 1]
    assert [again[name] for name in counts] == [5, 4, 1, 1, 1]
    ids = [row["id"] for row in operations.all()]
    assert ids == sorted(ids)


def test_an_operation_that_was_cleaned_up_does_not_come_back():
    """Neither while its group is in memory nor when that leaves it."""
    executor, venue = start(settings=Settings(recent_ends=1))
    group = executor.bracket_order(SPY, 10, stop_loss_price=99.0)
    group.close()
    venue.clock += 100
    assert executor.operations.cleanup_stale_operations(50.0) == 1
    assert executor.operations.all() == []
    executor.bracket_order(SPY, 10, stop_loss_price=99.0).close()
    executor.bracket_order(SPY, 10, stop_loss_price=99.0).close()
    assert group.id not in [row["id"] for row in executor.operations.all()]
