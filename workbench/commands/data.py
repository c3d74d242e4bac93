"""`atomic data`: generate LEAN-format sample data."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from ..data.generate import DATE, SEED, TICKER, generate
from ..data.manifest import DataError
from ..errors import UsageProblem
from ..progress import progress
from ..workspace import workspace_root

DAY = click.DateTime(["%Y-%m-%d"])


@click.group(help="Generate sample data in LEAN's format.")
def data() -> None:
    """Group of the data commands."""


@data.command("generate")
@click.option("--ticker", default=TICKER, show_default=True, help="US ticker of the underlying.")
@click.option(
    "--date",
    "day",
    type=DAY,
    metavar="YYYY-MM-DD",
    default=f"{DATE}",
    show_default=True,
    help="The trading day.",
)
@click.option("--expiry", type=DAY, metavar="YYYY-MM-DD", help="The one listed expiry; the same day unless given.")
@click.option("--price", type=float, help="Previous close of the underlying in dollars per share.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="The same seed gives the same bytes.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Data folder instead of the workspace's.")
@click.option("--if-missing", is_flag=True, help="Do nothing when the folder exists and is not empty.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def generate_command(
    ticker: str,
    day: datetime,
    expiry: datetime | None,
    price: float | None,
    seed: int,
    out: Path | None,
    if_missing: bool,
    as_json: bool,
) -> None:
    """Write one day of minute data of an underlying and its options.

    Smile, spreads that widen away from the money, far wings without a bid, strikes that stop quoting, a wide first
    minute, a jump. Files that were not written by the generator are never touched.

    \b
    Examples:
      atomic data generate
      atomic data generate --ticker SPY --date 2024-06-14 --price 540
    """
    folder = out or (workspace_root(Path.cwd()) or Path.cwd()) / "data"
    if if_missing and folder.is_dir() and any(folder.iterdir()):
        return
    try:
        with progress(f"generating {ticker.upper()} {day:%Y-%m-%d}", quiet=as_json) as report:
            done = generate(
                folder,
                ticker=ticker,
                day=day.date(),
                expiry=expiry.date() if expiry else None,
                seed=seed,
                price=price,
                on_progress=report,
            )
    except DataError as error:
        raise UsageProblem(str(error)) from error
    if as_json:
        click.echo(
            json.dumps(
                {
                    "folder": str(done.folder),
                    "written": done.written,
                    "kept": done.kept,
                    "contracts": done.contracts,
                    "rows": done.rows,
                }
            )
        )
        return
    click.echo(
        f"{ticker.upper()} {day:%Y-%m-%d}: {done.contracts} contracts, {done.rows:,} quote rows, "
        f"{len(done.written)} files in {done.folder}"
    )
    for name in done.kept:
        click.echo(f"left as it was (not ours): {name}")
