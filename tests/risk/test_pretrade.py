"""Cards of the pre-trade checks: each passes at its limit and refuses beyond it with rule, value and limit."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from atomic.model import GroupSpec, LegSpec, Quote, new_group
from atomic.policy import Policy
from atomic.ports import Proposal
from atomic.vocabulary import Kind, Right
from risk.gate import Gate
from risk.group_margin import BuyingPower, group_margin, instrument_of, order_margin
from risk.margin import Holding
from risk.pretrade import (
    DaysToExpiry,
    MaxContracts,
    MaxGroups,
    MaxLossForAccount,
    MaxLossPerGroup,
    MaxLossPerUnderlying,
    MinutesToClose,
    NoDuplicate,
    NoEventDay,
    QuoteQuality,
    ShortStrikeDistance,
    UnitPrice,
)
from risk.proposal import held_legs, proposed_legs

NOW = datetime(2015, 12, 24, 15, 0, tzinfo=UTC).timestamp()
GOOG = "GOOCV VP83T1ZUHROL"


def leg(right: str, strike: float, ratio: int, expiry: str = "2015-12-24") -> LegSpec:
    return LegSpec(
        f"{right}{strike:g}", ratio, Right(right), strike, expiry, GOOG, 100.0, 0.05, f"GOOG {right}{strike:g}"
    )


CONDOR = (leg("P", 740, 1), leg("P", 745, -1), leg("C", 755, -1), leg("C", 765, 1))
QUOTES = {
    "P740": Quote(0.20, 0.40, 0.3, NOW - 60, True, 10, 10),
    "P745": Quote(1.00, 1.20, 1.1, NOW - 60, True, 10, 10),
    "C755": Quote(0.90, 1.10, 1.0, NOW - 60, True, 10, 10),
    "C765": Quote(0.10, 0.30, 0.2, NOW - 60, True, 10, 10),
    GOOG: Quote(749.9, 750.1, 750.0, NOW - 60),
}  # bought at 0.40 and 0.30, sold at 1.00 and 0.90: credit 1.20, loses 880 dollars a unit


def spec(legs: tuple[LegSpec, ...] = CONDOR, units: int = 1, group_id: str = "new", **terms: Any) -> GroupSpec:
    policy = Policy(sequence=terms.pop("sequence", "protected"))
    return GroupSpec(group_id, Kind.ALL_OR_NONE, terms.pop("strategy", "iron_condor"), legs, units, NOW, policy)


def opened(units: int = 1, **terms: Any) -> Any:
    """A condor that stands: every leg filled at the quotes above."""
    group = new_group(spec(units=units, group_id="old", **terms))
    group.target = units
    for held in group.legs:
        held.net = held.spec.ratio * units
        quote = QUOTES[held.spec.symbol]
        held.cost = held.net * 100.0 * (quote.ask if held.net > 0 else quote.bid)
    return group


def proposal(wanted: GroupSpec | None = None, **terms: Any) -> Proposal:
    known = {"quotes": QUOTES, "now": NOW, "book": [], "equity": 100_000.0, "margin_remaining": 50_000.0, **terms}
    return Proposal(spec() if wanted is None else wanted, **known)


def test_the_legs_are_taken_at_the_price_of_crossing_the_spread() -> None:
    """What is bought counts at the ask, what is sold at the bid, for all units; held legs at their cost."""
    [(underlying, legs)] = proposed_legs(proposal(spec(units=2))).items()
    assert underlying == GOOG
    assert [(one.right, one.quantity, one.price) for one in legs] == [
        ("P", 2, 0.40), ("P", -2, 1.00), ("C", -2, 0.90), ("C", 2, 0.30),
    ]  # fmt: skip
    assert [one.price for one in held_legs(opened())[GOOG]] == pytest.approx([0.40, 1.00, 0.90, 0.30])


def test_a_group_that_still_opens_counts_as_if_it_were_complete() -> None:
    """Legs that have not filled count towards the target, without a premium."""
    group = opened(units=2)
    for held in group.legs:
        held.net, held.cost = held.net // 2, held.cost / 2
    assert [one.quantity for one in held_legs(group)[GOOG]] == [2, -2, -2, 2]
    assert [one.price for one in held_legs(group)[GOOG]] == pytest.approx([0.20, 0.50, 0.45, 0.15])
    group.target = 0
    assert [one.quantity for one in held_legs(group)[GOOG]] == [1, -1, -1, 1]


@pytest.mark.parametrize(
    ("passes", "refuses", "terms", "rule", "value", "limit"),
    [
        (MaxLossPerGroup(880), MaxLossPerGroup(879.99), {}, "max-loss-group", "880.00", "at most 879.99"),
        (
            MaxLossPerUnderlying(1760), MaxLossPerUnderlying(1759), {"book": [opened()]},
            "max-loss-underlying", "1760.00", "at most 1759.00",
        ),
        (
            MaxLossForAccount(2640), MaxLossForAccount(2639), {"book": [opened(units=2)]},
            "max-loss-account", "2640.00", "at most 2639.00",
        ),
        (
            MaxLossForAccount(part_of_equity=0.0088), MaxLossForAccount(part_of_equity=0.008), {},
            "max-loss-account", "880.00", "at most 800.00",
        ),
        (MaxContracts(per_group=4), MaxContracts(per_group=3), {}, "max-contracts", "4", "at most 3 in a group"),
        (
            MaxContracts(in_all=12), MaxContracts(in_all=11), {"book": [opened(units=2)]},
            "max-contracts", "12", "at most 11 in all groups",
        ),
        (MaxGroups(2), MaxGroups(1), {"book": [opened()]}, "max-groups", "1", "fewer than 1"),
        (
            MaxGroups(per_strategy=2), MaxGroups(per_strategy=1), {"book": [opened()]},
            "max-groups", "1", "fewer than 1 of a strategy",
        ),
        (
            ShortStrikeDistance(0.0), ShortStrikeDistance(0.01), {"book": [opened()]},
            "short-strike-distance", "0.00%", "at least 1.00%",
        ),
        (QuoteQuality(max_age=60), QuoteQuality(max_age=59), {}, "quote-age", "60 s", "at most 59 s"),
        (QuoteQuality(max_spread=0.20), QuoteQuality(max_spread=0.19), {}, "quote-spread", "0.20", "at most 0.19"),
        (
            QuoteQuality(max_spread_part=1.0), QuoteQuality(max_spread_part=0.5), {},
            "quote-spread", "66.7%", "at most 50.0%",
        ),
        (
            QuoteQuality(max_spread_ticks=4), QuoteQuality(max_spread_ticks=3), {},
            "quote-spread", "4 ticks", "at most 3 ticks",
        ),
        (UnitPrice(min_credit=1.20), UnitPrice(min_credit=1.21), {}, "unit-price", "credit 1.20", "at least 1.21"),
        (
            UnitPrice(min_credit=1.60, cross=False), UnitPrice(min_credit=1.61, cross=False), {},
            "unit-price", "credit 1.60", "at least 1.61",
        ),
        (UnitPrice(max_debit=-1.2), UnitPrice(max_debit=-1.3), {}, "unit-price", "debit -1.20", "at most -1.30"),
        (
            MinutesToClose(180, lambda _: NOW + 3 * 3600), MinutesToClose(181, lambda _: NOW + 3 * 3600), {},
            "minutes-to-close", "180", "at least 181",
        ),
        (DaysToExpiry(least=0), DaysToExpiry(least=1), {}, "days-to-expiry", "0", "at least 1"),
        (
            NoEventDay({"GOOCV": ["2015-12-25"]}), NoEventDay({"GOOCV": ["2015-12-25"]}, days_before=1), {},
            "event-day", "1 days ahead", "more than 1",
        ),
        (
            NoEventDay({"SPY": ["2015-12-24"]}), NoEventDay({GOOG: ["2015-12-24"]}), {},
            "event-day", "0 days ahead", "more than 0",
        ),
        (
            BuyingPower(fee=1.0), BuyingPower(fee=1.0, reserve=48_997), {},
            "buying-power", "1004.00", "at most 1003.00 (after a reserve of 48997.00)",
        ),
        (
            BuyingPower(fee=0.0, reserve_part=0.49), BuyingPower(fee=0.0, reserve_part=0.491), {},
            "buying-power", "1000.00", "at most 900.00 (after a reserve of 49100.00)",
        ),
    ],
)  # fmt: skip
def test_each_check_passes_at_its_limit_and_refuses_beyond(
    passes: Any, refuses: Any, terms: dict[str, Any], rule: str, value: str, limit: str
) -> None:
    """At the limit nothing is said; beyond it the refusal carries the rule, what was found and what is allowed."""
    assert passes(proposal(**terms)) is None
    refusal = refuses(proposal(**terms))
    assert refusal is not None
    assert (refusal.rule, refusal.value, refusal.limit) == (rule, value, limit)
    assert refusal.check == rule
    assert refusal.reason


def test_unbounded_losses_are_refused_by_any_limit() -> None:
    """A naked call has no largest loss, however large the limit."""
    refusal = MaxLossPerGroup(1e12)(proposal(spec((leg("C", 755, -1),))))
    assert refusal is not None
    assert refusal.value == "no bound"


@pytest.mark.parametrize(
    ("symbol", "quote", "rule", "value"),
    [
        ("P745", Quote(0.0, 1.2, 1.1, NOW), "quote", "0/1.2"),
        ("P740", Quote(0.2, 0.0, 0.3, NOW), "quote", "0.2/0"),
        ("C755", Quote(1.2, 1.1, 1.1, NOW), "quote-spread", "-0.10"),
        ("C755", Quote(0.9, 1.1, 1.1, NOW, True, 3, 9), "quote-size", "3"),
        ("C765", Quote(0.1, 0.3, 0.2, NOW, True, 9, 3), "quote-size", "3"),
    ],
)
def test_bad_quotes_are_named(symbol: str, quote: Quote, rule: str, value: str) -> None:
    """A missing side, a crossed quote or too small a size refuses and names the contract."""
    bad = {**{s: replace_time(q) for s, q in QUOTES.items()}, symbol: quote}
    refusal = QuoteQuality(size=True)(proposal(spec(units=4), quotes=bad))
    assert refusal is not None
    assert (refusal.rule, refusal.value) == (rule, value)
    assert f"GOOG {symbol}" in refusal.reason


def replace_time(quote: Quote) -> Quote:
    return quote._replace(at=NOW)


def test_a_wing_to_be_bought_needs_no_bid() -> None:
    """A long leg without a bid is quoted well enough; its spread cannot be judged and is not."""
    quotes = {**QUOTES, "C765": Quote(0.0, 0.05, 0.0, NOW)}
    assert QuoteQuality(max_spread=0.2, max_age=60)(proposal(quotes=quotes)) is None
    assert QuoteQuality()(proposal(quotes={s: q for s, q in QUOTES.items() if s != "C765"})) is not None


def test_duplicates_are_found_by_strategy_and_underlying() -> None:
    """The same strategy on the same underlying is refused, another strategy or (if asked) another expiry is not."""
    assert NoDuplicate()(proposal(book=[opened()])) is not None
    assert NoDuplicate()(proposal(book=[opened(strategy="strangle")])) is None
    later = tuple(replace(one, expiry="2015-12-31") for one in CONDOR)
    assert NoDuplicate()(proposal(spec(later), book=[opened()])) is not None
    assert NoDuplicate(same_expiry_only=True)(proposal(spec(later), book=[opened()])) is None


def test_shorts_of_another_expiry_or_right_may_be_near() -> None:
    """Only shorts of the same right, underlying and expiry count as neighbours."""
    later = tuple(replace(one, expiry="2015-12-31") for one in CONDOR)
    assert ShortStrikeDistance(0.01)(proposal(spec(later), book=[opened()])) is None
    turned = (leg("C", 750, -1), leg("C", 755, 1))
    assert ShortStrikeDistance(0.01)(proposal(spec(turned), book=[opened()])) is not None
    assert ShortStrikeDistance(0.01)(proposal(spec((leg("C", 745, 1), leg("C", 740, -1))), book=[opened()])) is None


def test_too_late_an_expiry_is_refused() -> None:
    """Days to expiry have an upper limit, too."""
    later = tuple(replace(one, expiry="2015-12-31") for one in CONDOR)
    assert DaysToExpiry(most=7)(proposal(spec(later))) is None
    assert DaysToExpiry(most=6)(proposal(spec(later))) is not None


def test_margin_of_a_condor_before_its_first_order() -> None:
    """Complete it takes its put side; before, the wider call side may stand alone, and sent together the shorts."""
    protected = group_margin(CONDOR, 1, QUOTES, together=False)
    assert (protected.complete, protected.worst, protected.names) == (500.0, 1000.0, ("Iron Condor",))
    assert protected.recorded
    assert not protected.by_chance
    narrow = (*CONDOR[:3], leg("C", 757.5, 1))
    quotes = {**QUOTES, "C757.5": QUOTES["C765"]}
    assert group_margin(narrow, 2, quotes, together=False).worst == 1000.0, "the put side is the wider one"
    together = group_margin(CONDOR, 1, QUOTES, together=True)
    # the put without its wing beside the call spread: 110 + 15,000 - 500, and the width of 1,000; that is more than
    # the shorts as a strangle (the put's 14,610 and the call's premium of 100)
    assert together.worst == pytest.approx(14_610 + 1_000)
    butterfly = (leg("P", 740, 1), leg("P", 745, -2), leg("P", 750, 1))
    quotes = {**QUOTES, "P750": Quote(3.0, 3.4, 3.2, NOW)}
    assert not group_margin(butterfly, 1, quotes, together=False).recorded


def test_margin_that_depends_on_chance_is_the_largest_and_marked() -> None:
    """Two shorts, cover for one of them: LEAN's process decides which is naked; the dearer one is counted."""
    legs = (leg("C", 755, -1), leg("C", 765, -1), leg("C", 775, 1))
    quotes = {**QUOTES, "C775": Quote(0.05, 0.15, 0.1, NOW)}
    found = group_margin(legs, 1, quotes, together=False)
    near_naked, far_naked = 100 + 15_000 - 500 + 1000, 20 + 15_000 - 1500 + 2000
    assert found.complete == pytest.approx(max(near_naked, far_naked))
    assert found.by_chance
    refusal = BuyingPower()(proposal(spec(legs), quotes=quotes, margin_remaining=near_naked - 1.0))
    assert refusal is not None
    assert "random number" in refusal.reason


def test_margin_of_shares_and_their_call() -> None:
    """A covered call needs half of the shares and four fifths of the call's value."""
    shares = LegSpec(GOOG, 100, Right.SHARE, underlying=GOOG, multiplier=1.0)
    found = group_margin((shares, leg("C", 755, -1)), 1, QUOTES, together=False)
    assert found.complete == pytest.approx(37_500 + 0.8 * 100)
    assert found.worst == found.complete


def test_what_is_not_known_is_refused() -> None:
    """Unknown margin, unknown equity and an underlying without a price are refusals, not passes."""
    for check, terms in (
        (BuyingPower(), {"margin_remaining": math.nan}),
        (BuyingPower(reserve_part=0.1), {"equity": math.nan}),
        (MaxLossForAccount(part_of_equity=0.1), {"equity": math.nan}),
        (BuyingPower(), {"quotes": {s: q for s, q in QUOTES.items() if s != GOOG}}),
    ):
        refusal = check(proposal(**terms))  # type: ignore[operator]
        assert refusal is not None
        assert refusal.value == "unknown"


def test_the_brokerages_own_answer_counts_when_it_is_larger() -> None:
    """A brokerage that wants more than LEAN's rules is believed; one that says less or nothing is not."""
    assert BuyingPower(answer=lambda _: 60_000.0)(proposal()) is not None
    assert BuyingPower(answer=lambda _: 1.0)(proposal()) is None
    assert BuyingPower(answer=lambda _: math.nan)(proposal()) is None
    assert BuyingPower(answer=lambda _: 1.0)(proposal(margin_remaining=499.0)) is not None


def test_orders_against_what_is_held() -> None:
    """A short under its wing takes the width; alone it takes the naked margin."""
    wing, short = instrument_of(CONDOR[3], QUOTES), instrument_of(CONDOR[2], QUOTES)
    assert order_margin([Holding(wing, 1.0)], [Holding(short, -1.0)]) == pytest.approx(1000.0)
    assert order_margin([], [Holding(short, -1.0)]) == pytest.approx(100 + 15_000 - 500)


def test_checks_are_composed_and_all_refusals_are_told() -> None:
    """A gate runs every check and reports each refusal, in order."""
    gate = Gate([MaxLossPerGroup(100), MaxContracts(per_group=8), UnitPrice(min_credit=2.0)])
    assert [refusal.rule for refusal in gate.approve(proposal())] == ["max-loss-group", "unit-price"]


def test_an_event_day_is_found_by_the_ticker_of_the_contract() -> None:
    """LEAN's identifier of GOOG begins with GOOCV: days are known by ticker, by that name and by the identifier."""
    for name in ("GOOG", "GOOCV", GOOG):
        refusal = NoEventDay({name: ["2015-12-24"]})(proposal())
        assert refusal is not None, name
        assert "GOOG" in refusal.reason
    assert NoEventDay({"GOO": ["2015-12-24"]})(proposal()) is None


def test_a_check_that_fails_is_a_refusal() -> None:
    """What a check cannot say is not a pass, and its error does not reach the algorithm."""

    def asks_the_brokerage(proposal: Any) -> Any:
        raise TimeoutError("no answer")

    [refusal] = Gate([MaxContracts(per_group=8), asks_the_brokerage]).approve(proposal())
    assert refusal.rule == "check-failed"
    assert "asks_the_brokerage" in refusal.reason
    assert "TimeoutError: no answer" in refusal.reason
    told = BuyingPower(answer=asks_the_brokerage)
    assert [found.rule for found in Gate([told]).approve(proposal())] == ["check-failed"]
