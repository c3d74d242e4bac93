"""The tables of the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from .group_rows import GroupRow, LegRow
    from .results import Done

#: times are shown where the exchange is
ZONE = ZoneInfo("America/New_York")

_STYLES = {"complete": "green", "closed": "green", "rolled_back": "yellow", "refused": "yellow", "failed": "red"}


def clock(seconds: float) -> str:
    """Write seconds since 1970 as New York time of day, with the date left to the title; a dash for 0 (never)."""
    if not seconds:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZONE).strftime("%m-%d %H:%M:%S")


def money(value: Any) -> str:
    """Write dollars, a dash for what is not known."""
    return f"{value:,.2f}" if isinstance(value, int | float) else "-"


def leg_text(leg: LegRow) -> str:
    """Write one leg: its name, contracts and prices on the way in and out."""
    text = f"{leg.entered or leg.ratio:+d} {leg.name}"
    if leg.entered:
        text += f" @ {leg.entry_price:g}"
    if leg.left:
        text += f" → {leg.left:+d} @ {leg.exit_price:g}"
    if leg.settled:
        text += f" → settled at {leg.settlement:g}"
    elif leg.net:
        text += f" (holds {leg.net:+d})"
    return text


def groups_table(groups: list[GroupRow]) -> Table:
    """Build the table of groups."""
    table = Table(show_lines=True, title_justify="left")
    for name in ("group", "strategy", "legs: in → out", "state", "outcome"):
        table.add_column(name)
    table.add_column("created / opened / ended", no_wrap=True)
    table.add_column("fees", justify="right")
    table.add_column("rollback cost", justify="right")
    table.add_column("cash", justify="right")
    for group in groups:
        state = group.state
        outcome = state.outcome.value or "-"
        style = _STYLES.get(outcome, "")
        shown = f"[{style}]{outcome}[/]" if style else outcome
        why = f"\n{escape(group.why)}" if group.why else ""
        table.add_row(
            state.group_id,
            f"{state.spec.strategy} × {state.spec.units}",
            "\n".join(escape(leg_text(leg)) for leg in group.legs),
            f"[bold red]{state.phase.value}[/]" if state.held else state.phase.value,
            shown + why,
            f"{clock(state.spec.created_at)}\n{clock(state.opened_at)}\n{clock(state.ended_at)}",
            money(state.fees),
            money(state.rollback_cost),
            money(group.result),
        )
    return table


def account_lines(account: dict[str, Any]) -> list[str]:
    """Write the account: cash, value, and every holding by name."""
    lines = [f"account: cash {money(account.get('cash'))}, value {money(account.get('value'))}"]
    holdings = account.get("holdings") or []
    if not holdings:
        lines.append("holdings: none")
    for holding in holdings:
        price = f" at {holding['average_price']:g}" if "average_price" in holding else ""
        lines.append(f"holds {holding['quantity']:g} {holding.get('name') or holding.get('symbol')}{price}")
    return lines


def show(done: Done, *, verbose: bool = False, console: Console | None = None) -> None:
    """Print a finished run: log when asked, groups, account, where the files are."""
    console = console or Console(soft_wrap=False)
    if verbose:
        for when, text in done.log:
            console.print(f"{when} {text}", markup=False, highlight=False)
    if done.groups:
        console.print(groups_table(done.groups))
    else:
        console.print("no groups: the algorithm opened none")
    for line in done.unread:
        console.print(f"not readable: {line}", markup=False, style="red")
    for line in account_lines(done.account):
        console.print(line, markup=False, highlight=False)
    state = {"completed": "completed", "stopped_at": f"stopped at {done.ended_at}"}.get(done.status, "failed")
    console.print(f"{state} in {done.seconds:.2f} s, results in {done.folder}", markup=False, highlight=False)
