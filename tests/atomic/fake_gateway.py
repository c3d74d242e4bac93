"""A small broker for tests of the shell: answers at once (as a LEAN backtest) or when told to."""

from __future__ import annotations

from typing import Any

from atomic import facts as f
from atomic.model import LegSpec, Quote
from atomic.vocabulary import ChildType, Right


def option(right: str, strike: float, expiry: str = "2030-01-18") -> LegSpec:
    """An option leg on X, ratio 1."""
    name = f"X {right}{strike:g} {expiry}"
    return LegSpec(name, 1, Right(right), strike, expiry, "X", 100.0, 0.01, name)


class FakeGateway:
    """Fills market orders at once at the quote and rests the others, unless a leg's script says otherwise.

    Attributes:
        script: symbol -> "reject", "rest" or "partial:<n>"; used for opening orders unless `always`.
        calls: every call in order, for judging sequence.
    """

    def __init__(self, live: bool = False) -> None:
        self.live = live
        self.clock = 1_600_000_000.0
        self.quotes: dict[str, Quote] = {}
        self.holdings: dict[str, int] = {}
        self.script: dict[str, str] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.wake: float | None = None
        self.lines: list[str] = []
        self.requests: dict[tuple[str, int], Any] = {}
        self.filled: dict[tuple[str, int], int] = {}
        self.ended: set[tuple[str, int]] = set()
        self.sink: Any = None
        self.combo = False

    def attach(self, sink: Any) -> None:
        self.sink = sink

    def now(self) -> float:
        return self.clock

    def quote(self, symbol: str) -> Quote:
        return self.quotes.get(symbol, Quote(1.0, 1.2, 1.1, self.clock))

    def leg(self, contract: LegSpec, ratio: int) -> LegSpec:
        row = contract.row()
        row[1] = ratio
        return LegSpec.from_row(row)

    def submit(self, request: Any) -> None:
        key = (request.group_id, request.number)
        self.calls.append(("submit", request.tag, request.quantity))
        self.requests[key] = request
        how = self.script.get(request.symbol, "") if request.tag.endswith((":open", ":always")) else ""
        if how == "reject":
            self.ended.add(key)
            self.sink.on_fact(request.group_id, f.Rejected(self.clock, request.number, "unknown", "scripted"))
            return
        self.sink.on_fact(request.group_id, f.Accepted(self.clock, request.number))
        if how == "rest" or request.type is not ChildType.MARKET:
            return
        self.fill(key, int(how[8:]) if how.startswith("partial:") else abs(request.quantity))

    def submit_combo(self, requests: Any, units: int, limit_net: float | None) -> None:
        for request in requests:
            self.submit(request)

    def fill(self, key: tuple[str, int], contracts: int) -> None:
        request = self.requests[key]
        sign = 1 if request.quantity > 0 else -1
        self.filled[key] = self.filled.get(key, 0) + contracts
        self.holdings[request.symbol] = self.holdings.get(request.symbol, 0) + sign * contracts
        if self.filled[key] >= abs(request.quantity):
            self.ended.add(key)
        quote = self.quote(request.symbol)
        price = quote.ask if sign > 0 else quote.bid
        self.sink.on_fact(request.group_id, f.Filled(self.clock, request.number, self.filled[key], price, 1.0))

    def cancel(self, group_id: str, number: int) -> None:
        key = (group_id, number)
        self.calls.append(("cancel", number))
        self.sink.on_fact(group_id, f.CancelAsked(self.clock, number, ""))
        if key not in self.ended:
            self.ended.add(key)
            self.sink.on_fact(group_id, f.Canceled(self.clock, number))

    def replace(self, group_id: str, number: int, quantity: int, limit: float, stop: float) -> None:
        self.calls.append(("replace", number, quantity, limit, stop))
        self.sink.on_fact(group_id, f.ReplaceAsked(self.clock, number, quantity, limit, stop))
        self.sink.on_fact(group_id, f.Replaced(self.clock, number, quantity, limit, stop))

    def poll(self, group_id: str, number: int) -> None:
        self.calls.append(("poll", number))

    def holding(self, symbol: str) -> int:
        return self.holdings.get(symbol, 0)

    def open_orders(self) -> list[Any]:
        return []

    def adopt(self, group_id: str, number: int, order: Any) -> None:
        self.calls.append(("adopt", number))

    def wake_at(self, at: float | None) -> None:
        self.wake = at

    def takes_combo(self, legs: int, limit: bool) -> bool:
        return self.combo

    def log(self, text: str) -> None:
        self.lines.append(text)

    def pass_seconds(self, seconds: float) -> None:
        """Time passes; a wake-up that is due comes."""
        self.clock += seconds
        if self.wake is not None and self.wake <= self.clock:
            self.wake = None
            self.sink.on_wake()
