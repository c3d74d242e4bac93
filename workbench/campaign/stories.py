"""Fixed stories for crash tests: what is opened, and what broker and owner do with it, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from atomic.policy import AT_MID, Ladder, Policy

from .faults import Faults
from .market import UNDERLYING
from .scenarios import C105, TARGETS, BracketTerms, Setting
from .sets import MemberTerms, SetTerms


@dataclass(frozen=True, slots=True)
class CrashScenario:
    """A fixed story, told by a script of steps for `World`."""

    name: str
    setting: Setting
    steps: tuple[tuple[str, int], ...]


_LADDER = Ladder(steps=1, first="mid", step_seconds=2.0, last="market")


def scenarios() -> list[CrashScenario]:
    """Every story, with the default restart policy; `every_crash` plays each with all five."""
    partial = Faults(partial=True, fill_beats_cancel=True, cancel_refused=True, late_fill=True)
    market, mid, walk = Policy(native="never"), Policy(ladder=AT_MID, native="never"), Policy(ladder=_LADDER)
    stories = [
        ("open", "put_spread", 1, market, "accept fill accept fill"),
        ("open-condor", "iron_condor", 1, market, "accept fill accept fill accept fill accept fill"),
        ("open-and-close", "put_spread", 1, market, "accept fill accept fill close accept fill accept fill"),
        ("partial-then-timeout", "put_spread", 3, mid, "accept part wait6 cancel-ends accept fill"),
        ("short-rejected", "iron_condor", 1, market, "accept fill accept reject accept fill accept fill accept fill"),
        (
            "timeout-of-shorts",
            "call_spread",
            2,
            mid,
            "accept fill accept part wait6 fill-beats-cancel accept fill accept",
        ),
        ("ladder", "long_strangle", 2, walk, "accept part accept wait2 cancel-ends wait2 accept fill fill"),
        ("ten-three-two", "long_strangle", 10, mid, "accept part3 accept wait1"),
        ("close-partially", "call_spread", 3, market, "accept fill accept fill close accept part accept"),
        ("ratio", "backspread", 2, market, "accept fill accept part accept"),
        ("reject-while-unwinding", "put_spread", 1, market, "accept fill reject reject wait2 accept"),
        ("cancelled-by-owner", "iron_condor", 2, mid, "accept part cancel cancel-ends cancel-ends accept fill"),
        ("combo", "put_spread", 2, replace(mid, native="first"), "accept fill close accept fill"),
        (
            "keep-units",
            "call_spread",
            3,
            replace(mid, keep_units=True),
            "accept fill accept part2 wait6 cancel-ends accept",
        ),
    ]
    brackets = [
        ("bracket-target", BracketTerms(), 2, "accept fill accept target"),
        ("bracket-partial-entry", BracketTerms(targets=TARGETS[1], entry="limit"), 4,
         "accept part2 accept part1 accept part1 accept target accept stop"),
        ("bracket-both-exits", BracketTerms(side=-1), 3, "accept fill accept stop target accept fill"),
        ("bracket-stop-rejected", BracketTerms(targets=()), 2, "accept fill reject wait1 reject wait2 accept fill"),
        ("bracket-close", BracketTerms(targets=TARGETS[3]), 10,
         "accept fill accept target close accept cancel-ends accept fill"),
    ]  # fmt: skip
    buy, buy_call = MemberTerms(UNDERLYING, 4, "limit", 0.03), MemberTerms(C105, 2, "stop", 0.03)
    sell = MemberTerms(UNDERLYING, -4, "stop", 0.03)
    sets = [
        ("oco", (buy, buy_call), "accept part2 cancel-ends part2"),
        ("oco-both-fill", (buy, buy_call), "accept fill accept fill"),
        ("oco-linked", (buy, buy_call), "accept part2 accept cancel-ends part2"),
        ("ouo", (buy, buy_call), "accept part2 accept part2 accept cancel-ends"),
        ("oto", (buy_call, sell), "accept part1 accept part1 accept fill"),
        ("oto-close", (buy_call, sell), "accept fill accept close accept cancel-ends fill accept fill"),
    ]
    contingent = [
        CrashScenario(
            name,
            Setting(strategy=name, policy=Policy(allow_naked=True), faults=partial, max_groups=1,
                    set=SetTerms(name[:3], members, linked="linked" in name)),
            tuple(_word(w) for w in story.split()),
        )
        for name, members, story in sets
    ]  # fmt: skip
    protected = [
        CrashScenario(
            name,
            Setting(strategy="bracket", units=units, policy=Policy(allow_naked=True), faults=partial, max_groups=1,
                    bracket=terms),
            tuple(_word(w) for w in story.split()),
        )
        for name, terms, units, story in brackets
    ]  # fmt: skip
    return contingent + protected + [
        CrashScenario(
            name,
            Setting(strategy=strategy, units=units, policy=policy, faults=partial, max_groups=1,
                    combos="all" if name == "combo" else "none"),
            tuple(_word(w) for w in story.split()),
        )
        for name, strategy, units, policy, story in stories
    ]  # fmt: skip


def _word(word: str) -> tuple[str, int]:
    digits = "".join(c for c in word if c.isdigit())
    return word.rstrip("0123456789"), int(digits) if digits else 0
