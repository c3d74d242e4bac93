"""Real kills: a live session dies by SIGKILL at a chosen point, is started again, and the broker's book is the judge.

One case is one paper account and one journal. The first process kills itself at the n-th passage of a point between
journal and broker, or between broker and news; a second one goes on to the end of the day. What must hold then is read
from the account's SQLite file and the journal, not from the algorithm:

* nothing is held at the end but longs without a bid, and no order is open (no orphan);
* the broker never got more orders than the journal has intents (no double);
* what the groups say they traded is what the broker filled (conservation), or the group says that it does not know.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.paper.account import PaperAccount, PaperOrder

#: the day of a case ends here: entry at 10:00, exit at 10:15 (`exit-before-close` of a half day)
UNTIL = "2015-12-24T10:40:00"
PARAMETERS = {"exit-before-close": "165", "quantity": "3"}
#: how the legs are priced: at market everything fills at once, at mid they rest, time out and are cancelled
PRICING = ("market", "mid", "ladder")


#: phases of a group's life in which a process is killed: name -> (points, pricing, whether after the exit time)
PHASES: dict[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "before send": (("before-send",), PRICING, False),
    "sent and unacknowledged": (("unacknowledged",), PRICING, False),
    "partial": (("partial",), ("market",), False),
    "filled": (("filled",), ("market",), False),
    "cancelling": (("before-cancel", "cancelling"), ("mid",), False),
    "closing": (("before-send", "unacknowledged", "partial", "filled"), ("market",), True),
}
#: the exit time of a case, seconds UTC
EXIT_AT = datetime(2015, 12, 24, 15, 15, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Case:
    """One kill: in which phase, at which passage of which point, on which kind of day."""

    number: int
    phase: str
    point: str
    passage: int
    pricing: str
    native: str
    seed: int

    @property
    def kill_from(self) -> float:
        """Data time from which passages count."""
        return EXIT_AT if PHASES[self.phase][2] else 0.0

    @classmethod
    def draw(cls, number: int, seed: int) -> Case:
        """Phases in turn, so that every one gets its share."""
        rng = random.Random(seed * 1_000_003 + number)
        phase = list(PHASES)[number % len(PHASES)]
        points, pricing, _ = PHASES[phase]
        native = "never" if phase in ("partial", "cancelling") else rng.choice(("never", "never", "first"))
        return cls(number, phase, rng.choice(points), rng.randint(1, 3), rng.choice(pricing), native,
                   rng.randrange(1 << 30))  # fmt: skip


@dataclass(slots=True)
class Verdict:
    """What became of a case."""

    case: Case
    killed: bool
    #: what the journal shows of the group in which the process died
    found: str = ""
    outcomes: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


def live_one(spec: dict[str, Any]) -> None:
    """The child: one process of a live session."""
    from workbench.engine.live.chaos import ChaosPlan
    from workbench.engine.live.session import LiveOptions, run_live

    plan = ChaosPlan(seed=spec["seed"], latency=0.003, partial=0.5, repeat_event=0.1, reissue=spec["restart"],
                     kill=spec["point"], kill_at=spec["passage"], kill_from=spec["kill_from"])  # fmt: skip
    options = LiveOptions(speed=0, until=datetime.fromisoformat(UNTIL), chaos=plan)
    root, folder = Path(spec["root"]), Path(spec["folder"])
    result = run_live(
        root / "algorithms" / "iron_condor", data=Path(spec["data"]), account=folder / "account.sqlite",
        store=folder / "store", name="iron_condor",
        parameters={**PARAMETERS, "pricing": spec["pricing"], "native": spec["native"]},
        options=options, library_paths=[root / "Library"],
    )  # fmt: skip
    (folder / "log.txt").write_text("\n".join(f"{t} {text}" for t, text in result.log))
    if result.error:
        sys.stderr.write(result.error + "\n" + result.traceback)
        raise SystemExit(3)


def run_case(case: Case, root: Path, data: Path, keep: Path | None = None) -> Verdict:
    """Kill, start again, judge."""
    with tempfile.TemporaryDirectory(prefix="kill-") as temporary:
        folder = keep if keep is not None else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        base = {"root": str(root), "folder": str(folder), "data": str(data), "pricing": case.pricing,
                "native": case.native, "seed": case.seed, "kill_from": case.kill_from}  # fmt: skip
        first = _child({**base, "point": case.point, "passage": case.passage, "restart": False}, root)
        killed = first.returncode == -9
        verdict = Verdict(case, killed)
        if not killed and first.returncode != 0:
            verdict.violations.append(f"first process failed: {first.stderr[-400:]}")
            return verdict
        verdict.found = _phase(folder)
        if killed:
            second = _child({**base, "point": "", "passage": 0, "restart": True}, root)
            if second.returncode != 0:
                verdict.violations.append(f"second process failed: {second.stderr[-400:]}")
                return verdict
        judge(folder, verdict)
        return verdict


def _child(spec: dict[str, Any], root: Path) -> subprocess.CompletedProcess[str]:
    code = "import json, sys; from workbench.campaign.kills import live_one; live_one(json.loads(sys.argv[1]))"
    return subprocess.run(
        [sys.executable, "-c", code, json.dumps(spec)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _groups(folder: Path) -> list[Any]:
    from atomic.journal import FileStore, Journal, read_archive

    store = FileStore(folder / "store")
    journal = Journal(store, "iron_condor", live=True)
    loaded = journal.load()
    ended = list(read_archive(store, journal.base))
    known = {g.spec.group_id for g in loaded.groups}
    return [*loaded.groups, *(g for g in ended if g.spec.group_id not in known)]


def _phase(folder: Path) -> str:
    """The phase of the group in which the process died, as the journal shows it."""
    groups = _groups(folder)
    if not groups:
        return "before the first group"
    group = groups[-1]
    live = Counter(str(order.status) for order in group.live.values())
    return f"{group.phase}" + (f" ({', '.join(sorted(live))})" if live else "")


def judge(folder: Path, verdict: Verdict) -> None:
    """Compare account and journal at the end of the day."""
    account = PaperAccount(folder / "account.sqlite")
    try:
        orders, holdings = account.orders(), account.holdings()
    finally:
        account.close()
    groups = _groups(folder)
    bad = verdict.violations
    for group in groups:
        verdict.outcomes.append(f"{group.outcome}/{group.phase}" if group.phase != "closed" else str(group.outcome))
        if group.held is not None:
            verdict.held.append(str(group.held))
    log = (folder / "log.txt").read_text() if (folder / "log.txt").is_file() else ""
    still = [order for order in orders if order.status in ("open", "partial")]
    if still and not verdict.held:
        bad.append(f"orphans: {[(o.symbol, o.quantity) for o in still]}")
    held = {s: q for s, (q, _) in holdings.items()}
    kept: Counter[str] = Counter()
    for group in groups:
        for leg in group.legs:
            kept[leg.spec.symbol] += leg.net
    for symbol in sorted({*held, *kept}):
        if held.get(symbol, 0) != kept[symbol] and not verdict.held:
            bad.append(f"conservation: broker holds {held.get(symbol, 0):+g} {symbol}, groups say {kept[symbol]:+d}")
    if not verdict.held:
        for symbol, quantity in held.items():
            if quantity < 0:
                bad.append(f"naked: {quantity:+g} {symbol} at the end of the day")
        for group in groups:
            if group.phase != "closed" and "bidless-long" not in log:
                bad.append(f"not settled: {group.spec.group_id} is {group.phase} and names no long without a bid")
    _once(orders, groups, bad)
    _covered(orders, bad, groups)


def _once(orders: Iterable[PaperOrder], groups: list[Any], bad: list[str]) -> None:
    """Every order at the broker is one intent of the journal, and no intent left twice."""
    intents = Counter((g.legs[o.leg].spec.symbol, o.quantity) for g in groups for o in g.orders.values())
    for order in orders:
        key = (order.symbol, int(order.quantity))
        intents[key] -= 1
        if intents[key] < 0:
            bad.append(f"no-double: order {order.id} of {order.quantity:+g} {order.symbol} has no intent of its own")


def _covered(orders: Iterable[PaperOrder], bad: list[str], groups: list[Any]) -> None:
    """No contract was ever sold beyond its group's promise: fills per symbol stay within ratio times units."""
    for group in groups:
        for leg in group.legs:
            promised = abs(leg.spec.ratio * group.spec.units)
            bought = sum(o.filled for o in orders if o.symbol == leg.spec.symbol and o.quantity > 0)
            sold = sum(o.filled for o in orders if o.symbol == leg.spec.symbol and o.quantity < 0)
            if len(groups) == 1 and (bought > promised or sold > promised):
                bad.append(f"own-share: {leg.spec.name} bought {bought:g}, sold {sold:g}, promised {promised}")


def campaign(
    count: int, seed: int, root: Path, data: Path, tell: Callable[[Verdict], None] | None = None, jobs: int = 2
) -> list[Verdict]:
    """Run `count` cases over `jobs` processes; every verdict is told as it comes."""
    from joblib import Parallel, delayed

    cases = [Case.draw(number, seed) for number in range(count)]
    work = Parallel(n_jobs=jobs, backend="threading", return_as="generator_unordered")
    verdicts = []
    for verdict in work(delayed(run_case)(case, root, data) for case in cases):
        verdicts.append(verdict)
        if tell is not None:
            tell(verdict)
    return verdicts


def histogram(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Kills by phase."""
    return {phase: sum(v.killed for v in verdicts if v.case.phase == phase) for phase in PHASES}
