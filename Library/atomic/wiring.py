"""What an executor finds where it begins: the venue's abilities, and a store that another run may have written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plan import Env
from .plan.terms import STALE_AFTER

if TYPE_CHECKING:
    from .model import LegSpec
    from .ports import Store


def env_of(gateway: Any) -> Env:
    """What the venue takes, from the gateway's capability table where it has one."""
    venue = getattr(gateway, "capabilities", None)
    return Env(
        live=gateway.live,
        bar_data=not gateway.live,
        long_bars=getattr(gateway, "long_bars", {}),
        stale_after=getattr(gateway, "stale_after", STALE_AFTER),
        takes_options=venue.options if venue is not None else True,
        takes_market=venue.market if venue is not None else True,
        combo_market=gateway.takes_combo(2, False),
        combo_limit=gateway.takes_combo(2, True),
        reserves_quantity=venue.reserves_quantity if venue is not None and gateway.live else False,
        takes_replace=venue.updates_quantity if venue is not None else True,
        takes_linked=bool(getattr(gateway, "takes_linked", False)),
    )


def subscribed(gateway: Any, leg: LegSpec) -> str:
    """Make sure there is data of a leg; what went wrong, or ""."""
    subscribe = getattr(gateway, "subscribe", None)
    if subscribe is None:
        return ""
    try:
        subscribe(leg)
    except Exception as error:
        return f"no data of {leg.name or leg.symbol}: {error}"
    return ""


def warming_up(algorithm: Any) -> bool:
    """True in `initialize` and during warm-up: LEAN trades nothing and, live, shows no account (QCAlgorithm.cs:180)."""
    return bool(getattr(algorithm, "is_warming_up", False))


def run_of(algorithm: Any) -> str:
    """What tells a backtest's journal from those of other runs.

    On LEAN the same for every backtest: it tells the id after `initialize` only (Engine.cs:334).
    """
    return str(getattr(algorithm, "algorithm_id", "") or "run")


def claim(algorithm: Any, base: str) -> None:
    """Two executors of one algorithm would write over each other's journal `base`. Raises ValueError."""
    bases = getattr(algorithm, "_atomic_journals", None)
    if not isinstance(bases, set):
        bases = algorithm._atomic_journals = set()
    if base in bases:
        raise ValueError(f"{base} is the journal of another executor of this algorithm: give each a name of its own")
    bases.add(base)


def deaf(order_event: Any) -> None:
    """A gateway of one's own reports to the shell itself."""


def start_clean(store: Store, base: str) -> None:
    """A backtest never acts on what another run wrote under the same id."""
    for key in store.keys(f"{base}/"):
        store.delete(key)

