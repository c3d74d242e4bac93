"""What a run trades and by which policy: drawn at random for campaigns, listed for crash tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from atomic.model import LegSpec
from atomic.policy import AT_MID, MARKET, Ladder, Policy, Retry

from .faults import Faults
from .house import House, constrained
from .market import CHAIN, FAR, NEAR, UNDERLYING
from .sets import SetTerms, draw_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from .choices import Choices


def _legs(*pairs: tuple[str, int]) -> tuple[LegSpec, ...]:
    return tuple(replace(CHAIN[name], ratio=ratio) for name, ratio in pairs)


def _name(letter: str, strike: int, expiry: str = NEAR) -> str:
    return f"{UNDERLYING} {expiry[2:4]}{expiry[5:7]}{expiry[8:]}{letter}{strike}"


P90, P95, P100 = (_name("P", k) for k in (90, 95, 100))
C100, C105, C110 = (_name("C", k) for k in (100, 105, 110))
P95_FAR, C105_FAR = _name("P", 95, FAR), _name("C", 105, FAR)

#: legs of one unit by strategy
STRUCTURES: dict[str, tuple[LegSpec, ...]] = {
    "put_spread": _legs((P95, -1), (P90, 1)),
    "call_spread": _legs((C105, -1), (C110, 1)),
    "iron_condor": _legs((C105, -1), (C110, 1), (P95, -1), (P90, 1)),
    "iron_butterfly": _legs((C100, -1), (C110, 1), (P100, -1), (P90, 1)),
    "long_strangle": _legs((C105, 1), (P95, 1)),
    "short_strangle": _legs((C105, -1), (P95, -1)),
    "butterfly": _legs((C100, 1), (C105, -2), (C110, 1)),
    "calendar": _legs((P95, -1), (P95_FAR, 1)),
    "ratio": _legs((C105, 1), (C110, -2)),
    "backspread": _legs((C105, -1), (C110, 2)),
    "jade_lizard": _legs((P95, -1), (C105, -1), (C110, 1)),
    "covered_call": _legs((UNDERLYING, 100), (C105, -1)),
    "collar": _legs((UNDERLYING, 100), (C105, -1), (P95, 1)),
}
NAKED = frozenset({"short_strangle", "ratio", "jade_lizard"})

LADDERS = (
    MARKET,
    AT_MID,
    Ladder(steps=2, first="mid", step_seconds=1.0, last="market"),
    Ladder(steps=1, first="natural", step_seconds=2.0, last="natural"),
)
#: an unwinding that rests at mid for ever is its owner's wish, not a failure to converge
UNWIND_LADDERS = tuple(ladder for ladder in LADDERS if ladder is not AT_MID)


@dataclass(frozen=True, slots=True)
class BracketTerms:
    """A bracket to run: distances are fractions of the entry price.

    Attributes:
        symbol: contract or share.
        side: +1 buys to open, -1 sells to open.
        entry: "market", "limit" (at the natural price), "stop" (at the last price) or "stop limit".
        targets: (share, distance) of each target; empty for a stop alone.
        stop: distance of the stop.
        break_even_after: targets after which the other stops go to the entry price; 0 for never.
        trail: distance of a trailing stop; 0 for none.
        trigger: who watches the levels: "native", "last", "mid", or "underlying" with distances of its price.
        target_market: the target is watched and closed at market.
        stop_limit: dollars from a stop's trigger to its limit; 0 for stop market.
        entry_timeout: seconds after which what is left of the entry goes; 0 for never.
        time_exit: seconds after the start of the run at which it is closed; 0 for never.
        adopted: exits for a position that stood in the account already, and no entry.
    """

    symbol: str = UNDERLYING
    side: int = 1
    entry: str = "market"
    targets: tuple[tuple[float, float], ...] = ((1.0, 0.02),)
    stop: float = 0.01
    break_even_after: int = 0
    trail: float = 0.0
    trigger: str = "native"
    target_market: bool = False
    stop_limit: float = 0.0
    entry_timeout: float = 0.0
    time_exit: float = 0.0
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is about."""

    strategy: str = "put_spread"
    units: int = 1
    policy: Policy = field(default_factory=Policy)
    faults: Faults = field(default_factory=Faults)
    sync: bool = False
    combos: str = "none"
    limit_net: float | None = None
    max_groups: int = 3
    owner_holds: bool = False
    #: a bracket instead of an all-or-none group
    bracket: BracketTerms | None = None
    #: a contingent set instead
    set: SetTerms | None = None
    #: the owner of the bracket moves its exits and changes its size
    managed: bool = False
    #: what the venue does not take and what the house allows
    house: House = field(default_factory=House)
    #: exits of an all-or-none group on its net price: dollars per share gained or lost
    net_exit: float = 0.0

    @property
    def rests(self) -> bool:
        """True where orders that rest at the venue for hours are what was asked for."""
        return self.bracket is not None or self.set is not None

    @property
    def legs(self) -> tuple[LegSpec, ...]:
        """Legs of one unit."""
        if self.set is not None:
            return tuple(CHAIN[symbol] for symbol in sorted({member.symbol for member in self.set.members}))
        if self.bracket is not None:
            return (replace(CHAIN[self.bracket.symbol], ratio=self.bracket.side),)
        return STRUCTURES[self.strategy]


def draw_setting(choices: Choices) -> Setting:
    """A setting at random; 0 everywhere is one put spread at market with an honest broker."""
    names = list(STRUCTURES)
    strategy = names[choices.draw(len(names))]
    units = 1 + choices.draw(3)
    faults = Faults.drawn(choices)
    ladder, unwind = LADDERS[choices.draw(len(LADDERS))], UNWIND_LADDERS[choices.draw(len(UNWIND_LADDERS))]
    policy = Policy(
        sequence=("protected", "protected", "together")[choices.draw(3)],
        ladder=ladder,
        unwind_ladder=unwind,
        on_timeout=("roll_back", "roll_back", "complete", "hold")[choices.draw(4)],
        keep_units=bool(choices.draw(2)),
        emergency_flatten=choices.draw(4) != 3,
        cost_budget=(None, None, 50.0)[choices.draw(3)],
        allow_naked=strategy in NAKED,
        native=("never", "first")[choices.draw(2)],
        on_restart=("roll_back", "complete", "resume", "adopt", "hold")[choices.draw(5)],
        on_outside=("adjust", "unwind", "hold")[choices.draw(3)],
        on_expiry=("unwind", "keep", "hold")[choices.draw(3)],
        bidless=("keep", "offer")[choices.draw(2)],
        retry=Retry(),
    )
    return Setting(
        strategy=strategy,
        units=units,
        policy=policy,
        faults=faults,
        sync=bool(choices.draw(2)),
        combos=("none", "all", "limit")[choices.draw(3)],
        limit_net=(None, None, None, 0.5)[choices.draw(4)],
        max_groups=1 + choices.draw(3),
        owner_holds=choices.draw(4) == 3,
    )


TARGETS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((1.0, 0.02),),
    ((0.5, 0.01), (0.5, 0.02)),
    (),
    ((0.3, 0.01), (0.3, 0.03), (0.4, 0.05)),
)


def draw_bracket(choices: Choices) -> Setting:
    """A bracket at random; 0 everywhere is one share with one target and a stop at an honest broker."""
    terms = BracketTerms(
        symbol=(UNDERLYING, C105)[choices.draw(2)],
        side=(1, 1, -1)[choices.draw(3)],
        entry=("market", "limit", "stop")[choices.draw(3)],
        targets=TARGETS[choices.draw(len(TARGETS))],
        stop=(0.01, 0.03)[choices.draw(2)],
        break_even_after=choices.draw(2),
        trail=(0.0, 0.0, 0.02)[choices.draw(3)],
    )
    faults = replace(Faults.drawn(choices), combo_breaks=False, assignment=False)
    policy = Policy(
        emergency_flatten=choices.draw(4) != 3,
        allow_naked=True,
        on_outside=("adjust", "unwind", "hold")[choices.draw(3)],
        on_restart=("resume", "roll_back", "complete")[choices.draw(3)],
    )
    return Setting(
        strategy="bracket",
        units=1 + choices.draw(12),
        policy=policy,
        faults=faults,
        sync=bool(choices.draw(2)),
        max_groups=1 + choices.draw(3),
        owner_holds=choices.draw(4) == 3,
        bracket=terms,
    )


def draw_managed(choices: Choices) -> Setting:
    """What else can be asked for: brackets that their owner changes, exits of old positions, exits on a net price."""
    what = choices.draw(4)
    if what == 3:
        return replace(draw_setting(choices), net_exit=(0.05, 0.5)[choices.draw(2)])
    setting = draw_bracket(choices)
    assert setting.bracket is not None
    terms = replace(
        setting.bracket,
        trigger=("native", "native", "last", "mid")[choices.draw(4)],
        target_market=choices.draw(3) == 2,
        stop_limit=(0.0, 0.0, 0.05)[choices.draw(3)],
        entry_timeout=(0.0, 0.0, 10.0)[choices.draw(3)],
        time_exit=(0.0, 0.0, 0.0, 90.0)[choices.draw(4)],
        adopted=what == 2,
    )
    if terms.trigger != "native":
        terms = replace(terms, stop_limit=0.0)  # refused: what we watch leaves at market
    reserves = choices.draw(3) == 2  # a trade by hand would take what the exits need: nothing could be closed any more
    faults = replace(setting.faults, foreign=setting.faults.foreign and not reserves)
    house = House(reserves=reserves)
    return replace(setting, strategy="managed bracket", bracket=terms, faults=faults, house=house, managed=True)


def draw_set(choices: Choices) -> Setting:
    """A contingent set at random; 0 everywhere is an OCO of two orders at an honest broker."""
    terms = draw_terms(choices)
    faults = replace(Faults.drawn(choices), combo_breaks=False, assignment=False)
    policy = Policy(
        allow_naked=True,
        on_outside=("adjust", "unwind", "hold")[choices.draw(3)],
        on_restart=("resume", "roll_back", "complete")[choices.draw(3)],
    )
    return Setting(
        strategy=terms.form,
        policy=policy,
        faults=faults,
        sync=bool(choices.draw(2)),
        max_groups=1 + choices.draw(3),
        owner_holds=choices.draw(4) == 3,
        set=terms,
    )


def draw_linked(choices: Choices) -> Setting:
    """Orders that the algorithm sent by itself and links afterwards."""
    setting = draw_set(choices)
    assert setting.set is not None
    members = [replace(m, type="limit") if m.type == "market" else m for m in setting.set.members]
    return replace(setting, strategy="linked oco", set=SetTerms("oco", tuple(members), linked=True))


#: what a run may be about, and how its setting is drawn
DRAWN: dict[str, Callable[[Choices], Setting]] = {
    "groups": draw_setting,
    "brackets": draw_bracket,
    "managed": draw_managed,
    "sets": draw_set,
    "linked": draw_linked,
}


def _under_constraints(draw: Callable[[Choices], Setting]) -> Callable[[Choices], Setting]:
    return lambda choices: constrained(draw(choices), choices)


#: the same under what venues do not take and houses do not allow
CONSTRAINED = " constrained"
DRAWN |= {kind + CONSTRAINED: _under_constraints(draw) for kind, draw in DRAWN.items()}


def _on_paper(draw: Callable[[Choices], Setting]) -> Callable[[Choices], Setting]:
    def drawn(choices: Choices) -> Setting:
        setting = draw(choices)
        # its news is told within the call, once, in order, and true
        faults = replace(setting.faults, lost=False, reorder=False, duplicate=False, overfill=False, late_fill=False)
        return replace(setting, sync=False, faults=faults, house=replace(setting.house, forgets=True))

    return drawn


#: the same at LEAN's paper brokerage
ON_PAPER = " on paper"
DRAWN |= {kind + ON_PAPER: _on_paper(draw) for kind, draw in DRAWN.items()}
