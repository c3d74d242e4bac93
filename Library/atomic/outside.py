"""What moves positions without an order of ours, and whose share it is.

LEAN knows one net per contract; the groups and the foreign positions behind it are ours to tell apart. The recorded
rule: a foreign trade, margin call or early assignment that reduces goes to the foreign position (the *baseline*)
first, then to the newest group; what nobody holds is a new foreign position. At expiry every group settles its own
share at the exercise value, also where LEAN sends no event because the net over groups is zero; the shares that an
exercise delivers follow the same order, the rest of the contracts cancel out among the groups in cash.

A settled contract is booked at its exercise value and delivered shares at the underlying's price, which adds up to
the strike that LEAN books.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from . import facts as f
from .model import LegSpec
from .ports import SIBLING, Severity
from .reconcile.terms import in_doubt
from .vocabulary import Phase, Right

if TYPE_CHECKING:
    from .model import GroupState, LegState
    from .shell import Shell

#: a contract that nobody reported as ended settles by the clock: noon UTC after its expiry day, when LEAN's own
#: delisting (midnight in New York) has come and before the next session
_EXPIRY_GRACE = 36 * 3600.0
_ASSIGNED = ("assignment", "exercise")
#: seconds for which delivered shares are still matched with the exercise they came from
_DELIVERY_DAYS = 5 * 86400.0
_EPOCH = datetime(1970, 1, 1)


class Delivery(NamedTuple):
    """Shares that an exercise or assignment will bring: to a group, or to the foreign position ("")."""

    at: float
    group_id: str
    shares: int
    #: underlying's price minus strike
    over_strike: float
    why: str
    #: what a person calls the underlying
    name: str = ""


class Outside:
    """Foreign positions, settlements and deliveries. Works inside the pump."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        #: contracts in which the account and the groups disagree: nothing opens in them
        self.closed_contracts: dict[str, str] = {}
        self._suspect: dict[str, int] = {}
        self._deliveries: dict[str, list[Delivery]] = {}
        self._expiries: dict[str, float] = {}
        self._next_expiry = 0.0

    # --- foreign positions ------------------------------------------------------------------------------------

    def baseline(self, symbol: str) -> int:
        """Signed contracts of the account that belong to no group."""
        return int(self._shell.journal.extra.get("baseline", {}).get(symbol, 0))

    def set_baseline(self, symbol: str, quantity: int) -> None:
        """Remember the foreign position of a symbol; journaled with the open groups."""
        known: dict[str, int] = self._shell.journal.extra.get("baseline", {})
        if known.get(symbol) != quantity:
            self._shell.journal.extra["baseline"] = {**known, symbol: quantity}

    def learn(self, group: GroupState) -> None:
        """A group joins: what stands in its contracts and belongs to no group is foreign."""
        known = self._shell.journal.extra.get("baseline", {})
        for leg in group.legs:
            symbol = leg.spec.symbol
            if symbol not in known:
                self.set_baseline(symbol, self._shell.gateway.holding(symbol) - self.net(symbol))
                known = self._shell.journal.extra["baseline"]
            if self._next_expiry and leg.spec.expiry:
                self._next_expiry = min(self._next_expiry, _ends_at(leg.spec.expiry))

    def forget_unused(self) -> None:
        """Drop baselines of contracts that no group holds any more."""
        known: dict[str, int] = self._shell.journal.extra.get("baseline", {})
        unused = set(known)
        for group in self._shell.groups.values():
            if not unused:
                return
            unused.difference_update([leg.spec.symbol for leg in group.legs])
        if unused:
            self._shell.journal.extra["baseline"] = {s: q for s, q in known.items() if s not in unused}

    def net(self, symbol: str) -> int:
        """Sum of all groups' own shares in a symbol."""
        return self._nets().get(symbol, 0)

    def _nets(self) -> dict[str, int]:
        """Sum of all groups' own shares by symbol."""
        nets: dict[str, int] = {}
        for group in self._shell.groups.values():
            for leg in group.legs:
                symbol = leg.spec.symbol
                nets[symbol] = nets.get(symbol, 0) + leg.net
        return nets

    def _legs(self, symbol: str) -> list[tuple[GroupState, int, LegState]]:
        """Legs of groups in a symbol, newest group first."""
        found = [
            (group, i, leg)
            for group in self._shell.groups.values()
            for i, leg in enumerate(group.legs)
            if leg.spec.symbol == symbol
        ]
        found.sort(key=lambda item: (item[0].spec.created_at, item[0].spec.group_id), reverse=True)
        return found

    # --- trades that are not ours -----------------------------------------------------------------------------

    def moved(self, symbol: str, delta: int, price: float, cause: str, why: str) -> None:
        """The account moved by `delta` signed contracts without an order of ours."""
        now = self._shell.now
        if cause == SIBLING:  # its own group has it
            if self._known(symbol):
                self.set_baseline(symbol, self.baseline(symbol) + delta)
            return
        if cause in _ASSIGNED and self._deliveries.get(symbol):
            delta = self._deliver(symbol, delta, price, why)
        if cause == "foreign" and self._moved_in_doubt(symbol, delta, price, why):
            return
        rest = delta
        base = self.baseline(symbol)
        if base * rest < 0:
            part = _clamp(rest, base)
            self.set_baseline(symbol, base + part)
            self._expect(symbol, "", part, price, cause, why)
            rest -= part
        if rest:
            for group, i, leg in self._legs(symbol):
                if leg.net * rest < 0 and not leg.settled and rest:
                    part = _clamp(rest, leg.net)
                    self._shell.fold(group, f.Adjusted(now, i, part, price, cause, why))
                    self._expect(symbol, group.spec.group_id, part, price, cause, why)
                    text = f"{part:+d} {leg.spec.name or symbol} by {cause}, not by an order of the group ({why})"
                    severity = Severity.P0 if cause == "margin_call" else Severity.P1
                    self._shell.alerts.raise_(now, severity, f"moved-by-{cause}", group.spec.group_id, text)
                    rest -= part
        if rest and self._known(symbol):  # an unknown one is learned from the account when a group joins
            self.set_baseline(symbol, self.baseline(symbol) + rest)

    def _moved_in_doubt(self, symbol: str, delta: int, price: float, why: str) -> bool:
        """What moves where a restart could not tell whose order is whose belongs to a group held for that doubt.

        It is most likely one of those orders; another group must not believe that its own share went. False where
        nothing is in doubt.
        """
        doubtful = [(group, i) for group, i, _ in self._legs(symbol) if symbol in in_doubt(group)]
        if not doubtful:
            return False

        def fits(found: tuple[GroupState, int]) -> bool:
            group, i = found
            return any(o.leg == i and o.side * delta >= 0 and o.leaves_qty >= abs(delta) for o in group.live.values())

        group, i = next(filter(fits, doubtful), doubtful[0])
        self._shell.fold(group, f.Adjusted(self._shell.now, i, delta, price, "foreign", why))
        text = f"{delta:+d} {symbol} moved while its history is in doubt, taken for an order of this group: {why}"
        self._shell.alerts.raise_(self._shell.now, Severity.P1, "moved-in-doubt", group.spec.group_id, text)
        return True

    def _known(self, symbol: str) -> bool:
        return symbol in self._shell.journal.extra.get("baseline", {})

    def _expect(self, symbol: str, group_id: str, part: int, intrinsic: float, cause: str, why: str) -> None:
        """An early exercise or assignment of `part` contracts will bring shares."""
        if cause not in _ASSIGNED:
            return
        spec = self._spec(symbol)
        if spec is not None and spec.right is not Right.SHARE:
            self._note(spec, group_id, part, intrinsic, why)

    def _spec(self, symbol: str) -> LegSpec | None:
        for _, _, leg in self._legs(symbol):
            return leg.spec
        return None

    def _note(self, spec: LegSpec, group_id: str, part: int, intrinsic: float, why: str) -> None:
        sign = -1 if spec.right is Right.CALL else 1
        shares = sign * part * round(spec.multiplier)
        over = intrinsic if spec.right is Right.CALL else -intrinsic
        due = self._deliveries.setdefault(spec.underlying, [])
        now = self._shell.now
        due[:] = [d for d in due if now - d.at < _DELIVERY_DAYS]
        due.append(Delivery(now, group_id, shares, over, why, (spec.name or spec.underlying).split(" ")[0]))

    def _deliver(self, symbol: str, delta: int, price: float, why: str) -> int:
        """Give delivered shares to those whose contracts they came from; returns what is left over."""
        left = self._deliveries.pop(symbol)
        rest = delta
        keep: list[Delivery] = []
        for due in left:
            if rest * due.shares <= 0:
                keep.append(due)
                continue
            part = _clamp(-rest, due.shares) * -1
            rest -= part
            # a group whose last leg settled has ended by now; its shares take it up again
            group = self._shell.find(due.group_id) if due.group_id else None
            if group is None:
                self.set_baseline(symbol, self.baseline(symbol) + part)
            else:
                row = LegSpec(symbol, 0, Right.SHARE, 0.0, "", symbol, 1.0, 0.01, due.name).row()
                self._adopt_symbol(symbol, delta)
                self._shell.fold(group, f.Delivered(self._shell.now, row, part, price + due.over_strike, due.why))
            if part != due.shares:
                keep.append(due._replace(shares=due.shares - part))
        if keep:
            self._deliveries[symbol] = keep
        return rest

    def _adopt_symbol(self, symbol: str, delta: int) -> None:
        """Shares join the known symbols: what was there before the delivery is foreign."""
        if not self._known(symbol):
            self.set_baseline(symbol, self._shell.gateway.holding(symbol) - delta - self.net(symbol))

    # --- the end of contracts ---------------------------------------------------------------------------------

    def ended(self, symbol: str, settlement: float, cause: str) -> None:
        """A contract ended: every group settles its own share."""
        shell, now = self._shell, self._shell.now
        legs = [(group, i, leg) for group, i, leg in self._legs(symbol) if not leg.settled]
        base = self.baseline(symbol)
        total = sum(leg.net for _, _, leg in legs) + base
        if settlement > 0 and total:
            spec = self._spec(symbol)
            if spec is not None and spec.right is not Right.SHARE:
                rest = total
                for group_id, held in [("", base), *((g.spec.group_id, leg.net) for g, _, leg in legs)]:
                    if held * rest > 0:
                        part = _clamp(-rest, held) * -1
                        rest -= part
                        self._note(spec, group_id, -part, settlement, f"{spec.name or symbol} {cause}")
        for group, i, _ in legs:
            shell.fold(group, f.Settled(now, i, settlement, cause))
        if self._known(symbol):
            self.set_baseline(symbol, 0)
        self.closed_contracts.pop(symbol, None)
        self._suspect.pop(symbol, None)
        self._next_expiry = 0.0

    def is_due(self, now: float) -> bool:
        """True when a contract may have expired, or it is not known when the next one does."""
        return not self._next_expiry or now >= self._next_expiry

    def by_clock(self) -> None:
        """Settle what expired without anybody saying so (LEAN is silent when the net over groups is zero)."""
        shell, now = self._shell, self._shell.now
        if not self.is_due(now):
            return
        due: dict[str, LegSpec] = {}
        upcoming = float("inf")
        for group in shell.groups.values():
            for leg in group.legs:
                if leg.spec.expiry and not leg.settled and group.phase is not Phase.CLOSED:
                    at = _ends_at(leg.spec.expiry)
                    if at <= now:
                        due[leg.spec.symbol] = leg.spec
                    else:
                        upcoming = min(upcoming, at)
        self._next_expiry = upcoming
        for symbol, spec in due.items():
            self.ended(symbol, self.worth(spec), "expiry")

    def is_past(self, spec: LegSpec) -> bool:
        """True when the contract's expiry day is over."""
        return bool(spec.expiry) and _ends_at(spec.expiry) - _EXPIRY_GRACE + 86400.0 <= self._shell.now

    def price(self, symbol: str) -> float:
        """Last price in dollars per share, mid of the quote where there is none; 0 when unknown."""
        quote = self._shell.quotes[symbol]
        if quote.last > 0:
            return quote.last
        return (quote.bid + quote.ask) / 2 if quote.bid > 0 and quote.ask > 0 else quote.bid or quote.ask

    def worth(self, spec: LegSpec) -> float:
        """What an ended contract is worth by exercise, dollars per share, at the underlying's price now."""
        price = self.price(spec.underlying)
        if price <= 0:
            return 0.0
        return max(0.0, price - spec.strike if spec.right is Right.CALL else spec.strike - price)

    # --- the account against the groups -----------------------------------------------------------------------

    def close_contract(self, symbol: str, why: str) -> None:
        """Nothing opens in this contract until the account and the groups agree again."""
        if symbol in self.closed_contracts:
            return
        self.closed_contracts[symbol] = why
        shell = self._shell
        shell.observer.counts["breaks"] += 1
        groups = [group.spec.group_id for group, _, _ in self._legs(symbol)]
        text = f"{why}; nothing opens in this contract until it is explained"
        shell.alerts.raise_(shell.now, Severity.P0, "holdings-break", symbol, text, {"groups": groups})

    def check_holdings(self) -> dict[str, int]:
        """Differences (account minus groups minus baseline) seen twice in a row; opened or closed contracts follow."""
        shell = self._shell
        known = shell.journal.extra.get("baseline", {})
        nets: dict[str, int] = {}
        alive: dict[str, None] = {}
        for group in shell.groups.values():
            for leg in group.legs:
                symbol = leg.spec.symbol
                nets[symbol] = nets.get(symbol, 0) + leg.net
                if not leg.settled:
                    alive[symbol] = None
        seen: dict[str, int] = {}
        for symbol in alive:
            if symbol in known:
                difference = shell.gateway.holding(symbol) - nets[symbol] - int(known[symbol])
                if difference:
                    seen[symbol] = difference
        confirmed = {s: d for s, d in seen.items() if self._suspect.get(s) == d}
        self._suspect = seen
        for symbol, difference in confirmed.items():
            why = f"the account holds {difference:+d} {symbol} that no group and no foreign position accounts for"
            self.close_contract(symbol, why)
        for symbol in [s for s in self.closed_contracts if s not in seen]:
            del self.closed_contracts[symbol]
        return confirmed

    def state(self) -> dict[str, Any]:
        """Deliveries that are still due, JSON-able."""
        return {symbol: [list(d) for d in due] for symbol, due in self._deliveries.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self._deliveries = {symbol: [Delivery(*row) for row in rows] for symbol, rows in state.items()}


def _clamp(delta: int, against: int) -> int:
    """The part of `delta` that takes `against` towards zero and not beyond."""
    return max(delta, -against) if delta < 0 else min(delta, -against)


@lru_cache(maxsize=256)
def _ends_at(expiry: str) -> float:
    return (datetime.fromisoformat(expiry) - _EPOCH).total_seconds() + _EXPIRY_GRACE
