"""Brackets and exits of what stands already by name, with LEAN's vocabulary, on the core of the groups.

A mixin of the executor: every helper checks its terms, makes a group of the right kind and hands it to the same
admission, journal and pump as any other group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from . import facts as f
from . import given
from .admission import Admission
from .bracket import AtomicBracket
from .bracket_terms import (
    ExitDefaults,
    check_exits,
    check_sides,
    entry,
    level,
    market_around,
    seconds,
    to_come,
    whole,
)
from .group import AtomicGroup
from .layers import Coverage
from .operations import Operations
from .plan.watch import NetExits
from .ports import Severity
from .protect import ExitPair, ExitPlan, Level
from .protect.decide import LET_GO
from .vocabulary import PROTECTED_KINDS, Kind, Phase
from .wiring import subscribed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .model import GroupState
    from .operation import CancelCounts
    from .policy import Policy

    #: a target: price, (share, price), Level or (share, Level)
    Target = float | Level | tuple[float, float | Level]


# asked for with every bracket; see `facts.settle`
_BRACKET = Kind.BRACKET


class Brackets(Admission):
    """The helpers; mixed into `AtomicOrderExecutor`."""

    #: per-strategy distances; "" is used for strategies that are not listed
    exit_defaults: dict[str, ExitDefaults]

    #: how well filled entries are protected
    coverage: Coverage

    def _init_brackets(self) -> None:
        self.exit_defaults = {}
        shell = self.shell
        self.coverage = Coverage(shell.alerts.raise_)
        shell.on_forget.append(self.coverage.forget)
        shell.on_folded.append(self.coverage.fact)
        self.coverage.on_adjusted = self._let_go
        self._protection_swept_at = 0.0
        #: number of facts of each group when a backtest swept last
        self._swept: dict[str, int] = {}
        self._checked_at = 0.0
        self.operations = Operations(shell)

    def _let_go(self, group: GroupState, fact: Any) -> None:
        """A position that leaves its group belongs to no group from then on."""
        if fact.cause == LET_GO:
            outside, symbol = self.shell.outside, group.legs[fact.leg].spec.symbol
            outside.set_baseline(symbol, outside.baseline(symbol) - fact.delta)

    def sweep_protection(self, *, force: bool = False) -> None:
        """Layer 2: look at every protected group again; what is missing is placed, what stands is not doubled.

        Runs at the start, then every `Settings.protection_sweep` seconds; thresholds are checked on every bar. In a
        backtest, where nothing happens to an order without an event, cover is counted again for the groups that changed
        since, and only those are decided again that do not sleep or lack it.
        """
        shell, coverage = self.shell, self.coverage
        self.operations.look()
        if not force and shell.now - self._protection_swept_at < self.settings.protection_sweep:
            self._check_thresholds()
            return
        if force or shell.gateway.live:
            groups = [g for g in shell.groups.values() if g.spec.kind in PROTECTED_KINDS]
        else:
            changed = self._changed()
            coverage.check(shell.now, changed)
            asleep, bare = shell.asleep, coverage.suspects
            groups = [g for g in changed if (n := g.spec.group_id) not in asleep or n in bare]
            if not groups:
                self._protection_swept_at = shell.now
                return
        if groups:
            coverage.sweeping = True
            try:
                shell.do(lambda: shell.touch_all(groups))
            finally:
                coverage.sweeping = False
        self._protection_swept_at = shell.now
        coverage.check(shell.now, groups)

    def _changed(self) -> list[GroupState]:
        """Protected groups that have other facts than at the sweep before, do not sleep or lack cover."""
        asleep, suspects = self.shell.asleep, self.coverage.suspects
        before, counts = self._swept, {}
        changed = []
        for group_id, group in self.shell.groups.items():
            count = counts[group_id] = len(group.facts)
            stirred = before.get(group_id) != count or group_id not in asleep or group_id in suspects
            if stirred and group.spec.kind in PROTECTED_KINDS:
                changed.append(group)
        self._swept = counts
        return changed

    def _check_thresholds(self) -> None:
        """Between the sweeps: suspects with every call, in live mode all groups every `sweep_interval` seconds."""
        shell, coverage = self.shell, self.coverage
        if shell.gateway.live and shell.now - self._checked_at >= self.settings.sweep_interval:
            self._checked_at = shell.now
            coverage.check(shell.now, [g for g in shell.groups.values() if g.spec.kind in PROTECTED_KINDS])
        elif coverage.suspects:
            suspects = [g for n in list(coverage.suspects) if (g := shell.groups.get(n)) is not None]
            coverage.check(shell.now, suspects)

    def cancel_position_orders(self, symbol: Any, why: str = "cancelled by its owner") -> CancelCounts:
        """Cancel every working order of our groups in a symbol; see `Operations.cancel_position_orders`."""
        return self.operations.cancel_position_orders(self.leg(symbol, 1).symbol, why)

    def close_position_with_cleanup(self, position: Any, why: str = "closed by its owner") -> str:
        """Take a group, or every group that holds a symbol, to zero with its resting orders; the operation's id.

        Raises:
            ValueError: no group of ours holds it.
        """
        if isinstance(position, AtomicGroup):
            position.close(why)
            return position.id
        return self.operations.close_position_with_cleanup(self.leg(position, 1).symbol, why)

    def bracket_order(
        self, symbol: Any, quantity: int, *, take_profit_price: float | None = None,
        stop_loss_price: float | None = None, targets: Sequence[Target] | None = None,
        stop_loss: float | Level | None = None, limit_price: float = 0.0, stop_price: float = 0.0,
        stop_limit_offset: float = 0.0, target_market: bool = False, trail: Level | None = None,
        trail_step: float = 0.05, break_even_after: int = 0, time_exit: datetime | float = 0.0,
        entry_timeout: float = 0.0, trigger: str = "native", native: bool = False, strategy: str = "bracket",
        policy: Policy | None = None, note: str = "",
    ) -> AtomicBracket:  # fmt: skip
        """Entry, stop and targets as one transaction; the exits always equal what is filled and not closed.

        Without targets and stop the strategy's defaults apply (two targets at +1 % and +2 % with half each, stop at
        -1 %). Stop only and target only are possible.

        Args:
            symbol: contract or share: Symbol, OptionContract, Security.
            quantity: signed contracts or shares; negative sells to open.
            take_profit_price: one target for everything, dollars per share.
            stop_loss_price: stop for everything, dollars per share.
            targets: several targets: prices or levels, each optionally with its share.
            stop_loss: stop as price or level (``Level(percent=0.01)``, ``Level(offset=2 * atr)``).
            limit_price: entry as limit order; 0 for none.
            stop_price: entry as stop order (with `limit_price` stop limit); 0 for none.
            stop_limit_offset: dollars from stop trigger to stop-limit price; 0 for stop market. Not for watched stops.
            target_market: watch the target and close at market instead of resting a limit.
            trail: stops follow the best price at this distance.
            trail_step: smallest move of a trailing stop, dollars per share.
            break_even_after: after so many targets the other stops go to the entry price; 0 for never.
            time_exit: close at this time (datetime in UTC, or seconds UTC).
            entry_timeout: seconds after which what is left of the entry is cancelled; 0 for never.
            trigger: "native" (the venue watches), or what we watch: "last", "mid", "underlying". With "underlying" all
                levels are prices of the underlying, no distances; the stop of a long put lies above the market.
            native: send both exits of a pair as LEAN's own contingent set where this LEAN has them (unverified).
            strategy: what it is called; selects the defaults.
            policy: retries and giving up; the executor's when None.
            note: free text for the record.

        Returns:
            The live handle; refused by the market or a limit: outcome REFUSED with the reason.

        Raises:
            ValueError: quantity, prices or sides make no sense; nothing was sent.
        """
        quantity = whole(quantity)
        side = 1 if quantity > 0 else -1
        plan = ExitPlan(  # by position: a class takes keywords at twice the price
            self._pairs(strategy, take_profit_price, stop_loss_price, targets, stop_loss),
            entry(limit_price, stop_price),
            stop_limit_offset,
            target_market,
            trail,
            trail_step,
            break_even_after,
            seconds(time_exit),
            trigger,
            entry_timeout,
            native,
        )
        leg = self.leg(symbol, side)
        check_exits(plan, leg)
        at = 0.0 if trigger == "underlying" else limit_price or stop_price
        if at:
            check_sides(plan, leg, (at, at), "entry")
        group, handle = self._new_group(
            [leg], abs(quantity), strategy, policy=policy, note=note, kind=_BRACKET, exits=plan.row()
        )
        group.exit_plan = plan
        self._begin_group(group)
        if not plan.protects and not handle.is_done:
            self._say_bare(group)
        return cast("AtomicBracket", handle)

    def protect_position(
        self, symbol: Any, quantity: int | None = None, *, take_profit_price: float | None = None,
        stop_loss_price: float | None = None, targets: Sequence[Target] | None = None,
        stop_loss: float | Level | None = None, entry_price: float = 0.0, strategy: str = "exits",
        policy: Policy | None = None, note: str = "", **more: Any,
    ) -> AtomicBracket:  # fmt: skip
        """Exits (an OCO pair) for a position that stands in the account and belongs to no group.

        Args:
            symbol: contract or share.
            quantity: signed contracts to protect; all that belongs to no group when None.
            entry_price: what distances refer to, dollars per share; the average price of the holding when 0.
            take_profit_price: as in `bracket_order`.
            stop_loss_price: as in `bracket_order`.
            targets: as in `bracket_order`.
            stop_loss: as in `bracket_order`.
            strategy: as in `bracket_order`.
            policy: as in `bracket_order`.
            note: as in `bracket_order`.
            more: trail, trail_step, break_even_after, time_exit, trigger, target_market, stop_limit_offset and native,
                as in `bracket_order`.

        Raises:
            ValueError: there is no such position, the market has passed a stop or target already, or the terms make no
                sense; nothing was sent.
        """
        leg = self.leg(symbol, 1)
        free = self.shell.gateway.holding(leg.symbol) - self.shell.outside.net(leg.symbol)
        size = free if quantity is None else whole(quantity)
        if not size or size * free <= 0 or abs(size) > abs(free):
            raise ValueError(f"{leg.name or leg.symbol}: {free:+d} belong to no group, {size:+d} cannot be protected")
        if "time_exit" in more:
            more["time_exit"] = to_come(more["time_exit"], self.shell.gateway.now())
        if "stop_limit_offset" in more:
            more["stop_limit"] = more.pop("stop_limit_offset")
        plan = ExitPlan(self._pairs(strategy, take_profit_price, stop_loss_price, targets, stop_loss), **more)
        price = given.number(entry_price, "entry_price", low=0) or self._average_price(leg.symbol)
        leg = self.leg(symbol, 1 if size > 0 else -1)
        if problem := subscribed(self._gateway, leg):
            raise ValueError(problem)
        check_exits(plan, leg, price)
        check_sides(plan, leg, market_around(plan.trigger, leg, self.shell.gateway.quote), "market", price)
        group, handle = self._new_group(
            [leg], abs(size), strategy, policy=policy, note=note, kind=Kind.EXITS, exits=plan.row()
        )

        def act() -> None:
            shell = self.shell
            shell.add(group)
            shell.apply(group, f.Opening(shell.now, "exits for a position that stood already"))
            shell.apply(group, f.Remembered(shell.now, "adopted", abs(size)))
            shell.apply(group, f.Remembered(shell.now, "adopted_px", price))
            shell.apply(group, f.Adjusted(shell.now, 0, size, price, "adopted", "taken over from the account"))
            outside = shell.outside
            outside.set_baseline(leg.symbol, outside.baseline(leg.symbol) - size)

        self.shell.do(act)
        if not plan.protects:
            self._say_bare(group)
        return cast("AtomicBracket", handle)

    def _say_bare(self, group: GroupState) -> None:
        """A stop that was not asked for is not placed, and that is said."""
        name = group.legs[0].spec.name or group.legs[0].spec.symbol
        text = f"{name}: a target and no stop, as asked: nothing protects the position (stop_loss_price=... does)"
        self.shell.alerts.raise_(self.shell.now, Severity.P2, "no-stop", group.spec.group_id, text)

    def place_oco(self, symbol: Any, target_price: float, stop_price: float, quantity: int | None = None) -> AtomicBracket:  # noqa: E501
        """A target and a stop for an existing position; whichever fills shrinks the other. See `protect_position`."""
        return self.protect_position(symbol, quantity, take_profit_price=target_price, stop_loss_price=stop_price,
                                     strategy="oco")  # fmt: skip

    def protect_group(
        self, group: AtomicGroup, *, take_profit: float | None = None, stop_loss: float | None = None,
        time_exit: datetime | float = 0.0, underlying_low: float | None = None, underlying_high: float | None = None,
    ) -> AtomicGroup:  # fmt: skip
        """Target and stop on the net price of a whole group, watched by us (no venue rests a stop on four legs).

        Args:
            group: an all-or-none group, open or opening.
            take_profit: close when a unit gained so many dollars per share of the option.
            stop_loss: close when a unit lost so many dollars per share of the option.
            time_exit: close at this time (datetime in UTC, or seconds UTC).
            underlying_low: close when the underlying trades at or below.
            underlying_high: close when the underlying trades at or above.

        Raises:
            ValueError: nothing is given, a value is not positive, or the group is a bracket or has ended.
        """
        exits = NetExits(
            take_profit, stop_loss, to_come(time_exit, self.shell.gateway.now()), underlying_low, underlying_high
        )
        state = given.one_of(group, AtomicGroup, "group").record
        if state.spec.kind is not Kind.ALL_OR_NONE or group.is_done:
            raise ValueError(f"{group.id} is {state.spec.kind} and {group.state}: give an all-or-none group that lives")
        shell = self.shell

        def act() -> None:
            if state.phase is not Phase.CLOSED:
                shell.apply(state, f.Remembered(shell.now, "net", exits.row()["net"]))

        shell.do(act)
        return group

    def _pairs(
        self, strategy: str, take_profit_price: float | None, stop_loss_price: float | None,
        targets: Sequence[Target] | None, stop_loss: float | Level | None,
    ) -> tuple[ExitPair, ...]:  # fmt: skip
        if take_profit_price is not None and targets is not None:
            raise ValueError("give take_profit_price or targets, not both")
        if stop_loss_price is not None and stop_loss is not None:
            raise ValueError("give stop_loss_price or stop_loss, not both")
        stop = level(stop_loss_price if stop_loss_price is not None else stop_loss)
        if take_profit_price is not None:
            return (ExitPair(1.0, level(take_profit_price), stop),)
        if targets is None and stop is None:
            defaults = self.exit_defaults
            return defaults.get(strategy, defaults.get("", ExitDefaults())).pairs()
        targets = () if targets is None else given.many(targets, "targets")
        if len(targets) == 0:
            return (ExitPair(1.0, None, stop),)
        found = []
        for target in targets:
            share, at = target if isinstance(target, tuple) else (1.0 / len(targets), target)
            found.append(ExitPair(share, level(at), stop))
        return tuple(found)

    def _average_price(self, symbol: str) -> float:
        read = getattr(self.shell.gateway, "average_price", None)
        price = float(read(symbol)) if read is not None else 0.0
        quote = self.shell.gateway.quote(symbol)
        return price or quote.last or (quote.bid + quote.ask) / 2
