"""Faults for backtests: ordinary LEAN fill and brokerage models that break chosen orders. Public.

In `initialize`, after the brokerage model was chosen and before contracts are added:

```python
fault = self.get_parameter("fault", "")
if fault:
    install_fault(self, fault)  # further LEAN parameters: fault-leg, fault-seconds, fault-probability, fault-seed ...
```

They work in any LEAN backtest, with this package's executor or without it. Which orders are hit:

* only orders that open: tags of this package name their purpose; an order with another tag opens;
* `leg`: "short" (sales), "long" (purchases), "call", "put", "short-call", "short-put", "long-call", "long-put",
  "first", "second", "third", "fourth" (distinct contracts in the order in which a group trades them), or "any";
* `after`, `until`: exchange time of day "HH:MM"; `times`: at most so many orders; `probability` with `seed`.

A native combo is hit when one of its orders is; LEAN asks only the first order's model, so every security gets it.
LEAN asks a fill model on every scan (several times a bar): a partial fill is therefore capped, not stepped (trace p09).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from AlgorithmImports import (
    BrokerageMessageEvent,
    BrokerageMessageType,
    DefaultBrokerageModel,
    FillModel,
    OrderStatus,
)

#: what each fault does to an order that it hits
FAULTS: dict[str, str] = {
    "reject-leg": "accepted, then rejected when it should fill (a market that moved away)",
    "refuse-leg": "refused at submission by the brokerage model",
    "never-fill": "accepted and never filled",
    "partial-fill": "filled for `fraction` of its quantity and then no more; needs two contracts or more",
    "delay-fill": "filled `seconds` late",
    "fill-after-cancel": "filled in full once its cancel was asked for",
    "overfill": "filled with one contract more than ordered",
    "break-combo": "of a native combo only the first leg fills; the rest stays open, uncancellable (trace p15)",
    "chaos": "one of reject-leg, never-fill, partial-fill, delay-fill and fill-after-cancel, drawn for each order",
}
_DRAWN = ("reject-leg", "never-fill", "partial-fill", "delay-fill", "fill-after-cancel")
_LEGS = ("any", "short", "long", "call", "put", "short-call", "short-put", "long-call", "long-put",
         "first", "second", "third", "fourth")  # fmt: skip
_NTH = {"first": 0, "second": 1, "third": 2, "fourth": 3}
#: tags of this package that do not open: the purpose is the last part, or the prefix of a bracket's exit
_REDUCES = re.compile(r"^(sl|tp)-|:(unwind|close|sl|tp|excess|emergency)$")
_GROUP = re.compile(r"^(?:[a-z]+-)?(.+-\d{6,}):")


@dataclass(frozen=True, slots=True)
class Fault:
    """Which orders are hit, and how.

    Attributes:
        name: one of `FAULTS`.
        leg: which leg; see the module's text.
        fraction: part of the quantity that "partial-fill" fills, 0 to 1.
        seconds: how late "delay-fill" fills.
        probability: of a matching order to be hit.
        seed: of what is drawn; the same seed and the same orders give the same faults.
        after: exchange time of day from which orders are hit, "HH:MM"; empty for always.
        until: exchange time of day from which they are not; empty for never.
        times: orders hit at most; 0 for no limit.
        reducing: hit also orders that reduce or protect.
    """

    name: str
    leg: str = "short"
    fraction: float = 0.5
    seconds: float = 60.0
    probability: float = 1.0
    seed: int = 1
    after: str = ""
    until: str = ""
    times: int = 0
    reducing: bool = False

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"fault {self.name!r}: use one of {', '.join(FAULTS)}")
        if self.leg not in _LEGS:
            raise ValueError(f"fault-leg {self.leg!r}: use one of {', '.join(_LEGS)}")
        if not 0 <= self.fraction < 1:
            raise ValueError(f"fault-fraction {self.fraction!r}: give a number from 0 to below 1")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"fault-probability {self.probability!r}: give a number from 0 to 1")
        if self.seconds < 0 or self.times < 0:
            raise ValueError(f"fault-seconds {self.seconds!r}, fault-times {self.times!r}: give numbers of at least 0")
        for name in ("after", "until"):
            text = getattr(self, name)
            if text:
                try:
                    datetime.strptime(text, "%H:%M")
                except ValueError:
                    raise ValueError(f"fault-{name} {text!r}: give a time of day as HH:MM") from None


class FaultScript:
    """Decides once for each order what is done to it; shared by all models of one algorithm."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        #: order id -> fault that hits it, "" for none
        self._decided: dict[int, str] = {}
        self._contracts: dict[str, list[Any]] = {}
        self._first_seen: dict[int, datetime] = {}
        self._filled: dict[int, int] = {}
        self._hits = 0

    def decide(self, order: Any, at: datetime) -> str:
        """The fault that hits this order; the same answer every time."""
        number = int(order.id)
        known = self._decided.get(number)
        if known is None:
            known = self._decided[number] = self._hit(order, at)
            self._first_seen[number] = at
        return known

    def _hit(self, order: Any, at: datetime) -> str:
        fault = self.fault
        tag = str(order.tag)
        nth = self._nth(order, tag)
        if not fault.reducing and _REDUCES.search(tag):
            return ""
        clock = at.strftime("%H:%M")
        if (fault.after and clock < fault.after) or (fault.until and clock >= fault.until):
            return ""
        if not _matches(fault.leg, order, nth) or (fault.times and self._hits >= fault.times):
            return ""
        draw = random.Random(f"{fault.seed}:{int(order.id)}")
        if draw.random() >= fault.probability:
            return ""
        self._hits += 1
        return draw.choice(_DRAWN) if fault.name == "chaos" else fault.name

    def _nth(self, order: Any, tag: str) -> int:
        """Which distinct contract of its group this is, counted from 0."""
        found = _GROUP.match(tag)
        seen = self._contracts.setdefault(found[1] if found else "", [])
        if order.symbol not in seen:
            seen.append(order.symbol)
        return seen.index(order.symbol)

    def late(self, order: Any, at: datetime) -> bool:
        """True while a delayed order has to wait."""
        return (at - self._first_seen[int(order.id)]).total_seconds() < self.fault.seconds

    def part(self, order: Any) -> int:
        """Contracts that a partially filled order still gets, unsigned; counted as given."""
        number, size = int(order.id), abs(round(order.quantity))
        left = int(size * self.fault.fraction) - self._filled.get(number, 0)
        self._filled[number] = self._filled.get(number, 0) + max(0, left)
        return max(0, left)


def _matches(leg: str, order: Any, nth: int) -> bool:
    if leg == "any":
        return True
    if leg in _NTH:
        return nth == _NTH[leg]
    for word in leg.split("-"):
        if word in ("short", "long"):
            if (order.quantity < 0) != (word == "short"):
                return False
        else:
            sid = order.symbol.id
            if not sid.has_underlying or (int(sid.option_right) == 0) != (word == "call"):
                return False
    return True


class FaultyFillModel(FillModel):
    """LEAN's fill model with a `FaultScript` between it and the orders."""

    def __init__(self, script: FaultScript) -> None:
        super().__init__()
        self.script = script

    def market_fill(self, asset: Any, order: Any) -> Any:
        """A market order."""
        return self._single(super().market_fill(asset, order), asset, order)

    def limit_fill(self, asset: Any, order: Any) -> Any:
        """A limit order."""
        return self._single(super().limit_fill(asset, order), asset, order)

    def stop_market_fill(self, asset: Any, order: Any) -> Any:
        """A stop order."""
        return self._single(super().stop_market_fill(asset, order), asset, order)

    def stop_limit_fill(self, asset: Any, order: Any) -> Any:
        """A stop limit order."""
        return self._single(super().stop_limit_fill(asset, order), asset, order)

    def combo_market_fill(self, order: Any, parameters: Any) -> Any:
        """A native combo at market."""
        return self._combo(list(super().combo_market_fill(order, parameters)), parameters)

    def combo_limit_fill(self, order: Any, parameters: Any) -> Any:
        """A native combo with a net limit."""
        return self._combo(list(super().combo_limit_fill(order, parameters)), parameters)

    def _single(self, event: Any, asset: Any, order: Any) -> Any:
        at = asset.local_time
        kind = self.script.decide(order, at)
        if not kind or kind in ("refuse-leg", "break-combo"):
            return event
        if kind == "reject-leg":
            return _rejected(event)
        if kind == "never-fill" or (kind == "delay-fill" and self.script.late(order, at)):
            return _unfilled(event, order)
        if kind == "fill-after-cancel":
            return event if order.status == OrderStatus.CANCEL_PENDING else _unfilled(event, order)
        if kind == "partial-fill" and event.fill_quantity:
            return _partial(event, order, self.script.part(order))
        if kind == "overfill" and event.fill_quantity:
            event.fill_quantity = event.fill_quantity + (1 if order.quantity > 0 else -1)
        return event

    def _combo(self, events: list[Any], parameters: Any) -> list[Any]:
        pairs = [(pair.key, pair.value) for pair in parameters.securities_for_orders]
        at = pairs[0][1].local_time
        decided = [self.script.decide(order, at) for order, _ in pairs]
        kind = next((found for found in decided if found), "")
        orders = {int(order.id): order for order, _ in pairs}
        first = pairs[0][0]
        if not kind or kind in ("refuse-leg", "overfill") or not events:
            return events
        if kind == "reject-leg":
            return [_rejected(event) for event in events]
        if kind == "never-fill":
            return []
        if kind == "delay-fill":
            return [] if self.script.late(first, at) else events
        if kind == "fill-after-cancel":
            pending = any(order.status == OrderStatus.CANCEL_PENDING for order, _ in pairs)
            return events if pending else []
        if kind == "break-combo":
            return events[:1]
        # whole units only, the same part of every leg
        smallest = min(orders.values(), key=lambda order: abs(order.quantity))
        units = self.script.part(smallest)
        if not units:
            return []
        size = abs(round(smallest.quantity))
        for event in events:
            order = orders[int(event.order_id)]
            _partial(event, order, abs(round(order.quantity)) * units // size)
        return events


def _unfilled(event: Any, order: Any) -> Any:
    event.fill_quantity = 0
    event.fill_price = 0
    event.status = order.status
    return event


def _rejected(event: Any) -> Any:
    event.fill_quantity = 0
    event.fill_price = 0
    event.status = OrderStatus.INVALID
    event.message = "rejected by the fault script"
    return event


def _partial(event: Any, order: Any, contracts: int) -> Any:
    if not contracts:
        return _unfilled(event, order)
    event.fill_quantity = contracts if order.quantity > 0 else -contracts
    event.status = OrderStatus.PARTIALLY_FILLED
    return event


class RefusingBrokerageModel(DefaultBrokerageModel):
    """LEAN's default brokerage model that refuses the orders its script hits."""

    def __init__(self, script: FaultScript) -> None:
        super().__init__()
        self.script = script

    def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
        """Refuse, or answer as the default model."""
        if self.script.decide(order, security.local_time) == "refuse-leg":
            text = "refused by the fault script"
            return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "Refused", text)
        return True, None


def install_fault(algorithm: Any, name: str, **options: Any) -> FaultScript:
    """Break orders of this algorithm; call it in `initialize`.

    Args:
        algorithm: the QCAlgorithm.
        name: one of `FAULTS`.
        options: fields of `Fault`; the algorithm's parameters ``fault-<field>`` go before them.

    Raises:
        ValueError: unknown fault, option or value; names the ones there are.
    """
    known = {field.name: field for field in fields(Fault) if field.name != "name"}
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"fault option {unknown[0]!r}: use one of {', '.join(known)}")
    values = dict(options)
    for option in known:
        text = str(algorithm.get_parameter(f"fault-{option}", "") or "").strip()
        if text:
            values[option] = _value(option, text)
    script = FaultScript(Fault(name, **values))
    if name == "refuse-leg":
        algorithm.set_brokerage_model(RefusingBrokerageModel(script))
        return script
    model = FaultyFillModel(script)
    algorithm.add_security_initializer(lambda security: security.set_fill_model(model))
    for pair in algorithm.securities:
        pair.value.set_fill_model(model)
    return script


def _value(option: str, text: str) -> Any:
    kind = {"fraction": float, "seconds": float, "probability": float, "seed": int, "times": int}.get(option)
    if option == "reducing":
        return text.lower() in ("1", "true", "yes")
    if kind is None:
        return text
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"parameter fault-{option} is {text!r}: give a number") from None
