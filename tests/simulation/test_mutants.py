"""Seeded faults in our own core: each is caught by name, and the healthy core passes the same runs.

A campaign that would also pass over a broken core proves nothing. Each mutant removes one safety rule; the oracle must
name the invariant that the rule protects, within a few hundred seeded runs or crash points.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import atomic.diff
import atomic.facts.fold
import atomic.facts.tables
import atomic.plan.opening
import atomic.plan.reducing
import atomic.quotes
import atomic.shell
from atomic import facts as f
from atomic.brackets import Brackets
from atomic.gates import Gates
from atomic.model import Quote
from atomic.outside import Outside
from atomic.plan import trouble
from atomic.protect import at_limit, contingent
from atomic.startup import Reconciler
from atomic.vocabulary import ChildStatus, HoldCause
from workbench.campaign.crash import Story
from workbench.campaign.drivers import shell
from workbench.campaign.runs import one
from workbench.campaign.scenarios import CONSTRAINED, DRAWN, ON_PAPER
from workbench.campaign.stories import scenarios

SEEDS = 400
#: the module; the package exports the function of the same name
match_module: Any = importlib.import_module("atomic.reconcile.match")

Patch = pytest.MonkeyPatch


def cover_rule_off(patch: Patch) -> None:
    """Shorts are sold and covers are sold without asking what they leave naked."""
    for room in (atomic.plan.opening, atomic.plan.reducing):
        patch.setattr(room, "movable", lambda shape, legs, index, quantity, room, units, opening: quantity)
        patch.setattr(room, "still_wanted", lambda group, order, env: True)


def cancel_is_the_end(patch: Patch) -> None:
    """A cancel that was taken counts as the end of the order."""
    for status in (ChildStatus.SENT, ChildStatus.WORKING, ChildStatus.PARTIAL):
        patch.setitem(f.ORDER_TABLE[status], "cancel_asked", ChildStatus.CANCELED)


def double_send(patch: Patch) -> None:
    """Every order leaves twice."""
    send = atomic.shell.Shell._send_next

    def twice(self: Any, group: Any, orders: Any, env: Any) -> None:
        send(self, group, orders, env)
        order = orders[0]
        if not order.bundle and order.status not in (ChildStatus.WITHDRAWN, ChildStatus.INTENDED):
            from atomic.ports import OrderRequest

            symbol = group.legs[order.leg].spec.symbol
            self.gateway.submit(OrderRequest(group.group_id, order.number, symbol, order.quantity, order.type,
                                             order.limit, order.stop, order.tag))  # fmt: skip

    patch.setattr(atomic.shell.Shell, "_send_next", twice)


def send_before_journal(patch: Patch) -> None:
    """The intent is written after the order has left."""
    wave = atomic.shell.Shell._send_wave
    record = atomic.shell.Shell._record

    def late(self: Any, group: Any, submits: Any, env: Any) -> None:
        patch.setattr(atomic.shell.Shell, "_record", lambda self, ends=True: True)
        try:
            wave(self, group, submits, env)
        finally:
            patch.setattr(atomic.shell.Shell, "_record", record)

    patch.setattr(atomic.shell.Shell, "_send_wave", late)


def late_fill_ignored(patch: Patch) -> None:
    """What fills after its order's end is not booked."""
    fold, *rest = atomic.facts.fold._ROWS[f.Filled]

    def deaf(group: Any, fact: Any) -> bool:
        order = group.orders.get(fact.order)
        return False if order is not None and order.status is ChildStatus.CANCELED else fold(group, fact)

    patch.setitem(atomic.facts.fold._ROWS, f.Filled, (deaf, *rest))


def fills_add_up(patch: Patch) -> None:
    """A repeated fill event is booked again: deltas instead of cumulative quantities."""
    fold, *rest = atomic.facts.fold._ROWS[f.Filled]

    def adds(group: Any, fact: Any) -> bool:
        order = group.orders.get(fact.order)
        if order is not None and 0 < fact.cum_qty <= order.cum_qty:
            fact = fact._replace(cum_qty=order.cum_qty + fact.cum_qty)
        return fold(group, fact)

    patch.setitem(atomic.facts.fold._ROWS, f.Filled, (adds, *rest))


def pending_orders_forgotten(patch: Patch) -> None:
    """A leg with an order that may fill gets another one."""
    patch.setattr(atomic.plan.reducing, "by_leg", lambda group: [None] * len(group.legs))
    patch.setattr(atomic.diff, "_own_share", lambda group, want: True)
    patch.setattr(atomic.diff, "_answering", lambda order, wants: None)
    patch.setattr(atomic.diff, "cancel_unwanted", lambda group, order, now, out: 0.0)
    for room in (atomic.plan.opening, atomic.plan.reducing):
        patch.setattr(room, "still_wanted", lambda group, order, env: True)


def bidless_sold_at_market(patch: Patch) -> None:
    """A missing bid is taken for the last price."""

    def last(quote: Quote, side: int, spec: Any) -> float:
        return (quote.ask if side > 0 else quote.bid) or quote.last

    for room in (atomic.plan.opening, atomic.plan.reducing):
        patch.setattr(room, "natural", last)


def session_gate_off(patch: Patch) -> None:
    """Orders are sent into a closed market."""
    ask = atomic.quotes.QuoteBook.__missing__

    def always(self: Any, symbol: str) -> Quote:
        quote: Quote = ask(self, symbol)._replace(open=True)
        self[symbol] = quote
        return quote

    patch.setattr(atomic.quotes.QuoteBook, "__missing__", always)


def tickets_never_polled(patch: Patch) -> None:
    """A lost event is never looked for, by timer or by sweep."""
    patch.setattr(Reconciler, "sweep", lambda self: [])
    patch.setattr(atomic.diff, "polls", lambda group, now: [])


def always_holds(patch: Patch) -> None:
    """Any refusal of a reducing order leaves the rest to a person."""

    def hold(group: Any, order: Any, now: float, env: Any) -> list[Any]:
        return list(trouble.hold(group, now, HoldCause.AMBIGUOUS, "too difficult"))

    patch.setattr(trouble, "_failed_reducing", hold)


def time_out_ignored(patch: Patch) -> None:
    """An opening that does not fill waits for ever."""
    patch.setattr(atomic.plan.opening, "_over", lambda group, now, quotes, env, shape: [])
    patch.setattr(trouble, "found", lambda group, now, env: [])


def losers_stay(patch: Patch) -> None:
    """Every member of a set keeps what it filled."""
    patch.setattr(contingent, "_reversals", lambda group, surplus: [])


def members_share_nothing(patch: Patch) -> None:
    """A fill of an OUO member leaves the others their whole size."""

    def whole(group: Any, sizes: list[int], found: list[Any]) -> None:
        for standing, size in zip(found, sizes, strict=True):
            standing.total, standing.kept = size, standing.cum

    patch.setattr(contingent, "_share", whole)


def sets_trade_at_night(patch: Patch) -> None:
    """Market orders of sets ask neither for the session nor for a price."""
    patch.setattr(contingent, "may_trade", lambda group, quotes, quantity, leg=0: True)


def first_violation(seeds: int = SEEDS, *, crash: bool = False, kind: str = "groups") -> str:
    """Name of the first broken invariant, "" when all runs are clean."""
    for seed in range(1, seeds + 1):
        result, _, _ = one(seed, shell, steps=50, crash=crash, kind=kind)
        if result.violations:
            return result.violations[0].name
    return ""


@pytest.mark.parametrize(
    ("mutant", "caught"),
    [
        (cover_rule_off, {"covered"}),
        (cancel_is_the_end, {"own-share", "covered", "conservation"}),
        (double_send, {"no-double"}),
        (send_before_journal, {"journal-before-send"}),
        (late_fill_ignored, {"conservation"}),
        (fills_add_up, {"conservation", "own-share"}),
        (pending_orders_forgotten, {"own-share", "covered", "runaway"}),
        (bidless_sold_at_market, {"bidless"}),
        (session_gate_off, {"session"}),
        (tickets_never_polled, {"converges"}),
        (always_holds, {"converges"}),
        (time_out_ignored, {"converges"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_mutant_of_the_core_is_caught(mutant: Callable[[Patch], None], caught: set[str], monkeypatch: Patch) -> None:
    """With one safety rule removed, the oracle names what it protects."""
    with monkeypatch.context() as patch:
        mutant(patch)
        found = first_violation()
        assert found in caught


@pytest.mark.parametrize(
    ("mutant", "caught"),
    [
        (losers_stay, {"converges"}),
        (members_share_nothing, {"converges"}),
        (sets_trade_at_night, {"session", "bidless"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_mutant_of_the_sets_is_caught(mutant: Callable[[Patch], None], caught: set[str], monkeypatch: Patch) -> None:
    """With one rule of contingent sets removed, the oracle names what it protects."""
    with monkeypatch.context() as patch:
        mutant(patch)
        assert first_violation(kind="sets") in caught


def closes_have_no_price(patch: Patch) -> None:
    """Closes leave at market where the venue takes no market orders."""
    patch.setattr(at_limit, "priced", lambda group, wants, now, quotes: (list(wants), 0.0))


def what_is_let_go_belongs_to_nobody(patch: Patch) -> None:
    """A position that leaves its group is forgotten."""
    patch.setattr(Brackets, "_let_go", lambda self, group, fact: None)


def strangers_are_forgotten(patch: Patch) -> None:
    """What was traded by hand is not remembered as somebody else's."""
    patch.setattr(Outside, "set_baseline", lambda self, symbol, quantity: None)


def rate_is_not_counted(patch: Patch) -> None:
    """What leaves is not taken from the allowance."""
    patch.setattr(Gates, "took", lambda self, now, *, reduces: None)


@pytest.mark.parametrize(
    ("mutant", "kind", "caught"),
    [
        (closes_have_no_price, "brackets constrained", {"converges"}),
        (rate_is_not_counted, "groups constrained", {"rate"}),
        (what_is_let_go_belongs_to_nobody, "brackets constrained", {"conservation"}),
        (strangers_are_forgotten, "linked constrained", {"conservation", "own-share"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_mutant_under_constraints_is_caught(
    mutant: Callable[[Patch], None], kind: str, caught: set[str], monkeypatch: Patch
) -> None:
    """With one rule removed that only some venues and houses need, the oracle names what it protects."""
    with monkeypatch.context() as patch:
        mutant(patch)
        assert first_violation(3 * SEEDS, kind=kind) in caught


@pytest.mark.parametrize("kind", ["groups", "sets", "managed", *(k for k in DRAWN if k.endswith(CONSTRAINED))])
def test_the_healthy_core_passes_the_runs_that_catch_the_mutants(kind: str) -> None:
    """The same seeds on the core as it is: no violation."""
    assert first_violation(kind=kind) == ""


def crash_violation() -> str:
    """First broken invariant when a process dies right after its first sends and the orders are seen late."""
    story = next(s for s in scenarios() if s.name == "open")
    reference = Story(story, shell)
    reference.play()
    for number in range(1, len(reference.points) + 1):
        for down in range(4):
            violations = Story(story, shell, (number,), down).play()
            if violations:
                return violations[0].name
    return ""


def unseen_is_forgotten(patch: Patch) -> None:
    """After a restart an intent that is not seen counts as never sent, at once."""
    order = match_module._order

    def forget(work: Any, known: Any) -> None:
        before = known.order.status
        order(work, known)
        if known.key not in work.paired and before in (ChildStatus.INTENDED, ChildStatus.SENT):
            work.verdict.add(known.key[0], f.Withdrawn(work.view.now, known.key[1], "not seen"))

    patch.setattr(match_module, "_order", forget)


def broker_truth_ignored(patch: Patch) -> None:
    """After a restart the account's holdings explain nothing."""
    patch.setattr(match_module, "_contracts", lambda work: None)


def paper_keeps_orders(patch: Patch) -> None:
    """LEAN's paper brokerage is taken for one at which orders may fill while nobody looks."""
    patch.setattr(match_module, "_forgotten", lambda view, orders: False)


def test_a_mutant_on_paper_is_caught(monkeypatch: Patch) -> None:
    """Groups in one contract are in doubt after a restart that lost no news: the oracle says so."""
    with monkeypatch.context() as patch:
        paper_keeps_orders(patch)
        assert first_violation(3 * SEEDS, crash=True, kind="brackets" + ON_PAPER) == "restart-equals-continue"


@pytest.mark.parametrize("kind", [kind for kind in DRAWN if kind.endswith(ON_PAPER)])
def test_restarts_on_paper_leave_nobody_in_doubt(kind: str) -> None:
    """Every kind of run at a brokerage that forgets its orders with each restart: no violation."""
    assert first_violation(SEEDS // 2, crash=True, kind=kind) == ""


@pytest.mark.parametrize("mutant", [unseen_is_forgotten, broker_truth_ignored], ids=lambda m: m.__name__)
def test_a_mutant_of_the_restart_is_caught(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """With one rule of the start removed, some crash point of a plain opening ends wrongly."""
    assert crash_violation() == ""
    with monkeypatch.context() as patch:
        mutant(patch)
        assert crash_violation() != ""
