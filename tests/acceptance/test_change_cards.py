"""Cards AOE-49 to AOE-52: a stop or target is changed without a gap, new before old (scenario 7).

What is judged is LEAN's own tickets (in live the broker's book), never what the group believes of itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import card_registry
import pytest
from card_play import Script

from atomic import Phase
from atomic.vocabulary import ChildStatus, Purpose


def bracket(a: Any, stop: float = 5.0, target: float = 5.0) -> None:
    """100 GOOG at market, exits so many dollars away."""
    price = a.securities[a.goog].price
    a.groups["bracket"] = a.atomic.bracket_order(
        a.goog, 100, stop_loss_price=round(price - stop, 2), take_profit_price=round(price + target, 2)
    )


def working_stops(a: Any) -> list[tuple[float, float]]:
    """(stop price, shares left) of the sell stops that LEAN has at work; one that is asked to go does not count."""
    from AlgorithmImports import OrderField, OrderStatus, OrderType

    at_work = (OrderStatus.SUBMITTED, OrderStatus.UPDATE_SUBMITTED, OrderStatus.PARTIALLY_FILLED)
    return [
        (round(t.get(OrderField.STOP_PRICE), 2), round(abs(t.quantity) - abs(t.quantity_filled)))
        for t in a.transactions.get_open_order_tickets(a.goog)
        if t.order_type == OrderType.STOP_MARKET and t.status in at_work
    ]


def judge(a: Any, event: Any) -> None:
    """At each order event: from the first stop on, the stops at work cover what is held until the close is sent."""
    stops = working_stops(a)
    if stops:
        a.kept["stood"] = True
    closing = any(t.endswith(":close") for _, t, *_ in a.seen) or str(event.ticket.tag or "").endswith(":close")
    if a.kept.get("stood") and not closing and sum(shares for _, shares in stops) < a.held(a.goog):
        a.kept.setdefault("bare", []).append((str(a.time), str(event.status), event.ticket.tag, stops))


def move(price: float) -> Callable[[Any], None]:
    """Move the stop so many dollars up."""
    return lambda a: a.groups["bracket"].move_stop(round(a.groups["bracket"].stop_prices[0] + price, 2))


def note(name: str) -> Callable[[Any], None]:
    """Remember what is at work now."""

    def step(a: Any) -> None:
        group = a.groups["bracket"]
        a.kept[name] = (working_stops(a), sorted(o.limit for o in group.targets), a.held(a.goog), group.stop_prices)

    return step


def close(a: Any) -> None:
    """End the card."""
    a.groups["bracket"].close("end of the card")


def no_updates(a: Any) -> None:
    """Tradier's model of LEAN: an order's quantity cannot be updated, so no update is asked for."""
    from AlgorithmImports import AccountType, BrokerageName

    a.set_brokerage_model(BrokerageName.TRADIER_BROKERAGE, AccountType.MARGIN)


def refused_updates(a: Any) -> None:
    """A brokerage whose table takes updates, and which refuses each one."""
    from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType, DefaultBrokerageModel

    class NoUpdates(DefaultBrokerageModel):
        def can_update_order(self, security: Any, order: Any, request: Any, message: Any) -> Any:
            return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "NoUpdates", "no updates today")

    a.set_brokerage_model(NoUpdates())


@pytest.mark.parametrize(
    ("before", "native"),
    [(lambda a: None, True), (no_updates, False), (refused_updates, False)],
    ids=["update", "no-updates", "updates-refused"],
)
def test_aoe_49_change_without_a_gap(play: Any, before: Any, native: bool) -> None:
    """AOE-49 (X10, scenario 7) Stop and target are moved, the target is cancelled: the stop never lacks a share.

    Prerequisite: a brokerage that updates in place; one that takes no updates; one that refuses them when asked.
    Action: bracket at 10:00; the stop moved at 10:10, 10:20 and 10:30, the target at 10:40, cancelled at 10:50; closed
    at 12:00.
    Events: with updates one stop order all along; otherwise the new stop SUBMITTED, only then the old one cancelled.
    Pass: at every order event LEAN's stops at work cover the shares held; each level is where it was asked for; one
    stop is left after each move; flat at the end, nothing filled twice.
    """
    steps: dict[str, Any] = {"10:00:00": bracket, "10:01:00": note("first")}
    for n in (1, 2, 3):
        steps |= {f"10:{n}0:00": move(0.5), f"10:{n}5:00": note(f"moved {n}")}
    steps |= {
        "10:40:00": lambda a: a.groups["bracket"].move_target(a.groups["bracket"].target_prices[0] + 1),
        "10:45:00": note("target moved"),
        "10:50:00": lambda a: a.groups["bracket"].cancel_target(),
        "10:55:00": note("target gone"),
        "12:00:00": close,
    }
    played = play(Script(steps=steps, before=before, on_order_event=judge))
    a = played.algorithm
    kept, group = a.kept, a.groups["bracket"]
    assert not kept.get("bare")
    ((level, shares),), (target,), held, _ = kept["first"]
    assert (shares, held) == (100, 100)
    for n in (1, 2, 3):
        assert kept[f"moved {n}"][:2] == ([(round(level + n * 0.5, 2), 100)], [target])
    assert kept["target moved"][:2] == ([(round(level + 1.5, 2), 100)], [pytest.approx(target + 1)])
    assert kept["target gone"][:2] == ([(round(level + 1.5, 2), 100)], [])
    stops = [o for o in group.orders if o.purpose is Purpose.STOP]
    assert len(stops) == (1 if native else 4)
    for old, new in itertools.pairwise(stops):
        happened = [(status, tag) for status, tag, *_ in a.seen if tag in (old.tag, new.tag)]
        assert happened.index(("SUBMITTED", new.tag)) < happened.index(("CANCEL_PENDING", old.tag))
    assert not played.holdings()
    assert [fill for _, _, _, fill, *_ in a.seen if fill] == [100, -100]


@pytest.mark.parametrize("before", [no_updates, lambda a: None], ids=["new-before-old", "update"])
def test_aoe_50_a_new_stop_that_is_rejected_leaves_the_old_one(play: Any, before: Any) -> None:
    """AOE-50 (X10, scenario 7) The new stop is refused for good: the old one stands, it is told, later moves work.

    Prerequisite: a brokerage that refuses stops above a level, as new orders and as updates; updates taken or not.
    Action: bracket at 10:00; the stop moved above that level at 10:10; at 11:00 the target fills 40 of 100; moved to a
    level the brokerage takes at 11:30; closed at 12:00.
    Events: three refusals with back-off, alert stop-not-moved; the old stop shrinks with the target's fill; the next
    move is carried out.
    Pass: at every order event the stops at work cover the shares held; `stop_prices` is where the stop really is; the
    stop of 60 at the old level, then at the new one; no emergency; flat at the end.
    """

    def refuse(a: Any) -> None:
        before(a)
        taken = type(a.brokerage_model)

        class Ceiling(taken):  # type: ignore[misc, valid-type]
            def can_submit_order(self, security: Any, order: Any, message: Any) -> Any:
                if order.tag.startswith("sl-") and order.stop_price > a.kept.get("ceiling", 1e9):
                    return self.no()
                return super().can_submit_order(security, order, message)

            def can_update_order(self, security: Any, order: Any, request: Any, message: Any) -> Any:
                if order.tag.startswith("sl-") and (request.stop_price or 0) > a.kept.get("ceiling", 1e9):
                    return self.no()
                return super().can_update_order(security, order, request, message)

            def no(self) -> Any:
                from AlgorithmImports import BrokerageMessageEvent, BrokerageMessageType

                a.kept["refusals"] = a.kept.get("refusals", 0) + 1
                return False, BrokerageMessageEvent(BrokerageMessageType.WARNING, "Ceiling", "stop too near the market")

        a.set_brokerage_model(Ceiling())

    def ceiling(a: Any) -> None:
        a.kept["ceiling"] = a.groups["bracket"].stop_prices[0] + 1

    def partial(a: Any) -> None:
        from AlgorithmImports import FillModel, OrderStatus

        class Part(FillModel):
            def limit_fill(self, asset: Any, order: Any) -> Any:
                event = super().limit_fill(asset, order)
                if not a.kept.get("open the tap") or a.kept.get("given"):
                    event.fill_quantity, event.status = 0, order.status
                    return event
                a.kept["given"] = True
                event.fill_quantity, event.fill_price = -40, order.limit_price
                event.status = OrderStatus.PARTIALLY_FILLED
                return event

        a.securities[a.goog].set_fill_model(Part())

    played = play(
        Script(
            steps={
                "10:00:00": bracket,
                "10:05:00": ceiling,
                "10:10:00": move(3.0),
                "10:50:00": note("refused"),
                "11:00:00": lambda a: a.kept.update({"open the tap": True}),
                "11:20:00": note("shrunk"),
                "11:30:00": move(0.5),
                "11:40:00": note("moved"),
                "12:00:00": close,
            },
            before=refuse,
            setup=partial,
            on_order_event=judge,
        )
    )
    a = played.algorithm
    kept, group = a.kept, a.groups["bracket"]
    level = round(kept["ceiling"] - 1, 2)
    assert 3 <= kept["refusals"] <= 8, "a move that is refused is tried again, but not without end"
    assert [alert.code for alert in a.alerts].count("stop-not-moved") == 1
    assert "emergency-close" not in {alert.code for alert in a.alerts}
    assert not kept.get("bare")
    assert kept["refused"][0] == [(level, 100)]
    assert kept["refused"][3] == (level,), "the handle says where the stop really is"
    assert (kept["shrunk"][0], kept["shrunk"][2]) == ([(level, 60)], 60)
    assert (kept["moved"][0], kept["moved"][2]) == ([(round(level + 0.5, 2), 60)], 60)
    assert group.state is Phase.CLOSED
    assert not played.holdings()


def fills_in_between(which: str) -> Callable[[Any], None]:
    """A fill model under which stops fill on the first bar on which two rest: the old, the new, both, a part of it."""

    def install(a: Any) -> None:
        from AlgorithmImports import FillModel, OrderStatus, OrderType

        class Between(FillModel):
            def stop_market_fill(self, asset: Any, order: Any) -> Any:
                event = super().stop_market_fill(asset, order)
                event.fill_quantity, event.status = 0, order.status
                if "wanted" not in a.kept:
                    tickets = a.transactions.get_open_order_tickets(a.goog)
                    stops = sorted(t.order_id for t in tickets if t.order_type == OrderType.STOP_MARKET)
                    if len(stops) < 2 or asset.local_time.minute < 11:
                        return event
                    assert [o.status for o in a.groups["bracket"].stops] == [ChildStatus.WORKING] * 2
                    a.kept["wanted"] = {"old": stops[:1], "new": stops[1:], "both": stops, "part": stops[1:]}[which]
                if order.id in a.kept["wanted"]:
                    a.kept["wanted"].remove(order.id)
                    event.fill_price = asset.price
                    event.fill_quantity = -40 if which == "part" else order.quantity
                    event.status = OrderStatus.PARTIALLY_FILLED if which == "part" else OrderStatus.FILLED
                return event

        a.securities[a.goog].set_fill_model(Between())

    return install


@pytest.mark.parametrize("which", ["old", "new", "both", "part"])
def test_aoe_51_a_stop_fills_between_new_and_old(play: Any, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AOE-51 (X10, X1, scenario 7) While both stops rest one of them fills: nothing flips, nothing stays open.

    Prerequisite: a brokerage without updates that refuses cancels for 80 seconds; a fill model that fills the old
    stop, the new one, both, or 40 of the new one on the bar in between.
    Action: bracket at 10:00, the stop moved at 10:10, closed at 12:00.
    Events: new stop SUBMITTED, the old one's cancel refused; the fill; the other one cancelled when the brokerage
    takes it, or, where it fills too, the excess bought back.
    Pass: flat within the minute of a whole fill, an excess reversed in that minute with an alert; after 40 the stops
    at work are the 60 that are open; protected at every order event; flat at the end.
    """
    from workbench.engine.brokerage import BacktestingBrokerage

    cancel = BacktestingBrokerage.cancel_order

    def late(brokerage: Any, order: Any) -> bool:
        now = str(card_registry.algorithm.time.time())
        return not ("10:10:00" <= now < "10:11:20" and order.tag.startswith("sl-")) and cancel(brokerage, order)

    monkeypatch.setattr(BacktestingBrokerage, "cancel_order", late)
    steps = {"10:00:00": bracket, "10:10:00": move(0.5), "10:13:00": note("after"), "12:00:00": close}
    played = play(
        Script(steps=steps, before=no_updates, setup=fills_in_between(which), on_order_event=judge)
    )
    a = played.algorithm
    stops, targets, held, prices = a.kept["after"]
    assert not a.kept.get("bare")
    fills = [(tag.split("-")[0], fill, at) for _, tag, _, fill, _, at in a.seen if fill]
    assert a.kept["wanted"] == [], "what should fill in between has filled"
    excess = [row for row in fills if row[1] == 100 and row[0] != "entry"]
    if which == "part":
        assert (stops, held) == ([(prices[0], 60)], 60)
    else:
        assert (stops, targets, held) == ([], [], 0)
    assert len(excess) == (1 if which == "both" else 0)
    assert ("exit-excess" in {alert.code for alert in a.alerts}) == (which == "both")
    if which == "both":
        assert excess[0][2][:16] == max(at for kind, _, at in fills if kind == "sl")[:16]
    assert a.groups["bracket"].state is Phase.CLOSED
    assert not played.holdings()


class Book:
    """Judges the broker's book of a live session at every change of it: stops at work against shares held."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from workbench.paper.account import PaperAccount

        self.bare: list[str] = []
        self.moves = 0
        self.stood = False
        for name in ("submit", "update", "end", "fill"):
            monkeypatch.setattr(PaperAccount, name, self.judged(name, getattr(PaperAccount, name)))

    def judged(self, name: str, change: Any) -> Any:
        """The change, and a look at the book after it."""

        def both(account: Any, *args: Any, **kwargs: Any) -> Any:
            with account._lock:  # no other worker between the change and the look
                done = change(account, *args, **kwargs)
                stops = [o for o in account.open_orders() if o.type == "stop_market"]
                held = sum(quantity for quantity, _ in account.holdings().values())
            self.stood = self.stood or bool(stops)
            self.moves += name in ("submit", "update")
            if self.stood and sum(-o.quantity - o.filled for o in stops) < held:
                self.bare.append(f"{name} {args}: {held:g} held, stops {[(o.id, o.stop) for o in stops]}")
            return done

        return both


#: the stop is moved every ten seconds from 09:41 to 09:45
TIMES = [f"09:{m}:{s:02d}" for m in range(41, 45) for s in range(0, 60, 10)]


@pytest.mark.parametrize("before", [no_updates, lambda a: None], ids=["new-before-old", "update"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_aoe_52_live_workers_in_any_order(
    play_live: Any, monkeypatch: pytest.MonkeyPatch, before: Any, seed: int
) -> None:
    """AOE-52 (X10, scenario 7) Live workers process requests in any order: the stop is never gone at the broker.

    Prerequisite: a live session with four workers that pick waiting requests at random and late (the same session
    leaves a hand-made change, new stop and cancel of the old one sent together, bare: see the control below).
    Action: bracket at 09:40, the stop moved every ten seconds, often twice in the same moment, closed at 09:46.
    Events: per move an update, or the new stop at work and then the end of the old one.
    Pass: after every change of the broker's book the stops at work cover the shares held; every move reached the
    broker; one stop is left at the last level; flat at the end.
    """
    book = Book(monkeypatch)

    def both(a: Any) -> None:
        move(-0.05)(a)
        move(0.15)(a)

    wide: Callable[[Any], None] = lambda a: bracket(a, stop=20.0, target=20.0)  # noqa: E731
    steps: dict[str, Any] = {"09:40:00": wide, "09:45:30": note("moved"), "09:46:00": close}
    steps |= {clock: both if n % 3 else move(0.1) for n, clock in enumerate(TIMES)}
    a = play_live(Script(steps=steps, before=before), until="09:50", seed=seed, latency=0.004).algorithm
    group = a.groups["bracket"]
    first = next(o for o in group.orders if o.purpose is Purpose.STOP)
    assert not book.bare
    assert book.moves >= 3 + len(TIMES)
    assert len(a.kept["moved"][0]) == 1
    assert a.kept["moved"][0][0] == (a.kept["moved"][3][0], 100)
    assert first.ended_at
    assert group.state is Phase.CLOSED
    assert a.held(a.goog) == 0


def test_aoe_52_control_new_and_cancel_sent_together_leave_a_gap(
    play_live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AOE-52 control: a hand-made change under the same workers leaves the broker without a stop; the judge sees it.

    Prerequisite: as AOE-52, without the executor.
    Action: buy 100, a stop; 24 times a new stop and at once the cancel of the old one, both asynchronous.
    Pass: at least once the old stop ended before the new one was at work.
    """
    book = Book(monkeypatch)

    def buy(a: Any) -> None:
        a.market_order(a.goog, 100)
        a.kept["level"] = round(a.securities[a.goog].price - 20, 2)
        a.kept["ticket"] = a.stop_market_order(a.goog, -100, a.kept["level"])

    def change(a: Any) -> None:
        a.kept["level"] = round(a.kept["level"] + 0.1, 2)
        old, a.kept["ticket"] = a.kept["ticket"], a.stop_market_order(
            a.goog, -100, a.kept["level"], asynchronous=True
        )
        old.cancel()

    steps: dict[str, Any] = {"09:40:00": buy} | dict.fromkeys(TIMES, change)
    play_live(Script(steps=steps, executor=False), until="09:50", seed=1, latency=0.004)
    assert book.bare
