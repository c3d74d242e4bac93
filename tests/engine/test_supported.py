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
