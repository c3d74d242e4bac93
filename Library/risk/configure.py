"""A gate and an alert desk from LEAN parameters, so that limits are configured and never programmed.

```python
read = Parameters(self)                                              # atomic.parameters: strict
gate = gate_from(read, closes_at=session_close(self, symbol))
self.atomic = AtomicOrderExecutor(self, name="condor", risk=gate)
self.desk = desk_from(self, read, self.atomic)                       # routes, tested when the executor starts
```

What is absent is off. What does not fit (a text that is no number, an action for a limit that is off, an unknown word)
raises ValueError with parameter, value and cure: a run with a limit that somebody misspelt is not started. `CHECKS` and
`LIMITS` name all parameters; modules are loaded only when one of their parameters is there.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .alerts import AlertDesk, AlertLike, Route
    from .gate import Check, Gate
    from .limits import Limit
    from .proposal import ProposalLike

#: parameters of pre-trade checks, with what they mean
CHECKS: Mapping[str, str] = {
    "max-group-loss": "dollars one group may lose",
    "max-underlying-loss": "dollars all groups of an underlying may lose",
    "max-account-loss": "dollars all groups may lose",
    "max-account-loss-percent": "per cent of the equity that all groups may lose",
    "max-contracts": "option contracts in one group",
    "max-contracts-in-all": "option contracts in all groups",
    "max-groups": "groups that are not closed",
    "max-groups-of-strategy": "groups of one strategy that are not closed",
    "no-duplicate": "1: no second group of a strategy on one underlying",
    "short-strike-distance": "per cent between short strikes of different groups",
    "buying-power": "1: margin of the whole group at its worst moment must be free",
    "margin-reserve": "dollars of margin that stay free",
    "margin-reserve-percent": "per cent of the equity that stay free",
    "max-quote-age": "seconds",
    "max-spread": "dollars per share between bid and ask",
    "max-spread-percent": "per cent of the middle between bid and ask",
    "max-spread-ticks": "ticks between bid and ask",
    "quote-size": "1: the whole leg must be quoted at the price that would be hit",
    "max-unit-debit": "dollars per share one unit may cost",
    "min-unit-credit": "dollars per share one unit must pay",
    "minutes-to-close": "minutes that must be left of the session",
    "min-days-to-expiry": "calendar days",
    "max-days-to-expiry": "calendar days",
    "event-days": "TICKER:YYYY-MM-DD, separated by spaces or commas: no opening on these days",
    "event-days-before": "days before an event day on which nothing opens either",
}
#: parameters of limits that act; each takes `<name>-action`: warn, no_new, close_by_risk, flatten or kill
LIMITS: Mapping[str, str] = {
    "daily-loss": "dollars of equity lost since the day's first reading",
    "drawdown": "per cent of equity lost since its highest reading",
    "max-failures": "groups that failed in a row; opens the circuit breaker for `breaker-reset` seconds",
    "max-rejections": "orders rejected in a row",
    "naked-seconds": "seconds a group may be naked beyond its structure",
    "margin-usage": "per cent of the margin in use",
}
_OF_OTHERS = {"breaker-reset": "max-failures", "event-days-before": "event-days"}


class ReadsParameters(Protocol):
    """What is used of `atomic.parameters.Parameters`; each raises ValueError for a text that does not fit."""

    def text(self, name: str, default: str = "") -> str:
        """The text, or the default."""

    def number(self, name: str, default: float, *, low: float = 0.0, high: float = 1e12) -> float:
        """A finite number."""

    def whole(self, name: str, default: int, *, low: int = 0, high: int = 10**12) -> int:
        """A whole number."""

    def flag(self, name: str, default: bool = False) -> bool:
        """1 or 0."""

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of the words."""


def gate_from(
    read: ReadsParameters,
    closes_at: Callable[[float], float] | None = None,
    margin_answer: Callable[[ProposalLike], float] | None = None,
) -> Gate | None:
    """The gate that the parameters describe; None when none of them is there.

    Args:
        read: the algorithm's parameters.
        closes_at: close of the session in seconds UTC, asked with seconds UTC (`session_close`); needed for
            ``minutes-to-close`` only.
        margin_answer: the brokerage's own answer for ``buying-power``: dollars of free margin that a proposal takes,
            NaN when it does not say. It counts where it is larger than LEAN's rules.

    Raises:
        ValueError: a parameter does not fit.
    """
    given = {name for name in (*CHECKS, *LIMITS) if read.text(name)}
    _refuse_orphans(read, given)
    if not given:
        return None
    from .gate import Gate
    from .limits import LimitBook

    checks = _checks(read, given, closes_at, margin_answer) if given & CHECKS.keys() else []
    limits = _limits(read, given) if given & LIMITS.keys() else []
    return Gate(checks, LimitBook(limits))


def _refuse_orphans(read: ReadsParameters, given: set[str]) -> None:
    """A parameter that says how another one acts, while that one is not there, is a mistake."""
    needs = {**{f"{name}-action": name for name in LIMITS}, **_OF_OTHERS}
    for name, other in needs.items():
        if other not in given and (text := read.text(name)):
            raise ValueError(f"parameter {name} is {text!r} but {other} is not set: set {other}, or drop {name}")


def _checks(
    read: ReadsParameters,
    given: set[str],
    closes_at: Callable[[float], float] | None,
    margin_answer: Callable[[ProposalLike], float] | None,
) -> list[Check]:
    from . import pretrade as p

    inf = float("inf")

    def dollars(name: str, example: float) -> float:
        return read.number(name, example, low=0.01) if name in given else inf

    def part(name: str, example: float, high: float = 100.0) -> float:
        return read.number(name, example, low=0.001, high=high) / 100 if name in given else inf

    def count(name: str, example: int) -> int | None:
        return read.whole(name, example, low=1) if name in given else None

    found: list[Check] = []
    if "max-group-loss" in given:
        found.append(p.MaxLossPerGroup(dollars("max-group-loss", 1000.0)))
    if "max-underlying-loss" in given:
        found.append(p.MaxLossPerUnderlying(dollars("max-underlying-loss", 5000.0)))
    if given & {"max-account-loss", "max-account-loss-percent"}:
        found.append(p.MaxLossForAccount(dollars("max-account-loss", 10_000.0), part("max-account-loss-percent", 5.0)))
    if given & {"max-contracts", "max-contracts-in-all"}:
        found.append(p.MaxContracts(count("max-contracts", 20), count("max-contracts-in-all", 100)))
    if given & {"max-groups", "max-groups-of-strategy"}:
        found.append(p.MaxGroups(count("max-groups", 5), count("max-groups-of-strategy", 1)))
    if read.flag("no-duplicate"):
        found.append(p.NoDuplicate())
    if "short-strike-distance" in given:
        found.append(p.ShortStrikeDistance(part("short-strike-distance", 1.0)))
    age = read.number("max-quote-age", 90.0, low=0.1) if "max-quote-age" in given else inf
    ticks = read.number("max-spread-ticks", 10.0, low=1.0) if "max-spread-ticks" in given else inf
    spreads = (dollars("max-spread", 0.5), part("max-spread-percent", 50.0, 1000.0), ticks)
    sized = read.flag("quote-size")
    if sized or min(age, *spreads) < inf:
        found.append(p.QuoteQuality(age, *spreads, size=sized))
    if given & {"max-unit-debit", "min-unit-credit"}:
        debit = read.number("max-unit-debit", 1.0) if "max-unit-debit" in given else None
        credit = read.number("min-unit-credit", 0.5) if "min-unit-credit" in given else None
        found.append(p.UnitPrice(debit, credit))
    if "minutes-to-close" in given:
        if closes_at is None:
            raise ValueError("parameter minutes-to-close: this algorithm does not know when the session closes")
        found.append(p.MinutesToClose(read.number("minutes-to-close", 30.0), closes_at))
    if given & {"min-days-to-expiry", "max-days-to-expiry"}:
        most = read.whole("max-days-to-expiry", 45) if "max-days-to-expiry" in given else None
        found.append(p.DaysToExpiry(read.whole("min-days-to-expiry", 0), most))
    if "event-days" in given:
        found.append(p.NoEventDay(_event_days(read.text("event-days")), read.whole("event-days-before", 0)))
    reserve = given & {"margin-reserve", "margin-reserve-percent"}
    if read.flag("buying-power", bool(reserve)):
        from .group_margin import BuyingPower

        kept = read.number("margin-reserve-percent", 0.0, high=100.0) / 100
        found.append(BuyingPower(read.number("margin-reserve", 0.0), kept, answer=margin_answer))
    elif reserve:
        raise ValueError(f"parameter buying-power is off but {min(reserve)} is set: set buying-power to 1")
    return found


def _event_days(text: str) -> dict[str, list[str]]:
    from datetime import date

    found: dict[str, list[str]] = {}
    for entry in text.replace(",", " ").split():
        ticker, _, day = entry.partition(":")
        try:
            found.setdefault(ticker.upper(), []).append(date.fromisoformat(day).isoformat())
        except ValueError:
            raise ValueError(f"parameter event-days has {entry!r}: write TICKER:YYYY-MM-DD") from None
    return found


def _limits(read: ReadsParameters, given: set[str]) -> list[Limit]:
    from . import limits as kinds

    def action(name: str, default: str) -> str:
        return read.choice(f"{name}-action", default, kinds.ACTIONS)

    found: list[Limit] = []
    if "daily-loss" in given:
        dollars = read.number("daily-loss", 1000.0, low=0.01)
        found.append(kinds.DailyLoss(dollars, action("daily-loss", "flatten")))
    if "drawdown" in given:
        part = read.number("drawdown", 10.0, low=0.001, high=100.0) / 100
        found.append(kinds.Drawdown(part, action("drawdown", "flatten")))
    if "max-failures" in given:
        reset = read.number("breaker-reset", 300.0, low=1.0)
        count = read.whole("max-failures", 10, low=1)
        found.append(kinds.BreakerLimit(count, reset, action("max-failures", "no_new")))
    if "max-rejections" in given:
        count = read.whole("max-rejections", 10, low=1)
        found.append(kinds.Rejections(count, action("max-rejections", "no_new")))
    if "naked-seconds" in given:
        seconds = read.number("naked-seconds", 60.0, low=0.1)
        found.append(kinds.NakedSeconds(seconds, action("naked-seconds", "close_by_risk")))
    if "margin-usage" in given:
        part = read.number("margin-usage", 80.0, low=0.001, high=100.0) / 100
        found.append(kinds.MarginUsage(part, action("margin-usage", "no_new")))
    return found


def session_close(algorithm: Any, symbol: Any) -> Callable[[float], float]:
    """When the session of a symbol ends, seconds UTC, for a time in seconds UTC; half days are known to LEAN.

    Asked with the algorithm's own time, as `MinutesToClose` does.
    """

    def closes_at(now: float) -> float:
        security = algorithm.securities[symbol]
        local = security.local_time
        close = security.exchange.hours.get_next_market_close(local, False)
        return now + float((close - local).total_seconds())

    return closes_at


def desk_from(algorithm: Any, read: ReadsParameters, executor: Any, routes: Iterable[Route] = ()) -> AlertDesk | None:
    """The alert desk of a run, hooked to the executor; its routes are tested at once and the result is told.

    A backtest tells nobody and gives None, unless the parameter ``alert-in-backtest`` is 1. Routes come from
    parameters or the environment (`alerts.routes_from_settings`); on QuantConnect's cloud ``alert-notify-mail`` names
    an address for LEAN's own `notify` (run locally LEAN's sends nothing, so it is refused there). Without a route to a
    person a P1 alert says so at every start; network routes answer later: call `say_silence` now and then.

    Raises:
        ValueError: a parameter does not fit; the text never holds a secret.
    """
    if not (algorithm.live_mode or read.flag("alert-in-backtest")):
        return None
    from .alerts import AlertDesk, routes_from_settings

    ways: list[Route] = [*routes_from_settings(lambda key: read.text(key)), *routes]
    address = read.text("alert-notify-mail")
    if address:
        ways.append(_notify_route(algorithm, address))
    desk = AlertDesk(ways, log=algorithm.log)
    desk.test(lambda text: _Test(algorithm.utc_time.replace(tzinfo=UTC).timestamp(), text))
    executor.on_alert(desk)
    say_silence(desk, executor)
    return desk


def say_silence(desk: AlertDesk, executor: Any) -> str:
    """Raise a P1 alert when no route reaches a person, once for each reason; what was told, or ""."""
    text = desk.new_warning()
    if text:
        executor.alert_operator(text, severity=1, code="alert-route")
    return text


def _notify_route(algorithm: Any, address: str) -> Route:
    from .alerts import CallRoute, line

    if "cloud" not in str(algorithm.deployment_target).lower():
        raise ValueError("parameter alert-notify-mail: LEAN sends mail only on its cloud; use alert-mail-host here")

    def send(alert: AlertLike) -> None:
        algorithm.notify.email(address, line(alert)[:120], f"{line(alert)}\n\n{dict(alert.facts)}")

    return CallRoute(send, "lean-notify")


class _Test:
    """The alert by which a route is tested."""

    severity = 3
    code = "alert-route-test"
    group_id = ""

    def __init__(self, at: float, text: str) -> None:
        self.at = at
        self.text = text
        self.facts: dict[str, Any] = {}
