"""A brokerage that keeps no orders over a restart: LEAN's paper brokerage, known by the ids it gives."""

from atomic.facts import Identified, apply
from atomic.model import GroupState
from atomic.reconcile import match
from atomic.vocabulary import ChildStatus, HoldCause, Outcome, Phase
from tests.atomic.reconcile.world import NOW, bracket_of, fold, group_of, order_of, shown, view_of


def named(group: GroupState, *numbers: int, first: int, prefix: str = "") -> None:
    """LEAN numbered these orders from `first` on; the brokerage's ids are the same, or with a prefix of its own."""
    for lean_id, number in enumerate(numbers, first):
        apply(group, Identified(NOW - 40.0, number, lean_id, (f"{prefix}{lean_id}",)))


def two_brackets(prefix: str = "") -> tuple[GroupState, GroupState]:
    """One holds 10 with a stop and a target; the entry of the other one, of 10 too, waits at its limit."""
    open_ = bracket_of(10)
    stop = order_of(open_, -10, limit=0.0, purpose="sl")
    target = order_of(open_, -10, limit=1.5, purpose="tp")
    named(open_, stop, target, first=2, prefix=prefix)
    waiting = bracket_of(10, name="bracket-000002", entered=False)
    named(waiting, order_of(waiting, 10, limit=0.9, purpose="entry"), first=4, prefix=prefix)
    return open_, waiting


def test_what_paper_forgot_has_ended_unfilled() -> None:
    """The holdings are the journal's and nothing is shown: no group is held, the waiting entry has ended."""
    open_, waiting = two_brackets()
    verdict = match(view_of([open_, waiting], [], {"C750": 10}))
    fold(verdict, [open_, waiting])
    assert (open_.held, open_.legs[0].net, open_.live) == (None, 10, {})
    assert {order.status for order in open_.failures.values()} == {ChildStatus.CANCELED}
    assert (waiting.held, waiting.phase, waiting.outcome) == (None, Phase.CLOSED, Outcome.ROLLED_BACK)


def test_another_brokerage_keeps_its_orders() -> None:
    """With ids of its own the stop and the entry may both have filled: both are held, as before."""
    open_, waiting = two_brackets(prefix="U")
    fold(match(view_of([open_, waiting], [], {"C750": 10})), [open_, waiting])
    assert {open_.held, waiting.held} == {HoldCause.AMBIGUOUS}


def test_what_paper_filled_before_it_stopped_is_not_forgotten() -> None:
    """The account has moved since the journal was written: the histories decide, as anywhere."""
    open_, waiting = two_brackets()
    fold(match(view_of([open_, waiting], [], {"C750": 15})), [open_, waiting])
    assert HoldCause.AMBIGUOUS in {open_.held, waiting.held}


def test_an_account_that_shows_an_order_forgets_none() -> None:
    """Somebody's order is shown, in another contract: this brokerage keeps orders, whatever ids it gives."""
    open_, waiting = two_brackets()
    view = view_of([open_, waiting], [shown("C755", 1)], {"C750": 10})
    fold(match(view), [open_, waiting])
    assert {open_.held, waiting.held} == {HoldCause.AMBIGUOUS}


def test_an_order_on_its_way_to_paper_is_not_waited_for() -> None:
    """An intent without an answer ended with the process, too: no quiet period, it never left."""
    open_, waiting = two_brackets()
    lost = order_of(waiting, 10, "sent", limit=0.8, purpose="entry")
    verdict = match(view_of([open_, waiting], [], {"C750": 10}))
    fold(verdict, [open_, waiting])
    assert (open_.held, waiting.held, verdict.unsettled) == (None, None, frozenset())
    assert waiting.orders[lost].status is ChildStatus.WITHDRAWN


def test_all_or_none_groups_that_paper_forgot() -> None:
    """Two groups on opposite sides of one contract: neither is held, both follow their restart policy."""
    buys, sells = group_of(), group_of("condor-000002")
    named(buys, order_of(buys, 10), first=1)
    named(sells, order_of(sells, -10), first=2)
    fold(match(view_of([buys, sells], [], {})), [buys, sells])
    assert {buys.phase, sells.phase} == {Phase.CLOSED}
