"""Property: whatever the venue does, a filled share is stopped, being closed, or inside a counted back-off."""


from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from atomic import facts as f
from atomic.vocabulary import WORKING, Phase, Purpose
from tests.atomic.protect.rig import Rig, plan

EXITS = (Purpose.STOP, Purpose.TARGET)
PLANS = [
    {"pairs": ((1.0, 102.0, 99.0),)},
    {"pairs": ((0.5, 101.0, 99.0), (0.5, 102.0, 98.5)), "break_even_after": 1},
    {"pairs": ((1.0, None, 99.0),), "trail_step": 0.1},
    {"pairs": ((0.3, 101.0, 99.0), (0.3, 102.0, 99.0), (0.4, None, 99.0))},
]


class Bracket(RuleBasedStateMachine):
    """A bracket at a venue that fills, refuses, cancels and moves prices as drawn."""

    @initialize(
        chosen=st.sampled_from(PLANS), units=st.integers(1, 12), short=st.booleans(),
        takes=st.booleans(), reserves=st.booleans(),
    )  # fmt: skip
    def start(self, chosen, units, short, takes, reserves):
        def mirror(price: float | None) -> float | None:
            return price if price is None or not short else 200.0 - price

        more = {k: v for k, v in chosen.items() if k != "pairs"}
        pairs = [(s, mirror(t), mirror(p)) for s, t, p in chosen["pairs"]]
        self.rig = Rig(plan(*pairs, **more), units=-units if short else units, takes_replace=takes,
                       reserves_quantity=reserves)  # fmt: skip
        self.side = -1 if short else 1
        self.closed_by_hand = False

    def orders(self, *purposes):
        return [o for o in self.rig.group.orders.values() if o.purpose in purposes and o.sent_at]

    @rule(data=st.data())
    def fill_something(self, data):
        """Any order that was sent may fill, also one that ended: fill beats cancel."""
        some = [o for o in self.rig.group.orders.values() if o.cum_qty < o.order_qty and o.reject is None]
        if not some:
            return
        order = data.draw(st.sampled_from(some))
        cum = data.draw(st.integers(order.cum_qty + 1, order.order_qty))
        self.rig.tell(f.Filled(self.rig.now, order.number, cum, 100.0, 0.0))

    @rule(data=st.data())
    def broker_ends_something(self, data):
        """A working order is cancelled by somebody else."""
        some = [o for o in self.rig.group.live.values() if o.status in WORKING]
        if some:
            self.rig.tell(f.Canceled(self.rig.now, data.draw(st.sampled_from(some)).number))

    @rule(purpose=st.sampled_from([*EXITS, Purpose.EMERGENCY, Purpose.EXCESS]), times=st.integers(1, 4),
          reason=st.sampled_from(["unknown", "margin", "reserved"]))  # fmt: skip
    def venue_refuses(self, purpose, times, reason):
        """The next orders of a purpose are refused."""
        self.rig.refuse[purpose] = [reason] * times

    @rule(seconds=st.integers(1, 90), bid=st.integers(9700, 10300))
    def time_passes(self, seconds, bid):
        """Time and prices move."""
        self.rig.after(seconds, bid=bid / 100, ask=bid / 100 + 0.02)

    @rule(share=st.floats(0.0, 1.0))
    def reduced_by_hand(self, share):
        """Somebody sells part of the position from outside."""
        delta = int(abs(self.rig.open) * share)
        if delta and self.rig.open * self.side > 0:
            self.rig.tell(f.Adjusted(self.rig.now, 0, -self.side * delta, 100.0, "foreign", "by hand"))

    @rule(price=st.integers(9700, 10300), pair=st.integers(0, 2))
    def owner_moves_a_stop(self, price, pair):
        """The owner moves one stop."""
        if pair < len(self.rig.group.spec.exits["pairs"]) and self.rig.group.phase is not Phase.CLOSED:
            self.rig.tell(f.Remembered(self.rig.now, f"stop.{pair}", price / 100))

    @rule(refuses=st.booleans())
    def updates(self, refuses):
        """The venue starts or stops refusing updates."""
        self.rig.refuse_updates = refuses

    @rule(is_open=st.booleans())
    def session(self, is_open):
        """The market closes or opens."""
        self.rig.quote = self.rig.quote._replace(open=is_open)
        self.rig.settle()

    @rule()
    def owner_closes(self):
        """The owner wants out."""
        if self.rig.group.phase in (Phase.OPENING, Phase.OPEN):
            self.rig.tell(f.CloseAsked(self.rig.now, "owner"))

    @invariant()
    def protected(self):
        """Confirmed stops and closes cover what is open, unless a refusal is waited out or a person was called."""
        if not hasattr(self, "rig"):
            return
        group, rig = self.rig.group, self.rig
        open_ = rig.open * self.side
        closing = sum(
            o.leaves_qty
            for o in group.live.values()
            if (o.quantity * self.side < 0 and o.purpose is not Purpose.TARGET) or o.type == "market"
        )
        refused = any(at > rig.now for at in group.retry_at.values()) or group.phase is Phase.HELD
        triggered = any(k.startswith("trigger.") and v for k, v in group.memory.items())
        waiting = (triggered or group.emergency or group.target == 0) and not rig.quote.open
        assert open_ <= 0 or closing >= open_ or refused or waiting, (open_, closing, rig.log[-10:])

    @invariant()
    def closes_never_exceed_what_is_open(self):
        """Orders that close at market never sum to more than what is open: no position is opened by intent."""
        if not hasattr(self, "rig"):
            return
        group = self.rig.group
        for sign, purposes in ((1, (Purpose.CLOSE, Purpose.EMERGENCY)), (-1, (Purpose.EXCESS,))):
            working = sum(o.leaves_qty for o in group.live.values() if o.purpose in purposes and o.status in WORKING)
            assert working <= max(0, sign * self.rig.open * self.side), (working, self.rig.open, self.rig.log[-10:])

    def teardown(self):
        """With a venue that answers again, everything ends flat in bounded steps."""
        if not hasattr(self, "rig"):
            return
        rig, group = self.rig, self.rig.group
        rig.refuse.clear()
        rig.refuse_updates = False
        rig.quote = rig.quote._replace(open=True)
        sends = group.sends
        for _ in range(60):
            if group.phase is Phase.HELD:
                rig.tell(f.Released(rig.now, "operator"))
            if group.phase in (Phase.OPENING, Phase.OPEN):
                rig.tell(f.CloseAsked(rig.now, "owner"))
            market = [o for o in group.live.values() if o.type == "market"]
            for order in market:
                if order.may_fill:
                    rig.tell(f.Filled(rig.now, order.number, order.order_qty, 100.0, 0.0))
            if group.phase is Phase.CLOSED:
                break
            rig.after(31)
        assert rig.done, (group.phase, rig.open, group.attempts, group.retry_at, rig.log[-12:])
        assert group.sends - sends <= 40


Bracket.TestCase.settings = settings(
    max_examples=600, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestBracket = Bracket.TestCase
