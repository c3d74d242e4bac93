"""What the gateway keeps of child orders: found by group and number, by LEAN's id, by tag; bounded once they ended."""

from __future__ import annotations

from collections import deque
from typing import Any

#: ended orders whose late events are still found without parsing their tag
ENDED_KEPT = 2048


class Slot:
    """One child order at LEAN."""

    __slots__ = ("adopted", "asked", "canceling", "fees", "group_id", "heard", "lean_id", "number", "own_tag",
                 "sent_at", "silent", "symbol", "tag", "ticket")  # fmt: skip

    def __init__(
        self, group_id: str, number: int, symbol: str, tag: str, sent_at: float, own_tag: str = ""
    ) -> None:
        self.group_id = group_id
        self.number = number
        #: security identifier text
        self.symbol = symbol
        #: what LEAN carries; the orders of a native combo share one
        self.tag = tag
        #: the child order's own
        self.own_tag = own_tag or tag
        self.sent_at = sent_at
        self.ticket: Any = None
        self.lean_id = 0
        self.fees = 0.0
        #: events seen
        self.heard = 0
        #: accepted within its own send, and nothing said yet
        self.silent = False
        #: taken over from an earlier process: what had filled before is a guess from holdings
        self.adopted = False
        #: a cancel of ours is pending
        self.canceling = False
        #: terms of an update of ours that is pending
        self.asked: tuple[int, float, float] | None = None


class SlotBook:
    """All child orders of this process."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, int], Slot] = {}
        #: LEAN's id -> slot, also of recently ended orders
        self.by_id: dict[int, Slot] = {}
        #: tag -> slot, or symbol -> slot: the legs of a native combo share one tag
        self.by_tag: dict[str, Slot | dict[str, Slot]] = {}
        self._ended: deque[int] = deque()

    def open(self, slot: Slot) -> None:
        """An order is about to be sent; from now on it is found by its tag."""
        self._slots[(slot.group_id, slot.number)] = slot
        other = self.by_tag.setdefault(slot.tag, slot)
        if other is slot:
            return
        if isinstance(other, dict):
            other[slot.symbol] = slot
        else:
            self.by_tag[slot.tag] = {other.symbol: other, slot.symbol: slot}

    def get(self, group_id: str, number: int) -> Slot | None:
        """An order that has not ended."""
        return self._slots.get((group_id, number))

    def has(self, lean_id: int, tag: str) -> bool:
        """True for an order that is open, or ended not long ago."""
        return lean_id in self.by_id or tag in self.by_tag

    def known_as(self, slot: Slot, lean_id: int) -> None:
        """LEAN's id of an order became known."""
        slot.lean_id = lean_id
        self.by_id[lean_id] = slot

    def adopt(self, slot: Slot) -> None:
        """An order of an earlier process; it has an id already."""
        self._slots[(slot.group_id, slot.number)] = self.by_id[slot.lean_id] = slot

    def close(self, slot: Slot) -> None:
        """An order ended; it stays findable by its id for late events, within bounds."""
        if self._slots.pop((slot.group_id, slot.number), None) is None:
            return
        tagged = self.by_tag.pop(slot.tag, None)
        if tagged is not slot and tagged is not None:  # others have it, too
            if isinstance(tagged, dict):
                tagged.pop(slot.symbol, None)
            if tagged:
                self.by_tag[slot.tag] = tagged
        lean_id = slot.lean_id
        if not lean_id:
            return  # refused before LEAN numbered it: no event can come
        ended = self._ended
        ended.append(lean_id)
        if len(ended) > ENDED_KEPT:
            self.by_id.pop(ended.popleft(), None)
