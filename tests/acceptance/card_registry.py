"""Where a card's script waits for the algorithm that plays it (same process)."""

from __future__ import annotations

from typing import Any

#: the script that the next run plays
script: Any = None
#: the algorithm of the last run
algorithm: Any = None
