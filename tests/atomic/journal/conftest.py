"""Stores that work on bare Python, and live journals over them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from atomic.journal import FileStore, Journal, MemoryStore
from atomic.ports import Store


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Every store that works on bare Python."""
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "storage")


@pytest.fixture
def live(store: Store) -> Callable[..., Journal]:
    """A live journal over the store of this test; each call is a restart."""

    def make(name: str = "condor", account: str = "DU123", **options: int) -> Journal:
        return Journal(store, name, live=True, account=account, **options)

    return make
