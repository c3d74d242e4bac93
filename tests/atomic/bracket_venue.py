"""A venue for brackets through the executor: entries fill as told, refusals by purpose."""

from __future__ import annotations

from typing import Any

from atomic import facts as f
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.model import LegSpec, Quote
from atomic.vocabulary import ChildType, Purpose, Right
from tests.atomic.fake_gateway import FakeGateway

SPY = LegSpec("SPY R735QTJ8XC9X", 1, Right.SHARE, underlying="SPY R735QTJ8XC9X", multiplier=1.0, name="SPY")
ENTRY, STOP, TARGET = Purpose.ENTRY, Purpose.STOP, Purpose.TARGET


class Venue(FakeGateway):
    """Entries fill as told; refusals by purpose; optionally reserves the position for one closing order."""

    def __init__(self, live: bool = False) -> None:
        super().__init__(live)
        self.quotes[SPY.symbol] = Quote(100.0, 100.02, 100.01, self.clock)
        self.fill_entries: int | None = None
        self.refuse: dict[str, list[str]] = {}
        self.reserves = False
        self.silent = False

    def submit(self, request: Any) -> None:
        key = (request.group_id, request.number)
        kind = request.tag.split("-", 1)[0] if request.tag[:3] in ("ent", "sl-", "tp-") else request.tag.rsplit(":")[-1]
        self.calls.append(("submit", request.tag, request.quantity))
        self.requests[key] = request
        reasons = self.refuse.get(kind)
        resting = sum(
            abs(r.quantity) - self.filled.get(k, 0)
            for k, r in self.requests.items()
            if k not in self.ended and k != key and r.symbol == request.symbol and r.quantity * request.quantity > 0
        )
        held = abs(self.holdings.get(request.symbol, 0))
        if self.reserves and kind != "entry" and resting + abs(request.quantity) > held:
            reasons = ["reserved"]
        if reasons:
            self.ended.add(key)
            self.sink.on_fact(request.group_id, f.Rejected(self.clock, request.number, reasons.pop(0), "scripted"))
            return
        self.sink.on_fact(request.group_id, f.Accepted(self.clock, request.number))
        if request.type is ChildType.MARKET:
            part = self.fill_entries if kind == "entry" and self.fill_entries is not None else abs(request.quantity)
            if part:
                self.fill(key, part)

    def later(self, group: Any, purpose: Purpose, quantity: int, rung: int = 0) -> None:
        """Fill more of the oldest order of a slot."""
        order = next(o for o in group.orders if o.purpose is purpose and o.rung == rung and o.may_fill)
        self.fill((group.id, order.number), quantity)

    def price(self, bid: float) -> None:
        """A new quote, a second later."""
        self.clock += 60
        self.quotes[SPY.symbol] = Quote(bid, bid + 0.02, bid, self.clock)


def start(venue: Venue | None = None, **options: Any) -> tuple[AtomicOrderExecutor, Venue]:
    """A started executor at the venue; `alerts_seen` collects the codes of its alerts."""
    venue = venue if venue is not None else Venue()
    store = options.pop("store", None) or MemoryStore()
    executor = AtomicOrderExecutor(None, "bracket", gateway=venue, store=store, **options)
    executor.alerts_seen = []
    executor.on_alert(lambda alert: executor.alerts_seen.append(alert.code))
    executor.start()
    return executor, venue


def working(group: Any) -> list[tuple[str, int, float]]:
    """(purpose, signed leaves, price) of what may fill."""
    return sorted((str(o.purpose), o.side * o.leaves_qty, o.limit or o.stop) for o in group.orders if o.may_fill)
