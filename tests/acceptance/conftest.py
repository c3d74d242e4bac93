"""What every acceptance card runs on: real GOOG quotes where they are, generated ones elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import card_registry  # noqa: E402
from card_play import Market, Played, Script  # noqa: E402

from tests.recordings import DATA, ROOT, goog_day  # noqa: E402


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    data, strikes = goog_day(tmp_path_factory.mktemp("data"))
    return Market(data, strikes, data == DATA)


@pytest.fixture
def play(market: Market, tmp_path: Path) -> Callable[..., Played]:
    from workbench.engine.run import run_backtest

    def run(
        script: Script, *, stop_at: str = "", start_at: str = "", account: Any = None, store: Path | None = None,
        **parameters: str,
    ) -> Played:  # fmt: skip
        folder = store if store is not None else tmp_path / "storage"
        folder.mkdir(exist_ok=True)
        card_registry.script = script
        day = "2015-12-24 "
        result = run_backtest(
            HERE / "card_algorithm.py",
            data=market.data,
            parameters={"strikes": market.strikes, **parameters},
            store=folder,
            name="card",
            stop_at=datetime.fromisoformat(day + stop_at) if stop_at else None,
            start_at=datetime.fromisoformat(day + start_at) if start_at else None,
            account=account,
            library_paths=[ROOT / "Library", HERE],
        )
        assert result.status in ("completed", "stopped_at"), result.error
        return Played(result, card_registry.algorithm, folder)

    return run


@pytest.fixture
def play_live(market: Market, tmp_path: Path) -> Callable[..., Played]:
    """A live session of 2015-12-24: four workers pick waiting requests at random and late, timers tick each second."""
    from workbench.engine.live.chaos import ChaosPlan
    from workbench.engine.live.session import LiveOptions, run_live

    def run(script: Script, *, until: str, seed: int = 1, latency: float = 0.0) -> Played:
        card_registry.script = script
        store = tmp_path / "storage"
        result = run_live(
            HERE / "card_algorithm.py",
            data=market.data,
            account=tmp_path / "account.sqlite",
            cash=script.cash,
            store=store,
            parameters={"strikes": market.strikes},
            name="card",
            options=LiveOptions(
                speed=0, until=datetime.fromisoformat(f"2015-12-24 {until}"), chaos=ChaosPlan(seed, latency=latency)
            ),
            library_paths=[ROOT / "Library", HERE],
        )
        assert not result.error, result.traceback
        return Played(result, card_registry.algorithm, store)

    return run
