"""Cards AOE-05 to AOE-12: going back, recovery, several strategies, the audit trail."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from card_play import Script

from atomic import Policy
from atomic.audit import audit_record

LEGGED = {"policy": Policy(native="never")}


def test_aoe_05_rollback_leaves_other_positions_alone(play: Any) -> None:
    """AOE-05 (A5) A roll-back reverses exactly the group's own share, also the filled part of a partial.

    Prerequisite: three contracts of the long put bought by hand, two shares of the underlying.
    Action: open four condors whose shorts fill only by half.
    Events: longs filled, shorts partial, time-out, cancels, shorts bought back before the longs are sold.
    Pass: outcome ROLLED_BACK, every leg's net 0, the hand-made positions are what they were.
    """

    def by_hand(a: Any) -> None:
        a.market_order(a.lp, 3, tag="by hand")
        a.market_order(a.goog, 2, tag="by hand")

    played = play(
        Script(
            steps={"09:45:00": by_hand, "10:00:00": lambda a: a.condor("condor", 4)},
            fault="partial-fill", fault_options={"after": "09:59"}, executor_options=LEGGED,
        )
    )  # fmt: skip
    a = played.algorithm
    group = a.groups["condor"]
    assert group.outcome == "rolled_back"
    assert all(leg.net == 0 for leg in group.legs)
    assert sorted(played.holdings().values()) == [2, 3]
    reversing = [(symbol[-9], fill) for _, tag, symbol, fill, *_ in a.seen if fill and tag.endswith(":unwind")]
    for right in "PC":
        fills = [fill for side, fill in reversing if side == right]
        assert fills == sorted(fills, reverse=True), "a short is bought back before the long that covers it is sold"
    assert sum(abs(fill) for _, fill in reversing) == 4 + 4 + 2 + 2
    assert group.rollback_cost > 0


def test_aoe_06_recovery_flatten_and_alert(play: Any) -> None:
    """AOE-06 (A6) An incomplete group is reversed at the next start; emergency flatten and operator alerts work.

    Prerequisite: a run killed two seconds after its longs filled while the shorts rest.
    Action: start again on what the journal and the account kept; later open a condor and flatten everything.
    Events: start report with the group unwound; alerts emergency-flatten and operator.
    Pass: the first group ends rolled back and flat, the second is closed, nothing opens after the flatten.
    """
    first = play(
        Script(steps={"10:00:00": lambda a: a.condor()}, fault="never-fill", executor_options=LEGGED),
        stop_at="10:00:02", durable="1",
    )  # fmt: skip
    assert len(first.holdings()) == 2

    def flatten(a: Any) -> None:
        a.atomic.check_and_recover_incomplete_orders()
        a.atomic.alert_operator("drill")
        assert a.atomic.emergency_flatten("drill") == 1
        a.condor("after")

    second = play(
        Script(steps={"11:30:00": lambda a: a.condor("new"), "11:40:00": flatten}, executor_options=LEGGED),
        start_at="10:00:02", account=first.result.account, store=first.store, resume="1",
    )  # fmt: skip
    a = second.algorithm
    assert a.start_report.count("unwound") == 1
    groups = second.journaled()
    assert groups["card-000001"].outcome == "rolled_back"
    assert a.groups["new"].is_done
    assert not second.holdings()
    assert {"emergency-flatten", "operator"} <= {alert.code for alert in a.alerts}
    assert a.groups["after"].outcome == "refused"


def test_aoe_07_rapid_move_rejects_the_last_leg(play: Any) -> None:
    """AOE-07 (A7) The market moves and the last leg is rejected after the others filled.

    Prerequisite: independent legs.
    Action: open two condors; the fourth contract's order is rejected when it should fill.
    Events: three legs filled, one rejected, reversal.
    Pass: ROLLED_BACK, flat, the reason names the leg, the cost is on record.
    """
    played = play(
        Script(
            steps={"10:00:00": lambda a: a.condor("condor", 2)}, fault="reject-leg",
            fault_options={"leg": "fourth"}, executor_options=LEGGED,
        )
    )  # fmt: skip
    group = played.algorithm.groups["condor"]
    assert group.outcome == "rolled_back"
    assert "rejected" in group.reason
    assert not played.holdings()
    assert sum(1 for order in group.orders if order.status == "rejected") == 1
    assert group.rollback_cost > 0


def test_aoe_08_buying_power_runs_out_at_leg_four(play: Any) -> None:
    """AOE-08 (A7) Buying power runs out at the fourth leg.

    Prerequisite: a small account; a structure whose fourth leg is partly naked and allowed to be.
    Action: open it.
    Events: three legs filled, the fourth refused for margin, reversal.
    Pass: ROLLED_BACK, flat, the refusal is classified as margin.
    """

    def act(a: Any) -> None:
        legs = [(a.lp, 1), (a.lc, 1), (a.sp, -1), (a.sc, -2)]
        a.groups["four"] = a.atomic.execute_atomic(legs, 1, "one_naked_call")

    played = play(
        Script(
            steps={"10:00:00": act}, cash=4_000.0,
            executor_options={"policy": Policy(native="never", allow_naked=True)},
        )
    )  # fmt: skip
    group = played.algorithm.groups["four"]
    assert group.outcome == "rolled_back", group.summary()
    refused = [order for order in group.orders if order.status == "rejected"]
    assert [str(order.reject) for order in refused] == ["margin"]
    assert len([order for order in group.orders if order.purpose == "open" and order.cum_qty]) == 3
    assert not played.holdings()


def test_aoe_09_crash_between_any_two_steps(play: Any, tmp_path: Path) -> None:
    """AOE-09 (A7) The process dies between any two order events of a condor's life.

    Prerequisite: the journal's bytes on disk and the account at each order event of a whole life.
    Action: start again from each of them.
    Events: incomplete groups are reversed, the complete one is found complete, the closing one goes on closing.
    Pass: each restart ends with what the policy prescribes: flat, or the whole condor; never a part of it.
    """
    shots: list[tuple[Path, dict[str, Any], str]] = []
    store = tmp_path / "first"

    def shoot(a: Any, event: Any) -> None:
        folder = tmp_path / f"shot-{len(shots)}"
        shutil.copytree(store, folder)
        held = [h.value for h in a.portfolio if h.value.quantity]
        holdings = [
            {"symbol_id": str(h.symbol.id), "symbol": str(h.symbol.value), "quantity": h.quantity,
             "average_price": h.average_price, "price": h.price}
            for h in held
        ]  # fmt: skip
        account = {"cash": a.portfolio.cash, "holdings": holdings}
        shots.append((folder, account, str(a.time).split(" ")[1]))

    steps = {"10:00:00": lambda a: a.condor("condor", 2), "10:30:00": lambda a: a.groups["condor"].close()}
    play(Script(steps=steps, on_order_event=shoot, executor_options=LEGGED), store=store, durable="1")
    assert len(shots) == 16
    endings = []
    for folder, account, clock in shots:
        second = f"{clock[:6]}30"
        played = play(Script(executor_options=LEGGED), start_at=second, account=account, store=folder, resume="1")
        held = sorted(played.holdings().values())
        (group,) = played.journaled().values()
        assert held in ([], [-2, -2, 2, 2]), (clock, account, held, group.held_why)
        assert group.phase in ("closed", "open"), (clock, group.phase, group.held_why)
        endings.append("open" if held else "flat")
    # the last fill of the opening is known from the account only: the order had left, so it is complete
    assert endings == ["flat"] * 7 + ["open"] + ["flat"] * 8


def test_aoe_10_several_strategies_at_once(play: Any) -> None:
    """AOE-10 (A7) Three strategies in one executor; one fails, the others stand.

    Prerequisite: shared contracts between the groups.
    Action: open a condor, a put spread whose short is rejected, and a strangle at the same minute.
    Events: the put spread goes back while the others open.
    Pass: the put spread is ROLLED_BACK, condor and strangle are open with all legs; the account holds their sum.
    """

    def act(a: Any) -> None:
        a.condor("condor", 1)
        a.script_fault = True
        a.groups["strangle"] = a.atomic.execute_strangle_atomic(a.lc, a.lp, quantity=2)

    def spread(a: Any) -> None:
        a.groups["spread"] = a.atomic.execute_put_spread_atomic(a.sp, a.lp, quantity=1)

    played = play(
        Script(
            steps={"10:00:00": act, "10:05:00": spread}, fault="reject-leg",
            fault_options={"leg": "short-put", "after": "10:04"}, executor_options=LEGGED,
        )
    )  # fmt: skip
    a = played.algorithm
    assert a.groups["condor"].is_open
    assert a.groups["strangle"].is_open
    assert a.groups["spread"].outcome == "rolled_back"
    assert [a.held(s) for s in (a.lp, a.sp, a.sc, a.lc)] == [3, -1, -1, 3]


def test_aoe_11_restart_with_a_partial_fill(play: Any) -> None:
    """AOE-11 (A7, scenario 1) Order of 10, 3 filled and journaled; kill; 2 more fill while down.

    Prerequisite: a put spread of ten whose long leg fills three.
    Action: kill; the account moves by two more contracts; start again.
    Events: start report explains the two by the order that was working; reversal.
    Pass: exactly five are sold, the group ends ROLLED_BACK and flat.
    """

    def act(a: Any) -> None:
        a.groups["spread"] = a.atomic.execute_put_spread_atomic(a.sp, a.lp, quantity=10)

    first = play(
        Script(
            steps={"10:00:00": act}, fault="partial-fill", fault_options={"leg": "long-put", "fraction": 0.3},
            executor_options=LEGGED,
        ),
        stop_at="10:00:02", durable="1",
    )  # fmt: skip
    assert list(first.holdings().values()) == [3]
    account = {**first.result.account, "holdings": [dict(held) for held in first.result.account["holdings"]]}
    account["holdings"][0]["quantity"] = 5
    second = play(
        Script(executor_options=LEGGED), start_at="10:00:02", account=account, store=first.store, resume="1"
    )
    sold = [fill for _, _, _, fill, *_ in second.algorithm.seen if fill]
    assert sold == [-5]
    assert not second.holdings()
    (group,) = second.journaled().values()
    assert group.outcome == "rolled_back"


def test_aoe_12_audit_trail(play: Any) -> None:
    """AOE-12 (A8) Every fact and every order of a group stands in its timeline with time and reason.

    Prerequisite: a roll-back.
    Action: read the archive back.
    Events: none.
    Pass: for each order its intent, sending and end; the decision to go back with its reason; times never decrease.
    """
    played = play(
        Script(steps={"10:00:00": lambda a: a.condor("condor", 2)}, fault="never-fill", executor_options=LEGGED)
    )
    (group,) = played.journaled().values()
    record = audit_record(group)
    lines = record["timeline"]
    assert record["reason"].startswith("not filled in time")
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    for number in group.orders:
        kinds = [line["kind"] for line in lines if line.get("order") == number]
        assert kinds[:2] == ["intended", "sent"]
        assert kinds[-1] in ("filled", "canceled")
    assert any(line["kind"] == "target" and "not filled" in line["why"] for line in lines)
    assert record["rollback_cost"] == round(played.algorithm.groups["condor"].rollback_cost, 2)
