"""`from AlgorithmImports import *`: the names an algorithm gets, without LEAN and without slow imports.

The module is registered once per process, because libraries bind its names when they are imported. `QuantConnect`,
`System` and `clr` are registered as modules that say where they work.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from workbench.engine.members import NotHere, lean_members

_REFUSED: Final = ("QuantConnect", "System", "clr")
_ROOMS: Final = (
    "workbench.engine.enums", "workbench.engine.identifiers", "workbench.engine.symbols", "workbench.engine.bars",
    "workbench.engine.slices", "workbench.engine.orders", "workbench.engine.order_types", "workbench.engine.requests",
    "workbench.engine.tickets", "workbench.engine.time_in_force", "workbench.engine.fills", "workbench.engine.fees",
    "workbench.engine.brokerages", "workbench.engine.brokerage_rules",
    "workbench.engine.margin_models", "workbench.engine.buying_power",
    "workbench.engine.margin_calls", "workbench.engine.expiry", "workbench.engine.securities",
    "workbench.engine.exchange", "workbench.engine.options", "workbench.engine.security_manager",
    "workbench.engine.holdings", "workbench.engine.portfolio", "workbench.engine.transactions",
    "workbench.engine.schedule", "workbench.engine.schedule_rules", "workbench.engine.legs",
    "workbench.engine.strategies", "workbench.engine.targets", "workbench.engine.framework",
    "workbench.engine.insights",
    "workbench.engine.commands", "workbench.engine.results", "workbench.engine.settings", "workbench.engine.store",
    "workbench.engine.feed_contract", "workbench.engine.hours", "workbench.engine.properties",
    "workbench.engine.chains", "workbench.engine.filters", "workbench.engine.pricing", "workbench.engine.markets",
    "workbench.engine.algorithm",
)
_TYPING: Final = ("Any", "Callable", "Dict", "Generator", "Iterable", "List", "Optional", "Set", "Tuple", "Union")


class LazyModule(types.ModuleType):
    """A module that is imported when somebody first uses it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute != "__version__":
            raise AttributeError(attribute)
        return getattr(import_module(self.__dict__["_name"]), attribute)


class _Refused(types.ModuleType):
    """A module of LEAN's that is not here: every use says so."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise NotImplementedError(f"{self.__name__}.{attribute} is not supported by the embedded engine; import names "
                                  "from AlgorithmImports, or run it on LEAN: lean backtest <project>")


class _LeanNamespace(types.ModuleType):
    """`QuantConnect.Orders` and the like: the names that AlgorithmImports has, wherever LEAN keeps them."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(sys.modules["AlgorithmImports"], name)


class _LeanNamespaces(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules below QuantConnect and System."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
        if fullname.partition(".")[0] in _REFUSED and "." in fullname:
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _LeanNamespace(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__.setdefault("__all__", [])


class _AlgorithmImports(types.ModuleType):
    """The module behind the star import."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"AlgorithmImports.{name} is not supported by the embedded engine; run it on LEAN: "
                             "lean backtest <project>")


def _names() -> dict[str, Any]:
    import datetime as datetimes
    import json
    import math
    import typing

    import numpy as np

    names: dict[str, Any] = {}
    for room in _ROOMS:
        module = import_module(room)
        exported = getattr(module, "__all__", None)
        for name in exported if exported is not None else vars(module):
            value = getattr(module, name)
            if (isinstance(value, type) and not name.startswith("_")
                    and (exported is not None or value.__module__.startswith("workbench.engine"))):
                names.setdefault(name, value)
    names.update(
        np=np, pd=LazyModule("pandas"), json=json, math=math, date=datetimes.date, datetime=datetimes.datetime,
        timedelta=datetimes.timedelta, time=datetimes.time, timezone=datetimes.timezone,
        QuantConnect=sys.modules["QuantConnect"], System=sys.modules["System"])
    for name in _TYPING:
        names[name] = getattr(typing, name)
    for name in lean_members("*"):
        if name not in names and not hasattr(builtins, name):
            names[name] = NotHere(name)
    return names


def install() -> types.ModuleType:
    """Register the modules; a second call changes nothing."""
    for name in _REFUSED:
        if not isinstance(sys.modules.get(name), _Refused):
            sys.modules[name] = _Refused(name)
            sys.modules[name].__path__ = []
    if not any(isinstance(finder, _LeanNamespaces) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LeanNamespaces())
    known = sys.modules.get("AlgorithmImports")
    if isinstance(known, _AlgorithmImports):
        return known
    module = _AlgorithmImports("AlgorithmImports")
    module.__dict__.update(_names())
    module.__dict__["__all__"] = [name for name in module.__dict__ if not name.startswith("__")]
    sys.modules["AlgorithmImports"] = module
    return module


@contextmanager
def algorithm_modules(paths: list[str]) -> Iterator[None]:
    """Let an algorithm import from its folders; afterwards its modules are forgotten and the path is as before."""
    before = set(sys.modules)
    saved = list(sys.path)
    sys.path[:0] = [p for p in paths if p not in sys.path]
    try:
        yield
    finally:
        sys.path[:] = saved
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and any(file.startswith(p) for p in paths[:1]):
                del sys.modules[name]
