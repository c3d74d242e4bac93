"""Names, columns and scaling of LEAN's data files, and zip files with the same bytes every time.

Layout and scaling as in the `Data` folder of QuantConnect/Lean: prices times 10,000 as whole numbers, times as
milliseconds since midnight New York (start of the bar), one csv per contract inside one zip per day and kind.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

#: prices are written as whole numbers of this part of a dollar
SCALE = 10_000
#: open interest is stamped before the session, as in LEAN's own files
OPEN_INTEREST_MS = 23_520_000


@dataclass(frozen=True, slots=True)
class Contract:
    """A listed option: `right` is ``call`` or ``put``, `strike` in dollars per share."""

    right: str
    strike: float
    expiry: date


def scaled(price: float) -> int:
    """Return a price in dollars as LEAN's files hold it."""
    return round(price * SCALE)


def number(value: float) -> str:
    """Write a strike as LEAN does: no trailing zeros, no exponent."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def equity_minute(ticker: str, day: date, kind: str) -> tuple[str, str]:
    """Return (zip path, csv name) of one day of equity minute bars; `kind` is ``trade`` or ``quote``."""
    stamp = f"{day:%Y%m%d}"
    return f"equity/usa/minute/{ticker}/{stamp}_{kind}.zip", f"{stamp}_{ticker}_minute_{kind}.csv"


def equity_daily(ticker: str) -> tuple[str, str]:
    """Return (zip path, csv name) of the daily bars of a ticker."""
    return f"equity/usa/daily/{ticker}.zip", f"{ticker}.csv"


def option_minute(ticker: str, day: date, kind: str) -> str:
    """Return the zip path of one day of option minute files; `kind` is ``trade``, ``quote`` or ``openinterest``."""
    return f"option/usa/minute/{ticker}/{day:%Y%m%d}_{kind}_american.zip"


def option_entry(ticker: str, day: date, kind: str, contract: Contract) -> str:
    """Return the csv name of one contract inside its zip."""
    return (
        f"{day:%Y%m%d}_{ticker}_minute_{kind}_american_{contract.right}_{scaled(contract.strike)}"
        f"_{contract.expiry:%Y%m%d}.csv"
    )


def option_universe(ticker: str, day: date) -> str:
    """Return the path of the contracts listed at the end of a day (LEAN selects from it on the next one)."""
    return f"option/usa/universes/{ticker}/{day:%Y%m%d}.csv"


def zipped(entries: Mapping[str, str]) -> bytes:
    """Pack csv texts, ordered by name.

    Stored, not deflated, with fixed stamps: compressed bytes differ between zlib versions, these never do.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, entries[name])
    return buffer.getvalue()


def unzipped(content: bytes) -> dict[str, str]:
    """Return the csv texts of a zip file by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def csv(rows: Iterable[Iterable[object]]) -> str:
    """Join rows; a None is an empty cell."""
    return "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
