"""What a run asked for and its files never held."""
from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from workbench.engine.enums import Resolution, TickType
from workbench.engine.feed import paths
from workbench.engine.feed.symbol_files import DAY
from workbench.engine.identifiers import OPTION_TYPES
from workbench.engine.symbols import Symbol

if TYPE_CHECKING:
    from workbench.engine.feed.subscriptions import Feed


def never_seen(feed: Feed) -> list[str]:
    """One line for each subscription of `initialize` of which the run's files hold nothing.

    LEAN runs on in silence; here a run on the wrong data folder, or with a contract that does not exist, says so.
    What an order or a later call subscribes is refused by its own checks, as on LEAN.
    """
    lines = []
    for symbol, tracks in feed.asked.items():
        bars = [track for track in tracks if track.tick_type != TickType.OPEN_INTEREST]
        if all(track.carry_shown is None for track in bars):
            problem = why_nothing(feed, symbol, [track.tick_type for track in bars])
            if problem:
                lines.append(f"No data for {symbol.value} in the whole run: {problem}")
    lines += [f"No data for the chain {universe.option.symbol.value} in the whole run: {universe.first_path} "
              "does not exist" for universe in feed.chains if not universe.found]
    feed.zips.close()
    return lines


def why_nothing(feed: Feed, symbol: Symbol, kinds: list[TickType]) -> str:
    """What is wrong with a symbol's first file; empty when some file of the run holds rows of it."""
    hours = feed.hours.entry_of(symbol).exchange_hours
    day, problem = feed.first_day, ""
    expiry = symbol.id.date.date() if symbol.security_type in OPTION_TYPES else date.max
    if expiry < day:
        return f"it expired on {expiry}, before the run"
    while day <= min(feed.last_day, expiry):
        for kind in kinds if hours.is_date_open(day) else []:
            ticker = feed.ticker_at(symbol, day)
            path = paths.zip_path(feed.data, symbol, ticker, day, Resolution.MINUTE, kind)
            name = paths.entry_name(symbol, ticker, day, Resolution.MINUTE, kind)
            opened = feed.zips.find(path)
            if opened is not None and opened.read(name):
                return ""
            what = "does not exist" if opened is None else f"has no entry {name}: there is no such contract"
            problem = problem or f"{path} {what}"
        day += DAY
    return problem
