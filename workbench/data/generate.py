"""Write one generated day into a LEAN data folder."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..us_holidays import is_trading_day, previous_trading_day
from . import leanfiles, market
from .databases import databases
from .leanfiles import Contract, csv, number, scaled, zipped
from .manifest import NAME, DataError, Manifest

#: what `atomic data generate` makes unless told otherwise: the day that the algorithms run by default
TICKER = "GOOG"
DATE = date(2015, 12, 24)
SEED = 7
#: daily bars of the underlying before the generated day
HISTORY_DAYS = 60
#: previous close in dollars per share where it is not given
PRICES = {"GOOG": 748.40, "SPY": 205.68, "AAPL": 108.61, "TWX": 70.59}
DEFAULT_PRICE = 100.0


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written: paths below the folder, databases of others that were left as they are."""

    folder: Path
    written: list[str]
    kept: list[str]
    contracts: int
    rows: int


def _checked(ticker: str, day: date, expiry: date, price: float) -> None:
    if not re.fullmatch(r"[A-Za-z]{1,10}", ticker):
        raise DataError(f"ticker {ticker!r} is not a plain US ticker: use 1 to 10 letters, such as GOOG")
    for name, value in (("date", day), ("expiry", expiry)):
        if not 1999 <= value.year <= 2040:
            raise DataError(f"{name} {value} is out of range: choose a day from 1999 to 2040")
        if not is_trading_day(value):
            near = previous_trading_day(value)
            raise DataError(f"{name} {value} is not a US trading day: the one before it is {near}")
    if expiry < day:
        raise DataError(f"expiry {expiry} is before the date {day}: choose the same day or a later one")
    if not 1.0 <= price <= 100_000.0:
        raise DataError(f"price {price} is out of range: choose a price from 1 to 100000 dollars")


def _equity(day: market.Day, minutes: list[market.Minute]) -> dict[str, bytes]:
    rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-equity")
    ticker = day.ticker.lower()
    trades: list[list[int]] = []
    quotes: list[list[int]] = []

    def row(start: int, minute: market.Minute) -> None:
        spread = 0.10 * minute.spread + 0.02 * int(5 * rng.random())
        prices = [minute.open, minute.high, minute.low, minute.close]
        trades.append([start, *(scaled(price) for price in prices), minute.volume])
        bid = [scaled(market.cents(price - spread / 2)) for price in prices]
        ask = [scaled(market.cents(price + spread / 2)) for price in prices]
        sizes = [100 * (1 + int(5 * rng.random())) for _ in (0, 1)]
        quotes.append([start, *bid, sizes[0], *ask, sizes[1]])

    # a few trades outside of the session: readers must not take them for it
    early, late = minutes[0].open, minutes[-1].close
    for minute in (-45, -12, -1):
        row(market.bar_start(minute), market.Minute(early, early, early, early, 100, 8.0))
    for index, bar in enumerate(minutes):
        row(market.bar_start(index), bar)
    for minute in (5, 40):
        row(market.bar_start(len(minutes) + minute), market.Minute(late, late, late, late, 100, 8.0))
    files = {}
    for kind, rows in (("trade", trades), ("quote", quotes)):
        path, name = leanfiles.equity_minute(ticker, day.trading_day, kind)
        files[path] = zipped({name: csv(rows)})
    return files


def _daily_rows(day: market.Day, minutes: list[market.Minute]) -> list[tuple[str, str]]:
    """Return (day, csv row) of the daily bars up to and with the generated day, oldest first."""
    rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-daily")
    rows: list[tuple[str, str]] = []

    def add(when: date, prices: Iterable[float], volume: int) -> None:
        rows.append((f"{when:%Y%m%d}", csv([[f"{when:%Y%m%d} 00:00", *(scaled(p) for p in prices), volume]])))

    session = (
        minutes[0].open,
        max(minute.high for minute in minutes),
        min(minute.low for minute in minutes),
        minutes[-1].close,
    )
    add(day.trading_day, session, sum(minute.volume for minute in minutes))
    when, close = day.trading_day, day.price
    for _ in range(HISTORY_DAYS):
        when = previous_trading_day(when)
        move = market.REALIZED / math.sqrt(252) * market.normal(rng)
        opening = market.cents(close * math.exp(-move))
        high = market.cents(max(opening, close) * (1 + 0.004 * rng.random()))
        low = market.cents(min(opening, close) * (1 - 0.004 * rng.random()))
        add(when, (opening, high, low, close), 800_000 + int(1_200_000 * rng.random()))
        close = market.cents(opening * math.exp(0.002 * market.normal(rng)))
    return rows[::-1]


def _daily(day: market.Day, minutes: list[market.Minute], manifest: Manifest) -> dict[str, bytes]:
    """Return the daily file; days that an earlier run put into it stay."""
    path, name = leanfiles.equity_daily(day.ticker.lower())
    rows = dict(_daily_rows(day, minutes))
    if manifest.is_ours(path) and any(run["ticker"] == day.ticker for run in manifest.runs):
        earlier = leanfiles.unzipped((manifest.folder / path).read_bytes())[name]
        rows = {line[:8]: line for line in earlier.splitlines()} | rows
    return {path: zipped({name: csv([row] for _, row in sorted(rows.items()))})}


def _universe(day: market.Day, listed: list[Contract], minutes: list[market.Minute]) -> dict[str, bytes]:
    """Return the universe at the end of the day before (what LEAN selects from) and of the day itself."""
    rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-universe")
    header = (
        "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility,delta,gamma,vega,theta,rho"
    )
    files = {}
    days = ((previous_trading_day(day.trading_day), day.price), (day.trading_day, minutes[-1].close))
    for when, spot in days:
        lines = [header, f",,,{spot:.4f},{spot * 1.002:.4f},{spot * 0.998:.4f},{spot:.4f},106000,,,,,,,"]
        for contract in listed:
            if contract.expiry <= when:
                continue
            years = (contract.expiry - when).days / 365
            value = market.value_of(contract.right, spot, contract.strike, years)
            before = max(0.05, value.price * (0.9 + 0.2 * rng.random()))
            prices = (before, max(before, value.price), min(before, value.price), value.price)
            near = math.exp(-8 * abs(contract.strike / spot - 1) ** 0.7)
            greeks = (value.volatility, value.delta, value.gamma, value.vega, value.theta, value.rho)
            cells = [
                f"{contract.expiry:%Y%m%d}",
                number(contract.strike),
                contract.right[0].upper(),
                *(f"{price:.4f}" for price in prices),
                str(int(300 * near * rng.random())),
                str(int(2_000 * near * rng.random())),
                *(f"{greek:.7f}" for greek in greeks),
            ]
            lines.append(",".join(cells))
        files[leanfiles.option_universe(day.ticker.lower(), when)] = ("\n".join(lines) + "\n").encode()
    return files


def _cells(side: market.Side | None) -> list[int | None]:
    if side is None:
        return [None, None, None, None, 0]
    return [scaled(side.open), scaled(side.high), scaled(side.low), scaled(side.close), side.size]


def _options(
    day: market.Day,
    listed: list[Contract],
    minutes: list[market.Minute],
    on_progress: Callable[[float], None] | None,
) -> tuple[dict[str, bytes], int]:
    rng = random.Random(f"{day.seed}-{day.ticker}-{day.trading_day}-interest")
    ticker = day.ticker.lower()
    texts: dict[str, dict[str, str]] = {"quote": {}, "trade": {}, "openinterest": {}}
    stopping = market.stops(day, listed, minutes)
    count = 0
    for done, contract in enumerate(listed):
        quotes: list[list[int | None]] = []
        trades: list[list[int]] = []
        for quote in market.Book(day, contract, minutes, stopping.get(contract)).quotes():
            start = market.bar_start(quote.minute)
            quotes.append([start, *_cells(quote.bid), *_cells(quote.ask)])
            if quote.trade:
                price, size = scaled(quote.trade[0]), quote.trade[1]
                trades.append([start, price, price, price, price, size])
        interest = [[leanfiles.OPEN_INTEREST_MS, int(900 * rng.random() * rng.random())]]
        for kind, rows in (("quote", quotes), ("trade", trades), ("openinterest", interest)):
            if rows:
                name = leanfiles.option_entry(ticker, day.trading_day, kind, contract)
                texts[kind][name] = csv(rows) + "\n"
        count += len(quotes)
        if on_progress:
            on_progress((done + 1) / len(listed))
    return {
        leanfiles.option_minute(ticker, day.trading_day, kind): zipped(entries) for kind, entries in texts.items()
    }, count


#: one of these is in every data folder of LEAN and in every generated one
_OURS = (NAME, "equity", "option", "market-hours", "symbol-properties", "alternative")


def generate(
    folder: Path,
    *,
    ticker: str = TICKER,
    day: date = DATE,
    expiry: date | None = None,
    seed: int = SEED,
    price: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Generated:
    """Generate one day of an underlying and its options into a LEAN data folder.

    Args:
        folder: the data folder; made when it is not there.
        ticker: US ticker of the underlying.
        day: the trading day; half days end at 13:00 New York time.
        expiry: the one expiry that is listed, the same day unless given.
        seed: the same seed gives the same bytes.
        price: previous close of the underlying in dollars per share.
        on_progress: called with the share that is done, 0 to 1.

    Raises:
        DataError: a value is out of range, or a file is in the way that the generator did not write.
    """
    expiry = expiry or day
    price = PRICES.get(ticker.upper(), DEFAULT_PRICE) if price is None else price
    _checked(ticker, day, expiry, price)
    ticker = ticker.upper()
    if folder.is_dir() and any(folder.iterdir()) and not any((folder / name).exists() for name in _OURS):
        raise DataError(f"{folder} holds other files and no LEAN data: choose an empty folder with --out")
    manifest = Manifest.read(folder)
    spec = market.Day(ticker, day, expiry, market.cents(price), seed)
    minutes = market.underlying(spec)
    listed = market.contracts(spec)
    lower = ticker.lower()
    shared = {name: text.encode() for name, text in databases().items()}
    kept = manifest.foreign(shared)  # LEAN's own databases hold all that ours do
    contents = {name: content for name, content in shared.items() if name not in kept}
    contents |= {
        f"equity/usa/map_files/{lower}.csv": f"19980102,{lower},Q\n20501231,{lower},Q\n".encode(),
        f"equity/usa/factor_files/{lower}.csv": b"19980102,1,1,1\n20501231,1,1,0\n",
        **_equity(spec, minutes),
        **_daily(spec, minutes, manifest),
        **_universe(spec, listed, minutes),
    }
    names = [leanfiles.option_minute(lower, day, kind) for kind in ("quote", "trade", "openinterest")]
    in_the_way = manifest.foreign(contents | dict.fromkeys(names, b""))
    if in_the_way:
        more = f" and {len(in_the_way) - 1} more" if len(in_the_way) > 1 else ""
        raise DataError(
            f"{folder / in_the_way[0]}{more} was not written by the generator and is left alone: choose another folder "
            "with --out, or move the file away"
        )
    options, rows = _options(spec, listed, minutes, on_progress)
    contents |= options
    run: dict[str, object] = {"ticker": ticker, "date": str(day), "expiry": str(expiry), "seed": seed}
    try:
        manifest.write(contents, run)
    except OSError as error:
        raise DataError(f"cannot write to {folder} ({error.strerror}): choose another folder with --out") from error
    return Generated(folder, sorted(contents), kept, len(listed), rows)
