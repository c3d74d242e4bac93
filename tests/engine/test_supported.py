"""What the document says the engine has is what it has."""

from __future__ import annotations

import pytest

from workbench.engine.members import TABLE, MemberNotSupportedError, lean_members
from workbench.engine.supported import BEGIN, DOC, END, read_stubs, render


def test_table_of_members_is_current() -> None:
    """docs/engine.md and members.txt are what `python -m workbench.engine.supported` writes."""
    table = read_stubs()
    if table is None:
        pytest.skip("quantconnect-stubs is not installed")
    text = DOC.read_text(encoding="utf-8")
    shown = text[text.index(BEGIN):text.index(END) + len(END)]
    assert shown == render(table), "run: python -m workbench.engine.supported"
    written = "".join(f"{name}: {' '.join(members)}\n" for name, members in table.items())
    assert TABLE.read_text(encoding="utf-8") == written, "run: python -m workbench.engine.supported"


def test_names_of_lean_that_are_not_here_say_so_when_used() -> None:
    """Every name of LEAN's AlgorithmImports is either here or refuses with its own name."""
    from workbench.engine.imports import install
    from workbench.engine.members import NotHere
    module = install()
    missing = [name for name in lean_members("*") if isinstance(vars(module).get(name), NotHere)]
    assert "SimpleMovingAverage" in missing
    assert "QCAlgorithm" not in missing
    for name in missing:
        with pytest.raises(MemberNotSupportedError, match=f"^{name} is not supported"):
            vars(module)[name]()
        assert not hasattr(vars(module)[name], "anything")


def test_star_import_brings_what_lean_brings() -> None:
    """The star import gives numpy, lazy pandas, dates, math, json and typing besides LEAN's own names."""
    from workbench.engine.imports import install
    names = set(install().__all__)
    assert {"np", "pd", "date", "time", "datetime", "timedelta", "math", "json", "List", "Dict", "Optional",
            "QCAlgorithm", "Resolution", "OptionRight", "Symbol", "Leg", "OrderStatus", "FillModel", "TradeBar",
            "Market"} <= names


def _a_ticket() -> object:
    from workbench.engine.tickets import OrderTicket

    return object.__new__(OrderTicket)


def test_members_of_lean_that_a_class_lacks_say_so_under_both_names() -> None:
    """`hasattr` answers False; reading names the class, the member and the cure; a slip of the pen is a plain error."""
    from workbench.engine.tickets import OrderTicket

    lacking = [name for name in lean_members("OrderTicket") if not hasattr(OrderTicket, name)]
    assert lacking
    ticket = _a_ticket()
    for name in lacking:
        for spelt in (name, "".join(word.capitalize() for word in name.split("_"))):
            assert not hasattr(ticket, spelt)
            with pytest.raises(MemberNotSupportedError, match=f"^OrderTicket.{name} is not supported"):
                getattr(ticket, spelt)
    with pytest.raises(AttributeError, match="'OrderTicket' object has no attribute 'stauts'"):
        ticket.stauts  # type: ignore[attr-defined]


def test_csharp_names_are_the_members_themselves() -> None:
    """`ticket.QuantityFilled` is `ticket.quantity_filled`, of classes and of what their instances are given."""
    from workbench.engine.tickets import OrderTicket

    ticket = OrderTicket(None, None)  # type: ignore[arg-type]
    ticket._filled = 3.0
    assert ticket.QuantityFilled == ticket.quantity_filled == 3.0
    ticket.submit_request = "the request"  # type: ignore[assignment]
    assert ticket.SubmitRequest == "the request"


def test_indicators_are_named_when_an_algorithm_asks_for_them() -> None:
    """`self.ATR(...)` and `self.atr(...)` say that the engine has no indicators, not that there is no such name."""
    from workbench.engine.algorithm import QCAlgorithm

    algorithm = object.__new__(QCAlgorithm)
    for spelt in ("atr", "Atr", "ATR"):
        with pytest.raises(MemberNotSupportedError, match=r"^QCAlgorithm\.atr is not supported"):
            getattr(algorithm, spelt)
    algorithm.atr = 2.5
    assert algorithm.atr == 2.5
