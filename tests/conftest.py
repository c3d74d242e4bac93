"""Fixtures for all rooms."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def lean_data() -> Path:
    """LEAN's own sample data, which is no part of the project."""
    path = Path(os.environ.get("LEAN_DATA_FOLDER") or ROOT.parent / "shared" / "lean_data")
    if not (path / "market-hours" / "market-hours-database.json").is_file():
        pytest.skip(f"LEAN's sample data is not at {path} (set LEAN_DATA_FOLDER)")
    return path
