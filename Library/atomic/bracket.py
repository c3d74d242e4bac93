"""`AtomicBracket`: the handle on a bracket or another contingent set, with the changes its owner may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import facts as f
from . import given
from .facts.decided import UNKNOWN
from .group import AtomicGroup
from .layers import protection
from .protect import gap
from .protect.levels import nearest_tick
from .protect.view import exposure, plan_of, stop_price, target_price
from .vocabulary import Kind, Phase, Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import ChildOrder, GroupState
    from .protect import ExitPlan
    from .shell import Shell


# asked for with every group; see `facts.settle`
_WHOLE = Kind.ALL_OR_NONE


def handle_of(group: GroupState, shell: Shell) -> AtomicGroup:
    """The handle for a group of its kind."""
    return AtomicGroup(group, shell) if group.spec.kind is _WHOLE else AtomicBracket(group, shell)


class AtomicBracket(AtomicGroup):
    """Live handle on a protected group. Everything `AtomicGroup` has, and the exits.

    A contingent set (OCO, OUO, OTO) has its members and no exits of its own: what reads or changes exits raises
    ValueError for it.
    """

    __slots__ = ()

    # --- what is known ----------------------------------------------------------------------------------------

    @property
    def open_quantity(self) -> int:
        """Signed contracts that are filled and not closed."""
        return self._group.legs[0].net

    @property
    def entry_price(self) -> float:
        """Average price of the entry, dollars per share; 0 before the first fill."""
        return exposure(self._group, self._plan()).entry_px

    @property
    def stops(self) -> tuple[ChildOrder, ...]:
        """Stop orders that may fill; read only."""
        return self._live(Purpose.STOP)

    @property
    def targets(self) -> tuple[ChildOrder, ...]:
        """Target orders that may fill; read only."""
        return self._live(Purpose.TARGET)

    @property
    def stop_prices(self) -> tuple[float, ...]:
        """Where the stop of every pair stands, resting or watched; 0 for none."""
        plan = self._plan()
        view = exposure(self._group, plan)
        return tuple(stop_price(self._group, plan, view, i) for i in range(len(plan.pairs)))

    @property
    def target_prices(self) -> tuple[float, ...]:
        """Where the target of every pair stands, resting or watched; 0 for none or cancelled."""
        plan = self._plan()
        view = exposure(self._group, plan)
        return tuple(target_price(self._group, plan, view, i) for i in range(len(plan.pairs)))

    @property
    def is_protected(self) -> bool:
        """True when working stops or closes cover everything that is open, or a watched stop does.

        False while it is held because nobody knows what it holds or which of its exits work.
        """
        if self._group.held in UNKNOWN:
            return False
        open_, covered, watched = protection(self._group)
        return watched or covered >= open_

    @property
    def gap_seconds(self) -> float:
        """Seconds in which something was open and no exit order was confirmed."""
        return gap.gap_seconds(self._group)

    def _live(self, purpose: Purpose) -> tuple[ChildOrder, ...]:
        return tuple(o for o in self._group.live.values() if o.purpose is purpose)

    # --- what may be asked ------------------------------------------------------------------------------------

    def move_stop(self, price: float, pair: int | None = None) -> None:
        """Move the stop of one pair, or of all; the old one protects until the new one does.

        Args:
            price: dollars per share; rounded to the tick.
            pair: index of the pair; None for all.

        Raises:
            ValueError: not a positive price, no such pair, or a bracket without a stop.
        """
        if not any(pair.stop for pair in self._plan().pairs):
            raise ValueError(f"{self.id} has no stop to move: protect the position with a bracket that has one")
        self._remember("stop", price, pair)

    def move_target(self, price: float, pair: int | None = None) -> None:
        """Move the target of one pair, or of all; a cancelled target comes back; one is added where there was none.

        Raises ValueError for a price that is not positive, or an unknown pair.
        """
        given.positive(price, "target price")
        for index in self._pairs(pair):
            self._set(f"target_off.{index}", False)
        self._remember("target", price, pair)

    def cancel_target(self, pair: int | None = None) -> None:
        """Take the target of one pair, or of all, away; the stop stays. Raises ValueError for an unknown pair."""
        for index in self._pairs(pair):
            self._set(f"target_off.{index}", True)
        self._changed("target cancelled")

    def cancel_entry(self, why: str = "cancelled by its owner") -> None:
        """Cancel what is left of the entry; what has filled keeps its exits."""
        self._set("entry_cancel", str(why))
        self._changed(f"entry {why}")

    def let_go(self, why: str = "let go by its owner") -> None:
        """Cancel the exits and the rest of the entry; what is held stays in the account and belongs to no group.

        The group ends when the last of its orders has ended. What fills until then has filled. A later `close` wins.

        Raises:
            ValueError: it is held, closing or closed.
        """
        self._plan()
        group = self._group
        if group.phase is Phase.HELD:
            raise ValueError(f"{self.id} is held: release it first")
        if group.phase is Phase.CLOSED or not group.target or group.emergency:
            raise ValueError(f"{self.id} is closing or closed: there is nothing to let go")
        self._set("entry_cancel", str(why))
        self._set("let_go", str(why))
        self._changed(f"exits {why}")

    def unlink(self) -> None:
        """The orders of an OCO or OUO set work on, each for itself; they stay orders of this group.

        Raises:
            ValueError: no such set, or one of its orders has filled already.
        """
        group = self._group
        form = group.spec.exits.get("form") if group.spec.kind is Kind.CONTINGENT else None
        if form not in ("oco", "ouo"):
            raise ValueError(f"{self.id} is no pair of orders that cancel or update each other: there is no link")
        if any(order.cum_qty for order in group.orders.values()):
            raise ValueError(f"{self.id}: one of its orders has filled, what was linked to it goes already")
        self._set("unlinked", True)
        self._changed("unlinked")

    def resize(self, quantity: int) -> None:
        """Change the size of an entry that is still working.

        Args:
            quantity: contracts in all, unsigned; not less than what has filled.

        Raises:
            ValueError: the entry is done, or the quantity is below what has filled.
        """
        view = exposure(self._group, self._plan())
        if not view.entering:
            raise ValueError("resize: the entry is not working any more; use close or a new bracket")
        size = given.whole(quantity, "resize to")
        if size < max(1, view.filled):
            raise ValueError(f"resize to {quantity!r}: {view.filled} have filled, give a whole number not below")
        self._set("size", size)
        self._changed(f"size to {size}")

    def _plan(self) -> ExitPlan:
        if self._group.spec.kind is Kind.CONTINGENT:
            form = str(self._group.spec.exits["form"]).upper()
            raise ValueError(f"{self.id} is an {form} set: cancel it and place a new one, it has no exits to change")
        return plan_of(self._group)

    def _pairs(self, pair: int | None) -> Sequence[int]:
        count = len(self._plan().pairs)
        if pair is None:
            return range(count)
        if type(pair) is not int or not 0 <= pair < count:
            raise ValueError(f"pair {pair!r}: this group has {count}, counted from 0")
        return (pair,)

    def _remember(self, what: str, price: float, pair: int | None) -> None:
        at = nearest_tick(given.positive(price, f"{what} price"), self._group.legs[0].spec.tick)
        for index in self._pairs(pair):
            self._set(f"{what}.{index}", at)
        self._changed(f"{what} to {at:g}")

    def _changed(self, what: str) -> None:
        if self._group.phase is not Phase.CLOSED:
            for call in self._shell.on_change:
                call(self.id, what)

    def _set(self, key: str, value: Any) -> None:
        shell, group = self._shell, self._group

        def act() -> None:
            if group.phase is not Phase.CLOSED:
                shell.apply(group, f.Remembered(shell.now, key, value))

        shell.do(act)
