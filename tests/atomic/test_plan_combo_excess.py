"""A combo's cancelled predecessor may fill late: what is too much goes back, the group stands."""

from __future__ import annotations

from atomic import diff
from atomic import facts as f
from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.plan import Env, decisions, desired_orders, still_wanted
from atomic.policy import AT_MID, Policy
from atomic.vocabulary import Kind, Outcome, Phase, Purpose, Right

ENV = Env(live=True, combo_limit=True, combo_market=True)
SHORT = LegSpec("P95", -1, Right.PUT, 95.0, "2026-01-16", "U")
LONG = LegSpec("P90", 1, Right.PUT, 90.0, "2026-01-16", "U")
QUOTES = {s: Quote(0.95, 1.05, 1.0, 1e9) for s in ("P95", "P90")}


def test_a_late_fill_of_an_earlier_bundle_is_sold_back_while_the_unit_stays() -> None:
    """Two longs, one short, one unit asked, units kept: one long is sold, the group is OPEN."""
    policy = Policy(ladder=AT_MID, keep_units=True)
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "put_spread", (SHORT, LONG), 1, 0.0, policy))
    for fact in (
        f.Opening(0.0),
        f.Remembered(0.0, "native", True),
        f.Wave(0.0, 1, 5.0),
        f.Rung(0.0, 0, "open", 0, -0.01),
        f.Intended(0.0, 1, 1, "open", 0, 1, "limit", -0.01, 0.0, "g-1:1:open", 1),
        f.Intended(0.0, 2, 0, "open", 0, -1, "limit", -0.01, 0.0, "g-1:2:open", 1),
        f.Sent(0.0, 1),
        f.Sent(0.0, 2),
        f.CancelAsked(1.0, 1, ""),
        f.CancelAsked(1.0, 2, ""),
        f.Canceled(1.0, 1),
        f.Canceled(1.0, 2),
        f.Rung(1.0, 0, "open", 1, 0.05),
        f.Intended(1.0, 3, 1, "open", 1, 1, "limit", 0.05, 0.0, "g-1:3:open", 3),
        f.Intended(1.0, 4, 0, "open", 1, -1, "limit", 0.05, 0.0, "g-1:4:open", 3),
        f.Sent(1.0, 3),
        f.Sent(1.0, 4),
        f.Filled(2.0, 1, 1, 0.5, 0.0),
        f.Filled(2.0, 3, 1, 1.0, 0.0),
        f.Filled(2.0, 4, 1, 1.0, 0.0),
    ):
        f.apply(group, fact)
    for fact in decisions(group, 2.0, QUOTES, ENV):
        f.apply(group, fact)
    sends = [c for c in diff.commands(group, desired_orders(group, 2.0, QUOTES, ENV), 2.0, ENV)
             if isinstance(c, f.Intended)]  # fmt: skip
    assert [(s.leg, s.purpose, s.quantity) for s in sends] == [(1, Purpose.EXCESS, -1)]
    f.apply(group, sends[0])
    assert still_wanted(group, group.orders[5], ENV)
    f.apply(group, f.Sent(2.0, 5))
    assert not [c for c in diff.commands(group, desired_orders(group, 2.0, QUOTES, ENV), 2.0, ENV)
                if isinstance(c, diff.Cancel | f.Intended)]  # fmt: skip
    f.apply(group, f.Filled(3.0, 5, 1, 0.95, 0.0))
    assert (group.phase, group.outcome, [leg.net for leg in group.legs]) == (Phase.OPEN, Outcome.COMPLETE, [-1, 1])


def test_a_bundle_that_is_not_needed_any_more_is_cancelled() -> None:
    """Both legs of the cancelled bundle filled late: the one that works would double the unit."""
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "put_spread", (SHORT, LONG), 1, 0.0, Policy(ladder=AT_MID)))
    for fact in (
        f.Opening(0.0),
        f.Remembered(0.0, "native", True),
        f.Wave(0.0, 1, 5.0),
        f.Rung(0.0, 0, "open", 0, -0.01),
        *(
            f.Intended(0.0, n, i, "open", 0, q, "limit", -0.01, 0.0, f"g-1:{n}:open", 1)
            for n, i, q in ((1, 1, 1), (2, 0, -1))
        ),
        f.Sent(0.0, 1),
        f.Sent(0.0, 2),
        f.CancelAsked(1.0, 1, ""),
        f.CancelAsked(1.0, 2, ""),
        f.Canceled(1.0, 1),
        f.Canceled(1.0, 2),
        f.Rung(1.0, 0, "open", 1, 0.05),
        *(
            f.Intended(1.0, n, i, "open", 1, q, "limit", 0.05, 0.0, f"g-1:{n}:open", 3)
            for n, i, q in ((3, 1, 1), (4, 0, -1))
        ),
        f.Sent(1.0, 3),
        f.Sent(1.0, 4),
        f.Accepted(1.0, 3),
        f.Accepted(1.0, 4),
        f.Filled(2.0, 1, 1, 1.0, 0.0),
        f.Filled(2.0, 2, 1, 1.0, 0.0),
    ):
        f.apply(group, fact)
    found = diff.commands(group, desired_orders(group, 2.0, QUOTES, ENV), 2.0, ENV)
    assert {c.number for c in found if isinstance(c, diff.Cancel)} == {3, 4}
    for number in (3, 4):
        f.apply(group, f.CancelAsked(2.0, number, ""))
        f.apply(group, f.Canceled(2.0, number))
    assert (group.phase, group.outcome) == (Phase.OPEN, Outcome.COMPLETE)


def test_a_combo_at_market_waits_for_the_side_that_every_leg_needs() -> None:
    """The rung was entered with quotes; a leg to be sold has lost its bid since: nothing is sent until it is back."""
    group = new_group(GroupSpec("g-1", Kind.ALL_OR_NONE, "put_spread", (SHORT, LONG), 1, 0.0, Policy()))
    for fact in (
        f.Opening(0.0),
        f.Remembered(0.0, "native", True),
        f.Wave(0.0, 1, 5.0),
        f.Rung(0.0, 0, "open", 0, 0.0),
    ):
        f.apply(group, fact)
    bidless = {**QUOTES, "P95": Quote(0.0, 1.05, 1.0, 1e9)}
    assert desired_orders(group, 1.0, bidless, ENV).orders == ()
    assert len(desired_orders(group, 1.0, QUOTES, ENV).orders) == 2
