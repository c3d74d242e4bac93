"""An update whose event never comes is answered by the ticket."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from atomic import facts as f


@pytest.fixture
def reader() -> Any:
    from workbench.engine.imports import install

    install()
    from atomic.bridge.reader import Reader
    from atomic.bridge.slots import Slot

    algorithm = SimpleNamespace(utc_time=__import__("datetime").datetime(2024, 1, 2, 15))
    made = Reader(algorithm, None, True)  # type: ignore[arg-type]
    told: list[Any] = []
    made.sink = SimpleNamespace(on_fact=lambda group_id, fact: told.append(fact))  # type: ignore[assignment]
    slot = Slot("t-000001", 1, "X", "tag", 0.0)
    slot.asked = (-7, 0.0, 99.5)
    return SimpleNamespace(reader=made, slot=slot, told=told)


def ticket(quantity: float, stop: float, *, error: str = "") -> Any:
    from AlgorithmImports import OrderStatus  # type: ignore[attr-defined]

    response = SimpleNamespace(is_error=bool(error), error_message=error)
    return SimpleNamespace(
        status=OrderStatus.SUBMITTED, quantity=quantity, quantity_filled=0.0, average_fill_price=0.0,
        update_requests=[SimpleNamespace(response=response)], get=lambda field: stop,
    )  # fmt: skip


def test_the_ticket_shows_the_new_terms(reader: Any) -> None:
    """New quantity and stop on the ticket mean that the update was taken."""
    reader.slot.ticket = ticket(-7.0, 99.5)
    reader.reader.read(reader.slot)
    assert [type(fact) for fact in reader.told] == [f.Accepted, f.Replaced]
    assert reader.told[-1][2:5] == (-7, 0.0, 99.5)


def test_the_request_shows_an_error(reader: Any) -> None:
    """An update that was refused without an event is told as refused, once."""
    reader.slot.ticket = ticket(-10.0, 99.0, error="not allowed")
    reader.reader.read(reader.slot)
    reader.reader.read(reader.slot)
    assert [type(fact) for fact in reader.told] == [f.Accepted, f.ReplaceRefused, f.Accepted]


def test_the_old_terms_answer_nothing(reader: Any) -> None:
    """While the ticket shows the old terms the update is still open."""
    reader.slot.ticket = ticket(-10.0, 99.0)
    reader.reader.read(reader.slot)
    assert [type(fact) for fact in reader.told] == [f.Accepted]
    assert reader.slot.asked is not None


def filled(quantity: float, *, error: str = "") -> Any:
    """The ticket of a complete order whose last fill is told while an update of it is pending."""
    from AlgorithmImports import OrderStatus  # type: ignore[attr-defined]

    shown = ticket(quantity, 99.5, error=error)
    shown.status, shown.quantity_filled, shown.average_fill_price = OrderStatus.FILLED, quantity, 99.4
    return shown


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        pytest.param((-5.0, ""), f.ReplaceRefused, id="never taken"),
        pytest.param((-5.0, "order is closed"), f.ReplaceRefused, id="refused"),
        pytest.param((-7.0, ""), f.Replaced, id="taken"),
    ],
)
def test_a_complete_order_answers_its_update(reader: Any, shown: tuple[float, str], answer: type) -> None:
    """LEAN takes no update of a complete order any more: whatever is pending is answered with its last fill."""
    from AlgorithmImports import OrderStatus  # type: ignore[attr-defined]

    quantity, error = shown
    slot = reader.slot
    slot.ticket, slot.lean_id = filled(quantity, error=error), 4
    reader.reader.book.adopt(slot)
    fee = SimpleNamespace(value=SimpleNamespace(amount=1.0))
    reader.reader.on_order_event(SimpleNamespace(order_id=4, status=OrderStatus.FILLED, order_fee=fee))
    assert [type(fact) for fact in reader.told] == [f.Filled, answer]
    assert slot.asked is None
