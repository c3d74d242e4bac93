"""Margin of every account figure in LEAN's recordings, from the quotes of the day and nothing else."""

import bisect
import csv
import io
import json
import zipfile
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from risk.margin import Group, Holding, Instrument, is_group_order, margin_delta, margin_used, resolve, seeds_of
from risk.strategy_margin import RECORDED
from tests.recordings import DATA, TRACES, needs_quotes, needs_traces

NEW_YORK = ZoneInfo("America/New_York")
#: recordings of accounts that held options
ALL = ("p04_combos", "p05_legging_margin", "p08_expiry_and_assignment", "p17_structure_margin")

pytestmark = [needs_quotes, needs_traces]


@cache
def archive(path: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(DATA / path)


@cache
def series(path: str, name: str, quotes: bool) -> tuple[list[int], list[float]]:
    """End of each bar (milliseconds of the day) and the price it leaves: the close, or the middle of bid and ask."""
    ends, prices = [], []
    sides = ["", ""]
    with archive(path).open(name) as file:
        for row in csv.reader(io.TextIOWrapper(file)):
            if quotes:  # a side that does not quote keeps its last price (LEAN's QuoteBarFillForwardEnumerator)
                sides = [row[index] or old for index, old in zip((4, 9), sides, strict=True)]
                known = [float(side) / 10_000 for side in sides if side] or [0.0]
                prices.append(sum(known) / len(known))
            else:
                prices.append(float(row[4]) / 10_000)
            ends.append(int(row[0]) + 60_000)
    return ends, prices


def price_at(local: datetime, path: str, name: str, quotes: bool) -> tuple[int, float]:
    """When the last bar by then ended, and its price."""
    ends, prices = series(path, name, quotes)
    now = ((local.hour * 60 + local.minute) * 60 + local.second) * 1000
    index = bisect.bisect_right(ends, now) - 1
    return (ends[index], prices[index]) if index >= 0 else (-1, 0.0)


def share_price(local: datetime) -> float:
    day = local.strftime("%Y%m%d")
    return price_at(local, f"equity/usa/minute/goog/{day}_trade.zip", f"{day}_goog_minute_trade.csv", False)[1]


def option_price(local: datetime, right: str, strike: float, expiry: str) -> float:
    """The later of the last quote and the last trade; the quote where both end together."""
    day = local.strftime("%Y%m%d")
    found = (-1, 0.0)
    for kind in ("trade", "quote"):
        path = f"option/usa/minute/goog/{day}_{kind}_american.zip"
        side = "call" if right == "C" else "put"
        name = f"{day}_goog_minute_{kind}_american_{side}_{round(strike * 10_000)}_{expiry}.csv"
        if name in archive(path).namelist():
            bar = price_at(local, path, name, kind == "quote")
            found = bar if bar[0] >= found[0] else found
    return found[1]


def instrument(symbol: str, local: datetime) -> Instrument:
    """A recorded symbol (`GOOG  151224C00750000`) with its prices at a time."""
    shares = share_price(local)
    if len(symbol) < 10:
        return Instrument("GOOG", "GOOG", price=shares)
    expiry, right, strike = "20" + symbol[6:12], symbol[12], int(symbol[13:]) / 1000  # the data's names have no dashes
    price = option_price(local, right, strike, expiry)
    return Instrument(
        symbol, "GOOG", is_option=True, right=right, strike=strike, expiry=expiry, multiplier=100.0, unit=100.0,
        price=price, underlying_price=shares,
    )  # fmt: skip


def entries(name: str, kind: str) -> list[Any]:
    recording = json.loads((TRACES / f"{name}.json").read_text())
    return [entry for entry in recording["entries"] if entry[1] == kind]


def local_time(utc: str) -> datetime:
    stamp = datetime.strptime(utc, "%Y-%m-%d %H:%M:%S.%f")
    return stamp.replace(tzinfo=ZoneInfo("UTC")).astimezone(NEW_YORK).replace(tzinfo=None)


def holdings_of(fields: dict[str, Any], local: datetime) -> list[Holding]:
    return [Holding(instrument(symbol, local), quantity) for symbol, quantity, _ in fields["holdings"]]


def groups_of(fields: dict[str, Any], local: datetime) -> list[Group]:
    return resolve(holdings_of(fields, local))


@pytest.mark.parametrize("name", ALL)
def test_margin_used_equals_each_recorded_account(name: str) -> None:
    """All account entries of a recording: the margin used to the cent, with the value as a check on the prices."""
    checked = 0
    for utc, _, fields in entries(name, "account"):
        local = local_time(utc)
        groups = groups_of(fields, local)
        value = fields["cash"] + sum(
            h.instrument.price * h.quantity * h.instrument.multiplier for g in groups for h in g.holdings
        )
        assert value == pytest.approx(fields["value"], abs=0.005), f"prices at {utc} ({fields['label']})"
        assert margin_used(groups) == pytest.approx(fields["margin_used"], abs=0.005), (fields["label"], groups)
        checked += bool(fields["holdings"])
    assert checked >= 3


def test_where_chance_decides_the_recorded_margin_is_one_that_it_allows() -> None:
    """Only shares under two short calls left LEAN a choice: twice, and its figure is one of the two."""
    found: dict[str, set[float]] = {}
    for name in ALL:
        for utc, _, fields in entries(name, "account"):
            holdings = holdings_of(fields, local_time(utc))
            margins = {round(margin_used(resolve(holdings, seed)), 2) for seed in seeds_of(holdings)}
            assert round(fields["margin_used"], 2) in margins, fields["label"]
            if len(margins) > 1:
                found[fields["label"]] = margins
    assert {label: len(margins) for label, margins in found.items()} == {"covered-call": 2, "collar": 2}


def test_recorded_strategies_are_those_that_an_account_shows() -> None:
    """What is marked as recorded was held in a recording when LEAN told the account's margin, and nothing else is."""
    shown: set[str] = set()
    for name in ALL:
        for utc, _, fields in entries(name, "account"):
            shown |= {group.name for group in groups_of(fields, local_time(utc)) if group.name}
    assert shown == RECORDED


def test_refused_orders_needed_what_lean_says() -> None:
    """Each refusal of a group in p05 names the margin the order would have taken: the same to the cent."""
    held: list[Any] = []
    checked = 0
    recording = json.loads((TRACES / "p05_legging_margin.json").read_text())
    book: dict[str, float] = {}
    for utc, kind, fields in recording["entries"]:
        if kind != "event":
            continue
        if fields["fill_quantity"]:
            book[fields["symbol"]] = book.get(fields["symbol"], 0.0) + fields["fill_quantity"]
        if fields["status"] == "INVALID" and "Maintenance Margin Delta" in fields["message"]:
            local = local_time(utc)
            held = [Holding(instrument(symbol, local), quantity) for symbol, quantity in book.items() if quantity]
            order = [Holding(instrument(fields["symbol"], local), fields["quantity"])]
            expected = float(fields["message"].split("Delta: ")[1].split(",")[0])
            assert is_group_order(resolve(held), order)
            assert margin_delta(resolve(held), order) == pytest.approx(expected, abs=0.005)
            checked += 1
    assert checked == 4
