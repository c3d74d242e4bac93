"""Checks before a group opens: what is wrong is said before anything is sent, with check, value and limit."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from . import given
from .bracket_terms import check_sides, market_around, to_come
from .plan.cover import shape_of_legs
from .ports import Proposal, Refusal
from .structures import check
from .vocabulary import ChildType, Kind, Phase, Right

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .model import GroupSpec, LegSpec
    from .ports import RefusalLike
    from .protect import ExitPlan
    from .shell import Shell

# asked for with every group; see `facts.settle`
_WHOLE, _SET, _MARKET, _SHARE = Kind.ALL_OR_NONE, Kind.CONTINGENT, ChildType.MARKET, Right.SHARE
#: phases in which a group counts against `max_pending_groups`
PENDING = frozenset({Phase.PLANNED, Phase.OPENING, Phase.UNWINDING})


def check_terms(legs: Iterable[LegSpec], units: int, strategy: str, max_legs: int) -> tuple[LegSpec, ...]:
    """The legs, checked.

    Raises:
        ValueError: terms that no group may have (`structures.check`), or a bad quantity.
    """
    checked = check(strategy, legs, max_legs=max_legs)
    if type(units) is not int or units < 1:
        try:
            given.whole(units, "quantity", low=1)
        except ValueError:
            raise ValueError(f"{strategy}: quantity {units!r} must be a whole number of units of at least 1") from None
    return checked


def refusals(
    spec: GroupSpec, shell: Shell, account: Callable[[], tuple[float, float]], plan: ExitPlan | None = None
) -> list[RefusalLike]:
    """Why this group may not open now; empty when it may. Called inside the pump, before the group is added.

    Args:
        spec: what is asked for.
        shell: the executor's shell.
        account: tells equity and remaining margin in dollars (NaN when unknown); asked for a risk gate only.
        plan: the exits of a bracket.
    """
    found: list[RefusalLike] = []
    gates = shell.gates
    if gates.shut:
        found += [Refusal("gate", "open", code, why) for code, why in gates.shut.items()]
    if gates.paused:
        found.append(Refusal("pause", "running", "paused", "trading is paused; resume it first"))
    if gates.fuse.is_open(shell.now):
        left = gates.fuse.open_until - shell.now
        found.append(Refusal("circuit-breaker", "closed", "open", f"too many refusals; it resets in {left:.0f} s"))
    found += _capacity(spec, shell)
    if not found:
        found += _market(spec, shell, plan)
    if not found and gates.risk is not None:
        book = [g for g in shell.groups.values() if g.phase is not Phase.CLOSED]
        sizes = getattr(shell.gateway, "sizes", None)
        quotes = {leg.symbol: shell.quotes[leg.symbol] for leg in spec.legs}
        if sizes is not None:
            for symbol, quote in quotes.items():
                bid, ask = sizes(symbol)
                quotes[symbol] = quote._replace(bid_size=bid, ask_size=ask)
        for leg in spec.legs:
            if leg.underlying:
                quotes[leg.underlying] = shell.quotes[leg.underlying]
        try:
            found += gates.risk.approve(Proposal(spec, quotes, shell.now, book, *account()))
        except Exception as error:  # somebody else's code: its fault is a refusal
            shell.report_fault(None, error)
            found.append(Refusal("risk-gate", "an answer", type(error).__name__, f"the gate failed: {error}"))
    return found


def _capacity(spec: GroupSpec, shell: Shell) -> list[Refusal]:
    found: list[Refusal] = []
    settings = shell.settings
    # a resting bracket entry pends for hours and leaves nothing naked: only all-or-none groups count
    whole = spec.kind is _WHOLE
    if whole:
        pending = [
            g.spec.group_id for g in shell.groups.values() if g.phase in PENDING and g.spec.kind is _WHOLE
        ]
        if len(pending) >= settings.max_pending_groups:
            text = f"{', '.join(pending[:4])} must stand or end first (Settings.max_pending_groups)"
            found.append(Refusal("max-pending-groups", str(settings.max_pending_groups), str(len(pending)), text))
    if shell.journal.over_budget:
        found.append(Refusal("journal-size", "document budget", str(shell.journal.size), "close groups first"))
    if shell.outside.closed_contracts:
        for leg in spec.legs:
            why = shell.outside.closed_contracts.get(leg.symbol)
            if why:
                found.append(Refusal("holdings-break", leg.name or leg.symbol, "difference", why))
    if not shell.gates.takes_options:
        options = [leg.name or leg.symbol for leg in spec.legs if leg.right is not _SHARE]
        if options:
            text = f"the brokerage takes no options: {', '.join(options)}; choose another (set_brokerage_model)"
            found.append(Refusal("brokerage", "options", "none", text))
    if settings.max_groups_per_underlying or settings.max_contracts_per_underlying:
        found += _per_underlying(spec, shell)
    if whole and not spec.policy.allow_naked and shape_of_legs(spec.legs).naked:
        text = f"{spec.strategy} leaves shorts uncovered; allow it with Policy(allow_naked=True)"
        found.append(Refusal("allow-naked", "False", "naked", text))
    return found


def _per_underlying(spec: GroupSpec, shell: Shell) -> list[Refusal]:
    found: list[Refusal] = []
    settings = shell.settings
    for underlying in {leg.underlying or leg.symbol for leg in spec.legs}:
        groups = [
            g
            for g in shell.groups.values()
            if g.phase is not Phase.CLOSED
            and any((leg.spec.underlying or leg.spec.symbol) == underlying for leg in g.legs)
        ]
        most = settings.max_groups_per_underlying
        if most and len(groups) >= most:
            found.append(
                Refusal("max-groups-per-underlying", str(most), str(len(groups)), f"{underlying}: one must end first")
            )
        most = settings.max_contracts_per_underlying
        if most:
            contracts = _contracts(spec.legs, spec.units)
            contracts += sum(_contracts(g.spec.legs, g.spec.units) for g in groups)
            if contracts > most:
                text = f"{underlying}: take fewer units"
                found.append(Refusal("max-contracts-per-underlying", str(most), str(contracts), text))
    return found


def _contracts(legs: Iterable[LegSpec], units: int) -> int:
    return sum(abs(leg.ratio) * units for leg in legs if leg.right is not _SHARE)


def _first_side(spec: GroupSpec, leg: int, plan: ExitPlan | None) -> int:
    """What a leg's first order does to the market: +1 buys, -1 sells, 0 where it rests at its own price.

    One that rests needs neither the session nor a quote.
    """
    if plan is not None:
        if plan.entry is not None and plan.entry.type is not _MARKET:
            return 0
    elif spec.kind is _SET:
        members = spec.exits["members"]
        first = members[:1] if spec.exits["form"] == "oto" else members
        return min((1 if m[1] > 0 else -1 for m in first if m[0] == leg and m[2] == _MARKET), default=0)
    return 1 if spec.legs[leg].ratio > 0 else -1


@lru_cache(maxsize=8)
def _date(day: int) -> str:
    """The date of a day counted from 1970-01-01, UTC."""
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()


def _market(spec: GroupSpec, shell: Shell, plan: ExitPlan | None) -> list[Refusal]:
    """Expiry, session and quotes of every leg: two-sided for what is sold, an offer for what is bought."""
    found: list[Refusal] = []
    day = ""
    for number, leg in enumerate(spec.legs):
        if leg.expiry:
            day = day or _date(int(shell.now // 86_400))
            if leg.expiry < day:
                found.append(Refusal("expiry", day, leg.expiry, f"{leg.name or leg.symbol} has expired"))
                continue
        side = _first_side(spec, number, plan)
        if not side:
            continue
        quote = shell.quotes[leg.symbol]
        if quote.open and not (quote.ask <= 0 or (side < 0 and quote.bid <= 0)):
            continue
        name, sides = leg.name or leg.symbol, f"{quote.bid:g}/{quote.ask:g}"
        if not quote.open:
            found.append(Refusal("session", "open", "closed", f"the market of {name} is closed"))
        elif side < 0:
            found.append(Refusal("quote", "bid and ask", sides, f"{name} is to be sold"))
        else:
            found.append(Refusal("quote", "ask", sides, f"{name} is to be bought"))
    if plan is not None and plan.entry is not None and not found:
        found += _passed(spec, plan, shell)
    return found


def _passed(spec: GroupSpec, plan: ExitPlan, shell: Shell) -> list[Refusal]:
    """Exits of a bracket that would close it as soon as it stands: their time, or the market, has passed them."""
    if plan.time_exit:
        try:
            to_come(plan.time_exit, shell.now)
        except ValueError as error:
            return [Refusal("time-exit", "a time to come", "passed", str(error))]
    if plan.entry is None or plan.entry.type is not _MARKET:
        return []  # the entry's own price was compared when it was asked for
    leg = spec.legs[0]
    around = market_around(plan.trigger, leg, shell.quotes.__getitem__)
    try:
        check_sides(plan, leg, around, "market")
    except ValueError as error:
        return [Refusal("exit-side", f"{min(around):g} to {max(around):g}", "passed", str(error))]
    return []
