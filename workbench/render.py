"""The tables of the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from atomic.vocabulary import Phase

if TYPE_CHECKING:
    from .group_rows import GroupRow, LegRow
    from .results import Done

#: times are shown where the exchange is
ZONE = ZoneInfo("America/New_York")

_STYLES = {"complete": "green", "closed": "green", "rolled_back": "yellow", "refused": "yellow", "failed": "red"}


def moment(seconds: float) -> datetime | None:
    """Return seconds since 1970 as New York time; None for 0 (never)."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZONE) if seconds else None


def clock(seconds: float, *, dated: bool) -> str:
    """Write a time of day in New York, with the date if asked; a dash for 0 (never)."""
    when = moment(seconds)
    return "-" if when is None else when.strftime("%m-%d %H:%M:%S" if dated else "%H:%M:%S")


def money(value: Any) -> str:
    """Write dollars, a dash for what is not known."""
    return f"{value:,.2f}" if isinstance(value, int | float) else "-"


def leg_text(leg: LegRow) -> str:
    """Write one leg: contracts and name, price in, price out, and what is still held."""
    text = f"{leg.entered:+d} {leg.name} {leg.entry_price:g}" if leg.entered else f"{leg.wanted:+d} {leg.name} -"
    if leg.entered not in {0, leg.wanted}:
        text += f" of {leg.wanted:+d}"
    if leg.left == -leg.entered and leg.left:
        text += f" → {leg.exit_price:g}"
    elif leg.left:
        text += f" → {leg.left:+d} {leg.exit_price:g}"
    if leg.settled:
        text += f" → settled {leg.settlement:g}"
    elif leg.net and leg.left:
        text += f", holds {leg.net:+d}"
    return text


def _state(group: GroupRow) -> str:
    state = group.state
    phase = f"[bold red]{state.phase.value}[/]" if state.held else state.phase.value
    outcome = state.stands_as.value
    if not outcome or outcome == state.phase.value:
        return f"[{_STYLES.get(outcome, 'default')}]{phase}[/]" if outcome else phase
    return f"{phase}, [{_STYLES.get(outcome, 'default')}]{outcome}[/]"


def groups_table(groups: list[GroupRow]) -> Table:
    """Build the table of groups; it fits a terminal of 80 columns."""
    seen = [moment(at) for g in groups for at in (g.state.spec.created_at, g.state.opened_at, g.state.ended_at)]
    days = sorted({when.date() for when in seen if when})
    table = Table(box=box.SIMPLE_HEAD, title_justify="left", title_style="", padding=(0, 1, 1, 0), pad_edge=False)
    table.title = f"groups, {' to '.join(str(day) for day in (days[0], days[-1])[: len(days)])}, New York time"
    table.add_column("group", no_wrap=True)
    table.add_column("legs: in → out", overflow="fold")
    table.add_column("times", no_wrap=True)
    table.add_column("dollars", no_wrap=True, justify="right")
    for group in groups:
        state = group.state
        times = (("made", state.spec.created_at), ("open", state.opened_at), ("end", state.ended_at))
        dollars = (("fees", state.fees), ("rollback", state.rollback_cost), ("cash", group.result))
        table.add_row(
            f"[bold]{escape(state.group_id)}[/]\n{escape(state.spec.strategy)} × {state.spec.units}\n{_state(group)}",
            "\n".join(escape(leg_text(leg)) for leg in group.legs),
            "\n".join(f"{name:4} {clock(at, dated=len(days) > 1)}" for name, at in times),
            "\n".join(f"{name} {money(amount):>7}" for name, amount in dollars),
        )
    return table


def reasons(groups: list[GroupRow]) -> list[str]:
    """Write why groups were held, refused or taken back, and what they still hold at the end."""
    usual = {"closed", "complete"}
    lines = [f"{g.state.group_id}: {g.why}" for g in groups if g.why and (g.state.held or g.state.outcome not in usual)]
    for group in groups:
        held = [f"{leg.net:+d} {leg.name}" for leg in group.legs if leg.net]
        if held and group.state.phase not in {Phase.OPENING, Phase.OPEN}:
            lines.append(f"{group.state.group_id}: still holds {', '.join(held)}")
    return lines


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
        for line in reasons(done.groups):
            console.print(line, markup=False, highlight=False)
    else:
        console.print("no groups: the algorithm opened none")
    for line in done.alerts:
        console.print(line, markup=False, highlight=False, style="red" if line.startswith(("P0", "P1")) else "yellow")
    if done.missing:
        more = f" and {len(done.missing) - 1} more files" if len(done.missing) > 1 else ""
        line = f"no data: {done.missing[0]}{more}: does the data folder hold this ticker and these days?"
        console.print(line, markup=False, highlight=False, style="yellow")
    for line in done.unread:
        console.print(f"not readable: {line}", markup=False, style="red")
    for line in account_lines(done.account):
        console.print(line, markup=False, highlight=False)
    state = {"completed": "completed", "stopped_at": f"stopped at {done.ended_at}"}.get(done.status, "failed")
    console.print(f"{state} in {done.seconds:.2f} s, results in {done.folder}", markup=False, highlight=False)
