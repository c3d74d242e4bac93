"""Models for LEAN's algorithm framework: no short without cover, and targets of one idea as one atomic group.

```python
self.set_risk_management(CoverRiskModel(allowed=lambda symbol: False))
self.set_execution(AtomicExecutionModel(self.atomic))
```

The only file of this package that needs LEAN (`AlgorithmImports`); the executor is known by its shape alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from AlgorithmImports import ExecutionModel, OrderType, PortfolioTarget, RiskManagementModel, SecurityType

from .structure import PayoffLeg
from .uncovered import uncovered_contracts

if TYPE_CHECKING:
    from AlgorithmImports import QCAlgorithm, Symbol

_OPTIONS = (SecurityType.OPTION, SecurityType.INDEX_OPTION)
_STOPS = (OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


class CoverRiskModel(RiskManagementModel):
    """Finds shorts without cover and shares without a stop in the account, and reduces them.

    Args:
        action: "repair" buys back what is uncovered and asks `protect` for missing stops; "flatten" brings the whole
            contract (or the shares) to zero; "alert" only tells.
        allowed: symbols that may be uncovered, e.g. those of a strangle that is meant to be one.
        needs_stop: symbols whose shares must have a resting stop; none by default.
        protect: puts a stop for so many shares (signed holding); without it "repair" flattens what has none.
        alert: is told each problem once, in a sentence.
        patience: steps a problem may last before anything is done (a group may be between two fills).
    """

    def __init__(
        self,
        action: str = "repair",
        *,
        allowed: Callable[[Any], bool] = lambda symbol: False,
        needs_stop: Callable[[Any], bool] = lambda symbol: False,
        protect: Callable[[Any, float], None] | None = None,
        alert: Callable[[str], None] | None = None,
        patience: int = 1,
    ) -> None:
        super().__init__()
        if action not in ("repair", "flatten", "alert"):
            raise ValueError(f"action {action!r}: 'repair', 'flatten' or 'alert'")
        self._action = action
        self._allowed = allowed
        self._needs_stop = needs_stop
        self._protect = protect
        self._alert = alert
        self._patience = patience
        self._seen: dict[tuple[str, Any], int] = {}

    def manage_risk(self, algorithm: QCAlgorithm, targets: list[Any]) -> list[Any]:
        """Targets that take precedence over all others this step."""
        problems = self._problems(algorithm) if algorithm.portfolio.invested else {}
        self._seen = {key: self._seen.get(key, 0) + 1 for key in problems}
        found = []
        for (kind, symbol), (text, target) in problems.items():
            steps = self._seen[kind, symbol]
            if steps <= self._patience:
                continue
            if steps == self._patience + 1 and self._alert is not None:
                self._alert(text)
            if self._action == "alert":
                continue
            if kind == "stop" and self._action == "repair" and self._protect is not None:
                if steps == self._patience + 1:
                    self._protect(symbol, float(algorithm.portfolio[symbol].quantity))
                continue
            found.append(PortfolioTarget(symbol, target))
        return found

    def _problems(self, algorithm: QCAlgorithm) -> dict[tuple[str, Any], tuple[str, int]]:
        """What is wrong: kind and symbol, with a sentence and the holding that would be right."""
        books: dict[Any, list[tuple[Any, PayoffLeg]]] = {}
        problems: dict[tuple[str, Any], tuple[str, int]] = {}
        for pair in algorithm.portfolio:
            symbol, quantity = pair.key, float(pair.value.quantity)
            if not quantity:
                continue
            if symbol.security_type in _OPTIONS:
                books.setdefault(symbol.underlying, []).append((symbol, _leg(algorithm, symbol, quantity)))
            elif symbol.security_type == SecurityType.EQUITY:
                books.setdefault(symbol, []).append((symbol, PayoffLeg("S", 0.0, int(quantity), 1.0, 0.0)))
                if self._needs_stop(symbol) and _stopped(algorithm, symbol, quantity) < abs(quantity):
                    problems["stop", symbol] = (f"{symbol.value}: {quantity:g} shares have no stop for all of them", 0)
        for book in books.values():
            open_shorts = uncovered_contracts([leg for _, leg in book])
            for (symbol, leg), contracts in zip(book, open_shorts, strict=True):
                if contracts and leg.right != "S" and not self._allowed(symbol):
                    keep = 0 if self._action == "flatten" else leg.quantity + contracts
                    text = f"{symbol.value}: {contracts} of {-leg.quantity} short contracts have no cover"
                    problems["cover", symbol] = (text, keep)
        return problems


def _leg(algorithm: QCAlgorithm, symbol: Symbol, quantity: float) -> PayoffLeg:
    sid = symbol.id
    multiplier = float(algorithm.securities[symbol].symbol_properties.contract_multiplier)
    right = "C" if int(sid.option_right) == 0 else "P"
    expiry = sid.date.strftime("%Y-%m-%d")
    return PayoffLeg(right, float(sid.strike_price), int(quantity), multiplier, 0.0, expiry)  # type: ignore[arg-type]


def _stopped(algorithm: QCAlgorithm, symbol: Symbol, quantity: float) -> float:
    """Shares that resting stops of the other side would close."""
    total = 0.0
    for ticket in list(algorithm.transactions.get_open_order_tickets(symbol)):
        if ticket.order_type in _STOPS and ticket.quantity * quantity < 0:
            total += abs(ticket.quantity) - abs(ticket.quantity_filled)
    return total


def insight_group(algorithm: QCAlgorithm, symbol: Symbol) -> Any:
    """Group id of the newest active insight on a symbol; the underlying's text where there is none."""
    under = symbol.underlying if symbol.security_type in _OPTIONS else symbol
    insights = getattr(algorithm, "insights", None)
    if insights is None:
        return str(under.id)
    newest = None
    for insight in insights.get_active_insights(algorithm.utc_time):
        if insight.symbol != symbol or insight.group_id is None:
            continue
        if newest is None or insight.generated_time_utc >= newest.generated_time_utc:
            newest = insight
    return str(under.id) if newest is None else str(newest.group_id)


class AtomicExecutionModel(ExecutionModel):
    """Trades the portfolio targets of one insight group as one atomic group: all of its legs or none.

    A larger target adds a group; a smaller or turned one closes them first, what is then still wanted opens anew.
    Targets that were refused or rolled back are tried again after `retry_after` seconds, `attempts` times in all; after
    that they wait until they change: each attempt of a structure that does not fill costs money.

    Args:
        executor: an `AtomicOrderExecutor` (or whatever has `ready` and `execute_atomic`).
        strategy: what the groups are called.
        group_of: what belongs together; by default the insight group, else the underlying.
        options: passed on to `execute_atomic` (policy, limit_net, ...).
    """

    def __init__(
        self,
        executor: Any,
        strategy: str = "insights",
        *,
        group_of: Callable[[Any, Any], Any] = insight_group,
        retry_after: float = 300.0,
        attempts: int = 3,
        **options: Any,
    ) -> None:
        super().__init__()
        self._executor = executor
        self._strategy = strategy
        self._group_of = group_of
        self._retry_after = retry_after
        self._attempts = attempts
        self._options = options
        self._wanted: dict[Any, int] = {}
        self._bucket: dict[Any, Any] = {}
        self._handles: dict[Any, list[Any]] = {}
        #: what was tried last: the difference, when (seconds UTC), how often
        self._refused: dict[Any, tuple[tuple[Any, ...], float, int]] = {}

    def execute(self, algorithm: QCAlgorithm, targets: Sequence[Any]) -> None:
        """Take new targets over, and bring each bucket nearer to its own."""
        for target in targets:
            symbol = target.symbol
            if symbol not in self._bucket:
                self._bucket[symbol] = self._group_of(algorithm, symbol)
            self._wanted[symbol] = round(float(target.quantity))
        if not self._wanted or not self._executor.ready:
            return
        for bucket in dict.fromkeys(self._bucket.values()):
            self._serve(algorithm, bucket, [s for s, of in self._bucket.items() if of == bucket])

    def _serve(self, algorithm: QCAlgorithm, bucket: Any, symbols: Iterable[Any]) -> None:
        handles = [handle for handle in self._handles.get(bucket, ()) if not handle.is_done]
        self._handles[bucket] = handles
        if not all(handle.is_open for handle in handles):
            return  # one is opening, or on its way out
        if handles:
            self._refused.pop(bucket, None)  # the last attempt stands
        held = {symbol: round(float(algorithm.portfolio[symbol].quantity)) for symbol in symbols}
        deltas = {symbol: self._wanted[symbol] - quantity for symbol, quantity in held.items()}
        deltas = {symbol: delta for symbol, delta in deltas.items() if delta}
        if not deltas:
            self._forget(bucket, held)
            return
        if handles and any(held[symbol] * delta < 0 for symbol, delta in deltas.items()):
            for handle in handles:
                handle.close("the target is smaller or turned")
            return
        self._open(algorithm, bucket, deltas)

    def _open(self, algorithm: QCAlgorithm, bucket: Any, deltas: dict[Any, int]) -> None:
        now = algorithm.utc_time.replace(tzinfo=UTC).timestamp()  # LEAN's times do not say that they are UTC
        key = tuple(deltas.items())
        refused = self._refused.get(bucket)
        before = refused[2] if refused is not None and refused[0] == key else 0
        if refused is not None and before and (now - refused[1] < self._retry_after or before >= self._attempts):
            return
        self._refused[bucket] = (key, now, before + 1)  # until the group stands: what fails is not asked again at once
        if before + 1 == self._attempts > 1:
            algorithm.log(f"{self._strategy}: attempt {before + 1} is the last one for these targets")
        units = math.gcd(*deltas.values())
        legs = [(symbol, delta // units) for symbol, delta in deltas.items()]
        try:
            handle = self._executor.execute_atomic(legs, units, self._strategy, **self._options)
        except ValueError as error:
            algorithm.error(f"{self._strategy}: {error}")
        else:
            self._handles[bucket].append(handle)

    def _forget(self, bucket: Any, held: dict[Any, int]) -> None:
        """A bucket that is flat and wants nothing is done."""
        self._refused.pop(bucket, None)
        if any(held.values()) or any(self._wanted[symbol] for symbol in held):
            return
        self._handles.pop(bucket, None)
        for symbol in held:
            del self._wanted[symbol], self._bucket[symbol]
