"""Fixtures for all rooms."""

from pathlib import Path

import pytest

from tests.recordings import DATA, NO_DATA


@pytest.fixture(scope="session")
def lean_data() -> Path:
    """LEAN's own sample data, which is no part of the project."""
    if not (DATA / "market-hours" / "market-hours-database.json").is_file():
        pytest.skip(NO_DATA)
    return DATA
