"""Open orders that are none of our living ones: ended ones shown again, lost intents, other people's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..facts import Accepted, BaseSet, Intended
from ..journal import group_id_of
from ..vocabulary import REDUCING, HoldCause, Phase, Purpose
from . import guesses
from .terms import Adoption, terms_text

if TYPE_CHECKING:
    from ..model import GroupState
    from ..ports import BrokerOrder
    from .terms import View
    from .work import Work


def others(work: Work) -> None:
    """Broker orders that are none of our living ones."""
    verdict, view = work.verdict, work.view
    for order in work.shown:
        group_id = group_id_of(order.tag)
        group = work.groups.get(group_id or "") or view.ended.get(group_id or "")
        if group_id is None or (group is None and not _ours(group_id, view)):
            _foreign(work, order)
            continue
        number = _number(order.tag)
        text = f"open order {terms_text(order)} carries {order.tag!r}"
        if group is None:
            verdict.strangers.append(order)
            verdict.find("orphan", group_id, f"{text}, but there is no such group: cancel it by hand", tag=order.tag)
        elif number in group.live:
            if (group_id, number) not in work.paired or work.paired[(group_id, number)].order is not order:
                guessed = guesses.find(work, order, tagged=True)  # one that looks the same was taken for it
                if guessed is not None:
                    shown_late(work, *guessed, order)
                    continue
                work.hold(group_id, HoldCause.AMBIGUOUS, f"{text}, and so does another one", order.symbol)
        elif number in group.orders and group.legs[group.orders[number].leg].spec.symbol == order.symbol:
            _end_late(work, group, number, order, f"{text}, but", f"ended ({group.orders[number].status})", "tag")
        elif number == group.next_number + work.added.get(group_id, 0) and group_id in work.groups:
            _lost_intent(work, group, number, order, text)
        else:
            verdict.strangers.append(order)
            verdict.find("orphan", group_id, f"{text}, which the group never sent: cancel it by hand", tag=order.tag)


def _end_late(work: Work, group: GroupState, number: int, order: BrokerOrder, text: str, why: str, how: str) -> None:
    """An order of ours that ought to have ended is open: its fills count from here on, and it is cancelled."""
    verdict, group_id = work.verdict, group.spec.group_id
    verdict.add(group_id, BaseSet(work.view.now, number, max(0, group.orders[number].cum_qty - order.filled)))
    verdict.adopt.append(Adoption(group_id, number, order, how))
    verdict.cancel.append(verdict.adopt[-1])
    verdict.find("orphan", group_id, f"{text} {group_id}:{number}, {why}: it is cancelled", tag=order.tag)


def _add(work: Work, group_id: str, intended: Intended) -> None:
    """A new living order of a group, before all that was found of it: a fill among that may be its last.

    The group does not end while this order lives.
    """
    added = work.added.get(group_id, 0)
    work.added[group_id] = added + 1
    facts = work.verdict.facts.setdefault(group_id, [])
    facts[2 * added : 2 * added] = [intended, Accepted(intended.at, intended.order)]


def shown_late(work: Work, group: GroupState, number: int, order: BrokerOrder) -> None:
    """An order that looks like `number`, about which there is a guess: from here on it is an order of its own.

    It lives, so the group cannot end before it does; what it fills counts; whether it is wanted is decided like for any
    other order.
    """
    group_id, own, now = group.spec.group_id, group.orders[number], work.view.now
    if group.phase is Phase.HELD and own.purpose not in REDUCING:
        why = f"open order {terms_text(order)} looks like {group_id}:{number}, which is a guess"
        work.hold(group_id, HoldCause.AMBIGUOUS, why, order.symbol)
        return
    work.resolved.add((group_id, number))
    new = group.next_number + work.added.get(group_id, 0)
    tag = f"{group_id}:{new}:{own.purpose}"
    _add(
        work,
        group_id,
        Intended(now, new, own.leg, own.purpose, own.rung, order.quantity, own.type, own.limit, own.stop, tag, 0),
    )
    work.verdict.adopt.append(Adoption(group_id, new, order, "fingerprint"))
    text = f"open order {terms_text(order)} looks like {group_id}:{number}, which is a guess: it is {new} from now on"
    work.verdict.find("adopted", group_id, text, tag=order.tag)


def shown_after_all(work: Work) -> None:
    """Orders that were believed filled, shown after all: told from those that are still waited for by their size."""
    if work.view.start:
        return  # there the holdings decide together with all others
    waited: set[tuple[str, int]] = set()
    for order in list(work.shown):
        guessed = None if order.tag else guesses.exactly(work, order, waited)
        if guessed is not None:
            work.shown.remove(order)
            shown_late(work, *guessed, order)


def _ours(group_id: str, view: View) -> bool:
    """True when the id looks like one that this journal gave."""
    names = {group.spec.group_id.rpartition("-")[0] for group in (*view.groups, *view.ended.values())}
    return group_id.rpartition("-")[0] in names


def _number(tag: str) -> int:
    """The order number in one of our tags; 0 when there is none."""
    digits = "".join(part for part in tag.split(":")[1:2] if part.isdigit())
    return int(digits) if digits else 0


def _foreign(work: Work, order: BrokerOrder) -> None:
    guessed = guesses.find(work, order)
    if guessed is not None:
        shown_late(work, *guessed, order)
        return
    text = f"open order {terms_text(order)} is not ours: it is left alone"
    work.verdict.find("foreign", "", text, tag=order.tag)
    if work.view.stale:
        for group in work.groups.values():
            if any(leg.spec.symbol == order.symbol and not leg.settled for leg in group.legs):
                why = f"the journal lost its newest write, and order {terms_text(order)} may be the group's"
                work.hold(group.spec.group_id, HoldCause.AMBIGUOUS, why, order.symbol)


def _lost_intent(work: Work, group: GroupState, number: int, order: BrokerOrder, text: str) -> None:
    """The journal lost the write with this order's intent, but the tag says what it was."""
    group_id = group.spec.group_id
    legs = [i for i, leg in enumerate(group.legs) if leg.spec.symbol == order.symbol]
    word = order.tag.rpartition(":")[2]
    prefix = order.tag.split("-", 1)[0]
    purposes = {"entry": Purpose.ENTRY, "sl": Purpose.STOP, "tp": Purpose.TARGET}
    purpose = purposes.get(prefix) or (Purpose(word) if word in {p.value for p in Purpose} else None)
    if not legs or purpose is None or group.phase in (Phase.PLANNED, Phase.HELD) or order.type not in _TYPES:
        work.hold(group_id, HoldCause.AMBIGUOUS, f"{text}, whose intent the journal lost", order.symbol)
        return
    now = work.view.now
    _add(
        work,
        group_id,
        Intended(now, number, legs[0], purpose, 0, order.quantity, order.type, order.limit, order.stop, order.tag, 0),
    )
    work.verdict.adopt.append(Adoption(group_id, number, order, "lost_intent"))
    work.verdict.find("adopted", group_id, f"{text}: its intent was lost with the newest write", tag=order.tag)


_TYPES = ("market", "limit", "stop_market", "stop_limit")


