"""The real executor under the adversarial broker: real pump, real journal on a store in memory, nothing mocked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import atomic.shell as shell_module
from atomic.bracket import AtomicBracket
from atomic.bracket_terms import ContingentOrder
from atomic.executor import AtomicOrderExecutor
from atomic.journal import MemoryStore
from atomic.protect import Level
from atomic.vocabulary import HoldCause, Right

from .account import Fate
from .market import CHAIN, START

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from atomic.model import GroupState

    from .broker import AdversarialBroker
    from .scenarios import BracketTerms, Setting
    from .sets import MemberTerms, SetTerms

NAME = "chaos"

# a broker's thread pumps for 50 ms at most: on a loaded machine that would make runs differ from their replay
shell_module.BROKER_THREAD_SECONDS = 0.0


class Driver(Protocol):
    """What turns facts into orders: the shell, or a bare pump over the pure core."""

    def start(self) -> None:
        """First legal moment: reconcile, open the gate."""

    def open_group(self, setting: Setting) -> str | None:
        """Ask for a group; its id, or None when refused."""

    def groups(self) -> Sequence[GroupState]:
        """Every group of this process, ended ones included as far as they are kept."""

    def group(self, group_id: str) -> GroupState | None:
        """One group."""

    def bar(self) -> None:
        """New data arrived (`on_data`)."""

    def close(self, group_id: str, why: str) -> None:
        """The owner closes."""

    def cancel(self, group_id: str, why: str) -> None:
        """The owner cancels an opening."""

    def hold(self, group_id: str, why: str) -> None:
        """The owner holds."""

    def release(self, group_id: str, why: str) -> None:
        """The owner releases."""

    def change(self, group_id: str, what: str, value: float) -> bool:
        """The owner moves an exit (`value` is a price), cancels one, or changes the entry's size."""

    def flatten(self, why: str) -> None:
        """Everything to zero at market, budgets ignored."""

    def operate(self, what: str, symbol: str) -> None:
        """Somebody at the desk pauses, resumes, cancels the orders in a symbol, or closes what holds it."""

    def explained(self, symbol: str) -> int | None:
        """Contracts of the account that groups and foreign positions explain; None where a difference is named."""

    def recorded(self, tag: str) -> bool:
        """True when the intent with this tag is on record (flushed in live mode)."""

    def archived(self, group_id: str) -> GroupState | None:
        """A group that this process keeps no longer in memory, from the archive."""

    def reborn(self, broker: AdversarialBroker) -> Driver:
        """A new process on what the journal kept; no Python object survives."""


class WatchedStore(MemoryStore):
    """A store in memory at whose writes and flushes a process may stop."""

    def __init__(self, point: Callable[[str], None], disk: dict[str, str] | None = None) -> None:
        super().__init__(disk)
        self._point = point

    def write(self, key: str, text: str) -> None:
        """Write, then maybe stop."""
        super().write(key, text)
        self._point(f"after {key} was written")

    def flush(self, key: str) -> None:
        """Flush, then maybe stop."""
        super().flush(key)
        self._point(f"after {key} was flushed")


class ShellDriver:
    """`Driver` over `AtomicOrderExecutor`."""

    def __init__(self, broker: AdversarialBroker, store: MemoryStore | None = None) -> None:
        self.broker = broker
        self.store = store if store is not None else WatchedStore(broker.point)
        env = broker.house.env(live=broker.live, sync=broker.sync, combos=broker.combos)
        self.executor = AtomicOrderExecutor(
            name=NAME, gateway=broker, store=self.store, env=env, account="A1", settings=broker.house.settings
        )

    def start(self) -> None:
        """First legal moment: what an earlier process left open is settled."""
        self.executor.start()

    def open_group(self, setting: Setting) -> str | None:
        """Ask for a group."""
        if setting.bracket is not None:
            return self._bracket(setting, setting.bracket)
        if setting.set is not None:
            return self._set(setting, setting.set)
        legs = [(leg.symbol, leg.ratio) for leg in setting.legs]
        handle = self.executor.execute_atomic(
            legs, setting.units, setting.strategy, policy=setting.policy, limit_net=setting.limit_net
        )
        if setting.net_exit and not handle.is_done:
            self.executor.protect_group(handle, take_profit=setting.net_exit, stop_loss=setting.net_exit)
        return handle.id

    def _bracket(self, setting: Setting, terms: BracketTerms) -> str | None:
        quote = self.broker.quote(terms.symbol)
        targets, stop = self._levels(terms)
        trail = Level(percent=terms.trail) if terms.trail else None
        if terms.adopted:
            return self._adopt(setting, terms, targets, stop, trail)
        natural = quote.ask if terms.side > 0 else quote.bid
        handle = self.executor.bracket_order(
            terms.symbol,
            terms.side * setting.units,
            targets=targets,
            stop_loss=stop,
            limit_price=natural if "limit" in terms.entry else 0.0,
            stop_price=quote.last if "stop" in terms.entry else 0.0,
            break_even_after=min(terms.break_even_after, max(0, len(terms.targets) - 1)),
            trail=trail,
            trigger=terms.trigger,
            target_market=terms.target_market,
            stop_limit_offset=terms.stop_limit,
            entry_timeout=terms.entry_timeout,
            time_exit=START + terms.time_exit if terms.time_exit else 0.0,
            policy=setting.policy,
        )
        return handle.id

    def _levels(self, terms: BracketTerms) -> tuple[list[tuple[float, Level]], Level]:
        """Targets and stop: distances from the entry, or prices of the underlying as far from where it is now."""
        if terms.trigger != "underlying":
            return [(share, Level(percent=away)) for share, away in terms.targets], Level(percent=terms.stop)
        leg = CHAIN[terms.symbol]
        side = -terms.side if leg.right is Right.PUT else terms.side
        now = self.broker.quote(leg.underlying).last
        targets = [(share, Level(price=now * (1 + side * away))) for share, away in terms.targets]
        return targets, Level(price=now * (1 - side * terms.stop))

    def _adopt(
        self, setting: Setting, terms: BracketTerms, targets: list[tuple[float, Level]], stop: Level,
        trail: Level | None,
    ) -> str | None:  # fmt: skip
        if terms.symbol in self.broker.market.settled:
            return None
        quantity = terms.side * setting.units
        self.broker.outside(terms.symbol, quantity, self.broker.quote(terms.symbol).last, "foreign", "bought before")
        try:
            handle = self.executor.protect_position(
                terms.symbol, quantity, targets=targets, stop_loss=stop, trail=trail,
                break_even_after=min(terms.break_even_after, max(0, len(targets) - 1)), trigger=terms.trigger,
                target_market=terms.target_market, policy=setting.policy,
            )  # fmt: skip
        except ValueError:
            return None  # another group took it for a reduction of its own
        return handle.id

    def _set(self, setting: Setting, terms: SetTerms) -> str | None:
        if any(member.symbol in self.broker.market.settled for member in terms.members):
            return None  # nobody offers a contract that has ended
        orders = [self._member(member) for member in terms.members]
        if terms.linked:
            return self._linked(setting, orders)
        if terms.form == "oto":
            return self.executor.one_triggers_other(orders[0], orders[1:], policy=setting.policy).id
        make = {"oco": self.executor.one_cancels_other, "ouo": self.executor.one_updates_other}[terms.form]
        return make(orders, policy=setting.policy).id

    def _linked(self, setting: Setting, terms: Sequence[ContingentOrder]) -> str | None:
        """The algorithm's own orders become a set; where that is refused it takes them back."""
        broker = self.broker
        orders = [
            broker.send_by_hand(t.symbol, t.quantity, t.type, t.limit_price, t.stop_price) for t in terms
        ]
        if setting.faults.foreign and broker.market.open and broker.choices.draw(4) == 3:
            broker.fill(orders[0], 1)  # it was quicker
        try:
            return self.executor.link_oco([broker.view.lean_id(o) for o in orders], policy=setting.policy).id
        except ValueError:
            for order in orders:
                if order.fate.alive:
                    broker.account.end(order, Fate.CANCELED)
            return None

    def _member(self, member: MemberTerms) -> ContingentOrder:
        """A limit on its side of the last price, a stop beyond it."""
        side = 1 if member.quantity > 0 else -1
        away = side if member.type == "stop" else -side
        price = max(0.01, round(self.broker.quote(member.symbol).last * (1 + away * member.distance), 2))
        return ContingentOrder(
            member.symbol, member.quantity,
            limit_price=price if member.type == "limit" else 0.0, stop_price=price if member.type == "stop" else 0.0,
        )  # fmt: skip

    def groups(self) -> list[GroupState]:
        """Every group of this process, ended ones included."""
        shell = self.executor.shell
        return [*shell.recent.values(), *shell.groups.values()]

    def group(self, group_id: str) -> GroupState | None:
        """One group."""
        shell = self.executor.shell
        found: GroupState | None = shell.groups.get(group_id) or shell.recent.get(group_id)
        return found

    def bar(self) -> None:
        """New data."""
        self.executor.on_data()

    def close(self, group_id: str, why: str) -> None:
        """The owner closes."""
        if (handle := self.executor.groups.get(group_id)) is not None:
            handle.close(why)

    def cancel(self, group_id: str, why: str) -> None:
        """The owner cancels an opening."""
        if (handle := self.executor.groups.get(group_id)) is not None:
            handle.cancel(why)

    def hold(self, group_id: str, why: str) -> None:
        """The owner holds."""
        if (handle := self.executor.groups.get(group_id)) is not None:
            handle.hold(why)

    def release(self, group_id: str, why: str) -> None:
        """The owner releases."""
        if (handle := self.executor.groups.get(group_id)) is not None:
            handle.release(why)

    def change(self, group_id: str, what: str, value: float) -> bool:
        """The owner changes a bracket; False where that makes no sense any more."""
        handle = self.executor.groups.get(group_id)
        if not isinstance(handle, AtomicBracket):
            return False
        try:
            if what == "resize":
                handle.resize(int(value))
            elif what.startswith("move"):
                getattr(handle, what)(value)
            else:
                getattr(handle, what)()
        except ValueError:
            return False
        return True

    def flatten(self, why: str) -> None:
        """Everything to zero at market, budgets ignored."""
        self.executor.emergency_flatten(why)

    def operate(self, what: str, symbol: str) -> None:
        """Somebody at the desk."""
        if what in ("pause", "resume"):
            getattr(self.executor.desk, what)("operator")
        elif what == "cancel":
            self.executor.cancel_position_orders(symbol)
        else:
            with suppress(ValueError):  # no group of ours is in it
                self.executor.close_position_with_cleanup(symbol)

    def explained(self, symbol: str) -> int | None:
        """Shares of all groups and the baseline, unless the contract is shut or a group is held for the difference."""
        shell = self.executor.shell
        outside = shell.outside
        doubted = any(group.held in (HoldCause.AMBIGUOUS, HoldCause.BREAK) for group in shell.groups.values())
        if symbol in outside.closed_contracts or doubted:
            return None
        return outside.net(symbol) + outside.baseline(symbol)

    def recorded(self, tag: str) -> bool:
        """True when the tag is in a text that survives what may happen now: flushed to disk in live mode."""
        texts = self.store.disk if self.broker.live else self.store.now
        return any(f'"{tag}"' in text for text in texts.values())

    def archived(self, group_id: str) -> GroupState | None:
        """From the archive."""
        return self.executor.journal.recent(group_id)

    def reborn(self, broker: AdversarialBroker) -> ShellDriver:
        """A new process on the journal's bytes."""
        return ShellDriver(broker, WatchedStore(broker.point, self.store.disk))


def shell(broker: AdversarialBroker) -> ShellDriver:
    """A driver for `runs`."""
    return ShellDriver(broker)
