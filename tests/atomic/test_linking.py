"""Orders that work already become an OCO pair, and are let go of again (E4)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.ports import BrokerOrder
from atomic.vocabulary import Phase
from tests.atomic.bracket_venue import SPY, Venue, start, working


class Shown(Venue):
    """A venue that shows orders of the owner's own: a limit and a stop around the price, and what a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = {7: self.order(7, 10, "limit", limit=99.0), 8: self.order(8, 10, "stop_market", stop=101.0)}

    def order(self, number: int, quantity: int, kind: str, **more: Any) -> BrokerOrder:
        terms: dict[str, Any] = {"filled": 0, "limit": 0.0, "stop": 0.0, **more}
        return BrokerOrder(
            number, (), SPY.symbol, quantity, terms["filled"], kind, terms["limit"], terms["stop"], "mine", self.clock,
            SimpleNamespace(symbol=SPY),
        )  # fmt: skip

    def open_orders(self) -> list[BrokerOrder]:
        return list(self.shown.values())

    def adopt(self, group_id: str, number: int, order: BrokerOrder) -> None:
        super().adopt(group_id, number, order)
        self.requests[(group_id, number)] = SimpleNamespace(
            group_id=group_id, number=number, symbol=order.symbol, quantity=order.quantity
        )
        self.sink.on_fact(group_id, f.Identified(self.clock, number, order.lean_id, order.broker_ids))
        self.sink.on_fact(group_id, f.Accepted(self.clock, number))


def linked() -> tuple[AtomicOrderExecutor, Shown, Any]:
    executor, venue = start(Shown())
    return executor, venue, executor.link_oco([7, SimpleNamespace(order_id=8)])


def test_linked_orders_are_not_touched_until_one_fills_and_then_the_other_goes() -> None:
    """By ticket or by id: nothing is sent or cancelled, a partial fill of one cancels the other, its rest works on."""
    _, venue, pair = linked()
    assert working(pair) == [("entry", 10, 99.0), ("entry", 10, 101.0)]
    assert [call[0] for call in venue.calls] == ["adopt", "adopt"]
    venue.fill((pair.id, 1), 4)
    assert working(pair) == [("entry", 6, 99.0)]
    assert venue.calls[-1] == ("cancel", 2)


def test_unlinked_orders_go_on_by_themselves() -> None:
    """Both fill, nothing is cancelled and nothing is taken back."""
    _, venue, pair = linked()
    pair.unlink()
    venue.fill((pair.id, 1), 10)
    assert working(pair) == [("entry", 10, 101.0)]
    venue.fill((pair.id, 2), 10)
    assert (venue.holdings[SPY.symbol], pair.state) == (20, Phase.OPEN)
    assert not [call for call in venue.calls if call[0] in ("submit", "cancel")]


def test_an_unlinked_order_that_ends_leaves_the_other_alone() -> None:
    """Its owner cancels one by hand: the other works on."""
    executor, venue, pair = linked()
    pair.unlink()
    executor.shell.on_fact(pair.id, f.Canceled(venue.clock, 2))
    assert working(pair) == [("entry", 10, 99.0)]


def test_what_was_linked_is_remembered_over_a_restart() -> None:
    """The journal has the pair, its orders and that it was unlinked."""
    store = MemoryStore()
    venue = Shown()
    executor, _ = start(venue, store=store)
    pair = executor.link_oco([7, 8])
    pair.unlink()
    loaded = AtomicOrderExecutor(None, "bracket", gateway=Shown(), store=store).groups.get(pair.id)
    assert loaded is not None
    assert working(loaded) == [("entry", 10, 99.0), ("entry", 10, 101.0)]
    assert loaded.record.memory["unlinked"]


@pytest.mark.parametrize(
    ("orders", "word"),
    [
        ([7], "at least two orders, got 1"),
        ([7, 7], "order 7 is given twice"),
        ([7, 9], "order 9 does not work"),
        ([7, 10], "order 10 has filled 3 already"),
        ([7, 11], "order 11 is a market order"),
        ([7, "x"], "'x' is no order"),
        ([7, True], "True is no order"),
        ([7, 8.5], "8.5 is no order"),
        (7, "orders"),
    ],
)
def test_what_cannot_be_linked_is_named_and_nothing_changes(orders: Any, word: str) -> None:
    """Checked before anything is taken over."""
    executor, venue = start(Shown())
    venue.shown[10] = venue.order(10, 10, "limit", limit=99.0, filled=3)
    venue.shown[11] = venue.order(11, 10, "market")
    with pytest.raises(ValueError, match=word):
        executor.link_oco(orders)
    assert not executor.groups.all
    assert not venue.calls


def test_a_contract_whose_holdings_do_not_add_up_is_named_first() -> None:
    """What is missing there would be taken for a fill of the linked orders after a restart."""
    executor, _ = start(Shown())
    executor.shell.outside.closed_contracts[SPY.symbol] = "the account holds 3 that no group explains"
    with pytest.raises(ValueError, match="SPY: the account holds 3 that no group explains"):
        executor.link_oco([7, 8])
    assert not executor.groups.all


def test_an_order_of_a_group_is_not_linked_again() -> None:
    """Its links are those of its group."""
    executor, _, pair = linked()
    with pytest.raises(ValueError, match=f"order 7 belongs to group {pair.id}"):
        executor.link_oco([7, 8])


def test_what_has_no_link_or_has_decided_cannot_be_unlinked() -> None:
    """A bracket; a pair of which one has filled."""
    executor, venue, pair = linked()
    venue.fill((pair.id, 1), 1)
    with pytest.raises(ValueError, match="has filled"):
        pair.unlink()
    with pytest.raises(ValueError, match="there is no link"):
        executor.bracket_order(SPY, 10, stop_loss_price=90.0).unlink()
